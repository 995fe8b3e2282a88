//! Definition 3 in one dimension: the shift between a training and a test profile, and the gap that is left.
//!
//! The test profile is moved vertically so that its minimum is the training profile's, L′ = L − min L + min L̂, both
//! minima over the measured line. The gap of a shift δ is
//!
//! ξ(δ) = max over |v| ≤ R of |L′(v + δ) − L̂(v)|.
//!
//! It is exact for the interpolants: between the knots of both the difference is linear, so its largest size is found at
//! a knot or at an end. As a function of δ the gap is piecewise linear, and convex wherever no knot of one profile
//! passes a knot of the other, so the smallest gap is exact too.
//!
//! *The ends.* Nothing is extrapolated: the neighbourhood [−R, R], moved by any shift tried, must lie within the test
//! profile, and unmoved within the training profile. All shifts are therefore compared on one and the same
//! neighbourhood of the training profile. Two profiles on [−3, 3] and R = 2 leave room for shifts up to 1 either way.

use crate::error::{finite, positive};
use crate::record::Shift;
use crate::{Error, Profile, Result, profile};

/// Shifts closer than this, relative to the length of the line, are one.
const ROUNDING: f64 = 1e-12;

/// Measures the gap at increasing shifts and the shift of smallest gap between the first and the last of them.
///
/// δ* is the exact minimiser over that whole range, not only over the shifts listed; of several the nearest to 0.
///
/// # Errors
/// A radius that is not positive, no shifts, shifts that do not increase, and a neighbourhood that leaves a profile.
pub fn measure(title: &str, train: &Profile, test: &Profile, radius: f64, shifts: &[f64]) -> Result<Shift> {
    let pair = Pair::new(train, test, radius)?;
    let (Some(&low), Some(&high)) = (shifts.first(), shifts.last()) else {
        return Err(Error::domain("number of shifts", 0, "at least 1"));
    };
    for (i, &shift) in shifts.iter().enumerate() {
        pair.check(shift)?;
        if i > 0 && shift <= shifts[i - 1] {
            let allowed = format!("more than the shift before it, {}", shifts[i - 1]);
            return Err(Error::domain(format!("shift {i}"), shift, allowed));
        }
    }
    pair.check(0.0)?;
    let (best_delta, best_gap) = pair.smallest(low, high);
    Ok(Shift {
        title: title.to_owned(),
        delta: shifts.to_vec(),
        gap: shifts.iter().map(|&shift| pair.gap(shift)).collect(),
        radius,
        best_delta,
        best_gap,
        gap_at_zero: pair.gap(0.0),
        train: train.clone(),
        test: pair.test,
    })
}

/// The gap ξ(δ) on the neighbourhood of a radius.
///
/// # Errors
/// A radius that is not positive, and a neighbourhood that leaves a profile.
pub fn gap(train: &Profile, test: &Profile, radius: f64, shift: f64) -> Result<f64> {
    let pair = Pair::new(train, test, radius)?;
    pair.check(shift)?;
    Ok(pair.gap(shift))
}

/// `points` equally spaced shifts, as far either way as the test profile allows with this radius; an odd number of
/// points includes 0.
///
/// # Errors
/// A radius that is not positive or leaves no room, and fewer than two points.
pub fn shifts(test: &Profile, radius: f64, points: usize) -> Result<Vec<f64>> {
    positive("radius R", radius)?;
    let room = test.half_line() - radius;
    if room <= 0.0 {
        return Err(Error::domain(
            "radius R",
            radius,
            format!("less than {}, the half-line of the test profile", test.half_line()),
        ));
    }
    profile::grid(-room, room, points)
}

/// L̂ and L′ on a neighbourhood.
struct Pair<'a> {
    train: &'a Profile,
    test: Profile,
    radius: f64,
}

impl<'a> Pair<'a> {
    fn new(train: &'a Profile, test: &Profile, radius: f64) -> Result<Self> {
        positive("radius R", radius)?;
        if radius > train.half_line() {
            return Err(Error::domain(
                "radius R",
                radius,
                format!("at most {}, the half-line of the training profile", train.half_line()),
            ));
        }
        let up = train.minimum().1 - test.minimum().1;
        let mut moved = Profile::new(test.offsets().to_vec(), test.losses().iter().map(|loss| loss + up).collect())?;
        if let Some(errors) = test.standard_errors() {
            moved = moved.with_standard_errors(errors.to_vec())?;
        }
        Ok(Self { train, test: moved, radius })
    }

    /// Whether the moved neighbourhood lies within the test profile.
    fn check(&self, shift: f64) -> Result<()> {
        finite("shift δ", shift)?;
        let offsets = self.test.offsets();
        let (low, high) = (offsets[0] + self.radius, offsets[offsets.len() - 1] - self.radius);
        let slack = ROUNDING * self.span();
        if shift < low - slack || shift > high + slack {
            let allowed =
                format!("within [{low}, {high}], so that [−R, R] + δ lies in the test profile (R = {})", self.radius);
            return Err(Error::domain("shift δ", shift, allowed));
        }
        Ok(())
    }

    fn span(&self) -> f64 {
        let offsets = self.test.offsets();
        offsets[offsets.len() - 1] - offsets[0]
    }

    fn gap(&self, shift: f64) -> f64 {
        let inside = |v: &f64| v.abs() < self.radius;
        let moved = self.test.offsets().iter().map(|x| x - shift);
        let knots = self.train.offsets().iter().copied().chain(moved).filter(inside);
        knots
            .chain([-self.radius, self.radius])
            .map(|v| (clamped(&self.test, v + shift) - clamped(self.train, v)).abs())
            .fold(0.0, f64::max)
    }

    /// The smallest gap over [low, high] and where it is attained, nearest to 0.
    fn smallest(&self, low: f64, high: f64) -> (f64, f64) {
        let mut best = (low, self.gap(low));
        let mut try_shift = |shift: f64, gap: f64| {
            let tie = 1e-12 * best.1;
            if gap < best.1 - tie || (gap <= best.1 + tie && shift.abs() < best.0.abs()) {
                best = (shift, gap);
            }
        };
        if low <= 0.0 && high >= 0.0 {
            try_shift(0.0, self.gap(0.0));
        }
        try_shift(high, self.gap(high));
        for ends in self.crossings(low, high).windows(2) {
            try_shift(ends[0], self.gap(ends[0]));
            let (shift, _) = self.envelope(ends[0], ends[1]).lowest(ends[0], ends[1]);
            try_shift(shift, self.gap(shift));
        }
        best
    }

    /// Where in [low, high] a knot of one profile passes a knot of the other or an end of the neighbourhood, with low
    /// and high themselves.
    fn crossings(&self, low: f64, high: f64) -> Vec<f64> {
        let train = self.train.offsets().iter().copied().filter(|v| v.abs() < self.radius);
        let places: Vec<f64> = train.chain([-self.radius, self.radius]).collect();
        let differences = self.test.offsets().iter().flat_map(|x| places.iter().map(move |v| x - v));
        let mut crossings: Vec<f64> = differences.filter(|&shift| shift > low && shift < high).collect();
        crossings.extend([low, high]);
        crossings.sort_by(f64::total_cmp);
        let merged = ROUNDING * self.span();
        crossings.dedup_by(|next, kept| *next - *kept <= merged && *next < high);
        crossings
    }

    /// The gap on an interval of shifts without crossings, as the largest of lines.
    fn envelope(&self, low: f64, high: f64) -> Envelope {
        let middle = low + (high - low) / 2.0;
        let mut lines = Vec::new();
        let mut push =
            |value: f64, slope: f64| lines.extend([Line { value, slope }, Line { value: -value, slope: -slope }]);
        let train = self.train.offsets().iter().copied().filter(|v| v.abs() < self.radius);
        for v in train.chain([-self.radius, self.radius]) {
            push(clamped(&self.test, v + middle) - clamped(self.train, v), slope_at(&self.test, v + middle));
        }
        for (x, loss) in self.test.offsets().iter().zip(self.test.losses()) {
            let v = x - middle;
            if v.abs() < self.radius {
                push(loss - clamped(self.train, v), slope_at(self.train, v));
            }
        }
        Envelope { lines, middle }
    }
}

/// A linear function of the shift, by its value at the middle of an interval.
#[derive(Clone, Copy)]
struct Line {
    value: f64,
    slope: f64,
}

/// The largest of some lines: a convex function.
struct Envelope {
    lines: Vec<Line>,
    middle: f64,
}

impl Envelope {
    /// The value at x; of the lines that attain it, the one with the largest (or smallest) slope.
    fn top(&self, x: f64, steepest: bool) -> (f64, Line) {
        let height = |line: &Line| line.value + line.slope * (x - self.middle);
        let mut best = (f64::NEG_INFINITY, Line { value: 0.0, slope: 0.0 });
        for line in &self.lines {
            let h = height(line);
            if h > best.0 || (h == best.0 && (line.slope > best.1.slope) == steepest) {
                best = (h, *line);
            }
        }
        best
    }

    /// Where in [low, high] the envelope is lowest, and its value there: cutting planes, which end after finitely many
    /// steps because every cut is one of the lines.
    fn lowest(&self, low: f64, high: f64) -> (f64, f64) {
        let (mut left, mut right) = (self.top(low, true), self.top(high, false));
        let (mut low, mut high) = (low, high);
        loop {
            if left.1.slope >= 0.0 {
                return (low, left.0);
            }
            if right.1.slope <= 0.0 {
                return (high, right.0);
            }
            let x = self.middle + (left.1.value - right.1.value) / (right.1.slope - left.1.slope);
            if x <= low || x >= high {
                return if left.0 <= right.0 { (low, left.0) } else { (high, right.0) };
            }
            let cut = left.1.value + left.1.slope * (x - self.middle);
            let top = self.top(x, false);
            if top.0 <= cut + f64::EPSILON * cut.abs() {
                return (x, top.0);
            }
            if top.1.slope < 0.0 {
                (low, left) = (x, self.top(x, true));
            } else {
                (high, right) = (x, top);
            }
        }
    }
}

/// The interpolated loss; an offset that rounding has pushed over an end reads the end.
fn clamped(profile: &Profile, offset: f64) -> f64 {
    let (offsets, losses) = (profile.offsets(), profile.losses());
    profile.at(offset).unwrap_or(if offset < offsets[0] { losses[0] } else { losses[losses.len() - 1] })
}

/// The slope of the interpolant at an offset that is no sample.
fn slope_at(profile: &Profile, offset: f64) -> f64 {
    let (x, y) = (profile.offsets(), profile.losses());
    let right = x.partition_point(|&x| x < offset).clamp(1, x.len() - 1);
    (y[right] - y[right - 1]) / (x[right] - x[right - 1])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::profile::grid;

    fn curve(x: f64) -> f64 {
        libm::exp(-x) + x
    }

    fn line(low: f64, high: f64, points: usize, f: impl FnMut(f64) -> f64) -> Profile {
        Profile::sample(grid(low, high, points).expect("grid"), f).expect("profile")
    }

    #[test]
    fn finds_the_shift_of_a_shifted_copy_and_no_gap() {
        // The test curve is the training curve, 0.4 to the right and 5 higher, sampled on the same grid.
        let train = line(-3.0, 3.0, 61, curve);
        let test = line(-3.0, 3.0, 61, |x| curve(x - 0.4) + 5.0);
        let shift = measure("copy", &train, &test, 2.0, &grid(-1.0, 1.0, 21).expect("grid")).expect("valid");
        assert!((shift.best_delta - 0.4).abs() < 1e-9, "{}", shift.best_delta);
        assert!(shift.best_gap < 1e-12, "{}", shift.best_gap);
        assert!((shift.gap[14] - shift.best_gap).abs() < 1e-12, "shift 0.4 is in the list");
        assert!(shift.gap_at_zero > 0.5);
        assert_eq!(shift.gap[10], shift.gap_at_zero);
        assert_eq!(shift.test.minimum().1, shift.train.minimum().1);
    }

    #[test]
    fn the_minimiser_may_lie_between_the_shifts_listed() {
        // Two tents, one moved by 0.33; listed are −1, 0 and 1.
        let train = Profile::new(vec![-4.0, 0.0, 4.0], vec![4.0, 0.0, 4.0]).expect("valid");
        let test = Profile::new(vec![-4.0, 0.33, 4.0], vec![4.33, 0.0, 3.67]).expect("valid");
        let shift = measure("tents", &train, &test, 3.0, &[-1.0, 0.0, 1.0]).expect("valid");
        assert!((shift.best_delta - 0.33).abs() < 1e-12, "{}", shift.best_delta);
        assert!(shift.best_gap < 1e-12);
        assert!((shift.gap_at_zero - 0.33).abs() < 1e-12);
    }

    #[test]
    fn reads_the_gap_where_only_the_test_profile_has_a_knot() {
        let train = Profile::new(vec![-2.0, 0.0, 2.0], vec![0.0, 0.0, 0.0]).expect("valid");
        let test = Profile::new(vec![-2.0, 0.4, 0.5, 0.6, 2.0], vec![0.0, 0.0, 7.0, 0.0, 0.0]).expect("valid");
        assert_eq!(gap(&train, &test, 1.0, 0.0).expect("valid"), 7.0);
        // Beyond the neighbourhood nothing counts.
        assert_eq!(gap(&train, &test, 1.0, -1.0).expect("valid"), 0.0);
    }

    #[test]
    fn equal_gaps_give_the_shift_nearest_to_zero() {
        let flat = line(-3.0, 3.0, 7, |_| 1.0);
        let shift = measure("flat", &flat, &flat, 1.0, &[-2.0, 1.0]).expect("valid");
        assert_eq!((shift.best_delta, shift.best_gap), (0.0, 0.0));
    }

    #[test]
    fn names_what_leaves_the_profiles() {
        let train = line(-3.0, 3.0, 7, curve);
        let message =
            |radius: f64, shifts: &[f64]| measure("", &train, &train, radius, shifts).expect_err("invalid").to_string();
        assert_eq!(message(4.0, &[0.0]), "radius R is 4; allowed: at most 3, the half-line of the training profile");
        assert_eq!(
            message(2.0, &[0.0, 1.5]),
            "shift δ is 1.5; allowed: within [-1, 1], so that [−R, R] + δ lies in the test profile (R = 2)"
        );
        assert_eq!(message(2.0, &[0.5, 0.5]), "shift 1 is 0.5; allowed: more than the shift before it, 0.5");
        assert_eq!(message(2.0, &[]), "number of shifts is 0; allowed: at least 1");
        assert_eq!(
            shifts(&train, 3.0, 5).expect_err("no room").to_string(),
            "radius R is 3; allowed: less than 3, the half-line of the test profile"
        );
        assert_eq!(shifts(&train, 2.0, 5).expect("room"), [-1.0, -0.5, 0.0, 0.5, 1.0]);
    }

    /// A profile with random offsets that reach −4 and 4.
    fn any_profile() -> impl Strategy<Value = Profile> {
        prop::collection::btree_set(-39i32..40, 1..12).prop_flat_map(|inside| {
            let mut offsets = vec![-4.0];
            offsets.extend(inside.iter().map(|&x| f64::from(x) / 10.0 + 0.01 * f64::from(x % 3)));
            offsets.push(4.5);
            prop::collection::vec(-3.0..3.0f64, offsets.len())
                .prop_map(move |losses| Profile::new(offsets.clone(), losses).expect("valid"))
        })
    }

    proptest! {
        #[test]
        fn the_gap_is_the_largest_difference_seen(train in any_profile(), test in any_profile(), shift in -2.0..2.0f64) {
            let exact = gap(&train, &test, 2.0, shift).expect("valid");
            let up = train.minimum().1 - test.minimum().1;
            let difference = |v: f64| (test.at(v + shift).expect("inside") + up - train.at(v).expect("inside")).abs();
            let seen = grid(-2.0, 2.0, 2001).expect("grid").into_iter().map(difference).fold(0.0, f64::max);
            prop_assert!(seen <= exact + 1e-12);
            // A step of 0.002 misses a peak by at most that times the two steepest slopes (6 per 0.08).
            prop_assert!(exact <= seen + 0.002 * 150.0, "{exact} {seen}");
        }

        #[test]
        fn no_shift_tried_beats_the_best(train in any_profile(), test in any_profile()) {
            let listed = grid(-2.0, 2.0, 401).expect("grid");
            let shift = measure("", &train, &test, 2.0, &listed).expect("valid");
            let least = shift.gap.iter().copied().fold(f64::INFINITY, f64::min);
            prop_assert!(shift.best_gap <= least + 1e-12, "{} {least}", shift.best_gap);
            prop_assert_eq!(gap(&train, &test, 2.0, shift.best_delta).expect("valid"), shift.best_gap);
        }

        #[test]
        fn mirrored_profiles_have_the_mirrored_shift(train in any_profile(), test in any_profile(), shift in -1.5..1.5f64) {
            let there = gap(&train, &test, 2.0, shift).expect("valid");
            let back = gap(&train.mirrored(), &test.mirrored(), 2.0, -shift).expect("valid");
            prop_assert!((there - back).abs() <= 1e-12 * (1.0 + there));
        }

        #[test]
        fn the_gap_of_a_profile_with_itself_is_zero_at_zero(profile in any_profile()) {
            let shift = measure("", &profile, &profile, 2.0, &[-1.0, 1.0]).expect("valid");
            prop_assert_eq!((shift.best_delta, shift.best_gap, shift.gap_at_zero), (0.0, 0.0, 0.0));
        }
    }
}
