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

/// Numbers of the table of [`round_weights`] that tell one weight.
pub(crate) const WEIGHT: usize = 5;

/// The weights of convolutions among the parameters, rounded to the nearest, each to its place. The table says of every
/// one, in the order of these places, where its place begins and where it does among the parameters, its input channels,
/// the pixels of its windows, and its length.
pub(crate) fn round_weights<'a>(
    parameters: View<'a, f32>,
    table: View<'a, u32>,
    rounded: Out<'a, Bf16>,
) -> Result<Launch<'a>> {
    let weights = table.len() / WEIGHT;
    check_length("the table of weights", table.len(), weights * WEIGHT)?;
    super::check_apart(Kernel::RoundWeights, rounded, parameters)?;
    super::check_apart(Kernel::RoundWeights, rounded, table)?;
    let launch = Launch::each(Kernel::RoundWeights, rounded.len())?.view(parameters).view(table).out(rounded);
    launch.indices([parameters.len(), weights, rounded.len()])
}

/// turned ← a convolution's weight turned round for the way back: of outputs, channels, and the places of the window, with
/// channels in the place of outputs and the window read backwards.
pub(crate) fn turn<'a, E: Number>(
    [outputs, channels, taps]: [usize; 3],
    weight: View<'a, E>,
    turned: Out<'a, E>,
) -> Result<Launch<'a>> {
    let kernel = Kernel::Turn.of::<E>();
    check_length("a convolution's weight", weight.len(), outputs * channels * taps)?;
    check_length("a weight turned round", turned.len(), weight.len())?;
    super::check_apart(kernel, turned, weight)?;
    let launch = Launch::each(kernel, weight.len())?.view(weight).out(turned);
    launch.indices([outputs, channels, taps, weight.len()])
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
