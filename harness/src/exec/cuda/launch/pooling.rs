//! Means and maxima over disjoint windows.

use super::{Launch, check_apart, check_length};
use crate::exec::backend::Pool;
use crate::exec::cuda::kernels::Kernel;
use crate::exec::cuda::memory::{Out, View};
use crate::{Error, Result};

/// y ← means of x over windows.
pub(crate) fn average_pool<'a>(op: &Pool, images: usize, x: View<'a, f32>, y: Out<'a, f32>) -> Result<Launch<'a>> {
    forward(Kernel::AveragePool, op, images, x, y)
}

/// y ← maxima of x over windows; NaN if there is one.
pub(crate) fn max_pool<'a>(op: &Pool, images: usize, x: View<'a, f32>, y: Out<'a, f32>) -> Result<Launch<'a>> {
    forward(Kernel::MaxPool, op, images, x, y)
}

fn forward<'a>(kernel: Kernel, op: &Pool, images: usize, x: View<'a, f32>, y: Out<'a, f32>) -> Result<Launch<'a>> {
    check(op, images, x.len(), y.len())?;
    check_apart(kernel, y, x)?;
    let launch = Launch::each(kernel, y.len())?.view(x).out(y);
    launch.indices([op.input.height, op.input.width, op.size, y.len()])
}

/// dx ← the gradient of the means with respect to x, or dx ← dx + that.
pub(crate) fn average_pool_backward<'a>(
    op: &Pool,
    images: usize,
    dy: View<'a, f32>,
    dx: Out<'a, f32>,
    accumulate: bool,
) -> Result<Launch<'a>> {
    check(op, images, dx.len(), dy.len())?;
    check_apart(Kernel::AveragePoolBackward, dx, dy)?;
    let launch = Launch::each(Kernel::AveragePoolBackward, dx.len())?.view(dy).out(dx);
    launch.indices([op.input.height, op.input.width, op.size])?.flag(accumulate).index(dx.len())
}

/// dx ← the gradient of the maxima with respect to x, or dx ← dx + that: a window's goes to the first of its maxima.
pub(crate) fn max_pool_backward<'a>(
    op: &Pool,
    images: usize,
    x: View<'a, f32>,
    dy: View<'a, f32>,
    dx: Out<'a, f32>,
    accumulate: bool,
) -> Result<Launch<'a>> {
    check(op, images, dx.len(), dy.len())?;
    check_length("x", x.len(), dx.len())?;
    check_apart(Kernel::MaxPoolBackward, dx, x)?;
    check_apart(Kernel::MaxPoolBackward, dx, dy)?;
    let launch = Launch::each(Kernel::MaxPoolBackward, dx.len())?.view(x).view(dy).out(dx);
    launch.indices([op.input.height, op.input.width, op.size])?.flag(accumulate).index(dx.len())
}

fn check(op: &Pool, images: usize, pixels: usize, windows: usize) -> Result<()> {
    let (height, width) = (op.input.height, op.input.width);
    if op.size == 0 || op.size > height.min(width) {
        return Err(Error::domain("size of a window", op.size, format!("1 to {}", height.min(width))));
    }
    check_length("the pixels", pixels, images * op.input.len())?;
    check_length("the windows", windows, images * op.input.channels * (height / op.size) * (width / op.size))?;
    super::index(pixels).map(|_| ())
}
