//! Whole networks: gradients, number types, threads, dropout, batch-norm statistics, parameters, on the crate's `BACKEND`.

mod execution;
mod gradients;
mod parameters;

use std::sync::{Arc, LazyLock};

use rand::RngExt;
use valleys_harness::exec::{Batch, Dropout, Executor};
use valleys_harness::model::{Activation, Architecture, Graph, GraphBuilder, Shape, Window};
use valleys_harness::params::Weights;
use valleys_harness::{Result, Scalar};
use valleys_sim::Seed;

/// Random images and labels for a network.
struct Examples {
    images: Vec<f64>,
    labels: Vec<u16>,
}

impl Examples {
    fn new(graph: &Graph, count: usize) -> Self {
        let mut rng = Seed(11).stream("examples", 0);
        let images = (0..count * graph.input().len()).map(|_| 4.0 * rng.random::<f64>() - 2.0).collect();
        let labels = (0..count).map(|_| rng.random_range(0..graph.classes() as u16)).collect();
        Self { images, labels }
    }

    fn batch(&self) -> Batch<'_, f64> {
        Batch { images: &self.images, labels: &self.labels }
    }
}

fn resnet8() -> Arc<Graph> {
    Arc::new(Architecture::ResNet8.graph(10).expect("a network"))
}

/// A fresh network whose batch norms are not all 1 and 0.
fn weights(graph: &Graph) -> Weights<f64> {
    let mut weights = Weights::initialise(graph, Seed(5)).cast::<f64>();
    let mut rng = Seed(5).stream("perturb", 0);
    weights.values.iter_mut().for_each(|value| *value += 0.1 * (2.0 * rng.random::<f64>() - 1.0));
    weights
}

fn executor<T: Scalar>(graph: &Arc<Graph>) -> Executor<T> {
    Executor::on(Arc::clone(graph), crate::BACKEND).expect("an executor")
}

/// One pass of dropout over images with these numbers.
fn dropout<T>(batch: Batch<'_, T>) -> Dropout<'static> {
    static NUMBERS: LazyLock<Vec<usize>> = LazyLock::new(|| (0..64).map(|index| 7 * index).collect());
    Dropout::Pass { seed: Seed(9), step: 4, images: &NUMBERS[..batch.labels.len()] }
}

fn gradient<T: Scalar>(graph: &Arc<Graph>, weights: &Weights<T>, batch: Batch<'_, T>) -> (f64, Vec<T>) {
    let mut gradient = vec![T::from_f64(7.0); weights.values.len()];
    let outcome =
        executor(graph).gradient(&mut weights.clone(), batch, dropout(batch), &mut gradient).expect("a gradient");
    (outcome.mean_loss(), gradient)
}

/// Every kind of layer, in orders that no known network has.
fn medley() -> Arc<Graph> {
    let build = || -> Result<Graph> {
        let mut builder = GraphBuilder::new(Shape { channels: 2, height: 7, width: 9 })?;
        let image = builder.input();
        let varied = builder.dropout("pixels", image, 0.2)?;
        let first = builder.convolution_with_bias("first", varied, 3, Window::same(3, 1))?;
        let smooth = builder.activation(first, Activation::Softplus);
        let wide = builder.concatenate(&[smooth, image, first, smooth])?;
        let largest = builder.max_pool(wide, 2)?;
        let mean = builder.average_pool(wide, 2)?;
        let both = builder.concatenate(&[largest, mean])?;
        let normalised = builder.batch_norm("bn1", both)?;
        let squashed = builder.activation(normalised, Activation::Sigmoid);
        let kept = builder.dropout("features", squashed, 0.3)?;
        let second = builder.convolution("second", kept, 3, Window { size: 2, stride: 1, padding: 0 })?;
        let normalised = builder.batch_norm("bn2", second)?;
        let smooth = builder.activation(normalised, Activation::Softplus);
        let squashed = builder.activation(smooth, Activation::Sigmoid);
        let sum = builder.add(squashed, normalised)?;
        let flat = builder.flatten(sum);
        let kept = builder.dropout("vector", flat, 0.5)?;
        let logits = builder.linear("fc", kept, 3)?;
        builder.finish(logits)
    };
    Arc::new(build().expect("a network"))
}
