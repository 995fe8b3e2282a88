//! The front of a line: the largest asymmetry c at every window width.

use valleys_sim::record::Line;

use super::headline;
use crate::canvas::{self, Canvas};
use crate::chart::{self, Frame, Label, Panel, Sample};
use crate::scale::Axis;
use crate::style::{BLUE, GREY, MARK, Marker, SILVER, Stroke, VERMILION, WIDTH};
use crate::{Picture, Result};

const HEIGHT: f64 = 400.0;
/// The ratio that an admissible window must exceed.
const ADMISSIBLE: f64 = 2.0;

/// The front as a picture, if at least two widths have a rising sharp side.
pub(super) fn picture(name: &str, line: &Line) -> Result<Option<Picture>> {
    let mut front: Vec<(f64, f64, bool)> = line
        .judgement
        .front
        .iter()
        .filter(|point| point.certificate.c > 0.0)
        .map(|point| (point.width, point.certificate.c, point.certificate.c_is_lower_bound))
        .collect();
    if front.len() < 2 {
        return Ok(None);
    }
    front.sort_by(|a, b| a.0.total_cmp(&b.0));
    let title = format!("Asymmetry against window width: {}", line.title);
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &format!("{} direction {}", line.family, line.index))?;
        chart(canvas, &front)
    })?;
    let caption = "The largest c at each window width r̄ − r̲: a certificate can trade width for ratio, so one number \
                   c says little without its window. Triangles are lower bounds: there the flat side does not rise."
        .to_owned();
    Ok(Some(Picture { name: format!("{name}-front"), title, caption, svg }))
}

fn chart(canvas: &mut Canvas<'_>, front: &[(f64, f64, bool)]) -> Result<()> {
    let panel = Panel::new(
        Frame::new(76.0, 92.0, 700.0, 348.0),
        Axis::roomy("window width r̄ − r̲", front.iter().map(|point| point.0))?,
        Axis::logarithmic("largest c", front.iter().map(|point| point.1).chain([ADMISSIBLE]))?,
    );
    panel.axes(canvas)?;
    panel.horizontal(canvas, ADMISSIBLE, MARK)?;
    panel.labels_at_right(canvas, &[Label::new(ADMISSIBLE, "c = 2", GREY)])?;
    panel.curve(canvas, front.iter().map(|&(width, c, _)| (width, c)), Stroke::new(SILVER).width(1.0))?;
    for &(width, c, bound) in front {
        let (marker, colour) = if bound { (Marker::Triangle, VERMILION) } else { (Marker::Disc, BLUE) };
        panel.marker(canvas, (width, c), marker, colour)?;
    }
    let signs = [
        (Sample::Marker(Marker::Disc, BLUE), "largest c"),
        (Sample::Marker(Marker::Triangle, VERMILION), "lower bound: the flat side does not rise"),
    ];
    let bounded = front.iter().any(|point| point.2);
    chart::key(canvas, (76.0, 700.0), 76.0, &signs[..if bounded { 2 } else { 1 }])
}
