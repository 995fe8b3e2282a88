//! A solution moved to the flat side of its valley, and moved as far elsewhere: which move lowers the test loss?
//!
//! What decides where to move is not what tells of success: the flat side comes from training images, the shift δ* and with
//! it the step and Theorem 1's promise from one half of the test images, and the gains from the other half.

use valleys_sim::Seed;
use valleys_sim::asymmetry::{Criteria, Verdict, judge_line};
use valleys_sim::direction::Family;
use valleys_sim::estimate::Confidence;
use valleys_sim::intervention::{self, Move, Promise};
use valleys_sim::progress::Observer;
use valleys_sim::record::{self, MoveKind};
use valleys_sim::theorem1::Terms;

use super::direction::Law;
use super::judged::{Judged, every_second, half};
use super::point::profile;
use super::scan::{Cells, scan_one};
use super::surface::require_dimension;
use super::{Point, Store, Surface};
use crate::data::permutation;
use crate::params::Weights;
use crate::{Error, Result};

/// Centred directions tried for each symmetric control.
const TRIES: u64 = 3;

/// Where a solution is moved, beside the flat side and its mirror image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// l; none: the largest step that Theorem 1 allows, or half the width of the canonical window where no certificate
    /// matches the shift, or a quarter of the half-line where there is none at all.
    pub step: Option<f64>,
    /// Moves along u with its coordinates permuted.
    pub permuted: u64,
    /// Moves along directions of the family `centred` that are judged symmetric, at most: three are tried for each.
    pub symmetric: u64,
}

/// Measures the line along a direction, moves the solution along it and along the controls, and compares test losses.
///
/// Theorem 1's promise is that for the sign of δ* measured, where a certificate matches it and the step is within what the
/// theorem allows.
///
/// # Errors
/// A step that is not in (0, R], a surface that keeps no example's loss or has fewer than four test examples, and those of
/// [`Surface::measure`].
pub fn intervention(
    surface: &mut dyn Surface,
    solution: &Weights<f32>,
    (title, law, index): (&str, &Law, u64),
    (offsets, criteria, seed): (&[f64], &Criteria, Seed),
    plan: &Plan,
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<record::Intervention> {
    require_dimension("the solution", solution.values.len(), surface)?;
    let u = law.draw(solution, seed, index)?;
    let mut scan = |name: &str, u: &[f64], offsets: &[f64]| -> Result<Vec<Point>> {
        let line = Cells::new(name, offsets, solution, u)?;
        scan_one(surface, "loss along a line and its controls", line, store, observer)
    };
    let line = scan("line", &u, offsets)?;
    let test = profile(&line, |it| &it.test)?;
    let judged = Judged::of(title, profile(&line, |it| &it.train)?, half("test", &test, false)?, criteria)?;
    let step = step(plan, &judged)?;

    let mut losses = |kind: MoveKind, name: &str, u: &[f64], offset: f64| -> Result<(MoveKind, Vec<f64>)> {
        let point = scan(name, u, &[offset])?.swap_remove(0);
        Ok((kind, every_second(&point.test.examples.unwrap_or_default(), true)))
    };
    let flat = judged.sign() * step;
    let centre = losses(MoveKind::Flat, "line", &u, 0.0)?.1;
    let mut ends = vec![losses(MoveKind::Flat, "line", &u, flat)?, losses(MoveKind::Mirrored, "line", &u, -flat)?];
    for number in 0..plan.permuted {
        let order = permutation(u.len(), &mut seed.stream("permuted direction", number));
        let permuted: Vec<f64> = order.iter().map(|&i| u[i]).collect();
        ends.push(losses(MoveKind::Permuted, &format!("permuted {number}"), &permuted, flat)?);
    }
    let centred = Law { family: Family::Centred, restriction: law.restriction.clone() };
    let (mut found, mut number) = (0, 0);
    while found < plan.symmetric && number < TRIES * plan.symmetric {
        let (name, u) = (format!("centred {number}"), centred.draw(solution, seed, number)?);
        let line = scan(&name, &u, offsets)?;
        let judgement = judge_line(&profile(&line, |it| &it.train)?, criteria, None)?;
        if judgement.verdict == Verdict::Symmetric {
            let point = scan(&name, &u, &[step])?.swap_remove(0);
            ends.push((MoveKind::Symmetric, every_second(&point.test.examples.unwrap_or_default(), true)));
            found += 1;
        }
        number += 1;
    }

    let moves: Vec<Move<'_>> = ends.iter().map(|(kind, losses)| Move { kind: *kind, length: step, losses }).collect();
    let (terms, q) = promise(&judged, step)?.unzip();
    let promise = terms.as_ref().zip(q).map(|(terms, q)| Promise { terms, q });
    let caption = (&judged.name(title, law, index)[..], &surface.setting()[..]);
    Ok(intervention::intervention(caption, &centre, &moves, promise, Confidence::P95)?)
}

fn step(plan: &Plan, judged: &Judged) -> Result<f64> {
    let reach = judged.judgement.half_line;
    let of_window = judged.judgement.canonical.map(|it| 0.5 * (it.r_hi - it.r_lo));
    let step = plan.step.or(judged.largest_step()).or(of_window).unwrap_or(0.25 * reach);
    if step > 0.0 && step <= reach {
        return Ok(step);
    }
    Err(Error::domain("step l", step, format!("> 0 and at most {reach}, the half-line")))
}

/// Theorem 1's terms, and q by the sign of δ*.
fn promise(judged: &Judged, step: f64) -> Result<Option<(Terms, f64)>> {
    let (Some(certificate), Some(largest)) = (&judged.judgement.matched, judged.largest_step()) else {
        return Ok(None);
    };
    if step > largest * (1.0 + 1e-9) {
        return Ok(None);
    }
    let q = if judged.sign() * judged.shift.best_delta > 0.0 { 1.0 } else { 0.0 };
    Ok(Some((Terms::of_certificate(certificate, step, judged.shift.best_gap)?, q)))
}

#[cfg(test)]
mod tests {
    use valleys_sim::profile::grid;
    use valleys_sim::progress::Silent;
    use valleys_sim::record::{Intervention, InterventionRow};

    use super::*;
    use crate::landscape::known::point;
    use crate::landscape::sample::Sample;

    const PLAN: Plan = Plan { step: None, permuted: 1, symmetric: 2 };

    fn measure(surface: &mut Sample, plan: Plan, store: &mut Vec<Point>) -> Result<Intervention> {
        let offsets = grid(-3.0, 3.0, 25).expect("grid");
        let how = (&offsets[..], &Criteria::default(), Seed(1));
        intervention(surface, &point(&[0.0]), ("it", &Law::of(Family::Ones), 0), how, &plan, store, &Silent)
    }

    fn gain(rows: &[InterventionRow], kind: MoveKind) -> f64 {
        rows.iter().find(|row| row.kind == kind).expect("a row").gain.estimate
    }

    fn valley(x: f64) -> f64 {
        if x < 0.0 { -4.0 * x } else { x }
    }

    #[test]
    fn the_flat_side_of_a_shifted_valley_gains_what_theorem_1_promises() {
        // The test loss is the training loss moved by ½, so (1, 0, 1, 4) is matched and l = ½.
        let mut surface = Sample::new(24, |w, _| valley(w[0]), |w, i| valley(w[0] - 0.5) + i as f64);
        let it = measure(&mut surface, PLAN, &mut Vec::new()).expect("measured");
        assert_eq!((it.examples, it.title.as_str(), it.setting.as_str()), (12, "it, ones 0", "known functions"));
        assert!((it.step - 0.5).abs() < 1e-9 && (it.predicted.expect("promised") - 2.0).abs() < 1e-8);
        assert!((gain(&it.rows, MoveKind::Flat) - 2.0).abs() < 1e-6);
        assert!((gain(&it.rows, MoveKind::Mirrored) + 2.0).abs() < 1e-6);
        // In one dimension a permutation changes nothing, and no direction is symmetric.
        assert!((gain(&it.rows, MoveKind::Permuted) - 2.0).abs() < 1e-6);
        assert_eq!(it.rows.len(), 3);
        // A longer step than the theorem allows has no promise.
        let it = measure(&mut surface, Plan { step: Some(1.0), ..PLAN }, &mut Vec::new()).expect("measured");
        assert_eq!((it.predicted, gain(&it.rows, MoveKind::Flat)), (None, 1.5));
    }

    #[test]
    fn gains_come_from_the_half_that_did_not_choose() {
        // Examples 0, 2, … are moved by ½; the others, which tell the gains, by −½.
        let test = |w: &[f64], i: usize| valley(w[0] - if i.is_multiple_of(2) { 0.5 } else { -0.5 });
        let it = measure(&mut Sample::new(24, |w, _| valley(w[0]), test), PLAN, &mut Vec::new()).expect("measured");
        assert!((it.predicted.expect("promised") - 2.0).abs() < 1e-8);
        assert!((gain(&it.rows, MoveKind::Flat) + 0.5).abs() < 1e-6, "½ less 1");
        assert_eq!(it.prediction, record::Standing::NotMet);
    }

    #[test]
    fn a_symmetric_valley_has_symmetric_controls_and_an_interrupted_one_goes_on() {
        let surface = || Sample::new(24, |w, _| w[0] * w[0], |w, i| (w[0] - 0.5).powi(2) + i as f64);
        let mut store = Vec::new();
        let mut first = surface();
        let it = measure(&mut first, Plan { step: Some(0.5), ..PLAN }, &mut store).expect("measured");
        let symmetric: Vec<_> = it.rows.iter().filter(|row| row.kind == MoveKind::Symmetric).collect();
        assert_eq!(symmetric.len(), 2);
        // A centred direction of one coordinate is 1 or −1.
        assert!(symmetric.iter().all(|row| [0.25, -0.75].contains(&row.gain.estimate)), "{symmetric:?}");
        store.truncate(store.len() / 2);
        let (kept, mut second) = (store.len(), surface());
        assert_eq!(measure(&mut second, Plan { step: Some(0.5), ..PLAN }, &mut store).expect("measured"), it);
        assert_eq!(second.measured, first.measured - kept);
    }

    #[test]
    fn what_cannot_be_compared_is_named() {
        let mut surface = Sample::new(24, |w, _| valley(w[0]), |w, _| valley(w[0] - 0.5));
        let mut message = |count: usize, keeps: bool, step: f64| {
            (surface.keeps_examples, surface.count) = (keeps, count);
            let plan = Plan { step: Some(step), ..PLAN };
            measure(&mut surface, plan, &mut Vec::new()).expect_err("refused").to_string()
        };
        assert_eq!(message(24, true, 4.0), "step l is 4; allowed: > 0 and at most 3, the half-line");
        assert_eq!(message(3, true, 1.0), "number of test examples is 3; allowed: at least 4, for two halves");
        assert!(message(24, false, 1.0).starts_with("per-example losses of the test profile is none"));
    }
}
