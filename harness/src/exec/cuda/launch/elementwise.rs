//! Number by number: sums, products, functions, parts of longer values.

use super::{Launch, check_apart, check_in_place, check_length};
use crate::Result;
use crate::exec::backend::Part;
use crate::exec::cuda::kernels::Kernel;
use crate::exec::cuda::memory::{Out, View};
use crate::model::graph::Activation;

/// y ← y + x
pub(crate) fn add<'a>(x: View<'a, f32>, y: Out<'a, f32>) -> Result<Launch<'a>> {
    check_length("y", y.len(), x.len())?;
    check_in_place(Kernel::Add, y, x)?;
    Launch::each(Kernel::Add, x.len())?.view(x).out(y).index(x.len())
}

/// y ← x times the factors, or y ← y + that.
pub(crate) fn multiply<'a>(
    x: View<'a, f32>,
    factors: View<'a, f32>,
    y: Out<'a, f32>,
    accumulate: bool,
) -> Result<Launch<'a>> {
    check_length("the factors", factors.len(), x.len())?;
    check_length("y", y.len(), x.len())?;
    check_in_place(Kernel::Multiply, y, x)?;
    check_in_place(Kernel::Multiply, y, factors)?;
    Launch::each(Kernel::Multiply, x.len())?.view(x).view(factors).out(y).flag(accumulate).index(x.len())
}

/// The number of a function in `scalar.h`.
pub(super) fn code(function: Option<Activation>) -> usize {
    match function {
        None => 0,
        Some(Activation::Relu) => 1,
        Some(Activation::Sigmoid) => 2,
        Some(Activation::Softplus) => 3,
    }
}

/// y ← f(x)
pub(crate) fn activation<'a>(f: Activation, x: View<'a, f32>, y: Out<'a, f32>) -> Result<Launch<'a>> {
    check_length("y", y.len(), x.len())?;
    check_in_place(Kernel::Activation, y, x)?;
    Launch::each(Kernel::Activation, x.len())?.view(x).out(y).indices([code(Some(f)), x.len()])
}

/// dx ← the gradient with respect to the x of y = f(x), or dx ← dx + that.
pub(crate) fn activation_backward<'a>(
    f: Activation,
    y: View<'a, f32>,
    dy: View<'a, f32>,
    dx: Out<'a, f32>,
    accumulate: bool,
) -> Result<Launch<'a>> {
    check_length("dy", dy.len(), y.len())?;
    check_length("dx", dx.len(), y.len())?;
    check_in_place(Kernel::ActivationBackward, dx, y)?;
    check_in_place(Kernel::ActivationBackward, dx, dy)?;
    let launch = Launch::each(Kernel::ActivationBackward, y.len())?.view(y).view(dy).out(dx);
    launch.index(code(Some(f)))?.flag(accumulate).index(y.len())
}

/// A part of every image of y ← x.
pub(crate) fn insert<'a>(op: &Part, images: usize, x: View<'a, f32>, y: Out<'a, f32>) -> Result<Launch<'a>> {
    check_part(op, images, x.len(), y.len())?;
    check_apart(Kernel::Insert, y, x)?;
    let launch = Launch::each(Kernel::Insert, x.len())?.view(x).out(y);
    launch.indices([op.offset, op.length, op.total, x.len()])
}

/// dx ← a part of every image of dy, or dx ← dx + that.
pub(crate) fn extract<'a>(
    op: &Part,
    images: usize,
    dy: View<'a, f32>,
    dx: Out<'a, f32>,
    accumulate: bool,
) -> Result<Launch<'a>> {
    check_part(op, images, dx.len(), dy.len())?;
    check_apart(Kernel::Extract, dx, dy)?;
    let launch = Launch::each(Kernel::Extract, dx.len())?.view(dy).out(dx);
    launch.indices([op.offset, op.length, op.total])?.flag(accumulate).index(dx.len())
}

fn check_part(op: &Part, images: usize, part: usize, whole: usize) -> Result<()> {
    check_length("a part", part, images * op.length)?;
    check_length("the whole", whole, images * op.total)?;
    if op.offset + op.length > op.total {
        return Err(crate::Error::domain("the end of a part", op.offset + op.length, format!("at most {}", op.total)));
    }
    super::index(whole).map(|_| ())
}
