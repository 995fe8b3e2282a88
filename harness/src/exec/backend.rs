//! What a backend must be able to do: about ten operations, each forward and backward, on buffers it owns.

use std::ops::Range;

use crate::model::graph::{Shape, Window};

/// A buffer of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) usize);

/// Where a gradient goes, and whether it is added to what is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) slot: Slot,
    pub(crate) accumulate: bool,
}

/// A convolution; `weight` is its place among the parameters.
#[derive(Debug, Clone)]
pub(crate) struct Convolution {
    pub(crate) input: Shape,
    pub(crate) output: Shape,
    pub(crate) window: Window,
    pub(crate) weight: Range<usize>,
}

/// A batch normalisation, perhaps with a ReLU; `statistics` is its place among the channels of all.
#[derive(Debug, Clone)]
pub(crate) struct BatchNorm {
    pub(crate) channels: usize,
    pub(crate) plane: usize,
    pub(crate) relu: bool,
    pub(crate) weight: Range<usize>,
    pub(crate) bias: Range<usize>,
    pub(crate) statistics: Range<usize>,
}

/// A mean over disjoint windows.
#[derive(Debug, Clone)]
pub(crate) struct AveragePool {
    pub(crate) input: Shape,
    pub(crate) size: usize,
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

    /// y ← w ∗ x
    fn convolution(&mut self, op: &Convolution, x: Slot, y: Slot);
    /// Gradients with respect to w and, if asked for, x.
    fn convolution_backward(&mut self, op: &Convolution, x: Slot, dy: Slot, dx: Option<Target>);
    /// Mean and biased variance of x over images and pixels, by channel.
    fn moments(&mut self, op: &BatchNorm, x: Slot, mean: &mut [f64], var: &mut [f64]);
    /// y ← γ(x − mean)/√(var + ε) + β, then max(y, 0) if `op.relu`
    fn batch_norm(&mut self, op: &BatchNorm, moments: Moments<'_>, x: Slot, y: Slot);
    /// Gradients with respect to γ, β and, if asked for, x, whose own moments these are.
    fn batch_norm_backward(&mut self, op: &BatchNorm, moments: Moments<'_>, x: Slot, dy: Slot, dx: Option<Target>);
    /// y ← max(x, 0)
    fn relu(&mut self, x: Slot, y: Slot);
    /// Gradient with respect to the x of y = max(x, 0), 0 where y is 0.
    fn relu_backward(&mut self, y: Slot, dy: Slot, dx: Target);
    /// y ← x
    fn copy(&mut self, x: Slot, y: Slot);
    /// y ← y + x
    fn add(&mut self, x: Slot, y: Slot);
    /// y ← means of x over windows
    fn average_pool(&mut self, op: &AveragePool, x: Slot, y: Slot);
    /// Gradient with respect to x.
    fn average_pool_backward(&mut self, op: &AveragePool, dy: Slot, dx: Target);
    /// y ← Wx + b
    fn linear(&mut self, op: &Linear, x: Slot, y: Slot);
    /// Gradients with respect to W, b and, if asked for, x.
    fn linear_backward(&mut self, op: &Linear, x: Slot, dy: Slot, dx: Option<Target>);
}
