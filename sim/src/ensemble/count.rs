//! Distributions of iterates and of rounds: counts, which need no order to be added up.

use super::batch::CHAINS;
use super::plan::Plan;
use crate::estimate::Histogram;
use crate::sgd::Rounds;
use crate::{Error, Result};

/// How the iterates and the rounds of an ensemble are distributed. Given empty to
/// [`Simulation::distributions`](super::Simulation::distributions), it says which bins to count in.
#[derive(Debug, Clone, PartialEq)]
pub struct Distributions {
    /// Of the iterates.
    pub points: Histogram,
    /// Of the sums of finished rounds, S.
    pub round_sums: Histogram,
    /// Of their averages, w̄ = S/(T + 1).
    pub round_means: Histogram,
    /// Of their numbers of iterates, T + 1.
    pub round_iterates: Histogram,
}

impl Distributions {
    /// Bins of whole numbers from 2, the fewest iterates a round can have, to `longest`, for
    /// [`round_iterates`](Self::round_iterates).
    ///
    /// # Errors
    /// [`Error::Domain`] if `longest` is below 2.
    pub fn iterates_to(longest: u32) -> Result<Histogram> {
        if longest < 2 {
            return Err(Error::domain("longest round", longest, "at least 2"));
        }
        Histogram::new(1.5, f64::from(longest) + 0.5, longest as usize - 1)
    }

    /// Adds the counts of others.
    pub(super) fn merge(mut self, other: &Self) -> Result<Self> {
        self.points.merge(&other.points)?;
        self.round_sums.merge(&other.round_sums)?;
        self.round_means.merge(&other.round_means)?;
        self.round_iterates.merge(&other.round_iterates)?;
        Ok(self)
    }

    #[inline]
    fn take(&mut self, point: f64, rounds: &mut Rounds) {
        self.points.push(point);
        if let Some(round) = rounds.push(point) {
            self.round_sums.push(round.sum);
            self.round_means.push(round.mean());
            self.round_iterates.push(round.iterates as f64);
        }
    }
}

/// Counts the iterates of some chains that take their steps side by side.
pub(super) struct Counter {
    plan: Plan,
    taken: u64,
    rounds: Vec<Rounds>,
    counts: Distributions,
}

impl Counter {
    pub(super) fn new(plan: Plan, chains: usize, bins: &Distributions) -> Self {
        Self { plan, taken: 0, rounds: vec![Rounds::new(); chains], counts: bins.clone() }
    }

    /// Takes the next iterate of every chain, and says whether the plan wants more.
    pub(super) fn push(&mut self, points: &[f64; CHAINS]) -> bool {
        if (self.plan.burn_in..self.plan.burn_in + self.plan.steps).contains(&self.taken) {
            for (rounds, &point) in self.rounds.iter_mut().zip(points) {
                self.counts.take(point, rounds);
            }
        }
        self.taken += 1;
        self.taken < self.plan.burn_in + self.plan.steps
    }

    pub(super) fn finish(self) -> Distributions {
        self.counts
    }
}
