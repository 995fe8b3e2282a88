//! The Kolmogorov–Smirnov test: whether a sample comes from a continuous law.

use crate::{Error, Result};

/// How far a sample's distribution function is from that of a law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KolmogorovSmirnov {
    /// The largest distance D of the two distribution functions.
    pub distance: f64,
    /// P(D or more) under the law, from Kolmogorov's limit with Stephens's correction for finite samples (Stephens 1970,
    /// Journal of the Royal Statistical Society B 32:115); good to a few per cent from 20 values on.
    pub p_value: f64,
}

/// Tests independent values, which it sorts, against the law with this distribution function.
///
/// # Errors
/// [`Error::Domain`] if there is no value, or one is not a number, or the distribution function leaves \[0, 1\].
pub fn kolmogorov_smirnov(values: &mut [f64], cdf: impl Fn(f64) -> f64) -> Result<KolmogorovSmirnov> {
    if values.is_empty() {
        return Err(Error::domain("number of values", 0, "at least 1"));
    }
    if let Some(index) = values.iter().position(|value| value.is_nan()) {
        return Err(Error::domain(format!("value {index}"), f64::NAN, "a number"));
    }
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len() as f64;
    let mut distance = 0.0_f64;
    for (i, &value) in values.iter().enumerate() {
        let share = cdf(value);
        if !(0.0..=1.0).contains(&share) {
            return Err(Error::domain(format!("distribution function at {value}"), share, "a number in [0, 1]"));
        }
        distance = distance.max(share - i as f64 / n).max((i as f64 + 1.0) / n - share);
    }
    let root = n.sqrt();
    Ok(KolmogorovSmirnov { distance, p_value: beyond((root + 0.12 + 0.11 / root) * distance) })
}

/// P(K > x) for Kolmogorov's limit law K: 2 Σ_{k ≥ 1} (−1)^{k−1} e^{−2k²x²}.
fn beyond(x: f64) -> f64 {
    // The series alternates ever more slowly towards 0, where the probability is 1 to all digits.
    if x < 0.2 {
        return 1.0;
    }
    let term = |k: i32| (if k % 2 == 1 { 2.0 } else { -2.0 }) * libm::exp(-2.0 * f64::from(k * k) * x * x);
    (1..=50).map(term).sum::<f64>().clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::Seed;

    #[test]
    fn the_limit_law_has_its_quantiles() {
        // Smirnov's table (1948).
        for (x, p) in [(1.2238, 0.10), (1.3581, 0.05), (1.6276, 0.01), (1.9495, 0.001), (0.8276, 0.50)] {
            assert!((beyond(x) - p).abs() < 5e-5, "{x}: {}", beyond(x));
        }
        assert_eq!((beyond(0.1), beyond(50.0)), (1.0, 0.0));
        assert!((beyond(0.2) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn uniform_values_pass_and_others_do_not() {
        // p below 0.001 has probability 0.001 for the first; the seed is fixed.
        let mut stream = Seed(1).stream("kolmogorov", 0);
        let mut values: Vec<f64> = (0..5_000).map(|_| stream.random()).collect();
        let test = kolmogorov_smirnov(&mut values, |x| x).expect("valid");
        assert!(test.p_value > 0.001, "{test:?}");
        let squared = kolmogorov_smirnov(&mut values, |x| x * x).expect("valid");
        assert!((squared.distance - 0.25).abs() < 0.02 && squared.p_value < 1e-12, "{squared:?}");
    }

    #[test]
    fn a_single_value_and_the_edges_count_on_both_sides() {
        let test = |values: &mut [f64]| kolmogorov_smirnov(values, |x| x).expect("valid").distance;
        assert_eq!(test(&mut [0.25]), 0.75);
        assert_eq!(test(&mut [0.75, 0.25]), 0.25);
        assert!(kolmogorov_smirnov(&mut [], |x| x).is_err());
        assert!(kolmogorov_smirnov(&mut [f64::NAN], |x| x).is_err());
        assert!(kolmogorov_smirnov(&mut [2.0], |x| x).is_err());
    }
}
