//! Theorem 1, on known losses.

use serde::{Deserialize, Serialize};

/// Theorem 1 on a family of losses: E L(ŵ) − E L(ŵ + Σ l_i u^i) beside the bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tightness {
    /// What varies along the x axis, with its unit, such as `step l`.
    pub variable: String,
    /// One entry a value of the variable.
    pub rows: Vec<TightnessRow>,
    /// The three counterexamples to the printed theorem.
    pub counterexamples: Vec<Counterexample>,
    /// Parameters in words, for the caption.
    pub setting: String,
}

/// One row of [`Tightness`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TightnessRow {
    /// The value of the variable.
    pub x: f64,
    /// The exact difference, over all sign patterns, of an extremal instance.
    pub extremal: f64,
    /// The smallest difference among random admissible instances.
    pub random_minimum: f64,
    /// The corrected bound.
    pub corrected: f64,
    /// The printed bound.
    pub printed: f64,
}

/// A counterexample to a printed statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counterexample {
    /// Which fault of the printed statement it shows.
    pub fault: String,
    /// The left side, as evaluated.
    pub left: f64,
    /// The right side, as printed.
    pub right: f64,
}
