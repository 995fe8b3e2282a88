//! What a training run does, as written down.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use valleys_sim::Seed;

use super::recipe::{Phase, Recipe, Start};
use crate::exec::{BackendKind, Weighting};
use crate::model::{Architecture, NormWeights};
use crate::optim::{Schedule, SgdParams};
use crate::{Error, Result};

/// A training run as written down; [`check`](Self::check) makes it a [`Recipe`].
///
/// | name | purpose | range |
/// |---|---|---|
/// | `network` | the network, such as `resnet20` | see [`Architecture`] |
/// | `backend` | who runs it; the bits of a run are those of its backend | `cpu`, `reference`, `cuda`, `cuda-tf32`, `cuda-bf16` |
/// | `norm_weights` | what fresh batch norms' weights are drawn from (Appendix H) | `one`, `uniform`, `normal`; `one` for a network without batch norm |
/// | `momentum` | heavy ball, v ← μv + g | [0, 1) |
/// | `weight_decay` | on all parameters | ≥ 0 |
/// | `augment` | whether training images are varied as their data set says | |
/// | `statistics` | how batches count in an averaged network's batch-norm statistics | `by-size`, `equal` |
/// | `evaluate_every` | test metrics after every so many epochs; 0 for a phase's last epoch alone | |
/// | `evaluate_average` | then also measure the averaged network (one more pass over the training set) | |
/// | `seed` | root of every random stream of the run | |
/// | `checkpoints` | which states are kept | see [`Checkpoints`] |
/// | `phases` | runs of SGD, one after the other | see [`PhaseConfig`]; at least 1 |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table above says it once")]
pub struct Config {
    pub network: Architecture,
    #[serde(default)]
    pub backend: BackendKind,
    #[serde(default, skip_serializing_if = "NormWeights::is_usual")]
    pub norm_weights: NormWeights,
    pub momentum: f64,
    pub weight_decay: f64,
    pub augment: bool,
    pub statistics: Weighting,
    pub evaluate_every: u32,
    pub evaluate_average: bool,
    pub seed: Seed,
    pub checkpoints: Checkpoints,
    pub phases: Vec<PhaseConfig>,
}

/// Which states of a phase stay on the disk.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `last` | 2 | the states after the last so many epochs | ≥ 1 |
/// | `every` | 0 | besides, those after every so many epochs, for ever; 0 for none | |
/// | `minutes` | 10 | within an epoch, a state after every so many minutes; 0 for none | 0 to 10⁶ |
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the table above says it once")]
pub struct Checkpoints {
    pub last: u32,
    pub every: u32,
    pub minutes: f64,
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self { last: 2, every: 0, minutes: 10.0 }
    }
}

/// One run of SGD, from a random network or from the solution of an earlier phase.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `name` | | names its files: `swa`, `sgd`, `sgd-after-swa`, … | small letters, digits, `-`; once |
/// | `start` | `random` | where it begins | `random`, or the name of an earlier phase |
/// | `momentum_buffer` | `fresh` | v at the beginning: 0, or what that phase ended with (the paper's code) | `fresh`, `restored` |
/// | `epochs` | | | ≥ 1 |
/// | `batch_size` | 128 | images in a step; the last, partial batch of an epoch is kept | ≥ 1 |
/// | `learning_rate` | | η₀, held for the first half of `decay_epochs` | > 0 |
/// | `last_learning_rate` | η₀ | reached linearly at nine tenths of `decay_epochs`, then held | > 0 |
/// | `decay_epochs` | `epochs` | | ≥ 1 |
/// | `average_from` | none | the average takes in epoch e (from 0) when e + 1 ≥ `average_from`, and is the solution | 1 to `epochs` |
/// | `select` | `last` | which epoch is the solution of a phase without average | see [`Selection`] |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table above says it once")]
pub struct PhaseConfig {
    pub name: String,
    #[serde(default = "random")]
    pub start: String,
    #[serde(default)]
    pub momentum_buffer: MomentumBuffer,
    pub epochs: u32,
    #[serde(default = "usual_batch")]
    pub batch_size: usize,
    pub learning_rate: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_learning_rate: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay_epochs: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_from: Option<u32>,
    #[serde(default)]
    pub select: Selection,
}

/// The word for a phase that begins with a fresh network.
pub(super) const RANDOM: &str = "random";

fn random() -> String {
    RANDOM.to_owned()
}

fn usual_batch() -> usize {
    128
}

/// v at the beginning of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MomentumBuffer {
    /// 0.
    #[default]
    Fresh,
    /// What the phase that it starts from ended with, as in the paper's code.
    Restored,
}

/// Which epoch's network is the solution of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// The last epoch's, as the paper reports.
    #[default]
    Last,
    /// That with the lowest loss on held-out training images, the first such.
    HeldOut,
    /// The rule of the paper's code: the last epoch whose running training loss lies below, and whose *test* loss lies
    /// above, those of the phase's start; the start's training loss is taken in evaluation mode on varied images. It
    /// looks at the test set, in favour of the claim, and what it finds is labelled so. If no epoch qualifies, the last
    /// one stands and is labelled so.
    Official,
}

impl Config {
    /// Checks every field, naming the one that is wrong.
    ///
    /// # Errors
    /// [`Error::Domain`] with the field's name, `phase NAME: field` within a phase.
    pub fn check(self) -> Result<Recipe> {
        let sgd = SgdParams { momentum: self.momentum, weight_decay: self.weight_decay }.check()?;
        if self.checkpoints.last == 0 {
            return Err(Error::domain("checkpoints.last", 0, "at least 1"));
        }
        let minutes = self.checkpoints.minutes;
        if !(0.0..=1e6).contains(&minutes) {
            return Err(Error::domain("checkpoints.minutes", minutes, "a number from 0 to 1000000"));
        }
        if !self.norm_weights.is_usual() && !self.network.has_batch_norm() {
            let allowed = format!("one, as {} has no batch norm", self.network.title());
            return Err(Error::domain("norm_weights", self.norm_weights.name(), allowed));
        }
        if self.phases.is_empty() {
            return Err(Error::domain("number of phases", 0, "at least 1"));
        }
        let (mut phases, mut names, mut first_epoch) = (Vec::<Phase>::new(), HashSet::new(), 0_u32);
        for phase in &self.phases {
            if !names.insert(&phase.name) {
                return Err(Error::domain("a phase's name", &phase.name, "a name not yet taken"));
            }
            let checked = phase.check(first_epoch, &phases)?;
            first_epoch = first_epoch.checked_add(phase.epochs).ok_or_else(|| {
                Error::domain(format!("phase {}: epochs", phase.name), phase.epochs, "less than 2³² in all phases")
            })?;
            phases.push(checked);
        }
        Ok(Recipe::new(self, sgd, phases))
    }

    /// A phase by name, to change it.
    pub fn phase_mut(&mut self, name: &str) -> Option<&mut PhaseConfig> {
        self.phases.iter_mut().find(|phase| phase.name == name)
    }
}

impl PhaseConfig {
    /// A phase from a random start at a constant rate: the frame for the others.
    pub fn new(name: &str, epochs: u32, learning_rate: f64) -> Self {
        Self {
            name: name.to_owned(),
            start: random(),
            momentum_buffer: MomentumBuffer::Fresh,
            epochs,
            batch_size: usual_batch(),
            learning_rate,
            last_learning_rate: None,
            decay_epochs: None,
            average_from: None,
            select: Selection::Last,
        }
    }

    fn check(&self, first_epoch: u32, earlier: &[Phase]) -> Result<Phase> {
        let field = |name: &str| format!("phase {}: {name}", self.name);
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.name.is_empty() || self.name.len() > 40 || !self.name.bytes().all(fits) || self.name == RANDOM {
            let allowed = format!("1 to 40 small letters, digits and -, other than {RANDOM}");
            return Err(Error::domain("a phase's name", &self.name, allowed));
        }
        let start = match earlier.iter().position(|phase| phase.name() == self.start) {
            Some(place) => Start::Solution(place),
            None if self.start == RANDOM => Start::Random,
            None => {
                let names: Vec<&str> = [RANDOM].into_iter().chain(earlier.iter().map(Phase::name)).collect();
                return Err(Error::domain(field("start"), &self.start, names.join(", ")));
            }
        };
        if start == Start::Random && self.momentum_buffer == MomentumBuffer::Restored {
            return Err(Error::domain(field("momentum_buffer"), "restored", "fresh, for a random start"));
        }
        let decay_epochs = self.decay_epochs.unwrap_or(self.epochs);
        for (name, value) in [
            ("epochs", u64::from(self.epochs)),
            ("batch_size", self.batch_size as u64),
            ("decay_epochs", u64::from(decay_epochs)),
        ] {
            if value == 0 {
                return Err(Error::domain(field(name), value, "at least 1"));
            }
        }
        let last = self.last_learning_rate.unwrap_or(self.learning_rate);
        for (name, value) in [("learning_rate", self.learning_rate), ("last_learning_rate", last)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(Error::domain(field(name), value, "a finite number > 0"));
            }
        }
        if let Some(from) = self.average_from {
            if from == 0 || from > self.epochs {
                return Err(Error::domain(field("average_from"), from, format!("1 to epochs, {}", self.epochs)));
            }
            if self.select != Selection::Last {
                return Err(Error::domain(
                    field("select"),
                    self.select.name(),
                    "last, in a phase whose average counts",
                ));
            }
        }
        if start == Start::Random && self.select == Selection::Official {
            let allowed = "last or held-out, for a random start: the rule compares with the start";
            return Err(Error::domain(field("select"), "official", allowed));
        }
        Ok(Phase::new(self.clone(), start, first_epoch, Schedule::new(self.learning_rate, last, decay_epochs)?))
    }
}

impl Selection {
    /// The name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::HeldOut => "held-out",
            Self::Official => "official",
        }
    }
}
