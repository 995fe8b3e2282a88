//! Average pooling and the linear layer, for a group of images.

use super::matrix::{Matrix, Write, multiply};
use crate::Scalar;
use crate::exec::backend::{AveragePool, Linear};

/// y ← means of x over windows.
pub(super) fn average_pool<T: Scalar>(op: &AveragePool, x: &[T], y: &mut [T]) {
    let share = T::from_f64(1.0 / (op.size * op.size) as f64);
    y.fill(T::zero());
    let planes = x.chunks_exact(op.input.plane()).zip(y.chunks_exact_mut(op.input.plane() / (op.size * op.size)));
    for (x, y) in planes {
        for (pixel, x) in x.iter().enumerate() {
            y[op.window_of(pixel)] += *x;
        }
        y.iter_mut().for_each(|y| *y *= share);
    }
}

/// The gradient with respect to x.
pub(super) fn average_pool_backward<T: Scalar>(op: &AveragePool, dy: &[T], dx: &mut [T], accumulate: bool) {
    let share = T::from_f64(1.0 / (op.size * op.size) as f64);
    let planes = dy.chunks_exact(op.input.plane() / (op.size * op.size)).zip(dx.chunks_exact_mut(op.input.plane()));
    for (dy, dx) in planes {
        for (pixel, dx) in dx.iter_mut().enumerate() {
            let before = if accumulate { *dx } else { T::zero() };
            *dx = before + share * dy[op.window_of(pixel)];
        }
    }
}

impl AveragePool {
    /// The window, among those of a plane, that a pixel belongs to.
    fn window_of(&self, pixel: usize) -> usize {
        let (row, column) = (pixel / self.input.width, pixel % self.input.width);
        row / self.size * (self.input.width / self.size) + column / self.size
    }
}

/// y ← Wx + b.
pub(super) fn linear<T: Scalar>(op: &Linear, weight: &[T], bias: &[T], x: &[T], y: &mut [T]) {
    y.chunks_exact_mut(op.outputs).for_each(|row| row.copy_from_slice(bias));
    multiply(y, Matrix::new(x, op.inputs), Matrix::new(weight, op.inputs).transposed(), Write::Add);
}

/// Adds the gradients with respect to W and b, one after the other.
pub(super) fn linear_backward_parameters<T: Scalar>(op: &Linear, x: &[T], dy: &[T], parameters: &mut [T]) {
    let (weight, bias) = parameters.split_at_mut(op.weight.len());
    multiply(weight, Matrix::new(dy, op.outputs).transposed(), Matrix::new(x, op.inputs), Write::Add);
    for row in dy.chunks_exact(op.outputs) {
        bias.iter_mut().zip(row).for_each(|(bias, dy)| *bias += *dy);
    }
}

/// The gradient with respect to x.
pub(super) fn linear_backward_data<T: Scalar>(op: &Linear, weight: &[T], dy: &[T], dx: &mut [T], write: Write) {
    multiply(dx, Matrix::new(dy, op.outputs), Matrix::new(weight, op.inputs), write);
}
