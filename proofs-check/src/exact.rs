//! Exact expectations over finite trees of noise.

use valleys_sim::sgd::{Gradient, Noise, Process};

/// Noise with at most two outcomes at every point, so that expectations over n steps are sums of 2ⁿ terms.
pub trait TwoPointNoise: Noise {
    /// The outcomes ω at a point with their probabilities, for the bound ν.
    fn outcomes(&self, point: f64, nu: f64) -> [(f64, f64); 2];
}

/// E[w̄ · 1{the round is over}] within `steps` steps, for a round that starts at w₀ = `start` ≥ 0: the round is over when its
/// first sharp iterate is reached, as it is if it has only one.
pub fn round_average<G: Gradient, N: TwoPointNoise>(process: &Process<G, N>, start: f64, steps: u32) -> f64 {
    fn visit<G: Gradient, N: TwoPointNoise>(
        process: &Process<G, N>,
        point: f64,
        left: u32,
        sum: f64,
        count: u32,
    ) -> f64 {
        let (sum, count) = (sum + point, count + 1);
        if point < 0.0 {
            return sum / f64::from(count);
        }
        if left == 0 {
            return 0.0;
        }
        branch(process, point, |next| visit(process, next, left - 1, sum, count))
    }
    visit(process, start, steps, 0.0, 0)
}

/// E[w₀ + … + w_(n−1)] from w₀ = `start`.
pub fn sum<G: Gradient, N: TwoPointNoise>(process: &Process<G, N>, start: f64, n: u32) -> f64 {
    if n == 0 {
        0.0
    } else {
        start + if n == 1 { 0.0 } else { branch(process, start, |next| sum(process, next, n - 1)) }
    }
}

/// The expectation of a function of the next iterate.
fn branch<G: Gradient, N: TwoPointNoise>(process: &Process<G, N>, point: f64, value: impl Fn(f64) -> f64) -> f64 {
    let setting = &process.setting;
    let slope = process.gradient.at(point);
    let term = |(probability, noise): (f64, f64)| {
        // A branch of probability 0 would double the work for nothing.
        if probability == 0.0 { 0.0 } else { probability * value(point - setting.eta() * (slope + noise)) }
    };
    let [first, second] = process.noise.outcomes(point, setting.nu());
    term(first) + term(second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::theorem2::CellNoise;
    use valleys_sim::Seed;
    use valleys_sim::sgd::{Rounds, Setting, Slopes, Valley};

    fn process(down: f64, up: f64) -> Process<Slopes, CellNoise> {
        let setting = Setting::new(Valley::new(1.0, 0.5, 3.0, -3.0).expect("valid"), 1.0, 0.5).expect("valid");
        let gradient = Slopes::constant(&setting, 1.0, 0.0).expect("valid");
        Process { setting, gradient, noise: CellNoise { width: 1.0, laws: vec![(down, up)] } }
    }

    #[test]
    fn small_trees_by_hand() {
        // From 1 with slope 1 and ω = ±½: ½ or −½; from ½: 0 or −1; from 0: −½ or −1½.
        let process = process(1.0, 1.0);
        assert_eq!(round_average(&process, 1.0, 1), 0.5 * (1.0 - 0.5) / 2.0);
        let two = 0.5 * 0.25 + 0.25 * (1.0 + 0.5 - 1.0) / 3.0;
        assert_eq!(round_average(&process, 1.0, 2), two);
        let three = two + 0.125 * ((1.0 + 0.5 + 0.0 - 0.5) / 4.0 + (1.0 + 0.5 + 0.0 - 1.5) / 4.0);
        assert_eq!(round_average(&process, 1.0, 3), three);
        assert_eq!([sum(&process, 1.0, 0), sum(&process, 1.0, 1), sum(&process, 1.0, 2)], [0.0, 1.0, 1.0]);
        // E w₂ = ½·(½ − 1) + ½·(−½ + 3) = 1.
        assert_eq!(sum(&process, 1.0, 3), 2.0);
    }

    #[test]
    fn the_tree_agrees_with_simulation() {
        // The mean of 20,000 rounds in [−1½, 3] leaves ±6 standard errors, at most 6·2.25/√20000, with probability below 2e-9.
        let process = process(0.3, 0.9);
        let exact = round_average(&process, 2.0, 18);
        let rounds = 20_000;
        let mean = (0..rounds).map(|k| {
            let mut cutter = Rounds::new();
            cutter.push(-1.0);
            let mut chain = process.chain(2.0, Seed(3).stream("chain", k));
            loop {
                let point = chain.step().point;
                if let Some(round) = cutter.push(point) {
                    return round.mean();
                }
            }
        });
        let mean = mean.sum::<f64>() / rounds as f64;
        assert!((mean - exact).abs() < 6.0 * 2.25 / (rounds as f64).sqrt(), "{mean} against {exact}");
    }
}
