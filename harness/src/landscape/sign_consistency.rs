//! Asymmetry as a function of how many signs of a direction are those of the weights.
//!
//! Li et al. (*Exploring and Exploiting the Asymmetric Valley of Deep Neural Networks*, 2024) find that valleys are flat
//! towards directions whose signs agree with the weights'. A direction that matches a share f, read backwards, matches
//! 1 − f.

use valleys_sim::direction::{Family, MatchFraction};
use valleys_sim::progress::Observer;
use valleys_sim::record::SignConsistency;

use super::direction::{Law, Restriction};
use super::prevalence::{Draws, group};
use super::{Store, Surface};
use crate::params::Weights;
use crate::{Error, Result};

/// Measures directions of every match fraction, which increase within [0, 1].
///
/// # Errors
/// Fractions that do not, and those of [`group`].
pub fn sign_consistency(
    surface: &mut dyn Surface,
    centre: &Weights<f32>,
    title: &str,
    (fractions, restriction): (&[f64], &Restriction),
    draws: &Draws<'_>,
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<SignConsistency> {
    if let Some(pair) = fractions.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(Error::domain("match fraction", pair[1], format!("more than the one before it, {}", pair[0])));
    }
    let group = |&fraction: &f64| {
        let family = Family::SignMatched(MatchFraction::new(fraction)?);
        let law = Law { family, restriction: restriction.clone() };
        group(surface, centre, (&law.to_string(), &law), draws, store, observer)
    };
    let groups: Vec<_> = fractions.iter().map(group).collect::<Result<_>>()?;
    if groups.is_empty() {
        return Err(Error::domain("number of match fractions", 0, "at least 1"));
    }
    let setting = surface.setting();
    Ok(SignConsistency { title: title.to_owned(), fractions: fractions.to_vec(), groups, setting })
}

#[cfg(test)]
mod tests {
    use valleys_sim::Seed;
    use valleys_sim::asymmetry::{Criteria, Verdict};
    use valleys_sim::profile::grid;
    use valleys_sim::progress::Silent;

    use super::*;
    use crate::landscape::known::{Known, point, valley};

    #[test]
    fn a_valley_that_is_flat_where_weights_grow_is_most_asymmetric_at_full_agreement() {
        // The centre is (1, −1, 1, −1); the loss is flat where |w| grows in every coordinate.
        let train = |w: &[f64]| {
            let signs = [1.0, -1.0, 1.0, -1.0];
            w.iter().zip(signs).map(|(w, sign)| valley(sign * (w - sign))).sum()
        };
        let mut surface = Known::new(4, train, |_| 0.0);
        let offsets = grid(-0.5, 0.5, 5).expect("grid");
        let criteria = Criteria::default();
        let draws = Draws { count: 3, until_asymmetric: false, offsets: &offsets, criteria: &criteria, seed: Seed(1) };
        let centre = point(&[1.0, -1.0, 1.0, -1.0]);
        let measured = |surface: &mut Known, fractions: &[f64]| {
            let asked = (fractions, &Restriction::None);
            sign_consistency(surface, &centre, "", asked, &draws, &mut Vec::new(), &Silent)
        };
        let record = measured(&mut surface, &[0.0, 0.5, 1.0]).expect("measured");
        for (group, mirrored) in [(&record.groups[0], true), (&record.groups[2], false)] {
            assert_eq!(group.count(Verdict::Asymmetric), 3);
            for row in &group.directions {
                let certificate = row.certificate.expect("asymmetric");
                assert!((certificate.c - 4.0).abs() < 1e-4 && row.mirrored == mirrored, "{row:?}");
                let imbalance = row.imbalance().expect("it rises");
                assert!((imbalance - if mirrored { -0.6 } else { 0.6 }).abs() < 1e-4, "{imbalance}");
            }
        }
        let half = record.groups[1].directions.iter().filter_map(|row| row.imbalance());
        assert!(half.into_iter().all(|imbalance| imbalance.abs() < 0.6 - 1e-3));
        for fractions in [&[][..], &[0.5, 0.5], &[0.0, 1.5]] {
            assert!(measured(&mut surface, fractions).is_err(), "{fractions:?}");
        }
    }
}
