//! One convolution on one image, forward and back.

use std::ops::Range;

use super::algorithm::{Algorithm, Planned};
use super::kernels::{
    Extent, Gradients, InstructionSet, KernelOrder, Packed, Results, Rows, RowsMut, Windows, add_weight_gradient, copy,
    correlate, transform_kernels,
};
use super::padding::{Margins, pad};
use super::phases::{Phase, Surroundings};
use super::source::Reader;
use super::step::Source;
use super::winograd::{Positions, TileSpace, Tiling};
use crate::Scalar;
use crate::exec::backend::Convolution;
use crate::model::graph::Window;

/// A convolution with its weights in the order of the kernels.
#[derive(Debug)]
pub(super) struct Kernels<T> {
    pub(super) op: Convolution,
    pub(super) set: InstructionSet,
    pub(super) forward: Forward<T>,
    pub(super) backward: Backward<T>,
    pub(super) bias: Vec<T>,
}

/// Weights as an algorithm needs them for the way there.
#[derive(Debug)]
pub(super) enum Forward<T> {
    Direct(Packed<T>),
    Winograd(Box<Positions<T>>),
}

/// Weights for the way back: turned round, with inputs and outputs exchanged.
#[derive(Debug)]
pub(super) enum Backward<T> {
    Direct(Vec<Phase<T>>, Surroundings),
    Winograd(Box<Positions<T>>),
}

/// Working memory of a convolution.
#[derive(Debug, Default)]
pub(super) struct Space<T> {
    /// An image with zeros around, or some rows of it.
    pub(super) padded: Vec<T>,
    pub(super) tiles: TileSpace<T>,
}

/// Numbers of padded rows that are made at a time.
const NEAR: usize = 1 << 12;

impl<T: Scalar> Kernels<T> {
    pub(super) fn new(set: InstructionSet, Planned { op, algorithm }: Planned) -> Self {
        let (inputs, outputs, taps) = (op.input.channels, op.output.channels, op.window.size * op.window.size);
        let (forward, backward) = match algorithm {
            Algorithm::Direct => {
                let (phases, around) = Phase::all(set, &op);
                (Forward::Direct(Packed::new(set, taps * inputs, outputs)), Backward::Direct(phases, around))
            }
            Algorithm::Winograd | Algorithm::Wide => {
                let positions = |depth, outputs| Box::new(std::array::from_fn(|_| Packed::new(set, depth, outputs)));
                (Forward::Winograd(positions(inputs, outputs)), Backward::Winograd(positions(outputs, inputs)))
            }
        };
        Self { set, forward, backward, bias: Vec::new(), op }
    }

    /// Takes over the weights for the way there.
    pub(super) fn load(&mut self, parameters: &[T]) {
        let Convolution { input, window: Window { size, .. }, ref weight, ref bias, .. } = self.op;
        let (weight, taps) = (&parameters[weight.clone()], size * size);
        match &mut self.forward {
            Forward::Direct(packed) => packed.fill(|index, output| {
                weight[(output * input.channels + index % input.channels) * taps + index / input.channels]
            }),
            Forward::Winograd(positions) => {
                let order = KernelOrder { output_step: input.channels * taps, input_step: taps, turned: false };
                transform_kernels(weight, order, positions);
            }
        }
        self.bias.clear();
        self.bias.extend_from_slice(bias.as_ref().map_or(&[], |bias| &parameters[bias.clone()]));
    }

    /// Takes over the weights for the way back.
    pub(super) fn load_backward(&mut self, parameters: &[T]) {
        let (op, weight) = (&self.op, &parameters[self.op.weight.clone()]);
        match &mut self.backward {
            Backward::Direct(phases, _) => phases.iter_mut().for_each(|phase| phase.load(op, weight)),
            Backward::Winograd(positions) => {
                let taps = op.window.size * op.window.size;
                let order = KernelOrder { output_step: taps, input_step: op.input.channels * taps, turned: true };
                transform_kernels(weight, order, positions);
            }
        }
    }

    /// Whether every output is made of one pixel, so that nothing need be padded.
    fn is_pointwise(&self) -> bool {
        self.op.window.size == 1 && self.op.window.padding == 0
    }

    /// Some rows of windows in an image of rows `width` pixels wide that lie `pitch` numbers apart.
    fn windows(&self, rows: usize, width: usize, pitch: usize) -> Windows {
        let Convolution { input, output, window: Window { size, stride, .. }, .. } = self.op;
        Windows {
            rows,
            columns: output.width,
            row_step: stride * width * pitch,
            step: stride * pitch,
            taps: size,
            tap_step: width * pitch,
            span: size * input.channels,
            images: 1,
            image_step: 0,
        }
    }

    /// Visits the windows of all outputs, some rows at a time, that what the source makes of x may still be in the
    /// nearest cache. `visit` takes the first pixel of the rows, and the numbers that their windows cover.
    fn for_windows(
        &self,
        reader: Reader<'_, T>,
        source: Source,
        x: Rows<'_, T>,
        padded: &mut Vec<T>,
        mut visit: impl FnMut(usize, &[T], Windows),
    ) {
        let Convolution { input, output, window: Window { size, stride, padding }, .. } = self.op;
        if self.is_pointwise() && source.is_plain() {
            let windows = match stride {
                1 => Windows { step: x.pitch, ..Windows::pixels_of(output.plane(), input.channels) },
                _ => self.windows(output.height, input.width, x.pitch),
            };
            return visit(0, x.numbers, windows);
        }
        let width = if self.is_pointwise() { output.width } else { input.width + 2 * padding };
        let row = width * input.channels;
        let most = (NEAR / (row * stride)).clamp(1, output.height);
        for first in (0..output.height).step_by(most) {
            let rows = most.min(output.height - first);
            if self.is_pointwise() {
                // The pixels that are read, side by side.
                let packed = at_least(padded, rows * row);
                for (y, packed) in packed.chunks_exact_mut(row).enumerate() {
                    let from = (first + y) * stride * input.width * x.pitch;
                    let x = Rows { numbers: &x.numbers[from..], pitch: stride * x.pitch };
                    let extent = Extent { pixels: width, channels: input.channels };
                    reader.read(source, extent, x, RowsMut { numbers: packed, pitch: input.channels });
                }
                visit(first * width, packed, Windows::pixels_of(rows * width, input.channels));
            } else {
                let covered = first * stride..(first + rows - 1) * stride + size;
                let padded = at_least(padded, covered.len() * row);
                let margins = Margins { before: padding, width };
                pad(input, margins, covered, x, padded, |extent, x, y| reader.read(source, extent, x, y));
                visit(first * output.width, padded, self.windows(rows, width, input.channels));
            }
        }
    }

    /// y ← w ∗ x plus the bias, plus `term`.
    pub(super) fn forward(
        &self,
        reader: Reader<'_, T>,
        source: Source,
        x: Rows<'_, T>,
        y: RowsMut<'_, T>,
        term: Option<Rows<'_, T>>,
        space: &mut Space<T>,
    ) {
        let add = term.is_some() || !self.bias.is_empty();
        match &self.forward {
            Forward::Direct(packed) => {
                self.for_windows(reader, source, x, &mut space.padded, |first, x, windows| {
                    let mut y = RowsMut { numbers: &mut y.numbers[first * y.pitch..], pitch: y.pitch };
                    self.begin(term, first..first + windows.pixels(), y.lend());
                    let row_step = windows.columns * y.pitch;
                    let results = Results { numbers: y.numbers, pitch: y.pitch, row_step, image_step: 0, add };
                    correlate(windows, x, packed, results);
                });
            }
            Forward::Winograd(positions) => {
                let tiling = Tiling::of(self.op.output);
                let pad = |rows: Range<usize>, padded: &mut [T]| self.pad_for_tiles(reader, source, x, rows, padded);
                let begin = |pixels: Range<usize>, y: RowsMut<'_, T>| self.begin(term, pixels, y);
                tiling.convolve(positions, pad, begin, y, add, &mut space.tiles);
            }
        }
    }

    /// Writes some rows of what the source makes of x with the margins of its tiles.
    pub(super) fn pad_for_tiles(
        &self,
        reader: Reader<'_, T>,
        source: Source,
        x: Rows<'_, T>,
        rows: Range<usize>,
        padded: &mut [T],
    ) {
        let margins = Tiling::of(self.op.output).margins();
        pad(self.op.input, margins, rows, x, padded, |extent, x, y| reader.read(source, extent, x, y));
    }

    /// Writes some rows of the output's gradient with the margins of its tiles.
    pub(super) fn pad_gradient_for_tiles(&self, dy: Rows<'_, T>, rows: Range<usize>, padded: &mut [T]) {
        pad(self.op.output, Tiling::of(self.op.input).margins(), rows, dy, padded, copy);
    }

    /// Begins some pixels of the results with the term of these pixels and the bias, if there are any.
    pub(super) fn begin(&self, term: Option<Rows<'_, T>>, pixels: Range<usize>, y: RowsMut<'_, T>) {
        let extent = Extent { pixels: pixels.len(), channels: self.op.output.channels };
        if let Some(term) = term {
            let rows = Rows { numbers: &term.numbers[pixels.start * term.pitch..], pitch: term.pitch };
            copy(extent, rows, RowsMut { numbers: y.numbers, pitch: y.pitch });
        }
        for pixel in y.numbers.chunks_mut(y.pitch).take(extent.pixels).filter(|_| !self.bias.is_empty()) {
            for (y, bias) in pixel.iter_mut().zip(&self.bias) {
                *y = if term.is_some() { *y + *bias } else { *bias };
            }
        }
    }

    /// Adds an image's gradient with respect to the bias.
    pub(super) fn add_bias_gradient(&self, dy: &[T], pitch: usize, bias: &mut [f64]) {
        if !bias.is_empty() {
            for pixel in dy.chunks(pitch).take(self.op.output.plane()) {
                bias.iter_mut().zip(pixel).for_each(|(sum, dy)| *sum += dy.to_f64());
            }
        }
    }

    /// Adds the gradients with respect to the bias, and to the weights: window by window, or position by position.
    pub(super) fn backward_weight(
        &self,
        reader: Reader<'_, T>,
        source: Source,
        [x, dy]: [Rows<'_, T>; 2],
        sums: &mut [T],
        bias: &mut [f64],
        space: &mut Space<T>,
    ) {
        self.add_bias_gradient(dy.numbers, dy.pitch, bias);
        let (inputs, outputs) = (self.op.input.channels, self.op.output.channels);
        match &self.forward {
            Forward::Direct(_) => {
                self.for_windows(reader, source, x, &mut space.padded, |first, x, windows| {
                    let numbers = &dy.numbers[first * dy.pitch..];
                    let gradients = Gradients { numbers, pitch: dy.pitch, image_step: 0, channels: outputs };
                    add_weight_gradient(self.set, windows, x, gradients, sums);
                });
            }
            Forward::Winograd(_) => {
                let pad = |rows: Range<usize>, padded: &mut [T]| self.pad_for_tiles(reader, source, x, rows, padded);
                Tiling::of(self.op.output).add_sums(self.set, [inputs, outputs], pad, dy, sums, &mut space.tiles);
            }
        }
    }

    /// dx ← the gradient with respect to x, or dx ← dx + it.
    pub(super) fn backward_data(&self, dy: Rows<'_, T>, dx: RowsMut<'_, T>, add: bool, space: &mut Space<T>) {
        let Convolution { input, output, window: Window { stride, .. }, .. } = self.op;
        let (phases, around) = match &self.backward {
            Backward::Direct(phases, around) => (phases, *around),
            Backward::Winograd(positions) => {
                let pad = |rows: Range<usize>, padded: &mut [T]| self.pad_gradient_for_tiles(dy, rows, padded);
                return Tiling::of(input).convolve(positions, pad, |_, _| {}, dx, add, &mut space.tiles);
            }
        };
        let dy = if self.is_pointwise() {
            dy
        } else {
            let Surroundings { before, height, width } = around;
            let numbers = at_least(&mut space.padded, height * width * output.channels);
            pad(output, Margins { before, width }, 0..height, dy, numbers, copy);
            Rows { numbers, pitch: output.channels }
        };
        let (row_step, pitch) = (stride * input.width * dx.pitch, stride * dx.pitch);
        for phase in phases {
            let (first, [rows, columns]) = phase.pixels(input.width);
            let numbers = &mut dx.numbers[first * dx.pitch..];
            if let Some(packed) = &phase.packed {
                let (start, windows) = phase.windows(&self.op, around, dy.pitch);
                let results = Results { numbers, pitch, row_step, image_step: 0, add };
                correlate(windows, &dy.numbers[start..], packed, results);
            } else if !add {
                for row in 0..rows {
                    let pixels = numbers[row * row_step..].chunks_mut(pitch).take(columns);
                    pixels.for_each(|pixel| pixel[..input.channels].fill(T::zero()));
                }
            }
        }
    }
}

/// Makes a vector at least this long, and lends its beginning.
pub(super) fn at_least<T: Scalar>(vector: &mut Vec<T>, length: usize) -> &mut [T] {
    if vector.len() < length {
        vector.resize(length, T::zero());
    }
    &mut vector[..length]
}
