//! Strips of rows of planar maps in shared memory; `planar_strips.h`.

use crate::exec::cuda::memory::View;
use crate::exec::gpu::form::{Strips, TILE};

/// The first length from this one on that is an odd multiple of a step: numbers that far apart lie on different banks.
pub(super) fn apart(length: usize, step: usize) -> usize {
    (length.div_ceil(step) | 1) * step
}

/// All channels, or a half of them, and so on, in whole tiles.
pub(super) fn slices(channels: usize) -> impl Iterator<Item = usize> {
    (1..=channels.div_ceil(TILE)).map(move |parts| channels.div_ceil(parts).next_multiple_of(TILE))
}

impl Strips {
    /// Numbers of a channel of a strip's input, with the zeros around its rows.
    pub(super) fn planar_length(&self) -> usize {
        let border = self.padding.next_multiple_of(4);
        let rows = (self.rows - 1) * self.stride + self.size;
        rows * (self.read.width.next_multiple_of(4) + border) + border
    }

    /// Whether all rows of these maps consist of whole packs of four numbers, which memory moves as one.
    pub(super) fn fours(&self, maps: [View<'_, f32>; 2]) -> bool {
        let whole = [self.read.width, self.written.width].iter().all(|width| width.is_multiple_of(4));
        whole && maps.iter().all(|map| map.address() % 16 == 0)
    }
}
