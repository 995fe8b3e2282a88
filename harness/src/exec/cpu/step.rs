//! What a schedule consists of: stages of steps.
//!
//! A *step* works on one image. A *stage* is a list of steps that every image goes through one after the other, while
//! its values are in the cache; between two stages sums over the whole batch are taken (batch norm's moments, and their
//! gradients). So a network in evaluation is one stage, or several where wide convolutions begin and end.

use std::ops::Range;

use super::algorithm::Planned;
use crate::exec::backend::BatchNorm;
use crate::model::graph::{Activation, Shape};

/// Channels `offset` to `offset + shape.channels` of a buffer whose pixels lie `pitch` numbers apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) buffer: usize,
    pub(super) offset: usize,
    pub(super) pitch: usize,
    pub(super) shape: Shape,
}

impl Place {
    /// All of a buffer.
    pub(super) fn whole(buffer: usize, shape: Shape) -> Self {
        Self { buffer, offset: 0, pitch: shape.channels, shape }
    }

    /// Some of the channels.
    pub(super) fn part(self, offset: usize, channels: usize) -> Self {
        Self { offset: self.offset + offset, shape: Shape { channels, ..self.shape }, ..self }
    }

    /// Its channels in the buffer.
    pub(super) fn channels(self) -> Range<usize> {
        self.offset..self.offset + self.shape.channels
    }

    /// Whether it is all of its buffer.
    pub(super) fn is_whole(self) -> bool {
        self.shape.channels == self.pitch
    }
}

/// What a layer reads: numbers of a place, perhaps through a batch norm, perhaps through a function.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) place: Place,
    pub(super) norm: Option<usize>,
    pub(super) function: Option<Activation>,
}

impl Source {
    /// The numbers themselves.
    pub(super) fn plain(place: Place) -> Self {
        Self { place, norm: None, function: None }
    }

    /// Whether the numbers are read as they are.
    pub(super) fn is_plain(self) -> bool {
        self.norm.is_none() && self.function.is_none()
    }
}

/// Where results go, and whether they are added to what is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Destination {
    pub(super) place: Place,
    pub(super) add: bool,
}

/// Work on one image. Numbers called `at` say where a step adds up its sums over images, see [`Finish`].
#[derive(Debug, Clone)]
#[rustfmt::skip]
pub(super) enum Step {
    /// The image, pixel by pixel.
    Load { y: Place },
    Map { x: Source, y: Destination },
    /// y ← w ∗ x plus the bias, plus `term` if there is one.
    Convolution { op: usize, x: Source, y: Place, term: Option<Place> },
    /// Sums of x and x² by channel; in training only.
    Moments { x: Place, at: usize },
    AveragePool { size: usize, x: Place, y: Place },
    MaxPool { size: usize, x: Place, y: Place },
    /// y ← x times the factors
    Dropout { factors: Place, x: Place, y: Destination },
    /// The same numbers channel by channel, as a vector.
    Flatten { x: Place, y: Place },

    /// y ← 0
    Clear { y: Place },
    /// dx ← dx + what the moments of the batch norms of x pass on
    Trend { x: Place, channels: Range<usize>, dx: Place },
    ConvolutionBackward { op: usize, x: Source, dy: Place, dx: Option<Destination>, at: usize, bias_at: usize },
    /// Adds up the gradients of γ and β, and passes on to x what does not go through the moments.
    NormBackward { norm: usize, x: Place, dy: Place, dx: Option<Destination>, at: usize },
    /// From the x of y = f(x).
    FunctionBackward { f: Activation, x: Place, dy: Place, dx: Destination },
    /// From the y of y = f(x).
    FunctionBackwardFromValue { f: Activation, y: Place, dy: Place, dx: Destination },
    AveragePoolBackward { size: usize, dy: Place, dx: Destination },
    MaxPoolBackward { size: usize, x: Place, dy: Place, dx: Destination },
    FlattenBackward { dy: Place, dx: Destination },
}

impl Step {
    /// Every place it reads or writes.
    pub(super) fn places(&mut self) -> Vec<&mut Place> {
        match self {
            Self::Load { y } | Self::Clear { y } => vec![y],
            Self::Map { x, y } => vec![&mut x.place, &mut y.place],
            Self::Convolution { x, y, term, .. } => {
                let mut places = vec![&mut x.place, y];
                places.extend(term);
                places
            }
            Self::Moments { x, .. } => vec![x],
            Self::AveragePool { x, y, .. }
            | Self::MaxPool { x, y, .. }
            | Self::Flatten { x, y }
            | Self::Trend { x, dx: y, .. } => vec![x, y],
            Self::Dropout { factors, x, y } => vec![factors, x, &mut y.place],
            Self::AveragePoolBackward { dy, dx, .. } | Self::FlattenBackward { dy, dx } => vec![dy, &mut dx.place],
            Self::FunctionBackward { x, dy, dx, .. }
            | Self::FunctionBackwardFromValue { y: x, dy, dx, .. }
            | Self::MaxPoolBackward { x, dy, dx, .. } => vec![x, dy, &mut dx.place],
            Self::ConvolutionBackward { x: Source { place: x, .. }, dy, dx, .. }
            | Self::NormBackward { x, dy, dx, .. } => {
                let mut places = vec![x, dy];
                places.extend(dx.as_mut().map(|dx| &mut dx.place));
                places
            }
        }
    }
}

/// What is done with the sums of a stage when every image has gone through it.
#[derive(Debug, Clone)]
#[rustfmt::skip]
pub(super) enum Finish {
    /// The moments of these channels of those that any batch norm reads, `plane` pixels an image each; in training only.
    Moments { at: usize, channels: Range<usize>, plane: usize },
    /// The gradients of γ and β, and the trends of the batch norm's channels.
    Norm { norm: usize, at: usize },
    /// The gradients of a kernel and a bias.
    Convolution { op: usize, at: usize, bias_at: usize },
}

/// Steps that every image goes through on its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Stage {
    /// Batch norms whose moments are known from here on.
    pub(super) norms: Vec<usize>,
    pub(super) steps: Vec<Step>,
    pub(super) finishes: Vec<Finish>,
    /// Sums in double precision.
    pub(super) sums: usize,
    /// Sums in the network's precision: gradients of kernels.
    pub(super) partials: usize,
    /// Whether all images take a step before the next, for the sake of convolutions that take many at a time. None if
    /// there is no convolution yet.
    pub(super) is_wide: Option<bool>,
}

/// A batch norm, and where its channels begin among those that any batch norm reads.
#[derive(Debug, Clone)]
pub(super) struct Norm {
    pub(super) op: BatchNorm,
    pub(super) at: usize,
}

/// A dropout of a schedule for training: its number in the graph's order and where its factors go in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mask {
    pub(super) factors: Place,
}

/// Everything that is worked out of a graph in advance.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    /// Convolutions, and linear layers as convolutions of single pixels.
    pub(super) convolutions: Vec<Planned>,
    pub(super) norms: Vec<Norm>,
    /// Channels that any batch norm reads, each counted once.
    pub(super) channels: usize,
    /// The stages; those from `turn` on go back.
    pub(super) stages: Vec<Stage>,
    pub(super) turn: usize,
    /// Numbers an image needs in the buffers that hold every image; their places come first.
    pub(super) batch: Vec<usize>,
    /// Numbers in the buffers that hold one image.
    pub(super) local: Vec<usize>,
    pub(super) masks: Vec<Mask>,
    pub(super) logits: Place,
    /// Where the gradient of the logits goes in, in a schedule for training.
    pub(super) logits_gradient: Option<Place>,
}
