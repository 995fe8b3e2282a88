//! Heavy-ball momentum, of which Theorem 2 does not speak.

use valleys_sim::theorem2::ProcessHypothesis::{BoundedNoise, SlopesWithinBounds, ZeroMeanNoise};
use valleys_sim::theorem2::Statement;
use valleys_sim::{Error, Result};

use super::theorem2_common::hypotheses;
use crate::exact::{Number, Ratio};
use crate::{Claim, Evidence, Standing};

pub(super) fn claims() -> Vec<Claim> {
    vec![Claim {
        id: "theorem2-momentum",
        source: "corrected, with momentum",
        words: "(L) in short for heavy-ball momentum, v′ = μv − η(g + ω), w′ = w + v′, 0 < μ < 1: ν ≤ a₊/2 and c > 2 give a positive \
                long-run average from every start (w₀, v₀)",
        formula: "E[w₀ + … + w_(n−1)]/n → m > 0",
        hypotheses: hypotheses(Statement::LongRunHeadline, &[ZeroMeanNoise, BoundedNoise, SlopesWithinBounds]),
        standing: Standing::Refuted {
            fault: "momentum carries the iterate over its peak between two flat slopes: for μ = ½ and c = 5/2 a cycle has mean −1/20",
            proofs: &[],
        },
        weakenings: Vec::new(),
        examination: Box::new(|_, _, _| cycles()),
    }]
}

/// A cycle of the heavy ball: η = a₊ = 1, no noise, momentum μ, and the slopes met in turn, the first on the sharp side.
struct Cycle {
    momentum: Ratio,
    slopes: Vec<Ratio>,
}

impl Cycle {
    /// The iterates with 0 for the lowest flat one, and the velocity on arrival at each.
    ///
    /// From v_(t+1) = μv_t − g_t around the cycle, v_(t+1) = −Σ_k μᵏ g_(t−k)/(1 − μᴺ) for k = 0, …, N − 1.
    fn states(&self) -> Vec<(Ratio, Ratio)> {
        let n = self.slopes.len();
        let power = |k: usize| (0..k).fold(Ratio::ONE, |power, _| power * self.momentum);
        let velocity = |t: usize| {
            let terms = (0..n).map(|k| power(k) * self.slopes[(t + 2 * n - 1 - k) % n]);
            -terms.fold(Ratio::ZERO, |sum, term| sum + term) / (Ratio::ONE - power(n))
        };
        let mut point = Ratio::ZERO;
        let mut states = vec![(point, velocity(0))];
        for t in 1..n {
            point = point + velocity(t);
            states.push((point, velocity(t)));
        }
        let flat = states.iter().zip(&self.slopes).filter(|(_, slope)| **slope > Ratio::ZERO).map(|(state, _)| state.0);
        let lowest = flat.reduce(|a, b| if b < a { b } else { a }).unwrap_or(Ratio::ZERO);
        states.iter().map(|&(point, velocity)| (point - lowest, velocity)).collect()
    }

    /// Whether it closes, and every slope is met on its side, flat ones at most 1 and sharp ones all −c.
    fn is_admissible(&self) -> bool {
        let states = self.states();
        let n = states.len();
        let c = -self.slopes[0];
        let step = |t: usize| {
            let velocity = self.momentum * states[t].1 - self.slopes[t];
            states[(t + 1) % n] == (states[t].0 + velocity, velocity)
        };
        let side = |t: usize| {
            let (point, slope) = (states[t].0, self.slopes[t]);
            if point < Ratio::ZERO { -slope == c } else { Ratio::ZERO < slope && slope <= Ratio::ONE }
        };
        (0..n).all(|t| step(t) && side(t)) && c > Ratio::from(2)
    }
}

/// One cycle each for μ = ½, ¾ and 9/10.
fn cycles() -> Result<Evidence> {
    let cycle = |momentum: (i64, i64), slopes: &[(i64, i64)]| Cycle {
        momentum: Ratio::fraction(momentum.0, momentum.1),
        slopes: slopes.iter().map(|&(x, y)| Ratio::fraction(x, y)).collect(),
    };
    let cycles = [
        cycle((1, 2), &[(-5, 2), (1, 2), (1, 1), (1, 1)]),
        cycle((3, 4), &[(-3, 1), (1, 1), (1, 1), (1, 1)]),
        cycle((9, 10), &[(-7, 2), (1, 1), (1, 2), (1, 1), (1, 1)]),
    ];
    let evidence = cycles.iter().map(|cycle| {
        let states = cycle.states();
        let listed = |numbers: Vec<Ratio>| numbers.iter().map(Ratio::to_string).collect::<Vec<_>>().join(", ");
        let mean = states.iter().fold(Ratio::ZERO, |sum, state| sum + state.0) / Ratio::from(states.len() as i64);
        let shown = format!(
            "η = a₊ = 1, c = {}, μ = {}, no noise: with slopes ({}) at ({}), arriving with v₀ = {}, the iterates repeat and have mean {mean}",
            -cycle.slopes[0],
            cycle.momentum,
            listed(cycle.slopes.clone()),
            listed(states.iter().map(|state| state.0).collect()),
            states[0].1,
        );
        match cycle.is_admissible() {
            true => Evidence::instance("one cycle, exactly", mean.value(), shown),
            false => Evidence::inadmissible(format!("it is no cycle: {shown}")),
        }
    });
    evidence.reduce(Evidence::and).ok_or_else(|| Error::domain("number of cycles", 0, "at least 1"))
}
