//! (E): the exact law of the two-slope valley.

use valleys_sim::ensemble::Plan;
use valleys_sim::estimate::Confidence;
use valleys_sim::progress::{Observer, Silent};
use valleys_sim::sgd::NoiseLaw;
use valleys_sim::theorem2::{ExactLawCase, ExactLawConfig, Statement, exact_law};
use valleys_sim::{Result, Seed};

use crate::strategy::theorem2::exact_law_case;
use crate::trial::for_all;
use crate::{Assumption, Claim, Effort, Evidence, Standing};

pub(super) fn claims() -> Vec<Claim> {
    let independent = || Assumption::OfProcess("independent noise of mean zero");
    let hypotheses = Statement::ExactLaw.hypotheses().iter().copied().map(Assumption::Theorem2);
    vec![
        Claim {
            id: "theorem2-exact-law",
            source: "corrected",
            words: "(E) The long-run mean in a valley of two slopes, whatever the noise's law, is",
            formula: "η(s − b)/2",
            hypotheses: hypotheses.chain([independent()]).collect(),
            standing: Standing::Tested,
            weakenings: Vec::new(),
            examination: Box::new(examine),
        },
        Claim {
            id: "theorem2-exact-law-any-noise",
            source: "corrected, without one hypothesis",
            words: "(E) for noise larger than the flat slope",
            formula: "the long-run mean is η(s − b)/2",
            hypotheses: vec![Assumption::Theorem2(valleys_sim::theorem2::Hypothesis::TwoSlopes), independent()],
            standing: Standing::Refuted { fault: "for ν > b the law is not stationary", proofs: &[] },
            weakenings: Vec::new(),
            examination: Box::new(|_, seed, observer| examine_large_noise(seed, observer)),
        },
    ]
}

fn simulate(
    case: ExactLawCase,
    confidence: Confidence,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<(f64, f64, f64)> {
    let config = ExactLawConfig { cases: vec![case], plan: Plan::new(64, 1_000, 4_000)?, confidence };
    let law = exact_law(&config, seed, observer)?;
    let row = &law.rows[0];
    Ok((row.mean, row.expected, row.half_width))
}

/// Simulated means of random settings against the law; the intervals hold jointly at 99.9 %.
fn examine(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let confidence = Confidence::P999.simultaneous(effort.cases() as usize)?;
    let method = "random two-slope settings, simulated, jointly at 99.9 %";
    for_all(&exact_law_case(), effort.cases(), seed, observer, method, |&(flat, sharp, nu, eta, noise)| {
        let case = ExactLawCase { flat, sharp, nu, eta, noise };
        let (mean, expected, half_width) = simulate(case, confidence, seed, &Silent)?;
        Ok((half_width - (mean - expected).abs()) / (eta * sharp))
    })
}

/// b = .3, s = 1.3, ν = .6: the mean is .561, not .5, at 99.9 %.
fn examine_large_noise(seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let case = ExactLawCase { flat: 0.3, sharp: 1.3, nu: 0.6, eta: 1.0, noise: NoiseLaw::Uniform };
    let (mean, expected, half_width) = simulate(case, Confidence::P999, seed, observer)?;
    let slack = half_width - (mean - expected).abs();
    let shown = format!("b = 0.3, s = 1.3, ν = 0.6, η = 1: the mean is {mean:.3} ± {half_width:.3}, not {expected}");
    Ok(Evidence::instance("one setting, simulated at 99.9 %", slack, shown))
}
