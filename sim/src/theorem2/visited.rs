//! (HD): Theorem 2 along a direction in many dimensions (Section 5.2).
//!
//! SGD in ℝᵈ, projected on a unit direction u through w*, moves by s′ = s − η(⟨∇L, u⟩ + ⟨ω, u⟩) with s = ⟨w − w*, u⟩. The
//! statements hold for s if at every *visited* w_t the projected slope lies within the valley's bounds, on the side that
//! s_t is on; if the kink is the same hyperplane ⟨w − w*, u⟩ = 0 for all t; if |⟨ω_t, u⟩| ≤ ν; and if the projected noise has
//! conditional mean zero. The projected chain is not a Markov chain, so it is not enough to look at one line. The last
//! condition cannot be read off a single path; the others are checked here.

use std::fmt;

use nalgebra::DVector;

use crate::sgd::{Setting, Visit};

/// Projects a step of SGD in ℝᵈ on a direction: the point relative to `centre` (w*), the gradient and the noise.
///
/// All five vectors have d coordinates; the direction has unit length.
pub fn project(
    point: &DVector<f64>,
    gradient: &DVector<f64>,
    noise: &DVector<f64>,
    centre: &DVector<f64>,
    direction: &DVector<f64>,
) -> Visit {
    Visit { point: (point - centre).dot(direction), slope: gradient.dot(direction), noise: noise.dot(direction) }
}

/// What a visited step has to meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Condition {
    /// At s ≥ 0 the slope lies in [b₊, a₊].
    FlatSlope,
    /// At s < 0 the slope lies in [b₋, −c·a₊].
    SharpSlope,
    /// The noise is at most ν in size.
    NoiseBound,
}

/// The first step of a path that leaves the setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Departure {
    /// Which condition it breaks.
    pub condition: Condition,
    /// The step's number t, counted from 0.
    pub step: usize,
    /// The projected point s_t.
    pub point: f64,
    /// The slope or noise seen.
    pub value: f64,
    /// The smallest value allowed.
    pub low: f64,
    /// The largest value allowed.
    pub high: f64,
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quantity = match self.condition {
            Condition::FlatSlope => "flat slope",
            Condition::SharpSlope => "sharp slope",
            Condition::NoiseBound => "noise",
        };
        let Self { step, point, value, low, high, .. } = self;
        write!(f, "{quantity} at step {step}, s = {point}, is {value}; allowed: {low} to {high}")
    }
}

impl std::error::Error for Departure {}

/// Checks every visited step of a path against a setting: its bounds on slopes and noise.
pub fn check(setting: &Setting, visits: &[Visit]) -> Result<(), Departure> {
    let valley = setting.valley();
    for (step, visit) in visits.iter().enumerate() {
        let slope = if visit.point >= 0.0 {
            (Condition::FlatSlope, visit.slope, valley.b_plus(), valley.a_plus())
        } else {
            (Condition::SharpSlope, visit.slope, valley.b_minus(), valley.a_minus())
        };
        let noise = (Condition::NoiseBound, visit.noise, -setting.nu(), setting.nu());
        for (condition, value, low, high) in [slope, noise] {
            if !(low..=high).contains(&value) {
                return Err(Departure { condition, step, point: visit.point, value, low, high });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::Seed;
    use crate::estimate::{Confidence, Moments};
    use crate::sgd::{Gradient, Noise, NoiseLaw, Slopes, Valley};
    use crate::theorem2::long_run::LongRun;

    /// The directions u and v, at right angles.
    fn frame() -> (DVector<f64>, DVector<f64>) {
        (DVector::from_vec(vec![0.6, 0.8]), DVector::from_vec(vec![-0.8, 0.6]))
    }

    /// SGD in the plane: along u a valley whose slope depends on the coordinate along v, along v a parabola.
    fn projected_path(setting: &Setting, chain: u64, steps: usize) -> Vec<Visit> {
        let (u, v) = frame();
        let centre = DVector::from_vec(vec![3.0, -1.0]);
        let gentle = Slopes::constant(setting, 0.0, 0.0).expect("valid");
        let steep = Slopes::constant(setting, 1.0, 1.0).expect("valid");
        let mut stream = Seed(11).stream("chain", chain);
        let mut point = &centre + &v * 0.5;
        let mut visits = Vec::new();
        for _ in 0..steps {
            let (s, t) = ((&point - &centre).dot(&u), (&point - &centre).dot(&v));
            let along_u = if t > 0.0 { gentle.at(s) } else { steep.at(s) };
            let gradient = &u * along_u + &v * t;
            let mut draw = || NoiseLaw::Uniform.draw(s, setting.nu(), &mut stream);
            let noise = &u * draw() + &v * draw();
            visits.push(project(&point, &gradient, &noise, &centre, &u));
            point -= (gradient + noise) * setting.eta();
        }
        visits
    }

    #[test]
    fn a_projected_path_keeps_the_bounds_and_the_long_run_mean() {
        let valley = Valley::new(1.0, 0.5, 4.0, -6.0).expect("valid");
        let setting = Setting::new(valley, 0.1, 0.5).expect("valid");
        let rate = LongRun::headline(&setting).expect("applies").rate();
        let means: Vec<f64> = (0..20)
            .map(|chain| {
                let visits = projected_path(&setting, chain, 5_000);
                // Projecting rounds: leave the bounds a little room.
                let roomy = Valley::new(1.0 + 1e-9, 0.5 - 1e-9, 4.0 - 1e-7, -6.0 - 1e-9).expect("valid");
                assert_eq!(check(&Setting::new(roomy, 0.1, 0.5 + 1e-9).expect("valid"), &visits), Ok(()));
                visits.iter().map(|v| v.point).sum::<f64>() / 5_000.0
            })
            .collect();
        // One-sided at 99.95 %; the seed is fixed.
        let interval = Moments::of(&means).student(Confidence::P999).expect("twenty chains");
        assert!(interval.low > rate, "{interval:?} against ρ = {rate}");
    }

    #[test]
    fn the_first_departure_is_named() {
        let setting = Setting::new(Valley::new(1.0, 0.5, 2.0, -3.0).expect("valid"), 1.0, 0.25).expect("valid");
        let visit = |point, slope, noise| Visit { point, slope, noise };
        let good = [visit(0.0, 0.5, 0.25), visit(2.0, 1.0, -0.25), visit(-0.1, -2.0, 0.0), visit(-0.1, -3.0, 0.0)];
        assert_eq!(check(&setting, &good), Ok(()));
        let message = |bad| check(&setting, &[good[0], bad]).expect_err("departs").to_string();
        assert_eq!(message(visit(0.0, -2.0, 0.0)), "flat slope at step 1, s = 0, is -2; allowed: 0.5 to 1");
        assert_eq!(message(visit(-1.0, -1.9, 0.0)), "sharp slope at step 1, s = -1, is -1.9; allowed: -3 to -2");
        assert_eq!(message(visit(1.0, 1.0, 0.3)), "noise at step 1, s = 1, is 0.3; allowed: -0.25 to 0.25");
        assert!(check(&setting, &[visit(1.0, f64::NAN, 0.0)]).is_err());
    }
}
