#![expect(clippy::single_range_in_vec_init, reason = "a list of one range is meant")]

use proptest::prelude::*;

use super::*;

fn draw(family: &str, dimension: usize, index: u64) -> Vec<f64> {
    let family = family.parse().expect("known");
    let support = Support::all(dimension).expect("not empty");
    Directions::new(family, support, None).expect("valid").draw(Seed(5), index)
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    mean_pairwise_cosine([a, b]).expect("valid")
}

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("invalid").to_string()
}

const SIMPLE: [&str; 6] = ["uniform", "gaussian", "rademacher", "ones", "centred", "uniform-minus-mean"];

#[test]
fn names_are_read_as_they_are_written() {
    for name in SIMPLE.into_iter().chain(["filter-normalised", "sign-matched:0.25", "sign-matched:1"]) {
        let family: Family = name.parse().expect("known");
        assert_eq!(family.to_string(), name);
        let json = serde_json::to_string(&family).expect("a string");
        assert_eq!(json, format!("\"{name}\""));
        assert_eq!(serde_json::from_str::<Family>(&json).expect("known"), family);
    }
}

#[test]
fn unknown_names_are_answered_with_the_list_and_the_nearest() {
    assert_eq!(
        message("gausian".parse::<Family>()),
        "direction family is `gausian`; allowed: uniform, gaussian, rademacher, ones, centred, uniform-minus-mean, \
         filter-normalised, sign-matched:FRACTION (nearest: gaussian)"
    );
    assert!(message("filter-normalized".parse::<Family>()).ends_with("(nearest: filter-normalised)"));
    assert!(message("sign".parse::<Family>()).ends_with("(nearest: sign-matched:FRACTION)"));
    assert_eq!(
        message("sign-matched".parse::<Family>()),
        "direction family is sign-matched; allowed: sign-matched:FRACTION, such as sign-matched:0.9"
    );
    assert_eq!(message("sign-matched:1.5".parse::<Family>()), "match fraction is 1.5; allowed: a number from 0 to 1");
    assert!("sign-matched:NaN".parse::<Family>().is_err());
}

#[test]
fn families_have_their_cosines() {
    // In 10⁵ dimensions the cosine of two independent draws has a standard deviation below 1/√10⁵ = 0.0032 about these
    // means, and that of a draw with ones below 0.002: 0.02 is more than 6 deviations, a false-alarm rate below 1e-8.
    const D: usize = 100_000;
    let ones = vec![1.0; D];
    for (family, with_each_other, with_ones) in [
        ("uniform", 0.75, 0.75f64.sqrt()),
        ("gaussian", 0.0, 0.0),
        ("rademacher", 0.0, 0.0),
        ("ones", 1.0, 1.0),
        ("centred", 0.0, 0.0),
        ("uniform-minus-mean", 0.0, 0.0),
    ] {
        let (a, b) = (draw(family, D, 0), draw(family, D, 1));
        assert!((cosine(&a, &b) - with_each_other).abs() < 0.02, "{family}: {}", cosine(&a, &b));
        assert!((cosine(&a, &ones) - with_ones).abs() < 0.02, "{family}: {}", cosine(&a, &ones));
    }
}

#[test]
fn families_have_the_shape_of_their_laws() {
    let d = 1000;
    assert!(draw("uniform", d, 0).iter().all(|&x| x >= 0.0));
    assert!(draw("uniform-minus-mean", d, 0).iter().sum::<f64>().abs() < 1e-12);
    assert!(draw("rademacher", d, 0).iter().all(|x| (x.abs() - 1.0 / (d as f64).sqrt()).abs() < 1e-15));
    // U(−1, 1) stays within √3 of its root mean square; of 1,000 normal numbers some leave 2 (chance of none: 1e-20).
    let root_mean_square = 1.0 / (d as f64).sqrt();
    let farthest = |family| draw(family, d, 0).iter().fold(0.0, |far: f64, x| far.max(x.abs())) / root_mean_square;
    assert!(farthest("centred") < 1.9, "{}", farthest("centred"));
    assert!(farthest("gaussian") > 2.0, "{}", farthest("gaussian"));
}

#[test]
fn directions_are_fixed_by_seed_family_and_index() {
    assert_eq!(draw("uniform", 10, 3), draw("uniform", 10, 3));
    let different = [draw("uniform", 10, 3), draw("uniform", 10, 4), draw("centred", 10, 3), draw("gaussian", 10, 3)];
    for (i, a) in different.iter().enumerate() {
        assert!(different[..i].iter().all(|b| cosine(a, b).abs() < 1.0 - 1e-9));
    }
}

#[test]
fn a_restricted_direction_is_zero_elsewhere_and_of_length_one() {
    for family in SIMPLE {
        let support = Support::only(12, &[8..10, 1..4, 3..5]).expect("valid");
        let u = Directions::new(family.parse().expect("known"), support, None).expect("valid").draw(Seed(1), 0);
        for (i, &x) in u.iter().enumerate() {
            assert_eq!(x != 0.0, [1, 2, 3, 4, 8, 9].contains(&i), "{family}: {u:?}");
        }
        assert!((norm(&u) - 1.0).abs() < 1e-15);
    }
}

#[test]
fn filters_take_the_length_of_the_solution() {
    let weights = [3.0, 4.0, 1.0, 0.0, 0.0, 0.5, 2.0];
    let filters = [0..2, 2..3, 3..5, 6..7];
    let solution = Solution { weights: &weights, filters: &filters };
    let support = Support::except(7, &[6..7]).expect("valid");
    let directions = Directions::new(Family::FilterNormalised, support, Some(solution)).expect("valid");
    let u = directions.draw(Seed(2), 0);
    assert!((norm(&u[0..2]) - 5.0).abs() < 1e-14);
    assert!((u[2].abs() - 1.0).abs() < 1e-15);
    assert_eq!(u[3..], [0.0; 4], "a filter of zeros, no filter, and outside the support");
    assert_ne!(u[0..2], directions.draw(Seed(2), 1)[0..2]);
}

#[test]
fn refuses_what_cannot_be_drawn() {
    let all = |d| Support::all(d).expect("valid");
    let matched: Family = "sign-matched:1".parse().expect("known");
    assert_eq!(message(Support::all(0)), "number of coordinates in the support is 0; allowed: at least 1");
    assert_eq!(message(Support::except(3, &[0..2, 1..3])), message(Support::all(0)));
    assert_eq!(message(Support::only(3, &[])), message(Support::all(0)));
    assert_eq!(
        message(Support::only(3, &[1..4])),
        "range of coordinates is 1..4; allowed: ranges within 0..3, not empty"
    );
    assert!(Support::except(3, &[2..2]).is_err());
    assert_eq!(
        message(Directions::new(Family::UniformMinusMean, all(1), None)),
        "number of coordinates in the support of uniform-minus-mean directions is 1; allowed: at least 2"
    );
    assert_eq!(
        message(Directions::new(matched, all(1), None)),
        "solution for sign-matched:1 directions is missing; allowed: its weights"
    );
    let at = |family, weights: &[f64], filters: &[Range<usize>], support| {
        message(Directions::new(family, support, Some(Solution { weights, filters })))
    };
    assert_eq!(at(matched, &[1.0], &[], all(2)), "number of weights of the solution is 1; allowed: 2");
    assert_eq!(at(matched, &[1.0, f64::NAN], &[], all(2)), "weight 1 of the solution is NaN; allowed: a finite number");
    let filtered = Family::FilterNormalised;
    assert_eq!(
        at(filtered, &[1.0, 1.0, 1.0], &[0..2, 1..3], all(3)),
        "filter is 1..3; allowed: increasing ranges, not empty, within 2..3"
    );
    assert_eq!(
        at(filtered, &[1.0, 1.0, 1.0], &[0..2], Support::only(3, &[1..3]).expect("valid")),
        "filter is 0..2, with 1 of 2 coordinates in the support; allowed: filters wholly inside or wholly outside it"
    );
    assert_eq!(
        at(filtered, &[0.0, 1.0], &[0..1], all(2)),
        "weights in the filters of the support is 0; allowed: at least one other than 0"
    );
}

#[test]
fn the_mean_cosine_is_over_pairs() {
    let vectors = [vec![1.0, 0.0], vec![0.0, 3.0], vec![1.0, 1.0]];
    let expected = (0.0 + 2.0 * 0.5f64.sqrt()) / 3.0;
    assert!((mean_pairwise_cosine(&vectors).expect("valid") - expected).abs() < 1e-15);
    assert_eq!(message(mean_pairwise_cosine(&vectors[..1])), "number of vectors is 1; allowed: at least 2");
    assert_eq!(
        message(mean_pairwise_cosine([vec![1.0], vec![0.0]])),
        "length of vector 1 is 0; allowed: a finite number > 0"
    );
    assert_eq!(
        message(mean_pairwise_cosine([vec![1.0], vec![1.0, 0.0]])),
        "number of coordinates of vector 1 is 2; allowed: 1"
    );
}

proptest! {
    #[test]
    fn sign_matches_are_exact(
        weights in prop::collection::vec(prop_oneof![4 => -2.0..2.0f64, 1 => Just(0.0)], 1..60),
        fraction in 0.0..=1.0f64,
        index in 0u64..1000,
    ) {
        let family = Family::SignMatched(MatchFraction::new(fraction).expect("valid"));
        let solution = Solution { weights: &weights, filters: &[] };
        let u = Directions::new(family, Support::all(weights.len()).expect("valid"), Some(solution))
            .expect("valid")
            .draw(Seed(9), index);
        let counted = weights.iter().filter(|&&w| w != 0.0).count();
        let matched = u.iter().zip(&weights).filter(|&(u, w)| u * w > 0.0).count();
        prop_assert_eq!(matched, (fraction * counted as f64).round() as usize);
        prop_assert!((norm(&u) - 1.0).abs() < 1e-14);
    }

    #[test]
    fn supports_are_sets(
        dimension in 1usize..30,
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 1usize..8), 1..5),
    ) {
        let ranges: Vec<_> = cuts
            .iter()
            .map(|(start, length)| start.index(dimension)..(start.index(dimension) + length).min(dimension))
            .collect();
        let inside = |i: usize| ranges.iter().any(|range| range.contains(&i));
        let wanted: Vec<usize> = (0..dimension).filter(|&i| inside(i)).collect();
        let only = Support::only(dimension, &ranges).expect("not empty");
        prop_assert_eq!(only.coordinates().collect::<Vec<_>>(), wanted.clone());
        prop_assert_eq!(only.len(), wanted.len());
        for range in &ranges {
            prop_assert_eq!(only.count_in(range), range.len());
        }
        match Support::except(dimension, &ranges) {
            Ok(rest) => prop_assert!(rest.coordinates().eq((0..dimension).filter(|&i| !inside(i)))),
            Err(_) => prop_assert_eq!(wanted.len(), dimension),
        }
    }
}

#[test]
fn every_coordinate_matches_equally_often() {
    // 4 coordinates, half of them match: in 4,000 draws a coordinate matches 2,000 ± 6·31.6 times, but for a chance of
    // 2e-9 each.
    let weights = [1.0, -1.0, 1.0, -1.0];
    let family: Family = "sign-matched:0.5".parse().expect("known");
    let solution = Solution { weights: &weights, filters: &[] };
    let directions = Directions::new(family, Support::all(4).expect("valid"), Some(solution)).expect("valid");
    let mut counts = [0i32; 4];
    for index in 0..4000 {
        for (count, (u, w)) in counts.iter_mut().zip(directions.draw(Seed(4), index).iter().zip(&weights)) {
            *count += i32::from(u * w > 0.0);
        }
    }
    assert!(counts.iter().all(|count| (count - 2000).abs() < 190), "{counts:?}");
}
