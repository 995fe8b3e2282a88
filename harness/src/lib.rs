//! Asymmetric valleys, the deep nets: data, networks, training, weight averaging, checkpoints, landscape measurements.
//!
//! A network is a static [`model::Graph`] of named layers. [`exec::Executor`] runs it: losses, gradients, batch-norm
//! statistics. The parameters of a network live in one flat store, [`params::Weights`], under their PyTorch names, so
//! that a direction, an average or an optimiser is a plain vector operation.
//!
//! Everywhere outside [`exec`], images are `f32` in the order (image, channel, row, column), and parameters have
//! PyTorch's shapes: convolutions (out, in, row, column), linear layers (out, in).
//!
//! Work runs on the caller's rayon pool. Results have the same bits for any number of threads: sums over a batch are
//! taken over a fixed number of image groups and combined in a fixed tree.

pub mod average;
pub mod checkpoint;
pub mod checksum;
pub mod data;
pub mod device_test;
pub mod error;
pub mod exec;
pub mod files;
pub mod interchange;
pub mod landscape;
pub mod metrics;
pub mod model;
pub mod optim;
pub mod params;
pub(crate) mod pickle;
pub mod preset;
pub mod scalar;
pub mod speed;
pub mod suite;
pub mod train;

pub use error::Error;
pub use scalar::Scalar;

/// The result of a function of this crate.
pub type Result<T> = std::result::Result<T, Error>;
