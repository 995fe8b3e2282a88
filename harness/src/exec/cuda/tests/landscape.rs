use std::sync::Arc;

use valleys_sim::progress::Silent;

use super::double::{load, measured, traffic};
use super::*;
use crate::average::{Average, recompute_statistics};
use crate::data::loader::PlainBatches;
use crate::data::synthetic;
use crate::exec::cuda::algorithms::Precision;
use crate::exec::cuda::convolution::Convolution;
use crate::exec::cuda::device::Device;
use crate::exec::cuda::launch::along;
use crate::exec::cuda::memory::Buffer;
use crate::exec::{BackendKind, Executor, Weighting};
use crate::landscape::known::point;
use crate::landscape::{BatchNorm, Measured, PointsInFlight, Probe, Spec, Surface};
use crate::model::{Architecture, Shape, Window};
use crate::params::{Line, Weights};
use crate::train::evaluate;

#[test]
fn a_point_of_a_line_is_the_host_s_to_the_bit() {
    let n = 700;
    let centre = point(&numbers("centre", n));
    let u: Vec<f64> = numbers("direction", n).into_iter().map(|x| f64::from(x) / 3.0).collect();
    let line = Line::new(&centre, &u).expect("one dimension");
    let (w, direction, y) = (single(&centre.values), double(&u), single(&vec![0.0; n]));
    for offset in [0.0, -1.5, 1e-7, 1e30, 1e39] {
        run(&along(w.view(), direction.view(), offset, y.out()).expect("lengths fit"));
        assert_same(&y.read(), &line.values(offset));
    }
    assert!(along(w.view(), direction.view(), 1.0, w.out()).is_err(), "the centre stays");
    assert!(along(w.view(), double(&[1.0]).view(), 1.0, y.out()).is_err());
}

#[test]
fn a_line_is_measured_where_it_is_and_to_the_bit_as_its_points_alone() {
    load();
    let graph = Arc::new(Architecture::ResNet8.graph(10).expect("a network"));
    let data = synthetic::draw(30, 20, Seed(1)).expect("valid");
    let spec = Spec {
        backend: BackendKind::Cuda,
        batch_norm: BatchNorm::Recompute,
        weighting: Weighting::BySize,
        statistics_images: 24,
        train_images: 20,
        test_images: 10,
        keep_examples: true,
        seed: Seed(2),
    };
    let mut probe = Probe::new(&graph, &data, spec.clone()).expect("a GPU");
    let centres = [3, 4].map(|seed| Weights::initialise(&graph, Seed(seed)));
    let u: Vec<f64> = numbers("direction", centres[0].values.len()).into_iter().map(|x| 0.02 * f64::from(x)).collect();
    let lines = [0, 1].map(|place| Line::new(&centres[place], &u).expect("one dimension"));
    let mut executor = Executor::on(Arc::clone(&graph), BackendKind::Cuda).expect("a GPU");
    let [statistics, train] =
        [("statistics images", 24), ("train images", 20)].map(|(name, n)| data.train().subset(n, spec.seed, name));
    let (statistics, train) = (statistics.expect("images"), train.expect("images"));
    let mut sent = Vec::new();
    // There and back again, so that lines take turns on the device.
    for (line, offset) in [(0, 0.5), (0, -1.0), (1, 0.5), (0, 0.5)] {
        let before = traffic();
        let seen = probe.measure(&lines[line], offset, &Silent).expect("a loss");
        sent.push(traffic() - before);
        let mut alone = lines[line].at(offset);
        let batches = PlainBatches::new(&statistics, data.normalisation());
        recompute_statistics(&mut executor, &mut alone, &batches, Weighting::BySize, &Silent).expect("statistics");
        let right = evaluate(&mut executor, &alone, &train, data.normalisation(), &Silent).expect("a loss");
        assert_eq!(seen.train.examples.as_ref(), Some(&right.losses), "{line} at {offset}");
        assert_eq!(seen.train, Measured::new(right, true));
    }
    // A line's second point sends views, labels and statistics, but not the network.
    let network = 4 * centres[0].values.len() as u64;
    assert!(sent[0] > 3 * network && sent[1] < network / 4 && sent[2] > 3 * network, "{sent:?} of {network}");
}

#[test]
fn points_in_flight_have_lanes_of_their_own_and_the_same_bits() {
    load();
    let graph = Arc::new(Architecture::ResNet8.graph(10).expect("a network"));
    let data = synthetic::draw(30, 20, Seed(1)).expect("valid");
    for backend in [BackendKind::Cuda, BackendKind::CudaBf16] {
        let spec = Spec {
            backend,
            batch_norm: BatchNorm::Recompute,
            weighting: Weighting::BySize,
            statistics_images: 24,
            train_images: 20,
            test_images: 10,
            keep_examples: true,
            seed: Seed(2),
        };
        let centres = [3, 4].map(|seed| Weights::initialise(&graph, Seed(seed)));
        let u: Vec<f64> =
            numbers("direction", centres[0].values.len()).into_iter().map(|x| 0.02 * f64::from(x)).collect();
        let lines = [0, 1].map(|place| Line::new(&centres[place], &u).expect("one dimension"));
        // Lines by turns, several points of each, so that every lane records and starts graphs.
        let points: Vec<_> = (0..9).map(|place| (&lines[place / 3 % 2], 0.1 * place as f64)).collect();
        let [one, three] = [1, 3].map(|in_flight| {
            let in_flight = PointsInFlight::new(in_flight).expect("in range");
            let mut probe = Probe::new(&graph, &data, spec.clone()).expect("a GPU").with_points_in_flight(in_flight);
            let mut losses = Vec::new();
            let kept = probe.measure_all(&points, &Silent, &mut |point| {
                losses.push(point);
                Ok(())
            });
            kept.expect("losses");
            losses
        });
        assert_eq!(one.len(), 9);
        assert!(one == three && one[0] != one[1], "{backend}");
    }
}

#[test]
fn lanes_choose_once_and_do_not_wait_for_one_another() {
    load();
    let lanes = [0, 1, 2].map(|lane| Device::open(0, lane).expect("the host"));
    assert!(Arc::ptr_eq(&lanes[1], &Device::open(0, 1).expect("the host")));
    // A shape that no other test has.
    let (x, y) = (Shape { channels: 3, height: 7, width: 5 }, Shape { channels: 2, height: 7, width: 5 });
    let before = measured();
    let results = [0, 1, 2].map(|lane| {
        let device = &lanes[lane];
        let convolution = Convolution::new(device, 1, x, y, Window::same(3, 1), Precision::F32).expect("a convolution");
        let [x, weight] = [x.len(), 54].map(|length| Buffer::new(device, &numbers("x", length)).expect("memory"));
        let out = Buffer::zeros(device, y.len()).expect("memory");
        convolution.forward(device.stream(), x.view(), weight.view(), out.out()).expect("the host");
        out.view().to_vec().expect("numbers")
    });
    assert_eq!(measured(), before + 1, "one choice for all lanes");
    assert!(results[0] == results[1] && results[0] == results[2] && results[0].iter().any(|y| *y != 0.0));

    // What one lane was asked for is done when that lane is waited for.
    let [mine, other] = [1, 2].map(|lane| Buffer::new(&lanes[lane], &[1.0f32]).expect("memory"));
    mine.out().clear(lanes[1].stream()).expect("the host");
    let seen = || unsafe { *(mine.view().address() as *const f32) };
    assert_eq!(other.view().to_vec().expect("numbers"), [1.0]);
    assert_eq!(seen(), 1.0);
    assert_eq!(mine.view().to_vec().expect("numbers"), [0.0]);
    assert_eq!(seen(), 0.0);
}

#[test]
fn an_average_is_taken_where_the_weights_are_to_the_bit_as_on_the_host() {
    load();
    let graph = Arc::new(Architecture::Mlp.graph(10).expect("a network"));
    let mut executor = Executor::on(Arc::clone(&graph), BackendKind::Cuda).expect("a GPU");
    let dimension = graph.layout().trainable();
    // Two averages by turns: the device has at most one of them.
    let (mut seen, mut right) = ([0, 1].map(|_| Average::new(dimension)), [0, 1].map(|_| Average::new(dimension)));
    for (seed, place) in [(0, 0), (1, 0), (2, 1), (3, 0), (4, 1)] {
        let weights = Weights::initialise(&graph, Seed(seed));
        executor.average(&weights, &mut seen[place]).expect("one dimension");
        right[place].push(&weights.values).expect("one dimension");
        assert!(seen == right, "after {seed}");
    }
    let weights = Weights::initialise(&graph, Seed(0));
    assert!(executor.average(&weights, &mut Average::new(3)).is_err());
}
