//! Which backend runs a network: tried, chosen, missing, and changed between commands.

mod common;

use std::fs;
use std::path::Path;

use common::{refuses, run};

/// Three epochs of the smallest network on the embedded images.
const TRAIN: [&str; 11] =
    ["train", "--network", "mlp", "--epochs", "2", "--swa-start", "2", "--after-swa", "1", "--out", "run"];

fn succeeds(arguments: &[&str], folder: &Path) -> String {
    let (code, output, message) = run(arguments, folder);
    assert_eq!(code, Some(0), "{arguments:?}: {message}");
    output
}

#[test]
fn the_processor_holds_against_the_reference() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let test = ["device-test", "--device", "cpu", "--networks", "mlp,resnet8", "--batch", "4"];
    let output = succeeds(&test, folder.path());
    assert!(output.starts_with("cpu: single precision\n") && output.ends_with("cpu: everything holds\n"), "{output}");
    for row in ["convolution 3x3, stride 2", "batch norm and softplus", "max pool", "three steps of SGD", "ResNet-8"] {
        assert!(output.lines().any(|line| line.starts_with(row) && line.contains("same")), "{row}: {output}");
    }
    assert!(
        output.contains("varied images: the same bits") && output.contains("points of lines: the same bits"),
        "{output}"
    );
    refuses(&["device-test", "--device", "cpu", "--networks", "resnet9"], folder.path(), 2, &["resnet9", "resnet8"]);
}

#[test]
fn speeds_are_lines_of_json_and_the_account_is_a_table() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lines = |arguments: &[&str]| -> Vec<serde_json::Value> {
        let output = succeeds(arguments, folder.path());
        output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let measure = ["speed", "measure", "--device", "cpu", "--networks", "mlp,resnet8", "--batch", "4", "--images", "4"];
    let measure = [&measure[..], &["--seconds", "0.01"]].concat();
    let measured = lines(&measure);
    assert_eq!(measured.iter().map(|row| &row["network"]).collect::<Vec<_>>(), ["mlp", "resnet8"]);
    for row in &measured {
        assert!(row["backend"] == "cpu" && row["batch"] == 4 && row["images"]["statistics"] == 4, "{row}");
        for what in ["training", "evaluation", "points"] {
            let number = |name: &str| row[what][name].as_f64().expect("a number");
            assert!(0.0 < number("least") && number("least") <= number("median"), "{what}: {row}");
            assert!(number("median") <= number("most") && number("repetitions") >= 5.0, "{what}: {row}");
        }
    }
    let three = lines(&[&measure[..4], &["--networks", "mlp", "--points-in-flight", "3"], &measure[6..]].concat());
    let passes = three[0]["points"]["passes"].as_u64().expect("a number");
    assert!(measured[0]["points_in_flight"] == 1 && three[0]["points_in_flight"] == 3 && passes % 3 == 0, "{three:?}");
    let without = lines(&[&measure[..8], &["--images", "0", "--seconds", "0.01"]].concat());
    assert!(without[0].get("points").is_none() && without[0].get("images").is_none(), "{without:?}");

    let backends = lines(&["speed", "backends"]);
    let works = |name: &str| backends.iter().find(|row| row["backend"] == name).map(|row| &row["works"]);
    assert_eq!([works("cpu"), works("reference")], [Some(&true.into()); 2], "{backends:?}");
    assert!(
        backends.iter().all(|row| row["about"].as_str().is_some_and(|about| !about.contains('\n'))),
        "{backends:?}"
    );

    let account = ["speed", "account", "--networks", "resnet8,mlp", "--batch", "2"];
    let output = succeeds(&account, folder.path());
    for row in ["| ResNet-8 | training | ", "| MLP | evaluation | ", "| batch norm, back | 21, "] {
        assert_eq!(output.lines().filter(|line| line.starts_with(row)).count(), 1, "{row}: {output}");
    }
    assert!(output.starts_with("Batches of 2 on cuda; ") && output.contains(" 67 TFLOP/s"), "{output}");
    let named = succeeds(&[&account[..], &["--backend", "cuda"]].concat(), folder.path());
    assert_eq!(named, output, "cuda is the usual one");
    let tf32 = succeeds(&[&account[..], &["--backend", "cuda-tf32"]].concat(), folder.path());
    let steps = |output: &str| output.split_once("A training step").map(|(_, steps)| steps.to_owned());
    assert!(tf32.contains(" 494 TFLOP/s") && steps(&tf32) == steps(&output), "{tf32}");
    let bf16 = succeeds(&[&account[..], &["--backend", "cuda-bf16"]].concat(), folder.path());
    // The first convolution is cuDNN's, and the eight others are joined with the batch norms that they read through.
    for row in
        ["Batches of 2 on cuda-bf16; ", "| convolution | 1, ", "| joined convolution | 8, ", "| sum of parts | 8, "]
    {
        assert_eq!(bf16.lines().filter(|line| line.starts_with(row)).count(), 1, "{row}: {bf16}");
    }
    assert!(bf16.contains(" 989 TFLOP/s"), "{bf16}");
    for wrong in ["cpu", "cuda-fp8"] {
        let (code, _, message) = run(&[&account[..], &["--backend", wrong]].concat(), folder.path());
        let allowed = ["cuda", "cuda-tf32", "cuda-bf16"].iter().all(|name| message.contains(name));
        assert!(code == Some(2) && message.contains(wrong) && allowed, "{wrong}: {message}");
    }
    refuses(&["speed", "account", "--networks", "resnet9"], folder.path(), 2, &["resnet9", "resnet8"]);

    let speed = ["speed", "measure", "--device", "cpu"];
    refuses(&[&speed[..], &["--networks", "resnet9"]].concat(), folder.path(), 2, &["resnet9", "resnet8"]);
    refuses(&["speed", "measure", "--device", "cuda:4096"], folder.path(), 1, &["CUDA"]);
    for (option, wrong, allowed) in [
        ("--seconds", "0", "up to 3600"),
        ("--seconds", "inf", "up to 3600"),
        ("--images", "1", "0, or 2 to 100000"),
        ("--points-in-flight", "0", "1 to 16"),
        ("--points-in-flight", "17", "1 to 16"),
    ] {
        let (code, _, message) = run(&[&speed[..], &[option, wrong]].concat(), folder.path());
        assert!(code == Some(2) && message.contains(allowed), "{option} {wrong}: {message}");
    }
}

#[test]
fn a_gpu_that_is_not_there_is_missed_in_one_line_before_anything_is_made() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Where there are GPUs, there are not as many.
    for command in [&TRAIN[..], &["device-test"]] {
        refuses(&[command, &["--device", "cuda:4096"]].concat(), folder.path(), 1, &["CUDA"]);
    }
    assert!(!folder.path().join("run").exists(), "no folder for a run that cannot begin");
    let wrong = [&TRAIN[..], &["--backend", "cpu", "--device", "cuda:0"]].concat();
    refuses(&wrong, folder.path(), 2, &["--backend cpu", "--device cuda"]);
    let (code, _, message) = run(&[&TRAIN[..], &["--device", "gpu"]].concat(), folder.path());
    assert!(code == Some(2) && message.contains("cpu, reference, cuda:0"), "{message}");
}

#[test]
fn a_run_goes_on_with_another_backend_if_it_is_asked_for_and_the_manifest_says_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str| fs::read_to_string(folder.path().join("run").join(name)).expect("a file");
    succeeds(&TRAIN, folder.path());
    assert!(file("manifest.json").contains(r#""backends":["cpu: single precision"]"#), "{}", file("manifest.json"));
    let resume = [&TRAIN[..], &["--resume"]].concat();
    succeeds(&[&resume[..], &["--backend", "reference"]].concat(), folder.path());
    let backends = r#""backends":["cpu: single precision","reference: single precision"]"#;
    assert!(file("manifest.json").contains(backends), "{}", file("manifest.json"));
    assert!(
        file("config.toml").contains("backend = \"reference\"") && file("report.html").contains("reference: single")
    );
    // Without a word about it, the usual backend is another one than the run's by now.
    refuses(&resume, folder.path(), 1, &["backend = \"reference\"", "backend = \"cpu\"", "--backend to go on"]);
    // Nothing else may change.
    let other = [&resume[..], &["--backend", "reference", "--seed", "2"]].concat();
    refuses(&other, folder.path(), 1, &["seed = 1", "seed = 2"]);

    let line = ["landscape", "line", "run", "--points", "3", "--images", "20", "--device", "cpu", "--out", "line"];
    succeeds(&line, folder.path());
    let manifest = fs::read_to_string(folder.path().join("line/manifest.json")).expect("a manifest");
    assert!(manifest.contains(r#""backends":["cpu: single precision"]"#), "{manifest}");
}
