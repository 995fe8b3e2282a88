//! What a backend makes of a network, in numbers that can be compared.

use std::sync::Arc;

use rand::RngExt;
use valleys_sim::Seed;

use crate::exec::{BackendKind, Batch, Dropout, Executor, Mode, StatisticsPass, Weighting};
use crate::model::Graph;
use crate::params::Weights;
use crate::{Result, Scalar};

/// Logits, gradients and statistics.
#[derive(Debug)]
pub(super) struct Seen([Vec<f64>; 3]);

impl Seen {
    pub(super) fn new<T: Scalar>(logits: Vec<f64>, gradient: &[T], statistics: [&[T]; 2]) -> Self {
        Self([logits, doubles(gradient), statistics.map(doubles).concat()])
    }

    /// Largest differences, each relative to the largest of the right numbers.
    pub(super) fn errors(&self, right: &Self) -> [f64; 3] {
        std::array::from_fn(|quantity| apart(&self.0[quantity], &right.0[quantity]))
    }

    /// Whether two are the same to the bit.
    pub(super) fn same_bits(&self, other: &Self) -> bool {
        let bits = |numbers: &Vec<f64>| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        self.0.iter().map(bits).eq(other.0.iter().map(bits))
    }
}

/// 0 if there is nothing to compare, and NaN if a number is.
fn apart(seen: &[f64], right: &[f64]) -> f64 {
    let largest = right.iter().fold(0.0_f64, |most, number| most.max(number.abs()));
    let differences = seen.iter().zip(right).map(|(seen, right)| (seen - right).abs());
    let most = differences.fold(0.0, |most, apart| if apart > most || apart.is_nan() { apart } else { most });
    if most == 0.0 { 0.0 } else { most / largest }
}

fn doubles<T: Scalar>(numbers: &[T]) -> Vec<f64> {
    numbers.iter().map(|number| number.to_f64()).collect()
}

/// A fresh network whose batch norms are not all 1 and 0.
pub(super) fn weights(graph: &Graph) -> Weights<f32> {
    let mut weights = Weights::initialise(graph, Seed(5));
    let mut rng = Seed(5).stream("perturb", 0);
    let mut varied = |value: f32| value + 0.1 * (2.0 * rng.random::<f32>() - 1.0);
    for entry in graph.layout().parameters().iter().filter(|entry| entry.shape.len() == 1) {
        weights.values[entry.range()].iter_mut().for_each(|value| *value = varied(*value));
    }
    weights.running_mean.iter_mut().chain(&mut weights.running_var).for_each(|value| *value = varied(*value));
    weights
}

/// Random pixels and labels for a network.
pub(super) fn examples(graph: &Graph, images: usize) -> (Vec<f32>, Vec<u16>) {
    let mut rng = Seed(6).stream("examples", 0);
    let pixels = (0..images * graph.input().len()).map(|_| 4.0 * rng.random::<f32>() - 2.0).collect();
    (pixels, (0..images).map(|_| rng.random_range(0..graph.classes() as u16)).collect())
}

/// Everything that a backend makes of a network and a batch.
pub(super) fn see<T: Scalar>(
    graph: &Arc<Graph>,
    backend: BackendKind,
    weights: &Weights<T>,
    batch: Batch<'_, T>,
) -> Result<Seen> {
    let mut executor = Executor::on(Arc::clone(graph), backend)?;
    let mut logits = Vec::new();
    for mode in [Mode::Training, Mode::Evaluation] {
        logits.extend(doubles(&executor.logits(weights, batch, mode)?));
    }
    let images: Vec<usize> = (0..batch.labels.len()).collect();
    let dropout = Dropout::Pass { seed: Seed(7), step: 0, images: &images };
    let (mut trained, length) = (weights.clone(), weights.values.len());
    let mut gradients = vec![T::zero(); 2 * length];
    let (training, evaluation) = gradients.split_at_mut(length);
    logits.extend(executor.gradient(&mut trained, batch, dropout, training)?.losses);
    logits.extend(executor.evaluation_gradient(weights, batch, evaluation)?.losses);
    let mut pass = StatisticsPass::new(graph.layout(), Weighting::BySize);
    executor.collect_statistics(weights, batch, &mut pass)?;
    let mut collected = weights.clone();
    pass.finish(&mut collected)?;
    let statistics = |network: &Weights<T>| [network.running_mean.clone(), network.running_var.clone()].concat();
    Ok(Seen::new(logits, &gradients, [&statistics(&trained), &statistics(&collected)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_relative_to_the_largest_number_and_nan_shows() {
        assert_eq!(apart(&[1.0, -4.5], &[1.0, -4.0]), 0.125);
        assert_eq!((apart(&[], &[]), apart(&[0.0], &[0.0])), (0.0, 0.0));
        assert!(apart(&[1.0, f64::NAN, 1.0], &[1.0; 3]).is_nan());
        assert_eq!(apart(&[1.0], &[0.0]), f64::INFINITY);
    }
}
