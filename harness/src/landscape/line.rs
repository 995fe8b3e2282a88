//! The loss along a line w + l·u (Sections 3.2 and 4; Figures 2 and 3).

use valleys_sim::asymmetry::{Criteria, judge_line};
use valleys_sim::progress::Observer;
use valleys_sim::record;
use valleys_sim::shift;

use super::point::{accuracies, profile};
use super::scan::{Cells, scan_one};
use super::surface::require_dimension;
use super::{Point, Store, Surface};
use crate::Result;
use crate::params::{Line, Weights};

/// Measures w + l·u at every offset l; `direction` has one entry a weight. With frozen batch norm, the statistics are
/// those of `centre`.
///
/// Fails if the direction is not of the network's dimension, and as [`Surface::measure`] does.
pub fn points(
    surface: &mut dyn Surface,
    centre: &Weights<f32>,
    direction: &[f64],
    offsets: &[f64],
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<Vec<Point>> {
    require_dimension("the direction", direction.len(), surface)?;
    let line = Cells::new("", offsets, centre, direction)?;
    scan_one(surface, "loss along a line", line, store, observer)
}

/// Adds so many points to a line of at least three, one at a time, each in the middle of the segment beside which the
/// slope changes most, for its width.
///
/// Which points are added depends on the losses alone, so a line that was stopped is refined as one that was not. No
/// segment becomes narrower than a thousandth of the line.
pub fn refine(
    surface: &mut dyn Surface,
    centre: &Weights<f32>,
    direction: &[f64],
    mut points: Vec<Point>,
    extra: usize,
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<Vec<Point>> {
    if extra == 0 {
        return Ok(points);
    }
    let line = Line::new(centre, direction)?;
    observer.begin("points where the slope changes", extra as u64);
    let refined: Result<()> = (0..extra).try_for_each(|_| {
        let Some(left) = bent(&points) else { return Ok(()) };
        let middle = 0.5 * (points[left].offset + points[left + 1].offset);
        let cells = Cells::of("", std::slice::from_ref(&middle), &line);
        points.splice(left + 1..left + 1, scan_one(surface, "loss along a line", cells, store, observer)?);
        observer.advance(1);
        Ok(())
    });
    observer.finish();
    refined?;
    Ok(points)
}

/// The segment, by its left end, with the largest change of slope at either end times its width; none if all that
/// remain are too narrow or straight.
fn bent(points: &[Point]) -> Option<usize> {
    let least = 1e-3 * (points.last()?.offset - points.first()?.offset);
    let width = |i: usize| points[i + 1].offset - points[i].offset;
    let slope = |i: usize| (points[i + 1].train.loss - points[i].train.loss) / width(i);
    let change = |i: usize| if i == 0 || i + 1 >= points.len() { 0.0 } else { (slope(i) - slope(i - 1)).abs() };
    let bend = |&i: &usize| change(i).max(change(i + 1)) * width(i);
    let segments = (0..points.len() - 1).filter(|&i| width(i) >= 2.0 * least);
    segments.filter(|i| bend(i) > 0.0).reduce(|best, i| if bend(&i) > bend(&best) { i } else { best })
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
    /// How the line was measured, see [`Surface::setting`].
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

#[cfg(test)]
mod tests {
    use valleys_sim::profile::grid;
    use valleys_sim::progress::Silent;

    use super::*;
    use crate::landscape::known::{Known, point};

    #[test]
    fn points_gather_where_the_slope_changes() {
        // One kink, at 0.3; elsewhere the line is straight.
        let mut surface = Known::new(1, |w| (w[0] - 0.3).max(0.0), |_| 0.0);
        let (centre, offsets) = (point(&[0.0]), grid(-2.0, 2.0, 5).expect("grid"));
        let run = |surface: &mut Known, store: &mut Vec<Point>| {
            let line = points(surface, &centre, &[1.0], &offsets, store, &Silent).expect("measured");
            refine(surface, &centre, &[1.0], line, 6, store, &Silent).expect("measured")
        };
        let mut store = Vec::new();
        let line = run(&mut surface, &mut store);
        assert_eq!((line.len(), surface.measured), (11, 11));
        assert!(line.is_sorted_by(|a, b| a.offset < b.offset));
        let added: Vec<f64> = line.iter().map(|it| it.offset).filter(|at| !offsets.contains(at)).collect();
        // One point goes into the segment beside, whose end sees the change, too.
        assert_eq!(added.iter().filter(|&at| (0.0..=1.0).contains(at)).count(), 5, "{added:?}");
        // Four halvings or more of the segment that holds the kink.
        let near = line.windows(2).find(|pair| pair[1].offset > 0.3).expect("a segment");
        assert!(near[1].offset - near[0].offset <= 1.0 / 8.0, "{added:?}");
        // From the store it is the same line, and nothing is measured again.
        store.truncate(8);
        assert_eq!(run(&mut surface, &mut store), line);
        assert_eq!(surface.measured, 14);
        // A straight line is left alone.
        let mut straight = Known::new(1, |w| 2.0 * w[0], |_| 0.0);
        assert_eq!(run(&mut straight, &mut Vec::new()).len(), 5);
    }
}
