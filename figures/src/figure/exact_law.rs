//! The exact law (E): simulated long-run means beside η(s − b)/2.

use valleys_sim::record::{ExactLaw, ExactLawRow};

use super::headline;
use crate::canvas::{self, Anchor, Canvas, Text, fitted};
use crate::chart::{self, Frame, Panel, Sample};
use crate::scale::{Axis, number, percent};
use crate::style::{BLUE, MARK, Marker, PANEL_KEY, PANEL_TITLE, SMALL, Stroke, VERMILION, WIDTH};
use crate::{Picture, Result};

const TOP: f64 = 108.0;
/// Height of one row of intervals.
const ROW: f64 = 21.0;
/// Width left for the words beside a row.
const LABELS: f64 = 210.0;
/// The scatter's height, and the least height of the intervals.
const LEAST: f64 = 230.0;

pub(super) fn picture(name: &str, law: &ExactLaw) -> Result<Picture> {
    let title = "The exact law: the long-run mean of SGD is η(s − b)/2".to_owned();
    let applicable: Vec<&ExactLawRow> = law.rows.iter().filter(|row| row.applies).collect();
    let met = applicable.iter().filter(|row| holds(row)).count();
    let others = law.rows.len() - applicable.len();
    let bottom = TOP + (ROW * applicable.len() as f64).max(LEAST);
    let below = format!(
        "joint confidence of all intervals {}; {met} of {} hold the law",
        percent(law.confidence),
        applicable.len()
    );
    let svg = canvas::draw(WIDTH, bottom + 52.0, |canvas| {
        headline(canvas, &title, &below)?;
        scatter(canvas, law)?;
        intervals(canvas, &applicable, bottom)
    })?;
    let missing = law.rows.iter().filter(|row| !row.applies && !holds(row)).count();
    let caption = format!(
        "(a) Simulated mean against the law. (b) Their difference in units of η(b + s), with intervals that hold \
         jointly at confidence {confidence}: {met} of {count} contain zero. {exceptions}",
        confidence = percent(law.confidence),
        count = applicable.len(),
        exceptions = match others {
            0 => String::new(),
            _ =>
                format!("Outside its hypotheses (ν ≤ b, ν ≤ s) the law misses {missing} of {others} settings (rings)."),
        },
    );
    Ok(Picture { name: name.to_owned(), title, caption: caption.trim_end().to_owned(), svg })
}

fn holds(row: &ExactLawRow) -> bool {
    (row.mean - row.expected).abs() <= row.half_width
}

fn scatter(canvas: &mut Canvas<'_>, law: &ExactLaw) -> Result<()> {
    let values = || law.rows.iter().flat_map(|row| [row.expected, row.mean, 0.0]);
    let axis = Axis::roomy("law η(s − b)/2", values())?;
    let ends = [axis.low(), axis.high()];
    let panel = Panel::new(Frame::new(72.0, TOP, 320.0, TOP + LEAST), axis, Axis::roomy("simulated mean", values())?);
    panel.title(canvas, PANEL_TITLE, "(a) mean and law")?;
    panel.axes(canvas)?;
    panel.curve(canvas, ends.map(|end| (end, end)), MARK)?;
    for row in &law.rows {
        let at = (row.expected, row.mean);
        let (marker, colour) = if row.applies { (Marker::Disc, BLUE) } else { (Marker::Ring, VERMILION) };
        panel.marker(canvas, at, marker, colour)?;
    }
    let mut signs = vec![(Sample::Marker(Marker::Disc, BLUE), "law applies")];
    if law.rows.iter().any(|row| !row.applies) {
        signs.push((Sample::Marker(Marker::Ring, VERMILION), "ν > b or ν > s"));
    }
    chart::key(canvas, (72.0, 400.0), PANEL_KEY, &signs)
}

fn intervals(canvas: &mut Canvas<'_>, rows: &[&ExactLawRow], bottom: f64) -> Result<()> {
    let unit = |row: &ExactLawRow| row.eta * (row.flat + row.sharp);
    let difference = |row: &ExactLawRow, end: f64| (row.mean - row.expected + end * row.half_width) / unit(row);
    let values = rows.iter().flat_map(|row| [-1.0, 1.0].map(|end| difference(row, end)));
    let count = rows.len() as f64;
    let panel = Panel::new(
        Frame::new(560.0, TOP, WIDTH - 24.0, bottom),
        Axis::roomy("(mean − law) / η(b + s)", values.chain([0.0]))?,
        Axis::tight("", [-0.5, (count - 0.5).max(0.5)])?,
    );
    let place = |i: usize| count - 1.0 - i as f64;
    let label = |row: &ExactLawRow| {
        let setting = format!("b {}, s {}, ν {}, {}", number(row.flat), number(row.sharp), number(row.nu), row.noise);
        fitted(&setting, &Text::new(Anchor::End).size(SMALL), LABELS)
    };
    let labels =
        rows.iter().enumerate().map(|(i, row)| Ok((place(i), label(row)?))).collect::<Result<Vec<(f64, String)>>>()?;
    panel.title(canvas, PANEL_TITLE, "(b) their difference")?;
    panel.rows(canvas, &labels)?;
    panel.x_axis(canvas)?;
    if rows.is_empty() {
        return panel.notice(canvas, "the law applies to no setting");
    }
    panel.vertical(canvas, 0.0, MARK)?;
    for (i, row) in rows.iter().enumerate() {
        let colour = if holds(row) { BLUE } else { VERMILION };
        let ends = [-1.0, 1.0].map(|end| (difference(row, end), place(i)));
        panel.curve(canvas, ends, Stroke::new(colour))?;
        panel.marker(
            canvas,
            (difference(row, 0.0), place(i)),
            if holds(row) { Marker::Disc } else { Marker::Diamond },
            colour,
        )?;
    }
    let mut signs = vec![(Sample::Line(Stroke::new(BLUE)), "interval")];
    if !rows.iter().all(|row| holds(row)) {
        signs.push((Sample::Marker(Marker::Diamond, VERMILION), "misses the law"));
    }
    chart::key(canvas, (560.0, WIDTH), PANEL_KEY, &signs)
}
