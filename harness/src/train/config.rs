//! What a training run does, before and after it has been checked.

use serde::{Deserialize, Serialize};
use valleys_sim::Seed;

use crate::exec::Weighting;
use crate::model::Architecture;
use crate::optim::{Schedule, SgdParams};
use crate::{Error, Result};

/// A training run as written down; [`check`](Self::check) makes it a [`Recipe`].
///
/// | name | purpose | range |
/// |---|---|---|
/// | `architecture` | the network, such as `resnet20` | see [`Architecture`] |
/// | `epochs` | epochs of SGD, averaging included | ≥ 1 |
/// | `swa_start` | the average takes in epoch e (from 0) when e + 1 ≥ `swa_start` | 1 to `epochs` |
/// | `learning_rate` | η₀, held for the first half of `swa_start` epochs | > 0 |
/// | `swa_learning_rate` | reached linearly at nine tenths of `swa_start`, then held | > 0 |
/// | `momentum` | heavy ball, v ← μv + g | [0, 1) |
/// | `weight_decay` | on all parameters | ≥ 0 |
/// | `batch_size` | images in a step; the last, partial batch of an epoch is kept | ≥ 1 |
/// | `augment` | whether training images are varied as their data set says | |
/// | `statistics` | how batches count in the averaged network's batch-norm statistics | `by-size`, `equal` |
/// | `evaluate_every` | test metrics after every so many epochs; 0 for the last epoch alone | |
/// | `evaluate_average` | then also measure the averaged network (one more pass over the training set) | |
/// | `sgd_epochs` | epochs of SGD after SWA | ≥ 1 |
/// | `sgd_learning_rate` | their constant learning rate | > 0 |
/// | `seed` | root of every random stream of the run | |
///
/// Plain SGD (the paper's baseline) is `swa_start = epochs` with `swa_learning_rate` = 0.01·η₀: its average is its last
/// iterate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table above says it once")]
pub struct Config {
    pub architecture: Architecture,
    pub epochs: u32,
    pub swa_start: u32,
    pub learning_rate: f64,
    pub swa_learning_rate: f64,
    pub momentum: f64,
    pub weight_decay: f64,
    pub batch_size: usize,
    pub augment: bool,
    pub statistics: Weighting,
    pub evaluate_every: u32,
    pub evaluate_average: bool,
    pub sgd_epochs: u32,
    pub sgd_learning_rate: f64,
    pub seed: Seed,
}

impl Config {
    /// The paper's settings for its ResNets (Section 6.1): 225 epochs, averaging from 126, then 50 epochs of SGD.
    pub fn paper(architecture: Architecture, seed: Seed) -> Self {
        Self {
            architecture,
            epochs: 225,
            swa_start: 126,
            learning_rate: 0.1,
            swa_learning_rate: 0.05,
            momentum: 0.9,
            weight_decay: 3e-4,
            batch_size: 128,
            augment: true,
            statistics: Weighting::BySize,
            evaluate_every: 5,
            evaluate_average: true,
            sgd_epochs: 50,
            sgd_learning_rate: 0.001,
            seed,
        }
    }

    /// Checks every field, naming the one that is wrong.
    pub fn check(self) -> Result<Recipe> {
        for (name, value) in [
            ("epochs", u64::from(self.epochs)),
            ("swa_start", u64::from(self.swa_start)),
            ("batch_size", self.batch_size as u64),
            ("sgd_epochs", u64::from(self.sgd_epochs)),
        ] {
            if value == 0 {
                return Err(Error::domain(name, value, "at least 1"));
            }
        }
        if self.swa_start > self.epochs {
            return Err(Error::domain("swa_start", self.swa_start, format!("1 to epochs, {}", self.epochs)));
        }
        for (name, value) in [
            ("learning_rate", self.learning_rate),
            ("swa_learning_rate", self.swa_learning_rate),
            ("sgd_learning_rate", self.sgd_learning_rate),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return Err(Error::domain(name, value, "a finite number > 0"));
            }
        }
        let sgd = SgdParams { momentum: self.momentum, weight_decay: self.weight_decay }.check()?;
        let schedule = Schedule::new(self.learning_rate, self.swa_learning_rate, self.swa_start)?;
        Ok(Recipe { config: self, sgd, schedule })
    }
}

/// A checked [`Config`].
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    config: Config,
    sgd: SgdParams,
    schedule: Schedule,
}

impl Recipe {
    /// The settings it was made from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The optimiser's settings.
    pub fn sgd(&self) -> SgdParams {
        self.sgd
    }

    /// The learning rate by epoch, up to SGD after SWA.
    pub fn schedule(&self) -> Schedule {
        self.schedule
    }
}
