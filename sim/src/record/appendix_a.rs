//! The network with two parameters.

use serde::{Deserialize, Serialize};

use crate::asymmetry::{Certificate, Verdict};

/// Appendix A: one neuron, two parameters, many seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppendixA {
    /// Offsets l along each direction.
    pub offsets: Vec<f64>,
    /// One entry a seed.
    pub seeds: Vec<AppendixASeed>,
    /// The seeds left out because their classes are separable, where the protocol trains to the optimum.
    #[serde(default)]
    pub without_optimum: Vec<u64>,
    /// The protocol in words.
    pub protocol: String,
}

/// One seed of [`AppendixA`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppendixASeed {
    /// The seed.
    pub seed: u64,
    /// Losses at averaged solution + l·u.
    pub losses: Vec<f64>,
    /// Whether a line separates the classes (then logistic regression has no optimum).
    pub separable: bool,
    /// The last iterate (weight, bias).
    pub last: [f64; 2],
    /// The averaged solution (weight, bias).
    pub averaged: [f64; 2],
    /// The minimiser of the loss (weight, bias), if the classes are not separable.
    #[serde(default)]
    pub optimum: Option<[f64; 2]>,
    /// The direction (weight, bias), of unit length; a filter-normalised one has the length of the averaged solution.
    pub direction: [f64; 2],
    /// Whether the opposite of the direction is the better one: then verdict and certificate speak of it.
    #[serde(default)]
    pub mirrored: bool,
    /// The verdict along the direction or its opposite, whichever is better.
    pub verdict: Verdict,
    /// The canonical certificate, if the verdict is asymmetric.
    pub certificate: Option<Certificate>,
    /// Share of the lines through the averaged solution, at equal angles, that are asymmetric one way or the other.
    pub circle_share: f64,
    /// Share of these lines that are valleys, asymmetric or symmetric.
    #[serde(default)]
    pub circle_valley_share: f64,
}
