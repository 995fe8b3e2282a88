//! How a [`Graph`] is built: layer by layer, shape-checked.

use std::sync::Arc;

use super::graph::{Activation, Graph, Layer, Shape, Value, Window};
use super::initial::{Initial, NormWeights};
use crate::params::{Group, Layout};
use crate::{Error, Result};

/// Builds a [`Graph`] layer by layer; every method checks shapes and says which layer is wrong.
///
/// Fresh convolutions are N(0, √(2/(k²·out))) (that is the standard deviation) with bias 0, batch norms 1 and 0, linear
/// layers U(±1/√in). [`NormWeights`] has other laws for the weights of batch norms.
#[derive(Debug)]
pub struct GraphBuilder {
    shapes: Vec<Shape>,
    layers: Vec<Layer>,
    layout: Layout,
    initial: Vec<Initial>,
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
        Ok(Self { shapes: vec![input], layers: Vec::new(), layout: Layout::default(), initial: Vec::new() })
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
        self.add_convolution(name, x, outputs, window, false)
    }

    /// A convolution with bias, parameters `{name}.weight` and `{name}.bias`.
    ///
    /// # Errors
    /// As [`convolution`](Self::convolution).
    pub fn convolution_with_bias(&mut self, name: &str, x: Value, outputs: usize, window: Window) -> Result<Value> {
        self.add_convolution(name, x, outputs, window, true)
    }

    fn add_convolution(&mut self, name: &str, x: Value, outputs: usize, window: Window, biased: bool) -> Result<Value> {
        let input = self.shape(x);
        let extent = |length| (window.size > 0 && window.stride > 0 && outputs > 0).then(|| window.count(length))?;
        let (Some(height), Some(width)) = (extent(input.height), extent(input.width)) else {
            let value = format!("{window:?} with {outputs} outputs on {input:?}");
            return Err(Error::domain(name, value, "a window that fits, all of size, stride and outputs at least 1"));
        };
        let shape = vec![outputs, input.channels, window.size, window.size];
        let deviation = (2.0 / (outputs * window.size * window.size) as f64).sqrt();
        let weight = self.parameter(name, "weight", shape, Group::ConvWeight, Initial::Normal(deviation))?;
        let bias = match biased {
            true => Some(self.parameter(name, "bias", vec![outputs], Group::ConvBias, Initial::Constant(0.0))?),
            false => None,
        };
        Ok(self.push(Layer::Convolution { x, window, weight, bias }, Shape { channels: outputs, height, width }))
    }

    /// A batch normalisation, parameters `{name}.weight` and `{name}.bias`.
    ///
    /// # Errors
    /// [`Error::Domain`] if the name is taken.
    pub fn batch_norm(&mut self, name: &str, x: Value) -> Result<Value> {
        let shape = self.shape(x);
        let channels = vec![shape.channels];
        let weight = self.parameter(name, "weight", channels.clone(), Group::BnWeight, NormWeights::One.law())?;
        let bias = self.parameter(name, "bias", channels, Group::BnBias, Initial::Constant(0.0))?;
        let norm = self.layout.add_norm(name.to_string(), shape.channels);
        Ok(self.push(Layer::BatchNorm { x, norm, weight, bias }, shape))
    }

    /// A function of every number.
    pub fn activation(&mut self, x: Value, function: Activation) -> Value {
        self.push(Layer::Activation { x, function }, self.shape(x))
    }

    /// max(x, 0).
    pub fn relu(&mut self, x: Value) -> Value {
        self.activation(x, Activation::Relu)
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
        Ok(self.push(Layer::Add { terms: [a, b] }, left))
    }

    /// Values one after the other, along the channels.
    ///
    /// # Errors
    /// [`Error::Domain`] if there is none, or their heights or widths differ.
    pub fn concatenate(&mut self, parts: &[Value]) -> Result<Value> {
        let Some(first) = parts.first().map(|first| self.shape(*first)) else {
            return Err(Error::domain("values to concatenate", 0, "at least 1"));
        };
        let mut channels = 0;
        for part in parts.iter().map(|part| self.shape(*part)) {
            if (part.height, part.width) != (first.height, first.width) {
                let allowed = format!("{} × {} pixels", first.height, first.width);
                return Err(Error::domain("a part of a concatenation", format!("{part:?}"), allowed));
            }
            channels += part.channels;
        }
        Ok(self.push(Layer::Concatenate { parts: parts.to_vec() }, Shape { channels, ..first }))
    }

    /// Means over disjoint `size` × `size` windows; rows and columns that fill no window are left out, as in PyTorch.
    ///
    /// # Errors
    /// [`Error::Domain`] if `size` is 0 or exceeds height or width.
    pub fn average_pool(&mut self, x: Value, size: usize) -> Result<Value> {
        let shape = self.pooled(x, size)?;
        Ok(self.push(Layer::AveragePool { x, size }, shape))
    }

    /// Maxima over disjoint `size` × `size` windows; rows and columns that fill no window are left out. The gradient
    /// goes to the first of equal maxima, row by row, as in PyTorch.
    ///
    /// # Errors
    /// As [`average_pool`](Self::average_pool).
    pub fn max_pool(&mut self, x: Value, size: usize) -> Result<Value> {
        let shape = self.pooled(x, size)?;
        Ok(self.push(Layer::MaxPool { x, size }, shape))
    }

    fn pooled(&self, x: Value, size: usize) -> Result<Shape> {
        let Shape { channels, height, width } = self.shape(x);
        let least = height.min(width);
        if size == 0 || size > least {
            return Err(Error::domain("pooling size", size, format!("1 to {least}, for {height} × {width} pixels")));
        }
        Ok(Shape { channels, height: height / size, width: width / size })
    }

    /// In training, every number is set to 0 with probability `rate` and else divided by 1 − `rate`; in evaluation, it
    /// is left as it is. `name` names the random numbers, see [`Dropout`](crate::exec::Dropout).
    ///
    /// # Errors
    /// [`Error::Domain`] if `rate` is outside [0, 1) or another dropout has the name.
    pub fn dropout(&mut self, name: &str, x: Value, rate: f64) -> Result<Value> {
        if !(0.0..1.0).contains(&rate) {
            return Err(Error::domain(format!("dropout rate of {name}"), rate, "a number ≥ 0 and < 1"));
        }
        if self.layers.iter().any(|layer| matches!(layer, Layer::Dropout { name: taken, .. } if taken == name)) {
            return Err(Error::domain("a dropout's name", name, "a name not yet taken"));
        }
        Ok(self.push(Layer::Dropout { x, name: name.to_string(), rate }, self.shape(x)))
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
        let bound = Initial::Uniform(1.0 / (self.shape(x).channels as f64).sqrt());
        self.add_linear(name, x, outputs, bound, bound)
    }

    /// A [`linear`](Self::linear) layer whose bias begins at 0.
    ///
    /// # Errors
    /// As [`linear`](Self::linear).
    pub fn linear_from_zero_bias(&mut self, name: &str, x: Value, outputs: usize) -> Result<Value> {
        let bound = Initial::Uniform(1.0 / (self.shape(x).channels as f64).sqrt());
        self.add_linear(name, x, outputs, bound, Initial::Constant(0.0))
    }

    fn add_linear(
        &mut self,
        name: &str,
        x: Value,
        outputs: usize,
        weight_law: Initial,
        bias_law: Initial,
    ) -> Result<Value> {
        let shape = self.shape(x);
        if shape.plane() != 1 || outputs == 0 {
            return Err(Error::domain(name, format!("{shape:?} to {outputs}"), "a vector, and at least one output"));
        }
        let weight = self.parameter(name, "weight", vec![outputs, shape.channels], Group::LinearWeight, weight_law)?;
        let bias = self.parameter(name, "bias", vec![outputs], Group::LinearBias, bias_law)?;
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
        self.layers.iter().flat_map(Layer::inputs).for_each(|x| used[x.0] = true);
        if let Some(unused) = used.iter().position(|used| !used) {
            return Err(Error::domain(
                "an unused value",
                format!("number {unused}"),
                "every value leads to the output",
            ));
        }
        let Self { shapes, layers, layout, initial } = self;
        Ok(Graph { shapes, layers, output, layout: Arc::new(layout), initial })
    }

    fn parameter(
        &mut self,
        layer: &str,
        kind: &str,
        shape: Vec<usize>,
        group: Group,
        initial: Initial,
    ) -> Result<usize> {
        let number = self.layout.add_parameter(format!("{layer}.{kind}"), shape, group)?;
        self.initial.push(initial);
        Ok(number)
    }

    fn push(&mut self, layer: Layer, shape: Shape) -> Value {
        self.layers.push(layer);
        self.shapes.push(shape);
        Value(self.layers.len())
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
        let conv = builder.convolution_with_bias("conv", x, 4, window(3, 2, 1)).expect("fits");
        assert_eq!(builder.shape(conv), Shape { channels: 4, height: 3, width: 4 });
        let most = builder.max_pool(conv, 3).expect("fits");
        assert_eq!(builder.shape(most), Shape { channels: 4, height: 1, width: 1 });
        let average = builder.average_pool(x, 5).expect("fits");
        let both = builder.concatenate(&[most, average, most]).expect("one pixel each");
        assert_eq!(builder.shape(both), Shape::vector(11));
        let flat = builder.flatten(conv);
        let logits = [builder.linear("wide", flat, 10), builder.linear("fc", both, 10)].map(|z| z.expect("a vector"));
        let sum = builder.add(logits[0], logits[1]).expect("ten and ten");
        let graph = builder.finish(sum).expect("a network");
        assert_eq!((graph.classes(), graph.layout().trainable()), (10, 4 * 27 + 4 + 480 + 10 + 110 + 10));
    }

    #[test]
    fn wrong_layers_are_named() {
        let mut builder = GraphBuilder::new(IMAGE).expect("a shape");
        let x = builder.input();
        let message = |result: Result<Value>| result.expect_err("wrong").to_string();
        assert!(message(builder.convolution("conv9", x, 4, window(8, 1, 1))).contains("conv9"));
        assert!(message(builder.convolution("conv9", x, 4, window(3, 0, 1))).contains("stride: 0"));
        assert!(message(builder.average_pool(x, 0)).contains("pooling size is 0; allowed: 1 to 5"));
        assert!(message(builder.max_pool(x, 6)).contains("pooling size is 6; allowed: 1 to 5"));
        assert!(message(builder.linear("fc", x, 10)).contains("fc"));
        let small = builder.convolution("conv1", x, 3, window(3, 2, 1)).expect("fits");
        assert!(message(builder.add(x, small)).contains("second term"));
        assert!(message(builder.concatenate(&[x, small])).contains("allowed: 5 × 7 pixels"));
        assert!(message(builder.concatenate(&[])).contains("values to concatenate is 0"));
        assert!(message(builder.convolution("conv1", x, 3, window(3, 2, 1))).contains("conv1.weight"));
        for rate in [-0.1, 1.0, f64::NAN] {
            assert!(message(builder.dropout("drop", x, rate)).contains("dropout rate of drop"), "{rate}");
        }
        builder.dropout("drop", x, 0.5).expect("a rate");
        assert!(message(builder.dropout("drop", x, 0.5)).contains("a dropout's name is drop"));
        assert!(builder.finish(x).is_err(), "an image is no vector of logits");
        assert!(GraphBuilder::new(Shape { channels: 0, ..IMAGE }).is_err());
    }
}
