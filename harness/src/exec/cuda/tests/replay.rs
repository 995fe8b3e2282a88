//! Work that is recorded once and started as one, against work that is asked for piece by piece.

use std::sync::Arc;

use super::double::load;
use super::*;
use crate::Error;
use crate::data::loader::{Batches, EpochBatches, PlainBatches};
use crate::data::{Augmentation, Dataset, synthetic};
use crate::exec::cuda::device::Device;
use crate::exec::cuda::engine::Cuda;
use crate::exec::cuda::graph::{Graph, Replays};
use crate::exec::cuda::launch::add;
use crate::exec::cuda::memory::Buffer;
use crate::exec::engine::{Engine, Resident};
use crate::exec::examples::Examples;
use crate::exec::gpu::Convolutions;
use crate::exec::run::AllMoments;
use crate::exec::{Outcome, StatisticsPass, Weighting};
use crate::model::{Architecture, Graph as Network};
use crate::optim::Step;
use crate::params::Weights;

/// Three epochs in batches of 8, 8, 8 and 6, with statistics and losses after each.
fn train(network: &Network, data: &Dataset, records: bool) -> (Cuda, Vec<f32>, Vec<Outcome>) {
    let mut engine = Cuda::new(network, 0, Convolutions::Single).expect("the host");
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
            let share = pass.count(examples.labels().len());
            engine.collect(examples.images(), (share, &counts), &mut moments, &mut pass).expect("statistics");
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
    let (engine, numbers, told) = train(&network, &data, true);
    let (plain, right_numbers, right_told) = train(&network, &data, false);
    assert!(numbers == right_numbers && told == right_told);
    assert_eq!((told.len(), told[3].losses.len(), told[4].losses.len()), (15, 6, 90));
    // Steps of 8 and of 6, statistics, losses; the first evaluation moved the losses' place.
    assert_eq!((engine.recorded(), plain.recorded()), (4, 0));
}

#[test]
fn a_recording_is_made_anew_where_places_change_and_let_be_where_it_fails() {
    load();
    let device = Device::open(0).expect("the host");
    let [x, y] = [[1.0f32, 2.0], [10.0, 20.0]].map(|numbers| Buffer::new(&device, &numbers).expect("memory"));
    let mut replays = Replays::new(true);
    let mut go = |places: &[u64]| {
        replays
            .run(&device, ("add", places.to_vec()), |stream| device.run_in(stream, &add(x.view(), y.out())?))
            .expect("the host");
        replays.recorded()
    };
    let recorded: Vec<usize> = [&[1u64][..], &[1], &[1], &[2], &[2], &[2]].into_iter().map(&mut go).collect();
    assert_eq!(recorded, [0, 1, 1, 0, 1, 1]);
    assert_eq!(y.view().to_vec().expect("numbers"), [16.0, 32.0], "six times, recording itself does nothing");

    // Going to the host and back is nothing for a recording.
    let mut replays = Replays::new(true);
    for turn in 1..=3u8 {
        let work = |stream: &Arc<cudarc::driver::CudaStream>| {
            if !Arc::ptr_eq(stream, device.stream()) {
                return Err(Error::device("not here"));
            }
            device.run_in(stream, &add(x.view(), y.out())?)
        };
        replays.run(&device, ((), Vec::new()), work).expect("the host");
        assert_eq!(y.view().to_vec().expect("numbers")[0], 16.0 + f32::from(turn));
    }
    assert_eq!(replays.recorded(), 0);
    assert!(Graph::record(&device, |stream| y.out().copy_from(x.view().part(0..1)?, stream)).is_err());
}
