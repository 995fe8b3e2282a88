//! The sums that the statements about Theorem 2 are judged by, with their confidence intervals.

use super::plan::{Plan, Start};
use super::simulation::Simulation;
use super::take::Tallied;
use super::tally::{RoundMeans, RoundMeansAsPrinted, Totals};
use crate::estimate::{Confidence, Interval, student};
use crate::progress::Observer;
use crate::sgd::{Gradient, Noise, Process};
use crate::{Error, Result, Seed};

/// The sums of one chain, after its burn-in.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ChainSums {
    /// Iterates that count.
    pub iterates: u64,
    /// Their sum.
    pub sum: f64,
    /// Rounds finished.
    pub rounds: u64,
    /// Iterates in finished rounds, the sum of T + 1.
    pub round_iterates: u64,
    /// Sum of the round averages, sum/(T + 1).
    pub round_means: f64,
    /// Sum of the round averages as printed, sum/T.
    pub round_means_as_printed: f64,
    /// The iterate that the chain stopped at.
    pub last: f64,
}

/// The sums of every chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    chains: Vec<ChainSums>,
}

/// Runs the chains on rayon's current pool, reporting each finished chain as one unit of progress.
///
/// Rounds that begin after the burn-in count. A chain in the middle of a round when it stops leaves that round out.
///
/// # Errors
/// As [`Simulation::tally`].
pub fn run<G: Gradient, N: Noise>(
    process: &Process<G, N>,
    plan: &Plan,
    start: Start,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<Ensemble> {
    let chains =
        Simulation::of(process).tally::<(Totals, (RoundMeans, RoundMeansAsPrinted))>(plan, start, seed, observer)?;
    let sums = |chain: Tallied<(Totals, (RoundMeans, RoundMeansAsPrinted))>| {
        let (totals, (means, means_as_printed)) = chain.tally;
        ChainSums {
            iterates: plan.steps,
            sum: totals.sum(),
            rounds: totals.rounds,
            round_iterates: totals.round_iterates,
            round_means: means.sum,
            round_means_as_printed: means_as_printed.sum,
            last: chain.last,
        }
    };
    Ok(Ensemble { chains: chains.into_iter().map(sums).collect() })
}

impl Ensemble {
    /// The chains' sums, in the order of k.
    pub fn chains(&self) -> &[ChainSums] {
        &self.chains
    }

    /// Rounds finished by all chains.
    pub fn rounds(&self) -> u64 {
        self.chains.iter().map(|c| c.rounds).sum()
    }

    /// The long-run mean: the average over all iterates that count, with a Student interval over chains.
    pub fn long_run(&self, confidence: Confidence) -> Result<Interval> {
        self.ratio(|c| c.sum, |c| c.iterates as f64, confidence)
    }

    /// The mean of the round averages sum/(T + 1), with its interval. An error if no round was finished.
    pub fn round_mean(&self, confidence: Confidence) -> Result<Interval> {
        self.ratio(|c| c.round_means, |c| c.rounds as f64, confidence)
    }

    /// The mean of the round averages as printed, sum/T, with its interval. An error if no round was finished.
    pub fn round_mean_as_printed(&self, confidence: Confidence) -> Result<Interval> {
        self.ratio(|c| c.round_means_as_printed, |c| c.rounds as f64, confidence)
    }

    /// The mean number of iterates in a round, T + 1, with its interval. An error if no round was finished.
    pub fn round_length(&self, confidence: Confidence) -> Result<Interval> {
        self.ratio(|c| c.round_iterates as f64, |c| c.rounds as f64, confidence)
    }

    /// The ratio r = Σ x_k / Σ y_k over the independent chains k, with the interval of its linearisation:
    /// r + (x_k − r·y_k)/ȳ has mean r, and to first order the spread of a chain's share in r.
    fn ratio(
        &self,
        x: impl Fn(&ChainSums) -> f64,
        y: impl Fn(&ChainSums) -> f64,
        confidence: Confidence,
    ) -> Result<Interval> {
        let x_sum: f64 = self.chains.iter().map(&x).sum();
        let y_sum: f64 = self.chains.iter().map(&y).sum();
        if y_sum == 0.0 {
            return Err(Error::domain("number of finished rounds", 0, "at least 1: run longer chains"));
        }
        let ratio = x_sum / y_sum;
        let y_mean = y_sum / self.chains.len() as f64;
        let shares: Vec<f64> = self.chains.iter().map(|c| ratio + (x(c) - ratio * y(c)) / y_mean).collect();
        student(&shares, confidence)
    }
}
