//! A network whose parameters are in place, for as many batches as there are.

use std::borrow::Cow;
use std::sync::Arc;

use valleys_sim::progress::Observer;

use super::{Dropout, Examples, Executor, Mode, Outcome, StatisticsPass, Weighting};
use crate::data::loader::{Batches, PlainBatches};
use crate::params::{Layout, Line, Weights};
use crate::{Error, Result, Scalar};

/// An [`Executor`] with the parameters of one network, which cannot change meanwhile: they are taken over once.
pub struct Loaded<'a, T: Scalar> {
    executor: &'a mut Executor<T>,
    layout: &'a Arc<Layout>,
    running_mean: Cow<'a, [T]>,
    running_var: Cow<'a, [T]>,
}

impl<T: Scalar> Executor<T> {
    /// Takes over the parameters of a network, for passes that leave them as they are.
    ///
    /// # Errors
    /// [`Error::Domain`] if the weights are another network's; [`Error::Device`] if a GPU fails.
    pub fn load<'a>(&'a mut self, weights: &'a Weights<T>) -> Result<Loaded<'a, T>> {
        self.check_weights(weights)?;
        self.engine.load(&weights.values)?;
        Ok(self.loaded(weights))
    }

    /// Takes over the parameters of a point of a line, made where they are needed: a GPU that holds the line makes them
    /// itself, to the bit as [`Line::at`] does.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_at<'a>(&'a mut self, line: &Line<'a, T>, offset: f64) -> Result<Loaded<'a, T>> {
        self.check_weights(line.centre())?;
        self.engine.load_at(line, offset)?;
        Ok(self.loaded(line.centre()))
    }

    fn loaded<'a>(&'a mut self, weights: &'a Weights<T>) -> Loaded<'a, T> {
        let [running_mean, running_var] =
            [&weights.running_mean, &weights.running_var].map(|numbers| Cow::Borrowed(numbers.as_slice()));
        Loaded { executor: self, layout: weights.layout(), running_mean, running_var }
    }
}

impl<T: Scalar> Loaded<'_, T> {
    /// Losses in evaluation mode, with the running statistics and without dropout.
    ///
    /// # Errors
    /// [`Error::Domain`] if the batch is empty, incomplete or has a label that is no class.
    pub fn evaluate<'b>(&mut self, examples: impl Into<Examples<'b, T>>) -> Result<Outcome> {
        self.set_moments();
        let mut outcome = Outcome::default();
        let begun = self.begin_evaluation(&examples.into(), &mut outcome);
        let read = self.executor.engine.evaluated(&mut outcome);
        begun.and(read).map(|()| outcome)
    }

    /// How many images a batch should have at least, so that evaluation is not held up by its beginnings and ends.
    pub fn evaluation_batch(&self) -> usize {
        self.executor.engine.evaluation_slice().max(PlainBatches::SIZE)
    }

    /// The same of all batches, one after the other.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate); [`Error::Interrupted`] between batches if the observer asks.
    pub fn evaluate_all(&mut self, batches: &dyn Batches, observer: &dyn Observer) -> Result<Outcome> {
        self.set_moments();
        let mut outcome = Outcome::default();
        let begun = (0..batches.count()).try_for_each(|number| {
            if observer.interrupted() {
                return Err(Error::Interrupted);
            }
            self.begin_evaluation(&Examples::from(&batches.views(number)), &mut outcome)
        });
        let read = self.executor.engine.evaluated(&mut outcome);
        begun.and(read).map(|()| outcome)
    }

    fn begin_evaluation(&mut self, examples: &Examples<'_, T>, outcome: &mut Outcome) -> Result<()> {
        self.executor.check_examples(examples)?;
        let Executor { graph, engine, moments, .. } = &mut *self.executor;
        let mut parts = examples.chunks(engine.evaluation_slice(), graph.input().len());
        parts.try_for_each(|part| engine.evaluate(part.images(), part.labels(), moments, outcome))
    }

    /// Losses as [`evaluate`](Self::evaluate) gives them, and the gradient of their mean, which overwrites `gradient`.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate), and if `gradient` has the wrong length.
    pub fn gradient<'b>(&mut self, examples: impl Into<Examples<'b, T>>, gradient: &mut [T]) -> Result<Outcome> {
        let examples = examples.into();
        self.executor.check_gradient(gradient)?;
        self.executor.check_examples(&examples)?;
        self.set_moments();
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
            Mode::Evaluation => self.set_moments(),
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
        if **into.layout() != **self.layout {
            return Err(Error::domain("the statistics pass", "another network's", "one of this network"));
        }
        self.executor.engine.open_pass(into)?;
        self.collect(&examples.into(), into)?;
        self.executor.engine.close_pass(into)
    }

    /// The batch-norm statistics of one pass through all batches, in training mode but without dropout.
    ///
    /// # Errors
    /// As [`collect_statistics`](Self::collect_statistics); [`Error::Interrupted`] between batches if the observer asks.
    pub fn statistics(
        &mut self,
        batches: &dyn Batches,
        weighting: Weighting,
        observer: &dyn Observer,
    ) -> Result<StatisticsPass> {
        let mut pass = StatisticsPass::new(self.layout, weighting);
        self.executor.engine.open_pass(&pass)?;
        for number in 0..batches.count() {
            if observer.interrupted() {
                return Err(Error::Interrupted);
            }
            self.collect(&Examples::from(&batches.views(number)), &mut pass)?;
        }
        self.executor.engine.close_pass(&mut pass)?;
        Ok(pass)
    }

    /// Makes the statistics of a pass the running ones.
    ///
    /// # Errors
    /// [`Error::Domain`] if the pass has seen no batch, or another network.
    pub fn adopt(&mut self, pass: StatisticsPass) -> Result<()> {
        [self.running_mean, self.running_var] = pass.running(self.layout)?.map(Cow::Owned);
        Ok(())
    }

    fn collect(&mut self, examples: &Examples<'_, T>, into: &mut StatisticsPass) -> Result<()> {
        self.executor.check_examples(examples)?;
        let images = examples.labels().len();
        let counts = self.executor.values_a_channel(images)?;
        let share = into.share(images);
        let Executor { engine, moments, .. } = &mut *self.executor;
        if !counts.is_empty() {
            engine.collect(examples.images(), (share, &counts), moments, into)?;
        }
        into.count(images);
        Ok(())
    }

    fn set_moments(&mut self) {
        self.executor.moments.set(&self.running_mean, &self.running_var);
    }
}
