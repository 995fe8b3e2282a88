//! Theorem 1, corrected, on a measured line.
//!
//! One direction, k = 1. Along the line the proof uses the gap at v = −δ and v = l·u − δ and the certificate between them,
//! all of which the line shows. What it does not show is the law of the shift, and the loss off the line.

use super::{Evidence, met, sampled};
use crate::asymmetry::{Certificate, Slopes};
use crate::record::{BoundRow, HypothesisRow, ShiftLaw, Standing, StatementRow};
use crate::theorem1::{Hypothesis, Statement, Terms};
use crate::{Profile, Result};

/// The terms of the theorem on this line.
struct Line<'a> {
    evidence: &'a Evidence<'a>,
    certificate: Certificate,
    terms: Terms,
    /// δ*, along the direction to the flat side.
    delta: f64,
    /// l = min{r̄ − |δ*|, |δ*| − r̲}, the largest step that the theorem allows.
    step: f64,
}

pub(super) fn statement(evidence: &Evidence, delta: f64) -> Result<StatementRow> {
    let hypotheses = Statement::Corrected.hypotheses().iter();
    let name = "Theorem 1, corrected";
    let Some(certificate) = evidence.judgement.matched else {
        let row = |&hypothesis: &Hypothesis| match hypothesis {
            Hypothesis::AsymmetricDirections => {
                let because = format!("no valley window with c > 1 around |δ*| = {}", delta.abs());
                HypothesisRow::new(hypothesis, hypothesis.wording(), Standing::NotMet, because)
            }
            _ => HypothesisRow::new(hypothesis, hypothesis.wording(), Standing::NotMeasured, "no certificate, no step"),
        };
        return Ok(StatementRow::new(name, hypotheses.map(row).collect(), Vec::new()));
    };
    let step = (certificate.r_hi - delta.abs()).min(delta.abs() - certificate.r_lo);
    let terms = Terms::of_certificate(&certificate, step, evidence.shift.best_gap)?;
    let line = Line { evidence, certificate, terms, delta, step };
    let row = |&hypothesis: &Hypothesis| {
        let (standing, because) = line.standing(hypothesis)?;
        Ok(HypothesisRow::new(hypothesis, hypothesis.wording(), standing, because))
    };
    Ok(StatementRow::new(name, hypotheses.map(row).collect::<Result<_>>()?, line.bounds()?))
}

impl Line<'_> {
    fn standing(&self, hypothesis: Hypothesis) -> Result<(Standing, String)> {
        let Certificate { r_lo, r_hi, .. } = self.certificate;
        let (size, step) = (self.delta.abs(), self.step);
        Ok(match hypothesis {
            Hypothesis::OrthonormalDirections => (Standing::Met, "one direction of unit length".into()),
            Hypothesis::NonNegativeSteps => (met(step >= 0.0), format!("l = {step}")),
            Hypothesis::BalancedProjections => self.balance(),
            Hypothesis::ProjectionsWithinWindow => match self.evidence.law {
                None => {
                    let because =
                        format!("δ = ±{size}, the two values of Assumption 1, in ({r_lo}, {r_hi}), l = {step}");
                    (Standing::Met, because)
                }
                Some(law) => {
                    let inside = law.delta.iter().filter(|&&delta| self.holds_in_window(delta)).count();
                    let because = format!("in {inside} of {} random splits, l = {step}", law.delta.len());
                    (sampled(inside == law.delta.len()), because)
                }
            },
            Hypothesis::GapOnFullRadius => {
                let (reach, radius) = (size + step, self.evidence.shift.radius);
                let because = format!("ξ = {} on radius {radius}; |δ| + l = {reach}", self.terms.gap());
                // The radius may be the end of a window itself, which rounds.
                let is_enough = reach <= radius * (1.0 + 1e-9);
                (if is_enough { Standing::Met } else { Standing::NotMeasured }, because)
            }
            Hypothesis::AsymmetricDirections => self.asymmetry()?,
            // Hypotheses of the printed theorem alone.
            _ => (Standing::NotMeasured, "not a hypothesis of the corrected theorem".into()),
        })
    }

    fn balance(&self) -> (Standing, String) {
        match self.evidence.law {
            None => (Standing::NotMeasured, format!("one shift was measured, {}", self.delta)),
            Some(law) => {
                let by_construction = if law.pooled { ", near ½ by construction" } else { "" };
                let because = format!("q is in [{}, {}]{by_construction}", law.q.low, law.q.high);
                (sampled(law.q.contains(0.5)), because)
            }
        }
    }

    fn holds_in_window(&self, delta: f64) -> bool {
        let Certificate { r_lo, r_hi, .. } = self.certificate;
        if delta > 0.0 {
            r_lo + self.step <= delta && delta <= r_hi
        } else {
            r_lo <= -delta && -delta <= r_hi - self.step
        }
    }

    fn asymmetry(&self) -> Result<(Standing, String)> {
        let it = &self.certificate;
        let bounds = Slopes::of(&self.along(&self.evidence.shift.train))?.bounds(it.r_lo, it.r_hi)?;
        if !bounds.certify(it) {
            let because = format!("on the line slopes are at most {} and at least {}", bounds.a_plus, -bounds.a_minus);
            return Ok((Standing::NotMet, because));
        }
        let Some(neighbours) = self.evidence.neighbours else {
            return Ok((Standing::NotMeasured, "it holds on the line itself; no neighbours were measured".into()));
        };
        let slopes = neighbours.slopes().clone();
        let slopes = if self.evidence.judgement.mirrored { slopes.mirrored() } else { slopes };
        let bounds = slopes.bounds(it.r_lo, it.r_hi)?;
        let because = format!(
            "at {} neighbours slopes are at most {} and at least {}",
            neighbours.count(),
            bounds.a_plus,
            -bounds.a_minus
        );
        Ok((sampled(bounds.certify(it)), because))
    }

    fn bounds(&self) -> Result<Vec<BoundRow>> {
        let row = |quantity: String, q: f64, observed| -> Result<BoundRow> {
            Ok(BoundRow { quantity, bound: self.terms.unbalanced_bound(&[q])?, observed })
        };
        let gain = format!("L(ŵ) − L(ŵ + {}u)", self.step);
        let mut bounds = vec![row(format!("E[{gain}], q = ½"), 0.5, None)?];
        if let Some(ShiftLaw { q, .. }) = self.evidence.law {
            bounds.push(row(format!("E[{gain}], q = {}", q.estimate), q.estimate, None)?);
        }
        // With one shift the theorem's proof gives l·c·p − 2ξ or −l·p − 2ξ.
        let sign = if self.delta > 0.0 { 1.0 } else { 0.0 };
        let test = self.along(&self.evidence.shift.test);
        let observed = test.at(0.0).zip(test.at(self.step)).map(|(here, there)| here - there);
        bounds.push(row(format!("{gain} at δ = {}", self.delta), sign, observed)?);
        Ok(bounds)
    }

    /// A profile read along the direction to the flat side.
    fn along(&self, profile: &Profile) -> Profile {
        if self.evidence.judgement.mirrored { profile.mirrored() } else { profile.clone() }
    }
}
