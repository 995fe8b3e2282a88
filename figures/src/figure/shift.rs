//! The shift between training and test loss along a line (Definition 3, Figure 3 of the paper).

use valleys_sim::record::Shift;

use super::{headline, points};
use crate::canvas::{self, Canvas};
use crate::chart::{self, Frame, Label, Panel, Sample};
use crate::scale::{Axis, number};
use crate::style::{BLUE, Dash, GREEN, INK, MARK, Marker, PANEL_KEY, PANEL_TITLE, Stroke, VERMILION, WIDTH};
use crate::{Picture, Result};

const HEIGHT: f64 = 446.0;
const TOP: f64 = 122.0;
const BOTTOM: f64 = 394.0;
const TRAIN: Stroke = Stroke::new(BLUE);
const TEST: Stroke = Stroke::new(VERMILION).dash(Dash::Dashed);
const MOVED: Stroke = Stroke::new(GREEN).width(3.0).dash(Dash::Dotted);

pub(super) fn picture(name: &str, shift: &Shift) -> Result<Picture> {
    let title = format!("Shift of the test loss: {}", shift.title);
    let below = format!(
        "smallest gap at δ* = {}: ξ(δ*) = {}, ξ(0) = {}, taken over |l| ≤ {}",
        number(shift.best_delta),
        number(shift.best_gap),
        number(shift.gap_at_zero),
        number(shift.radius)
    );
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &below)?;
        curves(canvas, shift)?;
        gap(canvas, shift)
    })?;
    let judged = if shift.gap_at_zero > 0.0 {
        let ratio = shift.best_gap / shift.gap_at_zero;
        format!("The best shift leaves {} % of the gap at δ = 0.", number(100.0 * ratio))
    } else {
        "The curves agree without a shift.".to_owned()
    };
    let caption = format!(
        "(a) Training loss L̂, test loss L′ (moved vertically to the same minimum), and the test loss moved by the \
         best shift, L′(l + δ*). (b) The shift gap ξ(δ) = max |L′(l + δ) − L̂(l)| over |l| ≤ {}. {judged}",
        number(shift.radius)
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

fn curves(canvas: &mut Canvas<'_>, shift: &Shift) -> Result<()> {
    let (train, test) = (&shift.train, &shift.test);
    let panel = Panel::new(
        Frame::new(66.0, TOP, 410.0, BOTTOM),
        Axis::tight("offset l", train.offsets().iter().copied())?,
        Axis::roomy("mean loss", train.losses().iter().chain(test.losses()).copied())?,
    );
    panel.title(canvas, PANEL_TITLE, "(a) before and after the shift")?;
    panel.axes(canvas)?;
    panel.curve(canvas, points(test.offsets(), test.losses()), TEST)?;
    panel.curve(canvas, points(train.offsets(), train.losses()), TRAIN)?;
    let moved = points(test.offsets(), test.losses()).map(|(l, loss)| (l - shift.best_delta, loss));
    panel.curve(canvas, moved, MOVED)?;
    let signs = [
        (Sample::Line(TRAIN), "training L̂(l)"),
        (Sample::Line(TEST), "test L′(l)"),
        (Sample::Line(MOVED), "L′(l + δ*)"),
    ];
    chart::key(canvas, (66.0, 460.0), PANEL_KEY, &signs)
}

fn gap(canvas: &mut Canvas<'_>, shift: &Shift) -> Result<()> {
    // A ratio to ξ(0) needs ξ(0) > 0; otherwise the gap itself is drawn.
    let (name, unit) = if shift.gap_at_zero > 0.0 { ("ξ(δ) / ξ(0)", shift.gap_at_zero) } else { ("ξ(δ)", 1.0) };
    let (best, at_zero) = (shift.best_gap / unit, shift.gap_at_zero / unit);
    let panel = Panel::new(
        Frame::new(500.0, TOP, WIDTH - 24.0, BOTTOM),
        Axis::tight("shift δ", shift.delta.iter().chain([&shift.best_delta, &0.0]).copied())?,
        Axis::roomy(name, shift.gap.iter().map(|gap| gap / unit).chain([0.0, best, at_zero]))?,
    );
    panel.title(canvas, PANEL_TITLE, "(b) the shift gap")?;
    panel.axes(canvas)?;
    let label = format!("δ* = {}", number(shift.best_delta));
    panel.marks(canvas, &[Label::new(shift.best_delta, label, INK)])?;
    panel.horizontal(canvas, at_zero, MARK)?;
    panel.curve(
        canvas,
        shift.delta.iter().zip(&shift.gap).map(|(&delta, gap)| (delta, gap / unit)),
        Stroke::new(INK),
    )?;
    panel.marker(canvas, (0.0, at_zero), Marker::Disc, VERMILION)?;
    panel.marker(canvas, (shift.best_delta, best), Marker::Diamond, GREEN)
}
