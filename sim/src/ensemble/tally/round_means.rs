//! The averages of single rounds: w̄ of Theorem 2.

use super::{Tally, number};
use crate::ensemble::lanes::Lanes;
use crate::sgd::Round;

/// The sum over finished rounds of their averages w̄ = S/(T + 1), and how many are negative.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RoundMeans {
    /// Sum of w̄.
    pub sum: f64,
    /// Rounds with w̄ < 0.
    pub negative: u64,
}

/// The sum over finished rounds of their averages as printed, S/T: T + 1 terms divided by T.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RoundMeansAsPrinted {
    /// Sum of S/T.
    pub sum: f64,
}

// SAFETY of every block: as in the trait, the caller vouches for the instructions.
impl Tally for RoundMeans {
    /// In the order of the fields.
    type Of<V: Lanes> = [V::Numbers; 2];

    fn point(&mut self, _point: f64) {}

    fn round(&mut self, round: &Round) {
        self.sum += round.mean();
        self.negative += u64::from(round.sum < 0.0);
    }

    #[inline(always)]
    unsafe fn none<V: Lanes>() -> [V::Numbers; 2] {
        unsafe { [V::splat(0.0); 2] }
    }

    #[inline(always)]
    unsafe fn points<V: Lanes>(_kept: &mut [V::Numbers; 2], _points: V::Numbers) {}

    #[inline(always)]
    unsafe fn rounds<V: Lanes>(kept: &mut [V::Numbers; 2], ended: V::Mask, sums: V::Numbers, iterates: V::Numbers) {
        unsafe {
            // Divisions are slow, and many steps end no round in a short vector.
            if V::any(ended) {
                kept[0] = V::add_where(ended, kept[0], V::div(sums, iterates));
                kept[1] = V::add_where(V::both(ended, V::is_negative(sums)), kept[1], V::splat(1.0));
            }
        }
    }

    #[inline(always)]
    unsafe fn of_chain<V: Lanes>(kept: &[V::Numbers; 2], lane: usize) -> Self {
        let [sum, negative] = kept.map(|numbers| unsafe { number::<V>(numbers, lane) });
        Self { sum, negative: negative as u64 }
    }
}

// SAFETY of every block: as in the trait, the caller vouches for the instructions.
impl Tally for RoundMeansAsPrinted {
    type Of<V: Lanes> = V::Numbers;

    fn point(&mut self, _point: f64) {}

    fn round(&mut self, round: &Round) {
        self.sum += round.mean_as_printed();
    }

    #[inline(always)]
    unsafe fn none<V: Lanes>() -> V::Numbers {
        unsafe { V::splat(0.0) }
    }

    #[inline(always)]
    unsafe fn points<V: Lanes>(_kept: &mut V::Numbers, _points: V::Numbers) {}

    #[inline(always)]
    unsafe fn rounds<V: Lanes>(kept: &mut V::Numbers, ended: V::Mask, sums: V::Numbers, iterates: V::Numbers) {
        unsafe {
            if V::any(ended) {
                *kept = V::add_where(ended, *kept, V::div(sums, V::sub(iterates, V::splat(1.0))));
            }
        }
    }

    #[inline(always)]
    unsafe fn of_chain<V: Lanes>(kept: &V::Numbers, lane: usize) -> Self {
        Self { sum: unsafe { number::<V>(*kept, lane) } }
    }
}
