//! Spearman's rank correlation: does one quantity grow with another?
//!
//! C. Spearman, "The proof and measurement of association between two things", American Journal of Psychology 15 (1904).
//! Ties get the mean of their ranks, and the correlation is Pearson's of these ranks.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::{Bootstrap, Confidence, Interval, percentile_interval};
use crate::error::finite;
use crate::{Error, Result, Seed};

/// The most pairs whose permutations are all gone through (9! = 362,880).
const MOST_PAIRS: usize = 9;

/// Random permutations where there are more pairs.
const PERMUTATIONS: u64 = 9_999;

/// Spearman's correlation of a sample of pairs, with what is known of its error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spearman {
    /// The number of pairs.
    pub pairs: u64,
    /// The correlation, in [−1, 1], with its bootstrap percentile interval over pairs. A replicate whose values are all
    /// equal on one side shows no order and counts as 0. Few pairs make the interval too narrow: where all replicates
    /// have one order it has no width at all. The p-value does not have this fault.
    pub correlation: Interval,
    /// Two-sided p-value of independence: the share of the n! pairings whose correlation is at least as far from 0.
    pub p_value: f64,
    /// Whether all pairings were gone through (up to 9 pairs). Otherwise 9,999 random ones were drawn and the seen one
    /// counts as one more, which keeps the test's level.
    pub is_exact: bool,
}

/// Spearman's correlation of pairs (x_i, y_i), its bootstrap interval and its permutation test.
///
/// Random permutations come from stream `permutation` of the bootstrap's seed.
///
/// # Errors
/// Fewer than two pairs, not one y an x, values that are not finite, and values that are all equal on one side,
/// of which no rank correlation exists.
pub fn spearman(x: &[f64], y: &[f64], confidence: Confidence, bootstrap: &Bootstrap) -> Result<Spearman> {
    if x.len() < 2 {
        return Err(Error::domain("number of pairs", x.len(), "at least 2"));
    }
    if y.len() != x.len() {
        return Err(Error::domain("number of y values", y.len(), format!("{}, one an x value", x.len())));
    }
    for (name, values) in [("x", x), ("y", y)] {
        values.iter().try_for_each(|&value| finite(&format!("{name} value"), value).map(drop))?;
        if values.iter().all(|value| value == &values[0]) {
            return Err(Error::domain(format!("all {name} values"), values[0], "at least two different values"));
        }
    }
    let (order_x, order_y) = (Order::of(x), Order::of(y));
    let statistic = |draws: &[u32]| correlation(&order_x.ranks(draws), &order_y.ranks(draws), draws).unwrap_or(0.0);
    let interval = percentile_interval(x.len(), statistic, confidence, bootstrap)?;
    let once = vec![1; x.len()];
    let (ranks_x, mut ranks_y) = (order_x.ranks(&once), order_y.ranks(&once));
    let (p_value, is_exact) = if x.len() <= MOST_PAIRS {
        (exact_p(&ranks_x, &mut ranks_y), true)
    } else {
        (sampled_p(&ranks_x, &mut ranks_y, bootstrap.seed()), false)
    };
    Ok(Spearman { pairs: x.len() as u64, correlation: interval, p_value, is_exact })
}

/// The values of a sample in increasing order, equal ones together.
struct Order {
    groups: Vec<Vec<usize>>,
}

impl Order {
    fn of(values: &[f64]) -> Self {
        let mut indices: Vec<usize> = (0..values.len()).collect();
        indices.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
        // Unlike the total order, equality knows −0 and 0 as one; they are neighbours.
        let groups = indices.chunk_by(|&i, &j| values[i] == values[j]).map(<[usize]>::to_vec).collect();
        Self { groups }
    }

    /// Twice each value's rank less n + 1, a whole number, where value i is drawn `draws[i]` times and n is the number of
    /// draws. These centred ranks sum to 0 over the draws.
    fn ranks(&self, draws: &[u32]) -> Vec<i64> {
        let drawn = |group: &Vec<usize>| group.iter().map(|&i| i64::from(draws[i])).sum::<i64>();
        let n: i64 = self.groups.iter().map(drawn).sum();
        let mut ranks = vec![0; draws.len()];
        let mut below = 0;
        for group in &self.groups {
            let here = drawn(group);
            // The ranks below + 1 … below + here have twice the mean 2·below + here + 1.
            for &i in group {
                ranks[i] = 2 * below + here - n;
            }
            below += here;
        }
        ranks
    }
}

/// Σ a_i b_i over the draws.
fn product(a: &[i64], b: &[i64], draws: &[u32]) -> i64 {
    a.iter().zip(b).zip(draws).map(|((a, b), &n)| a * b * i64::from(n)).sum()
}

/// Pearson's correlation of centred ranks; `None` if one side is constant.
fn correlation(a: &[i64], b: &[i64], draws: &[u32]) -> Option<f64> {
    // One root of the product: of equal squares it is exact, and equal orders correlate by exactly 1.
    let norms = (product(a, a, draws) as f64 * product(b, b, draws) as f64).sqrt();
    (norms > 0.0).then(|| (product(a, b, draws) as f64 / norms).clamp(-1.0, 1.0))
}

/// The size of Σ a_i b_i. Norms do not depend on the pairing, so whole numbers decide which pairing is farther from 0.
fn distance(a: &[i64], b: &[i64]) -> i64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum::<i64>().abs()
}

/// The share of all pairings at least as far from 0, by Heap's enumeration.
fn exact_p(x: &[i64], y: &mut [i64]) -> f64 {
    let seen = distance(x, y);
    let (mut all, mut far) = (1u64, 1u64);
    let mut counters = vec![0; y.len()];
    let mut i = 1;
    while i < y.len() {
        if counters[i] < i {
            y.swap(if i % 2 == 0 { 0 } else { counters[i] }, i);
            all += 1;
            far += u64::from(distance(x, y) >= seen);
            counters[i] += 1;
            i = 1;
        } else {
            counters[i] = 0;
            i += 1;
        }
    }
    far as f64 / all as f64
}

/// The same share among random pairings and the one seen.
fn sampled_p(x: &[i64], y: &mut [i64], seed: Seed) -> f64 {
    let seen = distance(x, y);
    let mut rng = seed.stream("permutation", 0);
    let mut far = 1u64;
    for _ in 0..PERMUTATIONS {
        for i in (1..y.len()).rev() {
            y.swap(i, rng.random_range(0..=i));
        }
        far += u64::from(distance(x, y) >= seen);
    }
    far as f64 / (PERMUTATIONS + 1) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seed::standard_normal;

    fn of(x: &[f64], y: &[f64]) -> Spearman {
        spearman(x, y, Confidence::P95, &Bootstrap::default()).expect("valid")
    }

    #[test]
    fn values_by_hand() {
        // No ties: 1 − 6Σd²/(n(n² − 1)). Ranks 1 2 3 4 5 against 2 1 4 3 5: Σd² = 4, so 0.8; of the 120 pairings 8 have
        // Σd² ≤ 4 and as many Σd² ≥ 36, which the published table gives as p = 0.1333.
        let test = of(&[1.0, 2.0, 3.0, 4.0, 5.0], &[20.0, 10.0, 40.0, 30.0, 50.0]);
        assert!((test.correlation.estimate - 0.8).abs() < 1e-15);
        assert!((test.p_value - 16.0 / 120.0).abs() < 1e-15 && test.is_exact && test.pairs == 5);
        // IQ and hours of television, ten pairs: Σd² = 194, so −29/165.
        let iq = [106.0, 86.0, 100.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0];
        let hours = [7.0, 0.0, 27.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];
        let test = of(&iq, &hours);
        assert!((test.correlation.estimate + 29.0 / 165.0).abs() < 1e-15);
        // The exact p-value is 0.63214; 9,999 draws leave ±0.029 (six standard deviations, false alarm 2e-9).
        assert!(!test.is_exact && (test.p_value - 0.63214).abs() < 0.03, "{}", test.p_value);
    }

    #[test]
    fn ties_share_the_mean_of_their_ranks() {
        // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5.
        let test = of(&[1.0, 2.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0]);
        assert!((test.correlation.estimate - 4.5 / 22.5f64.sqrt()).abs() < 1e-15);
        // Of the 24 pairings the two with the tied pair in the middle, upwards or downwards, are as far: 4.
        assert!((test.p_value - 4.0 / 24.0).abs() < 1e-15);
        assert_eq!(of(&[0.0, -0.0, 1.0], &[5.0, 5.0, 6.0]).correlation.estimate, 1.0);
    }

    #[test]
    fn a_perfect_order_is_one_and_its_p_value_two_in_n_factorial() {
        let x: Vec<f64> = (0..6).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| -x * x * x).collect();
        let test = of(&x, &y);
        assert_eq!(test.correlation.estimate, -1.0);
        assert!((test.p_value - 2.0 / 720.0).abs() < 1e-15);
    }

    #[test]
    fn independence_is_rejected_as_often_as_it_should_be() {
        // 2,000 samples of 7 pairs: of the 5,040 pairings 242 have p ≤ 0.05, a chance of 0.0480, so the count is
        // 96 ± 57 (six standard deviations of 9.56, false alarm 2e-9).
        let sample = |purpose: &str, index| {
            let mut rng = Seed(8).stream(purpose, index);
            (0..7).map(|_| standard_normal(&mut rng)).collect::<Vec<f64>>()
        };
        let quick = Bootstrap::new(100, Seed(0)).expect("valid");
        let rejected = (0..2_000)
            .filter(|&i| {
                let test = spearman(&sample("rank x", i), &sample("rank y", i), Confidence::P95, &quick);
                test.expect("valid").p_value <= 0.05
            })
            .count();
        assert!((39..=153).contains(&rejected), "{rejected}");
    }

    #[test]
    fn the_interval_covers_the_correlation_about_as_often_as_it_says() {
        // Normal pairs with Pearson's correlation ½ have Spearman's (6/π)·asin(¼). 300 samples of 100 pairs at 90 %: the
        // percentile interval is asymptotic, so its coverage is allowed to be 85 to 95 %; five standard deviations (5.2 to
        // 6.2) beyond that leave a false alarm below 1e-6.
        let wanted = 6.0 / std::f64::consts::PI * libm::asin(0.25);
        let level = Confidence::new(0.9).expect("a level");
        let covered = (0..300)
            .filter(|&index| {
                let mut rng = Seed(9).stream("rank pairs", index);
                let x: Vec<f64> = (0..100).map(|_| standard_normal(&mut rng)).collect();
                let y: Vec<f64> = x.iter().map(|x| 0.5 * x + 0.75f64.sqrt() * standard_normal(&mut rng)).collect();
                let bootstrap = Bootstrap::new(200, Seed(index)).expect("valid");
                spearman(&x, &y, level, &bootstrap).expect("valid").correlation.contains(wanted)
            })
            .count();
        assert!((224..=300).contains(&covered), "{covered}");
    }

    #[test]
    fn refuses_what_has_no_rank_correlation() {
        let message = |x: &[f64], y: &[f64]| {
            spearman(x, y, Confidence::P95, &Bootstrap::default()).expect_err("invalid").to_string()
        };
        assert_eq!(message(&[1.0], &[1.0]), "number of pairs is 1; allowed: at least 2");
        assert_eq!(message(&[1.0, 2.0], &[1.0]), "number of y values is 1; allowed: 2, one an x value");
        assert_eq!(message(&[1.0, f64::NAN], &[1.0, 2.0]), "x value is NaN; allowed: a finite number");
        assert_eq!(message(&[1.0, 2.0], &[3.0, 3.0]), "all y values is 3; allowed: at least two different values");
    }

    proptest! {
        #[test]
        fn only_the_order_counts(pairs in prop::collection::vec((0..5i32, 0..5i32), 3..9)) {
            let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).unzip();
            prop_assume!(x.iter().any(|v| v != &x[0]) && y.iter().any(|v| v != &y[0]));
            let test = of(&x, &y);
            let stretched: Vec<f64> = x.iter().map(|x| x * x * x + 2.0).collect();
            let turned: Vec<f64> = y.iter().map(|y| -y).collect();
            prop_assert_eq!(of(&stretched, &y), test);
            prop_assert_eq!(of(&y, &x).correlation.estimate, test.correlation.estimate);
            prop_assert_eq!(of(&y, &x).p_value, test.p_value);
            prop_assert_eq!(of(&x, &turned).correlation.estimate, -test.correlation.estimate);
            prop_assert_eq!(of(&x, &turned).p_value, test.p_value);
            prop_assert!(test.p_value > 0.0 && test.p_value <= 1.0);
        }

        #[test]
        fn a_value_drawn_twice_is_a_value_twice(pairs in prop::collection::vec((0..5i32, 0..5i32, 0..3u32), 3..9)) {
            let column = |f: fn(&(i32, i32, u32)) -> i32| pairs.iter().map(|pair| f64::from(f(pair))).collect::<Vec<_>>();
            let (x, y) = (column(|p| p.0), column(|p| p.1));
            let draws: Vec<u32> = pairs.iter().map(|pair| pair.2).collect();
            let repeated = |values: &[f64]| -> Vec<f64> {
                values.iter().zip(&draws).flat_map(|(&v, &n)| std::iter::repeat_n(v, n as usize)).collect()
            };
            let weighed = correlation(&Order::of(&x).ranks(&draws), &Order::of(&y).ranks(&draws), &draws);
            let (long_x, long_y) = (Order::of(&repeated(&x)), Order::of(&repeated(&y)));
            let once = vec![1; draws.iter().sum::<u32>() as usize];
            prop_assert_eq!(weighed, correlation(&long_x.ranks(&once), &long_y.ranks(&once), &once));
        }
    }
}
