//! Assumption 1 as a distribution.

use serde::{Deserialize, Serialize};

use crate::asymmetry::Certificate;
use crate::estimate::Interval;

/// The law of the shift δ* and its gap ξ(δ*) over random splits of measured examples. The centre stays where it is: ŵ was
/// not trained anew on a split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShiftLaw {
    /// Such as the title of the line.
    pub title: String,
    /// Whether both parts of a split come from one pool. Then they are exchangeable, and q is near ½ by construction.
    pub pooled: bool,
    /// Examples in the training part of a split.
    pub train_examples: u64,
    /// Examples in the population part.
    pub population_examples: u64,
    /// R, the radius of the neighbourhood over which gaps are taken.
    pub radius: f64,
    /// δ*, one a split.
    pub delta: Vec<f64>,
    /// ξ(δ*), one a split.
    pub gap: Vec<f64>,
    /// ξ(0), one a split.
    pub gap_at_zero: Vec<f64>,
    /// q = P(δ* > 0), with Clopper and Pearson's interval: over random splits of these examples, not over new data.
    pub q: Interval,
    /// Splits with δ* = 0, which count as not positive.
    pub zero: u64,
    /// Splits whose δ* lies at an end of the range searched: it may lie further out.
    pub at_end: u64,
    /// Quantiles of δ*.
    pub delta_quantiles: Quantiles,
    /// Quantiles of |δ*|.
    pub size_quantiles: Quantiles,
    /// Quantiles of ξ(δ*).
    pub gap_quantiles: Quantiles,
    /// Confidence of every interval by itself.
    pub confidence: f64,
    /// Theorem 1 on these splits, if a certificate and a step were given.
    pub promise: Option<SplitPromise>,
    /// How losses were measured; empty if that is not known.
    #[serde(default)]
    pub setting: String,
}

/// Five order statistics, at ranks ⌈level·n⌉.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// At 0.05.
    pub q05: f64,
    /// At 0.25.
    pub q25: f64,
    /// At 0.5.
    pub q50: f64,
    /// At 0.75.
    pub q75: f64,
    /// At 0.95.
    pub q95: f64,
}

/// Theorem 1, with P(s > 0) = q in place of ½, held against random splits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitPromise {
    /// The certificate.
    pub certificate: Certificate,
    /// l, the step to the flat side.
    pub step: f64,
    /// Splits in which shift and step stay within the window.
    pub within_window: u64,
    /// Splits whose gap was taken on radius |δ*| + l or more.
    pub within_radius: u64,
    /// Splits whose training part has the certificate.
    pub asymmetric: u64,
    /// Splits in which all three hold, so that the theorem speaks.
    pub covered: u64,
    /// L(ŵ) − L(ŵ + l·u) over all splits, with Student's interval.
    pub gain: Interval,
    /// What the theorem says of the covered splits; none if there are none.
    pub on_covered: Option<CoveredSplits>,
}

/// The splits in which Theorem 1's hypotheses hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CoveredSplits {
    /// P(δ* > 0 | covered), with Clopper and Pearson's interval.
    pub q: Interval,
    /// The largest gap.
    pub largest_gap: f64,
    /// The mean gap.
    pub mean_gap: f64,
    /// l·p((c + 1)q − 1) − 2ξ with the largest gap, as the theorem has it.
    pub bound: f64,
    /// The same with the mean gap, which the theorem's proof allows.
    pub mean_bound: f64,
    /// The mean of L(ŵ) − L(ŵ + l·u) over these splits.
    pub gain: f64,
    /// Splits whose gain is below their own promise, l·c·p − 2ξ if δ* > 0 and −l·p − 2ξ if not: none, by the theorem.
    pub broken: u64,
}
