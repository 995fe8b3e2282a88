//! Smooth asymmetric functions of one variable.

use super::Univariate;
use crate::error::positive;
use crate::{Error, Result};

/// a·(s·e^(−x/s) + x): slope a on the far right, exponentially steep on the left, minimum a·s at 0.
///
/// With a = s = 1 it is e⁻ˣ + x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exponential {
    slope: f64,
    scale: f64,
}

impl Exponential {
    /// Asymptotic slope a > 0 on the flat side and length scale s > 0, both finite.
    pub fn new(slope: f64, scale: f64) -> Result<Self> {
        Ok(Self { slope: positive("asymptotic slope a", slope)?, scale: positive("length scale s", scale)? })
    }
}

impl Univariate for Exponential {
    fn value(&self, x: f64) -> f64 {
        self.slope * (self.scale * libm::exp(-x / self.scale) + x)
    }

    fn slope(&self, x: f64) -> f64 {
        -self.slope * libm::expm1(-x / self.scale)
    }
}

/// The two-slope valley max(−c·p·x, p·x) with its kink softened: p·x + (c + 1)·p·τ·ln(1 + e^(−x/τ)).
///
/// Slopes lie between −c·p and p; the minimum is at τ·ln c. As the temperature τ goes to 0 it becomes
/// [`PiecewiseLinear::valley`](super::PiecewiseLinear::valley), which it exceeds by at most (c + 1)·p·τ·ln 2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Softened {
    p: f64,
    c: f64,
    temperature: f64,
}

impl Softened {
    /// Flat slope p > 0, ratio c > 1 and temperature τ > 0 (a length), all finite.
    pub fn new(p: f64, c: f64, temperature: f64) -> Result<Self> {
        positive("slope p", p)?;
        positive("temperature", temperature)?;
        if !(c > 1.0 && c.is_finite()) {
            return Err(Error::domain("ratio c", c, "a finite number > 1"));
        }
        Ok(Self { p, c, temperature })
    }

    /// τ·ln c, where the slope is 0.
    pub fn minimiser(&self) -> f64 {
        self.temperature * libm::log(self.c)
    }
}

impl Univariate for Softened {
    fn value(&self, x: f64) -> f64 {
        let steepening = (self.c + 1.0) * self.p;
        self.p * x + steepening * self.temperature * softplus(-x / self.temperature)
    }

    fn slope(&self, x: f64) -> f64 {
        let z = x / self.temperature;
        self.p * sigmoid(z) - self.c * self.p * sigmoid(-z)
    }
}

/// ln(1 + eᶻ), without overflow.
pub(super) fn softplus(z: f64) -> f64 {
    z.max(0.0) + libm::log1p(libm::exp(-z.abs()))
}

/// 1/(1 + e⁻ᶻ), without overflow and with full relative accuracy where it is small.
pub(super) fn sigmoid(z: f64) -> f64 {
    let e = libm::exp(-z.abs());
    if z >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::PiecewiseLinear;
    use super::super::tests::assert_slope;
    use super::*;

    #[test]
    fn exponential_is_the_example_of_the_theory() {
        let f = Exponential::new(1.0, 1.0).expect("valid");
        assert_eq!(f.value(0.0), 1.0);
        assert_eq!(f.slope(0.0), 0.0);
        assert!((f.value(2.0) - ((-2.0f64).exp() + 2.0)).abs() < 1e-15);
        assert!((f.slope(-3.0) - (1.0 - 3.0f64.exp())).abs() < 1e-13);
    }

    #[test]
    fn far_arguments_neither_overflow_nor_lose_the_small_side() {
        assert_eq!((softplus(1e4), softplus(-1e4)), (1e4, 0.0));
        assert_eq!((sigmoid(1e4), sigmoid(-1e4)), (1.0, 0.0));
        assert!((sigmoid(-100.0) / (-100.0f64).exp() - 1.0).abs() < 1e-14);
    }

    #[test]
    fn refuses_what_is_no_valley() {
        assert_eq!(
            Softened::new(1.0, 1.0, 1.0).expect_err("c = 1").to_string(),
            "ratio c is 1; allowed: a finite number > 1"
        );
        assert!(Softened::new(0.0, 2.0, 1.0).is_err());
        assert!(Softened::new(1.0, 2.0, 0.0).is_err());
        assert!(Exponential::new(1.0, f64::NAN).is_err());
        assert!(Exponential::new(-1.0, 1.0).is_err());
    }

    proptest! {
        #[test]
        fn slopes_are_derivatives(p in 0.1..3.0f64, c in 1.1..9.0f64, scale in 0.3..3.0f64, x in -3.0..3.0f64) {
            let steep = p * (1.0 + (3.0 / scale).exp());
            assert_slope(&Exponential::new(p, scale).expect("valid"), x, steep * (1.0 + 1.0 / (scale * scale)));
            let curved = p * (c + 1.0) * (3.0 + 1.0 / (scale * scale));
            assert_slope(&Softened::new(p, c, scale).expect("valid"), x, curved);
        }

        #[test]
        fn the_softened_valley_lies_just_above_the_sharp_one(
            p in 0.1..3.0f64, c in 1.1..9.0f64, temperature in 1e-3..2.0f64, x in -3.0..3.0f64,
        ) {
            let soft = Softened::new(p, c, temperature).expect("valid");
            let excess = soft.value(x) - PiecewiseLinear::valley(p, c).expect("valid").value(x);
            let largest = (c + 1.0) * p * temperature * std::f64::consts::LN_2;
            prop_assert!((-1e-12..=largest + 1e-12).contains(&excess), "{excess} of {largest}");
            prop_assert!((-c * p * (1.0 + 1e-15)..=p).contains(&soft.slope(x)));
            prop_assert!(soft.slope(soft.minimiser()).abs() < 1e-12 * (c + 1.0) * p);
        }
    }
}
