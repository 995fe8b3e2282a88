//! The iterates of a phase that a run has kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::state::network;
use super::store::{epochs, state_file};
use crate::params::{Layout, Weights};
use crate::{Error, Result};

/// The states that a phase of a run has kept at the ends of epochs, see [`Checkpoints`](super::Checkpoints).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    folder: PathBuf,
    epochs: Vec<u32>,
}

impl Kept {
    /// Looks through the phase's folder in a run's `checkpoints`.
    ///
    /// # Errors
    /// [`Error::File`] if there is none.
    pub fn open(checkpoints: &Path, phase: &str) -> Result<Self> {
        let folder = checkpoints.join(phase);
        if !folder.is_dir() {
            return Err(Error::file(folder, "no such folder", "the states of a phase of training"));
        }
        let epochs = epochs(&folder)?;
        Ok(Self { folder, epochs })
    }

    /// After how many epochs of the phase there is a state, increasing.
    pub fn epochs(&self) -> &[u32] {
        &self.epochs
    }

    /// The iterate after so many epochs, with its running batch-norm statistics.
    ///
    /// # Errors
    /// [`Error::File`] and [`Error::Io`] if there is none, or it is damaged or another network's.
    pub fn iterate(&self, epochs: u32, layout: &Arc<Layout>) -> Result<Weights<f32>> {
        network(&state_file(&self.folder, epochs), layout)
    }
}
