//! Controls of a measured line.

use serde::{Deserialize, Serialize};

use super::{Certificate, Verdict};

/// What one line says when fewer of its points are read: how far the certificate depends on the step between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepWidth {
    /// Such as the title of the line.
    pub title: String,
    /// One entry a stride, in the order asked for.
    pub rows: Vec<StepWidthRow>,
}

/// One row of [`StepWidth`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepWidthRow {
    /// Every `stride`-th point is read; 1 reads all.
    pub stride: usize,
    /// The number of points read.
    pub points: usize,
    /// The widest gap between neighbouring points, in units of the direction's length.
    pub step: f64,
    /// R, the half-line that the points read reach on both sides. The canonical certificate grows with it.
    pub half_line: f64,
    /// Whether the flat side lies along −u.
    pub mirrored: bool,
    /// The verdict.
    pub verdict: Verdict,
    /// The canonical certificate.
    pub certificate: Option<Certificate>,
}

/// One line measured twice: how much of it is noise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NoiseFloor {
    /// The number of offsets.
    pub points: usize,
    /// The largest difference of the two losses, in size, in the loss's units.
    pub largest: f64,
    /// The root mean square of the differences, in the loss's units.
    pub rms: f64,
    /// The largest difference in units of its standard error; none if a measurement lacks standard errors.
    pub largest_in_errors: Option<f64>,
    /// The root mean square of the differences in units of their standard errors: about 1 if both measurements are right
    /// about their errors and share no noise; none if a measurement lacks standard errors.
    pub rms_in_errors: Option<f64>,
}
