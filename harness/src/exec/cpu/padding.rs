//! Images with zeros around them, some rows at a time.

use std::ops::Range;

use super::kernels::{Extent, Rows, RowsMut};
use crate::Scalar;
use crate::model::graph::Shape;

/// The zeros around an image: so many rows above it and pixels to its left, and so many pixels in a row in all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Margins {
    pub(super) before: usize,
    pub(super) width: usize,
}

/// Writes a packed copy of some rows of an image with zeros around, of which those above it are the first; `read` reads
/// some pixels of it.
pub(super) fn pad<T: Scalar>(
    shape: Shape,
    Margins { before, width }: Margins,
    rows: Range<usize>,
    x: Rows<'_, T>,
    padded: &mut [T],
    read: impl Fn(Extent, Rows<'_, T>, RowsMut<'_, T>),
) {
    let channels = shape.channels;
    for (row, padded) in rows.zip(padded.chunks_exact_mut(width * channels)) {
        let Some(y) = row.checked_sub(before).filter(|y| *y < shape.height) else {
            padded.fill(T::zero());
            continue;
        };
        let (left, rest) = padded.split_at_mut(before * channels);
        let (numbers, right) = rest.split_at_mut(shape.width * channels);
        left.fill(T::zero());
        right.fill(T::zero());
        let x = Rows { numbers: &x.numbers[y * shape.width * x.pitch..], pitch: x.pitch };
        read(Extent { pixels: shape.width, channels }, x, RowsMut { numbers, pitch: channels });
    }
}
