//! Rows of values with intervals: what each row is at its left, what it says at its right.

use plotters::style::RGBColor;

use crate::Result;
use crate::canvas::{Anchor, Canvas, Text, fitted};
use crate::chart::{Frame, Panel};
use crate::scale::Axis;
use crate::style::{MARGIN, Marker, SMALL, Stroke, WIDTH};

/// Upper end of the rows.
pub(super) const TOP: f64 = 66.0;
const ROW: f64 = 24.0;
const LEFT: f64 = 286.0;
const RIGHT: f64 = 490.0;

/// One row.
pub(super) struct Row {
    pub(super) name: String,
    /// The value, with its marker; none where there is nothing to mark.
    pub(super) value: Option<(f64, Marker)>,
    pub(super) interval: Option<(f64, f64)>,
    pub(super) colour: RGBColor,
    pub(super) words: String,
}

/// The lower end of so many rows.
pub(super) fn bottom(rows: usize) -> f64 {
    TOP + ROW * rows.max(1) as f64
}

/// Draws the rows over an axis.
pub(super) fn draw(canvas: &mut Canvas<'_>, rows: &[Row], axis: Axis) -> Result<Panel> {
    let count = rows.len() as f64;
    let frame = Frame::new(LEFT, TOP, RIGHT, bottom(rows.len()));
    let panel = Panel::new(frame, axis, Axis::tight("", [-0.5, (count - 0.5).max(0.5)])?);
    let place = |i: usize| count - 1.0 - i as f64;
    let look = |anchor| Text::new(anchor).size(SMALL);
    let names = rows
        .iter()
        .enumerate()
        .map(|(i, row)| Ok((place(i), fitted(&row.name, &look(Anchor::End), LEFT - 8.0 - MARGIN)?)));
    panel.rows(canvas, &names.collect::<Result<Vec<_>>>()?)?;
    panel.x_axis(canvas)?;
    for (i, row) in rows.iter().enumerate() {
        if let Some((low, high)) = row.interval {
            panel.curve(canvas, [(low, place(i)), (high, place(i))], Stroke::new(row.colour))?;
        }
        if let Some((value, marker)) = row.value {
            panel.marker(canvas, (value, place(i)), marker, row.colour)?;
        }
        let (_, y) = panel.at(1.0, place(i));
        let words = fitted(&row.words, &look(Anchor::Start), WIDTH - MARGIN - RIGHT - 10.0)?;
        canvas.text_centred((RIGHT + 10.0, y), look(Anchor::Start), &words)?;
    }
    Ok(panel)
}
