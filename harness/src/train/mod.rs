//! Training: phases of SGD, with or without an average of their weights.
//!
//! One file an idea: [`Config`] what a run does, as written down; [`Recipe`] the same, checked; [`Config::paper`] the
//! paper's settings; `epoch` one pass over the training images; `select` which epoch is a solution; `state` and `store`
//! what is kept so that a stopped run continues to the same bits; [`evaluate`] what a solution is worth.

mod config;
mod epoch;
mod evaluate;
mod kept;
mod presets;
mod recipe;
mod select;
mod state;
mod store;
mod trainer;

pub use config::{Checkpoints, Config, MomentumBuffer, PhaseConfig, Selection};
pub use evaluate::evaluate;
pub(crate) use evaluate::evaluate_loaded;
pub use kept::Kept;
pub use presets::Method;
pub use recipe::{Phase, Recipe, Start};
pub use trainer::{Trained, Trainer};

#[cfg(test)]
mod tests;
