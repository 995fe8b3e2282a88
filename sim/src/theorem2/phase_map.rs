//! The means of SGD over the asymmetry c and the noise bound ν, for slopes of choice, each to a given confidence.
//!
//! Where [`bias_map`](super::bias_map()) asks what an adversary can do, this map shows one process, as finely as one likes.

use serde::{Deserialize, Serialize};

use super::curves::sufficient_curves;
use crate::ensemble::{Plan, RoundMeans, Simulation, Start, Tallied, Totals};
use crate::error::positive;
use crate::estimate::{Confidence, Moments};
use crate::parallel::in_order;
use crate::progress::{Observer, Quiet};
use crate::record::{PhaseMap, PhaseMapRow};
use crate::sgd::{NoiseLaw, Process, Setting, Slopes, Valley};
use crate::{Error, Result, Seed};

/// Chains of a cell's pilot, from whose spread the number of chains follows.
const PILOT: u64 = 64;

/// Steps of a chain that count for nothing, and steps that count: whole blocks of the ensemble.
const BURN_IN: u64 = 256;
const STEPS: u64 = 1_792;

/// Chains of a cell at most.
const MOST_CHAINS: u64 = 1 << 20;

/// A slope for every point, within the bounds of a cell's valley.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlopeFamily {
    /// Convex: from b₊ and −c·a₊ at the kink to a₊ and −c′·a₊ far from it, half-way at |w| = η·a₊.
    Smooth,
    /// b₊ and −c·a₊ everywhere: the exact law (E) holds for ν ≤ b₊.
    Flattest,
    /// a₊ and −c·a₊ everywhere.
    Steepest,
    /// The adversary behind the thresholds: lands ην above the kink where it can, which the noise cannot undo, and leaves
    /// with a₊; −c·a₊ on the sharp side.
    Landing,
}

/// What [`phase_map`] simulates, in units of a₊ = 1 and η = 1 (w is proportional to η·a₊).
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseMapConfig {
    /// The values of c: each > 1.
    pub c: Vec<f64>,
    /// The values of ν/a₊: each ≥ 0.
    pub nu: Vec<f64>,
    /// b₊/a₊, in (0, 1].
    pub b_plus: f64,
    /// c′/c ≥ 1, where b₋ = −c′·a₊.
    pub c_prime: f64,
    /// The slopes.
    pub slopes: SlopeFamily,
    /// The noise.
    pub noise: NoiseLaw,
    /// The half-width of the 95 % interval of each mean, in units of η·a₊, that every cell reaches: > 0.
    pub half_width: f64,
}

impl PhaseMapConfig {
    /// The middles of `columns` × `rows` equal cells over c ∈ \\[1, 6\\], ν/a₊ ∈ \\[0, 1\\], with b₊ = a₊/2, the smallest
    /// c′, smooth slopes, uniform noise, and means to ±0.005 η·a₊.
    pub fn of_cells(columns: u32, rows: u32) -> Self {
        let middles = |low: f64, high: f64, cells: u32| {
            (0..cells).map(|i| low + (high - low) * (f64::from(i) + 0.5) / f64::from(cells)).collect()
        };
        Self {
            c: middles(1.0, 6.0, columns),
            nu: middles(0.0, 1.0, rows),
            b_plus: 0.5,
            c_prime: 1.0,
            slopes: SlopeFamily::Smooth,
            noise: NoiseLaw::Uniform,
            half_width: 0.005,
        }
    }

    /// Checks what can be told without simulating.
    ///
    /// # Errors
    /// [`Error::Domain`] if a value leaves its domain.
    pub fn check(&self) -> Result<()> {
        for (name, values) in [("values of c", &self.c), ("values of ν", &self.nu)] {
            if values.is_empty() {
                return Err(Error::domain(format!("number of {name}"), 0, "at least 1"));
            }
        }
        positive("half-width of a mean", self.half_width)?;
        if !(self.c_prime >= 1.0 && self.c_prime.is_finite()) {
            return Err(Error::domain("c′/c", self.c_prime, "a finite number ≥ 1"));
        }
        self.c.iter().try_for_each(|&c| self.setting(c, 0.0).map(drop))?;
        self.nu.iter().try_for_each(|&nu| self.setting(self.c[0], nu).map(drop))
    }

    fn setting(&self, c: f64, nu: f64) -> Result<Setting> {
        Setting::new(Valley::new(1.0, self.b_plus, c, -c * self.c_prime)?, 1.0, nu)
    }

    fn slopes(&self, setting: &Setting) -> Result<Slopes> {
        match self.slopes {
            SlopeFamily::Smooth => Slopes::smooth(setting, setting.eta() * setting.valley().a_plus()),
            SlopeFamily::Flattest => Slopes::constant(setting, 0.0, 0.0),
            SlopeFamily::Steepest => Slopes::constant(setting, 1.0, 0.0),
            SlopeFamily::Landing => Slopes::landing(setting, setting.eta() * setting.nu()),
        }
    }

    /// The map in words.
    fn wording(&self) -> String {
        let slopes = match self.slopes {
            SlopeFamily::Smooth => "slopes from b₊, −c a₊ at the kink to a₊, −c′ a₊ far off (half-way at |w| = ηa₊)",
            SlopeFamily::Flattest => "slopes b₊ and −c a₊",
            SlopeFamily::Steepest => "slopes a₊ and −c a₊",
            SlopeFamily::Landing => "slopes that land at ην and leave it with a₊, −c a₊ on the sharp side",
        };
        let c_prime = if self.c_prime == 1.0 { "c".to_owned() } else { format!("{} c", self.c_prime) };
        format!("{slopes}; b₊ = {} a₊, c′ = {c_prime}; {} noise", self.b_plus, self.noise.name())
    }
}

/// Simulates SGD at every (c, ν). Progress is counted in rows.
///
/// # Errors
/// [`Error::Domain`] if the configuration leaves its domain, or if a cell has no finished round or would take more than
/// 2²⁰ chains; [`Error::Interrupted`] if the observer asks to stop.
pub fn phase_map(config: &PhaseMapConfig, seed: Seed, observer: &dyn Observer) -> Result<PhaseMap> {
    config.check()?;
    observer.begin("phase map", config.nu.len() as u64);
    let row = |row| {
        let done = phase_map_row(config, row, seed, observer)?;
        observer.advance(1);
        Ok(done)
    };
    let rows = (0..config.nu.len()).map(row).collect::<Result<_>>()?;
    observer.finish();
    Ok(of_rows(config, rows))
}

/// The map of these rows, one a value of ν.
pub fn of_rows(config: &PhaseMapConfig, rows: Vec<PhaseMapRow>) -> PhaseMap {
    PhaseMap {
        c: config.c.clone(),
        nu: config.nu.clone(),
        b_plus: config.b_plus,
        c_prime: config.c_prime,
        rows,
        half_width: config.half_width,
        thresholds: sufficient_curves(&config.nu),
        setting: config.wording(),
    }
}

/// One row of the map, whatever happens in the others: cells are simulated side by side on rayon's current pool.
///
/// A cell's chains start uniform on \\[0, ηa₊(1 + c)). Sixty-four of them, the pilot, tell from their spread how many it
/// takes: with s its standard deviation of a chain's share in a mean and t Student's quantile for 63 degrees of freedom, the mean
/// over n ≥ (ts/h)² chains has a 95 % half-width of at most h (Stein 1945, Annals of Mathematical Statistics 16:243).
///
/// # Errors
/// As [`phase_map`]; [`Error::Domain`] if there is no such row.
pub fn phase_map_row(config: &PhaseMapConfig, row: usize, seed: Seed, observer: &dyn Observer) -> Result<PhaseMapRow> {
    config.check()?;
    let Some(&nu) = config.nu.get(row) else {
        return Err(Error::domain("row of the map", row, format!("0 to {}", config.nu.len() - 1)));
    };
    let seed = seed.child("phase-map", row as u64);
    let t = Confidence::P95.student_quantile(PILOT - 1)?;
    let cells = in_order(config.c.len() as u64, |column| {
        let c = config.c[column as usize];
        let setting = config.setting(c, nu)?;
        let process = Process { setting, gradient: config.slopes(&setting)?, noise: config.noise };
        cell(&process, t / config.half_width, seed.child("cell", column), &Quiet(observer))
            .map_err(|error| named(error, c, nu))
    })?;
    Ok(PhaseMapRow {
        long_run: cells.iter().map(|cell| cell.long_run).collect(),
        round: cells.iter().map(|cell| cell.round).collect(),
        negative: cells.iter().map(|cell| cell.negative).collect(),
        steps: cells.iter().map(|cell| cell.steps).collect(),
    })
}

/// Says in which cell something left its domain.
fn named(error: Error, c: f64, nu: f64) -> Error {
    match error {
        Error::Domain { name, value, allowed } => {
            Error::Domain { name: format!("{name} at c = {c}, ν = {nu}"), value, allowed }
        }
        other => other,
    }
}

struct Cell {
    long_run: f64,
    round: f64,
    negative: f64,
    steps: u64,
}

/// Simulates one cell; `precision` is t/h.
fn cell(process: &Process<Slopes, NoiseLaw>, precision: f64, seed: Seed, observer: &dyn Observer) -> Result<Cell> {
    let start = Start::Uniform { low: 0.0, high: 1.0 + process.setting.valley().c() };
    let simulation = Simulation::of(process);
    let run = |first: u64, chains: u64| -> Result<Sums> {
        let plan = Plan::new(chains, BURN_IN, STEPS)?;
        Ok(Sums { chains: simulation.from_chain(first).tally(&plan, start, seed, observer)? })
    };
    let pilot = run(0, PILOT)?;
    let spread = [pilot.long_run_shares(), pilot.round_shares()?]
        .map(|shares| Moments::of(&shares).variance().unwrap_or(0.0).sqrt())
        .into_iter()
        .fold(0.0, f64::max);
    let wanted = (precision * spread).powi(2).ceil();
    if wanted > MOST_CHAINS as f64 {
        return Err(Error::domain(
            "number of chains",
            wanted,
            format!("at most {MOST_CHAINS}; ask for less precision"),
        ));
    }
    // Whole batches: a part of one takes as long.
    let chains = (wanted as u64).next_multiple_of(PILOT).max(PILOT);
    let mut all = pilot;
    if chains > PILOT {
        all.chains.extend(run(PILOT, chains - PILOT)?.chains);
    }
    let [rounds, means, negative] = all.over_rounds();
    Ok(Cell {
        long_run: all.long_run_shares().iter().sum::<f64>() / chains as f64,
        round: means / rounds,
        negative: negative / rounds,
        steps: chains * (BURN_IN + STEPS),
    })
}

struct Sums {
    chains: Vec<Tallied<(Totals, RoundMeans)>>,
}

impl Sums {
    /// The mean iterate of every chain.
    fn long_run_shares(&self) -> Vec<f64> {
        self.chains.iter().map(|chain| chain.tally.0.sum() / STEPS as f64).collect()
    }

    /// Rounds, the sum of their averages, and how many averages are negative.
    fn over_rounds(&self) -> [f64; 3] {
        let sum = |of: fn(&(Totals, RoundMeans)) -> f64| self.chains.iter().map(|chain| of(&chain.tally)).sum();
        [sum(|it| it.0.rounds as f64), sum(|it| it.1.sum), sum(|it| it.1.negative as f64)]
    }

    /// The shares of the chains in the mean of the round averages, a ratio of sums, to first order.
    fn round_shares(&self) -> Result<Vec<f64>> {
        let [rounds, means, _] = self.over_rounds();
        if rounds == 0.0 {
            return Err(Error::domain("number of finished rounds", 0, "at least 1"));
        }
        let (ratio, each) = (means / rounds, rounds / self.chains.len() as f64);
        let share = |it: &(Totals, RoundMeans)| ratio + (it.1.sum - ratio * it.0.rounds as f64) / each;
        Ok(self.chains.iter().map(|chain| share(&chain.tally)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    /// Four by three cells.
    fn small(slopes: SlopeFamily) -> PhaseMapConfig {
        PhaseMapConfig { slopes, ..PhaseMapConfig::of_cells(4, 3) }
    }

    #[test]
    fn the_exact_law_is_met_within_the_half_width() {
        // (E): the long-run mean is (c − b₊)/2 for ν ≤ b₊. Each of eight 95 % intervals of half-width 0.005 misses with
        // probability 0.05; three half-widths are more than five standard errors. The seed is fixed.
        let config = PhaseMapConfig { nu: vec![0.1, 0.4], ..small(SlopeFamily::Flattest) };
        let map = phase_map(&config, Seed(3), &Silent).expect("runs");
        let mut misses = 0;
        for row in &map.rows {
            for (&c, &mean) in map.c.iter().zip(&row.long_run) {
                let error = (mean - (c - 0.5) / 2.0).abs();
                assert!(error < 3.0 * map.half_width, "c = {c}: {mean}");
                misses += u32::from(error > map.half_width);
            }
        }
        assert!(misses <= 2, "{misses} of 8");
    }

    #[test]
    fn rows_do_not_depend_on_the_threads_or_on_other_rows() {
        let config = small(SlopeFamily::Smooth);
        let map = phase_map(&config, Seed(3), &Silent).expect("runs");
        assert_eq!(map.rows.len(), 3);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
        let row = pool.install(|| phase_map_row(&config, 2, Seed(3), &Silent)).expect("runs");
        assert_eq!(row, map.rows[2]);
        assert!(row.negative.iter().all(|share| (0.0..=1.0).contains(share)));
        assert!(row.steps.iter().all(|&steps| steps >= PILOT * (BURN_IN + STEPS)));
    }

    #[test]
    fn a_wider_interval_takes_fewer_steps() {
        let steps = |half_width| {
            let config = PhaseMapConfig { half_width, ..small(SlopeFamily::Smooth) };
            phase_map_row(&config, 1, Seed(3), &Silent).expect("runs").steps.iter().sum::<u64>()
        };
        assert!(steps(0.002) > 4 * steps(0.005));
    }

    #[test]
    fn the_adversary_makes_means_negative_below_its_threshold() {
        let config = PhaseMapConfig { c: vec![1.6, 3.0], nu: vec![0.05], ..small(SlopeFamily::Landing) };
        let row = phase_map_row(&config, 0, Seed(3), &Silent).expect("runs");
        assert!(row.long_run[0] < -0.01 && row.long_run[1] > 0.01, "{row:?}");
    }

    #[test]
    fn what_is_out_of_domain_is_named() {
        let refused = |config: PhaseMapConfig| phase_map(&config, Seed(0), &Silent).expect_err("refused").to_string();
        let base = || small(SlopeFamily::Smooth);
        assert_eq!(refused(PhaseMapConfig { c: vec![1.0], ..base() }), "c is 1; allowed: a finite number > 1");
        assert_eq!(refused(PhaseMapConfig { nu: vec![], ..base() }), "number of values of ν is 0; allowed: at least 1");
        assert_eq!(refused(PhaseMapConfig { c_prime: 0.5, ..base() }), "c′/c is 0.5; allowed: a finite number ≥ 1");
        let message = refused(PhaseMapConfig { half_width: 1e-9, ..base() });
        assert!(message.contains("number of chains at c = 1.625"), "{message}");
        let row = phase_map_row(&base(), 3, Seed(0), &Silent).expect_err("no such row").to_string();
        assert_eq!(row, "row of the map is 3; allowed: 0 to 2");
    }
}
