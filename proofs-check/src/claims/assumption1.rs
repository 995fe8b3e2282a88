//! Assumptions 1 and 2: what they do and do not say, and that they can hold together.

use proptest::sample::select;
use valleys_sim::progress::Observer;
use valleys_sim::theorem1::{Checks, Hypothesis, Statement};
use valleys_sim::{Result, Seed};

use super::theorem1_corrected::few;
use super::theorem1_printed::READINGS;
use crate::rational::{Pieces, Rational, ratio, show, slack, strict_slack, whole};
use crate::strategy::theorem1::{World, aligned_world};
use crate::trial::for_all;
use crate::{Assumption, Claim, Effort, Evidence, Standing};

pub(super) fn claims() -> Vec<Claim> {
    vec![
        Claim {
            id: "assumption1-patterns",
            source: "Section 4.1, after Assumption 1",
            words: "The shift takes each of its 2ᵈ possible values equally often",
            formula: "Pr(δ_i = δ̄_i) = Pr(δ_i = −δ̄_i) = ½ for all i ⇒ Pr(δ = (±δ̄_1, …, ±δ̄_d)) = 2⁻ᵈ for each sign pattern",
            hypotheses: vec![Assumption::Theorem1(Hypothesis::SymmetricShift)],
            standing: Standing::Refuted {
                fault: "the laws of the coordinates do not make them independent; Theorem 1 does not need it",
                proofs: &[],
            },
            weakenings: Vec::new(),
            examination: Box::new(|_, _, _| Ok(equal_coordinates())),
        },
        Claim {
            id: "definition3-minima",
            source: "Section 4.1, before Definition 3",
            words: "Matching L and L̂ by their minima does not affect the guarantee",
            formula: "max |L(w + v + δ) − min L + min L̂ − L̂(w + v)| = min_κ max |L(w + v + δ) − L̂(w + v) − κ| over v ∈ B(R)",
            hypotheses: vec![Assumption::InWords("L and L̂ have minima")],
            standing: Standing::Refuted {
                fault: "a deeper minimum of L far away makes ξ as large as one likes where L is L̂ but for its shift; any \
                        vertical constant would do",
                proofs: &[],
            },
            weakenings: Vec::new(),
            examination: Box::new(|_, _, _| Ok(far_minimum())),
        },
        Claim {
            id: "assumption1-satisfiable",
            source: "Section 4.1, Assumptions 1 and 2 and Theorem 1",
            words: "The printed hypotheses hold together in some world, in both readings, for all numbers they allow up to the \
                    minimum of the step limits; the printed bound is positive there and holds",
            formula: "E L(ŵ*) − E L(ŵ* + Σ l_i uⁱ) ≥ Σ (c_i − 1) l_i p_i / 2 − 2kξ > 0",
            hypotheses: Statement::Printed.hypotheses().iter().copied().map(Assumption::Theorem1).collect(),
            standing: Standing::Proved {
                proofs: &["Theorem1Extremal.theorem1_bound_attained", "Theorem1Instance.theorem1_bound_positive"],
            },
            weakenings: Vec::new(),
            examination: Box::new(|effort, seed, observer| satisfiable(&ratio(1, 4), effort, seed, observer)),
        },
    ]
}

/// δ₁ = δ₂, each sign with probability ½: patterns (+, +) and (−, −) alone.
fn equal_coordinates() -> Evidence {
    let outcomes = [(ratio(1, 2), [1, 1]), (ratio(1, 2), [-1, -1])];
    let probability = |is: &dyn Fn([i64; 2]) -> bool| -> Rational {
        outcomes.iter().filter(|(_, signs)| is(*signs)).map(|(probability, _)| probability).sum()
    };
    let is_fair = (0..2).all(|i| probability(&|signs| signs[i] > 0) == ratio(1, 2));
    if !is_fair {
        return Evidence::inadmissible("a coordinate's sign is not fair");
    }
    let mixed = probability(&|signs| signs == [1, -1]);
    let shown = "δ = (1, 1) and (−1, −1), each with probability 1/2, has δ̄ = (1, 1) and fair signs in each coordinate, but \
                 Pr(δ = (1, −1)) = 0, not 1/4";
    Evidence::instance("one law of the shift", slack(&mixed, &ratio(1, 4), &whole(1)), shown)
}

/// A valley, and the same valley with a deeper one at 20: they agree on (−∞, 37/3].
fn far_minimum() -> Evidence {
    let training = Pieces::valley(whole(-2), whole(1));
    let population = Pieces::new(vec![whole(0), ratio(37, 3), whole(20)], [-2, 1, -2, 2].map(whole).to_vec());
    let lowest = |f: &Pieces| f.kinks.iter().map(|kink| f.value(kink)).min().unwrap_or_else(|| whole(0));
    let vertical = lowest(&training) - lowest(&population);
    // The difference is linear between the kinks, all of which lie at 0 or beyond the ball.
    let off = [-5, 0, 5].map(whole).map(|x| population.value(&x) - training.value(&x));
    let size = |x: Rational| if x < whole(0) { -x } else { x };
    let printed = off.iter().map(|off| size(off + &vertical)).max().unwrap_or_else(|| whole(0));
    let range = off.iter().max().zip(off.iter().min()).map_or_else(|| whole(0), |(most, least)| most - least);
    let best = range / whole(2);
    let shown = format!(
        "L̂ = f[−2 (0) 1](x) and L = f[−2 (0) 1 (37/3) −2 (20) 2](x − δ) (f: slopes, with kinks in brackets, f(0) = 0) have \
         ξ = {} on the ball of radius 5 around ŵ* = 0 if matched by their minima {} and {}, but ξ = {} if matched best",
        show(&printed),
        show(&lowest(&training)),
        show(&lowest(&population)),
        show(&best)
    );
    Evidence::instance("one pair of losses, in exact fractions", slack(&best, &printed, &whole(1)), shown)
}

/// Extremal worlds with strict inequalities whose gap is a little below a share of the smallest (c_i − 1) p_i l_i.
fn satisfiable(share: &Rational, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let below = select(vec![ratio(1, 2), ratio(999, 1000), whole(0)]);
    let method = "extremal worlds with every printed hypothesis audited, bounds in exact fractions";
    let checks = Checks::new(8, 16, seed)?;
    let cases = few(effort, 4)?.cases();
    for_all(&(aligned_world(), below), cases, seed, observer, method, |(world, below)| {
        let world = least_gap(world.clone(), &(share * below));
        let instance = world.exact();
        for reading in READINGS {
            if instance.rounded(reading)?.audit(Statement::Printed, &checks)?.violations().next().is_some() {
                return Ok(-1.0);
            }
        }
        let bound = instance.rise() / whole(2) - whole(2 * instance.directions.len() as i64) * &instance.gap;
        let scale = instance.scale();
        let holds = slack(&instance.least_gain(), &bound, &scale);
        Ok(strict_slack(&bound, &whole(0), &scale).min(holds))
    })
}

/// The extremal world with a gap of a share of the smallest (c_i − 1) p_i l_i.
fn least_gap(world: World, share: &Rational) -> World {
    let world = World { centre: whole(0), ..world.extremal(&ratio(1, 1000)) };
    let rises = world.exact().directions.iter().map(|u| (&u.c - whole(1)) * &u.p * &u.l).min();
    let gap = rises.unwrap_or_else(|| whole(0)) * share;
    World { gap, ..world }
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    use super::theorem1_printed::mutant;
    vec![mutant(
        "satisfiable-gap",
        "the hypotheses hold with 4ξ/((c_i − 1)p_i) < 1.01 l_i",
        |effort, seed, observer| satisfiable(&ratio(101, 400), effort, seed, observer),
    )]
}
