//! Finite chains of SGD, given place by place: examples whose every number can be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use valleys_sim::theorem2::ProcessHypothesis;

use super::{Lattice, Number, Process, Ratio};

/// One place of a [`Chain`].
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// w, in cells.
    pub point: i64,
    /// g, in cells.
    pub slope: i64,
    /// Where the chain goes: places by their number, with probabilities above 0. The noise is what takes it there.
    pub next: Vec<(Ratio, usize)>,
}

/// A finite chain w′ = w − (g + ω) with the bounds it is meant to keep. Place 0 is where it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// The setting.
    pub lattice: Lattice,
    /// The places, at least one.
    pub places: Vec<Place>,
}

impl Chain {
    /// A chain without branches through the given (point, slope), in order, that goes back to the first.
    pub fn cycle(lattice: Lattice, visits: &[(i64, i64)]) -> Self {
        let next = |i: usize| vec![(Ratio::ONE, (i + 1) % visits.len())];
        let place = |(i, &(point, slope)): (usize, &(i64, i64))| Place { point, slope, next: next(i) };
        Self { lattice, places: visits.iter().enumerate().map(place).collect() }
    }

    /// The hypotheses on slopes and noise that some place breaks. Exact.
    pub fn violations(&self) -> BTreeSet<ProcessHypothesis> {
        let Lattice { a_plus, b_plus, sharp, steepest, nu } = self.lattice;
        let mut broken = BTreeSet::new();
        for place in &self.places {
            let noise = |next: usize| Ratio::from(place.point - self.places[next].point - place.slope);
            let moment = |power: i32| {
                let term = |&(p, next): &(Ratio, usize)| (0..power).fold(p, |term, _| term * noise(next));
                place.next.iter().map(term).fold(Ratio::ZERO, |sum, term| sum + term)
            };
            let bound = Ratio::from(nu);
            let slopes = if place.point >= 0 { b_plus..=a_plus } else { -steepest..=-sharp };
            let is_law = moment(0) == Ratio::ONE && place.next.iter().all(|(p, _)| *p > Ratio::ZERO);
            for (holds, hypothesis) in [
                (is_law && moment(1) == Ratio::ZERO, ProcessHypothesis::ZeroMeanNoise),
                (
                    place.next.iter().all(|&(_, n)| noise(n) <= bound && -noise(n) <= bound),
                    ProcessHypothesis::BoundedNoise,
                ),
                (moment(2) - moment(1) * moment(1) <= bound * bound, ProcessHypothesis::BoundedVariance),
                (slopes.contains(&place.slope), ProcessHypothesis::SlopesWithinBounds),
            ] {
                if !holds {
                    broken.insert(hypothesis);
                }
            }
        }
        broken
    }

    /// The long-run mean of the iterates from place 0, in units of a₊, exactly; no number if it depends on chance.
    ///
    /// It is the m for which some h has h(i) + m = w_i + E[h(next of i)] at all places reached.
    pub fn long_run_mean(&self) -> Ratio {
        let reached = self.reached();
        let n = reached.len();
        let number: BTreeMap<usize, usize> = reached.iter().enumerate().map(|(i, &place)| (place, i)).collect();
        // Unknowns: m, then h of all places reached but the first, where it is 0.
        let rows = reached.iter().enumerate().map(|(i, &place)| {
            let mut row = vec![Ratio::ZERO; n + 1];
            row[0] = Ratio::ONE;
            if i > 0 {
                row[i] = row[i] + Ratio::ONE;
            }
            for &(p, next) in &self.places[place].next {
                if number[&next] > 0 {
                    row[number[&next]] = row[number[&next]] - p;
                }
            }
            row[n] = self.lattice.in_units(self.places[place].point);
            row
        });
        solve(rows.collect()).first().copied().unwrap_or(Ratio::new(0, 0))
    }

    fn reached(&self) -> Vec<usize> {
        let mut reached = vec![0];
        let mut looked_at = 0;
        while looked_at < reached.len() {
            for &(_, next) in &self.places[reached[looked_at]].next {
                if !reached.contains(&next) {
                    reached.push(next);
                }
            }
            looked_at += 1;
        }
        reached
    }
}

/// The solution of a square system of linear equations, rows of coefficients with the right side last; no numbers if there
/// is not exactly one.
fn solve(mut rows: Vec<Vec<Ratio>>) -> Vec<Ratio> {
    let n = rows.len();
    for column in 0..n {
        let Some(pivot) = (column..n).find(|&row| rows[row][column] != Ratio::ZERO) else {
            return vec![Ratio::new(0, 0); n];
        };
        rows.swap(column, pivot);
        let leader: Vec<Ratio> = rows[column].iter().map(|&x| x / rows[column][column]).collect();
        for (row, entries) in rows.iter_mut().enumerate() {
            let factor = entries[column];
            if row != column && factor != Ratio::ZERO {
                entries.iter_mut().zip(&leader).for_each(|(x, &y)| *x = *x - factor * y);
            }
        }
        rows[column] = leader;
    }
    rows.iter().map(|row| row[n]).collect()
}

impl Process for Chain {
    type Node = usize;

    fn point(&self, node: &usize) -> i64 {
        self.places[*node].point
    }

    fn step<N: Number>(&self, node: &usize) -> Vec<(N, usize)> {
        self.places[*node].next.iter().map(|&(p, next)| (p.as_number(), next)).collect()
    }
}

/// The setting, then every place reached: where it is, the slope, and where it goes.
impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.lattice)?;
        let unit = |cells: i64| self.lattice.in_units(cells);
        for (i, place) in self.reached().into_iter().map(|i| &self.places[i]).enumerate() {
            write!(f, "{} at {} slope {}, to ", if i == 0 { "" } else { ";" }, unit(place.point), unit(place.slope))?;
            for (j, (p, next)) in place.next.iter().enumerate() {
                write!(f, "{}{}", if j == 0 { "" } else { " or " }, unit(self.places[*next].point))?;
                if place.next.len() > 1 {
                    write!(f, " (p = {p})")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::{round_law, sums};

    /// At 0 slope ¾ and noise ±¾; c = 2½.
    fn noisy() -> Chain {
        let half = Ratio::new(1, 2);
        let places =
            [(0, 3, vec![(half, 0), (half, 1)]), (-6, -10, vec![(Ratio::ONE, 2)]), (4, 4, vec![(Ratio::ONE, 0)])];
        let place = |(point, slope, next)| Place { point, slope, next };
        Chain { lattice: Lattice::new(4, 1, 10, 3), places: places.into_iter().map(place).collect() }
    }

    #[test]
    fn a_long_run_mean_is_exact() {
        let chain = noisy();
        assert!(chain.violations().is_empty());
        assert_eq!(chain.long_run_mean(), Ratio::new(-1, 8));
        let sums = sums::<_, f64>(&chain, 0, 4_000, 10);
        assert!((sums[4_000] / 4_000.0 / 4.0 + 0.125).abs() < 1e-3);
        let shown = "η = a₊ = 1, b₊ = ¼, c = 5/2, ν = ¾: at 0 slope ¾, to 0 (p = ½) or −3/2 (p = ½); at −3/2 slope −5/2, \
                     to 1; at 1 slope 1, to 0";
        assert_eq!(chain.to_string(), shown);
    }

    #[test]
    fn two_absorbing_places_have_no_one_mean() {
        let half = Ratio::new(1, 2);
        let stay = |point, next| Place { point, slope: 1, next };
        let places =
            vec![stay(0, vec![(half, 1), (half, 2)]), stay(1, vec![(Ratio::ONE, 1)]), stay(2, vec![(Ratio::ONE, 2)])];
        assert!(!Chain { lattice: Lattice::new(1, 1, 2, 1), places }.long_run_mean().is_number());
    }

    #[test]
    fn every_broken_hypothesis_is_found() {
        use ProcessHypothesis::*;
        let broken = |change: fn(&mut Chain)| {
            let mut chain = noisy();
            change(&mut chain);
            chain.violations().into_iter().collect::<Vec<_>>()
        };
        assert_eq!(broken(|chain| chain.lattice.nu = 2), [BoundedNoise, BoundedVariance]);
        assert_eq!(broken(|chain| chain.lattice.a_plus = 3), [SlopesWithinBounds]);
        assert_eq!(broken(|chain| chain.lattice.sharp = 11), [SlopesWithinBounds]);
        assert_eq!(broken(|chain| chain.places[2].slope = 3), [ZeroMeanNoise]);
        assert_eq!(broken(|chain| chain.places[1].next.clear()), [ZeroMeanNoise]);
    }

    #[test]
    fn a_round_by_hand() {
        // From 1 to 0, then with probability ½ to −3/2 at every step: 1, 0 × k, −3/2 with probability 2^−k.
        let law = round_law::<_, Ratio>(&noisy(), 2, 3, 100);
        let quarter = |n: i128| Ratio::new(n, 4);
        // Sums are −½: over 3 iterates with probability ½, over 4 with probability ¼; in cells four times that.
        assert_eq!(law.average / Ratio::from(4), Ratio::new(-1, 2) * (Ratio::new(1, 6) + Ratio::new(1, 16)));
        assert_eq!(law.average_as_printed / Ratio::from(4), Ratio::new(-1, 2) * (quarter(1) + Ratio::new(1, 12)));
        assert_eq!(law.unfinished, [Ratio::ONE, Ratio::ONE, Ratio::new(1, 2)]);
        assert_eq!(law.length, Ratio::new(7, 2));
        assert_eq!((law.smallest_sum, law.lowest_next, law.steps), (Some(-2), Some(4), 3));
    }
}
