//! A suite shared by processes, one of which is killed.
#![cfg(unix)]

mod common;

use std::fs;
use std::process::{Output, Stdio};
use std::time::Duration;

use common::{run, valleys};

/// A plan of two networks and two seeds, so small that it is trained in seconds.
const PLAN: [&str; 21] = [
    "suite",
    "plan",
    "suite",
    "--networks",
    "mlp,resnet8",
    "--data",
    "synthetic",
    "--seeds",
    "2",
    "--preset",
    "quick",
    "--set",
    "data.train_images=200",
    "--set",
    "data.test_images=100",
    "--set",
    "phases.swa.epochs=15",
    "--set",
    "phases.sgd-after-swa.epochs=2",
    "--set",
    "phases.sgd.epochs=2",
];

#[test]
fn processes_share_a_suite_and_what_one_leaves_another_finishes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let (code, plan, message) = run(&PLAN, folder);
    assert_eq!(code, Some(0), "{message}");
    for words in ["MLP", "ResNet-8", "in all", "4 cells", "time a cell"] {
        assert!(plan.contains(words), "`{words}` is not in: {plan}");
    }
    let commands = fs::read_to_string(folder.join("suite/commands.txt")).expect("commands");
    assert_eq!(commands.lines().count(), 4);

    // One process is killed within the first network that takes a while, two more share the rest.
    let mut first = valleys(&["suite", "run", "suite"], folder).stderr(Stdio::null()).spawn().expect("starts");
    let begun = folder.join("suite/cells/resnet8-synthetic-1/checkpoints/swa/epoch-00001.safetensors");
    while !begun.exists() {
        assert!(first.try_wait().expect("a child").is_none(), "the suite was over before it was killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    let (_, status, _) = run(&["suite", "status", "suite"], folder);
    let cell =
        |status: &str| status.lines().find(|line| line.starts_with("resnet8-synthetic-1")).expect("a row").to_string();
    assert!(cell(&status).contains(&format!("in training: process {}", first.id())), "{status}");
    first.kill().expect("SIGKILL");
    first.wait().expect("a child");
    let (_, status, _) = run(&["suite", "status", "suite"], folder);
    assert!(cell(&status).contains("stopped"), "{status}");
    let (code, collected, _) = run(&["suite", "collect", "suite"], folder);
    assert!(code == Some(0) && collected.contains("left out: resnet8-synthetic-1"), "{collected}");

    let others = [(); 2].map(|()| {
        let mut command = valleys(&["suite", "run", "suite"], folder);
        command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().expect("starts")
    });
    for mut other in others {
        assert!(other.wait().expect("a child").success());
    }
    let (code, again, _) = run(&["suite", "run", "suite"], folder);
    assert_eq!((code, again.as_str()), (Some(0), "4 of 4 cells complete\n"));

    // The same cell by its own command alone.
    let own = commands.lines().find(|line| line.contains("resnet8-synthetic-1")).expect("its command");
    let own = own.replace("suite/cells", "alone");
    let (code, _, message) = run(&own.split(' ').skip(1).collect::<Vec<_>>(), folder);
    assert_eq!(code, Some(0), "{message}");
    for file in
        ["checkpoints/swa.safetensors", "checkpoints/sgd.safetensors", "metrics.jsonl", "records/solutions.json"]
    {
        let read = |root: &str| fs::read(folder.join(root).join("resnet8-synthetic-1").join(file)).expect("a file");
        assert!(read("suite/cells") == read("alone"), "{file}");
    }

    let (code, collected, message) = run(&["suite", "collect", "suite"], folder);
    assert_eq!(code, Some(0), "{message}");
    for words in ["SWA − SGD after SWA", "SWA − SGD", "test accuracy, points", "±", "p (sign flips)"] {
        assert!(collected.contains(words), "`{words}` is not in: {collected}");
    }
    // A wider plan keeps what is there; a narrower one, or one with other settings, is refused.
    let plan = |change: &dyn Fn(&mut Vec<&str>)| {
        let mut arguments = PLAN.to_vec();
        change(&mut arguments);
        run(&arguments, folder)
    };
    let (code, _, message) = plan(&|arguments| arguments[4] = "resnet8");
    assert!(code == Some(1) && message.contains("cell mlp-synthetic-1 has begun"), "{message}");
    let (code, _, message) = plan(&|arguments| arguments[16] = "phases.swa.epochs=16");
    assert!(code == Some(1) && message.contains("has begun with other settings"), "{message}");
    let (code, wider, _) = plan(&|arguments| arguments[8] = "3");
    assert!(code == Some(0) && wider.contains("6 cells"), "{wider}");
    assert!(run(&["suite", "status", "suite"], folder).1.contains("4 of 6 cells complete"));
    let table = fs::read_to_string(folder.join("suite/table1.csv")).expect("a table");
    assert_eq!(table.lines().count(), 1 + 2 * 3, "{table}");
    assert!(folder.join("suite/report.html").exists());
}

#[test]
fn a_suite_compares_landscapes_and_leads_to_a_page_for_every_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let mut arguments = PLAN.to_vec();
    (arguments[4], arguments[8], arguments[16]) = ("resnet8", "1", "phases.swa.epochs=14");
    arguments.extend(["--set", "landscape.spec.train_images=40", "--set", "landscape.spec.test_images=40"]);
    arguments.extend(["--set", "checkpoints.every=5", "--measure", "0"]);
    arguments.extend(["--set", "landscape.spec.statistics_images=40"]);
    assert_eq!(run(&arguments, folder).0, Some(0));
    let (code, said, message) = run(&["suite", "run", "suite", "--landscape", "quick"], folder);
    assert_eq!(code, Some(0), "{message}");
    for words in ["lines asymmetric", "neighbouring centres", "largest eigenvalues", "1 of 1 cells complete"] {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    let (code, _, message) = run(&["suite", "collect", "suite"], folder);
    assert_eq!(code, Some(0), "{message}");
    let suite = folder.join("suite");
    let report = fs::read_to_string(suite.join("report.html")).expect("a report");
    for page in ["cells/resnet8-synthetic-1/report.html", "landscape/resnet8-synthetic-1/report.html"] {
        assert!(suite.join(page).is_file() && report.contains(&format!("href=\"{page}\"")), "{page}");
    }
    let compared = fs::read_to_string(suite.join("comparison.csv")).expect("a table");
    let row = compared.lines().nth(1).expect("a run");
    assert!(row.contains("ResNet-8") && !row.split(',').any(str::is_empty), "every quantity is measured: {row}");
    let (code, said, _) = run(&["suite", "run", "suite", "--landscape", "quick"], folder);
    assert_eq!((code, said.as_str()), (Some(0), "1 of 1 cells complete\n"));
}

#[test]
fn a_suite_refuses_what_does_not_fit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let refuses =
        |arguments: &[&str], code: i32, words: &[&str]| common::refuses(arguments, folder.path(), code, words);
    refuses(&["suite", "run", "nowhere"], 1, &["nowhere", "suite.toml", "suite plan"]);
    refuses(&["suite", "plan", "s", "--networks", "resnet9"], 2, &["resnet9", "resnet8"]);
    refuses(&["suite", "plan", "s", "--networks", "mlp,mlp"], 2, &["mlp twice"]);
    refuses(&["suite", "plan", "s", "--seeds", "0"], 2, &["number of seeds is 0"]);
    refuses(&["suite", "plan", "s", "--method", "adam"], 2, &["adam", "table1"]);
    refuses(&["suite", "plan", "s", "--set", "momentum=2"], 2, &["momentum is 2"]);
    refuses(&["suite", "plan", "s", "--set", "network=mlp"], 2, &["network=mlp", "--network"]);
    refuses(&["suite", "plan", "s", "--set", "data.held_out=60000"], 2, &["data.held_out is 60000", "50000"]);
    refuses(&["suite", "plan", "s", "--data", "./nowhere"], 1, &["nowhere"]);
    assert!(!folder.path().join("s").exists(), "nothing is written for a wrong plan");
    let (code, _, message) = run(&PLAN, folder.path());
    assert_eq!(code, Some(0), "{message}");
    refuses(&["suite", "run", "suite", "mlp-cifar10-1"], 2, &["mlp-cifar10-1", "suite status"]);
    refuses(&["suite", "collect", "suite"], 1, &["no cell has come to its end"]);
}

#[test]
fn reproduce_goes_on_with_a_suite_as_it_is_asked_to() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    // The images are missing, so every cell fails before it begins, and the plan is all that is made.
    let reproduce = |options: &[&str]| {
        let paper = ["reproduce", "--profile", "paper", "--data", "cifar10", "--out", "suite"];
        run(&[&paper[..], options].concat(), folder)
    };
    let settings = |cell: &str| fs::read_to_string(folder.join(format!("suite/settings/{cell}.toml")));
    let (code, said, message) = reproduce(&["--networks", "mlp", "--seeds", "1"]);
    assert!(code == Some(1) && message.contains("valleys data fetch cifar10"), "{message}");
    assert!(said.contains("in all") && said.contains("1 cells"), "{said}");
    let usual = settings("mlp-cifar10-1").expect("settings");
    assert!(usual.contains("momentum = 0.9"), "{usual}");

    let wider = ["--networks", "mlp,resnet8", "--seeds", "2", "--set", "momentum=0.8"];
    let (code, _, message) = reproduce(&wider);
    assert!(code == Some(1) && message.contains("--resume goes on with it"), "{message}");
    let (code, said, _) = reproduce(&[&wider[..], &["--resume"]].concat());
    assert!(code == Some(1) && said.contains("4 cells") && !said.contains("in all"), "{said}");
    for cell in ["mlp-cifar10-1", "resnet8-cifar10-2"] {
        assert!(settings(cell).expect("settings").contains("momentum = 0.8"), "{cell}");
    }

    // What has begun keeps its settings, and is not left out.
    fs::create_dir_all(folder.join("suite/cells/mlp-cifar10-1")).expect("a folder");
    fs::write(folder.join("suite/cells/mlp-cifar10-1/config.toml"), "").expect("writable");
    let (code, _, message) = reproduce(&[&wider[..4], &["--set", "momentum=0.7", "--resume"]].concat());
    assert!(code == Some(1) && message.contains("mlp-cifar10-1 has begun with other settings"), "{message}");
    let (code, _, message) = reproduce(&["--networks", "resnet8", "--resume"]);
    assert!(code == Some(1) && message.contains("mlp-cifar10-1 has begun and is not in this plan"), "{message}");
    assert!(settings("mlp-cifar10-1").expect("settings").contains("momentum = 0.8"));
}

#[test]
fn two_processes_never_work_on_one_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Begun at the same moment, and over what a killed process left.
    for round in 0..5 {
        let out = format!("together-{round}");
        fs::create_dir(folder.path().join(&out)).expect("a folder");
        fs::write(folder.path().join(&out).join(".writing-x"), "").expect("a file");
        let train = ["train", "--network", "mlp", "--epochs", "3", "--after-swa", "1", "--resume", "--out", &out];
        let both = [(); 2].map(|()| valleys(&train, folder.path()).stderr(Stdio::piped()).spawn().expect("starts"));
        let ended = both.map(|child| child.wait_with_output().expect("a child"));
        for Output { status, stderr, .. } in &ended {
            let message = String::from_utf8_lossy(stderr);
            assert!(status.success() || message.contains("another process works on this run"), "{message}");
        }
        assert!(ended.iter().any(|output| output.status.success()));
        assert!(!folder.path().join(&out).join(".writing-x").exists());
    }
    let train = ["train", "--network", "resnet8", "--epochs", "200", "--out", "run", "--resume"];
    let mut first = valleys(&train, folder.path()).stderr(Stdio::null()).spawn().expect("starts");
    while !folder.path().join("run/checkpoints/swa").exists() {
        assert!(first.try_wait().expect("a child").is_none(), "the run was over");
        std::thread::sleep(Duration::from_millis(5));
    }
    for how in ["--resume", "--force"] {
        let arguments = [&train[..train.len() - 1], &[how]].concat();
        let (code, _, message) = run(&arguments, folder.path());
        assert_eq!(code, Some(1), "{message}");
        let holder = format!("process {}", first.id());
        assert!(message.contains("another process works on this run") && message.contains(&holder), "{message}");
    }
    first.kill().expect("SIGKILL");
    first.wait().expect("a child");
}
