//! Whether paired measurements differ: Student's test and the exact test by sign flips.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::Moments;
use crate::error::finite;
use crate::{Error, Result};

/// The most differences whose sign patterns are all gone through.
const MOST_FLIPS: usize = 20;

/// p-values, two-sided, of the hypothesis that differences of pairs are centred at 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedTest {
    /// Student's paired test: right for independent normal differences. `None` of fewer than two differences or of equal
    /// ones.
    pub student: Option<f64>,
    /// The share of the 2ⁿ sign patterns whose sum is at least as far from 0 as the sum seen (Fisher's randomisation
    /// test): right for independent differences with laws symmetric about 0, and never below 2/2ⁿ, so never below
    /// 0.0625 of five. `None` of more than 20 differences.
    pub sign_flip: Option<f64>,
}

/// Both tests of differences of pairs.
///
/// # Errors
/// [`Error::Domain`] if there is none, or one is not finite.
pub fn paired_test(differences: &[f64]) -> Result<PairedTest> {
    if differences.is_empty() {
        return Err(Error::domain("number of differences", 0, "at least 1"));
    }
    differences.iter().try_for_each(|difference| finite("difference", *difference).map(drop))?;
    let moments = Moments::of(differences);
    let student = moments.standard_error().filter(|error| *error > 0.0).and_then(|error| {
        let law = StudentsT::new(0.0, 1.0, (differences.len() - 1) as f64).ok()?;
        Some(2.0 * law.sf((moments.mean() / error).abs()))
    });
    let sign_flip = (differences.len() <= MOST_FLIPS).then(|| {
        let patterns = 1_u64 << differences.len();
        let sum = |pattern: u64| {
            let signed = differences.iter().enumerate().map(|(i, x)| if pattern >> i & 1 == 1 { -x } else { *x });
            signed.sum::<f64>().abs()
        };
        // Sums that are equal but for rounding count as equal.
        let least = sum(0) - 1e-12 * differences.iter().map(|x| x.abs()).sum::<f64>();
        (0..patterns).filter(|&pattern| sum(pattern) >= least).count() as f64 / patterns as f64
    });
    Ok(PairedTest { student, sign_flip })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::seed::standard_normal;

    #[test]
    fn known_values() {
        // t = 3√2 with 4 degrees of freedom has P(|T| > t) = 0.0132356…, from the closed form of that law:
        // 1 − (t/√(t² + 4))·(1 + 2/(t² + 4)).
        let test = paired_test(&[1.0, 2.0, 3.0, 4.0, 5.0]).expect("valid");
        let t = 18.0_f64.sqrt();
        let exact = 1.0 - t / (t * t + 4.0).sqrt() * (1.0 + 2.0 / (t * t + 4.0));
        assert!((test.student.expect("defined") - exact).abs() < 1e-12);
        assert_eq!(test.sign_flip, Some(2.0 / 32.0));
        // Of ±1 ± 2 ± 3 ± 4, with sum seen 2 − 1 + 3 − 4 = 0: every pattern is as far.
        assert_eq!(paired_test(&[-1.0, 2.0, 3.0, -4.0]).expect("valid").sign_flip, Some(1.0));
    }

    #[test]
    fn too_few_or_equal_differences_have_no_student_test() {
        assert_eq!(paired_test(&[0.5]).expect("valid"), PairedTest { student: None, sign_flip: Some(1.0) });
        assert_eq!(paired_test(&[0.5; 3]).expect("valid").student, None);
        assert_eq!(paired_test(&[0.5; 21]).expect("valid").sign_flip, None);
        assert!(paired_test(&[]).is_err() && paired_test(&[f64::NAN, 1.0]).is_err());
    }

    #[test]
    fn no_difference_is_rejected_as_often_as_it_should_be() {
        // 2,000 samples of six: p ≤ 0.05 (Student) and p ≤ 1/16 (sign flips, whose levels are multiples of 1/32) happen
        // with exactly these chances; six standard deviations leave a false alarm of 2e-9 each.
        let (mut student, mut flips) = (0.0, 0.0);
        for sample in 0..2_000 {
            let mut rng = Seed(7).stream("paired test", sample);
            let differences: Vec<f64> = (0..6).map(|_| standard_normal(&mut rng)).collect();
            let test = paired_test(&differences).expect("valid");
            student += f64::from(u8::from(test.student.expect("defined") <= 0.05));
            flips += f64::from(u8::from(test.sign_flip.expect("few") <= 1.0 / 16.0));
        }
        for (count, chance) in [(student, 0.05_f64), (flips, 1.0 / 16.0)] {
            let deviation = (2_000.0 * chance * (1.0 - chance)).sqrt();
            assert!((count - 2_000.0 * chance).abs() < 6.0 * deviation, "{count} of 2000 at {chance}");
        }
    }
}
