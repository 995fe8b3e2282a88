//! A training run whose settings have been checked.

use super::config::{Config, MomentumBuffer, PhaseConfig, Selection};
use crate::optim::{Schedule, SgdParams};

/// A checked [`Config`].
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    config: Config,
    sgd: SgdParams,
    phases: Vec<Phase>,
}

impl Recipe {
    pub(super) fn new(config: Config, sgd: SgdParams, phases: Vec<Phase>) -> Self {
        Self { config, sgd, phases }
    }

    /// The settings it was made from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The optimiser's settings.
    pub fn sgd(&self) -> SgdParams {
        self.sgd
    }

    /// The phases, in their order; at least one.
    pub fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// Epochs of all phases.
    pub fn epochs(&self) -> u32 {
        self.phases.iter().map(Phase::epochs).sum()
    }

    /// Whether a phase chooses its solution by held-out images.
    pub fn needs_held_out(&self) -> bool {
        self.phases.iter().any(|phase| phase.select() == Selection::HeldOut)
    }
}

/// Where a phase begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// A fresh network.
    Random,
    /// The solution of the phase with this number.
    Solution(usize),
}

/// A checked [`PhaseConfig`].
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    config: PhaseConfig,
    start: Start,
    first_epoch: u32,
    schedule: Schedule,
}

impl Phase {
    pub(super) fn new(config: PhaseConfig, start: Start, first_epoch: u32, schedule: Schedule) -> Self {
        Self { config, start, first_epoch, schedule }
    }

    /// The settings it was made from.
    pub fn config(&self) -> &PhaseConfig {
        &self.config
    }

    /// Its name, which names its files.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Its name for tables and pictures.
    pub fn title(&self) -> &str {
        match self.name() {
            "swa" => "SWA",
            "sgd" => "SGD",
            "sgd-after-swa" => "SGD after SWA",
            "large-batch" => "SGD, large batches",
            "small-batch" => "SGD, small batches",
            other => other,
        }
    }

    /// Where it begins.
    pub fn start(&self) -> Start {
        self.start
    }

    /// Epochs.
    pub fn epochs(&self) -> u32 {
        self.config.epochs
    }

    /// Images in a step.
    pub fn batch_size(&self) -> usize {
        self.config.batch_size
    }

    /// Which epoch is the solution, where there is no average.
    pub fn select(&self) -> Selection {
        self.config.select
    }

    /// Whether v begins as the phase before left it.
    pub(super) fn restores_momentum(&self) -> bool {
        self.config.momentum_buffer == MomentumBuffer::Restored
    }

    /// The run's number of the epoch after `done` of this phase: epochs count through all phases, so no random stream
    /// serves twice.
    pub(super) fn number(&self, done: u32) -> u32 {
        self.first_epoch + done
    }

    /// The learning rate of the epoch after `done`.
    pub fn rate(&self, done: u32) -> f64 {
        self.schedule.rate(done)
    }

    /// Whether the average takes in the epoch after `done`.
    pub(crate) fn averages(&self, done: u32) -> bool {
        self.config.average_from.is_some_and(|from| done + 1 >= from)
    }
}
