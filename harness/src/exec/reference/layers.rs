//! Parts of longer values, and the linear layer, for a group of images.

use super::matrix::{Matrix, Write, multiply};
use crate::Scalar;
use crate::exec::backend::{Linear, Part};

/// The part of y ← x.
pub(super) fn insert<T: Scalar>(op: &Part, x: &[T], y: &mut [T]) {
    for (x, y) in x.chunks_exact(op.length).zip(y.chunks_exact_mut(op.total)) {
        y[op.offset..op.offset + op.length].copy_from_slice(x);
    }
}

/// dx ← the part of dy, or dx ← dx + it.
pub(super) fn extract<T: Scalar>(op: &Part, dy: &[T], dx: &mut [T], accumulate: bool) {
    for (dy, dx) in dy.chunks_exact(op.total).zip(dx.chunks_exact_mut(op.length)) {
        let part = &dy[op.offset..op.offset + op.length];
        if accumulate {
            dx.iter_mut().zip(part).for_each(|(dx, dy)| *dx += *dy);
        } else {
            dx.copy_from_slice(part);
        }
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
