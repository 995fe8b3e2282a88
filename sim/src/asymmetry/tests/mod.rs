//! The examples of the definition, agreement with a brute-force reference, and invariances.

mod errors;
mod reference;

use proptest::prelude::*;

use super::*;
use crate::profile::grid;

fn line(f: impl FnMut(f64) -> f64) -> Profile {
    Profile::sample(grid(-3.0, 3.0, 61).expect("grid"), f).expect("profile")
}

fn kinked(x: f64) -> f64 {
    if x < 0.0 { -3.0 * x } else { x }
}

fn smooth(x: f64) -> f64 {
    libm::exp(-x) + x
}

fn verdict(profile: &Profile) -> Verdict {
    judge(profile, &Criteria::default()).expect("valid").verdict
}

#[track_caller]
fn assert_certificate(seen: Option<Certificate>, wanted: (f64, f64, f64, f64), gain: f64) {
    let seen = seen.expect("a certificate");
    let numbers =
        [(seen.r_hi, wanted.0), (seen.r_lo, wanted.1), (seen.p, wanted.2), (seen.c, wanted.3), (seen.gain, gain)];
    for (a, b) in numbers {
        assert!((a - b).abs() <= 1e-9 * (1.0 + b.abs()), "{seen:?}, wanted {wanted:?} with gain {gain}");
    }
}

/// The same certificate but for rounding.
#[track_caller]
fn assert_same(seen: Option<Certificate>, wanted: Option<Certificate>) {
    assert_eq!(seen.is_some(), wanted.is_some(), "{seen:?} {wanted:?}");
    if let (Some(a), Some(b)) = (seen, wanted) {
        assert_eq!(a.c_is_lower_bound, b.c_is_lower_bound);
        assert_certificate(seen, (b.r_hi, b.r_lo, b.p, b.c), b.gain);
    }
}

#[test]
fn a_square_is_symmetric_and_nothing_is_matched() {
    let square = line(|x| x * x);
    assert_eq!(verdict(&square), Verdict::Symmetric);
    assert_eq!(matched(&square, 0.4, 0.0).expect("valid"), None);
    assert!(front(&square).expect("valid").is_empty());
}

#[test]
fn a_kinked_valley_is_its_own_certificate() {
    let valley = line(kinked);
    let judgement = judge(&valley, &Criteria::default()).expect("valid");
    assert_eq!((judgement.verdict, judgement.half_line), (Verdict::Asymmetric, 3.0));
    assert_certificate(judgement.canonical, (3.0, 0.0, 1.0, 3.0), 1.5);
    assert!(!judgement.canonical.expect("certificate").c_is_lower_bound);
    assert_certificate(matched(&valley, 0.4, 0.0).expect("valid"), (0.8, 0.0, 1.0, 3.0), 0.4);
    assert_certificate(matched(&valley, 0.4, 0.05).expect("valid"), (0.8, 0.0, 1.0, 3.0), 0.3);
    // The widest window already has the largest c, so it is the whole front.
    assert_eq!(judgement.front.len(), 1);
    assert_certificate(Some(judgement.front[0].certificate), (3.0, 0.0, 1.0, 3.0), 1.5);
}

#[test]
fn a_tilted_line_is_not_a_valley() {
    for tilt in [1.0, -1.0, 1e-3] {
        let tilted = line(|x| 5.0 + tilt * x);
        assert_eq!(verdict(&tilted), Verdict::NotAValley);
        assert_eq!(matched(&tilted, 0.4, 0.0).expect("valid"), None);
    }
}

#[test]
fn an_exponential_wall_beside_a_line() {
    // Slopes between the knots of a grid of step 0.1, in closed form.
    let (flat, sharp) =
        (|a: f64, b: f64| (smooth(b) - smooth(a)) / (b - a), |a: f64, b: f64| (smooth(-b) - smooth(-a)) / (b - a));
    let valley = line(smooth);
    let judgement = judge(&valley, &Criteria::default()).expect("valid");
    let (p, s) = (flat(2.9, 3.0), sharp(2.2, 2.3));
    assert_certificate(judgement.canonical, (3.0, 2.2, p, s / p), (s - p) * 0.2);
    assert!((p - 0.948).abs() < 5e-4 && (s / p - 8.96).abs() < 5e-3);
    let (p, s) = (flat(0.4, 0.5), sharp(0.3, 0.4));
    assert_certificate(matched(&valley, 0.4, 0.0).expect("valid"), (0.5, 0.3, p, s / p), (s - p) * 0.05);
    assert!((p - 0.362).abs() < 5e-4 && (s / p - 1.16).abs() < 5e-3);
}

#[test]
fn widths_that_differ_by_rounding_are_one_width_of_the_front() {
    // Two steep pieces of the sharp side: 9 between 2 and 2.1, which is a little more than 0.1, and 10 between 0.3 and 0.4.
    let wall = |x: f64, from: f64, slope: f64| (slope - 3.0) * (x - from).clamp(0.0, 0.1);
    let valley = line(|x| if x < 0.0 { -3.0 * x + wall(-x, 0.3, 10.0) + wall(-x, 2.0, 9.0) } else { x });
    let front = front(&valley).expect("valid");
    assert_eq!(front.len(), 2);
    assert_certificate(Some(front[0].certificate), (0.4, 0.3, 1.0, 10.0), 9.0 * 0.025);
    assert_certificate(Some(front[1].certificate), (3.0, 0.0, 1.0, 3.0), 1.5);
}

#[test]
fn a_side_that_does_not_rise_gives_a_lower_bound() {
    // Walls on the left, a slope that goes on falling by 0.5 on the right beyond a wall at [0, 1].
    let valley = Profile::new(vec![-3.0, -1.0, 0.0, 1.0, 3.0], vec![9.0, 1.0, 0.0, 3.0, 2.0]).expect("valid");
    let judgement = judge(&valley, &Criteria::default()).expect("valid");
    let certificate = judgement.canonical.expect("certificate");
    assert!(certificate.c_is_lower_bound);
    assert_certificate(Some(certificate), (3.0, 1.0, 3e-6, 4.0 / 3e-6), (4.0 - 3e-6) * 0.5);
}

#[test]
fn a_constant_line_is_symmetric_and_has_no_certificate() {
    let constant = line(|_| 2.0);
    let judgement = judge(&constant, &Criteria::default()).expect("valid");
    assert_eq!((judgement.verdict, judgement.canonical, judgement.front.len()), (Verdict::Symmetric, None, 0));
    assert_eq!(matched(&constant, 1.0, 0.0).expect("valid"), None);
}

#[test]
fn the_thresholds_are_strict_up_to_rounding() {
    // c is exactly 3: above a threshold of 2.999, not above 3, though rounding may put it 1e-15 higher.
    let valley = line(kinked);
    let with =
        |share: f64, ratio: f64| judge(&valley, &Criteria::new(share, ratio).expect("valid")).expect("valid").verdict;
    assert_eq!(with(0.2, 2.999), Verdict::Asymmetric);
    assert_eq!(with(0.2, 3.0), Verdict::Symmetric);
    assert_eq!(with(1.0, 2.0), Verdict::Asymmetric);
}

#[test]
fn offsets_and_their_mirror_images_are_one_knot() {
    let noisy = Profile::new(
        vec![-3.0, -2.0 - 1e-12, -1.0 + 1e-12, 0.0, 1.0, 2.0, 3.0 + 1e-12],
        vec![9.0, 6.0, 3.0, 0.0, 1.0, 2.0, 3.0],
    )
    .expect("valid");
    let slopes = Slopes::of(&noisy).expect("valid");
    assert_eq!(slopes.knots().len(), 4);
    assert_certificate(judge(&noisy, &Criteria::default()).expect("valid").canonical, (3.0, 0.0, 1.0, 3.0), 1.5);
    // Offsets that differ: each makes a knot on both sides.
    let uneven = Profile::new(vec![-2.0, -0.5, 0.0, 1.0, 5.0], vec![6.0, 1.5, 0.0, 1.0, 5.0]).expect("valid");
    assert_eq!(Slopes::of(&uneven).expect("valid").knots(), [0.0, 0.5, 1.0, 2.0]);
}

#[test]
fn both_ways_finds_the_flat_side() {
    let valley = line(|x| kinked(-x));
    assert_eq!(verdict(&valley), Verdict::Symmetric);
    let both = judge_both(&valley, &Criteria::default()).expect("valid");
    assert!(both.mirrored);
    assert_eq!(both.other.verdict, Verdict::Symmetric);
    let record = judge_line(&valley, &Criteria::default(), Some((0.4, 0.0))).expect("valid");
    assert!(record.mirrored && record.verdict == Verdict::Asymmetric && record.half_line == 3.0);
    assert_certificate(record.canonical, (3.0, 0.0, 1.0, 3.0), 1.5);
    assert_certificate(record.matched, (0.8, 0.0, 1.0, 3.0), 0.4);
}

#[test]
fn refuses_what_cannot_be_judged() {
    let message = |offsets: &[f64]| {
        let profile = Profile::new(offsets.to_vec(), vec![0.0; offsets.len()]).expect("valid");
        judge(&profile, &Criteria::default()).expect_err("one-sided").to_string()
    };
    let name = "R, the half-line measured on both sides of the centre";
    assert_eq!(message(&[0.0, 1.0]), format!("{name} is 0; allowed: more than 0"));
    assert_eq!(message(&[1.0, 2.0]), format!("{name} is -1; allowed: more than 0"));
    let steep = Profile::new(vec![-1.0, 0.0, 1.0], vec![f64::MAX, f64::MIN, 0.0]).expect("valid");
    assert!(judge(&steep, &Criteria::default()).is_err());
    assert!(matched(&line(kinked), -0.4, 0.0).is_err());
    assert!(matched(&line(kinked), 0.4, f64::NAN).is_err());
    assert!(Criteria::new(0.0, 2.0).is_err() && Criteria::new(1.1, 2.0).is_err() && Criteria::new(0.2, 0.9).is_err());
}

/// A valley at or near 0 with uneven offsets and losses that are multiples of 1/8, so that ties happen.
fn any_profile() -> impl Strategy<Value = Profile> {
    (prop::collection::btree_set(-24i32..=24, 0..14), 1i32..=24, 1i32..=24).prop_flat_map(|(inside, left, right)| {
        let mut offsets: std::collections::BTreeSet<i32> =
            inside.into_iter().filter(|x| (-left..=right).contains(x)).collect();
        offsets.extend([-left, 0, right]);
        let offsets: Vec<f64> = offsets.into_iter().map(|x| f64::from(x) / 8.0).collect();
        let bowl: Vec<f64> = offsets.iter().map(|&x| if x < 0.0 { -6.0 * x } else { x }).collect();
        prop::collection::vec(-8i32..24, offsets.len()).prop_map(move |noise| {
            let losses = noise.iter().zip(&bowl).map(|(&n, b)| f64::from(n) / 8.0 + b).collect();
            Profile::new(offsets.clone(), losses).expect("valid")
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn agrees_with_the_definition_window_by_window(profile in any_profile(), shift in 0.0..3.0f64) {
        let valleys = reference::valleys(&profile);
        let judgement = judge(&profile, &Criteria::default()).expect("valid");
        let canonical = reference::best(&valleys, |w| {
            w.is_admissible(&profile).then(|| (w.s - w.p) * (w.r_hi - w.r_lo) / 4.0)
        });
        let expected = match canonical {
            Some(_) => Verdict::Asymmetric,
            None if valleys.is_empty() => Verdict::NotAValley,
            None => Verdict::Symmetric,
        };
        prop_assert_eq!(judgement.verdict, expected);
        prop_assert_eq!(judgement.canonical.is_some(), canonical.is_some());
        if let Some((w, gain)) = canonical {
            assert_certificate(judgement.canonical, (w.r_hi, w.r_lo, w.p, w.s / w.p), gain);
        }
        let expected = reference::best(&valleys, |w| {
            let step = (w.r_hi - shift).min(shift - w.r_lo);
            (w.exceeds(1.0) && step > 1e-9 * profile.half_line()).then(|| (w.s - w.p) * step / 2.0)
        });
        let seen = matched(&profile, shift, 0.25).expect("valid");
        prop_assert_eq!(seen.is_some(), expected.is_some());
        if let Some((w, gain)) = expected {
            assert_certificate(seen, (w.r_hi, w.r_lo, w.p, w.s / w.p), gain - 0.5);
        }
    }

    #[test]
    fn the_front_is_what_no_window_beats(profile in any_profile()) {
        let valleys = reference::valleys(&profile);
        let windows: Vec<_> = valleys.iter().filter(|w| w.exceeds(1.0)).collect();
        let front = front(&profile).expect("valid");
        prop_assert_eq!(front.is_empty(), windows.is_empty());
        for pair in front.windows(2) {
            prop_assert!(pair[0].width < pair[1].width && pair[0].certificate.c > pair[1].certificate.c);
        }
        for w in windows {
            let (width, c) = (w.r_hi - w.r_lo, w.s / w.p);
            let covers = |point: &FrontPoint| point.width >= width - 1e-8 && point.certificate.c >= c * (1.0 - 1e-8);
            prop_assert!(front.iter().any(covers), "width {width}, c {c}");
        }
        for point in &front {
            let is_window = |w: &reference::Window| w.r_lo == point.certificate.r_lo && w.r_hi == point.certificate.r_hi;
            let w = valleys.iter().find(|w| is_window(w)).expect("a valley window");
            prop_assert!((w.s / w.p - point.certificate.c).abs() <= 1e-9 * point.certificate.c);
        }
    }

    #[test]
    fn units_do_not_matter(profile in any_profile(), stretch in -3i32..4, scale in -3i32..4, raise in -9i32..9, shift in 0.0..2.0f64) {
        // Powers of two and whole numbers keep ties as they are.
        let (x, y) = (2f64.powi(stretch), 2f64.powi(scale));
        let offsets = profile.offsets().iter().map(|l| x * l).collect();
        let losses = profile.losses().iter().map(|l| y * (l + f64::from(raise))).collect();
        let other = Profile::new(offsets, losses).expect("valid");
        let convert = |c: Certificate| Certificate { r_hi: x * c.r_hi, r_lo: x * c.r_lo, p: y / x * c.p, gain: y * c.gain, ..c };
        let (here, there) = (judge(&profile, &Criteria::default()).expect("valid"), judge(&other, &Criteria::default()).expect("valid"));
        prop_assert_eq!(here.verdict, there.verdict);
        assert_same(here.canonical.map(convert), there.canonical);
        let (here, there) = (matched(&profile, shift, 0.0).expect("valid"), matched(&other, x * shift, 0.0).expect("valid"));
        assert_same(here.map(convert), there);
    }

    #[test]
    fn the_mirrored_profile_has_the_mirrored_judgement(profile in any_profile()) {
        let criteria = Criteria::default();
        let (both, turned) = (judge_both(&profile, &criteria).expect("valid"), judge_both(&profile.mirrored(), &criteria).expect("valid"));
        let (along, against) = if both.mirrored { (&both.other, &both.better) } else { (&both.better, &both.other) };
        for (seen, profile) in [(along, profile.clone()), (against, profile.mirrored())] {
            let wanted = judge(&profile, &criteria).expect("valid");
            prop_assert_eq!(seen.verdict, wanted.verdict);
            prop_assert_eq!(seen.front.len(), wanted.front.len());
            assert_same(seen.canonical, wanted.canonical);
        }
        prop_assert!(both.better.rank() >= both.other.rank());
        prop_assert_eq!(both.better.verdict, turned.better.verdict);
        let gain = |both: &BothWays| both.better.canonical.map_or(0.0, |certificate| certificate.gain);
        prop_assert!((gain(&both) - gain(&turned)).abs() <= 1e-9 * gain(&both));
    }
}
