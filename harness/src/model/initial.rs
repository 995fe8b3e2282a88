//! The laws that parameters are first drawn from.

use rand::RngExt;
use valleys_sim::seed::{Stream, standard_normal};

/// What the numbers of a fresh parameter are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Initial {
    /// All the same.
    Constant(f64),
    /// Normal, with mean 0 and this standard deviation.
    Normal(f64),
    /// Uniform between minus and plus this bound.
    Uniform(f64),
}

impl Initial {
    /// The next number.
    pub(crate) fn sample(self, rng: &mut Stream) -> f64 {
        match self {
            Self::Constant(value) => value,
            Self::Normal(deviation) => deviation * standard_normal(rng),
            Self::Uniform(bound) => bound * (2.0 * rng.random::<f64>() - 1.0),
        }
    }
}
