//! The ends of the Hessian's spectrum at solutions.

use valleys_sim::record::{Curvature, CurvatureRow};

use super::forest::{self, Row};
use super::headline;
use crate::canvas;
use crate::scale::{Axis, grouped, number, percent};
use crate::style::{BLUE, GREEN, MARK, Marker, ORANGE, PURPLE, VERMILION, WIDTH};
use crate::{Picture, Result};

pub(super) fn picture(name: &str, it: &Curvature) -> Result<Picture> {
    let colours = [BLUE, VERMILION, GREEN, ORANGE, PURPLE].into_iter().cycle();
    let rows: Vec<Row> = it.rows.iter().zip(colours).flat_map(|(row, colour)| ends(row, colour)).collect();
    let reach = rows.iter().flat_map(|row| row.interval).flat_map(|(low, high)| [low, high]);
    let axis = Axis::roomy("eigenvalue of the Hessian", reach.chain([0.0]))?;
    let title = format!("Curvature of the training loss: {}", it.title);
    let svg = canvas::draw(WIDTH, forest::bottom(rows.len()) + 52.0, |canvas| {
        headline(canvas, &title, &it.setting)?;
        forest::draw(canvas, &rows, axis)?.vertical(canvas, 0.0, MARK)
    })?;
    let caption = format!(
        "Largest and smallest Ritz values; bars are residuals (rings: not converged), to which the asymmetry in the \
         tables is to be added. {} Measured: {}.",
        traces(it),
        it.setting
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

/// The largest eigenvalues downwards, then the smallest.
fn ends(it: &CurvatureRow, colour: plotters::style::RGBColor) -> Vec<Row> {
    let spectrum = &it.spectrum;
    let named = |end: &str, i: usize| match i {
        0 => format!("{}: {end}", it.name),
        _ => format!("{}: {end}, number {}", it.name, i + 1),
    };
    let largest = spectrum.largest.iter().enumerate().map(|(i, ritz)| (named("largest", i), ritz));
    let smallest = spectrum.smallest.iter().enumerate().rev().map(|(i, ritz)| (named("smallest", i), ritz));
    let row = |(name, ritz): (String, &valleys_sim::curvature::Ritz)| Row {
        name,
        value: Some((ritz.value, if ritz.converged { Marker::Disc } else { Marker::Ring })),
        interval: Some((ritz.value - ritz.residual, ritz.value + ritz.residual)),
        colour,
        words: format!("{} ± {}", number(ritz.value), number(ritz.residual)),
    };
    largest.chain(smallest).map(row).collect()
}

/// The traces, one sentence a solution.
pub(crate) fn traces(it: &Curvature) -> String {
    let level = percent(it.confidence);
    let trace = |row: &CurvatureRow| {
        format!(
            "At {} the trace over {} weights is {} ({level} {} to {}).",
            row.name,
            grouped(row.spectrum.dimension as u64),
            number(row.trace.estimate),
            number(row.trace.low),
            number(row.trace.high)
        )
    };
    it.rows.iter().map(trace).collect::<Vec<_>>().join(" ")
}
