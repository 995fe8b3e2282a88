//! Theorem 2, on known slopes and noise.

use serde::{Deserialize, Serialize};

use crate::profile::Profile;

/// Figure 5: SGD on a one-dimensional asymmetric function, and its running average.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SgdPath {
    /// The function sampled for drawing.
    pub loss: Profile,
    /// w_t for t = 0, 1, ….
    pub iterates: Vec<f64>,
    /// The mean of w_0 … w_t.
    pub running_mean: Vec<f64>,
    /// Parameters in words, for the caption.
    pub setting: String,
}

/// Theorem 2: averages of SGD over a grid of the asymmetry c and the noise bound ν (in units of a₊).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BiasMap {
    /// The values of c.
    pub c: Vec<f64>,
    /// The values of ν/a₊.
    pub nu: Vec<f64>,
    /// b₊/a₊.
    pub b_plus: f64,
    /// Long-run mean of the iterates in units of η·a₊; one row a value of ν, one column a value of c.
    pub long_run: Vec<Vec<f64>>,
    /// Mean of the round averages w̄, the same units and shape.
    pub round: Vec<Vec<f64>>,
    /// The larger 95 % half-width of the two means over the map, the same units.
    pub half_width: f64,
    /// Curves c(ν) that the theorems name, drawn into the map.
    pub thresholds: Vec<Threshold>,
    /// SGD steps in all.
    pub steps: u64,
    /// Parameters in words, for the caption.
    pub setting: String,
}

/// Theorem 2: averages of SGD with given slopes over a fine grid of the asymmetry c and the noise bound ν, each known to a
/// given confidence. All means are in units of η·a₊; a row is a value of ν, a column a value of c.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseMap {
    /// The values of c.
    pub c: Vec<f64>,
    /// The values of ν/a₊.
    pub nu: Vec<f64>,
    /// b₊/a₊.
    pub b_plus: f64,
    /// c′/c, where b₋ = −c′·a₊.
    pub c_prime: f64,
    /// The rows, one a value of ν.
    pub rows: Vec<PhaseMapRow>,
    /// No 95 % half-width of a mean is larger, cell by cell.
    pub half_width: f64,
    /// Curves c(ν) that the theorems name, drawn into the map.
    pub thresholds: Vec<Threshold>,
    /// Parameters in words, for the caption.
    pub setting: String,
}

/// One row of a [`PhaseMap`]: a number for each value of c.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseMapRow {
    /// Long-run mean of the iterates.
    pub long_run: Vec<f64>,
    /// E\[w̄\], the mean of the round averages.
    pub round: Vec<f64>,
    /// The share of finished rounds with w̄ < 0.
    pub negative: Vec<f64>,
    /// SGD steps that the cell took.
    pub steps: Vec<u64>,
}

/// A curve c(ν) above which a statement promises a positive mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Such as `(C) every prepared round`.
    pub name: String,
    /// ν/a₊.
    pub nu: Vec<f64>,
    /// The threshold in c.
    pub c: Vec<f64>,
}

/// Theorem 2's thresholds in c as the worst slopes and noise have them, beside those that suffice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// (L), the mean of all iterates: one curve a b₊.
    pub long_run: Vec<ThresholdCurve>,
    /// (C), the expected average of a prepared round: one curve a b₊.
    pub round: Vec<ThresholdCurve>,
    /// The mean of all iterates with heavy-ball momentum: one curve a μ.
    pub momentum: Vec<ThresholdCurve>,
    /// b₊/a₊ with momentum.
    pub momentum_b_plus: f64,
    /// The largest c that was searched with momentum.
    pub momentum_most: f64,
    /// The thresholds of (L) and of (C), which suffice.
    pub sufficient: Vec<Threshold>,
    /// Parameters in words, for the caption.
    pub setting: String,
}

/// One curve of [`Thresholds`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdCurve {
    /// Such as `b₊ = 0.5 a₊`.
    pub name: String,
    /// What the name says, as a number.
    pub value: f64,
    /// Cells of the lattice to ηa₊.
    pub cells: u16,
    /// One entry a value of ν.
    pub points: Vec<ThresholdPoint>,
}

/// One point of a [`ThresholdCurve`]; nothing is known of a threshold above the range searched.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ThresholdPoint {
    /// ν/a₊.
    pub nu: f64,
    /// The largest c at which some adversary has a negative mean for certain.
    pub negative: Option<f64>,
    /// The largest c at which the smallest mean on the lattice is not positive.
    pub threshold: Option<f64>,
    /// The smallest c from which all adversaries, on the lattice or not, have a positive mean, if one is known.
    pub certain: Option<f64>,
}

/// The exact law (E): the long-run mean of SGD in a two-slope valley is η(s − b)/2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExactLaw {
    /// One entry a setting.
    pub rows: Vec<ExactLawRow>,
    /// Joint confidence of all intervals, such as 0.999.
    pub confidence: f64,
}

/// One setting of [`ExactLaw`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExactLawRow {
    /// The flat slope b.
    pub flat: f64,
    /// The sharp slope s (the gradient is −s for w < 0).
    pub sharp: f64,
    /// The noise bound ν.
    pub nu: f64,
    /// The step size η.
    pub eta: f64,
    /// The noise's law, such as `uniform`.
    pub noise: String,
    /// η(s − b)/2.
    pub expected: f64,
    /// The simulated long-run mean.
    pub mean: f64,
    /// Half-width of its confidence interval.
    pub half_width: f64,
    /// Whether the law applies: ν ≤ b and ν ≤ s.
    pub applies: bool,
}

impl ExactLawRow {
    /// Whether the law lies within the interval. A chain without noise repeats itself, so that its interval can be
    /// narrower than the rounding of a sum; hence 1e-9 relative.
    pub fn is_met(&self) -> bool {
        (self.mean - self.expected).abs() <= self.half_width.max(1e-9 * self.expected.abs())
    }
}
