//! The loss along one fixed direction through the iterates of a run (Section 5.2, Figure 6).

use valleys_sim::Seed;
use valleys_sim::asymmetry::{Criteria, judge_line};
use valleys_sim::progress::Observer;
use valleys_sim::record::{self, TrajectoryRow};
use valleys_sim::trajectory::{departure, stable_from};

use super::direction::Law;
use super::point::profile;
use super::scan::{Cells, scan_one};
use super::vector::{difference, dot, norm};
use super::{Store, Surface};
use crate::params::Weights;
use crate::{Error, Result};

/// A departure below this share of the last profile's range counts as stable.
pub const TOLERANCE: f64 = 0.1;

/// Iterates of a run, loaded when they are needed.
pub struct Iterates<'a> {
    /// Epochs trained, increasing.
    pub epochs: &'a [u32],
    /// The network after so many.
    pub load: &'a dyn Fn(u32) -> Result<Weights<f32>>,
}

/// Measures the line along direction `index` of a law, drawn at the last iterate, through every iterate.
///
/// # Errors
/// Fewer than two iterates, those of `load`, and those of [`Surface::measure`].
pub fn trajectory(
    surface: &mut dyn Surface,
    iterates: &Iterates<'_>,
    (title, law, index): (&str, &Law, u64),
    (offsets, criteria, seed): (&[f64], &Criteria, Seed),
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<record::Trajectory> {
    let (Some(&last), true) = (iterates.epochs.last(), iterates.epochs.len() >= 2) else {
        return Err(Error::domain("number of iterates", iterates.epochs.len(), "at least 2"));
    };
    let end = (iterates.load)(last)?;
    let u = law.draw(&end, seed, index)?;
    let mut lines = Vec::new();
    observer.begin("lines through the iterates", iterates.epochs.len() as u64);
    let measured: Result<()> = iterates.epochs.iter().try_for_each(|&epoch| {
        let iterate = (iterates.load)(epoch)?;
        let line = Cells::new(format!("epoch {epoch}"), offsets, &iterate, &u)?;
        let points = scan_one(surface, "loss along a line", line, store, observer)?;
        let line = profile(&points, |point| &point.train)?;
        let judgement = judge_line(&line, criteria, None)?;
        lines.push((epoch, difference(&end, &iterate), line.without_examples(), judgement));
        observer.advance(1);
        Ok(())
    });
    observer.finish();
    measured?;
    let last = lines[lines.len() - 1].2.clone();
    let rows = lines.into_iter().map(|(epoch, from_end, line, judgement)| {
        Ok(TrajectoryRow {
            epoch,
            losses: line.losses().to_vec(),
            position: dot(&from_end, &u),
            distance: norm(&from_end),
            departure: departure(&line, &last)?,
            judgement,
        })
    });
    let rows = rows.collect::<Result<Vec<TrajectoryRow>>>()?;
    let departures: Vec<f64> = rows.iter().map(|row| row.departure).collect();
    Ok(record::Trajectory {
        title: title.to_owned(),
        family: law.to_string(),
        index,
        offsets: offsets.to_vec(),
        stable_from: stable_from(&departures, TOLERANCE).map(|place| rows[place].epoch),
        rows,
        tolerance: TOLERANCE,
        setting: surface.setting(),
    })
}

#[cfg(test)]
mod tests {
    use valleys_sim::direction::Family;
    use valleys_sim::profile::grid;
    use valleys_sim::progress::Silent;

    use super::*;
    use crate::landscape::known::{Known, point, valley};

    #[test]
    fn iterates_that_reach_the_valley_find_its_shape() {
        // Far out (w₁ > 2) the loss is a bowl, near by a valley; w₁ falls by 1 an epoch.
        let mut surface = Known::new(1, |w| if w[0] > 20.0 { (w[0] - 25.0).powi(2) } else { valley(w[0]) }, |_| 0.0);
        let load = |epoch: u32| Ok(point(&[[25.0, 0.0, 0.25, 0.0][epoch as usize]]));
        let iterates = Iterates { epochs: &[0, 1, 2, 3], load: &load };
        let offsets = grid(-4.0, 4.0, 17).expect("grid");
        let (law, criteria) = (Law::of(Family::Ones), Criteria::default());
        let mut store = Vec::new();
        let how = (&offsets[..], &criteria, Seed(1));
        let record = trajectory(&mut surface, &iterates, ("", &law, 0), how, &mut store, &Silent).expect("measured");
        assert_eq!((record.stable_from, store.len()), (Some(1), 4 * 17));
        let rows = &record.rows;
        assert_eq!((rows[0].position, rows[0].distance, rows[2].position), (25.0, 25.0, 0.25));
        assert!(rows[0].departure > 0.5 && rows[1].departure == 0.0 && rows[2].departure < 0.1);
        assert!(rows[0].judgement.canonical.is_none() && rows[3].judgement.canonical.is_some());
        let one = Iterates { epochs: &[3], load: &load };
        assert!(trajectory(&mut surface, &one, ("", &law, 0), how, &mut store, &Silent).is_err());
    }
}
