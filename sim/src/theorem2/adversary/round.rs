//! The per-round threshold: the c from which E[w̄ | start] > 0 in every prepared round.
//!
//! Where (c − 1)a₊ ≥ 2ν a prepared round starts at w_min = (c − 1)a₊ − 2ν or higher (η = 1) and has one sharp iterate, its
//! last. So c enters through w_min alone, and with V(w₀) the smallest E[w̄ | w₀] the threshold is 1 + 2ν plus the
//! largest start at which V is negative.
//!
//! E[w̄] is no sum of costs. The state holds, besides the iterate w ≥ 0, the sum S and the number n of the round's iterates so
//! far, w among them, and the round ends at x < 0 with (S + x)/(n + 1). Where S or n grow too large the recursion stops
//! at bounds on what is still to come:
//!
//! - above the smallest: the average that slopes a₊ without noise lead to;
//! - below it: the round's sum is at least S − D, and E[N] is at most n + (w + D)/β, since w falls by β in the mean. So
//!   E[w̄] ≥ (S − D)E[1/N] ≥ (S − D)/(n + (w + D)/β) if S ≥ D, and E[w̄] ≥ −(D − S)/(n + 1) if not.

use super::Enclosure;
use super::enclosure::in_cells;
use super::law::best_law;
use super::walk::Kind;
use crate::progress::Observer;
use crate::{Error, Result};

/// Flat iterates after which the recursion stops: this many, and [`DESCENTS`] times those that fall by a₊.
const LEAST_ITERATES: usize = 32;
const DESCENTS: usize = 16;

/// Sums at which it stops, in units of D.
const LARGEST_SUM: usize = 4;

/// The c from which E\[w̄ | w₀\] > 0 for every start w₀ ≥ w_min of a prepared round, for ν and b₊ in units of a₊, with
/// `cells` cells to ηa₊.
///
/// # Errors
/// b₊ or ν is no whole number of cells, or b₊ lies outside (0, 1]; or an interruption.
pub fn per_round_threshold(nu: f64, b_plus: f64, cells: u16, observer: &dyn Observer) -> Result<Enclosure> {
    let [descent, noise] = in_cells(b_plus, nu, cells)?;
    let round = |kind, side| Round { kind, side, steepest: usize::from(cells), descent, noise };
    let last = |values: &[f64], test: fn(f64) -> bool| values.iter().rposition(|&value| test(value)).unwrap_or(0);
    let in_c = |start: usize| 1.0 + 2.0 * nu + start as f64 / f64::from(cells);
    // A round from 0 may go on to −1, so that the search never comes out empty.
    let negative = last(&round(Kind::OnLattice, Side::Above).values(observer)?, |value| value < 0.0);
    let threshold = last(&round(Kind::OnLattice, Side::Below).values(observer)?, |value| value <= 0.0);
    let certain = last(&round(Kind::RoundedDown, Side::Below).values(observer)?, |value| value <= 0.0) + 1;
    Ok(Enclosure { negative: in_c(negative), threshold: in_c(threshold), certain: Some(in_c(certain)) })
}

/// On which side of the true value the recursion's end is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Above,
    Below,
}

/// A round's bounds, in cells.
struct Round {
    kind: Kind,
    side: Side,
    /// a₊.
    steepest: usize,
    /// b₊.
    descent: usize,
    /// ν.
    noise: usize,
}

impl Round {
    /// D.
    fn reach(&self) -> usize {
        self.steepest + self.noise
    }

    /// V(w₀) for w₀ = 0, 1, …, D; from higher starts the average is positive for sure (P).
    fn values(&self, observer: &dyn Observer) -> Result<Vec<f64>> {
        let sums = LARGEST_SUM * self.reach();
        // later[S][w], w ≤ S, at one iterate more.
        let last = LEAST_ITERATES + DESCENTS * self.steepest / self.descent;
        let ends = |sum: usize| (0..=sum).map(|point| self.end(point, sum, last)).collect();
        let mut later: Vec<Vec<f64>> = (0..sums).map(ends).collect();
        for count in (1..last).rev() {
            if observer.interrupted() {
                return Err(Error::Interrupted);
            }
            later = (0..sums).map(|sum| self.earlier(&later, sum, count)).collect();
        }
        Ok((0..=self.reach()).map(|start| later[start][start]).collect())
    }

    /// The smallest expected average at every iterate ≤ `sum`, from those at one iterate more.
    fn earlier(&self, later: &[Vec<f64>], sum: usize, count: usize) -> Vec<f64> {
        // Place i stands for the next iterate i − D.
        let zero = self.reach();
        let next: Vec<f64> = (0..=zero + sum + self.noise)
            .map(|place| {
                let Some(point) = place.checked_sub(zero) else {
                    return (sum as f64 - (zero - place) as f64) / (count + 1) as f64;
                };
                match later.get(sum + point) {
                    Some(values) => values[point],
                    None => self.end(point, sum + point, count + 1),
                }
            })
            .collect();
        let mut slope = 0.0;
        let means: Vec<f64> = (self.noise..=zero + sum - self.descent)
            .map(|middle| {
                let window = middle - self.noise..=middle + self.noise;
                let around = match self.kind {
                    Kind::OnLattice => middle..=middle,
                    Kind::RoundedDown => (middle - self.noise.min(1))..=middle + self.noise.min(1),
                };
                around.map(|mean| best_law(&next, window.clone(), mean, &mut slope).0).fold(f64::INFINITY, f64::min)
            })
            .collect();
        // From w the mean lies between w − a₊ and w − b₊; the first of `means` is that of −a₊.
        (0..=sum)
            .map(|point| {
                let allowed = &means[point..=point + self.steepest - self.descent];
                allowed.iter().copied().fold(f64::INFINITY, f64::min)
            })
            .collect()
    }

    /// A bound on the smallest expected average that is still to come from w = `point`.
    fn end(&self, point: usize, sum: usize, count: usize) -> f64 {
        let [sum, reach] = [sum as f64, self.reach() as f64];
        match self.side {
            Side::Above => {
                let full = point / self.steepest;
                // w − a₊, w − 2a₊, … down to the first below 0.
                let added = (full + 1) as f64 * point as f64 - (self.steepest * (full + 1) * (full + 2) / 2) as f64;
                (sum + added) / (count + full + 1) as f64
            }
            Side::Below if sum < reach => (sum - reach) / (count + 1) as f64,
            Side::Below => {
                // Rounded down, the iterate may be one cell higher.
                let point = (point + usize::from(self.kind == Kind::RoundedDown)) as f64;
                (sum - reach) / (count as f64 + (point + reach) / self.descent as f64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::theorem2::per_round;

    fn threshold(nu: f64, b_plus: f64, cells: u16) -> Enclosure {
        per_round_threshold(nu, b_plus, cells, &Silent).expect("solved")
    }

    #[test]
    fn up_to_half_the_noise_it_is_the_theorems() {
        for (nu, b_plus) in [(0.0, 0.25), (0.25, 0.5), (0.5, 0.5)] {
            let Enclosure { negative, threshold, certain } = threshold(nu, b_plus, 8);
            let exact = per_round::threshold(nu);
            assert!(threshold == exact && exact - negative <= 0.125, "ν = {nu}: {negative} to {threshold}");
            assert!(certain.is_some_and(|c| c > exact && c <= exact + 0.25), "{certain:?}");
        }
    }

    #[test]
    fn above_half_the_noise_it_lies_below_the_theorems() {
        for (nu, expected) in [(0.75, 3.75), (1.0, 4.5)] {
            let Enclosure { negative, threshold, certain } = threshold(nu, 0.5, 8);
            assert_eq!((negative, threshold), (expected, expected), "ν = {nu}, on eighths");
            assert!(certain.is_some_and(|c| c < per_round::threshold(nu)), "{certain:?}");
        }
        // A smaller b₊ lets a round wait longer.
        assert!(threshold(1.0, 0.0625, 16).negative > 4.5);
    }

    #[test]
    fn without_choices_the_recursion_is_a_sum() {
        // Slopes a₊ without noise, cells of 1/4: from w₀ = ¾ the round is ¾, −¼, from ½ it is ½, −½.
        let round = Round { kind: Kind::OnLattice, side: Side::Above, steepest: 4, descent: 4, noise: 0 };
        let values = round.values(&Silent).expect("solved");
        assert_eq!(values, [-2.0, -1.0, 0.0, 1.0, 0.0]);
        let round = Round { side: Side::Below, ..round };
        assert_eq!(round.values(&Silent).expect("solved"), [-2.0, -1.0, 0.0, 1.0, 0.0]);
    }
}
