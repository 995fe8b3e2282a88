//! The loss on a plane, as filled contours.

use plotters::style::RGBColor;
use valleys_sim::record::Plane;

use super::headline;
use crate::canvas::{self, Anchor, Canvas, Text, text_width};
use crate::chart::{Frame, Panel};
use crate::scale::{Axis, number};
use crate::style::{INK, LINE_HEIGHT, Marker, PANEL_TITLE, SMALL, Stroke, WHITE, WIDTH};
use crate::{Picture, Result};

const HEIGHT: f64 = 440.0;
const TOP: f64 = 90.0;
const BOTTOM: f64 = 388.0;
/// Rows of cells that a picture is filled with; values between measured points are interpolated.
const ROWS: usize = 60;
/// Levels as shares of the way from the lowest loss to the highest.
const SHARES: [f64; 8] = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7];
const LOW: RGBColor = RGBColor(0, 60, 110);
const HIGH: RGBColor = RGBColor(250, 244, 230);
/// How far a cell reaches under its neighbours.
const OVERLAP: f64 = 0.4;

pub(super) fn picture(name: &str, it: &Plane) -> Result<Picture> {
    let count = it.x.len() * it.y.len();
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &it.title, &format!("{count} points; {}", it.setting))?;
        map(canvas, it, ("(a) training loss", &it.train), (66.0, 322.0))?;
        map(canvas, it, ("(b) test loss", &it.test), (452.0, 708.0))
    })?;
    let marks: Vec<String> =
        it.marks.iter().map(|mark| format!("{} at ({}, {})", mark.name, number(mark.x), number(mark.y))).collect();
    let caption = format!(
        "Loss on a plane in weight space, {} points; dark is low, and the shades' bounds stand beside each map. \
         Marked: {}. Between points the loss is interpolated. Measured: {}.",
        count,
        marks.join(", "),
        it.setting
    );
    Ok(Picture { name: name.to_owned(), title: it.title.clone(), caption, svg })
}

fn map(
    canvas: &mut Canvas<'_>,
    it: &Plane,
    (title, losses): (&str, &[Vec<f64>]),
    (left, right): (f64, f64),
) -> Result<()> {
    let levels = levels(losses);
    let axis = |name: &str, values: &[f64]| {
        let (low, high) = extent(values);
        Axis::tight(name, [low, high])
    };
    let panel = Panel::new(Frame::new(left, TOP, right, BOTTOM), axis(&it.axes[0], &it.x)?, axis(&it.axes[1], &it.y)?);
    panel.title(canvas, PANEL_TITLE, title)?;
    let (width, height) = ((right - left) / ROWS as f64, (BOTTOM - TOP) / ROWS as f64);
    let place = |values: &[f64], share: f64| {
        let (low, high) = extent(values);
        place(values, low + share * (high - low))
    };
    for row in 0..ROWS {
        let y = place(&it.y, 1.0 - (row as f64 + 0.5) / ROWS as f64);
        let shade_at = |column: usize| shade(at(losses, place(&it.x, (column as f64 + 0.5) / ROWS as f64), y), &levels);
        let shades: Vec<usize> = (0..ROWS).map(shade_at).collect();
        let mut from = 0;
        for run in shades.chunk_by(|a, b| a == b) {
            let to = from + run.len();
            let corner = (left + width * from as f64, TOP + height * row as f64);
            let opposite = (left + width * to as f64, TOP + height * (row + 1) as f64);
            let opposite = ((opposite.0 + OVERLAP).min(right), (opposite.1 + OVERLAP).min(BOTTOM));
            canvas.rectangle(corner, opposite, colour(run[0]), 1.0)?;
            from = to;
        }
    }
    panel.axes(canvas)?;
    mark(canvas, it, &panel, (left, right))?;
    key(canvas, right + 12.0, &levels)
}

/// The solutions with their names, each beside its mark where no other name stands.
fn mark(canvas: &mut Canvas<'_>, it: &Plane, panel: &Panel, (left, right): (f64, f64)) -> Result<()> {
    let look = Text::new(Anchor::Start).size(SMALL).bold();
    let mut taken: Vec<(f64, f64, f64)> = Vec::new();
    for mark in &it.marks {
        let (x, y) = panel.at(mark.x, mark.y);
        canvas.marker((x, y), Marker::Disc, 6.0, WHITE)?;
        canvas.marker((x, y), Marker::Disc, 4.0, INK)?;
        let width = text_width(&mark.name, &look)?;
        let beside = if x + 9.0 + width < right { x + 9.0 } else { (x - 9.0 - width).max(left) };
        let heights = [-6.0, 16.0, -24.0, 34.0, -42.0, 52.0].map(|below| y + below);
        let free = |height: &&f64| {
            let inside = **height > TOP + 14.0 && **height < BOTTOM - 4.0;
            let apart = |&(from, to, at): &(f64, f64, f64)| {
                to < beside || from > beside + width || (at - **height).abs() > LINE_HEIGHT
            };
            inside && taken.iter().all(apart)
        };
        let height = heights.iter().find(free).copied().unwrap_or(heights[0]);
        taken.push((beside, beside + width, height));
        // A pale ground keeps the name readable on any shade.
        canvas.rectangle((beside - 2.0, height - 11.0), (beside + width + 2.0, height + 3.0), WHITE, 0.75)?;
        canvas.text((beside, height), look, &mark.name)?;
    }
    Ok(())
}

/// The range of an axis: the points' and a little more, so that no number stands at a corner.
fn extent(values: &[f64]) -> (f64, f64) {
    let (low, high) = (values[0], values[values.len() - 1]);
    let room = 0.03 * (high - low);
    (low - room, high + room)
}

/// Where a coordinate lies among increasing ones, counted in points; outside of them at the nearest.
fn place(values: &[f64], at: f64) -> f64 {
    let last = values.len() - 1;
    if last == 0 || at <= values[0] {
        return 0.0;
    }
    let right = values.partition_point(|&x| x < at).clamp(1, last);
    let (low, high) = (values[right - 1], values[right]);
    (right - 1) as f64 + ((at - low) / (high - low)).min(1.0)
}

/// The upper ends of all shades but the last.
fn levels(losses: &[Vec<f64>]) -> [f64; SHARES.len()] {
    let (low, high) = losses
        .iter()
        .flatten()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &loss| (low.min(loss), high.max(loss)));
    SHARES.map(|share| low + share * (high - low))
}

fn shade(loss: f64, levels: &[f64]) -> usize {
    levels.iter().filter(|&&level| loss > level).count()
}

fn colour(shade: usize) -> RGBColor {
    let t = shade as f64 / SHARES.len() as f64;
    let mix = |low: u8, high: u8| (f64::from(low) + t * (f64::from(high) - f64::from(low))).round() as u8;
    RGBColor(mix(LOW.0, HIGH.0), mix(LOW.1, HIGH.1), mix(LOW.2, HIGH.2))
}

/// The loss between four measured points, bilinear; places count rows and columns.
fn at(losses: &[Vec<f64>], x: f64, y: f64) -> f64 {
    let part = |place: f64, count: usize| {
        let low = (place.floor() as usize).min(count.saturating_sub(2));
        (low, (low + 1).min(count - 1), place - low as f64)
    };
    let ((top, bottom, v), (left, right, u)) = (part(y, losses.len()), part(x, losses[0].len()));
    let along = |row: &[f64]| (1.0 - u) * row[left] + u * row[right];
    (1.0 - v) * along(&losses[top]) + v * along(&losses[bottom])
}

/// The shades, with the losses that part them.
fn key(canvas: &mut Canvas<'_>, left: f64, levels: &[f64]) -> Result<()> {
    let boxes = levels.len() + 1;
    let height = (BOTTOM - TOP) / boxes as f64;
    for shade in 0..boxes {
        let bottom = BOTTOM - height * shade as f64;
        canvas.rectangle((left, bottom - height), (left + 12.0, bottom), colour(shade), 1.0)?;
        if let Some(&level) = levels.get(shade) {
            canvas.text_centred(
                (left + 17.0, bottom - height),
                Text::new(Anchor::Start).size(SMALL),
                &number(level),
            )?;
        }
    }
    let frame = [(left, TOP), (left + 12.0, TOP), (left + 12.0, BOTTOM), (left, BOTTOM), (left, TOP)];
    canvas.path(&frame, Stroke::new(INK).width(0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_points_the_loss_is_bilinear() {
        let losses = vec![vec![0.0, 2.0], vec![4.0, 10.0]];
        for (x, y, loss) in [(0.0, 0.0, 0.0), (1.0, 1.0, 10.0), (0.5, 0.0, 1.0), (0.5, 0.5, 4.0)] {
            assert_eq!(at(&losses, x, y), loss);
        }
        assert_eq!(at(&[vec![7.0]], 0.0, 0.0), 7.0);
    }

    #[test]
    fn coordinates_are_counted_in_points() {
        for (at, counted) in [(-1.0, 0.0), (0.5, 0.5), (1.0, 1.0), (2.0, 1.5), (9.0, 2.0)] {
            assert_eq!(place(&[0.0, 1.0, 3.0], at), counted);
        }
        assert_eq!(place(&[4.0], 5.0), 0.0);
    }

    #[test]
    fn the_lowest_losses_are_the_darkest() {
        let levels = levels(&[vec![1.0, 11.0]]);
        assert_eq!((shade(1.0, &levels), shade(11.0, &levels)), (0, SHARES.len()));
        assert_eq!(shade(1.06, &levels), 1, "0.5 % of the range parts the first two");
        assert_eq!((colour(0), colour(SHARES.len())), (LOW, HIGH));
    }
}
