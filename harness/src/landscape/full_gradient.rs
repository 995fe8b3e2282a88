//! The gradient of the train loss in double precision, for what single precision cannot tell: differences of gradients.

use std::sync::Arc;

use valleys_sim::progress::Observer;

use super::Spec;
use crate::data::loader::{Batches, PlainBatches};
use crate::data::{Dataset, ImageSet, Normalisation};
use crate::exec::Executor;
use crate::model::Graph;
use crate::params::Weights;
use crate::{Error, Result};

/// The gradient of a network's mean loss on the training images of a [`Spec`], in evaluation mode with the batch-norm
/// statistics that the weights carry: a function of the weights alone. A GPU leaves it to the processor.
pub struct FullGradient {
    executor: Executor<f64>,
    normalisation: Normalisation,
    images: ImageSet,
}

impl FullGradient {
    /// On the images that a [`Probe`](super::Probe) of the same specification measures the train loss on.
    ///
    /// # Errors
    /// A number of training images below 2 or above those there are.
    pub fn new(graph: &Arc<Graph>, data: &Dataset, spec: &Spec) -> Result<Self> {
        let executor = Executor::on(Arc::clone(graph), spec.backend.in_double())?;
        Ok(Self { executor, normalisation: data.normalisation(), images: spec.train(data)? })
    }

    /// The gradient, one number a weight.
    ///
    /// # Errors
    /// Weights of another network; [`Error::Interrupted`] between batches if the observer asks.
    pub fn at(&mut self, weights: &Weights<f64>, observer: &dyn Observer) -> Result<Vec<f64>> {
        let batches = PlainBatches::new(&self.images, self.normalisation);
        let (mut sum, mut part) = (vec![0.0; weights.values.len()], vec![0.0; weights.values.len()]);
        let mut loaded = self.executor.load(weights)?;
        for number in 0..batches.count() {
            if observer.interrupted() {
                return Err(Error::Interrupted);
            }
            let views = batches.views(number);
            loaded.gradient(&views, &mut part)?;
            let share = views.labels().len() as f64 / self.images.len() as f64;
            sum.iter_mut().zip(&part).for_each(|(sum, part)| *sum += share * part);
        }
        Ok(sum)
    }
}
