//! What a network said about a batch.

/// Loss and correctness of every example.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Cross-entropy of every example, in nats; not finite if the network has diverged.
    pub losses: Vec<f64>,
    /// Whether the class with the largest logit (the first such) is the label.
    pub correct: Vec<bool>,
}

impl Outcome {
    /// The mean cross-entropy; NaN of no examples.
    pub fn mean_loss(&self) -> f64 {
        self.losses.iter().sum::<f64>() / self.losses.len() as f64
    }

    /// The share of correct examples, in [0, 1]; NaN of no examples.
    pub fn accuracy(&self) -> f64 {
        self.correct.iter().filter(|correct| **correct).count() as f64 / self.correct.len() as f64
    }

    /// Whether every loss is finite.
    pub fn is_finite(&self) -> bool {
        self.losses.iter().all(|loss| loss.is_finite())
    }

    /// Appends the examples of another outcome.
    pub fn extend(&mut self, other: Self) {
        self.losses.extend(other.losses);
        self.correct.extend(other.correct);
    }
}
