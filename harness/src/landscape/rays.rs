//! Loss against distance along random rays (Section 6.2, Figures 9 and 10).

use valleys_sim::Seed;
use valleys_sim::estimate::{Confidence, Moments};
use valleys_sim::progress::Observer;
use valleys_sim::record::{self, RaySolution};

use super::direction::Law;
use super::scan::{Cells, scan};
use super::surface::require_dimension;
use super::{Measured, Point, Store, Surface};
use crate::params::Weights;
use crate::{Error, Result};

/// Measures the loss along `count` rays of a law from every named solution. Ray number i is the same from all of them if
/// its law does not look at the weights, so differences between solutions are taken ray by ray.
///
/// # Errors
/// No solution, no rays, distances that do not increase from 0, and those of [`Surface::measure`].
pub fn rays(
    surface: &mut dyn Surface,
    solutions: &[(&str, &Weights<f32>)],
    (title, law, count): (&str, &Law, u64),
    (distances, seed): (&[f64], Seed),
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<record::Rays> {
    if solutions.is_empty() || count == 0 {
        return Err(Error::domain("number of rays", count * solutions.len() as u64, "at least 1"));
    }
    if distances.first() != Some(&0.0) || distances.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(Error::domain("distances", format!("{distances:?}"), "increasing from 0"));
    }
    let mut rays: Vec<Vec<Vec<Point>>> = Vec::new();
    observer.begin("random rays", solutions.len() as u64);
    let measured: Result<()> = solutions.iter().try_for_each(|&(name, solution)| {
        require_dimension(name, solution.values.len(), surface)?;
        let mut own = Vec::new();
        for index in 0..count {
            let u = law.draw(solution, seed, index)?;
            let line = Cells::new(format!("{name} {index}"), distances, solution, &u)?;
            own.extend(scan(surface, "loss along a ray", &[line], store, observer)?);
        }
        rays.push(own);
        observer.advance(1);
        Ok(())
    });
    observer.finish();
    measured?;
    let summary = |place: usize| -> Result<RaySolution> {
        let over = |value: &dyn Fn(usize, usize) -> f64| -> Vec<Moments> {
            let at = |i: usize| Moments::of(&(0..rays[place].len()).map(|ray| value(ray, i)).collect::<Vec<f64>>());
            (0..distances.len()).map(at).collect()
        };
        let side = |side: fn(&Point) -> &Measured| over(&|ray, i| side(&rays[place][ray][i]).loss);
        let (train, test) = (side(|point| &point.train), side(|point| &point.test));
        let means = |moments: &[Moments]| moments.iter().map(Moments::mean).collect::<Vec<f64>>();
        let deviations =
            |moments: &[Moments]| moments.iter().map(|it| it.variance().unwrap_or(0.0).sqrt()).collect::<Vec<f64>>();
        let excess = over(&|ray, i| rays[place][ray][i].train.loss - rays[0][ray][i].train.loss);
        let intervals = match place > 0 && count > 1 {
            true => excess.iter().map(|it| it.student(Confidence::P95)).collect::<valleys_sim::Result<_>>()?,
            false => Vec::new(),
        };
        Ok(RaySolution {
            name: solutions[place].0.to_owned(),
            train: means(&train),
            train_deviation: deviations(&train),
            test: means(&test),
            test_deviation: deviations(&test),
            train_excess: intervals,
        })
    };
    Ok(record::Rays {
        title: title.to_owned(),
        family: law.to_string(),
        count,
        distances: distances.to_vec(),
        solutions: (0..solutions.len()).map(summary).collect::<Result<_>>()?,
        setting: surface.setting(),
    })
}

#[cfg(test)]
mod tests {
    use valleys_sim::direction::Family;
    use valleys_sim::progress::Silent;

    use super::*;
    use crate::landscape::known::{Known, point};

    #[test]
    fn from_the_bottom_of_a_round_bowl_every_ray_is_alike() {
        let bowl = |w: &[f64]| w.iter().map(|x| x * x).sum::<f64>();
        let mut surface = Known::new(3, bowl, |w| 2.0 + w[0]);
        let (bottom, aside) = (point(&[0.0; 3]), point(&[1.0, 0.0, 0.0]));
        let solutions = [("bottom", &bottom), ("aside", &aside)];
        let law = Law::of(Family::Gaussian);
        let distances = [0.0, 1.0, 2.0];
        let mut measured = |distances: &[f64], count| {
            rays(&mut surface, &solutions, ("", &law, count), (distances, Seed(4)), &mut Vec::new(), &Silent)
        };
        let record = measured(&distances, 30).expect("measured");
        let own = &record.solutions[0];
        for (i, distance) in distances.into_iter().enumerate() {
            assert!((own.train[i] - distance * distance).abs() < 1e-5 && own.train_deviation[i] < 1e-5);
            // From aside the loss is 1 + l² + 2l·u₁: more by 1 on average, and by 1 + 2l·u₁ on each ray.
            let excess = record.solutions[1].train_excess[i];
            assert!((excess.estimate - (record.solutions[1].train[i] - own.train[i])).abs() < 1e-9);
            assert!(excess.contains(1.0) || distance == 0.0 && (excess.estimate - 1.0).abs() < 1e-6, "{excess:?}");
        }
        assert!(own.train_excess.is_empty() && record.solutions[1].test_deviation[2] > 0.1);
        assert!(measured(&[1.0, 2.0], 3).is_err() && measured(&[0.0, 0.0], 3).is_err() && measured(&[0.0], 0).is_err());
    }
}
