//! The loss along one direction through neighbouring centres (Assumption 2, Figure 4).

use nalgebra::DVector;
use valleys_sim::asymmetry::{Criteria, Judgement, Slopes, Verdict, judge_line};
use valleys_sim::neighbourhood::{Neighbourhood, centre as neighbour};
use valleys_sim::progress::Observer;
use valleys_sim::record::{self, LineJudgement};
use valleys_sim::{Profile, Seed};

use super::direction::Law;
use super::point::profile;
use super::scan::{Cells, scan_one};
use super::surface::require_dimension;
use super::{Store, Surface};
use crate::Result;
use crate::params::Weights;

/// Where neighbouring centres come from: `draws` points, at least 2, uniform in the ball of radius R′ > 0, each moved
/// along u back into the hyperplane through the solution. In the paper 100 and 25.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ball {
    /// R′, in lengths of weight space.
    pub radius: f64,
    /// Number of centres.
    pub draws: u64,
}

/// Measures the line along a direction through the solution and through its neighbours.
///
/// # Errors
/// A ball or a direction that does not fit, and those of [`Surface::measure`].
pub fn neighbourhood(
    surface: &mut dyn Surface,
    solution: &Weights<f32>,
    (title, law, index): (&str, &Law, u64),
    ball: Ball,
    (offsets, criteria, seed): (&[f64], &Criteria, Seed),
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<record::Neighbourhood> {
    require_dimension("the solution", solution.values.len(), surface)?;
    let u = law.draw(solution, seed, index)?;
    let mut line = |name: String, centre: &Weights<f32>| -> Result<Profile> {
        let line = Cells::new(name, offsets, centre, &u)?;
        let points = scan_one(surface, "loss along a line", line, store, observer)?;
        profile(&points, |point| &point.train)
    };
    let own = line("own".to_owned(), solution)?;
    let place = DVector::from_iterator(u.len(), solution.values.iter().map(|&x| f64::from(x)));
    let along = DVector::from_column_slice(&u);
    observer.begin("lines through neighbouring centres", ball.draws);
    let profiles = (0..ball.draws).map(|number| {
        let mut centre = solution.clone();
        let moved = neighbour(&place, &along, ball.radius, seed, number)?;
        centre.values.iter_mut().zip(&moved).for_each(|(value, &moved)| *value = moved as f32);
        let profile = line(format!("neighbour {number}"), &centre)?.without_examples();
        observer.advance(1);
        Ok(profile)
    });
    let profiles = profiles.collect::<Result<Vec<Profile>>>();
    observer.finish();
    let profiles = profiles?;
    let all = Neighbourhood::new(&profiles)?;
    let mirrored: Vec<Profile> = profiles.iter().map(Profile::mirrored).collect();
    let (along, against) = (all.judge(criteria), Neighbourhood::new(&mirrored)?.judge(criteria));
    let gain = |judgement: &Judgement| judgement.canonical.map_or(f64::NEG_INFINITY, |it| it.gain);
    let is_mirrored = gain(&against) > gain(&along);
    let (judgement, same_side) = if is_mirrored { (against, &mirrored) } else { (along, &profiles) };
    let mut asymmetric = 0;
    for profile in same_side {
        let alone = Slopes::of(profile)?.judge_exact(criteria);
        asymmetric += usize::from(alone.verdict == Verdict::Asymmetric);
    }
    Ok(record::Neighbourhood {
        title: title.to_owned(),
        family: law.to_string(),
        index,
        radius: ball.radius,
        mean: all.mean().clone(),
        deviation: all.deviation().to_vec(),
        curves: profiles.iter().map(|profile| profile.losses().to_vec()).collect(),
        own_judgement: judge_line(&own, criteria, None)?,
        own: own.without_examples(),
        judgement: recorded(judgement, is_mirrored),
        asymmetric,
        setting: surface.setting(),
    })
}

fn recorded(judgement: Judgement, mirrored: bool) -> LineJudgement {
    let Judgement { verdict, half_line, canonical, front, .. } = judgement;
    LineJudgement { mirrored, verdict, half_line, canonical, matched: None, front }
}

#[cfg(test)]
mod tests {
    use valleys_sim::direction::Family;
    use valleys_sim::profile::grid;
    use valleys_sim::progress::Silent;

    use super::*;
    use crate::landscape::known::{Known, point, valley};

    fn run(train: fn(&[f64]) -> f64, draws: u64) -> Result<record::Neighbourhood> {
        let mut surface = Known::new(2, train, |_| 0.0);
        let offsets = grid(-2.0, 2.0, 9).expect("grid");
        let ball = Ball { radius: 1.0, draws };
        let law = Law::of(Family::Ones);
        let how = (&offsets[..], &Criteria::default(), Seed(1));
        let found =
            neighbourhood(&mut surface, &point(&[0.0, 0.0]), ("", &law, 0), ball, how, &mut Vec::new(), &Silent);
        assert!(found.is_err() || surface.measured as u64 == 9 * (1 + draws));
        found
    }

    #[test]
    fn a_valley_along_the_direction_alone_is_the_same_everywhere() {
        // With u = (1, 1)/√2 the loss is a valley along u, with its kink on one hyperplane, and a bowl across.
        let record = run(|w| valley((w[0] + w[1]) / 2f64.sqrt()) + (w[0] - w[1]).powi(2), 10).expect("measured");
        let certificate = record.judgement.canonical.expect("asymmetric everywhere");
        assert!((certificate.c - 4.0).abs() < 1e-3 && (certificate.p - 1.0).abs() < 1e-3, "{certificate:?}");
        assert_eq!((record.asymmetric, record.judgement.mirrored, record.curves.len()), (10, false, 10));
        let spread = record.deviation.iter().copied().fold(0.0, f64::max);
        assert!(
            spread > 0.01 && record.deviation.iter().all(|it| (it - spread).abs() < 1e-4),
            "the bowl alone differs"
        );
        let mean = record.curves.iter().map(|curve| curve[4]).sum::<f64>() / 10.0;
        assert!((record.mean.losses()[4] - mean).abs() < 1e-12);
    }

    #[test]
    fn the_flat_side_may_lie_the_other_way() {
        let record = run(|w| valley(-(w[0] + w[1]) / 2f64.sqrt()), 5).expect("measured");
        assert!(record.judgement.mirrored && record.own_judgement.mirrored && record.asymmetric == 5);
    }

    #[test]
    fn a_kink_that_moves_with_the_centre_leaves_no_common_certificate() {
        let record = run(|w| valley(w[0] - 3.0 * w[1]), 10).expect("measured");
        assert!(record.own_judgement.canonical.is_some() && record.judgement.canonical.is_none());
        assert!(run(|w| w[0], 1).is_err(), "one neighbour is no neighbourhood");
    }
}
