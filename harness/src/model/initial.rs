//! The laws that parameters are first drawn from.

use rand::RngExt;
use serde::{Deserialize, Serialize};
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
    /// Uniform between 0 and 1.
    Unit,
}

impl Initial {
    /// The next number.
    pub(crate) fn sample(self, rng: &mut Stream) -> f64 {
        match self {
            Self::Constant(value) => value,
            Self::Normal(deviation) => deviation * standard_normal(rng),
            Self::Uniform(bound) => bound * (2.0 * rng.random::<f64>() - 1.0),
            Self::Unit => rng.random(),
        }
    }
}

/// What the weights of fresh batch norms are drawn from (Appendix H).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormWeights {
    /// All 1, as everywhere else in the paper.
    #[default]
    One,
    /// U(0, 1).
    Uniform,
    /// N(0, 0.1), where 0.1 is the standard deviation.
    Normal,
}

impl NormWeights {
    /// The name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Uniform => "uniform",
            Self::Normal => "normal",
        }
    }

    /// Whether they are what they are unless said otherwise.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn law(self) -> Initial {
        match self {
            Self::One => Initial::Constant(1.0),
            Self::Uniform => Initial::Unit,
            Self::Normal => Initial::Normal(0.1),
        }
    }
}
