//! Which states are kept, which are refused, and what damage does.

use super::*;
use crate::model::NormWeights;
use crate::train::{Checkpoints, Kept};

/// One phase of five epochs.
fn five(checkpoints: Checkpoints) -> Config {
    let mut config = Config::paper(Architecture::Mlp, Method::Sgd, Seed(5)).shortened(5, 5, 1, 0.001);
    config.phases[0].batch_size = 25;
    Config { checkpoints, ..config }
}

fn kept(folder: &Path) -> Vec<String> {
    let names = bytes(folder).into_keys().filter_map(|name| name.strip_prefix("checkpoints/sgd/").map(str::to_owned));
    names.collect()
}

#[test]
fn the_last_states_and_every_so_many_stay() {
    let data = data();
    for (last, every, wanted) in [(1, 0, vec![5]), (3, 0, vec![3, 4, 5]), (1, 2, vec![2, 4, 5]), (2, 4, vec![4, 5])] {
        let folder = tempfile::tempdir().expect("temporary folder");
        let recipe = five(Checkpoints { last, every, minutes: 10.0 }).check().expect("valid");
        run(&recipe, &data, Some(folder.path()), &Silent).expect("trains");
        let wanted: Vec<_> = wanted.iter().map(|epoch| format!("epoch-{epoch:05}.safetensors")).collect();
        assert_eq!(kept(folder.path()), wanted, "last {last}, every {every}");
    }
}

#[test]
fn a_damaged_state_is_passed_over_and_the_run_ends_as_it_would_have() {
    let (data, recipe) = (data(), five(Checkpoints::default()).check().expect("valid"));
    let folder = tempfile::tempdir().expect("temporary folder");
    let whole = run(&recipe, &data, Some(folder.path()), &Silent).expect("trains");
    let newest = folder.path().join("checkpoints/sgd/epoch-00005.safetensors");
    let good = fs::read(&newest).expect("a state");
    // One bit in the middle, among the weights: nothing but the checksum can see it.
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for damaged in [&good[..good.len() / 2], &[], &flipped] {
        fs::write(&newest, damaged).expect("writable");
        let again = run(&recipe, &data, Some(folder.path()), &Silent).expect("goes on from epoch 4");
        assert_alike(&again[0], &whole[0]);
        assert!(fs::read(&newest).expect("a state") == good, "written anew");
    }
    // All of them damaged: said, and nothing is begun anew over them.
    for entry in fs::read_dir(newest.parent().expect("a folder")).expect("states") {
        fs::write(entry.expect("a state").path(), b"nothing").expect("writable");
    }
    let message = run(&recipe, &data, Some(folder.path()), &Silent).expect_err("no state is left").to_string();
    assert!(message.contains("epoch-00005.safetensors") && message.contains("whole safetensors"), "{message}");
}

#[test]
fn a_state_of_another_run_is_refused() {
    let data = data();
    let folder = tempfile::tempdir().expect("temporary folder");
    let train = |config: Config, data: &Dataset| {
        let recipe = config.check().expect("valid");
        run(&recipe, data, Some(folder.path()), &Silent).map(|_| ())
    };
    let config = five(Checkpoints::default());
    train(config.clone(), &data).expect("trains");
    let message = |config: Config, data: &Dataset| train(config, data).expect_err("another run's").to_string();
    let mut other = config.clone();
    other.phases[0].batch_size = 21;
    let said = message(other, &data);
    assert!(said.contains("epoch-00005.safetensors") && said.contains("phase's batch size 25"), "{said}");
    let said = message(Config { momentum: 0.5, ..config.clone() }, &data);
    assert!(said.contains("momentum 0.9") && said.contains("allowed: momentum 0.5"), "{said}");
    let said = message(Config { network: Architecture::ResNet8, ..config.clone() }, &data);
    assert!(said.contains("network \"mlp\"") && said.contains("network \"resnet8\""), "{said}");
    let said = message(config.clone(), &synthetic::draw(IMAGES, 20, Seed(4)).expect("valid"));
    assert!(said.contains("data sha256"), "{said}");
    // The same phase later in a run has other random streams.
    let mut later = config.clone();
    later.phases.insert(0, crate::train::PhaseConfig { name: "before".into(), ..config.phases[0].clone() });
    let said = message(later, &data);
    assert!(said.contains("first epoch 0") && said.contains("first epoch 5"), "{said}");
    let said = message(Config { seed: Seed(6), ..config.clone() }, &data);
    assert!(said.contains("seed 5"), "{said}");
    // Which states are kept is no part of the result.
    train(Config { checkpoints: Checkpoints { last: 1, every: 0, minutes: 0.0 }, ..config }, &data)
        .expect("the same run");
}

#[test]
fn norm_weights_tell_runs_apart_and_older_runs_have_the_usual() {
    let data = data();
    let mut short = config();
    short.phases.truncate(1);
    (short.phases[0].epochs, short.phases[0].average_from) = (1, None);
    let drawn = Config { norm_weights: NormWeights::Normal, ..short.clone() };
    let usual = "the usual norm weights";
    for (first, second, words) in [(&short, &drawn, [usual, "\"normal\""]), (&drawn, &short, ["\"normal\"", usual])] {
        let folder = tempfile::tempdir().expect("temporary folder");
        let train = |config: &Config| {
            let recipe = config.clone().check().expect("valid");
            run(&recipe, &data, Some(folder.path()), &Silent)
        };
        train(first).expect("trains");
        let said = train(second).expect_err("another run's").to_string();
        let [seen, wanted] = words.map(|words| said.find(words).expect("both are named"));
        assert!(seen < wanted && said.contains("norm weights"), "{said}");
    }
}

/// Looks whether there is a state within an epoch, whenever images are done.
struct Looks {
    path: std::path::PathBuf,
    found: AtomicU64,
}

impl Observer for Looks {
    fn begin(&self, _task: &str, _units: u64) {}
    fn advance(&self, _units: u64) {
        self.found.fetch_add(u64::from(self.path.exists()), Ordering::Relaxed);
    }
    fn note(&self, _line: &str) {}
    fn finish(&self) {}
}

#[test]
fn a_state_is_kept_within_an_epoch_after_so_much_time() {
    let data = data();
    let mut solutions = Vec::new();
    // Five epochs of two batches: every second batch of an epoch finds the state that the first one left.
    for (minutes, wanted) in [(1e-9, 5), (0.0, 0)] {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("checkpoints/sgd/begun.safetensors");
        let looks = Looks { path, found: AtomicU64::new(0) };
        let recipe = five(Checkpoints { minutes, ..Checkpoints::default() }).check().expect("valid");
        solutions.push(run(&recipe, &data, Some(folder.path()), &looks).expect("trains").remove(0).solution);
        assert_eq!((looks.found.into_inner(), looks.path.exists()), (wanted, false), "{minutes} minutes");
    }
    assert!(solutions[0] == solutions[1]);
}

#[test]
fn kept_iterates_are_those_of_the_run() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let recipe = Config { checkpoints: Checkpoints { every: 1, ..Checkpoints::default() }, ..config() };
    let recipe = recipe.check().expect("valid");
    let done = run(&recipe, &data(), Some(folder.path()), &Silent).expect("trains");
    let kept = Kept::open(&folder.path().join("checkpoints"), "swa").expect("kept");
    assert_eq!(kept.epochs(), [1, 2, 3]);
    let layout = done[0].last.layout();
    assert_eq!(kept.iterate(3, layout).expect("undamaged"), done[0].last);
    assert_ne!(kept.iterate(2, layout).expect("undamaged"), done[0].last);
    assert!(kept.iterate(4, layout).is_err() && Kept::open(folder.path(), "adam").is_err());
}
