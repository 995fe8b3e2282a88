//! A line with every example's loss, judged: what holding the theorems against it begins with.

use valleys_sim::Profile;
use valleys_sim::asymmetry::{Criteria, judge_line};
use valleys_sim::estimate::Moments;
use valleys_sim::record::{LineJudgement, Shift};
use valleys_sim::shift;

use super::Point;
use super::direction::Law;
use super::point::profile;
use crate::{Error, Result};

/// The radius over which the shift gap is taken, as a share of the half-line: 2 on [−3, 3], as in the paper's Figure 3.
const RADIUS: f64 = 2.0 / 3.0;
/// Shifts listed in a record; δ* is exact whatever their number.
const SHIFTS: usize = 81;

/// A line through a solution, its verdict from the training losses, and the shift of its test losses.
pub(super) struct Judged {
    /// L̂ along u.
    pub(super) train: Profile,
    /// L along u.
    pub(super) test: Profile,
    /// δ* and ξ, along u.
    pub(super) shift: Shift,
    /// The verdict, with the certificate matched to |δ*| and ξ.
    pub(super) judgement: LineJudgement,
}

impl Judged {
    /// Judges a line by its profiles.
    pub(super) fn of(title: &str, train: Profile, test: Profile, criteria: &Criteria) -> Result<Self> {
        let bare = [&train, &test].map(|profile| profile.clone().without_examples());
        let radius = RADIUS * test.half_line();
        let shift = shift::measure(title, &bare[0], &bare[1], radius, &shift::shifts(&test, radius, SHIFTS)?)?;
        let judgement = judge_line(&train, criteria, Some((shift.best_delta.abs(), shift.best_gap)))?;
        Ok(Self { train, test, shift, judgement })
    }

    /// The same of the points of a line.
    pub(super) fn of_points(title: &str, points: &[Point], criteria: &Criteria) -> Result<Self> {
        let (train, test) = (profile(points, |it| &it.train)?, profile(points, |it| &it.test)?);
        Self::of(title, train, test, criteria)
    }

    /// 1 if the flat side lies along u, −1 if along −u.
    pub(super) fn sign(&self) -> f64 {
        if self.judgement.mirrored { -1.0 } else { 1.0 }
    }

    /// A profile along u, read towards the flat side.
    pub(super) fn towards_flat(&self, profile: &Profile) -> Profile {
        if self.judgement.mirrored { profile.mirrored() } else { profile.clone() }
    }

    /// The largest step that Theorem 1 allows on the matched window, min{r̄ − |δ*|, |δ*| − r̲}; none without one.
    pub(super) fn largest_step(&self) -> Option<f64> {
        let size = self.shift.best_delta.abs();
        self.judgement.matched.map(|it| (it.r_hi - size).min(size - it.r_lo))
    }

    /// The line's name: a title, and which direction towards which side.
    pub(super) fn name(&self, title: &str, law: &Law, index: u64) -> String {
        format!("{title}, {}{law} {index}", if self.judgement.mirrored { "−" } else { "" })
    }
}

/// The same line on every second example, the first or the second of each pair. Examples are in random order, so the halves
/// are random ones.
pub(super) fn half(name: &str, line: &Profile, second: bool) -> Result<Profile> {
    let rows = line.examples().ok_or_else(|| {
        Error::domain(format!("per-example losses of the {name} profile"), "none", "a surface that keeps them")
    })?;
    if rows[0].len() < 4 {
        return Err(Error::domain(format!("number of {name} examples"), rows[0].len(), "at least 4, for two halves"));
    }
    let rows: Vec<Vec<f64>> = rows.iter().map(|row| every_second(row, second)).collect();
    let moments: Vec<Moments> = rows.iter().map(|row| Moments::of(row)).collect();
    let losses = moments.iter().map(Moments::mean).collect();
    let errors = moments.iter().map(|it| it.standard_error().unwrap_or(0.0)).collect();
    Ok(Profile::new(line.offsets().to_vec(), losses)?.with_standard_errors(errors)?.with_examples(rows)?)
}

/// The first or the second of each pair of values.
pub(super) fn every_second(values: &[f64], second: bool) -> Vec<f64> {
    values.iter().skip(usize::from(second)).step_by(2).copied().collect()
}
