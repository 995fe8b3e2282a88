//! What a trained network's lines say of the theorems.

use serde::{Deserialize, Serialize};

use super::{HypothesisRow, Standing};
use crate::asymmetry::{Certificate, Verdict};

/// From evidence to theory: which hypotheses of the corrected Theorems 1 and 2 hold on what was measured along one
/// direction, the bounds that follow, and what was observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Theory {
    /// Such as `ResNet-20 on CIFAR-10, SWA solution, direction 3`.
    pub title: String,
    /// The verdict on the line.
    pub verdict: Verdict,
    /// The canonical certificate of the line.
    pub canonical: Option<Certificate>,
    /// The certificate matched to the measured shift, which the bounds are made of.
    pub matched: Option<Certificate>,
    /// δ*, read along the direction to the flat side.
    pub shift: f64,
    /// ξ(δ*).
    pub gap: f64,
    /// One entry a statement.
    pub statements: Vec<StatementRow>,
    /// How losses were measured; empty if that is not known.
    #[serde(default)]
    pub setting: String,
}

/// One statement of [`Theory`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatementRow {
    /// Such as `Theorem 1, corrected`.
    pub statement: String,
    /// One entry a hypothesis.
    pub hypotheses: Vec<HypothesisRow>,
    /// The worst standing of a hypothesis: only if all are met does the bound follow.
    pub standing: Standing,
    /// What the statement promises with the measured numbers; none where they do not make its terms.
    pub bounds: Vec<BoundRow>,
}

/// One bound of a [`StatementRow`], from below.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoundRow {
    /// What is bounded, in the notation of the paper.
    pub quantity: String,
    /// The bound.
    pub bound: f64,
    /// What was observed of the quantity.
    pub observed: Option<f64>,
}

impl BoundRow {
    /// Whether what was observed is at or above the bound, to 1e-9 relative; none if nothing was.
    pub fn is_kept(&self) -> Option<bool> {
        self.observed.map(|seen| seen >= self.bound - 1e-9 * (seen.abs() + self.bound.abs()))
    }
}
