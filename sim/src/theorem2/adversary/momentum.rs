//! Heavy-ball momentum against the adversary: v′ = μv − η(g + ω), w′ = w + v′.
//!
//! The state is (w, v), both whole numbers of cells. The mean of v′ may be any whole number between μv − g_max and μv − g_min, with
//! slopes as without momentum, so that nothing is rounded. For μ = 0 the game is the plain one.
//!
//! An iterate may climb without bound, and the game must be finite: the adversary keeps to a box, from which it removes,
//! again and again, every state that leaves it whatever the slope, without noise. On what is left it always has a choice,
//! and it is one of the adversaries that momentum may meet; so a negative mean is certain. A positive one says that no
//! adversary of the box has a smaller mean.

use super::Enclosure;
use super::average::{Choice, Game};
use super::enclosure::{Sign, first, in_cells, sign};
use super::law::{Law, best_law};
use crate::progress::Observer;
use crate::{Error, Result};

/// Momentum μ = numerator/denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Momentum {
    numerator: u16,
    denominator: u16,
}

impl Momentum {
    /// No momentum.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };

    /// μ in [0, 1), as a ratio.
    pub fn new(numerator: u16, denominator: u16) -> Result<Self> {
        if numerator >= denominator {
            return Err(Error::domain("momentum μ", format!("{numerator}/{denominator}"), "in [0, 1)"));
        }
        Ok(Self { numerator, denominator })
    }

    /// μ.
    pub fn value(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// 1/(1 − μ), by which momentum lengthens a step in the long run.
    pub fn lengthening(self) -> f64 {
        f64::from(self.denominator) / f64::from(self.denominator - self.numerator)
    }

    /// The smallest whole number ≥ μv.
    fn of(self, velocity: i64) -> i64 {
        let product = i64::from(self.numerator) * velocity;
        -(-product).div_euclid(i64::from(self.denominator))
    }

    /// The largest whole number ≤ μv.
    fn below(self, velocity: i64) -> i64 {
        (i64::from(self.numerator) * velocity).div_euclid(i64::from(self.denominator))
    }
}

/// The c from which heavy-ball momentum has a positive smallest long-run mean on the lattice, for ν and b₊ in units of
/// a₊, with `cells` cells to ηa₊, searched for up to `most`; none if the mean is not positive there.
///
/// # Errors
/// b₊ or ν is no whole number of cells, b₊ lies outside (0, 1), or ν > 1; or an interruption.
pub fn momentum_threshold(
    momentum: Momentum,
    (nu, b_plus): (f64, f64),
    most: f64,
    cells: u16,
    observer: &dyn Observer,
) -> Result<Option<Enclosure>> {
    let [descent, noise] = in_cells(b_plus, nu, cells)?;
    let one = usize::from(cells);
    if noise > one {
        return Err(Error::domain("ν/a₊", nu, "at most 1"));
    }
    let last = (most * f64::from(cells)) as usize;
    let mut values = Vec::new();
    let mut turn = |range, least| {
        first(range, least, |rise| {
            let bounds = Bounds { fall: [descent, one], rise: [rise, last + 1], noise };
            sign(&HeavyBall::new(momentum, bounds, 1), &mut values, cells, observer)
        })
    };
    let zero = turn((one + 1, last + 1), Sign::Zero)?;
    let positive = turn((zero, last + 1), Sign::Positive)?;
    let in_c = |rise: usize| rise as f64 / f64::from(cells);
    Ok((positive <= last).then(|| Enclosure { negative: in_c(zero - 1), threshold: in_c(positive - 1), certain: None }))
}

/// What a step may do, in cells.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    fall: [usize; 2],
    rise: [usize; 2],
    noise: usize,
}

/// The game on the states of the box that the adversary can keep to.
struct HeavyBall {
    momentum: Momentum,
    bounds: Bounds,
    grid: Grid,
    /// The states, by iterate and then by velocity.
    states: Vec<(i64, i64)>,
    costs: Vec<f64>,
    /// The place of (w, v) in `states`, or [`NOWHERE`].
    places: Vec<u32>,
}

const NOWHERE: u32 = u32::MAX;

/// The box.
#[derive(Debug, Clone, Copy)]
struct Grid {
    lowest: i64,
    highest: i64,
    slowest: i64,
    fastest: i64,
}

impl Grid {
    /// Velocities up to those that the steepest slopes and the noise keep up, and iterates as far as these carry, `room` times over.
    fn of(momentum: Momentum, bounds: Bounds, room: usize) -> Self {
        let long = |size: usize| (size as f64 * momentum.lengthening()).ceil() as usize;
        let (down, up) = (long(bounds.fall[1] + bounds.noise), long(bounds.rise[1] + bounds.noise));
        Self {
            lowest: -((room * long(down)) as i64),
            highest: (room * long(up) + bounds.fall[1]) as i64,
            slowest: -((room * down) as i64),
            fastest: (room * up) as i64,
        }
    }

    fn velocities(self) -> usize {
        (self.fastest - self.slowest + 1) as usize
    }

    fn iterates(self) -> usize {
        (self.highest - self.lowest + 1) as usize
    }

    fn index(self, (point, velocity): (i64, i64)) -> Option<usize> {
        let inside = (self.lowest..=self.highest).contains(&point) && (self.slowest..=self.fastest).contains(&velocity);
        inside.then(|| (point - self.lowest) as usize * self.velocities() + (velocity - self.slowest) as usize)
    }
}

impl HeavyBall {
    fn new(momentum: Momentum, bounds: Bounds, room: usize) -> Self {
        let grid = Grid::of(momentum, bounds, room);
        let mut inside = vec![true; grid.iterates() * grid.velocities()];
        let all = |point: i64| (grid.slowest..=grid.fastest).map(move |velocity| (point, velocity));
        loop {
            let mut removed = false;
            for (index, state) in (grid.lowest..=grid.highest).flat_map(all).enumerate() {
                let mut next = velocities(momentum, bounds, state).map(|v| grid.index((state.0 + v, v)));
                if inside[index] && !next.any(|next| next.is_some_and(|next| inside[next])) {
                    inside[index] = false;
                    removed = true;
                }
            }
            if !removed {
                break;
            }
        }
        let mut places = vec![NOWHERE; inside.len()];
        let mut states = Vec::new();
        for (index, state) in (grid.lowest..=grid.highest).flat_map(all).enumerate() {
            if inside[index] {
                places[index] = states.len() as u32;
                states.push(state);
            }
        }
        let costs = states.iter().map(|state| state.0 as f64).collect();
        Self { momentum, bounds, grid, states, costs, places }
    }

    fn place(&self, state: (i64, i64)) -> Option<usize> {
        let place = self.places[self.grid.index(state)?];
        (place != NOWHERE).then_some(place as usize)
    }
}

/// The mean velocities that the slopes allow after a state.
fn velocities(momentum: Momentum, bounds: Bounds, (point, velocity): (i64, i64)) -> std::ops::RangeInclusive<i64> {
    if point < 0 {
        momentum.of(velocity) + bounds.rise[0] as i64..=momentum.below(velocity) + bounds.rise[1] as i64
    } else {
        momentum.of(velocity) - bounds.fall[1] as i64..=momentum.below(velocity) - bounds.fall[0] as i64
    }
}

impl Game for HeavyBall {
    fn costs(&self) -> &[f64] {
        &self.costs
    }

    fn improve(&self, values: &[f64], choices: &mut Vec<Choice>) {
        choices.clear();
        let Grid { slowest, .. } = self.grid;
        let width = self.grid.velocities();
        for states in self.states.chunk_by(|a, b| a.0 == b.0) {
            let point = states[0].0;
            // From one iterate, the next velocity says all of the next state.
            let next: Vec<Option<usize>> =
                (0..width).map(|i| self.place((point + slowest + i as i64, slowest + i as i64))).collect();
            let after: Vec<f64> = next.iter().map(|place| place.map_or(f64::INFINITY, |place| values[place])).collect();
            let mut slope = 0.0;
            let laws: Vec<(f64, Law)> = (0..width)
                .map(|mean| {
                    let noise = self.bounds.noise;
                    let window = mean.saturating_sub(noise)..=(mean + noise).min(width - 1);
                    best_law(&after, window, mean, &mut slope)
                })
                .collect();
            for &state in states {
                let best = velocities(self.momentum, self.bounds, state)
                    .filter_map(|velocity| usize::try_from(velocity - slowest).ok().filter(|&mean| mean < width))
                    .reduce(|a, b| if laws[b].0 < laws[a].0 { b } else { a });
                let ends = best.and_then(|mean| {
                    let law = laws[mean].1;
                    Some((next[mean - law.down]?, next[mean + law.up]?, law.upward()))
                });
                // A state that stays has a choice that stays; the first state stands in for none.
                let (below, above, upward) = ends.unwrap_or_default();
                choices.push(Choice { below: below as u32, above: above as u32, upward });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::average::{Bounds as Means, Stop, smallest_mean};
    use super::super::long_run_threshold;
    use super::super::walk::{Kind, Walk};
    use super::*;
    use crate::progress::Silent;

    fn half() -> Momentum {
        Momentum::new(1, 2).expect("valid")
    }

    fn mean(game: &impl Game) -> Means {
        smallest_mean(game, &mut vec![0.0; game.costs().len()], Stop::Width(1e-3), &Silent).expect("solved")
    }

    #[test]
    fn no_momentum_is_the_plain_game() {
        for (fall, rise, noise) in
            [([1, 4], [9, 12], 0), ([2, 4], [9, 12], 2), ([3, 4], [11, 16], 3), ([1, 4], [14, 16], 4)]
        {
            let plain = mean(&Walk::of_cells(Kind::OnLattice, fall, rise, noise));
            let heavy = mean(&HeavyBall::new(Momentum::ZERO, Bounds { fall, rise, noise }, 1));
            assert!(heavy.low <= plain.high && plain.low <= heavy.high, "{heavy:?} and {plain:?}");
        }
        let plain = long_run_threshold(0.75, 0.5, 8, &Silent).expect("solved");
        let heavy = momentum_threshold(Momentum::ZERO, (0.75, 0.5), 4.0, 8, &Silent).expect("solved").expect("found");
        assert_eq!((heavy.negative, heavy.threshold), (plain.negative, plain.threshold));
    }

    #[test]
    fn a_larger_box_changes_nothing() {
        for (rise, noise) in [(9, 0), (10, 2), (13, 4)] {
            let bounds = Bounds { fall: [2, 4], rise: [rise, 17], noise };
            let [small, large] = [1, 2].map(|room| mean(&HeavyBall::new(half(), bounds, room)));
            assert!(small.low <= large.high + 1e-9 && large.low <= small.high + 1e-9, "{small:?} and {large:?}");
        }
    }

    #[test]
    fn every_choice_keeps_the_bounds_and_the_box() {
        let bounds = Bounds { fall: [2, 4], rise: [9, 13], noise: 3 };
        let game = HeavyBall::new(half(), bounds, 1);
        let values: Vec<f64> = (0..game.states.len()).map(|i| ((i * 7919) % 101) as f64).collect();
        let mut choices = Vec::new();
        game.improve(&values, &mut choices);
        for (&(w, v), choice) in game.states.iter().zip(&choices) {
            let ends = [choice.below, choice.above].map(|place| game.states[place as usize]);
            assert!(ends.iter().all(|end| end.0 == w + end.1), "w′ = w + v′");
            let mean = ends[0].1 as f64 + choice.upward * (ends[1].1 - ends[0].1) as f64;
            let slope = 0.5 * v as f64 - mean;
            let allowed = if w < 0 { -13.0..=-9.0 } else { 2.0..=4.0 };
            assert!(allowed.contains(&((slope * 1e6).round() / 1e6)), "slope {slope} at ({w}, {v})");
            assert!(ends.iter().all(|end| (end.1 as f64 - mean).abs() <= 3.0 + 1e-9), "noise at ({w}, {v})");
        }
    }

    #[test]
    fn two_does_not_suffice_with_momentum() {
        // Without noise, μ = ½ and c = 2.25: four steps of slopes within [.5, 1] and of −2.25 that come back.
        let (mut w, mut v, mut sum) = (0.375, 1.625, 0.0);
        for slope in [0.6875, 0.5625, 1.0, -2.25] {
            assert_eq!(w < 0.0, slope < 0.0);
            sum += w;
            v = 0.5 * v - slope;
            w += v;
        }
        assert_eq!((w, v, sum / 4.0), (0.375, 1.625, -3.0 / 32.0));
        let game = HeavyBall::new(half(), Bounds { fall: [8, 16], rise: [36, 37], noise: 0 }, 1);
        assert!(mean(&game).high <= 16.0 * -3.0 / 32.0 + 1e-3);
    }

    #[test]
    fn momentum_needs_a_larger_asymmetry() {
        let at =
            |momentum, nu| momentum_threshold(momentum, (nu, 0.5), 6.0, 4, &Silent).expect("solved").expect("found");
        for nu in [0.0, 0.5, 1.0] {
            assert!(at(half(), nu).threshold >= at(Momentum::ZERO, nu).threshold + 0.1 * (1.0 - nu), "ν = {nu}");
        }
        assert_eq!(momentum_threshold(half(), (1.0, 0.5), 3.0, 4, &Silent), Ok(None));
        assert!(Momentum::new(1, 1).is_err());
    }
}
