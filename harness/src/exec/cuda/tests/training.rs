//! Training on the whole engine, with a driver and a cuDNN whose GPU is the host.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use valleys_sim::Seed;
use valleys_sim::progress::{Observer, Silent};

use super::double::load;
use crate::data::{Dataset, synthetic};
use crate::exec::BackendKind;
use crate::model::Architecture;
use crate::train::{Checkpoints, Config, Method, Trained, Trainer};
use crate::{Error, Result};

/// Interrupts when it is asked so many times: before every batch, of training as of all else.
struct StopAt(u64, AtomicU64);

impl Observer for StopAt {
    fn begin(&self, _task: &str, _units: u64) {}
    fn advance(&self, _units: u64) {}
    fn note(&self, _line: &str) {}
    fn finish(&self) {}
    fn interrupted(&self) -> bool {
        self.1.fetch_add(1, Ordering::Relaxed) + 1 >= self.0
    }
}

/// Two epochs, the second averaged, then one of SGD, in batches of 15, 15 and 10.
fn train(backend: BackendKind, data: &Dataset, folder: Option<&Path>, observer: &dyn Observer) -> Result<Vec<Trained>> {
    train_at(0.001, 10.0, backend, data, folder, observer)
}

/// The same at another learning rate, with a state kept every so many minutes.
fn train_at(
    rate: f64,
    minutes: f64,
    backend: BackendKind,
    data: &Dataset,
    folder: Option<&Path>,
    observer: &dyn Observer,
) -> Result<Vec<Trained>> {
    let mut config = Config::paper(Architecture::Mlp, Method::Swa, Seed(5)).shortened(2, 2, 1, rate);
    config.phases.iter_mut().for_each(|phase| phase.batch_size = 15);
    let checkpoints = Checkpoints { minutes, ..Checkpoints::default() };
    let recipe = Config { backend, checkpoints, ..config }.check()?;
    Trainer::new(&recipe, data, folder, observer)?.run()
}

#[test]
fn a_run_is_the_processors_but_for_rounding_and_a_stop_leaves_no_trace() {
    load();
    let data = synthetic::draw(40, 20, Seed(3)).expect("valid");
    let [host, gpu] =
        [BackendKind::Cpu, BackendKind::Cuda].map(|backend| train(backend, &data, None, &Silent).expect("trains"));
    for (host, gpu) in host.iter().zip(&gpu) {
        for (a, b) in [(&host.solution.values, &gpu.solution.values), (&host.velocity, &gpu.velocity)] {
            let largest = a.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-3 * largest), "{}", host.chosen);
        }
        assert_ne!(host.solution.values, gpu.solution.values, "the bits are each backend's own");
    }
    let same = |continued: &[Trained]| {
        for (a, b) in gpu.iter().zip(continued) {
            assert!(a.solution == b.solution && a.velocity == b.velocity && a.epochs == b.epochs, "{}", a.chosen);
        }
    };
    // Stopped within the second epoch of three batches, after one or two.
    let mut within = 0;
    for calls in 5..12 {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let stop = StopAt(calls, AtomicU64::new(0));
        let stopped = train(BackendKind::Cuda, &data, Some(folder.path()), &stop);
        assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
        let begun = std::fs::read(folder.path().join("checkpoints/swa/begun.safetensors")).unwrap_or_default();
        let begun = String::from_utf8_lossy(&begun).into_owned();
        if [1, 2].iter().any(|batches| begun.contains(&format!("\\\"batches\\\":{batches},"))) {
            within += 1;
            same(&train(BackendKind::Cuda, &data, Some(folder.path()), &Silent).expect("goes on"));
        }
    }
    assert!(within >= 2, "{within} stops within an epoch");
    // A state after every batch.
    let folder = tempfile::tempdir().expect("a temporary folder");
    same(&train_at(0.001, 1e-9, BackendKind::Cuda, &data, Some(folder.path()), &Silent).expect("trains"));
}

#[test]
fn a_loss_that_is_no_number_is_told_with_its_batch_wherever_it_comes_from() {
    load();
    let data = synthetic::draw(40, 20, Seed(3)).expect("valid");
    let [host, gpu] = [BackendKind::Cpu, BackendKind::Cuda].map(|backend| {
        let failed = train_at(1e18, 10.0, backend, &data, None, &Silent);
        failed.expect_err("diverges").to_string()
    });
    assert!(host == gpu && host.starts_with("training loss in epoch ") && host.contains(", batch "), "{host}; {gpu}");
}
