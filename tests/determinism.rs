//! The same seed gives the same bytes: with one thread or two, in one go or interrupted and continued.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Four epochs, two of them averaged, and one of SGD, on the embedded images.
const TRAIN: [&str; 7] = ["train", "--epochs", "4", "--swa-start", "3", "--after-swa", "1"];

/// A command of the program with so many threads, into a folder.
fn valleys<S: AsRef<OsStr>>(arguments: &[S], threads: &str, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_valleys"));
    command.args(arguments).args(["--threads", threads, "--out"]).arg(out);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn succeeds(mut command: Command) {
    assert!(command.status().expect("the binary starts").success(), "{command:?}");
}

/// The contents of every table of a run.
fn tables(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(run.join("figures")).expect("figures");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "csv"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("a table"))
        })
        .collect()
}

#[test]
fn a_network_and_its_landscape_are_the_same_with_one_thread_and_interrupted_with_two() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [one, two, line_one, line_two] = ["one", "two", "line-one", "line-two"].map(|name| folder.path().join(name));
    succeeds(valleys(&TRAIN, "1", &one));

    let mut child = valleys(&TRAIN, "2", &two).spawn().expect("the binary starts");
    let state = two.join("checkpoints/swa/epoch-00001.safetensors");
    while !state.exists() {
        assert!(child.try_wait().expect("a child").is_none(), "the run ended before its first epoch did");
        std::thread::sleep(Duration::from_millis(20));
    }
    let stop = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(stop.success());
    assert_eq!(child.wait().expect("a child").code(), Some(130));
    assert!(!two.join("records/training.json").exists(), "the run was over before it was interrupted");
    succeeds(valleys(&[&TRAIN[..], &["--resume"]].concat(), "2", &two));
    assert_eq!(tables(&one), tables(&two));
    let weights = |run: &Path| std::fs::read(run.join("checkpoints/swa.safetensors")).expect("a checkpoint");
    assert_eq!(weights(&one), weights(&two));

    // A line over the run it looks at would remove the network.
    let over = ["landscape", "line", one.to_str().expect("UTF-8"), "--force"];
    assert_eq!(valleys(&over, "2", &one).status().expect("the binary starts").code(), Some(2));
    assert!(one.join("checkpoints/swa.safetensors").exists());

    for (run, threads, line) in [(&one, "1", &line_one), (&two, "2", &line_two)] {
        let run = run.to_str().expect("UTF-8");
        succeeds(valleys(&["landscape", "line", run, "--points", "5", "--images", "200"], threads, line));
    }
    assert!(!tables(&line_one).is_empty());
    assert_eq!(tables(&line_one), tables(&line_two));
}

#[test]
fn the_theory_is_the_same_with_one_thread_and_with_two() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let commands: [&[&str]; 4] = [
        &["theorem1"],
        &["theorem2", "--chains", "4", "--steps", "200", "--cells", "20"],
        &["phase-map", "--columns", "5", "--rows", "2", "--half-width", "0.003", "--slopes", "smooth,landing"],
        &["appendix-a", "--seeds", "9"],
    ];
    for command in commands {
        let runs = ["1", "2"].map(|threads| {
            let out = folder.path().join(format!("{}-{threads}", command[0]));
            succeeds(valleys(command, threads, &out));
            tables(&out)
        });
        assert!(!runs[0].is_empty());
        assert_eq!(runs[0], runs[1]);
    }
}
