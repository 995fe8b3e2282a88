//! The noise of minibatch gradients along a direction: how long it remembers.

use valleys_sim::record::GradientNoise;

use super::headline;
use crate::canvas;
use crate::chart::{Frame, Panel};
use crate::scale::{Axis, number};
use crate::style::{AXIS, BLUE, GREY, Marker, PANEL_TITLE, Stroke, WIDTH};
use crate::{Picture, Result, words};

const HEIGHT: f64 = 390.0;
const TOP: f64 = 86.0;
const BOTTOM: f64 = 338.0;

pub(super) fn picture(name: &str, it: &GradientNoise) -> Result<Picture> {
    let title = format!("Gradient noise along u: {}", it.title);
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &size(it))?;
        let lags = it.autocorrelation.iter().map(|row| row.lag as f64);
        let heights = it.autocorrelation.iter().flat_map(|row| [row.value, row.band, -row.band]);
        let panel = Panel::new(
            Frame::new(84.0, TOP, WIDTH - 24.0, BOTTOM),
            Axis::roomy("lag, in steps", lags.chain([0.0, 1.0]))?.counting(),
            Axis::roomy("autocorrelation", heights.chain([0.0, 0.1, -0.1]))?,
        );
        panel.title(canvas, PANEL_TITLE, "autocorrelation")?;
        panel.axes(canvas)?;
        if it.autocorrelation.is_empty() {
            return panel.notice(canvas, "the noise is constant");
        }
        let band: Vec<_> = it.autocorrelation.iter().map(|row| (row.lag as f64, -row.band, row.band)).collect();
        panel.band(canvas, &band, GREY, 0.15)?;
        panel.horizontal(canvas, 0.0, AXIS)?;
        for row in &it.autocorrelation {
            let at = row.lag as f64;
            panel.curve(canvas, [(at, 0.0), (at, row.value)], Stroke::new(BLUE))?;
            panel.marker(canvas, (at, row.value), Marker::Disc, BLUE)?;
        }
        Ok(())
    })?;
    let shown = format!(
        "⟨ω_t, u⟩, minibatch gradient less full gradient, over {} steps. Within the grey band a correlation is what \
         independent noise shows (Bartlett).",
        it.count
    );
    let momentum = if it.momentum > 0.0 {
        format!("With momentum {} Theorem 2’s hypotheses on the noise are not met.", number(it.momentum))
    } else {
        String::new()
    };
    let caption: Vec<String> = [shown, tail(it), momentum, words::measured(&it.setting)]
        .into_iter()
        .filter(|sentence| !sentence.is_empty())
        .collect();
    Ok(Picture { name: name.to_owned(), title, caption: caption.join(" "), svg })
}

/// Size and mean of the noise.
pub(crate) fn size(it: &GradientNoise) -> String {
    format!(
        "standard deviation {}, largest {}, mean {} ({} to {})",
        number(it.variance.sqrt()),
        number(it.largest),
        number(it.mean.estimate),
        number(it.mean.low),
        number(it.mean.high)
    )
}

/// The tail, in a sentence.
fn tail(it: &GradientNoise) -> String {
    it.tail.map_or_else(
        || "The sizes of the tail are equal.".to_owned(),
        |tail| {
            format!(
                "Hill’s tail index is {} ± {} from the {} largest: 2 or less would mean no finite variance.",
                number(tail.index),
                number(tail.standard_error),
                tail.used
            )
        },
    )
}
