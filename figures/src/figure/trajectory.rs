//! The loss along one direction through the iterates of a run (Section 5.2, Figure 6 of the paper).

use plotters::style::RGBColor;
use valleys_sim::record::{Trajectory, TrajectoryRow};

use super::{headline, points};
use crate::canvas::{self, Anchor, Canvas, Text};
use crate::chart::{self, Frame, Panel, Sample};
use crate::scale::{Axis, number};
use crate::style::{BLUE, INK, MARK, Marker, PANEL_KEY, PANEL_TITLE, SMALL, Stroke, VERMILION, WIDTH};
use crate::{Picture, Result};

const HEIGHT: f64 = 446.0;
const TOP: f64 = 122.0;
const BOTTOM: f64 = 394.0;
/// The first and the last epoch's colours.
const EARLY: RGBColor = RGBColor(190, 215, 235);
const LATE: RGBColor = RGBColor(0, 50, 100);

pub(super) fn picture(name: &str, it: &Trajectory) -> Result<Picture> {
    let title = format!("The valley during training: {}", it.title);
    let (first, last) = (it.rows[0].epoch, it.rows[it.rows.len() - 1].epoch);
    let stable = it.stable_from.map_or_else(
        || "no earlier profile has the shape of the last".to_owned(),
        |epoch| format!("the profile's shape is stable from epoch {epoch} on"),
    );
    let below = format!("{} direction {}, epochs {first} to {last}: {stable}", it.family, it.index);
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &below)?;
        lines(canvas, it)?;
        departures(canvas, it)
    })?;
    let caption = format!(
        "(a) Training loss at wₜ + l·u, less that at wₜ, for {} iterates wₜ and one direction u. (b) How far each \
         profile's shape is from the last one's, as a share of the last one's range; below {} counts as stable: \
         {stable}. Where an iterate projects to on u is in the table. Measured: {}.",
        it.rows.len(),
        number(it.tolerance),
        it.setting
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

fn shade(place: usize, count: usize) -> RGBColor {
    let t = place as f64 / (count - 1).max(1) as f64;
    let mix = |early: u8, late: u8| (f64::from(early) + t * (f64::from(late) - f64::from(early))).round() as u8;
    RGBColor(mix(EARLY.0, LATE.0), mix(EARLY.1, LATE.1), mix(EARLY.2, LATE.2))
}

fn lines(canvas: &mut Canvas<'_>, it: &Trajectory) -> Result<()> {
    let centre = it.offsets.iter().position(|&l| l == 0.0).unwrap_or(it.offsets.len() / 2);
    let rises = |row: &TrajectoryRow| row.losses.iter().map(|loss| loss - row.losses[centre]).collect::<Vec<f64>>();
    let all: Vec<Vec<f64>> = it.rows.iter().map(rises).collect();
    let panel = Panel::new(
        Frame::new(66.0, TOP, 420.0, BOTTOM),
        Axis::tight("offset l", it.offsets.iter().copied())?,
        Axis::roomy("training loss less that at wₜ", all.iter().flatten().copied())?,
    );
    panel.title(canvas, PANEL_TITLE, "(a) profiles through the iterates")?;
    panel.axes(canvas)?;
    for (place, rises) in all.iter().enumerate() {
        let stroke = Stroke::new(shade(place, all.len())).width(1.5);
        panel.curve(canvas, points(&it.offsets, rises), stroke)?;
    }
    // The shades from left to right, between the epochs they stand for.
    let (left, right, y) = (120.0, 240.0, PANEL_KEY);
    for place in 0..12 {
        let width = (right - left) / 12.0;
        let x = left + width * place as f64;
        canvas.rectangle((x, y - 9.0), (x + width, y), shade(place, 12), 1.0)?;
    }
    let look = |anchor| Text::new(anchor).size(SMALL);
    canvas.text((left - 6.0, y), look(Anchor::End), &format!("epoch {}", it.rows[0].epoch))?;
    canvas.text((right + 6.0, y), look(Anchor::Start), &it.rows[it.rows.len() - 1].epoch.to_string())
}

fn departures(canvas: &mut Canvas<'_>, it: &Trajectory) -> Result<()> {
    let epochs: Vec<f64> = it.rows.iter().map(|row| f64::from(row.epoch)).collect();
    let values: Vec<f64> = it.rows.iter().map(|row| row.departure).collect();
    let panel = Panel::new(
        Frame::new(506.0, TOP, WIDTH - 24.0, BOTTOM),
        Axis::roomy("epoch", epochs.iter().copied())?.counting(),
        Axis::roomy("departure from the last profile", values.iter().copied().chain([0.0, 2.0 * it.tolerance]))?,
    );
    panel.title(canvas, PANEL_TITLE, "(b) how far each is from the last")?;
    panel.axes(canvas)?;
    panel.horizontal(canvas, it.tolerance, MARK)?;
    panel.curve(canvas, points(&epochs, &values), Stroke::new(INK).width(1.5))?;
    for (row, at) in it.rows.iter().zip(points(&epochs, &values)) {
        let stable = it.stable_from.is_some_and(|epoch| row.epoch >= epoch);
        let (marker, colour) = if stable { (Marker::Disc, BLUE) } else { (Marker::Ring, VERMILION) };
        panel.marker(canvas, at, marker, colour)?;
    }
    let signs = [
        (Sample::Marker(Marker::Ring, VERMILION), "not yet stable"),
        (Sample::Marker(Marker::Disc, BLUE), "stable from there on"),
    ];
    chart::key(canvas, (506.0, WIDTH), PANEL_KEY, &signs)
}
