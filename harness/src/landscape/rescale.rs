//! The same function at another place in weight space (Dinh et al., *Sharp Minima Can Generalize For Deep Nets*, 2017).
//!
//! A convolution whose output is read by a batch norm alone can be scaled by any α > 0: the batch norm divides by what it
//! was multiplied by. The network's outputs stay the same (up to the 10⁻⁵ that batch norm adds to a variance), but its
//! place, and so the loss along a fixed direction, does not. A measure of a minimum's shape that means something should
//! not change.

use crate::model::Graph;
use crate::model::graph::{Layer, Value};
use crate::params::Weights;
use crate::{Error, Result};

/// The network with every such convolution multiplied by α, and the running statistics behind it by α and α².
///
/// # Errors
/// α that is not finite and above 0, a network without such a convolution, and weights of another network.
pub fn rescaled(graph: &Graph, weights: &Weights<f32>, alpha: f64) -> Result<Weights<f32>> {
    if !(alpha.is_finite() && alpha > 0.0) {
        return Err(Error::domain("scale α", alpha, "a finite number > 0"));
    }
    if **weights.layout() != **graph.layout() {
        return Err(Error::domain("the weights", "another network's", "those of this network"));
    }
    let mut scaled = weights.clone();
    let mut found = false;
    for (place, layer) in graph.layers().iter().enumerate() {
        let Layer::Convolution { weight, bias, .. } = layer else { continue };
        let Some(norms) = read_by_norms(graph, Value(place + 1)) else { continue };
        found = true;
        let multiply = |values: &mut [f32], by: f64| values.iter_mut().for_each(|x| *x = (f64::from(*x) * by) as f32);
        for &parameter in [weight].into_iter().chain(bias) {
            multiply(&mut scaled.values[weights.layout().parameters()[parameter].range()], alpha);
        }
        for norm in norms {
            let channels = weights.layout().norms()[norm].range();
            multiply(&mut scaled.running_mean[channels.clone()], alpha);
            multiply(&mut scaled.running_var[channels], alpha * alpha);
        }
    }
    match found {
        true => Ok(scaled),
        false => Err(Error::domain("convolutions read by batch norm alone", 0, "at least 1")),
    }
}

/// The batch norms that read a value, if nothing else does and at least one.
fn read_by_norms(graph: &Graph, value: Value) -> Option<Vec<usize>> {
    let readers = graph.layers().iter().filter(|layer| layer.inputs().contains(&value));
    let norms: Option<Vec<usize>> = readers
        .map(|layer| match layer {
            Layer::BatchNorm { norm, .. } => Some(*norm),
            _ => None,
        })
        .collect();
    norms.filter(|norms| !norms.is_empty() && graph.output() != value)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use valleys_sim::Seed;
    use valleys_sim::progress::Silent;

    use super::*;
    use crate::average::recompute_statistics;
    use crate::data::loader::PlainBatches;
    use crate::data::synthetic;
    use crate::exec::{Executor, Weighting};
    use crate::model::Architecture;
    use crate::train::evaluate;

    #[test]
    fn a_scaled_network_is_the_same_function_elsewhere() {
        let data = synthetic::draw(60, 40, Seed(1)).expect("valid");
        for network in [Architecture::ResNet8, Architecture::Vgg16Bn] {
            let graph = Arc::new(network.graph(10).expect("ten classes"));
            let mut weights = Weights::initialise(&graph, Seed(1));
            let mut executor = Executor::new(Arc::clone(&graph)).expect("executor");
            let batches = PlainBatches::new(data.train(), data.normalisation());
            recompute_statistics(&mut executor, &mut weights, &batches, Weighting::BySize, &Silent).expect("pass");
            let scaled = rescaled(&graph, &weights, 3.0).expect("batch norms");
            let mut losses = |weights: &Weights<f32>| {
                evaluate(&mut executor, weights, data.test(), data.normalisation(), &Silent).expect("measured").losses
            };
            let (before, after) = (losses(&weights), losses(&scaled));
            for (before, after) in before.iter().zip(&after) {
                assert!((before - after).abs() < 2e-3 * (1.0 + before.abs()), "{network}: {before} {after}");
            }
            let moved = weights.values.iter().zip(&scaled.values).filter(|(a, b)| a != b).count();
            assert!(moved > weights.values.len() / 4, "{network}: {moved}");
            let back = rescaled(&graph, &scaled, 1.0 / 3.0).expect("batch norms");
            assert!(weights.values.iter().zip(&back.values).all(|(a, b)| (a - b).abs() <= 1e-6 * a.abs()));
        }
    }

    #[test]
    fn only_what_batch_norm_undoes_is_scaled() {
        let graph = Architecture::ResNet8.graph(10).expect("ten classes");
        let weights = Weights::initialise(&graph, Seed(1));
        let scaled = rescaled(&graph, &weights, 2.0).expect("batch norms");
        for entry in weights.layout().parameters() {
            let changed = weights.values[entry.range()] != scaled.values[entry.range()];
            // The second convolution of a block is added to the block's input, and so is the stem in the first.
            let undone = entry.name.ends_with("conv1.weight") && entry.name.starts_with("layer");
            assert_eq!(changed, undone, "{}", entry.name);
        }
        let plain = Architecture::Mlp.graph(10).expect("ten classes");
        let message = |alpha, graph: &Graph| {
            rescaled(graph, &Weights::initialise(graph, Seed(1)), alpha).expect_err("refused").to_string()
        };
        assert_eq!(message(2.0, &plain), "convolutions read by batch norm alone is 0; allowed: at least 1");
        assert!(message(0.0, &graph).starts_with("scale α is 0"));
    }
}
