//! Piecewise-linear functions of one variable in exact numbers.

use valleys_sim::Result;
use valleys_sim::loss::PiecewiseLinear;

use super::{Rational, is_zero, to_f64, whole};

/// A continuous piecewise-linear function: slopes from left to right, one more than kinks, and the value at 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Pieces {
    /// Increasing.
    pub kinks: Vec<Rational>,
    /// One more than kinks.
    pub slopes: Vec<Rational>,
    /// f(0).
    pub at_zero: Rational,
}

impl Pieces {
    /// The function with these kinks and slopes that is 0 at 0.
    pub fn new(kinks: Vec<Rational>, slopes: Vec<Rational>) -> Self {
        Self { kinks, slopes, at_zero: whole(0) }
    }

    /// The two-slope valley with the kink 0.
    pub fn valley(left: Rational, right: Rational) -> Self {
        Self::new(vec![whole(0)], vec![left, right])
    }

    /// |x − x₀| − |x₀|.
    pub fn distance(place: Rational) -> Self {
        Self::new(vec![place], vec![whole(-1), whole(1)])
    }

    /// (a − |x|)₊ for a > 0.
    pub fn hat(radius: &Rational) -> Self {
        let kinks = vec![-radius, whole(0), radius.clone()];
        Self { kinks, slopes: [0, 1, -1, 0].map(whole).to_vec(), at_zero: radius.clone() }
    }

    /// (|x| − a)₊ for a ≥ 0.
    pub fn rim(radius: &Rational) -> Self {
        if is_zero(radius) {
            return Self::valley(whole(-1), whole(1));
        }
        Self::new(vec![-radius, radius.clone()], [-1, 0, 1].map(whole).to_vec())
    }

    /// f(x), by adding up f′ from 0 to x piece by piece.
    pub fn value(&self, x: &Rational) -> Rational {
        let zero = whole(0);
        let (low, high) = if *x < zero { (x, &zero) } else { (&zero, x) };
        let mut rise = whole(0);
        for (i, slope) in self.slopes.iter().enumerate() {
            let from = if i > 0 { low.max(&self.kinks[i - 1]) } else { low };
            let to = self.kinks.get(i).map_or(high, |kink| high.min(kink));
            if from < to && !is_zero(slope) {
                rise += slope * (to - from);
            }
        }
        if *x < zero { &self.at_zero - rise } else { &self.at_zero + rise }
    }

    /// The same function in floating point.
    pub(super) fn rounded(&self) -> Result<PiecewiseLinear> {
        let numbers = |values: &[Rational]| values.iter().map(to_f64).collect();
        PiecewiseLinear::new(numbers(&self.kinks), numbers(&self.slopes), (0.0, to_f64(&self.at_zero)))
    }
}

#[cfg(test)]
mod tests {
    use valleys_sim::loss::Univariate;

    use super::super::ratio;
    use super::*;

    #[test]
    fn values_are_those_of_the_formulas() {
        let hat = Pieces::hat(&ratio(3, 2));
        let rim = Pieces::rim(&ratio(3, 2));
        let away = Pieces::distance(ratio(-1, 3));
        for k in -30..=30 {
            let x = ratio(k, 8);
            let size = if k < 0 { -&x } else { x.clone() };
            let beyond = &size - ratio(3, 2);
            assert_eq!(hat.value(&x), (-&beyond).max(whole(0)));
            assert_eq!(rim.value(&x), beyond.max(whole(0)));
            let left = &x + ratio(1, 3);
            assert_eq!(away.value(&x) + ratio(1, 3), left.clone().max(-left));
            for f in [&hat, &rim, &away] {
                assert!((f.rounded().expect("valid").value(to_f64(&x)) - to_f64(&f.value(&x))).abs() < 1e-14);
            }
        }
    }
}
