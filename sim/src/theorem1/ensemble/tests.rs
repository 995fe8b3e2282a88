use nalgebra::DVector;
use proptest::prelude::*;
use rand::Rng;

use super::super::{Direction, Reading, Shifts, Terms, extremal};
use super::*;
use crate::estimate::Confidence;
use crate::loss::{Exponential, Loss, PiecewiseLinear, Separable, Univariate};
use crate::progress::{Silent, Stopped};

fn exponential(i: usize) -> Exponential {
    Exponential::new(0.5 + 0.1 * (i % 7) as f64, 2.0).expect("valid")
}

/// d axes that differ in everything, the first k of them directions.
struct Parts {
    terms: Terms,
    loss: Separable<Exponential>,
    shifts: Shifts,
    minimiser: DVector<f64>,
}

fn parts(d: usize, k: usize, plus: &[f64]) -> Parts {
    let direction = |i: usize| Direction { p: 1.0, c: 2.0, l: 0.25 + 0.01 * (i % 11) as f64 };
    let plus = (0..d).map(|i| plus[i % plus.len()]).collect();
    let magnitudes = (0..d).map(|i| 1.0 + 0.1 * (i % 5) as f64).collect();
    Parts {
        terms: Terms::new(0.5, 3.0, (0..k).map(direction).collect(), 0.0).expect("valid"),
        loss: Separable::new((0..d).map(exponential).collect()).expect("axes"),
        shifts: Shifts::independent(magnitudes, plus).expect("valid"),
        minimiser: DVector::from_fn(d, |i, _| 0.01 * (i % 3) as f64),
    }
}

fn world(d: usize, k: usize, plus: &[f64]) -> AxisAligned {
    let Parts { terms, loss, shifts, minimiser } = parts(d, k, plus);
    AxisAligned::new(terms, loss, shifts, minimiser).expect("fits")
}

fn instance(d: usize, k: usize, plus: &[f64], reading: Reading) -> Instance {
    let Parts { terms, loss, shifts, minimiser } = parts(d, k, plus);
    let units = (0..k).map(|i| DVector::from_fn(d, |j, _| f64::from(i == j))).collect();
    Instance::new(terms, units, shifts, reading, Box::new(loss), minimiser).expect("fits")
}

/// k equal two-slope valleys, shift 2 and step ½: an axis gains ½·c = 1.5 on the sharp side, −½ on the flat side.
fn valleys(k: usize, plus: f64) -> AxisAligned {
    let terms = Terms::new(1.0, 3.0, vec![Direction { p: 1.0, c: 3.0, l: 0.5 }; k], 0.0).expect("valid");
    let loss = Separable::new(vec![PiecewiseLinear::valley(1.0, 3.0).expect("valid"); k]).expect("axes");
    let shifts = Shifts::independent(vec![2.0; k], vec![plus; k]).expect("valid");
    AxisAligned::new(terms, loss, shifts, DVector::zeros(k)).expect("fits")
}

/// The signs of one pattern, a bit at a time.
fn plain_signs(pattern: u64, plus: &[f64], seed: Seed) -> Vec<bool> {
    let mut rng = seed.stream("theorem 1 signs", pattern / 64);
    let mut bit = || rng.next_u64() >> (pattern % 64) & 1 == 1;
    plus.iter()
        .map(|&q| {
            // The digits of q after the point, down to the last 1.
            let (mut digits, mut rest) = (Vec::new(), q);
            while rest > 0.0 && rest < 1.0 && digits.len() < 64 {
                digits.push(2.0 * rest >= 1.0);
                rest = (2.0 * rest).fract();
            }
            let last = digits.iter().rposition(|&one| one).map_or(0, |i| i + 1);
            digits[..last].iter().rev().fold(q >= 1.0, |sign, &one| if one { bit() | sign } else { bit() & sign })
        })
        .collect()
}

/// The gain of one pattern, a loss at a time.
fn plain_gain(parts: &Parts, signs: &[bool]) -> f64 {
    let magnitudes = parts.shifts.magnitudes();
    signs.iter().enumerate().fold(0.0, |sum, (i, &positive)| {
        let at = parts.minimiser[i] - if positive { magnitudes[i] } else { -magnitudes[i] };
        // ŵ + l − δ is added up from the left.
        let shift = if positive { magnitudes[i] } else { -magnitudes[i] };
        let biased = parts.minimiser[i] + parts.terms.directions()[i].l - shift;
        sum + (exponential(i).value(at) - exponential(i).value(biased))
    })
}

proptest! {
    #[test]
    fn words_give_the_bits_of_one_pattern_at_a_time(
        k in 1usize..90, more in 0usize..5, count in 2u64..200, seed in any::<u64>(),
        plus in prop::collection::vec(prop_oneof![3 => Just(0.5), 1 => Just(0.0), 1 => Just(1.0), 1 => Just(0.375), 2 => 0.0..1.0f64], 1..5),
    ) {
        let (parts, world) = (parts(k + more, k, &plus), world(k + more, k, &plus));
        let ensemble = ensemble(&world, Patterns::Random(count), Seed(seed), &Silent).expect("valid");
        let q = parts.shifts.independent_signs().expect("independent").1;
        let plain = (0..count).map(|pattern| plain_gain(&parts, &plain_signs(pattern, &q[..k], Seed(seed))).to_bits());
        prop_assert_eq!(ensemble.gains().iter().map(|gain| gain.to_bits()).collect::<Vec<_>>(), plain.collect::<Vec<_>>());
    }

    #[test]
    fn any_loss_gives_the_gains_of_the_separable_one(k in 1usize..20, plus in prop::collection::vec(0.0..1.0f64, 1..4)) {
        // With k = d both worlds read the same signs. Losses are below 20·e^4, their differences exact to 1e-12.
        let along_axes = ensemble(&world(k, k, &plus), Patterns::Random(70), Seed(2), &Silent).expect("valid");
        for reading in [Reading::RandomPopulation, Reading::RandomTraining] {
            let any = ensemble(&instance(k, k, &plus, reading), Patterns::Random(70), Seed(2), &Silent).expect("valid");
            for (a, b) in any.gains().iter().zip(along_axes.gains()) {
                prop_assert!((a - b).abs() < 1e-11, "{} {}", a, b);
            }
        }
    }

    #[test]
    fn all_patterns_have_the_exact_moments(k in 1usize..11, more in 0usize..3, plus in prop::collection::vec(0.0..=1.0f64, 1..4)) {
        let world = world(k + more, k, &plus);
        let (exact, all) = (world.exact(), ensemble(&world, Patterns::All, Seed(0), &Silent).expect("few"));
        let mean = all.mean(Confidence::P95).expect("finite");
        let extremes = all.quantiles(&[0.0, 1.0]).expect("levels");
        prop_assert!((mean.estimate - exact.mean).abs() < 1e-12);
        prop_assert_eq!((mean.low, mean.high), (mean.estimate, mean.estimate));
        prop_assert!((all.standard_deviation() - exact.standard_deviation).abs() < 1e-7);
        prop_assert!((extremes[0] - exact.least).abs() < 1e-11 && (extremes[1] - exact.greatest).abs() < 1e-11);
        let counted = instance(k + more, k, &plus, Reading::RandomTraining).gain(&Silent).expect("few").difference;
        prop_assert!((exact.mean - counted).abs() < 1e-11, "{} {}", exact.mean, counted);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let threads = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("pool");
    let (along_axes, any) = (world(300, 250, &[0.5, 0.3]), instance(6, 3, &[0.5], Reading::RandomTraining));
    let both = || {
        let patterns = Patterns::Random(3_001);
        let run = |world: &dyn IndependentSigns| ensemble(world, patterns, Seed(1), &Silent).expect("valid");
        [run(&along_axes), run(&any)].map(|e| (e.quantiles(&[0.1, 0.5, 0.9]).expect("levels"), e))
    };
    assert_eq!(threads(1).install(both), threads(3).install(both));
}

#[test]
fn equal_valleys_have_a_binomial_gain() {
    // Of 4 axes j are on the sharp side with probability C(4, j)/16; the gain is 2j − 2.
    let all = ensemble(&valleys(4, 0.5), Patterns::All, Seed(0), &Silent).expect("few");
    assert_eq!(all.mean(Confidence::P95).expect("finite").estimate, 2.0);
    assert_eq!(all.standard_deviation(), 2.0);
    assert_eq!(all.share_above(0.0, Confidence::P95).expect("a number").estimate, 11.0 / 16.0);
    assert_eq!(all.share_above(-2.5, Confidence::P95).expect("a number").low, 1.0);
    let levels = [0.0, 1.0 / 16.0, 0.07, 5.0 / 16.0, 0.5, 11.0 / 16.0, 0.7, 15.0 / 16.0, 0.95, 1.0];
    assert_eq!(all.quantiles(&levels).expect("levels"), [-2.0, -2.0, 0.0, 0.0, 2.0, 2.0, 4.0, 4.0, 6.0, 6.0]);

    // With sharp sides only 1 in 4 times the gain is as likely to be below 0 as above.
    let biased = ensemble(&valleys(2, 0.25), Patterns::All, Seed(0), &Silent).expect("few");
    assert_eq!(biased.share_above(-1.0, Confidence::P95).expect("a number").estimate, 7.0 / 16.0);
    assert_eq!(biased.quantiles(&[9.0 / 16.0, 0.6, 15.0 / 16.0, 0.95]).expect("levels"), [-1.0, 1.0, 1.0, 3.0]);
}

#[test]
fn quantiles_of_a_sample_are_its_order_statistics() {
    let sample = Ensemble::sampled((1..=100).rev().map(f64::from).collect());
    let levels: Vec<f64> = (1..=100).map(|percent| f64::from(percent) / 100.0).collect();
    assert_eq!(sample.quantiles(&levels).expect("levels"), (1..=100).map(f64::from).collect::<Vec<_>>());
    assert_eq!(sample.share_above(93.0, Confidence::P95).expect("a number").estimate, 0.07);
}

#[test]
fn ten_thousand_dimensions_are_sampled_in_no_time() {
    let (d, count) = (10_000, 4_096);
    let world = world(d, d, &[0.5, 0.3]);
    let (exact, sample) = (world.exact(), ensemble(&world, Patterns::Random(count), Seed(5), &Silent).expect("valid"));
    // Each of the two is missed with probability 0.1 %: the sum of 10⁴ independent terms is normal, so the estimated
    // standard deviation has relative standard error 1/√(2·4096).
    assert!(sample.mean(Confidence::P999).expect("finite").contains(exact.mean));
    let ratio = sample.standard_deviation() / exact.standard_deviation;
    assert!((ratio - 1.0).abs() < 3.29 / (2.0 * count as f64).sqrt(), "{ratio}");
    let least_and_greatest = sample.quantiles(&[0.0, 1.0]).expect("levels");
    assert!(exact.least < least_and_greatest[0] && least_and_greatest[1] < exact.greatest);
}

#[test]
fn the_bound_holds_on_average_and_not_in_every_pattern() {
    let world = valleys(10_000, 0.5);
    let exact = world.exact();
    assert_eq!((exact.mean, exact.standard_deviation), (world.terms().corrected_bound(), 100.0));
    assert_eq!((exact.least, exact.greatest), (-5_000.0, 15_000.0));
    let one = ensemble(&valleys(1, 0.5), Patterns::All, Seed(0), &Silent).expect("few");
    assert_eq!(one.share_above(0.0, Confidence::P95).expect("a number").estimate, 0.5);
}

#[test]
fn worlds_are_compared_on_the_same_patterns() {
    let gains = |l: f64| {
        let terms = Terms::new(1.0, 3.0, vec![Direction { p: 1.0, c: 3.0, l }; 50], 0.0).expect("valid");
        let loss = Separable::new(vec![PiecewiseLinear::valley(1.0, 3.0).expect("valid"); 50]).expect("axes");
        let shifts = Shifts::fair(vec![1.0 + l; 50]).expect("valid");
        let world = AxisAligned::new(terms, loss, shifts, DVector::zeros(50)).expect("fits");
        ensemble(&world, Patterns::Random(100), Seed(3), &Silent).expect("valid").gains().to_vec()
    };
    let doubled: Vec<f64> = gains(0.25).iter().map(|gain| 2.0 * gain).collect();
    assert_eq!(gains(0.5), doubled);
}

#[test]
fn a_loss_that_is_no_sum_is_evaluated_pattern_by_pattern() {
    // The extremal instance has dents and bumps of height ξ, which no sum over axes has; its gain is the bound.
    let terms = Terms::new(1.0, 4.0, vec![Direction { p: 1.0, c: 3.0, l: 1.0 }; 8], 0.125).expect("valid");
    let instance = extremal(&terms, &[2.5; 8], 0.0, Reading::RandomPopulation).expect("valid");
    let all = ensemble(&instance, Patterns::All, Seed(0), &Silent).expect("few");
    assert!((all.mean(Confidence::P95).expect("finite").estimate - terms.corrected_bound()).abs() < 1e-12);
    let sample = ensemble(&instance, Patterns::Random(5_000), Seed(1), &Silent).expect("valid");
    // Missed with probability 0.1 %; the seed is fixed.
    assert!(sample.mean(Confidence::P999).expect("finite").contains(terms.corrected_bound()));
}

#[test]
fn names_what_is_out_of_domain() {
    let run = |world: &dyn IndependentSigns, patterns| {
        ensemble(world, patterns, Seed(0), &Silent).map(drop).expect_err("invalid").to_string()
    };
    let many = world(30, 21, &[0.5]);
    assert_eq!(run(&many, Patterns::Random(1)), "number of sign patterns is 1; allowed: 2 to 2²⁸");
    assert_eq!(
        run(&many, Patterns::Random(u64::MAX)),
        format!("number of sign patterns is {}; allowed: 2 to 2²⁸", u64::MAX)
    );
    assert_eq!(run(&many, Patterns::All), "number of signs is 21; allowed: at most 20 to count out all sign patterns");

    let Parts { terms, loss, minimiser, .. } = parts(2, 2, &[0.5]);
    let listed = || Shifts::dependent(vec![1.0; 2], vec![0.25; 4]).expect("valid");
    let message = "law of the shift is a finite list; allowed: independent signs; a list has its exact gain";
    let axis_aligned = |terms: &Terms, shifts, minimiser: &DVector<f64>| {
        AxisAligned::new(terms.clone(), loss.clone(), shifts, minimiser.clone())
            .map(drop)
            .expect_err("invalid")
            .to_string()
    };
    assert_eq!(axis_aligned(&terms, listed(), &minimiser), message);
    let fair = |d: usize| Shifts::fair(vec![1.0; d]).expect("valid");
    assert_eq!(axis_aligned(&terms, fair(3), &minimiser), "number of coordinates of the shift is 3; allowed: 2");
    let short = DVector::zeros(1);
    assert_eq!(axis_aligned(&terms, fair(2), &short), "number of coordinates of the point ŵ is 1; allowed: 2");
    let three = parts(3, 3, &[0.5]).terms;
    assert_eq!(axis_aligned(&three, fair(2), &minimiser), "number of directions k is 3; allowed: at most 2 axes");
    let far = Shifts::fair(vec![1.0, 1e6]).expect("valid");
    let seen = axis_aligned(&terms, far, &minimiser);
    assert!(seen.starts_with("gain along axis 1 at shift 1000000 is "), "{seen}");

    let units = vec![DVector::from_vec(vec![1.0, 0.0]), DVector::from_vec(vec![0.0, 1.0])];
    let instance = Instance::new(terms, units, listed(), Reading::RandomPopulation, Box::new(loss), minimiser);
    assert_eq!(run(&instance.expect("fits"), Patterns::All), message);

    let all = ensemble(&valleys(2, 0.5), Patterns::All, Seed(0), &Silent).expect("few");
    let message = all.quantiles(&[0.5, 1.5]).expect_err("above 1").to_string();
    assert_eq!(message, "level of a quantile is 1.5; allowed: within [0, 1]");
    let message = all.share_above(f64::NAN, Confidence::P95).expect_err("not a number").to_string();
    assert_eq!(message, "threshold of the gain is NaN; allowed: a number");
}

#[test]
fn a_loss_that_is_not_finite_is_named_by_its_pattern() {
    struct Cliff;
    impl Loss for Cliff {
        fn dimension(&self) -> usize {
            3
        }
        fn value(&self, w: &DVector<f64>) -> f64 {
            if w.iter().all(|x| *x < -1.0) { f64::NAN } else { 0.0 }
        }
        fn gradient(&self, w: &DVector<f64>) -> DVector<f64> {
            DVector::zeros(w.len())
        }
    }
    let Parts { terms, shifts, .. } = parts(3, 1, &[0.5]);
    let (loss, unit) = (Box::new(Cliff), DVector::from_vec(vec![1.0, 0.0, 0.0]));
    let (reading, minimiser) = (Reading::RandomPopulation, DVector::from_element(3, -0.5));
    let instance = Instance::new(terms, vec![unit], shifts, reading, loss, minimiser).expect("fits");
    let error = ensemble(&instance, Patterns::All, Seed(0), &Silent).map(drop).expect_err("not finite");
    assert_eq!(error.to_string(), "gain of sign pattern 7 is NaN; allowed: a finite number");
}

#[test]
fn stops_when_asked() {
    let stopped = ensemble(&valleys(3, 0.5), Patterns::All, Seed(0), &Stopped);
    assert_eq!(stopped.expect_err("stopped"), Error::Interrupted);
}
