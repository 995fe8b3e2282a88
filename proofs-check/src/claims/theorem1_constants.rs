//! The constants of the corrected Theorem 1 are best possible: for every better one some world breaks the bound.

use proptest::prelude::*;
use proptest::sample::select;
use valleys_sim::progress::Observer;
use valleys_sim::theorem1::Hypothesis;
use valleys_sim::{Result, Seed};

use super::theorem1_corrected::hypotheses;
use crate::rational::{
    Along, Departure, Direction, Instance, Landscape, Outcome, Pieces, Rational, ratio, strict_slack, whole,
};
use crate::strategy::theorem1::{World, balanced_world};
use crate::trial::for_all;
use crate::{Assumption, Claim, Effort, Evidence, Standing};

pub(super) fn claims() -> Vec<Claim> {
    let claim = |id, words, formula, proofs, examination| Claim {
        id,
        source: "corrected",
        words,
        formula,
        hypotheses: hypotheses(),
        standing: Standing::Proved { proofs },
        weakenings: Vec::new(),
        examination,
    };
    let limit = hypotheses().into_iter().map(|hypothesis| match hypothesis {
        Assumption::Theorem1(Hypothesis::ProjectionsWithinWindow) => {
            Assumption::InWords("r̲ ≤ δ̄ ≤ r̄ and l > min{r̄ − δ̄, δ̄ − r̲} in one dimension, δ = ±δ̄")
        }
        other => other,
    });
    vec![
        claim(
            "theorem1-constant-half",
            "The constant ½ is best possible, even with strict inequalities in the definition",
            "for every κ > ½ and all p_i, c_i, l_i, with 4ξ < (c_i − 1) p_i l_i as printed, some world has \
             E L(ŵ) − E L(ŵ + Σ l_i uⁱ) < κ Σ (c_i − 1) p_i l_i − 2ξ",
            &["Theorem1Extremal.theorem1_bound_attained", "Theorem1Constants.theorem1_constants_best"],
            Box::new(|effort, seed, observer| half(&ratio(1, 2), effort, seed, observer)),
        ),
        claim(
            "theorem1-constant-gap",
            "The constant 2ξ is best possible, even with strict inequalities in the definition",
            "for every λ < 2, ξ > 0 and all p_i, c_i, l_i, with 4ξ < (c_i − 1) p_i l_i as printed, some world has \
             E L(ŵ) − E L(ŵ + Σ l_i uⁱ) < Σ (c_i − 1) p_i l_i / 2 − λξ",
            &["Theorem1Extremal.theorem1_bound_attained", "Theorem1Constants.theorem1_constants_best"],
            Box::new(|effort, seed, observer| gap(&whole(2), effort, seed, observer)),
        ),
        Claim {
            hypotheses: limit.collect(),
            ..claim(
                "theorem1-step-limit",
                "The minimum is the right limit of the step: beyond it some loss, with a minimiser ŵ and strict \
                 inequalities in the definition, breaks the bound",
                "for every l > min{r̄ − δ̄, δ̄ − r̲} some L̂ has E L(ŵ) − E L(ŵ + l u) < (c − 1) p l / 2",
                &["Theorem1Limit.theorem1_step_limit_exact"],
                Box::new(|effort, seed, observer| step_limit(&whole(1), effort, seed, observer)),
            )
        },
    ]
}

/// How far a better constant is from the best.
fn improvement() -> impl Strategy<Value = Rational> + Clone {
    select([1, 10, 1000, 1_000_000].map(|below| ratio(1, below)).to_vec())
}

/// For κ above a constant the extremal world at ε = (κ − ½) Σ (c_i − 1) p_i l_i / Σ (c_i + 1) p_i l_i gains less.
fn half(constant: &Rational, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let method = "extremal worlds in both readings, in exact fractions";
    let cases = (balanced_world(), improvement());
    let evidence = for_all(&cases, effort.cases(), seed, observer, method, |(world, better)| {
        let world = world.clone().extremal(&whole(0));
        let rise = world.exact().rise();
        let world = world.clone().extremal(&(better * &rise / world.sum_of_slopes()));
        let bound = (constant + better) * rise - whole(2) * &world.gap;
        Ok(below(&world, &bound))
    })?;
    Ok(evidence.adversarial())
}

/// For λ below a constant the extremal world at ε = (2 − λ)ξ / Σ (c_i + 1) p_i l_i gains less.
fn gap(constant: &Rational, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let method = "extremal worlds in both readings, in exact fractions";
    let gaps = select([(1, 1), (1, 8), (3, 1)].map(|(n, d)| ratio(n, d)).to_vec());
    let evidence = for_all(&(balanced_world(), gaps, improvement()), effort.cases(), seed, observer, method, |case| {
        let (world, gap, better) = case;
        let world = World { gap: gap.clone(), ..world.clone().extremal(&whole(0)) };
        let epsilon = better * gap / world.sum_of_slopes();
        let world = world.extremal(&epsilon);
        let bound = world.exact().rise() / whole(2) - (constant - better) * gap;
        Ok(below(&world, &bound))
    })?;
    Ok(evidence.adversarial())
}

/// How far the larger gain of both readings is below a bound.
fn below(world: &World, bound: &Rational) -> f64 {
    let instance = world.exact();
    let gains = super::theorem1_printed::READINGS.map(|reading| instance.gain(reading));
    gains.iter().map(|gain| strict_slack(bound, gain, &instance.scale())).fold(f64::INFINITY, f64::min)
}

/// Steps a little or much beyond a share of the limit break the bound.
fn step_limit(share: &Rational, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let number = |simple: &[(i64, i64)]| select(simple.iter().map(|&(n, d)| ratio(n, d)).collect::<Vec<_>>());
    let cases = (
        (
            number(&[(1, 1), (1, 8), (3, 1)]),
            number(&[(1, 1), (1, 4), (5, 1)]),
            number(&[(1, 2), (0, 1), (1, 1), (1, 8), (7, 8)]),
        ),
        (number(&[(1, 1), (2, 1), (1, 3)]), number(&[(2, 1), (17, 16), (9, 1)])),
        number(&[(1, 1), (1, 1000), (1, 1_000_000), (1, 8), (10, 1)]),
    );
    let method = "convex losses in both readings, in exact fractions";
    let evidence =
        for_all(&cases, effort.cases(), seed, observer, method, |((r_lo, width, place), (p, c), beyond)| {
            let shift = r_lo + place * width;
            let limit = (r_lo + width - &shift).min(&shift - r_lo);
            let instance = beyond_limit(r_lo, width, &shift, p, c, share * limit + beyond, beyond);
            Ok(strict_slack(&instance.corrected_bound(), &most(&instance), &instance.scale()))
        })?;
    Ok(evidence.adversarial())
}

fn most(instance: &Instance) -> Rational {
    let [a, b] = super::theorem1_printed::READINGS.map(|reading| instance.gain(reading));
    a.max(b)
}

/// The convex loss with slopes −cp(1 + ε), 0, p(1 − ε) and 3p on (−∞, −r̲), (−r̲, r̲), (r̲, r̄) and (r̄, ∞): a step that ends
/// in the middle falls too little, one that ends beyond the window climbs too much. ε is too small to make up for it.
pub(super) fn beyond_limit(
    r_lo: &Rational,
    width: &Rational,
    shift: &Rational,
    p: &Rational,
    c: &Rational,
    l: Rational,
    beyond: &Rational,
) -> Instance {
    let one = || whole(1);
    let r_hi = r_lo + width;
    let epsilon = beyond / (whole(4) * (c + one()) * (&l + one()));
    let slopes = vec![-(c * p) * (one() + &epsilon), whole(0), p * (one() - &epsilon), whole(3) * p];
    let loss = Pieces::new(vec![-r_lo, r_lo.clone(), r_hi.clone()], slopes);
    let outcome = |shift: Rational| Outcome { probability: ratio(1, 2), shift: vec![shift] };
    Instance {
        window: (r_lo.clone(), r_hi),
        gap: whole(0),
        directions: vec![Direction { u: vec![one()], p: p.clone(), c: c.clone(), l }],
        solution: vec![whole(0)],
        training: Landscape { sums: vec![Along { normal: vec![one()], function: loss }], minima: Vec::new() },
        departure: Departure::None,
        vertical: whole(0),
        outcomes: vec![outcome(shift.clone()), outcome(-shift)],
    }
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    use super::theorem1_printed::mutant;
    vec![
        mutant("half-is-not-best", "some world breaks the bound for every κ > 0.49", |effort, seed, observer| {
            half(&ratio(49, 100), effort, seed, observer)
        }),
        mutant("gap-is-not-best", "some world breaks the bound for every λ < 2.02", |effort, seed, observer| {
            gap(&ratio(202, 100), effort, seed, observer)
        }),
        mutant("limit-is-not-least", "some world breaks the bound for every l > 0.99 min", |effort, seed, observer| {
            step_limit(&ratio(99, 100), effort, seed, observer)
        }),
    ]
}

#[cfg(test)]
mod tests {
    use valleys_sim::theorem1::{Checks, Statement};

    use super::*;

    #[test]
    fn losses_beyond_the_limit_break_nothing_but_the_window() {
        for (shift, l) in [(ratio(5, 4), ratio(1, 2)), (ratio(7, 4), ratio(1, 2)), (ratio(3, 2), whole(4))] {
            let limit = (whole(2) - &shift).min(&shift - whole(1));
            let instance = beyond_limit(&whole(1), &whole(1), &shift, &whole(1), &whole(2), l.clone(), &(&l - limit));
            for reading in super::super::theorem1_printed::READINGS {
                let rounded = instance.rounded(reading).expect("valid").with_minima(0.0, 0.0).expect("finite");
                let broken = |statement| {
                    let audit = rounded.audit(statement, &Checks::default()).expect("few outcomes");
                    audit.violations().map(|violation| violation.hypothesis).collect::<Vec<_>>()
                };
                assert_eq!(broken(Statement::Corrected), [Hypothesis::ProjectionsWithinWindow]);
                assert!(broken(Statement::Printed).iter().all(|&other| other == Hypothesis::StepWithinMaximum));
            }
        }
    }
}
