//! One convolution on one image, forward and back.

use super::algorithm::{Algorithm, Planned};
use super::kernels::{
    Extent, Gradients, InstructionSet, KernelOrder, Packed, Results, Rows, RowsMut, Windows, add, add_weight_gradient,
    copy, correlate, transform_kernels,
};
use super::padding::{Margins, pad};
use super::source::Reader;
use super::step::Source;
use super::winograd::{Positions, Tiling};
use crate::Scalar;
use crate::exec::backend::Convolution;
use crate::model::graph::Window;

/// A convolution with its weights in the order of the kernels.
#[derive(Debug)]
pub(super) struct Kernels<T> {
    pub(super) op: Convolution,
    pub(super) set: InstructionSet,
    pub(super) forward: Filters<T>,
    /// The weights turned round, with inputs and outputs exchanged.
    pub(super) backward: Filters<T>,
    pub(super) bias: Vec<T>,
}

/// Weights as an algorithm needs them.
#[derive(Debug)]
pub(super) enum Filters<T> {
    Direct(Packed<T>),
    Winograd(Box<Positions<T>>),
}

impl<T: Scalar> Filters<T> {
    fn new(set: InstructionSet, algorithm: Algorithm, taps: usize, [inputs, outputs]: [usize; 2]) -> Self {
        match algorithm {
            Algorithm::Direct => Self::Direct(Packed::new(set, taps * inputs, outputs)),
            Algorithm::Winograd | Algorithm::Wide => {
                Self::Winograd(Box::new(std::array::from_fn(|_| Packed::new(set, inputs, outputs))))
            }
        }
    }
}

/// Working memory of a convolution.
#[derive(Debug, Default)]
pub(super) struct Space<T> {
    /// The image with its padding.
    pub(super) padded: Vec<T>,
    /// The output's gradient with zeros around and, with a stride, between.
    pub(super) spread: Vec<T>,
    /// Transformed numbers.
    pub(super) transformed: [Vec<T>; 2],
}

impl<T: Scalar> Kernels<T> {
    pub(super) fn new(set: InstructionSet, Planned { op, algorithm }: Planned) -> Self {
        let (inputs, outputs, taps) = (op.input.channels, op.output.channels, op.window.size * op.window.size);
        Self {
            set,
            forward: Filters::new(set, algorithm, taps, [inputs, outputs]),
            backward: Filters::new(set, algorithm, taps, [outputs, inputs]),
            bias: Vec::new(),
            op,
        }
    }

    /// Takes over the weights for the way there.
    pub(super) fn load(&mut self, parameters: &[T]) {
        let Convolution { input, window: Window { size, .. }, ref weight, ref bias, .. } = self.op;
        let (weight, taps) = (&parameters[weight.clone()], size * size);
        match &mut self.forward {
            Filters::Direct(packed) => packed.fill(|index, output| {
                weight[(output * input.channels + index % input.channels) * taps + index / input.channels]
            }),
            Filters::Winograd(positions) => {
                let order = KernelOrder { output_step: input.channels * taps, input_step: taps, turned: false };
                transform_kernels(weight, order, positions);
            }
        }
        self.bias.clear();
        self.bias.extend_from_slice(bias.as_ref().map_or(&[], |bias| &parameters[bias.clone()]));
    }

    /// Takes over the weights for the way back.
    pub(super) fn load_backward(&mut self, parameters: &[T]) {
        let Convolution { input, output, window: Window { size, .. }, ref weight, .. } = self.op;
        let (weight, taps) = (&parameters[weight.clone()], size * size);
        match &mut self.backward {
            Filters::Direct(packed) => packed.fill(|index, channel| {
                let (tap, output) = (taps - 1 - index / output.channels, index % output.channels);
                weight[(output * input.channels + channel) * taps + tap]
            }),
            Filters::Winograd(positions) => {
                let order = KernelOrder { output_step: taps, input_step: input.channels * taps, turned: true };
                transform_kernels(weight, order, positions);
            }
        }
    }

    /// Whether every output is made of one pixel, so that nothing need be padded.
    fn is_pointwise(&self) -> bool {
        self.op.window.size == 1 && self.op.window.padding == 0
    }

    /// The windows in an image of rows `width` pixels wide that lie `pitch` numbers apart.
    fn windows(&self, width: usize, pitch: usize) -> Windows {
        let Convolution { input, output, window: Window { size, stride, .. }, .. } = self.op;
        let is_flat = size == 1 && stride == 1 && width == output.width;
        let (rows, columns) = if is_flat { (1, output.plane()) } else { (output.height, output.width) };
        Windows {
            rows,
            columns,
            row_step: stride * width * pitch,
            step: stride * pitch,
            taps: size,
            tap_step: width * pitch,
            span: size * input.channels,
            images: 1,
            image_step: 0,
        }
    }

    /// Whether x is read where it lies.
    fn reads_in_place(&self, source: Source) -> bool {
        self.is_pointwise() && source.is_plain()
    }

    /// The numbers that the windows of x cover: x itself, or a padded copy of what the source makes of it.
    fn prepare<'a>(
        &self,
        reader: Reader<'_, T>,
        source: Source,
        x: Rows<'a, T>,
        padded: &'a mut Vec<T>,
    ) -> (&'a [T], Windows) {
        if self.reads_in_place(source) {
            return (x.numbers, self.windows(self.op.input.width, x.pitch));
        }
        let Convolution { input, window: Window { padding, .. }, .. } = self.op;
        let (height, width) = (input.height + 2 * padding, input.width + 2 * padding);
        let padded = at_least(padded, height * width * input.channels);
        let margins = Margins { before: padding, height, width };
        pad(input, margins, x, padded, |extent, x, y| reader.read(source, extent, x, y));
        (padded, self.windows(width, input.channels))
    }

    /// y ← w ∗ x plus the bias.
    pub(super) fn forward(
        &self,
        reader: Reader<'_, T>,
        source: Source,
        x: Rows<'_, T>,
        y: RowsMut<'_, T>,
        space: &mut Space<T>,
    ) {
        self.write_bias(y.numbers, y.pitch);
        let add = !self.bias.is_empty();
        match &self.forward {
            Filters::Direct(packed) => {
                let (x, windows) = self.prepare(reader, source, x, &mut space.padded);
                correlate(windows, x, packed, Results { numbers: y.numbers, pitch: y.pitch, image_step: 0, add });
            }
            Filters::Winograd(positions) => {
                let tiling = Tiling::of(self.op.output);
                let padded = at_least(&mut space.padded, tiling.padded(self.op.input.channels));
                self.pad_for_tiles(reader, source, x, padded);
                tiling.convolve(self.set, positions, padded, y, add, &mut space.transformed);
            }
        }
    }

    /// Writes what the source makes of x with the margins of its tiles.
    pub(super) fn pad_for_tiles(&self, reader: Reader<'_, T>, source: Source, x: Rows<'_, T>, padded: &mut [T]) {
        let margins = Tiling::of(self.op.output).margins();
        pad(self.op.input, margins, x, padded, |extent, x, y| reader.read(source, extent, x, y));
    }

    /// Writes the output's gradient with the margins of its tiles.
    pub(super) fn pad_gradient_for_tiles(&self, dy: Rows<'_, T>, padded: &mut [T]) {
        pad(self.op.output, Tiling::of(self.op.input).margins(), dy, padded, copy);
    }

    /// Begins the sums of an image's results with the bias, if there is one.
    pub(super) fn write_bias(&self, y: &mut [T], pitch: usize) {
        if !self.bias.is_empty() {
            for pixel in y.chunks_mut(pitch).take(self.op.output.plane()) {
                pixel[..self.bias.len()].copy_from_slice(&self.bias);
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
            Filters::Direct(_) => {
                let (x, windows) = self.prepare(reader, source, x, &mut space.padded);
                let gradients = Gradients { numbers: dy.numbers, pitch: dy.pitch, image_step: 0, channels: outputs };
                add_weight_gradient(self.set, windows, x, gradients, sums);
            }
            Filters::Winograd(_) => {
                let tiling = Tiling::of(self.op.output);
                let padded = at_least(&mut space.padded, tiling.padded(inputs));
                self.pad_for_tiles(reader, source, x, padded);
                tiling.add_sums(self.set, [inputs, outputs], padded, dy, sums, &mut space.transformed);
            }
        }
    }

    /// dx ← the gradient with respect to x, or dx ← dx + it.
    pub(super) fn backward_data(&self, dy: Rows<'_, T>, mut dx: RowsMut<'_, T>, add: bool, space: &mut Space<T>) {
        let Convolution { input, output, window: Window { stride, .. }, .. } = self.op;
        let packed = match &self.backward {
            Filters::Direct(packed) => packed,
            Filters::Winograd(positions) => {
                let tiling = Tiling::of(input);
                let padded = at_least(&mut space.spread, tiling.padded(output.channels));
                self.pad_gradient_for_tiles(dy, padded);
                return tiling.convolve(self.set, positions, padded, dx, add, &mut space.transformed);
            }
        };
        if self.is_pointwise() {
            let windows = Windows { step: dy.pitch, ..Windows::pixels_of(output.plane(), output.channels) };
            if stride == 1 {
                let results = Results { numbers: dx.numbers, pitch: dx.pitch, image_step: 0, add };
                correlate(windows, dy.numbers, packed, results);
            } else {
                let sparse = at_least(&mut space.spread, output.plane() * input.channels);
                let results = Results { numbers: sparse, pitch: input.channels, image_step: 0, add: false };
                correlate(windows, dy.numbers, packed, results);
                self.scatter(sparse, dx.lend(), add);
            }
            return;
        }
        let spread = at_least(&mut space.spread, self.spread_length());
        self.spread(dy, spread);
        let results = Results { numbers: dx.numbers, pitch: dx.pitch, image_step: 0, add };
        correlate(self.spread_windows(), spread, packed, results);
    }

    /// Numbers in a spread gradient.
    fn spread_length(&self) -> usize {
        let Convolution { input, output, window: Window { size, .. }, .. } = self.op;
        (input.height + size - 1) * (input.width + size - 1) * output.channels
    }

    /// The windows in a spread gradient, one for every input pixel.
    fn spread_windows(&self) -> Windows {
        let Convolution { input, output, window: Window { size, .. }, .. } = self.op;
        let row = (input.width + size - 1) * output.channels;
        Windows {
            rows: input.height,
            columns: input.width,
            row_step: row,
            step: output.channels,
            taps: size,
            tap_step: row,
            span: size * output.channels,
            images: 1,
            image_step: 0,
        }
    }

    /// Puts the numbers of every output's pixel where that pixel is read from, with 0 between or nothing added.
    fn scatter(&self, sparse: &[T], dx: RowsMut<'_, T>, accumulate: bool) {
        let Convolution { input, output, window: Window { stride, .. }, .. } = self.op;
        if !accumulate {
            for pixel in dx.numbers.chunks_mut(dx.pitch).take(input.plane()) {
                pixel[..input.channels].fill(T::zero());
            }
        }
        for row in 0..output.height {
            let x = Rows { numbers: &sparse[row * output.width * input.channels..], pitch: input.channels };
            let dx =
                RowsMut { numbers: &mut dx.numbers[row * stride * input.width * dx.pitch..], pitch: stride * dx.pitch };
            add(self.set, Extent { pixels: output.width, channels: input.channels }, x, dx);
        }
    }

    /// The output's gradient as the image whose windows, one for every input pixel, hold what that pixel was part of.
    fn spread(&self, dy: Rows<'_, T>, spread: &mut [T]) {
        let Convolution { input, output, window: Window { size, stride, padding }, .. } = self.op;
        let (height, width, channels) = (input.height + size - 1, input.width + size - 1, output.channels);
        spread.fill(T::zero());
        // Output pixel o meets tap t at input pixel o·stride + t − padding; there the window's first tap is the last.
        let place = |index: usize, extent: usize| {
            (index * stride + size - 1).checked_sub(padding).filter(|place| *place < extent)
        };
        for row in 0..output.height {
            let Some(y) = place(row, height) else { continue };
            let columns = (0..output.width).filter_map(|column| Some((column, place(column, width)?)));
            for (column, x) in columns {
                let from = &dy.numbers[(row * output.width + column) * dy.pitch..][..channels];
                spread[(y * width + x) * channels..][..channels].copy_from_slice(from);
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
