//! (P): the sum over one prepared round, for every noise within its bound, of any mean.
//!
//! If (c − 1)a₊ ≥ 2ν, a prepared round starts at w₀ ≥ w_min and has exactly one sharp iterate. Each flat step goes down
//! by D at most, so with m = w₀/D and n = ⌊m⌋ the sum of the round is at least D((n + 1)(m − n/2) − 1).

use super::{Hypothesis, Scales, Violation};
use crate::sgd::Setting;

/// The smallest sum of a prepared round that starts at w₀ ≥ 0: D((n + 1)(m − n/2) − 1) with m = w₀/D, n = ⌊m⌋.
///
/// Positive if and only if w₀ > D.
pub fn smallest_sum(setting: &Setting, start: f64) -> Result<f64, Violation> {
    Hypothesis::OneSharpIterate.check(setting)?;
    let reach = Scales::of(setting).reach;
    let m = start / reach;
    let n = m.floor();
    Ok(reach * ((n + 1.0) * (m - n / 2.0) - 1.0))
}

/// The c (for a₊ = 1) above which every prepared round has a positive sum: 2 + 3ν.
pub fn threshold(nu: f64) -> f64 {
    2.0 + 3.0 * nu
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::seed::Stream;
    use crate::sgd::{Noise, NoiseLaw, Process, Rounds, Slopes, Valley};

    /// Noise of any mean: always the same.
    struct Constant(f64);

    impl Noise for Constant {
        fn draw(&self, _point: f64, nu: f64, _stream: &mut Stream) -> f64 {
            self.0 * nu
        }
    }

    #[test]
    fn no_prepared_round_has_a_smaller_sum_whatever_the_noise() {
        let valley = Valley::new(1.0, 0.4, 3.3, -5.0).expect("valid");
        let setting = Setting::new(valley, 0.25, 1.1).expect("valid");
        let scales = Scales::of(&setting);
        let stairs =
            || Slopes::staircase(&setting, 0.03, vec![1.0, 0.0, 0.7, 0.2], vec![0.5, 0.0, 1.0]).expect("valid");
        let mut seen = 0;
        let mut check = |points: Vec<f64>| {
            let mut rounds = Rounds::new();
            for round in points.into_iter().filter_map(|w| rounds.push(w)).filter(|r| r.is_prepared(scales.reach)) {
                let bound = smallest_sum(&setting, round.start).expect("applies");
                assert!(round.sum >= bound - 1e-12, "{round:?} against {bound}");
                assert!(round.start >= scales.lowest_start - 1e-12);
                assert_eq!(round.sharp, 1);
                seen += 1;
            }
        };
        for constant in [-0.3, 0.5, 1.0] {
            let process = Process { setting, gradient: stairs(), noise: Constant(constant) };
            check(process.chain(0.0, Seed(0).stream("chain", 0)).iterates(20_000));
        }
        let process = Process { setting, gradient: stairs(), noise: NoiseLaw::TwoPoint };
        check(process.chain(0.0, Seed(0).stream("chain", 1)).iterates(20_000));
        assert!(seen > 5_000, "{seen}");
    }

    #[test]
    fn the_bound_is_reached_by_steps_of_the_largest_size() {
        // ν = 0.5, a₊ = 1: D = 1.5. From w₀ = 3.25 down: 3.25, 1.75, 0.25, −1.25.
        let valley = Valley::new(1.0, 0.5, 5.75, -5.75).expect("valid");
        let setting = Setting::new(valley, 1.0, 0.5).expect("valid");
        let gradient = Slopes::constant(&setting, 1.0, 0.0).expect("valid");
        let process = Process { setting, gradient, noise: Constant(1.0) };
        let points = process.chain(3.25, Seed(0).stream("chain", 0)).iterates(4);
        assert_eq!(points, [3.25, 1.75, 0.25, -1.25]);
        // The bound counts the sharp iterate as −D.
        let bound = smallest_sum(&setting, 3.25).expect("applies");
        assert!((bound - (3.25 + 1.75 + 0.25 - 1.5)).abs() < 1e-14);
    }

    #[test]
    fn the_sign_turns_at_the_reach_and_the_threshold() {
        let at = |c: f64, start: f64| {
            let valley = Valley::with_sharp_slope_fixed(1.0, 0.5, c).expect("valid");
            smallest_sum(&Setting::new(valley, 1.0, 0.5).expect("valid"), start).expect("applies")
        };
        assert_eq!(at(4.0, 1.5), 0.0);
        assert!(at(4.0, 1.49) < 0.0 && at(4.0, 1.51) > 0.0);
        assert_eq!(at(threshold(0.5), (threshold(0.5) - 1.0) - 2.0 * 0.5), 0.0);
        let valley = Valley::with_sharp_slope_fixed(1.0, 0.5, 1.5).expect("valid");
        assert!(smallest_sum(&Setting::new(valley, 1.0, 0.5).expect("valid"), 1.0).is_err());
    }
}
