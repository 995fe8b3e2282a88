//! The numbers behind every picture, as CSV.

mod evidence;
mod landscape;
mod network;
mod theory;

use std::fmt::Write as _;

use valleys_sim::Profile;
use valleys_sim::asymmetry::Certificate;
use valleys_sim::record::{LineJudgement, Record};

use crate::{Result, check, comparison, table1, words};

/// One CSV file.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// A name fit for a file, without extension: the record's name, or that and a part's.
    pub name: String,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, one cell a column.
    pub rows: Vec<Vec<Cell>>,
}

/// One cell of a [`Table`].
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A finite number, written with the fewest digits that read back as the same number.
    Number(f64),
    /// A count.
    Count(u64),
    /// `true` or `false`.
    Flag(bool),
    /// Words.
    Text(String),
    /// Not measured: an empty cell.
    Missing,
}

impl Table {
    pub(crate) fn new(name: impl Into<String>, columns: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> Self {
        Self {
            name: name.into(),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            rows: rows.into_iter().collect(),
        }
    }

    /// The table as CSV (RFC 4180, lines ended by `\n`). The same data give the same bytes.
    pub fn to_csv(&self) -> String {
        let mut csv = String::new();
        push_line(&mut csv, self.columns.iter().map(|column| quoted(column)));
        for row in &self.rows {
            push_line(&mut csv, row.iter().map(Cell::to_field));
        }
        csv
    }
}

impl Cell {
    fn to_field(&self) -> String {
        match self {
            Self::Number(value) => shortest(*value),
            Self::Count(count) => count.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Text(text) => quoted(text),
            Self::Missing => String::new(),
        }
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::Number)
    }
}

/// The shortest text that reads back as the same number; powers of ten for the very small and very large.
fn shortest(value: f64) -> String {
    let plain = value == 0.0 || (1e-5..1e16).contains(&value.abs());
    if plain { format!("{value}") } else { format!("{value:e}") }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn push_line(csv: &mut String, fields: impl Iterator<Item = String>) {
    for (i, field) in fields.enumerate() {
        let comma = if i == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(csv, "{comma}{field}");
    }
    csv.push('\n');
}

/// The tables of a record kept under `name`.
///
/// # Errors
/// [`Error::Record`](crate::Error::Record) names a field whose columns do not match or that is not finite.
pub fn tables(name: &str, record: &Record) -> Result<Vec<Table>> {
    check::record(record)?;
    Ok(match record {
        Record::Minima(minima) => theory::of_minima(name, minima),
        Record::SgdPath(path) => theory::of_path(name, path),
        Record::Tightness(tightness) => theory::of_tightness(name, tightness),
        Record::BiasMap(map) => theory::of_map(name, map),
        Record::PhaseMap(map) => theory::of_phase_map(name, map),
        Record::Thresholds(thresholds) => theory::of_thresholds(name, thresholds),
        Record::ExactLaw(law) => vec![theory::of_law(name, law)],
        Record::Claims(claims) => theory::of_claims(name, claims),
        Record::AppendixA(appendix) => theory::of_appendix(name, appendix),
        Record::Training(training) => vec![network::of_training(name, training)],
        Record::Line(line) => network::of_line(name, line),
        Record::Shift(shift) => network::of_shift(name, shift),
        Record::Interpolation(interpolation) => network::of_interpolation(name, interpolation),
        Record::Solutions(solutions) => vec![network::of_solutions(name, solutions)],
        Record::Table1(table) => table1::tables(name, table),
        Record::Comparison(comparison) => comparison::tables(name, comparison),
        Record::Prevalence(prevalence) => landscape::of_prevalence(name, prevalence),
        Record::SignConsistency(signs) => landscape::of_signs(name, signs),
        Record::Neighbourhood(neighbourhood) => landscape::of_neighbourhood(name, neighbourhood),
        Record::Trajectory(trajectory) => landscape::of_trajectory(name, trajectory),
        Record::InterRand(lines) => landscape::of_inter_rand(name, lines),
        Record::Rays(rays) => vec![landscape::of_rays(name, rays)],
        Record::Plane(plane) => landscape::of_plane(name, plane),
        Record::Controls(controls) => landscape::of_controls(name, controls),
        Record::ShiftLaw(law) => evidence::of_shift_law(name, law),
        Record::Intervention(intervention) => evidence::of_intervention(name, intervention),
        Record::Theory(theory) => evidence::of_theory(name, theory),
        Record::Curvature(curvature) => evidence::of_curvature(name, curvature),
        Record::GradientNoise(noise) => evidence::of_noise(name, noise),
    })
}

fn of_profile(name: String, along: &str, profile: &Profile) -> Table {
    let rows = (0..profile.len()).map(|i| {
        let error = profile.standard_errors().map(|errors| errors[i]);
        vec![profile.offsets()[i].into(), profile.losses()[i].into(), error.into()]
    });
    Table::new(name, &[along, "loss", "standard_error"], rows)
}

const CERTIFICATE: [&str; 6] = ["r_hi", "r_lo", "p", "c", "c_is_lower_bound", "gain"];

fn certificate_cells(certificate: Option<&Certificate>) -> [Cell; 6] {
    certificate.map_or([const { Cell::Missing }; 6], |it| {
        [it.r_hi.into(), it.r_lo.into(), it.p.into(), it.c.into(), Cell::Flag(it.c_is_lower_bound), it.gain.into()]
    })
}

fn of_judgement(name: &str, judgement: &LineJudgement) -> [Table; 2] {
    let certificates = [("canonical", &judgement.canonical), ("matched", &judgement.matched)].map(|(which, it)| {
        let mut row = vec![
            Cell::text(which),
            Cell::text(words::verdict(judgement.verdict)),
            Cell::Flag(judgement.mirrored),
            judgement.half_line.into(),
        ];
        row.extend(certificate_cells(it.as_ref()));
        row
    });
    let front = judgement.front.iter().map(|point| {
        let mut row = vec![point.width.into()];
        row.extend(certificate_cells(Some(&point.certificate)));
        row
    });
    let head = ["certificate", "verdict", "mirrored", "half_line"];
    [
        Table::new(format!("{name}-certificates"), &[&head[..], &CERTIFICATE].concat(), certificates),
        Table::new(format!("{name}-front"), &[&["width"][..], &CERTIFICATE].concat(), front),
    ]
}

fn quantities(name: String, values: &[(&str, f64)]) -> Table {
    let rows = values.iter().map(|&(quantity, value)| vec![Cell::text(quantity), value.into()]);
    Table::new(name, &["quantity", "value"], rows)
}
