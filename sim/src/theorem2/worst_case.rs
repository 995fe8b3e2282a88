//! The adversary with the smallest long-run mean, by dynamic programming.
//!
//! The adversary picks the slope within the valley's bounds and the law of the noise, bounded by ν and of mean zero, both
//! knowing where the iterate is. It is confined to a lattice: iterates, mean steps and noise are whole numbers of cells.
//! Every such adversary is one of Theorem 2's, so the smallest mean on the lattice is above the true infimum, and (L)'s
//! rate ρ is below both.
//!
//! About a given mean a two-point law of the noise is best, so one sweep of the Bellman operator T takes the convex
//! envelope of the value over the noise's reach, and then its minimum over the slopes. For any value function h the
//! smallest and the largest entry of Th − h enclose the optimal mean (Odoni's bounds), so the answer is certain whenever
//! the sweeps stop.

use rand::Rng;

use crate::progress::Observer;
use crate::seed::Stream;
use crate::sgd::{Gradient, Noise, Process, Setting, Valley};
use crate::{Error, Result, error::positive};

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

/// Sweeps after which the enclosure is returned as it is.
const MOST_SWEEPS: u32 = 200_000;

/// Encloses the smallest long-run mean on the lattice with `cells` ≥ 1 cells to ηa₊, to a width of `tolerance` > 0 or as
/// near to it as 200,000 sweeps bring it.
///
/// # Errors
/// No slope of a side is a whole number of cells, or no sharp rise is above the noise; or an interruption.
pub fn worst_case(setting: &Setting, cells: u16, tolerance: f64, observer: &dyn Observer) -> Result<WorstCase> {
    positive("tolerance", tolerance)?;
    let lattice = Lattice::new(setting, cells)?;
    let unit = setting.eta() * setting.valley().a_plus() / f64::from(cells);
    let mut values = vec![0.0; lattice.states()];
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    for _ in 0..MOST_SWEEPS {
        if observer.interrupted() {
            return Err(Error::Interrupted);
        }
        let gains: Vec<f64> =
            lattice.bellman(&values).map(|(new, _)| new).zip(&values).map(|(new, old)| new - old).collect();
        let least = gains.iter().copied().fold(f64::INFINITY, f64::min);
        let most = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (low, high) = (low.max(least * unit), high.min(most * unit));
        if high - low <= tolerance {
            break;
        }
        // Half steps make periodic chains converge; subtracting the least gain keeps the values bounded.
        for (value, gain) in values.iter_mut().zip(&gains) {
            *value += 0.5 * (gain - least);
        }
    }
    let moves = lattice.bellman(&values).map(|(_, best)| best).collect();
    Ok(WorstCase { low, high, adversary: Adversary { lattice, moves } })
}

/// A law of the next state: `mean` − `down` or `mean` + `up`, with the mean kept.
#[derive(Debug, Clone, Copy)]
struct Move {
    mean: i64,
    down: i64,
    up: i64,
}

/// Slopes and noise chosen against the averages of SGD, on a lattice.
///
/// One cell is the unit: its [`process`](Adversary::process) has η = 1 and a₊ = `cells`, so that iterates are whole
/// numbers and no rounding moves them across 0. Divide averages by `cells` for units of ηa₊.
#[derive(Debug, Clone)]
pub struct Adversary {
    lattice: Lattice,
    moves: Vec<Move>,
}

impl Adversary {
    /// SGD against this adversary. Chains must start at whole numbers; above the lattice they meet its highest choice.
    pub fn process(self) -> Result<Process<Self, Self>> {
        let Lattice { fall, rise, noise, .. } = self.lattice;
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

    /// The choice at a point, in which means are relative to the point.
    fn at(&self, point: f64) -> Move {
        // The cast saturates.
        let state = (point as i64).saturating_add(self.lattice.zero).clamp(0, self.lattice.top - 1);
        let Move { mean, down, up } = self.moves[state as usize];
        Move { mean: mean - state, down, up }
    }
}

impl Gradient for Adversary {
    fn at(&self, point: f64) -> f64 {
        -self.at(point).mean as f64
    }
}

impl Noise for Adversary {
    /// One 32-bit word a step: below up/(up + down) of its range the iterate goes down.
    fn draw(&self, point: f64, _nu: f64, stream: &mut Stream) -> f64 {
        let Move { down, up, .. } = self.at(point);
        let word = i64::from(stream.next_u32());
        // ω counts against the step: w′ = mean − ω.
        if word * (down + up) < up << 32 { down as f64 } else { -up as f64 }
    }
}

/// The choices that the setting leaves, in cells. State i stands for the iterate i − `zero`; states run from 0 to `top` − 1.
#[derive(Debug, Clone)]
struct Lattice {
    zero: i64,
    top: i64,
    /// Smallest and largest mean fall of a flat step.
    fall: [i64; 2],
    /// Smallest and largest mean rise of a sharp step.
    rise: [i64; 2],
    /// The noise's reach.
    noise: i64,
}

impl Lattice {
    fn new(setting: &Setting, cells: u16) -> Result<Self> {
        if cells == 0 {
            return Err(Error::domain("number of cells", cells, "at least 1"));
        }
        let valley = setting.valley();
        let in_cells = |size: f64| size / valley.a_plus() * f64::from(cells);
        let fall = whole("[b₊, a₊]", in_cells(valley.b_plus()), f64::from(cells))?;
        let rise = whole("[c·a₊, |b₋|]", in_cells(-valley.a_minus()), in_cells(-valley.b_minus()))?;
        let noise = whole("[0, ν]", 0.0, in_cells(setting.nu()))?[1];
        if rise[0] <= noise {
            return Err(Error::domain("c·a₊", -valley.a_minus(), format!("more than ν = {}", setting.nu())));
        }
        // No state is lower than the deepest fall below 0. Above the highest rise, one a₊ is room enough: an adversary that
        // may not go higher is still one of the theorem's.
        let zero = fall[1] + noise;
        Ok(Self { zero, top: zero + rise[1] + noise + fall[1], fall: [fall[0].max(1), fall[1]], rise, noise })
    }

    fn states(&self) -> usize {
        self.top as usize
    }

    /// The Bellman operator: the state's own cost plus the smallest expected value of the next state, with the move.
    fn bellman(&self, values: &[f64]) -> impl Iterator<Item = (f64, Move)> {
        let best: Vec<(f64, Move)> = (0..self.top).map(|mean| self.best_noise(values, mean)).collect();
        (0..self.top).map(move |state| {
            let means = if state < self.zero {
                state + self.rise[0]..=state + self.rise[1]
            } else {
                state - self.fall[1]..=state - self.fall[0]
            };
            let smallest = means.map(|mean| best[mean as usize]).reduce(|a, b| if b.0 < a.0 { b } else { a });
            let (value, chosen) = smallest.unwrap_or(best[state as usize]);
            ((state - self.zero) as f64 + value, chosen)
        })
    }

    /// The smallest expectation of the values over laws about `mean` within the noise's reach.
    fn best_noise(&self, values: &[f64], mean: i64) -> (f64, Move) {
        let mut best = (values[mean as usize], Move { mean, down: 0, up: 0 });
        for down in 1..=self.noise.min(mean) {
            for up in 1..=self.noise.min(self.top - 1 - mean) {
                let (below, above) = (values[(mean - down) as usize], values[(mean + up) as usize]);
                let value = (up as f64 * below + down as f64 * above) / (down + up) as f64;
                if value < best.0 {
                    best = (value, Move { mean, down, up });
                }
            }
        }
        best
    }
}

/// The smallest and the largest whole number in [low, high]; ends within 1e-9 of a whole number count as whole.
fn whole(name: &str, low: f64, high: f64) -> Result<[i64; 2]> {
    const ROUNDING: f64 = 1e-9;
    const MOST: f64 = 1e5;
    let (first, last) = ((low - ROUNDING).ceil(), (high + ROUNDING).floor());
    if first > last || last > MOST {
        let allowed = format!("an interval that holds a whole number of cells, at most {MOST}");
        return Err(Error::domain(format!("{name} in cells"), format!("[{low}, {high}]"), allowed));
    }
    Ok([first as i64, last as i64])
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
