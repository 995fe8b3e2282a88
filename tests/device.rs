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
