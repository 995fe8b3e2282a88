//! Stochastic weight averaging (Izmailov et al. 2018): the running mean of the weights of several epochs.

use valleys_sim::progress::Observer;

use crate::data::loader::Batches;
use crate::exec::{Executor, Weighting};
use crate::params::Weights;
use crate::{Error, Result, Scalar};

/// The running mean of flat weights, kept in `f64`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Average {
    mean: Vec<f64>,
    count: u64,
}

impl Average {
    /// The mean of no weights yet, of this dimension.
    pub fn new(dimension: usize) -> Self {
        Self { mean: vec![0.0; dimension], count: 0 }
    }

    /// A mean as [`mean`](Self::mean) and [`count`](Self::count) gave it.
    pub(crate) fn restored(mean: Vec<f64>, count: u64) -> Self {
        Self { mean, count }
    }

    /// Takes one more point in: mean ← mean + (w − mean)/(n + 1). `values` must have the mean's dimension.
    pub fn push<T: Scalar>(&mut self, values: &[T]) -> Result<()> {
        self.check_length(values.len())?;
        self.take_in(|mean, count| {
            for (mean, value) in mean.iter_mut().zip(values) {
                *mean += (value.to_f64() - *mean) / count as f64;
            }
            Ok(())
        })
    }

    /// Refuses weights of another dimension than the mean's.
    pub(crate) fn check_length(&self, dimension: usize) -> Result<()> {
        match dimension == self.mean.len() {
            true => Ok(()),
            false => Err(Error::domain("number of averaged weights", dimension, self.mean.len())),
        }
    }

    /// Lets the mean take in one more point of its dimension, whose number is told; it counts if that succeeds.
    pub(crate) fn take_in(&mut self, take: impl FnOnce(&mut [f64], u64) -> Result<()>) -> Result<()> {
        take(&mut self.mean, self.count + 1)?;
        self.count += 1;
        Ok(())
    }

    /// The mean so far.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Number of points taken in.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// `weights` with the mean in place of its values; its batch-norm statistics no longer fit and must be
    /// [recomputed](recompute_statistics).
    pub fn applied_to(&self, weights: &Weights<f32>) -> Weights<f32> {
        let mut averaged = weights.clone();
        averaged.values = self.mean.iter().map(|&value| value as f32).collect();
        averaged
    }
}

/// Replaces the batch-norm statistics of `weights` by their cumulative mean over one pass through images.
///
/// Stops with [`Error::Interrupted`] between batches if the observer asks.
pub fn recompute_statistics(
    executor: &mut Executor<f32>,
    weights: &mut Weights<f32>,
    batches: &dyn Batches,
    weighting: Weighting,
    observer: &dyn Observer,
) -> Result<()> {
    executor.load(weights)?.statistics(batches, weighting, observer)?.finish(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_mean_is_the_mean() {
        let mut average = Average::new(3);
        let points: Vec<[f32; 3]> = (0..50).map(|i| [i as f32, 1.0 / (i as f32 + 1.0), -7.5]).collect();
        for point in &points {
            average.push(point).expect("three weights");
        }
        assert_eq!(average.count(), 50);
        for (k, &mean) in average.mean().iter().enumerate() {
            let direct = points.iter().map(|point| f64::from(point[k])).sum::<f64>() / 50.0;
            assert!((mean - direct).abs() < 1e-12, "{mean} {direct}");
        }
        assert!(average.push(&[1.0]).is_err());
    }
}
