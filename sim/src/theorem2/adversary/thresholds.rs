//! The thresholds in c as functions of ν and b₊: computed, and as the theorems have them.

use super::{Enclosure, Momentum, long_run_threshold, momentum_threshold, per_round_threshold};
use crate::parallel::in_order;
use crate::progress::Observer;
use crate::record::{Threshold, ThresholdCurve, ThresholdPoint, Thresholds};
use crate::theorem2::{long_run, per_round};
use crate::{Error, Result};

/// What [`thresholds`] computes, in units of a₊ = 1 and η = 1.
///
/// | Name | Default | Purpose | Range |
/// |---|---|---|---|
/// | `long_run` | b₊ = .5, .8, .9, 1; ν = 0, .05, …, 1; 100 cells | (L) | ν ≤ 1 |
/// | `round` | b₊ = .125, .5, 1; ν = 0, .125, …, 1; 16 cells | (C) | |
/// | `momentum` | μ = 0, ½ on 8 cells, ¾ on 4 | heavy ball | |
/// | `momentum_nu` | 0, .25, …, 1 | its noise | ν ≤ 1 |
/// | `momentum_b_plus` | ½ | its smallest flat slope | (0, 1) |
/// | `momentum_most` | 8 | where the search in c ends | |
///
/// b₊ and ν must be whole numbers of cells.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdsConfig {
    /// (L)'s grid.
    pub long_run: ThresholdsGrid,
    /// (C)'s grid.
    pub round: ThresholdsGrid,
    /// Each momentum with its cells to ηa₊.
    pub momentum: Vec<(Momentum, u16)>,
    /// ν/a₊ with momentum.
    pub momentum_nu: Vec<f64>,
    /// b₊/a₊ with momentum.
    pub momentum_b_plus: f64,
    /// The largest c that is searched with momentum.
    pub momentum_most: f64,
}

/// A grid of b₊ and ν, in units of a₊.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdsGrid {
    /// b₊/a₊, one curve each.
    pub b_plus: Vec<f64>,
    /// ν/a₊.
    pub nu: Vec<f64>,
    /// Cells of the lattice to ηa₊.
    pub cells: u16,
}

impl ThresholdsConfig {
    /// The default grids on finer lattices: `cells` for (L), a multiple of 20 from 20 to 1000, and for the others in
    /// proportion, as far as they can afford it. From 200 on, μ = 9/10 is included.
    ///
    /// # Errors
    /// `cells` is not such a number.
    pub fn with_cells(cells: u16) -> Result<Self> {
        if !(cells.is_multiple_of(20) && (20..=1000).contains(&cells)) {
            return Err(Error::domain("number of cells", cells, "a multiple of 20 from 20 to 1000"));
        }
        let level = match cells {
            ..100 => 1,
            100..200 => 2,
            _ => 4,
        };
        let parts = |count: u16| (0..=count).map(|i| f64::from(i) / f64::from(count)).collect::<Vec<_>>();
        let mut momentum = vec![
            (Momentum::ZERO, 4 * level),
            (Momentum::new(1, 2)?, 4 * level),
            (Momentum::new(3, 4)?, (2 * level).max(4)),
        ];
        if cells >= 200 {
            momentum.push((Momentum::new(9, 10)?, 2));
        }
        let nu = parts(4);
        // Two cells to ηa₊ hold no quarters.
        let momentum_nu = if cells >= 200 { nu.iter().copied().step_by(2).collect() } else { nu };
        Ok(Self {
            long_run: ThresholdsGrid { b_plus: vec![0.5, 0.8, 0.9, 1.0], nu: parts(20), cells },
            round: ThresholdsGrid { b_plus: vec![0.125, 0.5, 1.0], nu: parts(8), cells: 8 * level },
            momentum,
            momentum_nu,
            momentum_b_plus: 0.5,
            momentum_most: 8.0,
        })
    }
}

/// Computes every threshold of the grids. Progress is counted in thresholds.
pub fn thresholds(config: &ThresholdsConfig, observer: &dyn Observer) -> Result<Thresholds> {
    let ThresholdsConfig { long_run, round, momentum, momentum_nu, .. } = config;
    let count = |grid: &ThresholdsGrid| grid.b_plus.len() * grid.nu.len();
    observer.begin("thresholds", (count(long_run) + count(round) + momentum.len() * momentum_nu.len()) as u64);
    let flat = |grid: &ThresholdsGrid, find: Find| {
        let curves = grid.b_plus.iter().map(|&b_plus| (format!("b₊ = {b_plus} a₊"), b_plus, grid.cells));
        curves
            .map(|(name, b_plus, cells)| {
                curve((name, b_plus, cells), &grid.nu, observer, |nu| find(nu, b_plus, cells, observer).map(Some))
            })
            .collect::<Result<Vec<_>>>()
    };
    let record = Thresholds {
        long_run: flat(long_run, long_run_threshold)?,
        round: flat(round, per_round_threshold)?,
        momentum: momentum
            .iter()
            .map(|&(momentum, cells)| {
                let (b_plus, most) = (config.momentum_b_plus, config.momentum_most);
                curve((format!("μ = {}", momentum.value()), momentum.value(), cells), momentum_nu, observer, |nu| {
                    momentum_threshold(momentum, (nu, b_plus), most, cells, observer)
                })
            })
            .collect::<Result<_>>()?,
        momentum_b_plus: config.momentum_b_plus,
        momentum_most: config.momentum_most,
        sufficient: vec![
            sufficient("(L) long run", &long_run.nu, self::long_run::threshold),
            sufficient("(C) every prepared round, in the mean", &round.nu, per_round::threshold),
        ],
        setting: format!(
            "dynamic programming over every slope and every law of the noise; {} cells to ηa₊ for (a), {} for (b), {} for \
             (c)",
            long_run.cells,
            round.cells,
            momentum.iter().map(|(_, cells)| cells.to_string()).collect::<Vec<_>>().join(", ")
        ),
    };
    observer.finish();
    Ok(record)
}

type Find = fn(f64, f64, u16, &dyn Observer) -> Result<Enclosure>;

fn curve(
    (name, value, cells): (String, f64, u16),
    nu: &[f64],
    observer: &dyn Observer,
    find: impl Fn(f64) -> Result<Option<Enclosure>> + Sync,
) -> Result<ThresholdCurve> {
    let point = |index: u64| {
        let nu = nu[index as usize];
        let enclosure = find(nu)?;
        observer.advance(1);
        Ok(ThresholdPoint {
            nu,
            negative: enclosure.map(|it| it.negative),
            threshold: enclosure.map(|it| it.threshold),
            certain: enclosure.and_then(|it| it.certain),
        })
    };
    Ok(ThresholdCurve { name, value, cells, points: in_order(nu.len() as u64, point)? })
}

fn sufficient(name: &str, nu: &[f64], c: fn(f64) -> f64) -> Threshold {
    Threshold { name: name.into(), nu: nu.to_vec(), c: nu.iter().map(|&nu| c(nu)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn the_record_holds_every_curve_and_none_above_the_theorem() {
        let grid = |b_plus: Vec<f64>| ThresholdsGrid { b_plus, nu: vec![0.0, 0.5, 0.75], cells: 8 };
        let config = ThresholdsConfig {
            long_run: grid(vec![0.5, 1.0]),
            round: grid(vec![0.5]),
            momentum: vec![(Momentum::ZERO, 4)],
            momentum_nu: vec![0.0, 1.0],
            momentum_most: 3.0,
            ..ThresholdsConfig::with_cells(100).expect("valid")
        };
        let record = thresholds(&config, &Silent).expect("runs");
        assert_eq!([record.long_run.len(), record.round.len(), record.momentum.len()], [2, 1, 1]);
        for (curves, sufficient) in [(&record.long_run, &record.sufficient[0]), (&record.round, &record.sufficient[1])]
        {
            for curve in curves {
                for (point, &c) in curve.points.iter().zip(&sufficient.c) {
                    assert!(point.threshold.is_some_and(|threshold| threshold <= c), "{}: {point:?}", curve.name);
                    assert!(point.negative <= point.threshold && point.threshold < point.certain);
                }
            }
        }
        let momentum: Vec<_> = record.momentum[0].points.iter().map(|point| point.threshold).collect();
        assert_eq!(momentum, [Some(2.0), None], "3.5 is not found below 3");
        assert!(ThresholdsConfig::with_cells(30).is_err());
    }
}
