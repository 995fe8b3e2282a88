//! Number by number: sums, products, functions, parts of longer values.

use super::{Launch, check_apart, check_in_place, check_length};
use crate::exec::backend::Part;
use crate::exec::cuda::kernels::Kernel;
use crate::exec::cuda::memory::{Out, View};
use crate::exec::cuda::number::{Number, Storage};
use crate::model::graph::{Activation, Shape};
use crate::{Error, Result};

/// y ← y + x
pub(crate) fn add<'a, E: Number>(x: View<'a, E>, y: Out<'a, E>) -> Result<Launch<'a>> {
    let kernel = Kernel::Add.of::<E>();
    check_length("y", y.len(), x.len())?;
    check_in_place(kernel, y, x)?;
    Launch::each(kernel, x.len())?.view(x).out(y).index(x.len())
}

/// y ← x times the factors, or y ← y + that; the factors are in the order (image, channel, row, column), whatever x is.
pub(crate) fn multiply<'a, E: Number>(
    shape: Shape,
    x: View<'a, E>,
    factors: View<'a, f32>,
    y: Out<'a, E>,
    accumulate: bool,
) -> Result<Launch<'a>> {
    let kernel = Kernel::Multiply.of::<E>();
    check_length("the factors", factors.len(), x.len())?;
    check_length("y", y.len(), x.len())?;
    super::check_images(shape, x.len())?;
    check_in_place(kernel, y, x)?;
    check_apart(kernel, y, factors)?;
    let launch = Launch::each(kernel, x.len())?.view(x).view(factors).out(y);
    launch.indices([shape.channels, shape.plane()])?.flag(accumulate).index(x.len())
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
pub(crate) fn activation<'a, E: Number>(f: Activation, x: View<'a, E>, y: Out<'a, E>) -> Result<Launch<'a>> {
    let kernel = Kernel::Activation.of::<E>();
    check_length("y", y.len(), x.len())?;
    check_in_place(kernel, y, x)?;
    Launch::each(kernel, x.len())?.view(x).out(y).indices([code(Some(f)), x.len()])
}

/// dx ← the gradient with respect to the x of y = f(x), or dx ← dx + that.
pub(crate) fn activation_backward<'a, E: Number>(
    f: Activation,
    y: View<'a, E>,
    dy: View<'a, E>,
    dx: Out<'a, E>,
    accumulate: bool,
) -> Result<Launch<'a>> {
    let kernel = Kernel::ActivationBackward.of::<E>();
    check_length("dy", dy.len(), y.len())?;
    check_length("dx", dx.len(), y.len())?;
    check_in_place(kernel, dx, y)?;
    check_in_place(kernel, dx, dy)?;
    let launch = Launch::each(kernel, y.len())?.view(y).view(dy).out(dx);
    launch.index(code(Some(f)))?.flag(accumulate).index(y.len())
}

/// A part of every image of y ← x.
pub(crate) fn insert<'a, E: Number>(op: &Part, images: usize, x: View<'a, E>, y: Out<'a, E>) -> Result<Launch<'a>> {
    let kernel = Kernel::Insert.of::<E>();
    let [offset, length, total] = pieces::<E>(op, images, x.len(), y.len())?;
    check_apart(kernel, y, x)?;
    Launch::each(kernel, x.len())?.view(x).out(y).indices([offset, length, total, x.len()])
}

/// dx ← a part of every image of dy, or dx ← dx + that.
pub(crate) fn extract<'a, E: Number>(
    op: &Part,
    images: usize,
    dy: View<'a, E>,
    dx: Out<'a, E>,
    accumulate: bool,
) -> Result<Launch<'a>> {
    let kernel = Kernel::Extract.of::<E>();
    let [offset, length, total] = pieces::<E>(op, images, dx.len(), dy.len())?;
    check_apart(kernel, dx, dy)?;
    let launch = Launch::each(kernel, dx.len())?.view(dy).out(dx);
    launch.indices([offset, length, total])?.flag(accumulate).index(dx.len())
}

/// Offset, length and total of the pieces that a part goes to: those of images, or, where channels are last, of pixels.
fn pieces<E: Number>(op: &Part, images: usize, part: usize, whole: usize) -> Result<[usize; 3]> {
    check_length("a part", part, images * op.length)?;
    check_length("the whole", whole, images * op.total)?;
    if op.offset + op.length > op.total {
        return Err(Error::domain("the end of a part", op.offset + op.length, format!("at most {}", op.total)));
    }
    super::index(whole)?;
    let numbers = [op.offset, op.length, op.total];
    if op.plane == 0 || numbers.iter().any(|number| !number.is_multiple_of(op.plane)) {
        let allowed = format!("multiples of the plane, {}", op.plane);
        return Err(Error::domain("offset, length and total of a part", format!("{numbers:?}"), allowed));
    }
    Ok(match E::STORAGE {
        Storage::F32 => numbers,
        Storage::Bf16 => numbers.map(|number| number / op.plane),
    })
}
