//! The core of every experiment: places in weight space, one after the other, each measured once and kept at once.

use valleys_sim::progress::Observer;

use super::{Point, Store, Surface};
use crate::params::Weights;
use crate::{Error, Result};

/// Some places on one curve in weight space.
pub(super) struct Curve<'a> {
    name: String,
    offsets: &'a [f64],
    at: Box<dyn Fn(f64) -> Weights<f32> + 'a>,
}

impl<'a> Curve<'a> {
    /// The places `at(offset)`, made when they are measured. The name tells the curves of an experiment apart.
    pub(super) fn new(name: impl Into<String>, offsets: &'a [f64], at: impl Fn(f64) -> Weights<f32> + 'a) -> Self {
        Self { name: name.into(), offsets, at: Box::new(at) }
    }
}

/// The points of all curves, each curve's in the order of its offsets: from the store, or measured and kept.
///
/// The observer's task counts the cells that are missing. Fails as the surface does, naming curve and offset.
pub(super) fn scan(
    surface: &mut dyn Surface,
    task: &str,
    curves: &[Curve<'_>],
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<Vec<Vec<Point>>> {
    let cells = || curves.iter().flat_map(|curve| curve.offsets.iter().map(move |&offset| (curve, offset)));
    let missing = cells().filter(|(curve, offset)| store.find(&curve.name, *offset).is_none()).count();
    observer.begin(task, missing as u64);
    let measured: Result<()> = cells().try_for_each(|(curve, offset)| {
        if store.find(&curve.name, offset).is_some() {
            return Ok(());
        }
        let losses = surface.measure(&(curve.at)(offset), observer).map_err(|error| named(error, curve, offset))?;
        store.keep(Point::new(&curve.name, offset, losses))?;
        observer.advance(1);
        Ok(())
    });
    observer.finish();
    measured?;
    let kept =
        |curve: &Curve<'_>| curve.offsets.iter().filter_map(|&at| store.find(&curve.name, at).cloned()).collect();
    Ok(curves.iter().map(kept).collect())
}

/// The points of a single curve.
pub(super) fn scan_one(
    surface: &mut dyn Surface,
    task: &str,
    curve: Curve<'_>,
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<Vec<Point>> {
    Ok(scan(surface, task, &[curve], store, observer)?.swap_remove(0))
}

/// The error of a cell, with the cell's name.
fn named(error: Error, curve: &Curve<'_>, offset: f64) -> Error {
    match error {
        Error::Domain { name, value, allowed } => {
            let of = if curve.name.is_empty() { String::new() } else { format!(" of {}", curve.name) };
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
    use crate::landscape::vector::moved;

    fn square() -> Known {
        Known::new(2, |w| w[0] * w[0] + 10.0 * w[1], |w| w[0])
    }

    fn curves<'a>(offsets: &'a [f64], heights: &[f32]) -> Vec<Curve<'a>> {
        let curve = |&height: &f32| {
            Curve::new(format!("height {height}"), offsets, move |x| moved(&point(&[0.0, height]), &[1.0, 0.0], x))
        };
        heights.iter().map(curve).collect()
    }

    #[test]
    fn only_the_missing_cells_are_measured() {
        let mut store: Vec<Point> = Vec::new();
        let mut surface = square();
        scan(&mut surface, "", &curves(&[-1.0, 0.5], &[1.0]), &mut store, &Silent).expect("measured");
        store[1].train.loss = 77.0;
        // Other offsets on the same curve, and the same offsets on another.
        let found =
            scan(&mut surface, "", &curves(&[-1.0, 0.0, 0.5], &[0.0, 1.0]), &mut store, &Silent).expect("measured");
        let losses: Vec<Vec<f64>> =
            found.iter().map(|points| points.iter().map(|point| point.train.loss).collect()).collect();
        assert_eq!(losses, [[1.0, 0.0, 0.25], [11.0, 10.0, 77.0]]);
        assert_eq!((surface.measured, store.len()), (6, 6));
    }

    #[test]
    fn an_error_names_the_cell() {
        struct Broken;
        impl Surface for Broken {
            fn dimension(&self) -> usize {
                2
            }
            fn measure(&mut self, _at: &Weights<f32>, _observer: &dyn Observer) -> Result<crate::landscape::Losses> {
                Err(Error::domain("train loss", "NaN", "a finite number"))
            }
            fn setting(&self) -> String {
                String::new()
            }
        }
        let found = scan(&mut Broken, "", &curves(&[0.5], &[2.0]), &mut Vec::new(), &Silent);
        let message = found.expect_err("no loss").to_string();
        assert_eq!(message, "train loss at offset 0.5 of height 2 is NaN; allowed: a finite number");
    }
}
