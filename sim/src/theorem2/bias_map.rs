//! The map of SGD's averages over the asymmetry c and the noise bound ν.

use super::adversary::worst_case;
use super::curves::sufficient_curves;
use super::printed;
use crate::ensemble::{self, Ensemble, Plan, Start};
use crate::estimate::{Confidence, Interval};
use crate::parallel::in_order;
use crate::progress::{Observer, Quiet};
use crate::record::BiasMap;
use crate::sgd::{Setting, Valley};
use crate::{Error, Result, Seed};

/// What [`bias_map`] simulates, in units of a₊ = 1 and η = 1.
///
/// | Name | Default | Purpose | Range |
/// |---|---|---|---|
/// | `c` | 1.2, 1.4, …, 6 | columns | each > 1, a whole number of cells |
/// | `nu` | 0, 0.05, …, 1 | rows | each ≥ 0; rounded down to a whole number of cells |
/// | `b_plus` | ½ | smallest flat slope | (0, 1] |
/// | `cells` | 20 | cells of the adversary's lattice to a₊ | ≥ 1 |
/// | `plan` | 64 chains of 200 + 5,000 steps | accuracy | |
#[derive(Debug, Clone, PartialEq)]
pub struct BiasMapConfig {
    /// The values of c.
    pub c: Vec<f64>,
    /// The values of ν/a₊.
    pub nu: Vec<f64>,
    /// b₊/a₊.
    pub b_plus: f64,
    /// Cells of the lattice to a₊.
    pub cells: u16,
    /// Chains and steps for each point of the map.
    pub plan: Plan,
}

impl Default for BiasMapConfig {
    fn default() -> Self {
        Self {
            c: (6..=30).map(|i| f64::from(i) / 5.0).collect(),
            nu: (0..=20).map(|i| f64::from(i) / 20.0).collect(),
            b_plus: 0.5,
            cells: 20,
            plan: Plan { chains: 64, burn_in: 200, steps: 5_000 },
        }
    }
}

/// How near to the worst adversary the map's adversaries are, in units of ηa₊.
const TOLERANCE: f64 = 5e-3;

/// Simulates SGD at every (c, ν) against the slopes and the noise that make its long-run mean smallest
/// ([`worst_case`]), with b₋ = −c·a₊, the smallest |b₋|.
///
/// Chains start at 0. Every round that begins after the burn-in counts. Progress is counted in points of the map.
pub fn bias_map(config: &BiasMapConfig, seed: Seed, observer: &dyn Observer) -> Result<BiasMap> {
    for (name, values) in [("values of c", &config.c), ("values of ν", &config.nu)] {
        if values.is_empty() {
            return Err(Error::domain(format!("number of {name}"), 0, "at least 1"));
        }
    }
    let columns = config.c.len();
    let points = columns * config.nu.len();
    observer.begin("bias map", points as u64);
    let ensembles = in_order(points as u64, |i| {
        let (seed, i) = (seed.child("bias-map", i), i as usize);
        let ensemble = simulate(config, config.c[i % columns], config.nu[i / columns], seed, observer)?;
        observer.advance(1);
        Ok(ensemble)
    })?;
    observer.finish();
    let mut half_width = 0.0_f64;
    let mut rows = |interval: fn(&Ensemble, Confidence) -> Result<Interval>| -> Result<Vec<Vec<f64>>> {
        let mean = |ensemble: &Ensemble| {
            let interval = interval(ensemble, Confidence::P95)?;
            half_width = half_width.max(interval.half_width() / f64::from(config.cells));
            Ok(interval.estimate / f64::from(config.cells))
        };
        let means = ensembles.iter().map(mean).collect::<Result<Vec<_>>>()?;
        Ok(means.chunks(columns).map(<[f64]>::to_vec).collect())
    };
    Ok(BiasMap {
        long_run: rows(Ensemble::long_run)?,
        round: rows(Ensemble::round_mean)?,
        half_width,
        c: config.c.clone(),
        nu: config.nu.clone(),
        b_plus: config.b_plus,
        thresholds: sufficient_curves(&config.nu),
        steps: config.plan.total_steps() * points as u64,
        setting: format!(
            "slopes and noise chosen to make the long-run mean smallest (dynamic programming, {} cells to a₊); \
             b₊ = {} a₊, b₋ = −c a₊; {} chains a point. The printed condition c′ < e^(c/3)/6 needs c > {:.2}, to the \
             right of the map",
            config.cells,
            config.b_plus,
            config.plan.chains(),
            printed::smallest_asymmetry(),
        ),
    })
}

fn simulate(config: &BiasMapConfig, c: f64, nu: f64, seed: Seed, observer: &dyn Observer) -> Result<Ensemble> {
    let setting = Setting::new(Valley::with_sharp_slope_fixed(1.0, config.b_plus, c)?, 1.0, nu)?;
    let process = worst_case(&setting, config.cells, TOLERANCE, observer)?.adversary.process()?;
    ensemble::run(&process, &config.plan, Start::At(0.0), seed, &Quiet(observer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::theorem2::{long_run, per_round};

    #[test]
    fn the_sign_turns_where_the_theorems_say() {
        let config = BiasMapConfig {
            c: vec![1.5, 1.75, 2.25, 2.75, 3.0, 3.75, 5.25],
            nu: vec![0.0, 0.25, 0.5, 0.75, 1.0],
            cells: 8,
            ..BiasMapConfig::default()
        };
        let map = bias_map(&config, Seed(4), &Silent).expect("runs");
        assert_eq!((map.long_run.len(), map.long_run[0].len()), (5, 7));
        assert_eq!(map.steps, 35 * 64 * 5_200);
        assert!(map.half_width < 0.05, "{}", map.half_width);
        for (row, &nu) in config.nu.iter().enumerate() {
            for (column, &c) in config.c.iter().enumerate() {
                let (long_run, round) = (map.long_run[row][column], map.round[row][column]);
                // The smallest mean is 0 at the threshold, and b₊ = ½ is below ν wherever ν > ½: exact on both sides.
                if c != long_run::threshold(nu) {
                    assert_eq!(
                        long_run > 0.0,
                        c > long_run::threshold(nu),
                        "long run at c = {c}, ν = {nu}: {long_run}"
                    );
                }
                if c > per_round::threshold(nu) {
                    assert!(round > 0.0, "rounds at c = {c}, ν = {nu}: {round}");
                }
            }
        }
        // Without noise c = 1.5 and 1.75 have the cycle (c − 1, 0, −1).
        for (column, c) in [(0, 1.5), (1, 1.75)] {
            assert!((map.long_run[0][column] - (c - 2.0) / 3.0).abs() < 1e-3);
            assert!((map.round[0][column] - (c - 2.0) / 3.0).abs() < 1e-9);
        }
    }

    #[test]
    fn an_empty_grid_or_a_value_outside_its_domain_is_refused() {
        let with_c = |c: Vec<f64>| BiasMapConfig { c, nu: vec![0.0], ..BiasMapConfig::default() };
        assert!(bias_map(&with_c(vec![]), Seed(0), &Silent).is_err());
        let message = bias_map(&with_c(vec![1.0]), Seed(0), &Silent).expect_err("symmetric").to_string();
        assert_eq!(message, "c is 1; allowed: a finite number > 1");
    }
}
