//! Convolutions on tensor cores, there and back to x, of planar maps in single precision.

use super::convolution::extents;
use super::planar_strips::{apart, slices};
use super::{Launch, check_apart, check_length, index};
use crate::Result;
use crate::exec::cuda::kernels::Kernel;
use crate::exec::cuda::memory::{Out, View};
use crate::exec::gpu::form::{BLOCKS, Strips};
use crate::model::graph::{Shape, Window};

/// Pixels that warps multiply, where there are so many: fewer leave some without work.
const ENOUGH: usize = 32;

/// How the kernel carries out a convolution of so many images, or goes back from its dy to its dx; `PlanarConvolution` of
/// `planar_convolution.h`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanarConvolution {
    strips: Strips,
    /// Outputs of a slice, whole tiles.
    slice: usize,
    back: bool,
}

impl PlanarConvolution {
    /// The way there; `None` where the kernel does not fit a GPU.
    pub(crate) fn there(images: usize, input: Shape, output: Shape, window: Window) -> Option<Self> {
        Self::of(images, [input, output], window, false)
    }

    /// The way back to x, as a convolution of dy with the weight turned round; `None` where that is none, as with a stride,
    /// or does not fit a GPU.
    pub(crate) fn back(images: usize, input: Shape, output: Shape, window: Window) -> Option<Self> {
        let Window { size, stride, padding } = window;
        let turned = Window { size, stride, padding: (size.checked_sub(1)?).checked_sub(padding)? };
        if stride == 1 { Self::of(images, [output, input], turned, true) } else { None }
    }

    fn of(images: usize, [read, written]: [Shape; 2], window: Window, back: bool) -> Option<Self> {
        let Window { size, stride, padding } = window;
        if images == 0 || read.is_empty() || written.is_empty() || stride == 0 || padding >= size {
            return None;
        }
        let strips = Strips { images, read, written, size, stride, padding, dilation: 1, rows: 1 };
        let with = |slice: usize| {
            let it = Self { strips, slice, back };
            let strips = strips.with_rows(256, |strips| Self { strips: *strips, ..it }.shared())?;
            Some(Self { strips, ..it })
        };
        let enough = |it: &Self| it.strips.rows * written.width >= ENOUGH.min(written.plane());
        let fitting = || slices(written.channels).filter_map(with);
        fitting().find(enough).or_else(|| fitting().next())
    }

    /// Bytes of shared memory.
    fn shared(&self) -> usize {
        let Strips { read, written, size, rows, .. } = self.strips;
        let channels = read.channels.next_multiple_of(8);
        let x = channels * apart(self.strips.planar_length(), 8);
        let weights = self.slice * apart(size * size * channels, 4);
        size_of::<u32>() * (rows * written.width).next_multiple_of(32) + size_of::<f32>() * (x + weights)
    }

    /// y ← w ∗ x, or dx ← the gradient with respect to x; or that and what is there. In TF32 both factors are rounded to
    /// that, else products are those of single precision but for 2⁻²¹ of their size. The weight is that of the way there.
    pub(crate) fn launch<'a>(
        &self,
        tf32: bool,
        x: View<'a, f32>,
        weight: View<'a, f32>,
        (y, accumulate): (Out<'a, f32>, bool),
    ) -> Result<Launch<'a>> {
        let Strips { images, read, written, size, stride, padding, rows, .. } = self.strips;
        let kernel = if tf32 { Kernel::PlanarConvolutionTf32 } else { Kernel::PlanarConvolutionSingle };
        check_length("what a convolution reads", x.len(), images * read.len())?;
        check_length("what a convolution writes", y.len(), images * written.len())?;
        check_length("a convolution's weight", weight.len(), read.channels * written.channels * size * size)?;
        check_apart(kernel, y, x)?;
        check_apart(kernel, y, weight)?;
        index(x.len().max(y.len()).max(weight.len()))?;
        let slices = written.channels.div_ceil(self.slice);
        let blocks = (BLOCKS / slices).clamp(1, self.strips.tiles());
        let launch = Launch::grid(kernel, [index(slices)?, index(blocks)?])?.sharing(self.shared())?;
        let launch = launch.view(x).view(weight).out(y).index(images)?;
        let launch = launch.indices(extents(read))?.indices(extents(written))?;
        let launch = launch.indices([size, stride, padding, rows, self.slice])?;
        Ok(launch.flag(self.back).flag(accumulate).flag(self.strips.fours([x, y.view()])))
    }
}
