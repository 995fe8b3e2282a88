//! Whole networks, step by step on the host, against the reference backend: that every step finds what another one left.

use std::sync::Arc;

use super::{Host, double, numbers, reference, run, single};
use crate::Result;
use crate::device_test::operations;
use crate::exec::backend::{Backend, Convolution, Slot, Target};
use crate::exec::cuda::launch::{self, Launch};
use crate::exec::cuda::machine::Machine;
use crate::exec::cuda::memory::{Out, View};
use crate::exec::cuda::pass::Pass;
use crate::exec::cuda::room::working_memory;
use crate::exec::dropout::dropped;
use crate::exec::engine::Engine;
use crate::exec::examples::Images;
use crate::exec::loss::{cross_entropy, cross_entropy_gradient};
use crate::exec::plan::{Plan, TrainingPlan};
use crate::exec::reference::Reference;
use crate::exec::run::AllMoments;
use crate::exec::stepwise::Stepwise;
use crate::exec::{Dropout, Mode};
use crate::model::{Activation, Architecture, Graph, GraphBuilder, Shape, Window};
use crate::params::Weights;
use valleys_sim::Seed;

/// Slots in the host's memory; the reference's convolutions in the place of cuDNN's.
struct OnHost {
    images: usize,
    slots: Vec<Host<f32>>,
    partial: Host<f64>,
    slopes: Host<f32>,
}

impl OnHost {
    /// Room for a plan, full of numbers that spoil what reads them before they are written.
    fn new(plan: &Plan, images: usize) -> Self {
        let [partial, slopes] = working_memory(plan, images);
        let slots = plan.slots.iter().map(|length| single(&vec![f32::NAN; length * images])).collect();
        Self { images, slots, partial: double(&vec![f64::NAN; partial]), slopes: single(&vec![f32::NAN; slopes]) }
    }
}

/// A convolution alone with its weight.
fn alone(op: &Convolution) -> Convolution {
    Convolution { weight: 0..op.weight.len(), bias: None, ..op.clone() }
}

fn read(view: View<'_, f32>) -> Vec<f32> {
    // SAFETY: views of these tests are of living host memory of this length, which nobody writes meanwhile.
    unsafe { std::slice::from_raw_parts(view.address() as *const f32, view.len()) }.to_vec()
}

fn write(out: Out<'_, f32>, numbers: &[f32]) {
    assert_eq!(out.len(), numbers.len());
    // SAFETY: as in `read`; the memory is of cells, which may be written through a shared reference.
    unsafe { std::ptr::copy_nonoverlapping(numbers.as_ptr(), out.view().address() as *mut f32, numbers.len()) }
}

impl Machine for OnHost {
    fn images(&self) -> usize {
        self.images
    }

    fn slot(&self, slot: Slot) -> Result<Out<'_, f32>> {
        Ok(self.slots[slot.0].out())
    }

    fn partial(&self) -> Result<Out<'_, f64>> {
        Ok(self.partial.out())
    }

    fn slopes(&self) -> Result<Out<'_, f32>> {
        Ok(self.slopes.out())
    }

    fn run(&self, launch: &Launch<'_>) -> Result<()> {
        run(launch);
        Ok(())
    }

    fn copy(&self, x: View<'_, f32>, y: Out<'_, f32>) -> Result<()> {
        write(y, &read(x));
        Ok(())
    }

    fn convolution(&self, op: &Convolution, weight: View<'_, f32>, x: View<'_, f32>, y: Out<'_, f32>) -> Result<()> {
        let mut backend = reference(self.images, &read(weight), &[&read(x), &vec![0.0; y.len()]]);
        backend.convolution(&alone(op), Slot(0), Slot(1));
        write(y, &backend.read(Slot(1)));
        Ok(())
    }

    fn convolution_backward_weight(
        &self,
        op: &Convolution,
        x: View<'_, f32>,
        dy: View<'_, f32>,
        dw: Out<'_, f32>,
    ) -> Result<()> {
        let mut backend = reference(self.images, &vec![0.0; dw.len()], &[&read(x), &read(dy)]);
        backend.convolution_backward(&alone(op), Slot(0), Slot(1), None);
        let mut gradient = vec![0.0; dw.len()];
        backend.read_gradient(&mut gradient);
        gradient.iter_mut().zip(read(dw.view())).for_each(|(number, before)| *number += before);
        write(dw, &gradient);
        Ok(())
    }

    fn convolution_backward_data(
        &self,
        op: &Convolution,
        weight: View<'_, f32>,
        dy: View<'_, f32>,
        (dx, accumulate): (Out<'_, f32>, bool),
    ) -> Result<()> {
        let x = vec![0.0; dx.len()];
        let mut backend = reference(self.images, &read(weight), &[&x, &read(dy), &read(dx.view())]);
        let target = Target { slot: Slot(2), accumulate };
        backend.convolution_backward(&alone(op), Slot(0), Slot(1), Some(target));
        write(dx, &backend.read(Slot(2)));
        Ok(())
    }
}

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

    let TrainingPlan { plan, logits_gradient, backward } = TrainingPlan::new(graph);
    let inference = Plan::inference(graph);
    let parameters = single(&weights.values);
    let channels = graph.layout().channels();
    for mode in [Mode::Training, Mode::Evaluation] {
        let mut right_moments = AllMoments::new(channels);
        right_moments.set(&weights.running_mean, &weights.running_var);
        let moments = double(&[&right_moments.mean[..], &right_moments.var].concat());
        let right = engine.forward(Images::Pixels(&pixels), &factors, mode, &mut right_moments).expect("no device");
        let machine = OnHost::new(&plan, IMAGES);
        let pass = Pass { machine: &machine, parameters: parameters.view(), moments: moments.out(), mode };
        write(machine.slot(plan.images).expect("a slot"), &pixels);
        for (slot, factors) in plan.masks.iter().zip(&factors) {
            write(machine.slot(*slot).expect("a slot"), factors);
        }
        plan.forward.iter().for_each(|step| pass.forward(step).expect("a step"));
        let logits = machine.slots[plan.logits.0].read();
        assert!(apart(&logits, &right) < 1e-4, "{name}, {mode:?}: logits {logits:?}, not {right:?}");
        let seen = moments.read();
        let wanted = [&right_moments.mean[..], &right_moments.var].concat();
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-4 * (1.0 + b.abs());
        assert!(seen.iter().zip(&wanted).all(close), "{name}, {mode:?}: moments {seen:?}, not {wanted:?}");

        // The losses and slopes of the training step, there where the plan has them.
        let (of_labels, losses) = (Host::new(&labels, 0), double(&[0.0; IMAGES]));
        let (correct, slopes) = (Host::new(&[9_u8; IMAGES], 9), machine.slot(logits_gradient).expect("a slot"));
        let of_logits = machine.slots[plan.logits.0].view();
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
        backward.iter().for_each(|step| pass.backward(step, gradient.out()).expect("a step"));
        let gradient = gradient.read();
        assert!(apart(&gradient, &right_gradient) < 1e-3, "{name}, {mode:?}: {}", apart(&gradient, &right_gradient));

        let mut right_moments = AllMoments::new(channels);
        right_moments.set(&weights.running_mean, &weights.running_var);
        let moments = double(&[&right_moments.mean[..], &right_moments.var].concat());
        let right = engine.logits(Images::Pixels(&pixels), mode, &mut right_moments).expect("no device");
        let machine = OnHost::new(&inference, IMAGES);
        let pass = Pass { machine: &machine, parameters: parameters.view(), moments: moments.out(), mode };
        write(machine.slot(inference.images).expect("a slot"), &pixels);
        inference.forward.iter().for_each(|step| pass.forward(step).expect("a step"));
        let logits = machine.slots[inference.logits.0].read();
        assert!(apart(&logits, &right) < 1e-4, "{name}, {mode:?}: logits without dropout");
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
