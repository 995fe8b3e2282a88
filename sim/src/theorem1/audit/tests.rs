//! Every hypothesis of both statements, broken in turn.

use nalgebra::{DMatrix, DVector};

use super::*;
use crate::loss::{PiecewiseLinear, Rotated, Separable};
use crate::theorem1::{Direction, Reading, Shifts, Terms};

/// A world in two dimensions that meets all hypotheses of both statements, to be spoiled.
struct Plan {
    l: f64,
    gap: f64,
    magnitude: f64,
    plus: f64,
    /// Kinks and slopes of both valleys.
    valley: (Vec<f64>, Vec<f64>),
    directions: Vec<DVector<f64>>,
    minimiser: f64,
    /// Height of a tent of radius 1/4 on the random loss at w = 0, that is at v = −δ.
    tent: f64,
    kinks_known: bool,
}

impl Default for Plan {
    fn default() -> Self {
        let axis = |x, y| DVector::from_vec(vec![x, y]);
        Self {
            l: 1.0,
            gap: 0.25,
            magnitude: 2.0,
            plus: 0.5,
            valley: (vec![0.0], vec![-3.0, 1.0]),
            directions: vec![axis(1.0, 0.0), axis(0.0, 1.0)],
            minimiser: 0.0,
            tent: 0.25,
            kinks_known: true,
        }
    }
}

impl Plan {
    fn instance(&self) -> Instance {
        let terms = Terms::new(1.0, 3.0, vec![Direction { p: 1.0, c: 3.0, l: self.l }; 2], self.gap).expect("valid");
        let valley = PiecewiseLinear::new(self.valley.0.clone(), self.valley.1.clone(), (0.0, 0.0)).expect("valid");
        let shifts = Shifts::independent(vec![self.magnitude; 2], vec![self.plus; 2]).expect("valid");
        let height = self.tent;
        let kinks: Vec<f64> = valley.kinks().collect();
        let instance = Instance::new(
            terms,
            self.directions.clone(),
            shifts,
            Reading::RandomPopulation,
            Box::new(Separable::new(vec![valley; 2]).expect("axes")),
            DVector::from_element(2, self.minimiser),
        )
        .and_then(|instance| instance.with_minima(0.0, 0.0))
        .expect("fits")
        .with_perturbation(Box::new(move |w, _| height * (1.0 - 4.0 * w.norm()).max(0.0)));
        if !self.kinks_known {
            return instance;
        }
        instance.with_kinks(Box::new(move |w, u| {
            let along = |i: usize| kinks.iter().map(move |kink| (kink - w[i]) / u[i]);
            (0..2).flat_map(along).filter(|t| t.is_finite()).collect()
        }))
    }

    /// The hypotheses found broken.
    fn broken(&self, statement: Statement) -> Vec<Hypothesis> {
        let audit = self.instance().audit(statement, &Checks::default()).expect("four outcomes");
        audit.violations().map(|violation| violation.hypothesis).collect()
    }
}

#[test]
fn the_plan_meets_both_statements() {
    for kinks_known in [true, false] {
        let plan = Plan { kinks_known, ..Plan::default() };
        for statement in [Statement::Printed, Statement::Corrected] {
            let audit = plan.instance().audit(statement, &Checks::default()).expect("four outcomes");
            assert!(audit.holds(), "{:?}", audit.violations().map(ToString::to_string).collect::<Vec<_>>());
            let checked: Vec<Hypothesis> = audit.findings.iter().map(|finding| finding.hypothesis).collect();
            assert_eq!(checked, statement.hypotheses());
            let lines = audit.findings.iter().find(|f| f.hypothesis == Hypothesis::AsymmetricDirections);
            let coverage = if kinks_known { Coverage::WhereUsed } else { Coverage::Sample };
            assert_eq!(lines.expect("checked").coverage, coverage);
        }
    }
}

#[test]
fn each_hypothesis_alone_is_missed_when_broken() {
    use Hypothesis as H;
    use Statement::{Corrected, Printed};
    let plan = Plan::default;
    // Too steep for a tenth, and flatter again right after it, so that the window's ends do not show it.
    let steep = (vec![0.0, 2.4, 2.5, 2.6], vec![-3.0, 1.0, 1.1, 0.9, 1.0]);
    let weak = (vec![-2.6, -2.5, 0.0], vec![-3.0, -2.9, -3.0, 1.0]);
    let oblique = vec![DVector::from_vec(vec![1.0, 0.0]), DVector::from_vec(vec![1.0, 0.0])];
    let cases: Vec<(Plan, Statement, Vec<Hypothesis>)> = vec![
        (Plan { directions: oblique.clone(), ..plan() }, Printed, vec![H::OrthonormalDirections]),
        (Plan { directions: oblique, ..plan() }, Corrected, vec![H::OrthonormalDirections]),
        (Plan { valley: steep.clone(), ..plan() }, Printed, vec![H::AsymmetricDirections]),
        (Plan { valley: steep, ..plan() }, Corrected, vec![H::AsymmetricDirections]),
        (Plan { valley: weak, kinks_known: false, ..plan() }, Corrected, vec![H::AsymmetricDirections]),
        (Plan { minimiser: 0.25, tent: 0.0, ..plan() }, Printed, vec![H::Minimiser]),
        // Definition 1 at ŵ = ¼ still holds, and the corrected theorem asks for no minimiser.
        (Plan { minimiser: 0.25, tent: 0.0, ..plan() }, Corrected, vec![]),
        (Plan { magnitude: 3.5, ..plan() }, Printed, vec![H::ShiftWithinWindow]),
        (Plan { plus: 0.6, ..plan() }, Printed, vec![H::SymmetricShift]),
        (Plan { plus: 0.6, ..plan() }, Corrected, vec![H::BalancedProjections]),
        // ‖δ‖ = 2√2 is beyond ‖l‖ = √2, so the printed hypothesis does not see the tent.
        (Plan { tent: 0.6, ..plan() }, Printed, vec![]),
        (Plan { tent: 0.6, ..plan() }, Corrected, vec![H::GapOnFullRadius]),
        (Plan { gap: 0.5, ..plan() }, Printed, vec![H::StepAboveGap]),
        (Plan { l: 1.01, ..plan() }, Printed, vec![H::StepWithinMaximum]),
        (Plan { l: 1.01, ..plan() }, Corrected, vec![H::ProjectionsWithinWindow]),
        (Plan { magnitude: 2.1, ..plan() }, Corrected, vec![H::ProjectionsWithinWindow]),
        (Plan { l: -0.5, ..plan() }, Corrected, vec![H::NonNegativeSteps]),
    ];
    for (number, (plan, statement, broken)) in cases.into_iter().enumerate() {
        assert_eq!(plan.broken(statement), broken, "case {number}");
    }
}

#[test]
fn the_printed_gap_is_looked_for_near_the_minimiser_alone() {
    // Flat valleys in a rotated frame, so that the tent at ŵ + δ, which is v = 0, is all there is.
    let frame = DMatrix::from_column_slice(2, 2, &[0.6, 0.8, -0.8, 0.6]);
    let frame = crate::loss::Frame::new(frame).expect("rotation");
    let valley = PiecewiseLinear::valley(1.0, 3.0).expect("valid");
    let loss = Rotated::new(Separable::new(vec![valley; 2]).expect("axes"), frame.clone()).expect("fits");
    let columns = |i: usize| frame.matrix().column(i).clone_owned();
    let shift = DVector::from_vec(vec![2.0, 1.0]);
    let terms = Terms::new(0.1, 3.0, vec![Direction { p: 1.0, c: 3.0, l: 0.5 }; 2], 0.05).expect("valid");
    let instance = Instance::new(
        terms,
        vec![columns(0), columns(1)],
        Shifts::listed(vec![(0.5, shift.clone()), (0.5, -&shift)]).expect("valid"),
        Reading::RandomPopulation,
        Box::new(loss),
        DVector::zeros(2),
    )
    .expect("fits")
    .with_perturbation(Box::new(|w, shift| 0.3 * (1.0 - 10.0 * (w - shift).norm()).max(0.0)));
    let audit = instance.audit(Statement::Printed, &Checks::default()).expect("two outcomes");
    let violation = audit.violations().find(|v| v.hypothesis == Hypothesis::GapOnStepRadius).expect("found");
    // The best vertical constant leaves half of the tent's height.
    assert!((violation.value - 0.15).abs() < 1e-9, "{violation}");
}

#[test]
fn too_many_outcomes_are_refused() {
    let terms = Terms::new(1.0, 3.0, vec![Direction { p: 1.0, c: 3.0, l: 1.0 }; 13], 0.0).expect("valid");
    let instance = crate::theorem1::extremal(&terms, &[2.0; 13], 0.0, Reading::RandomTraining).expect("valid");
    let message = instance.audit(Statement::Corrected, &Checks::default()).expect_err("too many").to_string();
    assert_eq!(message, "number of outcomes is 8192; allowed: at most 4096 for an audit");
    assert!(Checks::new(1, 0, Seed(0)).is_err());
}
