//! The four lengths in which Theorem 2's bounds are written.

use crate::sgd::Setting;

/// The lengths D, β, w_min and θ of a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scales {
    /// D = η(a₊ + ν): no flat step goes down by more.
    pub reach: f64,
    /// β = η·b₊: a flat step goes down by at least this on average.
    pub descent: f64,
    /// w_min = η((c − 1)a₊ − 2ν): no prepared round starts lower, if it is not negative.
    pub lowest_start: f64,
    /// θ = η·max(a₊, min(2ν, a₊ + ν)): in the mean, what a step that may land on the sharp side goes below 0 is paid
    /// back by θ for each landing.
    pub overshoot: f64,
}

impl Scales {
    /// The lengths of a setting.
    pub fn of(setting: &Setting) -> Self {
        let (eta, nu) = (setting.eta(), setting.nu());
        let (a, b, c) = (setting.valley().a_plus(), setting.valley().b_plus(), setting.valley().c());
        Self {
            reach: eta * (a + nu),
            descent: eta * b,
            lowest_start: eta * ((c - 1.0) * a - 2.0 * nu),
            overshoot: eta * relative_overshoot(a, nu),
        }
    }
}

/// θ/η as a function of a₊ and ν.
pub(super) fn relative_overshoot(a_plus: f64, nu: f64) -> f64 {
    a_plus.max((2.0 * nu).min(a_plus + nu))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sgd::Valley;

    #[test]
    fn lengths_follow_their_formulas() {
        let valley = Valley::new(2.0, 0.5, 4.0, -9.0).expect("valid");
        let scales = |nu| Scales::of(&Setting::new(valley, 0.5, nu).expect("valid"));
        assert_eq!(scales(1.0), Scales { reach: 1.5, descent: 0.25, lowest_start: 2.0, overshoot: 1.0 });
        assert_eq!(scales(1.5).overshoot, 1.5);
        assert_eq!(scales(3.0).overshoot, 2.5);
    }
}
