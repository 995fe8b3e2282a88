//! What a solution is.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::TensorFile;
use crate::data::Dataset;
use crate::model::Architecture;
use crate::{Error, Result};

/// What a network in a file is: enough to tell it from another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The network.
    pub network: Architecture,
    /// Its classes.
    pub classes: usize,
    /// The data set it was trained on, such as `cifar10`.
    pub data: String,
    /// That data set's [checksum](Dataset::checksum).
    pub data_sha256: String,
    /// The phase of training it ends, such as `swa`.
    pub phase: String,
    /// What it is within the phase, such as `average of 100 epochs` or `last epoch`.
    pub solution: String,
    /// SHA-256 of all that the phase's result depends on.
    pub run: String,
}

impl About {
    /// What a file says of itself.
    pub(super) fn of(file: &TensorFile) -> Result<Self> {
        let text = file.about.as_deref().unwrap_or_default();
        serde_json::from_str(text).map_err(|error| {
            Error::file(&file.path, format!("does not say what it is ({error})"), "a solution of a training run")
        })
    }

    /// Refuses a solution of another network or data set, naming the first thing that differs.
    ///
    /// # Errors
    /// [`Error::File`] with the path given, what the file has and what was wanted.
    pub fn require(&self, network: Architecture, data: &Dataset, path: &Path) -> Result<()> {
        for (what, seen, wanted) in [
            ("network", self.network.to_string(), network.to_string()),
            ("number of classes", self.classes.to_string(), data.classes().to_string()),
            ("data set", self.data.clone(), data.name().to_owned()),
            ("data checksum", self.data_sha256.clone(), data.checksum().to_owned()),
        ] {
            if seen != wanted {
                return Err(Error::file(path, format!("its {what} is {seen}"), wanted));
            }
        }
        Ok(())
    }
}
