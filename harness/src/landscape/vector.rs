//! Plain operations on flat weights.

use crate::params::Weights;
use crate::{Error, Result};

/// b − a, over the trainable weights.
pub fn difference(a: &Weights<f32>, b: &Weights<f32>) -> Vec<f64> {
    a.values.iter().zip(&b.values).map(|(&a, &b)| f64::from(b) - f64::from(a)).collect()
}

/// ⟨a, b⟩.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// ‖a‖.
pub(super) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// a/‖a‖; an error that names `what` if it has no length.
pub(super) fn unit(what: &str, mut a: Vec<f64>) -> Result<Vec<f64>> {
    let length = norm(&a);
    if !(length.is_finite() && length > 0.0) {
        return Err(Error::domain(format!("length of {what}"), length, "a finite number > 0"));
    }
    a.iter_mut().for_each(|x| *x /= length);
    Ok(a)
}
