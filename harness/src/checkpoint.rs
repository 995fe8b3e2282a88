//! Networks in files: safetensors, PyTorch's names and shapes.
//!
//! A file written by [`save`] loads into the official code's model with `load_state_dict(strict=True)`, and what that
//! model's `state_dict()` saves is read by [`load`]. Files appear whole or not at all.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use tempfile::NamedTempFile;

use crate::params::{Layout, Weights};
use crate::{Error, Result};

/// Writes a network, batch-norm statistics included, in place of an older file of that name.
pub fn save(path: &Path, weights: &Weights<f32>) -> Result<()> {
    TensorFile { path: path.to_owned(), tensors: weights.named()?.into_iter().collect(), note: None }.write()
}

/// Reads a network of this layout.
///
/// Fails on a tensor that is missing, unknown or of another shape, naming file and tensor.
pub fn load(path: &Path, layout: &Arc<Layout>) -> Result<Weights<f32>> {
    TensorFile::read(path)?.into_network(layout)
}

/// A safetensors file in memory: named tensors and at most one line of text.
///
/// One, because the format keeps texts in a hash map, whose order would change from run to run.
pub(crate) struct TensorFile {
    pub(crate) path: PathBuf,
    pub(crate) tensors: HashMap<String, Tensor>,
    pub(crate) note: Option<String>,
}

/// The key of [`TensorFile::note`] in the file's metadata.
const NOTE: &str = "note";

impl TensorFile {
    /// Writes a temporary file beside the path, then moves it there.
    pub(crate) fn write(&self) -> Result<()> {
        let note = self.note.as_ref().map(|note| HashMap::from([(NOTE.to_owned(), note.clone())]));
        let bytes = safetensors::serialize(&self.tensors, note)
            .map_err(|error| Error::file(&self.path, error, "tensors safetensors can hold"))?;
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut file = NamedTempFile::new_in(folder).map_err(Error::io(folder))?;
        file.write_all(&bytes).and_then(|()| file.as_file().sync_all()).map_err(Error::io(&self.path))?;
        file.persist(&self.path).map_err(|error| Error::io(&self.path)(error.error))?;
        Ok(())
    }

    /// Reads a whole file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(Error::io(path))?;
        let broken = |error: &dyn std::fmt::Display| Error::file(path, error, "a whole safetensors file");
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| broken(&error))?;
        let note = metadata.metadata().as_ref().and_then(|texts| texts.get(NOTE).cloned());
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).map_err(|error| broken(&error))?;
        Ok(Self { path: path.to_owned(), tensors, note })
    }

    /// Removes and returns a tensor of one dimension and this length.
    pub(crate) fn take(&mut self, name: &str, length: usize) -> Result<Tensor> {
        let wanted = || format!("shape [{length}]");
        let tensor = self
            .tensors
            .remove(name)
            .ok_or_else(|| Error::file(&self.path, format!("tensor {name} is missing"), wanted()))?;
        match tensor.dims() {
            [seen] if *seen == length => Ok(tensor),
            seen => Err(Error::file(&self.path, format!("tensor {name} has shape {seen:?}"), wanted())),
        }
    }

    /// The network the remaining tensors make up, none missing, none over.
    pub(crate) fn into_network(self, layout: &Arc<Layout>) -> Result<Weights<f32>> {
        Weights::from_named(layout, self.tensors).map_err(|error| match error {
            Error::Domain { name, value, allowed } => Error::file(&self.path, format!("{name} is {value}"), allowed),
            other => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use valleys_sim::Seed;

    use super::*;
    use crate::model::Architecture;

    fn network() -> Weights<f32> {
        let graph = Architecture::ResNet8.graph(10).expect("ten classes");
        let mut weights = Weights::initialise(&graph, Seed(1));
        weights.running_mean[5] = -0.25;
        weights.running_var[7] = 3.5;
        weights.batches_tracked = 321;
        weights
    }

    #[test]
    fn a_network_comes_back_bit_for_bit_and_its_file_is_always_the_same() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (path, again) = (folder.path().join("a.safetensors"), folder.path().join("b.safetensors"));
        let weights = network();
        save(&path, &weights).expect("writable");
        save(&again, &weights).expect("writable");
        assert_eq!(load(&path, weights.layout()).expect("readable"), weights);
        assert_eq!(fs::read(&path).expect("file"), fs::read(&again).expect("file"));
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 2, "no temporary file stays behind");
    }

    #[test]
    fn the_file_holds_pytorchs_names_shapes_and_types() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a.safetensors");
        save(&path, &network()).expect("writable");
        let bytes = fs::read(&path).expect("file");
        let file = SafeTensors::deserialize(&bytes).expect("safetensors");
        let kernel = file.tensor("layer2.0.conv1.weight").expect("present");
        assert_eq!((kernel.shape(), kernel.dtype()), (&[32, 16, 3, 3][..], safetensors::Dtype::F32));
        let count = file.tensor("layer1.0.bn1.num_batches_tracked").expect("present");
        assert_eq!((count.shape(), count.dtype(), count.data()[0]), (&[][..], safetensors::Dtype::I64, 65));
        assert_eq!(file.tensor("fc.bias").expect("present").shape(), [10]);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_file_and_tensor() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a.safetensors");
        let weights = network();
        let message = |change: &dyn Fn(&mut HashMap<String, Tensor>)| {
            let mut file = TensorFile {
                path: path.clone(),
                tensors: weights.named().expect("tensors").into_iter().collect(),
                note: None,
            };
            change(&mut file.tensors);
            file.write().expect("writable");
            load(&path, weights.layout()).expect_err("does not fit").to_string()
        };
        let missing = message(&|tensors| {
            tensors.remove("fc.bias");
        });
        assert!(missing.contains("a.safetensors") && missing.contains("fc.bias is missing"), "{missing}");
        let extra = message(&|tensors| {
            let tensor = tensors["fc.bias"].clone();
            tensors.insert("fc.scale".into(), tensor);
        });
        assert!(extra.contains("fc.scale"), "{extra}");
        let shape = message(&|tensors| {
            let tensor = tensors["fc.weight"].t().expect("matrix").contiguous().expect("matrix");
            tensors.insert("fc.weight".into(), tensor);
        });
        assert!(shape.contains("fc.weight") && shape.contains("[64, 10]"), "{shape}");

        fs::write(&path, b"not tensors").expect("writable");
        let broken = load(&path, weights.layout()).expect_err("broken").to_string();
        assert!(broken.contains("a.safetensors") && broken.contains("a whole safetensors file"), "{broken}");
        let absent = load(&folder.path().join("absent"), weights.layout()).expect_err("absent").to_string();
        assert!(absent.contains("absent"), "{absent}");
    }
}
