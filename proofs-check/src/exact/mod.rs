//! Exact expectations over processes that branch finitely.
//!
//! Iterates are whole numbers of cells and η = 1, so nothing is rounded but probabilities, and those are not if they are
//! [`Ratio`]s: a counterexample evaluated so is a fact. Equal nodes are merged step by step, so that a process of few
//! nodes is followed for many steps.

mod chain;
mod lattice;
mod ratio;
mod round;
mod worst;

use std::collections::BTreeMap;
use std::ops::{Add, Mul};

pub use chain::{Chain, Place};
pub use lattice::Lattice;
pub use ratio::Ratio;
pub use round::{RoundLaw, round_law};
pub use worst::{Normalisation, smallest_sum, worst_round, worst_sum};

/// What probabilities are counted in: an `f64`, fast, or a [`Ratio`], exact.
pub trait Number: Copy + PartialOrd + Add<Output = Self> + Mul<Output = Self> {
    /// numerator/denominator, the denominator not 0.
    fn fraction(numerator: i64, denominator: i64) -> Self;

    /// The nearest `f64`; NaN for what is no number.
    fn value(self) -> f64;
}

impl Number for f64 {
    fn fraction(numerator: i64, denominator: i64) -> Self {
        numerator as f64 / denominator as f64
    }

    fn value(self) -> f64 {
        self
    }
}

/// A process that branches finitely. A node holds what the future depends on: the iterate, and what matters of the past.
pub trait Process {
    /// A node; equal ones have the same future.
    type Node: Clone + Ord;

    /// The iterate, in cells.
    fn point(&self, node: &Self::Node) -> i64;

    /// The next nodes with their probabilities, each above 0.
    fn step<N: Number>(&self, node: &Self::Node) -> Vec<(N, Self::Node)>;
}

/// Probabilities of nodes.
type Law<N, K> = BTreeMap<K, N>;

fn add<N: Number, K: Ord>(law: &mut Law<N, K>, node: K, probability: N) {
    law.entry(node).and_modify(|sum| *sum = *sum + probability).or_insert(probability);
}

/// E[w₀ + … + w_(k−1)] for k = 0, 1, …, n; fewer if more than `most_nodes` nodes would have to be kept.
pub fn sums<P: Process, N: Number>(process: &P, start: P::Node, n: usize, most_nodes: usize) -> Vec<N> {
    let mut law = Law::from([(start, N::fraction(1, 1))]);
    let mut sum = N::fraction(0, 1);
    let mut sums = vec![sum];
    while sums.len() <= n && law.len() <= most_nodes {
        let mut next = Law::new();
        for (node, &probability) in &law {
            sum = sum + probability * N::fraction(process.point(node), 1);
            if sums.len() < n {
                process.step::<N>(node).into_iter().for_each(|(p, child)| add(&mut next, child, probability * p));
            }
        }
        sums.push(sum);
        law = next;
    }
    sums
}
