//! `valleys phase-map`: a small grid from the command line to the pictures; interrupted and continued; wrong inputs.

mod common;

use std::fs;
use std::path::Path;

use common::{refuses, run};

/// Every file of two folders of a run, by name.
fn results(run: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for folder in ["records", "figures"] {
        for entry in fs::read_dir(run.join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            files.push((format!("{folder}/{name}"), fs::read(&path).expect("a file")));
        }
    }
    files.sort();
    files
}

#[test]
fn every_choice_of_slopes_and_bounds_has_a_map_of_its_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let grid = ["phase-map", "--columns", "4", "--rows", "3", "--half-width", "0.02", "--noise", "two-point"];
    let choices = ["--slopes", "landing", "steepest", "--b-plus", "0.25,1", "--c-prime", "1.5", "--out", "maps"];
    let (code, output, message) = run(&[&grid[..], &choices].concat(), folder);
    assert_eq!(code, Some(0), "{message}");
    for name in ["landing-b0.25", "landing-b1", "steepest-b0.25", "steepest-b1"] {
        assert!(output.contains(&format!("phase-map-{name}: SGD’s long-run mean")), "{name}: {output}");
        for file in [
            format!("records/phase-map-{name}.json"),
            format!("points/phase-map-{name}.jsonl"),
            format!("figures/phase-map-{name}.csv"),
            format!("figures/phase-map-{name}.svg"),
            format!("figures/phase-map-{name}-rounds.png"),
        ] {
            assert!(folder.join("maps").join(&file).is_file(), "{file}");
        }
    }
    let report = fs::read_to_string(folder.join("maps/report.html")).expect("a report");
    assert!(report.contains("The phase map") && report.contains("c′ = 1.5 c; two-point noise"));

    // The command that the report names makes one of them alone, to the same numbers.
    let one = "--slopes landing --b-plus 1 --c-prime 1.5 --noise two-point --half-width 0.02";
    let command = format!("phase-map --seed 1 --columns 4 --rows 3 {one}");
    assert!(report.contains(&format!("valleys {command}")));
    let (code, _, message) = run(&[&command.split(' ').collect::<Vec<_>>()[..], &["--out", "one"]].concat(), folder);
    assert_eq!(code, Some(0), "{message}");
    let record = |name: &str| fs::read(folder.join(name)).expect("a record");
    assert!(record("one/records/phase-map.json") == record("maps/records/phase-map-landing-b1.json"));
}

#[test]
fn a_map_without_some_of_its_rows_gets_them_to_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let arguments = ["phase-map", "--columns", "4", "--rows", "6", "--half-width", "0.02", "--out", "map"];
    let (code, _, message) = run(&arguments, folder);
    assert_eq!(code, Some(0), "{message}");
    let map = folder.join("map");
    let whole = results(&map);
    let rows = map.join("points/phase-map.jsonl");
    let text = fs::read_to_string(&rows).expect("rows");
    assert_eq!(text.lines().count(), 6);
    let kept: Vec<&str> = text.lines().step_by(2).collect();
    // The last line is cut short, as by a crash.
    fs::write(&rows, kept.join("\n") + "\n{\"row\":1,\"cel").expect("writable");
    fs::remove_dir_all(map.join("records")).expect("there");
    fs::remove_dir_all(map.join("figures")).expect("there");
    let (code, _, message) = run(&[&arguments[..], &["--resume", "--threads", "1"]].concat(), folder);
    assert_eq!(code, Some(0), "{message}");
    assert!(results(&map) == whole);
    assert_eq!(fs::read_to_string(&rows).expect("rows").lines().count(), 6);
    refuses(&[&arguments[..], &["--resume", "--seed", "2"]].concat(), folder, 1, &["config.toml", "seed = 1"]);
}

#[test]
#[cfg(unix)]
fn ctrl_c_loses_at_most_a_row() {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let arguments =
        ["phase-map", "--columns", "8", "--rows", "16", "--slopes", "landing", "--half-width", "0.0015", "--out"];
    let (code, _, message) = run(&[&arguments[..], &["whole", "--threads", "1"]].concat(), folder);
    assert_eq!(code, Some(0), "{message}");

    let cut = [&arguments[..], &["cut", "--threads", "2"]].concat();
    let mut child = common::valleys(&cut, folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let rows = folder.join("cut/points/phase-map.jsonl");
    let kept = || fs::read_to_string(&rows).map_or(0, |text| text.matches('\n').count());
    while kept() < 2 {
        assert!(child.try_wait().expect("a child").is_none(), "the run ended before it had two rows");
        std::thread::sleep(Duration::from_millis(2));
    }
    let stop = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(stop.success());
    assert_eq!(child.wait().expect("a child").code(), Some(130));
    assert!((2..16).contains(&kept()), "{} rows", kept());
    let before = fs::read_to_string(&rows).expect("rows");
    let (code, _, message) = run(&[&cut[..], &["--resume"]].concat(), folder);
    assert_eq!(code, Some(0), "{message}");
    assert!(fs::read_to_string(&rows).expect("rows").starts_with(&before), "no row is simulated twice");
    assert!(results(&folder.join("cut")) == results(&folder.join("whole")));
}

#[test]
fn values_outside_their_domain_are_refused_before_any_folder_is_made() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    for (arguments, words) in [
        (&["--columns", "0"][..], &["--columns is 0", "at least 1"][..]),
        (&["--rows", "0"], &["--rows is 0", "at least 1"]),
        (&["--b-plus", "0.5,1.5"], &["b₊ is 1.5", "at most a₊ = 1"]),
        (&["--b-plus", "-0.5"], &["b₊ is -0.5", "> 0"]),
        (&["--c-prime", "0.5"], &["c′/c is 0.5", "≥ 1"]),
        (&["--c-prime", "1e308"], &["b₋ is -inf", "finite"]),
        (&["--half-width", "0"], &["half-width of a mean is 0", "> 0"]),
        (&["--b-plus", "0.5,0.50"], &["phase-map-b0.5 is asked for twice", "--b-plus"]),
    ] {
        refuses(&[&["phase-map", "--out", "never-made"], arguments].concat(), folder, 2, words);
        assert!(!folder.join("never-made").exists());
    }
    let (code, _, message) = run(&["phase-map", "--slopes", "smoth", "--out", "never-made"], folder);
    assert_eq!(code, Some(2));
    assert!(message.contains("smoth") && message.contains("smooth, flattest, steepest, landing"), "{message}");
    // How many chains a cell takes is known once its pilot has run.
    let precise = ["phase-map", "--columns", "2", "--rows", "1", "--half-width", "1e-9"];
    refuses(&precise, folder, 1, &["number of chains at c = ", "ask for less precision"]);
}
