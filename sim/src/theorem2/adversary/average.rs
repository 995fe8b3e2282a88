//! The smallest long-run mean of a controlled chain, by modified policy iteration between certain bounds.
//!
//! For any value function h and the Bellman operator T, no long-run mean is below the smallest entry of Th − h; and of
//! the choices that T makes, none has a mean above the largest entry on any set of states that they never leave (Odoni's
//! bounds). So the answer is certain whenever the search stops.

use crate::progress::Observer;
use crate::{Error, Result};

/// Where a choice leads: to `below`, or with probability `upward` to `above`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Choice {
    pub(super) below: u32,
    pub(super) above: u32,
    pub(super) upward: f64,
}

impl Choice {
    pub(super) fn expectation(self, values: &[f64]) -> f64 {
        let (below, above) = (values[self.below as usize], values[self.above as usize]);
        below + self.upward * (above - below)
    }
}

/// A chain whose steps an adversary chooses.
pub(super) trait Game {
    /// What each state costs: the iterate.
    fn costs(&self) -> &[f64];

    /// Writes, for each state, the choice whose expected value is smallest.
    fn improve(&self, values: &[f64], choices: &mut Vec<Choice>);
}

/// When the search for the smallest mean may stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stop {
    /// Once it is enclosed to this width.
    Width(f64),
    /// Once its sign is known, or it is enclosed within this of 0.
    Sign(f64),
}

/// low ≤ the smallest mean ≤ high.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Stop {
    fn is_reached(self, Bounds { low, high }: Bounds) -> bool {
        match self {
            Self::Width(width) => high - low <= width,
            Self::Sign(least) => low > 0.0 || high < 0.0 || (low >= -least && high <= least),
        }
    }
}

/// Improvements after which the bounds are returned as they are.
const MOST_IMPROVEMENTS: u32 = 2_000;

/// Cheap sweeps under fixed choices between two improvements.
const SWEEPS: u32 = 40;

/// Bounds on the smallest mean. `values`, one for each state, are where the search begins; they hold its last value
/// function afterwards.
pub(super) fn smallest_mean(
    game: &impl Game,
    values: &mut [f64],
    stop: Stop,
    observer: &dyn Observer,
) -> Result<Bounds> {
    let costs = game.costs();
    let mut choices = Vec::with_capacity(costs.len());
    let mut gains = vec![0.0; costs.len()];
    let mut bounds = Bounds { low: f64::NEG_INFINITY, high: f64::INFINITY };
    for _ in 0..MOST_IMPROVEMENTS {
        if observer.interrupted() {
            return Err(Error::Interrupted);
        }
        game.improve(values, &mut choices);
        let [least, most] = step(costs, &choices, values, &mut gains);
        bounds = Bounds { low: bounds.low.max(least), high: bounds.high.min(closed_most(&gains, &choices)) };
        if stop.is_reached(bounds) {
            break;
        }
        // Under fixed choices sweeps cost little. They stop when the choices, not the values, are what is wrong.
        for _ in 0..SWEEPS {
            let [low, high] = step(costs, &choices, values, &mut gains);
            if high - low < 0.05 * (most - least) {
                break;
            }
        }
    }
    Ok(bounds)
}

/// The largest gain of the states that can follow the one with the least.
fn closed_most(gains: &[f64], choices: &[Choice]) -> f64 {
    let Some(first) = (0..gains.len()).min_by(|&a, &b| gains[a].total_cmp(&gains[b])) else {
        return f64::NEG_INFINITY;
    };
    let mut seen = vec![false; gains.len()];
    let mut open = vec![first];
    let mut most = f64::NEG_INFINITY;
    while let Some(state) = open.pop() {
        if std::mem::replace(&mut seen[state], true) {
            continue;
        }
        most = most.max(gains[state]);
        let Choice { below, above, upward } = choices[state];
        open.push(below as usize);
        if upward > 0.0 {
            open.push(above as usize);
        }
    }
    most
}

/// One sweep under fixed choices; the smallest and the largest gain.
///
/// Half steps make periodic chains converge; subtracting the least gain keeps the values bounded.
fn step(costs: &[f64], choices: &[Choice], values: &mut [f64], gains: &mut [f64]) -> [f64; 2] {
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for (((gain, cost), choice), value) in gains.iter_mut().zip(costs).zip(choices).zip(&*values) {
        *gain = cost + choice.expectation(values) - value;
        least = least.min(*gain);
        most = most.max(*gain);
    }
    for (value, gain) in values.iter_mut().zip(&*gains) {
        *value += 0.5 * (gain - least);
    }
    [least, most]
}
