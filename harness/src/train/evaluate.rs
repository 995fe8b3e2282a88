//! What a network does on images it is not trained on at that moment.

use valleys_sim::progress::Observer;

use crate::data::loader::{Batches, PlainBatches};
use crate::data::{ImageSet, Normalisation};
use crate::exec::{Executor, Outcome};
use crate::params::Weights;
use crate::{Error, Result};

/// Losses and hits on all images of a set, un-augmented, in evaluation mode, in the set's order.
///
/// Fails on a loss that is not finite, naming the image, and stops between batches if the observer asks.
pub fn evaluate(
    executor: &mut Executor<f32>,
    weights: &Weights<f32>,
    set: &ImageSet,
    normalisation: Normalisation,
    observer: &dyn Observer,
) -> Result<Outcome> {
    let batches = PlainBatches::new(set, normalisation);
    let mut all = Outcome::default();
    let mut loaded = executor.load(weights)?;
    for number in 0..batches.count() {
        if observer.interrupted() {
            return Err(Error::Interrupted);
        }
        all.extend(loaded.evaluate(&batches.views(number))?);
    }
    match all.losses.iter().position(|loss| !loss.is_finite()) {
        Some(image) => Err(Error::domain(format!("loss of image {image}"), all.losses[image], "a finite number")),
        None => Ok(all),
    }
}
