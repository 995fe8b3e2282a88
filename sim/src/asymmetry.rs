//! Definitions 1 and 2: certificates of asymmetry of a sampled line.

use serde::{Deserialize, Serialize};

/// A direction's asymmetry in the paper's four numbers (Definition 1), and what it promises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// r̄, the outer end of the window.
    pub r_hi: f64,
    /// r̲, the inner end of the window.
    pub r_lo: f64,
    /// p, the slope that the flat side stays below.
    pub p: f64,
    /// c, the ratio: the sharp side's slope stays above c·p.
    pub c: f64,
    /// Whether the flat side does not rise, so that c is only a lower bound ("≥ c").
    pub c_is_lower_bound: bool,
    /// Theorem 1's gain for this window: (s − p)(r̄ − r̲)/4 for the canonical certificate,
    /// (s − p)·min{r̄ − δ̄, δ̄ − r̲}/2 − 2ξ for a matched one.
    pub gain: f64,
}

/// What a profile says of a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// An admissible window exists.
    Asymmetric,
    /// Valley windows exist, but none is admissible.
    Symmetric,
    /// No window holds the profile's minimum: the centre is not at the bottom of a valley.
    NotAValley,
    /// An admissible window exists, but not within the errors of measurement.
    Undecided,
}
