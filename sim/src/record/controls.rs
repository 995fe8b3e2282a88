//! Controls of a measured line.

use serde::{Deserialize, Serialize};

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
