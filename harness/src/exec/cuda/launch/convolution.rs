//! Convolutions on tensor cores, of maps in bfloat16 whose channels are last.

use super::elementwise::code;
use super::{Launch, Norm, Planes, Reduced, check_apart, check_in_place, check_length, index};
use crate::Result;
use crate::exec::Mode;
use crate::exec::cuda::kernels::{ADDED, Kernel, THREADS};
use crate::exec::cuda::memory::{Out, View};
use crate::exec::cuda::number::Bf16;
use crate::exec::gpu::form::{BLOCKS, Form, Strips};
use crate::model::graph::Shape;

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
    fn x(&self) -> usize {
        self.images * self.input.len()
    }

    fn y(&self) -> usize {
        self.images * self.output.len()
    }

    /// Numbers of working memory that sums over the channels of the output need there, and over those of the input back.
    pub(crate) fn partial_sums(self) -> usize {
        BLOCKS * self.input.channels.max(self.output.channels)
    }

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
