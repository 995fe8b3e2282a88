//! Steps of SGD, where the parameters are: in the caller's memory, or on a device that keeps them from step to step.

use super::{Dropout, Examples, Executor, Mode, Outcome};
use crate::optim::Sgd;
use crate::params::Weights;
use crate::{Result, Scalar};

/// A network on its way; [`finish`](Self::finish) says where it is, and until then its weights say so nowhere else.
pub struct Descent<'a, T: Scalar> {
    executor: &'a mut Executor<T>,
    weights: &'a mut Weights<T>,
    sgd: &'a mut Sgd<T>,
    /// Unused where the steps are a device's.
    gradient: Vec<T>,
}

impl<T: Scalar> Executor<T> {
    /// Begins with steps of SGD from these weights and this velocity.
    ///
    /// # Errors
    /// [`Error::Domain`](crate::Error::Domain) if the weights are another network's, or the velocity is;
    /// [`Error::Device`](crate::Error::Device) if a GPU fails.
    pub fn descend<'a>(&'a mut self, weights: &'a mut Weights<T>, sgd: &'a mut Sgd<T>) -> Result<Descent<'a, T>> {
        self.check_weights(weights)?;
        sgd.check_length(weights.values.len())?;
        self.engine.load(&weights.values)?;
        let gradient = match self.engine.resident() {
            Some(resident) => {
                resident.set_out(sgd.velocity(), [&weights.running_mean, &weights.running_var])?;
                Vec::new()
            }
            None => vec![T::zero(); weights.values.len()],
        };
        Ok(Descent { executor: self, weights, sgd, gradient })
    }
}

impl<T: Scalar> Descent<'_, T> {
    /// One step at a learning rate, down the gradient of a batch's mean loss; the running statistics move as
    /// [`Executor::gradient`] moves them.
    ///
    /// Gives losses before their step, batch by batch in the order of steps: of this one where it is done at once; a GPU,
    /// which works on while the next batches are drawn, tells of several steps at a time.
    ///
    /// # Errors
    /// Those of [`Executor::gradient`] and [`Sgd::step`].
    pub fn step<'b>(
        &mut self,
        rate: f64,
        examples: impl Into<Examples<'b, T>>,
        dropout: Dropout<'_>,
    ) -> Result<Vec<Outcome>> {
        let Self { executor, weights, sgd, gradient } = self;
        let examples = examples.into();
        let step = sgd.at(rate)?;
        executor.check_examples(&examples)?;
        let counts = executor.values_a_channel(examples.labels().len())?;
        let factors = executor.factors(examples.labels().len(), dropout)?;
        let outcomes = match executor.engine.resident() {
            Some(resident) => resident.step(examples.images(), examples.labels(), &factors, &counts, step)?,
            None => {
                executor.engine.load(&weights.values)?;
                let (outcome, slopes) = executor.there(&examples, &factors, Mode::Training)?;
                executor.engine.backward(&slopes, &executor.moments, gradient)?;
                sgd.step(rate, &mut weights.values, gradient)?;
                executor.track(weights, &counts);
                vec![outcome]
            }
        };
        weights.batches_tracked += u64::from(!counts.is_empty());
        Ok(outcomes)
    }

    /// Waits for the steps so far; the losses that were not given yet.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) if a GPU fails.
    pub fn settle(&mut self) -> Result<Vec<Outcome>> {
        self.executor.engine.resident().map_or_else(|| Ok(Vec::new()), |resident| resident.settle())
    }

    /// Brings weights and velocity up to date; the losses that were not given yet.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) if a GPU fails.
    pub fn finish(mut self) -> Result<Vec<Outcome>> {
        let outcomes = self.settle()?;
        if let Some(resident) = self.executor.engine.resident() {
            let Weights { values, running_mean, running_var, .. } = self.weights;
            resident.arrive(values, self.sgd.velocity_mut(), [running_mean, running_var])?;
        }
        Ok(outcomes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use valleys_sim::Seed;

    use super::*;
    use crate::data::loader::{Batches, EpochBatches};
    use crate::data::{Augmentation, synthetic};
    use crate::model::Architecture;
    use crate::optim::SgdParams;

    #[test]
    fn steps_are_gradients_and_steps_of_the_optimiser() {
        let graph = Arc::new(Architecture::ResNet8.graph(10).expect("a network"));
        let data = synthetic::draw(24, 10, Seed(1)).expect("valid");
        let batches = EpochBatches::new(&data, Augmentation::CROP_AND_FLIP, 12, Seed(2), 0);
        let mut executor = Executor::<f32>::new(Arc::clone(&graph)).expect("an executor");
        let start = Weights::initialise(&graph, Seed(3));
        let sgd = || Sgd::new(SgdParams::default(), start.values.len()).expect("valid");
        let (mut weights, mut optimiser) = (start.clone(), sgd());
        let mut descent = executor.descend(&mut weights, &mut optimiser).expect("this network");
        let mut losses = Vec::new();
        for number in 0..2 {
            losses.extend(descent.step(0.1, &batches.views(number), Dropout::Off).expect("a step"));
        }
        losses.extend(descent.finish().expect("no device fails"));

        let (mut by_hand, mut by_hand_sgd) = (start.clone(), sgd());
        let mut gradient = vec![0.0; start.values.len()];
        assert_eq!(losses.len(), 2);
        for (number, losses) in losses.iter().enumerate() {
            let views = batches.views(number);
            let outcome = executor.gradient(&mut by_hand, &views, Dropout::Off, &mut gradient).expect("a gradient");
            by_hand_sgd.step(0.1, &mut by_hand.values, &gradient).expect("finite");
            assert_eq!(outcome, *losses);
        }
        assert!(weights == by_hand && optimiser == by_hand_sgd && weights != start);

        let mut other = Sgd::new(SgdParams::default(), 3).expect("valid");
        assert!(executor.descend(&mut weights, &mut other).is_err(), "another network's velocity");
        let mut descent = executor.descend(&mut weights, &mut optimiser).expect("this network");
        assert!(descent.step(f64::NAN, &batches.views(0), Dropout::Off).is_err());
    }
}
