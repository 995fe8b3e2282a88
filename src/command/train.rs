//! `valleys train`: one network, averaged, then SGD from the average.

use valleys_harness::model::Architecture;
use valleys_harness::preset::Preset;
use valleys_sim::Seed;

use super::network;
use crate::cli::Train;
use crate::config::{Config, usage};
use crate::error::Result;
use crate::session::Session;

pub(crate) fn run(options: &Train) -> Result<()> {
    let seed = Seed(options.step.seed);
    let mut experiment = resolve(options, seed)?;
    let recipe = experiment.training.clone().check().map_err(usage)?;
    let data = network::dataset(options.data.as_deref(), &mut experiment, seed)?;
    let described = network::describe(&data);
    let config = Config { data: Some(described), experiment: Some(experiment), ..Config::of("train", seed) };
    let mut session = Session::open(&options.step.output, "valleys-run-train", &config, seed)?;
    let command = session.folder.manifest().command.clone();
    network::train(&mut session, &command, &recipe, &data)?;
    session.finish()
}

/// The preset that fits the data, with what the command line changes.
fn resolve(options: &Train, seed: Seed) -> Result<Preset> {
    let mut preset = if options.data.is_some() { Preset::small(seed) } else { Preset::quick(seed) };
    let training = &mut preset.training;
    if let Some(name) = &options.network {
        training.architecture = Architecture::parse(name).map_err(usage)?;
    }
    if let Some(epochs) = options.epochs {
        // Averaging starts at the same share of the run unless said otherwise.
        let share = f64::from(training.swa_start) / f64::from(training.epochs);
        training.swa_start = ((f64::from(epochs) * share).round() as u32).max(1);
        training.epochs = epochs;
    }
    training.learning_rate = options.learning_rate.unwrap_or(training.learning_rate);
    training.swa_learning_rate = options.swa_rate.unwrap_or(training.swa_learning_rate);
    training.swa_start = options.swa_start.unwrap_or(training.swa_start);
    training.sgd_epochs = options.after_swa.unwrap_or(training.sgd_epochs);
    training.batch_size = options.batch_size.unwrap_or(training.batch_size);
    Ok(preset)
}
