//! `valleys checkpoint`, as a user meets it. What PyTorch itself says is in `harness/tests/pytorch/interchange.py`.

mod common;

use std::fs;
use std::path::Path;

use common::{refuses, run};
use valleys_harness::checkpoint;
use valleys_harness::model::Architecture;
use valleys_harness::params::Weights;
use valleys_sim::Seed;

/// What a command that must succeed prints, and what it notes.
fn done(arguments: &[&str], home: &Path) -> (String, String) {
    let (code, said, noted) = run(arguments, home);
    assert_eq!(code, Some(0), "{arguments:?}: {noted}");
    (said, noted)
}

/// A network of these classes in a file of that name.
fn network(path: &Path, architecture: Architecture, classes: usize) -> Weights<f32> {
    let weights = Weights::initialise(&architecture.graph(classes).expect("a network"), Seed(3));
    checkpoint::save(path, &weights).expect("writable");
    weights
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/harness/tests/fixtures/checkpoints/");
    fs::read(format!("{folder}{name}")).expect("a fixture")
}

#[test]
fn a_network_goes_to_pytorch_and_back_unchanged() {
    let home = tempfile::tempdir().expect("temporary folder");
    let at = |name: &str| home.path().join(name);
    network(&at("a.safetensors"), Architecture::ResNet8, 10);
    let (said, noted) = done(&["checkpoint", "export", "a.safetensors", "--out", "b.pt"], home.path());
    assert_eq!(said, "b.pt: resnet8 for 10 classes\n");
    assert!(
        noted.contains("a.safetensors: taken for resnet8; resnet8-sigmoid and resnet8-softplus have the same"),
        "{noted}"
    );
    let named = ["checkpoint", "import", "b.pt", "--out", "c.safetensors", "--network", "resnet8"];
    assert_eq!(done(&named, home.path()).1, "", "nothing is left to be said");
    done(&["checkpoint", "import", "b.pt", "--out", "made/folder"], home.path());
    let bytes = |name: &str| fs::read(at(name)).expect("file");
    assert!(bytes("a.safetensors") == bytes("c.safetensors"));
    assert!(bytes("a.safetensors") == bytes("made/folder/b.safetensors"));
    refuses(&["checkpoint", "export", "a.safetensors", "--out", "b.pt"], home.path(), 1, &["b.pt", "--force"]);
    done(&["checkpoint", "export", "a.safetensors", "--out", "b.pt", "--force"], home.path());
}

#[test]
fn info_says_what_a_file_holds() {
    let home = tempfile::tempdir().expect("temporary folder");
    network(&home.path().join("a.safetensors"), Architecture::ResNet8, 10);
    done(&["checkpoint", "export", "a.safetensors", "--out", "a.pt"], home.path());
    for file in ["a.safetensors", "a.pt"] {
        let (said, _) = done(&["checkpoint", "info", file], home.path());
        for words in [
            "network     resnet8: ResNet-8 for 10 classes",
            "parameters  77850",
            "batch norm  7 layers, 240 channels; batches tracked: 0",
            "SHA-256     ",
            "layer1       12     4738  float32, int64\n",
        ] {
            assert!(said.contains(words), "{file}: `{words}` is not in: {said}");
        }
        let (said, _) = done(&["checkpoint", "info", file, "--tensors"], home.path());
        let begin: Vec<_> = said.lines().skip_while(|line| !line.starts_with("tensor")).take(4).collect();
        assert!(begin[1].starts_with("conv1.weight ") && begin[1].contains("[16, 3, 3, 3]"), "{said}");
        assert!(begin[3].starts_with("layer1.0.bn1.bias "), "PyTorch's order: {said}");
    }
    fs::write(home.path().join("official.pt"), fixture("official-legacy.pt")).expect("file");
    let (said, _) = done(&["checkpoint", "info", "official.pt"], home.path());
    for words in [
        "official.pt: PyTorch, legacy format",
        "epoch      225",
        "optimizer  an optimiser: lr 0.05, momentum 0.9",
        "\nswa_state_dict\nnetwork  no known network; the nearest, ",
        "\nfc            2        6  float32\n",
    ] {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    let (said, _) = done(&["checkpoint", "info", "official.pt", "--which", "state_dict"], home.path());
    assert!(!said.contains("\nswa_state_dict"), "{said}");
}

#[test]
fn evaluate_answers_in_words_and_with_all_digits() {
    let home = tempfile::tempdir().expect("temporary folder");
    network(&home.path().join("a.safetensors"), Architecture::Mlp, 10);
    let evaluate = ["checkpoint", "evaluate", "a.safetensors"];
    let (said, _) = done(&[&evaluate[..], &["--data", "synthetic", "--json", "--seed", "2"]].concat(), home.path());
    let answer: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(
        (&answer["network"], &answer["classes"], &answer["data"]),
        (&"mlp".into(), &10.into(), &"synthetic".into())
    );
    assert_eq!((&answer["train"]["images"], &answer["test"]["images"]), (&1000.into(), &1000.into()));
    // The loss of a network that knows nothing.
    let loss = answer["test"]["loss"].as_f64().expect("a number");
    assert!((loss - 10_f64.ln()).abs() < 0.3, "{loss}");
    let (table, _) = done(&[&evaluate[..], &["--seed", "2"]].concat(), home.path());
    assert!(table.starts_with("MLP on synthetic images\n") && table.contains("test     1000"), "{table}");
    network(&home.path().join("b.safetensors"), Architecture::Mlp, 7);
    refuses(&["checkpoint", "evaluate", "b.safetensors"], home.path(), 1, &["b.safetensors", "7 classes", "has 10"]);
}

#[test]
fn the_solutions_of_a_run_are_taken_by_name() {
    let home = tempfile::tempdir().expect("temporary folder");
    let train = ["train", "--network", "mlp", "--epochs", "2", "--swa-start", "1", "--after-swa", "1", "--out", "run"];
    let (said, _) = done(&[&train[..], &["--seed", "3"]].concat(), home.path());
    refuses(
        &["checkpoint", "export", "run", "--out", "a.pt"],
        home.path(),
        1,
        &["holds 2 solutions", "--which sgd-after-swa or swa"],
    );
    refuses(&["checkpoint", "info", "run", "--which", "best"], home.path(), 1, &["no solution best", "or swa"]);
    done(&["checkpoint", "export", "run", "--which", "swa", "--out", "a.pt"], home.path());
    done(&["checkpoint", "import", "a.pt", "--out", "b.safetensors"], home.path());
    let graph = Architecture::Mlp.graph(10).expect("a network");
    let load = |name: &str| checkpoint::load(&home.path().join(name), graph.layout()).expect("a network");
    assert!(load("b.safetensors") == load("run/checkpoints/swa.safetensors"));
    // The losses that training printed, on the images of the run.
    let (table, _) = done(&["checkpoint", "evaluate", "run", "--which", "swa"], home.path());
    // The name of a solution has spaces.
    let row =
        said.lines().find(|line| line.contains("MLP SWA")).and_then(|line| line.split_once(')')).expect("a row").1;
    let losses: Vec<&str> = row.split_whitespace().collect();
    for (split, loss) in [("train", losses[0]), ("test", losses[3])] {
        let line = table.lines().find(|line| line.starts_with(split)).expect("a row");
        assert_eq!(line.split_whitespace().nth(2), Some(loss), "{table}\n{said}");
    }
    // What training continues from holds more than a network, and is shown for what it is.
    let states = fs::read_dir(home.path().join("run/checkpoints/swa")).expect("states");
    let states: Vec<_> = states.map(|entry| entry.expect("an entry").path()).collect();
    assert!(!states.is_empty());
    for path in states {
        let (said, _) = done(&["checkpoint", "info", path.to_str().expect("UTF-8")], home.path());
        for words in
            ["\naveraged ", "mlp: MLP for 10 classes", "\napart       velocity, float32 [201482], is of no layer"]
        {
            assert!(said.contains(words), "`{words}` is not in: {said}");
        }
    }
    // The seed is the run's, whatever --data says.
    let evaluate = ["checkpoint", "evaluate", "run", "--which", "swa"];
    let drawn = [&evaluate[..], &["--data", "synthetic", "--json"]].concat();
    let with = |options: &[&str]| done(&[&drawn[..], options].concat(), home.path()).0;
    assert!(with(&[]) == with(&["--seed", "3"]) && with(&[]) != with(&["--seed", "1"]));
    // Another seed makes no other images out of those that were in a folder.
    let config = home.path().join("run/config.toml");
    let text = fs::read_to_string(&config).expect("a configuration");
    assert!(text.contains("name = \"synthetic\""), "{text}");
    fs::write(&config, text.replace("name = \"synthetic\"", "name = \"cifar10\"")).expect("writable");
    for seed in [vec![], vec!["--seed", "2"]] {
        refuses(&[&evaluate[..], &seed[..]].concat(), home.path(), 1, &["was trained on cifar10", "--data says where"]);
    }
    // A dot in a folder's name begins no extension.
    fs::rename(home.path().join("run"), home.path().join("run.5")).expect("the same place");
    done(&["checkpoint", "import", "run.5", "--which", "swa", "--out", "."], home.path());
    assert!(load("run.5-swa.safetensors") == load("b.safetensors"));
}

#[test]
fn wrong_command_lines_and_files_are_one_clear_line() {
    let home = tempfile::tempdir().expect("temporary folder");
    network(&home.path().join("a.safetensors"), Architecture::Mlp, 10);
    fs::write(home.path().join("b.pt"), fixture("official.pt")).expect("file");
    fs::write(home.path().join("c.pt"), b"\x80\x02cos\nsystem\nU\x04true\x85R.").expect("file");
    let checkpoint = |arguments: &[&str], code, words: &[&str]| {
        refuses(&[&["checkpoint"], arguments].concat(), home.path(), code, words);
    };
    checkpoint(&["info", "absent.pt"], 1, &["absent.pt"]);
    checkpoint(&["info", "a.safetensors", "--network", "resnet21"], 2, &["resnet21", "resnet20"]);
    checkpoint(&["info", "a.safetensors", "--which", "swa"], 1, &["no state dict swa"]);
    checkpoint(&["info", "."], 1, &["manifest.json"]);
    checkpoint(&["info", "c.pt"], 1, &["c.pt", "asks for os.system, which is not executed"]);
    checkpoint(&["import", "b.pt", "--out", "x"], 1, &["b.pt", "state_dict or swa_state_dict"]);
    checkpoint(&["import", "b.pt", "--which", "state_dict", "--out", "x"], 1, &["b.pt: no known network; the nearest"]);
    checkpoint(&["import", "b.pt", "--out", "x.pt"], 2, &["--out is x.pt", ".safetensors"]);
    checkpoint(&["export", "a.safetensors", "--out", "x.onnx"], 2, &["--out is x.onnx", ".pt, .pth or .safetensors"]);
    checkpoint(&["export", "a.safetensors", "--out", "b.pt/x.pt"], 1, &["b.pt/x.pt", "cannot be written"]);
    checkpoint(
        &["export", "a.safetensors", "--network", "resnet8", "--out", "x.pt"],
        1,
        &["the network asked for, resnet8"],
    );
    checkpoint(&["evaluate", "a.safetensors", "--data", "cifar10"], 1, &["valleys data fetch cifar10"]);
    assert!(!home.path().join("x").exists(), "nothing is left behind");
}

/// Changed files, read by a process that has 200 MB: one that asks for more is ended by a signal.
#[cfg(target_os = "linux")]
#[test]
fn no_change_of_a_byte_asks_for_much_memory() {
    let home = tempfile::tempdir().expect("temporary folder");
    let mut codes = [0; 2];
    for name in ["tensors.pt", "tensors-legacy.pt", "official.pt", "official-legacy.pt"] {
        let whole = fixture(name);
        let mut script = String::from("ulimit -v 200000\n");
        for case in 0..100 {
            let mut bytes = whole.clone();
            bytes[case * whole.len() / 100] ^= [1, 0x80, 0xff][case % 3];
            fs::write(home.path().join(format!("{case}.pt")), bytes).expect("file");
            script += &format!("\"$0\" checkpoint info {case}.pt >/dev/null 2>&1; echo $?\n");
        }
        let mut shell = std::process::Command::new("sh");
        let output = shell.args(["-c", &script, env!("CARGO_BIN_EXE_valleys")]).current_dir(home.path()).output();
        let said = String::from_utf8(output.expect("a shell").stdout).expect("numbers");
        assert_eq!(said.lines().count(), 100);
        for code in said.lines() {
            match code {
                "0" => codes[0] += 1,
                "1" => codes[1] += 1,
                other => panic!("{name}: exit code {other}"),
            }
        }
    }
    assert!(codes.iter().all(|&count| count > 20), "some are read, some are refused: {codes:?}");
}
