//! A run in progress: steps that are done once, kept, and skipped when the run is continued.

use std::time::Instant;

use serde::Serialize;
use valleys_figures::report::{Entry, Report};
use valleys_harness::exec::BackendKind;
use valleys_sim::Seed;
use valleys_sim::progress::Observer;
use valleys_sim::record::{Record, Sink};

use crate::cli::Output;
use crate::cli::runner::Runner;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::output;
use crate::progress::{Terminal, catch_interrupts, interrupted};
use crate::run_folder::RunFolder;

/// A run folder, its observer and its clock.
pub(crate) struct Session {
    pub(crate) folder: RunFolder,
    pub(crate) observer: Terminal,
    began: Instant,
    before: f64,
}

/// Who computes in a session that runs networks.
pub(crate) struct Computing {
    /// Backend, precision and device, in words.
    description: String,
    /// Whether a run may go on with another backend than it began with: where one was asked for.
    chosen: bool,
}

impl Computing {
    /// This backend, which options may have asked for; fails if it has no device.
    pub(crate) fn new(backend: BackendKind, runner: &Runner) -> Result<Self> {
        Ok(Self { description: backend.describe()?, chosen: runner.is_given() })
    }
}

impl Session {
    /// Opens the run folder as the options say. The configuration is the run's identity.
    pub(crate) fn open(options: &Output, default: &str, config: &impl Serialize, seed: Seed) -> Result<Self> {
        Self::of(RunFolder::open(options, default, config, Manifest::new(seed.0), false)?)
    }

    /// The same for a session that runs networks: the manifest says on what. Another backend may go on with the run, if
    /// it was asked for.
    pub(crate) fn computing(
        options: &Output,
        default: &str,
        config: &impl Serialize,
        seed: Seed,
        computing: Computing,
    ) -> Result<Self> {
        let mut folder = RunFolder::open(options, default, config, Manifest::new(seed.0), computing.chosen)?;
        folder.update_manifest(|manifest| manifest.computed_by(computing.description))?;
        Self::of(folder)
    }

    fn of(folder: RunFolder) -> Result<Self> {
        catch_interrupts()?;
        let before = folder.manifest().wall_seconds;
        Ok(Self { folder, observer: Terminal::new(), began: Instant::now(), before })
    }

    /// The record of that name: from the run, or from the work, which is then kept with the command that repeats it.
    pub(crate) fn step(
        &mut self,
        name: &str,
        command: &str,
        work: impl FnOnce(&RunFolder, &dyn Observer) -> Result<Record>,
    ) -> Result<Record> {
        if interrupted() {
            return Err(Error::Interrupted);
        }
        if let Some(record) = self.folder.record(name)? {
            return Ok(record);
        }
        let record = work(&self.folder, &self.observer)?;
        self.folder.put(name, &record)?;
        let wall = self.wall_seconds();
        self.folder.update_manifest(|manifest| {
            manifest.commands.insert(name.to_string(), command.to_string());
            manifest.wall_seconds = wall;
        })?;
        Ok(record)
    }

    fn wall_seconds(&self) -> f64 {
        self.before + self.began.elapsed().as_secs_f64()
    }

    /// Marks the run as complete, writes the report and says where it is.
    pub(crate) fn finish(mut self) -> Result<()> {
        let wall = self.wall_seconds();
        self.folder.update_manifest(|manifest| manifest.wall_seconds = wall)?;
        write_report(&self.folder)?;
        self.folder.update_manifest(|manifest| manifest.complete = true)?;
        output::line(format!("report: {}", self.folder.path("report.html").display()))
    }
}

/// Writes `report.html` from the records of a run.
pub(crate) fn write_report(folder: &RunFolder) -> Result<()> {
    let manifest = folder.manifest();
    let command = |name: &str| manifest.commands.get(name).unwrap_or(&manifest.command).clone();
    let entries = folder.records()?.into_iter().map(|(name, record)| Entry { command: command(&name), name, record });
    let report = Report {
        title: "Asymmetric valleys".to_string(),
        manifest: manifest.rows(),
        entries: entries.collect(),
        index: Vec::new(),
    };
    folder.write("report.html", report.html()?.as_bytes())
}

/// The error for a record that is not what its name says.
pub(crate) fn wrong_kind(name: &str) -> Error {
    Error::Failed(format!("records/{name}.json holds another kind of record than its name says"))
}
