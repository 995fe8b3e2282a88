//! Batch-norm statistics from one pass over data, as weight averaging needs them.

use std::sync::Arc;

use super::run::AllMoments;
use crate::params::{Layout, Weights};
use crate::{Error, Result, Scalar};

/// How batches of different sizes share in the statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// In proportion to their images (momentum b/(n + b)), as the paper's code does.
    #[default]
    BySize,
    /// Equally, as PyTorch's `update_bn` does.
    Equal,
}

/// Cumulative means of the batch means and (unbiased) batch variances of every batch norm.
#[derive(Debug, Clone)]
pub struct StatisticsPass {
    layout: Arc<Layout>,
    weighting: Weighting,
    mean: Vec<f64>,
    var: Vec<f64>,
    weight: f64,
    batches: u64,
}

impl StatisticsPass {
    /// A pass that has seen nothing.
    pub fn new(layout: &Arc<Layout>, weighting: Weighting) -> Self {
        let zeros = vec![0.0; layout.channels()];
        Self { layout: Arc::clone(layout), weighting, mean: zeros.clone(), var: zeros, weight: 0.0, batches: 0 }
    }

    /// The share that a batch of `images` images is to have in the means, in (0, 1].
    pub(crate) fn share(&self, images: usize) -> f64 {
        let own = self.weight_of(images);
        own / (self.weight + own)
    }

    /// Counts a batch whose statistics have been taken in with its share.
    pub(crate) fn count(&mut self, images: usize) {
        self.weight += self.weight_of(images);
        self.batches += 1;
    }

    fn weight_of(&self, images: usize) -> f64 {
        match self.weighting {
            Weighting::BySize => images as f64,
            Weighting::Equal => 1.0,
        }
    }

    /// Takes in the statistics of a batch that was given this share, with so many values a channel of each batch norm.
    pub(crate) fn add(&mut self, share: f64, counts: &[usize], moments: &AllMoments) {
        let var = moments.unbiased(&self.layout, counts);
        for (kept, new) in [(&mut self.mean, &moments.mean), (&mut self.var, &var)] {
            kept.iter_mut().zip(new).for_each(|(kept, new)| *kept += share * (new - *kept));
        }
    }

    /// Means and unbiased variances so far.
    #[cfg(feature = "cuda")]
    pub(crate) fn means(&self) -> [&[f64]; 2] {
        [&self.mean, &self.var]
    }

    /// The same, to be replaced.
    #[cfg(feature = "cuda")]
    pub(crate) fn means_mut(&mut self) -> [&mut Vec<f64>; 2] {
        [&mut self.mean, &mut self.var]
    }

    /// The layout it was made for.
    pub(crate) fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Replaces the running statistics of a network; one without batch norms is left as it is.
    ///
    /// # Errors
    /// [`Error::Domain`] if no batch was seen, or the network has another layout.
    pub fn finish<T: Scalar>(self, weights: &mut Weights<T>) -> Result<()> {
        let batches = self.batches;
        [weights.running_mean, weights.running_var] = self.running(weights.layout())?;
        weights.batches_tracked = if weights.layout().norms().is_empty() { 0 } else { batches };
        Ok(())
    }

    /// Running means and variances for a network of this layout.
    ///
    /// Fails as [`finish`](Self::finish).
    pub(super) fn running<T: Scalar>(self, layout: &Layout) -> Result<[Vec<T>; 2]> {
        if self.batches == 0 {
            return Err(Error::domain("batches in a statistics pass", 0, "at least 1"));
        }
        if *self.layout != *layout {
            return Err(Error::domain("the network", "another", "the one the statistics were collected on"));
        }
        Ok([self.mean, self.var].map(|numbers| numbers.into_iter().map(T::from_f64).collect()))
    }
}
