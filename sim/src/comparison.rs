//! Across runs: does the gain that a certificate promises go along with what averaging gains, more than the usual measures
//! of sharpness do?
//!
//! The paper argues (Sections 4 and 6) that asymmetry, not sharpness, tells why SWA generalises better. If so, the
//! certificates of the lines through SGD's solution should order runs as their gains do.

use crate::Result;
use crate::asymmetry::Certificate;
use crate::estimate::{Bootstrap, Confidence, spearman};
use crate::record::{
    Comparison, ComparisonRow, Curvature, Interpolation, LineJudgement, Predictor, Prevalence, Rays, Record, Solution,
    Solutions,
};
use crate::seed::Seed;

/// The fewest runs that a correlation is told of: two always have one of ±1.
const LEAST_RUNS: usize = 3;

const SWA: &str = "SWA";
const SETTLED: &str = "SGD after SWA";

/// What was measured of one run.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    name: &'a str,
    solutions: &'a Solutions,
    interpolation: Option<&'a Interpolation>,
    prevalence: Option<&'a Prevalence>,
    curvature: Option<&'a Curvature>,
    rays: Option<&'a Rays>,
}

impl<'a> Facts<'a> {
    /// A run by its name, of which the solutions are known; [`take`](Self::take) adds what was measured around them.
    pub fn of(name: &'a str, solutions: &'a Solutions) -> Self {
        Self { name, solutions, interpolation: None, prevalence: None, curvature: None, rays: None }
    }

    /// Takes up those records that a comparison uses. Of several of one kind the first counts; of prevalences, the first
    /// with uniform directions.
    pub fn take(&mut self, records: impl IntoIterator<Item = &'a Record>) {
        for record in records {
            match record {
                Record::Interpolation(it) => self.interpolation = self.interpolation.or(Some(it)),
                Record::Prevalence(it) if it.groups.iter().any(|group| group.name == UNIFORM) => {
                    self.prevalence = self.prevalence.or(Some(it));
                }
                Record::Curvature(it) => self.curvature = self.curvature.or(Some(it)),
                Record::Rays(it) => self.rays = self.rays.or(Some(it)),
                _ => {}
            }
        }
    }

    fn solution(&self, name: &str) -> Option<&'a Solution> {
        // A solution is named by network and phase, and "SGD after SWA" ends with "SWA", too.
        let is = |it: &&Solution| match name {
            SWA => it.name.ends_with(SWA) && !it.name.ends_with(SETTLED),
            other => it.name.ends_with(other),
        };
        self.solutions.rows.iter().find(is)
    }
}

const UNIFORM: &str = "uniform";

/// A quantity by its name.
type Quantity = (&'static str, fn(&Facts<'_>) -> Option<f64>);

const QUANTITIES: [Quantity; 6] = [
    ("certificate’s gain on the line to SWA", |run| Some(towards(&run.interpolation?.judgement))),
    ("mean gain of certificates, uniform directions", |run| mean_gain(run.prevalence?)),
    ("largest eigenvalue of the Hessian", |run| Some(settled(run.curvature?)?.spectrum.largest.first()?.value)),
    ("trace of the Hessian", |run| Some(settled(run.curvature?)?.trace.estimate)),
    ("rise of the training loss on random rays", |run| rise(run.rays?)),
    ("training loss", |run| Some(run.solution(SETTLED)?.train_loss)),
];

fn gain(certificate: Option<&Certificate>) -> f64 {
    certificate.map_or(0.0, |it| it.gain)
}

/// The gain of the certificate, negative if the other end lies on the sharp side, 0 without a certificate.
fn towards(judgement: &LineJudgement) -> f64 {
    let gain = gain(judgement.canonical.as_ref());
    if judgement.mirrored { -gain } else { gain }
}

/// Directions without a certificate count with a gain of 0.
fn mean_gain(it: &Prevalence) -> Option<f64> {
    let group = it.groups.iter().find(|group| group.name == UNIFORM)?;
    let sum: f64 = group.directions.iter().map(|row| gain(row.certificate.as_ref())).sum();
    (!group.directions.is_empty()).then(|| sum / group.directions.len() as f64)
}

fn settled(it: &Curvature) -> Option<&crate::record::CurvatureRow> {
    it.rows.iter().find(|row| row.name == SETTLED)
}

/// Over all rays from SGD's solution, from the centre to the largest distance.
fn rise(it: &Rays) -> Option<f64> {
    let solution = it.solutions.iter().find(|solution| solution.name == SETTLED)?;
    Some(solution.train.last()? - solution.train.first()?)
}

/// Compares runs that have both an averaged solution (SWA) and SGD started from it; others are left out. None if no run
/// has both.
///
/// Quantities are those of SGD's solution: the gain of its certificate (in units of the loss) on the line towards SWA and,
/// on average, along uniform directions; the largest eigenvalue and the trace of the Hessian; the rise of the training
/// loss along random rays; its training loss. Intervals come from resampling runs, p-values from permuting them.
///
/// # Errors
/// Numbers that are not finite.
pub fn compare(runs: &[Facts<'_>], seed: Seed) -> Result<Option<Comparison>> {
    let row = |run: &Facts<'_>| {
        let (averaged, settled) = (run.solution(SWA)?, run.solution(SETTLED)?);
        Some(ComparisonRow {
            name: run.name.to_owned(),
            gain: settled.test_loss - averaged.test_loss,
            accuracy_gain: averaged.test_accuracy - settled.test_accuracy,
            values: QUANTITIES.iter().map(|(_, value)| value(run)).collect(),
        })
    };
    let rows: Vec<ComparisonRow> = runs.iter().filter_map(row).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let confidence = Confidence::P95;
    let bootstrap = Bootstrap::new(2_000, seed)?;
    let predictor = |(place, (name, _)): (usize, &Quantity)| {
        let pairs = || rows.iter().filter_map(|row| Some((row.values[place]?, row.gain)));
        let (x, y): (Vec<f64>, Vec<f64>) = pairs().unzip();
        let varies = |values: &[f64]| values.iter().any(|value| *value != values[0]);
        let spearman = (x.len() >= LEAST_RUNS && varies(&x) && varies(&y))
            .then(|| spearman(&x, &y, confidence, &bootstrap))
            .transpose()?;
        Ok(Predictor { name: (*name).to_owned(), spearman })
    };
    let predictors = QUANTITIES.iter().enumerate().map(predictor).collect::<Result<Vec<_>>>()?;
    Ok(Some(Comparison { rows, predictors, confidence: confidence.level() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asymmetry::Verdict;
    use crate::curvature::{Ritz, Spectrum};
    use crate::estimate::Interval;
    use crate::record::CurvatureRow;

    fn solutions(swa: f64, settled: f64) -> Solutions {
        let row = |name: &str, test_loss: f64| Solution {
            name: name.to_owned(),
            chosen: String::new(),
            train_loss: 0.5,
            train_accuracy: 0.9,
            test_loss,
            test_accuracy: 1.0 - test_loss,
        };
        Solutions {
            rows: vec![row("ResNet-8 SWA", swa), row("ResNet-8 SGD after SWA", settled)],
            setting: String::new(),
        }
    }

    fn curvature(largest: f64) -> Record {
        let ritz = |value: f64| Ritz { value, residual: 0.0, converged: true };
        let spectrum = Spectrum {
            smallest: vec![ritz(0.0)],
            largest: vec![ritz(largest)],
            steps: 2,
            dimension: 2,
            converged: true,
            asymmetry: 0.0,
        };
        let trace = Interval { low: 1.0, estimate: 1.0, high: 1.0 };
        let row = |name: &str| CurvatureRow {
            name: name.to_owned(),
            spectrum: spectrum.clone(),
            trace,
            trace_error: 0.0,
            probes: 2,
            step: 0.1,
        };
        let rows = vec![row("SWA"), row("SGD after SWA")];
        Record::Curvature(Curvature { title: String::new(), rows, confidence: 0.95, setting: String::new() })
    }

    #[test]
    fn a_predictor_that_orders_runs_as_their_gains_has_correlation_one() {
        // Gains 0.1, 0.3, 0.2, 0.4 beside eigenvalues of the same order.
        let runs = [(0.1, 5.0), (0.3, 8.0), (0.2, 7.5), (0.4, 90.0)]
            .map(|(gain, top)| (solutions(0.5, 0.5 + gain), curvature(top)));
        let facts: Vec<Facts<'_>> = runs
            .iter()
            .map(|(solutions, record)| {
                let mut facts = Facts::of("run", solutions);
                facts.take([record]);
                facts
            })
            .collect();
        let it = compare(&facts, Seed(1)).expect("finite").expect("runs");
        let gains: Vec<f64> = it.rows.iter().map(|row| row.gain).collect();
        assert!(gains.iter().zip([0.1, 0.3, 0.2, 0.4]).all(|(a, b)| (a - b).abs() < 1e-12), "{gains:?}");
        assert!((it.rows[0].accuracy_gain - 0.1).abs() < 1e-12);
        let of = |name: &str| it.predictors.iter().find(|it| it.name.starts_with(name)).expect("known");
        let found = of("largest eigenvalue").spearman.expect("four runs");
        assert!(found.pairs == 4 && (found.correlation.estimate - 1.0).abs() < 1e-12, "{found:?}");
        // All traces are equal, and no line was measured.
        assert_eq!((of("trace").spearman, of("certificate").spearman), (None, None));
    }

    #[test]
    fn runs_without_both_solutions_are_left_out() {
        let mut alone = solutions(0.5, 0.6);
        alone.rows.truncate(1);
        assert_eq!(compare(&[Facts::of("run", &alone)], Seed(1)).expect("finite"), None);
    }

    #[test]
    fn a_certificate_towards_the_sharp_side_counts_against() {
        let certificate = Certificate { r_hi: 2.0, r_lo: 0.5, p: 0.1, c: 4.0, c_is_lower_bound: false, gain: 0.2 };
        let judgement = |mirrored: bool| LineJudgement {
            mirrored,
            verdict: Verdict::Asymmetric,
            half_line: 2.0,
            canonical: Some(certificate),
            matched: None,
            front: Vec::new(),
        };
        assert_eq!((towards(&judgement(true)), towards(&judgement(false))), (-0.2, 0.2));
    }
}
