//! What is kept of a phase, so that a stopped run continues to the same bits.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use valleys_sim::record::Epoch;

use super::config::{Config, PhaseConfig};
use super::recipe::{Phase, Recipe};
use super::select::{Chosen, Reference};
use crate::average::Average;
use crate::checkpoint::{self, TensorFile};
use crate::checksum::hexadecimal;
use crate::data::Dataset;
use crate::exec::{BackendKind, Weighting};
use crate::model::NormWeights;
use crate::optim::Sgd;
use crate::params::{Layout, Weights};
use crate::{Error, Result};

/// A phase of training after some epochs and, perhaps, some batches of the next.
///
/// Random streams need no place in it: each is named by the seed, its purpose, the epoch and the image.
#[derive(Debug)]
pub(super) struct State {
    pub(super) weights: Weights<f32>,
    pub(super) sgd: Sgd<f32>,
    pub(super) average: Average,
    pub(super) epochs: Vec<Epoch>,
    /// The beginning of the next epoch.
    pub(super) begun: Option<Begun>,
    pub(super) reference: Option<Reference>,
    pub(super) chosen: Option<Chosen>,
}

/// Some batches of an epoch: how many, and the sums of what they gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Begun {
    pub(super) batches: usize,
    pub(super) loss: f64,
    pub(super) correct: usize,
}

/// All that a phase's result depends on, and so what must be the same for a state to be continued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity {
    settings: Settings,
    phase: PhaseConfig,
    /// The run's number of the phase's first epoch, which names its random streams.
    first_epoch: u32,
    classes: usize,
    data: String,
    data_sha256: String,
    held_out: usize,
    start_sha256: String,
    /// Backends that went on with the phase, after the one of the settings; none if it had only that one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    continued_on: Vec<Change>,
}

/// A change of the backend within a phase: from here on, results have the bits of the new one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Change {
    backend: BackendKind,
    /// Epochs that were done.
    epochs: usize,
    /// Batches of the next one that were done.
    batches: usize,
}

/// The settings that all phases share; which states are kept is none of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Settings {
    network: String,
    backend: BackendKind,
    // Left out where it is the usual, so that the digests of older runs stand.
    #[serde(default, skip_serializing_if = "NormWeights::is_usual")]
    norm_weights: NormWeights,
    momentum: f64,
    weight_decay: f64,
    augment: bool,
    statistics: Weighting,
    evaluate_every: u32,
    evaluate_average: bool,
    seed: valleys_sim::Seed,
}

impl Settings {
    fn of(config: &Config) -> Self {
        Self {
            network: config.network.to_string(),
            backend: config.backend,
            norm_weights: config.norm_weights,
            momentum: config.momentum,
            weight_decay: config.weight_decay,
            augment: config.augment,
            statistics: config.statistics,
            evaluate_every: config.evaluate_every,
            evaluate_average: config.evaluate_average,
            seed: config.seed,
        }
    }
}

/// The part of a state that is not a tensor.
#[derive(Serialize, Deserialize)]
struct Header {
    #[serde(flatten)]
    identity: Identity,
    averaged: u64,
    epochs: Vec<Epoch>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun: Option<Begun>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chosen: Option<(u32, f64)>,
}

const VELOCITY: &str = "velocity";
const AVERAGE: &str = "average";
const CHOSEN: &str = "chosen.";

impl Identity {
    /// The identity of a phase that begins with these weights and this velocity, if it is not 0.
    pub(super) fn new(
        recipe: &Recipe,
        phase: &Phase,
        data: &Dataset,
        start: &Weights<f32>,
        velocity: Option<&[f32]>,
    ) -> Self {
        let mut hash = Sha256::new();
        let parts = [&start.values, &start.running_mean, &start.running_var].into_iter().map(Vec::as_slice);
        for value in parts.chain(velocity).flatten() {
            hash.update(value.to_le_bytes());
        }
        Self {
            settings: Settings::of(recipe.config()),
            phase: phase.config().clone(),
            first_epoch: phase.number(0),
            classes: data.classes(),
            data: data.name().to_owned(),
            data_sha256: data.checksum().to_owned(),
            held_out: data.held_out().map_or(0, |set| set.len()),
            start_sha256: hexadecimal(&hash.finalize()),
            continued_on: Vec::new(),
        }
    }

    /// The backend that worked on the phase last.
    pub(super) fn backend(&self) -> BackendKind {
        self.continued_on.last().map_or(self.settings.backend, |change| change.backend)
    }

    /// The identity of the phase if a backend, perhaps another one, goes on from a state.
    pub(super) fn continued(&self, backend: BackendKind, from: &State) -> Self {
        let mut continued = self.clone();
        if backend != self.backend() {
            let batches = from.begun.map_or(0, |begun| begun.batches);
            continued.continued_on.push(Change { backend, epochs: from.epochs.len(), batches });
        }
        continued
    }

    /// SHA-256 of it.
    pub(super) fn digest(&self) -> String {
        hexadecimal(&Sha256::digest(serde_json::to_vec(self).unwrap_or_default()))
    }

    /// Refuses to continue another run's state, naming the first thing that differs. Any backend may go on with what
    /// another one began.
    fn require(&self, seen: &Self, path: &Path) -> Result<()> {
        let mut wanted = self.clone();
        wanted.settings.backend = seen.settings.backend;
        wanted.continued_on.clone_from(&seen.continued_on);
        let (wanted, seen) = (leaves(&wanted), leaves(seen));
        let names: BTreeSet<&String> = wanted.keys().chain(seen.keys()).collect();
        let Some(name) = names.into_iter().find(|name| wanted.get(*name) != seen.get(*name)) else {
            return Ok(());
        };
        let words = |leaves: &BTreeMap<String, String>| match leaves.get(name) {
            Some(value) => format!("{name} {value}"),
            None => format!("the usual {name}"),
        };
        let (wanted, seen) = (words(&wanted), words(&seen));
        Err(Error::file(path, format!("belongs to a run with {seen}"), format!("{wanted}, or another folder")))
    }
}

/// Every value of an identity that is said, by name, as text; nested names are joined.
fn leaves(identity: &Identity) -> BTreeMap<String, String> {
    fn walk(name: &str, value: &serde_json::Value, into: &mut BTreeMap<String, String>) {
        match value {
            serde_json::Value::Object(fields) => {
                for (field, value) in fields {
                    walk(&if name == "phase" { format!("phase's {field}") } else { field.clone() }, value, into);
                }
            }
            other => drop(into.insert(name.replace('_', " ").trim().to_owned(), other.to_string())),
        }
    }
    let mut found = BTreeMap::new();
    walk("", &serde_json::to_value(identity).unwrap_or_default(), &mut found);
    found
}

impl State {
    /// The state before the first epoch.
    pub(super) fn new(recipe: &Recipe, start: Weights<f32>, velocity: Option<Vec<f32>>) -> Result<Self> {
        let dimension = start.values.len();
        let sgd = match velocity {
            Some(velocity) => Sgd::with_velocity(recipe.sgd(), velocity)?,
            None => Sgd::new(recipe.sgd(), dimension)?,
        };
        let average = Average::new(dimension);
        Ok(Self { weights: start, sgd, average, epochs: Vec::new(), begun: None, reference: None, chosen: None })
    }

    /// Writes the state to one file, replacing an older one at once or not at all.
    pub(super) fn save(&self, path: &Path, identity: &Identity) -> Result<()> {
        let header = Header {
            identity: identity.clone(),
            averaged: self.average.count(),
            epochs: self.epochs.clone(),
            begun: self.begun,
            reference: self.reference,
            chosen: self.chosen.as_ref().map(|chosen| (chosen.epoch, chosen.loss)),
        };
        let about = serde_json::to_string(&header).map_err(|error| Error::file(path, error, "a training state"))?;
        let mut tensors: HashMap<String, Tensor> = self.weights.named()?.into_iter().collect();
        let velocity = self.sgd.velocity();
        tensors.insert(VELOCITY.to_owned(), Tensor::from_slice(velocity, velocity.len(), &Device::Cpu)?);
        if self.average.count() > 0 {
            let average = self.average.mean();
            tensors.insert(AVERAGE.to_owned(), Tensor::from_slice(average, average.len(), &Device::Cpu)?);
        }
        if let Some(chosen) = &self.chosen {
            tensors
                .extend(chosen.weights.named()?.into_iter().map(|(name, tensor)| (format!("{CHOSEN}{name}"), tensor)));
        }
        TensorFile { path: path.to_owned(), tensors, about: Some(about) }.write()
    }

    /// A state from its file, and what it depends on; refuses one that belongs to another run.
    pub(super) fn from_file(
        mut file: TensorFile,
        layout: &Arc<Layout>,
        identity: &Identity,
        recipe: &Recipe,
    ) -> Result<(Self, Identity)> {
        let path = file.path.clone();
        let header: Header = serde_json::from_str(file.about.as_deref().unwrap_or_default())
            .map_err(|error| Error::file(&path, format!("does not say what it is ({error})"), "a training state"))?;
        identity.require(&header.identity, &path)?;
        let dimension = layout.trainable();
        let velocity = file.take(VELOCITY, dimension)?;
        let average = match header.averaged {
            0 => Average::new(dimension),
            count => Average::restored(file.take(AVERAGE, dimension)?, count),
        };
        let chosen = file.take_prefixed(CHOSEN);
        let chosen = match header.chosen {
            Some((epoch, loss)) => Some(Chosen { epoch, loss, weights: checkpoint::network(&path, layout, chosen)? }),
            None => None,
        };
        let state = Self {
            weights: file.into_network(layout)?,
            sgd: Sgd::with_velocity(recipe.sgd(), velocity)?,
            average,
            epochs: header.epochs,
            begun: header.begun,
            reference: header.reference,
            chosen,
        };
        Ok((state, header.identity))
    }
}

/// The network of a state alone.
pub(super) fn network(path: &Path, layout: &Arc<Layout>) -> Result<Weights<f32>> {
    let mut file = TensorFile::read(path)?;
    file.tensors.retain(|name, _| name != VELOCITY && name != AVERAGE && !name.starts_with(CHOSEN));
    file.into_network(layout)
}
