//! (L)'s threshold in c is exact, and no bound on the variance can stand for the bound on the noise.

use proptest::prelude::*;
use valleys_sim::progress::Observer;
use valleys_sim::theorem2::ProcessHypothesis::{BoundedNoise, BoundedVariance, SlopesWithinBounds, ZeroMeanNoise};
use valleys_sim::theorem2::{Hypothesis, ProcessHypothesis};
use valleys_sim::{Error, Result, Seed};

use crate::exact::{Chain, Lattice, Number, Place, Ratio};
use crate::trial::for_all;
use crate::{Assumption, Claim, Effort, Evidence, Standing};

pub(super) fn claims() -> Vec<Claim> {
    let process =
        |hypotheses: &[ProcessHypothesis]| hypotheses.iter().copied().map(Assumption::Process).collect::<Vec<_>>();
    let setting = [Hypothesis::SeveralFlatSlopes, Hypothesis::SmallestSlopeWithinNoise].map(Assumption::Theorem2);
    vec![
        Claim {
            id: "theorem2-long-run-threshold-exact",
            source: "corrected",
            words: "(L)'s threshold in c (a₊ = 1), that is 2 for ν ≤ ½, 3ν + ½ for ½ ≤ ν ≤ 1, 2 + 3ν/2 for 1 ≤ ν ≤ 2, is exact: below \
                    it, for |b₋| large enough, some process has a negative long-run mean from every start",
            formula: "lim E[w₀ + … + w_(n−1)]/n < 0",
            hypotheses: setting
                .into_iter()
                .chain(process(&[ZeroMeanNoise, BoundedNoise, SlopesWithinBounds]))
                .collect(),
            standing: Standing::Proved {
                proofs: &[
                    "LongRunSharp.long_run_threshold_exact",
                    "LongRunSharp.long_run_sharp",
                    "LongRunSharp.long_run_sharp_noisy",
                ],
            },
            weakenings: Vec::new(),
            examination: Box::new(|effort, seed, observer| {
                let little = little_noise(0, effort, seed, observer)?;
                Ok(little.and(much_noise(0, effort, seed, observer)?))
            }),
        },
        Claim {
            id: "theorem2-long-run-variance",
            source: "corrected, with a weaker hypothesis",
            words: "(L) for noise of bounded variance in the place of bounded noise, for all c above some number that depends on ν alone",
            formula: "E[w₀ + … + w_(n−1)] ≥ ρn − C with ρ > 0",
            hypotheses: process(&[ZeroMeanNoise, BoundedVariance, SlopesWithinBounds]),
            standing: Standing::Refuted {
                fault: "for every c > 1 and ν > 0: with a small slope b at 0 the noise leads to −c with probability b/c, with \
                        variance b(c − b) ≤ ν², and every iterate is ≤ 0",
                proofs: &[
                    "Variance.long_run_needs_bounded_noise",
                    "Variance.long_run_headline_fails_with_bounded_variance",
                ],
            },
            weakenings: Vec::new(),
            examination: Box::new(|_, _, _| variance()),
        },
    ]
}

/// A chain that keeps its bounds.
fn admissible(chain: Chain) -> Result<Chain> {
    if chain.violations().is_empty() { Ok(chain) } else { Err(Error::domain("chain", chain, "within its bounds")) }
}

/// The noise-free cycle (c − 1, 0, −1), for b₊ ≤ c − 1 ≤ 1.
pub(super) fn cycle(lattice: &Lattice) -> Result<Chain> {
    let Lattice { a_plus, sharp, .. } = *lattice;
    let start = sharp - a_plus;
    admissible(Chain::cycle(*lattice, &[(start, start), (0, a_plus), (-a_plus, -sharp)]))
}

/// With α = min(a₊, ν) and θ = α + ν: at 0 slope α, and the noise stays there or leads to −θ; from there without noise to
/// c − θ; there slope a₊, and the noise leads to 0 or α; from α to 0. For ν ≤ 1 = a₊ the mean is
/// (2c − 6ν − 1)/(4 + (c − 2ν − 1)/ν).
pub(super) fn noisy_cycle(lattice: &Lattice) -> Result<Chain> {
    let Lattice { a_plus, sharp, nu, .. } = *lattice;
    let alpha = a_plus.min(nu);
    let theta = alpha + nu;
    let beyond = sharp - theta - a_plus;
    let share = |part: i64, whole: i64| Ratio::new(part.into(), whole.into());
    let back = [(share(alpha - beyond, alpha), 0), (share(beyond, alpha), 3)];
    let places = vec![
        Place { point: 0, slope: alpha, next: vec![(share(nu, theta), 0), (share(alpha, theta), 1)] },
        Place { point: -theta, slope: -sharp, next: vec![(Ratio::ONE, 2)] },
        Place {
            point: sharp - theta,
            slope: a_plus,
            next: back.into_iter().filter(|(p, _)| *p > Ratio::ZERO).collect(),
        },
        Place { point: alpha, slope: alpha, next: vec![(Ratio::ONE, 0)] },
    ];
    admissible(Chain { lattice: *lattice, places })
}

/// At 0 slope 1 cell, and the noise stays there or leads to −c; from there back to 0. In `cells` cells to a₊, ν in cells.
pub(super) fn rare_leap(c: i64, cells: i64, nu: i64) -> Result<Chain> {
    let low = c * cells;
    let share = |part: i64| Ratio::new(part.into(), low.into());
    let places = vec![
        Place { point: 0, slope: 1, next: vec![(share(low - 1), 0), (share(1), 1)] },
        Place { point: -low, slope: -low, next: vec![(Ratio::ONE, 0)] },
    ];
    let chain = Chain { lattice: Lattice::new(cells, 1, low, nu), places };
    match chain.violations().into_iter().collect::<Vec<_>>()[..] {
        [BoundedNoise] | [] => Ok(chain),
        _ => Err(Error::domain("chain", chain, "within its bounds but for the noise's")),
    }
}

/// The slack of "this mean is negative".
fn negative(mean: Ratio) -> f64 {
    if mean < Ratio::ZERO { -mean.value() } else { -mean.value().abs().max(f64::MIN_POSITIVE) }
}

/// c·a₊ one cell below 2a₊, plus `above` cells: the noise-free cycle, whose mean is (c − 2)/3.
fn little_noise(above: i64, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let cases = (2..=64_i64).prop_flat_map(|a_plus| (Just(a_plus), 1..a_plus, 0..=a_plus / 2));
    let method = "settings with ν ≤ a₊/2 one cell below the threshold: the cycle (c − 1, 0, −1)";
    for_all(&cases, effort.cases(), seed, observer, method, |&(a_plus, b_plus, nu)| {
        let chain = cycle(&Lattice::new(a_plus, b_plus, 2 * a_plus - 1 + above, nu))?;
        let formula = (chain.lattice.in_units(chain.lattice.sharp) - Ratio::from(2)) / Ratio::from(3);
        let mean = chain.long_run_mean();
        Ok(if mean == formula { negative(mean) } else { f64::NAN })
    })
}

/// Settings with a₊/2 < ν ≤ 2a₊ and b₊ ≤ min(a₊, ν), c up to the threshold, `above` half cells below or above it.
fn much_noise(above: i64, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let cases = (2..=32_i64).prop_flat_map(|a_plus| (Just(a_plus), 1..=a_plus, a_plus / 2 + 1..=2 * a_plus, 0..=4_i64));
    let method = "settings with ν > a₊/2 below the threshold: the cycle through 0, −θ, c − θ and α";
    for_all(&cases, effort.cases(), seed.child("noisy", 0), observer, method, |&(a_plus, b_plus, nu, below)| {
        let alpha = a_plus.min(nu);
        let theta = alpha + nu;
        // The largest c with 2c < 3θ + 1 in cells, less some: c ≥ θ + 1 where the chain needs it.
        let sharp = ((3 * theta + a_plus - 1).div_euclid(2) + above - below).max(theta + a_plus);
        let chain = noisy_cycle(&Lattice::new(a_plus, b_plus.min(alpha), sharp, nu))?;
        let unit = |cells: i64| Ratio::new(cells.into(), a_plus.into());
        let length = (Ratio::from(theta + sharp - theta - a_plus)) / Ratio::from(alpha) + Ratio::from(2);
        let mean = chain.long_run_mean();
        Ok(if mean == unit(2 * sharp - 3 * theta - a_plus) / length { negative(mean) } else { f64::NAN })
    })
}

/// c = 3/2 to 1,000 and ν = 1/10 to 1: the simplest chain first.
fn variance() -> Result<Evidence> {
    let mut all: Option<Evidence> = None;
    for (c, cells, nu) in [(3, 16, 8), (2, 8, 4), (10, 40, 20), (100, 400, 200), (1_000, 1_000, 1_000), (4, 400, 40)] {
        let chain = rare_leap(c, cells, nu)?;
        let mean = chain.long_run_mean();
        let variance = chain.lattice.in_units(1) * (Ratio::from(c) - chain.lattice.in_units(1));
        let shown = format!(
            "{chain}. The noise at 0 has variance {variance} ≤ ν² = {}; no iterate is above 0, and the long-run mean is {mean}",
            chain.lattice.in_units(nu) * chain.lattice.in_units(nu)
        );
        let evidence = Evidence::instance("one chain, exactly", mean.value(), shown);
        all = Some(match all {
            Some(before) => before.and(evidence),
            None => evidence,
        });
    }
    all.ok_or_else(|| Error::domain("number of chains", 0, "at least 1"))
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    use super::theorem2_common::mutant;
    vec![
        mutant("long-run-sharp-at-two", "The cycle has a negative mean at c = 2", |effort, seed, observer| {
            little_noise(1, effort, seed, observer)
        }),
        mutant(
            "long-run-sharp-above",
            "The noisy cycle has a negative mean one cell above 3ν + ½",
            |effort, seed, observer| much_noise(1, effort, seed, observer),
        ),
    ]
}
