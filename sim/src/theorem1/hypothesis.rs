//! The hypotheses of Theorem 1, by name.

/// Which version of Theorem 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statement {
    /// As the paper prints it.
    Printed,
    /// As it is true.
    Corrected,
}

/// A hypothesis of Theorem 1, printed or corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hypothesis {
    /// Both: the directions are orthonormal.
    OrthonormalDirections,
    /// Both: every uⁱ is asymmetric at all points across it within ‖δ‖ + ‖l‖ (Assumption 2).
    AsymmetricDirections,
    /// Printed: ŵ* minimises L̂.
    Minimiser,
    /// Printed: δ̄ lies in the window (Assumption 1).
    ShiftWithinWindow,
    /// Printed: every coordinate of the shift is ±δ̄_i, evenly (Assumption 1).
    SymmetricShift,
    /// Printed: the gap is at most ξ on radius ‖l‖ (Assumption 1).
    GapOnStepRadius,
    /// Printed: the lower limit of the step.
    StepAboveGap,
    /// Printed: the upper limit of the step, a maximum.
    StepWithinMaximum,
    /// Corrected: no step goes to the sharp side.
    NonNegativeSteps,
    /// Corrected: each projection of the shift is positive half of the time.
    BalancedProjections,
    /// Corrected: shift and step keep each projection within the window.
    ProjectionsWithinWindow,
    /// Corrected: the gap is at most ξ on radius Δ + ‖l‖, for some vertical constant.
    GapOnFullRadius,
}

impl Statement {
    /// The hypotheses of this version.
    pub fn hypotheses(self) -> &'static [Hypothesis] {
        use Hypothesis as H;
        match self {
            Self::Printed => &[
                H::OrthonormalDirections,
                H::Minimiser,
                H::ShiftWithinWindow,
                H::SymmetricShift,
                H::GapOnStepRadius,
                H::AsymmetricDirections,
                H::StepAboveGap,
                H::StepWithinMaximum,
            ],
            Self::Corrected => &[
                H::OrthonormalDirections,
                H::NonNegativeSteps,
                H::BalancedProjections,
                H::ProjectionsWithinWindow,
                H::GapOnFullRadius,
                H::AsymmetricDirections,
            ],
        }
    }
}

impl Hypothesis {
    /// The hypothesis in the notation of the paper.
    pub fn wording(self) -> &'static str {
        match self {
            Self::OrthonormalDirections => "u¹, …, uᵏ are orthogonal unit vectors",
            Self::AsymmetricDirections => {
                "uⁱ is (r̄, r̲, p_i, c_i)-asymmetric with respect to ŵ* + v − ⟨v, uⁱ⟩uⁱ, along which L̂ is continuous, for all ‖v‖ ≤ \
                 ‖δ‖ + ‖l‖"
            }
            Self::Minimiser => "ŵ* is a minimiser of L̂",
            Self::ShiftWithinWindow => "r̄ ≥ δ̄_i ≥ r̲ for all i",
            Self::SymmetricShift => "Pr(δ_i = δ̄_i) = Pr(δ_i = −δ̄_i) = ½ for all i",
            Self::GapOnStepRadius => "the (δ, R)-shift gap with respect to ŵ* is at most ξ for R = ‖l‖",
            Self::StepAboveGap => "4ξ/((c_i − 1)p_i) < l_i",
            Self::StepWithinMaximum => "l_i ≤ max{r̄ − δ̄_i, δ̄_i − r̲}",
            Self::NonNegativeSteps => "l_i ≥ 0",
            Self::BalancedProjections => "P(s_i > 0) = ½ for s_i = ⟨δ, uⁱ⟩",
            Self::ProjectionsWithinWindow => "s_i > 0 ⇒ r̲ + l_i ≤ s_i ≤ r̄; s_i ≤ 0 ⇒ r̲ ≤ −s_i ≤ r̄ − l_i",
            Self::GapOnFullRadius => "|L(ŵ + v + δ) − L̂(ŵ + v) − κ| ≤ ξ for some κ and all ‖v‖ ≤ Δ + ‖l‖",
        }
    }
}
