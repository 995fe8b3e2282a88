//! `valleys landscape`: every experiment on a small trained network, from the command line to the pictures.

mod common;

use std::fs;
use std::path::Path;

use common::{refuses, run};

/// A ResNet-8 of three phases, every epoch kept.
fn train(folder: &Path) {
    let small = ["--network", "resnet8", "--method", "table1", "--epochs", "3", "--swa-start", "2", "--after-swa", "1"];
    let set = ["--set", "data.train_images=100", "--set", "data.test_images=60", "--set", "checkpoints.every=1"];
    let (code, _, message) = run(&[&["train", "--out", "run"], &small[..], &set].concat(), folder);
    assert_eq!(code, Some(0), "{message}");
}

#[test]
fn every_experiment_leaves_records_pictures_and_a_report_and_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    train(folder);
    for (name, options, said) in [
        ("prevalence", &["--family", "uniform,gaussian", "--draws", "2", "--points", "5"][..], "gaussian"),
        ("neighbourhood", &["--centres", "2", "--ball", "1", "--points", "5"], "certificate of the solution"),
        ("trajectory", &["--points", "5"], "profiles through 3 epochs"),
        ("interpolation", &["--points", "6"], "SWA to SGD after SWA, distance"),
        ("inter-rand", &["--draws", "1", "--points", "5"], "of 2 lines asymmetric"),
        ("rays", &["--draws", "2", "--points", "3", "--radius", "4"], "SGD after SWA: mean train loss"),
        ("batch-norm", &["--draws", "1", "--points", "5"], "frozen: batch norms alone"),
        ("sign-consistency", &["--fractions", "0.5,1", "--draws", "2", "--points", "5"], "sign-matched:1"),
        ("plane", &["--points", "3"], "lowest train loss"),
        ("controls", &["--points", "9", "--family", "gaussian"], "filter-normalised"),
    ] {
        let arguments = [&["landscape", name, "run", "--images", "40", "--out", name], options].concat();
        let (code, output, message) = run(&arguments, folder);
        assert_eq!(code, Some(0), "{name}: {message}");
        assert!(output.contains(said), "{name}: `{said}` is not in: {output}");
        let out = folder.join(name);
        for file in [
            format!("records/{name}.json"),
            format!("figures/{name}.csv"),
            format!("figures/{name}.svg"),
            format!("figures/{name}.png"),
            format!("points/{name}.jsonl"),
            "report.html".to_string(),
        ] {
            assert!(out.join(&file).is_file(), "{name}: {file}");
        }

        // Without its record and half of its points the experiment measures the missing ones, to the same bytes.
        let record = fs::read(out.join(format!("records/{name}.json"))).expect("a record");
        is_without_examples(name, &record);
        let path = out.join(format!("points/{name}.jsonl"));
        let points = fs::read_to_string(&path).expect("points");
        let kept: Vec<&str> = points.lines().step_by(2).collect();
        fs::write(&path, kept.join("\n") + "\n").expect("writable");
        fs::remove_file(out.join(format!("records/{name}.json"))).expect("there");
        let (code, _, message) = run(&[&arguments[..], &["--resume"]].concat(), folder);
        assert_eq!(code, Some(0), "{name}: {message}");
        assert!(fs::read(out.join(format!("records/{name}.json"))).expect("a record") == record, "{name}");
        assert_eq!(fs::read_to_string(&path).expect("points").lines().count(), points.lines().count(), "{name}");

        // Pictures are redrawn from records alone.
        let picture = out.join(format!("figures/{name}.svg"));
        let drawn = fs::read(&picture).expect("a picture");
        fs::remove_dir_all(out.join("figures")).expect("there");
        fs::remove_dir_all(out.join("points")).expect("there");
        assert_eq!(run(&["report", name], folder).0, Some(0), "{name}");
        assert!(fs::read(&picture).expect("a picture") == drawn, "{name}");
    }
    let (code, _, message) =
        run(&["landscape", "shift", "run", "--points", "5", "--images", "40", "--only", "bn-bias"], folder);
    assert_eq!(code, Some(0), "{message}");
    assert!(folder.join("valleys-run-shift-uniform-only-bn-bias-0/figures").is_dir());

    refuses_what_does_not_fit(folder);
}

#[test]
fn any_number_of_points_in_flight_leaves_the_same_files_and_goes_on_with_another() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    train(folder);
    for (name, options) in [
        ("line", &["--points", "7"][..]),
        ("rays", &["--draws", "2", "--points", "3", "--radius", "4"]),
        ("batch-norm", &["--draws", "1", "--points", "5"]),
        ("controls", &["--points", "9"]),
    ] {
        let measure = |in_flight: &str, out: &str, resume: &[&str]| {
            let arguments = ["landscape", name, "run", "--images", "40", "--points-in-flight", in_flight, "--out", out];
            let (code, _, message) = run(&[&arguments[..], options, resume].concat(), folder);
            assert_eq!(code, Some(0), "{name}, {in_flight} in flight: {message}");
        };
        let [one, three] = ["1", "3"].map(|in_flight| folder.join(format!("{name}-{in_flight}")));
        measure("1", &format!("{name}-1"), &[]);
        measure("3", &format!("{name}-3"), &[]);
        let files = files(&one);
        assert!(files.iter().any(|(file, _)| file.starts_with("points/")), "{name}: {files:?}");
        assert!(files == self::files(&three), "{name}: points or records differ");

        // Stopped early and gone on with another number: the same points in the same order.
        for (file, bytes) in &files {
            match file.strip_prefix("points/") {
                Some(_) => {
                    let lines = bytes.split_inclusive(|byte| *byte == b'\n').take(2);
                    fs::write(three.join(file), lines.collect::<Vec<_>>().concat()).expect("writable");
                }
                None => fs::remove_file(three.join(file)).expect("there"),
            }
        }
        measure("2", &format!("{name}-3"), &["--resume"]);
        assert!(files == self::files(&three), "{name}: points or records differ when gone on with");
    }
    let message = run(&["landscape", "line", "run", "--points-in-flight", "17"], folder).2;
    assert!(message.contains("--points-in-flight <N>") && message.contains("allowed: 1 to 16"), "{message}");
}

/// The points and records of a run folder, by name.
fn files(run: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in ["points", "records"] {
        for entry in fs::read_dir(run.join(folder)).expect("a folder") {
            let name = entry.expect("an entry").file_name().into_string().expect("a name");
            let path = format!("{folder}/{name}");
            found.push((path.clone(), fs::read(run.join(path)).expect("a file")));
        }
    }
    found.sort();
    found
}

/// Points keep the loss of every image, records do not: each of their lists has an entry a point or a direction.
fn is_without_examples(name: &str, record: &[u8]) {
    fn longest(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::Array(values) => values.iter().map(longest).fold(values.len(), usize::max),
            serde_json::Value::Object(fields) => fields.values().map(longest).max().unwrap_or(0),
            _ => 0,
        }
    }
    let record = serde_json::from_slice(record).expect("JSON");
    assert!(longest(&record) < 40, "{name}: a list of 40 or more, as many as images");
}

fn refuses_what_does_not_fit(folder: &Path) {
    for (arguments, code, words) in [
        (&["prevalence", "run", "--draws", "0"][..], 2, &["--draws is 0", "at least 1"][..]),
        (&["prevalence", "run", "--family", "gausian"], 2, &["`gausian`", "nearest: gaussian"]),
        (&["prevalence", "run", "--only", "bn"], 2, &["parameter group is `bn`", "bn-weight"]),
        (&["prevalence", "run", "--points", "4"], 2, &["--points is 4", "odd, at least 3"]),
        (&["prevalence", "run", "--images", "5000"], 2, &["--images is 5000", "2 to 60"]),
        (&["prevalence", "run", "--images", "0"], 2, &["--images is 0", "2 to 60"]),
        (&["neighbourhood", "run", "--ball", "0"], 2, &["--ball is 0", "> 0"]),
        (&["neighbourhood", "run", "--centres", "1"], 2, &["--centres is 1", "at least 2"]),
        (&["trajectory", "run", "--phase", "adam"], 2, &["--phase is adam", "swa, sgd-after-swa, sgd"]),
        (&["trajectory", "run", "--epochs", "1"], 2, &["--epochs is 1", "at least 2"]),
        (&["trajectory", "run", "--phase", "sgd-after-swa"], 2, &["kept epochs is 1", "checkpoints.every=1"]),
        (&["interpolation", "run", "--points", "7"], 2, &["--points is 7", "a multiple of 5 and one more"]),
        (&["interpolation", "run", "--to", "swa"], 2, &["--to is SWA", "another solution"]),
        (&["rays", "run", "--radius=-1"], 2, &["--radius is -1", "> 0"]),
        (&["sign-consistency", "run", "--fractions", "0.5,1.5"], 2, &["--fractions is 0.5,1.5", "from 0 to 1"]),
        (
            &["plane", "run", "--solution", "swa,sgd"],
            2,
            &["--solution names 2 solutions; allowed: three", "two --family"],
        ),
        (
            &["plane", "run", "--family", "ones"],
            2,
            &["1 solution and --family 1 direction;", "swa, sgd-after-swa, sgd"],
        ),
        (&["plane", "run", "--points", "1"], 2, &["--points is 1", "at least 2"]),
        (&["line", "run", "--out", "run"], 2, &["--out is run", "another folder"]),
        (&["rays", "nowhere"], 1, &["nowhere", "is not a folder"]),
    ] {
        refuses(&[&["landscape"], arguments, &["--force"]].concat(), folder, code, words);
    }
}
