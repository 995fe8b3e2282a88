//! Plain SGD on a lattice, as a game against the averages.

use super::average::{Choice, Game};
use super::law::{Law, best_law};
use std::ops::RangeInclusive;

use crate::sgd::Setting;
use crate::{Error, Result};

/// Which adversaries the game stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Those on the lattice: iterates, mean steps and noise are whole numbers of cells.
    ///
    /// Each is one of Theorem 2's, so their smallest mean is not below the smallest of all.
    OnLattice,
    /// More than all: the iterate w of any adversary, rounded down to a whole number of cells, moves as the game allows,
    /// and costs no more than w. So its smallest mean is not above the smallest of all.
    ///
    /// Let w lie in [k, k + 1) and M be the mean of the next iterate, j = ⌊M⌋. Then k − a₊ ≤ j ≤ k − b₊ for w ≥ 0
    /// (and likewise for w < 0), the next iterate rounded down lies between j − ν and j + ν, and its mean between j − 1
    /// and j + 1. The iterates above the lattice all count as its highest state, which may do what any of them may.
    RoundedDown,
}

/// The choices that a setting leaves, in cells. State i stands for the iterate i − `zero`.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    kind: Kind,
    /// The iterates, in cells.
    costs: Vec<f64>,
    pub(super) zero: usize,
    /// Smallest and largest mean fall of a flat step.
    pub(super) fall: [usize; 2],
    /// Smallest and largest mean rise of a sharp step.
    pub(super) rise: [usize; 2],
    /// The noise's reach.
    pub(super) noise: usize,
}

impl Walk {
    pub(super) fn new(setting: &Setting, cells: u16, kind: Kind) -> Result<Self> {
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
        Ok(Self::of_cells(kind, [fall[0].max(1), fall[1]], rise, noise))
    }

    /// The game for whole bounds, with `rise[0]` above the noise.
    pub(super) fn of_cells(kind: Kind, fall: [usize; 2], rise: [usize; 2], noise: usize) -> Self {
        // No state is lower than the deepest fall below 0. Above the highest rise, one a₊ is room enough: an adversary that
        // may not go higher is still one of the theorem's.
        let zero = fall[1] + noise;
        let top = zero + rise[1] + noise + fall[1];
        let costs = (0..top).map(|state| state as f64 - zero as f64).collect();
        Self { kind, costs, zero, fall, rise, noise }
    }

    pub(super) fn states(&self) -> usize {
        self.costs.len()
    }

    /// The mean iterates that the slopes allow from a state, as states.
    fn means(&self, state: usize) -> RangeInclusive<usize> {
        if state < self.zero {
            state + self.rise[0]..=state + self.rise[1]
        } else if self.kind == Kind::RoundedDown && state == self.states() - 1 {
            state - self.fall[1]..=state + self.noise
        } else {
            state - self.fall[1]..=state - self.fall[0]
        }
    }

    /// For every mean the smallest expected value of the next state, with the law that has it.
    fn laws(&self, values: &[f64]) -> Vec<(f64, Aim)> {
        let mut slope = 0.0;
        let top = self.states() - 1;
        match self.kind {
            Kind::OnLattice => (0..=top)
                .map(|mean| {
                    let window = mean.saturating_sub(self.noise)..=(mean + self.noise).min(top);
                    let (value, law) = best_law(values, window, mean, &mut slope);
                    (value, Aim { mean, law })
                })
                .collect(),
            Kind::RoundedDown => {
                let mut values = values.to_vec();
                values.resize(values.len() + 2 * self.noise, values[top]);
                (0..=top + self.noise)
                    .map(|middle| {
                        let window = middle.saturating_sub(self.noise)..=middle + self.noise;
                        let means = middle.saturating_sub(1).max(*window.start())..=(middle + 1).min(*window.end());
                        let of = |mean| {
                            let (value, law) = best_law(&values, window.clone(), mean, &mut slope);
                            (value, Aim { mean, law })
                        };
                        least(means.map(of)).unwrap_or((values[middle], Aim { mean: middle, law: Law::CERTAIN }))
                    })
                    .collect()
            }
        }
    }

    /// For each state the mean and the law whose expected value is smallest.
    pub(super) fn aims(&self, values: &[f64]) -> impl Iterator<Item = Aim> {
        let laws = self.laws(values);
        (0..self.states()).map(move |state| least(self.means(state).map(|mean| laws[mean])).unwrap_or(laws[state]).1)
    }
}

impl Game for Walk {
    fn costs(&self) -> &[f64] {
        &self.costs
    }

    fn improve(&self, values: &[f64], choices: &mut Vec<Choice>) {
        let top = self.states() - 1;
        choices.clear();
        choices.extend(self.aims(values).map(|Aim { mean, law }| Choice {
            below: (mean - law.down).min(top) as u32,
            above: (mean + law.up).min(top) as u32,
            upward: law.upward(),
        }));
    }
}

/// A law of the next state about a mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aim {
    pub(super) mean: usize,
    pub(super) law: Law,
}

/// The first of the smallest.
fn least<T: Copy>(candidates: impl Iterator<Item = (f64, T)>) -> Option<(f64, T)> {
    candidates.reduce(|a, b| if b.0 < a.0 { b } else { a })
}

/// The smallest and the largest whole number in [low, high]; ends within 1e-9 of a whole number count as whole.
pub(super) fn whole(name: &str, low: f64, high: f64) -> Result<[usize; 2]> {
    const ROUNDING: f64 = 1e-9;
    const MOST: f64 = 1e5;
    let (first, last) = ((low - ROUNDING).ceil().max(0.0), (high + ROUNDING).floor());
    if !(first <= last && last <= MOST) {
        let allowed = format!("an interval that holds a whole number of cells, at most {MOST}");
        return Err(Error::domain(format!("{name} in cells"), format!("[{low}, {high}]"), allowed));
    }
    Ok([first as usize, last as usize])
}

#[cfg(test)]
mod tests {
    use super::super::average::{Stop, smallest_mean};
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn rounding_down_only_helps_the_adversary() {
        for (fall, rise, noise) in
            [([4, 8], [17, 20], 0), ([2, 8], [20, 20], 5), ([7, 8], [20, 24], 6), ([8, 8], [24, 24], 8)]
        {
            let mean = |kind| {
                let walk = Walk::of_cells(kind, fall, rise, noise);
                smallest_mean(&walk, &mut vec![0.0; walk.states()], Stop::Width(1e-3), &Silent).expect("solved")
            };
            let (lattice, all) = (mean(Kind::OnLattice), mean(Kind::RoundedDown));
            assert!(all.low <= lattice.high, "{all:?} above {lattice:?}");
            assert!(all.high - all.low <= 1e-3 && lattice.high - lattice.low <= 1e-3);
            assert!(noise == 0 || all.high < lattice.low, "{all:?} and {lattice:?}");
        }
    }
}
