//! The families of directions and their names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A law that directions are drawn from. Coordinates are independent unless said.
///
/// Written and read as the names below, also in records.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Family {
    /// `uniform`: U(0, 1), the paper's; every coordinate is positive.
    Uniform,
    /// `gaussian`: N(0, 1), hence uniform over the sphere.
    Gaussian,
    /// `rademacher`: ±1 with equal chance.
    Rademacher,
    /// `ones`: 1; every draw is the same.
    Ones,
    /// `centred`: U(−1, 1).
    Centred,
    /// `uniform-minus-mean`: U(0, 1) less the mean of the draw, so that the coordinates sum to 0.
    UniformMinusMean,
    /// `sign-matched:FRACTION`: lengths from U(0, 1); that fraction of the coordinates, chosen at random, has the sign of
    /// the solution's weight and the rest the opposite sign. Where the weight is 0 the sign is random and not counted.
    SignMatched(MatchFraction),
    /// `filter-normalised`: N(0, 1), scaled filter by filter to the length of the solution's filter, and 0 outside
    /// the filters (Li et al., *Visualizing the Loss Landscape of Neural Nets*, 2018). Not scaled to length 1.
    FilterNormalised,
}

/// The families without a parameter, and their names.
const NAMES: [(&str, Family); 7] = [
    ("uniform", Family::Uniform),
    ("gaussian", Family::Gaussian),
    ("rademacher", Family::Rademacher),
    ("ones", Family::Ones),
    ("centred", Family::Centred),
    ("uniform-minus-mean", Family::UniformMinusMean),
    ("filter-normalised", Family::FilterNormalised),
];

const SIGN_MATCHED: &str = "sign-matched";

/// A fraction in [0, 1] of the coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatchFraction(f64);

impl MatchFraction {
    /// A number from 0 to 1.
    pub fn new(fraction: f64) -> Result<Self> {
        if (0.0..=1.0).contains(&fraction) {
            Ok(Self(fraction))
        } else {
            Err(Error::domain("match fraction", fraction, "a number from 0 to 1"))
        }
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }

    /// The whole number nearest to the fraction of n, halves away from 0.
    pub(super) fn of(self, n: usize) -> usize {
        (self.0 * n as f64).round() as usize
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::SignMatched(fraction) = self {
            return write!(f, "{SIGN_MATCHED}:{}", fraction.get());
        }
        let name = NAMES.iter().find(|(_, family)| family == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Family {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        if let Some((_, family)) = NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(*family);
        }
        let (stem, fraction) = name.split_once(':').unwrap_or((name, ""));
        if stem == SIGN_MATCHED {
            let fraction = fraction.parse().map_err(|_| {
                Error::domain("direction family", name, "sign-matched:FRACTION, such as sign-matched:0.9")
            })?;
            return Ok(Self::SignMatched(MatchFraction::new(fraction)?));
        }
        let known = NAMES.iter().map(|(known, _)| *known).chain(["sign-matched:FRACTION"]);
        Err(Error::unknown("direction family", name, &known.collect::<Vec<_>>()))
    }
}

impl TryFrom<String> for Family {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        name.parse()
    }
}

impl From<Family> for String {
    fn from(family: Family) -> Self {
        family.to_string()
    }
}
