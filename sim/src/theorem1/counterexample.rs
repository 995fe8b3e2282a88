//! Three counterexamples to the printed Theorem 1. In each ξ = 0 and every printed hypothesis holds, in both readings.

use nalgebra::{DMatrix, DVector};

use super::{Direction, Hypothesis, Instance, Reading, Shifts, Statement, Terms};
use crate::Result;
use crate::loss::{Frame, PiecewiseLinear, Separable};
use crate::progress::Silent;
use crate::record::Counterexample;

/// A fault of the printed theorem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The step is limited by a maximum where it takes the minimum.
    ///
    /// d = 1; r̲ = 1, r̄ = 2, δ̄ = 1, l = 1, p = 1, c = 2; L̂(x) = max(0, (x − 1)/2, −3(x + 1)).
    StepMaximum,
    /// The gap is bounded on radius ‖l‖, which need not reach −δ.
    ///
    /// d = 1; r̲ = 1, r̄ = 3, δ̄ = 2, l = 1, p = 1, c = 2; L̂(v) = max(v/2, −3v), population loss min(L̂, 3). The step
    /// keeps to the minimum.
    GapRadius,
    /// The window is compared with the coordinates δ̄_i of the shift, not with its projections on the directions.
    ///
    /// d = 2; u = (3/5, 4/5), δ̄ = (4, 3), r̲ = 1, r̄ = 6, l = 1, p = 1, c = 2; L̂ = g(⟨w, u⟩) with
    /// g(s) = max(−3s, min(100s, 100 + (s − 1)/2)).
    ObliqueDirections,
}

impl Fault {
    /// All three, in the order of the theory.
    pub const ALL: [Self; 3] = [Self::StepMaximum, Self::GapRadius, Self::ObliqueDirections];

    /// What is printed, in the notation of the paper.
    pub fn wording(self) -> &'static str {
        match self {
            Self::StepMaximum => "l_i ≤ max{r̄ − δ̄_i, δ̄_i − r̲}",
            Self::GapRadius => "gap bounded on radius R = ‖l‖",
            Self::ObliqueDirections => "window in terms of δ̄_i for directions off the axes",
        }
    }

    /// The hypotheses of the corrected theorem that the counterexample breaks.
    pub fn broken(self) -> &'static [Hypothesis] {
        match self {
            Self::StepMaximum => &[Hypothesis::ProjectionsWithinWindow],
            Self::GapRadius => &[Hypothesis::GapOnFullRadius],
            Self::ObliqueDirections => &[Hypothesis::BalancedProjections, Hypothesis::ProjectionsWithinWindow],
        }
    }

    /// The gain as the theory has it: −1/4, −1/4 and −49.375. The printed bound is 1/2 in all three.
    pub fn expected_gain(self) -> f64 {
        match self {
            Self::StepMaximum | Self::GapRadius => -0.25,
            Self::ObliqueDirections => -49.375,
        }
    }

    /// The counterexample.
    ///
    /// # Errors
    /// None in practice: all numbers are fixed and valid.
    pub fn instance(self, reading: Reading) -> Result<Instance> {
        let (window, frame, g, magnitudes) = match self {
            Self::StepMaximum => (
                (1.0, 2.0),
                axes(1)?,
                PiecewiseLinear::new(vec![-1.0, 1.0], vec![-3.0, 0.0, 0.5], (0.0, 0.0))?,
                vec![1.0],
            ),
            Self::GapRadius => {
                ((1.0, 3.0), axes(1)?, PiecewiseLinear::new(vec![0.0], vec![-3.0, 0.5], (0.0, 0.0))?, vec![2.0])
            }
            Self::ObliqueDirections => (
                (1.0, 6.0),
                Frame::new(DMatrix::from_column_slice(2, 1, &[0.6, 0.8]))?,
                PiecewiseLinear::new(vec![0.0, 1.0], vec![-3.0, 100.0, 0.5], (0.0, 0.0))?,
                vec![4.0, 3.0],
            ),
        };
        let terms = Terms::new(window.0, window.1, vec![Direction { p: 1.0, c: 2.0, l: 1.0 }], 0.0)?;
        let instance = Instance::piecewise_linear(terms, frame, vec![g], Shifts::fair(magnitudes)?, reading)?;
        let instance = instance.with_minima(0.0, 0.0)?;
        if self == Self::GapRadius {
            let capped = PiecewiseLinear::new(vec![-1.0, 0.0, 6.0], vec![0.0, -3.0, 0.5, 0.0], (0.0, 0.0))?;
            return instance.with_population(Box::new(Separable::new(vec![capped])?));
        }
        Ok(instance)
    }

    /// Evaluates both sides of the printed statement.
    ///
    /// # Errors
    /// None in practice.
    pub fn evaluate(self, reading: Reading) -> Result<Counterexample> {
        let instance = self.instance(reading)?;
        Ok(Counterexample {
            fault: self.wording().to_owned(),
            left: instance.gain(&Silent)?.difference,
            right: instance.bound(Statement::Printed),
        })
    }
}

/// The axes of ℝᵈ as a frame.
pub(super) fn axes(dimension: usize) -> Result<Frame> {
    Frame::new(DMatrix::from_diagonal(&DVector::from_element(dimension, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::super::{Checks, Coverage};
    use super::*;

    const READINGS: [Reading; 2] = [Reading::RandomPopulation, Reading::RandomTraining];

    #[test]
    fn the_printed_theorem_is_false_three_ways() {
        for reading in READINGS {
            for fault in Fault::ALL {
                let both = fault.evaluate(reading).expect("valid");
                assert_eq!(both.right, 0.5);
                if fault == Fault::ObliqueDirections {
                    // 3/5 and 4/5 are no binary fractions.
                    assert!((both.left - fault.expected_gain()).abs() < 1e-12, "{}", both.left);
                    assert_eq!(format!("{:.3}", both.left), "-49.375");
                } else {
                    assert_eq!(both.left, fault.expected_gain());
                }
            }
        }
    }

    #[test]
    fn each_meets_the_printed_hypotheses_and_breaks_the_corrected_ones() {
        for reading in READINGS {
            for fault in Fault::ALL {
                let instance = fault.instance(reading).expect("valid");
                let printed = instance.audit(Statement::Printed, &Checks::default()).expect("few outcomes");
                assert!(printed.holds(), "{fault:?}: {:?}", printed.violations().collect::<Vec<_>>());
                let corrected = instance.audit(Statement::Corrected, &Checks::default()).expect("few outcomes");
                let broken: Vec<Hypothesis> = corrected.violations().map(|violation| violation.hypothesis).collect();
                assert_eq!(broken, fault.broken(), "{fault:?}");
                let asymmetry = corrected.findings.iter().find(|f| f.hypothesis == Hypothesis::AsymmetricDirections);
                assert_eq!(asymmetry.expect("checked").coverage, Coverage::WhereUsed);
            }
        }
    }

    #[test]
    fn a_violation_says_where() {
        let instance = Fault::StepMaximum.instance(Reading::RandomPopulation).expect("valid");
        let audit = instance.audit(Statement::Corrected, &Checks::default()).expect("few outcomes");
        let message = audit.violations().next().expect("one").to_string();
        assert_eq!(
            message,
            "“s_i > 0 ⇒ r̲ + l_i ≤ s_i ≤ r̄; s_i ≤ 0 ⇒ r̲ ≤ −s_i ≤ r̄ − l_i” fails: projection of shift (1) on direction 0 is 1; \
             allowed: within [2, 2]"
        );
        let instance = Fault::GapRadius.instance(Reading::RandomTraining).expect("valid");
        let audit = instance.audit(Statement::Corrected, &Checks::default()).expect("few outcomes");
        let violation = audit.violations().next().expect("one");
        assert!(violation.place.starts_with("gap at v = ("), "{violation}");
        assert!(violation.value > 2.9 && violation.allowed == "at most 0", "{violation}");
    }
}
