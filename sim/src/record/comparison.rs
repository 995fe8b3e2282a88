//! Many runs side by side.

use serde::{Deserialize, Serialize};

use crate::estimate::Spearman;

/// Does what is measured around a solution tell what averaging gains? One point a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// One entry a run.
    pub rows: Vec<ComparisonRow>,
    /// One entry a quantity, in the order of the rows' values.
    pub predictors: Vec<Predictor>,
    /// Confidence of every interval by itself.
    pub confidence: f64,
}

/// One run of a [`Comparison`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparisonRow {
    /// Such as `ResNet-20 on CIFAR-10, seed 1`.
    pub name: String,
    /// The test loss of SGD after SWA less that of SWA: what averaging gains.
    pub gain: f64,
    /// The test accuracy of SWA less that of SGD after SWA, in [−1, 1].
    pub accuracy_gain: f64,
    /// One entry a predictor, none where it was not measured.
    pub values: Vec<Option<f64>>,
}

/// A quantity of a [`Comparison`] that might predict the gain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Predictor {
    /// Such as `largest eigenvalue of the Hessian`.
    pub name: String,
    /// Spearman's correlation with the gain in test loss over the runs where it was measured; none for fewer than 3 of
    /// them, and where all values are equal.
    pub spearman: Option<Spearman>,
}
