//! One pass over the training images.

use std::time::{Duration, Instant};

use valleys_sim::record::Epoch;

use super::config::Selection;
use super::recipe::Phase;
use super::select::Chosen;
use super::state::{Begun, State};
use super::trainer::Trainer;
use crate::average::Average;
use crate::data::loader::Batches;
use crate::exec::{Dropout, Outcome};
use crate::{Error, Result};

/// Keeps a state within an epoch.
pub(super) type Keep<'a> = dyn Fn(&State) -> Result<()> + 'a;

impl Trainer<'_> {
    /// Runs the next epoch of a phase, or the rest of it: every training image once, then the average, then what is due
    /// of the metrics, then the choice of a solution.
    ///
    /// Stops between batches if the observer asks, with the state kept; fails on a loss that is not finite, naming
    /// epoch and batch, and then the state kept last is the one to go on from.
    pub(super) fn epoch(&mut self, phase: &Phase, state: &mut State, keep: &Keep<'_>) -> Result<()> {
        let done = state.epochs.len() as u32;
        let (number, rate) = (phase.number(done), phase.rate(done));
        let sums = self.pass(phase, number, rate, state, keep)?;
        state.begun = Some(sums);
        let average = match phase.averages(done) {
            true => {
                let mut average = state.average.clone();
                self.executor.average(&state.weights, &mut average)?;
                Some(average)
            }
            false => None,
        };
        let measured = match self.measure(phase, state, average.as_ref()) {
            Err(Error::Interrupted) => keep(state).and(Err(Error::Interrupted)),
            Err(Error::Domain { name, value, allowed }) => {
                Err(Error::domain(format!("{name} after epoch {number}"), value, allowed))
            }
            measured => measured,
        }?;
        let images = self.data.train().len() as f64;
        let epoch = Epoch {
            epoch: number,
            phase: phase.name().to_owned(),
            learning_rate: rate,
            running_loss: sums.loss / images,
            running_accuracy: sums.correct as f64 / images,
            ..measured
        };
        if let Some(loss) = phase.select().prefers(&epoch, state.chosen.as_ref(), state.reference) {
            state.chosen = Some(Chosen { epoch: number, loss, weights: state.weights.clone() });
        }
        state.average = average.unwrap_or_else(|| std::mem::take(&mut state.average));
        state.epochs.push(epoch);
        state.begun = None;
        Ok(())
    }

    /// What is due of the metrics after an epoch, with the average that has taken it in.
    fn measure(&mut self, phase: &Phase, state: &State, average: Option<&Average>) -> Result<Epoch> {
        let (config, done) = (self.recipe.config(), state.epochs.len() as u32 + 1);
        let due = done == phase.epochs() || (config.evaluate_every > 0 && done.is_multiple_of(config.evaluate_every));
        let rule = phase.select();
        let mut measured = Epoch::default();
        if let Some(set) = self.data.held_out().filter(|_| due || rule == Selection::HeldOut) {
            let outcome = self.evaluate(&state.weights, set)?;
            (measured.held_out_loss, measured.held_out_accuracy) = both(&outcome);
        }
        if due || rule == Selection::Official {
            let outcome = self.evaluate(&state.weights, self.data.test())?;
            (measured.test_loss, measured.test_accuracy) = both(&outcome);
        }
        if let Some(average) = average.filter(|_| due && config.evaluate_average) {
            let averaged = self.averaged(phase, &state.weights, average, phase.number(done))?;
            let outcome = self.evaluate(&averaged, self.data.test())?;
            (measured.swa_test_loss, measured.swa_test_accuracy) = both(&outcome);
        }
        Ok(measured)
    }

    /// One step a batch, from where the state stands; the sums over the epoch.
    fn pass(&mut self, phase: &Phase, number: u32, rate: f64, state: &mut State, keep: &Keep<'_>) -> Result<Begun> {
        let batches = self.batches(phase, number);
        let mut sums = state.begun.unwrap_or_default();
        let interval = Duration::from_secs_f64(60.0 * self.recipe.config().checkpoints.minutes);
        let mut kept = Instant::now();
        while sums.batches < batches.count() {
            let (begun, mut interrupted) = (sums.batches, false);
            // A device keeps the weights until the state is to be kept.
            let mut descent = self.executor.descend(&mut state.weights, &mut state.sgd)?;
            let mut told = |outcomes: Vec<Outcome>| {
                outcomes.into_iter().try_for_each(|outcome| {
                    self.observer.advance(outcome.losses.len() as u64);
                    sums.add(&outcome, number)
                })
            };
            for batch in begun..batches.count() {
                interrupted = self.observer.interrupted();
                let overdue = !interval.is_zero() && kept.elapsed() >= interval;
                if interrupted || (overdue && batch > begun) {
                    break;
                }
                // An image comes once in an epoch, so the epoch's number tells its passes apart.
                let dropout = Dropout::Pass {
                    seed: self.recipe.config().seed,
                    step: u64::from(number),
                    images: batches.indices(batch),
                };
                told(descent.step(rate, &batches.views(batch), dropout)?)?;
            }
            told(descent.finish()?)?;
            if sums.batches < batches.count() && sums.batches > 0 {
                state.begun = Some(sums);
                keep(state)?;
                kept = Instant::now();
            }
            if interrupted {
                return Err(Error::Interrupted);
            }
        }
        if let Some(place) = state.weights.values.iter().position(|weight| !weight.is_finite()) {
            let name = format!("a weight after the last batch of epoch {number}");
            return Err(Error::domain(
                name,
                state.weights.values[place],
                "a finite number; the state kept last stands",
            ));
        }
        Ok(sums)
    }
}

impl Begun {
    /// Adds what the next batch gave; fails on a loss that is not finite, naming epoch and batch.
    fn add(&mut self, outcome: &Outcome, epoch: u32) -> Result<()> {
        if !outcome.mean_loss().is_finite() {
            return Err(Error::domain(
                format!("training loss in epoch {epoch}, batch {}", self.batches),
                outcome.mean_loss(),
                "a finite number (a lower learning_rate may help); the state kept last stands",
            ));
        }
        self.batches += 1;
        self.loss += outcome.losses.iter().sum::<f64>();
        self.correct += outcome.correct.iter().filter(|&&hit| hit).count();
        Ok(())
    }
}

fn both(outcome: &Outcome) -> (Option<f64>, Option<f64>) {
    (Some(outcome.mean_loss()), Some(outcome.accuracy()))
}

/// An epoch in one line, for the observer.
pub(super) fn line(epoch: &Epoch) -> String {
    let mut text = format!(
        "epoch {}: learning rate {:.4}, running loss {:.4} ({:.1} %)",
        epoch.epoch,
        epoch.learning_rate,
        epoch.running_loss,
        100.0 * epoch.running_accuracy
    );
    for (name, loss, accuracy) in [
        ("held out", epoch.held_out_loss, epoch.held_out_accuracy),
        ("test", epoch.test_loss, epoch.test_accuracy),
        ("test of the average", epoch.swa_test_loss, epoch.swa_test_accuracy),
    ] {
        if let (Some(loss), Some(accuracy)) = (loss, accuracy) {
            text.push_str(&format!(", {name} {loss:.4} ({:.1} %)", 100.0 * accuracy));
        }
    }
    text
}
