//! Second moments of rounds: what a confidence bound of a ratio needs, even from one chain.

use super::{Tally, number};
use crate::ensemble::lanes::Lanes;
use crate::sgd::Round;

/// Sums of S², S·(T + 1) and (T + 1)² over finished rounds, S the sum of a round's T + 1 iterates.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RoundMoments {
    /// ΣS².
    pub sum_squared: f64,
    /// ΣS·(T + 1).
    pub sum_by_iterates: f64,
    /// Σ(T + 1)².
    pub iterates_squared: f64,
}

// SAFETY of every block: as in the trait, the caller vouches for the instructions.
impl Tally for RoundMoments {
    /// In the order of the fields.
    type Of<V: Lanes> = [V::Numbers; 3];

    fn point(&mut self, _point: f64) {}

    fn round(&mut self, round: &Round) {
        let iterates = round.iterates as f64;
        self.sum_squared += round.sum * round.sum;
        self.sum_by_iterates += round.sum * iterates;
        self.iterates_squared += iterates * iterates;
    }

    #[inline(always)]
    unsafe fn none<V: Lanes>() -> [V::Numbers; 3] {
        unsafe { [V::splat(0.0); 3] }
    }

    #[inline(always)]
    unsafe fn points<V: Lanes>(_kept: &mut [V::Numbers; 3], _points: V::Numbers) {}

    #[inline(always)]
    unsafe fn rounds<V: Lanes>(kept: &mut [V::Numbers; 3], ended: V::Mask, sums: V::Numbers, iterates: V::Numbers) {
        unsafe {
            kept[0] = V::add_where(ended, kept[0], V::mul(sums, sums));
            kept[1] = V::add_where(ended, kept[1], V::mul(sums, iterates));
            kept[2] = V::add_where(ended, kept[2], V::mul(iterates, iterates));
        }
    }

    #[inline(always)]
    unsafe fn of_chain<V: Lanes>(kept: &[V::Numbers; 3], lane: usize) -> Self {
        let [sum_squared, sum_by_iterates, iterates_squared] =
            kept.map(|numbers| unsafe { number::<V>(numbers, lane) });
        Self { sum_squared, sum_by_iterates, iterates_squared }
    }
}
