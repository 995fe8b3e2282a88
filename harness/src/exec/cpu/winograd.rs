//! Winograd convolution of one image, forward and back: transforms, sixteen products, and back again.

use std::ops::Range;

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
const TILES_OF_SUMS: usize = 32;

/// The weights of every position.
pub(super) type Positions<T> = [Packed<T>; POSITIONS];

/// Working memory of transforms.
#[derive(Debug, Default)]
pub(super) struct TileSpace<T> {
    /// Some rows of the image with its margins.
    padded: Vec<T>,
    pixels: Vec<T>,
    /// Sums or gradients.
    others: Vec<T>,
}

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
        Margins { before: 1, width: 2 * self.columns + 2 }
    }

    /// Rows of an image with its zeros.
    pub(super) fn padded_rows(self) -> usize {
        2 * self.rows + 2
    }

    /// Numbers in an image of so many channels with its zeros.
    pub(super) fn padded(self, channels: usize) -> usize {
        self.padded_rows() * self.margins().width * channels
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

    /// Visits the tiles some rows at a time with the transformed pixels of each, and the first row. `pad` writes some
    /// rows of the image with the margins of its tiles.
    fn for_strips<T: Scalar>(
        self,
        set: InstructionSet,
        (tiles, channels): (usize, usize),
        pad: impl Fn(Range<usize>, &mut [T]),
        [padded, pixels]: [&mut Vec<T>; 2],
        mut visit: impl FnMut(usize, Self, &[T]),
    ) {
        let row = self.margins().width * channels;
        // The rows that the padded numbers begin and end with.
        let mut made = 0..0;
        for (first, strip) in self.strips(tiles) {
            let rows = 2 * first..2 * first + strip.padded_rows();
            let padded = at_least(padded, rows.len().max(made.len()) * row);
            // The last two rows of one strip are the first two of the next.
            let kept = made.end - rows.start;
            padded.copy_within((made.len() - kept) * row..made.len() * row, 0);
            pad(made.end..rows.end, &mut padded[kept * row..rows.len() * row]);
            let step = strip.count() * channels;
            let pixels = at_least(pixels, POSITIONS * step);
            transform_pixels(set, strip.tiles(channels, step), padded, pixels);
            visit(first, strip, pixels);
            made = rows;
        }
    }

    /// y ← w ∗ x, or y ← y + it; `pad` writes some rows of x with the margins of its tiles, and `begin` what lies in some
    /// of y's pixels before.
    pub(super) fn convolve<T: Scalar>(
        self,
        weights: &Positions<T>,
        pad: impl Fn(Range<usize>, &mut [T]),
        begin: impl Fn(Range<usize>, RowsMut<'_, T>),
        y: RowsMut<'_, T>,
        add: bool,
        space: &mut TileSpace<T>,
    ) {
        let [first, ..] = weights;
        let (set, inputs, outputs) = (first.set(), first.depth(), first.outputs());
        let TileSpace { padded, pixels, others: sums } = space;
        self.for_strips(set, (TILES, inputs), pad, [padded, pixels], |first, strip, pixels| {
            let count = strip.count();
            let numbers = at_least(sums, POSITIONS * count * outputs);
            let results = Results { numbers, pitch: outputs, row_step: 0, image_step: 0, add: false };
            let steps = [count * inputs, count * outputs];
            correlate_all(Windows::pixels_of(count, inputs), steps, pixels, weights, results);
            let pixel = 2 * first * self.width;
            let mut y = RowsMut { numbers: &mut y.numbers[pixel * y.pitch..], pitch: y.pitch };
            begin(pixel..pixel + strip.height * self.width, y.lend());
            transform_sums(set, strip.tiles(outputs, count * outputs), sums, strip.cut(), y, add);
        });
    }

    /// Adds the products of an image x and gradients dy to the sums of every position; `pad` writes some rows of x with
    /// the margins of its tiles.
    pub(super) fn add_sums<T: Scalar>(
        self,
        set: InstructionSet,
        [inputs, outputs]: [usize; 2],
        pad: impl Fn(Range<usize>, &mut [T]),
        dy: Rows<'_, T>,
        sums: &mut [T],
        space: &mut TileSpace<T>,
    ) {
        let TileSpace { padded, pixels, others: gradients } = space;
        self.for_strips(set, (TILES_OF_SUMS, inputs), pad, [padded, pixels], |first, strip, pixels| {
            let count = strip.count();
            let gradients = at_least(gradients, POSITIONS * count * outputs);
            let dy = Rows { numbers: &dy.numbers[2 * first * self.width * dy.pitch..], pitch: dy.pitch };
            transform_gradients(set, strip.tiles(outputs, count * outputs), strip.cut(), dy, gradients);
            let windows = Windows::pixels_of(count, inputs);
            let each = pixels.chunks_exact(count * inputs).zip(gradients.chunks_exact(count * outputs));
            for ((pixels, numbers), sums) in each.zip(sums.chunks_exact_mut(inputs * outputs)) {
                let gradients = Gradients { numbers, pitch: outputs, image_step: 0, channels: outputs };
                add_weight_gradient(set, windows, pixels, gradients, sums);
            }
        });
    }
}
