//! Loss against distance along random rays (Section 6.2, Figures 9 and 10 of the paper).

use valleys_sim::record::{RaySolution, Rays};

use super::{headline, points};
use crate::canvas::{self, Canvas};
use crate::chart::{self, Frame, Panel, Sample};
use crate::scale::{Axis, number};
use crate::style::{BLUE, Dash, GREEN, INK, PANEL_KEY, PANEL_TITLE, Stroke, VERMILION, WIDTH};
use crate::{Picture, Result};

const HEIGHT: f64 = 446.0;
const TOP: f64 = 122.0;
const BOTTOM: f64 = 394.0;
/// One a solution; there are seldom more than two.
const STROKES: [Stroke; 4] = [
    Stroke::new(BLUE),
    Stroke::new(VERMILION).dash(Dash::Dashed),
    Stroke::new(GREEN).dash(Dash::Dotted),
    Stroke::new(INK).width(1.0),
];

/// Mean and deviation of a solution's losses, one a distance.
type Side = fn(&RaySolution) -> (&[f64], &[f64]);

pub(super) fn picture(name: &str, it: &Rays) -> Result<Picture> {
    let names: Vec<&str> = it.solutions.iter().map(|solution| solution.name.as_str()).collect();
    let title = format!("Loss along random rays: {}", it.title);
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &format!("{} {} rays from {}", it.count, it.family, names.join(" and ")))?;
        panel(canvas, it, ("(a) training", 76.0), |it| (&it.train, &it.train_deviation))?;
        panel(canvas, it, ("(b) test", 476.0), |it| (&it.test, &it.test_deviation))
    })?;
    let caption = format!(
        "Mean loss over {} rays against the distance from each solution; bands are one standard deviation between \
         rays either way. {} Measured: {}.",
        it.count,
        summary(it),
        it.setting
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

/// Where the loss of a later solution differs from the first one's, in one sentence each.
pub(crate) fn summary(it: &Rays) -> String {
    let first = &it.solutions[0].name;
    let sentence = |solution: &RaySolution| {
        let (last, interval) = (it.distances.last()?, solution.train_excess.last()?);
        Some(format!(
            "At distance {} the training loss of {} less that of {first} is {} (95 % {} to {}).",
            number(*last),
            solution.name,
            number(interval.estimate),
            number(interval.low),
            number(interval.high)
        ))
    };
    it.solutions.iter().filter_map(sentence).collect::<Vec<_>>().join(" ")
}

fn panel(canvas: &mut Canvas<'_>, it: &Rays, (title, left): (&str, f64), side: Side) -> Result<()> {
    let spread = |solution: &RaySolution| -> Vec<(f64, f64, f64)> {
        let (mean, deviation) = side(solution);
        (0..mean.len()).map(|i| (it.distances[i], mean[i] - deviation[i], mean[i] + deviation[i])).collect()
    };
    let bands: Vec<_> = it.solutions.iter().map(spread).collect();
    let panel = Panel::new(
        Frame::new(left, TOP, left + 304.0, BOTTOM),
        Axis::tight("distance", it.distances.iter().copied())?,
        Axis::roomy("mean loss", bands.iter().flatten().flat_map(|band| [band.1, band.2]))?,
    );
    panel.title(canvas, PANEL_TITLE, title)?;
    panel.axes(canvas)?;
    let mut signs = Vec::new();
    for ((solution, band), stroke) in it.solutions.iter().zip(&bands).zip(STROKES.into_iter().cycle()) {
        panel.band(canvas, band, stroke.colour, 0.12)?;
        panel.curve(canvas, points(&it.distances, side(solution).0), stroke)?;
        signs.push((Sample::Line(stroke), solution.name.as_str()));
    }
    chart::key(canvas, (left, left + 310.0), PANEL_KEY, &signs)
}
