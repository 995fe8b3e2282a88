//! What is kept between epochs, so that a stopped run continues to the same bits.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use valleys_sim::record::Epoch;

use super::config::{Config, Recipe};
use crate::average::Average;
use crate::checkpoint::TensorFile;
use crate::data::Dataset;
use crate::optim::Sgd;
use crate::params::{Layout, Weights};
use crate::{Error, Result};

/// A phase of training after some completed epochs.
#[derive(Debug)]
pub(super) struct State {
    pub(super) weights: Weights<f32>,
    pub(super) sgd: Sgd<f32>,
    pub(super) average: Average,
    pub(super) epochs: Vec<Epoch>,
}

/// What must be the same for a state to be continued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity {
    phase: String,
    config: Config,
    data: String,
    start: String,
}

/// The part of a state that is not a tensor, kept as JSON in the file's note.
#[derive(Serialize, Deserialize)]
struct Header {
    #[serde(flatten)]
    identity: Identity,
    averaged: u64,
    epochs: Vec<Epoch>,
}

const VELOCITY: &str = "velocity";
const AVERAGE: &str = "average";

impl Identity {
    pub(super) fn new(phase: &str, recipe: &Recipe, data: &Dataset, start: &Weights<f32>) -> Self {
        let mut hash = Sha256::new();
        for value in &start.values {
            hash.update(value.to_le_bytes());
        }
        Self {
            phase: phase.to_owned(),
            config: recipe.config().clone(),
            data: data.checksum().to_owned(),
            start: hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// Refuses to continue another run's state, naming the first thing that differs.
    fn require(&self, seen: &Self, path: &Path) -> Result<()> {
        let differs = |name: &str, seen: &str, wanted: &str| {
            Error::file(
                path,
                format!("belongs to a run with {name} {seen}"),
                format!("{name} {wanted}, or another folder"),
            )
        };
        let fields = |config: &Config| match serde_json::to_value(config) {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        let wanted = fields(&self.config);
        for (name, value) in fields(&seen.config) {
            match wanted.get(&name) {
                Some(other) if *other != value => return Err(differs(&name, &value.to_string(), &other.to_string())),
                _ => {}
            }
        }
        for (name, seen, wanted) in [
            ("phase", &seen.phase, &self.phase),
            ("data checksum", &seen.data, &self.data),
            ("start weights", &seen.start, &self.start),
        ] {
            if seen != wanted {
                return Err(differs(name, seen, wanted));
            }
        }
        Ok(())
    }
}

impl State {
    /// Writes the state to one file, replacing an older one at once or not at all.
    pub(super) fn save(&self, path: &Path, identity: &Identity) -> Result<()> {
        let header = Header { identity: identity.clone(), averaged: self.average.count(), epochs: self.epochs.clone() };
        let note = serde_json::to_string(&header).map_err(|error| Error::file(path, error, "a training state"))?;
        let (velocity, average) = (self.sgd.velocity(), self.average.mean());
        let mut tensors: HashMap<String, Tensor> = self.weights.named()?.into_iter().collect();
        tensors.insert(VELOCITY.to_owned(), Tensor::from_slice(velocity, velocity.len(), &Device::Cpu)?);
        tensors.insert(AVERAGE.to_owned(), Tensor::from_slice(average, average.len(), &Device::Cpu)?);
        TensorFile { path: path.to_owned(), tensors, note: Some(note) }.write()
    }

    /// Reads a state back, refusing one that belongs to another run.
    pub(super) fn load(path: &Path, layout: &Arc<Layout>, identity: &Identity, recipe: &Recipe) -> Result<Self> {
        let mut file = TensorFile::read(path)?;
        let header: Header = serde_json::from_str(file.note.as_deref().unwrap_or_default())
            .map_err(|error| Error::file(path, format!("its note: {error}"), "a training state"))?;
        identity.require(&header.identity, path)?;
        let dimension = layout.trainable();
        let velocity = file.take(VELOCITY, dimension)?.to_vec1()?;
        let average = file.take(AVERAGE, dimension)?.to_vec1()?;
        Ok(Self {
            weights: file.into_network(layout)?,
            sgd: Sgd::with_velocity(recipe.sgd(), velocity)?,
            average: Average::restored(average, header.averaged),
            epochs: header.epochs,
        })
    }
}
