//! Stochastic gradient descent on one coordinate: the chains of Theorem 2 (Section 5.1).
//!
//! A chain is w′ = w − η(g(w) + ω). What the theorem assumes of it is a [`Setting`]: the [`Valley`] (bounds on the
//! slopes left and right of 0), the step η and the noise bound ν. A [`Gradient`] gives g within those bounds, a
//! [`Noise`] gives ω, the three are a [`Process`], a [`Chain`] runs it, and [`Rounds`] cuts its iterates into the rounds
//! the theorem speaks of. A [`MomentumChain`] adds heavy-ball momentum, of which the theorem does not speak.
//!
//! The chains here are the plain ones, a number at a time. They are the reference for anything faster: products and sums
//! are rounded one by one (no fused multiply-add), and the stream of chain k is `seed.stream("chain", k)`.

mod chain;
mod gradient;
mod momentum;
mod noise;
mod round;
mod setting;

pub use chain::{Chain, Process, Visit, running_mean};
pub use gradient::{Gradient, SlopeShape, Slopes};
pub use momentum::{Momentum, MomentumChain};
pub use noise::{Noise, NoiseLaw, signed_unit, signed_unit_fine};
pub(crate) use noise::{TRUNCATED_GAUSSIAN_QUANTILE, UNIT_SPACING};
pub use round::{Round, Rounds};
pub use setting::{Setting, Valley};
