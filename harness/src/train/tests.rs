//! Whole runs of a small network on few images.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use valleys_sim::Seed;
use valleys_sim::progress::{Observer, Silent};

use super::{Config, Recipe, Trained, Trainer};
use crate::data::{Dataset, synthetic};
use crate::model::Architecture;
use crate::{Error, checkpoint};

const IMAGES: usize = 50;

fn data() -> Dataset {
    synthetic::draw(IMAGES, 20, Seed(3)).expect("valid")
}

/// Three epochs, the last two averaged, then two of SGD; batches of 20, 20 and 10.
fn config() -> Config {
    Config {
        epochs: 3,
        swa_start: 2,
        batch_size: 20,
        sgd_epochs: 2,
        evaluate_every: 2,
        ..Config::paper(Architecture::ResNet8, Seed(5))
    }
}

fn recipe() -> Recipe {
    config().check().expect("valid")
}

/// Both phases of a run.
fn run(recipe: &Recipe, data: &Dataset, folder: Option<&Path>, observer: &dyn Observer) -> crate::Result<[Trained; 2]> {
    let mut trainer = Trainer::new(recipe, data, folder, observer)?;
    let swa = trainer.swa()?;
    let sgd = trainer.sgd_after_swa(&swa.solution)?;
    Ok([swa, sgd])
}

/// Interrupts once this many images have been trained on.
struct StopAfter {
    images: u64,
    seen: AtomicU64,
}

impl Observer for StopAfter {
    fn begin(&self, _task: &str, _units: u64) {}
    fn advance(&self, units: u64) {
        self.seen.fetch_add(units, Ordering::Relaxed);
    }
    fn note(&self, _line: &str) {}
    fn finish(&self) {}
    fn interrupted(&self) -> bool {
        self.seen.load(Ordering::Relaxed) >= self.images
    }
}

fn bytes(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path());
    let mut files: Vec<_> = entries
        .map(|path| (path.file_name().expect("name").to_string_lossy().into_owned(), fs::read(&path).expect("file")))
        .collect();
    files.sort();
    files
}

#[test]
fn an_interrupted_run_continues_to_the_same_bytes() {
    let (data, recipe) = (data(), recipe());
    let whole = tempfile::tempdir().expect("temporary folder");
    let at_once = run(&recipe, &data, Some(whole.path()), &Silent).expect("trains");
    let names: Vec<String> = bytes(whole.path()).into_iter().map(|(name, _)| name).collect();
    let wanted =
        ["sgd-after-swa.safetensors", "sgd-after-swa.state.safetensors", "sgd.state.safetensors", "swa.safetensors"];
    assert_eq!(names, wanted);

    // Stopped within the second epoch, within the first after SWA, and right after the last.
    let broken = tempfile::tempdir().expect("temporary folder");
    for images in [IMAGES as u64 + 20, 2 * IMAGES as u64 + 20, IMAGES as u64 + 50] {
        let observer = StopAfter { images, seen: AtomicU64::new(0) };
        let stopped = run(&recipe, &data, Some(broken.path()), &observer);
        assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
    }
    let continued = run(&recipe, &data, Some(broken.path()), &Silent).expect("continues");
    for (a, b) in at_once.iter().zip(&continued) {
        assert_eq!((&a.solution, &a.last, &a.epochs), (&b.solution, &b.last, &b.epochs));
    }
    assert_eq!(bytes(whole.path()), bytes(broken.path()));
    let kept = checkpoint::load(&whole.path().join("swa.safetensors"), at_once[0].solution.layout()).expect("readable");
    assert_eq!(kept, at_once[0].solution);
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (data, recipe) = (data(), recipe());
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
        pool.install(|| run(&recipe, &data, None, &Silent)).expect("trains")
    };
    let (one, two, five) = (on(1), on(2), on(5));
    for phase in 0..2 {
        assert_eq!(one[phase].solution, two[phase].solution);
        assert_eq!(one[phase].solution, five[phase].solution);
        assert_eq!(one[phase].epochs, two[phase].epochs);
    }
}

#[test]
fn the_average_takes_in_the_epochs_from_its_start_on() {
    let data = data();
    let epochs = |epochs: u32| {
        // The schedule looks at swa_start alone, so shorter runs are beginnings of longer ones.
        let recipe = Config { epochs, ..config() }.check().expect("valid");
        let mut trainer = Trainer::new(&recipe, &data, None, &Silent).expect("network");
        trainer.swa().expect("trains")
    };
    let (two, three) = (epochs(2), epochs(3));
    assert_eq!(two.solution.values, two.last.values, "an average of one");
    for ((&mean, &a), &b) in three.solution.values.iter().zip(&two.last.values).zip(&three.last.values) {
        assert_eq!(mean, ((f64::from(a) + f64::from(b)) / 2.0) as f32);
    }
    assert_ne!(three.solution.running_mean, three.last.running_mean, "the average has statistics of its own");
}

#[test]
fn epochs_are_recorded_with_the_metrics_that_are_due() {
    let [swa, sgd] = run(&recipe(), &data(), None, &Silent).expect("trains");
    let all: Vec<_> = swa.epochs.iter().chain(&sgd.epochs).collect();
    assert_eq!(all.iter().map(|epoch| epoch.epoch).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(
        all.iter().map(|epoch| epoch.phase.as_str()).collect::<Vec<_>>(),
        ["sgd", "sgd", "sgd", "sgd-after-swa", "sgd-after-swa"]
    );
    assert_eq!(all.iter().map(|epoch| epoch.test_loss.is_some()).collect::<Vec<_>>(), [false, true, true, false, true]);
    assert_eq!(
        all.iter().map(|epoch| epoch.swa_test_loss.is_some()).collect::<Vec<_>>(),
        [false, true, true, false, false]
    );
    assert_eq!((all[0].learning_rate, all[4].learning_rate), (0.1, 0.001));
    assert!(all.iter().all(|epoch| epoch.running_loss > 0.0 && (0.0..=1.0).contains(&epoch.running_accuracy)));
}

#[test]
fn a_state_of_another_run_is_refused() {
    let data = data();
    let folder = tempfile::tempdir().expect("temporary folder");
    let short = Config { epochs: 1, swa_start: 1, sgd_epochs: 1, ..config() };
    let train = |config: Config, data: &Dataset| {
        let recipe = config.check().expect("valid");
        let mut trainer = Trainer::new(&recipe, data, Some(folder.path()), &Silent).expect("network");
        trainer.swa().map(|_| ())
    };
    train(short.clone(), &data).expect("trains");
    let message = |config: Config, data: &Dataset| train(config, data).expect_err("another run's").to_string();
    let other = message(Config { batch_size: 21, ..short.clone() }, &data);
    assert!(other.contains("sgd.state.safetensors") && other.contains("batch_size 20"), "{other}");
    let other = message(short.clone(), &synthetic::draw(IMAGES, 20, Seed(4)).expect("valid"));
    assert!(other.contains("data checksum"), "{other}");
    let path = folder.path().join("sgd.state.safetensors");
    let mut cut = fs::read(&path).expect("file");
    cut.truncate(cut.len() / 2);
    fs::write(&path, cut).expect("file");
    let broken = message(short, &data);
    assert!(broken.contains("sgd.state.safetensors"), "{broken}");
}

#[test]
fn a_loss_that_is_not_finite_names_epoch_and_batch() {
    let data = data();
    let recipe = Config { learning_rate: 1e30, ..config() }.check().expect("valid");
    let mut trainer = Trainer::new(&recipe, &data, None, &Silent).expect("network");
    let message = trainer.swa().expect_err("diverges").to_string();
    assert!(message.contains("epoch 0, batch") && message.contains("a finite number"), "{message}");
}

#[test]
fn settings_out_of_range_are_named() {
    let message = |config: Config| config.check().expect_err("out of range").to_string();
    assert_eq!(message(Config { epochs: 0, ..config() }), "epochs is 0; allowed: at least 1");
    assert_eq!(message(Config { swa_start: 4, ..config() }), "swa_start is 4; allowed: 1 to epochs, 3");
    assert_eq!(message(Config { batch_size: 0, ..config() }), "batch_size is 0; allowed: at least 1");
    assert!(message(Config { momentum: 1.0, ..config() }).starts_with("momentum is 1"));
    assert!(message(Config { sgd_learning_rate: f64::NAN, ..config() }).starts_with("sgd_learning_rate is NaN"));
    let unknown = serde_json::from_str::<Config>(r#"{"epoch": 3}"#).expect_err("unknown").to_string();
    assert!(unknown.contains("epoch") && unknown.contains("swa_start"), "{unknown}");
}
