//! Which hypotheses of Theorem 1 an instance breaks, and where.

mod auditor;
#[cfg(test)]
mod tests;

use std::fmt;

use auditor::Auditor;
use nalgebra::DVector;

use super::{Hypothesis, Instance, Statement};
use crate::{Error, Result, Seed};

/// The largest number of outcomes that are audited.
const OUTCOMES: u64 = 1 << 12;

/// How closely to look where a hypothesis speaks of infinitely many points.
///
/// | Parameter | Default | Purpose | Range |
/// |---|---|---|---|
/// | points | 64 | random points in a ball, each outcome anew for the gap, in all for lines | any |
/// | resolution | 64 | pieces of a window where the kinks of the training loss are not known | ≥ 1 |
/// | seed | 0 | of the random points | any |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checks {
    points: u64,
    resolution: usize,
    seed: Seed,
}

/// Every hypothesis of a statement, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Audit {
    /// The statement.
    pub statement: Statement,
    /// One entry a hypothesis, in the statement's order.
    pub findings: Vec<Finding>,
}

/// One hypothesis, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The hypothesis.
    pub hypothesis: Hypothesis,
    /// How much of it was looked at.
    pub coverage: Coverage,
    /// The worst violation found, if any.
    pub violation: Option<Violation>,
}

/// How much of a hypothesis an audit has looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// All of it: without a violation it holds.
    Whole,
    /// All that the theorem's proof uses, and a sample beyond: without a violation the theorem applies.
    WhereUsed,
    /// A sample: without a violation it may hold.
    Sample,
}

/// Where and by how much a hypothesis fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// The hypothesis.
    pub hypothesis: Hypothesis,
    /// Where it fails.
    pub place: String,
    /// The value there.
    pub value: f64,
    /// What the hypothesis allows.
    pub allowed: String,
}

impl Default for Checks {
    fn default() -> Self {
        Self { points: 64, resolution: 64, seed: Seed(0) }
    }
}

impl Checks {
    /// Checks the resolution, at least 1.
    pub fn new(points: u64, resolution: usize, seed: Seed) -> Result<Self> {
        if resolution == 0 {
            return Err(Error::domain("resolution of a window", resolution, "at least 1"));
        }
        Ok(Self { points, resolution, seed })
    }
}

impl Audit {
    /// The violations found, in the order of the hypotheses.
    pub fn violations(&self) -> impl Iterator<Item = &Violation> {
        self.findings.iter().filter_map(|finding| finding.violation.as_ref())
    }

    /// Whether no violation was found.
    pub fn holds(&self) -> bool {
        self.violations().next().is_none()
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "“{}” fails: {} is {}; allowed: {}", self.hypothesis.wording(), self.place, self.value, self.allowed)
    }
}

impl Instance {
    /// Checks every hypothesis of a statement.
    ///
    /// The gap is checked at the two points that the proof uses, v = −δ and v = Σ l_i uⁱ − δ, and at random points of the
    /// ball; the asymmetry, in its integrated form on the closed window, on the k lines that the proof uses in each
    /// outcome and on random lines of the neighbourhood: between the kinks of the training loss where they are known,
    /// which is exact, and on an even grid otherwise.
    ///
    /// # Errors
    /// More than 4096 outcomes.
    pub fn audit(&self, statement: Statement, checks: &Checks) -> Result<Audit> {
        let count = self.shifts().count()?;
        if count > OUTCOMES {
            return Err(Error::domain("number of outcomes", count, format!("at most {OUTCOMES} for an audit")));
        }
        let auditor = Auditor::new(self, checks)?;
        let findings = statement.hypotheses().iter().map(|&hypothesis| auditor.find(hypothesis)).collect();
        Ok(Audit { statement, findings })
    }

    /// q_i = P(s_i > 0), the share of shifts whose projection on each direction is positive.
    ///
    /// # Errors
    /// More sign patterns than 2²⁰.
    pub fn positive_shares(&self) -> Result<Vec<f64>> {
        let outcomes = self.shifts().outcomes()?;
        let share =
            |u: &DVector<f64>| outcomes.iter().filter(|(_, shift)| projection(shift, u) > 0.0).map(|o| o.0).sum();
        Ok(self.directions().iter().map(share).collect())
    }
}

/// ⟨δ, u⟩, with a projection that is only rounding taken as 0.
fn projection(shift: &DVector<f64>, u: &DVector<f64>) -> f64 {
    let s = shift.dot(u);
    if s.abs() <= 1e-12 * shift.norm() { 0.0 } else { s }
}
