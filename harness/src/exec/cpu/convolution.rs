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
    set: InstructionSet,
    forward: Packed<T>,
    /// The weights turned round, with inputs and outputs exchanged.
    backward: Packed<T>,
    bias: Vec<T>,
}

/// Working memory of a convolution.
#[derive(Debug, Default)]
pub(super) struct Space<T> {
    /// The image with its padding.
    pub(super) padded: Vec<T>,
    /// The output's gradient with zeros around and, with a stride, between.
    spread: Vec<T>,
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

    /// Takes over the weights.
    pub(super) fn load(&mut self, parameters: &[T]) {
        let (inputs, outputs, size) = (self.op.input.channels, self.op.output.channels, self.op.window.size);
        let weight = &parameters[self.op.weight.clone()];
        let taps = size * size;
        self.forward.fill(|index, output| weight[(output * inputs + index % inputs) * taps + index / inputs]);
        self.backward
            .fill(|index, input| weight[(index % outputs * inputs + input) * taps + taps - 1 - index / outputs]);
        self.bias.clear();
        self.bias.extend_from_slice(self.op.bias.as_ref().map_or(&[], |bias| &parameters[bias.clone()]));
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
        let (input, padding) = (self.op.input, self.op.window.padding);
        if self.reads_in_place(source) {
            return (x.numbers, self.windows(input.width, x.pitch));
        }
        let (width, channels) = (input.width + 2 * padding, input.channels);
        let padded = at_least(padded, (input.height + 2 * padding) * width * channels);
        if padding == 0 {
            let extent = Extent { pixels: input.plane(), channels };
            reader.read(source, extent, x, RowsMut { numbers: padded, pitch: channels });
        } else {
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
        (padded, self.windows(width, channels))
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
        if !self.bias.is_empty() {
            for pixel in y.numbers.chunks_mut(y.pitch).take(self.op.output.plane()) {
                pixel[..self.bias.len()].copy_from_slice(&self.bias);
            }
        }
        let add = !self.bias.is_empty();
        correlate(windows, x, &self.forward, Results { numbers: y.numbers, pitch: y.pitch, add });
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
        let gradients = Gradients { numbers: dy.numbers, pitch: dy.pitch, channels };
        add_weight_gradient(self.set, windows, x, gradients, dw);
        if !bias.is_empty() {
            for pixel in dy.numbers.chunks(dy.pitch).take(self.op.output.plane()) {
                bias.iter_mut().zip(pixel).for_each(|(sum, dy)| *sum += dy.to_f64());
            }
        }
    }

    /// dx ← the gradient with respect to x, or dx ← dx + it.
    pub(super) fn backward_data(
        &self,
        dy: Rows<'_, T>,
        mut dx: RowsMut<'_, T>,
        accumulate: bool,
        space: &mut Space<T>,
    ) {
        let Convolution { input, output, window: Window { size, stride, .. }, .. } = self.op;
        if self.is_pointwise() {
            let windows = Windows {
                rows: 1,
                columns: output.plane(),
                row_step: 0,
                step: dy.pitch,
                taps: 1,
                tap_step: 0,
                span: output.channels,
            };
            if stride == 1 {
                correlate(
                    windows,
                    dy.numbers,
                    &self.backward,
                    Results { numbers: dx.numbers, pitch: dx.pitch, add: accumulate },
                );
            } else {
                let sparse = at_least(&mut space.spread, output.plane() * input.channels);
                correlate(
                    windows,
                    dy.numbers,
                    &self.backward,
                    Results { numbers: sparse, pitch: input.channels, add: false },
                );
                self.scatter(sparse, dx.lend(), accumulate);
            }
            return;
        }
        let width = input.width + size - 1;
        let spread = self.spread(dy, &mut space.spread);
        let windows = Windows {
            rows: input.height,
            columns: input.width,
            row_step: width * output.channels,
            step: output.channels,
            taps: size,
            tap_step: width * output.channels,
            span: size * output.channels,
        };
        correlate(windows, spread, &self.backward, Results { numbers: dx.numbers, pitch: dx.pitch, add: accumulate });
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
    fn spread<'a>(&self, dy: Rows<'_, T>, spread: &'a mut Vec<T>) -> &'a [T] {
        let Convolution { input, output, window: Window { size, stride, padding }, .. } = self.op;
        let (height, width, channels) = (input.height + size - 1, input.width + size - 1, output.channels);
        let spread = at_least(spread, height * width * channels);
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
        spread
    }
}

/// Makes a vector at least this long, and lends its beginning.
pub(super) fn at_least<T: Scalar>(vector: &mut Vec<T>, length: usize) -> &mut [T] {
    if vector.len() < length {
        vector.resize(length, T::zero());
    }
    &mut vector[..length]
}
