//! The reference backend: plain loops and one matrix product, on the CPU, in f32 and f64.
//!
//! Every operation runs over the fixed groups of a batch in parallel; the kernels below see one group each.

mod batch_norm;
mod convolution;
mod layers;
mod matrix;
mod pooling;

use rayon::prelude::*;

use self::batch_norm::Group;
use self::matrix::Write;
use super::Mode;
use super::activation::{Pointwise, Relu, Sigmoid, Softplus};
use super::backend::{Backend, BatchNorm, Convolution, EPSILON, Linear, Moments, Part, Pool, Slot, Target};
use super::groups::{GROUPS, split, split_mut, sum_tree};
use crate::Scalar;
use crate::model::graph::Activation;

/// Buffers, parameters and their gradient, and working memory for every group.
#[derive(Default)]
pub(super) struct Reference<T> {
    images: usize,
    /// Numbers an image needs in every slot.
    lengths: Vec<usize>,
    /// The slots; they never shrink, so that batches of changing size allocate nothing.
    buffers: Vec<Vec<T>>,
    parameters: Vec<T>,
    gradient: Vec<T>,
    /// An unfolded image a group.
    unfolded: [Vec<T>; GROUPS],
    /// Parameter gradients a group.
    partial: [Vec<T>; GROUPS],
    /// Sums over channels a group.
    sums: [Vec<f64>; GROUPS],
}

impl<T: Scalar> Reference<T> {
    fn slot(&self, slot: Slot) -> &[T] {
        &self.buffers[slot.0][..self.lengths[slot.0] * self.images]
    }

    fn groups(&self, slot: Slot) -> [&[T]; GROUPS] {
        split(self.slot(slot), self.images)
    }

    /// Lends out one buffer to be written while the others are read.
    fn write_to(&mut self, slot: Slot, write: impl FnOnce(&Self, [&mut [T]; GROUPS])) {
        let mut buffer = std::mem::take(&mut self.buffers[slot.0]);
        write(self, split_mut(&mut buffer[..self.lengths[slot.0] * self.images], self.images));
        self.buffers[slot.0] = buffer;
    }

    /// y ← f(x, y), number by number.
    fn map(&mut self, x: Slot, y: Slot, f: impl Fn(T, T) -> T + Sync) {
        self.write_to(y, |own, y| {
            y.into_par_iter().zip(own.groups(x)).for_each(|(y, x)| {
                y.iter_mut().zip(x).for_each(|(y, x)| *y = f(*x, *y));
            });
        });
    }

    /// y ← f(a, b), or y ← y + f(a, b), number by number.
    fn combine(&mut self, a: Slot, b: Slot, y: Target, f: impl Fn(T, T) -> T + Sync) {
        self.write_to(y.slot, |own, groups| {
            groups.into_par_iter().zip(own.groups(a)).zip(own.groups(b)).for_each(|((group, a), b)| {
                for ((number, a), b) in group.iter_mut().zip(a).zip(b) {
                    let before = if y.accumulate { *number } else { T::zero() };
                    *number = before + f(*a, *b);
                }
            });
        });
    }

    /// Sums over every group, by `add(group's sums, group)`, then over the groups; `length` numbers.
    fn sum_f64(&mut self, length: usize, add: impl Fn(&Self, usize, &mut [f64]) + Sync) -> Vec<f64> {
        let mut sums = std::mem::take(&mut self.sums);
        sums.par_iter_mut().enumerate().for_each(|(group, sums)| {
            sums.clear();
            sums.resize(length, 0.0);
            add(self, group, sums);
        });
        let total = sum_tree(&mut sums).to_vec();
        self.sums = sums;
        total
    }
}

/// Makes a vector at least this long.
fn at_least<T: Scalar>(vector: &mut Vec<T>, length: usize) -> &mut [T] {
    if vector.len() < length {
        vector.resize(length, T::zero());
    }
    &mut vector[..length]
}

/// Makes a vector this many zeros.
fn zeros<T: Scalar>(vector: &mut Vec<T>, length: usize) -> &mut [T] {
    vector.clear();
    vector.resize(length, T::zero());
    vector
}

impl Target {
    fn write(self) -> Write {
        if self.accumulate { Write::Add } else { Write::Replace }
    }
}

impl<T: Scalar> Backend<T> for Reference<T> {
    fn begin(&mut self, slots: &[usize], images: usize, parameters: &[T]) {
        self.images = images;
        self.lengths = slots.to_vec();
        self.buffers.resize_with(slots.len(), Vec::new);
        for (buffer, length) in self.buffers.iter_mut().zip(slots) {
            at_least(buffer, length * images);
        }
        self.parameters.clear();
        self.parameters.extend_from_slice(parameters);
        zeros(&mut self.gradient, parameters.len());
    }

    fn write(&mut self, slot: Slot, values: &[T]) {
        self.buffers[slot.0][..values.len()].copy_from_slice(values);
    }

    fn read(&self, slot: Slot) -> Vec<T> {
        self.slot(slot).to_vec()
    }

    fn read_gradient(&self, gradient: &mut [T]) {
        gradient.copy_from_slice(&self.gradient);
    }

    fn convolution(&mut self, op: &Convolution, x: Slot, y: Slot) {
        let mut unfolded = std::mem::take(&mut self.unfolded);
        self.write_to(y, |own, y| {
            let groups = y.into_par_iter().zip(own.groups(x)).zip(&mut unfolded);
            groups.for_each(|((y, x), unfolded)| {
                let unfolded = at_least(unfolded, op.unfolded());
                convolution::forward(op, &own.parameters, x, y, unfolded);
            });
        });
        self.unfolded = unfolded;
    }

    fn convolution_backward(&mut self, op: &Convolution, x: Slot, dy: Slot, dx: Option<Target>) {
        let mut unfolded = std::mem::take(&mut self.unfolded);
        let mut partial = std::mem::take(&mut self.partial);
        let groups = partial.par_iter_mut().zip(&mut unfolded).zip(self.groups(x)).zip(self.groups(dy));
        groups.for_each(|(((dw, unfolded), x), dy)| {
            let unfolded = at_least(unfolded, op.unfolded());
            convolution::backward_weight(op, x, dy, zeros(dw, op.weight.len()), unfolded);
        });
        let (dw, outputs) = (sum_tree(&mut partial), op.output.channels);
        for (index, gradient) in self.gradient[op.weight.clone()].iter_mut().enumerate() {
            *gradient += dw[index % op.taps() * outputs + index / op.taps()];
        }
        self.partial = partial;
        if let Some(bias) = &op.bias {
            let sums = self.sum_f64(bias.len(), |own, group, sums| {
                convolution::backward_bias(op, own.groups(dy)[group], sums);
            });
            self.gradient[bias.clone()].iter_mut().zip(sums).for_each(|(gradient, sum)| *gradient += T::from_f64(sum));
        }
        if let Some(dx) = dx {
            self.write_to(dx.slot, |own, groups| {
                let groups = groups.into_par_iter().zip(own.groups(dy)).zip(&mut unfolded);
                groups.for_each(|((data, dy), unfolded)| {
                    let unfolded = at_least(unfolded, op.unfolded());
                    let weight = &own.parameters[op.weight.clone()];
                    convolution::backward_data(op, weight, dy, data, dx.write(), unfolded);
                });
            });
        }
        self.unfolded = unfolded;
    }

    fn moments(&mut self, op: &BatchNorm, x: Slot, mean: &mut [f64], var: &mut [f64]) {
        let sums = self.sum_f64(2 * op.channels, |own, group, sums| batch_norm::sums(op, own.groups(x)[group], sums));
        let count = (self.images * op.plane) as f64;
        for channel in 0..op.channels {
            mean[channel] = sums[channel] / count;
            var[channel] = (sums[op.channels + channel] / count - mean[channel] * mean[channel]).max(0.0);
        }
    }

    fn batch_norm(&mut self, op: &BatchNorm, moments: Moments<'_>, x: Slot, y: Slot) {
        self.write_to(y, |own, y| {
            let affine =
                batch_norm::affine(moments, &own.parameters[op.weight.clone()], &own.parameters[op.bias.clone()]);
            let groups = y.into_par_iter().zip(own.groups(x));
            groups.for_each(|(y, x)| batch_norm::forward(op, &affine, x, y));
        });
    }

    fn batch_norm_backward(
        &mut self,
        op: &BatchNorm,
        moments: Moments<'_>,
        mode: Mode,
        x: Slot,
        dy: Slot,
        dx: Option<Target>,
    ) {
        let weight = &self.parameters[op.weight.clone()];
        let affine = batch_norm::affine(moments, weight, &self.parameters[op.bias.clone()]);
        let sums = self.sum_f64(2 * op.channels, |own, group, sums| {
            let group = Group { x: own.groups(x)[group], dy: own.groups(dy)[group] };
            batch_norm::backward_sums(op, &affine, moments.mean, group, sums);
        });
        for channel in 0..op.channels {
            let deviation = (moments.var[channel] + EPSILON).sqrt();
            self.gradient[op.weight.start + channel] += T::from_f64(sums[op.channels + channel] / deviation);
            self.gradient[op.bias.start + channel] += T::from_f64(sums[channel]);
        }
        if let Some(Target { slot, accumulate }) = dx {
            self.write_to(slot, |own, dx| {
                let count = own.images * op.plane;
                let slopes = match mode {
                    Mode::Training => batch_norm::slopes(moments, &own.parameters[op.weight.clone()], &sums, count),
                    Mode::Evaluation => batch_norm::no_slopes(op.channels),
                };
                let groups = dx.into_par_iter().zip(own.groups(x)).zip(own.groups(dy));
                groups.for_each(|((dx, x), dy)| {
                    batch_norm::backward(op, &affine, &slopes, Group { x, dy }, dx, accumulate);
                });
            });
        }
    }

    fn activation(&mut self, f: Activation, x: Slot, y: Slot) {
        match f {
            Activation::Relu => self.map(x, y, |x, _| Relu::value(x)),
            Activation::Sigmoid => self.map(x, y, |x, _| Sigmoid::value(x)),
            Activation::Softplus => self.map(x, y, |x, _| Softplus::value(x)),
        }
    }

    fn activation_backward(&mut self, f: Activation, y: Slot, dy: Slot, dx: Target) {
        match f {
            Activation::Relu => self.combine(y, dy, dx, Relu::back_from_value),
            Activation::Sigmoid => self.combine(y, dy, dx, Sigmoid::back_from_value),
            Activation::Softplus => self.combine(y, dy, dx, Softplus::back_from_value),
        }
    }

    fn copy(&mut self, x: Slot, y: Slot) {
        self.map(x, y, |x, _| x);
    }

    fn add(&mut self, x: Slot, y: Slot) {
        self.map(x, y, |x, y| x + y);
    }

    fn multiply(&mut self, x: Slot, factors: Slot, y: Target) {
        self.combine(x, factors, y, |x, factor| x * factor);
    }

    fn insert(&mut self, op: &Part, x: Slot, y: Slot) {
        self.write_to(y, |own, y| {
            y.into_par_iter().zip(own.groups(x)).for_each(|(y, x)| layers::insert(op, x, y));
        });
    }

    fn extract(&mut self, op: &Part, dy: Slot, dx: Target) {
        self.write_to(dx.slot, |own, groups| {
            let groups = groups.into_par_iter().zip(own.groups(dy));
            groups.for_each(|(data, dy)| layers::extract(op, dy, data, dx.accumulate));
        });
    }

    fn average_pool(&mut self, op: &Pool, x: Slot, y: Slot) {
        self.write_to(y, |own, y| {
            y.into_par_iter().zip(own.groups(x)).for_each(|(y, x)| pooling::average(op, x, y));
        });
    }

    fn average_pool_backward(&mut self, op: &Pool, dy: Slot, dx: Target) {
        self.write_to(dx.slot, |own, groups| {
            let groups = groups.into_par_iter().zip(own.groups(dy));
            groups.for_each(|(data, dy)| pooling::average_backward(op, dy, data, dx.accumulate));
        });
    }

    fn max_pool(&mut self, op: &Pool, x: Slot, y: Slot) {
        self.write_to(y, |own, y| {
            y.into_par_iter().zip(own.groups(x)).for_each(|(y, x)| pooling::maximum(op, x, y));
        });
    }

    fn max_pool_backward(&mut self, op: &Pool, x: Slot, dy: Slot, dx: Target) {
        self.write_to(dx.slot, |own, groups| {
            let groups = groups.into_par_iter().zip(own.groups(x)).zip(own.groups(dy));
            groups.for_each(|((data, x), dy)| pooling::maximum_backward(op, x, dy, data, dx.accumulate));
        });
    }

    fn linear(&mut self, op: &Linear, x: Slot, y: Slot) {
        self.write_to(y, |own, y| {
            let [weight, bias] = [&op.weight, &op.bias].map(|range| &own.parameters[range.clone()]);
            y.into_par_iter().zip(own.groups(x)).for_each(|(y, x)| layers::linear(op, weight, bias, x, y));
        });
    }

    fn linear_backward(&mut self, op: &Linear, x: Slot, dy: Slot, dx: Option<Target>) {
        let mut partial = std::mem::take(&mut self.partial);
        let groups = partial.par_iter_mut().zip(self.groups(x)).zip(self.groups(dy));
        groups.for_each(|((parameters, x), dy)| {
            let parameters = zeros(parameters, op.weight.len() + op.bias.len());
            layers::linear_backward_parameters(op, x, dy, parameters);
        });
        let (weight, bias) = sum_tree(&mut partial).split_at(op.weight.len());
        for (range, part) in [(&op.weight, weight), (&op.bias, bias)] {
            self.gradient[range.clone()].iter_mut().zip(part).for_each(|(gradient, part)| *gradient += *part);
        }
        self.partial = partial;
        if let Some(dx) = dx {
            self.write_to(dx.slot, |own, groups| {
                let weight = &own.parameters[op.weight.clone()];
                let groups = groups.into_par_iter().zip(own.groups(dy));
                groups.for_each(|(data, dy)| layers::linear_backward_data(op, weight, dy, data, dx.write()));
            });
        }
    }
}

#[cfg(test)]
mod tests;
