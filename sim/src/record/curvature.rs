//! The ends of a Hessian's spectrum.

use serde::{Deserialize, Serialize};

use crate::curvature::Spectrum;
use crate::estimate::Interval;

/// The curvature of the training loss at one or more solutions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curvature {
    /// Such as `ResNet-20 on CIFAR-10`.
    pub title: String,
    /// One entry a solution.
    pub rows: Vec<CurvatureRow>,
    /// Confidence of the intervals of the traces.
    pub confidence: f64,
    /// How gradients were measured.
    pub setting: String,
}

/// One solution of a [`Curvature`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurvatureRow {
    /// Such as `SWA`.
    pub name: String,
    /// Both ends of the spectrum, in the loss's units per squared length.
    pub spectrum: Spectrum,
    /// The trace by Hutchinson's estimate, with Student's interval.
    pub trace: Interval,
    /// Its standard error.
    pub trace_error: f64,
    /// The random vectors that the trace was estimated from.
    pub probes: u64,
    /// h, the half-distance between the two gradients of a product with a unit vector; shorter where a kink was seen.
    pub step: f64,
}
