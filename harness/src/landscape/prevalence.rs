//! How often a random direction is asymmetric (Section 3.2; Appendix H for groups of parameters).

use valleys_sim::Seed;
use valleys_sim::asymmetry::{Criteria, Verdict, judge_line};
use valleys_sim::direction::mean_pairwise_cosine;
use valleys_sim::estimate::{Confidence, Interval, clopper_pearson};
use valleys_sim::progress::Observer;
use valleys_sim::record::{DirectionGroup, DirectionRow};

use super::direction::Law;
use super::point::profile;
use super::scan::{Cells, scan_one};
use super::surface::require_dimension;
use super::{Point, Store, Surface};
use crate::params::Weights;
use crate::{Error, Result};

/// How many directions are drawn, and how each is measured and judged.
#[derive(Debug, Clone, Copy)]
pub struct Draws<'a> {
    /// The most directions that are drawn; at least 1.
    pub count: u64,
    /// Whether to stop at the first asymmetric one, as the paper does.
    pub until_asymmetric: bool,
    /// Offsets of every line.
    pub offsets: &'a [f64],
    /// What makes a direction asymmetric.
    pub criteria: &'a Criteria,
    /// The root of the directions' streams.
    pub seed: Seed,
}

/// Draws directions of a law at a centre, measures the line along each, and judges it. The group's name tells its cells
/// from those of other groups in the store.
///
/// # Errors
/// No draws, a law that cannot be drawn here, and those of [`Surface::measure`].
pub fn group(
    surface: &mut dyn Surface,
    centre: &Weights<f32>,
    (name, law): (&str, &Law),
    draws: &Draws<'_>,
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<DirectionGroup> {
    if draws.count == 0 {
        return Err(Error::domain("number of directions", 0, "at least 1"));
    }
    require_dimension("the centre", centre.values.len(), surface)?;
    let mut directions: Vec<DirectionRow> = Vec::new();
    observer.begin(&format!("lines along {name} directions"), draws.count);
    let drawn: Result<()> = (0..draws.count).try_for_each(|index| {
        let found = directions.iter().any(|row| row.verdict == Verdict::Asymmetric);
        if draws.until_asymmetric && found {
            return Ok(());
        }
        let u = law.draw(centre, draws.seed, index)?;
        let line = Cells::new(format!("{name} {index}"), draws.offsets, centre, &u)?;
        let points = scan_one(surface, "loss along a line", line, store, observer)?;
        directions.push(row(index, &points, draws.criteria)?);
        observer.advance(1);
        Ok(())
    });
    observer.finish();
    drawn?;
    let tried = directions.len() as u64;
    let count = |verdict| directions.iter().filter(|row| row.verdict == verdict).count() as u64;
    let share = match draws.until_asymmetric {
        true => None,
        false => Some(share(count(Verdict::Asymmetric), count(Verdict::Undecided), tried)?),
    };
    let mean_cosine = match tried {
        1 => None,
        // Each was drawn before, so none fails now.
        _ => Some(mean_pairwise_cosine((0..tried).filter_map(|index| law.draw(centre, draws.seed, index).ok()))?),
    };
    let until_asymmetric = draws.until_asymmetric;
    Ok(DirectionGroup { name: name.to_owned(), directions, until_asymmetric, share, mean_cosine })
}

/// The share of asymmetric directions, with an interval that holds whatever the undecided ones are.
fn share(asymmetric: u64, undecided: u64, tried: u64) -> Result<Interval> {
    let least = clopper_pearson(asymmetric, tried, Confidence::P95)?;
    let most = clopper_pearson(asymmetric + undecided, tried, Confidence::P95)?;
    Ok(Interval { high: most.high, ..least })
}

/// What a line says of its direction.
fn row(index: u64, points: &[Point], criteria: &Criteria) -> Result<DirectionRow> {
    let train = profile(points, |point| &point.train)?;
    let judgement = judge_line(&train, criteria, None)?;
    let half_line = judgement.half_line;
    // R lies within the profile, and so does 0, or judging would have failed.
    let rise = |offset: f64| train.at(offset).zip(train.at(0.0)).map_or(0.0, |(end, centre)| end - centre);
    Ok(DirectionRow {
        index,
        mirrored: judgement.mirrored,
        verdict: judgement.verdict,
        certificate: judgement.canonical,
        half_line,
        rise_along: rise(half_line),
        rise_against: rise(-half_line),
    })
}

#[cfg(test)]
mod tests {
    use valleys_sim::direction::Family;
    use valleys_sim::profile::grid;
    use valleys_sim::progress::Silent;

    use super::*;
    use crate::landscape::known::{Known, point, valley};

    fn draws(offsets: &[f64], until_asymmetric: bool) -> Draws<'_> {
        static CRITERIA: std::sync::LazyLock<Criteria> = std::sync::LazyLock::new(Criteria::default);
        Draws { count: 12, until_asymmetric, offsets, criteria: &CRITERIA, seed: Seed(3) }
    }

    fn run(family: Family, until_asymmetric: bool) -> (DirectionGroup, usize) {
        let offsets = grid(-2.0, 2.0, 9).expect("grid");
        // Along any u the loss is a valley with slopes 4|u₁| and |u₁|, and a bowl across.
        let mut surface = Known::new(2, |w| valley(w[0]) + 2.0 * w[1] * w[1], |_| 0.0);
        let group = group(
            &mut surface,
            &point(&[0.0, 0.0]),
            ("any", &Law::of(family)),
            &draws(&offsets, until_asymmetric),
            &mut Vec::new(),
            &Silent,
        );
        (group.expect("measured"), surface.measured)
    }

    #[test]
    fn every_direction_is_judged_and_counted() {
        let (group, measured) = run(Family::Gaussian, false);
        assert_eq!((group.directions.len(), measured), (12, 12 * 9));
        let share = group.share.expect("none was left out");
        let asymmetric = group.count(Verdict::Asymmetric);
        assert!(asymmetric > 0 && asymmetric < 12, "{asymmetric} of 12: the bowl hides the kink of some directions");
        assert_eq!(share.estimate, asymmetric as f64 / 12.0);
        assert!(share.low < share.estimate && share.high > share.estimate);
        for row in &group.directions {
            let u = Law::of(Family::Gaussian).draw(&point(&[0.0, 0.0]), Seed(3), row.index).expect("drawn");
            let bowl = 2.0 * (2.0 * u[1]).powi(2);
            assert!((row.rise_along - (valley(2.0 * u[0]) + bowl)).abs() < 1e-5);
            assert!((row.rise_against - (valley(-2.0 * u[0]) + bowl)).abs() < 1e-5);
            // The flat side is where the first coordinate grows.
            assert!(row.verdict != Verdict::Asymmetric || row.mirrored == (u[0] < 0.0), "{row:?}");
        }
    }

    #[test]
    fn undecided_directions_widen_the_interval_upwards_alone() {
        let (decided, open) = (share(3, 0, 10).expect("counts"), share(3, 4, 10).expect("counts"));
        assert_eq!((open.low, open.estimate), (decided.low, decided.estimate));
        assert_eq!(open.high, share(7, 0, 10).expect("counts").high);
    }

    #[test]
    fn uniform_directions_are_nearly_one() {
        let cosine = |family| run(family, false).0.mean_cosine.expect("many");
        assert!(cosine(Family::Uniform) > 0.5 && cosine(Family::Gaussian).abs() < 0.3);
        assert!((cosine(Family::Ones) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn drawing_may_stop_at_the_first_and_then_no_share_is_told() {
        let (all, first) = (run(Family::Gaussian, false).0, run(Family::Gaussian, true).0);
        let wanted = all.draws_to_first().expect("some are asymmetric");
        assert_eq!((first.directions.len(), first.draws_to_first()), (wanted, Some(wanted)));
        assert!(first.share.is_none() && first.best() == all.directions.get(wanted - 1));
    }
}
