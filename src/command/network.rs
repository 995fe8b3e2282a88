//! The deep-net steps that `reproduce`, `train` and `landscape line` share.

use std::path::Path;

use valleys_figures::words::{self, number};
use valleys_harness::checkpoint;
use valleys_harness::data::{Dataset, Normalisation, synthetic};
use valleys_harness::landscape::{Probe, direction, interpolation, line};
use valleys_harness::model::Graph;
use valleys_harness::params::Weights;
use valleys_harness::preset::Preset;
use valleys_harness::train::{Recipe, Trainer};
use valleys_sim::Seed;
use valleys_sim::asymmetry::Criteria;
use valleys_sim::direction::Family;
use valleys_sim::record::{LineJudgement, Record, Solution, Solutions, Training};

use super::certify::{SHIFT_RADIUS, SHIFTS, measure_shift};
use super::data::{self, Source};
use crate::cli::DATA_FOLDER;
use crate::config::Data;
use crate::error::Result;
use crate::output;
use crate::points::PointFile;
use crate::run_folder::RunFolder;
use crate::session::{Session, wrong_kind};

/// The images `--data` names, or the embedded ones; as many of them as the experiment asks for, or all there are, and
/// then the experiment is told so.
pub(super) fn dataset(data: Option<&Path>, experiment: &mut Preset, seed: Seed) -> Result<Dataset> {
    let whole = match data {
        None => None,
        Some(data) => match data::source(data, Path::new(DATA_FOLDER))? {
            Source::Drawn => None,
            Source::Stored { place, kind } => Some(data::open(&place, kind, seed)?.dataset),
        },
    };
    let data = match whole {
        None => synthetic::draw(experiment.train_images, experiment.test_images, seed)?,
        Some(whole) => {
            experiment.train_images = experiment.train_images.min(whole.train().len());
            experiment.test_images = experiment.test_images.min(whole.test().len());
            let spec = &mut experiment.landscape;
            spec.statistics_images = spec.statistics_images.min(experiment.train_images);
            spec.train_images = spec.train_images.min(experiment.train_images);
            spec.test_images = spec.test_images.min(experiment.test_images);
            whole.reduced(experiment.train_images, experiment.test_images, seed)?
        }
    };
    // The official code has constants of its own for VGG, where the images are photographs.
    let vgg = experiment.training.architecture.name().starts_with("vgg");
    let photographs = data.normalisation() == Normalisation::CIFAR;
    Ok(if vgg && photographs { data.with_normalisation(Normalisation::VGG) } else { data })
}

/// What the configuration says of a data set.
pub(super) fn describe(data: &Dataset) -> Data {
    Data {
        name: data.name().to_string(),
        sha256: data.checksum().to_string(),
        train_images: data.train().len(),
        test_images: data.test().len(),
    }
}

/// The two solutions of a run.
pub(super) struct Pair {
    pub(super) swa: Weights<f32>,
    pub(super) sgd: Weights<f32>,
}

impl Pair {
    pub(super) fn load(folder: &RunFolder, graph: &Graph) -> Result<Self> {
        let load =
            |name: &str| checkpoint::load(&folder.path(&format!("checkpoints/{name}.safetensors")), graph.layout());
        Ok(Self { swa: load("swa")?, sgd: load("sgd-after-swa")? })
    }
}

/// Trains with averaging, then with SGD from the average, and measures both solutions. Continues where a run stopped.
pub(super) fn train(session: &mut Session, command: &str, recipe: &Recipe, data: &Dataset) -> Result<()> {
    let network = recipe.config().architecture.title();
    session.folder.update_manifest(|manifest| {
        manifest.data.insert(data.title().to_string(), data.checksum().to_string());
    })?;
    session.step("training", command, |folder, observer| {
        let mut trainer = Trainer::new(recipe, data, Some(&folder.path("checkpoints")), observer)?;
        let swa = trainer.swa()?;
        let sgd = trainer.sgd_after_swa(&swa.solution)?;
        let epochs = [swa.epochs, sgd.epochs].concat();
        folder.write_lines("metrics.jsonl", &epochs)?;
        Ok(Record::Training(Training { title: format!("{network} on {}", data.title()), epochs }))
    })?;
    let record = session.step("solutions", command, |folder, observer| {
        let mut trainer = Trainer::new(recipe, data, None, observer)?;
        let pair = Pair::load(folder, &recipe.config().architecture.graph(data.classes())?)?;
        let mut rows = Vec::new();
        for (name, weights) in [("SWA", &pair.swa), ("SGD", &pair.sgd)] {
            let train = trainer.evaluate(weights, data.train())?;
            let test = trainer.evaluate(weights, data.test())?;
            rows.push(Solution {
                name: format!("{network} {name}"),
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
                vec![row.name.clone(), losses.0, percent(row.train_accuracy), losses.1, percent(row.test_accuracy)]
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
    pub(super) family: Family,
    pub(super) index: u64,
}

impl Ray<'_> {
    /// u, one entry a weight.
    pub(super) fn direction(&self, seed: Seed) -> Result<Vec<f64>> {
        Ok(direction::draw(self.centre, self.family, &direction::Restriction::None, seed, self.index)?)
    }
}

/// Measures a line, its shift gap first, so that the certificate can be matched to it. Prints one row.
pub(super) fn ray(
    session: &mut Session,
    command: &str,
    ray: &Ray<'_>,
    experiment: &Preset,
    probe: &mut Probe,
    seed: Seed,
) -> Result<LineJudgement> {
    let criteria = Criteria::default().with_seed(seed);
    let record = session.step(ray.name, command, |folder, observer| {
        let u = ray.direction(seed)?;
        let mut store = PointFile::open(folder.path(&format!("points/{}.jsonl", ray.name)))?;
        let offsets = experiment.offsets()?;
        let points = line::points(probe, ray.centre, &u, &offsets, &mut store, observer)?;
        let gaps = line::shift(&ray.title, &points, SHIFT_RADIUS * experiment.reach, 2 * SHIFTS + 1)?;
        let caption = line::Caption {
            title: ray.title.clone(),
            family: ray.family.to_string(),
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

/// Measures the line through both solutions.
pub(super) fn between(
    session: &mut Session,
    command: &str,
    title: &str,
    pair: &Pair,
    experiment: &Preset,
    probe: &mut Probe,
    seed: Seed,
) -> Result<()> {
    let criteria = Criteria::default().with_seed(seed);
    session.step("interpolation", command, |folder, observer| {
        let mut store = PointFile::open(folder.path("points/interpolation.jsonl"))?;
        let shares = experiment.shares()?;
        let points = interpolation::points(probe, &pair.swa, &pair.sgd, &shares, &mut store, observer)?;
        let distance = interpolation::distance(&pair.swa, &pair.sgd);
        Ok(Record::Interpolation(interpolation::interpolation(title, &points, distance, &criteria)?))
    })?;
    Ok(())
}
