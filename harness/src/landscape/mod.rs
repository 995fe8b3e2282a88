//! The loss around a solution: along a line, and between two solutions.
//!
//! A [`Probe`] measures one network, given by its weights, on fixed images of a data set: batch-norm statistics, train
//! loss and test loss, all un-augmented. [`mod@line`] and [`interpolation`] say where the weights lie, take the points one
//! after the other, and turn them into the records of [`valleys_sim::record`]. Every point is handed to a [`Store`] as
//! soon as it is measured, and a point the store already holds is not measured again.

pub mod direction;
pub mod interpolation;
pub mod line;
mod point;
mod probe;

pub use point::{Measured, Point, Store};
pub use probe::{BatchNorm, Probe, Spec};

#[cfg(test)]
mod tests;
