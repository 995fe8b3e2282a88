//! The bootstrap: intervals from resampling a measured sample.

use rand::RngExt;
use rayon::prelude::*;

use super::{Confidence, Interval, Moments};
use crate::error::finite;
use crate::{Error, Result, Seed};

/// How to resample: the number of replicates, at least 100 (default 1000), and the seed (default 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    replicates: usize,
    seed: Seed,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { replicates: 1000, seed: Seed(0) }
    }
}

impl Bootstrap {
    /// Checks the number of replicates, at least 100.
    pub fn new(replicates: usize, seed: Seed) -> Result<Self> {
        if replicates < 100 {
            return Err(Error::domain("bootstrap replicates", replicates, "at least 100"));
        }
        Ok(Self { replicates, seed })
    }

    /// The same number of replicates from another seed.
    pub fn with_seed(self, seed: Seed) -> Self {
        Self { seed, ..self }
    }

    pub(super) fn seed(&self) -> Seed {
        self.seed
    }

    /// Calls `f` on every replicate's number of draws of each of `count` values, and sorts what comes out.
    fn sorted(&self, count: usize, f: impl Fn(&[u32]) -> f64 + Sync) -> Vec<f64> {
        let replicate = |index: u64| {
            let mut rng = self.seed.stream("bootstrap", index);
            let mut draws = vec![0; count];
            for _ in 0..count {
                draws[rng.random_range(0..count)] += 1;
            }
            f(&draws)
        };
        let mut values: Vec<f64> = (0..self.replicates as u64).into_par_iter().map(replicate).collect();
        values.sort_by(f64::total_cmp);
        values
    }
}

/// The bootstrap percentile interval of a statistic of a sample of independent values.
///
/// `statistic` is called with each value's number of draws, from which it computes the replicate; one draw each gives
/// the estimate itself.
///
/// # Errors
/// Fewer than two values, or a statistic that is not finite.
pub fn percentile_interval(
    count: usize,
    statistic: impl Fn(&[u32]) -> f64 + Sync,
    confidence: Confidence,
    bootstrap: &Bootstrap,
) -> Result<Interval> {
    at_least_two(count)?;
    let estimate = finite("statistic of the sample", statistic(&vec![1; count]))?;
    let values = bootstrap.sorted(count, statistic);
    finite("lowest bootstrap statistic", values[0])?;
    finite("highest bootstrap statistic", values[values.len() - 1])?;
    let tail = confidence.error_rate() / 2.0;
    Ok(Interval { low: quantile(&values, tail), estimate, high: quantile(&values, 1.0 - tail) })
}

/// Half-widths of a band around the means of several quantities measured on the same examples; all true means lie in it
/// at once with the given confidence, asymptotically in the number of examples.
///
/// One row a quantity, one column an example. Half-width i is q times the standard error of mean i, where q is the
/// bootstrap quantile of the largest deviation of a mean, in standard errors; examples are drawn whole, so the
/// correlations between quantities count. A quantity that is the same for all examples has half-width 0.
///
/// # Errors
/// No rows, rows of different lengths, fewer than two examples, or a variance that is not finite.
pub fn simultaneous_band(rows: &[Vec<f64>], confidence: Confidence, bootstrap: &Bootstrap) -> Result<Vec<f64>> {
    let Some(first) = rows.first() else {
        return Err(Error::domain("number of quantities", 0, "at least 1"));
    };
    let count = first.len();
    at_least_two(count)?;
    let mut errors = Vec::with_capacity(rows.len());
    let mut deviations = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        if row.len() != count {
            return Err(Error::domain(format!("number of examples of quantity {i}"), row.len(), count));
        }
        let moments = Moments::of(row);
        let error = finite(&format!("standard error of quantity {i}"), moments.standard_error().unwrap_or(f64::NAN))?;
        errors.push(error);
        if error > 0.0 {
            let scale = 1.0 / (error * count as f64);
            deviations.push(row.iter().map(|value| (value - moments.mean()) * scale).collect::<Vec<f64>>());
        }
    }
    let largest = |draws: &[u32]| {
        let weights: Vec<f64> = draws.iter().map(|&draws| f64::from(draws)).collect();
        deviations.iter().map(|row| dot(row, &weights).abs()).fold(0.0, f64::max)
    };
    let q = quantile(&bootstrap.sorted(count, largest), confidence.level());
    Ok(errors.iter().map(|error| q * error).collect())
}

/// The inner product in eight interleaved sums, an order the compiler can keep in vector registers.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (mut a_chunks, mut b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let mut sums = [0.0; 8];
    for (x, y) in (&mut a_chunks).zip(&mut b_chunks) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f64 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

/// The order statistic at rank ⌈level·(n + 1)⌉, the conservative choice among neighbours.
fn quantile(sorted: &[f64], level: f64) -> f64 {
    let rank = (level * (sorted.len() + 1) as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

fn at_least_two(count: usize) -> Result<()> {
    if count < 2 { Err(Error::domain("number of values", count, "at least 2")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::standard_normal;

    #[track_caller]
    fn assert_close(seen: f64, wanted: f64, error: f64) {
        assert!((seen - wanted).abs() <= error, "{seen}, wanted {wanted}");
    }

    /// Ten quantities on shared examples: a common part that cancels in none of them, and own noise.
    fn shared(index: u64, examples: usize) -> Vec<Vec<f64>> {
        let mut rng = Seed(5).stream("shared", index);
        let common: Vec<f64> = (0..examples).map(|_| standard_normal(&mut rng)).collect();
        (0..10).map(|i| common.iter().map(|x| f64::from(i % 2) * x + standard_normal(&mut rng)).collect()).collect()
    }

    #[test]
    fn a_band_covers_all_means_at_once_as_often_as_it_says() {
        // 300 data sets of 200 examples, 90 %: the count is about binomial(300, 0.9), standard deviation 5.2; 244 is five
        // of these below 270 (probability below 1e-6). Ten bands of 90 % each would cover at once about 0.9¹⁰ ≈ 105 times.
        let bootstrap = |index| Bootstrap::new(200, Seed(index)).expect("valid");
        let covered = (0..300).filter(|&index| {
            let rows = shared(index, 200);
            let half =
                simultaneous_band(&rows, Confidence::new(0.9).expect("a level"), &bootstrap(index)).expect("valid");
            rows.iter().zip(half).all(|(row, half)| Moments::of(row).mean().abs() <= half)
        });
        let covered = covered.count();
        assert!((244..=296).contains(&covered), "{covered}");
    }

    #[test]
    fn a_band_has_the_same_bits_for_any_number_of_threads() {
        let rows = shared(0, 60);
        let band = || simultaneous_band(&rows, Confidence::P95, &Bootstrap::default()).expect("valid");
        let threads = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("pool");
        assert_eq!(threads(1).install(band), threads(2).install(band));
        let constant =
            simultaneous_band(&[vec![2.0; 5], vec![0.0, 1.0, 2.0, 3.0, 4.0]], Confidence::P95, &Bootstrap::default());
        let constant = constant.expect("valid");
        assert!(constant[0] == 0.0 && constant[1] > 0.0);
    }

    #[test]
    fn the_percentile_interval_of_a_mean_is_near_the_normal_one() {
        // 400 normal values and 4,000 replicates: the ends are those of ±1.96 standard errors to within 10 %, six standard
        // deviations of a bootstrap quantile (1.1/√4000 ≈ 1.7 % of a standard error each).
        let mut rng = Seed(6).stream("sample", 0);
        let sample: Vec<f64> = (0..400).map(|_| standard_normal(&mut rng)).collect();
        let moments = Moments::of(&sample);
        let mean = |draws: &[u32]| sample.iter().zip(draws).map(|(x, &n)| x * f64::from(n)).sum::<f64>() / 400.0;
        let bootstrap = Bootstrap::new(4_000, Seed(7)).expect("valid");
        let interval = percentile_interval(400, mean, Confidence::P95, &bootstrap).expect("valid");
        let error = moments.standard_error().expect("enough");
        assert_close(interval.estimate, moments.mean(), 1e-12);
        assert_close((moments.mean() - interval.low) / error, 1.96, 0.2);
        assert_close((interval.high - moments.mean()) / error, 1.96, 0.2);
    }

    #[test]
    fn refuses_bad_input() {
        assert!(Bootstrap::new(99, Seed(0)).is_err());
        let band = |rows: &[Vec<f64>]| simultaneous_band(rows, Confidence::P95, &Bootstrap::default());
        assert!(band(&[]).is_err() && band(&[vec![1.0]]).is_err() && band(&[vec![1.0, 2.0], vec![1.0]]).is_err());
        assert!(percentile_interval(5, |_| f64::NAN, Confidence::P95, &Bootstrap::default()).is_err());
    }
}
