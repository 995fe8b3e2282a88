//! The adversary: dynamic programming over every slope and every law of the noise.
//!
//! An adversary picks the slope within the valley's bounds and the law of the noise, bounded by ν and of mean zero, both
//! knowing where the iterate is. What the theorems promise against all of them is computed here on a lattice, ηa₊ being a
//! whole number of cells, from two sides:
//!
//! - An adversary whose iterates, mean steps and noise are whole numbers of cells is one of the theorem's. Where it has a
//!   negative mean, so has the theorem's worst.
//! - The iterates of any adversary, rounded down to whole cells, obey looser bounds. Where even these leave no mean that
//!   is not positive, the theorem's worst has a positive mean.
//!
//! | | what is computed | where |
//! |---|---|---|
//! | (L) | the c from which the long-run mean is positive | [`long_run_threshold`] |
//! | (C) | the c from which E\[w̄ \| start\] > 0 in every prepared round | [`per_round_threshold`] |
//! | | the c from which heavy-ball momentum keeps its bias | [`momentum_threshold`] |
//! | | the worst adversary itself, to simulate | [`worst_case()`] |

mod average;
mod enclosure;
mod law;
mod long_run;
mod momentum;
mod round;
mod thresholds;
mod walk;
mod worst_case;

pub use enclosure::Enclosure;
pub use long_run::long_run_threshold;
pub use momentum::{Momentum, momentum_threshold};
pub use round::per_round_threshold;
pub use thresholds::{ThresholdsConfig, ThresholdsGrid, thresholds};
pub use worst_case::{Adversary, WorstCase, worst_case};
