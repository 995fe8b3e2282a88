//! The run folder: everything a run leaves behind, written atomically, resumable.
//!
//! ```text
//! config.toml            the fully resolved configuration
//! manifest.json          command, versions, seed, data, device, wall time
//! records/NAME.json      results; every picture and table is made from these alone
//! figures/NAME.csv|svg|png
//! metrics.jsonl|csv      one line an epoch
//! tensorboard/           the same as event files
//! points/NAME.jsonl      every point of a line, with the loss of every image; every row of a phase map
//! checkpoints/           networks
//! report.html
//! lock                   held by the process that works on the run
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use valleys_harness::files::{is_unfinished, sweep, write_atomically};
use valleys_sim::record::{Record, Sink};

use crate::cli::Output;
use crate::error::{Error, Result};
use crate::lock::{self, Lock};
use crate::manifest::Manifest;

/// What this program writes into a run folder; `--force` removes nothing else. What a run is known by goes last, so that
/// a removal cut short can be repeated.
const OWN_FILES: [&str; 5] = ["report.html", "metrics.jsonl", "metrics.csv", "config.toml", "manifest.json"];
const OWN_FOLDERS: [&str; 5] = ["records", "figures", "points", "checkpoints", "tensorboard"];

/// A folder that holds one run.
pub(crate) struct RunFolder {
    root: PathBuf,
    manifest: Manifest,
    /// Held as long as this process may write into the folder.
    _lock: Option<Lock>,
}

impl RunFolder {
    /// Makes the folder, or takes up the run in it, as the options say. The resolved configuration is the run's
    /// identity: a run can only be continued with the same one, but for the backend, if it `may_change`.
    pub(crate) fn open(
        output: &Output,
        default: &str,
        config: &impl Serialize,
        manifest: Manifest,
        may_change: bool,
    ) -> Result<Self> {
        let root = output.out.clone().unwrap_or_else(|| PathBuf::from(default));
        let config = toml::to_string(config).map_err(|error| Error::Failed(format!("config.toml: {error}")))?;
        let known = root.join("config.toml");
        if root.exists() && !is_empty_folder(&root)? && !known.exists() {
            let problem = match (output.resume, output.force) {
                (true, _) => "has no config.toml; --resume needs a run folder",
                (_, true) => "is not a run folder (config.toml and manifest.json of a run); it is left untouched",
                _ => "exists already and is no run folder; it is left untouched",
            };
            return Err(Error::file(&root, problem));
        }
        std::fs::create_dir_all(&root).map_err(|error| Error::file(&root, format!("cannot be made: {error}")))?;
        // From here on the folder is this process's alone.
        let lock = Lock::take(&root)?;
        sweep(&root)?;
        for folder in OWN_FOLDERS.map(|name| root.join(name)).iter().filter(|folder| folder.is_dir()) {
            sweep(folder)?;
        }
        if known.exists() {
            if output.resume {
                let before = std::fs::read_to_string(&known).map_err(|error| Error::file(&known, error))?;
                if let Some((old, new)) = first_difference(&before, &config, may_change) {
                    let hint = if is_backend(&new) { ", or --backend to go on with another" } else { "" };
                    let problem = format!("has `{old}`, this command asks for `{new}`; --resume needs the same{hint}");
                    return Err(Error::file(&known, problem));
                }
                let folder = Self { manifest: read_manifest(&root)?.continued(manifest), root, _lock: Some(lock) };
                folder.write_manifest()?;
                if before != config {
                    folder.write("config.toml", config.as_bytes())?;
                }
                return Ok(folder);
            }
            if !output.force {
                let problem = "exists already; --resume continues the run in it, --force overwrites it";
                return Err(Error::file(&root, problem));
            }
            if read_toml::<toml::Table>(&known).is_err() || read_manifest(&root).is_err() {
                let problem = "is not a run folder (config.toml and manifest.json of a run); it is left untouched";
                return Err(Error::file(&root, problem));
            }
            remove_own(&root)?;
        }
        let folder = Self { root, manifest, _lock: Some(lock) };
        // The manifest comes first: what has a config.toml can be continued.
        folder.write_manifest()?;
        folder.write("config.toml", config.as_bytes())?;
        Ok(folder)
    }

    /// Opens a finished or interrupted run to look at it.
    pub(crate) fn existing(root: &Path) -> Result<Self> {
        if !root.is_dir() {
            return Err(Error::file(root, "is not a folder; a run folder of `valleys reproduce` or `train` is needed"));
        }
        Ok(Self { root: root.to_path_buf(), manifest: read_manifest(root)?, _lock: None })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Changes the manifest and writes it.
    pub(crate) fn update_manifest(&mut self, change: impl FnOnce(&mut Manifest)) -> Result<()> {
        change(&mut self.manifest);
        self.write_manifest()
    }

    fn write_manifest(&self) -> Result<()> {
        self.write("manifest.json", &to_json(&self.manifest)?)
    }

    /// Writes a file of the run: whole or not at all.
    pub(crate) fn write(&self, name: &str, contents: &[u8]) -> Result<()> {
        Ok(write_atomically(&self.path(name), contents)?)
    }

    /// The record of that name, if the run has it already.
    pub(crate) fn record(&self, name: &str) -> Result<Option<Record>> {
        let path = self.path(&format!("records/{name}.json"));
        if path.is_file() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// All records, by name.
    pub(crate) fn records(&self) -> Result<BTreeMap<String, Record>> {
        let folder = self.path("records");
        let entries = std::fs::read_dir(&folder)
            .map_err(|error| Error::file(&folder, format!("{error}; a run folder holds its records there")))?;
        let mut records = BTreeMap::new();
        for entry in entries {
            let path = entry.map_err(|error| Error::file(&folder, error))?.path();
            if path.extension().is_some_and(|extension| extension == "json")
                && let Some(name) = path.file_stem().and_then(|stem| stem.to_str())
            {
                records.insert(name.to_string(), read_json(&path)?);
            }
        }
        Ok(records)
    }

    /// Draws a record into the run's folder of figures.
    pub(crate) fn draw(&self, name: &str, record: &Record) -> Result<()> {
        draw(&self.path("figures"), name, record)
    }
}

impl Sink for RunFolder {
    type Error = Error;

    /// Keeps the record and draws it.
    fn put(&mut self, name: &str, record: &Record) -> Result<()> {
        self.draw(name, record)?;
        self.write(&format!("records/{name}.json"), &to_json(record)?)
    }
}

/// Draws a record into a folder: a CSV for each of its tables, an SVG and a PNG for each of its pictures.
pub(crate) fn draw(folder: &Path, name: &str, record: &Record) -> Result<()> {
    for table in valleys_figures::tables(name, record)? {
        write_atomically(&folder.join(format!("{}.csv", table.name)), table.to_csv().as_bytes())?;
    }
    for picture in valleys_figures::render(name, record)? {
        write_atomically(&folder.join(format!("{}.svg", picture.name)), picture.svg.as_bytes())?;
        write_atomically(&folder.join(format!("{}.png", picture.name)), &picture.png()?)?;
    }
    Ok(())
}

pub(crate) fn to_json(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec(value).map_err(|error| Error::Failed(error.to_string()))?;
    text.push(b'\n');
    Ok(text)
}

pub(crate) fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T> {
    let text = std::fs::read(path).map_err(|error| Error::file(path, error))?;
    serde_json::from_slice(&text).map_err(|error| Error::file(path, format!("not what this program writes: {error}")))
}

pub(crate) fn read_toml<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::file(path, error))?;
    toml::from_str(&text).map_err(|error| Error::file(path, error.message()))
}

fn read_manifest(root: &Path) -> Result<Manifest> {
    read_json(&root.join("manifest.json"))
}

/// Whether a folder holds nothing, or nothing but what a start cut short left.
fn is_empty_folder(root: &Path) -> Result<bool> {
    for entry in std::fs::read_dir(root).map_err(|error| Error::file(root, error))? {
        let name = entry.map_err(|error| Error::file(root, error))?.file_name();
        if name != lock::NAME && name != "manifest.json" && !is_unfinished(&name) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn remove_own(root: &Path) -> Result<()> {
    let removed = OWN_FOLDERS
        .iter()
        .map(|name| (root.join(name), std::fs::remove_dir_all(root.join(name))))
        .chain(OWN_FILES.iter().map(|name| (root.join(name), std::fs::remove_file(root.join(name)))));
    for (path, result) in removed {
        match result {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::file(path, format!("cannot be removed: {error}")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a line of a configuration says who runs networks.
fn is_backend(line: &str) -> bool {
    line.starts_with("backend = ")
}

/// The first line in which two configurations differ; perhaps the backend is no difference.
fn first_difference(before: &str, after: &str, any_backend: bool) -> Option<(String, String)> {
    let counts = |line: &&str| !any_backend || !is_backend(line);
    let (mut old, mut new) = (before.lines().filter(counts), after.lines().filter(counts));
    loop {
        match (old.next(), new.next()) {
            (None, None) => return None,
            (a, b) if a == b => {}
            (a, b) => return Some((a.unwrap_or_default().to_string(), b.unwrap_or_default().to_string())),
        }
    }
}
