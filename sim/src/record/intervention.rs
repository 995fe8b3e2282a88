//! A solution moved, and what it did.

use serde::{Deserialize, Serialize};

use super::Standing;
use crate::estimate::{Interval, PairedTest};

/// A solution moved along ±u and along controls: the change of the test loss, example by example.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intervention {
    /// Such as `ResNet-20 on CIFAR-10, SGD solution`.
    pub title: String,
    /// The number of test examples.
    pub examples: u64,
    /// The step l > 0 to the flat side, in units of length.
    pub step: f64,
    /// Confidence of every interval by itself.
    pub confidence: f64,
    /// One entry a move, in the order given.
    pub rows: Vec<InterventionRow>,
    /// Theorem 1's bound for the move to the flat side, if one was derived.
    pub predicted: Option<f64>,
    /// How the bound stands with the gain of that move: met if the whole interval is at or above it, not met if it lies
    /// below, not rejected otherwise.
    pub prediction: Standing,
    /// How losses were measured; empty if that is not known.
    #[serde(default)]
    pub setting: String,
}

/// One move of an [`Intervention`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InterventionRow {
    /// What was moved where.
    pub kind: MoveKind,
    /// L(ŵ) − L(moved), the mean over examples with Student's interval: positive where the move helps.
    pub gain: Interval,
    /// Tests of no change.
    pub test: PairedTest,
    /// L(moved) − L(moved to the flat side), with Student's interval: by how much the flat side is the better move; none
    /// for the flat side itself.
    pub flat_is_better_by: Option<Interval>,
}

/// Where a solution was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MoveKind {
    /// To ŵ + l·u, the flat side.
    Flat,
    /// Control: to ŵ − l·u, the sharp side.
    Mirrored,
    /// Control: by l along u with its coordinates permuted.
    Permuted,
    /// Control: by l along a direction that is judged symmetric.
    Symmetric,
}
