//! Cuts the iterates of a vector of chains into rounds, as [`Rounds`](crate::sgd::Rounds) does for one chain.

use super::{Stretches, Tally, number};
use crate::ensemble::lanes::Lanes;

/// Where every chain is in its round.
pub(in crate::ensemble) struct Cut<V: Lanes> {
    /// The last iterate; 0 before the first.
    previous: V::Numbers,
    /// The sum of the iterates since the last crossing, or since the beginning.
    sum: V::Numbers,
    /// The number of the current round's first iterate.
    start: V::Numbers,
    /// The number of the first round's first iterate; −1 before there is one.
    first: V::Numbers,
    /// The sum of the iterates before it.
    before: V::Numbers,
}

impl<V: Lanes> Clone for Cut<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V: Lanes> Copy for Cut<V> {}

// SAFETY of every block: the caller vouches for the instructions of V.
impl<V: Lanes> Cut<V> {
    #[inline(always)]
    pub(in crate::ensemble) unsafe fn new() -> Self {
        unsafe {
            let zero = V::splat(0.0);
            Self { previous: zero, sum: zero, start: zero, first: V::splat(-1.0), before: zero }
        }
    }

    /// Whether every chain is in a round.
    #[inline(always)]
    pub(in crate::ensemble) unsafe fn is_settled(&self) -> bool {
        unsafe { !V::any(V::is_negative(self.first)) }
    }

    /// Takes iterate number `index` of every chain. SETTLED vouches for [`is_settled`](Self::is_settled), which saves
    /// asking.
    #[inline(always)]
    pub(in crate::ensemble) unsafe fn push<T: Tally, const SETTLED: bool>(
        &mut self,
        kept: &mut T::Of<V>,
        points: V::Numbers,
        index: V::Numbers,
    ) {
        unsafe {
            let starts = V::rises(self.previous, points);
            self.previous = points;
            if SETTLED {
                T::rounds::<V>(kept, starts, self.sum, V::sub(index, self.start));
            } else {
                let is_outside = V::is_negative(self.first);
                T::rounds::<V>(kept, V::but_not(starts, is_outside), self.sum, V::sub(index, self.start));
                let is_first = V::both(starts, is_outside);
                self.first = V::select(is_first, index, self.first);
                self.before = V::select(is_first, self.sum, self.before);
            }
            self.sum = V::select(starts, points, V::add(self.sum, points));
            self.start = V::select(starts, index, self.start);
            T::points::<V>(kept, points);
        }
    }

    /// The stretches of one chain.
    #[inline(always)]
    pub(in crate::ensemble) unsafe fn stretches(&self, lane: usize) -> Stretches {
        let [sum, start, first, before] =
            [self.sum, self.start, self.first, self.before].map(|numbers| unsafe { number::<V>(numbers, lane) });
        if first < 0.0 {
            Stretches { before: sum, ..Stretches::default() }
        } else {
            Stretches { round_iterates: (start - first) as u64, before, after: sum }
        }
    }
}
