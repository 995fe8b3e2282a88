//! From evidence to theory: which hypotheses of the corrected theorems hold on one line of a network, what bound follows,
//! and what was observed.

use valleys_sim::assumption1::Splits;
use valleys_sim::asymmetry::{Criteria, Slopes};
use valleys_sim::evidence::{self, Evidence, Sgd};
use valleys_sim::neighbourhood::{Neighbourhood, centre as neighbour};
use valleys_sim::progress::Observer;
use valleys_sim::record;
use valleys_sim::{Profile, Seed};

use nalgebra::DVector;

use super::direction::Law;
use super::gradient_noise::Steps;
use super::judged::Judged;
use super::neighbourhood::Ball;
use super::point::profile;
use super::scan::{Cells, scan_one};
use super::shift_law::{Pool, of_line};
use super::surface::require_dimension;
use super::{Store, Surface};
use crate::Result;
use crate::params::Weights;

/// What is measured beside the line.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    /// How the line's images are split for the law of the shift.
    pub splits: &'a Splits,
    /// Where neighbouring lines go through; none leaves them unmeasured.
    pub ball: Option<Ball>,
    /// SGD's steps along u at or around the solution, for Theorem 2.
    pub steps: Option<&'a Steps>,
}

/// Measures the line along a direction and, in the same direction, through neighbours, and holds the theorems against all.
///
/// # Errors
/// A surface that keeps no example's loss, a ball that does not fit, and those of [`Surface::measure`].
pub fn theory(
    surface: &mut dyn Surface,
    solution: &Weights<f32>,
    (title, law, index): (&str, &Law, u64),
    (offsets, criteria, seed): (&[f64], &Criteria, Seed),
    beside: Beside<'_>,
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<record::Theory> {
    require_dimension("the solution", solution.values.len(), surface)?;
    let u = law.draw(solution, seed, index)?;
    let mut scan = |name: &str, centre: &Weights<f32>| {
        let line = Cells::new(name, offsets, centre, &u)?;
        scan_one(surface, "loss along a line", line, store, observer)
    };
    let judged = Judged::of_points(title, &scan("line", solution)?, criteria)?;
    let title = judged.name(title, law, index);
    let neighbours = match beside.ball {
        None => None,
        Some(ball) => {
            let place = DVector::from_iterator(u.len(), solution.values.iter().map(|&x| f64::from(x)));
            let along = DVector::from_column_slice(&u);
            let lines = (0..ball.draws).map(|number| {
                let mut centre = solution.clone();
                let moved = neighbour(&place, &along, ball.radius, seed, number)?;
                centre.values.iter_mut().zip(&moved).for_each(|(value, &moved)| *value = moved as f32);
                let points = scan(&format!("neighbour {number}"), &centre)?;
                Ok(profile(&points, |point| &point.train)?.without_examples())
            });
            Some(Neighbourhood::new(&lines.collect::<Result<Vec<Profile>>>()?)?)
        }
    };
    let setting = surface.setting();
    let caption = (&title[..], &setting[..]);
    let law = of_line(&judged, caption, (Pool::Apart, beside.splits), observer)?;
    let noise = beside.steps.map(|steps| steps.noise(&title, judged.sign())).transpose()?;
    let slopes = Slopes::of(&judged.towards_flat(&judged.train))?;
    let sgd = match beside.steps.zip(noise.as_ref()) {
        None => None,
        Some((steps, noise)) => {
            Some((steps, noise, slopes.bounds(0.0, slopes.half_line())?, steps.visits(judged.sign())))
        }
    };
    let sgd = sgd.as_ref().map(|(steps, noise, slopes, visits)| Sgd {
        eta: steps.rate,
        slopes: *slopes,
        noise,
        visits,
        // The average of a run is of another rate, of epochs' ends, and around another centre than these steps.
        averaged: None,
    });
    let evidence = Evidence {
        judgement: &judged.judgement,
        shift: &judged.shift,
        law: Some(&law),
        neighbours: neighbours.as_ref(),
        sgd,
    };
    Ok(evidence::theory(caption, &evidence)?)
}

#[cfg(test)]
mod tests {
    use valleys_sim::direction::Family;
    use valleys_sim::estimate::Confidence;
    use valleys_sim::profile::grid;
    use valleys_sim::progress::Silent;
    use valleys_sim::record::{Standing, StatementRow, Theory};

    use super::*;
    use crate::landscape::known::point;
    use crate::landscape::sample::Sample;

    fn measure(steps: Option<&Steps>, ball: Option<Ball>) -> Theory {
        let valley = |x: f64| if x < 0.0 { -4.0 * x } else { x };
        let mut surface = Sample::new(40, move |w, _| valley(w[0]), move |w, i| valley(w[0] - 0.5) + i as f64);
        let offsets = grid(-3.0, 3.0, 25).expect("grid");
        let how = (&offsets[..], &Criteria::default(), Seed(1));
        let splits = Splits::new(50, Confidence::P95, Seed(3)).expect("valid");
        let beside = Beside { splits: &splits, ball, steps };
        let law = Law::of(Family::Ones);
        theory(&mut surface, &point(&[0.0]), ("it", &law, 0), how, beside, &mut Vec::new(), &Silent).expect("measured")
    }

    fn standing(row: &StatementRow, hypothesis: &str) -> Standing {
        row.hypotheses.iter().find(|it| it.name == hypothesis).unwrap_or_else(|| panic!("no {hypothesis}")).standing
    }

    #[test]
    fn theorem_1_on_a_shifted_valley_promises_exactly_what_is_seen() {
        let it = measure(None, None);
        assert!((it.shift - 0.5).abs() < 1e-9 && it.gap < 1e-9);
        assert_eq!(it.setting, "known functions");
        let matched = it.matched.expect("a certificate");
        assert_eq!((matched.r_hi, matched.r_lo, matched.p, matched.c), (1.0, 0.0, 1.0, 4.0));
        let [theorem1] = &it.statements[..] else { panic!("{} statements", it.statements.len()) };
        assert_eq!(standing(theorem1, "GapOnFullRadius"), Standing::Met);
        assert_eq!(standing(theorem1, "AsymmetricDirections"), Standing::NotMeasured, "off the line");
        assert_eq!(standing(theorem1, "BalancedProjections"), Standing::NotMet, "every split has δ > 0");
        // L(0) − L(½) = 4·½, and the theorem allows l = ½ with c·p = 4.
        let bound = theorem1.bounds.iter().find(|it| it.observed.is_some()).expect("observed");
        assert!((bound.bound - 2.0).abs() < 1e-8 && (bound.observed.expect("seen") - 2.0).abs() < 1e-6);
        assert_eq!(bound.is_kept(), Some(true));
    }

    #[test]
    fn neighbours_and_steps_decide_what_a_line_leaves_open() {
        // On a line every neighbour is the solution itself.
        let steps = Steps {
            rate: 0.1,
            momentum: 0.0,
            points: vec![0.0; 60],
            slopes: vec![1.0; 60],
            noise: (0..60).map(|i| 0.2 * f64::from([1, -1, -1, 1, 1, 1, -1][i % 7])).collect(),
            moving: false,
            setting: String::new(),
        };
        let it = measure(Some(&steps), Some(Ball { radius: 2.0, draws: 3 }));
        assert_eq!(standing(&it.statements[0], "AsymmetricDirections"), Standing::NotRejected);
        assert_eq!(it.statements.len(), 4);
        let long_run = it.statements.iter().find(|row| row.statement.contains("(L)")).expect("(L)");
        assert_eq!(standing(long_run, "Valley"), Standing::Met);
        assert_eq!(standing(long_run, "BoundedNoise"), Standing::Met);
        // (L) with b₊ = a₊ = 1, c = 4, η = 0.1: ρ = β·min(1, 2(c − 2)/(c + 2)) = 0.1·2/3.
        assert!((long_run.bounds[0].bound - 0.2 / 3.0).abs() < 1e-6, "{:?}", long_run.bounds);
        let with_momentum = Steps { momentum: 0.9, ..steps };
        let it = measure(Some(&with_momentum), None);
        let long_run = it.statements.iter().find(|row| row.statement.contains("(L)")).expect("(L)");
        assert_eq!((standing(long_run, "ZeroMeanNoise"), long_run.standing), (Standing::NotMet, Standing::NotMet));
    }
}
