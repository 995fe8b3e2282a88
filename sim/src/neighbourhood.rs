//! Assumption 2: is a direction asymmetric at all neighbouring points, with one certificate?
//!
//! The paper moves the centre w across the direction u, to w + v − ⟨v, u⟩u with v in the ball of radius R′, and looks at
//! the loss along u there (Section 4.2, Figure 4: 100 draws, R′ = 25).

use nalgebra::DVector;
use rand::RngExt;

use crate::asymmetry::{Certificate, Criteria, Judgement, Slopes};
use crate::error::positive;
use crate::estimate::Moments;
use crate::loss::{Loss, check_point, profile};
use crate::seed::{Seed, standard_normal};
use crate::{Error, Profile, Result};

/// How far a direction's length may be from 1.
const UNIT: f64 = 1e-9;

/// Profiles along one direction at neighbouring centres, taken together.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbourhood {
    mean: Profile,
    deviation: Vec<f64>,
    count: usize,
    slopes: Slopes,
}

impl Neighbourhood {
    /// Takes profiles together: at least two, measured at the same offsets.
    ///
    /// # Errors
    /// Fewer than two profiles, different offsets, and those of [`Slopes::of`].
    pub fn new(profiles: &[Profile]) -> Result<Self> {
        if profiles.len() < 2 {
            return Err(Error::domain("number of neighbouring profiles", profiles.len(), "at least 2"));
        }
        let slopes = Slopes::worst(profiles)?;
        let offsets = profiles[0].offsets();
        let at = |i: usize| {
            profiles.iter().fold(Moments::default(), |mut moments, profile| {
                moments.push(profile.losses()[i]);
                moments
            })
        };
        let moments: Vec<Moments> = (0..offsets.len()).map(at).collect();
        Ok(Self {
            mean: Profile::new(offsets.to_vec(), moments.iter().map(Moments::mean).collect())?,
            deviation: moments.iter().map(|m| m.variance().unwrap_or(0.0).sqrt()).collect(),
            count: profiles.len(),
            slopes,
        })
    }

    /// The mean of the profiles.
    pub fn mean(&self) -> &Profile {
        &self.mean
    }

    /// The standard deviation between the profiles at each offset: how much the neighbours differ, not an error of
    /// measurement.
    pub fn deviation(&self) -> &[f64] {
        &self.deviation
    }

    /// The number of profiles.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The slopes that hold for all profiles at once.
    pub fn slopes(&self) -> &Slopes {
        &self.slopes
    }

    /// What holds for all profiles at once: their windows are valleys of every one, f is the largest slope along +u of
    /// any, s the smallest along −u of any, p_min the largest of any. Errors of measurement are not considered.
    pub fn judge(&self, criteria: &Criteria) -> Judgement {
        self.slopes.judge_exact(criteria)
    }

    /// The certificate matched to a shift δ̄ and a gap ξ that holds for all profiles at once.
    ///
    /// # Errors
    /// A shift or gap that is negative or not finite.
    pub fn matched(&self, shift: f64, gap: f64) -> Result<Option<Certificate>> {
        self.slopes.matched(shift, gap)
    }
}

/// The neighbouring centre w + v − ⟨v, u⟩u, with v draw number `index` from the ball.
///
/// v is uniform in the ball of radius R′ > 0 in ℝᵈ; draws come from stream `neighbour`.
///
/// # Errors
/// A radius that is not positive, and a direction that is not of unit length and the centre's dimension.
pub fn centre(w: &DVector<f64>, u: &DVector<f64>, radius: f64, seed: Seed, index: u64) -> Result<DVector<f64>> {
    check(w, u, radius)?;
    let v = ball(w.len(), radius, seed, index);
    let along = v.dot(u);
    Ok(w + v - u * along)
}

/// Samples a loss along u through `draws` neighbouring centres.
///
/// # Errors
/// Those of [`centre`], and a loss that does not fit or is not finite at the points.
pub fn sample(
    loss: &dyn Loss,
    w: &DVector<f64>,
    u: &DVector<f64>,
    radius: f64,
    offsets: &[f64],
    draws: u64,
    seed: Seed,
) -> Result<Vec<Profile>> {
    check_point("centre", w, loss.dimension())?;
    (0..draws).map(|index| profile(loss, &centre(w, u, radius, seed, index)?, u, offsets.to_vec())).collect()
}

/// A point uniform in the ball of a radius in ℝᵈ: a normal vector scaled to length R·U^(1/d).
pub(crate) fn ball(dimension: usize, radius: f64, seed: Seed, index: u64) -> DVector<f64> {
    let mut rng = seed.stream("neighbour", index);
    let direction = DVector::from_fn(dimension, |_, _| standard_normal(&mut rng));
    let length = radius * libm::pow(rng.random::<f64>(), 1.0 / dimension as f64);
    let norm = direction.norm();
    direction * (length / norm)
}

fn check(w: &DVector<f64>, u: &DVector<f64>, radius: f64) -> Result<()> {
    positive("radius R′", radius)?;
    check_point("centre", w, w.len())?;
    check_point("direction u", u, w.len())?;
    let length = u.norm();
    if (length - 1.0).abs() > UNIT {
        return Err(Error::domain("length of the direction u", length, "1"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;

    use super::*;
    use crate::asymmetry::{Verdict, judge};
    use crate::loss::{Frame, PiecewiseLinear, Rotated, Separable};
    use crate::profile::grid;

    #[test]
    fn neighbours_lie_across_the_direction_and_fill_the_ball() {
        let w = DVector::from_vec(vec![1.0, -2.0, 0.5]);
        let u = DVector::from_vec(vec![0.6, 0.0, 0.8]);
        let mut beyond_half = 0;
        for index in 0..4_000 {
            let moved = centre(&w, &u, 25.0, Seed(1), index).expect("valid") - &w;
            assert!(moved.dot(&u).abs() < 1e-12);
            assert!(moved.norm() <= 25.0);
            beyond_half += u32::from(ball(3, 25.0, Seed(1), index).norm() > 12.5);
        }
        // Uniform in the ball of ℝ³: the share beyond half the radius is 7/8. Over 4,000 draws the count leaves 3500 ± 126
        // (six standard deviations of 20.9) with probability below 1e-8.
        assert!((3_374..=3_626).contains(&beyond_half), "{beyond_half}");
    }

    #[test]
    fn a_separable_valley_has_one_certificate_everywhere() {
        let valley = PiecewiseLinear::valley(1.0, 3.0).expect("valid");
        let frame = Frame::new(DMatrix::from_row_slice(2, 2, &[0.6, -0.8, 0.8, 0.6])).expect("rotation");
        let u = frame.matrix().column(0).clone_owned();
        let loss = Rotated::new(Separable::new(vec![valley.clone(), valley]).expect("axes"), frame).expect("fits");
        let offsets = grid(-3.0, 3.0, 61).expect("grid");
        let w = DVector::zeros(2);
        let profiles = sample(&loss, &w, &u, 5.0, &offsets, 20, Seed(2)).expect("valid");
        let all = Neighbourhood::new(&profiles).expect("valid");
        let judgement = all.judge(&Criteria::default());
        let certificate = judgement.canonical.expect("asymmetric");
        assert_eq!(judgement.verdict, Verdict::Asymmetric);
        assert!((certificate.p - 1.0).abs() < 1e-9 && (certificate.c - 3.0).abs() < 1e-9, "{certificate:?}");
        assert_eq!((certificate.r_lo, certificate.r_hi), (0.0, 3.0));
        let matched = all.matched(0.4, 0.0).expect("valid").expect("matched");
        assert!((matched.gain - 0.4).abs() < 1e-9);
    }

    #[test]
    fn the_worst_neighbour_decides() {
        let offsets = grid(-2.0, 2.0, 41).expect("grid");
        let valley = |sharp: f64, flat: f64| {
            Profile::sample(offsets.clone(), |x| if x < 0.0 { -sharp * x } else { flat * x }).expect("profile")
        };
        let (a, b) = (valley(9.0, 1.0), valley(6.0, 0.5));
        let both = Neighbourhood::new(&[a.clone(), b.clone()]).expect("valid");
        let certificate = both.judge(&Criteria::default()).canonical.expect("asymmetric");
        assert!((certificate.c - 6.0).abs() < 1e-9 && (certificate.p - 1.0).abs() < 1e-9, "{certificate:?}");
        assert_eq!(both.mean().at(-2.0), Some(15.0));
        assert!((both.deviation()[0] - 18.0f64.sqrt()).abs() < 1e-12);
        // A neighbour whose valley lies elsewhere leaves no window that is a valley of all.
        let aside = Profile::sample(offsets.clone(), |x| x).expect("profile");
        let all = Neighbourhood::new(&[a, b, aside]).expect("valid");
        assert_eq!(all.judge(&Criteria::default()).verdict, Verdict::NotAValley);
        assert!(all.judge(&Criteria::default()).canonical.is_none());
    }

    #[test]
    fn the_same_profile_twice_is_that_profile() {
        let profile = Profile::sample(grid(-3.0, 3.0, 61).expect("grid"), |x| libm::exp(-x) + x).expect("profile");
        let criteria = Criteria::default();
        let twice = Neighbourhood::new(&[profile.clone(), profile.clone()]).expect("valid");
        assert_eq!(twice.judge(&criteria), judge(&profile, &criteria).expect("valid"));
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let w = DVector::zeros(2);
        let long = DVector::from_vec(vec![1.0, 1.0]);
        let message = centre(&w, &long, 1.0, Seed(0), 0).expect_err("too long").to_string();
        assert_eq!(message, "length of the direction u is 1.4142135623730951; allowed: 1");
        let profile = Profile::new(vec![-1.0, 1.0], vec![0.0, 0.0]).expect("valid");
        let other = Profile::new(vec![-1.0, 2.0], vec![0.0, 0.0]).expect("valid");
        assert!(Neighbourhood::new(std::slice::from_ref(&profile)).is_err());
        let message = Neighbourhood::new(&[profile, other]).expect_err("other offsets").to_string();
        assert_eq!(message, "offsets of profile 1 is another set; allowed: the same offsets as those of profile 0");
    }
}
