//! Maps over the asymmetry c and the noise bound ν: shaded cells, with the thresholds that the theorems name.

mod means;
mod shades;

use valleys_sim::record::Threshold;

use super::points;
use crate::Result;
use crate::canvas::{Anchor, Canvas, Text};
use crate::chart::{self, Frame, Panel, Sample};
use crate::scale::Axis;
use crate::style::{Dash, INK, MARGIN, SMALL, Stroke, WHITE, WIDTH};

pub(super) use means::Means;
pub(super) use shades::{Sequential, Shading, Signed};

pub(super) const HEIGHT: f64 = 480.0;
const TOP: f64 = 122.0;
const BOTTOM: f64 = 424.0;
/// Baseline of the key of curves, and of the titles of panels and colour keys.
const CURVES: f64 = 66.0;
const TITLE: f64 = TOP - 10.0;
/// How far a cell reaches under its neighbours.
const OVERLAP: f64 = 0.5;
const HALO: Stroke = Stroke::new(WHITE).width(4.5).opacity(0.75);

/// Names of curves beside the samples of their strokes.
type Signs<'a> = Vec<(Sample, &'a str)>;

/// What all panels of a map share.
pub(super) struct Map<'a> {
    pub(super) c: &'a [f64],
    pub(super) nu: &'a [f64],
    pub(super) thresholds: &'a [Threshold],
}

impl<'a> Map<'a> {
    /// The thresholds' samples and names.
    pub(super) fn signs(&self) -> Signs<'a> {
        let sign = |(i, it): (usize, &'a Threshold)| (Sample::Line(threshold_stroke(i)), it.name.as_str());
        self.thresholds.iter().enumerate().map(sign).collect()
    }

    /// One panel, a column of numbers at its left: cells (one row a value of ν), lines of the given stroke, and the
    /// thresholds over both.
    pub(super) fn panel(
        &self,
        canvas: &mut Canvas<'_>,
        title: &str,
        (left, right): (f64, f64),
        (values, shading): (&[&[f64]], &impl Shading),
        (lines, stroke): (&[Vec<(f64, f64)>], Stroke),
    ) -> Result<Panel> {
        let (columns, rows) = (edges(self.c), edges(self.nu));
        let panel = Panel::new(
            Frame::new(left, TOP, right, BOTTOM),
            Axis::tight("asymmetry c", columns.iter().copied())?,
            Axis::tight("noise bound ν / a₊", rows.iter().copied())?,
        );
        panel.y_axis(canvas)?;
        for (i, row) in values.iter().enumerate() {
            let mut from = 0;
            for run in row.chunk_by(|&a, &b| shading.shade(a) == shading.shade(b)) {
                let to = from + run.len();
                let (corner, opposite) = (panel.at(columns[from], rows[i + 1]), panel.at(columns[to], rows[i]));
                // The next cells to the right and above cover the overlap, which keeps the paper from showing through.
                let corner = (corner.0, (corner.1 - OVERLAP).max(TOP));
                let opposite = ((opposite.0 + OVERLAP).min(right), opposite.1);
                canvas.rectangle(corner, opposite, shading.colour(shading.shade(run[0])), 1.0)?;
                from = to;
            }
        }
        for line in lines {
            panel.curve(canvas, line.iter().copied(), HALO)?;
            panel.curve(canvas, line.iter().copied(), stroke)?;
        }
        for (i, threshold) in self.thresholds.iter().enumerate() {
            panel.curve(canvas, points(&threshold.c, &threshold.nu), HALO)?;
            panel.curve(canvas, points(&threshold.c, &threshold.nu), threshold_stroke(i))?;
        }
        panel.x_axis(canvas)?;
        panel.title(canvas, TITLE, title)?;
        Ok(panel)
    }
}

fn threshold_stroke(index: usize) -> Stroke {
    let stroke = Stroke::new(INK).width(2.2);
    match index % 3 {
        0 => stroke.dash(Dash::Dashed),
        1 => stroke.dash(Dash::Dotted),
        _ => stroke,
    }
}

/// The names of the curves above the panels.
pub(super) fn curve_key(canvas: &mut Canvas<'_>, signs: &[(Sample, &str)]) -> Result<()> {
    chart::key(canvas, (66.0, WIDTH - MARGIN), CURVES, signs)
}

/// The shades, one above the other, with what they stand for.
pub(super) fn colour_key(canvas: &mut Canvas<'_>, left: f64, title: &str, shading: &impl Shading) -> Result<()> {
    let right = left + 16.0;
    let shades = shading.downwards();
    let height = (BOTTOM - TOP) / shades.len() as f64;
    let look = Text::new(Anchor::Start).size(SMALL);
    for (i, &shade) in shades.iter().enumerate() {
        let top = TOP + i as f64 * height;
        canvas.rectangle((left, top), (right, top + height), shading.colour(shade), 1.0)?;
        canvas.text_centred((right + 6.0, top + 0.5 * height), look, &shading.label(shade))?;
    }
    let frame = [(left, TOP), (right, TOP), (right, BOTTOM), (left, BOTTOM), (left, TOP)];
    canvas.path(&frame, Stroke::new(INK).width(0.5))?;
    canvas.text((left, TITLE), look, title)
}

/// The edges of the cells around grid values: half way between neighbours.
fn edges(values: &[f64]) -> Vec<f64> {
    let last = values.len() - 1;
    if last == 0 {
        return vec![values[0] - 0.5, values[0] + 0.5];
    }
    let inner = values.windows(2).map(|pair| 0.5 * (pair[0] + pair[1]));
    let first_edge = values[0] - 0.5 * (values[1] - values[0]);
    let last_edge = values[last] + 0.5 * (values[last] - values[last - 1]);
    std::iter::once(first_edge).chain(inner).chain([last_edge]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_end_half_way() {
        assert_eq!(edges(&[1.0, 2.0, 4.0]), [0.5, 1.5, 3.0, 5.0]);
        assert_eq!(edges(&[2.0]), [1.5, 2.5]);
    }
}
