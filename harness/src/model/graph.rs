//! A network as a static graph of named layers.

use std::sync::Arc;

use super::initial::Initial;
use crate::params::Layout;

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

/// Square windows moved over an image: a convolution's kernel.
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
    /// A window of odd size, padded so that stride 1 keeps the image's extents.
    pub const fn same(size: usize, stride: usize) -> Self {
        Self { size, stride, padding: size / 2 }
    }

    /// How many windows fit along `length` pixels; `None` if not one does.
    pub(super) fn count(self, length: usize) -> Option<usize> {
        Some((length + 2 * self.padding).checked_sub(self.size)? / self.stride + 1)
    }
}

/// A function applied number by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// max(x, 0), with slope 0 at 0.
    Relu,
    /// 1/(1 + exp(−x)).
    Sigmoid,
    /// ln(1 + exp(x)), everywhere; PyTorch returns x itself from 20 on, which is less by up to 2.1·10⁻⁹.
    Softplus,
}

/// A place in the network: its input, or the output of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Value(pub(crate) usize);

/// What a layer does. Numbers are places in the [`Layout`]: of parameters, or of batch norms.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Layer {
    /// Cross-correlation, perhaps plus a bias a channel.
    Convolution { x: Value, window: Window, weight: usize, bias: Option<usize> },
    /// Batch normalisation, then scale and shift.
    BatchNorm { x: Value, norm: usize, weight: usize, bias: usize },
    /// A function of every number.
    Activation { x: Value, function: Activation },
    /// The sum of two values.
    Add { terms: [Value; 2] },
    /// Values one after the other, along the channels.
    Concatenate { parts: Vec<Value> },
    /// Means over disjoint windows of this many rows and columns.
    AveragePool { x: Value, size: usize },
    /// Maxima over disjoint windows of this many rows and columns.
    MaxPool { x: Value, size: usize },
    /// In training, every number is 0 with probability `rate` and else divided by 1 − `rate`.
    Dropout { x: Value, name: String, rate: f64 },
    /// The same numbers as a vector.
    Flatten { x: Value },
    /// Matrix times vector plus bias.
    Linear { x: Value, weight: usize, bias: usize },
}

impl Layer {
    /// The values the layer reads.
    pub(crate) fn inputs(&self) -> &[Value] {
        match self {
            Self::Add { terms } => terms,
            Self::Concatenate { parts } => parts,
            Self::Convolution { x, .. }
            | Self::BatchNorm { x, .. }
            | Self::Activation { x, .. }
            | Self::AveragePool { x, .. }
            | Self::MaxPool { x, .. }
            | Self::Dropout { x, .. }
            | Self::Flatten { x }
            | Self::Linear { x, .. } => std::slice::from_ref(x),
        }
    }
}

/// A network: layers in an order in which they can run, and the layout of its parameters.
#[derive(Debug, Clone)]
pub struct Graph {
    pub(super) shapes: Vec<Shape>,
    pub(super) layers: Vec<Layer>,
    pub(super) output: Value,
    pub(super) layout: Arc<Layout>,
    pub(super) initial: Vec<Initial>,
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

    /// The law that each of the layout's parameters is first drawn from.
    pub(crate) fn initial(&self) -> &[Initial] {
        &self.initial
    }
}
