//! What is kept of a chain while it runs: a few numbers, however many steps it takes.
//!
//! Each tally says the same thing twice: [`point`](Tally::point) and [`round`](Tally::round) for one chain, in plain
//! numbers, and a third and fourth time for vectors of chains. The plain form is the definition; the tests hold the
//! vectors to its bits. Tallies go together in pairs: `(Totals, RoundMoments)` keeps both.

mod cut;
mod extremes;
mod round_means;
mod round_moments;
mod totals;

use std::fmt::Debug;

pub(super) use cut::Cut;
pub use extremes::Extremes;
pub use round_means::{RoundMeans, RoundMeansAsPrinted};
pub use round_moments::RoundMoments;
pub use totals::Totals;

use super::lanes::Lanes;
use crate::sgd::Round;

/// The stretches of a chain between its crossings from the sharp to the flat side: finished rounds, and what is before
/// the first and after the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stretches {
    /// Iterates in finished rounds.
    pub round_iterates: u64,
    /// The sum of the iterates before the first crossing.
    pub before: f64,
    /// The sum of the iterates from the last crossing on; 0 without one.
    pub after: f64,
}

/// Numbers kept of one chain.
pub trait Tally: Debug + Copy + PartialEq + Default + Send {
    /// The same numbers of a vector of chains.
    #[doc(hidden)]
    type Of<V: Lanes>: Copy;

    /// Takes the next iterate.
    fn point(&mut self, point: f64);

    /// Takes a finished round.
    fn round(&mut self, round: &Round);

    /// Takes what is known of the iterates outside finished rounds, when the chain has stopped.
    fn close(&mut self, _stretches: &Stretches) {}

    /// The default of every chain.
    ///
    /// # Safety
    /// The processor must have the instructions of V.
    #[doc(hidden)]
    unsafe fn none<V: Lanes>() -> Self::Of<V>;

    /// [`point`](Self::point) for every chain.
    ///
    /// # Safety
    /// The processor must have the instructions of V.
    #[doc(hidden)]
    unsafe fn points<V: Lanes>(kept: &mut Self::Of<V>, points: V::Numbers);

    /// [`round`](Self::round) for the chains where one `ended`, with their sums and their numbers of iterates.
    ///
    /// # Safety
    /// The processor must have the instructions of V.
    #[doc(hidden)]
    unsafe fn rounds<V: Lanes>(kept: &mut Self::Of<V>, ended: V::Mask, sums: V::Numbers, iterates: V::Numbers);

    /// What is kept of one chain, before [`close`](Self::close).
    ///
    /// # Safety
    /// The processor must have the instructions of V.
    #[doc(hidden)]
    unsafe fn of_chain<V: Lanes>(kept: &Self::Of<V>, lane: usize) -> Self;
}

impl<A: Tally, B: Tally> Tally for (A, B) {
    type Of<V: Lanes> = (A::Of<V>, B::Of<V>);

    fn point(&mut self, point: f64) {
        self.0.point(point);
        self.1.point(point);
    }

    fn round(&mut self, round: &Round) {
        self.0.round(round);
        self.1.round(round);
    }

    fn close(&mut self, stretches: &Stretches) {
        self.0.close(stretches);
        self.1.close(stretches);
    }

    // SAFETY of every block: as in the trait, the caller vouches for the instructions.
    #[inline(always)]
    unsafe fn none<V: Lanes>() -> Self::Of<V> {
        unsafe { (A::none::<V>(), B::none::<V>()) }
    }

    #[inline(always)]
    unsafe fn points<V: Lanes>(kept: &mut Self::Of<V>, points: V::Numbers) {
        unsafe {
            A::points::<V>(&mut kept.0, points);
            B::points::<V>(&mut kept.1, points);
        }
    }

    #[inline(always)]
    unsafe fn rounds<V: Lanes>(kept: &mut Self::Of<V>, ended: V::Mask, sums: V::Numbers, iterates: V::Numbers) {
        unsafe {
            A::rounds::<V>(&mut kept.0, ended, sums, iterates);
            B::rounds::<V>(&mut kept.1, ended, sums, iterates);
        }
    }

    #[inline(always)]
    unsafe fn of_chain<V: Lanes>(kept: &Self::Of<V>, lane: usize) -> Self {
        unsafe { (A::of_chain::<V>(&kept.0, lane), B::of_chain::<V>(&kept.1, lane)) }
    }
}

/// One number of a vector.
///
/// # Safety
/// The processor must have the instructions of V.
#[inline(always)]
unsafe fn number<V: Lanes>(numbers: V::Numbers, lane: usize) -> f64 {
    // No vector has more numbers.
    let mut all = [0.0; 8];
    const { assert!(V::NUMBERS <= 8) };
    // SAFETY: the array has room for a vector.
    unsafe { V::store(numbers, all.as_mut_ptr()) };
    all[lane]
}
