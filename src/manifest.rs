//! What a run was: enough to repeat it and to tell it from another.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use valleys_harness::checksum::hexadecimal;

use crate::shell::quoted;

/// The manifest of a run folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The command line that began the run.
    pub(crate) command: String,
    /// Version of the program.
    pub(crate) version: String,
    /// Git revision it was built from, or `unknown`.
    pub(crate) revision: String,
    /// SHA-256 of the lock file it was built with.
    pub(crate) lock_file: String,
    /// The root seed.
    pub(crate) seed: u64,
    /// Data sets used, with the SHA-256 of their contents.
    pub(crate) data: BTreeMap<String, String>,
    /// Processor, instruction set and operating system.
    pub(crate) device: String,
    /// Backends that networks ran on, with their precision and, of a GPU, its name, in the order of their turns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) backends: Vec<String>,
    /// Threads used last.
    pub(crate) threads: usize,
    /// Version and revision of every other build that continued the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) continued_by: Vec<String>,
    /// When the run began, in seconds since 1970 (UTC).
    pub(crate) began: u64,
    /// Seconds of work, over all commands that continued the run.
    pub(crate) wall_seconds: f64,
    /// Whether the run came to its end.
    pub(crate) complete: bool,
    /// The command that makes each record.
    pub(crate) commands: BTreeMap<String, String>,
}

impl Manifest {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            command: command_line(std::env::args().skip(1)),
            version: env!("CARGO_PKG_VERSION").to_string(),
            revision: env!("VALLEYS_REVISION").to_string(),
            lock_file: hexadecimal(&Sha256::digest(include_bytes!("../Cargo.lock"))),
            seed,
            data: BTreeMap::new(),
            device: device(),
            backends: Vec::new(),
            threads: rayon::current_num_threads(),
            continued_by: Vec::new(),
            began: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
            wall_seconds: 0.0,
            complete: false,
            commands: BTreeMap::new(),
        }
    }

    /// The manifest of a run that this build goes on with.
    pub(crate) fn continued(mut self, now: Self) -> Self {
        let build = format!("{} (revision {})", now.version, now.revision);
        if (&self.version, &self.revision) != (&now.version, &now.revision) && !self.continued_by.contains(&build) {
            self.continued_by.push(build);
        }
        Self { threads: now.threads, device: now.device, complete: false, ..self }
    }

    /// Notes that it is this backend's turn.
    pub(crate) fn computed_by(&mut self, description: String) {
        if self.backends.last() != Some(&description) {
            self.backends.push(description);
        }
    }

    /// The manifest in rows for a person.
    pub(crate) fn rows(&self) -> Vec<(String, String)> {
        let mut rows = vec![
            ("Command".to_string(), self.command.clone()),
            ("Version".to_string(), format!("{} (revision {})", self.version, self.revision)),
            ("Lock file (SHA-256)".to_string(), self.lock_file.clone()),
            ("Seed".to_string(), self.seed.to_string()),
            ("Device".to_string(), self.device.clone()),
            ("Threads".to_string(), self.threads.to_string()),
            ("Wall time".to_string(), format!("{:.0} s", self.wall_seconds)),
        ];
        rows.extend(self.backends.iter().map(|backend| ("Backend".to_string(), backend.clone())));
        rows.extend(self.continued_by.iter().map(|build| ("Continued by".to_string(), build.clone())));
        rows.extend(self.data.iter().map(|(name, checksum)| (format!("Data: {name} (SHA-256)"), checksum.clone())));
        rows
    }
}

/// A command that anyone can repeat: the folders of this machine are left out or named DIR.
fn command_line(mut arguments: impl Iterator<Item = String>) -> String {
    let mut line = "valleys".to_string();
    while let Some(argument) = arguments.next() {
        let (name, inline) = argument.split_once('=').map_or((argument.as_str(), None), |(a, b)| (a, Some(b)));
        match name {
            "--out" | "--data" => {
                if inline.is_none() {
                    arguments.next();
                }
                line += if name == "--data" { " --data DIR" } else { "" };
            }
            "--resume" | "--force" => {}
            _ => line += &format!(" {}", quoted(&argument)),
        }
    }
    line
}

/// The processor's name and the instruction set that the kernels dispatch on.
fn device() -> String {
    let processor = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split(':').nth(1)?.trim().to_string())
    });
    format!("{}, {}, {}", processor.as_deref().unwrap_or("unknown processor"), instruction_set(), std::env::consts::OS)
}

#[cfg(target_arch = "x86_64")]
fn instruction_set() -> &'static str {
    if std::is_x86_feature_detected!("avx512f") {
        "x86-64 with AVX-512"
    } else if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
        "x86-64 with AVX2 and FMA"
    } else {
        "x86-64"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn instruction_set() -> &'static str {
    std::env::consts::ARCH
}

#[cfg(test)]
mod tests {
    use super::command_line;

    #[test]
    fn a_command_is_kept_without_the_folders_of_this_machine() {
        let kept = |text: &str| command_line(text.split(' ').map(str::to_string));
        assert_eq!(
            kept("train --data /home/me/cifar --epochs 3 --out a/b --force"),
            "valleys train --data DIR --epochs 3"
        );
        assert_eq!(kept("train --data=x --out=y --resume --threads=2"), "valleys train --data DIR --threads=2");
        let set = ["reproduce", "--set", "momentum=0.8", "--set", "norm_weights = \"uniform\""];
        assert_eq!(
            command_line(set.map(str::to_string).into_iter()),
            "valleys reproduce --set momentum=0.8 --set 'norm_weights = \"uniform\"'"
        );
    }
}
