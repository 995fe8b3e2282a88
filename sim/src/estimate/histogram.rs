//! Counts of values in equal bins.

use serde::{Deserialize, Serialize};

use crate::error::finite;
use crate::{Error, Result};

/// How many values fell into each of some equal bins over \[low, high), and how many beside them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    low: f64,
    high: f64,
    counts: Vec<u64>,
    below: u64,
    above: u64,
}

impl Histogram {
    /// An empty one: `low` < `high`, both finite, and at least one bin.
    pub fn new(low: f64, high: f64, bins: usize) -> Result<Self> {
        finite("low end of the histogram", low)?;
        if !(high > low && (high - low).is_finite()) {
            return Err(Error::domain("high end of the histogram", high, format!("a finite number above {low}")));
        }
        if bins == 0 {
            return Err(Error::domain("number of bins", bins, "at least 1"));
        }
        Ok(Self { low, high, counts: vec![0; bins], below: 0, above: 0 })
    }

    /// Counts a value; one that is not a number counts as above.
    #[inline]
    pub fn push(&mut self, value: f64) {
        let bins = self.counts.len();
        let place = (value - self.low) / (self.high - self.low) * bins as f64;
        if place < 0.0 {
            self.below += 1;
        } else if value < self.high {
            // Rounding may put a value just below the high end into the bin after the last.
            self.counts[(place as usize).min(bins - 1)] += 1;
        } else {
            self.above += 1;
        }
    }

    /// Adds the counts of a histogram with the same bins.
    ///
    /// # Errors
    /// [`Error::Domain`] if the bins are others.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if (self.low, self.high, self.counts.len()) != (other.low, other.high, other.counts.len()) {
            let bins = |it: &Self| format!("{} bins over [{}, {})", it.counts.len(), it.low, it.high);
            return Err(Error::domain("histogram to add", bins(other), bins(self)));
        }
        self.counts.iter_mut().zip(&other.counts).for_each(|(mine, more)| *mine += more);
        self.below += other.below;
        self.above += other.above;
        Ok(())
    }

    /// The counts of the bins, in order.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many values were below the first bin, and how many at or above the end of the last.
    pub fn beside(&self) -> [u64; 2] {
        [self.below, self.above]
    }

    /// All values counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.below + self.above
    }

    /// The lower end of a bin; of the one after the last, the high end.
    pub fn edge(&self, bin: usize) -> f64 {
        self.low + (self.high - self.low) * bin as f64 / self.counts.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fall_into_half_open_bins() {
        let mut histogram = Histogram::new(-1.0, 1.0, 4).expect("valid");
        for value in [-1.0, -0.51, -0.5, 0.0, 0.99, 1.0, 7.0, -1.001, f64::NAN] {
            histogram.push(value);
        }
        assert_eq!((histogram.counts(), histogram.beside(), histogram.total()), (&[2, 1, 1, 1][..], [1, 3], 9));
        assert_eq!([0, 1, 4].map(|bin| histogram.edge(bin)), [-1.0, -0.5, 1.0]);
        let mut narrow = Histogram::new(0.1, 0.7, 3).expect("valid");
        narrow.push(0.7_f64.next_down());
        assert_eq!(narrow.counts(), [0, 0, 1]);
    }

    #[test]
    fn only_equal_bins_are_added() {
        let mut histogram = Histogram::new(0.0, 1.0, 2).expect("valid");
        histogram.push(0.75);
        let copy = histogram.clone();
        histogram.merge(&copy).expect("the same bins");
        assert_eq!(histogram.counts(), [0, 2]);
        assert!(histogram.merge(&Histogram::new(0.0, 1.0, 3).expect("valid")).is_err());
        for (low, high, bins) in [(0.0, 0.0, 1), (0.0, 1.0, 0), (f64::NAN, 1.0, 1), (f64::MIN, f64::MAX, 1)] {
            assert!(Histogram::new(low, high, bins).is_err());
        }
    }
}
