//! A run that is killed at any moment, or whose disk is full, loses nothing that was said to be done.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rand::RngExt;
use valleys_harness::checkpoint;
use valleys_sim::Seed;

/// Kills unless the environment variable `VALLEYS_KILLS` says another number.
const KILLS: u64 = 25;

/// Twelve epochs in three phases, of a small network on few images; a state is kept after every batch.
const TRAIN: [&str; 21] = [
    "train",
    "--network",
    "resnet8",
    "--method",
    "table1",
    "--epochs",
    "5",
    "--swa-start",
    "4",
    "--after-swa",
    "2",
    "--batch-size",
    "25",
    "--set",
    "data.train_images=100",
    "--set",
    "data.test_images=50",
    "--set",
    "checkpoints.minutes=1e-9",
    "--threads",
    "2",
];

fn train(out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_valleys"));
    command.args(TRAIN).arg("--resume").arg("--out").arg(out).stdout(Stdio::null());
    command
}

/// Every file below a folder whose contents do not depend on the time, by name.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let timed = ["tensorboard", "manifest.json", "report.html", "lock"];
            if timed.iter().any(|name| path.ends_with(name)) {
                continue;
            }
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    drop(found.insert(path.strip_prefix(root).expect("below").into(), fs::read(&path).expect("a file")))
                }
            }
        }
    }
    found
}

/// The epochs that a session said were done, in its order.
fn told(log: &Path) -> Vec<u64> {
    let text = fs::read_to_string(log).expect("a log");
    let number = |line: &str| line.split_once(": epoch ")?.1.split(':').next()?.parse().ok();
    // A line that was being written is no promise.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().filter_map(number).collect()
}

#[test]
fn a_run_killed_again_and_again_loses_no_epoch_and_ends_as_if_it_never_was() {
    let kills = std::env::var("VALLEYS_KILLS").ok().map_or(KILLS, |text| text.parse().expect("a number of kills"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let whole = folder.path().join("whole");
    let began = Instant::now();
    let log = folder.path().join("log");
    assert!(train(&whole).stderr(File::create(&log).expect("a log")).status().expect("starts").success());
    let (wanted, length) = (files(&whole), began.elapsed().min(Duration::from_secs(20)));
    assert_eq!(told(&log), (0..12).collect::<Vec<_>>());

    let mut rng = Seed(200).stream("moments of killing", 0);
    let (mut killed, mut states, mut runs) = (0, 0, 0);
    while killed < kills {
        let out = folder.path().join(format!("run-{runs}"));
        let mut last = None;
        loop {
            let mut child = train(&out).stderr(File::create(&log).expect("a log")).spawn().expect("starts");
            // Most sessions get through a few epochs.
            std::thread::sleep(length.mul_f64(0.25 * rng.random::<f64>()));
            let over = killed == kills || child.try_wait().expect("a child").is_some();
            if !over {
                child.kill().expect("SIGKILL");
                killed += 1;
            }
            let status = child.wait().expect("a child");
            for epoch in told(&log) {
                // An epoch trained again was lost. One left out was kept before it could be told of: the files below,
                // with a line of metrics for each, show that none is missing.
                assert!(last.is_none_or(|last| epoch > last), "epoch {epoch} after {last:?}: one is lost");
                last = Some(epoch);
            }
            let path = out.join("checkpoints");
            if path.exists() {
                for (name, _) in
                    files(&path).iter().filter(|(name, _)| name.extension() == Some("safetensors".as_ref()))
                {
                    assert!(checkpoint::verify(&path.join(name)).expect("a whole file"), "{name:?} has a checksum");
                    states += 1;
                }
            }
            if status.success() {
                break;
            }
            assert!(!over, "{}", fs::read_to_string(&log).expect("a log"));
        }
        assert_eq!(files(&out).keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
        assert!(files(&out) == wanted, "run {runs} differs");
        runs += 1;
    }
    #[expect(clippy::print_stdout, reason = "for those who ask how much was tried")]
    {
        println!("{killed} kills in {runs} runs, {states} checkpoints read: every one whole, no epoch lost");
    }
}

#[test]
fn a_full_disk_is_a_clear_error_and_the_last_good_state_stands() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (whole, full) = (folder.path().join("whole"), folder.path().join("full"));
    assert!(train(&whole).stderr(Stdio::null()).status().expect("starts").success());
    // A state of ResNet-8's 77,850 weights takes 8 bytes each, with its average 16: room for the first alone. The limit
    // counts blocks of 512 bytes, and a program that ignores the signal gets an error instead.
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 1800; trap '' XFSZ; exec \"$0\" \"$@\""]);
    limited.arg(env!("CARGO_BIN_EXE_valleys")).args(TRAIN).arg("--resume").arg("--out").arg(&full);
    let output = limited.output().expect("a shell");
    let message = String::from_utf8_lossy(&output.stderr);
    let last = message.lines().last().unwrap_or_default();
    assert_eq!(output.status.code(), Some(1), "{message}");
    for words in ["checkpoints/swa/", ".safetensors", "cannot be written", "untouched", "room on the disk"] {
        assert!(last.contains(words), "`{words}` is not in: {last}");
    }
    let kept = full.join("checkpoints/swa/epoch-00003.safetensors");
    assert!(checkpoint::verify(&kept).expect("the last good state"));
    assert!(train(&full).stderr(Stdio::null()).status().expect("starts").success());
    assert!(files(&whole) == files(&full), "with room again, the run ends as it would have");
}
