//! `valleys suite`: many training runs in one folder.
//!
//! ```text
//! suite.toml            networks, data sets, seeds, preset, changes
//! settings/CELL.toml    the settings of a cell, for `valleys train --config`
//! commands.txt          one command a cell
//! cells/CELL/           its run folder
//! landscape/CELL/       everything around its solutions, if asked for
//! table1.json, comparison.json, *.csv, *.svg, *.png, report.html
//! ```

mod collect;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use valleys_harness::data::{DataKind, synthetic};
use valleys_harness::files::write_atomically;
use valleys_harness::model::Architecture;
use valleys_harness::preset::{Preset, Size};
use valleys_harness::suite::{Cell, Cost, Grid, Rates};
use valleys_harness::train::Method;
use valleys_sim::Seed;
use valleys_sim::record::Epoch;

use super::data::{self, Source};
use super::{landscape, train};
use crate::cli::{self, DATA_FOLDER, Folder, Output, Plan, Run};
use crate::config::usage;
use crate::error::{Error, Result};
use crate::lock::Lock;
use crate::output::{line, note, table};
use crate::progress::{catch_interrupts, duration, interrupted};
use crate::run_folder::{RunFolder, read_toml};
use crate::settings::{self, Settings};
use crate::shell::quoted;

pub(crate) use collect::collect;

/// A suite as its folder says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    preset: cli::Preset,
    method: Method,
    /// Settings of all cells that differ from the preset's, as `KEY=VALUE`.
    set: Vec<String>,
    grid: Grid,
}

impl Suite {
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("suite.toml");
        if !path.is_file() {
            return Err(Error::file(folder, "has no suite.toml; `valleys suite plan DIR` makes one"));
        }
        read_toml(&path)
    }

    fn cells(&self) -> Result<Vec<Cell>> {
        self.grid.cells().map_err(usage)
    }

    fn settings(&self, cell: &Cell) -> Result<Settings> {
        let preset = Preset::new(Size::from(self.preset), cell.network, self.method, Seed(cell.seed));
        let mut settings = settings::preset(preset, &self.set)?;
        settings.data.name = Some(cell.data.clone());
        Ok(settings)
    }
}

/// The run folder of a cell.
fn place(folder: &Path, cell: &Cell) -> PathBuf {
    folder.join("cells").join(cell.name())
}

/// The folder of a cell's landscape.
fn landscape_place(folder: &Path, cell: &Cell) -> PathBuf {
    folder.join("landscape").join(cell.name())
}

fn settings_file(folder: &Path, cell: &Cell) -> PathBuf {
    folder.join("settings").join(format!("{}.toml", cell.name()))
}

pub(crate) fn plan(options: &Plan) -> Result<()> {
    let folder = &options.folder;
    let networks: Result<Vec<_>> =
        options.networks.iter().map(|name| Architecture::parse(name).map_err(usage)).collect();
    let grid = Grid { networks: networks?, data: options.data.clone(), seeds: (1..=options.seeds).collect() };
    let method = Method::parse(&options.method).map_err(usage)?;
    let suite = Suite { preset: options.preset, method, set: options.set.clone(), grid };
    let cells = suite.cells()?;
    if folder.join("suite.toml").is_file() {
        let before = Suite::read(folder)?;
        let begun = |cell: &Cell| place(folder, cell).join("config.toml").exists();
        if let Some(lost) = before.cells()?.iter().find(|cell| begun(cell) && !cells.contains(cell)) {
            let problem =
                format!("cell {} has begun and is not in this plan; allowed: as many cells or more", lost.name());
            return Err(Error::file(folder, problem));
        }
    }
    let mut files = Vec::new();
    for cell in &cells {
        let settings = suite.settings(cell)?;
        settings.training.clone().check().map_err(usage)?;
        let text = settings::to_file(&settings, suite.preset, Seed(cell.seed))?;
        let path = settings_file(folder, cell);
        let begun = place(folder, cell).join("config.toml").exists();
        if begun && std::fs::read_to_string(&path).is_ok_and(|before| before != text) {
            let problem =
                format!("cell {} has begun with other settings; allowed: the same, or another folder", cell.name());
            return Err(Error::file(&path, problem));
        }
        files.push((path, text));
    }
    costs(&suite, options.measure.into())?;
    let toml = toml::to_string(&suite).map_err(|error| Error::Failed(format!("suite.toml: {error}")))?;
    files.iter().try_for_each(|(path, text)| write_atomically(path, text.as_bytes()))?;
    write_atomically(&folder.join("suite.toml"), toml.as_bytes())?;
    let commands: String = cells.iter().map(|cell| command(folder, cell) + "\n").collect();
    write_atomically(&folder.join("commands.txt"), commands.as_bytes())?;
    let count = cells.len();
    line(format!("{count} cells; {} has one command a cell", folder.join("commands.txt").display()))?;
    line(format!("to train them one after the other: valleys suite run {}", folder.display()))
}

/// The command that makes a cell, and goes on with it.
fn command(folder: &Path, cell: &Cell) -> String {
    let quoted = |path: PathBuf| quoted(&path.display().to_string());
    let (settings, out) = (quoted(settings_file(folder, cell)), quoted(place(folder, cell)));
    format!("valleys train --config {settings} --out {out} --resume")
}

/// Prints what the suite costs on this machine: measured rates times counted passes.
fn costs(suite: &Suite, images: usize) -> Result<()> {
    let seeds = suite.grid.seeds.len();
    let (mut rows, mut seconds, mut bytes) = (Vec::new(), 0.0, 0);
    for &network in &suite.grid.networks {
        let cell = Cell { network, data: suite.grid.data[0].clone(), seed: suite.grid.seeds[0] };
        let backend = suite.settings(&cell)?.training.backend;
        let rates = if images == 0 { None } else { Some(Rates::measure(network, backend, images)?) };
        for data in &suite.grid.data {
            let cell = Cell { network, data: data.clone(), seed: suite.grid.seeds[0] };
            let settings = suite.settings(&cell)?;
            let (train, test, classes) = counts(data, &settings)?;
            let parameters = network.graph(classes)?.layout().trainable();
            let recipe = settings.training.clone().check().map_err(usage)?;
            let Some(rates) = rates else { continue };
            let held_out = settings.data.held_out;
            let cost = Cost::of(&recipe, parameters, [train, held_out, test], rates);
            seconds += cost.seconds * seeds as f64;
            bytes += cost.bytes * seeds as u64;
            rows.push(vec![
                network.title(),
                data.clone(),
                seeds.to_string(),
                cost.epochs.to_string(),
                format!("{:.0} / {:.0}", rates.training, rates.evaluation),
                duration(Duration::from_secs_f64(cost.seconds)),
                format!("{:.2} GB", cost.bytes as f64 / 1e9),
            ]);
        }
    }
    if images == 0 {
        return Ok(());
    }
    table(&["network", "data", "cells", "epochs", "images/s train / eval", "time a cell", "disk a cell"], &rows)?;
    let threads = rayon::current_num_threads();
    line(format!(
        "in all {} on this machine with {threads} threads, and {:.1} GB; rates from steps of {images} images here and now",
        duration(Duration::from_secs_f64(seconds)),
        bytes as f64 / 1e9
    ))
}

/// Training images, test images and classes of a data set: counted where it is there, else the official ones.
fn counts(data: &str, settings: &Settings) -> Result<(usize, usize, usize)> {
    let wanted = &settings.data;
    let cut = |wanted: Option<usize>, there: usize| wanted.map_or(there, |wanted| wanted.min(there));
    let kind = DataKind::parse(data.split_once('=').map_or(data, |(name, _)| name)).ok();
    let official = kind.and_then(|kind| {
        let (train, test) = kind.official_counts()?;
        Some((train, test, if kind == DataKind::Cifar100 { 100 } else { 10 }))
    });
    let (train, test, classes) = match (official, kind) {
        (Some(official), _) => official,
        (None, Some(DataKind::Synthetic)) => (data::DRAWN, data::DRAWN, 10),
        (None, _) => match data::source(Path::new(data), Path::new(DATA_FOLDER))? {
            Source::Drawn => (data::DRAWN, data::DRAWN, 10),
            Source::Stored { place, kind } => {
                let whole = data::open(&place, kind, settings.training.seed)?.dataset;
                (whole.train().len(), whole.test().len(), whole.classes())
            }
        },
    };
    let (train, test) = match kind {
        // Embedded images are drawn, as many as are wanted.
        Some(DataKind::Synthetic) => (wanted.train_images.unwrap_or(train), wanted.test_images.unwrap_or(test)),
        _ => (cut(wanted.train_images, train), cut(wanted.test_images, test)),
    };
    if wanted.held_out >= train {
        let problem = format!("data.held_out is {}; allowed: fewer than the {train} training images", wanted.held_out);
        return Err(Error::Usage(problem));
    }
    Ok((train - wanted.held_out, test, classes))
}

pub(crate) fn run(options: &Run) -> Result<()> {
    let folder = &options.folder;
    let suite = Suite::read(folder)?;
    let mut cells = suite.cells()?;
    if let Some(unknown) = options.cells.iter().find(|name| !cells.iter().any(|cell| cell.name() == **name)) {
        let problem = format!("cell {unknown} is none of this suite; `valleys suite status` lists them");
        return Err(Error::Usage(problem));
    }
    cells.retain(|cell| options.cells.is_empty() || options.cells.contains(&cell.name()));
    catch_interrupts()?;
    let (total, mut failures) = (cells.len(), Vec::new());
    // Again until a round trains nothing: another process may have stopped and left a cell.
    loop {
        let (mut trained, mut elsewhere) = (false, Vec::new());
        for (number, cell) in cells.iter().enumerate() {
            let (name, out) = (cell.name(), place(folder, cell));
            let measured = options.landscape.is_none() || is_complete(&landscape_place(folder, cell));
            if (is_complete(&out) && measured) || failures.iter().any(|(failed, _)| *failed == name) {
                continue;
            }
            if interrupted() {
                return Err(Error::Interrupted);
            }
            note(format_args!("cell {} of {total}: {name}", number + 1));
            match work(folder, cell, options) {
                Ok(()) => trained = true,
                Err(Error::Busy { holder, .. }) => elsewhere.push(format!("{name} ({holder})")),
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                // One cell that fails must not keep the others from being trained.
                Err(error) => {
                    note(format_args!("cell {name}: {error}"));
                    failures.push((name, error));
                }
            }
        }
        if !trained {
            let complete = cells.iter().filter(|cell| is_complete(&place(folder, cell))).count();
            line(format!("{complete} of {total} cells complete"))?;
            elsewhere.iter().try_for_each(|cell| line(format!("trained elsewhere: {cell}")))?;
            break;
        }
    }
    match failures.into_iter().next() {
        None => Ok(()),
        Some((name, error)) => Err(Error::Failed(format!("cell {name}: {error}"))),
    }
}

/// Trains a cell, if it is not trained, and measures its landscape, if that is asked for.
fn work(folder: &Path, cell: &Cell, options: &Run) -> Result<()> {
    let run = place(folder, cell);
    let into = |out: PathBuf| Output { out: Some(out), resume: true, force: false };
    if !is_complete(&run) {
        let config = Some(settings_file(folder, cell));
        let (output, runner) = (into(run.clone()), options.runner.clone());
        train::run(&cli::Train { config, output, runner, ..cli::Train::default() })?;
    }
    let Some(counts) = options.landscape else { return Ok(()) };
    let data = Some(PathBuf::from(&cell.data)).filter(|_| cell.data != synthetic::NAME);
    let output = into(landscape_place(folder, cell));
    let (runner, flight) = (options.runner.clone(), options.flight);
    let source = cli::landscape::Source { run, data, images: None, bn: None, runner, flight, output };
    landscape::run(&cli::Landscape::All(cli::landscape::All { source, counts }))
}

fn is_complete(out: &Path) -> bool {
    RunFolder::existing(out).is_ok_and(|run| run.manifest().complete)
}

pub(crate) fn status(options: &Folder) -> Result<()> {
    let folder = &options.folder;
    let suite = Suite::read(folder)?;
    let (mut rows, mut complete) = (Vec::new(), 0);
    let cells = suite.cells()?;
    for cell in &cells {
        let out = place(folder, cell);
        let lines = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap_or_default();
        let epochs: Vec<Epoch> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let state = match (is_complete(&out), Lock::holder(&out)) {
            (true, _) => "complete".to_string(),
            (false, Some(holder)) => format!("in training: {holder}"),
            (false, None) if out.join("config.toml").exists() => "stopped".to_string(),
            (false, None) => "waiting".to_string(),
        };
        complete += usize::from(is_complete(&out));
        let planned = suite.settings(cell)?.training.check().map_err(usage)?.epochs();
        let last = epochs.iter().rev().find_map(|epoch| epoch.test_accuracy);
        rows.push(vec![
            cell.name(),
            format!("{} / {planned}", epochs.len()),
            epochs.last().map_or_else(String::new, |epoch| epoch.phase.clone()),
            last.map_or_else(String::new, |share| format!("{:.2} %", 100.0 * share)),
            state,
        ]);
    }
    table(&["cell", "epochs", "phase", "test accuracy", "state"], &rows)?;
    line(format!("{complete} of {} cells complete", cells.len()))
}
