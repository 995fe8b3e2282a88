//! Confidence intervals: Student's for a mean, Clopper and Pearson's for a share, the bootstrap for the rest; tests of
//! paired differences; Kolmogorov and Smirnov's of a law; and rank correlation.
//!
//! Distribution functions come from `statrs`; their quantiles are found here by bisection, to the last bit that the
//! distribution function can tell apart. All sums run in a fixed order, and every bootstrap replicate has its own
//! random stream, so results do not depend on the number of threads.

mod bootstrap;
mod histogram;
mod kolmogorov;
mod paired;
mod rank;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::beta::beta_reg;

pub use bootstrap::{Bootstrap, percentile_interval, simultaneous_band};
pub use histogram::Histogram;
pub use kolmogorov::{KolmogorovSmirnov, kolmogorov_smirnov};
pub use paired::{PairedTest, paired_test};
pub use rank::{Spearman, spearman};

use crate::error::finite;
use crate::{Error, Result};

/// A confidence level: one minus the accepted probability of error α.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence {
    /// α, kept instead of the level so that tiny ones stay exact.
    error: f64,
}

/// A two-sided confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// The estimate itself.
    pub estimate: f64,
    /// Its upper end.
    pub high: f64,
}

/// Count, mean and sum of squared deviations of a sample, built up in one pass and merged without loss.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Confidence {
    /// 95 %.
    pub const P95: Self = Self { error: 0.05 };
    /// 99.9 %.
    pub const P999: Self = Self { error: 0.001 };

    /// A level strictly between 0 and 1, such as 0.95.
    pub fn new(level: f64) -> Result<Self> {
        Self::with_error_rate(1.0 - level).map_err(|_| Error::domain("confidence", level, "between 0 and 1, exclusive"))
    }

    /// The level 1 − α, given α strictly between 0 and 1.
    pub fn with_error_rate(error: f64) -> Result<Self> {
        if error > 0.0 && error < 1.0 {
            Ok(Self { error })
        } else {
            Err(Error::domain("error rate α", error, "between 0 and 1, exclusive"))
        }
    }

    /// The level 1 − α.
    pub fn level(self) -> f64 {
        1.0 - self.error
    }

    /// α, the accepted probability of error.
    pub fn error_rate(self) -> f64 {
        self.error
    }

    /// The level at which each of several intervals must hold for all to hold at this level, whatever their dependence
    /// (Bonferroni): α becomes α/comparisons.
    pub fn simultaneous(self, comparisons: usize) -> Result<Self> {
        if comparisons == 0 {
            return Err(Error::domain("number of comparisons", comparisons, "at least 1"));
        }
        Ok(Self { error: self.error / comparisons as f64 })
    }

    /// z with P(|Z| ≤ z) = level for a standard normal Z.
    pub fn normal_quantile(self) -> f64 {
        let normal = Normal::standard();
        bisect(0.0, 40.0, |z| normal.sf(z) <= self.error / 2.0)
    }

    /// t with P(|T| ≤ t) = level for Student's T with `freedom` degrees of freedom, at least 1.
    pub fn student_quantile(self, freedom: u64) -> Result<f64> {
        let student = StudentsT::new(0.0, 1.0, freedom as f64)
            .map_err(|_| Error::domain("degrees of freedom", freedom, "at least 1"))?;
        let is_beyond = |t: f64| student.sf(t) <= self.error / 2.0;
        let mut high = 1.0;
        while !is_beyond(high) && high < f64::MAX / 2.0 {
            high *= 2.0;
        }
        Ok(bisect(0.0, high, is_beyond))
    }
}

impl Interval {
    /// Half the distance between the ends.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// Whether a value lies in the interval, ends included.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

impl Moments {
    /// Those of a sample, in its order.
    pub fn of(values: &[f64]) -> Self {
        let mut moments = Self::default();
        for &value in values {
            moments.push(value);
        }
        moments
    }

    /// Adds a value (Welford's update).
    pub fn push(&mut self, value: f64) {
        self.count += 1;
        let deviation = value - self.mean;
        self.mean += deviation / self.count as f64;
        self.squares += deviation * (value - self.mean);
    }

    /// Adds another sample (Chan's update). Merge in a fixed order to get the same bits every time.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let count = self.count + other.count;
        let deviation = other.mean - self.mean;
        let share = other.count as f64 / count as f64;
        self.squares += other.squares + deviation * deviation * self.count as f64 * share;
        self.mean += deviation * share;
        self.count = count;
    }

    /// The number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean, 0 of no values.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The unbiased variance; `None` below two values.
    pub fn variance(&self) -> Option<f64> {
        (self.count >= 2).then(|| self.squares / (self.count - 1) as f64)
    }

    /// The standard error of the mean; `None` below two values.
    pub fn standard_error(&self) -> Option<f64> {
        self.variance().map(|variance| (variance / self.count as f64).sqrt())
    }

    /// Student's interval of the mean: exact for independent normal values, asymptotically right for others with a
    /// finite variance.
    ///
    /// # Errors
    /// Fewer than two values, or values that are not finite.
    pub fn student(&self, confidence: Confidence) -> Result<Interval> {
        let Some(error) = self.standard_error() else {
            return Err(Error::domain("number of values", self.count, "at least 2"));
        };
        finite("mean", self.mean)?;
        finite("standard error", error)?;
        let half_width = confidence.student_quantile(self.count - 1)? * error;
        Ok(Interval { low: self.mean - half_width, estimate: self.mean, high: self.mean + half_width })
    }
}

/// Student's interval of a sample's mean, see [`Moments::student`].
///
/// # Errors
/// Fewer than two values, or values that are not finite.
pub fn student(values: &[f64], confidence: Confidence) -> Result<Interval> {
    Moments::of(values).student(confidence)
}

/// Clopper and Pearson's interval of a share: of `trials` independent trials, `successes` succeeded. It covers the true
/// share with at least the confidence asked for, whatever it is.
///
/// # Errors
/// No trials, or more successes than trials.
pub fn clopper_pearson(successes: u64, trials: u64, confidence: Confidence) -> Result<Interval> {
    if trials == 0 {
        return Err(Error::domain("number of trials", trials, "at least 1"));
    }
    if successes > trials {
        return Err(Error::domain("number of successes", successes, format!("at most {trials}, the number of trials")));
    }
    let (hits, misses) = (successes as f64, (trials - successes) as f64);
    let tail = confidence.error_rate() / 2.0;
    // P(at least k successes) is the beta distribution function with (k, n − k + 1) at the share.
    let low = if successes == 0 { 0.0 } else { bisect(0.0, 1.0, |share| beta_reg(hits, misses + 1.0, share) >= tail) };
    let high = if successes == trials {
        1.0
    } else {
        bisect(0.0, 1.0, |share| beta_reg(misses, hits + 1.0, 1.0 - share) <= tail)
    };
    Ok(Interval { low, estimate: hits / trials as f64, high })
}

/// The least number in [low, high], up to rounding, at which a monotone condition holds; it is taken to hold at `high`.
fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Seed;
    use crate::seed::standard_normal;

    #[track_caller]
    fn assert_close(seen: f64, wanted: f64, error: f64) {
        assert!((seen - wanted).abs() <= error, "{seen}, wanted {wanted}");
    }

    fn level(level: f64) -> Confidence {
        Confidence::new(level).expect("a level")
    }

    #[test]
    fn quantiles_of_the_tables() {
        assert_close(level(0.95).normal_quantile(), 1.959963984540054, 1e-9);
        assert_close(level(0.99).normal_quantile(), 2.5758293035489004, 1e-9);
        assert_close(Confidence::P999.normal_quantile(), 3.2905267314919255, 1e-9);
        // One degree of freedom is Cauchy's law: t = tan(π·level/2); two: t = √2·γ/√(1 − γ²).
        for gamma in [0.5, 0.9, 0.95, 0.99] {
            let t = |freedom| level(gamma).student_quantile(freedom).expect("freedom");
            assert_close(t(1) / (std::f64::consts::FRAC_PI_2 * gamma).tan(), 1.0, 1e-9);
            assert_close(t(2), 2f64.sqrt() * gamma / (1.0 - gamma * gamma).sqrt(), 1e-8);
        }
        assert_close(level(0.95).student_quantile(10).expect("freedom"), 2.2281388519649385, 1e-8);
        assert_close(level(0.99).student_quantile(30).expect("freedom"), 2.7499956535672253, 1e-8);
        assert_close(level(0.95).student_quantile(1_000_000).expect("freedom"), 1.959966, 1e-5);
        assert!(level(0.95).student_quantile(0).is_err());
    }

    #[test]
    fn bonferroni_divides_the_error() {
        let joint = level(0.95).simultaneous(50).expect("comparisons");
        assert_close(joint.error_rate(), 0.001, 1e-15);
        assert_close(joint.normal_quantile(), Confidence::P999.normal_quantile(), 1e-9);
        assert_close(Confidence::with_error_rate(1e-12).expect("tiny").normal_quantile(), 7.1305, 1e-3);
        assert!(level(0.95).simultaneous(0).is_err());
    }

    #[test]
    fn student_of_a_small_sample() {
        // Mean 3, variance 2.5, standard error √½, t(4, 95 %) = 2.7764451.
        let interval = student(&[1.0, 2.0, 3.0, 4.0, 5.0], Confidence::P95).expect("valid");
        assert_eq!(interval.estimate, 3.0);
        assert_close(interval.half_width(), 2.7764451051977987 * 0.5f64.sqrt(), 1e-8);
        assert!(interval.contains(1.1) && !interval.contains(1.0));
        let constant = student(&[2.0, 2.0], Confidence::P95).expect("valid");
        assert_eq!((constant.low, constant.high), (2.0, 2.0));
    }

    #[test]
    fn clopper_and_pearson_s_own_cases() {
        // No success in n trials: the upper end is 1 − (α/2)^(1/n).
        let none = clopper_pearson(0, 10, Confidence::P95).expect("valid");
        assert_eq!(none.low, 0.0);
        assert_close(none.high, 1.0 - 0.025f64.powf(0.1), 1e-12);
        let all = clopper_pearson(10, 10, Confidence::P95).expect("valid");
        assert_eq!(all.high, 1.0);
        assert_close(all.low, 0.025f64.powf(0.1), 1e-12);
        // 4 of 10, from tables: [0.1216, 0.7376].
        let four = clopper_pearson(4, 10, Confidence::P95).expect("valid");
        assert_close(four.low, 0.12155, 5e-6);
        assert_close(four.high, 0.73762, 5e-6);
        assert_eq!(four.estimate, 0.4);
    }

    #[test]
    fn clopper_and_pearson_cover_every_share() {
        // Exactly: the binomial probability of all counts whose interval holds the share is at least 95 %.
        let trials = 12u64;
        let intervals: Vec<Interval> =
            (0..=trials).map(|k| clopper_pearson(k, trials, Confidence::P95).expect("valid")).collect();
        for step in 1..100 {
            let share = f64::from(step) / 100.0;
            let mut probability = (1.0 - share).powi(12);
            let mut covered = 0.0;
            for k in 0..=trials {
                if intervals[k as usize].contains(share) {
                    covered += probability;
                }
                probability *= (trials - k) as f64 / (k + 1) as f64 * share / (1.0 - share);
            }
            assert!(covered >= 0.95 - 1e-12, "share {share}: {covered}");
        }
    }

    #[test]
    fn student_covers_the_mean_as_often_as_it_says() {
        // 2,000 normal samples of 5: coverage is binomial(2000, 0.9), standard deviation 13.4; ±5 of these are left with
        // probability below 6e-7. A normal quantile in place of Student's would cover 1,650 times.
        let covered = (0..2_000).filter(|&index| {
            let mut rng = Seed(4).stream("sample", index);
            let sample: Vec<f64> = (0..5).map(|_| 3.0 + 2.0 * standard_normal(&mut rng)).collect();
            student(&sample, level(0.9)).expect("valid").contains(3.0)
        });
        let covered = covered.count();
        assert!((1_733..=1_867).contains(&covered), "{covered}");
    }

    #[test]
    fn refuses_bad_input() {
        assert_eq!(
            Confidence::new(1.0).expect_err("one").to_string(),
            "confidence is 1; allowed: between 0 and 1, exclusive"
        );
        assert!(Confidence::new(f64::NAN).is_err() && Confidence::with_error_rate(0.0).is_err());
        assert_eq!(
            student(&[1.0], Confidence::P95).expect_err("one").to_string(),
            "number of values is 1; allowed: at least 2"
        );
        assert!(student(&[1.0, f64::INFINITY], Confidence::P95).is_err());
        assert!(clopper_pearson(0, 0, Confidence::P95).is_err() && clopper_pearson(3, 2, Confidence::P95).is_err());
    }

    proptest! {
        #[test]
        fn moments_merge_as_if_they_were_one(a in prop::collection::vec(-9.0..9.0f64, 0..40), b in prop::collection::vec(-9.0..9.0f64, 0..40)) {
            let mut merged = Moments::of(&a);
            merged.merge(&Moments::of(&b));
            let whole = Moments::of(&[a, b].concat());
            prop_assert_eq!(merged.count(), whole.count());
            prop_assert!((merged.mean() - whole.mean()).abs() < 1e-12);
            let close = |x: Option<f64>, y: Option<f64>| match (x, y) {
                (Some(x), Some(y)) => (x - y).abs() < 1e-10 * (1.0 + y),
                (x, y) => x.is_none() && y.is_none(),
            };
            prop_assert!(close(merged.variance(), whole.variance()));
        }

        #[test]
        fn moments_are_mean_and_variance(values in prop::collection::vec(-9.0..9.0f64, 2..60)) {
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
            let moments = Moments::of(&values);
            prop_assert!((moments.mean() - mean).abs() < 1e-12);
            prop_assert!((moments.variance().expect("two") - variance).abs() < 1e-10 * (1.0 + variance));
        }
    }
}
