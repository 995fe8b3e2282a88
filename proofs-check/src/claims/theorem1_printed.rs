//! Theorem 1 as printed: its three faults, and what is true of its bound.

use proptest::collection::vec;
use proptest::sample::select;
use valleys_sim::progress::Observer;
use valleys_sim::theorem1::{Checks, Fault, Reading, Statement};
use valleys_sim::{Result, Seed};

use crate::rational::{Along, Departure, Direction, Instance, Landscape, Outcome, Pieces, Rational};
use crate::rational::{ratio, show, slack, strict_slack, whole};
use crate::trial::for_all;
use crate::{Assumption, Claim, Effort, Evidence, Standing};

pub(super) const READINGS: [Reading; 2] = [Reading::RandomPopulation, Reading::RandomTraining];

/// One claim a fault: the printed theorem, refuted on a world that meets all its hypotheses; and the sign of its bound.
pub(super) fn claims() -> Vec<Claim> {
    let positive = Claim {
        id: "theorem1-printed-positive",
        source: "Section 4.1, Theorem 1",
        words: "The printed bound is above 0",
        formula: "Σ (c_i − 1) l_i p_i / 2 − 2kξ > 0",
        hypotheses: vec![
            Assumption::Theorem1(valleys_sim::theorem1::Hypothesis::StepAboveGap),
            Assumption::InWords("k ≥ 1, ξ ≥ 0, p_i > 0, c_i > 1"),
        ],
        standing: Standing::Proved { proofs: &["Theorem1Instance.theorem1_bound_positive"] },
        weakenings: Vec::new(),
        examination: Box::new(|effort, seed, observer| positive(&ratio(4, 1), effort, seed, observer)),
    };
    Fault::ALL.into_iter().map(claim).chain([positive]).collect()
}

fn claim(fault: Fault) -> Claim {
    let (id, wrong) = match fault {
        Fault::StepMaximum => ("theorem1-printed-maximum", "the step limit is a maximum and has to be the minimum"),
        Fault::GapRadius => ("theorem1-printed-radius", "the radius ‖l‖ of the gap need not reach the shift"),
        Fault::ObliqueDirections => {
            ("theorem1-printed-oblique", "δ̄_i is a coordinate and has to be the projection on a direction")
        }
    };
    Claim {
        id,
        source: "Section 4.1, Theorem 1",
        words: "Bias leads to better generalisation, as printed",
        formula: "E L(ŵ*) − E L(ŵ* + Σ l_i uⁱ) ≥ Σ (c_i − 1) l_i p_i / 2 − 2kξ",
        hypotheses: Statement::Printed.hypotheses().iter().copied().map(Assumption::Theorem1).collect(),
        standing: Standing::Refuted { fault: wrong, proofs: refutation(fault) },
        weakenings: Vec::new(),
        examination: Box::new(move |effort, seed, _| examine(fault, effort, seed)),
    }
}

/// The machine-checked refutation in both readings.
pub(super) fn refutation(fault: Fault) -> &'static [&'static str] {
    match fault {
        Fault::StepMaximum => &["Theorem1Refuted.theorem1_printed_maximum_false"],
        Fault::GapRadius => &["Theorem1Refuted.theorem1_printed_radius_false"],
        Fault::ObliqueDirections => &["Theorem1Refuted.theorem1_printed_oblique_false"],
    }
}

/// Evaluates the counterexample in both readings, exactly, and checks that it meets every printed hypothesis.
pub(super) fn examine(fault: Fault, effort: Effort, seed: Seed) -> Result<Evidence> {
    let checks = Checks::new(u64::from(effort.cases()), 64, seed)?;
    for reading in READINGS {
        let audit = fault.instance(reading)?.audit(Statement::Printed, &checks)?;
        if let Some(violation) = audit.violations().next() {
            return Ok(Evidence::inadmissible(violation));
        }
    }
    let world = exact(fault);
    let bound = world.rise() / whole(2) - whole(2) * whole(world.directions.len() as i64) * &world.gap;
    // Both readings have to break the bound.
    let gain = READINGS.map(|reading| world.gain(reading)).into_iter().max().unwrap_or_else(|| whole(0));
    let (left, right) = (show(&gain), show(&bound));
    let shown = format!("{left} is not at least {right}, in both readings, with every printed hypothesis met: {world}");
    Ok(Evidence::instance("one world in both readings, in exact fractions", slack(&gain, &bound, &whole(1)), shown))
}

/// The world of a fault in exact numbers; see [`Fault`].
pub(super) fn exact(fault: Fault) -> Instance {
    let half = || ratio(1, 2);
    let (window, u, g, shift) = match fault {
        Fault::StepMaximum => {
            let g = Pieces::new(vec![whole(-1), whole(1)], vec![whole(-3), whole(0), half()]);
            ((1, 2), vec![whole(1)], g, vec![1])
        }
        Fault::GapRadius => ((1, 3), vec![whole(1)], Pieces::valley(whole(-3), half()), vec![2]),
        Fault::ObliqueDirections => {
            let g = Pieces::new(vec![whole(0), whole(1)], vec![whole(-3), whole(100), half()]);
            ((1, 6), vec![ratio(3, 5), ratio(4, 5)], g, vec![4, 3])
        }
    };
    let along = |function| Landscape { sums: vec![Along { normal: u.clone(), function }], minima: Vec::new() };
    // min(G, 3) − G.
    let cap = Pieces::new(vec![whole(-1), whole(6)], vec![whole(3), whole(0), ratio(-1, 2)]);
    let patterns = 0..1u32 << shift.len();
    let signed = |pattern: u32| {
        let sign = |(i, x): (usize, &i64)| if pattern >> i & 1 == 1 { whole(*x) } else { whole(-x) };
        shift.iter().enumerate().map(sign).collect()
    };
    let probability = ratio(1, i64::from(patterns.end));
    let outcomes = patterns.map(|pattern| Outcome { probability: probability.clone(), shift: signed(pattern) });
    Instance {
        window: (whole(window.0), whole(window.1)),
        gap: whole(0),
        outcomes: outcomes.collect(),
        training: along(g),
        departure: if fault == Fault::GapRadius { Departure::Added(along(cap)) } else { Departure::None },
        solution: vec![whole(0); u.len()],
        directions: vec![Direction { u, p: whole(1), c: whole(2), l: whole(1) }],
        vertical: whole(0),
    }
}

/// Steps above a number of gaps over (c_i − 1)p_i, most of them only just, make the printed bound positive.
fn positive(gaps: &Rational, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let simple = |fractions: &[(i64, i64)]| select(fractions.iter().map(|&(n, d)| ratio(n, d)).collect::<Vec<_>>());
    let direction = (
        simple(&[(1, 1), (2, 1), (1, 3), (7, 4)]),
        simple(&[(2, 1), (3, 1), (17, 16), (5, 2)]),
        simple(&[(1, 1_000_000), (1, 1000), (1, 1)]),
    );
    let cases = (vec(direction, 1..=6), simple(&[(1, 1), (0, 1), (1, 8), (3, 1)]));
    let method = "random numbers, steps just above their lower limit, in exact fractions";
    for_all(&cases, effort.cases(), seed, observer, method, |(directions, gap)| {
        let rise = |(p, c, more): &(Rational, Rational, Rational)| {
            let slope = (c - whole(1)) * p;
            let l = gaps * gap / &slope + more;
            slope * l / whole(2)
        };
        let bound: Rational = directions.iter().map(rise).sum();
        let bound = bound - whole(2 * directions.len() as i64) * gap;
        Ok(strict_slack(&bound, &whole(0), &(whole(1) + gap)))
    })
}

/// A statement that is false by a little, examined as true ones are.
#[cfg(test)]
pub(super) fn mutant(
    id: &'static str,
    formula: &'static str,
    search: impl Fn(Effort, Seed, &dyn Observer) -> Result<Evidence> + Send + Sync + 'static,
) -> Claim {
    Claim {
        id,
        source: "false on purpose",
        words: "A number changed by a little",
        formula,
        hypotheses: Vec::new(),
        standing: Standing::Tested,
        weakenings: Vec::new(),
        examination: Box::new(search),
    }
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    vec![mutant(
        "printed-limit",
        "the printed bound is positive if l_i > 3.99ξ/((c_i − 1)p_i)",
        |effort, seed, observer| positive(&ratio(399, 100), effort, seed, observer),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rational::to_f64;
    use valleys_sim::progress::Silent;

    #[test]
    fn the_faults_in_fractions_are_the_faults() {
        for fault in Fault::ALL {
            for reading in READINGS {
                let (exact, rounded) = (exact(fault), fault.instance(reading).expect("valid"));
                assert_eq!(to_f64(&exact.gain(reading)), fault.expected_gain());
                assert_eq!(to_f64(&exact.corrected_bound()), rounded.terms().corrected_bound());
                let gain = exact.rounded(reading).expect("valid").gain(&Silent).expect("few outcomes").difference;
                assert!((gain - rounded.gain(&Silent).expect("few outcomes").difference).abs() < 1e-12);
            }
        }
    }
}
