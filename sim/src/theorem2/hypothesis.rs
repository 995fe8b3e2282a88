//! What each version of Theorem 2 assumes of a setting, by name.

use std::fmt;

use super::{Scales, long_run, per_round, printed};
use crate::Error;
use crate::sgd::Setting;

/// A condition on a [`Setting`], beyond those that its type already holds (0 < b₊ ≤ a₊, c > 1, b₋ ≤ −c·a₊, η > 0,
/// ν ≥ 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hypothesis {
    /// ν ≤ a₊ (printed).
    NoiseWithinFlatSlope,
    /// c′ < e^(c/3)/6 with c′ = −(b₋ − ν)/b₊ (printed).
    PrintedRatio,
    /// (c − 1)a₊ ≥ 2ν: a prepared round has exactly one sharp iterate. (P), (C), (L).
    OneSharpIterate,
    /// (c − 2)a₊ > 3ν, or w_min > D: the sum of a prepared round is positive on every path. (P).
    PathwiseGain,
    /// Q(w_min) > θ: the sum of a prepared round is positive on average. (C).
    RoundGain,
    /// P(ηca₊ − θ) ≥ θ: a rate ρ ≥ 0 exists. (L).
    LongRunGain,
    /// ν ≤ a₊/2. Headline of (L).
    NoiseWithinHalfFlatSlope,
    /// c > 2. Headline of (L).
    AsymmetryAboveTwo,
    /// b₊ < a₊: the flat side has more than one slope. Sharpness of the thresholds.
    SeveralFlatSlopes,
    /// ν ≤ a₊/2 or b₊ ≤ ν. Sharpness of (L)'s threshold.
    SmallestSlopeWithinNoise,
    /// b₊ = a₊ and b₋ = −c·a₊: each side has one slope. (E).
    TwoSlopes,
    /// ν ≤ b and ν ≤ s, the two slopes' sizes: no step turns against its slope. (E).
    NoiseWithinBothSlopes,
}

/// A version of Theorem 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Statement {
    /// The theorem as printed in the paper.
    Printed,
    /// (P), the sum over a prepared round.
    Pathwise,
    /// (C), the expected average of a prepared round.
    PerRound,
    /// (L), the long-run average, with the largest rate ρ.
    LongRun,
    /// (L) in its short form: ν ≤ a₊/2 and c > 2.
    LongRunHeadline,
    /// (E), the exact law.
    ExactLaw,
}

impl Statement {
    /// The conditions on the setting under which the statement speaks.
    pub fn hypotheses(self) -> &'static [Hypothesis] {
        use Hypothesis::*;
        match self {
            Self::Printed => &[NoiseWithinFlatSlope, PrintedRatio],
            Self::Pathwise => &[OneSharpIterate],
            Self::PerRound => &[OneSharpIterate, RoundGain],
            Self::LongRun => &[OneSharpIterate, LongRunGain],
            Self::LongRunHeadline => &[NoiseWithinHalfFlatSlope, AsymmetryAboveTwo],
            Self::ExactLaw => &[TwoSlopes, NoiseWithinBothSlopes],
        }
    }

    /// Every hypothesis that the setting violates; none if the statement applies.
    pub fn violations(self, setting: &Setting) -> Vec<Violation> {
        self.hypotheses().iter().filter_map(|h| h.check(setting).err()).collect()
    }

    /// The first violated hypothesis, as an error.
    pub fn check(self, setting: &Setting) -> Result<(), Violation> {
        self.hypotheses().iter().try_for_each(|h| h.check(setting))
    }
}

impl Hypothesis {
    /// The hypothesis in the notation of the paper.
    pub fn wording(self) -> &'static str {
        match self {
            Self::NoiseWithinFlatSlope => "ν ≤ a₊",
            Self::PrintedRatio => "c′ = −(b₋ − ν)/b₊ < e^(c/3)/6",
            Self::OneSharpIterate => "(c − 1)a₊ ≥ 2ν",
            Self::PathwiseGain => "(c − 2)a₊ > 3ν",
            Self::RoundGain => "Q(w_min) > θ",
            Self::LongRunGain => "P(ηca₊ − θ) ≥ θ",
            Self::NoiseWithinHalfFlatSlope => "ν ≤ a₊/2",
            Self::AsymmetryAboveTwo => "c > 2",
            Self::SeveralFlatSlopes => "b₊ < a₊",
            Self::SmallestSlopeWithinNoise => "ν ≤ a₊/2 or b₊ ≤ ν",
            Self::TwoSlopes => "b₊ = a₊ = b, b₋ = −c·a₊ = −s",
            Self::NoiseWithinBothSlopes => "ν ≤ b and ν ≤ s",
        }
    }

    /// The quantity that the hypothesis bounds, in the paper's letters.
    pub fn quantity(self) -> &'static str {
        match self {
            Self::NoiseWithinFlatSlope | Self::NoiseWithinHalfFlatSlope => "noise bound ν",
            Self::PrintedRatio => "c′ = −(b₋ − ν)/b₊",
            Self::OneSharpIterate => "(c − 1)a₊",
            Self::PathwiseGain => "(c − 2)a₊",
            Self::RoundGain => "Q(w_min)",
            Self::LongRunGain => "P(ηca₊ − θ)",
            Self::AsymmetryAboveTwo => "asymmetry c",
            Self::SeveralFlatSlopes | Self::SmallestSlopeWithinNoise => "smallest flat slope b₊",
            Self::TwoSlopes => "width of the slope ranges, (a₊ − b₊) + (−ca₊ − b₋)",
            Self::NoiseWithinBothSlopes => "noise bound ν",
        }
    }

    /// Whether a setting meets the hypothesis; if not, the value seen and what was allowed.
    pub fn check(self, setting: &Setting) -> Result<(), Violation> {
        let valley = setting.valley();
        let (a, c, nu) = (valley.a_plus(), valley.c(), setting.nu());
        let scales = Scales::of(setting);
        let (value, holds, allowed): (f64, bool, String) = match self {
            Self::NoiseWithinFlatSlope => (nu, nu <= a, format!("at most a₊ = {a}")),
            Self::PrintedRatio => {
                let (ratio, limit) = (printed::ratio(setting), printed::ratio_limit(c));
                (ratio, ratio < limit, format!("less than e^(c/3)/6 = {limit}"))
            }
            Self::OneSharpIterate => {
                let value = (c - 1.0) * a;
                (value, value >= 2.0 * nu, format!("at least 2ν = {}", 2.0 * nu))
            }
            Self::PathwiseGain => {
                let value = (c - 2.0) * a;
                (value, value > 3.0 * nu, format!("more than 3ν = {}", 3.0 * nu))
            }
            Self::RoundGain => {
                let value = per_round::flat_sum(&scales, scales.lowest_start);
                (value, value > scales.overshoot, format!("more than θ = {}", scales.overshoot))
            }
            Self::LongRunGain => {
                let value = long_run::gain(setting);
                (value, value >= scales.overshoot, format!("at least θ = {}", scales.overshoot))
            }
            Self::NoiseWithinHalfFlatSlope => (nu, 2.0 * nu <= a, format!("at most a₊/2 = {}", a / 2.0)),
            Self::AsymmetryAboveTwo => (c, c > 2.0, "more than 2".into()),
            Self::SeveralFlatSlopes => (valley.b_plus(), valley.b_plus() < a, format!("less than a₊ = {a}")),
            Self::SmallestSlopeWithinNoise => {
                (valley.b_plus(), 2.0 * nu <= a || valley.b_plus() <= nu, format!("at most ν = {nu}"))
            }
            Self::TwoSlopes => {
                let width = (a - valley.b_plus()) + (valley.a_minus() - valley.b_minus());
                (width, width == 0.0, "0".into())
            }
            Self::NoiseWithinBothSlopes => {
                let smaller = valley.b_plus().min(-valley.a_minus());
                (nu, nu <= smaller, format!("at most the smaller of b and s, {smaller}"))
            }
        };
        if holds { Ok(()) } else { Err(Violation { hypothesis: self, value, allowed }) }
    }
}

/// A hypothesis that a setting does not meet.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// Which one.
    pub hypothesis: Hypothesis,
    /// The value of its [quantity](Hypothesis::quantity).
    pub value: f64,
    /// What would have met it.
    pub allowed: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}; allowed: {}", self.hypothesis.quantity(), self.value, self.allowed)
    }
}

impl std::error::Error for Violation {}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::domain(violation.hypothesis.quantity(), violation.value, violation.allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sgd::Valley;

    fn setting(b_plus: f64, c: f64, nu: f64) -> Setting {
        let valley = Valley::with_sharp_slope_fixed(1.0, b_plus, c).expect("valid");
        Setting::new(valley, 0.1, nu).expect("valid")
    }

    fn violated(statement: Statement, setting: &Setting) -> Vec<Hypothesis> {
        statement.violations(setting).into_iter().map(|v| v.hypothesis).collect()
    }

    #[test]
    fn a_violation_names_the_hypothesis_the_value_and_the_limit() {
        let violation = Statement::LongRunHeadline.check(&setting(0.5, 1.5, 0.75)).expect_err("both fail");
        assert_eq!(violation.to_string(), "noise bound ν is 0.75; allowed: at most a₊/2 = 0.5");
        assert_eq!(
            violated(Statement::LongRunHeadline, &setting(0.5, 1.5, 0.75)),
            [Hypothesis::NoiseWithinHalfFlatSlope, Hypothesis::AsymmetryAboveTwo]
        );
        let error = Error::from(Statement::Pathwise.check(&setting(0.5, 2.0, 0.75)).expect_err("1 < 1.5"));
        assert_eq!(error.to_string(), "(c − 1)a₊ is 1; allowed: at least 2ν = 1.5");
    }

    #[test]
    fn each_hypothesis_fails_beyond_its_limit_and_holds_before_it() {
        use Hypothesis::*;
        let cases = [
            (NoiseWithinFlatSlope, setting(0.5, 9.0, 1.0), setting(0.5, 9.0, 1.1)),
            (PrintedRatio, setting(1.0, 13.1, 0.0), setting(1.0, 13.0, 0.0)),
            (OneSharpIterate, setting(0.5, 2.0, 0.5), setting(0.5, 2.0, 0.51)),
            (PathwiseGain, setting(0.5, 3.51, 0.5), setting(0.5, 3.5, 0.5)),
            (RoundGain, setting(0.5, 3.01, 0.5), setting(0.5, 2.99, 0.5)),
            (LongRunGain, setting(0.5, 2.76, 0.75), setting(0.5, 2.74, 0.75)),
            (NoiseWithinHalfFlatSlope, setting(0.5, 9.0, 0.5), setting(0.5, 9.0, 0.51)),
            (AsymmetryAboveTwo, setting(0.5, 2.01, 0.0), setting(0.5, 2.0, 0.0)),
            (SeveralFlatSlopes, setting(0.9, 2.0, 0.0), setting(1.0, 2.0, 0.0)),
            (SmallestSlopeWithinNoise, setting(0.75, 9.0, 0.75), setting(0.8, 9.0, 0.75)),
            (SmallestSlopeWithinNoise, setting(0.9, 9.0, 0.5), setting(0.9, 9.0, 0.6)),
            (TwoSlopes, setting(1.0, 2.0, 0.0), setting(0.9, 2.0, 0.0)),
            (NoiseWithinBothSlopes, setting(1.0, 2.0, 1.0), setting(1.0, 2.0, 1.1)),
        ];
        for (hypothesis, good, bad) in cases {
            assert_eq!(hypothesis.check(&good), Ok(()));
            assert!(hypothesis.check(&bad).is_err(), "{hypothesis:?} accepts {bad:?}");
        }
    }

    #[test]
    fn the_printed_theorem_lies_within_the_corrected_one() {
        // Whatever meets the printed hypotheses meets those of (C), hence of (P) and (L).
        let mut met = 0;
        for i in 0..60 {
            for (nu, b_plus) in [(0.0, 1.0), (0.5, 1.0), (1.0, 1.0), (1.0, 0.3), (0.2, 0.01)] {
                let setting = setting(b_plus, 2.0 + f64::from(i) * 0.5, nu);
                if Statement::Printed.check(&setting).is_ok() {
                    met += 1;
                    for statement in [Statement::Pathwise, Statement::PerRound, Statement::LongRun] {
                        assert_eq!(statement.check(&setting), Ok(()));
                    }
                }
            }
        }
        assert!(met > 50);
    }
}
