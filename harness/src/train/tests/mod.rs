//! Whole runs of a small network on few images.

mod resume;
mod settings;
mod solutions;
mod states;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use valleys_sim::Seed;
use valleys_sim::progress::{Observer, Silent};

use super::{Config, Method, Recipe, Trained, Trainer};
use crate::data::{Dataset, synthetic};
use crate::model::Architecture;

const IMAGES: usize = 50;

fn data() -> Dataset {
    synthetic::draw(IMAGES, 20, Seed(3)).expect("valid")
}

/// Three epochs, the last two averaged, then two of SGD; batches of 20, 20 and 10.
fn config() -> Config {
    let mut config = Config::paper(Architecture::ResNet8, Method::Swa, Seed(5)).shortened(3, 2, 2, 0.001);
    config.phases.iter_mut().for_each(|phase| phase.batch_size = 20);
    Config { evaluate_every: 2, ..config }
}

fn recipe() -> Recipe {
    config().check().expect("valid")
}

fn run(recipe: &Recipe, data: &Dataset, folder: Option<&Path>, observer: &dyn Observer) -> crate::Result<Vec<Trained>> {
    Trainer::new(recipe, data, folder, observer)?.run()
}

fn trained(recipe: &Recipe, data: &Dataset) -> Vec<Trained> {
    run(recipe, data, None, &Silent).expect("trains")
}

/// Interrupts once this many images have been trained on, or so many epochs told of.
struct StopAfter {
    images: u64,
    seen: AtomicU64,
}

impl StopAfter {
    fn images(images: u64) -> Self {
        Self { images, seen: AtomicU64::new(0) }
    }
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

/// The contents of every file below a folder, by name; event files, which hold the time, are left out.
fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                walk(root, &path, into);
            } else {
                let name = path.strip_prefix(root).expect("below").to_string_lossy().replace('\\', "/");
                into.insert(name, fs::read(&path).expect("file"));
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(folder, folder, &mut files);
    files.retain(|name, _| !name.starts_with("tensorboard/"));
    files
}

/// That two folders hold the same files, naming the first that differs.
fn assert_same(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    let differs = one.iter().find(|(name, bytes)| other[*name] != **bytes);
    assert!(differs.is_none(), "{} differs", differs.map_or("", |(name, _)| name));
}

/// That two phases ended alike.
fn assert_alike(one: &Trained, other: &Trained) {
    assert!(one.solution == other.solution, "solutions differ");
    assert!(one.last == other.last && one.velocity == other.velocity, "last iterates differ");
    assert_eq!(one.epochs, other.epochs);
}
