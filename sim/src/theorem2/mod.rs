//! Theorem 2: averaging SGD in an asymmetric valley gives a bias towards the flat side.
//!
//! SGD on one coordinate, w′ = w − η(g + ω) with |ω| ≤ ν; for w ≥ 0 the slope g lies in [b₊, a₊], for w < 0 in
//! [b₋, −c·a₊] ([`sgd`](crate::sgd)). The printed theorem says that the average w̄ over one round has E[w̄] > c₀ > 0. What
//! is true of it:
//!
//! | | statement | where |
//! |---|---|---|
//! | printed | E\[w̄\] > c₀ > 0, if c′ < e^(c/3)/6 and ν ≤ a₊ | [`printed`]; holds for prepared rounds and noise of mean zero |
//! | (P) | the sum over a prepared round, whatever the noise's mean | [`pathwise`] |
//! | (C) | E\[w̄ \| start\] ≥ c₀ for every prepared round | [`per_round`] |
//! | (L) | E\[w₀ + … + w_(n−1)\] ≥ ρn − C from every start | [`long_run`] |
//! | (E) | the long-run mean is η(s − b)/2 in a two-slope valley | [`exact_law()`] |
//! | (HD) | the same along a direction in many dimensions (Section 5.2) | [`visited`] |
//!
//! (P), (C) and (L) were derived for this project. Which hypothesis of a statement fails, and by
//! how much, [`Statement::violations`] says; what they assume of slopes, noise and start is named by
//! [`ProcessHypothesis`]. That the thresholds cannot be lowered, [`sharpness`] shows; the smallest mean that any
//! adversary can reach, and the thresholds themselves, the [`adversary`] computes.

pub mod adversary;
pub mod bias_map;
mod curves;
pub mod exact_law;
mod hypothesis;
pub mod long_run;
pub mod path;
pub mod pathwise;
pub mod per_round;
pub mod phase_map;
pub mod printed;
mod process;
mod scales;
pub mod sharpness;
pub mod visited;

#[cfg(test)]
mod tests;

pub use adversary::{Enclosure, ThresholdsConfig, long_run_threshold, per_round_threshold, thresholds};
pub use bias_map::{BiasMapConfig, bias_map};
pub use exact_law::{ExactLawCase, ExactLawConfig, exact_law};
pub use hypothesis::{Hypothesis, Statement, Violation};
pub use path::{PathConfig, path};
pub use phase_map::{PhaseMapConfig, SlopeFamily, phase_map, phase_map_row};
pub use process::{Node, ProcessHypothesis};
pub use scales::Scales;
