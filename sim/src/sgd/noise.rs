//! Laws of the gradient noise ω: bounded by ν, with conditional mean zero.

use rand::Rng;

use crate::seed::{Stream, standard_normal};

/// The noise ω that a chain meets at w.
pub trait Noise: Sync {
    /// Draws ω with |ω| ≤ `nu`, given the point where the step is taken.
    fn draw(&self, point: f64, nu: f64, stream: &mut Stream) -> f64;
}

/// Laws that do not depend on the point. All are symmetric, so their mean is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoiseLaw {
    /// ω = 0. Draws nothing.
    None,
    /// Uniform on (−ν, ν): ν·[`signed_unit`] of one 32-bit word a step.
    Uniform,
    /// −ν or ν, each with probability ½: the top bit of one 32-bit word a step (1 gives ν).
    TwoPoint,
    /// Normal with standard deviation ν/2, given |ω| ≤ ν: drawn again until it fits, so that the number of words a
    /// step varies.
    TruncatedGaussian,
}

impl NoiseLaw {
    /// Every law, in the order of the definition.
    pub const ALL: [Self; 4] = [Self::None, Self::Uniform, Self::TwoPoint, Self::TruncatedGaussian];

    /// The law's name, such as `uniform`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Uniform => "uniform",
            Self::TwoPoint => "two-point",
            Self::TruncatedGaussian => "truncated-gaussian",
        }
    }
}

impl Noise for NoiseLaw {
    #[inline]
    fn draw(&self, _point: f64, nu: f64, stream: &mut Stream) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Uniform => nu * signed_unit(stream.next_u32()),
            Self::TwoPoint => {
                if stream.next_u32() >> 31 == 1 {
                    nu
                } else {
                    -nu
                }
            }
            Self::TruncatedGaussian => loop {
                let x = 0.5 * standard_normal(stream);
                if x.abs() <= 1.0 {
                    return nu * x;
                }
            },
        }
    }
}

/// A 32-bit word k as the number (k − (2³² − 1)/2)/2³¹ in (−1, 1).
///
/// The 2³² values are equally spaced and symmetric about 0, so that a uniform word has mean exactly zero; every value
/// is exact in an `f64`.
#[inline]
pub fn signed_unit(word: u32) -> f64 {
    const HALF_RANGE: f64 = 2_147_483_647.5;
    const SPACING: f64 = 1.0 / 2_147_483_648.0;
    (f64::from(word) - HALF_RANGE) * SPACING
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    #[test]
    fn words_map_symmetrically_into_the_open_interval() {
        assert_eq!(signed_unit(0), -signed_unit(u32::MAX));
        assert_eq!(signed_unit(1 << 31), 0.5 / 2_147_483_648.0);
        assert_eq!(signed_unit((1 << 31) - 1), -signed_unit(1 << 31));
        assert!(signed_unit(u32::MAX) < 1.0);
    }

    #[test]
    fn laws_are_bounded_and_have_their_mean_and_variance() {
        // 10⁵ draws: mean and second moment leave ±6 standard errors with probability below 2e-9 each. The second
        // moments are 1/3, 1 and, for the truncated Gaussian, ¼(1 − 4φ(2)/(2Φ(2) − 1)) = 0.193435….
        let n = 100_000;
        let nu = 3.0;
        for (law, second) in
            [(NoiseLaw::Uniform, 1.0 / 3.0), (NoiseLaw::TwoPoint, 1.0), (NoiseLaw::TruncatedGaussian, 0.193_435)]
        {
            let mut stream = Seed(3).stream("chain", 0);
            let draws: Vec<f64> = (0..n).map(|_| law.draw(0.0, nu, &mut stream) / nu).collect();
            assert!(draws.iter().all(|x| x.abs() <= 1.0));
            let moment = |k: i32| draws.iter().map(|x| x.powi(k)).sum::<f64>() / f64::from(n);
            let error = |variance: f64| 6.0 * (variance / f64::from(n)).sqrt() + 1e-6;
            assert!(moment(1).abs() < error(second), "{law:?}: {}", moment(1));
            assert!((moment(2) - second).abs() < error(0.1), "{law:?}: {}", moment(2));
        }
    }
}
