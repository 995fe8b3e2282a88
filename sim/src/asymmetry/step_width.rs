//! A control of Definition 1: does the certificate depend on the step between the points measured?
//!
//! f and s are extreme slopes of the interpolant, so a finer line sees more of them: f can only grow and s only shrink
//! where points are added, and noise in the losses counts for more the shorter the step. A certificate worth the name
//! changes little when every second point is left out.

use crate::{Error, Profile, Result};

/// A profile with every `stride`-th of its points, those whose distance in the list from the centre is a multiple of
/// the stride. The centre is the offset nearest to 0 (the left one of two), so a line measured at 0 keeps that point.
/// Standard errors and per-example losses of the kept points are kept.
///
/// The half-line R shrinks where its ends are not among the points kept.
///
/// # Errors
/// A stride of 0, and a stride that leaves fewer than two points.
pub fn coarsened(profile: &Profile, stride: usize) -> Result<Profile> {
    if stride == 0 {
        return Err(Error::domain("stride", stride, "at least 1"));
    }
    let offsets = profile.offsets();
    let centre = (0..offsets.len()).min_by(|&i, &j| offsets[i].abs().total_cmp(&offsets[j].abs())).unwrap_or(0);
    let kept: Vec<usize> = (0..offsets.len()).filter(|i| i.abs_diff(centre) % stride == 0).collect();
    if kept.len() < 2 {
        let allowed = format!("one that leaves 2 points of {} or more", offsets.len());
        return Err(Error::domain("stride", stride, allowed));
    }
    let pick = |values: &[f64]| kept.iter().map(|&i| values[i]).collect::<Vec<f64>>();
    let mut coarse = Profile::new(pick(offsets), pick(profile.losses()))?;
    if let Some(errors) = profile.standard_errors() {
        coarse = coarse.with_standard_errors(pick(errors))?;
    }
    if let Some(examples) = profile.examples() {
        coarse = coarse.with_examples(kept.iter().map(|&i| examples[i].clone()).collect())?;
    }
    Ok(coarse)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{BothWays, Criteria, Slopes, Verdict, judge_both};
    use super::*;
    use crate::profile::grid;

    /// What a line says, the better of u and −u, with every so many of its points.
    fn judged(profile: &Profile, stride: usize) -> BothWays {
        judge_both(&coarsened(profile, stride).expect("enough points"), &Criteria::default()).expect("valid")
    }

    #[test]
    fn keeps_the_centre_and_what_is_known_of_each_point() {
        let profile = Profile::new(vec![-1.0, -0.5, 0.0, 0.5, 1.0, 1.5], vec![5.0, 4.0, 3.0, 2.0, 1.0, 0.0])
            .and_then(|p| p.with_standard_errors(vec![0.5, 0.4, 0.3, 0.2, 0.1, 0.0]))
            .and_then(|p| p.with_examples((0..6).map(|i| vec![f64::from(i), 1.0]).collect()))
            .expect("valid");
        let coarse = coarsened(&profile, 2).expect("enough points");
        assert_eq!(coarse.offsets(), [-1.0, 0.0, 1.0]);
        assert_eq!(coarse.losses(), [5.0, 3.0, 1.0]);
        assert_eq!(coarse.standard_errors(), Some([0.5, 0.3, 0.1].as_slice()));
        assert_eq!(coarse.examples().expect("kept")[2], [4.0, 1.0]);
        assert_eq!(coarsened(&profile, 1).expect("all"), profile);
        assert_eq!(coarsened(&profile, 3).expect("two").offsets(), [0.0, 1.5]);
    }

    #[test]
    fn a_two_slope_valley_has_one_certificate_at_every_step() {
        let valley = |x: f64| if x < 0.0 { -3.0 * x } else { x };
        let profile = Profile::sample(grid(-3.0, 3.0, 61).expect("grid"), valley).expect("profile");
        for (stride, points) in [(1, 61), (2, 31), (5, 13), (15, 5)] {
            let coarse = coarsened(&profile, stride).expect("enough points");
            let both = judged(&profile, stride);
            let certificate = both.better.canonical.expect("asymmetric");
            assert!(
                (certificate.p - 1.0).abs() < 1e-9 && (certificate.c - 3.0).abs() < 1e-9,
                "{stride}: {certificate:?}"
            );
            assert_eq!((certificate.r_lo, certificate.r_hi, both.better.half_line), (0.0, 3.0, 3.0));
            let step = coarse.offsets()[1] - coarse.offsets()[0];
            assert!((step - 0.1 * stride as f64).abs() < 1e-12 && !both.mirrored);
            assert_eq!(coarse.len(), points);
        }
    }

    #[test]
    fn a_ripple_that_every_second_point_misses_decides() {
        // The ripple is 0 at even points and ±0.2 at odd ones: with a step of 0.1 it adds slopes of ±2 to both sides.
        let offsets = grid(-3.0, 3.0, 61).expect("grid");
        let losses: Vec<f64> = (0..61i32)
            .zip(&offsets)
            .map(|(i, &x)| if x < 0.0 { -3.0 * x } else { x } + 0.2 * [0.0, 1.0, 0.0, -1.0][i.rem_euclid(4) as usize])
            .collect();
        let profile = Profile::new(offsets, losses).expect("valid");
        assert_ne!(judged(&profile, 1).better.verdict, Verdict::Asymmetric);
        assert_eq!(judged(&profile, 2).better.verdict, Verdict::Asymmetric);
    }

    #[test]
    fn refuses_strides_that_leave_no_line() {
        let profile = Profile::new(vec![-1.0, 0.0, 1.0], vec![1.0, 0.0, 1.0]).expect("valid");
        let message = |stride| coarsened(&profile, stride).expect_err("invalid").to_string();
        assert_eq!(message(0), "stride is 0; allowed: at least 1");
        assert_eq!(message(2), "stride is 2; allowed: one that leaves 2 points of 3 or more");
    }

    proptest! {
        #[test]
        fn fewer_points_never_make_the_slopes_more_extreme(
            losses in prop::collection::vec(-3.0..3.0f64, 25),
            stride in prop::sample::select(vec![1usize, 2, 3, 4, 6, 12]),
        ) {
            // Each coarse slope is the mean of the fine slopes under it. These strides keep both ends.
            let profile = Profile::new(grid(-3.0, 3.0, 25).expect("grid"), losses).expect("valid");
            let fine = Slopes::of(&profile).expect("valid");
            let coarse = Slopes::of(&coarsened(&profile, stride).expect("enough")).expect("valid");
            prop_assert_eq!(coarse.half_line(), fine.half_line());
            let most = |slopes: &[f64]| slopes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let least = |slopes: &[f64]| slopes.iter().copied().fold(f64::INFINITY, f64::min);
            prop_assert!(most(coarse.flat()) <= most(fine.flat()) + 1e-9);
            prop_assert!(least(coarse.sharp()) >= least(fine.sharp()) - 1e-9);
        }
    }
}
