//! What Theorem 2 assumes: a valley with bounded slopes, a step size, a noise bound.

use crate::error::{finite, non_negative, positive};
use crate::{Error, Result};

/// Bounds on the slopes of a valley whose minimum is at 0 (Theorem 2 of the paper).
///
/// For w ≥ 0, the flat side, slopes lie in [b₊, a₊] with 0 < b₊ ≤ a₊; for w < 0, the sharp side, they lie in
/// [b₋, −c·a₊] with c > 1. The point 0 belongs to the flat side: its slope is a chosen subgradient, above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Valley {
    a_plus: f64,
    b_plus: f64,
    c: f64,
    a_minus: f64,
    b_minus: f64,
}

impl Valley {
    /// Checks 0 < b₊ ≤ a₊, c > 1 and b₋ ≤ −c·a₊ (all finite).
    pub fn new(a_plus: f64, b_plus: f64, c: f64, b_minus: f64) -> Result<Self> {
        positive("a₊", a_plus)?;
        positive("b₊", b_plus)?;
        if b_plus > a_plus {
            return Err(Error::domain("b₊", b_plus, format!("at most a₊ = {a_plus}")));
        }
        if !(c.is_finite() && c > 1.0) {
            return Err(Error::domain("c", c, "a finite number > 1"));
        }
        let a_minus = -(c * a_plus);
        finite("c·a₊", a_minus)?;
        finite("b₋", b_minus)?;
        if b_minus > a_minus {
            return Err(Error::domain("b₋", b_minus, format!("at most −c·a₊ = {a_minus}")));
        }
        Ok(Self { a_plus, b_plus, c, a_minus, b_minus })
    }

    /// The valley of the smallest |b₋|: every sharp slope is −c·a₊.
    pub fn with_sharp_slope_fixed(a_plus: f64, b_plus: f64, c: f64) -> Result<Self> {
        Self::new(a_plus, b_plus, c, -(c * a_plus))
    }

    /// The valley of two slopes, `flat` for w ≥ 0 and −`sharp` for w < 0, with 0 < `flat` < `sharp`.
    pub fn two_slope(flat: f64, sharp: f64) -> Result<Self> {
        positive("flat slope b", flat)?;
        positive("sharp slope s", sharp)?;
        if sharp <= flat {
            return Err(Error::domain("sharp slope s", sharp, format!("more than the flat slope b = {flat}")));
        }
        Ok(Self { a_plus: flat, b_plus: flat, c: sharp / flat, a_minus: -sharp, b_minus: -sharp })
    }

    /// a₊, the largest slope of the flat side.
    pub fn a_plus(&self) -> f64 {
        self.a_plus
    }

    /// b₊, the smallest slope of the flat side.
    pub fn b_plus(&self) -> f64 {
        self.b_plus
    }

    /// c = −a₋/a₊, the asymmetry.
    pub fn c(&self) -> f64 {
        self.c
    }

    /// a₋ = −c·a₊, the sharp side's slope of smallest size (a negative number).
    pub fn a_minus(&self) -> f64 {
        self.a_minus
    }

    /// b₋, the sharp side's slope of largest size (a negative number).
    pub fn b_minus(&self) -> f64 {
        self.b_minus
    }
}

/// A valley with the step size η > 0 and the noise bound ν ≥ 0: everything Theorem 2 is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    valley: Valley,
    eta: f64,
    nu: f64,
}

impl Setting {
    /// Checks η > 0 and ν ≥ 0 (both finite).
    pub fn new(valley: Valley, eta: f64, nu: f64) -> Result<Self> {
        Ok(Self { valley, eta: positive("step size η", eta)?, nu: non_negative("noise bound ν", nu)? })
    }

    /// The valley.
    pub fn valley(&self) -> &Valley {
        &self.valley
    }

    /// η, the step size.
    pub fn eta(&self) -> f64 {
        self.eta
    }

    /// ν, the bound of the noise: |ω| ≤ ν at every step.
    pub fn nu(&self) -> f64 {
        self.nu
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_slopes_that_are_not_an_asymmetric_valley() {
        let message = |a, b, c, m| Valley::new(a, b, c, m).expect_err("invalid").to_string();
        assert_eq!(message(0.0, 0.5, 2.0, -2.0), "a₊ is 0; allowed: a finite number > 0");
        assert_eq!(message(1.0, 0.0, 2.0, -2.0), "b₊ is 0; allowed: a finite number > 0");
        assert_eq!(message(1.0, 1.5, 2.0, -2.0), "b₊ is 1.5; allowed: at most a₊ = 1");
        assert_eq!(message(1.0, 0.5, 1.0, -2.0), "c is 1; allowed: a finite number > 1");
        assert_eq!(message(1.0, 0.5, 2.0, -1.5), "b₋ is -1.5; allowed: at most −c·a₊ = -2");
        assert!(Valley::new(1.0, 0.5, 2.0, f64::NAN).is_err());
        assert!(Valley::new(f64::MAX, 0.5, 2.0, f64::MIN).is_err());
    }

    #[test]
    fn two_slopes_keep_their_digits() {
        let valley = Valley::two_slope(0.3, 1.3).expect("valid");
        assert_eq!((valley.b_plus(), valley.a_plus(), valley.a_minus(), valley.b_minus()), (0.3, 0.3, -1.3, -1.3));
        assert!(Valley::two_slope(1.0, 1.0).is_err());
    }

    #[test]
    fn refuses_a_step_or_a_noise_bound_outside_its_domain() {
        let valley = Valley::two_slope(1.0, 2.0).expect("valid");
        assert!(Setting::new(valley, 0.0, 0.0).is_err());
        assert!(Setting::new(valley, 1.0, -0.1).is_err());
        assert!(Setting::new(valley, 1.0, f64::INFINITY).is_err());
    }
}
