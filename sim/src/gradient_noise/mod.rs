//! The law of the gradient noise along a direction, and which of Theorem 2's hypotheses it meets.
//!
//! ω_t is the minibatch gradient less the full one at the iterate w_t, and ⟨ω_t, u⟩ its part along u (Section 5.2 of the
//! paper, arXiv:1902.00744; [`theorem2::visited`](crate::theorem2::visited)). Theorem 2 wants it bounded by ν and with
//! conditional mean zero; its exact law (E) also wants it independent. A finite series can break these, but not prove what
//! they say of the past: a test that does not reject is reported as such.
//!
//! *With momentum* the step is w′ = w − η(g + ω + μv), where v is known from the past: the step's noise ω + μv has no
//! conditional mean zero, is not independent, and was not measured. All hypotheses on the noise are reported as not met.

mod series;
#[cfg(test)]
mod tests;

use crate::error::{finite, non_negative};
use crate::estimate::{Confidence, Interval, Moments};
use crate::record::{GradientNoise, HypothesisRow, Standing};
use crate::theorem2::ProcessHypothesis;
use crate::{Error, Result};

/// How a series is looked at.
///
/// | Parameter | Default | Purpose | Range |
/// |---|---|---|---|
/// | lags | 20 | autocorrelations, and the tests made of them | ≥ 1, less than half the series |
/// | tail share | 0.1 | of the sizes, for Hill's estimate (one size at least) | (0, 0.5] |
/// | confidence | 0.95 | 1 − α of every test | (0, 1) |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoiseCriteria {
    lags: usize,
    tail_share: f64,
    confidence: Confidence,
}

impl Default for NoiseCriteria {
    fn default() -> Self {
        Self { lags: 20, tail_share: 0.1, confidence: Confidence::P95 }
    }
}

impl NoiseCriteria {
    /// Checks the ranges of the table above.
    pub fn new(lags: usize, tail_share: f64, confidence: Confidence) -> Result<Self> {
        if lags == 0 {
            return Err(Error::domain("number of lags", lags, "at least 1"));
        }
        if !(tail_share > 0.0 && tail_share <= 0.5) {
            return Err(Error::domain("share of the sizes in the tail", tail_share, "more than 0, at most 0.5"));
        }
        Ok(Self { lags, tail_share, confidence })
    }
}

/// Measures the law of a series ⟨ω_t, u⟩, t = 0, 1, …, in the loss's units per length, against a bound ν ≥ 0, from a
/// training with momentum μ in [0, 1). The setting says how it was measured.
///
/// - Mean zero, given the past: rejected if Student's interval of the mean at 1 − α/2 leaves out 0, or the p-value of Q* is
///   at most α/2. Both are asymptotically right for noise of conditional mean zero and finite variance, however its
///   variance changes.
/// - Independence: rejected if one of the two p-values of Ljung and Box, of the noise and of its sizes, is at most α/2.
///
/// # Errors
/// Not more than twice as many values as lags, values that are not finite, and a ν or μ outside its range.
pub fn measure(
    (title, setting): (&str, &str),
    series: &[f64],
    nu: f64,
    momentum: f64,
    criteria: &NoiseCriteria,
) -> Result<GradientNoise> {
    let least = 2 * criteria.lags + 1;
    if series.len() < least {
        let allowed = format!("at least {least}, more than twice the lags");
        return Err(Error::domain("number of noise values", series.len(), allowed));
    }
    for (t, &value) in series.iter().enumerate() {
        finite(&format!("noise at step {t}"), value)?;
    }
    non_negative("noise bound ν", nu)?;
    if !(0.0..1.0).contains(&momentum) {
        return Err(Error::domain("momentum μ", momentum, "at least 0, less than 1"));
    }
    let confidence = criteria.confidence;
    let sizes: Vec<f64> = series.iter().map(|value| value.abs()).collect();
    let moments = Moments::of(series);
    let variance = finite("variance of the noise", moments.variance().unwrap_or(f64::NAN))?;
    let mut law = GradientNoise {
        title: title.to_owned(),
        count: moments.count(),
        largest: sizes.iter().copied().fold(0.0, f64::max),
        mean: moments.student(confidence)?,
        variance,
        skewness: series::skewness(series),
        tail: series::hill(&sizes, criteria.tail_share),
        autocorrelation: series::autocorrelations(series, criteria.lags, confidence),
        uncorrelated: series::robust_q(series, criteria.lags),
        independent: series::ljung_box(series, criteria.lags),
        independent_sizes: series::ljung_box(&sizes, criteria.lags),
        nu,
        momentum,
        confidence: confidence.level(),
        hypotheses: Vec::new(),
        setting: setting.to_owned(),
    };
    let tests = Tests {
        mean: moments.student(confidence.simultaneous(2)?)?,
        mean_square: Moments::of(&series.iter().map(|value| value * value).collect::<Vec<f64>>())
            .student(confidence)?,
        level: confidence.error_rate() / 2.0,
    };
    law.hypotheses = HYPOTHESES.map(|hypothesis| tests.row(hypothesis, &law)).into();
    Ok(law)
}

/// Theorem 2's hypotheses on the noise.
const HYPOTHESES: [ProcessHypothesis; 4] = [
    ProcessHypothesis::BoundedNoise,
    ProcessHypothesis::BoundedVariance,
    ProcessHypothesis::ZeroMeanNoise,
    ProcessHypothesis::IndependentNoise,
];

/// What hypotheses are tested by, beside the law itself.
struct Tests {
    /// The mean, at 1 − α/2.
    mean: Interval,
    /// The mean square, at 1 − α.
    mean_square: Interval,
    /// α/2.
    level: f64,
}

impl Tests {
    fn row(&self, hypothesis: ProcessHypothesis, law: &GradientNoise) -> HypothesisRow {
        let (standing, because) = if law.momentum > 0.0 {
            let because =
                format!("momentum {}: the step's noise is ω + μv, and v is known from the past", law.momentum);
            (Standing::NotMet, because)
        } else {
            self.standing(hypothesis, law)
        };
        HypothesisRow::new(hypothesis, hypothesis.wording(), standing, because)
    }

    fn standing(&self, hypothesis: ProcessHypothesis, law: &GradientNoise) -> (Standing, String) {
        let is_small = |p: Option<f64>| p.is_some_and(|p| p <= self.level);
        let unless = |rejected: bool| if rejected { Standing::NotMet } else { Standing::NotRejected };
        let bounded = law.largest <= law.nu;
        match hypothesis {
            ProcessHypothesis::BoundedNoise => {
                let because = format!("max |ω| is {}, ν is {}", law.largest, law.nu);
                (if bounded { Standing::Met } else { Standing::NotMet }, because)
            }
            ProcessHypothesis::BoundedVariance if bounded => (Standing::Met, "|ω| ≤ ν at every step".into()),
            ProcessHypothesis::BoundedVariance => {
                let Interval { low, high, .. } = self.mean_square;
                let because = format!("the mean square is in [{low}, {high}], ν² is {}", law.nu * law.nu);
                (unless(low > law.nu * law.nu), because)
            }
            ProcessHypothesis::ZeroMeanNoise => {
                let Interval { low, high, .. } = self.mean;
                let because = format!("the mean is in [{low}, {high}]; {}", shown("uncorrelated", law.uncorrelated));
                (unless(!self.mean.contains(0.0) || is_small(law.uncorrelated)), because)
            }
            ProcessHypothesis::IndependentNoise => {
                let because = format!(
                    "{}; {}",
                    shown("independent", law.independent),
                    shown("independent sizes", law.independent_sizes)
                );
                (unless(is_small(law.independent) || is_small(law.independent_sizes)), because)
            }
            _ => (Standing::NotMeasured, "not a hypothesis on the noise".into()),
        }
    }
}

fn shown(what: &str, p: Option<f64>) -> String {
    p.map_or_else(|| format!("{what}: no test of a constant"), |p| format!("{what}: p = {p}"))
}
