//! Batches from images that stay on the device.

use super::{Launch, check_length};
use crate::exec::cuda::kernels::Kernel;
use crate::exec::cuda::memory::{Out, View};
use crate::exec::cuda::number::Number;
use crate::{Error, Result};

/// Images that stay on the device, as bytes in the order (image, channel, row, column), and what each byte of each
/// channel becomes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResidentImages<'a> {
    pub(crate) images: View<'a, u8>,
    /// 256 numbers a channel.
    pub(crate) tables: View<'a, f32>,
    pub(crate) channels: usize,
    /// Rows, and columns.
    pub(crate) side: usize,
}

/// One image of a batch: which of the resident ones, how far down and right its crop starts, and whether it is then
/// mirrored left to right. What a crop takes from outside the image is the byte 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Variation {
    pub(crate) image: u32,
    pub(crate) down: i32,
    pub(crate) right: i32,
    pub(crate) flip: bool,
}

impl Variation {
    /// The four numbers that the kernel reads.
    pub(crate) fn numbers(self) -> [i32; 4] {
        [self.image.cast_signed(), self.down, self.right, i32::from(self.flip)]
    }
}

/// The images of a batch, varied and normalised, from four numbers each (see [`Variation::numbers`]); an image that is
/// not resident becomes NaN.
pub(crate) fn augment<'a, E: Number>(
    resident: ResidentImages<'a>,
    variations: View<'a, i32>,
    out: Out<'a, E>,
) -> Result<Launch<'a>> {
    let ResidentImages { images, tables, channels, side } = resident;
    let image = channels * side * side;
    if image == 0 || !images.len().is_multiple_of(image) {
        return Err(Error::domain(
            "bytes of the images on the GPU",
            images.len(),
            format!("a multiple of {image}, not 0"),
        ));
    }
    check_length("the tables", tables.len(), channels * 256)?;
    check_length("the variations", variations.len(), out.len() / image * 4)?;
    check_length("the batch", out.len(), variations.len() / 4 * image)?;
    let launch =
        Launch::each(Kernel::Augment.of::<E>(), out.len())?.view(images).view(tables).view(variations).out(out);
    launch.indices([channels, side, images.len() / image, out.len()])
}
