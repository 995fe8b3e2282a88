//! Table 1 of a suite, the comparison of its landscapes, and one page that leads to every run's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use valleys_figures::report::{Entry, Report};
use valleys_figures::{comparison, table1};
use valleys_harness::data::DataKind;
use valleys_harness::files::write_atomically;
use valleys_harness::suite::{Cell, CellResult};
use valleys_sim::Seed;
use valleys_sim::comparison::{Facts, compare};
use valleys_sim::record::{Record, Solutions};

use super::{Suite, is_complete, landscape_place, place};
use crate::cli::Folder;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::output::{line, table};
use crate::run_folder::{RunFolder, draw, read_toml, to_json};
use crate::session::wrong_kind;

pub(crate) fn collect(options: &Folder) -> Result<()> {
    let folder = &options.folder;
    let suite = Suite::read(folder)?;
    let cells = suite.cells()?;
    let (results, settings) = results(folder, &cells)?;
    if results.is_empty() {
        return Err(Error::file(folder, "no cell has come to its end; `valleys suite status` says how far they are"));
    }
    let solutions = valleys_harness::suite::collect(&results, settings.join("; "))?;
    let landscapes = landscapes(folder, &results)?;
    let seed = suite.grid.seeds[0];
    let compared = compare(&landscapes.iter().map(Landscape::facts).collect::<Vec<_>>(), Seed(seed))?;
    let tables = [Some(table1::solutions(&solutions)), Some(table1::differences(&solutions))];
    for (columns, rows) in tables.into_iter().chain([compared.as_ref().map(comparison::predictors)]).flatten() {
        if !rows.is_empty() {
            table(&columns, &rows)?;
            line("")?;
        }
    }
    let missing: Vec<String> =
        cells.iter().filter(|cell| !results.iter().any(|it| it.cell == **cell)).map(Cell::name).collect();
    if !missing.is_empty() {
        line(format!("not finished, and left out: {}", missing.join(", ")))?;
    }
    let records = [("table1", Some(Record::Table1(solutions))), ("comparison", compared.map(Record::Comparison))];
    let mut entries = Vec::new();
    for (name, record) in records.into_iter().filter_map(|(name, record)| Some((name, record?))) {
        write_atomically(&folder.join(format!("{name}.json")), &to_json(&record)?)?;
        draw(folder, name, &record)?;
        let command = "valleys suite collect DIR".to_string();
        entries.push(Entry { name: name.to_string(), record, command });
    }
    let title = "Asymmetric valleys: the suite".to_string();
    let report = Report { title, manifest: Manifest::new(seed).rows(), entries, index: index(folder, &cells) };
    write_atomically(&folder.join("report.html"), report.html()?.as_bytes())?;
    line(format!("report: {}", folder.join("report.html").display()))
}

/// What came of the finished cells, and how it was measured.
fn results(folder: &Path, cells: &[Cell]) -> Result<(Vec<CellResult>, Vec<String>)> {
    let (mut results, mut settings) = (Vec::new(), Vec::new());
    for cell in cells {
        let out = place(folder, cell);
        let record = match RunFolder::existing(&out) {
            Ok(run) => run.record("solutions")?,
            Err(_) => None,
        };
        match record {
            None => {}
            Some(Record::Solutions(solutions)) => {
                let config: Config = read_toml(&out.join("config.toml"))?;
                let named = config.data.map(|data| data.name).unwrap_or_default();
                let data = DataKind::parse(&named).map_or_else(|_| cell.data.clone(), |kind| kind.title().to_string());
                // Folders of images share a title, so they keep their own names.
                let data = if named == DataKind::Folder.name() { cell.data.clone() } else { data };
                if !settings.contains(&solutions.setting) {
                    settings.push(solutions.setting);
                }
                results.push(CellResult { cell: cell.clone(), data, solutions: solutions.rows });
            }
            Some(_) => return Err(wrong_kind("solutions")),
        }
    }
    Ok((results, settings))
}

/// The pages of single runs that are there.
fn index(folder: &Path, cells: &[Cell]) -> Vec<(String, Vec<(String, String)>)> {
    let pages = |places: fn(&Path, &Cell) -> PathBuf| {
        let page = |cell: &Cell| {
            let path = places(folder, cell).join("report.html");
            let address = path.strip_prefix(folder).ok()?.to_string_lossy().replace('\\', "/");
            path.is_file().then(|| (cell.name(), address))
        };
        cells.iter().filter_map(page).collect()
    };
    vec![("Training".to_string(), pages(place)), ("Landscape".to_string(), pages(landscape_place))]
}

/// What was measured around the solutions of one cell.
struct Landscape {
    name: String,
    solutions: Solutions,
    records: BTreeMap<String, Record>,
}

impl Landscape {
    fn facts(&self) -> Facts<'_> {
        let mut facts = Facts::of(&self.name, &self.solutions);
        facts.take(self.records.values());
        facts
    }
}

/// The landscapes of those cells that have one.
fn landscapes(folder: &Path, results: &[CellResult]) -> Result<Vec<Landscape>> {
    let found = results.iter().filter(|result| is_complete(&landscape_place(folder, &result.cell)));
    found
        .map(|result| {
            let records = RunFolder::existing(&landscape_place(folder, &result.cell))?.records()?;
            let CellResult { cell, data, solutions } = result;
            let name = format!("{} on {data}, seed {}", cell.network.title(), cell.seed);
            let solutions = Solutions { rows: solutions.clone(), setting: String::new() };
            Ok(Landscape { name, solutions, records })
        })
        .collect()
}
