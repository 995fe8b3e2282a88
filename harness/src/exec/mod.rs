//! Who runs a network: losses, gradients and batch-norm statistics of a batch of images.
//!
//! An engine carries out a whole network; nothing outside this module knows which one. The reference turns the graph
//! into ordered steps over reused buffers, once, and runs them one by one, in plain loops and one matrix product. The
//! CPU engine takes every image through as many layers as it can while the image's values are in the cache, with
//! kernels for the processor's vectors.

mod activation;
mod backend;
mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
mod dropout;
mod engine;
mod groups;
mod loss;
mod outcome;
mod plan;
mod reference;
mod run;
mod statistics;
mod stepwise;

use std::fmt;
use std::sync::Arc;

pub use dropout::Dropout;
pub use outcome::Outcome;
pub use statistics::{StatisticsPass, Weighting};

use self::cpu::Cpu;
pub(crate) use self::cpu::Numbers;
use self::dropout::Dropped;
use self::engine::Engine;
use self::reference::Reference;
use self::run::AllMoments;
use self::stepwise::Stepwise;
use crate::model::Graph;
use crate::model::graph::Layer;
use crate::params::Weights;
use crate::{Error, Result, Scalar};

/// How far running statistics move towards those of a batch (PyTorch's default).
const MOMENTUM: f64 = 0.1;

/// Images evaluated at a time: few enough that their values stay in the cache, enough to feed many threads.
const EVALUATION_SLICE: usize = 64;

/// Images with their labels.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a, T> {
    /// Pixels in the order (image, channel, row, column), normalised.
    pub images: &'a [T],
    /// One class an image.
    pub labels: &'a [u16],
}

/// Who carries out a network. Backends agree but for rounding, so a run has the bits of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackendKind {
    /// Kernels for the processor's vectors, over images in the cache.
    #[default]
    Cpu,
    /// Plain loops and one matrix product: slower, and the standard that the others are held to.
    Reference,
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
    /// None of the two backends so far; one may fail to find its device.
    pub fn on(graph: Arc<Graph>, backend: BackendKind) -> Result<Self> {
        let engine: Box<dyn Engine<T>> = match backend {
            BackendKind::Cpu => Box::new(Cpu::new(&graph)),
            BackendKind::Reference => Box::new(Stepwise::<T, Reference<T>>::new(&graph)),
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
    /// has the wrong length.
    pub fn gradient(
        &mut self,
        weights: &mut Weights<T>,
        batch: Batch<'_, T>,
        dropout: Dropout<'_>,
        gradient: &mut [T],
    ) -> Result<Outcome> {
        self.check(weights, batch)?;
        let counts = self.values_a_channel(batch.labels.len())?;
        let outcome = self.there_and_back(weights, batch, Mode::Training, dropout, gradient)?;
        let unbiased = self.moments.unbiased(weights.layout(), &counts);
        track(&mut weights.running_mean, &self.moments.mean);
        track(&mut weights.running_var, &unbiased);
        weights.batches_tracked += u64::from(!counts.is_empty());
        Ok(outcome)
    }

    /// Losses in evaluation mode, with the running statistics and without dropout, and the gradient of their mean, which
    /// overwrites `gradient`.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate), and if `gradient` has the wrong length.
    pub fn evaluation_gradient(
        &mut self,
        weights: &Weights<T>,
        batch: Batch<'_, T>,
        gradient: &mut [T],
    ) -> Result<Outcome> {
        self.check(weights, batch)?;
        self.moments.set(weights);
        self.there_and_back(weights, batch, Mode::Evaluation, Dropout::Off, gradient)
    }

    fn there_and_back(
        &mut self,
        weights: &Weights<T>,
        batch: Batch<'_, T>,
        mode: Mode,
        dropout: Dropout<'_>,
        gradient: &mut [T],
    ) -> Result<Outcome> {
        if gradient.len() != weights.values.len() {
            return Err(Error::domain("length of the gradient", gradient.len(), weights.values.len()));
        }
        let images = batch.labels.len();
        let factors: Vec<Vec<T>> = self
            .dropped
            .iter()
            .map(|Dropped { name, rate, length }| dropout.factors(name, *rate, images, *length))
            .collect::<Result<_>>()?;
        self.engine.load(&weights.values);
        let logits = self.engine.forward(batch.images, &factors, mode, &mut self.moments);
        let slopes = loss::cross_entropy_gradient(&logits, batch.labels);
        self.engine.backward(&slopes, &self.moments, gradient);
        Ok(loss::cross_entropy(&logits, batch.labels))
    }

    /// Losses in evaluation mode, with the running statistics and without dropout.
    ///
    /// # Errors
    /// [`Error::Domain`] if the weights are another network's, or the batch is empty, incomplete or has a label that is
    /// no class.
    pub fn evaluate(&mut self, weights: &Weights<T>, batch: Batch<'_, T>) -> Result<Outcome> {
        self.check(weights, batch)?;
        self.moments.set(weights);
        self.engine.load(&weights.values);
        let mut outcome = Outcome::default();
        let image = self.graph.input().len();
        for (images, labels) in batch.images.chunks(EVALUATION_SLICE * image).zip(batch.labels.chunks(EVALUATION_SLICE))
        {
            let logits = self.engine.logits(images, Mode::Evaluation, &mut self.moments);
            outcome.extend(loss::cross_entropy(&logits, labels));
        }
        Ok(outcome)
    }

    /// The logits of every image, one row after the other, without dropout.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate); in [`Mode::Training`] also if a batch norm would see a single value a channel.
    pub fn logits(&mut self, weights: &Weights<T>, batch: Batch<'_, T>, mode: Mode) -> Result<Vec<T>> {
        self.check(weights, batch)?;
        match mode {
            Mode::Training => drop(self.values_a_channel(batch.labels.len())?),
            Mode::Evaluation => self.moments.set(weights),
        }
        self.engine.load(&weights.values);
        Ok(self.engine.logits(batch.images, mode, &mut self.moments))
    }

    /// Adds the batch-norm statistics of a batch, seen in training mode but without dropout, to a pass.
    ///
    /// # Errors
    /// [`Error::Domain`] as [`gradient`](Self::gradient), and if the pass belongs to another network.
    pub fn collect_statistics(
        &mut self,
        weights: &Weights<T>,
        batch: Batch<'_, T>,
        into: &mut StatisticsPass,
    ) -> Result<()> {
        self.check(weights, batch)?;
        if **into.layout() != **self.graph.layout() {
            return Err(Error::domain("the statistics pass", "another network's", "one of this network"));
        }
        let images = batch.labels.len();
        let counts = self.values_a_channel(images)?;
        if !counts.is_empty() {
            self.engine.load(&weights.values);
            self.engine.logits(batch.images, Mode::Training, &mut self.moments);
        }
        into.add(images, &self.moments.mean, &self.moments.unbiased(weights.layout(), &counts));
        Ok(())
    }

    fn check(&self, weights: &Weights<T>, batch: Batch<'_, T>) -> Result<()> {
        let layout = self.graph.layout();
        if **weights.layout() != **layout {
            return Err(Error::domain("the weights", "another network's", "those of this network"));
        }
        for (name, length, right) in [
            ("length of values", weights.values.len(), layout.trainable()),
            ("length of running_mean", weights.running_mean.len(), layout.channels()),
            ("length of running_var", weights.running_var.len(), layout.channels()),
            ("numbers in the batch's images", batch.images.len(), batch.labels.len() * self.graph.input().len()),
        ] {
            if length != right {
                return Err(Error::domain(name, length, right));
            }
        }
        if batch.labels.is_empty() {
            return Err(Error::domain("images in the batch", 0, "at least 1"));
        }
        let classes = self.graph.classes();
        match batch.labels.iter().position(|label| usize::from(*label) >= classes) {
            Some(index) => {
                let name = format!("label of image {index} of the batch");
                Err(Error::domain(name, batch.labels[index], format!("0 to {}", classes - 1)))
            }
            None => Ok(()),
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
