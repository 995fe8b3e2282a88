//! The CPU engine: every image goes through as many layers as it can while its values are in the cache.
//!
//! A [schedule] cuts the network into stages, once; a [runner] carries them out, with [kernels] for the processor's
//! vectors. In f32 and f64.
//!
//! Every convolution has its [algorithm]: product by product, Winograd's tiles of one image, or Winograd's tiles of many
//! images at a time, where the kernels are too large for the cache. Sums over images are taken in an order that does not
//! depend on the number of threads, so neither does any bit.

mod algorithm;
mod convolution;
mod frame;
mod kernels;
mod padding;
mod phases;
mod pooling;
mod runner;
mod schedule;
mod source;
mod step;
mod wide;
mod winograd;
mod worker;

use rayon::prelude::*;

use self::algorithm::Thresholds;
use self::convolution::Kernels;
use self::kernels::InstructionSet;
pub(crate) use self::kernels::Numbers;
use self::runner::{Pass, Runner};
use self::schedule::{Purpose, schedule};
use super::Mode;
use super::engine::Engine;
use super::examples::Images;
use super::run::AllMoments;
use crate::model::Graph;
use crate::{Result, Scalar};

/// A runner for each purpose, and the weights that they share.
pub(super) struct Cpu<T> {
    set: InstructionSet,
    image: usize,
    parameters: Vec<T>,
    /// The pixels of views.
    pixels: Vec<T>,
    kernels: Vec<Kernels<T>>,
    evaluation: Runner<T>,
    statistics: Runner<T>,
    training: Runner<T>,
    mode: Mode,
}

impl<T: Scalar> Cpu<T> {
    /// The engine of a network, with the best instructions that the processor has.
    pub(super) fn new(graph: &Graph) -> Self {
        Self::with(graph, InstructionSet::best(), Thresholds::CHOSEN)
    }

    fn with(graph: &Graph, set: InstructionSet, thresholds: Thresholds) -> Self {
        let training = schedule(graph, Purpose::Training, thresholds);
        let kernels = training.convolutions.iter().map(|op| Kernels::new(set, op.clone())).collect();
        Self {
            set,
            image: graph.input().len(),
            parameters: Vec::new(),
            pixels: Vec::new(),
            kernels,
            evaluation: Runner::new(schedule(graph, Purpose::Evaluation, thresholds)),
            statistics: Runner::new(schedule(graph, Purpose::Statistics, thresholds)),
            training: Runner::new(training),
            mode: Mode::Training,
        }
    }
}

impl<T: Scalar> Engine<T> for Cpu<T> {
    fn load(&mut self, parameters: &[T]) -> Result<()> {
        // Many batches meet the same weights when a network is evaluated; putting them in order takes a while.
        let same = |(a, b): (&T, &T)| a.to_f64().to_bits() == b.to_f64().to_bits();
        if self.parameters.len() == parameters.len() && self.parameters.iter().zip(parameters).all(same) {
            return Ok(());
        }
        self.parameters.clear();
        self.parameters.extend_from_slice(parameters);
        self.kernels.par_iter_mut().for_each(|kernels| kernels.load(parameters));
        Ok(())
    }

    fn logits(&mut self, images: Images<'_, T>, mode: Mode, moments: &mut AllMoments) -> Result<Vec<T>> {
        let Self { set, kernels, parameters, pixels, .. } = self;
        let pass = Pass { set: *set, kernels, parameters, mode };
        let runner = match mode {
            Mode::Evaluation => &mut self.evaluation,
            Mode::Training => &mut self.statistics,
        };
        let images = images.pixels(pixels);
        Ok(runner.forward(pass, images, images.len() / self.image, &[], moments))
    }

    fn forward(
        &mut self,
        images: Images<'_, T>,
        factors: &[Vec<T>],
        mode: Mode,
        moments: &mut AllMoments,
    ) -> Result<Vec<T>> {
        self.mode = mode;
        let Self { set, kernels, parameters, pixels, .. } = self;
        let pass = Pass { set: *set, kernels, parameters, mode };
        let images = images.pixels(pixels);
        Ok(self.training.forward(pass, images, images.len() / self.image, factors, moments))
    }

    fn backward(&mut self, logits_gradient: &[T], moments: &AllMoments, gradient: &mut [T]) -> Result<()> {
        let Self { set, kernels, parameters, mode, .. } = self;
        kernels.par_iter_mut().for_each(|kernels| kernels.load_backward(parameters));
        let pass = Pass { set: *set, kernels, parameters, mode: *mode };
        self.training.backward(pass, logits_gradient, moments, gradient);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
