//! Theorem 1: a solution biased to the flat side generalises better, as printed and as corrected.
//!
//! With directions u¹ … uᵏ, steps l_i ≥ 0, slopes p_i, ratios c_i and a window (r̲, r̄) the statement bounds the gain
//!
//! E L(ŵ) − E L(ŵ + Σ l_i uⁱ)
//!
//! from below. It has two readings: the training loss is fixed and the population loss random, or the other way round
//! ([`Reading`]).
//!
//! **Printed:** Σ (c_i − 1) l_i p_i / 2 − 2kξ, given Assumption 1 for R = ‖l‖, Assumption 2 for R′ = ‖δ̄‖ + ‖l‖ and
//! 4ξ/((c_i − 1)p_i) < l_i ≤ max{r̄ − δ̄_i, δ̄_i − r̲}. This is false in three ways, see [`Fault`].
//!
//! **Corrected:** Σ (c_i − 1) l_i p_i / 2 − 2ξ, given orthonormal directions, balanced projections s_i = ⟨δ, uⁱ⟩ of the
//! shift, projections that the step keeps within the window, and the gap and the asymmetry on radius Δ + ‖l‖. Both
//! constants, ½ and 2ξ, are best possible, see [`extremal`].
//!
//! [`Terms`] holds the numbers and the bounds, [`Hypothesis`] names every hypothesis, an [`Instance`] is a concrete
//! world whose gain can be evaluated ([`Instance::gain`] exactly, [`Instance::sampled_gain`] beyond) and whose
//! hypotheses can be [audited](Instance::audit). [`ensemble`] gives the distribution of the gain over the shift's signs, for
//! [`AxisAligned`] worlds in thousands of dimensions.

mod audit;
mod counterexample;
mod ensemble;
mod extremal;
mod gain;
mod hypothesis;
mod instance;
mod shifts;
mod terms;
mod tightness;

pub use audit::{Audit, Checks, Coverage, Finding, Violation};
pub use counterexample::Fault;
pub use ensemble::{AxisAligned, Ensemble, ExactGain, IndependentSigns, Patterns, ensemble};
pub use extremal::extremal;
pub use gain::Gain;
pub use hypothesis::{Hypothesis, Statement};
pub use instance::{Instance, Kinks, Perturbation, Reading};
pub use shifts::{EXACT_DIMENSION, Shifts};
pub use terms::{Direction, Terms};
pub use tightness::{TightnessConfig, tightness};
