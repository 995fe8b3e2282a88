//! The slopes of a profile on both sides of its centre, and its valley windows.

use super::{Certificate, Criteria};
use crate::error::finite;
use crate::{Error, Profile, Result};

/// The relative error that comparisons allow for.
pub(super) const ROUNDING: f64 = 1e-9;

/// p_min in units of (max − min)/r̄ on [−r̄, r̄].
const LEAST_SLOPE: f64 = 1e-6;

/// The slopes along +u and −u of a profile's interpolant between its knots.
///
/// Knots are the distances of the offsets from the centre, up to R; two that differ by at most 1e-9·R are one. Between
/// neighbouring knots the interpolant is linear on both sides, so windows that end at knots lose nothing.
///
/// The slopes of several profiles can be taken together, see [`Slopes::worst`].
#[derive(Debug, Clone, PartialEq)]
pub struct Slopes {
    half_line: f64,
    knots: Vec<f64>,
    /// Along +u between knots i and i + 1.
    flat: Vec<f64>,
    /// Along −u between knots i and i + 1.
    sharp: Vec<f64>,
    /// max − min on [−knot, knot].
    range: Vec<f64>,
    /// From each knot as r̲, the index of the outermost knot that makes a valley window (its own if none does).
    reach: Vec<usize>,
}

/// A valley window and its slopes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    /// Index of r̲ among the knots.
    pub(super) inner: usize,
    /// Index of r̄ among the knots.
    pub(super) outer: usize,
    pub(super) r_lo: f64,
    pub(super) r_hi: f64,
    /// f, the supremum of the slope along +u.
    pub(super) f: f64,
    /// s, the infimum of the slope along −u.
    pub(super) s: f64,
    /// The least p.
    pub(super) p_min: f64,
}

impl Slopes {
    /// Reads the slopes of a profile.
    ///
    /// # Errors
    /// If the profile does not reach both sides of its centre (R ≤ 0), or its slopes overflow.
    pub fn of(profile: &Profile) -> Result<Self> {
        let half_line = profile.half_line();
        if half_line <= 0.0 {
            let name = "R, the half-line measured on both sides of the centre";
            // Adding 0 turns −0 into 0.
            return Err(Error::domain(name, half_line + 0.0, "more than 0"));
        }
        let knots = knots(profile.offsets(), half_line);
        let at = |offset: f64| {
            // A knot stays within R, hence within the profile.
            profile.at(offset).ok_or_else(|| Error::domain("offset", offset, "within the profile"))
        };
        let right = knots.iter().map(|&x| at(x)).collect::<Result<Vec<f64>>>()?;
        let left = knots.iter().map(|&x| at(-x)).collect::<Result<Vec<f64>>>()?;

        let flat = differences(&knots, &right)?;
        let sharp = differences(&knots, &left)?;
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut lowest, mut range) = (Vec::with_capacity(knots.len()), Vec::with_capacity(knots.len()));
        for (&a, &b) in left.iter().zip(&right) {
            low = low.min(a).min(b);
            high = high.max(a).max(b);
            lowest.push(low);
            range.push(finite("range of the losses", high - low)?);
        }
        let reach = (0..knots.len())
            .map(|inner| {
                let is_valley = |outer: &usize| lowest[inner] - lowest[*outer] <= ROUNDING * range[*outer];
                (inner + 1..knots.len()).take_while(is_valley).last().unwrap_or(inner)
            })
            .collect();
        Ok(Self { half_line, knots, flat, sharp, range, reach })
    }

    /// The slopes that hold for all of several profiles at once: the largest along +u, the smallest along −u, the
    /// largest p_min, and the windows that are valleys of every one.
    ///
    /// # Errors
    /// No profile, profiles measured at different offsets, and those of [`Slopes::of`].
    pub fn worst(profiles: &[Profile]) -> Result<Self> {
        let Some((first, others)) = profiles.split_first() else {
            return Err(Error::domain("number of profiles", 0, "at least 1"));
        };
        let mut worst = Self::of(first)?;
        for (i, profile) in others.iter().enumerate() {
            if profile.offsets() != first.offsets() {
                return Err(Error::domain(
                    format!("offsets of profile {}", i + 1),
                    "another set",
                    "the same offsets as those of profile 0",
                ));
            }
            let slopes = Self::of(profile)?;
            merge(&mut worst.flat, &slopes.flat, f64::max);
            merge(&mut worst.sharp, &slopes.sharp, f64::min);
            merge(&mut worst.range, &slopes.range, f64::max);
            merge(&mut worst.reach, &slopes.reach, usize::min);
        }
        Ok(worst)
    }

    /// The same slopes read in the direction −u.
    pub fn mirrored(self) -> Self {
        Self { flat: self.sharp, sharp: self.flat, ..self }
    }

    /// R, the half-line measured on both sides of the centre.
    pub fn half_line(&self) -> f64 {
        self.half_line
    }

    /// The knots, increasing, ≥ 0.
    pub fn knots(&self) -> &[f64] {
        &self.knots
    }

    /// The slopes along +u, one between each two neighbouring knots.
    pub fn flat(&self) -> &[f64] {
        &self.flat
    }

    /// The slopes along −u, one between each two neighbouring knots.
    pub fn sharp(&self) -> &[f64] {
        &self.sharp
    }

    /// All valley windows, by increasing r̲ and then r̄, which is the order of ties.
    pub(super) fn windows(&self) -> impl Iterator<Item = Window> {
        self.reach.iter().enumerate().flat_map(move |(inner, &reach)| {
            let (mut f, mut s) = (f64::NEG_INFINITY, f64::INFINITY);
            (inner + 1..=reach).map(move |outer| {
                f = f.max(self.flat[outer - 1]);
                s = s.min(self.sharp[outer - 1]);
                let (r_lo, r_hi) = (self.knots[inner], self.knots[outer]);
                Window { inner, outer, r_lo, r_hi, f, s, p_min: LEAST_SLOPE * self.range[outer] / r_hi }
            })
        })
    }
}

impl Window {
    /// p, the slope that the flat side stays below: the supremum itself, or the least allowed.
    pub(super) fn p(&self) -> f64 {
        self.f.max(self.p_min)
    }

    /// c = s/p. Only sensible where the window [exceeds](Self::exceeds) some ratio.
    pub(super) fn ratio(&self) -> f64 {
        self.s / self.p()
    }

    /// Whether p > 0 and c is above `ratio`. A constant profile has p = 0, and no c.
    pub(super) fn exceeds(&self, ratio: f64) -> bool {
        let p = self.p();
        p > 0.0 && self.s > ratio * p * (1.0 + ROUNDING)
    }

    /// s − p.
    pub(super) fn rise(&self) -> f64 {
        self.s - self.p()
    }

    /// r̄ − r̲.
    pub(super) fn width(&self) -> f64 {
        self.r_hi - self.r_lo
    }

    /// Theorem 1's gain at ξ = 0 with δ̄ in the window's middle and l = (r̄ − r̲)/2.
    pub(super) fn full_gain(&self) -> f64 {
        self.rise() * self.width() / 4.0
    }

    /// Whether the window is wide enough and its c large enough.
    pub(super) fn is_admissible(&self, half_line: f64, criteria: &Criteria) -> bool {
        self.width() >= criteria.width_share * half_line * (1.0 - ROUNDING) && self.exceeds(criteria.ratio)
    }

    /// The certificate of this window with a gain.
    pub(super) fn certificate(&self, gain: f64) -> Certificate {
        Certificate {
            r_hi: self.r_hi,
            r_lo: self.r_lo,
            p: self.p(),
            c: self.ratio(),
            c_is_lower_bound: self.f <= self.p_min * (1.0 + ROUNDING),
            gain,
        }
    }
}

/// The distinct distances of the offsets from 0, up to R.
fn knots(offsets: &[f64], half_line: f64) -> Vec<f64> {
    let mut distances: Vec<f64> = offsets.iter().map(|x| x.abs()).filter(|&x| x <= half_line).collect();
    distances.sort_by(f64::total_cmp);
    let mut knots: Vec<f64> = Vec::with_capacity(distances.len());
    for distance in distances {
        if knots.last().is_none_or(|last| distance - last > ROUNDING * half_line) {
            knots.push(distance);
        }
    }
    knots
}

/// The slopes between neighbouring knots.
fn differences(knots: &[f64], losses: &[f64]) -> Result<Vec<f64>> {
    let slope = |(x, y): (&[f64], &[f64])| {
        let slope = (y[1] - y[0]) / (x[1] - x[0]);
        finite(&format!("slope between distances {} and {}", x[0], x[1]), slope)
    };
    knots.windows(2).zip(losses.windows(2)).map(slope).collect()
}

fn merge<T: Copy>(into: &mut [T], other: &[T], choose: impl Fn(T, T) -> T) {
    for (a, &b) in into.iter_mut().zip(other) {
        *a = choose(*a, b);
    }
}
