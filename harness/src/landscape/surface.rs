//! What a landscape is measured of.

use serde::{Deserialize, Serialize};
use valleys_sim::progress::Observer;

use crate::exec::Outcome;
use crate::params::Line;
use crate::{Error, Result};

/// A training and a test loss on ℝᵈ: a network's on fixed images ([`Probe`](super::Probe)), or a function in its place.
pub trait Surface {
    /// d, the number of weights.
    fn dimension(&self) -> usize;

    /// Train and test loss at a point of a line. Batch-norm statistics are those of the line's centre, unless the surface
    /// makes its own.
    ///
    /// Fails on a loss that is not finite; stops at a safe point if the observer asks.
    fn measure(&mut self, line: &Line<'_, f32>, offset: f64, observer: &dyn Observer) -> Result<Losses>;

    /// The same at several points, of which more than one may be measured at a time: losses are handed to `keep` in the
    /// order of the points.
    ///
    /// Fails as [`measure`](Self::measure) does at the first point, in that order, that fails, or as `keep` does; no losses
    /// of later points are handed over.
    fn measure_all(
        &mut self,
        points: &[(&Line<'_, f32>, f64)],
        observer: &dyn Observer,
        keep: &mut dyn FnMut(Losses) -> Result<()>,
    ) -> Result<()> {
        points.iter().try_for_each(|(line, offset)| keep(self.measure(line, *offset, observer)?))
    }

    /// How losses are measured, in words, for captions.
    fn setting(&self) -> String;
}

/// Train and test loss at one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Losses {
    /// On training examples.
    pub train: Measured,
    /// On test examples.
    pub test: Measured,
}

/// A mean loss over some examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Mean loss; a network's is the cross-entropy, in nats.
    pub loss: f64,
    /// Standard error of the mean, over examples.
    pub standard_error: f64,
    /// Share of examples classified correctly, in [0, 1].
    pub accuracy: f64,
    /// The loss of every example, if kept; the points of a line share their examples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examples: Option<Vec<f64>>,
}

impl Measured {
    /// Sums an outcome of at least two images up.
    pub(crate) fn new(outcome: Outcome, keep_examples: bool) -> Self {
        let (count, loss) = (outcome.losses.len() as f64, outcome.mean_loss());
        let squares: f64 = outcome.losses.iter().map(|x| (x - loss) * (x - loss)).sum();
        Self {
            loss,
            standard_error: (squares / (count - 1.0) / count).sqrt(),
            accuracy: outcome.accuracy(),
            examples: keep_examples.then_some(outcome.losses),
        }
    }
}

/// As many numbers as a surface has weights, else an error naming them.
pub(super) fn require_dimension(name: &str, seen: usize, surface: &dyn Surface) -> Result<()> {
    let wanted = surface.dimension();
    if seen == wanted {
        return Ok(());
    }
    Err(Error::domain(format!("dimension of {name}"), seen, format!("{wanted}, that of the network")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_error_is_that_of_a_mean() {
        let outcome = Outcome { losses: vec![1.0, 2.0, 3.0, 6.0], correct: vec![true, false, true, true] };
        let measured = Measured::new(outcome, false);
        // Variance (4 + 1 + 0 + 9)/3 over 4 images.
        assert_eq!((measured.loss, measured.accuracy, measured.examples), (3.0, 0.75, None));
        assert!((measured.standard_error - (14.0_f64 / 12.0).sqrt()).abs() < 1e-15);
    }
}
