//! Theorem 2: the thresholds in c, computed, beside those that suffice.

use plotters::style::RGBColor;
use valleys_sim::record::{Threshold, ThresholdCurve, ThresholdPoint, Thresholds};

use super::{headline, points};
use crate::canvas::{self, Canvas};
use crate::chart::{self, Frame, Panel, Sample};
use crate::scale::{Axis, number};
use crate::style::{BLUE, Dash, GREEN, INK, Marker, PANEL_KEY, PANEL_TITLE, PURPLE, Stroke, VERMILION, WIDTH};
use crate::{Picture, Result};

const HEIGHT: f64 = 500.0;
const TOP: f64 = 146.0;
const BOTTOM: f64 = 446.0;
/// Left and right edges of the panels.
const PANELS: [(f64, f64); 3] = [(62.0, 282.0), (316.0, 536.0), (570.0, 790.0)];
/// Radius of a marker among many.
const RADIUS: f64 = 3.0;
const SUFFICIENT: Stroke = Stroke::new(INK).width(1.6).dash(Dash::Dashed);
const LOOKS: [(Marker, RGBColor); 4] =
    [(Marker::Disc, BLUE), (Marker::Diamond, GREEN), (Marker::Triangle, VERMILION), (Marker::Ring, PURPLE)];

pub(super) fn picture(name: &str, thresholds: &Thresholds) -> Result<Picture> {
    let title = "Theorem 2: the asymmetry it takes, in theory and computed".to_owned();
    let named = |start: &str| thresholds.sufficient.iter().find(|it| it.name.starts_with(start));
    let (long_run, round) = (named("(L)"), named("(C)"));
    let panels = [
        ("(a) mean of all iterates", &thresholds.long_run, long_run, "(L) suffices"),
        ("(b) mean of every round", &thresholds.round, round, "(C) suffices"),
        ("(c) all iterates, momentum", &thresholds.momentum, long_run, "(L), without momentum"),
    ];
    let c = panels.iter().flat_map(|(_, curves, line, _)| {
        let points = curves.iter().flat_map(|curve| &curve.points);
        let known = points.flat_map(|point| [point.negative, point.threshold, point.certain]);
        known.flatten().chain(line.iter().flat_map(|line| line.c.iter().copied()))
    });
    let c: Vec<f64> = c.collect();
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &thresholds.setting)?;
        for (i, &(title, curves, line, words)) in panels.iter().enumerate() {
            let nu = curves.iter().flat_map(|curve| &curve.points).map(|point| point.nu);
            let nu = nu.chain(line.iter().flat_map(|line| line.nu.iter().copied())).chain([0.0]);
            let panel = Panel::new(
                Frame::new(PANELS[i].0, TOP, PANELS[i].1, BOTTOM),
                Axis::roomy("noise bound ν / a₊", nu)?,
                Axis::roomy("asymmetry c", c.iter().copied())?,
            );
            draw(canvas, &panel, title, curves, line)?;
            if i == 0 {
                panel.y_name(canvas, 44.0)?;
            }
            let looks = curves.iter().zip(LOOKS.iter().cycle());
            let mut signs: Vec<_> =
                looks.map(|(curve, &(marker, colour))| (Sample::Marker(marker, colour), curve.name.as_str())).collect();
            if line.is_some() {
                signs.push((Sample::Line(SUFFICIENT), words));
            }
            chart::key(canvas, (PANELS[i].0, PANELS[i].1 + 10.0), PANEL_KEY, &signs)?;
        }
        Ok(())
    })?;
    let caption = format!(
        "The asymmetry c above which the smallest mean that slopes and noise can bring about is positive, against the \
         noise bound ν. Marks: on a lattice; 0 mean or less at the mark, more than 0 one cell above it. Bars: from the \
         largest c at which some adversary certainly has a negative mean to the smallest from which, with rounding allowed \
         for, none has one; with momentum, b₊ = {b_plus} a₊, the bar ends a cell above the mark and speaks of the lattice \
         alone.{missing} Setting: {setting}.",
        b_plus = number(thresholds.momentum_b_plus),
        missing = missing(&thresholds.momentum, thresholds.momentum_most),
        setting = thresholds.setting,
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

/// What is said of momentum where no threshold was found.
fn missing(curves: &[ThresholdCurve], most: f64) -> String {
    let count = curves.iter().flat_map(|curve| &curve.points).filter(|point| point.threshold.is_none()).count();
    match count {
        0 => String::new(),
        _ => format!(" For {count} settings with momentum no threshold was found up to c = {}.", number(most)),
    }
}

/// The ends of a point's bar.
fn bar(curve: &ThresholdCurve, point: &ThresholdPoint) -> Option<(f64, f64)> {
    let threshold = point.threshold?;
    Some((point.negative.unwrap_or(threshold), point.certain.unwrap_or(threshold + 1.0 / f64::from(curve.cells))))
}

fn draw(
    canvas: &mut Canvas<'_>,
    panel: &Panel,
    title: &str,
    curves: &[ThresholdCurve],
    line: Option<&Threshold>,
) -> Result<()> {
    panel.title(canvas, PANEL_TITLE, title)?;
    panel.y_axis(canvas)?;
    if let Some(line) = line {
        panel.curve(canvas, points(&line.nu, &line.c), SUFFICIENT)?;
    }
    let looks = || curves.iter().zip(LOOKS.iter().cycle());
    for (curve, &(_, colour)) in looks() {
        for piece in curve.points.split(|point| point.threshold.is_none()) {
            let thresholds = piece.iter().filter_map(|point| Some((point.nu, point.threshold?)));
            panel.curve(canvas, thresholds, Stroke::new(colour).width(1.2).opacity(0.7))?;
        }
        for point in &curve.points {
            if let Some((low, high)) = bar(curve, point) {
                let ends = [(point.nu, low), (point.nu, high)];
                panel.curve(canvas, ends, Stroke::new(colour).width(5.0).opacity(0.3))?;
            }
        }
    }
    for (curve, &(marker, colour)) in looks() {
        for point in &curve.points {
            if let Some(threshold) = point.threshold {
                canvas.marker(panel.at(point.nu, threshold), marker, RADIUS, colour)?;
            }
        }
    }
    panel.x_axis(canvas)
}
