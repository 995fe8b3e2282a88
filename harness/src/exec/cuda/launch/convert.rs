//! From single precision in the order (image, channel, row, column) to bfloat16 in the order (image, row, column, channel),
//! and back: of pixels and vectors, and of weights, whose outputs stand for images.

use super::{Launch, check_images, check_length};
use crate::Result;
use crate::exec::cuda::kernels::Kernel;
use crate::exec::cuda::memory::{Out, View};
use crate::exec::cuda::number::{Bf16, Number};
use crate::model::graph::Shape;

/// y ← x, or y ← y + x, rounded to the nearest
pub(crate) fn to_bf16<'a>(shape: Shape, x: View<'a, f32>, y: Out<'a, Bf16>, accumulate: bool) -> Result<Launch<'a>> {
    convert(Kernel::ToBf16, shape, x, y, accumulate)
}

/// y ← x, or y ← y + x
pub(crate) fn from_bf16<'a>(shape: Shape, x: View<'a, Bf16>, y: Out<'a, f32>, accumulate: bool) -> Result<Launch<'a>> {
    convert(Kernel::FromBf16, shape, x, y, accumulate)
}

fn convert<'a, X: Number, Y: Number>(
    kernel: Kernel,
    shape: Shape,
    x: View<'a, X>,
    y: Out<'a, Y>,
    accumulate: bool,
) -> Result<Launch<'a>> {
    check_length("y", y.len(), x.len())?;
    check_images(shape, x.len())?;
    super::check_apart(kernel, y, x)?;
    let launch = Launch::each(kernel, x.len())?.view(x).out(y);
    launch.indices([shape.channels, shape.plane()])?.flag(accumulate).index(x.len())
}
