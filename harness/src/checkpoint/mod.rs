//! Networks in files: safetensors, PyTorch's names and shapes.
//!
//! A file written by [`save`] loads into the official code's model with `load_state_dict(strict=True)`, and what that
//! model's `state_dict()` saves is read by [`load`]. Files appear whole or not at all. Those of a training run say what
//! they are ([`About`]) and carry a checksum, which [`load`] compares.

mod about;
mod file;

use std::path::Path;
use std::sync::Arc;

pub use about::About;
pub(crate) use file::{KEY, TensorFile, network};

use crate::params::{Layout, Weights};
use crate::{Error, Result};

/// Writes a network, batch-norm statistics included, in place of an older file of that name.
pub fn save(path: &Path, weights: &Weights<f32>) -> Result<()> {
    TensorFile { path: path.to_owned(), tensors: weights.named()?.into_iter().collect(), about: None }.write()
}

/// The same, with what it is.
pub fn save_solution(path: &Path, weights: &Weights<f32>, about: &About) -> Result<()> {
    let tensors = weights.named()?.into_iter().collect();
    let about = serde_json::to_string(about).map_err(|error| Error::file(path, error, "a solution"))?;
    TensorFile { path: path.to_owned(), tensors, about: Some(about) }.write()
}

/// Reads a network of this layout.
///
/// Fails on a tensor that is missing, unknown or of another shape, naming file and tensor, and on a wrong checksum.
pub fn load(path: &Path, layout: &Arc<Layout>) -> Result<Weights<f32>> {
    TensorFile::read(path)?.into_network(layout)
}

/// Reads a solution of a training run, and what it is; fails on a file from elsewhere.
pub fn load_solution(path: &Path, layout: &Arc<Layout>) -> Result<(Weights<f32>, About)> {
    let file = TensorFile::read(path)?;
    let about = About::of(&file)?;
    Ok((file.into_network(layout)?, about))
}

/// Reads a file whole; whether it has a checksum, which is then right.
///
/// # Errors
/// [`Error::File`] if it is damaged, [`Error::Io`] if it cannot be read.
pub fn verify(path: &Path) -> Result<bool> {
    Ok(TensorFile::read(path)?.about.is_some())
}

#[cfg(test)]
mod tests;
