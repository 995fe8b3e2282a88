//! The averages of single rounds: w̄ of Theorem 2.

use super::{Tally, number};
use crate::ensemble::lanes::Lanes;
use crate::sgd::Round;

/// Sums over finished rounds of their averages, in both normalisations, and how many averages are negative.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RoundMeans {
    /// Sum of the averages w̄ = S/(T + 1).
    pub sum: f64,
    /// Sum of the averages as printed, S/T.
    pub sum_as_printed: f64,
    /// Rounds with w̄ < 0.
    pub negative: u64,
}

// SAFETY of every block: as in the trait, the caller vouches for the instructions.
impl Tally for RoundMeans {
    /// In the order of the fields.
    type Of<V: Lanes> = [V::Numbers; 3];

    fn point(&mut self, _point: f64) {}

    fn round(&mut self, round: &Round) {
        self.sum += round.mean();
        self.sum_as_printed += round.mean_as_printed();
        self.negative += u64::from(round.sum < 0.0);
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
            // Divisions are slow, and most steps end no round in a short vector.
            if V::any(ended) {
                let one = V::splat(1.0);
                kept[0] = V::add_where(ended, kept[0], V::div(sums, iterates));
                kept[1] = V::add_where(ended, kept[1], V::div(sums, V::sub(iterates, one)));
                let is_negative = V::both(ended, V::is_negative(sums));
                kept[2] = V::add_where(is_negative, kept[2], one);
            }
        }
    }

    #[inline(always)]
    unsafe fn of_chain<V: Lanes>(kept: &[V::Numbers; 3], lane: usize) -> Self {
        let [sum, sum_as_printed, negative] = kept.map(|numbers| unsafe { number::<V>(numbers, lane) });
        Self { sum, sum_as_printed, negative: negative as u64 }
    }
}
