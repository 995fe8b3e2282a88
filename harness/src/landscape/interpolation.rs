//! The loss between two solutions, and beyond both (Section 6.1, Figure 7).

use valleys_sim::Profile;
use valleys_sim::asymmetry::{Criteria, judge_line};
use valleys_sim::progress::Observer;
use valleys_sim::record;

use super::point::{accuracies, profile};
use super::scan::{Cells, scan_one};
use super::surface::require_dimension;
use super::vector::{difference, norm};
use super::{Point, Store, Surface};
use crate::Result;
use crate::params::Weights;

/// Measures w_swa + s·(w_sgd − w_swa) at every share s: SWA at 0, SGD at 1; any other two solutions may take their places.
/// With frozen batch norm, the statistics are those of SWA.
///
/// Fails if the networks differ in dimension, and as [`Surface::measure`] does.
pub fn points(
    surface: &mut dyn Surface,
    swa: &Weights<f32>,
    sgd: &Weights<f32>,
    shares: &[f64],
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<Vec<Point>> {
    require_dimension("the SWA solution", swa.values.len(), surface)?;
    require_dimension("the SGD solution", sgd.values.len(), surface)?;
    let way = difference(swa, sgd);
    scan_one(surface, "loss between two solutions", Cells::new("", shares, swa, &way)?, store, observer)
}

/// ‖w_sgd − w_swa‖, over the trainable weights.
pub fn distance(swa: &Weights<f32>, sgd: &Weights<f32>) -> f64 {
    norm(&difference(swa, sgd))
}

/// The record of the points between two solutions `distance` > 0 apart.
///
/// The shares must reach beyond SGD on both sides, so that the direction from SGD to SWA can be judged there.
pub fn interpolation(
    (title, names): (&str, [&str; 2]),
    points: &[Point],
    distance: f64,
    criteria: &Criteria,
) -> Result<record::Interpolation> {
    let train = profile(points, |point| &point.train)?;
    let judgement = judge_line(&from_sgd(&train, distance)?, criteria, None)?;
    Ok(record::Interpolation {
        title: title.to_owned(),
        names: names.map(str::to_owned),
        bump: bump(&train),
        judgement,
        train: train.without_examples(),
        test: profile(points, |point| &point.test)?.without_examples(),
        train_accuracy: accuracies(points, |point| &point.train),
        test_accuracy: accuracies(points, |point| &point.test),
        distance,
    })
}

/// The same line read from SGD towards SWA, in units of length.
fn from_sgd(profile: &Profile, distance: f64) -> Result<Profile> {
    let offsets = profile.offsets().iter().map(|share| (share - 1.0) * distance).collect();
    let mut along = Profile::new(offsets, profile.losses().to_vec())?;
    if let Some(errors) = profile.standard_errors() {
        along = along.with_standard_errors(errors.to_vec())?;
    }
    if let Some(examples) = profile.examples() {
        along = along.with_examples(examples.to_vec())?;
    }
    Ok(along.mirrored())
}

/// How far the loss rises between the two solutions above the higher of them; 0 if it does not.
fn bump(profile: &Profile) -> f64 {
    let (Some(swa), Some(sgd)) = (profile.at(0.0), profile.at(1.0)) else { return 0.0 };
    let between = profile.offsets().iter().zip(profile.losses()).filter(|(share, _)| (0.0..=1.0).contains(*share));
    between.map(|(_, loss)| loss - swa.max(sgd)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use valleys_sim::profile::grid;

    use super::*;
    use crate::landscape::{Losses, Measured};

    fn made_up(loss: impl Fn(f64) -> f64) -> Vec<Point> {
        let side = |loss: f64| Measured { loss, standard_error: 1e-6, accuracy: 0.5, examples: None };
        let shares = grid(-2.0, 3.0, 51).expect("grid");
        let losses = |at: f64| Losses { train: side(loss(at)), test: side(1.0) };
        shares.iter().map(|&offset| Point::new("", offset, losses(offset))).collect()
    }

    #[test]
    fn the_direction_from_sgd_to_swa_is_judged_in_units_of_length() {
        // Lowest at SGD; slope 1 a share towards SWA and 8 away from it; the solutions are 2 apart.
        let points = made_up(|s| if s < 1.0 { 1.0 - s } else { 8.0 * (s - 1.0) });
        let record = interpolation(("", ["SWA", "SGD"]), &points, 2.0, &Criteria::default()).expect("valid");
        let certificate = record.judgement.canonical.expect("asymmetric");
        assert!(!record.judgement.mirrored);
        assert!((certificate.p - 0.5).abs() < 1e-9 && (certificate.c - 8.0).abs() < 1e-9, "{certificate:?}");
        assert_eq!((record.judgement.half_line, certificate.r_hi, certificate.r_lo), (4.0, 4.0, 0.0));
        assert_eq!(record.bump, 0.0);
    }

    #[test]
    fn a_bump_between_the_solutions_is_measured_above_the_higher_of_them() {
        let points = made_up(|s| s + if (s - 0.5).abs() < 0.05 { 3.0 } else { 0.0 });
        let record = interpolation(("", ["SWA", "SGD"]), &points, 1.0, &Criteria::default()).expect("valid");
        assert!((record.bump - 2.5).abs() < 1e-9, "{}", record.bump);
    }
}
