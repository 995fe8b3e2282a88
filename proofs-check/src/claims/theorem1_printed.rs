//! Theorem 1 as printed, and its three faults.

use valleys_sim::progress::Observer;
use valleys_sim::theorem1::{Checks, Fault, Reading, Statement};
use valleys_sim::{Result, Seed};

use crate::{Assumption, Claim, Effort, Evidence, Standing};

pub(super) const READINGS: [Reading; 2] = [Reading::RandomPopulation, Reading::RandomTraining];

/// One claim a fault: the printed theorem, refuted on a world that meets all its hypotheses.
pub(super) fn claims() -> Vec<Claim> {
    Fault::ALL.into_iter().map(claim).collect()
}

fn claim(fault: Fault) -> Claim {
    let (id, wrong) = match fault {
        Fault::StepMaximum => ("theorem1-printed-maximum", "the step limit is a maximum and has to be the minimum"),
        Fault::GapRadius => ("theorem1-printed-radius", "the radius ‖l‖ of the gap need not reach the shift"),
        Fault::ObliqueDirections => {
            ("theorem1-printed-oblique", "δ̄_i is a coordinate and has to be the projection on a direction")
        }
    };
    Claim {
        id,
        source: "Section 4.1, Theorem 1",
        words: "Bias leads to better generalisation, as printed",
        formula: "E L(ŵ*) − E L(ŵ* + Σ l_i uⁱ) ≥ Σ (c_i − 1) l_i p_i / 2 − 2kξ",
        hypotheses: Statement::Printed.hypotheses().iter().copied().map(Assumption::Theorem1).collect(),
        standing: Standing::Refuted { fault: wrong, proofs: &[] },
        weakenings: Vec::new(),
        examination: Box::new(move |effort, seed, observer| examine(fault, effort, seed, observer)),
    }
}

/// Evaluates the counterexample in both readings and checks that it meets every printed hypothesis.
fn examine(fault: Fault, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let checks = Checks::new(u64::from(effort.cases()), 64, seed)?;
    let mut slack = f64::NEG_INFINITY;
    let mut shown = String::new();
    for reading in READINGS {
        let instance = fault.instance(reading)?;
        let (left, right) = (instance.gain(observer)?.difference, instance.bound(Statement::Printed));
        let audit = instance.audit(Statement::Printed, &checks)?;
        if let Some(violation) = audit.violations().next() {
            return Ok(Evidence::inadmissible(violation));
        }
        slack = slack.max(left - right);
        shown = format!("{left:.3} is not at least {right}, in both readings, with every printed hypothesis met");
    }
    // Both readings have to break the bound.
    Ok(Evidence::instance("one world in both readings", slack, shown))
}
