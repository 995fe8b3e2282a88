//! Assumption 1 on a network: the law of the shift over random splits of the images on which a line was measured.

use valleys_sim::Profile;
use valleys_sim::Seed;
use valleys_sim::assumption1::{self, Examples, Splits};
use valleys_sim::asymmetry::Criteria;
use valleys_sim::estimate::Moments;
use valleys_sim::progress::Observer;
use valleys_sim::record;

use super::direction::Law;
use super::judged::Judged;
use super::scan::{Cells, scan_one};
use super::surface::require_dimension;
use super::{Store, Surface};
use crate::params::Weights;
use crate::{Error, Result};

/// Which images are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// Training and test images each by themselves: the sampling law of the shift between them.
    Apart,
    /// All together, so that both halves of a split are alike: q is near ½ by construction, a check of the method.
    Together,
}

/// Measures a line, and takes the law of the shift over random splits of its images, read towards the flat side. Theorem 1
/// is held against every split with the certificate matched to the whole line's shift, and half of the step that it
/// allows there, so that shifts of other splits stay within the window.
///
/// # Errors
/// A surface that keeps no example's loss, a line without its centre, and those of [`Surface::measure`].
pub fn shift_law(
    surface: &mut dyn Surface,
    solution: &Weights<f32>,
    (title, law, index): (&str, &Law, u64),
    (offsets, criteria, seed): (&[f64], &Criteria, Seed),
    (pool, splits): (Pool, &Splits),
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<record::ShiftLaw> {
    require_dimension("the solution", solution.values.len(), surface)?;
    let u = law.draw(solution, seed, index)?;
    let line = Cells::new("", offsets, solution, &u)?;
    let points = scan_one(surface, "loss along a line", line, store, observer)?;
    let judged = Judged::of_points(title, &points, criteria)?;
    let caption = (&judged.name(title, law, index)[..], &surface.setting()[..]);
    of_line(&judged, caption, (pool, splits), observer)
}

/// The law of a line that was judged, with its title and how losses were measured.
pub(super) fn of_line(
    judged: &Judged,
    caption: (&str, &str),
    (pool, splits): (Pool, &Splits),
    observer: &dyn Observer,
) -> Result<record::ShiftLaw> {
    let (train, test) = (judged.towards_flat(&judged.train), judged.towards_flat(&judged.test));
    let promise = judged.judgement.matched.as_ref().zip(judged.largest_step().map(|step| 0.5 * step));
    let both;
    let examples = match pool {
        Pool::Apart => Examples::Separate { train: &train, test: &test },
        Pool::Together => {
            both = together(&train, &test)?;
            Examples::Pooled(&both)
        }
    };
    Ok(assumption1::law(caption, examples, judged.shift.radius, promise, splits, observer)?)
}

/// Training and test examples as one line's.
fn together(train: &Profile, test: &Profile) -> Result<Profile> {
    let (Some(ours), Some(theirs)) = (train.examples(), test.examples()) else {
        return Err(Error::domain("per-example losses of the line", "none", "a surface that keeps them"));
    };
    let rows: Vec<Vec<f64>> = ours.iter().zip(theirs).map(|(ours, theirs)| [&ours[..], theirs].concat()).collect();
    let losses = rows.iter().map(|row| Moments::of(row).mean()).collect();
    Ok(Profile::new(train.offsets().to_vec(), losses)?.with_examples(rows)?)
}

#[cfg(test)]
mod tests {
    use valleys_sim::direction::Family;
    use valleys_sim::estimate::Confidence;
    use valleys_sim::profile::grid;
    use valleys_sim::progress::Silent;

    use super::*;
    use crate::landscape::known::point;
    use crate::landscape::sample::Sample;

    fn measure(surface: &mut Sample, pool: Pool) -> Result<record::ShiftLaw> {
        let offsets = grid(-3.0, 3.0, 25).expect("grid");
        let splits = Splits::new(200, Confidence::P95, Seed(3)).expect("valid");
        let how = (&offsets[..], &Criteria::default(), Seed(1));
        let law = Law::of(Family::Ones);
        shift_law(surface, &point(&[0.0]), ("", &law, 0), how, (pool, &splits), &mut Vec::new(), &Silent)
    }

    /// The training loss is one valley, all test examples are the same one moved by ½, all at different heights.
    fn shifted() -> Sample {
        let valley = |x: f64| if x < 0.0 { -4.0 * x } else { x };
        Sample::new(40, move |w, i| valley(w[0]) + i as f64, move |w, i| valley(w[0] - 0.5) + (i * i) as f64)
    }

    #[test]
    fn examples_that_agree_have_one_shift_and_theorem_1_holds_in_every_split() {
        let law = measure(&mut shifted(), Pool::Apart).expect("measured");
        assert!(law.delta.iter().all(|&delta| (delta - 0.5).abs() < 1e-9), "{:?}", law.delta_quantiles);
        assert!(law.gap.iter().all(|&gap| gap < 1e-9));
        assert_eq!((law.q.estimate, law.train_examples, law.population_examples), (1.0, 20, 20));
        assert_eq!(law.setting, "known functions");
        let promise = law.promise.expect("a certificate");
        assert_eq!((promise.certificate.r_hi, promise.certificate.r_lo, promise.step), (1.0, 0.0, 0.25));
        // L(0) − L(¼) = 4·½ − 4·¼.
        assert!((promise.gain.estimate - 1.0).abs() < 1e-9);
        assert_eq!((promise.covered, promise.on_covered.expect("covered").broken), (200, 0));
    }

    #[test]
    fn a_line_whose_flat_side_lies_backwards_is_read_towards_it() {
        let valley = |x: f64| if x > 0.0 { 4.0 * x } else { -x };
        let mut surface = Sample::new(40, move |w, _| valley(w[0]), move |w, _| valley(w[0] + 0.5));
        let law = measure(&mut surface, Pool::Apart).expect("measured");
        assert!(law.title.contains("−ones 0"), "{}", law.title);
        assert!(law.delta.iter().all(|&delta| (delta - 0.5).abs() < 1e-9));
    }

    #[test]
    fn together_the_halves_are_alike() {
        let law = measure(&mut shifted(), Pool::Together).expect("measured");
        assert_eq!((law.train_examples, law.population_examples, law.pooled), (40, 40, true));
        // Binomial(200, ½) apart from ties: 100 ± 43 at six standard deviations.
        let (positive, negative) =
            (law.delta.iter().filter(|&&it| it > 0.0).count(), law.delta.iter().filter(|&&it| it < 0.0).count());
        assert!(positive > 40 && negative > 40, "{positive} and {negative}");
    }

    #[test]
    fn a_surface_without_examples_is_refused() {
        let mut surface = shifted();
        surface.keeps_examples = false;
        for pool in [Pool::Apart, Pool::Together] {
            let message = measure(&mut surface, pool).expect_err("no examples").to_string();
            assert!(message.starts_with("per-example losses of the"), "{message}");
        }
    }
}
