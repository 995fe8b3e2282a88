//! The states of a phase on the disk.
//!
//! ```text
//! checkpoints/PHASE/epoch-00012.safetensors   after twelve epochs
//! checkpoints/PHASE/begun.safetensors         within the epoch after the newest of them
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use valleys_sim::progress::Observer;

use super::config::Checkpoints;
use super::recipe::{Phase, Recipe};
use super::state::{Identity, State};
use crate::checkpoint::TensorFile;
use crate::files::sweep;
use crate::params::Layout;
use crate::{Error, Result};

pub(super) struct Store {
    folder: PathBuf,
    keep: Checkpoints,
}

impl Store {
    /// The place of a phase's states below `checkpoints`, made if it is missing.
    pub(super) fn open(checkpoints: &Path, phase: &Phase, keep: Checkpoints) -> Result<Self> {
        let folder = checkpoints.join(phase.name());
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        sweep(checkpoints)?;
        sweep(&folder)?;
        Ok(Self { folder, keep })
    }

    /// The newest state that is undamaged, and what it depends on; none if there is none.
    ///
    /// # Errors
    /// That of the newest state if all are damaged; [`Error::File`] if it belongs to another run.
    pub(super) fn newest(
        &self,
        layout: &Arc<Layout>,
        identity: &Identity,
        recipe: &Recipe,
        observer: &dyn Observer,
    ) -> Result<Option<(State, Identity)>> {
        let epochs = self.epochs()?;
        let newest = epochs.last().copied().unwrap_or(0);
        let mut damage = None;
        // What was begun is newer than the last whole epoch, unless a stop came between writing one and removing the other.
        let begun = Some(self.begun()).filter(|path| path.exists());
        for path in begun.into_iter().chain(epochs.iter().rev().map(|&epoch| self.path(epoch))) {
            let file = match TensorFile::read(&path) {
                Ok(file) => file,
                Err(error) => {
                    observer.note(&format!("{error}; going on from the state before"));
                    damage.get_or_insert(error);
                    continue;
                }
            };
            let (state, identity) = State::from_file(file, layout, identity, recipe)?;
            if state.epochs.len() >= newest as usize || state.begun.is_none() {
                return Ok(Some((state, identity)));
            }
        }
        damage.map_or(Ok(None), Err)
    }

    /// Keeps a state, and removes those that are no longer wanted.
    pub(super) fn keep(&self, state: &State, identity: &Identity) -> Result<()> {
        if state.begun.is_some() {
            return state.save(&self.begun(), identity);
        }
        let done = state.epochs.len() as u32;
        state.save(&self.path(done), identity)?;
        remove(&self.begun())?;
        // Later ones were damaged, or the run would have gone on from them.
        for &epoch in self.epochs()?.iter().filter(|&&epoch| epoch > done) {
            remove(&self.path(epoch))?;
        }
        let epochs = self.epochs()?;
        let old = epochs.len().saturating_sub(self.keep.last as usize);
        for &epoch in &epochs[..old] {
            if self.keep.every == 0 || !epoch.is_multiple_of(self.keep.every) {
                remove(&self.path(epoch))?;
            }
        }
        Ok(())
    }

    fn path(&self, epochs: u32) -> PathBuf {
        state_file(&self.folder, epochs)
    }

    fn begun(&self) -> PathBuf {
        self.folder.join("begun.safetensors")
    }

    fn epochs(&self) -> Result<Vec<u32>> {
        epochs(&self.folder)
    }
}

/// The file of the state after so many epochs.
pub(super) fn state_file(folder: &Path, epochs: u32) -> PathBuf {
    folder.join(format!("epoch-{epochs:05}.safetensors"))
}

/// After how many epochs there is a state in a folder, in rising order.
pub(super) fn epochs(folder: &Path) -> Result<Vec<u32>> {
    let mut epochs = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let name = entry.map_err(Error::io(folder))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("epoch-")?.strip_suffix(".safetensors"));
        epochs.extend(number.and_then(|number| number.parse::<u32>().ok()));
    }
    epochs.sort_unstable();
    Ok(epochs)
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path)(error)),
        _ => Ok(()),
    }
}
