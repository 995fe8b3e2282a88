//! Laws of the gradient noise ω: bounded by ν, with conditional mean zero.

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::seed::Stream;

/// The noise ω that a chain meets at w.
pub trait Noise: Sync {
    /// Draws ω with |ω| ≤ `nu`, given the point where the step is taken.
    fn draw(&self, point: f64, nu: f64, stream: &mut Stream) -> f64;

    /// The law of [`draw`](Self::draw), if it is one that does not depend on the point, so that many chains can draw
    /// together. It must give the same bits.
    fn law(&self) -> Option<NoiseLaw> {
        None
    }
}

/// Laws that do not depend on the point. All are symmetric, so their mean is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoiseLaw {
    /// ω = 0. Draws nothing.
    None,
    /// Uniform on (−ν, ν): ν·[`signed_unit`] of one 32-bit word a step.
    Uniform,
    /// −ν or ν, each with probability ½: the top bit of one 32-bit word a step (1 gives ν).
    TwoPoint,
    /// Normal with standard deviation ν/2, given |ω| ≤ ν: the quantile, to 5e-11 relative, that belongs to
    /// [`signed_unit`] of one 32-bit word a step.
    TruncatedGaussian,
    /// Uniform on (−ν, ν) in finer steps: ν·[`signed_unit_fine`] of two 32-bit words a step.
    FineUniform,
}

impl NoiseLaw {
    /// Every law, in the order of the definition.
    pub const ALL: [Self; 5] = [Self::None, Self::Uniform, Self::TwoPoint, Self::TruncatedGaussian, Self::FineUniform];

    /// The law's name, such as `uniform`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Uniform => "uniform",
            Self::TwoPoint => "two-point",
            Self::TruncatedGaussian => "truncated-gaussian",
            Self::FineUniform => "fine-uniform",
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
            Self::TruncatedGaussian => nu * truncated_gaussian_quantile(signed_unit(stream.next_u32())),
            Self::FineUniform => nu * signed_unit_fine(stream.next_u64()),
        }
    }

    fn law(&self) -> Option<NoiseLaw> {
        Some(*self)
    }
}

/// A 32-bit word k as the number (k − (2³² − 1)/2)/2³¹ in (−1, 1).
///
/// The 2³² values are equally spaced and symmetric about 0, so that a uniform word has mean exactly zero; every value
/// is exact in an `f64`.
#[inline]
pub fn signed_unit(word: u32) -> f64 {
    const HALF_RANGE: f64 = 2_147_483_647.5;
    (f64::from(word) - HALF_RANGE) * UNIT_SPACING
}

/// The distance of neighbouring values of [`signed_unit`], 2⁻³¹.
pub(crate) const UNIT_SPACING: f64 = 1.0 / 2_147_483_648.0;

/// The upper 52 bits k of a 64-bit word as the number (k − (2⁵² − 1)/2)/2⁵¹ in (−1, 1): as [`signed_unit`], with 2⁵²
/// values.
#[inline]
pub fn signed_unit_fine(word: u64) -> f64 {
    const HALF_RANGE: f64 = 2_251_799_813_685_247.5;
    const SPACING: f64 = 1.0 / 2_251_799_813_685_248.0;
    ((word >> 12) as f64 - HALF_RANGE) * SPACING
}

/// Numerator and denominator, from the highest power of u² down, of x(u)/u, where x(u) is the number that a normal
/// one with standard deviation ½, given that it lies in \[−1, 1\], is below with probability (1 + u)/2:
/// x = erf⁻¹(u·erf √2)/√2.
///
/// Fitted at 60 Chebyshev nodes of u² in 50 digits; the largest relative error is 4.2e-11, and |x| < 1.
pub(crate) const TRUNCATED_GAUSSIAN_QUANTILE: ([f64; 7], [f64; 7]) = (
    [
        0.0021912524513827292,
        -0.07312903200129173,
        0.546742793524118,
        -1.7215913687850224,
        2.6687630661495905,
        -2.0204410404073654,
        0.5981440066760515,
    ],
    [
        0.01432032387130492,
        -0.2466415522007792,
        1.4060062092590342,
        -3.7614740643217797,
        5.204836773650473,
        -3.6163680126507614,
        1.0,
    ],
);

/// x(u) for u in (−1, 1): one rounding after the other, so that vectors give the same bits.
fn truncated_gaussian_quantile(u: f64) -> f64 {
    let t = u * u;
    let polynomial = |coefficients: &[f64]| coefficients.iter().fold(0.0, |sum, next| sum * t + next);
    u * polynomial(&TRUNCATED_GAUSSIAN_QUANTILE.0) / polynomial(&TRUNCATED_GAUSSIAN_QUANTILE.1)
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
        assert_eq!(signed_unit_fine(0), -signed_unit_fine(u64::MAX));
        assert_eq!(signed_unit_fine(1 << 63), 0.5 / 2_251_799_813_685_248.0);
        assert!(signed_unit_fine(u64::MAX) < 1.0);
    }

    #[test]
    fn the_truncated_gaussian_is_its_quantile() {
        // Against the normal distribution function: P(X ≤ x) = (1 + u)/2.
        use statrs::distribution::{ContinuousCDF, Normal};
        let normal = Normal::new(0.0, 0.5).expect("valid");
        let inside = normal.cdf(1.0) - normal.cdf(-1.0);
        for i in -1000..=1000 {
            let u = f64::from(i) / 1000.5;
            let x = truncated_gaussian_quantile(u);
            let share = (normal.cdf(x) - normal.cdf(-1.0)) / inside;
            assert!((share - (1.0 + u) / 2.0).abs() < 1e-10, "{u}: {x} has {share}");
            assert_eq!(x, -truncated_gaussian_quantile(-u));
        }
        assert!(truncated_gaussian_quantile(signed_unit(u32::MAX)) < 1.0);
    }

    #[test]
    fn laws_are_bounded_and_have_their_mean_and_variance() {
        // 10⁵ draws: mean and second moment leave ±6 standard errors with probability below 2e-9 each. The second
        // moments are 1/3, 1 and, for the truncated Gaussian, ¼(1 − 4φ(2)/(2Φ(2) − 1)) = 0.193435….
        let n = 100_000;
        let nu = 3.0;
        for (law, second) in [
            (NoiseLaw::Uniform, 1.0 / 3.0),
            (NoiseLaw::TwoPoint, 1.0),
            (NoiseLaw::TruncatedGaussian, 0.193_435),
            (NoiseLaw::FineUniform, 1.0 / 3.0),
        ] {
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
