//! Whole networks, step by step on the host, against the reference backend: that every step finds what another one left.

use std::sync::Arc;

use super::kept::ONE;
use super::on_host::{OnHost, read, write};
use super::{Host, assert_same, double, numbers, run, single};
use crate::Result;
use crate::device_test::operations;
use crate::exec::backend::{Convolution, Slot};
use crate::exec::cuda::launch;
use crate::exec::cuda::machine::Machine;
use crate::exec::cuda::number::Storage;
use crate::exec::cuda::pass::Pass;
use crate::exec::dropout::dropped;
use crate::exec::engine::Engine;
use crate::exec::examples::Images;
use crate::exec::gpu::Precision;
use crate::exec::gpu::fusion::{Back, Ways};
use crate::exec::loss::{cross_entropy, cross_entropy_gradient};
use crate::exec::plan::{Backward, Forward, Kind, Kinds, Plan, TrainingPlan};
use crate::exec::reference::Reference;
use crate::exec::run::AllMoments;
use crate::exec::stepwise::Stepwise;
use crate::exec::{Dropout, Mode};
use crate::model::{Activation, Architecture, Graph, GraphBuilder, Shape, Window};
use crate::params::Weights;
use valleys_sim::Seed;

/// How far two lists are apart, relative to the largest right number.
fn apart(seen: &[f32], right: &[f32]) -> f32 {
    assert_eq!(seen.len(), right.len());
    let largest = right.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
    let differences = seen.iter().zip(right).map(|(seen, right)| (seen - right).abs());
    differences.fold(0.0, |most, apart| if apart > most || apart.is_nan() { apart } else { most }) / largest
}

const IMAGES: usize = 3;

/// Takes a network there and back in both modes, on the host and by the reference.
fn check(name: &str, graph: &Graph) {
    check_kept(name, graph, (Storage::F32, &Kinds::alike(graph)), [1e-4, 1e-3]);
    // A few times what rounding each number to eight bits comes to.
    check_kept(name, graph, (Storage::Bf16, &Kinds::apart(graph).expect("flattened")), BF16);
}

/// Errors of logits and moments, and of gradients, that feature maps in bfloat16 may cause.
const BF16: [f32; 2] = [0.1, 0.9];

fn check_kept(name: &str, graph: &Graph, (storage, kinds): (Storage, &Kinds), [there, back]: [f32; 2]) {
    let mut weights = Weights::initialise(graph, Seed(4));
    let varied = numbers("vary", weights.values.len());
    weights.values.iter_mut().zip(varied).for_each(|(value, varied)| *value += 0.05 * varied);
    let pixels: Vec<f32> = numbers("pixels", IMAGES * graph.input().len()).iter().map(|x| 2.0 * x).collect();
    let labels: Vec<u16> = (0..IMAGES).map(|image| (image * 2 % graph.classes()) as u16).collect();
    let dropout = Dropout::Pass { seed: Seed(7), step: 0, images: &[5, 0, 2] };
    let factor = |it: &crate::exec::dropout::Dropped| dropout.factors(&it.name, it.rate, IMAGES, it.length);
    let factors: Vec<Vec<f32>> = dropped(graph).iter().map(|it| factor(it).expect("three images")).collect();
    let mut engine = Stepwise::<f32, Reference<f32>>::new(graph);
    engine.load(&weights.values).expect("no device");

    let (training, inference) = (TrainingPlan::of(graph, kinds), Plan::inference_of(graph, kinds));
    let fits = |op: &Convolution| storage == Storage::Bf16 && Precision::Bf16.fits(op);
    let (ways, inference_ways) = (Ways::training(&training, fits), Ways::inference(&inference, fits));
    let TrainingPlan { plan, logits_gradient, .. } = training;
    let name = &format!("{name}, {storage:?}");
    let parameters = single(&weights.values);
    let channels = graph.layout().channels();
    for mode in [Mode::Training, Mode::Evaluation] {
        let mut right_moments = AllMoments::new(channels);
        right_moments.set(&weights.running_mean, &weights.running_var);
        let moments = double(&[&right_moments.mean[..], &right_moments.var].concat());
        let right = engine.forward(Images::Pixels(&pixels), &factors, mode, &mut right_moments).expect("no device");
        let machine = OnHost::new(&plan, &ways, IMAGES, storage);
        let pass = Pass { machine: &machine, parameters: parameters.view(), moments: moments.out(), mode };
        machine.write_images(plan.images, graph.input(), &pixels);
        for (slot, factors) in plan.masks.iter().zip(&factors) {
            write::<f32>(ONE, machine.slot(*slot).expect("a slot"), factors);
        }
        pass.forward(&ways.there).expect("steps");
        let of_logits = machine.slot::<f32>(ways.logits).expect("a slot").view();
        let logits = read(ONE, of_logits);
        machine.check_surroundings();
        assert!(apart(&logits, &right) < there, "{name}, {mode:?}: logits {logits:?}, not {right:?}");
        let seen = moments.read();
        let wanted = [&right_moments.mean[..], &right_moments.var].concat();
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= f64::from(there) * (1.0 + b.abs());
        assert!(seen.iter().zip(&wanted).all(close), "{name}, {mode:?}: moments {seen:?}, not {wanted:?}");

        // The losses and slopes of the training step, there where the plan has them.
        let (of_labels, losses) = (Host::new(&labels, 0), double(&[0.0; IMAGES]));
        let (correct, slopes) = (Host::new(&[9_u8; IMAGES], 9), machine.slot(logits_gradient).expect("a slot"));
        let losses_of = launch::cross_entropy(of_logits, of_labels.view(), losses.out(), correct.out(), Some(slopes));
        run(&losses_of.expect("a launch"));
        let outcome = cross_entropy(&logits, &labels);
        let hits: Vec<bool> = correct.read().iter().map(|hit| *hit == 1).collect();
        assert_eq!(hits, outcome.correct, "{name}");
        assert!(losses.read().iter().zip(&outcome.losses).all(|(a, b)| (a - b).abs() < 1e-9), "{name}");

        let mut right_gradient = vec![0.0; weights.values.len()];
        let right_slopes = cross_entropy_gradient(&right, &labels);
        engine.backward(&right_slopes, &right_moments, &mut right_gradient).expect("no device");
        let gradient = single(&vec![0.0; weights.values.len()]);
        pass.backward(&ways.back, gradient.out()).expect("steps");
        let gradient = gradient.read();
        assert!(apart(&gradient, &right_gradient) < back, "{name}, {mode:?}: {}", apart(&gradient, &right_gradient));

        let mut right_moments = AllMoments::new(channels);
        right_moments.set(&weights.running_mean, &weights.running_var);
        let moments = double(&[&right_moments.mean[..], &right_moments.var].concat());
        let right = engine.logits(Images::Pixels(&pixels), mode, &mut right_moments).expect("no device");
        let machine = OnHost::new(&inference, &inference_ways, IMAGES, storage);
        let pass = Pass { machine: &machine, parameters: parameters.view(), moments: moments.out(), mode };
        machine.write_images(inference.images, graph.input(), &pixels);
        pass.forward(&inference_ways.there).expect("steps");
        let logits = read::<f32>(ONE, machine.slot(inference_ways.logits).expect("a slot").view());
        machine.check_surroundings();
        assert!(apart(&logits, &right) < there, "{name}, {mode:?}: logits without dropout");
    }
}

/// Layers in an order that shares and adds up values in every way.
pub(super) fn tangle(input: Shape) -> Result<Graph> {
    let mut it = GraphBuilder::new(input)?;
    let image = it.input();
    let varied = it.dropout("pixels", image, 0.2)?;
    let first = it.convolution_with_bias("first", varied, 3, Window::same(3, 1))?;
    let smooth = it.activation(first, Activation::Softplus);
    let wide = it.concatenate(&[smooth, image, first, smooth])?;
    let largest = it.max_pool(wide, 2)?;
    let mean = it.average_pool(wide, 2)?;
    let both = it.concatenate(&[largest, mean])?;
    let normed = it.batch_norm("bn1", both)?;
    let squashed = it.activation(normed, Activation::Sigmoid);
    let second = it.convolution("second", squashed, 3, Window { size: 2, stride: 1, padding: 0 })?;
    let normed = it.batch_norm("bn2", second)?;
    let smooth = it.activation(normed, Activation::Softplus);
    let squashed = it.activation(smooth, Activation::Sigmoid);
    let sum = it.add(squashed, normed)?;
    let twice = it.add(sum, sum)?;
    let flat = it.flatten(twice);
    let kept = it.dropout("vector", flat, 0.5)?;
    let logits = it.linear("fc", kept, 4)?;
    it.finish(logits)
}

#[test]
fn gradients_of_weights_are_made_before_what_they_read_is_overwritten() {
    let shape = Shape { channels: 16, height: 4, width: 4 };
    let op = Convolution { input: shape, output: shape, window: Window::same(3, 1), weight: 0..2304, bias: None };
    let [x, dy, other] = [0, 1, 2].map(Slot);
    let plan = Plan {
        slots: vec![shape.len(); 3],
        kinds: vec![Kind::Map; 3],
        images: x,
        logits: other,
        masks: Vec::new(),
        forward: vec![Forward::Convolution { op: op.clone(), x, y: dy }],
    };
    let gradient_before = |copy: Option<Slot>| {
        let convolution = Back::Convolution { op: op.clone(), x, norm: None, dy, dx: None, sums: None };
        let copy = copy.map(|y| Back::Step(Backward::Copy { x: other, y }));
        let ways =
            Ways { there: Vec::new(), back: [Some(convolution), copy].into_iter().flatten().collect(), logits: other };
        let machine = OnHost::new(&plan, &ways, IMAGES, Storage::Bf16);
        for (slot, name) in [(x, "x"), (dy, "dy"), (other, "other")] {
            machine.write_images(slot, shape, &numbers(name, IMAGES * shape.len()));
        }
        let (parameters, moments) = (single(&[]), double(&[]));
        let pass =
            Pass { machine: &machine, parameters: parameters.view(), moments: moments.out(), mode: Mode::Training };
        let gradient = single(&[0.0; 2304]);
        pass.backward(&ways.back, gradient.out()).expect("steps");
        gradient.read()
    };
    let right = gradient_before(None);
    assert!(right.iter().any(|number| *number != 0.0));
    for overwritten in [x, dy] {
        assert_same(&gradient_before(Some(overwritten)), &right);
    }
}

#[test]
fn every_operation_finds_its_place() {
    for (name, graph) in operations().expect("networks") {
        check(name, &graph);
    }
    check("a tangle", &tangle(Shape { channels: 2, height: 7, width: 9 }).expect("a network"));
}

#[test]
fn networks_go_there_and_back() {
    for name in ["mlp", "resnet8", "vgg16-bn"] {
        let graph = Architecture::parse(name).and_then(|network| network.graph(10)).expect("a network");
        check(name, &Arc::new(graph));
    }
}
