//! How many chains run, for how long, and from where.

use rand::RngExt;

use crate::error::finite;
use crate::{Error, Result, Seed};

/// So many steps of a chain can be counted in an `f64`.
const MOST_STEPS: u64 = 1 << 53;

/// How many chains run, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub(crate) chains: u64,
    pub(crate) burn_in: u64,
    pub(crate) steps: u64,
}

impl Plan {
    /// At least 2 chains (an interval needs two), each of `burn_in` steps that count for nothing and then at least 1
    /// step that counts.
    pub fn new(chains: u64, burn_in: u64, steps: u64) -> Result<Self> {
        if chains < 2 {
            return Err(Error::domain("number of chains", chains, "at least 2"));
        }
        if steps == 0 {
            return Err(Error::domain("number of steps", steps, "at least 1"));
        }
        let total = burn_in.checked_add(steps).and_then(|each| each.checked_mul(chains));
        if total.is_none() || burn_in + steps > MOST_STEPS {
            return Err(Error::domain(
                "number of steps",
                format!("{chains}·({burn_in} + {steps})"),
                "at most 2⁵³ a chain, below 2⁶⁴ in all",
            ));
        }
        Ok(Self { chains, burn_in, steps })
    }

    /// Number of chains.
    pub fn chains(&self) -> u64 {
        self.chains
    }

    /// Steps taken in all, those of the burn-in included.
    pub fn total_steps(&self) -> u64 {
        self.chains * (self.burn_in + self.steps)
    }
}

/// Where the chains start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// All at one point (finite).
    At(f64),
    /// Chain k at a point uniform on [low, high), drawn from `seed.stream("start", k)`.
    Uniform {
        /// The lower end (finite).
        low: f64,
        /// The upper end (finite).
        high: f64,
    },
}

impl Start {
    pub(super) fn check(self) -> Result<()> {
        match self {
            Self::At(point) => finite("start", point).map(drop),
            Self::Uniform { low, high } => {
                finite("low end of the starts", low)?;
                finite("high end of the starts", high).map(drop)
            }
        }
    }

    pub(super) fn of_chain(self, k: u64, seed: Seed) -> f64 {
        // Adding 0 turns −0 into 0, and then no iterate is −0 either: kernels may look at the sign bit alone.
        0.0 + match self {
            Self::At(point) => point,
            Self::Uniform { low, high } => low + (high - low) * seed.stream("start", k).random::<f64>(),
        }
    }
}
