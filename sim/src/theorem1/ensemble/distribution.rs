//! The distribution of the gain over sign patterns.

use rayon::prelude::*;

use super::super::gain::Sum;
use crate::estimate::{Confidence, Interval, Moments, clopper_pearson};
use crate::{Error, Result};

/// The gains of sign patterns: of all, with their probabilities, or of a random sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    /// At least one of all patterns, at least two of a sample; finite.
    gains: Vec<f64>,
    /// One a gain, where all patterns were counted out.
    probabilities: Option<Vec<f64>>,
}

impl Ensemble {
    pub(super) fn counted(gains: Vec<f64>, probabilities: Vec<f64>) -> Self {
        Self { gains, probabilities: Some(probabilities) }
    }

    pub(super) fn sampled(gains: Vec<f64>) -> Self {
        Self { gains, probabilities: None }
    }

    /// The gain of every pattern, in their order.
    pub fn gains(&self) -> &[f64] {
        &self.gains
    }

    /// The mean gain: of a sample with Student's interval, of all patterns exactly, as an interval of one point.
    ///
    /// # Errors
    /// Gains so large that their squares overflow.
    pub fn mean(&self, confidence: Confidence) -> Result<Interval> {
        match &self.probabilities {
            None => Moments::of(&self.gains).student(confidence),
            Some(probabilities) => Ok(point(expectation(probabilities, self.gains.iter().copied()))),
        }
    }

    /// The standard deviation of the gain: of a sample the square root of the unbiased variance.
    pub fn standard_deviation(&self) -> f64 {
        match &self.probabilities {
            None => Moments::of(&self.gains).variance().unwrap_or_default().sqrt(),
            Some(probabilities) => {
                let mean = expectation(probabilities, self.gains.iter().copied());
                expectation(probabilities, self.gains.iter().map(|gain| (gain - mean).powi(2))).sqrt()
            }
        }
    }

    /// The least gain x with P(gain ≤ x) ≥ level, for each level within [0, 1]; of a sample the same of its shares. Level 0
    /// gives the least gain of positive probability, 1 the greatest.
    ///
    /// # Errors
    /// A level outside [0, 1].
    pub fn quantiles(&self, levels: &[f64]) -> Result<Vec<f64>> {
        if let Some(level) = levels.iter().find(|level| !(0.0..=1.0).contains(*level)) {
            return Err(Error::domain("level of a quantile", level, "within [0, 1]"));
        }
        // Patterns of a sample count 1 each, so that their shares are ratios of whole numbers.
        let weight = |i: usize| self.probabilities.as_ref().map_or(1.0, |probabilities| probabilities[i]);
        let mut weighted: Vec<(f64, f64)> = self.gains.iter().enumerate().map(|(i, &x)| (x, weight(i))).collect();
        weighted.retain(|(_, weight)| *weight > 0.0);
        weighted.par_sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let sums: Vec<f64> = weighted
            .iter()
            .scan(Sum::default(), |sum, (_, weight)| {
                sum.add(*weight);
                Some(sum.value())
            })
            .collect();
        let last = sums.len() - 1;
        let place = |level: f64| match level {
            // The greatest can be too improbable to change the sum.
            1.0 => last,
            _ => sums.partition_point(|sum| sum / sums[last] < level).min(last),
        };
        let quantile = |&level: &f64| weighted[place(level)].0;
        Ok(levels.iter().map(quantile).collect())
    }

    /// P(gain > threshold): of a sample with Clopper and Pearson's interval, of all patterns exactly, as an interval of one
    /// point. At threshold 0 it is the share of patterns in which the biased solution is the better one.
    ///
    /// # Errors
    /// A threshold that is not a number.
    pub fn share_above(&self, threshold: f64, confidence: Confidence) -> Result<Interval> {
        if threshold.is_nan() {
            return Err(Error::domain("threshold of the gain", threshold, "a number"));
        }
        let above = |gain: &f64| *gain > threshold;
        match &self.probabilities {
            None => {
                let count = self.gains.iter().filter(|gain| above(gain)).count();
                clopper_pearson(count as u64, self.gains.len() as u64, confidence)
            }
            Some(probabilities) => {
                Ok(point(expectation(probabilities, self.gains.iter().map(|gain| f64::from(above(gain))))))
            }
        }
    }
}

fn point(value: f64) -> Interval {
    Interval { low: value, estimate: value, high: value }
}

fn expectation(probabilities: &[f64], values: impl Iterator<Item = f64>) -> f64 {
    let mut sum = Sum::default();
    for (probability, value) in probabilities.iter().zip(values) {
        sum.add(probability * value);
    }
    sum.value()
}
