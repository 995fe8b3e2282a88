//! The exact law of one round.

use super::{Law, Number, Process, add};

/// What is known of a round from a given start, up to and with its first sharp iterate, within n steps.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundLaw<N> {
    /// E[w̄ · 1{the round is over}], w̄ = sum/(T + 1).
    pub average: N,
    /// The same with the printed normalisation, sum/T.
    pub average_as_printed: N,
    /// E[min(T + 1, n + 1)].
    pub length: N,
    /// P(T > k) for k = 0, 1, …, n − 1, T the number of flat iterates.
    pub unfinished: Vec<N>,
    /// The smallest sum of a round that is over; `None` if none is.
    pub smallest_sum: Option<i64>,
    /// The lowest iterate that follows the sharp one; `None` if no round is over.
    pub lowest_next: Option<i64>,
    /// The steps followed, n.
    pub steps: usize,
    /// Whether every round is over within them.
    pub is_over: bool,
}

/// Follows a round from its start on the flat side, for `n` steps or until more than `most_nodes` nodes would have to be
/// kept.
pub fn round_law<P: Process, N: Number>(process: &P, start: P::Node, n: usize, most_nodes: usize) -> RoundLaw<N> {
    let zero = N::fraction(0, 1);
    let mut result = RoundLaw {
        average: zero,
        average_as_printed: zero,
        length: N::fraction(1, 1),
        unfinished: Vec::new(),
        smallest_sum: None,
        lowest_next: None,
        steps: 0,
        is_over: false,
    };
    let first = process.point(&start);
    let mut law = Law::from([((start, first), N::fraction(1, 1))]);
    while result.steps < n && !law.is_empty() && law.len() <= most_nodes {
        result.steps += 1;
        let flat = result.steps as i64;
        let mut unfinished = zero;
        let mut next = Law::new();
        for ((node, sum), &probability) in &law {
            unfinished = unfinished + probability;
            for (p, child) in process.step::<N>(node) {
                let (p, point) = (probability * p, process.point(&child));
                let sum = sum + point;
                if point >= 0 {
                    add(&mut next, (child, sum), p);
                    continue;
                }
                result.average = result.average + p * N::fraction(sum, flat + 1);
                result.average_as_printed = result.average_as_printed + p * N::fraction(sum, flat);
                lower(&mut result.smallest_sum, sum);
                for (_, after) in process.step::<N>(&child) {
                    lower(&mut result.lowest_next, process.point(&after));
                }
            }
        }
        result.length = result.length + unfinished;
        result.unfinished.push(unfinished);
        law = next;
    }
    if law.is_empty() {
        // What follows adds nothing, however long.
        result.is_over = true;
        result.steps = n;
        result.unfinished.resize(n, zero);
    }
    result
}

fn lower(smallest: &mut Option<i64>, value: i64) {
    *smallest = Some(smallest.map_or(value, |seen| seen.min(value)));
}
