//! A network whose parameters are in place, for as many batches as there are.

use super::{AllMoments, Dropout, Examples, Executor, Mode, Outcome, StatisticsPass, loss};
use crate::params::Weights;
use crate::{Error, Result, Scalar};

/// An [`Executor`] with the parameters of one network, which cannot change meanwhile: they are taken over once.
pub struct Loaded<'a, T: Scalar> {
    executor: &'a mut Executor<T>,
    weights: &'a Weights<T>,
}

impl<T: Scalar> Executor<T> {
    /// Takes over the parameters of a network, for passes that leave them as they are.
    ///
    /// # Errors
    /// [`Error::Domain`] if the weights are another network's; [`Error::Device`] if a GPU fails.
    pub fn load<'a>(&'a mut self, weights: &'a Weights<T>) -> Result<Loaded<'a, T>> {
        self.check_weights(weights)?;
        self.engine.load(&weights.values)?;
        Ok(Loaded { executor: self, weights })
    }
}

impl<T: Scalar> Loaded<'_, T> {
    /// Losses in evaluation mode, with the running statistics and without dropout.
    ///
    /// # Errors
    /// [`Error::Domain`] if the batch is empty, incomplete or has a label that is no class.
    pub fn evaluate<'b>(&mut self, examples: impl Into<Examples<'b, T>>) -> Result<Outcome> {
        let examples = examples.into();
        let Executor { graph, engine, moments, .. } = &mut *self.executor;
        let input = graph.input().len();
        examples.check(input, graph.classes())?;
        moments.set(self.weights);
        let mut outcome = Outcome::default();
        for part in examples.chunks(engine.evaluation_slice(), input) {
            let logits = engine.logits(part.images(), Mode::Evaluation, moments)?;
            outcome.extend(loss::cross_entropy(&logits, part.labels()));
        }
        Ok(outcome)
    }

    /// Losses as [`evaluate`](Self::evaluate) gives them, and the gradient of their mean, which overwrites `gradient`.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate), and if `gradient` has the wrong length.
    pub fn gradient<'b>(&mut self, examples: impl Into<Examples<'b, T>>, gradient: &mut [T]) -> Result<Outcome> {
        let examples = examples.into();
        self.executor.check_gradient(gradient)?;
        self.executor.check_examples(&examples)?;
        self.executor.moments.set(self.weights);
        let factors = self.executor.factors(examples.labels().len(), Dropout::Off)?;
        let (outcome, slopes) = self.executor.there(&examples, &factors, Mode::Evaluation)?;
        self.executor.engine.backward(&slopes, &self.executor.moments, gradient)?;
        Ok(outcome)
    }

    /// The logits of every image, one row after the other, without dropout.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate); in [`Mode::Training`] also if a batch norm would see a single value a channel.
    pub fn logits<'b>(&mut self, examples: impl Into<Examples<'b, T>>, mode: Mode) -> Result<Vec<T>> {
        let examples = examples.into();
        self.executor.check_examples(&examples)?;
        match mode {
            Mode::Training => drop(self.executor.values_a_channel(examples.labels().len())?),
            Mode::Evaluation => self.executor.moments.set(self.weights),
        }
        self.executor.engine.logits(examples.images(), mode, &mut self.executor.moments)
    }

    /// Adds the batch-norm statistics of a batch, seen in training mode but without dropout, to a pass.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate), if a batch norm would see a single value a channel, and if the pass belongs to
    /// another network.
    pub fn collect_statistics<'b>(
        &mut self,
        examples: impl Into<Examples<'b, T>>,
        into: &mut StatisticsPass,
    ) -> Result<()> {
        let examples = examples.into();
        self.executor.check_examples(&examples)?;
        let layout = self.weights.layout();
        if **into.layout() != **layout {
            return Err(Error::domain("the statistics pass", "another network's", "one of this network"));
        }
        let images = examples.labels().len();
        let counts = self.executor.values_a_channel(images)?;
        let Executor { engine, moments, .. } = &mut *self.executor;
        if !counts.is_empty() {
            engine.logits(examples.images(), Mode::Training, moments)?;
        }
        let AllMoments { mean, .. } = &*moments;
        into.add(images, mean, &moments.unbiased(layout, &counts));
        Ok(())
    }
}
