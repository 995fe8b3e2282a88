//! Plain operations on flat weights.

use crate::params::Weights;
use crate::{Error, Result};

/// w + l·u, rounded to single precision once; batch-norm statistics stay those of w.
pub(super) fn moved(centre: &Weights<f32>, direction: &[f64], offset: f64) -> Weights<f32> {
    let mut weights = centre.clone();
    for (value, u) in weights.values.iter_mut().zip(direction) {
        *value = (f64::from(*value) + offset * u) as f32;
    }
    weights
}

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
