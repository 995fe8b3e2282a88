//! Runs a batch and keeps a tally of each of its chains.

use super::batch::{Batch, CHAINS, STEPS};
use super::lanes::{Kernel, Lanes};
use super::plan::Plan;
use super::tally::{Cut, Tally};
use crate::progress::Observer;
use crate::sgd::Gradient;
use crate::{Error, Result};

/// How often a running batch asks whether to stop, in blocks.
const BLOCKS_BETWEEN_CHECKS: u64 = 1 << 10;

/// What a chain leaves behind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tallied<T> {
    /// What was kept of the steps that count.
    pub tally: T,
    /// The iterate that the chain stopped at.
    pub last: f64,
}

/// Runs a batch by a plan.
pub(super) struct Take<'a, 'b, G, T> {
    batch: Batch<'b, G>,
    plan: &'a Plan,
    observer: &'a dyn Observer,
    /// What the type T is for.
    tally: std::marker::PhantomData<T>,
}

impl<'a, 'b, G, T> Take<'a, 'b, G, T> {
    pub(super) fn new(batch: Batch<'b, G>, plan: &'a Plan, observer: &'a dyn Observer) -> Self {
        Self { batch, plan, observer, tally: std::marker::PhantomData }
    }
}

impl<G: Gradient, T: Tally> Kernel for Take<'_, '_, G, T> {
    type Output = Result<Vec<Tallied<T>>>;

    #[inline(always)]
    unsafe fn run<V: Lanes>(mut self) -> Self::Output {
        let total = self.plan.burn_in + self.plan.steps;
        // SAFETY of every block: the caller vouches for the instructions.
        let empty = unsafe { (Cut::<V>::new(), T::none::<V>()) };
        let mut kept = vec![empty; CHAINS / V::NUMBERS];
        let mut is_settled = false;
        let mut last = [0.0; CHAINS];
        let mut taken = 0;
        while taken < total {
            if (taken / STEPS as u64).is_multiple_of(BLOCKS_BETWEEN_CHECKS) && self.observer.interrupted() {
                return Err(Error::Interrupted);
            }
            let (block, now) = self.batch.advance();
            let [from, to] = [self.plan.burn_in, total].map(|step| step.saturating_sub(taken).min(STEPS as u64));
            let rows = &block[from as usize..to as usize];
            let index = (taken + from).saturating_sub(self.plan.burn_in) as f64;
            if is_settled {
                unsafe { push::<V, T, true>(&mut kept, rows, index) };
            } else {
                unsafe { push::<V, T, false>(&mut kept, rows, index) };
                is_settled = kept.iter().all(|(cut, _)| unsafe { cut.is_settled() });
            }
            last = *block.get(to as usize).unwrap_or(now);
            taken += STEPS as u64;
        }
        let of_chain = |(lane, &last): (usize, &f64)| {
            let (cut, kept) = &kept[lane / V::NUMBERS];
            let lane = lane % V::NUMBERS;
            let (mut tally, stretches) = unsafe { (T::of_chain::<V>(kept, lane), cut.stretches(lane)) };
            tally.close(&stretches);
            Tallied { tally, last }
        };
        Ok(last.iter().enumerate().map(of_chain).collect())
    }
}

/// Takes rows of points, the first with number `index`, into the tallies of every vector.
#[inline(always)]
unsafe fn push<V: Lanes, T: Tally, const SETTLED: bool>(
    kept: &mut [(Cut<V>, T::Of<V>)],
    rows: &[[f64; CHAINS]],
    index: f64,
) {
    // SAFETY: the caller vouches for the instructions; there are CHAINS/NUMBERS vectors, so that every lane lies within
    // its row.
    unsafe {
        if V::AT_ONCE == 4 {
            push_grouped::<V, T, SETTLED, 4>(kept, rows, index);
        } else {
            push_grouped::<V, T, SETTLED, 2>(kept, rows, index);
        }
    }
}

/// [`push`], with the state of GROUP vectors in registers.
#[inline(always)]
unsafe fn push_grouped<V: Lanes, T: Tally, const SETTLED: bool, const GROUP: usize>(
    kept: &mut [(Cut<V>, T::Of<V>)],
    rows: &[[f64; CHAINS]],
    index: f64,
) {
    let (groups, _) = kept.as_chunks_mut::<GROUP>();
    for (group, kept) in groups.iter_mut().enumerate() {
        let mut state = *kept;
        let mut index = index;
        for row in rows {
            // SAFETY: as in the caller.
            unsafe {
                let here = V::splat(index);
                for (vector, (cut, kept)) in state.iter_mut().enumerate() {
                    let lane = (group * GROUP + vector) * V::NUMBERS;
                    cut.push::<T, SETTLED>(kept, V::load(row.as_ptr().add(lane)), here);
                }
            }
            index += 1.0;
        }
        *kept = state;
    }
}
