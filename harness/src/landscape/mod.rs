//! The loss around a solution: along lines, on planes, between solutions.
//!
//! A [`Surface`] is what is measured: a [`Probe`], a network on fixed images of a data set, or a known function in its
//! place. A scan takes the points of lines in their order, one or [several at a time](PointsInFlight); every point is handed
//! to a [`Store`] as soon as it and those before it are measured, under the cell it belongs to (experiment, line, offset),
//! and a cell that the store already holds is not measured again. One file an experiment says where its places lie and turns the points into the records of
//! [`valleys_sim::record`]; what they mean is judged by `valleys_sim`.

pub mod batch_norm;
pub mod controls;
pub mod curvature;
pub mod direction;
mod flight;
mod full_gradient;
pub mod gradient_noise;
pub mod inter_rand;
pub mod interpolation;
pub mod intervention;
mod judged;
#[cfg(test)]
pub(crate) mod known;
pub mod line;
pub mod neighbourhood;
pub mod plane;
mod point;
pub mod prevalence;
mod probe;
pub mod rays;
pub mod rescale;
#[cfg(test)]
mod sample;
mod scan;
pub mod shift_law;
pub mod sign_consistency;
mod surface;
pub mod theory;
pub mod trajectory;
mod vector;

pub use flight::PointsInFlight;
pub use full_gradient::FullGradient;
pub use point::{Point, Store};
pub use probe::{BatchNorm, Probe, Spec};
pub use surface::{Losses, Measured, Surface};
pub use vector::difference;

#[cfg(test)]
mod tests;
