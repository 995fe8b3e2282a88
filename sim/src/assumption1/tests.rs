use proptest::prelude::*;

use super::split::halves;
use super::*;
use crate::profile::grid;
use crate::progress::Silent;
use crate::seed::standard_normal;

/// A line of 61 points of [−3, 3] on which example i has the loss f(l − a_i) + b_i.
fn line(shifts: &[f64], heights: &[f64], f: impl Fn(f64) -> f64) -> Profile {
    let offsets = grid(-3.0, 3.0, 61).expect("grid");
    let row = |&l: &f64| shifts.iter().zip(heights).map(|(a, b)| f(l - a) + b).collect::<Vec<f64>>();
    let rows: Vec<Vec<f64>> = offsets.iter().map(row).collect();
    let means = rows.iter().map(|row| Moments::of(row).mean()).collect();
    Profile::new(offsets, means).and_then(|profile| profile.with_examples(rows)).expect("valid")
}

fn normals(purpose: &str, count: usize, mean: f64, deviation: f64) -> Vec<f64> {
    let mut rng = Seed(41).stream(purpose, 0);
    (0..count).map(|_| mean + deviation * standard_normal(&mut rng)).collect()
}

fn mean(values: &[f64], chosen: &[usize]) -> f64 {
    chosen.iter().map(|&i| values[i]).sum::<f64>() / chosen.len() as f64
}

fn valley(x: f64) -> f64 {
    if x < 0.0 { -3.0 * x } else { x }
}

#[test]
fn halves_are_halves_and_every_example_is_as_likely_in_either() {
    let mut seen = [0u32; 7];
    for index in 0..7_000 {
        let (half, rest) = halves(7, Seed(1), "split", index);
        assert_eq!((half.len(), rest.len()), (3, 4));
        let mut all = [half.clone(), rest].concat();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5, 6]);
        half.iter().for_each(|&i| seen[i] += 1);
    }
    // Binomial(7000, 3/7): 3000 ± 249 (six standard deviations of 41.4), false alarm 1.4e-8 for all seven.
    assert!(seen.iter().all(|&n| (2_751..=3_249).contains(&n)), "{seen:?}");
}

#[test]
fn shifted_parabolas_have_the_difference_of_their_mean_shifts() {
    // The mean of (l − a_i)² + b_i is a parabola about the mean of a_i, so δ* is the difference of the means of the two
    // parts, up to the interpolation (h²/4 in the loss).
    let (shifts, heights) = (normals("a", 40, 0.0, 1.0), normals("b", 40, 0.0, 5.0));
    let pool = line(&shifts, &heights, |x| x * x);
    let splits = Splits::new(200, Confidence::P95, Seed(2)).expect("valid");
    let law = law(("pool", "known"), Examples::Pooled(&pool), 2.0, None, &splits, &Silent).expect("valid");
    assert_eq!((law.train_examples, law.population_examples, law.pooled), (20, 20, true));
    let mut positive = 0;
    for (index, (&delta, &gap)) in law.delta.iter().zip(&law.gap).enumerate() {
        let (half, rest) = halves(40, Seed(2), "split", index as u64);
        let wanted = (mean(&shifts, &rest) - mean(&shifts, &half)).clamp(-1.0, 1.0);
        assert!((delta - wanted).abs() < 0.01, "split {index}: {delta}, wanted {wanted}");
        assert!(wanted.abs() == 1.0 || gap < 0.01, "{gap}");
        positive += u32::from(delta > 0.0);
    }
    assert_eq!(law.q.estimate, f64::from(positive) / 200.0);
    assert!(law.q.low < law.q.estimate && law.q.estimate < law.q.high);
    assert_eq!(law.at_end, law.delta.iter().filter(|delta| delta.abs() > 0.999_999).count() as u64);
    let mut sorted = law.delta.clone();
    sorted.sort_by(f64::total_cmp);
    let quantiles = law.delta_quantiles;
    assert_eq!([quantiles.q05, quantiles.q50, quantiles.q95], [sorted[9], sorted[99], sorted[189]]);
    assert!(law.gap.iter().zip(&law.gap_at_zero).all(|(best, zero)| best <= zero));
}

#[test]
fn halves_of_one_pool_are_as_often_shifted_either_way() {
    // Skew shifts (squares), yet the halves are exchangeable: 1,000 splits, 500 ± 95 (six standard deviations), false alarm
    // 2e-9. A shift of 0 would need equal means.
    let shifts: Vec<f64> = normals("skew", 60, 0.0, 0.7).iter().map(|x| x * x).collect();
    let pool = line(&shifts, &[0.0; 60], |x| x * x);
    let law = law(("", "known"), Examples::Pooled(&pool), 2.0, None, &Splits::default(), &Silent).expect("valid");
    assert!((law.q.estimate - 0.5).abs() <= 0.095, "{:?}", law.q);
    assert_eq!((law.delta.len(), law.zero), (1_000, 0));
}

#[test]
fn separate_examples_show_their_own_shift_and_its_spread() {
    // Training parabolas about 0, test parabolas about 0.4. Halves of 100 examples vary as whole samples do:
    // the deviation of δ* is √(σ²/100 + σ²/100), here within 20 % (six standard deviations of a deviation of 1,000
    // splits are 13 %, the rest is the samples' own σ).
    let (near, far) = (normals("train", 100, 0.0, 0.5), normals("test", 100, 0.4, 0.5));
    let (train, test) = (line(&near, &[0.0; 100], |x| x * x), line(&far, &[3.0; 100], |x| x * x));
    let separate = Examples::Separate { train: &train, test: &test };
    let law = law(("", "known"), separate, 2.0, None, &Splits::default(), &Silent).expect("valid");
    let all: Vec<usize> = (0..100).collect();
    let moments = Moments::of(&law.delta);
    assert!((moments.mean() - (mean(&far, &all) - mean(&near, &all))).abs() < 0.02, "{moments:?}");
    let variance = |values: &[f64]| Moments::of(values).variance().expect("many");
    let wanted = ((variance(&near) + variance(&far)) / 100.0).sqrt();
    assert!((moments.variance().expect("many").sqrt() / wanted - 1.0).abs() < 0.2, "{moments:?} {wanted}");
    assert!(law.q.low > 0.95 && !law.pooled, "{:?}", law.q);
}

#[test]
fn theorem_1_predicts_the_gain_of_the_splits_that_it_speaks_of() {
    // Every training example is one valley, every test example the same one moved by 0.5 or −0.5, all of one height: δ* of
    // a split lies between. With slopes −3 and 1 the certificate is (r̄, 0, 1, 3).
    let train = line(&[0.0; 8], &[0.0; 8], valley);
    let certificate = Certificate { r_hi: 1.0, r_lo: 0.0, p: 1.0, c: 3.0, c_is_lower_bound: false, gain: 0.0 };
    let promise = |test: &Profile, step: f64| {
        let separate = Examples::Separate { train: &train, test };
        let law =
            law(("", "known"), separate, 2.0, Some((&certificate, step)), &Splits::default(), &Silent).expect("valid");
        law.promise.expect("given")
    };
    let right = promise(&line(&[0.5; 8], &[0.0; 8], valley), 0.5);
    let covered = right.on_covered.expect("all");
    assert_eq!((right.covered, right.asymmetric, covered.broken, covered.q.estimate), (1_000, 1_000, 0, 1.0));
    // l·c·p = 1.5, and the loss at 0 is 1.5 above that at 0.5.
    assert!((covered.bound - 1.5).abs() < 1e-9 && (right.gain.estimate - 1.5).abs() < 1e-9, "{right:?}");
    let left = promise(&line(&[-0.5; 8], &[0.0; 8], valley), 0.5);
    let covered = left.on_covered.expect("all");
    assert!((covered.bound + 0.5).abs() < 1e-9 && (covered.gain + 0.5).abs() < 1e-9, "{left:?}");
    // A step beyond the shift leaves the window, and the theorem is silent.
    let long = promise(&line(&[0.5; 8], &[0.0; 8], valley), 0.6);
    assert_eq!((long.within_window, long.covered, long.on_covered), (0, 0, None));
    assert_eq!((long.within_radius, long.asymmetric), (1_000, 1_000));
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let pool = line(&normals("a", 30, 0.0, 0.5), &normals("b", 30, 0.0, 1.0), valley);
    let splits = Splits::new(50, Confidence::P95, Seed(4)).expect("valid");
    let run = || law(("", "known"), Examples::Pooled(&pool), 2.0, None, &splits, &Silent).expect("valid");
    let threads = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("pool");
    assert_eq!(threads(1).install(run), threads(2).install(run));
}

#[test]
fn names_what_does_not_fit() {
    let pool = line(&[0.0, 0.1, -0.1], &[0.0; 3], valley);
    let bare = pool.clone().without_examples();
    let message = |examples: Examples, radius, promise: Option<(&Certificate, f64)>| {
        law(("", "known"), examples, radius, promise, &Splits::default(), &Silent).expect_err("invalid").to_string()
    };
    assert_eq!(
        message(Examples::Separate { train: &pool, test: &bare }, 2.0, None),
        "per-example losses of the test profile is none; allowed: a profile that keeps them"
    );
    assert_eq!(message(Examples::Pooled(&pool), 0.0, None), "radius R is 0; allowed: a finite number > 0");
    assert_eq!(
        message(Examples::Pooled(&pool), 3.0, None),
        "radius R is 3; allowed: less than 3, the half-line of the test profile"
    );
    let wide = Certificate { r_hi: 4.0, r_lo: 0.0, p: 1.0, c: 3.0, c_is_lower_bound: false, gain: 0.0 };
    assert_eq!(
        message(Examples::Pooled(&pool), 2.0, Some((&wide, 0.5))),
        "r̄ of the certificate is 4; allowed: at most 3, R of the line"
    );
    let narrow = Certificate { r_hi: 2.0, ..wide };
    assert!(message(Examples::Pooled(&pool), 2.0, Some((&narrow, -0.5))).starts_with("step l is -0.5"));
    assert!(message(Examples::Pooled(&pool), 2.0, Some((&narrow, 3.5))).starts_with("step l is 3.5"));
    assert!(Splits::new(1, Confidence::P95, Seed(0)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_split_breaks_the_theorem(
        shifts in prop::collection::vec(-1.5..1.5f64, 6..20),
        sharp in 1.5..6.0f64,
        bend in 0.0..0.3f64,
        step in 0.0..0.4f64,
        seed in 0u64..1000,
    ) {
        let heights: Vec<f64> = shifts.iter().map(|a| a * 7.0).collect();
        let pool = line(&shifts, &heights, |x| if x < 0.0 { -sharp * x } else { x } + bend * x * x);
        let size = 0.5;
        let certificate = crate::asymmetry::matched(&pool, size, 0.0).expect("valid");
        prop_assume!(certificate.is_some());
        let splits = Splits::new(60, Confidence::P95, Seed(seed)).expect("valid");
        let promise = certificate.as_ref().map(|certificate| (certificate, step));
        let law = law(("", "known"), Examples::Pooled(&pool), 1.5, promise, &splits, &Silent).expect("valid");
        let promise = law.promise.expect("given");
        if let Some(covered) = promise.on_covered {
            prop_assert_eq!(covered.broken, 0);
            prop_assert!(covered.gain >= covered.mean_bound - 1e-9);
            prop_assert!(covered.bound <= covered.mean_bound + 1e-12);
        }
    }
}
