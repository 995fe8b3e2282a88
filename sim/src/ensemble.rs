//! Many chains at once.
//!
//! Chain k has its own stream, `seed.stream("chain", k)`, and its own sums; the chains' sums are put together in the
//! order of k. So the bits of every result are the same for any number of threads.

use rand::RngExt;
use rayon::prelude::*;

use crate::estimate::{Confidence, Interval, student};
use crate::progress::Observer;
use crate::sgd::{Chain, Gradient, Noise, Process, Rounds};
use crate::{Error, Result, Seed, error::finite};

/// How often a running chain asks whether to stop, in steps.
const STEPS_BETWEEN_CHECKS: u64 = 1 << 16;

/// How many chains run, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub(crate) chains: u64,
    pub(crate) burn_in: u64,
    pub(crate) steps: u64,
}

impl Plan {
    /// At least 2 chains (an interval needs two), each of `burn_in` steps that count for nothing and then at least 1
    /// step that counts.
    pub fn new(chains: u64, burn_in: u64, steps: u64) -> Result<Self> {
        if chains < 2 {
            return Err(Error::domain("number of chains", chains, "at least 2"));
        }
        if steps == 0 {
            return Err(Error::domain("number of steps", steps, "at least 1"));
        }
        let total = burn_in.checked_add(steps).and_then(|each| each.checked_mul(chains));
        if total.is_none() {
            return Err(Error::domain(
                "number of steps",
                format!("{chains}·({burn_in} + {steps})"),
                "below 2⁶⁴ in all",
            ));
        }
        Ok(Self { chains, burn_in, steps })
    }

    /// Number of chains.
    pub fn chains(&self) -> u64 {
        self.chains
    }

    /// Steps taken in all, those of the burn-in included.
    pub fn total_steps(&self) -> u64 {
        self.chains * (self.burn_in + self.steps)
    }
}

/// Where the chains start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// All at one point (finite).
    At(f64),
    /// Chain k at a point uniform on [low, high), drawn from `seed.stream("start", k)`.
    Uniform {
        /// The lower end (finite).
        low: f64,
        /// The upper end (finite).
        high: f64,
    },
}

impl Start {
    fn check(self) -> Result<()> {
        match self {
            Self::At(point) => finite("start", point).map(drop),
            Self::Uniform { low, high } => {
                finite("low end of the starts", low)?;
                finite("high end of the starts", high).map(drop)
            }
        }
    }

    fn of_chain(self, k: u64, seed: Seed) -> f64 {
        match self {
            Self::At(point) => point,
            Self::Uniform { low, high } => low + (high - low) * seed.stream("start", k).random::<f64>(),
        }
    }
}

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
pub fn run<G: Gradient, N: Noise>(
    process: &Process<G, N>,
    plan: &Plan,
    start: Start,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<Ensemble> {
    start.check()?;
    let chains = (0..plan.chains)
        .into_par_iter()
        .map(|k| {
            let mut chain = process.chain(start.of_chain(k, seed), seed.stream("chain", k));
            let sums = run_chain(&mut chain, plan, observer)?;
            observer.advance(1);
            Ok(sums)
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Ensemble { chains })
}

fn run_chain<G: Gradient, N: Noise>(
    chain: &mut Chain<'_, G, N>,
    plan: &Plan,
    observer: &dyn Observer,
) -> Result<ChainSums> {
    in_blocks(plan.burn_in, observer, |steps| {
        for _ in 0..steps {
            chain.step();
        }
    })?;
    let mut sums = ChainSums { iterates: plan.steps, ..ChainSums::default() };
    let mut rounds = Rounds::new();
    in_blocks(plan.steps, observer, |steps| {
        for _ in 0..steps {
            let point = chain.step().point;
            sums.sum += point;
            if let Some(round) = rounds.push(point) {
                sums.rounds += 1;
                sums.round_iterates += round.iterates;
                sums.round_means += round.mean();
                sums.round_means_as_printed += round.mean_as_printed();
            }
        }
    })?;
    sums.last = chain.point();
    Ok(sums)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::sgd::{NoiseLaw, Setting, Slopes, Valley};

    fn process() -> Process<Slopes, NoiseLaw> {
        let valley = Valley::new(1.0, 0.5, 3.0, -4.0).expect("valid");
        let setting = Setting::new(valley, 0.1, 0.8).expect("valid");
        let gradient = Slopes::smooth(&setting, 1.0).expect("valid");
        Process { setting, gradient, noise: NoiseLaw::Uniform }
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let process = process();
        let plan = Plan::new(37, 10, 5_000).expect("valid");
        let start = Start::Uniform { low: -0.1, high: 0.4 };
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| run(&process, &plan, start, Seed(5), &Silent)).expect("runs")
        };
        let one = on(1);
        assert_eq!(one, on(2));
        let interval = |e: &Ensemble| e.round_mean(Confidence::P95).expect("rounds");
        assert_eq!(interval(&one), interval(&on(2)));
    }

    #[test]
    fn sums_are_those_of_the_plain_chain() {
        let process = process();
        let plan = Plan::new(2, 3, 1_000).expect("valid");
        let ensemble = run(&process, &plan, Start::At(0.2), Seed(9), &Silent).expect("runs");
        let points = process.chain(0.2, Seed(9).stream("chain", 1)).iterates(1_004);
        let mut rounds = Rounds::new();
        let finished: Vec<_> = points[3..1_003].iter().filter_map(|&w| rounds.push(w)).collect();
        let sums = ensemble.chains()[1];
        assert_eq!(sums.sum, points[3..1_003].iter().fold(0.0, |sum, w| sum + w));
        assert_eq!(sums.rounds, finished.len() as u64);
        assert_eq!(sums.round_means, finished.iter().fold(0.0, |sum, r| sum + r.mean()));
        assert_eq!(sums.round_means_as_printed, finished.iter().fold(0.0, |sum, r| sum + r.mean_as_printed()));
        assert_eq!(sums.last, points[1_003]);
        assert!(sums.rounds > 100);
    }

    #[test]
    fn a_plan_and_a_start_are_checked() {
        assert!(Plan::new(1, 0, 10).is_err());
        assert!(Plan::new(2, 0, 0).is_err());
        assert!(Plan::new(u64::MAX, 0, 2).is_err());
        let plan = Plan::new(2, 0, 10).expect("valid");
        assert!(run(&process(), &plan, Start::At(f64::NAN), Seed(0), &Silent).is_err());
        let short = run(&process(), &Plan::new(2, 0, 1).expect("valid"), Start::At(0.0), Seed(0), &Silent);
        assert!(short.expect("runs").round_mean(Confidence::P95).is_err());
    }

    #[test]
    fn an_interruption_stops_the_work() {
        struct Stop;
        impl Observer for Stop {
            fn begin(&self, _task: &str, _units: u64) {}
            fn advance(&self, _units: u64) {}
            fn note(&self, _line: &str) {}
            fn finish(&self) {}
            fn interrupted(&self) -> bool {
                true
            }
        }
        let plan = Plan::new(2, 0, u64::MAX / 2).expect("valid");
        assert_eq!(run(&process(), &plan, Start::At(0.0), Seed(0), &Stop), Err(Error::Interrupted));
    }
}
