//! (E): an exact law, and so a free oracle for every simulation.
//!
//! In the valley of two slopes, b for w ≥ 0 and −s for w < 0, with independent noise of mean zero, ν ≤ b and ν ≤ s, the law
//! of w = V − η(b + ω), V uniform on [0, η(b + s)) and independent of ω, is stationary. So the long-run mean is η(s − b)/2,
//! whatever the noise's law. It fails for ν > b.

use super::Statement;
use crate::ensemble::{self, Plan, Start};
use crate::estimate::Confidence;
use crate::progress::Observer;
use crate::record::{ExactLaw, ExactLawRow};
use crate::sgd::{NoiseLaw, Process, Setting, Slopes, Valley};
use crate::{Result, Seed};

/// η(s − b)/2, the long-run mean in a two-slope valley where (E) applies.
pub fn mean(flat: f64, sharp: f64, eta: f64) -> f64 {
    eta * (sharp - flat) / 2.0
}

/// One setting to simulate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExactLawCase {
    /// b, the flat slope.
    pub flat: f64,
    /// s > b, the size of the sharp slope.
    pub sharp: f64,
    /// ν, the noise bound.
    pub nu: f64,
    /// η, the step size.
    pub eta: f64,
    /// The noise's law.
    pub noise: NoiseLaw,
}

/// What [`exact_law`] simulates.
#[derive(Debug, Clone, PartialEq)]
pub struct ExactLawConfig {
    /// The settings: by default six where the law applies, and one, ν > b, where it does not.
    pub cases: Vec<ExactLawCase>,
    /// Chains and steps for each: by default 512 chains of 1,000 + 20,000 steps.
    pub plan: Plan,
    /// Joint confidence of all intervals: by default 99.9 %.
    pub confidence: Confidence,
}

impl Default for ExactLawConfig {
    fn default() -> Self {
        let case = |flat, sharp, nu, eta, noise| ExactLawCase { flat, sharp, nu, eta, noise };
        Self {
            cases: vec![
                case(1.0, 4.0, 0.0, 0.1, NoiseLaw::None),
                case(1.0, 4.0, 0.5, 0.1, NoiseLaw::Uniform),
                case(1.0, 4.0, 1.0, 0.1, NoiseLaw::TwoPoint),
                case(1.0, 4.0, 1.0, 0.1, NoiseLaw::TruncatedGaussian),
                case(0.3, 1.3, 0.3, 1.0, NoiseLaw::Uniform),
                case(0.5, 8.0, 0.4, 0.01, NoiseLaw::Uniform),
                case(0.3, 1.3, 0.6, 1.0, NoiseLaw::Uniform),
            ],
            plan: Plan { chains: 512, burn_in: 1_000, steps: 20_000 },
            confidence: Confidence::P999,
        }
    }
}

/// Simulates the law in every setting; the intervals hold jointly.
///
/// Chains start uniformly on [0, η(b + s)): one step later they have the stationary law, where there is one of this
/// kind. Progress is counted in chains.
pub fn exact_law(config: &ExactLawConfig, seed: Seed, observer: &dyn Observer) -> Result<ExactLaw> {
    let confidence = config.confidence.simultaneous(config.cases.len())?;
    observer.begin("exact law", config.plan.chains() * config.cases.len() as u64);
    let rows = (0u64..)
        .zip(&config.cases)
        .map(|(index, case)| row(case, &config.plan, confidence, seed.child("exact-law", index), observer))
        .collect::<Result<_>>()?;
    observer.finish();
    Ok(ExactLaw { rows, confidence: config.confidence.level() })
}

fn row(
    case: &ExactLawCase,
    plan: &Plan,
    confidence: Confidence,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<ExactLawRow> {
    let &ExactLawCase { flat, sharp, nu, eta, noise } = case;
    let setting = Setting::new(Valley::two_slope(flat, sharp)?, eta, nu)?;
    let process = Process { setting, gradient: Slopes::constant(&setting, 0.0, 0.0)?, noise };
    let start = Start::Uniform { low: 0.0, high: eta * (flat + sharp) };
    let interval = ensemble::run(&process, plan, start, seed, observer)?.long_run(confidence)?;
    Ok(ExactLawRow {
        flat,
        sharp,
        nu,
        eta,
        noise: noise.name().into(),
        expected: mean(flat, sharp, eta),
        mean: interval.estimate,
        half_width: interval.half_width(),
        applies: Statement::ExactLaw.check(&setting).is_ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ensemble::{Simulation, Totals};
    use crate::estimate::{KolmogorovSmirnov, kolmogorov_smirnov};
    use crate::progress::Silent;

    #[test]
    fn the_law_is_met_where_it_applies_and_missed_where_it_does_not() {
        // The seven intervals miss together with probability 0.001; the seed is fixed.
        let law = exact_law(&ExactLawConfig::default(), Seed(1), &Silent).expect("runs");
        assert_eq!(law.confidence, 0.999);
        for row in &law.rows {
            let error = (row.mean - row.expected).abs();
            assert_eq!(row.applies, row.nu <= row.flat);
            assert!(row.half_width < 0.04 * row.expected, "{row:?}");
            assert_eq!(error <= row.half_width, row.applies, "{row:?}");
        }
        let last = law.rows.last().expect("seven rows");
        assert!((last.mean - 0.561).abs() < last.half_width + 5e-4, "{last:?}");
    }

    /// The end points of many chains from 0, folded into [0, η(b + s)), tested to be uniform.
    fn end_points(chains: u64, steps: u64, noise: NoiseLaw, nu: f64) -> KolmogorovSmirnov {
        let (flat, sharp, eta) = (1.0, 3.3, 0.2);
        let setting = Setting::new(Valley::two_slope(flat, sharp).expect("valid"), eta, nu).expect("valid");
        let process = Process { setting, gradient: Slopes::constant(&setting, 0.0, 0.0).expect("valid"), noise };
        let plan = Plan::new(chains, 0, steps).expect("valid");
        let chains = Simulation::of(&process).tally::<Totals>(&plan, Start::At(0.0), Seed(2), &Silent).expect("runs");
        let period = eta * (flat + sharp);
        let fold = |w: f64| (if w < 0.0 { w + period } else { w }) / period;
        let mut shares: Vec<f64> = chains.iter().map(|chain| fold(chain.last)).collect();
        kolmogorov_smirnov(&mut shares, |share| share.clamp(0.0, 1.0)).expect("valid")
    }

    #[test]
    fn a_billion_steps_follow_the_law() {
        // A million independent chains of a thousand steps each; p below 0.001 has probability 0.001 for each law; the
        // seed is fixed. Two-point noise moves on a lattice, whose steps of 2ην and η(b − ν) a finite time cannot smooth.
        for noise in [NoiseLaw::Uniform, NoiseLaw::TruncatedGaussian, NoiseLaw::FineUniform] {
            let test = end_points(1_000_000, 1_000, noise, 1.0);
            assert!(test.p_value > 0.001, "{noise:?}: {test:?}");
        }
    }

    #[test]
    fn the_law_takes_time_and_little_noise() {
        let soon = end_points(4_000, 3, NoiseLaw::Uniform, 1.0);
        assert!(soon.p_value < 1e-6, "after three steps the law is not yet there: {soon:?}");
        let beyond = end_points(100_000, 1_000, NoiseLaw::Uniform, 2.0);
        assert!(beyond.p_value < 1e-6, "ν > b: {beyond:?}");
    }
}
