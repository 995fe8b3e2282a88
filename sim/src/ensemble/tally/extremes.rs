//! How far a chain goes.

use super::{Tally, number};
use crate::ensemble::lanes::Lanes;
use crate::sgd::Round;

/// The lowest and the highest iterate, and the length of the longest finished round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extremes {
    /// The lowest iterate; ∞ before the first.
    pub lowest: f64,
    /// The highest iterate; −∞ before the first.
    pub highest: f64,
    /// The largest T + 1; 0 before the first round ends.
    pub longest_round: u64,
}

impl Default for Extremes {
    fn default() -> Self {
        Self { lowest: f64::INFINITY, highest: f64::NEG_INFINITY, longest_round: 0 }
    }
}

// SAFETY of every block: as in the trait, the caller vouches for the instructions.
impl Tally for Extremes {
    /// Lowest, highest, longest.
    type Of<V: Lanes> = [V::Numbers; 3];

    fn point(&mut self, point: f64) {
        self.lowest = self.lowest.min(point);
        self.highest = self.highest.max(point);
    }

    fn round(&mut self, round: &Round) {
        self.longest_round = self.longest_round.max(round.iterates);
    }

    #[inline(always)]
    unsafe fn none<V: Lanes>() -> [V::Numbers; 3] {
        unsafe { [f64::INFINITY, f64::NEG_INFINITY, 0.0].map(|number| V::splat(number)) }
    }

    #[inline(always)]
    unsafe fn points<V: Lanes>(kept: &mut [V::Numbers; 3], points: V::Numbers) {
        unsafe {
            kept[0] = V::min(kept[0], points);
            kept[1] = V::max(kept[1], points);
        }
    }

    #[inline(always)]
    unsafe fn rounds<V: Lanes>(kept: &mut [V::Numbers; 3], ended: V::Mask, _sums: V::Numbers, iterates: V::Numbers) {
        unsafe { kept[2] = V::select(ended, V::max(kept[2], iterates), kept[2]) }
    }

    #[inline(always)]
    unsafe fn of_chain<V: Lanes>(kept: &[V::Numbers; 3], lane: usize) -> Self {
        let [lowest, highest, longest] = kept.map(|numbers| unsafe { number::<V>(numbers, lane) });
        Self { lowest, highest, longest_round: longest as u64 }
    }
}
