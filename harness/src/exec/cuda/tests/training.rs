//! Training on the whole engine, with a driver and a cuDNN whose GPU is the host.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use valleys_sim::Seed;
use valleys_sim::progress::{Observer, Silent};

use super::double::load;
use crate::data::{Dataset, synthetic};
use crate::exec::BackendKind;
use crate::model::Architecture;
use crate::train::{Config, Method, Trained, Trainer};
use crate::{Error, Result};

/// Interrupts once so many images have been trained on.
struct StopAfter(u64, AtomicU64);

impl Observer for StopAfter {
    fn begin(&self, _task: &str, _units: u64) {}
    fn advance(&self, units: u64) {
        self.1.fetch_add(units, Ordering::Relaxed);
    }
    fn note(&self, _line: &str) {}
    fn finish(&self) {}
    fn interrupted(&self) -> bool {
        self.1.load(Ordering::Relaxed) >= self.0
    }
}

/// Two epochs, the second averaged, then one of SGD, in batches of 15, 15 and 10.
fn train(backend: BackendKind, data: &Dataset, folder: Option<&Path>, observer: &dyn Observer) -> Result<Vec<Trained>> {
    let mut config = Config::paper(Architecture::Mlp, Method::Swa, Seed(5)).shortened(2, 2, 1, 0.001);
    config.phases.iter_mut().for_each(|phase| phase.batch_size = 15);
    let recipe = Config { backend, ..config }.check()?;
    Trainer::new(&recipe, data, folder, observer)?.run()
}

#[test]
fn a_run_is_the_processors_but_for_rounding_and_a_stop_leaves_no_trace() {
    load();
    let data = synthetic::draw(40, 20, Seed(3)).expect("valid");
    let host = train(BackendKind::Cpu, &data, None, &Silent).expect("trains");
    // Of a network without convolutions the pixels alone are rounded to bfloat16; that moves some units of few images to
    // the other side of a ReLU's kink.
    for (backend, rounding) in [(BackendKind::Cuda, 1e-3), (BackendKind::CudaBf16, 0.5)] {
        run_and_stop(backend, &data, &host, rounding);
    }
}

fn run_and_stop(backend: BackendKind, data: &Dataset, host: &[Trained], rounding: f32) {
    let gpu = train(backend, data, None, &Silent).expect("trains");
    for (host, gpu) in host.iter().zip(&gpu) {
        for (a, b) in [(&host.solution.values, &gpu.solution.values), (&host.velocity, &gpu.velocity)] {
            let largest = a.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= rounding * largest), "{backend}: {}", host.chosen);
        }
        assert_ne!(host.solution.values, gpu.solution.values, "the bits are each backend's own");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stop = StopAfter(55, AtomicU64::new(0));
    let stopped = train(backend, data, Some(folder.path()), &stop);
    assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
    assert!(folder.path().join("checkpoints/swa/begun.safetensors").exists(), "within the second epoch");
    let continued = train(backend, data, Some(folder.path()), &Silent).expect("goes on");
    for (a, b) in gpu.iter().zip(&continued) {
        assert!(a.solution == b.solution && a.velocity == b.velocity && a.epochs == b.epochs, "{}", a.chosen);
    }
}
