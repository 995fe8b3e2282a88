//! The deep-net steps that `reproduce`, `train` and `landscape line` share.

use std::cmp::Ordering;
use std::path::Path;

use valleys_figures::words::{self, number};
use valleys_harness::checkpoint;
use valleys_harness::data::{Dataset, synthetic};
use valleys_harness::landscape::direction::Law;
use valleys_harness::landscape::{Probe, Surface, interpolation, line};
use valleys_harness::model::Architecture;
use valleys_harness::params::Weights;
use valleys_harness::preset::Landscape;
use valleys_harness::train::{Recipe, Trainer};
use valleys_sim::Seed;
use valleys_sim::asymmetry::Criteria;
use valleys_sim::record::{Interpolation, LineJudgement, Record, Solution, Solutions, Training};

use super::certify::{SHIFT_RADIUS, SHIFTS, measure_shift};
use super::data::{self, DRAWN, Source};
use crate::cli::DATA_FOLDER;
use crate::config::{Data, usage};
use crate::error::{Error, Result};
use crate::json_lines::JsonLines;
use crate::output::{self, note};
use crate::session::{Session, wrong_kind};
use crate::settings::Images;

/// The images in a place, or the embedded ones; as many of them as are wanted, or all there are, and what is left out is
/// said.
pub(super) fn dataset(place: Option<&Path>, wanted: &Images, network: Architecture, seed: Seed) -> Result<Dataset> {
    let source = match place {
        None => Source::Drawn,
        Some(place) => data::source(place, Path::new(DATA_FOLDER))?,
    };
    let data = match source {
        Source::Drawn => {
            let count = |wanted: Option<usize>| wanted.unwrap_or(DRAWN);
            synthetic::draw(count(wanted.train_images), count(wanted.test_images), seed)?
        }
        Source::Stored { place, kind } => {
            let whole = data::open(&place, kind, seed)?.dataset;
            let count = |split: &str, wanted: Option<usize>, there: usize| {
                let wanted = wanted.unwrap_or(there);
                match wanted.cmp(&there) {
                    Ordering::Less => note(format_args!("{wanted} of {there} {split} images, chosen by the seed")),
                    Ordering::Equal => {}
                    Ordering::Greater => note(format_args!("{wanted} {split} images are wanted; {there} are there")),
                }
                wanted.min(there)
            };
            let train = count("training", wanted.train_images, whole.train().len());
            let test = count("test", wanted.test_images, whole.test().len());
            match (train, test) == (whole.train().len(), whole.test().len()) {
                true => whole,
                false => whole.reduced(train, test, seed)?,
            }
        }
    };
    let data = if wanted.held_out > 0 { data.hold_out(wanted.held_out, seed).map_err(usage)? } else { data };
    if let Some(sha256) = wanted.sha256.as_deref().filter(|sha256| *sha256 != data.checksum()) {
        let problem = format!(
            "the images have the checksum {}; allowed: data.sha256, {sha256}, or no such line in the settings",
            data.checksum()
        );
        return Err(Error::Failed(problem));
    }
    Ok(data.for_network(network))
}

/// What the configuration says of a data set.
pub(super) fn describe(data: &Dataset) -> Data {
    Data {
        name: data.name().to_string(),
        sha256: data.checksum().to_string(),
        train_images: data.train().len() + data.held_out().map_or(0, |set| set.len()),
        test_images: data.test().len(),
        held_out: data.held_out().map_or(0, |set| set.len()),
    }
}

/// The same images again, for a run's solutions to be measured on.
pub(super) fn images(described: &Data) -> Images {
    Images {
        train_images: Some(described.train_images),
        test_images: Some(described.test_images),
        held_out: described.held_out,
        ..Images::default()
    }
}

/// Trains all phases, and measures their solutions. Continues where a run stopped.
pub(super) fn train(session: &mut Session, command: &str, recipe: &Recipe, data: &Dataset) -> Result<()> {
    let network = recipe.config().network;
    session.folder.update_manifest(|manifest| {
        manifest.data.insert(data.title().to_string(), data.checksum().to_string());
    })?;
    session.step("training", command, |folder, observer| {
        let phases = Trainer::new(recipe, data, Some(&folder.path("")), observer)?.run()?;
        let epochs = phases.into_iter().flat_map(|phase| phase.epochs).collect();
        Ok(Record::Training(Training { title: format!("{} on {}", network.title(), data.title()), epochs }))
    })?;
    let record = session.step("solutions", command, |folder, observer| {
        let mut trainer = Trainer::new(recipe, data, None, observer)?;
        let mut rows = Vec::new();
        for phase in recipe.phases() {
            let path = folder.path(&format!("checkpoints/{}.safetensors", phase.name()));
            let (weights, about) = checkpoint::load_solution(&path, trainer.graph().layout())?;
            let train = trainer.evaluate(&weights, data.train())?;
            let test = trainer.evaluate(&weights, data.test())?;
            rows.push(Solution {
                name: format!("{} {}", network.title(), phase.title()),
                chosen: about.solution,
                train_loss: train.mean_loss(),
                train_accuracy: train.accuracy(),
                test_loss: test.mean_loss(),
                test_accuracy: test.accuracy(),
            });
        }
        let (train, test) = (data.train().len(), data.test().len());
        let setting = format!("{train} training and {test} test images, un-augmented, in evaluation mode");
        Ok(Record::Solutions(Solutions { rows, setting: format!("{}: {setting}", data.title()) }))
    })?;
    if let Record::Solutions(solutions) = record {
        let percent = |share: f64| format!("{:.2} %", 100.0 * share);
        let rows: Vec<_> = solutions
            .rows
            .iter()
            .map(|row| {
                let losses = (number(row.train_loss), number(row.test_loss));
                let name = format!("{} ({})", row.name, row.chosen);
                vec![name, losses.0, percent(row.train_accuracy), losses.1, percent(row.test_accuracy)]
            })
            .collect();
        output::table(&["solution", "train loss", "train accuracy", "test loss", "test accuracy"], &rows)?;
    }
    Ok(())
}

/// A line to measure.
pub(super) struct Ray<'a> {
    /// Its name in the run folder.
    pub(super) name: &'a str,
    /// Title of the record.
    pub(super) title: String,
    /// Where it is centred.
    pub(super) centre: &'a Weights<f32>,
    pub(super) law: &'a Law,
    pub(super) index: u64,
    /// Points to add where the slope changes.
    pub(super) refine: usize,
}

/// Measures a line, its shift gap first, so that the certificate can be matched to it. Prints one row.
pub(super) fn ray(
    session: &mut Session,
    command: &str,
    ray: &Ray<'_>,
    landscape: &Landscape,
    probe: &mut Probe,
    seed: Seed,
) -> Result<LineJudgement> {
    let criteria = Criteria::default().with_seed(seed);
    let record = session.step(ray.name, command, |folder, observer| {
        let u = ray.law.draw(ray.centre, seed, ray.index)?;
        let mut store = JsonLines::open(folder.path(&format!("points/{}.jsonl", ray.name)))?;
        let offsets = landscape.offsets()?;
        let points = line::points(probe, ray.centre, &u, &offsets, &mut store, observer)?;
        let points = line::refine(probe, ray.centre, &u, points, ray.refine, &mut store, observer)?;
        let gaps = line::shift(&ray.title, &points, SHIFT_RADIUS * landscape.reach, 2 * SHIFTS + 1)?;
        let caption = line::Caption {
            title: ray.title.clone(),
            family: ray.law.to_string(),
            index: ray.index,
            setting: probe.setting(),
        };
        Ok(Record::Line(line::line(caption, &points, &criteria, Some(&gaps))?))
    })?;
    let Record::Line(line) = record else { return Err(wrong_kind(ray.name)) };
    if let Some(test) = &line.test {
        session.step(&format!("{}-shift", ray.name), command, |_, _| {
            Ok(Record::Shift(measure_shift(&line.title, &line.train, test)?))
        })?;
    }
    report_line(&line.family, line.index, &line.judgement)?;
    Ok(line.judgement)
}

fn report_line(family: &str, index: u64, judgement: &LineJudgement) -> Result<()> {
    let sign = if judgement.mirrored { "−" } else { "+" };
    let certificate = judgement
        .canonical
        .as_ref()
        .map_or_else(String::new, |found| format!(", (r̄, r̲, p, c) = {}", words::four_numbers(found)));
    output::line(format!(
        "line {sign}{family} {index}, R = {}: {}{certificate}",
        number(judgement.half_line),
        words::verdict(judgement.verdict)
    ))
}

/// Measures the line through two named solutions, and tells of it.
pub(super) fn between(
    session: &mut Session,
    command: &str,
    title: &str,
    [(first, start), (second, end)]: [(&str, &Weights<f32>); 2],
    landscape: &Landscape,
    probe: &mut Probe,
    seed: Seed,
) -> Result<Interpolation> {
    let criteria = Criteria::default().with_seed(seed);
    let record = session.step("interpolation", command, |folder, observer| {
        let mut store = JsonLines::open(folder.path("points/interpolation.jsonl"))?;
        let shares = landscape.shares()?;
        let points = interpolation::points(probe, start, end, &shares, &mut store, observer)?;
        let distance = interpolation::distance(start, end);
        let names = (title, [first, second]);
        Ok(Record::Interpolation(interpolation::interpolation(names, &points, distance, &criteria)?))
    })?;
    let Record::Interpolation(it) = record else { return Err(wrong_kind("interpolation")) };
    let certificate = it.judgement.canonical.as_ref().map_or_else(String::new, |found| {
        let side = if it.judgement.mirrored { "sharp" } else { "flat" };
        format!(", (r̄, r̲, p, c) = {}, {first} on the {side} side", words::four_numbers(found))
    });
    let verdict = words::verdict(it.judgement.verdict);
    let (distance, bump) = (number(it.distance), number(it.bump));
    output::line(format!("{first} to {second}, distance {distance}, bump {bump}: {verdict}{certificate}"))?;
    Ok(it)
}
