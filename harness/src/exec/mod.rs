//! Who runs a network: losses, gradients and batch-norm statistics of a batch of images.
//!
//! An engine carries out a whole network; nothing outside this module knows which one. The reference turns the graph
//! into ordered steps over reused buffers, once, and runs them one by one, in plain loops and one matrix product. The
//! CPU engine takes every image through as many layers as it can while the image's values are in the cache, with
//! kernels for the processor's vectors. The CUDA engine runs the reference's steps on a GPU, and keeps images, weights
//! and velocity there.

pub mod account;
mod activation;
mod backend;
mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
mod descent;
mod dropout;
mod engine;
mod examples;
mod gpu;
mod groups;
mod kind;
mod loaded;
mod loss;
mod outcome;
mod plan;
mod recordings;
mod reference;
mod run;
mod statistics;
mod stepwise;

use std::fmt;
use std::sync::Arc;

pub use descent::Descent;
pub use dropout::Dropout;
pub use examples::Examples;
pub use gpu::choose_gpu;
pub use kind::BackendKind;
pub use loaded::Loaded;
pub use outcome::Outcome;
pub use recordings::Recordings;
pub use statistics::{StatisticsPass, Weighting};

use self::cpu::Cpu;
pub(crate) use self::cpu::Numbers;
use self::dropout::Dropped;
use self::engine::Engine;
use self::gpu::Precision;
use self::reference::Reference;
use self::run::AllMoments;
use self::stepwise::Stepwise;
use crate::average::Average;
use crate::model::Graph;
use crate::model::graph::Layer;
use crate::params::Weights;
use crate::{Error, Result, Scalar};

/// How far running statistics move towards those of a batch (PyTorch's default).
const MOMENTUM: f64 = 0.1;

/// Images with their labels.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a, T> {
    /// Pixels in the order (image, channel, row, column), normalised.
    pub images: &'a [T],
    /// One class an image.
    pub labels: &'a [u16],
}

/// Runs one network on batches of any size, keeping its memory from one batch to the next.
///
/// Work runs on the current rayon pool; results have the same bits for any number of threads.
pub struct Executor<T: Scalar> {
    graph: Arc<Graph>,
    engine: Box<dyn Engine<T>>,
    dropped: Vec<Dropped>,
    moments: AllMoments,
}

/// What batch norm normalises by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The moments of the batch itself.
    Training,
    /// The running statistics.
    Evaluation,
}

impl<T: Scalar> Executor<T> {
    /// An executor of this network on the backend that is usual.
    ///
    /// # Errors
    /// As [`on`](Self::on).
    pub fn new(graph: Arc<Graph>) -> Result<Self> {
        Self::on(graph, BackendKind::default())
    }

    /// An executor of this network on a backend of choice.
    ///
    /// # Errors
    /// [`Error::Device`] if the backend needs a GPU and there is none, or not in this number type; [`Error::Domain`] if
    /// it keeps feature maps and vectors apart and the network does not.
    pub fn on(graph: Arc<Graph>, backend: BackendKind) -> Result<Self> {
        Self::in_lane(graph, backend, 0)
    }

    /// The same for one of several executors that work at the same time, each in a lane of its own, from 0: on a GPU they do
    /// not wait for one another. Results have the same bits in every lane.
    ///
    /// Fails as [`on`](Self::on) does.
    pub(crate) fn in_lane(graph: Arc<Graph>, backend: BackendKind, lane: usize) -> Result<Self> {
        let engine: Box<dyn Engine<T>> = match backend {
            BackendKind::Cpu => Box::new(Cpu::new(&graph)),
            BackendKind::Reference => Box::new(Stepwise::<T, Reference<T>>::new(&graph)),
            BackendKind::Cuda => gpu::engine(&graph, Precision::Single, lane)?,
            BackendKind::CudaTf32 => gpu::engine(&graph, Precision::Tf32, lane)?,
            BackendKind::CudaBf16 => gpu::engine(&graph, Precision::Bf16, lane)?,
        };
        let (dropped, moments) = (dropout::dropped(&graph), AllMoments::new(graph.layout().channels()));
        Ok(Self { graph, engine, dropped, moments })
    }

    /// The network.
    pub fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    /// Losses in training mode, and the gradient of their mean, which overwrites `gradient`. The running statistics of
    /// `weights`, if it has any, move towards those of the batch (momentum 0.1, unbiased variance).
    ///
    /// # Errors
    /// [`Error::Domain`] if the weights are another network's, the batch is empty, incomplete or has a label that is no
    /// class, a batch norm would see a single value a channel, `dropout` names another number of images, or `gradient`
    /// has the wrong length; [`Error::Device`] if a GPU fails.
    pub fn gradient<'b>(
        &mut self,
        weights: &mut Weights<T>,
        examples: impl Into<Examples<'b, T>>,
        dropout: Dropout<'_>,
        gradient: &mut [T],
    ) -> Result<Outcome> {
        let examples = examples.into();
        self.check_weights(weights)?;
        self.check_examples(&examples)?;
        let counts = self.values_a_channel(examples.labels().len())?;
        self.check_gradient(gradient)?;
        let factors = self.factors(examples.labels().len(), dropout)?;
        self.engine.load(&weights.values)?;
        let (outcome, slopes) = self.there(&examples, &factors, Mode::Training)?;
        self.engine.backward(&slopes, &self.moments, gradient)?;
        self.track(weights, &counts);
        weights.batches_tracked += u64::from(!counts.is_empty());
        Ok(outcome)
    }

    /// Losses in evaluation mode, with the running statistics and without dropout, and the gradient of their mean, which
    /// overwrites `gradient`.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate), and if `gradient` has the wrong length.
    pub fn evaluation_gradient<'b>(
        &mut self,
        weights: &Weights<T>,
        examples: impl Into<Examples<'b, T>>,
        gradient: &mut [T],
    ) -> Result<Outcome> {
        self.load(weights)?.gradient(examples, gradient)
    }

    /// Losses in evaluation mode, with the running statistics and without dropout.
    ///
    /// # Errors
    /// [`Error::Domain`] if the weights are another network's, or the batch is empty, incomplete or has a label that is
    /// no class; [`Error::Device`] if a GPU fails.
    pub fn evaluate<'b>(&mut self, weights: &Weights<T>, examples: impl Into<Examples<'b, T>>) -> Result<Outcome> {
        self.load(weights)?.evaluate(examples)
    }

    /// The logits of every image, one row after the other, without dropout.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate); in [`Mode::Training`] also if a batch norm would see a single value a channel.
    pub fn logits<'b>(
        &mut self,
        weights: &Weights<T>,
        examples: impl Into<Examples<'b, T>>,
        mode: Mode,
    ) -> Result<Vec<T>> {
        self.load(weights)?.logits(examples, mode)
    }

    /// Takes the weights of a network into an average, where they are.
    ///
    /// # Errors
    /// [`Error::Domain`] if the weights or the average are another network's; [`Error::Device`] if a GPU fails.
    pub fn average(&mut self, weights: &Weights<T>, into: &mut Average) -> Result<()> {
        self.check_weights(weights)?;
        into.check_length(weights.values.len())?;
        self.engine.load(&weights.values)?;
        match self.engine.resident() {
            Some(resident) => into.take_in(|mean, count| resident.average(mean, count)),
            None => into.push(&weights.values),
        }
    }

    /// Which work a GPU starts as one; nothing on a processor.
    pub fn recordings(&mut self) -> Option<Recordings> {
        self.engine.resident().map(|resident| resident.recordings())
    }

    /// Adds the batch-norm statistics of a batch, seen in training mode but without dropout, to a pass.
    ///
    /// # Errors
    /// [`Error::Domain`] as [`gradient`](Self::gradient), and if the pass belongs to another network.
    pub fn collect_statistics<'b>(
        &mut self,
        weights: &Weights<T>,
        examples: impl Into<Examples<'b, T>>,
        into: &mut StatisticsPass,
    ) -> Result<()> {
        self.load(weights)?.collect_statistics(examples, into)
    }

    /// The factors of every dropout for a batch of so many images.
    fn factors(&self, images: usize, dropout: Dropout<'_>) -> Result<Vec<Vec<T>>> {
        let factors = self.dropped.iter();
        factors.map(|Dropped { name, rate, length }| dropout.factors(name, *rate, images, *length)).collect()
    }

    /// The way to the logits, prepared for the way back, with the parameters that the engine has: the losses, and the
    /// gradient of their mean with respect to the logits.
    fn there(&mut self, examples: &Examples<'_, T>, factors: &[Vec<T>], mode: Mode) -> Result<(Outcome, Vec<T>)> {
        let labels = examples.labels();
        let logits = self.engine.forward(examples.images(), factors, mode, &mut self.moments)?;
        Ok((loss::cross_entropy(&logits, labels), loss::cross_entropy_gradient(&logits, labels)))
    }

    /// Moves the running statistics towards those of the batch just seen.
    fn track(&self, weights: &mut Weights<T>, counts: &[usize]) {
        let unbiased = self.moments.unbiased(weights.layout(), counts);
        track(&mut weights.running_mean, &self.moments.mean);
        track(&mut weights.running_var, &unbiased);
    }

    fn check_weights(&self, weights: &Weights<T>) -> Result<()> {
        let layout = self.graph.layout();
        if **weights.layout() != **layout {
            return Err(Error::domain("the weights", "another network's", "those of this network"));
        }
        for (name, length, right) in [
            ("length of values", weights.values.len(), layout.trainable()),
            ("length of running_mean", weights.running_mean.len(), layout.channels()),
            ("length of running_var", weights.running_var.len(), layout.channels()),
        ] {
            if length != right {
                return Err(Error::domain(name, length, right));
            }
        }
        Ok(())
    }

    fn check_examples(&self, examples: &Examples<'_, T>) -> Result<()> {
        examples.check(self.graph.input().len(), self.graph.classes())
    }

    fn check_gradient(&self, gradient: &[T]) -> Result<()> {
        match (gradient.len(), self.graph.layout().trainable()) {
            (length, right) if length != right => Err(Error::domain("length of the gradient", length, right)),
            _ => Ok(()),
        }
    }

    /// How many values a channel of each batch norm has in a batch of `images`.
    fn values_a_channel(&self, images: usize) -> Result<Vec<usize>> {
        let norms = self.graph.layers().iter().filter_map(|layer| match layer {
            Layer::BatchNorm { x, .. } => Some(images * self.graph.shape(*x).plane()),
            _ => None,
        });
        let counts: Vec<usize> = norms.collect();
        if counts.contains(&1) {
            return Err(Error::domain("images in the batch", images, "at least 2, for a variance of single pixels"));
        }
        Ok(counts)
    }
}

impl<T: Scalar> fmt::Debug for Executor<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Executor").field("graph", &self.graph).finish_non_exhaustive()
    }
}

/// Moves running statistics towards those of a batch.
fn track<T: Scalar>(running: &mut [T], batch: &[f64]) {
    for (running, batch) in running.iter_mut().zip(batch) {
        *running = T::from_f64((1.0 - MOMENTUM) * running.to_f64() + MOMENTUM * batch);
    }
}
