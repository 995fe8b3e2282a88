//! Training: SGD, its weight average (SWA), and SGD from the average on.
//!
//! One file an idea: [`config`] what a run does, `epoch` one pass over the training images, `state` what is kept
//! between epochs so that a stopped run continues to the same bits, [`evaluate`] what a solution is worth.

pub mod config;
mod epoch;
mod evaluate;
mod state;
mod trainer;

pub use config::{Config, Recipe};
pub use evaluate::evaluate;
pub use trainer::{Trained, Trainer};

#[cfg(test)]
mod tests;
