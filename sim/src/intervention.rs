//! Intervention: does a move to the flat side lower the test loss, as Theorem 1 promises?
//!
//! A solution is moved by l along u, and for comparison by as much along −u, along u with its coordinates permuted, and
//! along directions that are judged symmetric. All are measured on the same test examples, so changes are compared example
//! by example, and what examples share cancels.

use crate::error::{finite, positive};
use crate::estimate::{Confidence, Interval, paired_test, student};
use crate::record::{Intervention, InterventionRow, MoveKind, Standing};
use crate::theorem1::Terms;
use crate::{Error, Result};

/// How far lengths may differ, relative to l, and still be equal.
const ROUNDING: f64 = 1e-9;

/// A move and the test losses after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Move<'a> {
    /// What was moved where.
    pub kind: MoveKind,
    /// The length of the move, > 0; the same for all.
    pub length: f64,
    /// Per-example test losses, in the order of those at the centre.
    pub losses: &'a [f64],
}

/// Theorem 1's promise for the move to the flat side: the terms of one direction with l, and P(s > 0) = q, which is ½ in the
/// corrected theorem, and 1 or 0 where the sign of the shift is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promise<'a> {
    /// The numbers, of one direction.
    pub terms: &'a Terms,
    /// q, in [0, 1].
    pub q: f64,
}

/// Compares moves of one solution, and the one to the flat side with Theorem 1's bound l·p((c + 1)q − 1) − 2ξ.
///
/// `centre` are the per-example test losses at the solution. The bound speaks of the population loss, the interval of the
/// mean over examples drawn from it.
///
/// # Errors
/// Fewer than two examples, losses that are not finite or not as many as at the centre, not exactly one move to the flat
/// side, moves of different lengths, a promise of another step or of several directions, and a q outside [0, 1].
pub fn intervention(
    (title, setting): (&str, &str),
    centre: &[f64],
    moves: &[Move],
    promise: Option<Promise>,
    confidence: Confidence,
) -> Result<Intervention> {
    let mut to_flat = moves.iter().filter(|it| it.kind == MoveKind::Flat);
    let (Some(flat), None) = (to_flat.next(), to_flat.next()) else {
        let seen = moves.iter().filter(|it| it.kind == MoveKind::Flat).count();
        return Err(Error::domain("number of moves to the flat side", seen, "1"));
    };
    let step = positive("length of the move to the flat side", flat.length)?;
    check("at the centre", centre, centre.len())?;
    for (i, it) in moves.iter().enumerate() {
        check(&format!("after move {i}"), it.losses, centre.len())?;
        same_length(&format!("length of move {i}"), it.length, step)?;
    }
    let rows = moves.iter().map(|it| {
        let gains = differences(centre, it.losses);
        let is_flat = it.kind == MoveKind::Flat;
        let against_flat = || student(&differences(it.losses, flat.losses), confidence);
        Ok(InterventionRow {
            kind: it.kind,
            gain: student(&gains, confidence)?,
            test: paired_test(&gains)?,
            flat_is_better_by: if is_flat { None } else { Some(against_flat()?) },
        })
    });
    let predicted = promise.map(|promise| predict(promise, step)).transpose()?;
    let gain = student(&differences(centre, flat.losses), confidence)?;
    Ok(Intervention {
        title: title.to_owned(),
        setting: setting.to_owned(),
        examples: centre.len() as u64,
        step,
        confidence: confidence.level(),
        rows: rows.collect::<Result<_>>()?,
        predicted,
        prediction: predicted.map_or(Standing::NotMeasured, |bound| standing(bound, &gain)),
    })
}

fn predict(promise: Promise, step: f64) -> Result<f64> {
    let bound = promise.terms.unbalanced_bound(&[promise.q])?;
    same_length("step l of the promise", promise.terms.step_length(), step)?;
    Ok(bound)
}

/// How a lower bound stands with an interval.
fn standing(bound: f64, gain: &Interval) -> Standing {
    if gain.low >= bound {
        Standing::Met
    } else if gain.high < bound {
        Standing::NotMet
    } else {
        Standing::NotRejected
    }
}

fn differences(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn check(place: &str, losses: &[f64], count: usize) -> Result<()> {
    if losses.len() < 2 {
        return Err(Error::domain(format!("number of losses {place}"), losses.len(), "at least 2"));
    }
    if losses.len() != count {
        let allowed = format!("{count}, as many as at the centre");
        return Err(Error::domain(format!("number of losses {place}"), losses.len(), allowed));
    }
    losses.iter().try_for_each(|&loss| finite(&format!("loss {place}"), loss).map(drop))
}

fn same_length(name: &str, seen: f64, wanted: f64) -> Result<()> {
    if (seen - wanted).abs() <= ROUNDING * wanted {
        Ok(())
    } else {
        Err(Error::domain(name, seen, format!("{wanted}, the length of the move to the flat side")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::seed::standard_normal;
    use crate::theorem1::Direction;

    fn terms(p: f64, c: f64, l: f64, gap: f64) -> Terms {
        Terms::new(0.0, 4.0, vec![Direction { p, c, l }], gap).expect("valid")
    }

    fn at(kind: MoveKind, losses: &[f64]) -> Move<'_> {
        Move { kind, length: 1.0, losses }
    }

    #[test]
    fn changes_are_taken_example_by_example() {
        // The examples differ by hundreds, the changes by less than 1.
        let centre = [100.0, 200.0, 300.0];
        let flat = [99.0, 198.5, 299.5];
        let sharp = [104.0, 204.0, 304.0];
        let moves = [at(MoveKind::Flat, &flat), at(MoveKind::Mirrored, &sharp)];
        let terms = terms(1.0, 3.0, 1.0, 0.25);
        let promise = Promise { terms: &terms, q: 0.5 };
        let seen = intervention(("", "known"), &centre, &moves, Some(promise), Confidence::P95).expect("valid");
        // Changes 1, 1.5, ½: mean 1, standard error ½/√3, t(2, 95 %) = 4.30265.
        let gain = seen.rows[0].gain;
        assert_eq!((gain.estimate, seen.rows[0].flat_is_better_by), (1.0, None));
        assert!((gain.half_width() - 4.302652729911275 * 0.5 / 3f64.sqrt()).abs() < 1e-8);
        assert_eq!(seen.rows[1].gain.estimate, -4.0);
        assert_eq!(seen.rows[1].flat_is_better_by.expect("a control").estimate, 5.0);
        assert_eq!(seen.rows[0].test.sign_flip, Some(0.25));
        assert_eq!((seen.predicted, seen.prediction), (Some(0.5), Standing::NotRejected));
    }

    #[test]
    fn a_bound_stands_by_where_the_interval_lies() {
        let (centre, flat) = ([2.0, 3.0, 4.0], [1.0, 2.0, 3.0]);
        let prediction = |p, q| {
            let terms = terms(p, 3.0, 1.0, 0.0);
            let promise = Some(Promise { terms: &terms, q });
            let seen = intervention(("", "known"), &centre, &[at(MoveKind::Flat, &flat)], promise, Confidence::P95)
                .expect("valid");
            (seen.predicted.expect("promised"), seen.prediction)
        };
        // The gain is 1 without any spread.
        assert_eq!(prediction(1.0, 0.5), (1.0, Standing::Met));
        assert_eq!(prediction(1.25, 0.5), (1.25, Standing::NotMet));
        assert_eq!(prediction(1.25, 0.0), (-1.25, Standing::Met));
        let none =
            intervention(("", "known"), &centre, &[at(MoveKind::Flat, &flat)], None, Confidence::P95).expect("valid");
        assert_eq!((none.predicted, none.prediction), (None, Standing::NotMeasured));
    }

    #[test]
    fn a_true_bound_is_called_broken_as_rarely_as_it_should_be() {
        // 2,000 interventions of 25 normal changes whose mean is the bound itself, at 95 %: the interval lies below with
        // probability 0.025 exactly. 50 ± 42 (six standard deviations of 6.98) leave a false alarm of 2e-9.
        let terms = terms(1.0, 3.0, 1.0, 0.0);
        let broken = (0..2_000)
            .filter(|&index| {
                let mut rng = Seed(12).stream("intervention", index);
                let centre: Vec<f64> = (0..25).map(|_| 5.0 * standard_normal(&mut rng)).collect();
                let flat: Vec<f64> = centre.iter().map(|x| x - 1.0 - standard_normal(&mut rng)).collect();
                let promise = Some(Promise { terms: &terms, q: 0.5 });
                let seen = intervention(("", "known"), &centre, &[at(MoveKind::Flat, &flat)], promise, Confidence::P95);
                seen.expect("valid").prediction == Standing::NotMet
            })
            .count();
        assert!((8..=92).contains(&broken), "{broken}");
    }

    #[test]
    fn refuses_what_cannot_be_compared() {
        let (two, three) = ([1.0, 2.0], [1.0, 2.0, 3.0]);
        let message = |moves: &[Move], promise: Option<Promise>| {
            intervention(("", "known"), &two, moves, promise, Confidence::P95).expect_err("invalid").to_string()
        };
        let flat = at(MoveKind::Flat, &two);
        assert_eq!(message(&[], None), "number of moves to the flat side is 0; allowed: 1");
        assert_eq!(message(&[flat, flat], None), "number of moves to the flat side is 2; allowed: 1");
        assert_eq!(
            message(&[flat, at(MoveKind::Permuted, &three)], None),
            "number of losses after move 1 is 3; allowed: 2, as many as at the centre"
        );
        assert_eq!(
            message(&[flat, Move { length: 1.1, ..at(MoveKind::Symmetric, &two) }], None),
            "length of move 1 is 1.1; allowed: 1, the length of the move to the flat side"
        );
        let (long, other) = (terms(1.0, 3.0, 2.0, 0.0), terms(1.0, 3.0, 1.0, 0.0));
        assert!(message(&[flat], Some(Promise { terms: &long, q: 0.5 })).starts_with("step l of the promise is 2"));
        assert!(message(&[flat], Some(Promise { terms: &other, q: 1.5 })).starts_with("share q of direction 0"));
        assert!(intervention(("", "known"), &[1.0], &[at(MoveKind::Flat, &[1.0])], None, Confidence::P95).is_err());
    }
}
