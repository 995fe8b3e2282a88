//! Means and maxima over disjoint windows.

use super::{Launch, check_apart, check_length};
use crate::exec::backend::Pool;
use crate::exec::cuda::kernels::Kernel;
use crate::exec::cuda::memory::{Out, View};
use crate::exec::cuda::number::Number;
use crate::{Error, Result};

/// y ← means of x over windows.
pub(crate) fn average_pool<'a, E: Number>(
    op: &Pool,
    images: usize,
    x: View<'a, E>,
    y: Out<'a, E>,
) -> Result<Launch<'a>> {
    forward(Kernel::AveragePool.of::<E>(), op, images, x, y)
}

/// y ← maxima of x over windows; NaN if there is one.
pub(crate) fn max_pool<'a, E: Number>(op: &Pool, images: usize, x: View<'a, E>, y: Out<'a, E>) -> Result<Launch<'a>> {
    forward(Kernel::MaxPool.of::<E>(), op, images, x, y)
}

fn forward<'a, E: Number>(
    kernel: Kernel,
    op: &Pool,
    images: usize,
    x: View<'a, E>,
    y: Out<'a, E>,
) -> Result<Launch<'a>> {
    check(op, images, x.len(), y.len())?;
    check_apart(kernel, y, x)?;
    let launch = Launch::each(kernel, y.len())?.view(x).out(y);
    launch.indices(extents(op))?.index(y.len())
}

/// dx ← the gradient of the means with respect to x, or dx ← dx + that.
pub(crate) fn average_pool_backward<'a, E: Number>(
    op: &Pool,
    images: usize,
    dy: View<'a, E>,
    dx: Out<'a, E>,
    accumulate: bool,
) -> Result<Launch<'a>> {
    let kernel = Kernel::AveragePoolBackward.of::<E>();
    check(op, images, dx.len(), dy.len())?;
    check_apart(kernel, dx, dy)?;
    let launch = Launch::each(kernel, dx.len())?.view(dy).out(dx);
    launch.indices(extents(op))?.flag(accumulate).index(dx.len())
}

/// dx ← the gradient of the maxima with respect to x, or dx ← dx + that: a window's goes to the first of its maxima.
pub(crate) fn max_pool_backward<'a, E: Number>(
    op: &Pool,
    images: usize,
    x: View<'a, E>,
    dy: View<'a, E>,
    dx: Out<'a, E>,
    accumulate: bool,
) -> Result<Launch<'a>> {
    let kernel = Kernel::MaxPoolBackward.of::<E>();
    check(op, images, dx.len(), dy.len())?;
    check_length("x", x.len(), dx.len())?;
    check_apart(kernel, dx, x)?;
    check_apart(kernel, dx, dy)?;
    let launch = Launch::each(kernel, dx.len())?.view(x).view(dy).out(dx);
    launch.indices(extents(op))?.flag(accumulate).index(dx.len())
}

/// Channels, rows and columns of the pixels, and rows or columns of a window.
fn extents(op: &Pool) -> [usize; 4] {
    [op.input.channels, op.input.height, op.input.width, op.size]
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
