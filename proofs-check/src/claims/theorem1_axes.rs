//! Theorem 1 as printed, repaired: directions along axes, the minimum of the two step limits, and the gap on radius
//! ‖δ̄‖ + ‖l‖.

use proptest::prelude::*;
use proptest::sample::select;
use valleys_sim::progress::Observer;
use valleys_sim::theorem1::{Fault, Hypothesis};
use valleys_sim::{Result, Seed};

use super::theorem1_corrected::{as_extremal, few, holds};
use super::theorem1_printed::{examine, refutation};
use crate::rational::{Instance, Rational, whole};
use crate::strategy::theorem1::{Block, Flaw, aligned_world, broken_world};
use crate::{Assumption, Claim, Effect, Effort, Evidence, Standing, Weakening};

const AXES: Assumption = Assumption::InWords("u¹, …, uᵏ are coordinate axes, δ̄_i is the magnitude along uⁱ");
const PATTERNS: Assumption = Assumption::InWords("each of the 2ᵈ sign patterns of δ has probability 2⁻ᵈ");
const GAP: Assumption = Assumption::InWords("the (δ, R)-shift gap with respect to ŵ* is at most ξ for R = ‖δ̄‖ + ‖l‖");
const MINIMA: Assumption = Assumption::InWords("Definition 3 matches L and L̂ vertically by their minima");
const MINIMUM: Assumption = Assumption::InWords("l_i ≤ min{r̄ − δ̄_i, δ̄_i − r̲}");

/// The bound of the repaired theorem.
fn bound(instance: &Instance) -> Rational {
    instance.corrected_bound()
}

pub(super) fn claims() -> Vec<Claim> {
    let printed = Assumption::Theorem1;
    vec![Claim {
        id: "theorem1-axis-aligned",
        source: "Section 4.1, Theorem 1, repaired",
        words: "The printed theorem is true along axes with the minimum in place of the maximum and the radius ‖δ̄‖ + ‖l‖ in \
                place of ‖l‖, and with 2ξ in place of 2kξ",
        formula: "E L(ŵ*) − E L(ŵ* + Σ l_i uⁱ) ≥ Σ (c_i − 1) l_i p_i / 2 − 2ξ",
        hypotheses: vec![
            AXES,
            printed(Hypothesis::Minimiser),
            printed(Hypothesis::ShiftWithinWindow),
            printed(Hypothesis::SymmetricShift),
            PATTERNS,
            GAP,
            MINIMA,
            printed(Hypothesis::AsymmetricDirections),
            printed(Hypothesis::StepAboveGap),
            MINIMUM,
        ],
        standing: Standing::Proved { proofs: &["Theorem1.theorem1_along_axes"] },
        weakenings: weakenings(),
        examination: Box::new(|effort, seed, observer| {
            let extremal = aligned_world().prop_map(|world| world.extremal(&whole(0)));
            let random = holds(&aligned_world(), bound, effort, seed, observer)?;
            let extremal = holds(&extremal, bound, few(effort, 4)?, seed.child("extremal", 0), observer)?;
            Ok(random.and(as_extremal(extremal)))
        }),
    }]
}

fn weakenings() -> Vec<Weakening> {
    let printed = Assumption::Theorem1;
    let fault = |hypothesis, instead, fault| Weakening {
        hypothesis,
        instead,
        effect: Effect::Breaks { proofs: refutation(fault) },
        search: Box::new(move |effort, seed, _| examine(fault, effort, seed)),
    };
    let unneeded = |hypothesis, instead, because| Weakening {
        hypothesis,
        instead,
        effect: Effect::Unneeded { because, proofs: &["Theorem1.theorem1_corrected"] },
        search: Box::new(move |effort, seed, observer| holds(&aligned_world(), bound, effort, seed, observer)),
    };
    vec![
        fault(AXES, "orthogonal unit vectors, δ̄_i a coordinate as printed", Fault::ObliqueDirections),
        fault(GAP, "R = ‖l‖ as printed", Fault::GapRadius),
        fault(MINIMUM, "l_i ≤ max{r̄ − δ̄_i, δ̄_i − r̲} as printed", Fault::StepMaximum),
        unneeded(
            printed(Hypothesis::Minimiser),
            "ŵ* is any point",
            "the proof compares two points and needs no minimum",
        ),
        unneeded(
            printed(Hypothesis::StepAboveGap),
            "l_i ≥ 0",
            "the lower limit makes the bound positive and plays no part in its proof",
        ),
        unneeded(PATTERNS, "any joint law of the signs", "expectations add up, whatever the dependence"),
        unneeded(MINIMA, "by any constant, another one in each outcome", "the constant cancels in each difference"),
        Weakening {
            hypothesis: printed(Hypothesis::ShiftWithinWindow),
            instead: "any δ̄_i along axes that are no uⁱ",
            effect: Effect::Unneeded {
                because: "0 ≤ l_i ≤ min{r̄ − δ̄_i, δ̄_i − r̲} implies what is used",
                proofs: &["Theorem1.theorem1_corrected"],
            },
            search: Box::new(|effort, seed, observer| {
                let aside = select(vec![Flaw::Aside(whole(1)), Flaw::Aside(whole(10))]);
                holds(&broken_world(aligned_world(), aside), bound, effort, seed, observer)
            }),
        },
        Weakening {
            hypothesis: printed(Hypothesis::AsymmetricDirections),
            instead: "uⁱ is asymmetric with respect to ŵ* alone, as in Definition 2",
            effect: Effect::Breaks { proofs: &[] },
            search: Box::new(|effort, seed, observer| {
                let wall = select(vec![Flaw::OffLine(whole(1)), Flaw::OffLine(whole(16))]);
                holds(&broken_world(aligned_world(), wall), bound, effort, seed, observer)
            }),
        },
        Weakening {
            hypothesis: printed(Hypothesis::SymmetricShift),
            instead: "Pr(δ_i = δ̄_i) = q_i, Pr(δ_i = −δ̄_i) = 1 − q_i",
            effect: Effect::Breaks { proofs: &[] },
            search: Box::new(biased),
        },
    ]
}

/// One outcome of each block decides the signs of all.
fn biased(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let worlds = aligned_world().prop_map(|mut world| {
        for Block { positive, .. } in &mut world.blocks {
            positive.iter_mut().for_each(|signs| *signs = [signs[0]; 4]);
        }
        world
    });
    holds(&worlds, bound, effort, seed, observer)
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    use super::theorem1_printed::mutant;
    use crate::rational::ratio;
    use crate::strategy::theorem1::{Reach, World};

    let extremal = || aligned_world().prop_map(|world: World| world.extremal(&whole(0)));
    let flawed = |id, formula, flaw: Flaw| {
        mutant(id, formula, move |effort, seed, observer| {
            holds(&broken_world(aligned_world(), select(vec![flaw.clone()])), bound, effort, seed, observer)
        })
    };
    vec![
        mutant("axes-half", "0.51 Σ (c_i − 1) l_i p_i − 2ξ", move |effort, seed, observer| {
            holds(&extremal(), |world| world.corrected_bound() + world.rise() / whole(100), effort, seed, observer)
        }),
        mutant("axes-gaps", "Σ (c_i − 1) l_i p_i / 2 − 1.98ξ", move |effort, seed, observer| {
            holds(&extremal(), |world| world.corrected_bound() + ratio(2, 100) * &world.gap, effort, seed, observer)
        }),
        flawed("axes-radius", "R = ‖δ̄‖ + ‖l‖ − 1/500", Flaw::Beyond(Reach::Almost, whole(64))),
        mutant("axes-limit", "l_i ≤ 1.025·min{r̄ − δ̄_i, δ̄_i − r̲}", |effort, seed, observer| {
            let worlds = aligned_world().prop_map(|mut world| {
                // All shifts in the middle of the window, all steps a little more than half of it.
                world.axes.iter_mut().for_each(|axis| axis.step = ratio(41, 80));
                world
            });
            holds(&worlds, bound, effort, seed, observer)
        }),
    ]
}
