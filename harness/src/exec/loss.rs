//! The loss: cross-entropy of the softmax of the logits.

use super::Outcome;
use crate::Scalar;

/// The cross-entropy −ln softmax(z)_label of every example, in f64, from `labels.len()` rows of logits z.
pub(crate) fn cross_entropy<T: Scalar>(logits: &[T], labels: &[u16]) -> Outcome {
    let rows = logits.chunks_exact(logits.len() / labels.len());
    let examples = rows.zip(labels).map(|(row, &label)| {
        let (largest, normaliser) = log_sum_exp(row);
        let first_largest = row.iter().position(|z| z.to_f64() == largest);
        (largest + normaliser - row[usize::from(label)].to_f64(), first_largest == Some(usize::from(label)))
    });
    let (losses, correct) = examples.unzip();
    Outcome { losses, correct }
}

/// The gradient of the mean cross-entropy with respect to the logits: (softmax(z) − one-hot(label))/n.
pub(crate) fn cross_entropy_gradient<T: Scalar>(logits: &[T], labels: &[u16]) -> Vec<T> {
    let mut gradient = Vec::with_capacity(logits.len());
    for (row, &label) in logits.chunks_exact(logits.len() / labels.len()).zip(labels) {
        let (largest, normaliser) = log_sum_exp(row);
        gradient.extend(row.iter().enumerate().map(|(class, z)| {
            let probability = (z.to_f64() - largest - normaliser).exp();
            let target = f64::from(u8::from(class == usize::from(label)));
            T::from_f64((probability - target) / labels.len() as f64)
        }));
    }
    gradient
}

/// The largest number z of a row, and ln Σ exp(z_i − z).
fn log_sum_exp<T: Scalar>(row: &[T]) -> (f64, f64) {
    let largest = row.iter().map(|z| z.to_f64()).fold(f64::NEG_INFINITY, f64::max);
    (largest, row.iter().map(|z| (z.to_f64() - largest).exp()).sum::<f64>().ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_losses() {
        let outcome = cross_entropy(&[0.0, 0.0, 0.0, 0.0, 3f64.ln(), 0.0], &[0, 1]);
        assert!((outcome.losses[0] - 3f64.ln()).abs() < 1e-15 && (outcome.losses[1] - (5f64 / 3.0).ln()).abs() < 1e-15);
        assert_eq!(outcome.correct, [true, true], "the first of equal logits wins");
    }

    #[test]
    fn huge_logits_do_not_overflow_and_nan_is_not_hidden() {
        assert_eq!(cross_entropy(&[1e4f32, -1e4], &[1]).losses, [2e4]);
        let outcome = cross_entropy(&[f32::NAN, 0.0], &[1]);
        assert!(!outcome.is_finite() && outcome.accuracy() == 1.0, "{outcome:?}");
    }

    #[test]
    fn the_gradient_is_the_central_difference() {
        let logits = [0.3, -1.2, 2.0, 0.1, 0.0, -0.4];
        let labels = [2, 0];
        let gradient = cross_entropy_gradient(&logits, &labels);
        for (index, slope) in gradient.iter().enumerate() {
            let mean = |step: f64| {
                let mut moved = logits;
                moved[index] += step;
                cross_entropy(&moved, &labels).mean_loss()
            };
            let difference = (mean(1e-5) - mean(-1e-5)) / 2e-5;
            assert!((slope - difference).abs() < 1e-9, "{index}: {slope} {difference}");
        }
    }
}
