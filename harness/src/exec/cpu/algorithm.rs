//! How a convolution is carried out.

use crate::exec::backend::Convolution;
use crate::exec::cpu::kernels::POSITIONS;

/// The ways to carry out a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// Product by product, image by image.
    Direct,
    /// Winograd's, image by image.
    Winograd,
    /// Winograd's, many images at a time: for kernels that are too large for the cache.
    Wide,
}

/// From where on convolutions are carried out otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thresholds {
    /// Channels on both sides from which on tiles are taken.
    pub(super) channels: usize,
    /// Weights from which on many images are taken at a time.
    pub(super) weights: usize,
}

impl Thresholds {
    /// Chosen, not searched for: tiles of 16 channels and more gained a third (docs/benchmarks.md), fewer channels were
    /// not measured; so many weights are in VGG's convolutions alone.
    pub(super) const CHOSEN: Self = Self { channels: 8, weights: 1 << 17 };

    /// The way to carry out a convolution.
    pub(super) fn algorithm(self, op: &Convolution) -> Algorithm {
        let window = (op.window.size, op.window.stride, op.window.padding);
        let (channels, side) = (op.input.channels.min(op.output.channels), op.output.height.min(op.output.width));
        if window != (3, 1, 1) || channels < self.channels || side < 2 {
            Algorithm::Direct
        } else if op.weight.len() < self.weights {
            Algorithm::Winograd
        } else {
            Algorithm::Wide
        }
    }
}

/// A convolution and how it is carried out.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) op: Convolution,
    pub(super) algorithm: Algorithm,
}

impl Planned {
    /// Numbers whose sums over images make the gradient with respect to the kernels.
    pub(super) fn sums(&self) -> usize {
        match self.algorithm {
            Algorithm::Direct => self.op.weight.len(),
            Algorithm::Winograd | Algorithm::Wide => POSITIONS * self.op.input.channels * self.op.output.channels,
        }
    }
}
