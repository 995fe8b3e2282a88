//! Winograd convolution of one image, forward and back: transforms, sixteen products, and back again.

use super::convolution::at_least;
use super::kernels::{
    Cut, Gradients, InstructionSet, POSITIONS, Packed, Results, Rows, RowsMut, Tiles, Windows, add_weight_gradient,
    correlate_all, transform_gradients, transform_pixels, transform_sums,
};
use super::padding::Margins;
use crate::Scalar;
use crate::model::graph::Shape;

/// Tiles gone through at a time: enough to fill the registers of the products, few enough to stay in the nearest cache.
const TILES: usize = 16;

/// Tiles gone through at a time for gradients of kernels, whose sums are read and written each time.
const TILES_OF_SUMS: usize = 64;

/// The weights of every position.
pub(super) type Positions<T> = [Packed<T>; POSITIONS];

/// The tiles of an image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tiling {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Tiling {
    /// Tiles that cover a map.
    pub(super) fn of(map: Shape) -> Self {
        let Shape { height, width, .. } = map;
        Self { height, width, rows: height.div_ceil(2), columns: width.div_ceil(2) }
    }

    /// How many there are.
    pub(super) fn count(self) -> usize {
        self.rows * self.columns
    }

    /// The zeros around an image that tiles are made of.
    pub(super) fn margins(self) -> Margins {
        Margins { before: 1, height: 2 * self.rows + 2, width: 2 * self.columns + 2 }
    }

    /// Numbers in an image of so many channels with its zeros.
    pub(super) fn padded(self, channels: usize) -> usize {
        self.margins().height * self.margins().width * channels
    }

    /// All tiles, whose numbers of so many channels lie so far from one position to the next.
    pub(super) fn tiles(self, channels: usize, position_step: usize) -> Tiles {
        Tiles { rows: self.rows, columns: self.columns, channels, position_step }
    }

    /// The pixels of the map.
    pub(super) fn cut(self) -> Cut {
        Cut { height: self.height, width: self.width }
    }

    /// The same tiles some rows at a time, with the first row of each.
    fn strips(self, tiles: usize) -> impl Iterator<Item = (usize, Self)> {
        let most = tiles.div_ceil(self.columns).min(self.rows);
        (0..self.rows).step_by(most).map(move |first| {
            let rows = most.min(self.rows - first);
            (first, Self { rows, height: (2 * rows).min(self.height - 2 * first), ..self })
        })
    }

    /// y ← w ∗ x, or y ← y + it, for an image x with the margins of its tiles.
    pub(super) fn convolve<T: Scalar>(
        self,
        set: InstructionSet,
        weights: &Positions<T>,
        x: &[T],
        y: RowsMut<'_, T>,
        add: bool,
        [v, m]: &mut [Vec<T>; 2],
    ) {
        let (inputs, outputs) = (weights[0].depth(), weights[0].outputs());
        let row = self.margins().width * inputs;
        for (first, strip) in self.strips(TILES) {
            let count = strip.count();
            let v = at_least(v, POSITIONS * count * inputs);
            let m = at_least(m, POSITIONS * count * outputs);
            transform_pixels(set, strip.tiles(inputs, count * inputs), &x[2 * first * row..], v);
            let results = Results { numbers: m, pitch: outputs, image_step: 0, add: false };
            correlate_all(Windows::pixels_of(count, inputs), [count * inputs, count * outputs], v, weights, results);
            let y = RowsMut { numbers: &mut y.numbers[2 * first * self.width * y.pitch..], pitch: y.pitch };
            transform_sums(set, strip.tiles(outputs, count * outputs), m, strip.cut(), y, add);
        }
    }

    /// Adds the products of an image x, with the margins of its tiles, and gradients dy to the sums of every position.
    pub(super) fn add_sums<T: Scalar>(
        self,
        set: InstructionSet,
        [inputs, outputs]: [usize; 2],
        x: &[T],
        dy: Rows<'_, T>,
        sums: &mut [T],
        [v, z]: &mut [Vec<T>; 2],
    ) {
        let row = self.margins().width * inputs;
        for (first, strip) in self.strips(TILES_OF_SUMS) {
            let count = strip.count();
            let v = at_least(v, POSITIONS * count * inputs);
            let z = at_least(z, POSITIONS * count * outputs);
            transform_pixels(set, strip.tiles(inputs, count * inputs), &x[2 * first * row..], v);
            let dy = Rows { numbers: &dy.numbers[2 * first * self.width * dy.pitch..], pitch: dy.pitch };
            transform_gradients(set, strip.tiles(outputs, count * outputs), strip.cut(), dy, z);
            let windows = Windows::pixels_of(count, inputs);
            let each = v.chunks_exact(count * inputs).zip(z.chunks_exact(count * outputs));
            for ((v, z), sums) in each.zip(sums.chunks_exact_mut(inputs * outputs)) {
                let gradients = Gradients { numbers: z, pitch: outputs, image_step: 0, channels: outputs };
                add_weight_gradient(set, windows, v, gradients, sums);
            }
        }
    }
}
