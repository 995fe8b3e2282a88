//! The steps of a stage on one image.

use super::convolution::{Kernels, Space, at_least};
use super::frame::Frame;
use super::kernels::{
    Affine, Extent, InstructionSet, Rows, RowsMut, Trend, add, add_moments, add_trend, affine_backward,
};
use super::pooling::Pool;
use super::source::{Coefficients, Reader};
use super::step::{Destination, Place, Schedule, Source, Step};
use crate::Scalar;
use crate::exec::Mode;
use crate::exec::activation::{Pointwise, Relu, Sigmoid, Softplus};
use crate::model::graph::{Activation, Shape};

/// What all images have in common while a stage runs.
#[derive(Clone, Copy)]
pub(super) struct Common<'a, T> {
    pub(super) set: InstructionSet,
    pub(super) schedule: &'a Schedule,
    pub(super) kernels: &'a [Kernels<T>],
    pub(super) coefficients: &'a Coefficients<T>,
    pub(super) trends: &'a Trends<T>,
    pub(super) mode: Mode,
}

/// What the moments of batch norms pass on to every channel that any of them reads.
#[derive(Debug, Default)]
pub(super) struct Trends<T> {
    pub(super) mean: Vec<T>,
    pub(super) slope: Vec<T>,
    pub(super) offset: Vec<T>,
}

/// Where a group of images adds up its sums.
pub(super) struct Sums<'a, T> {
    pub(super) double: &'a mut [f64],
    pub(super) partial: &'a mut [T],
}

/// One thread's work on a group of images.
pub(super) struct Worker<'a, 'f, T> {
    pub(super) common: Common<'a, T>,
    pub(super) frame: Frame<'f, T>,
    pub(super) space: &'f mut Space<T>,
    pub(super) sums: Sums<'f, T>,
}

impl<T: Scalar> Worker<'_, '_, T> {
    /// One step on one image, whose pixels lie channel by channel in `image`.
    pub(super) fn step(&mut self, step: &Step, image: &[T]) {
        let Common { set, schedule, kernels, coefficients, trends, mode } = self.common;
        let reader = Reader { set, norms: &schedule.norms, coefficients };
        match *step {
            Step::Load { y } => self.frame.write(y, |_, rows| interleave(image, y.shape, rows, false)),
            Step::Map { x, y } => self.map(reader, x, y),
            Step::Convolution { op, x, y, term } => {
                let space = &mut *self.space;
                self.frame.update(x.place, y, |frame, rows, y| {
                    kernels[op].forward(reader, x, rows, y, term.map(|term| frame.rows(term)), space);
                });
            }
            Step::Moments { x, at } => {
                if mode == Mode::Training {
                    let sums = &mut self.sums.double[at..at + 2 * x.shape.channels];
                    add_moments(set, x.extent(), self.frame.rows(x), sums);
                }
            }
            Step::AveragePool { size, x, y } => {
                self.frame.update(x, y, |_, rows, y| Pool { input: x.shape, size }.average(rows, y));
            }
            Step::MaxPool { size, x, y } => {
                self.frame.update(x, y, |_, rows, y| Pool { input: x.shape, size }.maximum(rows, y));
            }
            Step::Dropout { factors, x, y } => {
                self.frame.update(x, y.place, |frame, rows, out| {
                    multiply(x.extent(), rows, frame.rows(factors), out, y.add);
                });
            }
            Step::Flatten { x, y } => self.frame.update(x, y, |_, rows, y| deinterleave(x.shape, rows, y.numbers)),
            Step::Clear { y } => self.frame.write(y, |_, rows| fill(y.extent(), rows, T::zero())),
            Step::Trend { x, ref channels, dx } => {
                let range = channels.clone();
                let trend = Trend {
                    mean: &trends.mean[range.clone()],
                    slope: &trends.slope[range.clone()],
                    offset: &trends.offset[range],
                };
                self.frame.write(dx, |frame, dx| add_trend(set, x.extent(), trend, frame.rows(x), dx));
            }
            Step::ConvolutionBackward { op, x, dy, dx, at, bias_at } => {
                let kernels = &kernels[op];
                let dw = &mut self.sums.partial[at..at + schedule.convolutions[op].sums()];
                let bias = kernels.op.bias.as_ref().map_or(0, |bias| bias.len());
                let bias = &mut self.sums.double[bias_at..bias_at + bias];
                let rows = [self.frame.rows(x.place), self.frame.rows(dy)];
                kernels.backward_weight(reader, x, rows, dw, bias, self.space);
                if let Some(Destination { place, add }) = dx {
                    let space = &mut *self.space;
                    self.frame.update(dy, place, |_, dy, dx| kernels.backward_data(dy, dx, add, space));
                }
            }
            Step::NormBackward { norm, x, dy, dx, at } => self.norm_backward(norm, x, dy, dx, at),
            Step::FunctionBackward { f, x, dy, dx } => self.function_backward(x, dy, dx, |x, dy| match f {
                Activation::Relu => Relu::back(x, dy),
                Activation::Sigmoid => Sigmoid::back(x, dy),
                Activation::Softplus => Softplus::back(x, dy),
            }),
            Step::FunctionBackwardFromValue { f, y, dy, dx } => self.function_backward(y, dy, dx, |y, dy| match f {
                Activation::Relu => Relu::back_from_value(y, dy),
                Activation::Sigmoid => Sigmoid::back_from_value(y, dy),
                Activation::Softplus => Softplus::back_from_value(y, dy),
            }),
            Step::AveragePoolBackward { size, dy, dx } => {
                let pool = Pool { input: dx.place.shape, size };
                self.clear_unless_added(dx);
                self.frame.update(dy, dx.place, |_, dy, dx| pool.average_backward(dy, dx));
            }
            Step::MaxPoolBackward { size, x, dy, dx } => {
                let pool = Pool { input: x.shape, size };
                self.clear_unless_added(dx);
                self.frame.update(dy, dx.place, |frame, dy, dx| pool.maximum_backward(frame.rows(x), dy, dx));
            }
            Step::FlattenBackward { dy, dx } => {
                self.frame.update(dy, dx.place, |_, dy, rows| {
                    interleave(dy.numbers, dx.place.shape, rows, dx.add);
                });
            }
        }
    }

    fn clear_unless_added(&mut self, dx: Destination) {
        if !dx.add {
            self.frame.write(dx.place, |_, rows| fill(dx.place.extent(), rows, T::zero()));
        }
    }

    /// y ← what the source makes of x, or y ← y + it.
    fn map(&mut self, reader: Reader<'_, T>, x: Source, y: Destination) {
        let extent = x.place.extent();
        let padded = &mut self.space.padded;
        self.frame.update(x.place, y.place, |_, rows, out| match (y.add, x.is_plain()) {
            (false, _) => reader.read(x, extent, rows, out),
            (true, true) => add(reader.set, extent, rows, out),
            (true, false) => {
                let pitch = extent.channels;
                let numbers = at_least(padded, x.place.shape.len());
                reader.read(x, extent, rows, RowsMut { numbers, pitch });
                add(reader.set, extent, Rows { numbers, pitch }, out);
            }
        });
    }

    fn norm_backward(&mut self, norm: usize, x: Place, dy: Place, dx: Option<Destination>, at: usize) {
        let Common { set, schedule, coefficients, .. } = self.common;
        let (norm, extent) = (&schedule.norms[norm], x.extent());
        let sums = &mut self.sums.double[at..at + 2 * extent.channels];
        let f = coefficients.affine(Some(norm), norm.op.activation, extent.channels);
        let padded = &mut self.space.padded;
        let Some(Destination { place, add }) = dx else {
            let (x, dy) = (self.frame.rows(x), self.frame.rows(dy));
            let dz = before_function(norm.op.activation, extent, f, [x, dy], padded);
            affine_backward(set, extent, f, [x, dz], None, sums);
            return;
        };
        self.frame.update(dy, place, |frame, dy, dx| {
            let x = frame.rows(x);
            let dz = before_function(norm.op.activation, extent, f, [x, dy], padded);
            affine_backward(set, extent, f, [x, dz], Some((dx, add)), sums);
        });
    }

    /// dx ← slope(x, dy), or dx ← dx + it, number by number.
    fn function_backward(&mut self, x: Place, dy: Place, dx: Destination, slope: impl Fn(T, T) -> T) {
        let extent = x.extent();
        self.frame.update(dy, dx.place, |frame, dy, out| {
            let x = frame.rows(x);
            for pixel in 0..extent.pixels {
                let (x, dy) = (&x.numbers[pixel * x.pitch..], &dy.numbers[pixel * dy.pitch..]);
                let out = &mut out.numbers[pixel * out.pitch..][..extent.channels];
                for ((out, x), dy) in out.iter_mut().zip(x).zip(dy) {
                    let before = if dx.add { *out } else { T::zero() };
                    *out = before + slope(*x, *dy);
                }
            }
        });
    }
}

/// The gradient before the function after a batch norm; that before ReLU is left to the kernel.
fn before_function<'a, T: Scalar>(
    function: Option<Activation>,
    extent: Extent,
    f: Affine<'_, T>,
    [x, dy]: [Rows<'a, T>; 2],
    space: &'a mut Vec<T>,
) -> Rows<'a, T> {
    let slope: fn(T, T) -> T = match function {
        None | Some(Activation::Relu) => return dy,
        Some(Activation::Sigmoid) => Sigmoid::back,
        Some(Activation::Softplus) => Softplus::back,
    };
    let numbers = at_least(space, extent.pixels * extent.channels);
    for (pixel, dz) in numbers.chunks_exact_mut(extent.channels).enumerate() {
        let (x, dy) = (&x.numbers[pixel * x.pitch..], &dy.numbers[pixel * dy.pitch..]);
        let channels = dz.iter_mut().zip(x).zip(dy).zip(f.mean.iter().zip(f.scale).zip(f.shift));
        channels.for_each(|(((dz, x), dy), ((mean, scale), shift))| *dz = slope(*scale * (*x - *mean) + *shift, *dy));
    }
    Rows { numbers, pitch: extent.channels }
}

fn fill<T: Scalar>(extent: Extent, y: RowsMut<'_, T>, number: T) {
    for pixel in y.numbers.chunks_mut(y.pitch).take(extent.pixels) {
        pixel[..extent.channels].fill(number);
    }
}

/// y ← x times the factors, or y ← y + it.
fn multiply<T: Scalar>(extent: Extent, x: Rows<'_, T>, factors: Rows<'_, T>, y: RowsMut<'_, T>, add: bool) {
    for pixel in 0..extent.pixels {
        let (x, factors) = (&x.numbers[pixel * x.pitch..], &factors.numbers[pixel * factors.pitch..]);
        let y = &mut y.numbers[pixel * y.pitch..][..extent.channels];
        for ((y, x), factor) in y.iter_mut().zip(x).zip(factors) {
            *y = if add { *y + *x * *factor } else { *x * *factor };
        }
    }
}

/// y ← an image stored channel by channel, or y ← y + it.
pub(super) fn interleave<T: Scalar>(image: &[T], shape: Shape, y: RowsMut<'_, T>, add: bool) {
    for (channel, plane) in image.chunks_exact(shape.plane()).take(shape.channels).enumerate() {
        for (pixel, number) in plane.iter().enumerate() {
            let to = &mut y.numbers[pixel * y.pitch + channel];
            *to = if add { *to + *number } else { *number };
        }
    }
}

/// The numbers of an image channel by channel.
fn deinterleave<T: Scalar>(shape: Shape, x: Rows<'_, T>, y: &mut [T]) {
    for (channel, plane) in y.chunks_exact_mut(shape.plane()).take(shape.channels).enumerate() {
        plane.iter_mut().enumerate().for_each(|(pixel, number)| *number = x.numbers[pixel * x.pitch + channel]);
    }
}
