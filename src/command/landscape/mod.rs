//! `valleys landscape`: what the loss looks like around a trained solution, one experiment a function.

mod between;
mod counts;
mod directions;
mod evidence;
mod gradients;
mod laboratory;
mod through;
mod trained;

use valleys_harness::landscape::Store;
use valleys_harness::landscape::direction::{Law, Restriction};
use valleys_harness::params::Group;
use valleys_sim::progress::Observer;
use valleys_sim::record::Record;

use crate::cli::Landscape;
use crate::cli::landscape::{Direction, Groups};
use crate::config::usage;
use crate::error::Result;
use crate::json_lines::JsonLines;
use crate::session::Session;

pub(crate) use counts::Counts;
pub(crate) use laboratory::{LINES, check_everything_of_run, everything_of_run, lines_of_run};

pub(crate) fn run(experiment: &Landscape) -> Result<()> {
    match experiment {
        Landscape::All(options) => laboratory::run(options),
        Landscape::Line(options) => through::line(options),
        Landscape::Shift(options) => through::shift(options),
        Landscape::Prevalence(options) => directions::prevalence(options),
        Landscape::Neighbourhood(options) => through::neighbourhood(options),
        Landscape::Trajectory(options) => through::trajectory(options),
        Landscape::Interpolation(options) => between::interpolation(options),
        Landscape::InterRand(options) => between::inter_rand(options),
        Landscape::Rays(options) => between::rays(options),
        Landscape::BatchNorm(options) => directions::batch_norm(options),
        Landscape::SignConsistency(options) => directions::sign_consistency(options),
        Landscape::Plane(options) => between::plane(options),
        Landscape::Controls(options) => through::controls(options),
        Landscape::ShiftLaw(options) => evidence::shift_law(options),
        Landscape::Intervention(options) => evidence::intervention(options),
        Landscape::Theory(options) => evidence::theory(options),
        Landscape::Curvature(options) => gradients::curvature(options),
        Landscape::GradientNoise(options) => gradients::gradient_noise(options),
    }
}

/// One experiment as a step of its own run: the points of its cells go to `points/NAME.jsonl`.
fn measured(
    session: &mut Session,
    name: &str,
    work: impl FnOnce(&mut dyn Store, &dyn Observer) -> valleys_harness::Result<Record>,
) -> Result<Record> {
    let command = session.folder.manifest().command.clone();
    session.step(name, &command, |folder, observer| {
        let mut store = JsonLines::open(folder.path(&format!("points/{name}.jsonl")))?;
        Ok(work(&mut store, observer)?)
    })
}

/// The parameters that directions move.
fn restriction(groups: &Groups) -> Result<Restriction> {
    let parse = |names: &[String]| names.iter().map(|name| name.parse().map_err(usage)).collect::<Result<Vec<Group>>>();
    Ok(match (groups.only.as_slice(), groups.except.as_slice()) {
        ([], []) => Restriction::None,
        (only, []) => Restriction::Only(parse(only)?),
        (_, except) => Restriction::Except(parse(except)?),
    })
}

fn law(family: &str, groups: &Groups) -> Result<Law> {
    Ok(Law { family: family.parse().map_err(usage)?, restriction: restriction(groups)? })
}

fn direction(options: &Direction) -> Result<Law> {
    law(&options.family, &options.groups)
}

/// A law as part of a file's name.
fn in_a_name(law: &Law) -> String {
    law.to_string().replace([':', ' '], "-").replace(',', "")
}
