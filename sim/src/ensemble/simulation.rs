//! Who runs the chains of an ensemble: batches in vectors where the noise has a law, one by one elsewhere.

use rayon::prelude::*;

use super::batch::{Batch, CHAINS, Dynamics};
use super::chacha::Streams;
use super::count::{Counter, Distributions};
use super::lanes::InstructionSet;
use super::plain;
use super::plan::{Plan, Start};
use super::single::{self, SingleDynamics};
use super::take::{Take, Tallied};
use super::tally::{Tally, Totals};
use crate::progress::Observer;
use crate::sgd::{Gradient, Momentum, Noise, NoiseLaw, Process, SlopeShape, UNIT_SPACING};
use crate::{Error, Result, Seed};

/// An ensemble to run: a process, and how its chains are carried out.
///
/// The bits of a chain's tally depend on the process, the plan, the start and the seed alone: not on the instruction set,
/// the number of threads or the other chains.
#[derive(Debug)]
pub struct Simulation<'a, G, N> {
    process: &'a Process<G, N>,
    momentum: Option<Momentum>,
    set: InstructionSet,
    first: u64,
}

impl<G, N> Clone for Simulation<'_, G, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G, N> Copy for Simulation<'_, G, N> {}

impl<'a, G: Gradient, N: Noise> Simulation<'a, G, N> {
    /// Chains of this process, with the fastest instructions that the processor has.
    pub fn of(process: &'a Process<G, N>) -> Self {
        Self { process, momentum: None, set: InstructionSet::best(), first: 0 }
    }

    /// The same with heavy-ball momentum.
    #[must_use]
    pub fn with_momentum(self, momentum: Momentum) -> Self {
        Self { momentum: Some(momentum), ..self }
    }

    /// The same with the instructions of choice.
    #[must_use]
    pub fn on(self, set: InstructionSet) -> Self {
        Self { set, ..self }
    }

    /// The same from chain number `first` on: what goes on where chains 0 to `first` − 1 left off.
    #[must_use]
    pub fn from_chain(self, first: u64) -> Self {
        Self { first, ..self }
    }

    /// Runs the chains on rayon's current pool and keeps a tally of each, in the order of their numbers. Each finished
    /// chain is one unit of progress.
    ///
    /// A tally sees the iterates after the burn-in, and the rounds that begin after it; a round that a chain stops in
    /// does not count.
    ///
    /// # Errors
    /// [`Error::Domain`] if the start is not finite; [`Error::Interrupted`] if the observer
    /// asks to stop.
    pub fn tally<T: Tally>(
        &self,
        plan: &Plan,
        start: Start,
        seed: Seed,
        observer: &dyn Observer,
    ) -> Result<Vec<Tallied<T>>> {
        start.check()?;
        match self.process.noise.law() {
            Some(law) => self.in_batches(law, plan, start, seed, observer),
            None => self.one_by_one(plan, start, seed, observer),
        }
    }

    /// The totals of every chain in single precision: 1.2 to 1.4 times as fast where it was measured, with
    /// round-off of 6e-8 a step and sums whose error does not grow with the number of steps.
    ///
    /// # Errors
    /// As [`tally`](Self::tally), and [`Error::Domain`] where this is not built: for other slopes
    /// than two, other noise than uniform, and momentum.
    pub fn totals_in_single_precision(
        &self,
        plan: &Plan,
        start: Start,
        seed: Seed,
        observer: &dyn Observer,
    ) -> Result<Vec<Tallied<Totals>>> {
        start.check()?;
        let Process { setting, gradient, noise } = self.process;
        let refuse = |what: &str, allowed: &str| Err(Error::domain(what, "something else", allowed));
        let SlopeShape::TwoSlopes { flat, sharp } = gradient.shape() else {
            return refuse("slopes in single precision", "one slope a side");
        };
        if noise.law() != Some(NoiseLaw::Uniform) {
            return refuse("noise in single precision", "uniform");
        }
        if let Some(momentum) = self.momentum {
            return Err(Error::domain("momentum in single precision", momentum.coefficient(), "none"));
        }
        let dynamics = SingleDynamics {
            eta: setting.eta() as f32,
            scale: (setting.nu() * UNIT_SPACING) as f32,
            flat: flat as f32,
            sharp: sharp as f32,
        };
        self.each_batch(plan, start, seed, observer, |streams, points, chains| {
            let points = points.map(|point| point as f32);
            let mut tallied = single::run(dynamics, &streams, points, plan, self.set, observer)?;
            tallied.truncate(chains);
            Ok(tallied)
        })
    }

    /// Counts the iterates, and the rounds, of all chains in the bins of `empty`; which iterates and rounds count is as for
    /// [`tally`](Self::tally).
    ///
    /// # Errors
    /// As [`tally`](Self::tally), and [`Error::Domain`] where the noise has no law of its own.
    pub fn distributions(
        &self,
        plan: &Plan,
        start: Start,
        seed: Seed,
        empty: &Distributions,
        observer: &dyn Observer,
    ) -> Result<Distributions> {
        start.check()?;
        let Some(law) = self.process.noise.law() else {
            return Err(Error::domain(
                "noise to count with",
                "something else",
                "a law that does not depend on the point",
            ));
        };
        let dynamics = self.dynamics(law);
        let chains = self.each_batch(plan, start, seed, observer, |streams, points, chains| {
            let mut batch = Batch::new(&dynamics, streams, points);
            let mut counter = Counter::new(*plan, chains, empty);
            loop {
                if observer.interrupted() {
                    return Err(Error::Interrupted);
                }
                let (rows, _) = batch.advance();
                if !rows.iter().all(|row| counter.push(row)) {
                    return Ok(vec![counter.finish()]);
                }
            }
        })?;
        chains.iter().try_fold(empty.clone(), Distributions::merge)
    }

    fn dynamics(&self, law: NoiseLaw) -> Dynamics<'a, G> {
        let Process { setting, gradient, .. } = self.process;
        Dynamics { setting: *setting, gradient, law, momentum: self.momentum.map(Momentum::coefficient), set: self.set }
    }

    /// Each chain on its own: the definition, and the only way where the noise has no law.
    pub(super) fn one_by_one<T: Tally>(
        &self,
        plan: &Plan,
        start: Start,
        seed: Seed,
        observer: &dyn Observer,
    ) -> Result<Vec<Tallied<T>>> {
        (0..plan.chains)
            .into_par_iter()
            .map(|k| {
                let k = self.first.wrapping_add(k);
                let (start, stream) = (start.of_chain(k, seed), seed.stream("chain", k));
                let tallied = match self.momentum {
                    None => {
                        let mut chain = self.process.chain(start, stream);
                        plain::tally(plan, observer, || chain.step().point)
                    }
                    Some(momentum) => {
                        let mut chain = self.process.momentum_chain(momentum, start, stream);
                        plain::tally(plan, observer, || chain.step().point)
                    }
                }?;
                observer.advance(1);
                Ok(tallied)
            })
            .collect()
    }

    fn in_batches<T: Tally>(
        &self,
        law: NoiseLaw,
        plan: &Plan,
        start: Start,
        seed: Seed,
        observer: &dyn Observer,
    ) -> Result<Vec<Tallied<T>>> {
        let dynamics = self.dynamics(law);
        self.each_batch(plan, start, seed, observer, |streams, points, chains| {
            let mut tallied = self.set.run(Take::new(Batch::new(&dynamics, streams, points), plan, observer))?;
            tallied.truncate(chains);
            Ok(tallied)
        })
    }

    /// Runs the plan's chains batch by batch, and puts together what `run` makes of each one's streams and starting points,
    /// of which the first so many are chains of the plan: the others run along for nothing.
    fn each_batch<T: Send>(
        &self,
        plan: &Plan,
        start: Start,
        seed: Seed,
        observer: &dyn Observer,
        run: impl Fn(Streams, [f64; CHAINS], usize) -> Result<Vec<T>> + Sync,
    ) -> Result<Vec<T>> {
        let key = seed.key("chain");
        let batches = (0..plan.chains.div_ceil(CHAINS as u64)).into_par_iter().map(|batch| {
            let chains = (plan.chains - batch * CHAINS as u64).min(CHAINS as u64);
            let first = self.first.wrapping_add(batch * CHAINS as u64);
            let points = std::array::from_fn(|lane| start.of_chain(first.wrapping_add(lane as u64), seed));
            let done = run(Streams::new(key, first), points, chains as usize)?;
            observer.advance(chains);
            Ok(done)
        });
        Ok(batches.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }
}
