//! One chain, a number at a time: what vectors of chains are held to.

use super::plan::Plan;
use super::take::Tallied;
use super::tally::{Stretches, Tally};
use crate::progress::Observer;
use crate::sgd::Rounds;
use crate::{Error, Result};

/// How often a running chain asks whether to stop, in steps.
const STEPS_BETWEEN_CHECKS: u64 = 1 << 16;

/// The tally of a chain whose iterates `next` gives one by one.
pub(super) fn tally<T: Tally>(
    plan: &Plan,
    observer: &dyn Observer,
    mut next: impl FnMut() -> f64,
) -> Result<Tallied<T>> {
    in_blocks(plan.burn_in, observer, |steps| (0..steps).for_each(|_| _ = next()))?;
    let (mut tally, mut rounds, mut stretches) = (T::default(), Rounds::new(), Stretches::default());
    in_blocks(plan.steps, observer, |steps| {
        for _ in 0..steps {
            let point = next();
            if let Some(round) = rounds.push(point) {
                tally.round(&round);
                stretches.round_iterates += round.iterates;
            }
            tally.point(point);
            match rounds.current() {
                None => stretches.before += point,
                Some(round) => stretches.after = round.sum,
            }
        }
    })?;
    tally.close(&stretches);
    Ok(Tallied { tally, last: next() })
}

fn in_blocks(steps: u64, observer: &dyn Observer, mut work: impl FnMut(u64)) -> Result<()> {
    let mut left = steps;
    while left > 0 {
        if observer.interrupted() {
            return Err(Error::Interrupted);
        }
        let block = left.min(STEPS_BETWEEN_CHECKS);
        work(block);
        left -= block;
    }
    Ok(())
}
