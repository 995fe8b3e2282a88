//! Carries out the steps of a plan.

use super::Mode;
use super::backend::{Backend, BatchNorm, Moments, Target};
use super::plan::{Backward, Forward};
use crate::Scalar;
use crate::params::Layout;

/// Mean and biased variance of every channel of all batch norms.
pub(crate) struct AllMoments {
    pub(crate) mean: Vec<f64>,
    pub(crate) var: Vec<f64>,
}

impl AllMoments {
    /// Zeros.
    pub(super) fn new(channels: usize) -> Self {
        Self { mean: vec![0.0; channels], var: vec![0.0; channels] }
    }

    /// Takes over running statistics.
    pub(super) fn set<T: Scalar>(&mut self, mean: &[T], var: &[T]) {
        self.mean = mean.iter().map(|value| value.to_f64()).collect();
        self.var = var.iter().map(|value| value.to_f64()).collect();
    }

    fn of(&self, op: &BatchNorm) -> Moments<'_> {
        Moments { mean: &self.mean[op.statistics.clone()], var: &self.var[op.statistics.clone()] }
    }

    /// The unbiased variances, from the number of values in each batch norm's channels.
    pub(super) fn unbiased(&self, layout: &Layout, counts: &[usize]) -> Vec<f64> {
        self.var.iter().zip(bessel(layout, counts)).map(|(var, factor)| var * factor).collect()
    }
}

/// n/(n − 1) for every channel, n being the number of values in a channel of its batch norm: the unbiased variance is so
/// many times the biased one.
pub(crate) fn bessel<'a>(layout: &'a Layout, counts: &'a [usize]) -> impl Iterator<Item = f64> + 'a {
    let norms = layout.norms().iter().zip(counts);
    norms.flat_map(|(norm, &n)| std::iter::repeat_n(n as f64 / (n - 1) as f64, norm.channels))
}

/// Runs the steps towards the logits; in [`Mode::Training`] the moments become those of the batch.
pub(super) fn run_forward<T>(backend: &mut dyn Backend<T>, steps: &[Forward], mode: Mode, moments: &mut AllMoments) {
    for step in steps {
        match step {
            Forward::Convolution { op, x, y } => backend.convolution(op, *x, *y),
            Forward::BatchNorm { op, x, y } => {
                if mode == Mode::Training {
                    let (mean, var) = (&mut moments.mean, &mut moments.var);
                    backend.moments(op, *x, &mut mean[op.statistics.clone()], &mut var[op.statistics.clone()]);
                }
                backend.batch_norm(op, moments.of(op), *x, *y);
            }
            Forward::Activation { f, x, y } => backend.activation(*f, *x, *y),
            Forward::Copy { x, y } => backend.copy(*x, *y),
            Forward::Add { x, y } => backend.add(*x, *y),
            Forward::Dropout { factors, x, y, .. } => {
                backend.multiply(*x, *factors, Target { slot: *y, accumulate: false });
            }
            Forward::Insert { op, x, y } => backend.insert(op, *x, *y),
            Forward::AveragePool { op, x, y } => backend.average_pool(op, *x, *y),
            Forward::MaxPool { op, x, y } => backend.max_pool(op, *x, *y),
            Forward::Flatten { x, y, .. } => backend.copy(*x, *y),
            Forward::Linear { op, x, y } => backend.linear(op, *x, *y),
        }
    }
}

/// Runs the steps back from the logits, with the moments of the way there.
pub(super) fn run_backward<T>(backend: &mut dyn Backend<T>, steps: &[Backward], mode: Mode, moments: &AllMoments) {
    for step in steps {
        match step {
            Backward::Convolution { op, x, dy, dx } => backend.convolution_backward(op, *x, *dy, *dx),
            Backward::BatchNorm { op, x, dy, dx } => {
                backend.batch_norm_backward(op, moments.of(op), mode, *x, *dy, *dx);
            }
            Backward::Activation { f, y, dy, dx } => backend.activation_backward(*f, *y, *dy, *dx),
            Backward::Copy { x, y } => backend.copy(*x, *y),
            Backward::Add { x, y } => backend.add(*x, *y),
            Backward::Dropout { factors, dy, dx, .. } => backend.multiply(*dy, *factors, *dx),
            Backward::Extract { op, dy, dx } => backend.extract(op, *dy, *dx),
            Backward::MaxPool { op, x, dy, dx } => backend.max_pool_backward(op, *x, *dy, *dx),
            Backward::AveragePool { op, dy, dx } => backend.average_pool_backward(op, *dy, *dx),
            Backward::Flatten { dy, dx, .. } if dx.accumulate => backend.add(*dy, dx.slot),
            Backward::Flatten { dy, dx, .. } => backend.copy(*dy, dx.slot),
            Backward::Linear { op, x, dy, dx } => backend.linear_backward(op, *x, *dy, *dx),
        }
    }
}
