//! Stochastic gradient descent with momentum, and the learning rate by epoch.

mod schedule;
mod sgd;

pub use schedule::Schedule;
pub(crate) use sgd::Step;
pub use sgd::{Sgd, SgdParams};
