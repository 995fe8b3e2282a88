//! The same seed gives the same bytes: with one thread or two, in one go or interrupted and continued.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Two epochs of averaging and one of SGD on the embedded images.
const TRAIN: [&str; 7] = ["train", "--epochs", "4", "--swa-start", "3", "--after-swa", "1"];

fn valleys(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_valleys"));
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command
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
fn a_network_and_its_landscape_have_the_same_bytes_with_one_thread_and_interrupted_with_two() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [one, two, line_one, line_two] = ["one", "two", "line-one", "line-two"].map(|name| folder.path().join(name));
    let text = |path: &Path| path.to_str().expect("UTF-8").to_string();

    let run = [&TRAIN[..], &["--threads", "1", "--out", &text(&one)]].concat();
    assert!(valleys(&run).status().expect("the binary starts").success());

    let run = [&TRAIN[..], &["--threads", "2", "--out", &text(&two)]].concat();
    let mut child = valleys(&run).spawn().expect("the binary starts");
    let state = two.join("checkpoints").join("swa.state.safetensors");
    while !state.exists() {
        assert!(child.try_wait().expect("a child").is_none(), "the run ended before its first epoch did");
        std::thread::sleep(Duration::from_millis(20));
    }
    let stop = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(stop.success());
    assert_eq!(child.wait().expect("a child").code(), Some(130));
    assert!(!two.join("records/training.json").exists(), "the run was over before it was interrupted");
    assert!(valleys(&[&run[..], &["--resume"]].concat()).status().expect("the binary starts").success());
    assert_eq!(tables(&one), tables(&two));
    let weights = |run: &Path| std::fs::read(run.join("checkpoints/swa.safetensors")).expect("a checkpoint");
    assert_eq!(weights(&one), weights(&two));

    for (run, threads, line) in [(&one, "1", &line_one), (&two, "2", &line_two)] {
        let arguments = [
            "landscape",
            "line",
            &text(run),
            "--points",
            "5",
            "--images",
            "200",
            "--threads",
            threads,
            "--out",
            &text(line),
        ]
        .map(str::to_string);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        assert!(valleys(&arguments).status().expect("the binary starts").success());
    }
    assert!(!tables(&line_one).is_empty());
    assert_eq!(tables(&line_one), tables(&line_two));
}

#[test]
fn the_theory_has_the_same_bytes_with_one_thread_and_with_two() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for command in
        [&["theorem1"][..], &["theorem2", "--chains", "4", "--steps", "200"], &["appendix-a", "--seeds", "9"]]
    {
        let runs = ["1", "2"].map(|threads| {
            let out = folder.path().join(format!("{}-{threads}", command[0]));
            let arguments = [command, &["--threads", threads, "--out", out.to_str().expect("UTF-8")]].concat();
            assert!(valleys(&arguments).status().expect("the binary starts").success());
            tables(&out)
        });
        assert!(!runs[0].is_empty());
        assert_eq!(runs[0], runs[1]);
    }
}
