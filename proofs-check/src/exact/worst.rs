//! The worst adversaries on a lattice over a finite time, by dynamic programming.
//!
//! They choose slopes and noise knowing the whole past; every number is a whole number of cells. Each is one of Theorem
//! 2's processes, so a statement's bound lies below what they reach.

use std::collections::HashMap;

use super::Lattice;

/// What the sum of a round of T + 1 iterates is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalisation {
    /// T + 1, the number of iterates.
    Iterates,
    /// T, as the paper has it.
    AsPrinted,
}

/// The smallest E[w̄ · 1{the round is over within `steps` steps}], in cells, of a round from `start` ≥ 0 cells, over every
/// choice of slopes and of noise of conditional mean zero that is a whole number of cells, which may depend on the whole
/// past.
///
/// The past matters through the iterate, the sum and the count alone; about a given mean, noise of two points is best.
pub fn worst_round(lattice: &Lattice, start: i64, steps: u32, normalisation: Normalisation) -> f64 {
    Search { lattice, normalisation, best: HashMap::new() }.best(start, start, 1, steps)
}

/// The smallest E[w₀ + … + w_(n−1)], in cells, from w₀ = `start` cells over the same choices.
pub fn worst_sum(lattice: &Lattice, start: i64, n: u32) -> f64 {
    let Lattice { a_plus, b_plus, sharp, steepest, nu } = *lattice;
    // No iterate is lower than the start or the deepest fall; the highest rise is one sharp step or noise against b₊.
    let lowest = start.min(0) - lattice.reach();
    let highest = start.max(0) + steepest + nu + i64::from(n) * (nu - b_plus).max(0);
    let clamp = |x: i64| (x.clamp(lowest, highest) - lowest) as usize;
    let mut values = vec![0.0; clamp(highest) + 1];
    for _ in 0..n {
        let about = |mean: i64| {
            let mut smallest: f64 = values[clamp(mean)];
            for down in 1..=nu {
                for up in 1..=nu {
                    let (below, above) = (values[clamp(mean - down)], values[clamp(mean + up)]);
                    smallest = smallest.min((up as f64 * below + down as f64 * above) / (down + up) as f64);
                }
            }
            smallest
        };
        let best: Vec<f64> = (lowest..=highest).map(about).collect();
        let value = |x: i64| {
            let means = if x >= 0 { x - a_plus..=x - b_plus } else { x + sharp..=x + steepest };
            x as f64 + means.map(|mean| best[clamp(mean)]).fold(f64::INFINITY, f64::min)
        };
        values = (lowest..=highest).map(value).collect();
    }
    values[clamp(start)]
}

/// The smallest sum of a round from `start` ≥ 0 cells, over every slope and every noise of any mean, in cells.
pub fn smallest_sum(lattice: &Lattice, start: i64) -> i64 {
    let Lattice { a_plus, b_plus, nu, .. } = *lattice;
    // The smallest sums from each height: rounds of at most k flat iterates for k = 1, 2, …, until they do not change.
    // Nothing above the start helps, but one noise of room is left for it.
    let highest = start + nu;
    let mut sums: Vec<Option<i64>> = vec![None; highest as usize + 1];
    loop {
        let next = |x: i64| {
            let after = (x - a_plus - nu..=(x - b_plus + nu).min(highest)).filter_map(|y| match usize::try_from(y) {
                Ok(height) => sums[height],
                Err(_) => Some(y),
            });
            after.min().map(|sum| x + sum)
        };
        let better: Vec<Option<i64>> = (0..=highest).map(next).collect();
        if better == sums {
            return sums[start as usize].unwrap_or(i64::MAX);
        }
        sums = better;
    }
}

struct Search<'a> {
    lattice: &'a Lattice,
    normalisation: Normalisation,
    /// By iterate, sum and count; the count determines the steps left.
    best: HashMap<(i64, i64, u32), f64>,
}

impl Search<'_> {
    /// The smallest expectation from an iterate, the sum with it, the count with it, and the steps left.
    fn best(&mut self, point: i64, sum: i64, count: u32, left: u32) -> f64 {
        if left == 0 {
            return 0.0;
        }
        if let Some(&value) = self.best.get(&(point, sum, count)) {
            return value;
        }
        let Lattice { a_plus, b_plus, nu, .. } = *self.lattice;
        let lowest = point - a_plus - nu;
        let values: Vec<f64> =
            (lowest..=point - b_plus + nu).map(|x| self.value(x, sum + x, count + 1, left - 1)).collect();
        let at = |x: i64| values[(x - lowest) as usize];
        let mut smallest = f64::INFINITY;
        for mean in point - a_plus..=point - b_plus {
            smallest = smallest.min(at(mean));
            for down in 1..=nu {
                for up in 1..=nu {
                    let value = (up as f64 * at(mean - down) + down as f64 * at(mean + up)) / (down + up) as f64;
                    smallest = smallest.min(value);
                }
            }
        }
        self.best.insert((point, sum, count), smallest);
        smallest
    }

    fn value(&mut self, point: i64, sum: i64, count: u32, left: u32) -> f64 {
        if point >= 0 {
            return self.best(point, sum, count, left);
        }
        let divisor = match self.normalisation {
            Normalisation::Iterates => count,
            Normalisation::AsPrinted => count - 1,
        };
        sum as f64 / f64::from(divisor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_round_is_the_worst() {
        // In tenths: ν = ½, c = 2.9, from w_min = .9 the round (.9, 0, −1) has mean −1/30, and noise makes it no worse.
        let lattice = Lattice::new(10, 5, 29, 5);
        let worst = worst_round(&lattice, 9, 6, Normalisation::Iterates);
        assert!(worst <= -1.0 / 3.0 + 1e-12, "{worst}");
        let silent = Lattice { nu: 0, ..lattice };
        assert!((worst_round(&silent, 9, 6, Normalisation::Iterates) + 1.0 / 3.0).abs() < 1e-12);
        assert!((worst_round(&silent, 9, 6, Normalisation::AsPrinted) + 0.5).abs() < 1e-12);
    }

    #[test]
    fn the_cycle_is_the_worst_without_noise() {
        // c = 1½: (½, 0, −1) and again, sum −½ a cycle.
        let lattice = Lattice::new(2, 1, 3, 0);
        assert_eq!(worst_sum(&lattice, 1, 3), -1.0);
        assert_eq!(worst_sum(&lattice, 1, 30), -10.0);
        assert_eq!(worst_sum(&lattice, -2, 1), -2.0);
    }

    #[test]
    fn the_smallest_sum_of_a_round_by_hand() {
        // D = 3: 7, 4, 1, 0, −3.
        assert_eq!(smallest_sum(&Lattice::new(2, 1, 9, 1), 7), 9);
        // One fall is possible, 2.
        assert_eq!(smallest_sum(&Lattice::new(2, 2, 9, 0), 5), 5 + 3 + 1 - 1);
    }
}
