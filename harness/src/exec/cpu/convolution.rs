//! One convolution on one image, forward and back.

use super::kernels::{
    Extent, Gradients, InstructionSet, Packed, Results, Rows, RowsMut, Windows, add, add_weight_gradient, correlate,
};
use super::source::Reader;
use super::step::Source;
use crate::Scalar;
use crate::exec::backend::Convolution;
use crate::model::graph::Window;

/// A convolution with its weights in the order of the kernels.
#[derive(Debug)]
pub(super) struct Kernels<T> {
    pub(super) op: Convolution,
    pub(super) set: InstructionSet,
    pub(super) forward: Packed<T>,
    /// The weights turned round, with inputs and outputs exchanged.
    pub(super) backward: Packed<T>,
    pub(super) bias: Vec<T>,
}

/// Working memory of a convolution.
#[derive(Debug, Default)]
pub(super) struct Space<T> {
    /// The image with its padding.
    pub(super) padded: Vec<T>,
    /// The output's gradient with zeros around and, with a stride, between.
    pub(super) spread: Vec<T>,
}

impl<T: Scalar> Kernels<T> {
    pub(super) fn new(set: InstructionSet, op: Convolution) -> Self {
        let (inputs, outputs, taps) = (op.input.channels, op.output.channels, op.window.size * op.window.size);
        Self {
            set,
            forward: Packed::new(set, taps * inputs, outputs),
            backward: Packed::new(set, taps * outputs, inputs),
            bias: Vec::new(),
            op,
        }
    }

    /// Takes over the weights for the way there.
    pub(super) fn load(&mut self, parameters: &[T]) {
        let Convolution { input, window: Window { size, .. }, ref weight, ref bias, .. } = self.op;
        let (weight, taps) = (&parameters[weight.clone()], size * size);
        self.forward.fill(|index, output| {
            weight[(output * input.channels + index % input.channels) * taps + index / input.channels]
        });
        self.bias.clear();
        self.bias.extend_from_slice(bias.as_ref().map_or(&[], |bias| &parameters[bias.clone()]));
    }

    /// Takes over the weights for the way back.
    pub(super) fn load_backward(&mut self, parameters: &[T]) {
        let Convolution { input, output, window: Window { size, .. }, ref weight, .. } = self.op;
        let (weight, taps) = (&parameters[weight.clone()], size * size);
        self.backward.fill(|index, channel| {
            let (tap, output) = (taps - 1 - index / output.channels, index % output.channels);
            weight[(output * input.channels + channel) * taps + tap]
        });
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
    pub(super) fn reads_in_place(&self, source: Source) -> bool {
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
        let padded = at_least(padded, self.padded());
        self.pad(reader, source, x, padded);
        (padded, self.padded_windows())
    }

    /// Numbers in a padded image.
    pub(super) fn padded(&self) -> usize {
        let Convolution { input, window: Window { padding, .. }, .. } = self.op;
        (input.height + 2 * padding) * (input.width + 2 * padding) * input.channels
    }

    /// The windows in a padded image.
    pub(super) fn padded_windows(&self) -> Windows {
        self.windows(self.op.input.width + 2 * self.op.window.padding, self.op.input.channels)
    }

    /// Writes a padded copy of what the source makes of x.
    pub(super) fn pad(&self, reader: Reader<'_, T>, source: Source, x: Rows<'_, T>, padded: &mut [T]) {
        let (input, padding) = (self.op.input, self.op.window.padding);
        let (width, channels) = (input.width + 2 * padding, input.channels);
        if padding == 0 {
            let extent = Extent { pixels: input.plane(), channels };
            reader.read(source, extent, x, RowsMut { numbers: padded, pitch: channels });
            return;
        }
        let row = width * channels;
        let (above, rest) = padded.split_at_mut(padding * row);
        let (inside, below) = rest.split_at_mut(input.height * row);
        above.fill(T::zero());
        below.fill(T::zero());
        for (y, padded) in inside.chunks_exact_mut(row).enumerate() {
            let (left, rest) = padded.split_at_mut(padding * channels);
            let (numbers, right) = rest.split_at_mut(input.width * channels);
            left.fill(T::zero());
            right.fill(T::zero());
            let x = Rows { numbers: &x.numbers[y * input.width * x.pitch..], pitch: x.pitch };
            let extent = Extent { pixels: input.width, channels };
            reader.read(source, extent, x, RowsMut { numbers, pitch: channels });
        }
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
        let (x, windows) = self.prepare(reader, source, x, &mut space.padded);
        self.write_bias(y.numbers, y.pitch);
        let add = !self.bias.is_empty();
        correlate(windows, x, &self.forward, Results { numbers: y.numbers, pitch: y.pitch, image_step: 0, add });
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

    /// Adds the gradients with respect to the weights, window by window, and to the bias.
    pub(super) fn backward_weight(
        &self,
        reader: Reader<'_, T>,
        source: Source,
        [x, dy]: [Rows<'_, T>; 2],
        dw: &mut [T],
        bias: &mut [f64],
        space: &mut Space<T>,
    ) {
        let (x, windows) = self.prepare(reader, source, x, &mut space.padded);
        let channels = self.op.output.channels;
        let gradients = Gradients { numbers: dy.numbers, pitch: dy.pitch, image_step: 0, channels };
        add_weight_gradient(self.set, windows, x, gradients, dw);
        self.add_bias_gradient(dy.numbers, dy.pitch, bias);
    }

    /// dx ← the gradient with respect to x, or dx ← dx + it.
    pub(super) fn backward_data(
        &self,
        dy: Rows<'_, T>,
        mut dx: RowsMut<'_, T>,
        accumulate: bool,
        space: &mut Space<T>,
    ) {
        let Convolution { input, output, window: Window { stride, .. }, .. } = self.op;
        if self.is_pointwise() {
            let windows = Windows {
                rows: 1,
                columns: output.plane(),
                row_step: 0,
                step: dy.pitch,
                taps: 1,
                tap_step: 0,
                span: output.channels,
                images: 1,
                image_step: 0,
            };
            if stride == 1 {
                correlate(
                    windows,
                    dy.numbers,
                    &self.backward,
                    Results { numbers: dx.numbers, pitch: dx.pitch, image_step: 0, add: accumulate },
                );
            } else {
                let sparse = at_least(&mut space.spread, output.plane() * input.channels);
                correlate(
                    windows,
                    dy.numbers,
                    &self.backward,
                    Results { numbers: sparse, pitch: input.channels, image_step: 0, add: false },
                );
                self.scatter(sparse, dx.lend(), accumulate);
            }
            return;
        }
        let spread = at_least(&mut space.spread, self.spread_length());
        self.spread(dy, spread);
        let windows = self.spread_windows();
        let results = Results { numbers: dx.numbers, pitch: dx.pitch, image_step: 0, add: accumulate };
        correlate(windows, spread, &self.backward, results);
    }

    /// Numbers in a spread gradient.
    pub(super) fn spread_length(&self) -> usize {
        let Convolution { input, output, window: Window { size, .. }, .. } = self.op;
        (input.height + size - 1) * (input.width + size - 1) * output.channels
    }

    /// The windows in a spread gradient, one for every input pixel.
    pub(super) fn spread_windows(&self) -> Windows {
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
    pub(super) fn spread(&self, dy: Rows<'_, T>, spread: &mut [T]) {
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
