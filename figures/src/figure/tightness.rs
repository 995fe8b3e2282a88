//! Theorem 1's difference beside the printed and the corrected bound.

use valleys_sim::record::{Tightness, TightnessRow};

use super::headline;
use crate::canvas::{self, Canvas};
use crate::chart::{self, Frame, Panel, Sample};
use crate::scale::Axis;
use crate::style::{BLUE, Dash, INK, MARK, Marker, SKY, Stroke, VERMILION, WIDTH};
use crate::{Picture, Result};

const HEIGHT: f64 = 462.0;
const CORRECTED: Stroke = Stroke::new(INK);
const PRINTED: Stroke = Stroke::new(VERMILION).dash(Dash::Dashed);
/// Rounding allowed for when a difference is compared with a bound.
const ROUNDING: f64 = 1e-9;

pub(super) fn picture(name: &str, tightness: &Tightness) -> Result<Picture> {
    let title = "Theorem 1: the corrected bound is met, the printed one is not".to_owned();
    let broken = tightness.rows.iter().filter(|row| is_below(row, row.printed)).count();
    let below = tightness.rows.iter().filter(|row| is_below(row, row.corrected)).count();
    let title = match (broken, below) {
        (1.., 0) => title,
        _ => "Theorem 1: the difference and its bounds".to_owned(),
    };
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &tightness.setting)?;
        chart(canvas, tightness)
    })?;
    let caption = format!(
        "E L(ŵ) − E L(ŵ + Σ lᵢuⁱ) against {variable}, exact over all sign patterns. The difference falls below the \
         printed bound at {broken} of {count} values, below the corrected bound at {below}. Setting: {setting}.",
        variable = tightness.variable,
        count = tightness.rows.len(),
        setting = tightness.setting,
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

/// Whether either kind of instance lies below a bound.
fn is_below(row: &TightnessRow, bound: f64) -> bool {
    row.extremal.min(row.random_minimum) < bound - ROUNDING * bound.abs().max(1.0)
}

fn chart(canvas: &mut Canvas<'_>, tightness: &Tightness) -> Result<()> {
    let rows = &tightness.rows;
    let values = rows.iter().flat_map(|row| [row.extremal, row.random_minimum, row.corrected, row.printed, 0.0]);
    let panel = Panel::new(
        Frame::new(76.0, 106.0, WIDTH - 24.0, 410.0),
        Axis::roomy(tightness.variable.as_str(), rows.iter().map(|row| row.x))?,
        Axis::roomy("E L(ŵ) − E L(ŵ + Σ lᵢuⁱ)", values)?,
    );
    panel.axes(canvas)?;
    panel.horizontal(canvas, 0.0, MARK)?;
    for broken in rows.chunk_by(|a, b| is_below(a, a.printed) == is_below(b, b.printed)) {
        if is_below(&broken[0], broken[0].printed) {
            let band: Vec<_> =
                broken.iter().map(|row| (row.x, row.extremal.min(row.random_minimum), row.printed)).collect();
            panel.band(canvas, &band, VERMILION, 0.13)?;
        }
    }
    panel.curve(canvas, rows.iter().map(|row| (row.x, row.corrected)), CORRECTED)?;
    panel.curve(canvas, rows.iter().map(|row| (row.x, row.printed)), PRINTED)?;
    for row in rows {
        panel.marker(canvas, (row.x, row.random_minimum), Marker::Triangle, SKY)?;
        panel.marker(canvas, (row.x, row.extremal), Marker::Disc, BLUE)?;
    }
    let signs = [
        (Sample::Marker(Marker::Disc, BLUE), "extremal instance"),
        (Sample::Marker(Marker::Triangle, SKY), "lowest of random instances"),
        (Sample::Line(CORRECTED), "corrected bound"),
        (Sample::Line(PRINTED), "printed bound"),
        (Sample::Area(VERMILION, 0.13), "printed bound broken"),
    ];
    chart::key(canvas, (76.0, WIDTH), 70.0, &signs)
}
