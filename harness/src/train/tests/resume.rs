//! A run that stops and goes on, on any number of threads, is the run that never stopped.

use super::*;
use crate::Error;
use crate::exec::BackendKind;
use crate::train::{MomentumBuffer, Selection};

/// Stops a run again and again, after so many images each time, until it is through; how often it stopped.
fn in_pieces(recipe: &Recipe, data: &Dataset, folder: &Path, images: u64) -> (usize, Vec<Trained>) {
    for stops in 0..1_000 {
        match run(recipe, data, Some(folder), &StopAfter::images(images)) {
            Ok(trained) => return (stops, trained),
            Err(Error::Interrupted) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("no progress in a thousand sessions")
}

#[test]
fn a_run_stopped_after_every_batch_continues_to_the_same_bytes() {
    let (data, recipe) = (data(), recipe());
    let whole = tempfile::tempdir().expect("temporary folder");
    let at_once = run(&recipe, &data, Some(whole.path()), &Silent).expect("trains");
    let files = bytes(whole.path());
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let wanted = [
        "checkpoints/sgd-after-swa.safetensors",
        "checkpoints/sgd-after-swa/epoch-00001.safetensors",
        "checkpoints/sgd-after-swa/epoch-00002.safetensors",
        "checkpoints/swa.safetensors",
        "checkpoints/swa/epoch-00002.safetensors",
        "checkpoints/swa/epoch-00003.safetensors",
        "metrics.csv",
        "metrics.jsonl",
    ];
    assert_eq!(names, wanted);
    // 1: a stop before every batch but the first of a session, 15 batches in all; 40: every second batch.
    for (images, least) in [(1, 14), (40, 5)] {
        let stopped = tempfile::tempdir().expect("temporary folder");
        let (stops, continued) = in_pieces(&recipe, &data, stopped.path(), images);
        assert!(stops >= least, "{stops}");
        for (a, b) in at_once.iter().zip(&continued) {
            assert_alike(a, b);
        }
        assert_same(&files, &bytes(stopped.path()));
    }
}

/// That a run stopped before every batch leaves the bytes of one that never stopped.
fn stops_leave_no_trace(config: Config, data: &Dataset, least: usize) {
    let recipe = config.check().expect("valid");
    let [whole, stopped] = [(); 2].map(|()| tempfile::tempdir().expect("temporary folder"));
    run(&recipe, data, Some(whole.path()), &Silent).expect("trains");
    let (stops, _) = in_pieces(&recipe, data, stopped.path(), 1);
    assert!(stops >= least, "{stops}");
    assert_same(&bytes(whole.path()), &bytes(stopped.path()));
}

#[test]
fn selection_and_restored_momentum_survive_a_stop_in_any_batch() {
    let data = super::data().hold_out(10, Seed(3)).expect("enough images");
    let mut config = config();
    config.network = Architecture::Mlp;
    let after = config.phase_mut("sgd-after-swa").expect("a phase");
    (after.momentum_buffer, after.select) = (MomentumBuffer::Restored, Selection::Official);
    let mut held_out = config.phases[1].clone();
    (held_out.name, held_out.select) = ("by-held-out".into(), Selection::HeldOut);
    config.phases.push(held_out);
    stops_leave_no_trace(config, &data, 13);
}

#[test]
fn dropout_survives_a_stop_in_any_batch() {
    let mut config = Config::paper(Architecture::Vgg16, Method::Sgd, Seed(5)).shortened(1, 1, 1, 0.001);
    config.phases[0].batch_size = 25;
    stops_leave_no_trace(config, &data(), 1);
}

#[test]
fn another_backend_goes_on_from_where_a_run_stopped_and_the_states_say_so() {
    let (data, config) = (data(), config());
    let on = |backend: BackendKind| Config { backend, ..config.clone() }.check().expect("valid");
    let folder = tempfile::tempdir().expect("temporary folder");
    // Two batches of three, on the processor; then the rest on the reference.
    let stopped = run(&on(BackendKind::Cpu), &data, Some(folder.path()), &StopAfter::images(40));
    assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
    let mixed = run(&on(BackendKind::Reference), &data, Some(folder.path()), &Silent).expect("goes on");
    let file = |name: &str| fs::read(folder.path().join("checkpoints").join(name)).expect("a file");
    let says = |name: &str, words: &str| file(name).windows(words.len()).any(|window| window == words.as_bytes());
    let change = r#"\"continued_on\":[{\"backend\":\"reference\",\"epochs\":0,\"batches\":2}]"#;
    assert!(says("swa/epoch-00003.safetensors", change), "the state names the change");
    assert!(!says("sgd-after-swa/epoch-00002.safetensors", "continued_on"), "a phase of one backend has no change");
    // Back on the processor nothing is left to do, and nothing is done.
    let solution = file("swa.safetensors");
    let again = run(&on(BackendKind::Cpu), &data, Some(folder.path()), &Silent).expect("complete");
    again.iter().zip(&mixed).for_each(|(a, b)| assert_alike(a, b));
    assert!(solution == file("swa.safetensors"), "the solution stands");
    // Backends agree but for rounding, over so few steps.
    let alone = run(&on(BackendKind::Cpu), &data, None, &Silent).expect("trains");
    let [loss, other] = [&alone, &mixed].map(|run| run[0].epochs[0].running_loss);
    assert!((loss - other).abs() < 1e-3 * loss, "{loss} {other}");
    assert!(alone[0].last != mixed[0].last, "the bits are each backend's own");
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (data, recipe) = (data(), recipe());
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
        pool.install(|| trained(&recipe, &data))
    };
    let (one, two, five) = (on(1), on(2), on(5));
    for phase in 0..2 {
        assert_alike(&one[phase], &two[phase]);
        assert_alike(&one[phase], &five[phase]);
    }
}
