//! A run that trained a network, opened to look at its landscape.

use std::path::Path;
use std::sync::Arc;

use valleys_harness::checkpoint;
use valleys_harness::data::{Dataset, synthetic};
use valleys_harness::landscape::{BatchNorm, PointsInFlight, Probe, Spec};
use valleys_harness::model::{Architecture, Graph, NormWeights};
use valleys_harness::params::Weights;
use valleys_harness::preset::Landscape;
use valleys_harness::train::{Phase, Recipe, Start};
use valleys_sim::Seed;
use valleys_sim::asymmetry::Criteria;

use crate::backend::choose;
use crate::cli::landscape::{Extent, Source};
use crate::command::network;
use crate::config::{Config, Experiment, usage};
use crate::error::{Error, Result};
use crate::run_folder::{RunFolder, read_toml};
use crate::session::{Computing, Session};

/// A mean loss has an error from two images on.
const LEAST_IMAGES: usize = 2;

/// A run, its network and its images.
pub(super) struct Trained {
    pub(super) folder: RunFolder,
    pub(super) architecture: Architecture,
    pub(super) graph: Arc<Graph>,
    pub(super) data: Dataset,
    pub(super) seed: Seed,
    pub(super) landscape: Landscape,
    /// No part of what a run is: losses do not depend on it.
    pub(super) in_flight: PointsInFlight,
    recipe: Recipe,
    config: Config,
}

/// A solution of a run.
pub(super) struct Solution {
    /// The phase it is the solution of.
    pub(super) phase: String,
    /// Such as `SGD after SWA`.
    pub(super) name: String,
    pub(super) weights: Weights<f32>,
    /// SHA-256 of all that it depends on.
    pub(super) identity: String,
}

impl Trained {
    /// Opens a run and its images; measures as the run's settings say, with what the options change.
    pub(super) fn open(source: &Source, extent: Extent) -> Result<Self> {
        if extent.points.is_some_and(|points| points < 3 || points % 2 == 0) {
            return Err(wrong("--points", extent.points.unwrap_or(0), "odd, at least 3"));
        }
        if extent.radius.is_some_and(|radius| !(radius.is_finite() && radius > 0.0)) {
            return Err(wrong("--radius", extent.radius.unwrap_or(0.0), "> 0"));
        }
        if source.output.out.as_ref().is_some_and(|out| same(out, &source.run)) {
            return Err(wrong("--out", source.run.display(), "another folder than the run"));
        }
        let mut trained = Self::of(&source.run, source.data.as_deref())?;
        trained.in_flight = source.flight.points_in_flight;
        let landscape = &mut trained.landscape;
        landscape.reach = extent.radius.unwrap_or(landscape.reach);
        landscape.points = extent.points.unwrap_or(landscape.points);
        let spec = &mut landscape.spec;
        spec.backend = choose(&source.runner, spec.backend)?;
        if let Some(images) = source.images {
            let most = trained.data.train().len().min(trained.data.test().len());
            if images < LEAST_IMAGES || images > most {
                return Err(wrong("--images", images, format!("{LEAST_IMAGES} to {most}")));
            }
            (spec.statistics_images, spec.train_images, spec.test_images) = (images, images, images);
        }
        spec.batch_norm = match source.bn {
            Some(crate::cli::landscape::BatchNorm::Recompute) => BatchNorm::Recompute,
            Some(crate::cli::landscape::BatchNorm::Frozen) => BatchNorm::Frozen,
            None => spec.batch_norm,
        };
        Ok(trained)
    }

    /// Another run on the same images.
    pub(super) fn beside(&self, run: &Path, data: Option<&Path>) -> Result<Self> {
        let other = Self::of(run, data)?;
        if other.data.checksum() != self.data.checksum() {
            return Err(wrong("--other", run.display(), "a run on the same images"));
        }
        Ok(other)
    }

    /// A run, measured as its own settings say.
    pub(super) fn of(run: &Path, place: Option<&Path>) -> Result<Self> {
        let folder = RunFolder::existing(run)?;
        let config: Config = read_toml(&folder.path("config.toml"))?;
        let (Some(training), Some(landscape), Some(images)) =
            (config.training.clone(), config.landscape.clone(), &config.data)
        else {
            return Err(Error::file(run, "trained no network; a run of `valleys train` or `reproduce` is needed"));
        };
        let strangers = || {
            let problem = format!("was trained on {}, not on these images; --data says where they are", images.name);
            Error::file(run, problem)
        };
        let embedded = images.name == synthetic::NAME;
        if place.is_none() && !embedded {
            return Err(strangers());
        }
        let (seed, architecture) = (config.seed, training.network);
        let data = network::dataset(place, &network::images(images), architecture, seed)?;
        if data.checksum() != images.sha256 {
            return Err(strangers());
        }
        let graph = Arc::new(architecture.graph(data.classes())?);
        let recipe = training.check().map_err(usage)?;
        let in_flight = PointsInFlight::default();
        Ok(Self { folder, architecture, graph, data, seed, landscape, in_flight, recipe, config })
    }

    /// The phases of training, by name.
    pub(super) fn phases(&self) -> Vec<&str> {
        self.recipe.phases().iter().map(|phase| phase.name()).collect()
    }

    /// A phase by the name that an option gives, or else the one at a place, counted from the end if negative.
    pub(super) fn phase(&self, flag: &str, name: Option<&str>, default: isize) -> Result<String> {
        let phases = self.phases();
        match name {
            Some(name) if phases.contains(&name) => Ok(name.to_string()),
            Some(name) => Err(wrong(flag, name, phases.join(", "))),
            None => {
                let place = if default < 0 { phases.len().checked_add_signed(default) } else { Some(default as usize) };
                let phase = place.and_then(|place| phases.get(place));
                phase.map(|name| name.to_string()).ok_or_else(|| {
                    wrong(flag, "missing", format!("needed: the run's only solution is {}", phases.join(", ")))
                })
            }
        }
    }

    /// The phases that `--solution` names, or else the first and the last, once if they are one.
    pub(super) fn ends(&self, named: &[String]) -> Result<Vec<String>> {
        if named.is_empty() {
            let mut ends = vec![self.phase("--solution", None, 0)?, self.phase("--solution", None, -1)?];
            ends.dedup();
            return Ok(ends);
        }
        named.iter().map(|name| self.phase("--solution", Some(name), 0)).collect()
    }

    /// How the run was trained.
    pub(super) fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The solution of a phase.
    pub(super) fn solution(&self, phase: &str) -> Result<Solution> {
        let path = self.folder.path(&format!("checkpoints/{phase}.safetensors"));
        let (weights, about) = checkpoint::load_solution(&path, self.graph.layout())?;
        about.require(self.architecture, &self.data, &path)?;
        let name = self.recipe.phases().iter().find(|it| it.name() == phase).map_or(phase, |it| it.title());
        Ok(Solution { phase: phase.to_string(), name: name.to_string(), weights, identity: about.run })
    }

    /// The solutions of [`first_and_settled()`].
    pub(super) fn first_and_settled(&self) -> Result<[Solution; 2]> {
        let [first, settled] = first_and_settled(&self.recipe)?;
        Ok([self.solution(first.name())?, self.solution(settled.name())?])
    }

    /// The network, with what its batch norms began with where that is not the usual.
    pub(super) fn network(&self) -> String {
        let title = self.architecture.title();
        match self.recipe.config().norm_weights {
            NormWeights::One => title,
            drawn => format!("{title}, norm weights {}", drawn.name()),
        }
    }

    /// Network and images, for titles.
    pub(super) fn title(&self) -> String {
        format!("{} on {}", self.architecture.title(), self.data.title())
    }

    /// Measures this run's network on its images.
    pub(super) fn probe(&self) -> Result<Probe> {
        self.probe_by(self.landscape.spec.clone(), self.in_flight)
    }

    /// Measures it as another specification says.
    pub(super) fn probe_by(&self, spec: Spec, in_flight: PointsInFlight) -> Result<Probe> {
        let probe = Probe::new(&self.graph, &self.data, spec).map_err(usage)?;
        Ok(probe.with_points_in_flight(in_flight))
    }

    /// What makes a direction asymmetric, resampling from the run's seed.
    pub(super) fn criteria(&self) -> Criteria {
        Criteria::default().with_seed(self.seed)
    }

    /// Opens the folder of an experiment on this run.
    pub(super) fn begin(&self, source: &Source, default: &str, experiment: Experiment) -> Result<Session> {
        let config = Config {
            data: self.config.data.clone(),
            training: self.config.training.clone(),
            landscape: Some(self.landscape.clone()),
            ..Config::of(&format!("landscape {}", experiment.name), self.seed)
        };
        let config = Config { experiment: Some(experiment), ..config };
        let computing = Computing::new(self.landscape.spec.backend, &source.runner)?;
        let default = format!("valleys-run-{default}");
        let mut session = Session::computing(&source.output, &default, &config, self.seed, computing)?;
        let (title, checksum) = (self.data.title().to_string(), self.data.checksum().to_string());
        session.folder.update_manifest(|manifest| {
            manifest.data.insert(title, checksum);
        })?;
        Ok(session)
    }
}

/// The first phase, and the last that starts from its solution: SWA and SGD after SWA, say. If none starts from it, the
/// last.
pub(super) fn first_and_settled(recipe: &Recipe) -> Result<[&Phase; 2]> {
    let phases = recipe.phases();
    let after = phases.iter().rfind(|phase| phase.start() == Start::Solution(0)).or(phases.last());
    match (phases.first(), after) {
        (Some(first), Some(settled)) => Ok([first, settled]),
        _ => Err(usage("the run has no phase")),
    }
}

fn same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// A wrong command line in the words of all.
pub(super) fn wrong(flag: &str, seen: impl std::fmt::Display, allowed: impl std::fmt::Display) -> Error {
    Error::Usage(format!("{flag} is {seen}; allowed: {allowed}"))
}
