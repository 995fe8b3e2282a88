//! Work that is recorded once and started as one, against work that is asked for piece by piece.

use std::sync::Arc;

use cudarc::driver::CudaStream;

use super::double::{fail_recordings, load, traffic};
use super::*;
use crate::Error;
use crate::data::loader::{Batches, EpochBatches, PlainBatches};
use crate::data::{Augmentation, Dataset, synthetic};
use crate::exec::cuda::device::Device;
use crate::exec::cuda::engine::Cuda;
use crate::exec::cuda::graph::{Places, Replays};
use crate::exec::cuda::launch::add;
use crate::exec::cuda::memory::Buffer;
use crate::exec::cuda::mirrored::Mirrored;
use crate::exec::cuda::staging::LONGEST;
use crate::exec::engine::{Engine, Resident};
use crate::exec::examples::Examples;
use crate::exec::gpu::Precision;
use crate::exec::run::AllMoments;
use crate::exec::{Outcome, StatisticsPass, Weighting};
use crate::model::{Architecture, Graph as Network};
use crate::optim::Step;
use crate::params::Weights;

/// Three epochs in batches of 8, 8, 8 and 6, with statistics and losses after each.
fn train(network: &Network, precision: Precision, data: &Dataset, records: bool) -> (Cuda, Vec<f32>, Vec<Outcome>) {
    let mut engine = Cuda::new(network, (0, 0), precision, &precision.kinds(network).expect("maps")).expect("the host");
    engine.record(records);
    let mut weights = Weights::initialise(network, Seed(1));
    let mut velocity = vec![0.0; weights.values.len()];
    let mut told = Vec::new();
    for epoch in 0..3 {
        engine.load(&weights.values).expect("memory");
        engine.set_out(&velocity, [&weights.running_mean, &weights.running_var]).expect("memory");
        let batches = EpochBatches::new(data, Augmentation::CROP_AND_FLIP, 8, Seed(2), epoch);
        for number in 0..batches.count() {
            let views = batches.views(number);
            let examples = Examples::<f32>::from(&views);
            let counts: Vec<usize> = network.layout().norms().iter().map(|_| 50).collect();
            // A rate of its own for every batch: it is no part of what is recorded.
            let step = Step { rate: 0.1 / (number + 1) as f32, momentum: 0.9, weight_decay: 1e-3 };
            told.extend(engine.step(examples.images(), examples.labels(), &[], &counts, step).expect("a step"));
        }
        told.extend(engine.settle().expect("steps"));
        let Weights { values, running_mean, running_var, .. } = &mut weights;
        engine.arrive(values, &mut velocity, [running_mean, running_var]).expect("memory");
        let channels = network.layout().channels();
        let mut moments = AllMoments::new(channels);
        let mut pass = StatisticsPass::new(network.layout(), Weighting::BySize);
        engine.open_pass(&pass).expect("memory");
        let plain = PlainBatches::new(data.train(), data.normalisation());
        let views = plain.views(0);
        let examples = Examples::<f32>::from(&views);
        let counts: Vec<usize> = network.layout().norms().iter().map(|_| 99).collect();
        for _ in 0..3 {
            let images = examples.labels().len();
            let share = pass.share(images);
            engine.collect(examples.images(), (share, &counts), &mut moments, &mut pass).expect("statistics");
            pass.count(images);
        }
        engine.close_pass(&mut pass).expect("statistics");
        pass.finish(&mut weights).expect("batches");
        moments.set(&weights.running_mean, &weights.running_var);
        let mut outcome = Outcome::default();
        for _ in 0..3 {
            engine.evaluate(examples.images(), examples.labels(), &mut moments, &mut outcome).expect("losses");
        }
        engine.evaluated(&mut outcome).expect("losses");
        told.push(outcome);
    }
    let all = [weights.values, weights.running_mean, weights.running_var, velocity].concat();
    (engine, all, told)
}

#[test]
fn recorded_steps_have_the_bits_of_steps_that_are_asked_for_piece_by_piece() {
    load();
    let data = synthetic::draw(30, 10, Seed(1)).expect("valid");
    let network = Architecture::ResNet8.graph(10).expect("a network");
    for precision in [Precision::Single, Precision::Bf16] {
        steps_have_the_same_bits(&network, precision, &data);
    }
}

fn steps_have_the_same_bits(network: &Network, precision: Precision, data: &Dataset) {
    let (engine, numbers, told) = train(network, precision, data, true);
    let (plain, right_numbers, right_told) = train(network, precision, data, false);
    assert!(numbers == right_numbers && told == right_told);
    assert_eq!((told.len(), told[3].losses.len(), told[4].losses.len()), (15, 6, 90));
    // Steps of 8 and of 6, statistics, losses; the first evaluation moved the losses' place.
    let recorded = [&engine, &plain].map(|engine| engine.recordings());
    assert_eq!(recorded.map(|it| (it.recorded, it.refused.len())), [(4, 0), (0, 0)]);
}

#[test]
fn a_recording_is_made_anew_where_places_change_and_let_be_where_it_fails() {
    load();
    let device = Device::open(0, 0).expect("the host");
    let [x, y] = [[1.0f32, 2.0], [10.0, 20.0]].map(|numbers| Buffer::new(&device, &numbers).expect("memory"));
    let [one, other] = [1, 1].map(|bytes| Arc::new(Buffer::<u8>::zeros(&device, bytes).expect("memory")));
    let add_up = |stream: &Arc<CudaStream>| device.run_in(stream, &add(x.view(), y.out())?);
    let mut replays = Replays::new(true);
    let mut go = |(address, workspace): (u64, &Arc<Buffer<u8>>)| {
        let places = || Places { addresses: vec![address], workspace: Some(Arc::clone(workspace)) };
        // SAFETY: nothing moves at all.
        unsafe { replays.run(&device, "add", places, add_up) }.expect("the host");
        replays.recordings().recorded
    };
    let turns = [(1, &one), (1, &one), (1, &one), (2, &one), (2, &one), (2, &other), (2, &other), (2, &other)];
    assert_eq!(turns.map(&mut go), [0, 1, 1, 0, 1, 0, 1, 1]);
    assert_eq!(y.view().to_vec().expect("numbers"), [18.0, 36.0], "eight times: recording itself does nothing");

    // What a recording cannot hold, and a driver that makes none, are told and change nothing.
    let nowhere = || Places { addresses: Vec::new(), workspace: None };
    let fussy = |stream: &Arc<CudaStream>| match Arc::ptr_eq(stream, device.stream()) {
        true => add_up(stream),
        false => Err(Error::device("not here")),
    };
    let mut refused = Replays::new(true);
    for (turn, kind) in ["fussy", "fussy", "fussy", "failing", "failing", "failing"].into_iter().enumerate() {
        fail_recordings(kind == "failing");
        // SAFETY: nothing moves at all.
        unsafe {
            match kind {
                "fussy" => refused.run(&device, kind, nowhere, fussy),
                _ => refused.run(&device, kind, nowhere, add_up),
            }
        }
        .expect("the host");
        assert_eq!(y.view().to_vec().expect("numbers")[0], 19.0 + turn as f32);
    }
    fail_recordings(false);
    let recordings = refused.recordings();
    assert_eq!((recordings.recorded, &recordings.refused[0][..]), (0, "not here"));
    assert_eq!(recordings.refused[1], "CUDA: recording a graph failed: the host refuses");
}

#[test]
fn numbers_on_their_way_are_not_overtaken() {
    load();
    let device = Device::open(0, 0).expect("the host");
    // Several times around the ring; the device reads only when it is waited for.
    let length = LONGEST / 8;
    let places = [0; 20].map(|_| Buffer::<f32>::zeros(&device, length).expect("memory"));
    for (number, place) in places.iter().enumerate() {
        device.send(&vec![number as f32; length], place.out()).expect("memory");
    }
    for (number, place) in places.iter().enumerate() {
        assert!(place.view().to_vec().expect("numbers").iter().all(|it| *it == number as f32), "{number}");
    }
    assert!(device.send(&[1.0f32], places[0].out()).is_err(), "another length");
    let long = Buffer::<f32>::zeros(&device, LONGEST).expect("memory");
    device.send(&vec![5.0; LONGEST], long.out()).expect("memory");
    assert_eq!(long.view().part(LONGEST - 1..LONGEST).and_then(|last| last.to_vec()).expect("numbers"), [5.0]);
}

#[test]
fn a_mirror_knows_what_is_there() {
    load();
    let device = Device::open(0, 0).expect("the host");
    let mut mirror = Mirrored::<f32>::zeros(&device, 2).expect("memory");
    let read = |mirror: &Mirrored<f32>| mirror.view().to_vec().expect("numbers");
    mirror.set(&device, &[1.0, f32::NAN]).expect("memory");
    assert!(read(&mirror)[0] == 1.0 && read(&mirror)[1].is_nan());
    let before = traffic();
    mirror.set(&device, &[1.0, f32::NAN]).expect("memory");
    assert_eq!(traffic(), before, "nothing new");
    for numbers in [[0.0, 1.0], [-0.0, 1.0]] {
        mirror.set(&device, &numbers).expect("memory");
        assert_eq!(read(&mirror)[0].to_bits(), numbers[0].to_bits());
    }
    // The device changes them, so that the same numbers are news again.
    mirror.change().clear(device.stream()).expect("the host");
    mirror.set(&device, &[-0.0, 1.0]).expect("memory");
    assert_eq!(read(&mirror), [-0.0, 1.0]);
    let mut here = [7.0; 2];
    mirror.get(&mut here).expect("numbers");
    let before = traffic();
    mirror.set(&device, &here).expect("memory");
    assert_eq!(traffic(), before, "it came from there");
}
