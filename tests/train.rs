//! `valleys train`: where its settings come from, what it refuses, what it leaves.

mod common;

use std::fs;
use std::path::Path;

use common::{refuses, run};

/// The settings that `--show` prints.
fn shown(arguments: &[&str], folder: &Path) -> toml::Table {
    let (code, text, message) = run(&[&["train", "--show"], arguments].concat(), folder);
    assert_eq!((code, message.as_str()), (Some(0), ""), "{arguments:?}");
    toml::from_str(&text).expect("TOML")
}

fn phases(settings: &toml::Table) -> Vec<&toml::Value> {
    settings["training"]["phases"].as_array().expect("a list").iter().collect()
}

#[test]
fn settings_come_from_the_preset_then_the_file_then_the_command_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let vgg = shown(&["--network", "vgg16", "--data", "cifar100", "--preset", "paper", "--method", "table1"], folder);
    assert_eq!(vgg["training"]["weight_decay"].as_float(), Some(5e-4));
    let epochs: Vec<_> = phases(&vgg).iter().map(|phase| phase["epochs"].as_integer().expect("a number")).collect();
    assert_eq!(epochs, [300, 50, 300]);

    let file = "seed = 5\n[data]\nname = \"cifar10\"\n[training]\nnetwork = \"densenet40\"\nmomentum = 0.8\n";
    fs::write(folder.join("mine.toml"), file).expect("writable");
    let mine = shown(&["--config", "mine.toml"], folder);
    assert_eq!((mine["seed"].as_integer(), mine["training"]["momentum"].as_float()), (Some(5), Some(0.8)));
    assert_eq!(mine["training"]["network"].as_str(), Some("densenet40"));
    assert_eq!(phases(&mine)[0]["epochs"].as_integer(), Some(6), "the preset for real images");
    let changed = shown(
        &["--config", "mine.toml", "--set", "momentum=0.7", "--seed", "6", "--epochs", "12", "--select", "official"],
        folder,
    );
    assert_eq!((changed["seed"].as_integer(), changed["training"]["momentum"].as_float()), (Some(6), Some(0.7)));
    assert_eq!(changed["training"]["seed"].as_integer(), Some(6));
    let swa = phases(&changed)[0];
    assert_eq!((swa["epochs"].as_integer(), swa["average_from"].as_integer()), (Some(12), Some(8)), "the same share");
    assert_eq!(phases(&changed)[1]["select"].as_str(), Some("official"));

    let large = shown(&["--method", "large-batch", "--batch-size", "64"], folder);
    let sizes: Vec<_> = phases(&large).iter().map(|phase| phase["batch_size"].as_integer()).collect();
    assert_eq!(sizes, [Some(64), Some(32)], "only the large batches are meant");

    let slower = shown(&["--method", "sgd", "--learning-rate", "0.02"], folder);
    assert_eq!(phases(&slower)[0]["last_learning_rate"].as_float(), Some(0.0002), "a hundredth of η₀");

    // What is shown is a file like any other.
    for arguments in
        [&["--config", "mine.toml"][..], &["--data", "cifar100", "--preset", "paper"], &["--preset", "small"], &[]]
    {
        let text = run(&[&["train", "--show"], arguments].concat(), folder).1;
        fs::write(folder.join("shown.toml"), &text).expect("writable");
        assert_eq!(run(&["train", "--show", "--config", "shown.toml"], folder).1, text, "{arguments:?}");
    }
}

#[test]
fn a_run_is_repeated_from_its_own_settings() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let small = ["--network", "mlp", "--epochs", "2", "--swa-start", "2", "--after-swa", "1", "--set"];
    let (code, table, message) = run(
        &[&["train", "--out", "first"], &small[..], &["data.train_images=100", "--held-out", "20"]].concat(),
        folder,
    );
    assert_eq!(code, Some(0), "{message}");
    assert!(
        table.contains("MLP SWA (average of 1 epoch)") && table.contains("MLP SGD after SWA (last epoch)"),
        "{table}"
    );
    let (code, again, message) = run(&["train", "--config", "first/config.toml", "--out", "again"], folder);
    assert_eq!(code, Some(0), "{message}");
    assert_eq!(table.replace("first", "again"), again);
    let read = |run: &str, name: &str| fs::read(folder.join(run).join(name)).expect("a file");
    for name in ["config.toml", "metrics.jsonl", "metrics.csv", "checkpoints/swa.safetensors"] {
        assert!(read("first", name) == read("again", name), "{name}");
    }
    let columns = String::from_utf8(read("first", "metrics.csv")).expect("text");
    assert_eq!(columns.lines().count(), 4, "{columns}");

    // Again, from another seed: other embedded images, too.
    let (code, _, message) = run(&["train", "--config", "first/config.toml", "--seed", "2", "--out", "seed-2"], folder);
    assert_eq!(code, Some(0), "{message}");
    assert!(read("first", "metrics.jsonl") != read("seed-2", "metrics.jsonl"));

    // Other images than those that the settings name.
    let text = fs::read_to_string(folder.join("first/config.toml")).expect("settings");
    fs::write(folder.join("other.toml"), text.replace("train_images = 100", "train_images = 90")).expect("writable");
    let (code, _, message) = run(&["train", "--config", "other.toml", "--out", "other"], folder);
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("checksum") && message.contains("data.sha256"), "{message}");

    // A line through each solution, and through one that is none.
    let line = ["landscape", "line", "first", "--points", "3", "--images", "50"];
    let (code, _, message) = run(&[&line[..], &["--solution", "swa", "--out", "line"]].concat(), folder);
    assert_eq!(code, Some(0), "{message}");
    let (code, _, message) = run(&[&line[..], &["--solution", "sgd"]].concat(), folder);
    assert_eq!((code, message.trim()), (Some(2), "valleys: --solution is sgd; allowed: swa, sgd-after-swa"));
}

#[test]
fn what_cannot_be_is_refused_in_one_line_before_any_work() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("wrong.toml"), "[trainings]\nmomentum = 0.8\n").expect("writable");
    fs::write(folder.path().join("broken.toml"), "[training\n").expect("writable");
    fs::write(folder.path().join("seed.toml"), "seed = -3\n").expect("writable");
    for (arguments, code, words) in [
        (&["--set", "momentun=0.8"][..], 2, &["momentun", "momentum"][..]),
        (&["--set", "phases.adam.epochs=1"], 2, &["phases.adam.epochs=1", "config.toml"]),
        (&["--set", "momentum=1.5"], 2, &["momentum is 1.5", "[0, 1)"]),
        (&["--set", "phases.swa.epochs=many"], 2, &["epochs", "many"]),
        (&["--set", "norm_weights=two"], 2, &["norm_weights", "two", "uniform"]),
        (
            &["--set", "norm_weights=normal", "--network", "mlp"],
            2,
            &["norm_weights is normal", "MLP has no batch norm"],
        ),
        (&["--method", "adam"], 2, &["method is adam", "swa, sgd, table1, large-batch"]),
        (&["--select", "held-out"], 2, &["--held-out is 0", "at least 1"]),
        (&["--method", "sgd", "--after-swa", "3"], 2, &["--after-swa", "this run has none"]),
        (&["--method", "sgd", "--swa-rate", "0.1"], 2, &["--swa-rate", "this run has none"]),
        (&["--held-out", "1500"], 2, &["held-out images is 1500", "1 to 1499"]),
        (&["--swa-start", "30"], 2, &["phase swa: average_from is 30", "1 to epochs, 20"]),
        (&["--set", "data=5"], 2, &["data=5", "a key within"]),
        (&["--set", "training.seed=5"], 2, &["training.seed=5", "--seed"]),
        (&["--set", "data.train_images=9999999999"], 1, &["number of images is 9999999999", "1000000"]),
        (&["--config", "seed.toml"], 1, &["seed.toml", "seed is -3"]),
        (&["--config", "nowhere.toml"], 1, &["nowhere.toml"]),
        (&["--config", "wrong.toml"], 1, &["wrong.toml", "`trainings`", "training"]),
        (&["--config", "broken.toml"], 1, &["broken.toml"]),
    ] {
        refuses(&[&["train", "--out", "out"], arguments].concat(), folder.path(), code, words);
    }
    assert!(!folder.path().join("out").exists());
}
