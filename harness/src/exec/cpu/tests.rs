//! The engine on every instruction set against the reference: random networks, known networks, training curves.

use std::time::{Duration, Instant};

use rand::RngExt;
use valleys_sim::Seed;
use valleys_sim::seed::Stream;

use super::*;
use crate::Result;
use crate::exec::dropout::dropped;
use crate::exec::examples::Images;
use crate::exec::loss::{cross_entropy, cross_entropy_gradient};
use crate::exec::reference::Reference;
use crate::exec::stepwise::Stepwise;
use crate::model::{Activation, Architecture, GraphBuilder, Shape, Value, Window};
use crate::optim::{Sgd, SgdParams};
use crate::params::Weights;

const CLASSES: usize = 3;

/// A network drawn from all layers; a smooth one has no ReLU and no maxima, whose kinks make much of little rounding.
fn network(rng: &mut Stream, smooth: bool) -> Result<Graph> {
    let shape =
        Shape { channels: rng.random_range(1..=5), height: rng.random_range(3..=9), width: rng.random_range(3..=9) };
    let mut builder = GraphBuilder::new(shape)?;
    let mut values = vec![builder.input()];
    let mut read = vec![false];
    let layers = rng.random_range(3..=14);
    for layer in 0..layers {
        // The latest values most often, so that networks become deep.
        let pick = |rng: &mut Stream| values.len() - 1 - rng.random_range(0..values.len().min(4));
        let (first, second) = (pick(rng), pick(rng));
        let x = values[first];
        let mut inputs = vec![first];
        let name = format!("layer{layer}");
        let new = match rng.random_range(0..12) {
            0..=2 => {
                let window = match rng.random() {
                    // Half of them such as Winograd's algorithm takes.
                    true => Window { size: 3, stride: 1, padding: 1 },
                    false => Window {
                        size: rng.random_range(1..=4),
                        stride: rng.random_range(1..=3),
                        padding: rng.random_range(0..=2),
                    },
                };
                let outputs = rng.random_range(1..=20);
                match rng.random() {
                    true => builder.convolution(&name, x, outputs, window),
                    false => builder.convolution_with_bias(&name, x, outputs, window),
                }
            }
            3..=4 => builder.batch_norm(&name, x),
            5..=6 => Ok(builder.activation(x, function(rng, smooth))),
            7 => {
                inputs.push(second);
                builder.add(x, values[second])
            }
            8..=9 => {
                inputs.push(second);
                builder.concatenate(&[x, values[second], x])
            }
            10 if smooth || rng.random() => builder.average_pool(x, 2),
            10 => builder.max_pool(x, 2),
            _ => builder.dropout(&name, x, 0.25),
        };
        // What does not fit is left out.
        if let Ok(new) = new {
            inputs.iter().for_each(|index| read[*index] = true);
            values.push(new);
            read.push(false);
        }
    }
    let ends: Vec<Value> = values.iter().zip(read).filter(|(_, read)| !read).map(|(value, _)| *value).collect();
    let mut logits = None;
    for (index, end) in ends.into_iter().enumerate() {
        let vector = builder.flatten(end);
        let part = builder.linear(&format!("end{index}"), vector, CLASSES)?;
        logits = Some(match logits {
            Some(sum) => builder.add(sum, part)?,
            None => part,
        });
    }
    builder.finish(logits.expect("the last value is read by none"))
}

fn function(rng: &mut Stream, smooth: bool) -> Activation {
    match rng.random_range(0..if smooth { 2 } else { 4 }) {
        0 => Activation::Sigmoid,
        1 => Activation::Softplus,
        _ => Activation::Relu,
    }
}

/// A network's weights, and a batch with dropout's factors.
struct Case {
    weights: Weights<f64>,
    images: Vec<f64>,
    labels: Vec<u16>,
    factors: Vec<Vec<f64>>,
}

impl Case {
    fn new(graph: &Graph, rng: &mut Stream, count: usize) -> Self {
        let mut weights = Weights::initialise(graph, Seed(rng.random())).cast::<f64>();
        let mut around = |centre: f64| centre + 0.2 * (2.0 * rng.random::<f64>() - 1.0);
        weights.values.iter_mut().for_each(|value| *value = around(*value));
        weights.running_mean.iter_mut().for_each(|value| *value = around(0.0));
        weights.running_var.iter_mut().for_each(|value| *value = around(1.0));
        let images = (0..count * graph.input().len()).map(|_| 4.0 * rng.random::<f64>() - 2.0).collect();
        let labels = (0..count).map(|_| rng.random_range(0..graph.classes() as u16)).collect();
        let mut mask = |length| (0..count * length).map(|_| f64::from(rng.random_range(0..3u8))).collect();
        let factors = dropped(graph).into_iter().map(|dropped| mask(dropped.length)).collect();
        Self { weights, images, labels, factors }
    }

    /// Everything that an engine makes of it: logits three ways, moments, and gradients in both modes.
    fn run<T: Scalar>(&self, engine: &mut dyn Engine<T>) -> Vec<Vec<f64>> {
        let cast = |numbers: &[f64]| numbers.iter().map(|x| T::from_f64(*x)).collect::<Vec<T>>();
        let doubles = |numbers: &[T]| numbers.iter().map(|x| x.to_f64()).collect::<Vec<f64>>();
        let weights = self.weights.cast::<T>();
        let (images, mut results) = (cast(&self.images), Vec::new());
        let factors: Vec<_> = self.factors.iter().map(|factors| cast(factors)).collect();
        engine.load(&weights.values).expect("no device");
        for mode in [Mode::Training, Mode::Evaluation] {
            let mut moments = AllMoments::new(weights.running_mean.len());
            moments.set(&weights.running_mean, &weights.running_var);
            results.push(doubles(&engine.logits(Images::Pixels(&images), mode, &mut moments).expect("no device")));
            results.push([moments.mean.clone(), moments.var.clone()].concat());
            let logits = engine.forward(Images::Pixels(&images), &factors, mode, &mut moments).expect("no device");
            let mut gradient = vec![T::from_f64(7.0); weights.values.len()];
            engine
                .backward(&cross_entropy_gradient(&logits, &self.labels), &moments, &mut gradient)
                .expect("no device");
            results.push(doubles(&logits));
            let gradient = doubles(&gradient);
            results.extend(weights.layout().parameters().iter().map(|entry| gradient[entry.range()].to_vec()));
        }
        results
    }
}

fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().map(|x| x.abs()).fold(0.0, f64::max)
}

/// The largest difference of two lists of numbers, relative to the numbers of the same list and a little of all.
fn apart(ours: &[Vec<f64>], right: &[Vec<f64>], little: f64) -> f64 {
    let all = right.iter().map(|numbers| largest(numbers)).fold(0.0, f64::max);
    let pairs = ours.iter().zip(right);
    let differences = pairs.map(|(ours, right)| {
        assert_eq!(ours.len(), right.len());
        let difference = ours.iter().zip(right).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        difference / (largest(right) + little * all)
    });
    differences.fold(0.0, f64::max)
}

/// All instruction sets, with every convolution direct, Winograd's where it can be, and from 100 weights on wide.
fn ways() -> impl Iterator<Item = (InstructionSet, Thresholds)> {
    let thresholds = [(usize::MAX, 0), (1, usize::MAX), (1, 100)];
    let thresholds = thresholds.map(|(channels, weights)| Thresholds { channels, weights });
    InstructionSet::available().into_iter().flat_map(move |set| thresholds.map(|thresholds| (set, thresholds)))
}

/// Compares all instruction sets with the reference in double precision; returns the largest difference.
fn compare(graph: &Graph, case: &Case) -> f64 {
    let right = case.run::<f64>(&mut Stepwise::<f64, Reference<f64>>::new(graph));
    let ours = |(set, thresholds)| apart(&case.run::<f64>(&mut Cpu::with(graph, set, thresholds)), &right, 1e-4);
    ways().map(ours).fold(0.0, f64::max)
}

#[test]
fn random_networks_agree_with_the_reference_in_double_precision() {
    for index in 0..300 {
        let mut rng = Seed(41).stream("networks", index);
        let graph = network(&mut rng, false).expect("a network");
        let count = [1, 2, 5, 9, 17][index as usize % 5];
        let case = Case::new(&graph, &mut rng, count);
        let difference = compare(&graph, &case);
        assert!(difference < 1e-9, "network {index}, {count} images, {difference:e}: {:?}", graph.layers());
    }
}

#[test]
fn random_networks_in_single_precision_are_as_near_the_right_numbers_as_the_reference() {
    for index in 0..100 {
        let mut rng = Seed(42).stream("smooth networks", index);
        let graph = network(&mut rng, true).expect("a network");
        let case = Case::new(&graph, &mut rng, 2 + index as usize % 9);
        let right = case.run::<f64>(&mut Stepwise::<f64, Reference<f64>>::new(&graph));
        let reference = apart(&case.run::<f32>(&mut Stepwise::<f32, Reference<f32>>::new(&graph)), &right, 1e-2);
        for (set, thresholds) in ways() {
            let ours = apart(&case.run::<f32>(&mut Cpu::with(&graph, set, thresholds)), &right, 1e-2);
            assert!(
                ours < 1e-5 + 4.0 * reference,
                "network {index}, {set:?}, {thresholds:?}: {ours:e}, the reference {reference:e}"
            );
        }
    }
}

#[test]
fn known_networks_agree_with_the_reference() {
    for name in ["resnet8", "resnet8-sigmoid", "resnet8-nobn", "densenet40", "mlp"] {
        let graph = Architecture::parse(name).and_then(|known| known.graph(10)).expect("a network");
        let case = Case::new(&graph, &mut Seed(43).stream(name, 0), 3);
        let difference = compare(&graph, &case);
        assert!(difference < 1e-8, "{name}: {difference:e}");
    }
}

/// The losses of 50 steps of SGD on one batch.
fn curve<T: Scalar>(engine: &mut dyn Engine<T>, graph: &Graph) -> Vec<f64> {
    let case = Case::new(graph, &mut Seed(44).stream("curve", 0), 20);
    let images: Vec<T> = case.images.iter().map(|x| T::from_f64(*x)).collect();
    let mut weights = Weights::initialise(graph, Seed(44)).cast::<T>();
    let mut moments = AllMoments::new(weights.running_mean.len());
    let mut gradient = vec![T::zero(); weights.values.len()];
    let params = SgdParams { momentum: 0.9, weight_decay: 1e-4 };
    let mut sgd = Sgd::new(params, weights.values.len()).expect("valid");
    let mut losses = Vec::new();
    for _ in 0..50 {
        engine.load(&weights.values).expect("no device");
        let logits = engine.forward(Images::Pixels(&images), &[], Mode::Training, &mut moments).expect("no device");
        losses.push(cross_entropy(&logits, &case.labels).mean_loss());
        engine.backward(&cross_entropy_gradient(&logits, &case.labels), &moments, &mut gradient).expect("no device");
        sgd.step(0.05, &mut weights.values, &gradient).expect("a step");
    }
    losses
}

#[test]
fn training_curves_stay_within_rounding_of_the_references() {
    let graph = Architecture::ResNet8.graph(10).expect("a network");
    let right = curve::<f64>(&mut Stepwise::<f64, Reference<f64>>::new(&graph), &graph);
    assert!(right[49] < 0.3 * right[0], "it learns: {right:?}");
    let ours = curve::<f64>(&mut Cpu::new(&graph), &graph);
    let single = curve::<f32>(&mut Cpu::new(&graph), &graph);
    for (step, ((right, ours), single)) in right.iter().zip(ours).zip(single).enumerate() {
        assert!((ours - right).abs() < 1e-9, "step {step}: {ours} {right}");
        assert!((single - right).abs() < 1e-2, "step {step} in single precision: {single} {right}");
    }
}

#[test]
fn a_network_is_evaluated_in_one_stage_with_few_buffers() {
    let graph = Architecture::ResNet110.graph(10).expect("a network");
    let evaluation = schedule(&graph, Purpose::Evaluation, Thresholds::CHOSEN);
    assert_eq!((evaluation.stages.len(), evaluation.batch.len()), (1, 1), "the logits alone outlive the stage");
    assert!(evaluation.local.len() <= 4, "{:?}", evaluation.local);
}

#[test]
fn training_keeps_what_convolutions_and_sums_make_and_no_normalised_value() {
    // The image, the stem, and for every block its first convolution's output and the sum; two more for gradients of
    // every length, the factors of none, logits and their gradient.
    let graph = Architecture::ResNet20.graph(10).expect("a network");
    let training = schedule(&graph, Purpose::Training, Thresholds::CHOSEN);
    let count = |length: usize| training.batch.iter().filter(|batch| **batch == length).count();
    assert!(
        count(16 * 1024) <= 1 + 6 + 2 && count(32 * 256) <= 6 + 2 && count(64 * 64) <= 6 + 2,
        "{:?}",
        training.batch
    );
}

#[test]
fn a_dense_network_copies_nothing() {
    let graph = Architecture::DenseNet40.graph(10).expect("a network");
    let schedule = schedule(&graph, Purpose::Training, Thresholds::CHOSEN);
    let mut steps = schedule.stages.iter().flat_map(|stage| &stage.steps);
    assert!(!steps.any(|step| matches!(step, step::Step::Map { x, .. } if x.is_plain())));
}

#[test]
fn planning_the_deepest_network_takes_less_than_a_fifth_of_a_second() {
    let graph = Architecture::ResNet164.graph(10).expect("a network");
    // The fastest of several, since other work may share the processor.
    let plan = || {
        let start = Instant::now();
        for purpose in [Purpose::Training, Purpose::Statistics, Purpose::Evaluation] {
            schedule(&graph, purpose, Thresholds::CHOSEN);
        }
        start.elapsed()
    };
    let fastest = (0..5).map(|_| plan()).min().expect("five times");
    assert!(fastest < Duration::from_millis(200), "{fastest:?}");
}
