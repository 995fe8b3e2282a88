//! The command line, as a user meets it: exit codes, one clear line for each wrong input, nothing half-written.

mod common;

use std::path::Path;
use std::process::Command;

/// Exit code, standard output and standard error of a run where nothing is written unless `--out` says so.
fn outcome(arguments: &[&str]) -> (Option<i32>, String, String) {
    common::run(arguments, Path::new("."))
}

/// Asserts that a command fails with a code and one line that holds every one of the words.
fn refuses(arguments: &[&str], code: i32, words: &[&str]) {
    common::refuses(arguments, Path::new("."), code, words);
}

/// The same, and the line is short enough to be read.
fn refuses_shortly(arguments: &[&str], code: i32, words: &[&str]) {
    refuses(arguments, code, words);
    let message = outcome(arguments).2;
    assert!(message.trim().chars().count() <= 200, "{arguments:?}: {message}");
}

fn write(path: &Path, text: &str) -> String {
    std::fs::write(path, text).expect("a temporary file");
    path.to_str().expect("UTF-8").to_string()
}

/// w ↦ max(−3w, w) on 61 points of [−3, 3]: asymmetric with r̄ = 3, r̲ = 0, p = 1, c = 3.
fn valley() -> String {
    let mut text = "offset,train\n".to_string();
    for i in -30..=30 {
        let w = f64::from(i) / 10.0;
        text += &format!("{w},{}\n", f64::max(-3.0 * w, w));
    }
    text
}

#[test]
fn certify_tells_an_asymmetric_curve_from_a_symmetric_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = write(&folder.path().join("valley.csv"), &valley());
    let (code, output, _) = outcome(&["certify", &file, "--shift", "0.4"]);
    assert_eq!(code, Some(0));
    for words in ["asymmetric", "(r̄, r̲, p, c) = (3, 0, 1, 3)", "at least 0.4: it helps"] {
        assert!(output.contains(words), "`{words}` is not in: {output}");
    }

    let parabola: String = (-30..=30).map(|i| format!("{},{}\n", f64::from(i), f64::from(i * i))).collect();
    let file = write(&folder.path().join("parabola.csv"), &format!("offset,train\n{parabola}"));
    let (code, output, _) = outcome(&["certify", &file]);
    assert_eq!(code, Some(0));
    assert!(output.contains("verdict      symmetric"), "{output}");
}

#[test]
fn certify_answers_in_json_and_draws() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = write(&folder.path().join("valley.csv"), &valley());
    let picture = folder.path().join("valley.png");
    let (code, output, _) = outcome(&["certify", &file, "--json", "--picture", picture.to_str().expect("UTF-8")]);
    assert_eq!(code, Some(0));
    let answer: serde_json::Value = serde_json::from_str(&output).expect("JSON");
    assert_eq!(answer["judgement"]["verdict"], "asymmetric");
    let c = answer["judgement"]["canonical"]["c"].as_f64().expect("a number");
    assert!((c - 3.0).abs() < 1e-12, "{c}");
    assert_eq!(&std::fs::read(picture).expect("a picture")[1..4], b"PNG");
}

#[test]
fn certify_measures_the_shift_of_a_test_column() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut text = "offset,train,test\n".to_string();
    for i in -30..=30 {
        let w = f64::from(i) / 10.0;
        let loss = |w: f64| f64::max(-3.0 * w, w);
        text += &format!("{w},{},{}\n", loss(w), 0.1 + loss(w - 0.5));
    }
    let file = write(&folder.path().join("both.csv"), &text);
    let (code, output, _) = outcome(&["certify", &file]);
    assert_eq!(code, Some(0));
    assert!(output.contains("δ = 0.5 (measured)"), "{output}");
}

#[test]
fn certify_names_what_is_wrong_with_a_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    refuses(&["certify", "no-such-file.csv"], 1, &["no-such-file.csv"]);
    for (text, words) in [
        ("offset,loss_of_mine\n0,1\n", "`train` is needed"),
        ("offset,train\n0,1\n", "number of offsets is 1"),
        ("offset,train\n0,1\n0,2\n", "offset 1 is 0"),
        ("offset,train\n-1,1\n0,abc\n1,1\n", "line 3, column `train`: `abc` is not a finite number"),
        ("offset,train\n-1,1\n0,inf\n1,1\n", "`inf` is not a finite number"),
        ("offset,train\n-1,1\n0\n1,1\n", "line 3 has 1 columns"),
        ("offset,train,standard_error\n-1,1,0\n0,0,-1\n1,1,0\n", "standard error at offset 0 is -1"),
        ("offset,train\n1,1\n2,0\n", "half-line"),
    ] {
        let file = write(&path.join("wrong.csv"), text);
        refuses(&["certify", &file], 1, &["wrong.csv", words]);
    }
    let file = write(&path.join("valley.csv"), &valley());
    refuses(&["certify", &file, "--shift", "-1"], 2, &["--shift is -1", "> 0"]);
    refuses(&["certify", &file, "--xi", "0.1"], 2, &["--xi", "--shift"]);
    refuses(&["certify", &file, "--min-c", "0.5"], 2, &["0.5", "at least 1"]);
    refuses(&["certify", &file, "--picture", "a.bmp"], 2, &["a.bmp", ".svg"]);
}

#[test]
fn wrong_names_suggest_the_nearest() {
    let out = ["--out", "never-made"];
    for (wrong, words) in [
        ("resnet21", "nearest: resnet20, "),
        ("vgg17", "nearest: vgg16, vgg16-bn; all: valleys train --help"),
        ("xyz", "such as resnet8, "),
        ("two\nlines", "two\\nlines"),
    ] {
        refuses_shortly(&[&["train", "--network", wrong][..], &out].concat(), 2, &["architecture is `", words]);
    }
    refuses(&["appendix-a", "--family", "unifrom", "--out", "never-made"], 2, &["unifrom", "uniform"]);
    assert!(!Path::new("never-made").exists());
}

#[test]
fn numbers_outside_their_domain_are_refused_before_any_work() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("run");
    let out = out.to_str().expect("UTF-8");
    refuses(&["appendix-a", "--batch-size", "21", "--out", out], 2, &["21", "20"]);
    refuses(&["appendix-a", "--protocol", "official", "--converge", "--out", out], 2, &["--converge"]);
    refuses(&["theorem2", "--b-plus", "1.5", "--out", out], 2, &["1.5"]);
    refuses(&["train", "--epochs", "0", "--out", out], 2, &["epochs", "0", "at least 1"]);
    refuses(&["train", "--learning-rate=-0.1", "--out", out], 2, &["learning_rate", "-0.1"]);
    assert!(!Path::new(out).exists());
    assert_eq!(outcome(&["reproduce", "--threads", "0"]).0, Some(2));
    assert_eq!(outcome(&["reprodcue"]).0, Some(2));
}

#[test]
fn data_that_is_missing_or_malformed_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("run");
    let out = out.to_str().expect("UTF-8");
    refuses(&["reproduce", "--profile", "small", "--out", out], 2, &["--data"]);
    refuses(&["train", "--data", "no-such-folder", "--out", out], 1, &["no-such-folder"]);
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    for batch in ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"] {
        std::fs::write(data.join(format!("{batch}.bin")), [0u8; 100]).expect("a file");
    }
    refuses(&["train", "--data", data.to_str().expect("UTF-8"), "--out", out], 1, &["data_batch_1.bin", "100"]);
    assert!(!Path::new(out).exists());
}

#[test]
fn an_existing_folder_is_neither_overwritten_nor_mixed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("run");
    let run = out.to_str().expect("UTF-8");
    let arguments = ["appendix-a", "--seeds", "2", "--out", run];
    assert_eq!(outcome(&arguments).0, Some(0));
    refuses(&arguments, 1, &[run, "--resume", "--force"]);
    refuses(&["appendix-a", "--seeds", "3", "--resume", "--out", run], 1, &["config.toml", "3"]);
    assert_eq!(outcome(&[&arguments[..], &["--resume"]].concat()).0, Some(0));
    assert_eq!(outcome(&[&arguments[..], &["--force"]].concat()).0, Some(0));

    let precious = folder.path().join("precious");
    std::fs::create_dir(&precious).expect("a folder");
    write(&precious.join("thesis.txt"), "years of work");
    write(&precious.join("config.toml"), "title = \"my thesis\"");
    std::fs::create_dir(precious.join("figures")).expect("a folder");
    refuses(
        &["appendix-a", "--force", "--out", precious.to_str().expect("UTF-8")],
        1,
        &["precious", "is not a run folder"],
    );
    assert!(precious.join("thesis.txt").exists() && precious.join("figures").exists());
}

#[test]
fn an_unwritable_folder_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = write(&folder.path().join("a-file"), "");
    refuses(&["appendix-a", "--seeds", "1", "--out", &format!("{file}/run")], 1, &["a-file"]);
}

#[test]
fn the_single_steps_leave_records_and_pictures() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("appendix");
    let (code, output, _) = outcome(&["appendix-a", "--seeds", "3", "--out", out.to_str().expect("UTF-8")]);
    assert_eq!(code, Some(0));
    assert!(output.contains("asymmetric"), "{output}");
    for file in ["config.toml", "manifest.json", "records/appendix-a.json", "figures/appendix-a.svg"] {
        assert!(out.join(file).is_file(), "{file}");
    }
    assert_eq!(outcome(&["report", out.to_str().expect("UTF-8")]).0, Some(0));
    assert!(out.join("report.html").is_file());
    refuses(&["report", "no-such-run"], 1, &["no-such-run"]);
}

#[test]
#[cfg(unix)]
fn a_reader_that_goes_away_is_a_quiet_end() {
    let output = Command::new("sh")
        .args(["-c", &format!("{} --help | head -n 1", env!("CARGO_BIN_EXE_valleys"))])
        .output()
        .expect("a shell");
    assert!(output.status.success() && output.stderr.is_empty());
}

#[test]
fn check_shows_named_claims_in_full_and_leaves_no_folder() {
    let (code, output, _) = outcome(&["check", "theorem1-printed", "--cases", "4"]);
    assert_eq!(code, Some(0));
    for words in [
        "theorem1-printed-maximum (Section 4.1, Theorem 1)",
        "counterexample: −1/4 is not at least 1/2",
        "(1 proved, 3 refuted), 4 upheld",
        "Coq is",
    ] {
        assert!(output.contains(words), "`{words}` is not in: {output}");
    }
    assert!(!output.contains("theorem2"), "{output}");
}

#[test]
fn check_answers_in_json_and_lists() {
    let (code, output, _) = outcome(&["check", "theorem2-every-asymmetry", "--cases", "4", "--json"]);
    assert_eq!(code, Some(0));
    let answer: serde_json::Value = serde_json::from_str(&output).expect("JSON");
    assert_eq!(answer["rows"][0]["standing"], "refuted");
    let (code, list, _) = outcome(&["check", "--list"]);
    assert_eq!(code, Some(0));
    assert!(list.lines().count() > 15 && list.contains("theorem1-corrected"), "{list}");
}

#[test]
fn check_keeps_a_report_where_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = folder.path().join("run");
    let path = run.to_str().expect("UTF-8");
    let arguments = ["check", "theorem1-printed", "--cases", "4", "--out", path];
    assert_eq!(outcome(&arguments).0, Some(0));
    let report = std::fs::read_to_string(run.join("report.html")).expect("a report");
    assert!(report.contains("Why the false ones are false"));
    refuses(&arguments, 1, &["--resume", "--force"]);
}

#[test]
fn check_refuses_what_it_does_not_know() {
    refuses_shortly(&["check", "theorem1-corected"], 2, &["`theorem1-corected`", "nearest: theorem1-corrected, "]);
    refuses_shortly(&["check", "theorem9"], 2, &["`theorem9`", "nearest: theorem1-", "all: valleys check --list"]);
    refuses(&["check", "--cases", "0"], 2, &["number of instances", "at least 1"]);
}
