//! Convolutions on tensor cores, of maps in bfloat16 whose channels are last.

use super::elementwise::code;
use super::{Launch, Norm, Planes, Reduced, check_apart, check_in_place, check_length, index};
use crate::Result;
use crate::exec::Mode;
use crate::exec::backend;
use crate::exec::cuda::kernels::{ADDED, Kernel, THREADS, TILE};
use crate::exec::cuda::memory::{Out, View};
use crate::exec::cuda::number::Bf16;
use crate::model::graph::{Shape, Window};

/// Blocks at most, each of which takes strips by turns: two for every multiprocessor of an H100. By the shape alone, so that
/// sums have the same bits on every GPU.
pub(super) const BLOCKS: usize = 264;

/// So many blocks may have no strip where all strips are alike: 128 images make 256 strips of halves.
const SPARED: usize = 8;

/// Shared memory of a block at most, in bytes: what every GPU from capability 8.0 on has.
pub(crate) const SHARED: usize = 98 << 10;

/// Numbers between rows in shared memory; `SPARE` of `strips.h`.
const SPARE: usize = 8;

/// Warps of a block; `WARPS` of `block.h`.
pub(super) const WARPS: usize = THREADS / 32;

/// Most tiles of the weight's gradient that a warp adds up; `MOST_TILES` of `gradient_tiles.h`.
pub(super) const MOST_TILES: usize = 5;

/// A convolution that the kernels on tensor cores carry out, for a batch of a size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    images: usize,
    input: Shape,
    output: Shape,
    window: Window,
}

/// A pass over strips of output rows, as `Strips` of `strips.h` has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strips {
    pub(super) images: usize,
    pub(super) read: Shape,
    pub(super) written: Shape,
    pub(super) size: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) dilation: usize,
    pub(super) rows: usize,
}

impl Strips {
    pub(super) fn tiles(&self) -> usize {
        self.images * self.written.height.div_ceil(self.rows)
    }

    pub(super) fn padded_pixels(&self) -> usize {
        (self.rows * self.written.width).next_multiple_of(TILE)
    }

    /// Bytes of a strip's input in shared memory.
    fn input_bytes(&self) -> usize {
        let extent = |outputs: usize| (outputs - 1) * self.stride + self.size;
        2 * extent(self.rows) * extent(self.written.width) * (self.read.channels + SPARE)
    }

    /// Bytes of where every pixel's window starts.
    pub(super) fn window_bytes(&self) -> usize {
        4 * self.padded_pixels()
    }

    /// Bytes of the products of a strip, and of what is as long.
    fn output_bytes(&self, channels: usize) -> usize {
        2 * self.padded_pixels() * (channels + SPARE)
    }

    /// With as many rows as make at most so many pixels, fit, and leave all blocks but a few a strip; `None` if one row does
    /// not fit.
    pub(super) fn with_rows(self, pixels: usize, bytes: impl Fn(&Self) -> usize) -> Option<Self> {
        let most = (pixels / self.written.width).clamp(1, self.written.height);
        let candidates = || (1..=most).rev().map(|rows| Self { rows, ..self }).filter(|it| bytes(it) <= SHARED);
        let enough = candidates().find(|it| it.tiles() + SPARED >= BLOCKS);
        enough
            .or_else(|| candidates().find(|it| it.rows == self.written.height.div_ceil(2)))
            .or_else(|| candidates().last())
    }
}

/// Bytes of one channel's batch norm, of a thread's sums and of a channel's; `Scaled` of `strips.h`, `Eights` of
/// `convolution.h` and `Sums` of `scalar.h`.
const SCALED: usize = 12;
const EIGHTS: usize = 64;
const SUMS: usize = 16;

/// What the kernels count on alike, for a test that compares.
#[cfg(test)]
pub(crate) const EXTENTS: [usize; 6] = [SPARE, WARPS, MOST_TILES, SCALED, EIGHTS, SUMS];

/// Bytes of every channel's batch norm in shared memory.
pub(super) fn scaled_bytes(channels: usize) -> usize {
    (SCALED * channels).next_multiple_of(16)
}

/// Bytes of the sums over so many channels in shared memory, as `add_up` of `convolution.h` lays them out.
fn sums_bytes(channels: usize) -> usize {
    THREADS * EIGHTS + THREADS.max(channels) * SUMS
}

impl Form {
    /// That of an operation; `None` where no kernel carries it out.
    pub(crate) fn of(op: &backend::Convolution, images: usize) -> Option<Self> {
        let Window { size, stride, padding } = op.window;
        let whole = |shape: Shape| !shape.is_empty() && shape.channels.is_multiple_of(TILE) && shape.channels <= 512;
        let form = Self { images, input: op.input, output: op.output, window: op.window };
        let regular = images > 0 && padding < size && (1..=2).contains(&stride) && op.bias.is_none();
        let fits = || form.there().is_some() && form.back().is_some() && form.weight_gradient().is_some();
        (regular && whole(op.input) && whole(op.output) && fits()).then_some(form)
    }

    fn weight_length(&self) -> usize {
        self.output.channels * self.input.channels * self.window.size * self.window.size
    }

    fn x(&self) -> usize {
        self.images * self.input.len()
    }

    fn y(&self) -> usize {
        self.images * self.output.len()
    }

    /// Bytes of the weight in shared memory.
    fn weight_bytes(&self) -> usize {
        2 * self.output.channels * self.window.size * self.window.size * (self.input.channels + SPARE)
    }

    /// Pixels of a strip at most.
    fn pixels(&self) -> usize {
        if self.window.size == 1 { 128 } else { 256 }
    }

    fn shared(&self, strips: &Strips, normed: usize) -> usize {
        let products = strips.output_bytes(strips.written.channels);
        let all = scaled_bytes(normed) + strips.window_bytes() + self.weight_bytes() + strips.input_bytes() + products;
        all.max(sums_bytes(strips.written.channels))
    }

    fn there(&self) -> Option<Strips> {
        let Window { size, stride, padding } = self.window;
        let (images, read, written) = (self.images, self.input, self.output);
        let strips = Strips { images, read, written, size, stride, padding, dilation: 1, rows: 1 };
        strips.with_rows(self.pixels(), |strips| self.shared(strips, read.channels))
    }

    /// The same window turned round, over dy with zeros between its pixels.
    fn back(&self) -> Option<Strips> {
        let Window { size, stride, padding } = self.window;
        let (images, read, written) = (self.images, self.output, self.input);
        let strips =
            Strips { images, read, written, size, stride: 1, padding: size - 1 - padding, dilation: stride, rows: 1 };
        strips.with_rows(self.pixels(), |strips| self.shared(strips, written.channels))
    }

    /// Strips, outputs of a slice, and warps that share a tile.
    fn weight_gradient(&self) -> Option<(Strips, usize, usize)> {
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

    fn gradient_shared(&self, strips: &Strips, slice: usize) -> usize {
        scaled_bytes(strips.read.channels) + strips.window_bytes() + strips.input_bytes() + strips.output_bytes(slice)
    }

    /// Blocks that share the images of a slice.
    fn gradient_blocks(&self, strips: &Strips, slice: usize) -> usize {
        (BLOCKS / (self.output.channels / slice)).clamp(1, strips.tiles())
    }

    /// Numbers of working memory that sums over the channels of the output need there, and over those of the input back.
    pub(crate) fn partial_sums(self) -> usize {
        BLOCKS * self.input.channels.max(self.output.channels)
    }

    /// Numbers of working memory that the weight's gradient needs on its way.
    pub(crate) fn weight_parts(self) -> usize {
        self.weight_gradient()
            .map_or(0, |(strips, slice, shares)| self.gradient_blocks(&strips, slice) * shares * self.weight_length())
    }
}

/// What a convolution reads: a map, or the batch norm of a map with its activation, made as it is read and rounded as if
/// it were kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Read<'a> {
    Plain(View<'a, Bf16>),
    Normed(View<'a, Bf16>, Norm<'a>),
}

impl<'a> Read<'a> {
    fn check(&self, form: Form) -> Result<View<'a, Bf16>> {
        let (Self::Plain(x) | Self::Normed(x, _)) = *self;
        check_map("a convolution's input", x, form.x())?;
        if let Self::Normed(_, norm) = self {
            norm.check(Planes { images: form.images, channels: form.input.channels, plane: form.input.plane() })?;
        }
        Ok(x)
    }

    fn push(self, launch: Launch<'a>) -> Result<Launch<'a>> {
        match self {
            Self::Plain(x) => launch.view(x).nowhere().nowhere().nowhere().nowhere().index(0),
            Self::Normed(x, norm) => norm.push(launch.view(x)).index(code(norm.activation)),
        }
    }
}

/// Where the moments of a convolution's result go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moments<'a> {
    /// Working memory of [`Form::partial_sums`] numbers or more.
    pub(crate) partial: Out<'a, f64>,
    /// One number, 0 before and after.
    pub(crate) counter: Out<'a, u32>,
    pub(crate) mean: Out<'a, f64>,
    /// Biased variance.
    pub(crate) var: Out<'a, f64>,
}

/// y ← w ∗ x, or that and another map, which may be in y's own place; rounded before and after the sum. With the moments of
/// y, if they are asked for.
pub(crate) fn convolution<'a>(
    form: Form,
    weight: View<'a, Bf16>,
    x: Read<'a>,
    add: Option<View<'a, Bf16>>,
    y: Out<'a, Bf16>,
    moments: Option<Moments<'a>>,
) -> Result<Launch<'a>> {
    let kernel = Kernel::Convolution;
    let strips = form.there().ok_or_else(unfit)?;
    let read = x.check(form)?;
    check_map("a convolution's weight", weight, form.weight_length())?;
    check_map("a convolution's output", y.view(), form.y())?;
    check_apart(kernel, y, read)?;
    check_apart(kernel, y, weight)?;
    let launch = x.push(form.launch(kernel, &strips, form.shared(&strips, form.input.channels))?)?;
    let launch = added(kernel, launch.view(weight), add, y)?.out(y);
    let count = (form.images * form.output.plane()) as f64;
    let launch = match moments {
        None => launch.nowhere().nowhere().nowhere().nowhere(),
        Some(moments) => {
            check_length("the means", moments.mean.len(), form.output.channels)?;
            check_length("the variances", moments.var.len(), form.output.channels)?;
            check_length("a counter", moments.counter.len(), 1)?;
            let partial = moments.partial.part(0..form.partial_sums())?;
            for out in [moments.mean, moments.var] {
                check_apart(kernel, out, partial.view())?;
            }
            launch.out(partial).out(moments.counter).out(moments.mean).out(moments.var)
        }
    };
    let (read, written) = (extents(strips.read), extents(strips.written));
    let launch = launch.f64(count).index(strips.images)?.indices(read)?.indices(written)?;
    launch.indices([strips.size, strips.stride, strips.padding, strips.rows])
}

/// The first half of the way back of the batch norm that made a convolution's input: the gradients with respect to its
/// weight and bias, which are added to what is there, and the slopes of the second half.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sums<'a> {
    pub(crate) norm: Norm<'a>,
    /// What it made the input from.
    pub(crate) x: View<'a, Bf16>,
    pub(crate) mode: Mode,
    /// Its partial sums have room for [`Form::partial_sums`] numbers.
    pub(crate) reduced: Reduced<'a>,
    /// One number, 0 before and after.
    pub(crate) counter: Out<'a, u32>,
}

/// dx ← the gradient with respect to x, or dx ← dx + that if its flag says so. With the sums of the batch norm behind, if
/// they are asked for.
pub(crate) fn convolution_backward_data<'a>(
    form: Form,
    weight: View<'a, Bf16>,
    dy: View<'a, Bf16>,
    (dx, accumulate): (Out<'a, Bf16>, bool),
    sums: Option<Sums<'a>>,
) -> Result<Launch<'a>> {
    let kernel = Kernel::ConvolutionBackwardData;
    let strips = form.back().ok_or_else(unfit)?;
    check_map("a convolution's weight", weight, form.weight_length())?;
    check_map("the gradient of a convolution's output", dy, form.y())?;
    check_map("the gradient of a convolution's input", dx.view(), form.x())?;
    check_apart(kernel, dx, dy)?;
    check_apart(kernel, dx, weight)?;
    let launch = form.launch(kernel, &strips, form.shared(&strips, form.input.channels))?.view(dy).view(weight);
    let launch = added(kernel, launch, accumulate.then_some(dx.view()), dx)?.out(dx);
    let planes = Planes { images: form.images, channels: form.input.channels, plane: form.input.plane() };
    let (launch, training) = match sums {
        None => {
            let launch = launch.nowhere().nowhere().nowhere().nowhere().nowhere().index(0)?;
            (launch.nowhere().nowhere().nowhere().nowhere().nowhere(), false)
        }
        Some(Sums { norm, x, mode, reduced, counter }) => {
            norm.check(planes)?;
            check_map("a batch norm's input", x, form.x())?;
            check_apart(kernel, dx, x)?;
            check_length("a counter", counter.len(), 1)?;
            for gradient in [reduced.weight_gradient, reduced.bias_gradient] {
                check_length("the gradient of a batch norm's parameters", gradient.len(), planes.channels)?;
                check_apart(kernel, gradient, norm.weight)?;
                check_apart(kernel, gradient, norm.bias)?;
            }
            let slopes = reduced.slopes.part(0..3 * planes.channels)?;
            let launch = norm.push(launch.view(x)).index(code(norm.activation))?;
            let launch = launch.out(reduced.partial.part(0..form.partial_sums())?).out(counter);
            let launch = launch.out(reduced.weight_gradient).out(reduced.bias_gradient).out(slopes);
            (launch, mode == Mode::Training)
        }
    };
    let launch = launch.f64((planes.images * planes.plane) as f64).flag(training);
    let (read, written) = (extents(strips.read), extents(strips.written));
    let launch = launch.index(strips.images)?.indices(read)?.indices(written)?;
    launch.indices([strips.size, strips.padding, strips.dilation, strips.rows])
}

/// gradient ← gradient + that with respect to the weight, planar as in the parameters; through working memory of
/// [`Form::weight_parts`] numbers. In order.
pub(crate) fn convolution_backward_weight<'a>(
    form: Form,
    x: Read<'a>,
    dy: View<'a, Bf16>,
    parts: Out<'a, f32>,
    gradient: Out<'a, f32>,
) -> Result<[Launch<'a>; 2]> {
    let (strips, slice, shares) = form.weight_gradient().ok_or_else(unfit)?;
    x.check(form)?;
    check_map("the gradient of a convolution's output", dy, form.y())?;
    let parts = parts.part(0..form.weight_parts())?;
    index(form.x().max(form.y()).max(parts.len()))?;
    let (slices, blocks) = (form.output.channels / slice, form.gradient_blocks(&strips, slice));
    let grid = [index(slices)?, index(blocks)?];
    let launch = Launch::grid(Kernel::ConvolutionBackwardWeight, grid)?;
    let launch = x.push(launch.sharing(form.gradient_shared(&strips, slice))?)?.view(dy).out(parts);
    let launch = launch.index(strips.images)?.indices(extents(strips.read))?.indices(extents(strips.written))?;
    let sums = launch.indices([strips.size, strips.stride, strips.padding, strips.rows, slice, shares])?;
    Ok([
        sums,
        add_parts([form.output.channels, form.input.channels, form.window.size], blocks * shares, parts, gradient)?,
    ])
}

/// gradient ← gradient + the sum of so many parts of it; of outputs, channels and the rows and columns of the window.
pub(super) fn add_parts<'a>(
    [outputs, channels, size]: [usize; 3],
    count: usize,
    parts: Out<'a, f32>,
    gradient: Out<'a, f32>,
) -> Result<Launch<'a>> {
    let kernel = Kernel::ConvolutionBackwardWeightFinish;
    check_length("the gradient of a convolution's weight", gradient.len(), outputs * channels * size * size)?;
    check_length("the parts of a gradient", parts.len(), count * gradient.len())?;
    check_apart(kernel, gradient, parts.view())?;
    let launch = Launch::grid(kernel, [index(gradient.len().div_ceil(ADDED))?, 1])?;
    let launch = launch.sharing(THREADS * size_of::<f32>())?.out(parts).out(gradient);
    launch.indices([outputs, channels, size * size, count])
}

impl Form {
    /// Blocks that take strips by turns.
    fn launch<'a>(&self, kernel: Kernel, strips: &Strips, shared: usize) -> Result<Launch<'a>> {
        index(self.x().max(self.y()))?;
        Launch::grid(kernel, [index(strips.tiles().min(BLOCKS))?, 1])?.sharing(shared)
    }
}

/// That a map has its length, and starts where memory moves eight numbers as one.
fn check_map(name: &str, map: View<'_, Bf16>, length: usize) -> Result<()> {
    check_length(name, map.len(), length)?;
    match map.address() % 16 {
        0 => Ok(()),
        _ => Err(crate::Error::domain(format!("the start of {name} on the GPU"), map.address(), "a multiple of 16")),
    }
}

/// What is added to a result, or nothing.
fn added<'a>(kernel: Kernel, launch: Launch<'a>, add: Option<View<'a, Bf16>>, y: Out<'a, Bf16>) -> Result<Launch<'a>> {
    let Some(add) = add else { return Ok(launch.nowhere()) };
    check_map("what is added to a convolution", add, y.len())?;
    check_in_place(kernel, y, add)?;
    Ok(launch.view(add))
}

pub(super) fn extents(shape: Shape) -> [usize; 3] {
    [shape.channels, shape.height, shape.width]
}

fn unfit() -> crate::Error {
    crate::Error::device("a convolution on the GPU has no kernel of ours")
}
