//! All iterates and all rounds of a chain, taken together.

use super::{Stretches, Tally, number};
use crate::ensemble::lanes::Lanes;
use crate::sgd::Round;

/// How many rounds were finished, and the sums over all iterates: of those in finished rounds, and of those around them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// Rounds finished.
    pub rounds: u64,
    /// Iterates in them, the sum of T + 1.
    pub round_iterates: u64,
    /// The sum of their sums.
    pub round_sum: f64,
    /// The sum of the iterates before the first round.
    pub before: f64,
    /// The sum of the iterates after the last finished round, if there is any.
    pub after: f64,
}

impl Totals {
    /// w₀ + … + w_(n−1), over all iterates.
    pub fn sum(&self) -> f64 {
        self.before + self.round_sum + self.after
    }
}

// SAFETY of every block: as in the trait, the caller vouches for the instructions.
impl Tally for Totals {
    /// Rounds, and their sum.
    type Of<V: Lanes> = [V::Numbers; 2];

    fn point(&mut self, _point: f64) {}

    fn round(&mut self, round: &Round) {
        self.rounds += 1;
        self.round_sum += round.sum;
    }

    fn close(&mut self, stretches: &Stretches) {
        self.round_iterates = stretches.round_iterates;
        self.before = stretches.before;
        self.after = stretches.after;
    }

    #[inline(always)]
    unsafe fn none<V: Lanes>() -> [V::Numbers; 2] {
        unsafe { [V::splat(0.0); 2] }
    }

    #[inline(always)]
    unsafe fn points<V: Lanes>(_kept: &mut [V::Numbers; 2], _points: V::Numbers) {}

    #[inline(always)]
    unsafe fn rounds<V: Lanes>(kept: &mut [V::Numbers; 2], ended: V::Mask, sums: V::Numbers, _iterates: V::Numbers) {
        unsafe {
            kept[0] = V::add_where(ended, kept[0], V::splat(1.0));
            kept[1] = V::add_where(ended, kept[1], sums);
        }
    }

    #[inline(always)]
    unsafe fn of_chain<V: Lanes>(kept: &[V::Numbers; 2], lane: usize) -> Self {
        let [rounds, round_sum] = kept.map(|numbers| unsafe { number::<V>(numbers, lane) });
        Self { rounds: rounds as u64, round_sum, ..Self::default() }
    }
}
