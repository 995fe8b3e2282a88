//! Images with zeros around them.

use super::kernels::{Extent, Rows, RowsMut};
use crate::Scalar;
use crate::model::graph::Shape;

/// The zeros around an image: so many rows above it and pixels to its left, and rows and pixels in all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Margins {
    pub(super) before: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

/// Writes a packed copy of an image with zeros around; `read` reads some pixels of it.
pub(super) fn pad<T: Scalar>(
    shape: Shape,
    margins: Margins,
    x: Rows<'_, T>,
    padded: &mut [T],
    read: impl Fn(Extent, Rows<'_, T>, RowsMut<'_, T>),
) {
    let Margins { before, height, width } = margins;
    let channels = shape.channels;
    if [height, width] == [shape.height, shape.width] {
        let extent = Extent { pixels: shape.plane(), channels };
        return read(extent, x, RowsMut { numbers: padded, pitch: channels });
    }
    let row = width * channels;
    let (above, rest) = padded[..height * row].split_at_mut(before * row);
    let (inside, below) = rest.split_at_mut(shape.height * row);
    above.fill(T::zero());
    below.fill(T::zero());
    for (y, padded) in inside.chunks_exact_mut(row).enumerate() {
        let (left, rest) = padded.split_at_mut(before * channels);
        let (numbers, right) = rest.split_at_mut(shape.width * channels);
        left.fill(T::zero());
        right.fill(T::zero());
        let x = Rows { numbers: &x.numbers[y * shape.width * x.pitch..], pitch: x.pitch };
        read(Extent { pixels: shape.width, channels }, x, RowsMut { numbers, pitch: channels });
    }
}
