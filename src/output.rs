//! Standard output for readers that may go away.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use crate::error::{Error, Result};

/// Writes one line to standard output. A reader that goes away, as in `valleys … | head`, misses the rest; the work
/// goes on.
pub(crate) fn line(text: impl Display) -> Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Error::file("standard output", error)),
    }
}

/// Writes one line to standard error. A closed one must not stop the work.
pub(crate) fn note(text: impl Display) {
    drop(writeln!(std::io::stderr().lock(), "note: {text}"));
}

/// Writes a value as indented JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<()> {
    line(serde_json::to_string_pretty(value).map_err(|error| Error::Failed(error.to_string()))?)
}

/// Lays rows out in columns two spaces apart, the first column left-aligned, the others right-aligned.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([header[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let lay = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells
            .zip(&widths)
            .enumerate()
            .map(|(i, (cell, &width))| if i == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    line(lay(&mut header.iter().copied()))?;
    for row in rows {
        line(lay(&mut row.iter().map(String::as_str)))?;
    }
    Ok(())
}
