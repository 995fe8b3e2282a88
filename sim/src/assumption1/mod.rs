//! Assumption 1 as a distribution: the law of the shift over random splits of measured examples.
//!
//! Assumption 1 of the paper (Section 4.1, arXiv:1902.00744) treats the shift δ between training and population loss as
//! random, positive or negative with probability ½, and its gap ξ as small. One pair of curves shows one δ*. Here the
//! per-example losses along a line are split at random into a training and a population part, each split gives its δ* and
//! ξ(δ*) by Definition 3 ([`shift`]), and 1,000 splits give their law.
//!
//! *The centre stays fixed: ŵ is not trained anew on a split.* What is random is the loss around one point, which is the
//! theorem's reading A and B mixed, but never the point itself. A network's own training images pull its minimum to
//! themselves; a split of a pool does not show that.
//!
//! - [`Examples::Pooled`]: training part and population part are the two halves of one pool. Swapping the halves is as
//!   likely as not and turns δ* into −δ*, up to the ends of the neighbourhood: **q is near ½ by construction**, so it is a
//!   check of the method and no evidence for the assumption. What is informative are the sizes of δ* and ξ.
//! - [`Examples::Separate`]: the training part is a random half of the training examples, the population part a random half
//!   of the test examples. A half drawn without replacement varies as much as a whole sample does from the population, so
//!   this is about the sampling law of the δ* measured on the whole; q tells how sure its sign is.
//!
//! *Theorem 1.* Given a certificate and a step l, each split is held against the hypotheses: shift and step within the
//! window, the gap on radius |δ*| + l, the certificate on the split's own training part. Where all hold the corrected theorem
//! promises L(ŵ) − L(ŵ + l·u) ≥ l·c·p − 2ξ if δ* > 0 and ≥ −l·p − 2ξ if not, so that over these splits the mean gain is at
//! least l·p((c + 1)q − 1) − 2ξ. This is exact for the interpolants, with no statistics in it.

mod split;
#[cfg(test)]
mod tests;

use crate::asymmetry::{Certificate, Slopes};
use crate::error::positive;
use crate::estimate::{Confidence, Moments, clopper_pearson};
use crate::parallel::in_order;
use crate::progress::Observer;
use crate::record::{CoveredSplits, Quantiles, ShiftLaw, SplitPromise};
use crate::theorem1::Terms;
use crate::{Error, Profile, Result, Seed, shift};

use split::Parts;

/// Where a split's parts come from: profiles with per-example losses.
#[derive(Debug, Clone, Copy)]
pub enum Examples<'a> {
    /// One pool, such as training and test images together: a random half, and the other half (the larger if odd).
    Pooled(&'a Profile),
    /// A random half of the training examples, and a random half of the test examples.
    Separate {
        /// Losses of training examples.
        train: &'a Profile,
        /// Losses of test examples; the offsets may be others.
        test: &'a Profile,
    },
}

/// How to split.
///
/// | Parameter | Default | Purpose | Range |
/// |---|---|---|---|
/// | count | 1000 | number of splits | ≥ 2 |
/// | confidence | 0.95 | of intervals | (0, 1) |
/// | seed | 0 | of streams `split` and `split test`, one number a split | any |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Splits {
    count: u32,
    confidence: Confidence,
    seed: Seed,
}

impl Default for Splits {
    fn default() -> Self {
        Self { count: 1000, confidence: Confidence::P95, seed: Seed(0) }
    }
}

impl Splits {
    /// Checks the number of splits, at least 2.
    pub fn new(count: u32, confidence: Confidence, seed: Seed) -> Result<Self> {
        if count < 2 {
            return Err(Error::domain("number of splits", count, "at least 2"));
        }
        Ok(Self { count, confidence, seed })
    }
}

/// Measures the law of the shift on the neighbourhood of a radius R, over all shifts that the line has room for
/// (|δ| ≤ half-line − R), and Theorem 1 on the splits for a certificate along u and a step l ≥ 0 to the flat side.
///
/// A certificate along −u needs [mirrored](Profile::mirrored) profiles. For the theorem to speak of many splits, r̲ + l should
/// lie below most |δ*|, and r̄ above. Splits run in parallel; the bits do not depend on the number of threads.
///
/// # Errors
/// Profiles without per-example losses, a radius that leaves no room, a certificate or step out of its domain or beyond the
/// line; [`Error::Interrupted`].
pub fn law(
    (title, setting): (&str, &str),
    examples: Examples,
    radius: f64,
    promise: Option<(&Certificate, f64)>,
    splits: &Splits,
    observer: &dyn Observer,
) -> Result<ShiftLaw> {
    positive("radius R", radius)?;
    let parts = Parts::of(examples)?;
    if let Some((certificate, step)) = promise {
        check(certificate, step, &parts)?;
    }
    observer.begin("random splits", u64::from(splits.count));
    let one = |index: u64| {
        if observer.interrupted() {
            return Err(Error::Interrupted);
        }
        let outcome = Outcome::of(&parts, radius, promise, splits.seed, index)?;
        observer.advance(1);
        Ok(outcome)
    };
    let outcomes = in_order(u64::from(splits.count), one)?;
    observer.finish();

    let column = |value: fn(&Outcome) -> f64| outcomes.iter().map(value).collect::<Vec<f64>>();
    let (delta, gap) = (column(|it| it.delta), column(|it| it.gap));
    let room = parts.room(radius);
    Ok(ShiftLaw {
        title: title.to_owned(),
        pooled: matches!(examples, Examples::Pooled(_)),
        train_examples: parts.sizes().0 as u64,
        population_examples: parts.sizes().1 as u64,
        radius,
        q: clopper_pearson(count(&outcomes, |it| it.delta > 0.0), outcomes.len() as u64, splits.confidence)?,
        zero: count(&outcomes, |it| it.delta == 0.0),
        at_end: count(&outcomes, |it| it.delta.abs() >= room * (1.0 - 1e-9)),
        delta_quantiles: quantiles(delta.clone()),
        size_quantiles: quantiles(column(|it| it.delta.abs())),
        gap_quantiles: quantiles(gap.clone()),
        delta,
        gap,
        gap_at_zero: column(|it| it.gap_at_zero),
        confidence: splits.confidence.level(),
        promise: promise.map(|(certificate, step)| weigh(certificate, step, &outcomes, splits)).transpose()?,
        setting: setting.to_owned(),
    })
}

/// What one split shows.
struct Outcome {
    delta: f64,
    gap: f64,
    gap_at_zero: f64,
    /// Against Theorem 1, if a promise was made.
    kept: Kept,
}

/// Which of Theorem 1's hypotheses a split meets, and its gain.
#[derive(Default)]
struct Kept {
    window: bool,
    radius: bool,
    asymmetry: bool,
    gain: f64,
    /// l·c·p − 2ξ or −l·p − 2ξ.
    promised: f64,
}

impl Kept {
    fn is_covered(&self) -> bool {
        self.window && self.radius && self.asymmetry
    }
}

impl Outcome {
    fn of(parts: &Parts, radius: f64, promise: Option<(&Certificate, f64)>, seed: Seed, index: u64) -> Result<Self> {
        let (train, population) = parts.split(seed, index)?;
        let range = shift::shifts(&population, radius, 2)?;
        let seen = shift::measure("", &train, &population, radius, &range)?;
        let (delta, gap) = (seen.best_delta, seen.best_gap);
        let kept = match promise {
            None => Kept::default(),
            Some((it, step)) => {
                // What the loss falls by at least, per length: c·p on the sharp side, −p on the flat one.
                let fall = if delta > 0.0 { it.c * it.p } else { -it.p };
                Kept {
                    window: if delta > 0.0 {
                        it.r_lo + step <= delta && delta <= it.r_hi
                    } else {
                        it.r_lo <= -delta && -delta <= it.r_hi - step
                    },
                    radius: delta.abs() + step <= radius,
                    asymmetry: Slopes::of(&train)?.bounds(it.r_lo, it.r_hi)?.certify(it),
                    gain: loss(&population, 0.0)? - loss(&population, step)?,
                    promised: step * fall - 2.0 * gap,
                }
            }
        };
        Ok(Self { delta, gap, gap_at_zero: seen.gap_at_zero, kept })
    }
}

/// Theorem 1 on all splits.
fn weigh(certificate: &Certificate, step: f64, outcomes: &[Outcome], splits: &Splits) -> Result<SplitPromise> {
    let covered: Vec<&Outcome> = outcomes.iter().filter(|it| it.kept.is_covered()).collect();
    let mean =
        |value: fn(&Outcome) -> f64| Moments::of(&covered.iter().map(|it| value(it)).collect::<Vec<f64>>()).mean();
    let on_covered = if covered.is_empty() {
        None
    } else {
        let positive = covered.iter().filter(|it| it.delta > 0.0).count() as u64;
        let q = clopper_pearson(positive, covered.len() as u64, splits.confidence)?;
        let largest_gap = covered.iter().map(|it| it.gap).fold(0.0, f64::max);
        let mean_gap = mean(|it| it.gap);
        let bound = |gap| Terms::of_certificate(certificate, step, gap)?.unbalanced_bound(&[q.estimate]);
        // Sums of losses round; what they round to is small beside the promise and the gap.
        let is_broken = |it: &&&Outcome| {
            it.kept.gain < it.kept.promised - 1e-9 * (it.kept.gain.abs() + it.kept.promised.abs() + it.gap)
        };
        let broken = covered.iter().filter(is_broken).count() as u64;
        Some(CoveredSplits {
            q,
            largest_gap,
            mean_gap,
            bound: bound(largest_gap)?,
            mean_bound: bound(mean_gap)?,
            gain: mean(|it| it.kept.gain),
            broken,
        })
    };
    Ok(SplitPromise {
        certificate: *certificate,
        step,
        within_window: count(outcomes, |it| it.kept.window),
        within_radius: count(outcomes, |it| it.kept.radius),
        asymmetric: count(outcomes, |it| it.kept.asymmetry),
        covered: covered.len() as u64,
        gain: outcomes
            .iter()
            .fold(Moments::default(), |mut moments, it| {
                moments.push(it.kept.gain);
                moments
            })
            .student(splits.confidence)?,
        on_covered,
    })
}

/// Checks a certificate and a step, and that the line reaches both.
fn check(certificate: &Certificate, step: f64, parts: &Parts) -> Result<()> {
    Terms::of_certificate(certificate, crate::error::non_negative("step l", step)?, 0.0)?;
    let (train, test) = parts.half_lines();
    if certificate.r_hi > train * (1.0 + 1e-9) {
        return Err(Error::domain("r̄ of the certificate", certificate.r_hi, format!("at most {train}, R of the line")));
    }
    if step > test {
        return Err(Error::domain("step l", step, format!("at most {test}, R of the line")));
    }
    Ok(())
}

fn loss(profile: &Profile, offset: f64) -> Result<f64> {
    profile.at(offset).ok_or_else(|| Error::domain("offset", offset, "within the profile"))
}

fn count(outcomes: &[Outcome], holds: impl Fn(&Outcome) -> bool) -> u64 {
    outcomes.iter().filter(|it| holds(it)).count() as u64
}

fn quantiles(mut values: Vec<f64>) -> Quantiles {
    values.sort_by(f64::total_cmp);
    let at = |level: f64| values[((level * values.len() as f64).ceil() as usize).clamp(1, values.len()) - 1];
    Quantiles { q05: at(0.05), q25: at(0.25), q50: at(0.5), q75: at(0.75), q95: at(0.95) }
}
