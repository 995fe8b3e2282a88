//! The hypotheses of Theorem 2 as the paper prints them.
//!
//! Printed: for a "large constant" c with c′ = −(b₋ − ν)/b₊ < e^(c/3)/6 and ν ≤ a₊, E[w̄] > c₀ > 0 with w̄ the sum of a
//! round's T + 1 iterates over T. What it lacks: noise of conditional mean zero and a prepared round; without either it is
//! false ([`sharpness`](super::sharpness)). What it does not need: the condition on c′.

use crate::sgd::Setting;

/// c′ = −(b₋ − ν)/b₊.
pub fn ratio(setting: &Setting) -> f64 {
    (setting.nu() - setting.valley().b_minus()) / setting.valley().b_plus()
}

/// e^(c/3)/6, which c′ has to stay below.
pub fn ratio_limit(c: f64) -> f64 {
    libm::exp(c / 3.0) / 6.0
}

/// The c above which some valley meets the printed condition: c′ ≥ c, with equality for b₊ = a₊, b₋ = −c·a₊ and ν = 0,
/// so it is the larger root of c = e^(c/3)/6, about 13.09.
pub fn smallest_asymmetry() -> f64 {
    // e^(c/3)/6 − c grows from c = 9 on: its derivative e^(c/3)/18 − 1 is above 0 there.
    let (mut low, mut high) = (9.0, 20.0);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return high;
        }
        if ratio_limit(middle) > middle { high = middle } else { low = middle }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_condition_needs_an_asymmetry_above_13() {
        let c = smallest_asymmetry();
        assert!((c - 13.09).abs() < 0.005, "{c}");
        assert!((ratio_limit(c) - c).abs() < 1e-12);
    }
}
