//! Directions between SWA − SGD and a random one (Appendix F, Figure 8).
//!
//! û = unit(unit(w_swa − w_sgd) + u_rand), u_rand of unit length. The paper asks whether the valley through SGD is flat
//! towards SWA along such directions, too, and not only along the one that joins the two.

use valleys_sim::Seed;
use valleys_sim::asymmetry::{Criteria, judge_line};
use valleys_sim::progress::Observer;
use valleys_sim::record::{self, InterRandLine};

use super::direction::Law;
use super::point::profile;
use super::scan::{Cells, scan};
use super::surface::require_dimension;
use super::vector::{difference, dot, norm, unit};
use super::{Store, Surface};
use crate::Result;
use crate::params::Weights;

/// The two solutions: the biased one, w_swa in the paper, and the settled one, w_sgd; with their names.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// Such as `SWA` and `SGD after SWA`.
    pub names: [&'a str; 2],
    /// w_swa.
    pub biased: &'a Weights<f32>,
    /// w_sgd.
    pub settled: &'a Weights<f32>,
}

/// Measures, for each of `count` random parts of every law, the lines along û through both solutions.
///
/// # Errors
/// Solutions that are one, and those of [`Surface::measure`].
pub fn inter_rand(
    surface: &mut dyn Surface,
    pair: &Pair<'_>,
    (title, laws, count): (&str, &[Law], u64),
    (offsets, criteria, seed): (&[f64], &Criteria, Seed),
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<record::InterRand> {
    require_dimension("the biased solution", pair.biased.values.len(), surface)?;
    require_dimension("the settled solution", pair.settled.values.len(), surface)?;
    let between = difference(pair.settled, pair.biased);
    let inter = unit("the way between the two solutions", between.clone())?;
    let mut lines = Vec::new();
    observer.begin("lines between the solutions and at random", laws.len() as u64 * count);
    let measured: Result<()> =
        laws.iter().flat_map(|law| (0..count).map(move |index| (law, index))).try_for_each(|(law, index)| {
            let random = unit("the random part", law.draw(pair.settled, seed, index)?)?;
            let sum = inter.iter().zip(&random).map(|(a, b)| a + b).collect();
            let u = unit("the sum of the two directions", sum)?;
            let through = |name: &str, centre| Cells::new(format!("{law} {index} through {name}"), offsets, centre, &u);
            let both = [through("settled", pair.settled)?, through("biased", pair.biased)?];
            let points = scan(surface, "loss along a line", &both, store, observer)?;
            let train = profile(&points[0], |point| &point.train)?;
            lines.push(InterRandLine {
                family: law.to_string(),
                index,
                biased_offset: dot(&between, &u),
                judgement: judge_line(&train, criteria, None)?,
                settled_train: train.without_examples(),
                settled_test: profile(&points[0], |point| &point.test)?.without_examples(),
                biased_train: profile(&points[1], |point| &point.train)?.without_examples(),
                biased_test: profile(&points[1], |point| &point.test)?.without_examples(),
            });
            observer.advance(1);
            Ok(())
        });
    observer.finish();
    measured?;
    Ok(record::InterRand {
        title: title.to_owned(),
        names: pair.names.map(str::to_owned),
        lines,
        distance: norm(&between),
        setting: surface.setting(),
    })
}

#[cfg(test)]
mod tests {
    use valleys_sim::direction::Family;
    use valleys_sim::profile::grid;
    use valleys_sim::progress::Silent;

    use super::*;
    use crate::landscape::known::{Known, point, valley};

    #[test]
    fn half_way_to_a_random_direction_the_valley_keeps_its_sides() {
        // A valley along the first axis; SGD at its kink, SWA 3 up the flat side.
        let mut surface = Known::new(3, |w| valley(w[0]), |w| valley(w[0]) + 1.0);
        let (settled, biased) = (point(&[0.0; 3]), point(&[3.0, 0.0, 0.0]));
        let pair = Pair { names: ["SWA", "SGD"], biased: &biased, settled: &settled };
        let offsets = grid(-4.0, 4.0, 17).expect("grid");
        let (laws, criteria) = ([Law::of(Family::Gaussian), Law::of(Family::Uniform)], Criteria::default());
        let how = (&offsets[..], &criteria, Seed(2));
        let record = inter_rand(&mut surface, &pair, ("", &laws, 4), how, &mut Vec::new(), &Silent).expect("measured");
        assert_eq!((record.lines.len(), record.distance, surface.measured), (8, 3.0, 8 * 2 * 17));
        for line in &record.lines {
            // û₁ = (1 + r₁)/√(2 + 2r₁) = √((1 + r₁)/2) ≥ 0, and slopes along û are the valley's times û₁.
            let first = line.biased_offset / 3.0;
            let certificate = line.judgement.canonical.expect("asymmetric");
            assert!(!line.judgement.mirrored && (certificate.c - 4.0).abs() < 1e-3, "{certificate:?}");
            assert!((certificate.p - first).abs() < 1e-3 && first > 0.0 && first < 1.0);
            assert!((line.biased_train.at(0.0).expect("measured") - 3.0).abs() < 1e-5);
            assert!((line.settled_test.at(0.0).expect("measured") - 1.0).abs() < 1e-5);
        }
        let same = Pair { biased: &settled, ..pair };
        assert!(inter_rand(&mut surface, &same, ("", &laws, 1), how, &mut Vec::new(), &Silent).is_err());
    }
}
