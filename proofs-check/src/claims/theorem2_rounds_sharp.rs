//! (C)'s threshold in c: exact for ν ≤ a₊/2, and for more noise as b₊ → 0.

use proptest::prelude::*;
use valleys_sim::progress::Observer;
use valleys_sim::theorem2::Hypothesis;
use valleys_sim::theorem2::ProcessHypothesis::{BoundedNoise, PreparedRound, SlopesWithinBounds, ZeroMeanNoise};
use valleys_sim::{Error, Result, Seed};

use crate::exact::{Chain, Lattice, Normalisation, Number, Place, Ratio, round_law, worst_round};
use crate::trial::for_all;
use crate::{Assumption, Claim, Effort, Evidence, Standing};

pub(super) fn claims() -> Vec<Claim> {
    let process = [ZeroMeanNoise, BoundedNoise, SlopesWithinBounds, PreparedRound].map(Assumption::Process);
    let assume = |setting: &[Hypothesis]| setting.iter().copied().map(Assumption::Theorem2).chain(process).collect();
    vec![
        Claim {
            id: "theorem2-per-round-threshold-exact",
            source: "corrected",
            words: "(C)'s threshold c > 1 + 2ν + θ (a₊ = 1), that is 2 + 2ν, 1 + 4ν or 2 + 3ν for ν ≤ ½, for ½ ≤ ν ≤ 1 and for ν ≥ 1, is \
                    exact: below it, for every b₊ < 1 if ν ≤ ½ and for all small b₊ > 0 if ν > ½, some prepared round has a \
                    negative expected average",
            formula: "E[w̄ | start] < 0",
            hypotheses: assume(&[Hypothesis::SeveralFlatSlopes]),
            standing: Standing::Proved {
                proofs: &[
                    "PerRoundSharp.per_round_threshold_exact",
                    "PerRoundSharpNoisy.per_round_threshold_exact_as_b_vanishes",
                ],
            },
            weakenings: Vec::new(),
            examination: Box::new(|effort, seed, observer| {
                let little = little_noise(effort, seed, observer)?;
                let much = much_noise(effort, seed, observer)?;
                Ok(little.and(much))
            }),
        },
        Claim {
            id: "theorem2-fixed-b-threshold",
            source: "open",
            words: "For ν > ½ and a given b₊ (a₊ = 1) the smallest c from which every prepared round has a positive expected average",
            formula: "c_C(b₊, ν) ≤ 1 + 2ν + θ, and < for b₊ near 1",
            hypotheses: assume(&[]),
            standing: Standing::Open,
            weakenings: Vec::new(),
            examination: Box::new(|_, _, _| fixed_slope()),
        },
    ]
}

/// The slack of "this is negative".
fn below_zero(average: f64) -> f64 {
    if average < 0.0 { -average } else { -average.max(f64::MIN_POSITIVE) }
}

fn admissible(chain: Chain) -> Result<Chain> {
    if chain.violations().is_empty() { Ok(chain) } else { Err(Error::domain("chain", chain, "within its bounds")) }
}

/// One cell below 2 + 2ν the round (w_min, 0, −1) has a negative mean, for every b₊ < 1.
fn little_noise(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let cases = (2..=64_i64).prop_flat_map(|a_plus| (Just(a_plus), 1..a_plus, 0..=a_plus / 2));
    let method = "settings with ν ≤ a₊/2 one cell below the threshold: the round (w_min, 0, −1)";
    for_all(&cases, effort.cases(), seed, observer, method, |&(a_plus, b_plus, nu)| {
        let sharp = 2 * a_plus + 2 * nu - 1;
        let lattice = Lattice { steepest: 3 * a_plus, ..Lattice::new(a_plus, b_plus, sharp, nu) };
        let start = lattice.lowest_start();
        let places = [
            (start, start, 1),
            (0, a_plus, 2),
            (-a_plus, -3 * a_plus, 3),
            (2 * a_plus, a_plus, 4),
            (a_plus, a_plus, 1),
        ];
        let place = |(point, slope, next)| Place { point, slope, next: vec![(Ratio::ONE, next)] };
        let chain = admissible(Chain { lattice, places: places.into_iter().map(place).collect() })?;
        let law = round_law::<_, Ratio>(&chain, 0, 4, 10);
        Ok(below_zero(law.average.value() / a_plus as f64))
    })
}

/// ¼ below a threshold, for random ν > ½ in quarters, some b₊ = 1/A gives the round of [`long_or_short`] a negative expected
/// average.
fn much_noise(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let cases = (3..=8_i64, 1..=3_i64);
    let method = "settings with ν > a₊/2 below the threshold: short rounds, and long ones for a small b₊";
    for_all(&cases, effort.cases().div_ceil(8), seed.child("much", 0), observer, method, |&(quarters, below)| {
        let smallest = smallest_average(quarters, below)?;
        Ok(below_zero(smallest))
    })
}

/// The expected average of [`long_or_short`] for ν in quarters and c that many eighths below the threshold, for the largest
/// b₊ = 1/2ᵏ that makes it negative, down to 2⁻¹⁷.
fn smallest_average(quarters: i64, below: i64) -> Result<f64> {
    let threshold = 8 + 4 * quarters + (4 * quarters).min(8 + 2 * quarters);
    let mut smallest = f64::INFINITY;
    for log in 3..=17 {
        let chain = long_or_short(quarters, threshold - below, 1 << log)?;
        let average = round_law::<_, Ratio>(&chain, 0, chain.places.len() + 12, 1_000).average;
        smallest = smallest.min(average.value() / chain.lattice.a_plus as f64);
        if smallest < 0.0 {
            break;
        }
    }
    Ok(smallest)
}

/// A round from w_min with a₊ = `cells` cells (a multiple of 8), b₊ one cell, ν in quarters and c in eighths of a₊.
///
/// Noise leads from w_min to 0 or up. At 0 the slope is min(ν, a₊) and the noise stays there or leads to −θ: with w_min < θ
/// every such round has a negative sum. From above, the iterate falls to a small height and goes from there to 0 by b₊, a long
/// round whose average goes to 0 with b₊.
fn long_or_short(quarters: i64, eighths: i64, cells: i64) -> Result<Chain> {
    const STAYS: usize = 14;
    let nu = quarters * cells / 4;
    let mut lattice = Lattice::new(cells, 1, eighths * cells / 8, nu);
    let start = lattice.lowest_start();
    let leap = nu.min(cells);
    let theta = leap + nu;
    if start <= cells || start - cells > nu || start >= theta {
        return Err(Error::domain("w_min", lattice.in_units(start), "above 1, below θ, and within ν of 1"));
    }
    let whole = Ratio::from;
    let up = start - cells + nu;
    let mut places = vec![Place { point: start, slope: cells, next: Vec::new() }];
    // The short rounds: 0 up to 14 times, then −θ; from the last 0 to −a₊.
    for k in 1..=STAYS {
        let stay = (whole(nu) / whole(theta), k + 1);
        let leave = (whole(leap) / whole(theta), STAYS + 1);
        let next = if k < STAYS { vec![stay, leave] } else { vec![(Ratio::ONE, STAYS + 2)] };
        places.push(Place { point: 0, slope: if k < STAYS { leap } else { cells }, next });
    }
    // From the sharp side high up, and down again by a₊ to where the long round begins.
    let rises = lattice.sharp / cells + 1;
    let top = up + rises * cells;
    lattice.steepest = top + theta;
    let high = STAYS + 3;
    for low in [-theta, -cells] {
        places.push(Place { point: low, slope: low - top, next: vec![(Ratio::ONE, high)] });
    }
    for k in 0..rises {
        let next = vec![(Ratio::ONE, places.len() + 1)];
        places.push(Place { point: top - k * cells, slope: cells, next });
    }
    // The long round: down to a small height, then by b₊.
    let first = places.len();
    // A round that comes to height h with a sum S of what lies above has the average (S + h²/2)/h or so, least for h² = 2S.
    let above = start + (0..=up / cells).map(|k| up - k * cells).sum::<i64>();
    let height = ((2 * above) as f64).sqrt() as i64;
    let mut point = up;
    while point >= 0 {
        let slope = if point == 0 { cells } else { (point - height).clamp(1, cells) };
        let next = if point == 0 { STAYS + 2 } else { places.len() + 1 };
        places.push(Place { point, slope, next: vec![(Ratio::ONE, next)] });
        point -= slope;
    }
    let down = whole(nu) / whole(up);
    places[0].next = vec![(down, 1), (Ratio::ONE - down, first)];
    admissible(Chain { lattice, places })
}

/// Against every adversary on a lattice of 8 cells for 10 steps: the smallest expected average ½ below the bound on the
/// threshold, for b₊ = ½ and b₊ = a₊.
fn fixed_slope() -> Result<Evidence> {
    let mut evidence: Option<Evidence> = None;
    for (b_plus, nu) in [(2, 3), (4, 3), (4, 4)] {
        let lattice = Lattice::new(4, b_plus, 4 + 2 * nu + (2 * nu).min(4 + nu) - 1, nu);
        let worst = worst_round(&lattice, lattice.lowest_start(), 10, Normalisation::Iterates) / 4.0;
        let method = format!("{lattice}: every adversary on a lattice of 4 cells to a₊, 10 steps");
        let found =
            Evidence::instance(method, worst, format!("{lattice}: a prepared round with E[w̄ | start] = {worst:.4}"));
        evidence = Some(match evidence {
            Some(before) => before.and(found.adversarial()),
            None => found.adversarial(),
        });
    }
    evidence.ok_or_else(|| Error::domain("number of settings", 0, "at least 1"))
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    use super::theorem2_common::mutant;
    let worst = |id, words, nu: std::ops::RangeInclusive<i64>| {
        mutant(id, words, move |effort, seed, observer| {
            for_all(
                &nu.clone(),
                effort.cases().div_ceil(64),
                seed,
                observer,
                "settings against every adversary",
                |&nu| {
                    let lattice = Lattice::new(8, 2, 15 + 2 * nu + (2 * nu - 8).max(0), nu);
                    Ok(worst_round(&lattice, lattice.lowest_start(), 6, Normalisation::Iterates))
                },
            )
        })
    };
    let family = |id, words, quarters: std::ops::RangeInclusive<i64>| {
        mutant(id, words, move |effort, seed, observer| {
            let cases = effort.cases().div_ceil(64);
            for_all(&quarters.clone(), cases, seed, observer, "settings", |&nu| smallest_average(nu, 1))
        })
    };
    vec![
        worst("per-round-threshold-little-noise", "(C) for ν ≤ ½ from c = 2 + 2ν − ⅛ on", 0..=4),
        family("per-round-threshold-some-noise", "(C) for ½ < ν ≤ 1 from c = 1 + 4ν − ⅛ on", 3..=4),
        family("per-round-threshold-much-noise", "(C) for ν > 1 from c = 2 + 3ν − ⅛ on", 5..=8),
        mutant(
            "per-round-sharp-at-threshold",
            "A short round with a negative mean at c = 2 + 2ν",
            |effort, seed, observer| {
                for_all(&(2..=64_i64), effort.cases(), seed, observer, "settings", |&a_plus| {
                    // (w_min, 0, −1) with w_min = 1.
                    let lattice = Lattice::new(a_plus, 1, 2 * a_plus, 0);
                    let chain = Chain::cycle(lattice, &[(a_plus, a_plus), (0, a_plus), (-a_plus, -2 * a_plus)]);
                    Ok(below_zero(round_law::<_, Ratio>(&admissible(chain)?, 0, 4, 10).average.value()))
                })
            },
        ),
    ]
}
