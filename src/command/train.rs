//! `valleys train`: one network, in one phase of SGD or several.

use super::network;
use crate::cli::Train;
use crate::config::{Config, usage};
use crate::error::{Error, Result};
use crate::output;
use crate::session::{Computing, Session};
use crate::settings::{self, Resolved};

pub(crate) fn run(options: &Train) -> Result<()> {
    let Resolved { mut settings, preset, place, seed } = settings::resolve(options)?;
    let recipe = settings.training.clone().check().map_err(usage)?;
    if options.show {
        return output::line(settings::to_file(&settings, preset, seed)?.trim_end());
    }
    let computing = Computing::new(settings.training.backend, &options.runner)?;
    let data = network::dataset(place.as_deref(), &settings.data, recipe.config().network, seed)?;
    if recipe.needs_held_out() && data.held_out().is_none() {
        return Err(Error::Usage("--held-out is 0; allowed: at least 1, for a choice by held-out images".to_string()));
    }
    settings.landscape = settings.landscape.within(data.train().len(), data.test().len());
    let config = Config {
        data: Some(network::describe(&data)),
        training: Some(settings.training),
        landscape: Some(settings.landscape),
        ..Config::of("train", seed)
    };
    let mut session = Session::computing(&options.output, "valleys-run-train", &config, seed, computing)?;
    let command = session.folder.manifest().command.clone();
    network::train(&mut session, &command, &recipe, &data)?;
    session.finish()
}
