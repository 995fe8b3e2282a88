use std::sync::atomic::{AtomicU64, Ordering};

use nalgebra::DVector;

use super::*;
use crate::loss;
use crate::progress::Silent;

/// The official losses, written by `tests/pytorch/appendix_a.py`: the offsets, and one curve a seed.
fn official_curves() -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut rows = include_str!("../../../tests/fixtures/appendix_a_curves.csv").lines().map(|row| {
        let fields = row.split(',').skip(1);
        fields.map(|field| field.parse().expect("a number")).collect::<Vec<f64>>()
    });
    (rows.next().expect("a header"), rows.collect())
}

fn run(protocol: Protocol, seeds: u64, circle: u32) -> AppendixA {
    let parameters = Parameters { protocol, seeds, circle, ..Parameters::default() };
    parameters.check().expect("valid").run(Seed(0), &Silent).expect("runs")
}

fn own(training: Training, family: &str) -> Protocol {
    Protocol::Own { training, family: family.parse().expect("known") }
}

fn minibatch(batch: usize) -> Training {
    Training::Descent { steps: 30, batch, learning_rate: 0.01 }
}

#[test]
fn the_official_protocol_gives_the_official_curves() {
    // |ours − official| ≤ 1e-6·max(1, official) at all 50 · 31 points, the saturated ones included; 2.2e-7 was seen.
    let (offsets, curves) = official_curves();
    let ours = run(Protocol::Official(Arithmetic::Single), 50, 1);
    assert_eq!(ours.offsets, offsets);
    assert_eq!(ours.seeds.len(), curves.len());
    for (seed, curve) in ours.seeds.iter().zip(&curves) {
        assert_eq!(seed.losses.len(), curve.len());
        for ((ours, official), l) in seed.losses.iter().zip(curve).zip(&offsets) {
            let error = (ours - official).abs() / official.max(1.0);
            assert!(error <= 1e-6, "seed {} at {l}: {ours}, official {official}", seed.seed);
        }
    }
}

#[test]
fn saturation_spoils_the_far_ends_of_the_official_curves_but_no_verdict() {
    let single = run(Protocol::Official(Arithmetic::Single), 50, 180);
    let double = run(Protocol::Official(Arithmetic::Double), 50, 180);
    let (mut clamped_points, mut clamped_seeds, mut changed_verdicts) = (0, 0, 0);
    for (single, double) in single.seeds.iter().zip(&double.seeds) {
        let mut clamped = false;
        for ((a, b), l) in single.losses.iter().zip(&double.losses).zip(offsets()) {
            let artefact = (a - b).abs();
            assert!(artefact < if l.abs() < 3.0 { 4e-5 } else { 16.4 }, "seed {} at {l}: {artefact}", single.seed);
            if artefact >= 0.05 {
                // One clamped example of 20 adds at least (100 − 30)/20.
                assert!(artefact > 3.5 && l >= 4.5, "seed {} at {l}: {artefact}", single.seed);
                clamped_points += 1;
                clamped = true;
            }
        }
        clamped_seeds += u32::from(clamped);
        changed_verdicts += u32::from(single.verdict != double.verdict);
        assert!((single.circle_share - double.circle_share).abs() < 1.5 / 180.0);
    }
    assert_eq!((clamped_points, clamped_seeds, changed_verdicts), (85, 25, 0));
    let asymmetric = double.seeds.iter().filter(|seed| seed.verdict == Verdict::Asymmetric);
    assert_eq!(asymmetric.count(), 43);
}

#[test]
fn separable_seeds_have_no_optimum_and_are_named() {
    let descended = run(own(minibatch(20), "uniform"), 50, 1);
    let separable: Vec<u64> = descended.seeds.iter().filter(|seed| seed.separable).map(|seed| seed.seed).collect();
    assert!(!separable.is_empty() && descended.without_optimum.is_empty() && descended.seeds.len() == 50);
    assert!(descended.seeds.iter().all(|seed| seed.optimum.is_none() == seed.separable));

    let converged = run(own(Training::Converged, "uniform"), 50, 1);
    assert_eq!(converged.without_optimum, separable);
    assert_eq!(converged.seeds.len() + separable.len(), 50);
    for seed in &converged.seeds {
        assert_eq!((Some(seed.averaged), seed.last), (seed.optimum, seed.averaged));
        assert_eq!(seed.losses.iter().copied().fold(f64::INFINITY, f64::min), seed.losses[REACH as usize]);
        assert_ne!(seed.verdict, Verdict::NotAValley);
        assert_eq!(seed.circle_valley_share, 1.0);
    }
}

#[test]
fn the_circle_counts_the_lines_it_says() {
    let axes = run(own(minibatch(20), "uniform"), 30, 2);
    let mut shares = [0; 3];
    for (index, seed) in (0..).zip(&axes.seeds) {
        let neuron = draw::own(Seed(0), index).expect("valid").neuron;
        let centre = DVector::from_column_slice(&seed.averaged);
        let verdicts = [[1.0, 0.0], [0.0, 1.0]].map(|u| {
            let profile = loss::profile(&neuron, &centre, &DVector::from_column_slice(&u), offsets()).expect("valid");
            judge_both(&profile, &Criteria::default()).expect("valid").better.verdict
        });
        let count = |wanted: fn(Verdict) -> bool| verdicts.iter().filter(|&&verdict| wanted(verdict)).count();
        let asymmetric = count(|verdict| verdict == Verdict::Asymmetric);
        assert_eq!(seed.circle_share, asymmetric as f64 / 2.0);
        assert_eq!(seed.circle_valley_share, count(|verdict| verdict != Verdict::NotAValley) as f64 / 2.0);
        shares[asymmetric] += 1;
    }
    assert!(shares.iter().filter(|&&count| count > 0).count() > 1, "all seeds alike: {shares:?}");
}

#[test]
fn all_families_and_batch_sizes_run() {
    for family in ["uniform", "gaussian", "rademacher", "ones", "centred", "uniform-minus-mean", "sign-matched:1"] {
        for batch in [1, 7, 20] {
            for seed in run(own(minibatch(batch), family), 3, 1).seeds {
                let [u, v] = seed.direction;
                assert!((u.hypot(v) - 1.0).abs() < 1e-15);
                let matched = u * seed.averaged[0] > 0.0 && v * seed.averaged[1] > 0.0;
                assert!(matched || family != "sign-matched:1");
            }
        }
    }
    let filtered = run(own(minibatch(20), "filter-normalised"), 1, 1);
    let length = |w: [f64; 2]| w[0].hypot(w[1]);
    assert!((length(filtered.seeds[0].direction) - length(filtered.seeds[0].averaged)).abs() < 1e-15);
}

#[test]
fn a_seed_depends_on_nothing_but_its_number() {
    let protocol = own(minibatch(3), "gaussian");
    let many = run(protocol, 8, 12);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| run(protocol, 8, 12))
    };
    assert_eq!(with(1), many);
    assert_eq!(with(3), many);
    assert_eq!(run(protocol, 5, 12).seeds, many.seeds[..5]);
    assert_ne!(many.seeds[0].averaged, many.seeds[1].averaged);
}

#[test]
fn settings_out_of_range_are_named() {
    let message = |parameters: Parameters| parameters.check().expect_err("out of range").to_string();
    let default = Parameters::default();
    let official = Protocol::Official(Arithmetic::Single);
    assert_eq!(message(Parameters { seeds: 0, ..default }), "number of seeds is 0; allowed: at least 1");
    assert_eq!(
        message(Parameters { seeds: 51, protocol: official, ..default }),
        "number of seeds is 51; allowed: 1 to 50"
    );
    assert_eq!(message(Parameters { circle: 0, ..default }), "number of lines of the circle is 0; allowed: at least 1");
    let descent = |steps, batch, learning_rate| {
        let training = Training::Descent { steps, batch, learning_rate };
        message(Parameters { protocol: own(training, "uniform"), ..default })
    };
    assert_eq!(descent(0, 20, 0.01), "number of steps is 0; allowed: at least 1");
    assert_eq!(descent(30, 21, 0.01), "batch size is 21; allowed: 1 to 20");
    assert_eq!(descent(30, 0, 0.01), "batch size is 0; allowed: 1 to 20");
    assert_eq!(descent(30, 20, 0.0), "learning rate is 0; allowed: a finite number > 0");
    let runaway = Training::Descent { steps: 30, batch: 20, learning_rate: f64::MAX };
    let experiment = Parameters { protocol: own(runaway, "uniform"), ..default }.check().expect("a positive rate");
    assert!(experiment.run(Seed(0), &Silent).is_err());
}

/// Stops after some seeds.
struct Impatient {
    left: AtomicU64,
}

impl Observer for Impatient {
    fn begin(&self, _task: &str, _units: u64) {}
    fn advance(&self, units: u64) {
        self.left.fetch_sub(units, Ordering::SeqCst);
    }
    fn note(&self, _line: &str) {}
    fn finish(&self) {}
    fn interrupted(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }
}

#[test]
fn interruption_is_heard() {
    let experiment = Parameters { circle: 1, ..Parameters::default() }.check().expect("valid");
    let observer = Impatient { left: AtomicU64::new(2) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let result = pool.install(|| experiment.run(Seed(0), &observer));
    assert_eq!(result, Err(Error::Interrupted));
}
