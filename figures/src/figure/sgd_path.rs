//! Figure 5 of the paper: SGD on an asymmetric function, and its running average.

use valleys_sim::record::SgdPath;

use super::{headline, points};
use crate::canvas::{self, Canvas};
use crate::chart::{self, Frame, Label, Panel, Sample};
use crate::scale::{Axis, number};
use crate::style::{BLUE, GREY, INK, MARK, Marker, PANEL_KEY, PANEL_TITLE, SKY, Stroke, VERMILION, WIDTH};
use crate::{Picture, Result};

const HEIGHT: f64 = 458.0;
const TOP: f64 = 134.0;
const BOTTOM: f64 = 406.0;
/// Bars of the histogram of iterates.
const BARS: usize = 30;

pub(super) fn picture(name: &str, path: &SgdPath) -> Result<Picture> {
    let (minimiser, _) = path.loss.minimum();
    let mean = path.running_mean[path.running_mean.len() - 1];
    let title = match flat_side(path, minimiser) {
        Some(side) if side * (mean - minimiser) > 0.0 => "SGD’s average lies on the flat side",
        _ => "SGD and its average",
    }
    .to_owned();
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &path.setting)?;
        valley(canvas, path, minimiser, mean)?;
        course(canvas, path, minimiser)
    })?;
    let caption = format!(
        "(a) The function, and how often SGD visits each place. (b) The iterates wₜ and their running mean w̄ₜ. After \
         {steps} steps the mean is {mean}, the minimiser is {minimiser}. Setting: {setting}.",
        steps = path.iterates.len() - 1,
        mean = number(mean),
        minimiser = number(minimiser),
        setting = path.setting,
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

/// The sign of the side on which the function rises less, at the largest distance sampled on both; `None` if it rises
/// equally.
fn flat_side(path: &SgdPath, minimiser: f64) -> Option<f64> {
    let offsets = path.loss.offsets();
    let reach = (minimiser - offsets[0]).min(offsets[offsets.len() - 1] - minimiser);
    let (left, right) = (path.loss.at(minimiser - reach)?, path.loss.at(minimiser + reach)?);
    if right < left {
        Some(1.0)
    } else if left < right {
        Some(-1.0)
    } else {
        None
    }
}

/// The function with a histogram of the iterates below it.
fn valley(canvas: &mut Canvas<'_>, path: &SgdPath, minimiser: f64, mean: f64) -> Result<()> {
    let x = Axis::tight("w", path.loss.offsets().iter().chain(&path.iterates).copied())?;
    let y = Axis::roomy("loss L(w)", path.loss.losses().iter().copied())?;
    let (low, width) = (x.low(), (x.high() - x.low()) / BARS as f64);
    let (floor, full) = (y.low(), 0.4 * (y.high() - y.low()));
    let panel = Panel::new(Frame::new(66.0, TOP, 360.0, BOTTOM), x, y);
    panel.title(canvas, PANEL_TITLE, "(a) where SGD stays")?;
    panel.axes(canvas)?;
    let mut visits = [0_usize; BARS];
    for &iterate in &path.iterates {
        visits[(((iterate - low) / width) as usize).min(BARS - 1)] += 1;
    }
    let most = visits.iter().copied().max().unwrap_or(1) as f64;
    for (i, &count) in visits.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (from, to) = (low + i as f64 * width, low + (i + 1) as f64 * width);
        let height = floor + full * count as f64 / most;
        canvas.rectangle(panel.at(from, height), panel.at(to, floor), SKY, 0.55)?;
    }
    panel.marks(canvas, &[Label::new(minimiser, "minimiser", INK), Label::new(mean, "average w̄", VERMILION)])?;
    panel.curve(canvas, points(path.loss.offsets(), path.loss.losses()), Stroke::new(BLUE))?;
    if let Some(loss) = path.loss.at(mean) {
        panel.marker(canvas, (mean, loss), Marker::Diamond, VERMILION)?;
    }
    if let Some(loss) = path.loss.at(minimiser) {
        panel.marker(canvas, (minimiser, loss), Marker::Disc, INK)?;
    }
    let signs = [(Sample::Line(Stroke::new(BLUE)), "loss L(w)"), (Sample::Area(SKY, 0.55), "visits of SGD")];
    chart::key(canvas, (66.0, 400.0), PANEL_KEY, &signs)
}

/// Iterates and running mean against the step.
fn course(canvas: &mut Canvas<'_>, path: &SgdPath, minimiser: f64) -> Result<()> {
    let steps = || (0..path.iterates.len()).map(|t| t as f64);
    let panel = Panel::new(
        Frame::new(440.0, TOP, 716.0, BOTTOM),
        Axis::tight("step t", steps())?.counting(),
        Axis::roomy("w", path.iterates.iter().chain(&path.running_mean).chain([&minimiser]).copied())?,
    );
    panel.title(canvas, PANEL_TITLE, "(b) the path and its running mean")?;
    panel.axes(canvas)?;
    panel.horizontal(canvas, minimiser, MARK)?;
    panel.curve(canvas, steps().zip(path.iterates.iter().copied()), Stroke::new(SKY).width(1.2))?;
    panel.curve(canvas, steps().zip(path.running_mean.iter().copied()), Stroke::new(VERMILION).width(2.5))?;
    let last = path.running_mean.len() - 1;
    panel.marker(canvas, (last as f64, path.running_mean[last]), Marker::Diamond, VERMILION)?;
    let labels = [Label::new(path.running_mean[last], "mean w̄ₜ", VERMILION), Label::new(minimiser, "minimiser", GREY)];
    panel.labels_at_right(canvas, &labels)?;
    let signs = [
        (Sample::Line(Stroke::new(SKY).width(1.2)), "iterates wₜ"),
        (Sample::Line(Stroke::new(VERMILION).width(2.5)), "running mean w̄ₜ"),
    ];
    chart::key(canvas, (440.0, WIDTH), PANEL_KEY, &signs)
}
