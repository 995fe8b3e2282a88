//! The way back through a direct convolution to its input, phase by phase.
//!
//! With stride s, the input pixels that leave the same remainders by s form a *phase*: all of them meet the same taps,
//! and are correlations of the output's gradient with those, turned round. So no product with a zero between the
//! gradients is taken.

use super::kernels::{InstructionSet, Packed, Windows};
use crate::Scalar;
use crate::exec::backend::Convolution;

/// The pixels of a phase along one axis.
#[derive(Debug, Clone)]
struct Axis {
    /// The first of them; the others follow `stride` apart.
    first: usize,
    count: usize,
    /// The taps that they meet, the last first.
    taps: Vec<usize>,
    /// The output pixel at which the first meets its last tap; it may lie before the image.
    start: isize,
}

impl Axis {
    fn new(first: usize, extent: usize, op: &Convolution) -> Self {
        let (size, stride, padding) = (op.window.size, op.window.stride, op.window.padding);
        let place = first + padding;
        let taps: Vec<usize> =
            (0..size).rev().filter(|tap| (place + size * stride - tap).is_multiple_of(stride)).collect();
        let last = taps.first().copied().unwrap_or_default();
        // Exact where there are taps.
        let start = (place as isize - last as isize).div_euclid(stride as isize);
        Self { first, count: (extent - first).div_ceil(stride), taps, start }
    }

    /// One past the last output pixel that they meet.
    fn end(&self) -> isize {
        self.start + (self.count + self.taps.len()) as isize - 1
    }
}

/// The zeros around the output's gradient that phases meet, and its height and width with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Surroundings {
    pub(super) before: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

/// One phase, and its kernels in the order of the products.
#[derive(Debug)]
pub(super) struct Phase<T> {
    rows: Axis,
    columns: Axis,
    /// None where no tap meets the phase.
    pub(super) packed: Option<Packed<T>>,
}

impl<T: Scalar> Phase<T> {
    /// All phases of a convolution, and what they meet.
    pub(super) fn all(set: InstructionSet, op: &Convolution) -> (Vec<Self>, Surroundings) {
        let axes = |extent: usize| (0..op.window.stride.min(extent)).map(move |first| Axis::new(first, extent, op));
        let mut phases = Vec::new();
        let output = op.output;
        let mut around = Surroundings { before: 0, height: output.height, width: output.width };
        for rows in axes(op.input.height) {
            for columns in axes(op.input.width) {
                let taps = rows.taps.len() * columns.taps.len();
                let packed = (taps > 0).then(|| Packed::new(set, taps * output.channels, op.input.channels));
                if packed.is_some() {
                    around.before = around.before.max((-rows.start.min(columns.start)).max(0) as usize);
                    around.height = around.height.max(rows.end().max(0) as usize);
                    around.width = around.width.max(columns.end().max(0) as usize);
                }
                phases.push(Self { rows: rows.clone(), columns, packed });
            }
        }
        around.height += around.before;
        around.width += around.before;
        (phases, around)
    }

    /// Takes over a convolution's weights.
    pub(super) fn load(&mut self, op: &Convolution, weight: &[T]) {
        let (inputs, outputs, size) = (op.input.channels, op.output.channels, op.window.size);
        let Self { rows, columns, packed } = self;
        let Some(packed) = packed else { return };
        packed.fill(|index, input| {
            let (tap, output) = (index / outputs, index % outputs);
            let tap = rows.taps[tap / columns.taps.len()] * size + columns.taps[tap % columns.taps.len()];
            weight[(output * inputs + input) * size * size + tap]
        });
    }

    /// The first of its pixels in an image of rows of `width` pixels, counted in pixels; its rows and columns.
    pub(super) fn pixels(&self, width: usize) -> (usize, [usize; 2]) {
        (self.rows.first * width + self.columns.first, [self.rows.count, self.columns.count])
    }

    /// Where its windows begin in the gradient with its surroundings, whose pixels lie `pitch` numbers apart.
    pub(super) fn windows(&self, op: &Convolution, around: Surroundings, pitch: usize) -> (usize, Windows) {
        let row = around.width * pitch;
        let place = |start: isize| (start + around.before as isize) as usize;
        let windows = Windows {
            rows: self.rows.count,
            columns: self.columns.count,
            row_step: row,
            step: pitch,
            taps: self.rows.taps.len(),
            tap_step: row,
            span: self.columns.taps.len() * op.output.channels,
            images: 1,
            image_step: 0,
        };
        (place(self.rows.start) * row + place(self.columns.start) * pitch, windows)
    }
}
