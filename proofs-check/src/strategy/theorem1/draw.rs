//! How worlds are drawn. Numbers are few and simple, the simplest first: shrinking ends at p = 1, c = 2.

use proptest::array::{uniform2, uniform4, uniform5};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Axis, Block, DIRECTIONS, Dissent, OUTCOMES, World};
use crate::rational::{Rational, is_zero, ratio, whole};

/// The two kinds of signs that projections can have.
#[derive(Clone, Copy, PartialEq)]
enum Signs {
    /// Two of four outcomes are positive, whichever.
    Balanced,
    /// Any.
    Free,
}

/// Worlds in which P(s_i > 0) = ½, with any dependence between the directions.
pub fn balanced_world() -> impl Strategy<Value = World> {
    world(Signs::Balanced, vec![whole(0), ratio(1, 4), whole(1), whole(3)])
}

/// The same with strict inequalities in the definition.
pub fn strict_world() -> impl Strategy<Value = World> {
    world(Signs::Balanced, vec![ratio(1, 1024), ratio(1, 4), whole(1), whole(3)])
}

/// Worlds in which the projections' signs have any law.
pub fn unbalanced_world() -> impl Strategy<Value = World> {
    world(Signs::Free, vec![whole(0), ratio(1, 4), whole(1), whole(3)])
}

/// Worlds with directions along axes and shifts ±δ̄_i as printed, and steps l_i ≤ min{r̄ − δ̄_i, δ̄_i − r̲}.
pub fn aligned_world() -> impl Strategy<Value = World> {
    balanced_world().prop_map(|mut world| {
        for axis in &mut world.axes {
            axis.step /= whole(2);
        }
        if is_zero(&world.r_lo) {
            world.r_lo = whole(1);
        }
        World { turns: std::array::from_fn(|_| whole(0)), printed: true, ..world }
    })
}

/// Fractions in order of simplicity.
pub(super) fn one_of(fractions: &[(i64, i64)]) -> impl Strategy<Value = Rational> + Clone + use<> {
    select(fractions.iter().map(|&(n, d)| ratio(n, d)).collect::<Vec<_>>())
}

fn slope() -> impl Strategy<Value = Rational> + Clone {
    one_of(&[(0, 1), (1, 1), (-1, 1), (4, 1), (-4, 1), (1, 3), (-16, 1), (16, 1)])
}

fn world(signs: Signs, excess: Vec<Rational>) -> impl Strategy<Value = World> {
    let window = (
        one_of(&[(1, 1), (1, 2), (0, 1), (2, 1), (1, 8)]),
        one_of(&[(1, 1), (2, 1), (1, 2), (3, 1), (1, 4)]),
        one_of(&[(0, 1), (1, 8), (1, 4), (1, 1), (1, 16)]),
    );
    let turn = one_of(&[(0, 1), (1, 2), (1, 3), (-1, 2), (2, 3), (1, 1), (-1, 1)]);
    let frame = (vec((slope(), slope()), 0..=2), uniform5(turn));
    let coupling = one_of(&[(0, 1), (0, 1), (1, 2), (1, 4)]);
    let pillar = || one_of(&[(0, 1), (0, 1), (8, 1), (-8, 1), (1, 1)]);
    let place = (one_of(&[(0, 1), (0, 1), (1, 1), (-1, 2)]), one_of(&[(0, 1), (0, 1), (1, 1), (-2, 1)]));
    let dissent = prop_oneof![
        Just(Dissent::Against),
        Just(Dissent::None),
        one_of(&[(1, 1), (1, 4), (1, 8)]).prop_map(Dissent::Stripes),
    ];
    let shape = (window, vec(axis(excess), 1..=DIRECTIONS), frame, coupling, (pillar(), pillar()));
    (shape, place, vec(block(signs), 1..=2), dissent)
        .prop_map(|((window, axes, (spares, turns), coupling, pillars), (centre, vertical), blocks, dissent)| World {
            r_lo: window.0,
            width: window.1,
            gap: window.2,
            axes,
            spares,
            turns,
            coupling,
            pillars,
            centre,
            vertical,
            blocks,
            dissent,
            printed: false,
            flaw: None,
        })
        .prop_filter("a projection of 0 has no sign", |world| {
            !is_zero(&world.r_lo) || world.axes.iter().all(|axis| !is_zero(&axis.step))
        })
}

fn axis(excess: Vec<Rational>) -> impl Strategy<Value = Axis> {
    let excesses = move || vec(prop_oneof![2 => Just(excess[0].clone()), 1 => select(excess.clone())], 1..=3);
    (
        one_of(&[(1, 1), (2, 1), (1, 2), (3, 1), (1, 4), (2, 3)]),
        one_of(&[(2, 1), (3, 1), (3, 2), (5, 1), (5, 4), (9, 1), (17, 16)]),
        one_of(&[(1, 1), (1, 2), (1, 4), (3, 4), (1, 16), (1, 3), (0, 1)]),
        excesses(),
        excesses(),
        vec(slope(), 0..=3),
        (slope(), slope()),
    )
        .prop_map(|(p, c, step, flat, sharp, middle, outside)| Axis { p, c, step, flat, sharp, middle, outside })
}

fn block(signs: Signs) -> impl Strategy<Value = Block> {
    let all: Vec<[bool; OUTCOMES]> =
        (0..1u8 << OUTCOMES).map(|bits| std::array::from_fn(|j| bits >> j & 1 == 1)).collect();
    let positive = |pattern: &[bool; OUTCOMES]| pattern.iter().filter(|&&sign| sign).count();
    let patterns: Vec<_> = match signs {
        Signs::Balanced => all.into_iter().filter(|pattern| positive(pattern) == OUTCOMES / 2).collect(),
        Signs::Free => all,
    };
    let place = one_of(&[(0, 1), (1, 1), (1, 2), (1, 4), (0, 1), (1, 1)]);
    let spare = one_of(&[(0, 1), (1, 1), (-1, 1), (2, 1), (-1, 3)]);
    (1..=4u32, uniform4(select(patterns)), uniform4(uniform4(place)), uniform2(uniform4(spare)))
        .prop_map(|(weight, positive, places, spares)| Block { weight, positive, places, spares })
}
