//! One pass over the training images.

use valleys_sim::record::Epoch;

use super::config::Recipe;
use super::state::State;
use super::trainer::Trainer;
use crate::data::loader::{Batches, Buffer};
use crate::exec::Dropout;
use crate::{Error, Result};

/// The two phases of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// SGD from a random start, averaged towards the end.
    Swa,
    /// SGD from the average on.
    SgdAfterSwa,
}

impl Phase {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Swa => "sgd",
            Self::SgdAfterSwa => "sgd-after-swa",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Swa => "SGD and SWA",
            Self::SgdAfterSwa => "SGD after SWA",
        }
    }

    pub(super) fn epochs(self, recipe: &Recipe) -> u32 {
        match self {
            Self::Swa => recipe.config().epochs,
            Self::SgdAfterSwa => recipe.config().sgd_epochs,
        }
    }

    /// The run's number of the phase's epoch `done`: epochs count through both phases, so no random stream serves
    /// twice.
    fn number(self, done: u32, recipe: &Recipe) -> u32 {
        match self {
            Self::Swa => done,
            Self::SgdAfterSwa => recipe.config().epochs + done,
        }
    }

    fn rate(self, done: u32, recipe: &Recipe) -> f64 {
        match self {
            Self::Swa => recipe.schedule().rate(done),
            Self::SgdAfterSwa => recipe.config().sgd_learning_rate,
        }
    }

    fn averages(self, done: u32, recipe: &Recipe) -> bool {
        self == Self::Swa && done + 1 >= recipe.config().swa_start
    }
}

impl Trainer<'_> {
    /// Runs the next epoch of a phase: every training image once, then the average, then the test metrics if due.
    ///
    /// Fails on a loss that is not finite, naming epoch and batch; stops between batches if the observer asks. In both
    /// cases the state is spoilt, and the one kept after the epoch before is the one to go on from.
    pub(super) fn epoch(&mut self, phase: Phase, state: &mut State) -> Result<()> {
        let (recipe, config) = (self.recipe, self.recipe.config());
        let done = state.epochs.len() as u32;
        let number = phase.number(done, recipe);
        let rate = phase.rate(done, recipe);
        let (loss, accuracy) = self.pass(number, rate, state)?;

        let averages = phase.averages(done, recipe);
        if averages {
            state.average.push(&state.weights.values)?;
        }
        let due = done + 1 == phase.epochs(recipe)
            || (config.evaluate_every > 0 && (done + 1).is_multiple_of(config.evaluate_every));
        let test = if due { Some(self.evaluate(&state.weights, self.data.test())?) } else { None };
        let swa_test = if due && averages && config.evaluate_average {
            let averaged = self.averaged(state)?;
            Some(self.evaluate(&averaged, self.data.test())?)
        } else {
            None
        };
        let epoch = Epoch {
            epoch: number,
            phase: phase.name().to_owned(),
            learning_rate: rate,
            running_loss: loss,
            running_accuracy: accuracy,
            test_loss: test.as_ref().map(|outcome| outcome.mean_loss()),
            test_accuracy: test.as_ref().map(|outcome| outcome.accuracy()),
            swa_test_loss: swa_test.as_ref().map(|outcome| outcome.mean_loss()),
            swa_test_accuracy: swa_test.as_ref().map(|outcome| outcome.accuracy()),
        };
        self.observer.note(&line(&epoch));
        state.epochs.push(epoch);
        Ok(())
    }

    /// One step a batch; the running loss and accuracy.
    fn pass(&mut self, number: u32, rate: f64, state: &mut State) -> Result<(f64, f64)> {
        let batches = self.batches(number);
        let mut gradient = vec![0.0; state.weights.values.len()];
        let mut buffer = Buffer::default();
        let (mut loss, mut correct) = (0.0, 0);
        for batch in 0..batches.count() {
            if self.observer.interrupted() {
                return Err(Error::Interrupted);
            }
            batches.load(batch, &mut buffer);
            // An image comes once in an epoch, so the epoch's number tells its passes apart.
            let dropout = Dropout::Pass {
                seed: self.recipe.config().seed,
                step: u64::from(number),
                images: batches.indices(batch),
            };
            let outcome = self.executor.gradient(&mut state.weights, buffer.batch(), dropout, &mut gradient)?;
            if !outcome.mean_loss().is_finite() {
                return Err(Error::domain(
                    format!("training loss in epoch {number}, batch {batch}"),
                    outcome.mean_loss(),
                    "a finite number (a lower learning_rate may help)",
                ));
            }
            state.sgd.step(rate, &mut state.weights.values, &gradient)?;
            loss += outcome.losses.iter().sum::<f64>();
            correct += outcome.correct.iter().filter(|&&hit| hit).count();
            self.observer.advance(outcome.losses.len() as u64);
        }
        let images = self.data.train().len() as f64;
        Ok((loss / images, correct as f64 / images))
    }
}

/// An epoch in one line, for the observer.
fn line(epoch: &Epoch) -> String {
    let mut text = format!(
        "epoch {}: learning rate {:.4}, running loss {:.4} ({:.1} %)",
        epoch.epoch,
        epoch.learning_rate,
        epoch.running_loss,
        100.0 * epoch.running_accuracy
    );
    for (name, loss, accuracy) in [
        ("test", epoch.test_loss, epoch.test_accuracy),
        ("test of the average", epoch.swa_test_loss, epoch.swa_test_accuracy),
    ] {
        if let (Some(loss), Some(accuracy)) = (loss, accuracy) {
            text.push_str(&format!(", {name} {loss:.4} ({:.1} %)", 100.0 * accuracy));
        }
    }
    text
}
