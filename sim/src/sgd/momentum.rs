//! SGD with heavy-ball momentum: an extension, of which Theorem 2 does not speak.

use super::{Gradient, Noise, Process, Visit};
use crate::seed::Stream;
use crate::{Error, Result};

/// A coefficient μ of heavy-ball momentum, in [0, 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Momentum(f64);

impl Momentum {
    /// Checks 0 ≤ μ < 1.
    pub fn new(coefficient: f64) -> Result<Self> {
        if (0.0..1.0).contains(&coefficient) {
            Ok(Self(coefficient))
        } else {
            Err(Error::domain("momentum μ", coefficient, "a number in [0, 1)"))
        }
    }

    /// μ.
    pub fn coefficient(self) -> f64 {
        self.0
    }
}

/// A chain v′ = μv − η(g(w) + ω), w′ = w + v′, from v = 0.
///
/// Each step computes fl(fl(μv) − fl(η·fl(g + ω))) and then fl(w + v′), none fused. With μ = 0 it is the
/// [`Chain`](super::Chain), bit by bit.
#[derive(Debug, Clone)]
pub struct MomentumChain<'a, G, N> {
    process: &'a Process<G, N>,
    momentum: Momentum,
    stream: Stream,
    point: f64,
    velocity: f64,
}

impl<G: Gradient, N: Noise> Process<G, N> {
    /// A chain with momentum that stands at `start` (finite) with velocity 0, and draws its noise from `stream`.
    pub fn momentum_chain(&self, momentum: Momentum, start: f64, stream: Stream) -> MomentumChain<'_, G, N> {
        MomentumChain { process: self, momentum, stream, point: start, velocity: 0.0 }
    }
}

impl<G: Gradient, N: Noise> MomentumChain<'_, G, N> {
    /// The current iterate w.
    pub fn point(&self) -> f64 {
        self.point
    }

    /// The current velocity v.
    pub fn velocity(&self) -> f64 {
        self.velocity
    }

    /// Takes one step, and says what it met.
    #[inline]
    pub fn step(&mut self) -> Visit {
        let point = self.point;
        let Process { setting, gradient, noise } = self.process;
        let slope = gradient.at(point);
        let noise = noise.draw(point, setting.nu(), &mut self.stream);
        self.velocity = self.momentum.coefficient() * self.velocity - setting.eta() * (slope + noise);
        self.point = point + self.velocity;
        Visit { point, slope, noise }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::sgd::{NoiseLaw, Setting, Slopes, Valley};

    #[test]
    fn without_momentum_it_is_the_chain_and_with_it_the_rule() {
        let setting = Setting::new(Valley::new(1.0, 0.5, 3.0, -4.0).expect("valid"), 0.1, 0.8).expect("valid");
        let gradient = Slopes::smooth(&setting, 1.0).expect("valid");
        let process = Process { setting, gradient, noise: NoiseLaw::Uniform };
        let stream = || Seed(1).stream("chain", 0);
        let mut plain = process.chain(0.25, stream());
        let mut still = process.momentum_chain(Momentum::new(0.0).expect("valid"), 0.25, stream());
        let mut heavy = process.momentum_chain(Momentum::new(0.9).expect("valid"), 0.25, stream());
        for _ in 0..1000 {
            assert_eq!(plain.step(), still.step());
            let before = heavy.velocity();
            let visit = heavy.step();
            assert_eq!(heavy.velocity(), 0.9 * before - 0.1 * (visit.slope + visit.noise));
            assert_eq!(heavy.point(), visit.point + heavy.velocity());
        }
        for wrong in [-0.1, 1.0, f64::NAN] {
            assert!(Momentum::new(wrong).is_err());
        }
    }
}
