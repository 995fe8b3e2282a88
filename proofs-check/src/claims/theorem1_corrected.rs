//! Theorem 1 as corrected: the bound, its strict form, its form for unbalanced signs, and when it is positive.

use std::cell::RefCell;

use proptest::strategy::Strategy;
use valleys_sim::progress::{Observer, Silent};
use valleys_sim::theorem1::{Hypothesis, Statement};
use valleys_sim::{Result, Seed};

use super::theorem1_hypotheses;
use super::theorem1_printed::READINGS;
use crate::claim::Examination;
use crate::climb::climb;
use crate::rational::{Instance, Rational, is_zero, ratio, show, slack, strict_slack, whole};
use crate::strategy::theorem1::{SmoothWorld, World, balanced_world, smooth_world, strict_world, unbalanced_world};
use crate::trial::{beyond_rounding, for_all};
use crate::{Assumption, Claim, Effect, Effort, Evidence, Standing, Weakening};

/// A bound of an instance, in exact numbers.
pub(super) type Bound = fn(&Instance) -> Rational;

/// What random worlds are, in words.
pub(super) const WORLDS: &str = "random piecewise-linear worlds in both readings, in exact fractions";

const STRICT: Assumption = Assumption::InWords(
    "Definition 1 with its strict inequalities, at the points of Assumption 2: slopes < p_i along uⁱ, > c_i p_i along −uⁱ, and \
     L̂ continuous along uⁱ on the closed window",
);
const SHARES: Assumption = Assumption::InWords("P(s_i > 0) = q_i for s_i = ⟨δ, uⁱ⟩");
const SOME_STEP: Assumption = Assumption::InWords("l_i > 0 for some i");

pub(super) fn claims() -> Vec<Claim> {
    vec![corrected(), strict(), unbalanced(), positive()]
}

/// The hypotheses of the corrected theorem.
pub(super) fn hypotheses() -> Vec<Assumption> {
    Statement::Corrected.hypotheses().iter().copied().map(Assumption::Theorem1).collect()
}

/// The hypotheses of the corrected theorem with another in place of one.
fn hypotheses_with(hypothesis: Hypothesis, instead: Assumption) -> Vec<Assumption> {
    let replaced = |other| if other == Assumption::Theorem1(hypothesis) { instead } else { other };
    hypotheses().into_iter().map(replaced).collect()
}

fn corrected() -> Claim {
    Claim {
        id: "theorem1-corrected",
        source: "corrected",
        words: "Bias leads to better generalisation, in both readings: L̂ fixed and L random, L fixed and L̂ random",
        formula: "E L(ŵ) − E L(ŵ + Σ l_i uⁱ) ≥ Σ (c_i − 1) p_i l_i / 2 − 2ξ",
        hypotheses: hypotheses(),
        standing: Standing::Proved { proofs: &["Theorem1.theorem1_corrected"] },
        weakenings: theorem1_hypotheses::weakenings(),
        examination: Box::new(|effort, seed, observer| {
            let bound: Bound = Instance::corrected_bound;
            let random = holds(&balanced_world(), bound, effort, seed, observer)?;
            Ok(random.and(smooth(effort, seed, observer)?).and(worst(bound, effort, seed, observer)?))
        }),
    }
}

fn strict() -> Claim {
    let mut hypotheses = hypotheses_with(Hypothesis::AsymmetricDirections, STRICT);
    hypotheses.push(SOME_STEP);
    let weakening = |hypothesis, instead, search: Examination| Weakening {
        hypothesis,
        instead,
        effect: Effect::Breaks { proofs: &[] },
        search,
    };
    let equal = |effort, seed, observer: &dyn Observer| {
        let worlds = balanced_world().prop_map(|world| world.extremal(&whole(0)));
        exceeds(worlds, has_step, effort, seed, observer)
    };
    let no_step = |effort, seed, observer: &dyn Observer| {
        let worlds = strict_world().prop_filter("signs", |world| !is_zero(&world.r_lo)).prop_map(|mut world| {
            world.axes.iter_mut().for_each(|axis| axis.step = whole(0));
            world
        });
        exceeds(worlds, |world| is_strict(world) && !has_step(world), effort, seed, observer)
    };
    Claim {
        id: "theorem1-strict",
        source: "corrected",
        words: "The bound is not attained where the definition's inequalities are strict",
        formula: "E L(ŵ) − E L(ŵ + Σ l_i uⁱ) > Σ (c_i − 1) p_i l_i / 2 − 2ξ",
        hypotheses,
        standing: Standing::Proved {
            proofs: &[
                "Theorem1Strict.theorem1_corrected_strict",
                "Theorem1Strict.theorem1_unbalanced_strict",
                "Theorem1Strict.theorem1_along_axes_strict",
            ],
        },
        weakenings: vec![
            weakening(STRICT, "slopes ≤ p_i along uⁱ, ≥ c_i p_i along −uⁱ", Box::new(equal)),
            weakening(STRICT, "L̂ continuous on the open window alone", Box::new(|_, _, _| Ok(jump_at_the_window()))),
            weakening(SOME_STEP, "l_i ≥ 0", Box::new(no_step)),
        ],
        examination: Box::new(|effort, seed, observer| {
            let worlds = strict_world().prop_filter("no step", has_step);
            let random = exceeds(worlds, |world| is_strict(world) && has_step(world), effort, seed, observer)?;
            let nearly = balanced_world().prop_map(|world| world.extremal(&ratio(1, 1_000_000)));
            let nearly = exceeds(nearly, has_step, few(effort, 4)?, seed.child("extremal", 0), observer)?;
            Ok(random.and(as_extremal(nearly)))
        }),
    }
}

/// L̂ jumps up by 3 at r̲ = 1: the step from 1 to 2 climbs 3½ where the definition allows 1.
fn jump_at_the_window() -> Evidence {
    let loss = |x: Rational| {
        let wall = if x > whole(1) { whole(3) } else { whole(0) };
        if x < whole(0) { whole(-3) * x } else { x * ratio(1, 2) + wall }
    };
    // δ = 2 takes the step from −2 to −1, δ = −1 the one from 1 to 2.
    let gain = ratio(1, 2) * (loss(whole(-2)) - loss(whole(-1)) + loss(whole(1)) - loss(whole(2)));
    let bound = ratio(1, 2);
    let shown = format!(
        "d = 1, r̲ = 1, r̄ = 2, ξ = 0, p = 1, c = 2, l = 1; L̂(ŵ + x) has slopes −3 and 1/2 left and right of 0 and jumps up by 3 right \
         after x = r̲; δ = 2 or −1, each with probability 1/2; L is L̂ moved by δ: the gain is {}, the bound 1/2",
        show(&gain)
    );
    Evidence::instance("one world, in exact fractions", slack(&gain, &bound, &whole(1)), shown)
}

fn unbalanced() -> Claim {
    Claim {
        id: "theorem1-unbalanced",
        source: "corrected",
        words: "The same when the shift goes to the flat side of direction i with probability q_i",
        formula: "E L(ŵ) − E L(ŵ + Σ l_i uⁱ) ≥ Σ l_i p_i ((c_i + 1) q_i − 1) − 2ξ",
        hypotheses: hypotheses_with(Hypothesis::BalancedProjections, SHARES),
        standing: Standing::Proved { proofs: &["Theorem1.theorem1_unbalanced"] },
        weakenings: vec![
            Weakening {
                hypothesis: SHARES,
                instead: "P(s_i > 0) ≥ q_i",
                effect: Effect::Unneeded { because: "the bound grows with q_i", proofs: &[] },
                search: Box::new(move |effort, seed, observer| {
                    let lower: Bound = |world| sum(world, |c, q| (c + whole(1)) * q * ratio(3, 4) - whole(1));
                    holds(&unbalanced_world(), lower, effort, seed, observer)
                }),
            },
            Weakening {
                hypothesis: SHARES,
                instead: "P(s_i > 0) ≤ q_i",
                effect: Effect::Breaks { proofs: &[] },
                search: Box::new(move |effort, seed, observer| {
                    let higher: Bound = |world| sum(world, |c, _| c.clone());
                    holds(&unbalanced_world(), higher, effort, seed, observer)
                }),
            },
        ],
        examination: Box::new(|effort, seed, observer| {
            let bound: Bound = Instance::unbalanced_bound;
            let random = holds(&unbalanced_world(), bound, effort, seed, observer)?;
            let extremal = unbalanced_world().prop_map(|world| world.extremal(&whole(0)));
            let extremal = holds(&extremal, bound, few(effort, 4)?, seed.child("extremal", 0), observer)?;
            Ok(random.and(as_extremal(extremal)))
        }),
    }
}

fn positive() -> Claim {
    Claim {
        id: "theorem1-positive",
        source: "corrected",
        words: "A gain is certain above four gaps, and nowhere below",
        formula: "E L(ŵ) > E L(ŵ + Σ l_i uⁱ) in every world if Σ (c_i − 1) p_i l_i > 4ξ; in some world it is not if \
                  Σ (c_i − 1) p_i l_i ≤ 4ξ",
        hypotheses: hypotheses(),
        standing: Standing::Tested,
        weakenings: Vec::new(),
        examination: Box::new(|effort, seed, observer| {
            Ok(gains(ratio(4, 1), effort, seed, observer)?.and(loses(ratio(4, 1), effort, seed, observer)?))
        }),
    }
}

/// Σ l_i p_i·term(c_i, q_i) − 2ξ.
fn sum(instance: &Instance, term: impl Fn(&Rational, Rational) -> Rational) -> Rational {
    let terms = instance.directions.iter().zip(instance.positive_shares());
    let sum: Rational = terms.map(|(u, q)| &u.l * &u.p * term(&u.c, q)).sum();
    sum - whole(2) * &instance.gap
}

/// Part of an effort, at least one instance.
pub(super) fn few(effort: Effort, part: u32) -> Result<Effort> {
    Effort::new((effort.cases() / part).max(1))
}

/// Worlds gain at least a bound.
pub(super) fn holds(
    worlds: &impl Strategy<Value = World>,
    bound: Bound,
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<Evidence> {
    shown_simply(worlds, |_| true, effort, seed, observer, |instance| above(instance, bound))
}

/// Worlds have a slack of at least 0; the counterexample is the simplest of those that are meant.
fn shown_simply(
    worlds: &impl Strategy<Value = World>,
    is_meant: impl Fn(&World) -> bool,
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
    slack: impl Fn(&Instance) -> f64,
) -> Result<Evidence> {
    let broken = RefCell::new(None);
    let mut evidence = for_all(worlds, effort.cases(), seed, observer, WORLDS, |world| {
        let slack = slack(&world.exact());
        if slack < 0.0 {
            broken.replace(Some(world.clone()));
        }
        Ok(slack)
    })?;
    if let (Some(shown), Some(world)) = (&mut evidence.counterexample, broken.into_inner()) {
        *shown = format!("{:?}", world.simplest(|world| is_meant(world) && slack(&world.exact()) < 0.0));
    }
    Ok(evidence)
}

/// Evidence on extremal worlds.
pub(super) fn as_extremal(mut evidence: Evidence) -> Evidence {
    evidence
        .trials
        .iter_mut()
        .for_each(|trial| trial.method = "extremal worlds in both readings, in exact fractions".into());
    evidence.adversarial()
}

/// The exact slack of the gain, the smaller of both readings, over a bound.
pub(super) fn above(instance: &Instance, bound: Bound) -> f64 {
    slack(&instance.least_gain(), &bound(instance), &instance.scale())
}

fn has_step(world: &World) -> bool {
    world.axes.iter().any(|axis| !is_zero(&axis.step))
}

/// Whether no slope of a window is p_i or c_i p_i.
fn is_strict(world: &World) -> bool {
    world.axes.iter().all(|axis| axis.flat.iter().chain(&axis.sharp).all(|off| !is_zero(off)))
}

/// Worlds gain more than the corrected bound; `is_meant` keeps the simplification of a counterexample to the point.
fn exceeds(
    worlds: impl Strategy<Value = World>,
    is_meant: impl Fn(&World) -> bool,
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<Evidence> {
    shown_simply(&worlds, is_meant, effort, seed, observer, |instance| {
        strict_slack(&instance.least_gain(), &instance.corrected_bound(), &instance.scale())
    })
}

/// Worlds with smooth losses.
fn smooth(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let method = "random smooth worlds in both readings, in floating point";
    for_all(&smooth_world(), effort.cases(), seed.child("smooth", 0), observer, method, |world: &SmoothWorld| {
        let slacks: [Result<f64>; 2] = READINGS.map(|reading| {
            let instance = world.instance(reading)?;
            let bound = instance.terms().corrected_bound();
            let numbers = instance.terms();
            let gain = instance.gain(&Silent)?;
            // Exponential walls are so high that their rounding may exceed the gain: allow for 1e-12 of the losses.
            let rounding = 1e-3 * (gain.at_minimiser.abs() + gain.at_biased.abs());
            let size = numbers.directions().iter().map(|u| (1.0 + u.c) * u.p * u.l).sum::<f64>() + numbers.gap();
            Ok(beyond_rounding(gain.difference, bound, (size + rounding).max(f64::MIN_POSITIVE)))
        });
        let [a, b] = slacks;
        Ok(a?.min(b?))
    })
}

/// A climb to the worst world.
fn worst(bound: Bound, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let method = "hill climbing among piecewise-linear worlds, in exact fractions";
    climb(&balanced_world(), effort.cases(), seed, observer, method, World::mixed, |world| {
        Ok(above(&world.exact(), bound))
    })
}

/// Worlds with a rise above a number of gaps gain.
fn gains(gaps: Rational, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let worlds = move |world: World| {
        // A gap just below the threshold, where the statement is sharpest.
        let rise = world.exact().rise();
        World { gap: rise / &gaps * ratio(999, 1000), ..world }
    };
    let extremal = |world: World| if world.centre == whole(0) { world.extremal(&whole(0)) } else { world };
    let worlds = balanced_world()
        .prop_filter("no step", |world| !is_zero(&world.exact().rise()))
        .prop_map(extremal)
        .prop_map(worlds);
    for_all(
        &worlds,
        effort.cases(),
        seed,
        observer,
        "worlds with Σ (c_i − 1) p_i l_i just above the threshold",
        |world| {
            let instance = world.exact();
            Ok(strict_slack(&instance.least_gain(), &whole(0), &instance.scale()))
        },
    )
}

/// Extremal worlds with a rise of a number of gaps do not gain.
fn loses(gaps: Rational, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let worlds = balanced_world().prop_map(move |world| {
        let world = world.extremal(&whole(0));
        let rise = world.exact().rise();
        World { gap: rise / &gaps, ..world }
    });
    let method = "extremal worlds with Σ (c_i − 1) p_i l_i at the threshold";
    let seed = seed.child("at the threshold", 0);
    let evidence = for_all(&worlds, few(effort, 4)?.cases(), seed, observer, method, |world| {
        let instance = world.exact();
        Ok(slack(&whole(0), &instance.least_gain(), &instance.scale()))
    })?;
    Ok(evidence.adversarial())
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    use super::theorem1_printed::mutant;
    let bound = |id, formula, bound: Bound| {
        mutant(id, formula, move |effort, seed, observer| worst(bound, effort, seed, observer))
    };
    let unbalanced = |id, formula, bound: Bound| {
        mutant(id, formula, move |effort, seed, observer| {
            holds(&unbalanced_world().prop_map(|world| world.extremal(&whole(0))), bound, effort, seed, observer)
        })
    };
    vec![
        bound("one-half", "0.51 Σ (c_i − 1) p_i l_i − 2ξ", |world| {
            ratio(51, 100) * world.rise() - whole(2) * &world.gap
        }),
        bound("two-gaps", "Σ (c_i − 1) p_i l_i / 2 − 1.98ξ", |world| {
            world.rise() / whole(2) - ratio(198, 100) * &world.gap
        }),
        bound("ratio-less-one", "Σ (c_i − 0.99) p_i l_i / 2 − 2ξ", |world| {
            world.corrected_bound() + sum(world, |_, _| ratio(1, 200)) + whole(2) * &world.gap
        }),
        mutant("strict-by-some", "more than the bound + Σ p_i l_i / 1000", |effort, seed, observer| {
            let worlds = strict_world().prop_filter("no step", has_step);
            holds(
                &worlds,
                |world| world.corrected_bound() + sum(world, |_, _| ratio(1, 100)) + whole(2) * &world.gap,
                effort,
                seed,
                observer,
            )
        }),
        unbalanced("unbalanced-plus-one", "Σ l_i p_i ((c_i + 1.01) q_i − 1) − 2ξ", |world| {
            sum(world, |c, q| (c + ratio(101, 100)) * q - whole(1))
        }),
        unbalanced("unbalanced-minus-one", "Σ l_i p_i ((c_i + 1) q_i − 0.99) − 2ξ", |world| {
            sum(world, |c, q| (c + whole(1)) * q - ratio(99, 100))
        }),
        unbalanced("unbalanced-gaps", "Σ l_i p_i ((c_i + 1) q_i − 1) − 1.98ξ", |world| {
            world.unbalanced_bound() + ratio(2, 100) * &world.gap
        }),
        unbalanced("unbalanced-as-balanced", "Σ (c_i − 1) p_i l_i / 2 − 2ξ for any q_i", Instance::corrected_bound),
        mutant("positive-above-less", "a gain if Σ (c_i − 1) p_i l_i > 3.98ξ", |effort, seed, observer| {
            gains(ratio(398, 100), effort, seed, observer)
        }),
        mutant(
            "negative-below-more",
            "no gain in some world if Σ (c_i − 1) p_i l_i ≤ 4.02ξ",
            |effort, seed, observer| loses(ratio(402, 100), effort, seed, observer),
        ),
    ]
}
