//! `valleys checkpoint evaluate`: what a network is worth.

use std::sync::Arc;

use serde::Serialize;
use valleys_figures::words::number;
use valleys_harness::data::{Dataset, ImageSet, synthetic};
use valleys_harness::exec::{BackendKind, Executor};
use valleys_harness::interchange;
use valleys_harness::model::Architecture;
use valleys_harness::train;
use valleys_sim::Seed;
use valleys_sim::progress::Observer;

use super::super::network;
use super::{Loaded, Opened};
use crate::backend::choose;
use crate::cli::checkpoint::Evaluate;
use crate::error::{Error, Result};
use crate::output::{self, line, table};
use crate::progress::{Terminal, catch_interrupts};
use crate::settings::Images;

/// What `evaluate` found.
#[derive(Serialize)]
struct Evaluation {
    network: String,
    classes: usize,
    parameters_sha256: String,
    data: String,
    images_sha256: String,
    train: Measured,
    test: Measured,
}

#[derive(Serialize)]
struct Measured {
    images: usize,
    loss: f64,
    accuracy: f64,
}

pub(crate) fn evaluate(options: &Evaluate) -> Result<()> {
    let backend = choose(&options.runner, BackendKind::default())?;
    let opened = Opened::new(&options.stored)?;
    let Loaded { recognised, weights } = opened.load()?;
    let data = images(options, &opened, recognised.architecture)?;
    let classes = recognised.graph.classes();
    if data.classes() != classes {
        let problem = format!("tells {classes} classes apart, {} has {}", data.title(), data.classes());
        return Err(Error::file(&opened.path, problem));
    }
    catch_interrupts()?;
    let observer = Terminal::new();
    observer.begin("evaluating", (data.train().len() + data.test().len()) as u64);
    let mut executor = Executor::on(Arc::clone(&recognised.graph), backend)?;
    let mut measure = |set: &ImageSet| -> Result<Measured> {
        let outcome = train::evaluate(&mut executor, &weights, set, data.normalisation(), &observer)?;
        observer.advance(set.len() as u64);
        Ok(Measured { images: outcome.losses.len(), loss: outcome.mean_loss(), accuracy: outcome.accuracy() })
    };
    let found = Evaluation {
        network: recognised.architecture.to_string(),
        classes,
        parameters_sha256: interchange::checksum(&weights),
        data: data.name().to_owned(),
        images_sha256: data.checksum().to_owned(),
        train: measure(data.train())?,
        test: measure(data.test())?,
    };
    observer.finish();
    if options.json {
        return output::json(&found);
    }
    line(format!("{} on {}", recognised.architecture.title(), data.title()))?;
    let row = |name: &str, seen: &Measured| {
        let accuracy = format!("{:.2} %", 100.0 * seen.accuracy);
        vec![name.to_owned(), seen.images.to_string(), number(seen.loss), accuracy]
    };
    table(&["", "images", "loss", "accuracy"], &[row("train", &found.train), row("test", &found.test)])
}

/// The images to measure on: all that `--data` names; or those of the run, unless another seed is asked for; or the
/// embedded ones. A folder is parted with the run's seed, as it was for the run, unless another is asked for.
fn images(options: &Evaluate, opened: &Opened, architecture: Architecture) -> Result<Dataset> {
    let own = opened.run.as_ref().map(|run| run.seed);
    let seed = options.seed.map(Seed).or(own).unwrap_or(Seed(1));
    let trained = opened.run.as_ref().and_then(|run| run.data.as_ref());
    match (&options.data, options.seed, trained) {
        (None, _, Some(trained)) if trained.name != synthetic::NAME => {
            let problem = format!("was trained on {}; --data says where the images are", trained.name);
            Err(Error::file(&options.stored.file, problem))
        }
        (None, None, Some(trained)) => network::dataset(None, &network::images(trained), architecture, seed),
        (place, _, _) => network::dataset(place.as_deref(), &Images::default(), architecture, seed),
    }
}
