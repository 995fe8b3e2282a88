//! The mathematics of asymmetric valleys.
//!
//! Losses, directions, certificates of asymmetry, the shift between training and population loss, both theorems of
//! He, Huang and Yuan, *Asymmetric Valleys: Beyond Sharp and Flat Local Minima* (NeurIPS 2019, arXiv:1902.00744), as
//! printed and as corrected, and the stochastic gradient chains they speak of.
//!
//! One idea ties theory to deep nets: *a profile is a profile*. A loss sampled along a line, from a formula or from a
//! network, is the same type, [`Profile`], and is judged by the same functions ([`asymmetry`], [`shift`],
//! [`neighbourhood`]).
//!
//! This crate touches no files and no clock, prints nothing, does not panic on input, and gives the same bits on every
//! platform and for every number of threads.

pub mod appendix_a;
pub mod assumption1;
pub mod asymmetry;
pub mod comparison;
pub mod curvature;
pub mod direction;
pub mod ensemble;
pub mod error;
pub mod estimate;
pub mod evidence;
pub mod gradient_noise;
pub mod intervention;
pub mod loss;
pub mod minima;
pub mod neighbourhood;
pub mod noise_floor;
mod parallel;
pub mod profile;
pub mod progress;
pub mod record;
pub mod seed;
pub mod sgd;
pub mod shift;
pub mod theorem1;
pub mod theorem2;
pub mod trajectory;

pub use error::Error;
pub use profile::Profile;
pub use seed::Seed;

/// The result of a function of this crate.
pub type Result<T> = std::result::Result<T, Error>;
