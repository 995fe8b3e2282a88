use rand::RngExt;

use super::*;
use crate::Seed;
use crate::seed::{Stream, standard_normal};

fn stream(index: u64) -> Stream {
    Seed(31).stream("gradient noise", index)
}

/// Uniform on [−1, 1].
fn uniform(count: usize, index: u64) -> Vec<f64> {
    let mut rng = stream(index);
    (0..count).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect()
}

fn law(series: &[f64], nu: f64, momentum: f64) -> GradientNoise {
    measure(("", "known"), series, nu, momentum, &NoiseCriteria::default()).expect("valid")
}

fn standing(law: &GradientNoise, hypothesis: ProcessHypothesis) -> Standing {
    let name = format!("{hypothesis:?}");
    law.hypotheses.iter().find(|row| row.name == name).expect("listed").standing
}

#[test]
fn moments_and_correlations_by_hand() {
    let series = [1.0, -1.0, 3.0, -1.0, -2.0];
    let criteria = NoiseCriteria::new(2, 0.4, Confidence::P95).expect("valid");
    let law = measure(("", "known"), &series, 3.0, 0.0, &criteria).expect("valid");
    assert_eq!((law.count, law.largest, law.mean.estimate, law.variance), (5, 3.0, 0.0, 4.0));
    // Third powers: 1 − 1 + 27 − 1 − 8 = 18; squares 16.
    assert!((law.skewness.expect("not constant") - 3.6 / 3.2f64.powf(1.5)).abs() < 1e-12);
    // Products at lag 1: −1 − 3 − 3 + 2 = −5; at lag 2: 3 + 1 − 6 = −2.
    let seen: Vec<f64> = law.autocorrelation.iter().map(|row| row.value).collect();
    assert!((seen[0] + 5.0 / 16.0).abs() < 1e-15 && (seen[1] + 2.0 / 16.0).abs() < 1e-15);
    let z = 1.959963984540054;
    assert!((law.autocorrelation[0].band - z / 5f64.sqrt()).abs() < 1e-9);
    assert!((law.autocorrelation[1].band - z * ((1.0 + 50.0 / 256.0) / 5.0f64).sqrt()).abs() < 1e-9);
    // Two degrees of freedom: P(χ² > q) = e^(−q/2).
    let q = 35.0 * (25.0 / 256.0 / 4.0 + 4.0 / 256.0 / 3.0f64);
    assert!((law.independent.expect("not constant") - libm::exp(-q / 2.0)).abs() < 1e-12);
    let q = 25.0 / (1.0 + 9.0 + 9.0 + 4.0) + 4.0 / (9.0 + 1.0 + 36.0f64);
    assert!((law.uncorrelated.expect("not zero") - libm::exp(-q / 2.0)).abs() < 1e-12);
    // Sizes 3, 2 | 1.
    let tail = law.tail.expect("spread");
    assert!((tail.index - 2.0 / 6f64.ln()).abs() < 1e-12 && tail.used == 2);
    assert!((tail.standard_error - tail.index / 2f64.sqrt()).abs() < 1e-15);
}

#[test]
fn the_tail_index_of_pareto_s_law_is_its_own() {
    // X = U^(−1/α): Hill's estimate from 2,000 of 20,000 leaves five standard errors with probability below 1e-6.
    for (index, alpha) in [(0, 1.5), (1, 4.0)] {
        let mut rng = stream(100 + index);
        let series: Vec<f64> = (0..20_000).map(|_| libm::pow(1.0 - rng.random::<f64>(), -1.0 / alpha)).collect();
        let tail = law(&series, 1.0, 0.0).tail.expect("a tail");
        assert_eq!(tail.used, 2_000);
        assert!((tail.index - alpha).abs() < 5.0 * alpha / 2_000f64.sqrt(), "{tail:?}");
    }
}

#[test]
fn independent_noise_of_mean_zero_is_rejected_as_rarely_as_it_should_be() {
    // 1,000 series of 400 at 95 %: two tests at 0.025 each, so at most 5 % asymptotically for either hypothesis; 8 % leave
    // room for the asymptotics and six standard deviations (6.9) the chance, false alarm below 1e-8. At least 1 % shows
    // that the tests are awake.
    let (mut mean, mut independent) = (0, 0);
    for index in 0..1_000 {
        let law = law(&uniform(400, 1_000 + index), 1.0, 0.0);
        mean += u32::from(standing(&law, ProcessHypothesis::ZeroMeanNoise) == Standing::NotMet);
        independent += u32::from(standing(&law, ProcessHypothesis::IndependentNoise) == Standing::NotMet);
        assert_eq!(standing(&law, ProcessHypothesis::BoundedNoise), Standing::Met);
    }
    assert!((10..=121).contains(&mean) && (10..=121).contains(&independent), "{mean} {independent}");
}

#[test]
fn each_departure_is_found() {
    use ProcessHypothesis::*;
    let noise = uniform(4_000, 0);
    let biased: Vec<f64> = noise.iter().map(|x| x + 0.2).collect();
    assert_eq!(standing(&law(&biased, 2.0, 0.0), ZeroMeanNoise), Standing::NotMet);
    let mut before = 0.0;
    let moving: Vec<f64> = noise
        .iter()
        .map(|x| {
            before = 0.5 * before + x;
            before
        })
        .collect();
    assert_eq!(standing(&law(&moving, 9.0, 0.0), ZeroMeanNoise), Standing::NotMet);
    assert_eq!(standing(&law(&moving, 9.0, 0.0), IndependentNoise), Standing::NotMet);
    assert!((law(&moving, 9.0, 0.0).autocorrelation[0].value - 0.5).abs() < 0.1);
    // Signs that mostly stay, sizes that are independent: only the noise itself shows it.
    let mut sign = 1.0;
    let persistent: Vec<f64> = noise
        .iter()
        .zip(uniform(4_000, 1))
        .map(|(size, turn)| {
            sign *= if turn > 0.6 { -1.0 } else { 1.0 };
            sign * size.abs()
        })
        .collect();
    let persistent = law(&persistent, 9.0, 0.0);
    assert_eq!(standing(&persistent, IndependentNoise), Standing::NotMet);
    assert!(persistent.independent_sizes.expect("noise") > 0.001, "{persistent:?}");
    // Sizes in long waves: dependent, but of conditional mean zero. Of 20 such series ten or more are rejected with
    // probability below 3e-6, even at 8 % each.
    let waves = (0..20).map(|index| {
        let wave = |(t, x): (usize, f64)| x * (1.1 + libm::sin(t as f64 / 50.0));
        law(&uniform(4_000, 50 + index).into_iter().enumerate().map(wave).collect::<Vec<f64>>(), 9.0, 0.0)
    });
    let mut rejected = 0;
    for law in waves {
        assert_eq!(standing(&law, IndependentNoise), Standing::NotMet);
        rejected += u32::from(standing(&law, ZeroMeanNoise) == Standing::NotMet);
    }
    assert!(rejected < 10, "{rejected}");
    // Beyond ν, but a variance (⅓) that may be within ν² or not.
    assert_eq!(standing(&law(&noise, 0.9, 0.0), BoundedNoise), Standing::NotMet);
    assert_eq!(standing(&law(&noise, 0.9, 0.0), BoundedVariance), Standing::NotRejected);
    assert_eq!(standing(&law(&noise, 0.5, 0.0), BoundedVariance), Standing::NotMet);
    assert_eq!(standing(&law(&noise, 1.0, 0.0), BoundedVariance), Standing::Met);
}

#[test]
fn changing_variances_do_not_make_the_mean_test_cry() {
    // 500 series whose variance follows the last value (ARCH): conditional mean zero. Q* keeps its level where Ljung and
    // Box's Q, made for independent noise, rejects far more often.
    let (mut robust, mut plain) = (0, 0);
    for index in 0..500 {
        let mut rng = stream(5_000 + index);
        let mut before = 0.0f64;
        let series: Vec<f64> = (0..1_000)
            .map(|_| {
                before = (0.3 + 0.5 * before * before).sqrt() * standard_normal(&mut rng);
                before
            })
            .collect();
        let law = law(&series, 1.0, 0.0);
        robust += u32::from(law.uncorrelated.expect("noise") <= 0.05);
        plain += u32::from(law.independent.expect("noise") <= 0.05);
    }
    // At most 8 % for the law, and six standard deviations (6.1): false alarm below 1e-8. Were the plain test at its level,
    // 25, more than 55 were as unlikely.
    assert!(robust <= 76, "{robust}");
    assert!(plain > 55, "{plain}");
}

#[test]
fn with_momentum_nothing_is_met() {
    let law = law(&uniform(400, 1), 1.0, 0.9);
    assert_eq!(law.hypotheses.len(), 4);
    assert!(law.hypotheses.iter().all(|row| row.standing == Standing::NotMet && row.because.contains("0.9")));
}

#[test]
fn constant_noise_has_no_law_beyond_its_value() {
    let zero = law(&[0.0; 50], 0.0, 0.0);
    assert_eq!((zero.skewness, zero.tail, zero.uncorrelated, zero.independent), (None, None, None, None));
    assert!(zero.autocorrelation.is_empty());
    assert_eq!(standing(&zero, ProcessHypothesis::ZeroMeanNoise), Standing::NotRejected);
    let one = law(&[1.0; 50], 1.0, 0.0);
    assert_eq!(one.tail, None);
    assert_eq!(standing(&one, ProcessHypothesis::ZeroMeanNoise), Standing::NotMet);
    assert_eq!(standing(&one, ProcessHypothesis::BoundedNoise), Standing::Met);
}

#[test]
fn names_what_is_wrong() {
    let criteria = NoiseCriteria::default();
    let message = |series: &[f64], nu, momentum| {
        measure(("", "known"), series, nu, momentum, &criteria).expect_err("invalid").to_string()
    };
    assert_eq!(
        message(&[0.0; 40], 1.0, 0.0),
        "number of noise values is 40; allowed: at least 41, more than twice the lags"
    );
    assert_eq!(message(&[f64::NAN; 41], 1.0, 0.0), "noise at step 0 is NaN; allowed: a finite number");
    assert_eq!(message(&[0.0; 41], -1.0, 0.0), "noise bound ν is -1; allowed: a finite number >= 0");
    assert_eq!(message(&[0.0; 41], 1.0, 1.0), "momentum μ is 1; allowed: at least 0, less than 1");
    assert!(NoiseCriteria::new(0, 0.1, Confidence::P95).is_err());
    assert!(NoiseCriteria::new(1, 0.6, Confidence::P95).is_err());
}
