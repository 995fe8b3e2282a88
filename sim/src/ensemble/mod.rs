//! Many chains at once.
//!
//! Chain k has its own stream, `seed.stream("chain", k)`, and its own sums; the chains' sums are put together in the
//! order of k. So the bits of every result are the same for any number of threads, and since every step of a chain is
//! rounded as the plain [`Chain`](crate::sgd::Chain) rounds it, for any instruction set.
//!
//! [`run`] gives the sums that the statements about Theorem 2 need; a [`Simulation`] keeps any [`Tally`].
//! Sixty-four chains take their steps together, sixteen steps at a time, in passes over a block that stays in the first
//! cache: the words of all chains' streams, the noise made of them, the steps, the tallies.

mod batch;
mod chacha;
mod count;
mod lanes;
mod noise;
mod plain;
mod plan;
mod simulation;
mod single;
mod step;
mod sums;
mod take;
mod tally;

#[cfg(test)]
mod tests;

pub use count::Distributions;
pub use lanes::InstructionSet;
pub use plan::{Plan, Start};
pub use simulation::Simulation;
pub use sums::{ChainSums, Ensemble, run};
pub use take::Tallied;
pub use tally::{Extremes, RoundMeans, RoundMeansAsPrinted, RoundMoments, Stretches, Tally, Totals};
