//! Which convolutions the kernels on tensor cores carry out, and how these cut them up: by the shapes alone.

use crate::exec::backend;
use crate::model::graph::{Shape, Window};

/// Threads of every block; `THREADS` of `layout.h`.
pub(in crate::exec) const THREADS: usize = 256;

/// Rows and columns of a tile of a matrix product; `TILE` of `product.h` and of `tensor.h`.
pub(in crate::exec) const TILE: usize = 16;

/// Blocks at most, each of which takes strips by turns: two for every multiprocessor of an H100. By the shape alone, so that
/// sums have the same bits on every GPU.
pub(in crate::exec) const BLOCKS: usize = 264;

/// So many blocks may have no strip where all strips are alike: 128 images make 256 strips of halves.
const SPARED: usize = 8;

/// Shared memory of a block at most, in bytes: what every GPU from capability 8.0 on has.
pub(in crate::exec) const SHARED: usize = 98 << 10;

/// Numbers between rows in shared memory; `SPARE` of `strips.h`.
const SPARE: usize = 8;

/// Warps of a block; `WARPS` of `block.h`.
pub(in crate::exec) const WARPS: usize = THREADS / 32;

/// Most tiles of the weight's gradient that a warp adds up; `MOST_TILES` of `gradient_tiles.h`.
pub(in crate::exec) const MOST_TILES: usize = 5;

/// A convolution that the kernels on tensor cores carry out, for a batch of a size.
#[derive(Debug, Clone, Copy)]
pub(in crate::exec) struct Form {
    pub(in crate::exec) images: usize,
    pub(in crate::exec) input: Shape,
    pub(in crate::exec) output: Shape,
    pub(in crate::exec) window: Window,
}

/// A pass over strips of output rows, as `Strips` of `strips.h` has it.
#[derive(Debug, Clone, Copy)]
pub(in crate::exec) struct Strips {
    pub(in crate::exec) images: usize,
    pub(in crate::exec) read: Shape,
    pub(in crate::exec) written: Shape,
    pub(in crate::exec) size: usize,
    pub(in crate::exec) stride: usize,
    #[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "launches alone say where a window starts"))]
    pub(in crate::exec) padding: usize,
    #[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "launches alone say it"))]
    pub(in crate::exec) dilation: usize,
    pub(in crate::exec) rows: usize,
}

impl Strips {
    pub(in crate::exec) fn tiles(&self) -> usize {
        self.images * self.written.height.div_ceil(self.rows)
    }

    pub(in crate::exec) fn padded_pixels(&self) -> usize {
        (self.rows * self.written.width).next_multiple_of(TILE)
    }

    /// Bytes of a strip's input in shared memory.
    fn input_bytes(&self) -> usize {
        let extent = |outputs: usize| (outputs - 1) * self.stride + self.size;
        2 * extent(self.rows) * extent(self.written.width) * (self.read.channels + SPARE)
    }

    /// Bytes of where every pixel's window starts.
    pub(in crate::exec) fn window_bytes(&self) -> usize {
        4 * self.padded_pixels()
    }

    /// Bytes of the products of a strip, and of what is as long.
    fn output_bytes(&self, channels: usize) -> usize {
        2 * self.padded_pixels() * (channels + SPARE)
    }

    /// With as many rows as make at most so many pixels, fit, and leave all blocks but a few a strip; then with as few as
    /// make no more strips, so that none has much less to do than others. `None` if one row does not fit.
    pub(in crate::exec) fn with_rows(self, pixels: usize, bytes: impl Fn(&Self) -> usize) -> Option<Self> {
        let height = self.written.height;
        let most = (pixels / self.written.width).clamp(1, height);
        let candidates = || (1..=most).rev().map(|rows| Self { rows, ..self }).filter(|it| bytes(it) <= SHARED);
        let enough = candidates().find(|it| it.tiles() + SPARED >= BLOCKS);
        let found =
            enough.or_else(|| candidates().find(|it| it.rows == height.div_ceil(2))).or_else(|| candidates().last())?;
        Some(Self { rows: height.div_ceil(height.div_ceil(found.rows)), ..self })
    }
}

/// Bytes of one channel's batch norm, of a thread's sums and of a channel's; `Scaled` of `strips.h`, `Eights` of
/// `convolution.h` and `Sums` of `scalar.h`.
const SCALED: usize = 12;
const EIGHTS: usize = 64;
const SUMS: usize = 16;

/// What the kernels count on alike, for a test that compares.
#[cfg(all(test, feature = "cuda"))]
pub(in crate::exec) const EXTENTS: [usize; 6] = [SPARE, WARPS, MOST_TILES, SCALED, EIGHTS, SUMS];

/// Bytes of every channel's batch norm in shared memory.
pub(in crate::exec) fn scaled_bytes(channels: usize) -> usize {
    (SCALED * channels).next_multiple_of(16)
}

/// Bytes of the sums over so many channels in shared memory, as `add_up` of `convolution.h` lays them out.
fn sums_bytes(channels: usize) -> usize {
    THREADS * EIGHTS + THREADS.max(channels) * SUMS
}

impl Form {
    /// That of an operation; `None` where no kernel carries it out.
    pub(in crate::exec) fn of(op: &backend::Convolution, images: usize) -> Option<Self> {
        let Window { size, stride, padding } = op.window;
        let whole = |shape: Shape| !shape.is_empty() && shape.channels.is_multiple_of(TILE) && shape.channels <= 512;
        let form = Self { images, input: op.input, output: op.output, window: op.window };
        let regular = images > 0 && padding < size && (1..=2).contains(&stride) && op.bias.is_none();
        let fits = || form.there().is_some() && form.back().is_some() && form.weight_gradient().is_some();
        (regular && whole(op.input) && whole(op.output) && fits()).then_some(form)
    }

    pub(in crate::exec) fn weight_length(&self) -> usize {
        self.output.channels * self.input.channels * self.window.size * self.window.size
    }

    /// Bytes of the weight in shared memory.
    fn weight_bytes(&self) -> usize {
        2 * self.output.channels * self.window.size * self.window.size * (self.input.channels + SPARE)
    }

    /// Pixels of a strip at most.
    fn pixels(&self) -> usize {
        if self.window.size == 1 { 128 } else { 256 }
    }

    pub(in crate::exec) fn shared(&self, strips: &Strips, normed: usize) -> usize {
        let products = strips.output_bytes(strips.written.channels);
        let all = scaled_bytes(normed) + strips.window_bytes() + self.weight_bytes() + strips.input_bytes() + products;
        all.max(sums_bytes(strips.written.channels))
    }

    pub(in crate::exec) fn there(&self) -> Option<Strips> {
        let Window { size, stride, padding } = self.window;
        let (images, read, written) = (self.images, self.input, self.output);
        let strips = Strips { images, read, written, size, stride, padding, dilation: 1, rows: 1 };
        strips.with_rows(self.pixels(), |strips| self.shared(strips, read.channels))
    }

    /// The same window turned round, over dy with zeros between its pixels.
    pub(in crate::exec) fn back(&self) -> Option<Strips> {
        let Window { size, stride, padding } = self.window;
        let (images, read, written) = (self.images, self.output, self.input);
        let strips =
            Strips { images, read, written, size, stride: 1, padding: size - 1 - padding, dilation: stride, rows: 1 };
        strips.with_rows(self.pixels(), |strips| self.shared(strips, written.channels))
    }

    /// Strips, outputs of a slice, and warps that share a tile.
    pub(in crate::exec) fn weight_gradient(&self) -> Option<(Strips, usize, usize)> {
        let Window { size, stride, padding } = self.window;
        let (images, read, written) = (self.images, self.input, self.output);
        let tiles = |slice: usize| slice / TILE * (read.channels / TILE) * size * size;
        let slices = (1..=written.channels / TILE).rev().map(|tiles| tiles * TILE);
        let mut slices = slices.filter(|slice| written.channels.is_multiple_of(*slice));
        let slice = slices.find(|slice| tiles(*slice) <= 3 * WARPS).unwrap_or(TILE);
        if tiles(slice) > MOST_TILES * WARPS {
            return None;
        }
        let strips = Strips { images, read, written, size, stride, padding, dilation: 1, rows: 1 };
        let strips = strips.with_rows(256, |strips| self.gradient_shared(strips, slice))?;
        Some((strips, slice, (WARPS / tiles(slice)).max(1)))
    }

    pub(in crate::exec) fn gradient_shared(&self, strips: &Strips, slice: usize) -> usize {
        scaled_bytes(strips.read.channels) + strips.window_bytes() + strips.input_bytes() + strips.output_bytes(slice)
    }

    /// Blocks that share the images of a slice.
    pub(in crate::exec) fn gradient_blocks(&self, strips: &Strips, slice: usize) -> usize {
        (BLOCKS / (self.output.channels / slice)).clamp(1, strips.tiles())
    }

    /// Numbers of working memory that the weight's gradient needs on its way.
    pub(in crate::exec) fn weight_parts(self) -> usize {
        self.weight_gradient()
            .map_or(0, |(strips, slice, shares)| self.gradient_blocks(&strips, slice) * shares * self.weight_length())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_of_an_image_are_as_even_as_their_number_allows() {
        let shape = |channels, side| Shape { channels, height: side, width: side };
        for images in [1, 100, 128, 1000] {
            for (input, outputs, window) in [
                (shape(16, 32), 16, Window::same(3, 1)),
                (shape(64, 32), 16, Window::same(1, 1)),
                (shape(32, 16), 32, Window::same(3, 1)),
                (shape(128, 16), 32, Window::same(1, 1)),
                (shape(256, 8), 64, Window::same(1, 1)),
                (shape(64, 8), 64, Window::same(3, 1)),
                (shape(16, 13), 16, Window::same(3, 1)),
            ] {
                let form = Form { images, input, output: Shape { channels: outputs, ..input }, window };
                let gradient = form.weight_gradient().map(|(strips, ..)| strips);
                for strips in [form.there(), form.back(), gradient] {
                    let strips = strips.expect("known shapes");
                    let per_image = strips.tiles() / images;
                    let last = input.height - (per_image - 1) * strips.rows;
                    assert!(strips.rows - last < per_image, "{form:?}: {} rows, {last} in the last", strips.rows);
                }
            }
        }
        // A batch of the paper's: halves, which every second multiprocessor's block would otherwise wait for.
        let halved = Form { images: 128, input: shape(32, 16), output: shape(32, 16), window: Window::same(3, 1) };
        assert_eq!(halved.there().map(|strips| strips.rows), Some(8));
    }
}
