//! A network as a static graph of named layers, shape-checked while it is built.

use std::sync::Arc;

use crate::params::{Group, Layout};
use crate::{Error, Result};

/// The shape of one image's value at some place of the network; a vector has height and width 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Channels, or the length of a vector.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Shape {
    /// A vector of this length.
    pub const fn vector(length: usize) -> Self {
        Self { channels: length, height: 1, width: 1 }
    }

    /// Pixels of one channel.
    pub const fn plane(self) -> usize {
        self.height * self.width
    }

    /// Numbers in all.
    pub const fn len(self) -> usize {
        self.channels * self.plane()
    }

    /// Whether it holds no number.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Square windows moved over an image: a convolution's kernel or a pooling window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of the window.
    pub size: usize,
    /// Pixels from one window to the next.
    pub stride: usize,
    /// Zeros added on every side.
    pub padding: usize,
}

impl Window {
    /// How many windows fit along `length` pixels; `None` if not one does.
    fn count(self, length: usize) -> Option<usize> {
        Some((length + 2 * self.padding).checked_sub(self.size)? / self.stride + 1)
    }
}

/// A place in the network: its input, or the output of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Value(pub(crate) usize);

/// What a layer does. Numbers are places in the [`Layout`]: of parameters, or of batch norms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layer {
    /// Cross-correlation without bias.
    Convolution { x: Value, window: Window, weight: usize },
    /// Batch normalisation, then scale and shift.
    BatchNorm { x: Value, norm: usize, weight: usize, bias: usize },
    /// max(x, 0), with gradient 0 at 0.
    Relu { x: Value },
    /// The sum of two values.
    Add { a: Value, b: Value },
    /// Means over disjoint windows of this many rows and columns.
    AveragePool { x: Value, size: usize },
    /// The same numbers as a vector.
    Flatten { x: Value },
    /// Matrix times vector plus bias.
    Linear { x: Value, weight: usize, bias: usize },
}

/// A network: layers in an order in which they can run, and the layout of its parameters.
#[derive(Debug, Clone)]
pub struct Graph {
    shapes: Vec<Shape>,
    layers: Vec<Layer>,
    output: Value,
    layout: Arc<Layout>,
}

impl Graph {
    /// The shape of an input image.
    pub fn input(&self) -> Shape {
        self.shapes[0]
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.shape(self.output).channels
    }

    /// Names, shapes and places of the parameters.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// The shape of a value.
    pub(crate) fn shape(&self, value: Value) -> Shape {
        self.shapes[value.0]
    }

    /// The layers; layer i makes value i + 1.
    pub(crate) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The logits.
    pub(crate) fn output(&self) -> Value {
        self.output
    }
}

/// Builds a [`Graph`] layer by layer; every method checks shapes and says which layer is wrong.
#[derive(Debug)]
pub struct GraphBuilder {
    shapes: Vec<Shape>,
    layers: Vec<Layer>,
    layout: Layout,
}

impl GraphBuilder {
    /// Begins a network for images of this shape.
    ///
    /// # Errors
    /// [`Error::Domain`] if the shape is empty.
    pub fn new(input: Shape) -> Result<Self> {
        if input.is_empty() {
            return Err(Error::domain("input shape", format!("{input:?}"), "every extent at least 1"));
        }
        Ok(Self { shapes: vec![input], layers: Vec::new(), layout: Layout::default() })
    }

    /// The input image.
    pub fn input(&self) -> Value {
        Value(0)
    }

    /// The shape of a value.
    pub fn shape(&self, value: Value) -> Shape {
        self.shapes[value.0]
    }

    /// A convolution without bias, parameter `{name}.weight`.
    ///
    /// # Errors
    /// [`Error::Domain`] if an extent is 0, no window fits, or the name is taken.
    pub fn convolution(&mut self, name: &str, x: Value, outputs: usize, window: Window) -> Result<Value> {
        let input = self.shape(x);
        let extent = |length| (window.size > 0 && window.stride > 0 && outputs > 0).then(|| window.count(length))?;
        let (Some(height), Some(width)) = (extent(input.height), extent(input.width)) else {
            let value = format!("{window:?} with {outputs} outputs on {input:?}");
            return Err(Error::domain(name, value, "a window that fits, all of size, stride and outputs at least 1"));
        };
        let shape = vec![outputs, input.channels, window.size, window.size];
        let weight = self.layout.add_parameter(format!("{name}.weight"), shape, Group::ConvWeight)?;
        Ok(self.push(Layer::Convolution { x, window, weight }, Shape { channels: outputs, height, width }))
    }

    /// A batch normalisation, parameters `{name}.weight` and `{name}.bias`.
    ///
    /// # Errors
    /// [`Error::Domain`] if the name is taken.
    pub fn batch_norm(&mut self, name: &str, x: Value) -> Result<Value> {
        let shape = self.shape(x);
        let weight = self.layout.add_parameter(format!("{name}.weight"), vec![shape.channels], Group::BnWeight)?;
        let bias = self.layout.add_parameter(format!("{name}.bias"), vec![shape.channels], Group::BnBias)?;
        let norm = self.layout.add_norm(name.to_string(), shape.channels);
        Ok(self.push(Layer::BatchNorm { x, norm, weight, bias }, shape))
    }

    /// max(x, 0).
    pub fn relu(&mut self, x: Value) -> Value {
        self.push(Layer::Relu { x }, self.shape(x))
    }

    /// The sum of two values of one shape.
    ///
    /// # Errors
    /// [`Error::Domain`] if the shapes differ.
    pub fn add(&mut self, a: Value, b: Value) -> Result<Value> {
        let (left, right) = (self.shape(a), self.shape(b));
        if left != right {
            return Err(Error::domain("the second term of a sum", format!("{right:?}"), format!("{left:?}")));
        }
        Ok(self.push(Layer::Add { a, b }, left))
    }

    /// Means over disjoint `size` × `size` windows.
    ///
    /// # Errors
    /// [`Error::Domain`] if `size` does not divide height and width.
    pub fn average_pool(&mut self, x: Value, size: usize) -> Result<Value> {
        let Shape { channels, height, width } = self.shape(x);
        if size == 0 || !height.is_multiple_of(size) || !width.is_multiple_of(size) {
            return Err(Error::domain("pooling size", size, format!("a divisor of {height} and {width}")));
        }
        let shape = Shape { channels, height: height / size, width: width / size };
        Ok(self.push(Layer::AveragePool { x, size }, shape))
    }

    /// The same numbers as a vector.
    pub fn flatten(&mut self, x: Value) -> Value {
        self.push(Layer::Flatten { x }, Shape::vector(self.shape(x).len()))
    }

    /// A linear layer, parameters `{name}.weight` and `{name}.bias`.
    ///
    /// # Errors
    /// [`Error::Domain`] if x is no vector, `outputs` is 0, or the name is taken.
    pub fn linear(&mut self, name: &str, x: Value, outputs: usize) -> Result<Value> {
        let shape = self.shape(x);
        if shape.plane() != 1 || outputs == 0 {
            return Err(Error::domain(name, format!("{shape:?} to {outputs}"), "a vector, and at least one output"));
        }
        let inputs = shape.channels;
        let weight = self.layout.add_parameter(format!("{name}.weight"), vec![outputs, inputs], Group::LinearWeight)?;
        let bias = self.layout.add_parameter(format!("{name}.bias"), vec![outputs], Group::LinearBias)?;
        Ok(self.push(Layer::Linear { x, weight, bias }, Shape::vector(outputs)))
    }

    /// Ends the network: `output` holds the logits.
    ///
    /// # Errors
    /// [`Error::Domain`] if `output` is no vector of at least two classes, or another value leads nowhere.
    pub fn finish(self, output: Value) -> Result<Graph> {
        let shape = self.shape(output);
        if shape.plane() != 1 || shape.channels < 2 {
            return Err(Error::domain("the network's output", format!("{shape:?}"), "a vector of at least 2 classes"));
        }
        let mut used = vec![false; self.shapes.len()];
        used[output.0] = true;
        for layer in &self.layers {
            layer.inputs().for_each(|x| used[x.0] = true);
        }
        if let Some(unused) = used.iter().position(|used| !used) {
            return Err(Error::domain(
                "an unused value",
                format!("number {unused}"),
                "every value leads to the output",
            ));
        }
        Ok(Graph { shapes: self.shapes, layers: self.layers, output, layout: Arc::new(self.layout) })
    }

    fn push(&mut self, layer: Layer, shape: Shape) -> Value {
        self.layers.push(layer);
        self.shapes.push(shape);
        Value(self.layers.len())
    }
}

impl Layer {
    /// The values the layer reads.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = Value> {
        let (first, second) = match *self {
            Self::Add { a, b } => (a, Some(b)),
            Self::Convolution { x, .. }
            | Self::BatchNorm { x, .. }
            | Self::Relu { x }
            | Self::AveragePool { x, .. }
            | Self::Flatten { x }
            | Self::Linear { x, .. } => (x, None),
        };
        std::iter::once(first).chain(second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: Shape = Shape { channels: 3, height: 5, width: 7 };

    fn window(size: usize, stride: usize, padding: usize) -> Window {
        Window { size, stride, padding }
    }

    #[test]
    fn shapes_follow_the_layers() {
        let mut builder = GraphBuilder::new(IMAGE).expect("a shape");
        let x = builder.input();
        let conv = builder.convolution("conv", x, 4, window(3, 2, 1)).expect("fits");
        assert_eq!(builder.shape(conv), Shape { channels: 4, height: 3, width: 4 });
        let flat = builder.flatten(conv);
        let logits = builder.linear("fc", flat, 10).expect("a vector");
        let graph = builder.finish(logits).expect("a network");
        assert_eq!((graph.classes(), graph.layout().trainable()), (10, 4 * 27 + 480 + 10));
    }

    #[test]
    fn wrong_layers_are_named() {
        let mut builder = GraphBuilder::new(IMAGE).expect("a shape");
        let x = builder.input();
        let message = |result: Result<Value>| result.expect_err("wrong").to_string();
        assert!(message(builder.convolution("conv9", x, 4, window(8, 1, 1))).contains("conv9"));
        assert!(message(builder.convolution("conv9", x, 4, window(3, 0, 1))).contains("stride: 0"));
        assert!(message(builder.average_pool(x, 2)).contains("a divisor of 5 and 7"));
        assert!(message(builder.linear("fc", x, 10)).contains("fc"));
        let small = builder.convolution("conv1", x, 3, window(3, 2, 1)).expect("fits");
        assert!(message(builder.add(x, small)).contains("second term"));
        assert!(message(builder.convolution("conv1", x, 3, window(3, 2, 1))).contains("conv1.weight"));
        assert!(builder.finish(x).is_err(), "an image is no vector of logits");
        assert!(GraphBuilder::new(Shape { channels: 0, ..IMAGE }).is_err());
    }
}
