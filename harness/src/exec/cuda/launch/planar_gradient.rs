//! The gradient of a convolution with respect to its weight, on tensor cores, of planar maps in single precision.

use super::convolution::{add_parts, extents};
use super::planar_strips::{apart, slices};
use super::{Launch, check_length, index};
use crate::Result;
use crate::exec::cuda::kernels::Kernel;
use crate::exec::cuda::memory::{Out, View};
use crate::exec::gpu::form::{BLOCKS, MOST_TILES, Strips, TILE, WARPS};
use crate::model::graph::{Shape, Window};

/// How the kernel makes the gradient, for a batch of a size; `PlanarGradient` of `planar_gradient.h`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanarGradient {
    strips: Strips,
    /// Outputs and channels of a slice, whole tiles.
    slice: usize,
    channel_slice: usize,
    /// Warps that share a tile.
    shares: usize,
}

impl PlanarGradient {
    /// That of a convolution of so many images; `None` where the kernel does not fit a GPU.
    pub(crate) fn of(images: usize, input: Shape, output: Shape, window: Window) -> Option<Self> {
        let Window { size, stride, padding } = window;
        if images == 0 || input.is_empty() || output.is_empty() || stride == 0 || padding >= size {
            return None;
        }
        let tiles = |slice: usize, channels: usize| slice / TILE * (channels / TILE) * size * size;
        let channels = slices(input.channels).filter(|channels| tiles(TILE, *channels) <= MOST_TILES * WARPS);
        let strips = Strips { images, read: input, written: output, size, stride, padding, dilation: 1, rows: 1 };
        channels.into_iter().find_map(|channel_slice| {
            let few = |slice: &usize| tiles(*slice, channel_slice) <= 3 * WARPS;
            let slice = slices(output.channels).find(few).unwrap_or(TILE);
            // Tiles that are a few more than the warps are shared, too: three a warp of half the pixels instead of two of all.
            let shares = match tiles(slice, channel_slice) {
                few @ ..=WARPS => WARPS / few,
                tiles if tiles <= 3 * WARPS / 2 => 2,
                _ => 1,
            };
            let it = Self { strips, slice, channel_slice, shares };
            let strips = strips.with_rows(256, |strips| Self { strips: *strips, ..it }.shared())?;
            Some(Self { strips, ..it })
        })
    }

    /// Bytes of shared memory.
    fn shared(&self) -> usize {
        let (pitch, slope_pitch) = (apart(self.strips.planar_length(), 4), apart(self.strips.padded_pixels(), 4));
        self.strips.window_bytes() + size_of::<f32>() * (self.channel_slice * pitch + self.slice * slope_pitch)
    }

    fn slices(&self) -> usize {
        let Strips { read, written, .. } = self.strips;
        written.channels.div_ceil(self.slice) * read.channels.div_ceil(self.channel_slice)
    }

    /// Blocks that share the images of a slice.
    fn blocks(&self) -> usize {
        (BLOCKS / self.slices()).clamp(1, self.strips.tiles())
    }

    fn weight(&self) -> [usize; 3] {
        [self.strips.written.channels, self.strips.read.channels, self.strips.size]
    }

    /// Numbers of working memory that the gradient needs on its way.
    pub(crate) fn parts(&self) -> usize {
        let [outputs, channels, size] = self.weight();
        self.blocks() * self.shares * outputs * channels * size * size
    }

    /// gradient ← gradient + that with respect to the weight, through working memory of [`parts`](Self::parts) numbers or
    /// more; in order. In TF32 x and dy are rounded to that, else products are those of single precision but for 2⁻²¹ of
    /// their size.
    pub(crate) fn launches<'a>(
        &self,
        tf32: bool,
        x: View<'a, f32>,
        dy: View<'a, f32>,
        parts: Out<'a, f32>,
        gradient: Out<'a, f32>,
    ) -> Result<[Launch<'a>; 2]> {
        let Strips { images, read, written, size, stride, padding, rows, .. } = self.strips;
        check_length("a convolution's input", x.len(), images * read.len())?;
        check_length("the gradient of a convolution's output", dy.len(), images * written.len())?;
        let parts = parts.part(0..self.parts())?;
        index(x.len().max(dy.len()).max(parts.len()))?;
        let kernel = if tf32 { Kernel::PlanarGradientTf32 } else { Kernel::PlanarGradientSingle };
        let launch = Launch::grid(kernel, [index(self.slices())?, index(self.blocks())?])?.sharing(self.shared())?;
        let launch = launch.view(x).view(dy).out(parts).index(images)?;
        let launch = launch.indices(extents(read))?.indices(extents(written))?;
        let launch = launch.indices([size, stride, padding, rows, self.slice, self.channel_slice, self.shares])?;
        Ok([
            launch.flag(self.strips.fours([x, dy])),
            add_parts(self.weight(), self.blocks() * self.shares, parts, gradient)?,
        ])
    }
}
