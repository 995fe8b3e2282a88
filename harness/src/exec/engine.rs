//! What carries out a whole network: forward, and back.

use super::examples::Images;
use super::run::AllMoments;
use super::{Mode, Outcome};
use crate::Result;
use crate::optim::Step;

/// Runs one network; keeps its memory, and the values of a pass for the way back.
pub(crate) trait Engine<T>: Send {
    /// Takes over the parameters for the passes to come.
    fn load(&mut self, parameters: &[T]) -> Result<()>;
    /// The logits of a batch without dropout; in [`Mode::Training`] the moments become those of the batch.
    fn logits(&mut self, images: Images<'_, T>, mode: Mode, moments: &mut AllMoments) -> Result<Vec<T>>;
    /// As [`logits`](Self::logits), but with the factors of every dropout in the graph's order, and prepared for the way
    /// back.
    fn forward(
        &mut self,
        images: Images<'_, T>,
        factors: &[Vec<T>],
        mode: Mode,
        moments: &mut AllMoments,
    ) -> Result<Vec<T>>;
    /// The gradient with respect to the parameters, from that with respect to the logits of the last
    /// [`forward`](Self::forward).
    fn backward(&mut self, logits_gradient: &[T], moments: &AllMoments, gradient: &mut [T]) -> Result<()>;
    /// How many images are best evaluated at a time.
    fn evaluation_slice(&self) -> usize {
        EVALUATION_SLICE
    }
    /// The engine as one that trains in memory of its own; none where the parameters are in the caller's anyway.
    fn resident(&mut self) -> Option<&mut dyn Resident<T>> {
        None
    }
}

/// Images evaluated at a time on a processor: few enough that their values stay in the cache, enough to feed many threads.
const EVALUATION_SLICE: usize = 64;

/// Steps of SGD without a way from and to the caller's memory: parameters, gradient and velocity stay with the engine.
pub(crate) trait Resident<T> {
    /// Takes over the velocity for the steps to come; the parameters are those of the last [`load`](Engine::load).
    fn set_out(&mut self, velocity: &[T]) -> Result<()>;
    /// A batch there, as by [`forward`](Engine::forward) in [`Mode::Training`], and back, then a step down the gradient of
    /// its mean loss: the passes to come have the new parameters. What the network said before the step.
    fn step(
        &mut self,
        images: Images<'_, T>,
        labels: &[u16],
        factors: &[Vec<T>],
        moments: &mut AllMoments,
        step: Step<T>,
    ) -> Result<Outcome>;
    /// Where the steps have led.
    fn arrive(&mut self, parameters: &mut [T], velocity: &mut [T]) -> Result<()>;
}
