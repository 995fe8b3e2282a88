//! `valleys landscape`: the theorems held against a small trained network, from the command line to the pictures.

mod common;

use std::fs;
use std::path::Path;

use common::{refuses, run};

/// A ResNet-8 of two phases, in minibatches of 10 images.
fn train(folder: &Path) {
    let small = ["--network", "resnet8", "--method", "swa", "--epochs", "3", "--swa-start", "2", "--after-swa", "1"];
    let set = ["--set", "data.train_images=100", "--set", "data.test_images=60", "--batch-size", "10"];
    let (code, _, message) = run(&[&["train", "--out", "run"], &small[..], &set].concat(), folder);
    assert_eq!(code, Some(0), "{message}");
}

#[test]
fn every_experiment_leaves_records_and_a_report_and_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    train(folder);
    let few = ["--images", "40"];
    for (name, record, options, said) in [
        ("shift-law", "shift-law", &["--points", "7", "--splits", "20"][..], "20 splits: median δ*"),
        ("intervention", "intervention-swa", &["--points", "5", "--permuted", "1"], "SGD after SWA moved by"),
        (
            "theory",
            "theory",
            &["--points", "5", "--splits", "20", "--centres", "2", "--ball", "1", "--steps", "45"],
            "Theorem 2, corrected (L)",
        ),
        ("curvature", "curvature", &["--ends", "1", "--steps", "3", "--probes", "2"], "SWA: largest eigenvalues"),
        ("gradient-noise", "gradient-noise", &["--steps", "45", "--moving"], "45 minibatches along uniform 0"),
    ] {
        let arguments = [&["landscape", name, "run", "--out", name], &few[..], options].concat();
        let (code, output, message) = run(&arguments, folder);
        assert_eq!(code, Some(0), "{name}: {message}");
        assert!(output.contains(said), "{name}: `{said}` is not in: {output}");
        let out = folder.join(name);
        for file in [format!("records/{record}.json"), format!("figures/{record}.csv"), "report.html".to_string()] {
            assert!(out.join(&file).is_file(), "{name}: {file}");
        }
        assert_eq!(out.join(format!("figures/{record}.svg")).is_file(), name != "theory", "{name}");

        // Without its record and half of its points the experiment measures what is missing, to the same bytes.
        let path = out.join(format!("records/{record}.json"));
        let bytes = fs::read(&path).expect("a record");
        let kept = out.join(format!("points/{record}.jsonl"));
        if let Ok(points) = fs::read_to_string(&kept) {
            let half: Vec<&str> = points.lines().step_by(2).collect();
            fs::write(&kept, half.join("\n") + "\n").expect("writable");
        }
        fs::remove_file(&path).expect("there");
        let (code, _, message) = run(&[&arguments[..], &["--resume"]].concat(), folder);
        assert_eq!(code, Some(0), "{name}: {message}");
        assert!(fs::read(&path).expect("a record") == bytes, "{name}");
    }
    refuses_what_does_not_fit(folder);
}

fn refuses_what_does_not_fit(folder: &Path) {
    for (arguments, words) in [
        (&["shift-law", "run", "--splits", "1"][..], &["--splits is 1", "at least 2"][..]),
        (&["intervention", "run", "--step", "0"], &["--step is 0", "> 0"]),
        (&["intervention", "run", "--step", "99"], &["--step is 99", "half-length"]),
        (&["intervention", "run", "--solution", "adam"], &["--solution is adam", "swa, sgd-after-swa"]),
        (&["theory", "run", "--centres", "1"], &["--centres is 1", "at least 2"]),
        (&["theory", "run", "--ball=-1"], &["--ball is -1", "> 0"]),
        (&["curvature", "run", "--probes", "1"], &["--probes is 1", "at least 2"]),
        (&["curvature", "run", "--ends", "0"], &["--ends is 0", "at least 1"]),
        (&["gradient-noise", "run", "--steps", "40"], &["--steps is 40", "at least 41"]),
        (&["gradient-noise", "run", "--images", "10"], &["--images is 10", "more than 10"]),
        (&["all", "run", "--images", "10"], &["--images is 10", "more than 10, the images of a minibatch"]),
    ] {
        refuses(&[&["landscape"], arguments, &["--force"]].concat(), folder, 2, words);
    }
    assert!(!folder.join("valleys-run-landscape").exists(), "nothing is measured that cannot come to its end");
}
