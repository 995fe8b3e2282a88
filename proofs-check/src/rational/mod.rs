//! Theorem 1 in exact numbers: losses, worlds and expectations in fractions of integers of any size.
//!
//! Nothing here is shared with the evaluation in floating point ([`valleys_sim::theorem1::Instance::gain`]), so each can
//! be tested against the other. A counterexample in fractions is a fact, not a rounding.

mod departure;
mod instance;
mod landscape;
mod pieces;
mod show;

use num_bigint::BigInt;
use num_traits::ToPrimitive;

pub use departure::Departure;
pub use instance::{Direction, Instance, Outcome, merged, radius_too_small};
pub use landscape::{Along, Landscape, Least};
pub use pieces::Pieces;
pub use show::show;

/// A fraction of integers of any size.
pub type Rational = num_rational::BigRational;

/// numerator/denominator; the denominator is not 0.
pub fn ratio(numerator: i64, denominator: i64) -> Rational {
    Rational::new(BigInt::from(numerator), BigInt::from(denominator))
}

/// An integer.
pub fn whole(value: i64) -> Rational {
    Rational::from_integer(BigInt::from(value))
}

/// The nearest floating-point number.
pub fn to_f64(value: &Rational) -> f64 {
    // Numbers of worlds have tens of digits, far from overflow.
    value.to_f64().unwrap_or(f64::NAN)
}

/// left − right relative to a scale > 0, as a floating-point number whose sign is exact.
pub fn slack(left: &Rational, right: &Rational, scale: &Rational) -> f64 {
    to_f64(&((left - right) / scale))
}

/// Like [`slack`], for left > right: equality counts as broken.
pub fn strict_slack(left: &Rational, right: &Rational, scale: &Rational) -> f64 {
    if left == right { -f64::MIN_POSITIVE } else { slack(left, right, scale) }
}

/// ⟨x, y⟩.
pub fn dot(x: &[Rational], y: &[Rational]) -> Rational {
    x.iter().zip(y).filter(|(a, b)| !is_zero(a) && !is_zero(b)).map(|(a, b)| a * b).sum()
}

/// x + a·y.
pub fn add(x: &[Rational], a: &Rational, y: &[Rational]) -> Vec<Rational> {
    x.iter().zip(y).map(|(x, y)| if is_zero(y) { x.clone() } else { x + a * y }).collect()
}

/// x − y.
pub fn subtract(x: &[Rational], y: &[Rational]) -> Vec<Rational> {
    x.iter().zip(y).map(|(x, y)| if is_zero(y) { x.clone() } else { x - y }).collect()
}

pub(crate) fn is_zero(x: &Rational) -> bool {
    num_traits::Zero::is_zero(x)
}

/// The vector of ℝᵈ with these coordinates, in floating point.
pub(crate) fn vector(x: &[Rational]) -> nalgebra::DVector<f64> {
    nalgebra::DVector::from_iterator(x.len(), x.iter().map(to_f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slacks_have_the_sign_of_the_fractions() {
        let tiny = whole(1) + Rational::new(BigInt::from(1), BigInt::from(10).pow(40));
        assert_eq!(to_f64(&tiny), 1.0);
        assert!(slack(&whole(1), &tiny, &whole(1)) < 0.0 && slack(&tiny, &whole(1), &whole(1)) > 0.0);
        assert_eq!(slack(&tiny, &tiny, &whole(3)), 0.0);
        assert!(strict_slack(&tiny, &tiny, &whole(3)) < 0.0 && strict_slack(&tiny, &whole(1), &whole(1)) > 0.0);
    }

    #[test]
    fn vectors_by_hand() {
        let (x, y) = ([whole(1), ratio(1, 2)], [whole(0), ratio(2, 3)]);
        assert_eq!(dot(&x, &y), ratio(1, 3));
        assert_eq!(add(&x, &whole(3), &y), [whole(1), ratio(5, 2)]);
        assert_eq!(subtract(&x, &y), [whole(1), ratio(-1, 6)]);
    }
}
