//! The corrected Theorem 1 with one hypothesis dropped or weakened at a time.

use proptest::prelude::*;
use proptest::sample::select;
use valleys_sim::progress::Observer;
use valleys_sim::theorem1::Hypothesis;
use valleys_sim::{Result, Seed};

use super::theorem1_corrected::{Bound, WORLDS, above, holds};
use crate::rational::{
    Along, Departure, Direction, Instance, Landscape, Outcome, Pieces, Rational, ratio, show, slack, whole,
};
use crate::strategy::theorem1::{
    Flaw, Reach, World, aligned_world, balanced_world, broken_world, tilted_world, unbalanced_world,
};
use crate::trial::for_all;
use crate::{Assumption, Effect, Effort, Evidence, Weakening};

const NEEDED: Effect = Effect::Breaks { proofs: &[] };

pub(super) fn weakenings() -> Vec<Weakening> {
    let unneeded = |because| Effect::Unneeded { because, proofs: &[] };
    let mut weakenings = vec![
        Weakening {
            hypothesis: Assumption::Theorem1(Hypothesis::OrthonormalDirections),
            instead: "unit vectors that are not orthogonal",
            effect: NEEDED,
            search: Box::new(tilted),
        },
        Weakening {
            hypothesis: Assumption::Theorem1(Hypothesis::OrthonormalDirections),
            instead: "orthogonal vectors of length at most 1",
            effect: unneeded(
                "the points the proof uses stay within the radius, and orthogonality keeps their projections",
            ),
            search: Box::new(short_directions),
        },
        Weakening {
            hypothesis: Assumption::Theorem1(Hypothesis::OrthonormalDirections),
            instead: "orthogonal vectors of any length",
            effect: NEEDED,
            search: Box::new(|_, _, _| Ok(long_direction())),
        },
        Weakening {
            hypothesis: Assumption::Theorem1(Hypothesis::BalancedProjections),
            instead: "s_i > 0 with any probability",
            effect: NEEDED,
            search: Box::new(|effort, seed, observer| {
                holds(&unbalanced_world(), Instance::corrected_bound, effort, seed, observer)
            }),
        },
        Weakening {
            hypothesis: Assumption::Theorem1(Hypothesis::GapOnFullRadius),
            instead: "the same for ‖v‖ ≤ R, for some R < Δ + ‖l‖",
            effect: NEEDED,
            search: Box::new(|effort, seed, observer| {
                // On a line a step to the flat side ends just at the radius.
                let line = aligned_world().prop_map(|mut world| {
                    world.axes.truncate(1);
                    World { spares: Vec::new(), ..world }
                });
                let worlds = broken_world(line, select(beyond(Reach::Almost)));
                holds(&worlds, Instance::corrected_bound, effort, seed, observer)
            }),
        },
    ];
    let small = |flaw: fn(Rational) -> Flaw, numbers: &[(i64, i64)]| {
        numbers.iter().map(|&(n, d)| flaw(ratio(n, d))).collect::<Vec<_>>()
    };
    let more = [(1, 1), (2, 1), (1, 4), (16, 1)];
    let flawed = [
        ("l_i of any sign", NEEDED, vec![Flaw::Backwards]),
        ("s_i > 0 ⇒ s_i ≤ r̄", NEEDED, small(Flaw::SharpInner, &[(1, 2), (3, 4), (1, 4)])),
        ("s_i > 0 ⇒ r̲ + l_i ≤ s_i", NEEDED, small(Flaw::SharpOuter, &more)),
        ("s_i ≤ 0 ⇒ −s_i ≤ r̄ − l_i", NEEDED, small(Flaw::FlatInner, &[(0, 1), (1, 2), (1, 4)])),
        ("s_i ≤ 0 ⇒ r̲ ≤ −s_i", NEEDED, small(Flaw::FlatOuter, &more)),
        ("the same but at v = −δ", NEEDED, small(Flaw::Start, &more)),
        ("the same but at v = Σ l_i uⁱ − δ", NEEDED, small(Flaw::End, &more)),
        ("the same for ‖v‖ ≤ ‖l‖", NEEDED, beyond(Reach::Step)),
        ("the same for ‖v‖ ≤ Δ", NEEDED, beyond(Reach::Shift)),
        (
            "the same for v = −δ and v = Σ l_i uⁱ − δ alone",
            unneeded("the proof uses the gap once at each end"),
            small(Flaw::Elsewhere, &more),
        ),
        ("the same on the line through ŵ alone, v = 0", NEEDED, small(Flaw::OffLine, &more)),
        ("the same on the flat side alone", NEEDED, small(Flaw::Sharp, &more)),
        ("the same on the sharp side alone", NEEDED, small(Flaw::Flat, &more)),
        (
            "the same on the k lines that the step follows in each outcome",
            unneeded("the proof moves along u¹, …, uᵏ in turn and uses no other line"),
            small(Flaw::Unused, &more),
        ),
        (
            "the same with any c_i, not above 1",
            Effect::Unneeded {
                because: "the proof uses no sign of c_i − 1, but the bound then promises no gain",
                proofs: &["Theorem1.theorem1_corrected"],
            },
            small(Flaw::Ratio, &[(1, 1), (1, 2), (0, 1), (-2, 1)]),
        ),
    ];
    weakenings.extend(flawed.into_iter().map(|(instead, effect, flaws)| Weakening {
        hypothesis: Assumption::Theorem1(flaws[0].hypothesis()),
        instead,
        effect,
        search: Box::new(move |effort, seed, observer| {
            let worlds = broken_world(balanced_world(), select(flaws.clone()));
            holds(&worlds, Instance::corrected_bound, effort, seed, observer)
        }),
    }));
    weakenings
}

fn beyond(reach: Reach) -> Vec<Flaw> {
    [1, 8, 64].map(|height| Flaw::Beyond(reach, whole(height))).to_vec()
}

fn tilted(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let bound: Bound = Instance::corrected_bound;
    for_all(&tilted_world(), effort.cases(), seed, observer, WORLDS, |world| Ok(above(&world.exact(), bound)))
}

/// A direction along an axis: its length, p, c − 1, l, and whether the projection lies at the far end of what is free if it
/// is positive and if it is negative.
type ShortAxis = (Rational, Rational, Rational, Rational, [bool; 2]);

fn short_axes() -> impl Strategy<Value = Vec<ShortAxis>> {
    let length = select(vec![ratio(9, 10), ratio(19, 20), whole(1)]);
    let number = || select(vec![whole(1), whole(2), ratio(1, 2), ratio(7, 4)]);
    let l = select(vec![whole(1), ratio(1, 2), ratio(1, 4)]);
    proptest::collection::vec((length, number(), number(), l, any::<[bool; 2]>()), 1..=2)
}

fn short_directions(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    for_all(&short_axes(), effort.cases(), seed, observer, WORLDS, |axes| {
        Ok(above(&short_world(axes), Instance::corrected_bound))
    })
}

/// Directions along axes whose length λ is at most 1. Distance t along λe is the coordinate λt; the sides' slopes reach so
/// far inside that the definition holds from every foot ŵ + v − ⟨v, u⟩u, which is off the axis by (1 − λ²)v.
fn short_world(axes: &[ShortAxis]) -> Instance {
    // The window (5, 6) leaves room for feet off the axis by (1/λ − λ)(Δ + ‖l‖) < 2.2.
    let d = axes.len();
    let unit = |i: usize, length: &Rational| {
        let mut unit = vec![whole(0); d];
        unit[i] = length.clone();
        unit
    };
    let mut directions = Vec::new();
    let mut sums = Vec::new();
    let mut shifts = vec![vec![whole(0); d]; 2];
    for (i, (length, p, more, l, ends)) in axes.iter().enumerate() {
        let c = whole(1) + more;
        let slopes = (-&c * p / length, p / length);
        sums.push(Along { normal: unit(i, &whole(1)), function: Pieces::valley(slopes.0, slopes.1) });
        directions.push(Direction { u: unit(i, length), p: p.clone(), c, l: l.clone() });
        let inner = |end| if end { whole(6) - l } else { whole(5) };
        shifts[i % 2][i] = (inner(ends[0]) + l) / length;
        shifts[1 - i % 2][i] = -inner(ends[1]) / length;
    }
    Instance {
        window: (whole(5), whole(6)),
        gap: whole(0),
        directions,
        solution: vec![whole(0); d],
        training: Landscape { sums, minima: Vec::new() },
        departure: Departure::None,
        vertical: whole(0),
        outcomes: shifts.into_iter().map(|shift| Outcome { probability: ratio(1, 2), shift }).collect(),
    }
}

fn long_direction() -> Evidence {
    let world = long_world();
    let (gain, bound) = (world.least_gain(), world.corrected_bound());
    let shown = format!("{} is not at least {}: {world}", show(&gain), show(&bound));
    Evidence::instance("one world in both readings, in exact fractions", slack(&gain, &bound, &world.scale()), shown)
}

/// One direction of length 2, whose step leads beyond the radius of the gap.
fn long_world() -> Instance {
    let line = |kinks, slopes| Along { normal: vec![whole(1)], function: Pieces::new(kinks, slopes) };
    let alone = |along| Landscape { sums: vec![along], minima: Vec::new() };
    let outcome = |shift| Outcome { probability: ratio(1, 2), shift: vec![shift] };
    Instance {
        window: (whole(1), whole(2)),
        gap: whole(0),
        directions: vec![Direction { u: vec![whole(2)], p: whole(1), c: whole(2), l: whole(1) }],
        solution: vec![whole(0)],
        training: alone(line(vec![], vec![whole(-1)])),
        // Beyond |x| = 2 = Δ + l the population loss is a wall.
        departure: Departure::Added(alone(line(vec![whole(2)], vec![whole(0), whole(16)]))),
        vertical: whole(0),
        outcomes: vec![outcome(whole(1)), outcome(ratio(-1, 2))],
    }
}

#[cfg(test)]
mod tests {
    use valleys_sim::theorem1::{Checks, Statement};

    use super::super::theorem1_printed::READINGS;
    use super::*;

    fn breaks_lengths_alone(world: &Instance) -> bool {
        READINGS.iter().all(|&reading| {
            let rounded = world.rounded(reading).expect("valid");
            let audit = rounded.audit(Statement::Corrected, &Checks::default()).expect("few outcomes");
            audit.violations().all(|violation| violation.hypothesis == Hypothesis::OrthonormalDirections)
        })
    }

    #[test]
    fn the_long_direction_breaks_nothing_but_its_length() {
        assert!(breaks_lengths_alone(&long_world()));
    }

    proptest! {
        #[test]
        fn short_directions_break_nothing_but_their_length(axes in short_axes()) {
            prop_assert!(breaks_lengths_alone(&short_world(&axes)));
        }
    }
}
