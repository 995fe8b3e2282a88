//! One chain of stochastic gradient descent.

use super::{Gradient, Noise, Setting};
use crate::seed::Stream;

/// One step of a chain, as it was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Visit {
    /// w, where the step was taken.
    pub point: f64,
    /// g, the slope met there.
    pub slope: f64,
    /// ω, the noise met there.
    pub noise: f64,
}

/// What a chain obeys: the setting, the gradient and the noise.
#[derive(Debug, Clone)]
pub struct Process<G, N> {
    /// Step size and bounds.
    pub setting: Setting,
    /// g.
    pub gradient: G,
    /// ω.
    pub noise: N,
}

impl<G: Gradient, N: Noise> Process<G, N> {
    /// A chain that stands at `start`, its w₀ (finite), and draws its noise from `stream`.
    pub fn chain(&self, start: f64, stream: Stream) -> Chain<'_, G, N> {
        Chain { process: self, stream, point: start }
    }
}

/// A chain w′ = w − η(g(w) + ω).
///
/// Each step computes fl(w − fl(η·fl(g + ω))), three roundings and none fused. Chain k of an ensemble is driven by
/// `seed.stream("chain", k)`; which words a step consumes is the [`Noise`]'s business.
#[derive(Debug, Clone)]
pub struct Chain<'a, G, N> {
    process: &'a Process<G, N>,
    stream: Stream,
    point: f64,
}

impl<G: Gradient, N: Noise> Chain<'_, G, N> {
    /// The current iterate.
    pub fn point(&self) -> f64 {
        self.point
    }

    /// Takes one step, and says what it met.
    #[inline]
    pub fn step(&mut self) -> Visit {
        let point = self.point;
        let Process { setting, gradient, noise } = self.process;
        let slope = gradient.at(point);
        let noise = noise.draw(point, setting.nu(), &mut self.stream);
        self.point = point - setting.eta() * (slope + noise);
        Visit { point, slope, noise }
    }

    /// The next `count` iterates, the current one first. The chain then stands at the iterate after them.
    pub fn iterates(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.step().point).collect()
    }
}

/// The mean of the first t + 1 values for t = 0, 1, …: what averaging an SGD run in progress gives.
pub fn running_mean(values: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    (1u32..)
        .zip(values)
        .map(|(count, value)| {
            sum += value;
            sum / f64::from(count)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::sgd::{NoiseLaw, Slopes, Valley};

    fn setting() -> Setting {
        Setting::new(Valley::new(1.0, 0.5, 3.0, -4.0).expect("valid"), 0.1, 0.8).expect("valid")
    }

    #[test]
    fn a_step_is_the_update_rule() {
        let setting = setting();
        let gradient = Slopes::smooth(&setting, 1.0).expect("valid");
        let process = Process { setting, gradient, noise: NoiseLaw::Uniform };
        let mut chain = process.chain(0.25, Seed(1).stream("chain", 0));
        for _ in 0..1000 {
            let visit = chain.step();
            assert_eq!(visit.slope, process.gradient.at(visit.point));
            assert_eq!(chain.point(), visit.point - 0.1 * (visit.slope + visit.noise));
        }
    }

    #[test]
    fn the_bits_of_a_chain_are_fixed() {
        // Written down once from this chain; faster chains must give the same.
        let setting = setting();
        let gradient = Slopes::constant(&setting, 0.0, 0.0).expect("valid");
        let process = Process { setting, gradient, noise: NoiseLaw::Uniform };
        let mut chain = process.chain(0.0, Seed(7).stream("chain", 17));
        let bits: Vec<u64> = chain.iterates(1001).iter().map(|w| w.to_bits()).collect();
        assert_eq!([bits[1], bits[2], bits[10], bits[1000]], GOLDEN);
    }

    const GOLDEN: [u64; 4] = [4563621531019808615, 13805221380785711350, 4595087896922459999, 4587607150271251076];

    #[test]
    fn the_running_mean_ends_in_the_mean() {
        assert_eq!(running_mean(&[2.0, 4.0, -3.0]), [2.0, 3.0, 1.0]);
        assert!(running_mean(&[]).is_empty());
    }
}
