//! What carries out a whole network: forward, and back.

use super::Mode;
use super::run::AllMoments;

/// Runs one network; keeps its memory, and the values of a pass for the way back.
pub(crate) trait Engine<T>: Send {
    /// Takes over the parameters for the passes to come.
    fn load(&mut self, parameters: &[T]);
    /// The logits of a batch without dropout; in [`Mode::Training`] the moments become those of the batch.
    fn logits(&mut self, images: &[T], mode: Mode, moments: &mut AllMoments) -> Vec<T>;
    /// As [`logits`](Self::logits), but with the factors of every dropout in the graph's order, and prepared for
    /// [`backward`](Self::backward).
    fn forward(&mut self, images: &[T], factors: &[Vec<T>], mode: Mode, moments: &mut AllMoments) -> Vec<T>;
    /// The gradient with respect to the parameters, from that with respect to the logits of the last
    /// [`forward`](Self::forward).
    fn backward(&mut self, logits_gradient: &[T], moments: &AllMoments, gradient: &mut [T]);
}
