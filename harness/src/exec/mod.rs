//! Who runs a network: losses, gradients and batch-norm statistics of a batch of images.
//!
//! A plan turns the graph into ordered steps over reused buffers, once; a backend carries the steps out; nothing
//! outside this module knows which one. The reference backend, in plain loops and one matrix product, is the only one
//! so far.

mod backend;
mod loss;
mod outcome;
mod plan;
mod reference;
mod statistics;

use std::fmt;
use std::sync::Arc;

pub use outcome::Outcome;
pub use statistics::{StatisticsPass, Weighting};

use self::backend::{Backend, Moments};
use self::plan::{Backward, Forward, Plan, TrainingPlan};
use self::reference::Reference;
use crate::model::Graph;
use crate::params::{Layout, Weights};
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

/// Runs one network on batches of any size, keeping its memory from one batch to the next.
///
/// Work runs on the current rayon pool; results have the same bits for any number of threads.
pub struct Executor<T: Scalar> {
    graph: Arc<Graph>,
    training: TrainingPlan,
    training_backend: Box<dyn Backend<T>>,
    inference: Plan,
    inference_backend: Box<dyn Backend<T>>,
    moments: AllMoments,
}

/// Mean and biased variance of every channel of all batch norms.
struct AllMoments {
    mean: Vec<f64>,
    var: Vec<f64>,
}

/// Where batch norms take their moments from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The batch itself.
    Batch,
    /// [`AllMoments`] as they are.
    Running,
}

impl<T: Scalar> Executor<T> {
    /// An executor of this network.
    ///
    /// # Errors
    /// None of the reference backend; a backend may fail to find its device.
    pub fn new(graph: Arc<Graph>) -> Result<Self> {
        Ok(Self::with_backend(graph, || Box::new(Reference::default())))
    }

    fn with_backend(graph: Arc<Graph>, backend: impl Fn() -> Box<dyn Backend<T>>) -> Self {
        let channels = graph.layout().channels();
        Self {
            training: TrainingPlan::new(&graph),
            training_backend: backend(),
            inference: Plan::inference(&graph),
            inference_backend: backend(),
            moments: AllMoments { mean: vec![0.0; channels], var: vec![0.0; channels] },
            graph,
        }
    }

    /// The network.
    pub fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    /// Losses in training mode, and the gradient of their mean, which overwrites `gradient`. The running statistics of
    /// `weights` move towards those of the batch (momentum 0.1, unbiased variance).
    ///
    /// # Errors
    /// [`Error::Domain`] if the weights are another network's, the batch is empty, incomplete or has a label that is no
    /// class, a batch norm would see a single value a channel, or `gradient` has the wrong length.
    pub fn gradient(&mut self, weights: &mut Weights<T>, batch: Batch<'_, T>, gradient: &mut [T]) -> Result<Outcome> {
        self.check(weights, batch)?;
        let counts = self.values_a_channel(batch.labels.len())?;
        if gradient.len() != weights.values.len() {
            return Err(Error::domain("length of the gradient", gradient.len(), weights.values.len()));
        }
        let TrainingPlan { plan, logits_gradient, backward } = &self.training;
        let backend = self.training_backend.as_mut();
        backend.begin(&plan.slots, batch.labels.len(), &weights.values);
        backend.write(plan.images, batch.images);
        run_forward(backend, &plan.forward, Mode::Batch, &mut self.moments);
        let logits = backend.read(plan.logits);
        backend.write(*logits_gradient, &loss::cross_entropy_gradient(&logits, batch.labels));
        run_backward(backend, backward, &self.moments);
        backend.read_gradient(gradient);
        let unbiased = self.moments.unbiased(weights.layout(), &counts);
        track(&mut weights.running_mean, &self.moments.mean);
        track(&mut weights.running_var, &unbiased);
        weights.batches_tracked += 1;
        Ok(loss::cross_entropy(&logits, batch.labels))
    }

    /// Losses in evaluation mode, with the running statistics.
    ///
    /// # Errors
    /// [`Error::Domain`] if the weights are another network's, or the batch is empty, incomplete or has a label that is
    /// no class.
    pub fn evaluate(&mut self, weights: &Weights<T>, batch: Batch<'_, T>) -> Result<Outcome> {
        self.check(weights, batch)?;
        self.moments.mean = weights.running_mean.iter().map(|value| value.to_f64()).collect();
        self.moments.var = weights.running_var.iter().map(|value| value.to_f64()).collect();
        let (plan, backend) = (&self.inference, self.inference_backend.as_mut());
        let mut outcome = Outcome::default();
        let image = self.graph.input().len();
        for (images, labels) in batch.images.chunks(EVALUATION_SLICE * image).zip(batch.labels.chunks(EVALUATION_SLICE))
        {
            backend.begin(&plan.slots, labels.len(), &weights.values);
            backend.write(plan.images, images);
            run_forward(backend, &plan.forward, Mode::Running, &mut self.moments);
            outcome.extend(loss::cross_entropy(&backend.read(plan.logits), labels));
        }
        Ok(outcome)
    }

    /// Adds the batch-norm statistics of a batch, seen in training mode, to a pass.
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient), and if the pass belongs to another network.
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
        let (plan, backend) = (&self.inference, self.inference_backend.as_mut());
        backend.begin(&plan.slots, images, &weights.values);
        backend.write(plan.images, batch.images);
        run_forward(backend, &plan.forward, Mode::Batch, &mut self.moments);
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
        let norms = self.inference.forward.iter().filter_map(|step| match step {
            Forward::BatchNorm { op, .. } => Some(images * op.plane),
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

impl AllMoments {
    fn of(&self, op: &backend::BatchNorm) -> Moments<'_> {
        Moments { mean: &self.mean[op.statistics.clone()], var: &self.var[op.statistics.clone()] }
    }

    /// The unbiased variances, from the number of values in each batch norm's channels.
    fn unbiased(&self, layout: &Layout, counts: &[usize]) -> Vec<f64> {
        let norms = layout.norms().iter().zip(counts);
        let factors = norms.flat_map(|(norm, &n)| std::iter::repeat_n(n as f64 / (n - 1) as f64, norm.channels));
        self.var.iter().zip(factors).map(|(var, factor)| var * factor).collect()
    }
}

/// Moves running statistics towards those of a batch.
fn track<T: Scalar>(running: &mut [T], batch: &[f64]) {
    for (running, batch) in running.iter_mut().zip(batch) {
        *running = T::from_f64((1.0 - MOMENTUM) * running.to_f64() + MOMENTUM * batch);
    }
}

fn run_forward<T>(backend: &mut dyn Backend<T>, steps: &[Forward], mode: Mode, moments: &mut AllMoments) {
    for step in steps {
        match step {
            Forward::Convolution { op, x, y } => backend.convolution(op, *x, *y),
            Forward::BatchNorm { op, x, y } => {
                if mode == Mode::Batch {
                    let (mean, var) = (&mut moments.mean, &mut moments.var);
                    backend.moments(op, *x, &mut mean[op.statistics.clone()], &mut var[op.statistics.clone()]);
                }
                backend.batch_norm(op, moments.of(op), *x, *y);
            }
            Forward::Relu { x, y } => backend.relu(*x, *y),
            Forward::Copy { x, y } => backend.copy(*x, *y),
            Forward::Add { x, y } => backend.add(*x, *y),
            Forward::AveragePool { op, x, y } => backend.average_pool(op, *x, *y),
            Forward::Linear { op, x, y } => backend.linear(op, *x, *y),
        }
    }
}

fn run_backward<T>(backend: &mut dyn Backend<T>, steps: &[Backward], moments: &AllMoments) {
    for step in steps {
        match step {
            Backward::Convolution { op, x, dy, dx } => backend.convolution_backward(op, *x, *dy, *dx),
            Backward::BatchNorm { op, x, dy, dx } => backend.batch_norm_backward(op, moments.of(op), *x, *dy, *dx),
            Backward::Relu { y, dy, dx } => backend.relu_backward(*y, *dy, *dx),
            Backward::Copy { x, y } => backend.copy(*x, *y),
            Backward::Add { x, y } => backend.add(*x, *y),
            Backward::AveragePool { op, dy, dx } => backend.average_pool_backward(op, *dy, *dx),
            Backward::Linear { op, x, dy, dx } => backend.linear_backward(op, *x, *dy, *dx),
        }
    }
}
