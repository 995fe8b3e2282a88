//! When the shape of a loss along one direction has settled (Section 5.2 of the paper, Figure 6).

use crate::error::positive;
use crate::{Error, Profile, Result};

/// How far a profile's shape is from another's: the largest |(L(l) − L(0)) − (M(l) − M(0))| over the offsets, as a share
/// of M's range. Profiles of one shape depart by 0, wherever they lie vertically.
///
/// # Errors
/// Different offsets, offsets that leave 0 out, and a constant M.
pub fn departure(profile: &Profile, last: &Profile) -> Result<f64> {
    if profile.offsets() != last.offsets() {
        return Err(Error::domain("offsets of a profile", "another set", "those of the last profile"));
    }
    let (Some(centre), Some(last_centre)) = (profile.at(0.0), last.at(0.0)) else {
        return Err(Error::domain("first offset", last.offsets()[0], "at most 0, so that the centre is measured"));
    };
    let (low, high) =
        last.losses().iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
    let range = positive("range of the last profile", high - low)?;
    let rises = profile.losses().iter().zip(last.losses());
    let largest = rises.map(|(loss, last)| ((loss - centre) - (last - last_centre)).abs()).fold(0.0, f64::max);
    Ok(largest / range)
}

/// The first place from which on every departure is below the tolerance > 0; none if only the last is, or none.
pub fn stable_from(departures: &[f64], tolerance: f64) -> Option<usize> {
    let first = departures.iter().rposition(|&departure| departure >= tolerance).map_or(0, |place| place + 1);
    (first + 1 < departures.len()).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::grid;

    fn line(curve: impl Fn(f64) -> f64) -> Profile {
        Profile::sample(grid(-2.0, 2.0, 5).expect("grid"), curve).expect("profile")
    }

    #[test]
    fn a_departure_is_measured_from_the_centre_in_units_of_the_range() {
        let last = line(|l| l * l);
        assert_eq!(departure(&line(|l| l * l + 7.0), &last).expect("valid"), 0.0);
        assert_eq!(departure(&line(|l| 2.0 * l * l), &last).expect("valid"), 1.0);
        assert_eq!(departure(&line(|l| l * l + l), &last).expect("valid"), 0.5);
        assert!(departure(&last, &line(|_| 1.0)).is_err());
        let aside = Profile::new(vec![1.0, 2.0], vec![0.0, 1.0]).expect("profile");
        assert!(departure(&aside, &aside).is_err() && departure(&aside, &last).is_err());
    }

    #[test]
    fn stable_means_from_there_on() {
        assert_eq!(stable_from(&[0.5, 0.05, 0.3, 0.09, 0.05, 0.0], 0.1), Some(3));
        assert_eq!(stable_from(&[0.05, 0.0], 0.1), Some(0));
        assert_eq!(stable_from(&[0.05, 0.2, 0.0], 0.1), None, "the last one departs by 0 from itself");
        assert_eq!(stable_from(&[], 0.1), None);
    }
}
