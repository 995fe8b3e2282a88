//! The numbers of Theorem 1, and the bounds made of them.

use crate::asymmetry::Certificate;
use crate::error::{finite, non_negative, positive};
use crate::{Error, Result};

/// What Theorem 1 knows of one direction uⁱ: its slope, its ratio, and the step along it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Direction {
    /// p_i > 0, the slope that the flat side stays below.
    pub p: f64,
    /// c_i > 1, the ratio of the sharp side's slope.
    pub c: f64,
    /// l_i, the step to the flat side. The theorem wants it ≥ 0, which is a hypothesis, not a domain.
    pub l: f64,
}

/// The numbers of Theorem 1: the window (r̲, r̄), the directions' slopes, ratios and steps, and the gap ξ.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    r_lo: f64,
    r_hi: f64,
    directions: Vec<Direction>,
    gap: f64,
}

impl Terms {
    /// Checks 0 ≤ r̲ < r̄, at least one direction with p > 0 and c > 1, finite steps, and ξ ≥ 0.
    pub fn new(r_lo: f64, r_hi: f64, directions: Vec<Direction>, gap: f64) -> Result<Self> {
        non_negative("r̲", r_lo)?;
        if finite("r̄", r_hi)? <= r_lo {
            return Err(Error::domain("r̄", r_hi, format!("more than r̲, {r_lo}")));
        }
        if directions.is_empty() {
            return Err(Error::domain("number of directions k", 0, "at least 1"));
        }
        for (i, direction) in directions.iter().enumerate() {
            positive(&format!("p of direction {i}"), direction.p)?;
            if finite(&format!("c of direction {i}"), direction.c)? <= 1.0 {
                return Err(Error::domain(format!("c of direction {i}"), direction.c, "more than 1"));
            }
            finite(&format!("step l of direction {i}"), direction.l)?;
        }
        non_negative("gap ξ", gap)?;
        Ok(Self { r_lo, r_hi, directions, gap })
    }

    /// One measured direction: a certificate, a step l and a gap ξ.
    ///
    /// # Errors
    /// Those of [`Terms::new`].
    pub fn of_certificate(certificate: &Certificate, step: f64, gap: f64) -> Result<Self> {
        let direction = Direction { p: certificate.p, c: certificate.c, l: step };
        Self::new(certificate.r_lo, certificate.r_hi, vec![direction], gap)
    }

    /// r̲.
    pub fn r_lo(&self) -> f64 {
        self.r_lo
    }

    /// r̄.
    pub fn r_hi(&self) -> f64 {
        self.r_hi
    }

    /// The directions, at least one.
    pub fn directions(&self) -> &[Direction] {
        &self.directions
    }

    /// ξ.
    pub fn gap(&self) -> f64 {
        self.gap
    }

    /// k, the number of directions.
    pub fn count(&self) -> usize {
        self.directions.len()
    }

    /// ‖l‖₂.
    pub fn step_length(&self) -> f64 {
        self.directions.iter().map(|u| u.l * u.l).sum::<f64>().sqrt()
    }

    /// The printed bound Σ (c_i − 1) l_i p_i / 2 − 2kξ. It is weaker than the corrected one by 2(k − 1)ξ, and claimed
    /// under hypotheses that do not suffice.
    pub fn printed_bound(&self) -> f64 {
        self.half_rise() - 2.0 * self.count() as f64 * self.gap
    }

    /// The corrected bound Σ (c_i − 1) l_i p_i / 2 − 2ξ.
    pub fn corrected_bound(&self) -> f64 {
        self.half_rise() - 2.0 * self.gap
    }

    /// The corrected bound when P(s_i > 0) = q_i in place of ½: Σ l_i p_i ((c_i + 1) q_i − 1) − 2ξ.
    ///
    /// # Errors
    /// Not one q_i a direction, or one outside [0, 1].
    pub fn unbalanced_bound(&self, q: &[f64]) -> Result<f64> {
        if q.len() != self.count() {
            return Err(Error::domain("number of shares q", q.len(), format!("{}, one a direction", self.count())));
        }
        let mut sum = 0.0;
        for (i, (u, &q)) in self.directions.iter().zip(q).enumerate() {
            if !(0.0..=1.0).contains(&q) {
                return Err(Error::domain(format!("share q of direction {i}"), q, "within [0, 1]"));
            }
            sum += u.l * u.p * ((u.c + 1.0) * q - 1.0);
        }
        Ok(sum - 2.0 * self.gap)
    }

    /// Whether the corrected bound promises a gain: Σ (c_i − 1) p_i l_i > 4ξ.
    pub fn promises_gain(&self) -> bool {
        2.0 * self.half_rise() > 4.0 * self.gap
    }

    /// The largest step along an axis that the corrected theorem allows at shift δ̄: min{r̄ − δ̄, δ̄ − r̲}. Negative if δ̄ lies
    /// outside the window. For every larger step some admissible loss breaks the bound.
    pub fn largest_step(&self, shift: f64) -> f64 {
        (self.r_hi - shift).min(shift - self.r_lo)
    }

    /// The steps that the printed theorem allows along direction i at shift δ̄_i: more than 4ξ/((c_i − 1)p_i), at most
    /// max{r̄ − δ̄_i, δ̄_i − r̲}.
    ///
    /// # Errors
    /// A direction beyond the last.
    pub fn printed_steps(&self, i: usize, shift: f64) -> Result<(f64, f64)> {
        let Some(u) = self.directions.get(i) else {
            return Err(Error::domain("direction", i, format!("less than {}", self.count())));
        };
        Ok((4.0 * self.gap / ((u.c - 1.0) * u.p), (self.r_hi - shift).max(shift - self.r_lo)))
    }

    fn half_rise(&self) -> f64 {
        self.directions.iter().map(|u| (u.c - 1.0) * u.l * u.p / 2.0).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terms(directions: &[(f64, f64, f64)], gap: f64) -> Terms {
        let directions = directions.iter().map(|&(p, c, l)| Direction { p, c, l }).collect();
        Terms::new(1.0, 3.0, directions, gap).expect("valid")
    }

    #[test]
    fn bounds_by_hand() {
        let terms = terms(&[(1.0, 3.0, 0.5), (2.0, 2.0, 1.0)], 0.125);
        assert_eq!(terms.printed_bound(), 0.5 + 1.0 - 0.5);
        assert_eq!(terms.corrected_bound(), 0.5 + 1.0 - 0.25);
        assert_eq!(terms.unbalanced_bound(&[1.0, 0.25]).expect("valid"), 0.5 * 3.0 - 2.0 * 0.25 - 0.25);
        assert_eq!(terms.largest_step(1.5), 0.5);
        assert_eq!(terms.largest_step(4.0), -1.0);
        assert_eq!(terms.printed_steps(0, 1.5).expect("valid"), (0.25, 1.5));
        assert!(terms.printed_steps(2, 1.5).is_err());
        assert_eq!(terms.step_length(), 1.25f64.sqrt());
    }

    #[test]
    fn a_gain_is_promised_above_four_gaps_exactly() {
        assert!(!terms(&[(1.0, 3.0, 0.5)], 0.25).promises_gain());
        assert!(terms(&[(1.0, 3.0, 0.5)], 0.2499).promises_gain());
    }

    #[test]
    fn a_canonical_certificate_gives_its_own_gain() {
        let certificate = Certificate { r_hi: 3.0, r_lo: 0.0, p: 1.0, c: 3.0, c_is_lower_bound: false, gain: 1.5 };
        let terms = Terms::of_certificate(&certificate, 1.5, 0.0).expect("valid");
        assert_eq!(terms.corrected_bound(), certificate.gain);
        assert_eq!(terms.largest_step(1.5), 1.5);
    }

    #[test]
    fn names_what_is_out_of_domain() {
        let u = Direction { p: 1.0, c: 2.0, l: 1.0 };
        let message = |r_lo, r_hi, directions: Vec<Direction>, gap| {
            Terms::new(r_lo, r_hi, directions, gap).expect_err("invalid").to_string()
        };
        assert_eq!(message(1.0, 1.0, vec![u], 0.0), "r̄ is 1; allowed: more than r̲, 1");
        assert_eq!(message(1.0, 2.0, vec![], 0.0), "number of directions k is 0; allowed: at least 1");
        assert_eq!(
            message(1.0, 2.0, vec![u, Direction { c: 1.0, ..u }], 0.0),
            "c of direction 1 is 1; allowed: more than 1"
        );
        assert_eq!(
            message(1.0, 2.0, vec![Direction { p: 0.0, ..u }], 0.0),
            "p of direction 0 is 0; allowed: a finite number > 0"
        );
        assert_eq!(message(1.0, 2.0, vec![u], -1.0), "gap ξ is -1; allowed: a finite number >= 0");
    }

    proptest! {
        #[test]
        fn half_shares_give_the_balanced_bound(p in 0.1..9.0f64, c in 1.1..9.0f64, l in 0.0..2.0f64, gap in 0.0..1.0f64) {
            let terms = terms(&[(p, c, l), (1.0, 2.0, 0.5)], gap);
            let difference = terms.unbalanced_bound(&[0.5, 0.5]).expect("valid") - terms.corrected_bound();
            prop_assert!(difference.abs() < 1e-12 * (1.0 + p * c * l));
        }
    }
}
