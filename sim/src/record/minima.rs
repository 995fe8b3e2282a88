//! The three kinds of minimum.

use serde::{Deserialize, Serialize};

/// Figure 1: three kinds of minimum, each with its population loss L(w) = L̂(w − δ).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Minima {
    /// The points w.
    pub offsets: Vec<f64>,
    /// The shift δ between training and population loss.
    pub shift: f64,
    /// One entry a kind of minimum: sharp, flat, asymmetric.
    pub curves: Vec<MinimumCurve>,
    /// The biased solution w̃ = l of the asymmetric valley (the minimiser is 0).
    pub biased: f64,
    /// E L(0), expected population loss of the minimiser under δ = ±shift, of the asymmetric valley.
    pub expected_at_minimiser: f64,
    /// E L(l), the same for the biased solution.
    pub expected_at_biased: f64,
}

/// One curve of [`Minima`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinimumCurve {
    /// `sharp`, `flat` or `asymmetric`.
    pub name: String,
    /// L̂ at the offsets.
    pub training: Vec<f64>,
    /// L at the offsets for δ = +shift.
    pub population_plus: Vec<f64>,
    /// L at the offsets for δ = −shift.
    pub population_minus: Vec<f64>,
}
