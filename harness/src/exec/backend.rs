//! What a backend must be able to do: some fifteen operations, each forward and backward, on buffers it owns.

use std::ops::Range;

use super::Mode;
use crate::model::graph::{Activation, Shape, Window};

/// A buffer of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) usize);

/// Where a gradient goes, and whether it is added to what is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) slot: Slot,
    pub(crate) accumulate: bool,
}

/// A convolution; `weight` and `bias` are their places among the parameters.
#[derive(Debug, Clone)]
pub(crate) struct Convolution {
    pub(crate) input: Shape,
    pub(crate) output: Shape,
    pub(crate) window: Window,
    pub(crate) weight: Range<usize>,
    pub(crate) bias: Option<Range<usize>>,
}

/// A batch normalisation, perhaps with a function after it; `statistics` is its place among the channels of all.
#[derive(Debug, Clone)]
pub(crate) struct BatchNorm {
    pub(crate) channels: usize,
    pub(crate) plane: usize,
    pub(crate) activation: Option<Activation>,
    pub(crate) weight: Range<usize>,
    pub(crate) bias: Range<usize>,
    pub(crate) statistics: Range<usize>,
}

/// Disjoint square windows of this many rows and columns; what they leave over on the right and below is unused.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub(crate) input: Shape,
    pub(crate) size: usize,
}

/// Some of the channels of a longer value: `length` numbers of `total`, from `offset` on, all multiples of the pixels of
/// a `plane`.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) offset: usize,
    pub(crate) length: usize,
    pub(crate) total: usize,
    #[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "on the processor all values are alike"))]
    pub(crate) plane: usize,
}

/// A linear layer with bias.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) weight: Range<usize>,
    pub(crate) bias: Range<usize>,
}

/// Mean and biased variance of every channel of one batch norm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moments<'a> {
    pub(crate) mean: &'a [f64],
    pub(crate) var: &'a [f64],
}

/// Added to the variance before its root is taken (PyTorch's default).
pub(crate) const EPSILON: f64 = 1e-5;

/// Runs the operations. Backward operations add up parameter gradients from [`begin`](Self::begin) on.
pub(crate) trait Backend<T>: Send {
    /// Prepares for a batch: room for `images` images in every slot, these parameters, and no gradient.
    fn begin(&mut self, slots: &[usize], images: usize, parameters: &[T]);
    /// Fills a slot.
    fn write(&mut self, slot: Slot, values: &[T]);
    /// Reads a slot.
    fn read(&self, slot: Slot) -> Vec<T>;
    /// The gradient with respect to the parameters.
    fn read_gradient(&self, gradient: &mut [T]);

    /// y ← w ∗ x, plus the bias if there is one
    fn convolution(&mut self, op: &Convolution, x: Slot, y: Slot);
    /// Gradients with respect to w, the bias and, if asked for, x.
    fn convolution_backward(&mut self, op: &Convolution, x: Slot, dy: Slot, dx: Option<Target>);
    /// Mean and biased variance of x over images and pixels, by channel.
    fn moments(&mut self, op: &BatchNorm, x: Slot, mean: &mut [f64], var: &mut [f64]);
    /// y ← γ(x − mean)/√(var + ε) + β, then the function, if there is one, of that
    fn batch_norm(&mut self, op: &BatchNorm, moments: Moments<'_>, x: Slot, y: Slot);
    /// Gradients with respect to γ, β and, if asked for, x: the moments depend on x in [`Mode::Training`] alone.
    fn batch_norm_backward(
        &mut self,
        op: &BatchNorm,
        moments: Moments<'_>,
        mode: Mode,
        x: Slot,
        dy: Slot,
        dx: Option<Target>,
    );
    /// y ← f(x)
    fn activation(&mut self, f: Activation, x: Slot, y: Slot);
    /// Gradient with respect to the x of y = f(x).
    fn activation_backward(&mut self, f: Activation, y: Slot, dy: Slot, dx: Target);
    /// y ← x
    fn copy(&mut self, x: Slot, y: Slot);
    /// y ← y + x
    fn add(&mut self, x: Slot, y: Slot);
    /// y ← x times the factors, number by number: dropout, forward and backward
    fn multiply(&mut self, x: Slot, factors: Slot, y: Target);
    /// A part of y ← x: concatenation
    fn insert(&mut self, op: &Part, x: Slot, y: Slot);
    /// dx ← a part of dy
    fn extract(&mut self, op: &Part, dy: Slot, dx: Target);
    /// y ← means of x over windows
    fn average_pool(&mut self, op: &Pool, x: Slot, y: Slot);
    /// Gradient with respect to x.
    fn average_pool_backward(&mut self, op: &Pool, dy: Slot, dx: Target);
    /// y ← maxima of x over windows; NaN if there is one
    fn max_pool(&mut self, op: &Pool, x: Slot, y: Slot);
    /// Gradient with respect to x: a window's goes to the first of its maxima, row by row.
    fn max_pool_backward(&mut self, op: &Pool, x: Slot, dy: Slot, dx: Target);
    /// y ← Wx + b
    fn linear(&mut self, op: &Linear, x: Slot, y: Slot);
    /// Gradients with respect to W, b and, if asked for, x.
    fn linear_backward(&mut self, op: &Linear, x: Slot, dy: Slot, dx: Option<Target>);
}
