//! Batch-norm statistics from one pass over data, as weight averaging needs them.

use std::sync::Arc;

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

    /// Takes in the statistics of a batch of `images` images.
    pub(crate) fn add(&mut self, images: usize, mean: &[f64], var: &[f64]) {
        let share = match self.weighting {
            Weighting::BySize => images as f64,
            Weighting::Equal => 1.0,
        };
        self.weight += share;
        self.batches += 1;
        let momentum = share / self.weight;
        for (kept, new) in [(&mut self.mean, mean), (&mut self.var, var)] {
            kept.iter_mut().zip(new).for_each(|(kept, new)| *kept += momentum * (new - *kept));
        }
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
        if self.batches == 0 {
            return Err(Error::domain("batches in a statistics pass", 0, "at least 1"));
        }
        if *self.layout != **weights.layout() {
            return Err(Error::domain("the network", "another", "the one the statistics were collected on"));
        }
        weights.running_mean = self.mean.into_iter().map(T::from_f64).collect();
        weights.running_var = self.var.into_iter().map(T::from_f64).collect();
        weights.batches_tracked = if self.layout.norms().is_empty() { 0 } else { self.batches };
        Ok(())
    }
}
