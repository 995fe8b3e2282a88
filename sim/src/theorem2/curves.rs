//! What the theorems promise, as curves c(ν) to draw into maps.

use super::{long_run, pathwise, per_round};
use crate::record::Threshold;

/// The c (for a₊ = 1) above which each statement promises a positive mean, at some values of ν.
pub(super) fn sufficient_curves(nu: &[f64]) -> Vec<Threshold> {
    let curve = |name: &str, c: fn(f64) -> f64| Threshold {
        name: name.into(),
        nu: nu.to_vec(),
        c: nu.iter().map(|&nu| c(nu)).collect(),
    };
    vec![
        curve("(L) long run", long_run::threshold),
        curve("(C) every prepared round, in the mean", per_round::threshold),
        curve("(P) every prepared round, surely", pathwise::threshold),
    ]
}
