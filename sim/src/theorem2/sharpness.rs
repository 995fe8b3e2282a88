//! Examples that show what Theorem 2 cannot do without.
//!
//! Each is a path of SGD with every slope and noise within its setting's bounds, which [`visited::check`] confirms, and an
//! average that contradicts a statement from which one hypothesis was dropped.
//!
//! [`visited::check`]: super::visited::check

use super::Scales;
use crate::sgd::{Gradient, NoiseLaw, Process, Setting, Slopes, Valley, Visit};
use crate::{Error, Result, Seed};

/// A path, and the setting whose bounds it keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Slopes, step size and noise bound.
    pub setting: Setting,
    /// The steps taken.
    pub visits: Vec<Visit>,
}

impl Example {
    /// Runs SGD without noise from `start`.
    fn noise_free(setting: Setting, gradient: impl Gradient, start: f64, steps: usize) -> Self {
        let process = Process { setting, gradient, noise: NoiseLaw::None };
        let mut chain = process.chain(start, Seed(0).stream("chain", 0));
        Self { setting, visits: (0..steps).map(|_| chain.step()).collect() }
    }

    /// The iterates.
    pub fn points(&self) -> Vec<f64> {
        self.visits.iter().map(|v| v.point).collect()
    }

    /// The average of the iterates.
    pub fn mean(&self) -> f64 {
        self.points().iter().sum::<f64>() / self.visits.len() as f64
    }
}

/// c > 2 cannot be dropped from (L): for 1 < c < 2 the noise-free cycle (c − 1, 0, −1) has mean (c − 2)/3 < 0.
///
/// Here η = a₊ = 1, b₊ = c − 1, ν = 0; every b₊ ≤ c − 1 would do. So "E\[w̄\] > 0 for every c > 1" is false.
pub fn noise_free_cycle(c: f64) -> Result<Example> {
    if !(c > 1.0 && c < 2.0) {
        return Err(Error::domain("c", c, "between 1 and 2, exclusive"));
    }
    let setting = Setting::new(Valley::with_sharp_slope_fixed(1.0, c - 1.0, c)?, 1.0, 0.0)?;
    Ok(Example::noise_free(setting, Slopes::landing(&setting, 0.0)?, c - 1.0, 3))
}

/// c > 2 + 2ν cannot be dropped from (C) for ν ≤ ½: a prepared round may start at w_min = c − 1 − 2ν and go on without
/// noise, (w_min, 0, −1), with mean (w_min − 1)/3 < 0.
///
/// Here η = a₊ = 1; b₊ ≤ w_min < 1 is needed. With ν = .5 and c = 2.9 the round is (.9, 0, −1) with mean −1/30.
pub fn short_round(c: f64, nu: f64, b_plus: f64) -> Result<Example> {
    let setting = Setting::new(Valley::with_sharp_slope_fixed(1.0, b_plus, c)?, 1.0, nu)?;
    let start = Scales::of(&setting).lowest_start;
    if !(start >= b_plus && start < 1.0) {
        return Err(Error::domain("w_min = c − 1 − 2ν", start, format!("at least b₊ = {b_plus} and less than 1")));
    }
    Ok(Example::noise_free(setting, Slopes::landing(&setting, 0.0)?, start, 3))
}

/// The round must be prepared: from the sharp point −c the first round is (0, −1), with mean −½, for every c > 1.
///
/// Here η = a₊ = b₊ = 1, ν = 0. The path is (−c, 0, −1, c − 1): the round, the iterate before it, and the one after.
pub fn unprepared_first_round(c: f64) -> Result<Example> {
    let setting = Setting::new(Valley::with_sharp_slope_fixed(1.0, 1.0, c)?, 1.0, 0.0)?;
    Ok(Example::noise_free(setting, Slopes::constant(&setting, 1.0, 0.0)?, -c, 4))
}

/// The noise must have conditional mean zero: ω = −b₊ holds a round at 0 for `wait` steps, and brings its average down to
/// 119/(17 + `wait`), in the end below every c₀ > 0.
///
/// Here η = 1, c = 16, a₊ = 1, b₊ = ½, ν = 1, b₋ = −16, which meets the printed hypotheses with room to spare but for the
/// noise's mean. The path is one prepared round: 15, down to 0 in steps of 1, wait, −1.
pub fn freezing_noise(wait: usize) -> Result<Example> {
    let setting = Setting::new(Valley::with_sharp_slope_fixed(1.0, 0.5, 16.0)?, 1.0, 1.0)?;
    let (gentle, steep) = (setting.valley().b_plus(), setting.valley().a_plus());
    let fall = |point: i32| Visit { point: f64::from(point), slope: steep, noise: 0.0 };
    let mut visits: Vec<Visit> = (1..=15).rev().map(fall).collect();
    visits.extend(std::iter::repeat_n(Visit { point: 0.0, slope: gentle, noise: -gentle }, wait));
    visits.push(fall(0));
    visits.push(Visit { point: -steep, slope: setting.valley().a_minus(), noise: 0.0 });
    Ok(Example { setting, visits })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sgd::Rounds;
    use crate::theorem2::{Statement, long_run::LongRun, per_round::PerRound, visited};

    #[test]
    fn the_noise_free_cycle_returns_and_has_a_negative_mean() {
        for c in [1.25, 1.5, 1.75, 1.999] {
            let example = noise_free_cycle(c).expect("valid");
            assert_eq!(visited::check(&example.setting, &example.visits), Ok(()));
            assert_eq!(example.points(), [c - 1.0, 0.0, -1.0]);
            assert!((example.mean() - (c - 2.0) / 3.0).abs() < 1e-15);
            let last = example.visits[2];
            assert_eq!(last.point - (last.slope + last.noise), c - 1.0, "the cycle closes");
            assert!(LongRun::headline(&example.setting).is_err());
        }
        assert!(noise_free_cycle(2.0).is_err());
    }

    #[test]
    fn a_short_round_falls_below_zero_under_the_threshold() {
        let example = short_round(2.9, 0.5, 0.6).expect("valid");
        assert_eq!(visited::check(&example.setting, &example.visits), Ok(()));
        assert!((example.mean() + 1.0 / 30.0).abs() < 1e-15, "{}", example.mean());
        assert!(PerRound::of(&example.setting).is_err());
        // Just under every threshold 2 + 2ν with ν ≤ ½ there is such a round, for b₊ as near to 1 as one likes.
        for nu in [0.0, 0.2, 0.5] {
            let example = short_round(2.0 + 2.0 * nu - 1e-3, nu, 0.998).expect("valid");
            assert!(example.mean() < -3e-4);
        }
        assert!(short_round(3.0, 0.4, 0.5).is_err());
    }

    #[test]
    fn an_unprepared_first_round_averages_minus_one_half() {
        for c in [1.5, 13.1, 1000.0] {
            let example = unprepared_first_round(c).expect("valid");
            assert_eq!(visited::check(&example.setting, &example.visits), Ok(()));
            let mut rounds = Rounds::new();
            let round = example.points().into_iter().find_map(|w| rounds.push(w)).expect("one round");
            assert_eq!((round.mean(), round.mean_as_printed(), round.before), (-0.5, -1.0, -c));
            assert!(!round.is_prepared(Scales::of(&example.setting).reach));
        }
        // With c above 13.09 the printed hypotheses are met.
        let printed = unprepared_first_round(13.1).expect("valid");
        assert_eq!(Statement::Printed.check(&printed.setting), Ok(()));
    }

    #[test]
    fn noise_with_a_mean_freezes_a_round_below_every_bound() {
        let example = freezing_noise(10_000).expect("valid");
        assert_eq!(visited::check(&example.setting, &example.visits), Ok(()));
        assert_eq!(Statement::Printed.check(&example.setting), Ok(()));
        let c0 = PerRound::of(&example.setting).expect("applies").c0();
        assert!(example.mean() < 0.02 && c0 > 0.1, "{} against {c0}", example.mean());
        for pair in example.visits.windows(2) {
            assert_eq!(pair[0].point - (pair[0].slope + pair[0].noise), pair[1].point, "{pair:?}");
        }
        let start = example.visits[0].point;
        assert!(start >= Scales::of(&example.setting).lowest_start);
        assert!((start - 16.0) < 0.0 && start - 16.0 >= -Scales::of(&example.setting).reach, "prepared");
    }
}
