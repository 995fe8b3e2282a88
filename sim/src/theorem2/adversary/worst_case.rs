//! The adversary with the smallest long-run mean, to simulate.

use rand::Rng;

use crate::progress::Observer;
use crate::seed::Stream;
use crate::sgd::{Gradient, Noise, Process, Setting, Valley};
use crate::{Result, error::positive};

use super::average::{Stop, smallest_mean};
use super::walk::{Aim, Kind, Walk};

/// The smallest long-run mean on the lattice, and an adversary that comes close to it.
#[derive(Debug, Clone)]
pub struct WorstCase {
    /// No lattice adversary has a smaller long-run mean, in the setting's units.
    pub low: f64,
    /// Some lattice adversary has at most this one.
    pub high: f64,
    /// One whose mean approaches `high` as the tolerance goes to 0.
    pub adversary: Adversary,
}

/// Encloses the smallest long-run mean on the lattice with `cells` ≥ 1 cells to ηa₊, to a width of `tolerance` > 0 or as
/// near to it as 2,000 improvements of its choices bring it.
///
/// # Errors
/// No slope of a side is a whole number of cells, or no sharp rise is above the noise; or an interruption.
pub fn worst_case(setting: &Setting, cells: u16, tolerance: f64, observer: &dyn Observer) -> Result<WorstCase> {
    positive("tolerance", tolerance)?;
    let walk = Walk::new(setting, cells, Kind::OnLattice)?;
    let unit = setting.eta() * setting.valley().a_plus() / f64::from(cells);
    let mut values = vec![0.0; walk.states()];
    let bounds = smallest_mean(&walk, &mut values, Stop::Width(tolerance / unit), observer)?;
    let aims = walk.aims(&values).collect();
    Ok(WorstCase { low: bounds.low * unit, high: bounds.high * unit, adversary: Adversary { walk, aims } })
}

/// Slopes and noise chosen against the averages of SGD, on a lattice.
///
/// One cell is the unit: its [`process`](Adversary::process) has η = 1 and a₊ = `cells`, so that iterates are whole
/// numbers and no rounding moves them across 0. Divide averages by `cells` for units of ηa₊.
#[derive(Debug, Clone)]
pub struct Adversary {
    walk: Walk,
    aims: Vec<Aim>,
}

impl Adversary {
    /// SGD against this adversary. Chains must start at whole numbers; above the lattice they meet its highest choice.
    pub fn process(self) -> Result<Process<Self, Self>> {
        let Walk { fall, rise, noise, .. } = self.walk;
        let [[b_plus, a_plus], [gentle, steep]] = [fall, rise].map(|range| range.map(|x| x as f64));
        // The largest c whose c·a₊ does not exceed the smallest rise by rounding.
        let mut c = gentle / a_plus;
        while c * a_plus > gentle {
            c = c.next_down();
        }
        let valley = Valley::new(a_plus, b_plus, c, -steep)?;
        let setting = Setting::new(valley, 1.0, noise as f64)?;
        Ok(Process { setting, gradient: self.clone(), noise: self })
    }

    /// The choice at a point: how far the mean is from it, and how far the two ends are from the mean.
    fn at(&self, point: f64) -> [i64; 3] {
        let (zero, last) = (self.walk.zero as i64, self.walk.states() as i64 - 1);
        // The cast saturates.
        let state = (point as i64).saturating_add(zero).clamp(0, last);
        let Aim { mean, law } = self.aims[state as usize];
        [mean as i64 - state, law.down as i64, law.up as i64]
    }
}

impl Gradient for Adversary {
    fn at(&self, point: f64) -> f64 {
        -self.at(point)[0] as f64
    }
}

impl Noise for Adversary {
    /// One 32-bit word a step: below up/(up + down) of its range the iterate goes down.
    fn draw(&self, point: f64, _nu: f64, stream: &mut Stream) -> f64 {
        let [_, down, up] = self.at(point);
        let word = i64::from(stream.next_u32());
        // ω counts against the step: w′ = mean − ω.
        if word * (down + up) < up << 32 { down as f64 } else { -up as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::ensemble::{Plan, Start, run};
    use crate::estimate::Confidence;
    use crate::progress::Silent;
    use crate::theorem2::long_run::{self, LongRun};
    use crate::theorem2::visited;

    fn worst(b_plus: f64, c: f64, nu: f64, cells: u16) -> WorstCase {
        let valley = Valley::with_sharp_slope_fixed(1.0, b_plus, c).expect("valid");
        let setting = Setting::new(valley, 1.0, nu).expect("valid");
        worst_case(&setting, cells, 1e-3, &Silent).expect("solved")
    }

    #[test]
    fn above_half_the_noise_the_threshold_depends_on_the_smallest_slope() {
        // ν = .75, c = 2.65, below 3ν + ½ = 2.75: positive for b₊ = .8, negative for b₊ = .5 ≤ ν.
        let worst_case = worst(0.8, 2.65, 0.75, 20);
        assert!(worst_case.high - worst_case.low <= 1e-3);
        assert!((worst_case.low - 0.06).abs() < 0.005, "{} to {}", worst_case.low, worst_case.high);
        assert!(worst(0.5, 2.65, 0.75, 20).high < 0.0);
    }

    #[test]
    fn without_noise_the_worst_is_the_cycle() {
        // The lattice of 8 cells holds the cycle (c − 1, 0, −1), whose mean is (c − 2)/3.
        for c in [1.5, 1.75] {
            let worst_case = worst(0.5, c, 0.0, 8);
            let cycle = (c - 2.0) / 3.0;
            assert!(
                worst_case.low <= cycle && worst_case.high <= cycle + 1e-3,
                "{} to {}",
                worst_case.low,
                worst_case.high
            );
        }
    }

    #[test]
    fn two_slopes_leave_no_choice() {
        // Slopes 1 and −4 in cells of 1, from a whole number: 3, 2, 1, 0, −1, with mean 1.
        let setting = Setting::new(Valley::two_slope(1.0, 4.0).expect("valid"), 0.5, 0.0).expect("valid");
        let worst_case = worst_case(&setting, 1, 1e-6, &Silent).expect("solved");
        assert!(worst_case.low <= 0.5 + 1e-12 && 0.5 <= worst_case.high + 1e-12);
    }

    #[test]
    fn no_adversary_beats_the_rate_and_the_thresholds_are_where_the_sign_turns() {
        for (b_plus, nu) in [(0.5, 0.0), (0.5, 0.5), (0.5, 0.75), (0.75, 0.75), (0.5, 1.0)] {
            let threshold = long_run::threshold(nu);
            for excess in [0.25, 1.0] {
                let valley = Valley::with_sharp_slope_fixed(1.0, b_plus, threshold + excess).expect("valid");
                let rate = LongRun::of(&Setting::new(valley, 1.0, nu).expect("valid")).expect("applies").rate();
                let worst_case = worst(b_plus, threshold + excess, nu, 8);
                assert!(rate <= worst_case.high, "ν = {nu}: ρ = {rate} against {}", worst_case.high);
                assert!(worst_case.low > 0.0);
            }
            let below = worst(b_plus, threshold - 0.25, nu, 8);
            assert!(below.high < 0.0, "b₊ = {b_plus}, ν = {nu}: {}", below.high);
        }
    }

    #[test]
    fn the_adversary_reaches_its_mean_and_keeps_the_bounds() {
        let WorstCase { low, high, adversary } = worst(0.5, 2.25, 0.5, 8);
        let process = adversary.process().expect("valid");
        let mut chain = process.chain(0.0, Seed(0).stream("chain", 0));
        let visits: Vec<_> = (0..10_000).map(|_| chain.step()).collect();
        assert_eq!(visited::check(&process.setting, &visits), Ok(()));
        // Two-sided at 99.9 %; the seed is fixed.
        let plan = Plan::new(64, 100, 20_000).expect("valid");
        let ensemble = run(&process, &plan, Start::At(0.0), Seed(6), &Silent).expect("runs");
        let interval = ensemble.long_run(Confidence::P999).expect("many chains");
        let room = high - low;
        assert!(
            interval.low / 8.0 <= high + room && interval.high / 8.0 >= low,
            "{interval:?} against {low} to {high}"
        );
        assert!(interval.half_width() / 8.0 < 0.02);
    }

    #[test]
    fn a_lattice_without_a_slope_is_refused() {
        let valley = Valley::with_sharp_slope_fixed(1.0, 0.5, 2.05).expect("valid");
        let setting = Setting::new(valley, 1.0, 0.5).expect("valid");
        assert!(worst_case(&setting, 10, 1e-3, &Silent).is_err());
        assert!(worst_case(&setting, 0, 1e-3, &Silent).is_err());
    }
}
