//! (C): the expected average of one prepared round.
//!
//! With Q(w) = max(w, w(w + D)/(2D)): if (c − 1)a₊ ≥ 2ν and Q(w_min) > θ, every prepared round has
//! E[w̄ | start] ≥ c₀ = (Q(w_min) − θ)/(1 + (w_min + θ)/β) > 0, and E[N | start] ≤ 1 + (w₀ + θ)/β for its number of
//! iterates N. Noise must have conditional mean zero; c₀ does not depend on b₋.

use super::{Scales, Statement, Violation, scales::relative_overshoot};
use crate::sgd::Setting;

/// What (C) promises in a setting that meets its hypotheses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PerRound {
    scales: Scales,
}

impl PerRound {
    /// Checks the hypotheses of (C).
    pub fn of(setting: &Setting) -> Result<Self, Violation> {
        Statement::PerRound.check(setting)?;
        Ok(Self { scales: Scales::of(setting) })
    }

    /// c₀ > 0, below E[w̄ | start] for every prepared round.
    pub fn c0(&self) -> f64 {
        self.average(self.scales.lowest_start)
    }

    /// A bound below E[w̄ | w₀ = start], start ≥ w_min; it grows with the start.
    pub fn average(&self, start: f64) -> f64 {
        (flat_sum(&self.scales, start) - self.scales.overshoot) / self.length(start)
    }

    /// A bound above E[N | w₀ = start], the expected number of iterates T + 1, start ≥ 0.
    pub fn length(&self, start: f64) -> f64 {
        1.0 + (start + self.scales.overshoot) / self.scales.descent
    }

    /// A bound below the expectation of w̄ over rounds that end within `steps` steps, counting 0 for those that do not:
    /// (Q − θ)(1/X − 1/(n + 1)) with X the bound on the length. It can be checked exactly on finite trees of noise.
    pub fn average_within(&self, start: f64, steps: u32) -> f64 {
        let gain = flat_sum(&self.scales, start) - self.scales.overshoot;
        gain * (1.0 / self.length(start) - 1.0 / (f64::from(steps) + 1.0))
    }
}

/// Q(w) = max(w, w(w + D)/(2D)), below the sum of a round's flat iterates from w₀ = w ≥ 0.
pub(super) fn flat_sum(scales: &Scales, start: f64) -> f64 {
    start.max(start * (start + scales.reach) / (2.0 * scales.reach))
}

/// The c (for a₊ = 1) above which (C) applies: 1 + 2ν + θ, that is 2 + 2ν for ν ≤ ½, 1 + 4ν up to 1, 2 + 3ν beyond.
///
/// Exact for ν ≤ ½ and every b₊ < a₊; for ν > ½ exact as b₊ → 0.
pub fn threshold(nu: f64) -> f64 {
    1.0 + 2.0 * nu + relative_overshoot(1.0, nu)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sgd::Valley;

    fn setting(b_plus: f64, c: f64, nu: f64, eta: f64) -> Setting {
        Setting::new(Valley::with_sharp_slope_fixed(1.0, b_plus, c).expect("valid"), eta, nu).expect("valid")
    }

    #[test]
    fn the_bound_turns_positive_at_the_threshold() {
        for (nu, c) in [(0.0, 2.0), (0.3, 2.6), (0.5, 3.0), (0.75, 4.0), (1.0, 5.0), (2.0, 8.0)] {
            assert!((threshold(nu) - c).abs() < 1e-12);
            assert!(PerRound::of(&setting(0.3, c - 1e-6, nu, 0.1)).is_err());
            let bound = PerRound::of(&setting(0.3, c + 1e-6, nu, 0.1)).expect("applies");
            assert!(bound.c0() > 0.0 && bound.c0() < 1e-6);
        }
    }

    #[test]
    fn without_noise_and_with_equal_slopes_it_is_asymptotically_tight() {
        // c₀ = ηa₊(c − 2)/2 to first order, against the exact mean ηa₊(c − 1)/2.
        let c0 = |c: f64| PerRound::of(&setting(1.0, c, 0.0, 0.1)).expect("applies").c0();
        for c in [4.0, 10.0, 1000.0] {
            assert!((c0(c) - 0.1 * (c * (c - 1.0) / 2.0 - 1.0) / (c + 1.0)).abs() < 1e-9);
        }
        assert!((c0(1000.0) / (0.1 * 999.0 / 2.0) - 1.0).abs() < 3e-3);
    }

    #[test]
    fn bounds_grow_with_the_start_and_with_the_horizon() {
        let bound = PerRound::of(&setting(0.4, 5.0, 0.7, 1.0)).expect("applies");
        let starts: Vec<f64> = (0..40).map(|i| 2.6 + f64::from(i) * 0.1).collect();
        assert!(starts.is_sorted_by(|a, b| bound.average(*a) <= bound.average(*b)));
        assert!(bound.average_within(3.0, 10) < bound.average_within(3.0, 1000));
        assert!((bound.average_within(3.0, u32::MAX) - bound.average(3.0)).abs() < 1e-8);
    }
}
