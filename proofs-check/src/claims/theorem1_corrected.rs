//! Theorem 1 as corrected: the bound, its form for unbalanced signs, and its constants.

use proptest::prelude::*;
use valleys_sim::progress::Observer;
use valleys_sim::theorem1::{Direction, Reading, Statement, Terms, extremal};
use valleys_sim::{Result, Seed};

use super::theorem1_printed::READINGS;
use crate::strategy::theorem1::{World, balanced_world, unbalanced_world};
use crate::trial::{beyond_rounding, for_all};
use crate::{Assumption, Claim, Effort, Evidence, Standing};

pub(super) fn claims() -> Vec<Claim> {
    let corrected = || Statement::Corrected.hypotheses().iter().copied().map(Assumption::Theorem1).collect::<Vec<_>>();
    let unbalanced = corrected().into_iter().map(|hypothesis| match hypothesis {
        Assumption::Theorem1(valleys_sim::theorem1::Hypothesis::BalancedProjections) => {
            Assumption::OfProcess("P(s_i > 0) = q_i for s_i = ⟨δ, uⁱ⟩")
        }
        other => other,
    });
    vec![
        Claim {
            id: "theorem1-corrected-a",
            source: "corrected",
            words: "Bias leads to better generalisation, L̂ fixed and L random",
            formula: "E L(ŵ) − E L(ŵ + Σ l_i uⁱ) ≥ Σ (c_i − 1) p_i l_i / 2 − 2ξ",
            hypotheses: corrected(),
            standing: Standing::Tested,
            weakenings: Vec::new(),
            examination: Box::new(|effort, seed, observer| examine(Reading::RandomPopulation, effort, seed, observer)),
        },
        Claim {
            id: "theorem1-corrected-b",
            source: "corrected",
            words: "Bias leads to better generalisation, L fixed and L̂ random",
            formula: "E L(ŵ) − E L(ŵ + Σ l_i uⁱ) ≥ Σ (c_i − 1) p_i l_i / 2 − 2ξ",
            hypotheses: corrected(),
            standing: Standing::Tested,
            weakenings: Vec::new(),
            examination: Box::new(|effort, seed, observer| examine(Reading::RandomTraining, effort, seed, observer)),
        },
        Claim {
            id: "theorem1-corrected-unbalanced",
            source: "corrected",
            words: "The same when the shift goes to the flat side with probability q_i",
            formula: "E L(ŵ) − E L(ŵ + Σ l_i uⁱ) ≥ Σ l_i p_i ((c_i + 1) q_i − 1) − 2ξ",
            hypotheses: unbalanced.collect(),
            standing: Standing::Tested,
            weakenings: Vec::new(),
            examination: Box::new(examine_unbalanced),
        },
        Claim {
            id: "theorem1-constants",
            source: "corrected",
            words: "Both constants, ½ and 2ξ, are best possible",
            formula: "for every ε > 0 some world gains at most the bound + ε·Σ (c_i + 1) p_i l_i / 2",
            hypotheses: corrected(),
            standing: Standing::Tested,
            weakenings: Vec::new(),
            examination: Box::new(examine_constants),
        },
    ]
}

/// The gain of a world over a bound, relative to its scale.
fn slack(world: &World, reading: Reading, bound: impl Fn(&Terms, &[f64]) -> Result<f64>) -> Result<f64> {
    let instance = world.instance(reading)?;
    let gain = instance.gain(&valleys_sim::progress::Silent)?.difference;
    Ok(beyond_rounding(gain, bound(instance.terms(), &instance.positive_shares()?)?, world.scale()))
}

fn examine(reading: Reading, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let method = "random worlds, expectations exact";
    for_all(&balanced_world(), effort.cases(), seed, observer, method, |world| {
        slack(world, reading, |terms, _| Ok(terms.corrected_bound()))
    })
}

fn examine_unbalanced(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let method = "random worlds in both readings, expectations exact";
    for_all(&unbalanced_world(), effort.cases(), seed, observer, method, |world| {
        let slacks = READINGS.map(|reading| slack(world, reading, |terms, q| terms.unbalanced_bound(q)));
        let [a, b] = slacks;
        Ok(a?.min(b?))
    })
}

/// The extremal family at ε = 10⁻⁶ over random terms.
fn examine_constants(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    const EPSILON: f64 = 1e-6;
    let direction = (0.1..2.0, 1.01..6.0, 0.1..=1.0).prop_map(|(p, c, l)| Direction { p, c, l });
    let cases = (proptest::collection::vec(direction, 1..=4), 0.0..2.0);
    for_all(&cases, effort.cases(), seed, observer, "extremal worlds in both readings", |(directions, gap)| {
        // The window (½, 3½) holds shifts of ±2 and every step up to 1.
        let terms = Terms::new(0.5, 3.5, directions.clone(), *gap)?;
        let excess: f64 = directions.iter().map(|u| EPSILON * (u.c + 1.0) * u.p * u.l / 2.0).sum();
        let mut least = f64::INFINITY;
        for reading in READINGS {
            let instance = extremal(&terms, &vec![2.0; directions.len()], EPSILON, reading)?;
            let gain = instance.gain(&valleys_sim::progress::Silent)?.difference;
            let scale = gap + directions.iter().map(|u| (u.c + 1.0) * u.p * u.l).sum::<f64>();
            least = least.min(beyond_rounding(terms.corrected_bound() + excess, gain, scale));
        }
        Ok(least)
    })
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    let mutant = |id, formula, bound: fn(&Terms) -> f64| Claim {
        id,
        source: "false on purpose",
        words: "A bound that is too good",
        formula,
        hypotheses: Vec::new(),
        standing: Standing::Tested,
        weakenings: Vec::new(),
        examination: Box::new(move |effort, seed, observer| {
            for_all(&balanced_world(), effort.cases(), seed, observer, "random worlds", |world| {
                slack(world, Reading::RandomPopulation, |terms, _| Ok(bound(terms)))
            })
        }),
    };
    vec![
        mutant("one-gap", "Σ (c_i − 1) p_i l_i / 2 − ξ", |terms| terms.corrected_bound() + terms.gap()),
        mutant("larger-half", "0.51 Σ (c_i − 1) p_i l_i − 2ξ", |terms| {
            terms.corrected_bound() + 0.01 * terms.directions().iter().map(|u| (u.c - 1.0) * u.p * u.l).sum::<f64>()
        }),
    ]
}
