//! The loss along a line w + l·u (Sections 3.2 and 4; Figures 2 and 3).

use valleys_sim::asymmetry::{Criteria, judge_line};
use valleys_sim::progress::Observer;
use valleys_sim::record;
use valleys_sim::shift;

use super::point::{accuracies, measure, profile, require_dimension};
use super::{Point, Probe, Store};
use crate::Result;
use crate::params::Weights;

/// Measures w + l·u at every offset l; `direction` has one entry a weight. With frozen batch norm, the statistics are
/// those of `centre`.
///
/// Fails if the direction is not of the network's dimension, and as [`Probe::measure`] does.
pub fn points(
    probe: &mut Probe,
    centre: &Weights<f32>,
    direction: &[f64],
    offsets: &[f64],
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<Vec<Point>> {
    require_dimension("the direction", direction.len(), centre)?;
    let at = |offset| moved(centre, direction, offset);
    measure(probe, "loss along a line", offsets, at, store, observer)
}

/// The network at w + l·u; batch-norm statistics stay the centre's.
fn moved(centre: &Weights<f32>, direction: &[f64], offset: f64) -> Weights<f32> {
    let mut weights = centre.clone();
    for (value, u) in weights.values.iter_mut().zip(direction) {
        *value = (f64::from(*value) + offset * u) as f32;
    }
    weights
}

/// What a line is called in its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caption {
    /// Such as `ResNet-8 on synthetic images, SWA solution`.
    pub title: String,
    /// The family the direction was drawn from.
    pub family: String,
    /// The direction's number in its family's stream.
    pub index: u64,
    /// How the line was measured, see [`Probe::setting`].
    pub setting: String,
}

/// The shift between the train and test profile of a line (Definition 3, Figure 3).
///
/// The gap is taken over [−`radius`, `radius`] and `count` shifts, as far either way as the line leaves room for.
pub fn shift(title: &str, points: &[Point], radius: f64, count: usize) -> Result<record::Shift> {
    let train = profile(points, |point| &point.train)?.without_examples();
    let test = profile(points, |point| &point.test)?.without_examples();
    Ok(shift::measure(title, &train, &test, radius, &shift::shifts(&test, radius, count)?)?)
}

/// The record of a line: its profiles, and what the training profile says of ±u. The certificate is also matched to a
/// measured shift, if one is given.
///
/// Per-example losses, if kept, make the confidence band behind the verdict; they stay out of the record.
pub fn line(
    caption: Caption,
    points: &[Point],
    criteria: &Criteria,
    shift: Option<&record::Shift>,
) -> Result<record::Line> {
    let train = profile(points, |point| &point.train)?;
    let test = profile(points, |point| &point.test)?;
    let matched = shift.map(|shift| (shift.best_delta.abs(), shift.best_gap));
    Ok(record::Line {
        title: caption.title,
        family: caption.family,
        index: caption.index,
        judgement: judge_line(&train, criteria, matched)?,
        train: train.without_examples(),
        test: Some(test.without_examples()),
        train_accuracy: Some(accuracies(points, |point| &point.train)),
        test_accuracy: Some(accuracies(points, |point| &point.test)),
        setting: caption.setting,
    })
}
