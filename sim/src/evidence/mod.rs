//! From evidence to theory: which hypotheses of the corrected Theorems 1 and 2 hold on the lines of a trained network, what
//! bound follows, and what was observed.
//!
//! Hypotheses speak of random outcomes, of whole balls, or of every iterate; measurements are lines, samples and series.
//! Each hypothesis, under its own name, is *met* where all that the statement uses of it was measured and holds, *not
//! rejected* where a sample or a test does not speak against it, *not measured*, or *not met*
//! ([`Standing`]). Bounds are stated with the measured numbers even where a hypothesis is open: they
//! are what would follow.

mod averaging;
mod bias;
#[cfg(test)]
mod tests;

pub use averaging::Sgd;

use crate::neighbourhood::Neighbourhood;
use crate::record::{HypothesisRow, LineJudgement, Shift, ShiftLaw, Standing, StatementRow, Theory};
use crate::{Error, Result};

/// What was measured along one direction u through a solution.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The judged training line, with the certificate matched to |δ*| and ξ(δ*). If it is mirrored, the flat side lies
    /// along −u; shift and neighbours are then read that way here.
    pub judgement: &'a LineJudgement,
    /// The shift between training and test line, along u.
    pub shift: &'a Shift,
    /// The law of the shift over random splits, read along the direction to the flat side.
    pub law: Option<&'a ShiftLaw>,
    /// Lines along u through neighbouring points.
    pub neighbours: Option<&'a Neighbourhood>,
    /// SGD along the direction to the flat side.
    pub sgd: Option<Sgd<'a>>,
}

/// States hypothesis by hypothesis what the evidence says of the corrected Theorem 1 and, if SGD was measured, of
/// Theorem 2's (P), (C) and (L).
///
/// # Errors
/// A judgement whose matched certificate does not contain |δ*| in its window, profiles that do not reach both sides of
/// their centre, and an η that is not above 0.
pub fn theory((title, setting): (&str, &str), evidence: &Evidence) -> Result<Theory> {
    let Evidence { judgement, shift, sgd, .. } = evidence;
    let delta = if judgement.mirrored { -shift.best_delta } else { shift.best_delta };
    if let Some(it) = &judgement.matched
        && !(it.r_lo < delta.abs() && delta.abs() < it.r_hi)
    {
        let allowed = format!("one with r̲ < |δ*| < r̄, where δ* = {}", shift.best_delta);
        return Err(Error::domain("window of the matched certificate", format!("({}, {})", it.r_lo, it.r_hi), allowed));
    }
    let mut statements = vec![bias::statement(evidence, delta)?];
    if let Some(sgd) = sgd {
        statements.extend(averaging::statements(sgd)?);
    }
    Ok(Theory {
        title: title.to_owned(),
        verdict: judgement.verdict,
        canonical: judgement.canonical,
        matched: judgement.matched,
        shift: delta,
        gap: shift.best_gap,
        statements,
        setting: setting.to_owned(),
    })
}

impl StatementRow {
    /// A statement that stands as its worst hypothesis does.
    fn new(statement: &str, hypotheses: Vec<HypothesisRow>, bounds: Vec<crate::record::BoundRow>) -> Self {
        let standing = hypotheses.iter().map(|row| row.standing).max().unwrap_or(Standing::Met);
        Self { statement: statement.to_owned(), hypotheses, standing, bounds }
    }
}

/// Met or not.
fn met(holds: bool) -> Standing {
    if holds { Standing::Met } else { Standing::NotMet }
}

/// Not rejected by a sample, or not met.
fn sampled(holds: bool) -> Standing {
    if holds { Standing::NotRejected } else { Standing::NotMet }
}
