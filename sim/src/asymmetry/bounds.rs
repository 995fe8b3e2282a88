//! The slopes of a measured line on a window, in Theorem 2's letters.

use serde::{Deserialize, Serialize};

use super::{Certificate, Slopes, slopes::ROUNDING};
use crate::sgd::Valley;
use crate::{Error, Result};

/// Bounds of the slopes dL/dl of a line on a window: those of the flat side (l > 0) lie in [b₊, a₊], those of the sharp
/// side (l < 0) in [b₋, a₋]. In the loss's units per length.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SlopeBounds {
    /// b₊, the smallest slope of the flat side.
    pub b_plus: f64,
    /// a₊, the largest slope of the flat side.
    pub a_plus: f64,
    /// a₋, the largest slope of the sharp side: of smallest size, if all are negative.
    pub a_minus: f64,
    /// b₋, the smallest slope of the sharp side.
    pub b_minus: f64,
}

impl Slopes {
    /// The bounds of the slopes at distances in the window (r̲, r̄) on both sides, exact for the interpolant.
    ///
    /// # Errors
    /// A window that is not 0 ≤ r̲ < r̄ ≤ R.
    pub fn bounds(&self, r_lo: f64, r_hi: f64) -> Result<SlopeBounds> {
        let slack = ROUNDING * self.half_line();
        crate::error::non_negative("r̲", r_lo)?;
        if !(r_hi - r_lo > slack && r_hi <= self.half_line() + slack) {
            let allowed = format!("more than r̲ = {r_lo}, at most R = {}", self.half_line());
            return Err(Error::domain("r̄", r_hi, allowed));
        }
        let (mut flat, mut sharp) = ((f64::INFINITY, f64::NEG_INFINITY), (f64::INFINITY, f64::NEG_INFINITY));
        for (i, ends) in self.knots().windows(2).enumerate() {
            if ends[1] > r_lo + slack && ends[0] < r_hi - slack {
                flat = (flat.0.min(self.flat()[i]), flat.1.max(self.flat()[i]));
                sharp = (sharp.0.min(self.sharp()[i]), sharp.1.max(self.sharp()[i]));
            }
        }
        // A slope along −u is −dL/dl.
        Ok(SlopeBounds { b_plus: flat.0, a_plus: flat.1, a_minus: -sharp.0, b_minus: -sharp.1 })
    }
}

impl SlopeBounds {
    /// Whether a certificate's p and c hold for these slopes: a₊ ≤ p and −a₋ ≥ c·p, to 1e-9 relative.
    pub fn certify(&self, certificate: &Certificate) -> bool {
        let (p, s) = (certificate.p, certificate.c * certificate.p);
        self.a_plus <= p * (1.0 + ROUNDING) && -self.a_minus >= s * (1.0 - ROUNDING)
    }

    /// The valley of Theorem 2 with these slopes, c = −a₋/a₊.
    ///
    /// # Errors
    /// Slopes that are not an asymmetric valley's: the one that fails is named.
    pub fn valley(&self) -> Result<Valley> {
        crate::error::positive("b₊", self.b_plus)?;
        let c = -self.a_minus / self.a_plus;
        // c·a₊ may round to more than −a₋.
        Valley::new(self.a_plus, self.b_plus, c, self.b_minus.min(-(c * self.a_plus)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    fn slopes() -> Slopes {
        // Along +u 0.5, 1, 3; along −u 4, 3, 1.
        let offsets = vec![-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0];
        let profile = Profile::new(offsets, vec![8.0, 7.0, 4.0, 0.0, 0.5, 1.5, 4.5]).expect("valid");
        Slopes::of(&profile).expect("valid")
    }

    #[test]
    fn bounds_by_hand() {
        let bounds = |r_lo, r_hi| slopes().bounds(r_lo, r_hi).expect("a window");
        let seen = bounds(0.0, 2.0);
        assert_eq!((seen.b_plus, seen.a_plus, seen.a_minus, seen.b_minus), (0.5, 1.0, -3.0, -4.0));
        // Ends between knots take the slopes they cut; ends at knots do not.
        assert_eq!(bounds(0.5, 1.5), seen);
        assert_eq!(bounds(1.0, 2.0), SlopeBounds { b_plus: 1.0, a_plus: 1.0, a_minus: -3.0, b_minus: -3.0 });
        assert_eq!(bounds(0.0, 2.1).a_plus, 3.0);
        let valley = seen.valley().expect("a valley");
        assert_eq!((valley.c(), valley.a_plus(), valley.b_plus(), valley.b_minus()), (3.0, 1.0, 0.5, -4.0));
    }

    #[test]
    fn a_certificate_holds_on_its_own_window_and_not_beyond() {
        let certificate = slopes().matched(0.5, 0.0).expect("valid").expect("asymmetric");
        let on = |r_lo, r_hi| slopes().bounds(r_lo, r_hi).expect("a window").certify(&certificate);
        assert!(on(certificate.r_lo, certificate.r_hi) && !on(0.0, 3.0), "{certificate:?}");
        let steeper = Certificate { c: 1.01 * certificate.c, ..certificate };
        assert!(!slopes().bounds(certificate.r_lo, certificate.r_hi).expect("a window").certify(&steeper));
    }

    #[test]
    fn refuses_windows_that_leave_the_line_and_slopes_that_are_no_valley() {
        assert_eq!(
            slopes().bounds(1.0, 4.0).expect_err("beyond R").to_string(),
            "r̄ is 4; allowed: more than r̲ = 1, at most R = 3"
        );
        assert!(slopes().bounds(1.0, 1.0).is_err() && slopes().bounds(-1.0, 1.0).is_err());
        assert!(slopes().bounds(0.0, f64::NAN).is_err());
        assert_eq!(
            slopes().bounds(0.0, 3.0).expect("a window").valley().expect_err("c < 1").to_string(),
            "c is 0.3333333333333333; allowed: a finite number > 1"
        );
        let flat = SlopeBounds { b_plus: 0.0, a_plus: 0.0, a_minus: -1.0, b_minus: -1.0 };
        assert_eq!(flat.valley().expect_err("no rise").to_string(), "b₊ is 0; allowed: a finite number > 0");
    }
}
