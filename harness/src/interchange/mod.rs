//! Networks to and from PyTorch.
//!
//! [`StoredFile`] reads safetensors and what `torch.save` writes, today's zip archives and the legacy format of PyTorch
//! before 1.6, in which the paper's code and timgaripov/swa kept their checkpoints. Nothing in a file is executed: its pickle
//! is read by a machine that only notes what it asks for, and that knows the few names tensors are made of. Every size in a
//! file is compared with the file before memory is asked for, so reading takes memory in proportion to the file.
//!
//! A file holds one [`StateDict`] or several. [`StateDict::recognise`] finds the network by names and shapes,
//! [`Recognised::weights`] makes it. [`save_pt`] writes one for `torch.load`.

mod archive;
mod contents;
mod element;
mod file;
mod legacy;
mod order;
mod recognise;
mod tensor;
#[cfg(test)]
mod tests;
mod torch;
mod write;

use sha2::{Digest, Sha256};

pub use contents::{Entry, StateDict};
pub use element::Element;
pub use file::{Form, StoredFile};
pub use order::{Expected, state_dict};
pub use recognise::Recognised;
pub use tensor::StoredTensor;
pub use write::save_pt;

use crate::checksum::hexadecimal;
use crate::params::Weights;

/// SHA-256 of the trainable parameters in hexadecimal digits: every number as a little-endian `float32`, in the order of
/// `model.parameters()`.
pub fn checksum(weights: &Weights<f32>) -> String {
    let hash = weights.values.iter().fold(Sha256::new(), |hash, value| hash.chain_update(value.to_le_bytes()));
    hexadecimal(&hash.finalize())
}
