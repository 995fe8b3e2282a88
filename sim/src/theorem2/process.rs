//! What Theorem 2 assumes of the process, beyond its setting, by name.

use super::Scales;
use crate::sgd::Setting;

/// A condition on the process: on the slopes and the noise that it meets, and on where it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProcessHypothesis {
    /// The noise has conditional mean zero, given everything before it. (C), (L), (E).
    ZeroMeanNoise,
    /// The noise is at most ν in size. (P), (C), (L), (E).
    BoundedNoise,
    /// The variance of the noise, given everything before it, is at most ν²: what stochastic optimisation often assumes in
    /// the place of a bound.
    BoundedVariance,
    /// Every slope met lies within the valley's bounds, on the side that the iterate is on. (P), (C), (L).
    SlopesWithinBounds,
    /// The sharp iterate before the round lies in [−D, 0). (P), (C).
    PreparedRound,
    /// The round starts on the flat side.
    FlatStart,
    /// The first iterate is −D or higher. (L).
    StartAboveMinusD,
    /// The noise does not depend on the iterates before it. (E).
    IndependentNoise,
    /// The first iterate has the stationary law. (E).
    StationaryStart,
    /// In many dimensions: the sides are those of one hyperplane through w*, at right angles to u. (HD).
    SameHyperplane,
}

/// One node of a finite tree of noise: where the iterate is, the slope met there, and the noise's law.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// w.
    pub point: f64,
    /// g.
    pub slope: f64,
    /// The outcomes ω of the noise, each with a weight ≥ 0; one weight at least is above 0.
    pub noise: Vec<(f64, f64)>,
}

impl ProcessHypothesis {
    /// The hypothesis in the notation of the paper.
    pub fn wording(self) -> &'static str {
        match self {
            Self::ZeroMeanNoise => "E[ω_t | past] = 0, the past being w₀, …, w_t and the slopes met, w_t's included",
            Self::BoundedNoise => "|ω_t| ≤ ν",
            Self::BoundedVariance => "E[ω_t² | past] ≤ ν²",
            Self::SlopesWithinBounds => {
                "at every w_t visited, the slope is in [b₊, a₊] if w_t ≥ 0, in [b₋, −ca₊] if w_t < 0"
            }
            Self::PreparedRound => "the round is prepared: the sharp iterate before it is in [−D, 0)",
            Self::FlatStart => "w₀ ≥ 0",
            Self::StartAboveMinusD => "w₀ ≥ −D",
            Self::IndependentNoise => "ω_t is independent of the past",
            Self::StationaryStart => "w₀ = V − η(b + ω), V uniform on [0, η(b + s)) and independent of ω",
            Self::SameHyperplane => "at every w_t visited, the flat side is ⟨w − w*, u⟩ ≥ 0",
        }
    }

    /// Whether one node of a tree meets the hypothesis; `None` if one node does not decide it.
    ///
    /// Exact where slopes, noise and weights are whole numbers.
    pub fn holds_at(self, setting: &Setting, node: &Node) -> Option<bool> {
        let (valley, nu) = (setting.valley(), setting.nu());
        let likely = || node.noise.iter().filter(|(weight, _)| *weight > 0.0);
        let moment = |power: i32| likely().map(|(weight, noise)| weight * noise.powi(power)).sum::<f64>();
        let total = || likely().map(|(weight, _)| weight).sum::<f64>();
        match self {
            Self::ZeroMeanNoise => Some(moment(1) == 0.0),
            Self::BoundedNoise => Some(likely().all(|(_, noise)| noise.abs() <= nu)),
            Self::BoundedVariance => Some(moment(2) * total() - moment(1) * moment(1) <= nu * nu * total() * total()),
            Self::SlopesWithinBounds => Some(match node.point >= 0.0 {
                true => (valley.b_plus()..=valley.a_plus()).contains(&node.slope),
                false => (valley.b_minus()..=valley.a_minus()).contains(&node.slope),
            }),
            Self::PreparedRound => Some((-Scales::of(setting).reach..0.0).contains(&node.point)),
            Self::FlatStart => Some(node.point >= 0.0),
            Self::StartAboveMinusD => Some(node.point >= -Scales::of(setting).reach),
            Self::IndependentNoise | Self::StationaryStart | Self::SameHyperplane => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sgd::Valley;

    #[test]
    fn a_node_meets_or_breaks_each_hypothesis_it_can_decide() {
        use ProcessHypothesis::*;
        let setting = Setting::new(Valley::new(2.0, 1.0, 3.0, -7.0).expect("valid"), 1.0, 1.0).expect("valid");
        let node = |point: f64, slope: f64, noise: &[(f64, f64)]| Node { point, slope, noise: noise.to_vec() };
        let good = node(0.0, 1.0, &[(1.0, -1.0), (2.0, 0.5)]);
        let cases = [
            (ZeroMeanNoise, good.clone(), node(0.0, 1.0, &[(1.0, -1.0), (1.0, 0.5)])),
            (BoundedNoise, node(0.0, 1.0, &[(1.0, 1.0), (0.0, 9.0)]), node(0.0, 1.0, &[(1.0, -1.5)])),
            (BoundedVariance, node(0.0, 1.0, &[(8.0, -0.25), (1.0, 2.0)]), node(0.0, 1.0, &[(1.0, 2.0), (1.0, -2.0)])),
            (SlopesWithinBounds, node(-1.0, -7.0, &[(1.0, 0.0)]), node(-1.0, -5.0, &[(1.0, 0.0)])),
            (SlopesWithinBounds, good.clone(), node(3.0, 2.5, &[(1.0, 0.0)])),
            (PreparedRound, node(-3.0, -6.0, &[(1.0, 0.0)]), node(-3.5, -6.0, &[(1.0, 0.0)])),
            (PreparedRound, node(-0.5, -6.0, &[(1.0, 0.0)]), good.clone()),
            (FlatStart, good.clone(), node(-0.5, -6.0, &[(1.0, 0.0)])),
            (StartAboveMinusD, node(-3.0, -6.0, &[(1.0, 0.0)]), node(-3.5, -6.0, &[(1.0, 0.0)])),
        ];
        for (hypothesis, meets, breaks) in cases {
            assert_eq!(hypothesis.holds_at(&setting, &meets), Some(true), "{hypothesis:?}");
            assert_eq!(hypothesis.holds_at(&setting, &breaks), Some(false), "{hypothesis:?}");
        }
        for hypothesis in [IndependentNoise, StationaryStart, SameHyperplane] {
            assert_eq!(hypothesis.holds_at(&setting, &good), None);
        }
    }
}
