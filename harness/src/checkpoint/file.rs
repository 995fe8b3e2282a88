//! One safetensors file: tensors, a line about them, and a checksum over both.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use safetensors::{SafeTensors, View};
use sha2::{Digest, Sha256};

use crate::checksum::hexadecimal;
use crate::files::write_atomically;
use crate::params::{Layout, Weights};
use crate::{Error, Result};

/// A safetensors file in memory: named tensors, and what it says of them.
pub(crate) struct TensorFile {
    pub(crate) path: PathBuf,
    pub(crate) tensors: HashMap<String, Tensor>,
    /// JSON. A file that has it was written here, with a checksum; one without comes from elsewhere.
    pub(crate) about: Option<String>,
}

/// The one key of the file's metadata: one, because the format keeps them in a hash map, whose order would change from
/// run to run. Its text is the SHA-256 in hexadecimal, a space, and [`TensorFile::about`].
pub(crate) const KEY: &str = "valleys";

impl TensorFile {
    /// Writes a temporary file beside the path, then moves it there: a reader finds the old file or the new one, also
    /// after a loss of power.
    pub(crate) fn write(&self) -> Result<()> {
        let metadata = match &self.about {
            None => None,
            Some(about) => Some(HashMap::from([(KEY.to_owned(), format!("{} {about}", self.checksum(about)?))])),
        };
        let bytes = safetensors::serialize(&self.tensors, metadata)
            .map_err(|error| Error::file(&self.path, error, "tensors safetensors can hold"))?;
        write_atomically(&self.path, &bytes)
    }

    /// Reads a whole file; if it has a checksum, that must be right.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(Error::io(path))?;
        let broken = |error: &dyn std::fmt::Display| Error::file(path, error, "a whole safetensors file");
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| broken(&error))?;
        let text = metadata.metadata().as_ref().and_then(|texts| texts.get(KEY).cloned());
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).map_err(|error| broken(&error))?;
        let mut file = Self { path: path.to_owned(), tensors, about: None };
        if let Some(text) = text {
            let (checksum, about) = text.split_once(' ').unwrap_or_default();
            if file.checksum(about)? != checksum {
                return Err(Error::file(path, "its contents do not have its checksum", "a file that nothing changed"));
            }
            file.about = Some(about.to_owned());
        }
        Ok(file)
    }

    /// SHA-256 of the line and of every tensor's name, type, shape and bytes, in the order of the names.
    fn checksum(&self, about: &str) -> Result<String> {
        let mut hash = Sha256::new();
        hash.update(about);
        let mut names: Vec<&String> = self.tensors.keys().collect();
        names.sort_unstable();
        for name in names {
            let tensor = &self.tensors[name];
            hash.update(format!("\n{name} {:?} {:?}\n", tensor.dtype(), tensor.dims()));
            hash.update(View::data(tensor));
        }
        Ok(hexadecimal(&hash.finalize()))
    }

    /// Removes and returns the numbers of a tensor of one dimension and this length.
    pub(crate) fn take<T: candle_core::WithDType>(&mut self, name: &str, length: usize) -> Result<Vec<T>> {
        let wanted = || format!("shape [{length}]");
        let tensor = self
            .tensors
            .remove(name)
            .ok_or_else(|| Error::file(&self.path, format!("tensor {name} is missing"), wanted()))?;
        match tensor.dims() {
            [seen] if *seen == length => Ok(tensor.to_vec1()?),
            seen => Err(Error::file(&self.path, format!("tensor {name} has shape {seen:?}"), wanted())),
        }
    }

    /// Removes the tensors whose names begin with `prefix`, and returns them without it; none if there are none.
    pub(crate) fn take_prefixed(&mut self, prefix: &str) -> HashMap<String, Tensor> {
        let names: Vec<String> = self.tensors.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
        names.iter().filter_map(|name| Some((name[prefix.len()..].to_owned(), self.tensors.remove(name)?))).collect()
    }

    /// The network the remaining tensors make up, none missing, none over.
    pub(crate) fn into_network(self, layout: &std::sync::Arc<Layout>) -> Result<Weights<f32>> {
        network(&self.path, layout, self.tensors)
    }
}

/// A network from named tensors of a file, none missing, none over.
pub(crate) fn network(
    path: &Path,
    layout: &std::sync::Arc<Layout>,
    tensors: HashMap<String, Tensor>,
) -> Result<Weights<f32>> {
    Weights::from_named(layout, tensors).map_err(|error| match error {
        Error::Domain { name, value, allowed } => Error::file(path, format!("{name} is {value}"), allowed),
        other => other,
    })
}
