//! What measurements say of the theorems' hypotheses.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::estimate::Interval;

/// How a hypothesis stands with what was measured. From best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It holds for what was measured, all that the statement uses of it.
    Met,
    /// It speaks of more than was measured; a test or a sample does not speak against it.
    NotRejected,
    /// Nothing was measured that could decide it.
    NotMeasured,
    /// It fails for what was measured, or a test rejects it.
    NotMet,
}

/// One hypothesis with its standing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HypothesisRow {
    /// Its name in this crate, such as `ZeroMeanNoise`.
    pub name: String,
    /// The hypothesis in the notation of the paper.
    pub wording: String,
    /// How it stands.
    pub standing: Standing,
    /// The number behind it, in words.
    pub because: String,
}

impl HypothesisRow {
    /// A row for a hypothesis, named as its enum names it.
    pub(crate) fn new(hypothesis: impl Debug, wording: &str, standing: Standing, because: impl Into<String>) -> Self {
        Self { name: format!("{hypothesis:?}"), wording: wording.to_owned(), standing, because: because.into() }
    }
}

/// The measured law of the gradient noise ⟨ω_t, u⟩ along a direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GradientNoise {
    /// Such as `ResNet-20 on CIFAR-10, epoch 100`.
    pub title: String,
    /// The number of steps.
    pub count: u64,
    /// max |⟨ω_t, u⟩|.
    pub largest: f64,
    /// The mean with Student's interval, which is right for uncorrelated noise.
    pub mean: Interval,
    /// The unbiased variance.
    pub variance: f64,
    /// The third central moment over the variance to the 3/2; none of constant noise.
    pub skewness: Option<f64>,
    /// The tail of |⟨ω_t, u⟩|; none if the sizes in the tail are equal or 0.
    pub tail: Option<HillTail>,
    /// One entry a lag 1, 2, …; empty of constant noise.
    pub autocorrelation: Vec<Autocorrelation>,
    /// p-value of uncorrelated noise of mean zero, whatever its variances (Lobato, Nankervis and Savin's Q*).
    pub uncorrelated: Option<f64>,
    /// p-value of independence from the noise itself (Ljung and Box's Q).
    pub independent: Option<f64>,
    /// p-value of independence from the sizes |⟨ω_t, u⟩| (Ljung and Box's Q): it sees variances that change slowly.
    pub independent_sizes: Option<f64>,
    /// ν, the bound that the noise was held against.
    pub nu: f64,
    /// μ, the momentum of the training; 0 for plain SGD.
    pub momentum: f64,
    /// 1 − α: every hypothesis tested is rejected falsely with probability α at most, asymptotically.
    pub confidence: f64,
    /// Theorem 2's hypotheses on the noise.
    pub hypotheses: Vec<HypothesisRow>,
    /// How gradients were measured; empty if that is not known.
    #[serde(default)]
    pub setting: String,
}

/// Hill's estimate of a tail index: P(|ω| > x) falls like x^−index.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HillTail {
    /// The index; 2 or less means no finite variance.
    pub index: f64,
    /// Its standard error, index/√k.
    pub standard_error: f64,
    /// k, the number of largest sizes used.
    pub used: u64,
}

/// The autocorrelation at one lag.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Autocorrelation {
    /// The lag, in steps.
    pub lag: u64,
    /// The correlation.
    pub value: f64,
    /// Bartlett's half-width around 0 at this lag if correlations end before it.
    pub band: f64,
}
