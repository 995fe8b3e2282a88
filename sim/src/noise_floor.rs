//! A control of every measured line: the same line measured twice.
//!
//! What differs between the two is noise: other images, other batches in the recomputed batch-norm statistics, other
//! rounding. Features of a line that are not well above it mean nothing.

use crate::record::NoiseFloor;
use crate::{Error, Profile, Result};

/// Compares two measurements of one line at the same offsets.
///
/// A difference's standard error is √(σ₁² + σ₂²), that of independent measurements; where both read the same images
/// their errors are shared, and differences in these units are small.
///
/// # Errors
/// Other offsets, and an offset where the losses differ though both standard errors are 0.
pub fn noise_floor(first: &Profile, second: &Profile) -> Result<NoiseFloor> {
    if first.offsets() != second.offsets() {
        let allowed = "the same offsets as those of the first measurement";
        return Err(Error::domain("offsets of the second measurement", "another set", allowed));
    }
    let differences: Vec<f64> = first.losses().iter().zip(second.losses()).map(|(a, b)| a - b).collect();
    let in_errors = match (first.standard_errors(), second.standard_errors()) {
        (Some(a), Some(b)) => Some(relative(first.offsets(), &differences, a, b)?),
        _ => None,
    };
    Ok(NoiseFloor {
        points: differences.len(),
        largest: largest(&differences),
        rms: rms(&differences),
        largest_in_errors: in_errors.as_deref().map(largest),
        rms_in_errors: in_errors.as_deref().map(rms),
    })
}

/// Differences in units of their standard errors; an exact agreement without error is 0.
fn relative(offsets: &[f64], differences: &[f64], first: &[f64], second: &[f64]) -> Result<Vec<f64>> {
    let unit = |i: usize| {
        let error = libm::hypot(first[i], second[i]);
        match differences[i] {
            0.0 => Ok(0.0),
            difference if error > 0.0 => Ok(difference / error),
            _ => {
                let name = format!("standard error of both losses at offset {}", offsets[i]);
                Err(Error::domain(name, 0, "more than 0, for the losses differ"))
            }
        }
    };
    (0..differences.len()).map(unit).collect()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

fn rms(values: &[f64]) -> f64 {
    (values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::profile::grid;
    use crate::seed::standard_normal;

    fn with_errors(losses: Vec<f64>, errors: Vec<f64>) -> Profile {
        let offsets = (0..losses.len()).map(|i| i as f64).collect();
        Profile::new(offsets, losses).and_then(|p| p.with_standard_errors(errors)).expect("valid")
    }

    #[test]
    fn differences_by_hand() {
        let first = with_errors(vec![1.0, 2.0, 3.0], vec![0.3, 0.0, 0.0]);
        let second = with_errors(vec![1.0, 2.0, 7.0], vec![0.4, 0.0, 2.0]);
        let floor = noise_floor(&first, &second).expect("same offsets");
        assert_eq!((floor.points, floor.largest, floor.rms), (3, 4.0, (16.0f64 / 3.0).sqrt()));
        assert_eq!((floor.largest_in_errors, floor.rms_in_errors), (Some(2.0), Some((4.0f64 / 3.0).sqrt())));
        let bare = Profile::new(vec![0.0, 1.0, 2.0], vec![1.0, 2.0, 3.0]).expect("valid");
        assert_eq!(noise_floor(&bare, &second).expect("same offsets").rms_in_errors, None);
    }

    #[test]
    fn two_right_measurements_differ_by_about_their_errors() {
        // 2,001 independent normal errors: the mean square in units of errors is 1 ± 6·√(2/2001) = 1 ± 0.19, and the
        // largest stays below 6.2, each with a false alarm below 2e-6.
        let offsets = grid(-1.0, 1.0, 2_001).expect("grid");
        let measure = |index| {
            let mut rng = Seed(3).stream("noise floor", index);
            let losses = offsets.iter().map(|x| x * x + 0.1 * (index + 1) as f64 * standard_normal(&mut rng)).collect();
            let errors = vec![0.1 * (index + 1) as f64; offsets.len()];
            Profile::new(offsets.clone(), losses).and_then(|p| p.with_standard_errors(errors)).expect("valid")
        };
        let floor = noise_floor(&measure(0), &measure(1)).expect("same offsets");
        let rms = floor.rms_in_errors.expect("errors");
        assert!((rms * rms - 1.0).abs() < 0.19, "{rms}");
        assert!((2.5..6.2).contains(&floor.largest_in_errors.expect("errors")), "{floor:?}");
    }

    #[test]
    fn names_what_cannot_be_compared() {
        let first = with_errors(vec![1.0, 2.0], vec![0.0, 0.0]);
        let message = |second: &Profile| noise_floor(&first, second).expect_err("invalid").to_string();
        assert_eq!(
            message(&with_errors(vec![1.0, 2.5], vec![0.0, 0.0])),
            "standard error of both losses at offset 1 is 0; allowed: more than 0, for the losses differ"
        );
        assert!(message(&with_errors(vec![1.0, 2.0, 3.0], vec![0.0; 3])).starts_with("offsets of the second"));
    }
}
