//! What is claimed, and how it stands.
//!
//! A [`Claim`] is one statement, printed or corrected, with its hypotheses, its [`Standing`] and an examination that runs
//! its evidence again: a false statement is refuted live, on a counterexample whose hypotheses are checked; a true one is
//! tried on arbitrary admissible objects ([`strategy`]), with exact expectations where they are finite ([`exact`]). An
//! examination that does not agree with the standing is *not upheld*: a refutation that finds no fault fails just as a
//! theorem that meets a counterexample.
//!
//! One file a theorem under `claims/`; [`registry`] lists them all and [`check`] runs them.

pub mod claim;
mod claims;
pub mod climb;
pub mod evidence;
pub mod exact;
pub mod proofs;
pub mod rational;
pub mod strategy;
pub mod trial;
mod weakening;

pub use claim::{Assumption, Claim, Effort, Standing};
pub use claims::{check, named, registry};
pub use evidence::{Evidence, Search, Trial};
pub use weakening::{Effect, Weakening};

pub use valleys_sim::{Error, Result};
