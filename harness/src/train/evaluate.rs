//! What a network does on images it is not trained on at that moment.

use valleys_sim::progress::Observer;

use crate::data::loader::PlainBatches;
use crate::data::{ImageSet, Normalisation};
use crate::exec::{Executor, Loaded, Outcome};
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
    evaluate_loaded(&mut executor.load(weights)?, set, normalisation, observer)
}

/// The same of a network whose parameters are in place.
pub(crate) fn evaluate_loaded(
    network: &mut Loaded<'_, f32>,
    set: &ImageSet,
    normalisation: Normalisation,
    observer: &dyn Observer,
) -> Result<Outcome> {
    let batches = PlainBatches::of(network.evaluation_batch(), set, normalisation);
    let all = network.evaluate_all(&batches, observer)?;
    match all.losses.iter().position(|loss| !loss.is_finite()) {
        Some(image) => Err(Error::domain(format!("loss of image {image}"), all.losses[image], "a finite number")),
        None => Ok(all),
    }
}
