//! What is known of one point of a curve, and where it is kept.

use serde::{Deserialize, Serialize};
use valleys_sim::Profile;

use super::{Losses, Measured};
use crate::Result;

/// Train and test loss in one cell of an experiment: a place on one of its curves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The curve's name within the experiment; empty where there is but one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub curve: String,
    /// The offset l along a direction, or the share s of the way between two solutions.
    pub offset: f64,
    /// On training images.
    pub train: Measured,
    /// On test images.
    pub test: Measured,
}

impl Point {
    pub(super) fn new(curve: &str, offset: f64, losses: Losses) -> Self {
        Self { curve: curve.to_owned(), offset, train: losses.train, test: losses.test }
    }
}

/// Keeps the points of one experiment, so that a stopped measurement can go on.
///
/// The caller sees to it that a store serves one experiment of one setting. `Vec<Point>` is a store in memory.
pub trait Store {
    /// The points kept so far, in any order.
    fn points(&self) -> &[Point];
    /// Keeps one more point.
    fn keep(&mut self, point: Point) -> Result<()>;

    /// The point of a cell, if it was measured before.
    fn find(&self, curve: &str, offset: f64) -> Option<&Point> {
        self.points().iter().find(|point| point.offset == offset && point.curve == curve)
    }
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

/// The profile of one side of all points of a curve.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::Outcome;

    #[test]
    fn a_point_survives_json_to_the_bit() {
        let outcome = || Outcome { losses: vec![0.1 + 0.2, 1.0 / 3.0, 2.718281828459045e-7], correct: vec![true; 3] };
        let losses = Losses { train: Measured::new(outcome(), true), test: Measured::new(outcome(), false) };
        for curve in ["", "uniform 3"] {
            let point = Point::new(curve, -0.3, losses.clone());
            let json = serde_json::to_string(&point).expect("json");
            assert_eq!(json.contains("curve"), !curve.is_empty(), "a single curve needs no name");
            assert_eq!(serde_json::from_str::<Point>(&json).expect("json"), point);
        }
    }
}
