//! The core of every experiment: points of lines, each measured once and kept in its turn.

use valleys_sim::progress::Observer;

use super::{Point, Store, Surface};
use crate::params::{Line, Weights};
use crate::{Error, Result};

/// Some points of one line.
pub(super) struct Cells<'a> {
    name: String,
    offsets: &'a [f64],
    line: Line<'a, f32>,
}

impl<'a> Cells<'a> {
    /// The points w + l·u at these offsets l. The name tells the lines of an experiment apart.
    ///
    /// Fails if the direction is not of the centre's dimension.
    pub(super) fn new(
        name: impl Into<String>,
        offsets: &'a [f64],
        centre: &'a Weights<f32>,
        direction: &'a [f64],
    ) -> Result<Self> {
        Ok(Self::of(name, offsets, &Line::new(centre, direction)?))
    }

    /// The same of a line that has other points, too.
    pub(super) fn of(name: impl Into<String>, offsets: &'a [f64], line: &Line<'a, f32>) -> Self {
        Self { name: name.into(), offsets, line: line.clone() }
    }
}

/// The points of all lines, each line's in the order of its offsets: from the store, or measured and kept.
///
/// The observer's task counts the cells that are missing. Fails as the surface does, naming line and offset.
pub(super) fn scan(
    surface: &mut dyn Surface,
    task: &str,
    lines: &[Cells<'_>],
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<Vec<Vec<Point>>> {
    let cells = || lines.iter().flat_map(|line| line.offsets.iter().map(move |&offset| (line, offset)));
    let mut missing: Vec<(&Cells<'_>, f64)> = Vec::new();
    for (line, offset) in cells().filter(|(line, offset)| store.find(&line.name, *offset).is_none()) {
        // A cell that comes twice is one.
        if !missing.iter().any(|(other, at)| *at == offset && other.name == line.name) {
            missing.push((line, offset));
        }
    }
    observer.begin(task, missing.len() as u64);
    let points: Vec<_> = missing.iter().map(|(cells, offset)| (&cells.line, *offset)).collect();
    let mut kept = 0;
    let measured = surface.measure_all(&points, observer, &mut |losses| {
        let (cells, offset) = missing[kept];
        store.keep(Point::new(&cells.name, offset, losses))?;
        observer.advance(1);
        kept += 1;
        Ok(())
    });
    let measured = measured.map_err(|error| match missing.get(kept) {
        Some((cells, offset)) => named(error, &cells.name, *offset),
        None => error,
    });
    observer.finish();
    measured?;
    let kept = |line: &Cells<'_>| line.offsets.iter().filter_map(|&at| store.find(&line.name, at).cloned()).collect();
    Ok(lines.iter().map(kept).collect())
}

/// The points of a single line.
pub(super) fn scan_one(
    surface: &mut dyn Surface,
    task: &str,
    line: Cells<'_>,
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<Vec<Point>> {
    Ok(scan(surface, task, &[line], store, observer)?.swap_remove(0))
}

/// The error of a cell, with the cell's name.
fn named(error: Error, line: &str, offset: f64) -> Error {
    match error {
        Error::Domain { name, value, allowed } => {
            let of = if line.is_empty() { String::new() } else { format!(" of {line}") };
            Error::domain(format!("{name} at offset {offset}{of}"), value, allowed)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use valleys_sim::progress::Silent;

    use super::*;
    use crate::landscape::known::{Known, point};

    fn square() -> Known {
        Known::new(2, |w| w[0] * w[0] + 10.0 * w[1], |w| w[0])
    }

    fn scanned(
        surface: &mut dyn Surface,
        offsets: &[f64],
        heights: &[f32],
        store: &mut Vec<Point>,
    ) -> Result<Vec<Vec<Point>>> {
        let centres: Vec<_> = heights.iter().map(|&height| point(&[0.0, height])).collect();
        let lines = heights.iter().zip(&centres);
        let lines = lines.map(|(height, centre)| Cells::new(format!("height {height}"), offsets, centre, &[1.0, 0.0]));
        scan(surface, "", &lines.collect::<Result<Vec<_>>>()?, store, &Silent)
    }

    #[test]
    fn only_the_missing_cells_are_measured() {
        let mut store: Vec<Point> = Vec::new();
        let mut surface = square();
        scanned(&mut surface, &[-1.0, 0.5], &[1.0], &mut store).expect("measured");
        store[1].train.loss = 77.0;
        // Other offsets on the same line, and the same offsets on another.
        let found = scanned(&mut surface, &[-1.0, 0.0, 0.5], &[0.0, 1.0], &mut store).expect("measured");
        let losses: Vec<Vec<f64>> =
            found.iter().map(|points| points.iter().map(|point| point.train.loss).collect()).collect();
        assert_eq!(losses, [[1.0, 0.0, 0.25], [11.0, 10.0, 77.0]]);
        assert_eq!((surface.measured, store.len()), (6, 6));
    }

    #[test]
    fn a_cell_that_comes_twice_is_measured_once() {
        let (mut store, mut surface) = (Vec::new(), square());
        let found = scanned(&mut surface, &[0.5, -1.0, 0.5], &[1.0, 1.0], &mut store).expect("measured");
        assert_eq!((surface.measured, store.len()), (2, 2));
        assert!(found[0].len() == 3 && found[0] == found[1] && found[0][0] == found[0][2]);
    }

    #[test]
    fn an_error_names_the_cell() {
        struct Broken;
        impl Surface for Broken {
            fn dimension(&self) -> usize {
                2
            }
            fn measure(&mut self, _: &Line<'_, f32>, _: f64, _: &dyn Observer) -> Result<crate::landscape::Losses> {
                Err(Error::domain("train loss", "NaN", "a finite number"))
            }
            fn setting(&self) -> String {
                String::new()
            }
        }
        let found = scanned(&mut Broken, &[0.5], &[2.0], &mut Vec::new());
        let message = found.expect_err("no loss").to_string();
        assert_eq!(message, "train loss at offset 0.5 of height 2 is NaN; allowed: a finite number");
    }
}
