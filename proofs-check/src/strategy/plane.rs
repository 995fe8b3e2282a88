//! SGD in the plane whose projection on a direction is one of Theorem 2's processes, and no Markov chain.

use proptest::prelude::*;
use valleys_sim::Result;
use valleys_sim::theorem2::Statement;

use super::theorem2::{Memory, Walk, WalkCase, walk_case};
use crate::exact::{Number, Process};

/// A walk along u = (3, 4)/5, whose slope and noise depend on the coordinate along v = (−4, 3)/5.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaneCase {
    /// The walk along u; what it remembers is where the iterate is along v.
    pub walk: WalkCase,
    /// By how much the coordinate along v moves, at most.
    pub reach: i64,
    /// Where it starts.
    pub across: i64,
}

/// SGD in the plane, w′ = w − (∇L(w) + ω), in fifths of a cell so that everything is whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// The walk along u.
    pub walk: Walk,
    reach: i64,
}

/// Walks in the plane.
pub fn plane_case() -> impl Strategy<Value = PlaneCase> + Clone {
    (walk_case(), 1..=3_i64, -3..=3_i64).prop_map(|(walk, reach, across)| PlaneCase {
        walk: WalkCase { memory: Memory::Nothing, ..walk },
        reach,
        across,
    })
}

impl PlaneCase {
    /// The process in the setting that a statement admits.
    pub fn plane(&self, statement: Statement) -> Result<Plane> {
        Ok(Plane { walk: self.walk.walk(statement)?, reach: self.reach })
    }
}

impl Plane {
    /// The point at s cells along u and t along v, in fifths of a cell.
    pub fn at(&self, s: i64, t: i64) -> [i64; 2] {
        [3 * s - 4 * t, 4 * s + 3 * t]
    }

    /// ⟨w, v⟩ in cells.
    pub fn across(&self, [x, y]: [i64; 2]) -> i64 {
        (3 * y - 4 * x) / 25
    }
}

impl Process for Plane {
    type Node = [i64; 2];

    /// s = ⟨w, u⟩, with w* = 0.
    fn point(&self, node: &[i64; 2]) -> i64 {
        (3 * node[0] + 4 * node[1]) / 25
    }

    fn step<N: Number>(&self, node: &[i64; 2]) -> Vec<(N, [i64; 2])> {
        let (s, t) = (self.point(node), self.across(*node));
        // Where it is across decides what is met along: the projection alone does not say what comes next.
        let (slope, noise) = self.walk.choice((s, t.rem_euclid(64) as u64));
        let total: i64 = noise.iter().map(|(weight, _)| weight).sum();
        let step = |(weight, noise): (i64, i64)| {
            // A parabola across, with noise that goes with the noise along.
            let across = (t + noise.signum() * self.reach - t.signum()).clamp(-8, 8);
            (N::fraction(weight, total), self.at(s - slope - noise, across))
        };
        noise.into_iter().map(step).collect()
    }
}
