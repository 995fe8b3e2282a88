//! Settings of Theorem 2 in whole numbers.

use std::fmt;

use valleys_sim::Result;
use valleys_sim::sgd::{Setting, Valley};

use super::Ratio;

/// A setting in whole cells, with η = 1: 0 < b₊ ≤ a₊ < c·a₊ ≤ |b₋| and ν ≥ 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lattice {
    /// a₊.
    pub a_plus: i64,
    /// b₊.
    pub b_plus: i64,
    /// c·a₊, the smallest size of a sharp slope.
    pub sharp: i64,
    /// |b₋|, the largest size of a sharp slope.
    pub steepest: i64,
    /// ν.
    pub nu: i64,
}

impl Lattice {
    /// The setting of the smallest |b₋|.
    pub fn new(a_plus: i64, b_plus: i64, sharp: i64, nu: i64) -> Self {
        Self { a_plus, b_plus, sharp, steepest: sharp, nu }
    }

    /// The same in floating point.
    ///
    /// # Errors
    /// The numbers are no setting.
    pub fn setting(&self) -> Result<Setting> {
        let [a_plus, b_plus, sharp, steepest, nu] =
            [self.a_plus, self.b_plus, self.sharp, self.steepest, self.nu].map(|cells| cells as f64);
        // c·a₊ may not exceed the sharp slope by rounding.
        let mut c = sharp / a_plus;
        while c * a_plus > sharp {
            c = c.next_down();
        }
        Setting::new(Valley::new(a_plus, b_plus, c, -steepest)?, 1.0, nu)
    }

    /// D = a₊ + ν.
    pub fn reach(&self) -> i64 {
        self.a_plus + self.nu
    }

    /// w_min = c·a₊ − a₊ − 2ν.
    pub fn lowest_start(&self) -> i64 {
        self.sharp - self.a_plus - 2 * self.nu
    }

    /// θ = max(a₊, min(2ν, a₊ + ν)).
    pub fn overshoot(&self) -> i64 {
        self.a_plus.max((2 * self.nu).min(self.reach()))
    }

    /// A length in units of a₊.
    pub fn in_units(&self, cells: i64) -> Ratio {
        Ratio::new(cells.into(), self.a_plus.into())
    }
}

impl fmt::Display for Lattice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [b, c, steepest, nu] = [self.b_plus, self.sharp, self.steepest, self.nu].map(|cells| self.in_units(cells));
        write!(f, "η = a₊ = 1, b₊ = {b}, c = {c}, ")?;
        if self.steepest != self.sharp {
            write!(f, "b₋ = −{steepest}, ")?;
        }
        write!(f, "ν = {nu}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use valleys_sim::theorem2::Scales;

    #[test]
    fn its_lengths_are_those_of_its_setting() {
        for lattice in [Lattice::new(2, 1, 7, 1), Lattice::new(3, 3, 10, 5), Lattice::new(1, 1, 2, 0)] {
            let scales = Scales::of(&lattice.setting().expect("valid"));
            let lengths = [lattice.reach(), lattice.b_plus, lattice.lowest_start(), lattice.overshoot()];
            let wanted = [scales.reach, scales.descent, scales.lowest_start, scales.overshoot];
            assert!(lengths.iter().zip(wanted).all(|(x, y)| (*x as f64 - y).abs() < 1e-12), "{lattice:?}");
        }
        assert!(Lattice::new(2, 3, 7, 1).setting().is_err());
        assert_eq!(Lattice::new(4, 1, 9, 3).to_string(), "η = a₊ = 1, b₊ = ¼, c = 9/4, ν = ¾");
    }
}
