//! Fractions of whole numbers.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::Number;

/// A fraction in lowest terms, or no number at all where its terms would need more than 128 bits or a divisor was 0.
///
/// What is no number stays none in every operation and compares with nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio(Terms);

/// Numerator and denominator; a denominator of 0 marks what is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Terms {
    numerator: i128,
    denominator: i128,
}

impl PartialOrd for Terms {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Terms {
    fn cmp(&self, other: &Self) -> Ordering {
        // Denominators are positive, so the difference has the sign of its numerator.
        (Ratio(*self) - Ratio(*other)).0.numerator.cmp(&0)
    }
}

impl Ratio {
    /// 0.
    pub const ZERO: Self = Self(Terms { numerator: 0, denominator: 1 });
    /// 1.
    pub const ONE: Self = Self(Terms { numerator: 1, denominator: 1 });
    const NONE: Self = Self(Terms { numerator: 0, denominator: 0 });

    /// numerator/denominator.
    pub fn new(numerator: i128, denominator: i128) -> Self {
        let divisor = gcd(numerator, denominator);
        match (denominator, divisor) {
            (0, _) | (_, None) => Self::NONE,
            (_, Some(divisor)) => {
                let divisor = if denominator < 0 { -divisor } else { divisor };
                Self(Terms { numerator: numerator / divisor, denominator: denominator / divisor })
            }
        }
    }

    /// Whether it is a number.
    pub fn is_number(self) -> bool {
        self.0.denominator != 0
    }

    /// The same in another kind of number.
    pub(super) fn as_number<N: Number>(self) -> N {
        let Terms { numerator, denominator } = self.0;
        match (i64::try_from(numerator), i64::try_from(denominator)) {
            (Ok(numerator), Ok(denominator)) => N::fraction(numerator, denominator),
            _ => N::fraction(0, 0),
        }
    }

    /// This times numerator/denominator.
    fn product(self, numerator: i128, denominator: i128) -> Self {
        // Terms cancelled crosswise stay small as long as the product does.
        let (a, b) = (Self::new(self.0.numerator, denominator).0, Self::new(numerator, self.0.denominator).0);
        Self::checked(a.numerator.checked_mul(b.numerator), a.denominator.checked_mul(b.denominator))
    }

    fn checked(numerator: Option<i128>, denominator: Option<i128>) -> Self {
        match (numerator, denominator) {
            (Some(numerator), Some(denominator)) => Self::new(numerator, denominator),
            _ => Self::NONE,
        }
    }
}

/// The greatest common divisor, positive; `None` for i128::MIN, whose size is no i128.
fn gcd(a: i128, b: i128) -> Option<i128> {
    let (mut a, mut b) = (a.checked_abs()?, b.checked_abs()?);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    Some(a.max(1))
}

impl From<i64> for Ratio {
    fn from(whole: i64) -> Self {
        Self::new(whole.into(), 1)
    }
}

impl Add for Ratio {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        let Some(common) = gcd(a.denominator, b.denominator) else { return Self::NONE };
        let (left, right) = (b.denominator / common, a.denominator / common);
        let sum = a.numerator.checked_mul(left).zip(b.numerator.checked_mul(right)).and_then(|(x, y)| x.checked_add(y));
        Self::checked(sum, a.denominator.checked_mul(left))
    }
}

impl Mul for Ratio {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        self.product(other.0.numerator, other.0.denominator)
    }
}

impl Neg for Ratio {
    type Output = Self;

    fn neg(self) -> Self {
        Self::checked(self.0.numerator.checked_neg(), Some(self.0.denominator))
    }
}

impl Sub for Ratio {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Div for Ratio {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        self.product(other.0.denominator, other.0.numerator)
    }
}

impl Number for Ratio {
    fn fraction(numerator: i64, denominator: i64) -> Self {
        Self::new(numerator.into(), denominator.into())
    }

    fn value(self) -> f64 {
        self.0.numerator as f64 / self.0.denominator as f64
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Terms { numerator, denominator } = self.0;
        let sign = if numerator < 0 { "−" } else { "" };
        match (numerator.unsigned_abs(), denominator) {
            (_, 0) => f.write_str("no number"),
            (size, 1) => write!(f, "{sign}{size}"),
            (1, 2) => write!(f, "{sign}½"),
            (1, 4) => write!(f, "{sign}¼"),
            (3, 4) => write!(f, "{sign}¾"),
            (size, denominator) => write!(f, "{sign}{size}/{denominator}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_is_exact() {
        let (third, half) = (Ratio::new(1, 3), Ratio::new(-2, -4));
        assert_eq!(
            [third + half, third - half, third * half, third / half],
            [Ratio::new(5, 6), Ratio::new(-1, 6), Ratio::new(1, 6), Ratio::new(2, 3)]
        );
        assert!(third < half && -half < third && Ratio::ZERO < third);
        assert_eq!(Ratio::fraction(3, -6).value(), -0.5);
        let written = [Ratio::new(-1, 30), Ratio::new(4, 2), Ratio::new(1, 2), Ratio::ZERO].map(|x| x.to_string());
        assert_eq!(written, ["−1/30", "2", "½", "0"]);
    }

    #[test]
    fn what_needs_too_many_bits_or_divides_by_zero_is_no_number() {
        let huge = Ratio::new(i128::MAX, 1);
        for none in [huge + huge, huge * huge, Ratio::ONE / Ratio::ZERO, Ratio::new(i128::MIN, 3)] {
            assert!(!none.is_number() && none.value().is_nan());
            assert!(!(none + Ratio::ONE).is_number() && !(none * Ratio::ZERO).is_number());
        }
        assert_eq!(huge * Ratio::new(1, i128::MAX), Ratio::ONE);
    }
}
