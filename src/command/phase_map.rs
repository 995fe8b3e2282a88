//! `valleys phase-map`: the means of SGD over the asymmetry and the noise, row by row.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use valleys_figures::words;
use valleys_sim::Seed;
use valleys_sim::progress::Observer;
use valleys_sim::record::{PhaseMap, PhaseMapRow, Record};
use valleys_sim::theorem2::phase_map::{PhaseMapConfig, of_rows, phase_map_row};

use crate::cli;
use crate::config::{Config, PhaseMaps};
use crate::error::Result;
use crate::json_lines::JsonLines;
use crate::output::line;
use crate::run_folder::RunFolder;
use crate::session::Session;

pub(crate) fn run(options: &cli::PhaseMap) -> Result<()> {
    let seed = Seed(options.step.seed);
    let maps = PhaseMaps::new(options);
    maps.named()?;
    let config = Config { phase_map: Some(maps.clone()), ..Config::of("phase-map", seed) };
    let mut session = Session::open(&options.step.output, "valleys-run-phase-map", &config, seed)?;
    steps(&mut session, seed, &maps)?;
    session.finish()
}

/// One record for every map.
pub(super) fn steps(session: &mut Session, seed: Seed, maps: &PhaseMaps) -> Result<()> {
    for (name, map) in maps.named()? {
        let command = maps.command(&map, seed);
        let record = session.step(&name, &command, |folder, observer| {
            Ok(Record::PhaseMap(simulated(folder, &name, &map, seed, observer)?))
        })?;
        if let Record::PhaseMap(map) = record {
            line(format!("{name}: {}", words::phase_map(&map)))?;
        }
    }
    Ok(())
}

/// A finished row.
#[derive(Serialize, Deserialize)]
struct Row {
    row: usize,
    cells: PhaseMapRow,
}

/// The map; its rows go to `points/NAME.jsonl`, and those that are there already are not simulated again.
fn simulated(
    folder: &RunFolder,
    name: &str,
    map: &PhaseMapConfig,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<PhaseMap> {
    let mut kept = JsonLines::<Row>::open(folder.path(&format!("points/{name}.jsonl")))?;
    let is_kept = |row: &usize| kept.pieces().iter().any(|it| it.row == *row);
    let missing: Vec<usize> = (0..map.nu.len()).filter(|row| !is_kept(row)).collect();
    observer.begin(name, missing.len() as u64);
    for row in missing {
        kept.push(Row { row, cells: phase_map_row(map, row, seed, observer)? })?;
        observer.advance(1);
    }
    observer.finish();
    let rows: BTreeMap<usize, PhaseMapRow> = kept.into_pieces().into_iter().map(|it| (it.row, it.cells)).collect();
    Ok(of_rows(map, rows.into_values().collect()))
}
