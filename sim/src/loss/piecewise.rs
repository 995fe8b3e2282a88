//! Piecewise-linear functions of one variable.

use super::Univariate;
use crate::error::{finite, positive};
use crate::{Error, Result};

/// A continuous piecewise-linear function with any number of kinks, convex or not, on all of ℝ.
///
/// It is kept as knots and the slopes between them; beyond the outer knots the outer slopes go on. A value is reckoned
/// from the nearest knot on the left (left of all knots, from the first), so that it is exact at every knot.
#[derive(Debug, Clone, PartialEq)]
pub struct PiecewiseLinear {
    /// Strictly increasing, at least one. The anchor is a knot even where the slope does not change.
    knots: Vec<f64>,
    /// The values at the knots.
    values: Vec<f64>,
    /// The slope left of the first knot, then the slope right of each knot.
    slopes: Vec<f64>,
}

impl PiecewiseLinear {
    /// The function with these kinks and slopes whose value at `anchor.0` is `anchor.1`.
    ///
    /// Kinks are finite and strictly increasing, and may be none; slopes are finite, one more than kinks, from left to
    /// right. The anchor need not be a kink.
    pub fn new(kinks: Vec<f64>, slopes: Vec<f64>, anchor: (f64, f64)) -> Result<Self> {
        increasing("kink", &kinks)?;
        if slopes.len() != kinks.len() + 1 {
            return Err(Error::domain(
                "number of slopes",
                slopes.len(),
                format!("{}, one more than kinks", kinks.len() + 1),
            ));
        }
        for (i, &slope) in slopes.iter().enumerate() {
            finite(&format!("slope {i}"), slope)?;
        }
        finite("place of the anchor", anchor.0)?;
        finite("value at the anchor", anchor.1)?;

        let (mut knots, mut slopes) = (kinks, slopes);
        let home = knots.partition_point(|&k| k < anchor.0);
        if knots.get(home) != Some(&anchor.0) {
            knots.insert(home, anchor.0);
            slopes.insert(home, slopes[home]);
        }
        let mut values = vec![anchor.1; knots.len()];
        for i in home + 1..knots.len() {
            values[i] = values[i - 1] + slopes[i] * (knots[i] - knots[i - 1]);
        }
        for i in (0..home).rev() {
            values[i] = values[i + 1] - slopes[i + 1] * (knots[i + 1] - knots[i]);
        }
        for (knot, &value) in knots.iter().zip(&values) {
            finite(&format!("value at kink {knot}"), value)?;
        }
        Ok(Self { knots, values, slopes })
    }

    /// The function through these points (x, y), going on beyond the ends with the outer slopes.
    ///
    /// At least two points, finite, x strictly increasing.
    pub fn interpolating(points: &[(f64, f64)]) -> Result<Self> {
        if points.len() < 2 {
            return Err(Error::domain("number of points", points.len(), "at least 2"));
        }
        let (knots, values): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        increasing("x of point", &knots)?;
        for (i, &value) in values.iter().enumerate() {
            finite(&format!("y of point {i}"), value)?;
        }
        let mut slopes = Vec::with_capacity(points.len() + 1);
        for (x, y) in knots.windows(2).zip(values.windows(2)) {
            slopes.push(finite(&format!("slope right of {}", x[0]), (y[1] - y[0]) / (x[1] - x[0]))?);
        }
        slopes.insert(0, slopes[0]);
        slopes.push(slopes[slopes.len() - 1]);
        Ok(Self { knots, values, slopes })
    }

    /// The two-slope valley max(−c·p·x, p·x): flat slope p > 0 on the right, c > 1 times as steep on the left.
    ///
    /// Definition 1 with equality, on every window.
    pub fn valley(p: f64, c: f64) -> Result<Self> {
        positive("slope p", p)?;
        if !(c > 1.0 && c.is_finite()) {
            return Err(Error::domain("ratio c", c, "a finite number > 1"));
        }
        Self::new(vec![0.0], vec![-c * p, p], (0.0, 0.0))
    }

    /// Where the slope changes, increasing.
    pub fn kinks(&self) -> impl Iterator<Item = f64> {
        self.knots.iter().zip(self.slopes.windows(2)).filter(|(_, s)| s[0] != s[1]).map(|(&k, _)| k)
    }

    /// Number of knots at or left of x: the segment that holds [x, x + ε).
    fn segment(&self, x: f64) -> usize {
        self.knots.partition_point(|&k| k <= x)
    }
}

impl Univariate for PiecewiseLinear {
    fn value(&self, x: f64) -> f64 {
        let segment = self.segment(x);
        let base = segment.saturating_sub(1);
        self.values[base] + self.slopes[segment] * (x - self.knots[base])
    }

    fn slope(&self, x: f64) -> f64 {
        self.slopes[self.segment(x)]
    }
}

/// Accepts finite, strictly increasing numbers, and names the first that is not.
fn increasing(name: &str, numbers: &[f64]) -> Result<()> {
    for (i, &x) in numbers.iter().enumerate() {
        finite(&format!("{name} {i}"), x)?;
        if i > 0 && x <= numbers[i - 1] {
            return Err(Error::domain(
                format!("{name} {i}"),
                x,
                format!("more than the one before, {}", numbers[i - 1]),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::assert_slope;
    use super::*;

    /// max(0, (x − 1)/2, −3(x + 1)), the loss of the first counterexample to Theorem 1.
    fn bowl() -> PiecewiseLinear {
        PiecewiseLinear::new(vec![-1.0, 1.0], vec![-3.0, 0.0, 0.5], (0.0, 0.0)).expect("valid")
    }

    #[test]
    fn agrees_with_a_maximum_of_lines() {
        for i in -400..=400 {
            let x = f64::from(i) / 64.0;
            assert_eq!(bowl().value(x), f64::max(0.0, f64::max((x - 1.0) / 2.0, -3.0 * (x + 1.0))), "at {x}");
        }
    }

    #[test]
    fn slopes_are_right_derivatives_and_kinks_leave_out_the_anchor() {
        let slopes: Vec<f64> = [-2.0, -1.0, 0.0, 1.0, 2.0].iter().map(|&x| bowl().slope(x)).collect();
        assert_eq!(slopes, [-3.0, 0.0, 0.0, 0.5, 0.5]);
        assert_eq!(bowl().kinks().collect::<Vec<_>>(), [-1.0, 1.0]);
    }

    #[test]
    fn a_line_has_no_kink() {
        let line = PiecewiseLinear::new(vec![], vec![2.0], (3.0, 1.0)).expect("valid");
        assert_eq!((line.value(0.0), line.value(3.0), line.kinks().count()), (-5.0, 1.0, 0));
    }

    #[test]
    fn interpolation_meets_its_points_and_goes_on() {
        let points = [(-1.0, 0.3), (0.0, 0.1), (0.7, 0.9), (2.0, 0.2)];
        let f = PiecewiseLinear::interpolating(&points).expect("valid");
        for (x, y) in points {
            assert_eq!(f.value(x), y);
        }
        assert!((f.value(-2.0) - 0.5).abs() < 1e-15);
        assert!((f.value(3.3) + 0.5).abs() < 1e-15);
        assert_eq!(f.kinks().collect::<Vec<_>>(), [0.0, 0.7]);
    }

    #[test]
    fn refuses_what_is_not_a_function_and_names_it() {
        let message = |kinks: &[f64], slopes: &[f64], anchor| {
            PiecewiseLinear::new(kinks.to_vec(), slopes.to_vec(), anchor).expect_err("invalid").to_string()
        };
        assert_eq!(message(&[0.0], &[1.0], (0.0, 0.0)), "number of slopes is 1; allowed: 2, one more than kinks");
        assert_eq!(message(&[1.0, 1.0], &[1.0; 3], (0.0, 0.0)), "kink 1 is 1; allowed: more than the one before, 1");
        assert_eq!(message(&[], &[f64::INFINITY], (0.0, 0.0)), "slope 0 is inf; allowed: a finite number");
        assert_eq!(message(&[], &[1.0], (0.0, f64::NAN)), "value at the anchor is NaN; allowed: a finite number");
        assert!(PiecewiseLinear::new(vec![1e300], vec![1e300, 0.0], (0.0, 0.0)).is_err());
        assert!(PiecewiseLinear::interpolating(&[(0.0, 1.0)]).is_err());
        assert!(PiecewiseLinear::interpolating(&[(1.0, 1.0), (0.0, 1.0)]).is_err());
        assert!(PiecewiseLinear::valley(1.0, 1.0).is_err());
        assert!(PiecewiseLinear::valley(0.0, 2.0).is_err());
    }

    proptest! {
        #[test]
        fn the_slope_is_the_derivative(
            gaps in prop::collection::vec(0.01..2.0f64, 0..8),
            slopes in prop::collection::vec(-5.0..5.0f64, 9),
            anchor in (-4.0..4.0f64, -3.0..3.0f64),
            x in -6.0..10.0f64,
        ) {
            let kinks: Vec<f64> = gaps.iter().scan(-4.0, |k, g| { *k += g; Some(*k) }).collect();
            let count = kinks.len() + 1;
            let f = PiecewiseLinear::new(kinks, slopes[..count].to_vec(), anchor).expect("valid");
            prop_assert_eq!(f.value(anchor.0), anchor.1);
            prop_assume!(f.kinks().all(|k| (k - x).abs() > 1e-4));
            assert_slope(&f, x, 100.0);
        }

        #[test]
        fn values_do_not_depend_on_the_anchor(slopes in prop::collection::vec(-5.0..5.0f64, 4), x in -5.0..5.0f64, a in -5.0..5.0f64) {
            let kinks = vec![-2.0, 0.5, 3.0];
            let one = PiecewiseLinear::new(kinks.clone(), slopes.clone(), (0.0, 1.0)).expect("valid");
            let two = PiecewiseLinear::new(kinks, slopes, (a, one.value(a))).expect("valid");
            prop_assert!((one.value(x) - two.value(x)).abs() < 1e-12);
            prop_assert_eq!(one.slope(x), two.slope(x));
        }
    }
}
