//! The law of the shift δ* and its gap over random splits (Assumption 1 of the paper).

use valleys_sim::record::ShiftLaw;

use super::headline;
use crate::canvas::{self, Canvas};
use crate::chart::{Frame, Label, Panel};
use crate::scale::{Axis, number, percent};
use crate::style::{BLUE, GREEN, INK, MARK, PANEL_TITLE, WIDTH};
use crate::{Picture, Result, words};

const HEIGHT: f64 = 446.0;
const TOP: f64 = 112.0;
const BOTTOM: f64 = 394.0;
/// Bars of a histogram.
const BARS: usize = 30;

pub(super) fn picture(name: &str, it: &ShiftLaw) -> Result<Picture> {
    let title = format!("The law of the shift: {}", it.title);
    let below = format!("{} splits: {}", it.delta.len(), balance(it));
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &below)?;
        let delta = histogram(canvas, ("(a) the shift", 66.0), ("δ*", &it.delta), BLUE)?;
        let median = it.delta_quantiles.q50;
        delta.vertical(canvas, 0.0, MARK)?;
        delta.marks(canvas, &[Label::new(median, format!("median {}", number(median)), INK)])?;
        let gap = histogram(canvas, ("(b) its gap", 476.0), ("ξ(δ*)", &it.gap), GREEN)?;
        let median = it.gap_quantiles.q50;
        gap.marks(canvas, &[Label::new(median, format!("median {}", number(median)), INK)])
    })?;
    let examples = if it.pooled {
        "from one pool, so that q is near ½ by construction"
    } else {
        "of the training and of the test images, each by themselves"
    };
    let caption = format!(
        "Shift δ* and gap ξ(δ*) on |l| ≤ {}, read towards the flat side, over random halves {examples}: {} training and \
         {} population images a split. The solution stays where it is: it was not trained anew on a split. {} {}",
        number(it.radius),
        it.train_examples,
        it.population_examples,
        promise(it),
        words::measured(&it.setting)
    );
    Ok(Picture { name: name.to_owned(), title, caption: caption.trim_end().to_owned(), svg })
}

/// q with its interval, and whether shifts were cut off.
pub(crate) fn balance(it: &ShiftLaw) -> String {
    let ends = match it.at_end {
        0 => String::new(),
        count => format!("; {count} at an end of the range searched"),
    };
    let (level, low, high) = (percent(it.confidence), number(it.q.low), number(it.q.high));
    format!("P(δ* > 0) = q = {} ({level} {low} to {high}){ends}", number(it.q.estimate))
}

/// Theorem 1 on the splits, in a sentence; empty without a certificate.
pub(crate) fn promise(it: &ShiftLaw) -> String {
    let Some(promise) = &it.promise else {
        return "No certificate matches the shift, so Theorem 1 promises nothing.".to_owned();
    };
    let of = it.delta.len();
    promise.on_covered.map_or_else(
        || format!("Theorem 1’s hypotheses hold together in none of {of} splits."),
        |covered| {
            format!(
                "Theorem 1’s hypotheses hold in {} of {of} splits: with l = {} it promises a mean gain of at least {}, \
                 and {} is seen; {} splits gain less than their own promise.",
                promise.covered,
                number(promise.step),
                number(covered.mean_bound),
                number(covered.gain),
                covered.broken
            )
        },
    )
}

/// A histogram in equal bars.
fn histogram(
    canvas: &mut Canvas<'_>,
    (title, left): (&str, f64),
    (name, values): (&str, &[f64]),
    colour: plotters::style::RGBColor,
) -> Result<Panel> {
    let x = Axis::roomy(name, values.iter().copied())?;
    let (low, width) = (x.low(), (x.high() - x.low()) / BARS as f64);
    let mut counts = [0_u32; BARS];
    values.iter().for_each(|&value| counts[(((value - low) / width) as usize).min(BARS - 1)] += 1);
    let most = f64::from(counts.iter().copied().fold(1, u32::max));
    let y = Axis::tight("splits", [0.0, 1.05 * most])?;
    let panel = Panel::new(Frame::new(left, TOP, left + 300.0, BOTTOM), x, y.counting());
    panel.title(canvas, PANEL_TITLE, title)?;
    panel.axes(canvas)?;
    for (i, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (from, to) = (low + width * i as f64, low + width * (i + 1) as f64);
        panel.band(canvas, &[(from, 0.0, f64::from(count)), (to, 0.0, f64::from(count))], colour, 0.6)?;
    }
    Ok(panel)
}
