//! Figure 1 of the paper: sharp, flat and asymmetric minima under a shift, and the biased solution.

use valleys_sim::record::{Minima, MinimumCurve};

use super::{headline, points};
use crate::canvas::{self, Canvas};
use crate::chart::{self, Frame, Label, Panel, Sample};
use crate::scale::{Axis, number};
use crate::style::{BLUE, Dash, GREEN, INK, MARGIN, Marker, Stroke, VERMILION, WIDTH};
use crate::{Picture, Result};

const HEIGHT: f64 = 652.0;
const TRAINING: Stroke = Stroke::new(BLUE);
const PLUS: Stroke = Stroke::new(VERMILION).width(1.5).dash(Dash::Dashed);
const MINUS: Stroke = Stroke::new(VERMILION).width(1.5).dash(Dash::Dotted);
const EXPECTED: Stroke = Stroke::new(GREEN).width(3.0);

pub(super) fn picture(name: &str, minima: &Minima) -> Result<Picture> {
    let title = "Sharp, flat and asymmetric minima".to_owned();
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        let below =
            format!("training loss L̂ and population loss L(w) = L̂(w − δ) for a shift δ = ±{}", number(minima.shift));
        headline(canvas, &title, &below)?;
        kinds(canvas, minima)?;
        match minima.curves.iter().find(|curve| curve.name == "asymmetric") {
            Some(curve) => bias(canvas, minima, curve),
            None => Ok(()),
        }
    })?;
    let caption = format!(
        "(a) Each kind of minimum with its training loss and the two population losses that a shift of ±{shift} makes \
         of it; the ring marks the population loss at the training minimum, averaged over both shifts. \
         (b) In the asymmetric valley the expected population loss is {at_minimiser} at the training minimum ŵ* and \
         {at_biased} at the solution w̃ = ŵ* + {biased}: the biased solution is {better}.",
        shift = number(minima.shift),
        at_minimiser = number(minima.expected_at_minimiser),
        at_biased = number(minima.expected_at_biased),
        biased = number(minima.biased),
        better = if minima.expected_at_biased < minima.expected_at_minimiser { "better" } else { "not better" },
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

/// The upper row: one panel a kind of minimum, all on the same scales.
fn kinds(canvas: &mut Canvas<'_>, minima: &Minima) -> Result<()> {
    let signs: [(Sample, &str); 4] = [
        (Sample::Line(TRAINING), "training loss L̂"),
        (Sample::Line(PLUS), "population loss L, shift to the right"),
        (Sample::Line(MINUS), "shift to the left"),
        (Sample::Marker(Marker::Ring, VERMILION), "E L(ŵ*)"),
    ];
    chart::key(canvas, (66.0, WIDTH - MARGIN), 68.0, &signs)?;
    let values = || minima.curves.iter().flat_map(|it| [&it.training, &it.population_plus, &it.population_minus]);
    let count = minima.curves.len() as f64;
    let (left, gap) = (66.0, 36.0);
    let width = (WIDTH - MARGIN - left - gap * (count - 1.0)) / count;
    for (i, curve) in minima.curves.iter().enumerate() {
        let from = left + i as f64 * (width + gap);
        let panel = Panel::new(
            Frame::new(from, 106.0, from + width, 260.0),
            Axis::tight("w", minima.offsets.iter().copied())?,
            Axis::roomy("loss", values().flatten().copied())?,
        );
        let numbers = panel.y_axis(canvas)?;
        if i == 0 {
            panel.y_name(canvas, 18.0 + numbers)?;
        }
        panel.x_axis(canvas)?;
        panel.title(canvas, 98.0, &format!("{}{}", if i == 0 { "(a) " } else { "" }, curve.name))?;
        panel.curve(canvas, points(&minima.offsets, &curve.population_plus), PLUS)?;
        panel.curve(canvas, points(&minima.offsets, &curve.population_minus), MINUS)?;
        panel.curve(canvas, points(&minima.offsets, &curve.training), TRAINING)?;
        let lowest = lowest(&curve.training);
        let expected = 0.5 * (curve.population_plus[lowest] + curve.population_minus[lowest]);
        panel.marker(canvas, (minima.offsets[lowest], curve.training[lowest]), Marker::Disc, BLUE)?;
        panel.marker(canvas, (minima.offsets[lowest], expected), Marker::Ring, VERMILION)?;
    }
    Ok(())
}

/// The lower row: the asymmetric valley, its expected population loss, and the biased solution.
fn bias(canvas: &mut Canvas<'_>, minima: &Minima, curve: &MinimumCurve) -> Result<()> {
    let expected: Vec<f64> =
        curve.population_plus.iter().zip(&curve.population_minus).map(|(plus, minus)| 0.5 * (plus + minus)).collect();
    let columns = [&curve.training, &curve.population_plus, &curve.population_minus, &expected];
    let panel = Panel::new(
        Frame::new(66.0, 384.0, 620.0, 600.0),
        Axis::tight("w", minima.offsets.iter().copied())?,
        Axis::roomy("loss", columns.into_iter().flatten().copied())?,
    );
    panel.title(canvas, 334.0, "(b) the biased solution in the asymmetric valley")?;
    panel.axes(canvas)?;
    let mean = |point: &str, loss: f64| format!("E L({point}) = {}", number(loss));
    let marks = [
        Label::new(0.0, mean("ŵ*", minima.expected_at_minimiser), INK),
        Label::new(minima.biased, mean("w̃", minima.expected_at_biased), INK),
    ];
    panel.marks(canvas, &marks)?;
    panel.curve(canvas, points(&minima.offsets, &curve.population_plus), PLUS)?;
    panel.curve(canvas, points(&minima.offsets, &curve.population_minus), MINUS)?;
    panel.curve(canvas, points(&minima.offsets, &curve.training), TRAINING)?;
    panel.curve(canvas, points(&minima.offsets, &expected), EXPECTED)?;
    panel.marker(canvas, (0.0, minima.expected_at_minimiser), Marker::Disc, INK)?;
    panel.marker(canvas, (minima.biased, minima.expected_at_biased), Marker::Diamond, INK)?;
    let end = |column: &[f64]| column.last().copied().unwrap_or_default();
    let labels = [
        Label::new(end(&curve.training), "training loss L̂", BLUE),
        Label::new(end(&curve.population_plus), format!("L, δ = +{}", number(minima.shift)), VERMILION),
        Label::new(end(&curve.population_minus), format!("L, δ = −{}", number(minima.shift)), VERMILION),
        Label::new(end(&expected), "E L, their mean", GREEN),
    ];
    panel.labels_at_right(canvas, &labels)
}

fn lowest(losses: &[f64]) -> usize {
    (1..losses.len()).fold(0, |best, i| if losses[i] < losses[best] { i } else { best })
}
