//! (L): the average over all iterates, which is what SGD averaging computes.
//!
//! With P(y) = max(y, 2y − ηa₊): if (c − 1)a₊ ≥ 2ν, 0 ≤ ρ ≤ β and ρ(ηca₊ + 2β) ≤ (P(ηca₊ − θ) − θ)β, then for every n and
//! every start w₀ ≥ −D, E[w₀ + … + w_(n−1)] ≥ ρn − C with C = D + ρ + 2η(|b₋| + ν) + 8D. Noise must have conditional mean
//! zero.

use super::{Scales, Statement, Violation, scales::relative_overshoot};
use crate::sgd::Setting;

/// What (L) promises in a setting that meets its hypotheses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LongRun {
    rate: f64,
    offset: f64,
}

impl LongRun {
    /// Checks the hypotheses of (L) and takes the largest admissible rate.
    pub fn of(setting: &Setting) -> Result<Self, Violation> {
        Statement::LongRun.check(setting)?;
        let scales = Scales::of(setting);
        let beta = scales.descent;
        let rate = (gain(setting) - scales.overshoot) * beta / (jump(setting) + 2.0 * beta);
        Ok(Self::with_rate(setting, rate.min(beta)))
    }

    /// Checks the hypotheses of the headline, ν ≤ a₊/2 and c > 2, and takes its rate
    /// β·min(1, 2a₊(c − 2)/(ca₊ + 2b₊)) > 0.
    pub fn headline(setting: &Setting) -> Result<Self, Violation> {
        Statement::LongRunHeadline.check(setting)?;
        let (a, b, c) = (setting.valley().a_plus(), setting.valley().b_plus(), setting.valley().c());
        let share = 2.0 * a * (c - 2.0) / (c * a + 2.0 * b);
        Ok(Self::with_rate(setting, Scales::of(setting).descent * share.min(1.0)))
    }

    fn with_rate(setting: &Setting, rate: f64) -> Self {
        let reach = Scales::of(setting).reach;
        let leap = setting.eta() * (setting.nu() - setting.valley().b_minus());
        Self { rate, offset: reach + rate + 2.0 * leap + 8.0 * reach }
    }

    /// ρ ≥ 0, below every limit of the expected average.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// C, what the start can cost in all.
    pub fn offset(&self) -> f64 {
        self.offset
    }

    /// ρn − C, below E[w₀ + … + w_(n−1)] from every start w₀ ≥ −D.
    pub fn sum(&self, n: u64) -> f64 {
        self.rate * n as f64 - self.offset
    }
}

/// ηca₊, the smallest rise of a sharp step without noise.
fn jump(setting: &Setting) -> f64 {
    -setting.eta() * setting.valley().a_minus()
}

/// P(ηca₊ − θ).
pub(super) fn gain(setting: &Setting) -> f64 {
    let y = jump(setting) - Scales::of(setting).overshoot;
    y.max(2.0 * y - setting.eta() * setting.valley().a_plus())
}

/// The c (for a₊ = 1) above which (L) gives a positive rate: 2 for ν ≤ ½, 3ν + ½ up to 1, 2 + 3ν/2 up to 2; beyond,
/// 1 + 2ν from (c − 1)a₊ ≥ 2ν.
///
/// Exact for ν ≤ ½ and every b₊ < a₊, and for ½ < ν ≤ 2 if b₊ ≤ ν and b₊ < a₊ (`LongRunSharp.v` of the Coq proofs).
pub fn threshold(nu: f64) -> f64 {
    // P(y) > θ with y = c − θ ≥ 1 reads 2(c − θ) − 1 > θ.
    (1.5 * relative_overshoot(1.0, nu) + 0.5).max(1.0 + 2.0 * nu)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sgd::Valley;

    fn setting(b_plus: f64, c: f64, nu: f64) -> Setting {
        Setting::new(Valley::with_sharp_slope_fixed(1.0, b_plus, c).expect("valid"), 0.1, nu).expect("valid")
    }

    #[test]
    fn the_rate_turns_positive_at_the_threshold() {
        for (nu, c) in [(0.0, 2.0), (0.5, 2.0), (0.75, 2.75), (1.0, 3.5), (1.6, 4.4), (2.0, 5.0)] {
            assert!((threshold(nu) - c).abs() < 1e-12);
            assert!(LongRun::of(&setting(0.3, c - 1e-6, nu)).is_err());
            let rate = LongRun::of(&setting(0.3, c + 1e-6, nu)).expect("applies").rate();
            assert!(rate > 0.0 && rate < 1e-6, "{rate}");
        }
        assert_eq!(threshold(3.0), 7.0);
    }

    #[test]
    fn the_headline_is_the_general_rate_for_little_noise() {
        for (b_plus, c, nu) in [(0.3, 2.1, 0.0), (0.5, 2.5, 0.5), (1.0, 7.0, 0.2), (0.9, 40.0, 0.5)] {
            let setting = setting(b_plus, c, nu);
            let general = LongRun::of(&setting).expect("applies");
            let headline = LongRun::headline(&setting).expect("applies");
            assert!((general.rate() - headline.rate()).abs() < 1e-15);
            assert!(headline.rate() > 0.0 && headline.rate() <= Scales::of(&setting).descent);
        }
        assert!(LongRun::headline(&setting(0.5, 2.0, 0.0)).is_err());
        assert!(LongRun::headline(&setting(0.5, 9.0, 0.6)).is_err());
    }

    #[test]
    fn the_rate_meets_the_inequality_it_is_the_largest_solution_of() {
        let setting = setting(0.4, 4.2, 1.2);
        let (scales, bound) = (Scales::of(&setting), LongRun::of(&setting).expect("applies"));
        let slack =
            |rho: f64| (gain(&setting) - scales.overshoot) * scales.descent - rho * (0.1 * 4.2 + 2.0 * scales.descent);
        assert!(slack(bound.rate()).abs() < 1e-15 && bound.rate() < scales.descent);
        assert_eq!(bound.sum(1000), bound.rate() * 1000.0 - bound.offset());
    }
}
