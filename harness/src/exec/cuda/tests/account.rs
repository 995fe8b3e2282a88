//! The account of a batch against what the engine starts on a driver and a cuDNN whose GPU is the host.

use std::sync::Arc;

use valleys_sim::Seed;

use super::double::{asked, load};
use super::pass::tangle;
use crate::data::loader::{Batches, EpochBatches};
use crate::data::{Augmentation, synthetic};
use crate::exec::account::{Account, By, Direction};
use crate::exec::cuda::kernels::Kernel;
use crate::exec::{BackendKind, Dropout, Executor};
use crate::model::{Architecture, Shape};
use crate::optim::{Sgd, SgdParams};
use crate::params::Weights;

const IMAGES: usize = 2;

/// Everything that can be started.
fn all() -> Vec<By> {
    let directions = [Direction::Forward, Direction::BackwardData, Direction::BackwardFilter];
    let kernels = Kernel::ALL.iter().map(|kernel| By::Kernel(kernel.name()));
    kernels.chain(directions.map(By::Convolution)).chain([By::Memory]).collect()
}

/// Does something, and compares what it starts with what it should.
#[track_caller]
fn check(name: &str, account: &Account, work: impl FnOnce()) {
    let known = all();
    let before: Vec<u64> = known.iter().map(|by| asked(*by)).collect();
    work();
    for (by, before) in known.iter().zip(before) {
        let counted = account.0.iter().filter(|work| work.by == *by).count() as u64;
        assert_eq!(asked(*by) - before, counted, "{name}: {by:?}, started and in the account");
    }
    assert!(account.0.iter().all(|work| known.contains(&work.by)), "{name}: a kernel that there is not");
}

#[test]
fn the_engine_starts_what_the_account_says() {
    load();
    let data = synthetic::draw(IMAGES, 1, Seed(1)).expect("valid");
    let networks = [
        ("ResNet-8", Architecture::ResNet8.graph(10)),
        ("MLP", Architecture::Mlp.graph(10)),
        ("a tangle", tangle(Shape { channels: 3, height: 32, width: 32 })),
    ];
    for (name, graph) in networks {
        let graph = Arc::new(graph.expect("a network"));
        let mut weights = Weights::initialise(&graph, Seed(2));
        let mut sgd = Sgd::new(SgdParams::default(), weights.values.len()).expect("valid");
        let mut executor = Executor::<f32>::on(Arc::clone(&graph), BackendKind::Cuda).expect("a GPU");
        let batches = EpochBatches::new(&data, Augmentation::CROP_AND_FLIP, IMAGES, Seed(3), 0);
        let views = batches.views(0);
        let mut descent = executor.descend(&mut weights, &mut sgd).expect("this network");
        let mut step = || drop(descent.step(0.0, &views, Dropout::Off).expect("a step"));
        // In the first one memory is asked for, and algorithms are tried. The second one is recorded.
        step();
        check(name, &Account::training(&graph, IMAGES), step);
        descent.finish().expect("no device fails");
        let mut loaded = executor.load(&weights).expect("this network");
        let mut evaluate = || drop(loaded.evaluate(&views).expect("losses"));
        evaluate();
        check(name, &Account::evaluation(&graph, IMAGES), evaluate);
    }
}
