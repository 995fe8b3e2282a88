//! One picture a file, in the order of the story.

mod appendix_a;
mod bias_map;
mod comparison;
mod controls;
mod curvature;
mod exact_law;
mod forest;
mod front;
mod gradient_noise;
mod inter_rand;
mod interpolation;
mod intervention;
mod line;
mod map;
mod minima;
mod neighbourhood;
mod phase_map;
mod plane;
mod prevalence;
mod rays;
mod sgd_path;
mod shift;
mod shift_law;
mod sign_consistency;
mod thresholds;
mod tightness;
mod training;
mod trajectory;

pub(crate) use gradient_noise::size as noise_size;
pub(crate) use inter_rand::summary as inter_rand_summary;
pub(crate) use intervention::prediction as intervention_prediction;
pub(crate) use rays::summary as rays_summary;
pub(crate) use shift_law::{balance as shift_balance, promise as shift_promise};
use valleys_sim::record::Record;

use crate::canvas::{Anchor, Canvas, Text, fitted};
use crate::style::{GREY, MARGIN, SMALL, WIDTH};
use crate::{Picture, Result, check};

/// The pictures of a record kept under `name`, the main one first and under that name. Claims, what a line says of the
/// theorems, solutions and Table 1 are tables, and have none.
///
/// # Errors
/// [`Error::Record`](crate::Error::Record) names a field whose columns do not match or that is not finite.
pub fn render(name: &str, record: &Record) -> Result<Vec<Picture>> {
    check::record(record)?;
    match record {
        Record::Minima(minima) => minima::picture(name, minima).map(|it| vec![it]),
        Record::SgdPath(path) => sgd_path::picture(name, path).map(|it| vec![it]),
        Record::Tightness(tightness) => tightness::picture(name, tightness).map(|it| vec![it]),
        Record::BiasMap(map) => bias_map::picture(name, map).map(|it| vec![it]),
        Record::PhaseMap(map) => phase_map::pictures(name, map),
        Record::Thresholds(thresholds) => thresholds::picture(name, thresholds).map(|it| vec![it]),
        Record::ExactLaw(law) => exact_law::picture(name, law).map(|it| vec![it]),
        Record::AppendixA(appendix) => appendix_a::picture(name, appendix).map(|it| vec![it]),
        Record::Training(training) => training::picture(name, training).map(|it| vec![it]),
        Record::Line(line) => Ok([line::picture(name, line)?].into_iter().chain(front::picture(name, line)?).collect()),
        Record::Shift(shift) => shift::picture(name, shift).map(|it| vec![it]),
        Record::Interpolation(interpolation) => interpolation::picture(name, interpolation).map(|it| vec![it]),
        Record::Prevalence(prevalence) => prevalence::picture(name, prevalence).map(|it| vec![it]),
        Record::SignConsistency(signs) => sign_consistency::picture(name, signs).map(|it| vec![it]),
        Record::Neighbourhood(neighbourhood) => neighbourhood::picture(name, neighbourhood).map(|it| vec![it]),
        Record::Trajectory(trajectory) => trajectory::picture(name, trajectory).map(|it| vec![it]),
        Record::InterRand(lines) => inter_rand::picture(name, lines).map(|it| vec![it]),
        Record::Rays(rays) => rays::picture(name, rays).map(|it| vec![it]),
        Record::Plane(plane) => plane::picture(name, plane).map(|it| vec![it]),
        Record::Controls(controls) => controls::picture(name, controls).map(|it| vec![it]),
        Record::ShiftLaw(law) => shift_law::picture(name, law).map(|it| vec![it]),
        Record::Intervention(intervention) => intervention::picture(name, intervention).map(|it| vec![it]),
        Record::Curvature(curvature) => curvature::picture(name, curvature).map(|it| vec![it]),
        Record::GradientNoise(noise) => gradient_noise::picture(name, noise).map(|it| vec![it]),
        Record::Comparison(comparison) => comparison::picture(name, comparison).map(|it| vec![it]),
        Record::Claims(_) | Record::Theory(_) | Record::Solutions(_) | Record::Table1(_) => Ok(Vec::new()),
    }
}

/// The headline of a sheet and, below it in grey, what was measured, both cut to the width of the sheet.
fn headline(canvas: &mut Canvas<'_>, title: &str, below: &str) -> Result<()> {
    let title_look = Text::new(Anchor::Start).size(15.0).bold();
    let below_look = Text::new(Anchor::Start).size(SMALL).colour(GREY);
    for (baseline, look, text) in [(24.0, title_look, title), (43.0, below_look, below)] {
        canvas.text((MARGIN, baseline), look, &fitted(text, &look, WIDTH - 2.0 * MARGIN)?)?;
    }
    Ok(())
}

/// Data points of two columns.
fn points<'a>(x: &'a [f64], y: &'a [f64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    x.iter().copied().zip(y.iter().copied())
}
