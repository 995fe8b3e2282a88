//! Gradients against central differences.

use std::sync::Arc;

use rand::RngExt;
use valleys_harness::Result;
use valleys_harness::exec::{StatisticsPass, Weighting};
use valleys_harness::model::{Architecture, Graph, GraphBuilder, Shape, Window};
use valleys_sim::Seed;

use super::{Examples, dropout, executor, gradient, medley, resnet8, weights};

/// Compares some coordinates of every tensor's gradient with central differences of the training loss.
fn check_gradient(graph: &Arc<Graph>, images: usize, coordinates: usize) {
    let (weights, examples) = (weights(graph), Examples::new(graph, images));
    let (_, slopes) = gradient(graph, &weights, examples.batch());
    let mut executor = executor::<f64>(graph);
    let mut unused = vec![0.0; slopes.len()];
    let mut loss = |index: usize, step: f64| {
        let mut moved = weights.clone();
        moved.values[index] += step;
        executor
            .gradient(&mut moved, examples.batch(), dropout(examples.batch()), &mut unused)
            .expect("a loss")
            .mean_loss()
    };
    for entry in graph.layout().parameters() {
        let scale = slopes[entry.range()].iter().map(|slope| slope.abs()).fold(0.0, f64::max);
        assert!(scale > 1e-6, "{} has a gradient", entry.name);
        let coordinates = coordinates.min(entry.len());
        for index in (0..coordinates).map(|k| entry.offset + (2 * k + 1) * entry.len() / (2 * coordinates)) {
            let difference = (loss(index, 1e-7) - loss(index, -1e-7)) / 2e-7;
            let apart = (slopes[index] - difference).abs();
            let name = &entry.name;
            assert!(apart < 1e-5 * scale, "{name}, {index}: {}, by difference {difference}", slopes[index]);
        }
    }
}

#[test]
fn the_gradient_of_a_resnet_is_the_central_difference_in_every_tensor() {
    check_gradient(&resnet8(), 3, 3);
}

#[test]
fn the_gradient_of_a_bottleneck_resnet_is_the_central_difference_along_random_parts_of_it() {
    let graph = Arc::new(Architecture::ResNet56.graph(3).expect("a network"));
    let (weights, examples) = (weights(&graph), Examples::new(&graph, 2));
    let (_, slopes) = gradient(&graph, &weights, examples.batch());
    for part in 0..6 {
        let mut rng = Seed(5).stream("part", part);
        let chosen: Vec<f64> = slopes.iter().map(|slope| if rng.random() { *slope } else { 0.0 }).collect();
        let norm = chosen.iter().map(|x| x * x).sum::<f64>().sqrt();
        let loss = |step: f64| {
            let mut moved = weights.clone();
            moved.values.iter_mut().zip(&chosen).for_each(|(value, slope)| *value += step / norm * slope);
            gradient(&graph, &moved, examples.batch()).0
        };
        let difference = (loss(1e-7) - loss(-1e-7)) / 2e-7;
        assert!((norm - difference).abs() < 1e-4 * norm, "part {part}: {norm}, by difference {difference}");
    }
}

#[test]
fn gradients_of_networks_with_shared_values_are_central_differences() {
    // Values read twice, sums of a value with itself and with the image, ReLU and batch norm apart from each other.
    let build = || -> Result<Graph> {
        let mut builder = GraphBuilder::new(Shape { channels: 2, height: 6, width: 4 })?;
        let window = |size, stride| Window { size, stride, padding: size / 2 };
        let image = builder.input();
        let first = builder.convolution("first", image, 2, window(3, 1))?;
        let with_image = builder.add(first, image)?;
        let second = builder.convolution("second", with_image, 2, window(3, 1))?;
        let residual = builder.add(second, with_image)?;
        let doubled = builder.add(residual, residual)?;
        let normalised = builder.batch_norm("bn1", doubled)?;
        let rectified = builder.relu(normalised);
        let both = builder.add(normalised, rectified)?;
        let third = builder.convolution("third", both, 3, window(1, 2))?;
        let rectified = builder.relu(third);
        let linear_norm = builder.batch_norm("bn2", rectified)?;
        let fourth = builder.convolution("fourth", linear_norm, 3, window(3, 1))?;
        let sum = builder.add(linear_norm, fourth)?;
        let flat = builder.flatten(sum);
        let wide = builder.linear("wide", flat, 5)?;
        let rectified = builder.relu(wide);
        let logits = builder.linear("fc", rectified, 3)?;
        builder.finish(logits)
    };
    let graph = Arc::new(build().expect("a network"));
    check_gradient(&graph, 5, 100);
    // The plan that keeps nothing for the way back gives the same losses.
    let (examples, mut weights) = (Examples::new(&graph, 5), weights(&graph));
    let (training_loss, _) = gradient(&graph, &weights, examples.batch());
    let mut pass = StatisticsPass::new(graph.layout(), Weighting::BySize);
    let mut executor = executor::<f64>(&graph);
    executor.collect_statistics(&weights, examples.batch(), &mut pass).expect("statistics");
    pass.finish(&mut weights).expect("one batch");
    for norm in graph.layout().norms() {
        // Back from the unbiased variance to the one that normalised the batch.
        let count = if norm.name == "bn1" { 5.0 * 24.0 } else { 5.0 * 6.0 };
        weights.running_var[norm.range()].iter_mut().for_each(|var| *var *= (count - 1.0) / count);
    }
    let evaluated = executor.evaluate(&weights, examples.batch()).expect("losses").mean_loss();
    assert!((evaluated - training_loss).abs() < 1e-12, "{evaluated} {training_loss}");
}

#[test]
fn the_gradient_through_every_kind_of_layer_is_the_central_difference() {
    check_gradient(&medley(), 10, 100);
}

#[test]
fn the_gradient_in_evaluation_mode_is_the_central_difference_and_leaves_statistics_alone() {
    for graph in [medley(), resnet8()] {
        let (mut weights, examples) = (weights(&graph), Examples::new(&graph, 3));
        weights.running_mean.fill(0.125);
        weights.running_var.fill(0.75);
        let mut executor = executor::<f64>(&graph);
        let mut slopes = vec![0.0; weights.values.len()];
        let outcome = executor.evaluation_gradient(&weights, examples.batch(), &mut slopes).expect("a gradient");
        assert_eq!(outcome, executor.evaluate(&weights, examples.batch()).expect("losses"));
        for entry in graph.layout().parameters() {
            for index in [entry.range().start, entry.range().end - 1] {
                let mut loss = |step: f64| {
                    let mut moved = weights.clone();
                    moved.values[index] += step;
                    executor.evaluate(&moved, examples.batch()).expect("losses").mean_loss()
                };
                let difference = (loss(1e-6) - loss(-1e-6)) / 2e-6;
                let apart = (slopes[index] - difference).abs();
                assert!(apart < 1e-7 + 1e-6 * difference.abs(), "{}: {} {difference}", entry.name, slopes[index]);
            }
        }
        assert!(executor.evaluation_gradient(&weights, examples.batch(), &mut [0.0]).is_err(), "the wrong length");
    }
}
