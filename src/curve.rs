//! Anyone's loss curve, read from a CSV file.

use std::path::Path;

use valleys_sim::Profile;

use crate::error::{Error, Result};

/// A train profile and, if the file has one, a test profile at the same offsets.
#[derive(Debug)]
pub(crate) struct Curve {
    pub(crate) train: Profile,
    pub(crate) test: Option<Profile>,
}

/// The names a column may have; the first is the one this program writes.
const OFFSET: [&str; 2] = ["offset", "l"];
const TRAIN: [&str; 3] = ["train", "train_loss", "loss"];
const TEST: [&str; 2] = ["test", "test_loss"];
const STANDARD_ERROR: [&str; 3] = ["standard_error", "train_standard_error", "train_se"];

impl Curve {
    /// Reads columns `offset`, `train` and, if present, `test` and `standard_error`; rows may come in any order.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .comment(Some(b'#'))
            .from_path(path)
            .map_err(|error| wrong(path, error))?;
        let header: Vec<String> =
            reader.headers().map_err(|error| wrong(path, error))?.iter().map(str::to_ascii_lowercase).collect();
        let find = |names: &[&str]| header.iter().position(|column| names.contains(&column.as_str()));
        let need = |names: &[&str]| {
            find(names).ok_or_else(|| {
                let problem = format!("has columns {}; a column `{}` is needed", header.join(", "), names[0]);
                Error::file(path, problem)
            })
        };
        let lines = reader.records().collect::<std::result::Result<Vec<_>, _>>().map_err(|error| wrong(path, error))?;
        // A column without a single entry, as this program writes what was not measured, is no column.
        let measured = |&column: &usize| lines.iter().any(|line| line.get(column).is_some_and(|text| !text.is_empty()));
        let optional = |names: &[&str]| find(names).filter(measured);
        let columns = [Some(need(&OFFSET)?), Some(need(&TRAIN)?), optional(&TEST), optional(&STANDARD_ERROR)];

        let mut rows: Vec<[f64; 4]> = Vec::new();
        for line in &lines {
            let number = line.position().map_or(0, csv::Position::line);
            let mut values = [0.0; 4];
            for (value, column) in values.iter_mut().zip(columns) {
                let Some(column) = column else { continue };
                let text = line.get(column).unwrap_or_default();
                *value = text.parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(|| {
                    let problem =
                        format!("line {number}, column `{}`: `{text}` is not a finite number", header[column]);
                    Error::file(path, problem)
                })?;
            }
            rows.push(values);
        }
        rows.sort_by(|a, b| a[0].total_cmp(&b[0]));

        let column = |index: usize| rows.iter().map(|row| row[index]).collect::<Vec<_>>();
        let name = |error: valleys_sim::Error| Error::file(path, error);
        let mut train = Profile::new(column(0), column(1)).map_err(name)?;
        if columns[3].is_some() {
            train = train.with_standard_errors(column(3)).map_err(name)?;
        }
        let test = columns[2].is_some().then(|| Profile::new(column(0), column(2))).transpose().map_err(name)?;
        Ok(Self { train, test })
    }
}

fn wrong(path: &Path, error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Error::file(path, error),
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.map_or(0, |pos| pos.line());
            Error::file(path, format!("line {line} has {len} columns, the header {expected_len}"))
        }
        other => Error::file(path, format!("is not CSV: {other:?}")),
    }
}
