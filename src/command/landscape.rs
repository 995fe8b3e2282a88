//! `valleys landscape`: what the loss looks like around a trained solution.

use std::sync::Arc;

use valleys_harness::data::synthetic;
use valleys_harness::landscape::direction::Law;
use valleys_harness::landscape::{BatchNorm, Probe};
use valleys_harness::preset::Landscape;
use valleys_sim::direction::Family;

use super::network::{self, Ray};
use crate::cli;
use crate::config::{Config, Lines, usage};
use crate::error::{Error, Result};
use crate::run_folder::{RunFolder, read_toml};
use crate::session::Session;

/// One line through a solution of a run.
pub(crate) fn line(options: &cli::Line) -> Result<()> {
    let family: Family = options.family.parse().map_err(usage)?;
    if options.points.is_some_and(|points| points < 3 || points % 2 == 0) {
        return Err(Error::Usage(format!("--points is {}; allowed: odd, at least 3", options.points.unwrap_or(0))));
    }
    if options.radius.is_some_and(|radius| !(radius.is_finite() && radius > 0.0)) {
        return Err(Error::Usage(format!("--radius is {}; allowed: > 0", options.radius.unwrap_or(0.0))));
    }
    let source = RunFolder::existing(&options.run)?;
    let same = |out: &std::path::PathBuf| out.canonicalize().ok() == options.run.canonicalize().ok();
    if options.output.out.as_ref().is_some_and(same) {
        return Err(Error::Usage(format!("--out is {}; allowed: another folder than the run", options.run.display())));
    }
    let trained: Config = read_toml(&source.path("config.toml"))?;
    let (Some(training), Some(landscape), Some(images)) = (trained.training, trained.landscape, &trained.data) else {
        return Err(Error::file(&options.run, "trained no network; a run of `valleys train` or `reproduce` is needed"));
    };
    let seed = trained.seed;
    let strangers = || {
        let problem = format!("was trained on {}, not on these images; --data says where they are", images.name);
        Error::file(&options.run, problem)
    };
    if options.data.is_none() && images.name != synthetic::NAME {
        return Err(strangers());
    }
    let architecture = training.network;
    let data = network::dataset(options.data.as_deref(), &network::images(images), architecture, seed)?;
    if data.checksum() != images.sha256 {
        return Err(strangers());
    }
    let landscape = changed(landscape, options);
    let graph = Arc::new(architecture.graph(data.classes())?);
    let phases: Vec<&str> = training.phases.iter().map(|phase| phase.name.as_str()).collect();
    let last = phases.last().copied().unwrap_or_default();
    let solution = options.solution.as_deref().unwrap_or(last);
    if !phases.contains(&solution) {
        return Err(Error::Usage(format!("--solution is {solution}; allowed: {}", phases.join(", "))));
    }
    let centre = network::solution(&source, solution, architecture, &data, &graph)?;
    let mut probe = Probe::new(&graph, &data, landscape.spec.clone()).map_err(usage)?;
    let config = Config {
        data: trained.data.clone(),
        training: Some(training.clone()),
        landscape: Some(landscape.clone()),
        lines: Some(Lines { through: solution.to_string(), directions: vec![(family.to_string(), options.index)] }),
        ..Config::of("landscape line", seed)
    };
    let name = format!("line-{}-{}", family.to_string().replace(':', "-"), options.index);
    let mut session = Session::open(&options.output, &format!("valleys-run-{name}"), &config, seed)?;
    let ray = Ray {
        name: &name,
        title: format!("{} on {}, {solution} solution", architecture.title(), data.title()),
        centre: &centre,
        law: &Law::of(family),
        index: options.index,
        refine: 0,
    };
    let command = session.folder.manifest().command.clone();
    network::ray(&mut session, &command, &ray, &landscape, &mut probe, seed)?;
    session.finish()
}

/// The run's way of measuring, with what the command line changes.
fn changed(mut landscape: Landscape, options: &cli::Line) -> Landscape {
    landscape.reach = options.radius.unwrap_or(landscape.reach);
    landscape.points = options.points.unwrap_or(landscape.points);
    let spec = &mut landscape.spec;
    spec.backend = options.backend.map_or(spec.backend, Into::into);
    if let Some(images) = options.images {
        (spec.statistics_images, spec.train_images, spec.test_images) = (images, images, images);
    }
    spec.batch_norm = match options.bn {
        Some(cli::BatchNorm::Recompute) => BatchNorm::Recompute,
        Some(cli::BatchNorm::Frozen) => BatchNorm::Frozen,
        None => spec.batch_norm,
    };
    landscape
}
