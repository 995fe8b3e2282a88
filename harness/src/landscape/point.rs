//! What is known of one point of a line.

use serde::{Deserialize, Serialize};
use valleys_sim::Profile;
use valleys_sim::progress::Observer;

use super::Probe;
use crate::exec::Outcome;
use crate::params::Weights;
use crate::{Error, Result};

/// Train and test loss at one offset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The offset l along a direction, or the share s of the way between two solutions.
    pub offset: f64,
    /// On training images.
    pub train: Measured,
    /// On test images.
    pub test: Measured,
}

/// A network's loss on some images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Mean cross-entropy, in nats.
    pub loss: f64,
    /// Standard error of the mean, over images.
    pub standard_error: f64,
    /// Share of images classified correctly, in [0, 1].
    pub accuracy: f64,
    /// The loss of every image, if kept; the points of a line share their images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examples: Option<Vec<f64>>,
}

impl Measured {
    /// Sums an outcome of at least two images up.
    pub(super) fn new(outcome: Outcome, keep_examples: bool) -> Self {
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

/// Keeps the points of one line, so that a stopped measurement can go on.
///
/// The caller sees to it that a store serves one line of one setting. `Vec<Point>` is a store in memory.
pub trait Store {
    /// The points kept so far, in any order.
    fn points(&self) -> &[Point];
    /// Keeps one more point.
    fn keep(&mut self, point: Point) -> Result<()>;
}

impl Store for Vec<Point> {
    fn points(&self) -> &[Point] {
        self
    }

    fn keep(&mut self, point: Point) -> Result<()> {
        self.push(point);
        Ok(())
    }
}

/// The points at all offsets, in their order: from the store, or measured with the weights `at` gives, and kept.
pub(super) fn measure(
    probe: &mut Probe,
    task: &str,
    offsets: &[f64],
    at: impl Fn(f64) -> Weights<f32>,
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<Vec<Point>> {
    let kept = |store: &dyn Store, offset: f64| store.points().iter().find(|point| point.offset == offset).cloned();
    let missing = offsets.iter().filter(|&&offset| kept(store, offset).is_none()).count();
    observer.begin(task, missing as u64);
    let points = offsets.iter().map(|&offset| {
        if let Some(point) = kept(store, offset) {
            return Ok(point);
        }
        let point = probe.measure(offset, at(offset), observer)?;
        store.keep(point.clone())?;
        observer.advance(1);
        Ok(point)
    });
    let points = points.collect();
    observer.finish();
    points
}

/// The profile of one side of all points.
pub(super) fn profile(points: &[Point], side: impl Fn(&Point) -> &Measured) -> Result<Profile> {
    let column = |value: fn(&Measured) -> f64| points.iter().map(|point| value(side(point))).collect();
    let offsets = points.iter().map(|point| point.offset).collect();
    let profile =
        Profile::new(offsets, column(|side| side.loss))?.with_standard_errors(column(|side| side.standard_error))?;
    let examples: Option<Vec<Vec<f64>>> = points.iter().map(|point| side(point).examples.clone()).collect();
    Ok(match examples {
        Some(examples) => profile.with_examples(examples)?,
        None => profile,
    })
}

/// The accuracies of one side of all points.
pub(super) fn accuracies(points: &[Point], side: impl Fn(&Point) -> &Measured) -> Vec<f64> {
    points.iter().map(|point| side(point).accuracy).collect()
}

/// As many numbers as a network has weights, else an error naming them.
pub(super) fn require_dimension(name: &str, seen: usize, weights: &Weights<f32>) -> Result<()> {
    if seen == weights.values.len() {
        Ok(())
    } else {
        Err(Error::domain(
            format!("dimension of {name}"),
            seen,
            format!("{}, that of the network", weights.values.len()),
        ))
    }
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

    #[test]
    fn a_point_survives_json_to_the_bit() {
        let outcome = || Outcome { losses: vec![0.1 + 0.2, 1.0 / 3.0, 2.718281828459045e-7], correct: vec![true; 3] };
        let point =
            Point { offset: -0.3, train: Measured::new(outcome(), true), test: Measured::new(outcome(), false) };
        let json = serde_json::to_string(&point).expect("json");
        assert_eq!(serde_json::from_str::<Point>(&json).expect("json"), point);
    }
}
