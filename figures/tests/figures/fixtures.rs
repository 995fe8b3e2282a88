//! Records with made-up but plausible numbers, one of every kind.

use crate::{evidence, landscape};

use valleys_sim::Profile;
use valleys_sim::asymmetry::{Certificate, Verdict};
use valleys_sim::estimate::{Interval, PairedTest, Spearman};
use valleys_sim::profile::grid;
use valleys_sim::record::{
    AppendixA, AppendixASeed, BiasMap, ClaimRow, Claims, Comparison, ComparisonRow, Counterexample, Epoch, ExactLaw,
    ExactLawRow, FrontPoint, Interpolation, Line, LineJudgement, Minima, MinimumCurve, PhaseMap, PhaseMapRow,
    Predictor, Record, SgdPath, Shift, Solution, Solutions, Spread, Table1, Table1Difference, Table1Row, Threshold,
    ThresholdCurve, ThresholdPoint, Thresholds, Tightness, TightnessRow, Training, TrialRow, WeakeningRow,
};

/// A number in [0, 1) that looks random: the fractional part of multiples of the golden ratio.
fn scatter(i: usize) -> f64 {
    (i as f64 * 0.618_033_988_749_895).fract()
}

fn valley(w: f64) -> f64 {
    if w < 0.0 { -2.4 * w } else { 0.6 * w }
}

pub(crate) fn minima() -> Minima {
    let offsets = grid(-2.0, 2.0, 161).expect("a grid");
    let shift = 0.5;
    let curve = |name: &str, loss: fn(f64) -> f64| MinimumCurve {
        name: name.to_owned(),
        training: offsets.iter().map(|&w| loss(w)).collect(),
        population_plus: offsets.iter().map(|&w| loss(w - shift)).collect(),
        population_minus: offsets.iter().map(|&w| loss(w + shift)).collect(),
    };
    Minima {
        curves: vec![curve("sharp", |w| 1.6 * w * w), curve("flat", |w| 0.3 * w * w), curve("asymmetric", valley)],
        shift,
        biased: 0.5,
        expected_at_minimiser: 0.75,
        expected_at_biased: 0.3,
        offsets,
    }
}

pub(crate) fn sgd_path() -> SgdPath {
    let mut iterates = vec![0.2];
    for t in 0..400 {
        let w = iterates[t];
        let slope = if w < 0.0 { -2.4 } else { 0.6 };
        iterates.push(w - 0.3 * (slope + 0.8 * (scatter(t) - 0.5)));
    }
    let mut sum = 0.0;
    let running_mean = iterates
        .iter()
        .enumerate()
        .map(|(t, w)| {
            sum += w;
            sum / (t + 1) as f64
        })
        .collect();
    SgdPath {
        loss: Profile::sample(grid(-0.6, 1.2, 181).expect("a grid"), valley).expect("a profile"),
        iterates,
        running_mean,
        setting: "slopes −2.4 and 0.6, step η = 0.3, noise uniform in ±0.4".to_owned(),
    }
}

pub(crate) fn tightness() -> Tightness {
    let rows = (0..=20)
        .map(|i| {
            let x = 0.1 * f64::from(i);
            let corrected = if x <= 1.0 { 0.5 * x } else { 0.5 - 1.2 * (x - 1.0) };
            TightnessRow {
                x,
                extremal: corrected,
                random_minimum: corrected + 0.05 + 0.2 * scatter(i as usize),
                corrected,
                printed: 0.5 * x,
            }
        })
        .collect();
    let counterexample = |fault: &str, left| Counterexample { fault: fault.to_owned(), left, right: 0.5 };
    Tightness {
        variable: "step l".to_owned(),
        rows,
        counterexamples: vec![
            counterexample("steps up to the larger distance", -0.25),
            counterexample("a gap bounded on too small a ball", -0.25),
            counterexample("a window measured along the axes", -49.375),
        ],
        setting: "d = 2, r̲ = 0.5, r̄ = 2.5, δ̄ = 1.5, p = 1, c = 2, ξ = 0".to_owned(),
    }
}

pub(crate) fn bias_map() -> BiasMap {
    let c = grid(1.0, 6.0, 41).expect("a grid");
    let nu = grid(0.0, 2.0, 31).expect("a grid");
    let mean = |nu: f64, c: f64, start: f64| 0.5 * (c - start - 0.8 * nu * nu.min(1.0)) - 0.05 * nu;
    let map = |start: f64| nu.iter().map(|&nu| c.iter().map(|&c| mean(nu, c, start)).collect()).collect();
    let threshold = |name: &str, f: fn(f64) -> f64| Threshold {
        name: name.to_owned(),
        nu: nu.clone(),
        c: nu.iter().map(|&nu| f(nu)).collect(),
    };
    BiasMap {
        b_plus: 0.5,
        long_run: map(1.4),
        round: map(1.9),
        half_width: 0.012,
        thresholds: vec![
            threshold("(C) every prepared round", |nu| {
                1.0 + 2.0 * nu + nu.max(1.0).max((2.0 * nu).min(1.0 + nu)) - nu.max(1.0) + 1.0
            }),
            threshold("(L) long run", |nu| {
                if nu <= 0.5 {
                    2.0
                } else if nu <= 1.0 {
                    3.0 * nu + 0.5
                } else {
                    2.0 + 1.5 * nu
                }
            }),
            threshold("(P) every path", |nu| 2.0 + 3.0 * nu),
        ],
        steps: 254_200_000,
        setting: "uniform noise, slopes −c·a₊ and b₊ = 0.5 a₊, 200 chains a cell".to_owned(),
        c,
        nu,
    }
}

pub(crate) fn phase_map() -> PhaseMap {
    let map = bias_map();
    let row = |i: usize| {
        let long_run = map.long_run[i].clone();
        PhaseMapRow {
            negative: long_run.iter().map(|mean| (0.3 - mean).clamp(0.0, 1.0)).collect(),
            steps: (0..long_run.len()).map(|column| 131_072 * (1 + column + 8 * i) as u64).collect(),
            round: map.round[i].clone(),
            long_run,
        }
    };
    PhaseMap {
        b_plus: 0.5,
        c_prime: 1.0,
        rows: (0..map.nu.len()).map(row).collect(),
        half_width: 0.005,
        thresholds: map.thresholds,
        setting: "slopes that land at ην where they can and leave it with a₊, −c a₊ on the sharp side; uniform noise"
            .to_owned(),
        c: map.c,
        nu: map.nu,
    }
}

pub(crate) fn thresholds() -> Thresholds {
    let curve = |name: &str, value: f64, least: f64, certain: bool| ThresholdCurve {
        name: name.to_owned(),
        value,
        cells: 20,
        points: (0..=10)
            .map(|i| {
                let nu = f64::from(i) / 10.0;
                let c = ((least + 3.0 * (nu - value).max(0.0)) * 20.0).round() / 20.0;
                let known = certain.then_some(c + 0.15);
                ThresholdPoint { nu, negative: Some(c - 0.05), threshold: Some(c), certain: known }
            })
            .collect(),
    };
    let map = bias_map();
    Thresholds {
        long_run: vec![
            curve("b₊ = 0.5 a₊", 0.5, 2.0, true),
            curve("b₊ = 0.8 a₊", 0.55, 2.0, true),
            curve("b₊ = 0.9 a₊", 0.6, 2.0, true),
            curve("b₊ = 1 a₊", 0.65, 2.0, true),
        ],
        round: vec![curve("b₊ = 0.125 a₊", 0.0, 2.0, true), curve("b₊ = 0.5 a₊", 0.1, 2.0, true)],
        momentum: vec![
            curve("μ = 0", 0.5, 2.0, false),
            curve("μ = 0.5", 0.5, 2.5, false),
            curve("μ = 0.75", 0.5, 3.0, false),
        ],
        momentum_b_plus: 0.5,
        momentum_most: 6.0,
        sufficient: map
            .thresholds
            .iter()
            .map(|it| Threshold { name: it.name.clone(), nu: it.nu[..16].to_vec(), c: it.c[..16].to_vec() })
            .collect(),
        setting: "20 cells to ηa₊".to_owned(),
    }
}

pub(crate) fn exact_law() -> ExactLaw {
    let row = |i: usize, flat: f64, sharp: f64, nu: f64, noise: &str| {
        let expected = 0.1 * (sharp - flat) / 2.0;
        let applies = nu <= flat && nu <= sharp;
        let off = if applies { 0.0004 * (scatter(i) - 0.5) } else { 0.0061 };
        ExactLawRow {
            flat,
            sharp,
            nu,
            eta: 0.1,
            noise: noise.to_owned(),
            expected,
            mean: expected + off,
            half_width: 0.0003,
            applies,
        }
    };
    ExactLaw {
        rows: vec![
            row(1, 0.3, 1.3, 0.2, "uniform"),
            row(2, 0.3, 1.3, 0.3, "two-point"),
            row(3, 0.5, 4.0, 0.5, "uniform"),
            row(4, 1.0, 2.0, 0.9, "triangular"),
            row(5, 0.2, 6.0, 0.1, "two-point"),
            row(6, 0.3, 1.3, 0.6, "uniform"),
        ],
        confidence: 0.999,
    }
}

pub(crate) fn claims() -> Claims {
    let trial = |search: &str, method: &str, smallest_slack, false_alarm| TrialRow {
        search: search.to_owned(),
        method: method.to_owned(),
        cases: 1000,
        smallest_slack,
        false_alarm,
    };
    let weakening =
        |hypothesis: &str, effect: &str, counterexample: Option<&str>, because: Option<&str>| WeakeningRow {
            hypothesis: hypothesis.to_owned(),
            instead: "nothing".to_owned(),
            effect: effect.to_owned(),
            because: because.map(str::to_owned),
            proofs: Vec::new(),
            trials: vec![trial("random", "admissible worlds", Some(0.1), 0.0)],
            counterexample: counterexample.map(str::to_owned),
            upheld: true,
        };
    let row = |id: &str, source: &str, formula: &str, standing: &str, upheld| ClaimRow {
        id: id.to_owned(),
        source: source.to_owned(),
        words: "Bias leads to better generalisation".to_owned(),
        formula: formula.to_owned(),
        hypotheses: vec!["u¹, …, uᵏ are orthogonal unit vectors".to_owned(), "l_i ≥ 0".to_owned()],
        standing: standing.to_owned(),
        fault: None,
        proofs: Vec::new(),
        trials: vec![
            trial("random", "admissible worlds", Some(0.02), 0.0),
            trial("adversarial", "extremal worlds", None, 1e-7),
        ],
        counterexample: None,
        weakenings: Vec::new(),
        upheld,
    };
    let printed = row("theorem1-printed-max", "Theorem 1", "lᵢ ≤ max{r̄ − δ̄ᵢ, δ̄ᵢ − r̲}", "refuted", true);
    let corrected =
        row("theorem1-corrected", "corrected", "E L(ŵ) − E L(ŵ + Σ lᵢuⁱ) ≥ Σ (cᵢ − 1)pᵢlᵢ/2 − 2ξ", "proved", true);
    Claims {
        rows: vec![
            ClaimRow {
                fault: Some("the step limit is a maximum".to_owned()),
                counterexample: Some("d = 1, l = 1: −¼ is not at least ½".to_owned()),
                ..printed
            },
            ClaimRow {
                proofs: vec!["Theorem1.theorem1_corrected".to_owned()],
                weakenings: vec![
                    weakening("l_i ≥ 0", "needed", Some("l = −1 loses 2"), None),
                    weakening("independence", "not needed", None, Some("the proof does without")),
                ],
                ..corrected
            },
            row("theorem2-long-run", "corrected", "c > 2 and ν ≤ a₊/2 make the long-run mean > 0", "tested", false),
        ],
    }
}

fn certificate() -> Certificate {
    Certificate { r_hi: 2.0, r_lo: 0.6, p: 0.03, c: 15.0, c_is_lower_bound: false, gain: 0.147 }
}

pub(crate) fn appendix_a() -> AppendixA {
    let offsets = grid(-7.5, 7.5, 31).expect("a grid");
    let softplus = |x: f64| x.exp().ln_1p();
    let seeds = (0..50_u64)
        .map(|seed| {
            let (a, b) = (scatter(seed as usize), scatter(seed as usize + 200));
            let asymmetric = a > 0.35;
            let certificate = Certificate { c: 2.1 + 6.0 * b, ..certificate() };
            AppendixASeed {
                seed,
                losses: offsets
                    .iter()
                    .map(|&l| 0.25 + (0.6 + a) * softplus(-0.9 * l - a) + (0.05 + 0.4 * b) * softplus(0.8 * l - 0.4))
                    .collect(),
                separable: seed % 7 == 3,
                last: [-0.4 - a, b - 0.5],
                averaged: [-0.3 - a, b - 0.5],
                direction: [0.8, 0.6],
                verdict: match (asymmetric, seed % 5) {
                    (true, _) => Verdict::Asymmetric,
                    (false, 0) => Verdict::NotAValley,
                    _ => Verdict::Symmetric,
                },
                certificate: asymmetric.then_some(certificate),
                circle_share: 0.1 + 0.5 * a * b.sqrt(),
                circle_valley_share: 0.2 + 0.7 * a * b.sqrt(),
                optimum: (seed % 7 != 3).then_some([-2.0 - a, b]),
                mirrored: b > 0.5,
            }
        })
        .collect();
    AppendixA {
        without_optimum: Vec::new(),
        offsets,
        seeds,
        protocol: "10 + 10 points, 30 steps of full-batch gradient descent at η = 0.01, average of all iterates"
            .to_owned(),
    }
}

pub(crate) fn training() -> Training {
    let epochs = (0..30_u32)
        .map(|epoch| {
            let t = f64::from(epoch);
            let after = epoch >= 24;
            let averaging = (14..24).contains(&epoch);
            let loss = 0.25 + 2.0 * (-0.16 * t).exp() + 0.06 * scatter(epoch as usize) - if after { 0.12 } else { 0.0 };
            Epoch {
                epoch,
                phase: if after { "sgd-after-swa" } else { "swa" }.to_owned(),
                learning_rate: if after {
                    0.001
                } else if averaging {
                    0.05
                } else {
                    0.1 - 0.0035 * t
                },
                running_loss: loss,
                running_accuracy: (1.0 - 0.36 * loss).clamp(0.1, 0.99),
                test_loss: (epoch % 2 == 1).then_some(loss + 0.15 + 0.1 * scatter(epoch as usize + 7)),
                test_accuracy: (epoch % 2 == 1).then_some((0.93 - 0.34 * loss).clamp(0.1, 0.99)),
                swa_test_loss: averaging.then_some(0.42 - 0.004 * t),
                swa_test_accuracy: averaging.then_some(0.80 + 0.002 * t),
                ..Epoch::default()
            }
        })
        .collect();
    Training { title: "ResNet-8 on synthetic images".to_owned(), epochs }
}

fn network_loss(l: f64, low: f64) -> f64 {
    let sharp = if l < 0.0 { 0.42 * l * l / (1.0 + 0.12 * l.abs()) } else { 0.0 };
    let flat = if l > 0.0 { 0.025 * l + 0.012 * l * l } else { 0.0 };
    low + sharp + flat
}

fn profile(offsets: &[f64], loss: impl FnMut(f64) -> f64) -> Profile {
    let errors = offsets.iter().map(|l| 0.01 + 0.006 * l.abs()).collect();
    Profile::sample(offsets.to_vec(), loss).expect("a profile").with_standard_errors(errors).expect("errors")
}

pub(crate) fn line() -> Line {
    let offsets = grid(-3.0, 3.0, 61).expect("a grid");
    let train = profile(&offsets, |l| network_loss(l, 0.12));
    let test = profile(&offsets, |l| network_loss(l - 0.2, 0.41));
    let width = |i: usize| 0.2 * (i + 1) as f64;
    let front = (0..12)
        .map(|i| FrontPoint {
            width: width(i),
            certificate: Certificate { c: 60.0 * (-0.3 * i as f64).exp(), c_is_lower_bound: i < 2, ..certificate() },
        })
        .collect();
    Line {
        title: "ResNet-8 on synthetic images, SWA solution".to_owned(),
        family: "uniform".to_owned(),
        index: 0,
        train_accuracy: Some(offsets.iter().map(|l| 0.97 / (1.0 + 0.1 * l * l)).collect()),
        test_accuracy: Some(offsets.iter().map(|l| 0.88 / (1.0 + 0.1 * l * l)).collect()),
        train,
        test: Some(test),
        judgement: LineJudgement {
            mirrored: false,
            verdict: Verdict::Asymmetric,
            half_line: 3.0,
            canonical: Some(Certificate {
                r_hi: 2.4,
                r_lo: 0.6,
                p: 0.08,
                c: 5.6,
                c_is_lower_bound: false,
                gain: 0.166,
            }),
            matched: Some(Certificate { r_hi: 1.0, r_lo: 0.1, p: 0.05, c: 2.2, c_is_lower_bound: false, gain: 0.01 }),
            front,
        },
        setting: "batch norm recomputed on 2,000 un-augmented training images, 2,000 training and 1,000 test images"
            .to_owned(),
    }
}

pub(crate) fn shift() -> Shift {
    let offsets = grid(-3.0, 3.0, 61).expect("a grid");
    let delta = grid(-1.0, 1.0, 41).expect("a grid");
    let gap: Vec<f64> = delta.iter().map(|d| 0.03 + 0.8 * (d - 0.2_f64).abs() * (1.0 + 0.2 * d)).collect();
    Shift {
        title: "ResNet-8 on synthetic images, uniform direction 0".to_owned(),
        radius: 2.0,
        best_delta: 0.2,
        best_gap: 0.03,
        gap_at_zero: gap[20],
        train: profile(&offsets, |l| network_loss(l, 0.12)),
        test: profile(&offsets, |l| network_loss(l - 0.2, 0.12) + 0.01 * (3.0 * l).sin()),
        delta,
        gap,
    }
}

pub(crate) fn interpolation() -> Interpolation {
    let offsets = grid(-2.0, 3.0, 101).expect("a grid");
    let train = profile(&offsets, |s| network_loss(1.2 * (0.95 - s), 0.05));
    let test = profile(&offsets, |s| network_loss(1.2 * (0.3 - s), 0.38));
    let accuracy = |best: f64| offsets.iter().map(|s| best / (1.0 + 0.05 * s * s)).collect::<Vec<f64>>();
    Interpolation {
        title: "ResNet-8 on synthetic images".to_owned(),
        names: ["SWA", "SGD"].map(str::to_owned),
        train_accuracy: accuracy(0.98),
        test_accuracy: accuracy(0.88),
        train,
        test,
        distance: 4.37,
        bump: 0.0,
        judgement: LineJudgement { matched: None, ..line().judgement },
    }
}

pub(crate) fn solutions() -> Solutions {
    let row = |name: &str, chosen: &str, train_loss, train_accuracy, test_loss, test_accuracy| Solution {
        name: name.to_owned(),
        chosen: chosen.to_owned(),
        train_loss,
        train_accuracy,
        test_loss,
        test_accuracy,
    };
    Solutions {
        rows: vec![
            row("ResNet-8 SWA", "average of 10 epochs", 0.0931, 0.974, 0.378, 0.881),
            row("ResNet-8 SGD after SWA", "last epoch", 0.0512, 0.989, 0.402, 0.872),
        ],
        setting: "evaluation mode, un-augmented images, 4,000 training and 2,000 test images".to_owned(),
    }
}

pub(crate) fn table1() -> Table1 {
    let row = |solution: &str, train: f64, test: f64| Table1Row {
        network: "ResNet-110".to_owned(),
        data: "CIFAR-100".to_owned(),
        solution: solution.to_owned(),
        runs: 5,
        train_loss: Spread { mean: 1.2 - train, deviation: Some(0.01) },
        train_accuracy: Spread { mean: train, deviation: Some(0.002) },
        test_loss: Spread { mean: 1.7 - test, deviation: Some(0.02) },
        test_accuracy: Spread { mean: test, deviation: None },
    };
    let difference = |quantity: &str, mean: f64| Table1Difference {
        network: "ResNet-110".to_owned(),
        data: "CIFAR-100".to_owned(),
        first: "SWA".to_owned(),
        second: "SGD after SWA".to_owned(),
        quantity: quantity.to_owned(),
        runs: 5,
        mean,
        half_width: Some(0.003),
        test: PairedTest { student: Some(0.012), sign_flip: Some(0.0625) },
    };
    Table1 {
        rows: vec![row("SWA", 0.9498, 0.7894), row("SGD after SWA", 0.9752, 0.7829)],
        differences: vec![difference("train accuracy", -0.0254), difference("test accuracy", 0.0065)],
        setting: "50,000 training and 10,000 test images, un-augmented, in evaluation mode".to_owned(),
    }
}

pub(crate) fn comparison() -> Comparison {
    let row = |seed: u32| ComparisonRow {
        name: format!("ResNet-8 on synthetic images, seed {seed}"),
        gain: 0.01 * f64::from(seed) - 0.02,
        accuracy_gain: 0.002 * f64::from(seed),
        values: vec![Some(0.1 * f64::from(seed * seed)), Some(7.0 - f64::from(seed)), None, Some(0.0)],
    };
    let predictor = |name: &str, rho: Option<f64>| Predictor {
        name: name.to_owned(),
        spearman: rho.map(|rho| Spearman {
            pairs: 5,
            correlation: Interval { low: rho - 0.4, estimate: rho, high: rho + 0.1 },
            p_value: 1.0 / 60.0,
            is_exact: true,
        }),
    };
    Comparison {
        rows: (1..=5).map(row).collect(),
        predictors: vec![
            predictor("certificate’s gain on the line to SWA", Some(0.9)),
            predictor("largest eigenvalue of the Hessian", Some(-0.6)),
            predictor("trace of the Hessian", None),
            predictor("mean gain of certificates, uniform directions", None),
        ],
        confidence: 0.95,
    }
}

/// One record of every kind under a plausible name, in the order of the story.
pub(crate) fn all() -> Vec<(&'static str, Record)> {
    let story = vec![
        ("minima", Record::Minima(minima())),
        ("theorem1-tightness", Record::Tightness(tightness())),
        ("sgd-path", Record::SgdPath(sgd_path())),
        ("theorem2-map", Record::BiasMap(bias_map())),
        ("phase-map", Record::PhaseMap(phase_map())),
        ("thresholds", Record::Thresholds(thresholds())),
        ("exact-law", Record::ExactLaw(exact_law())),
        ("claims", Record::Claims(claims())),
        ("appendix-a", Record::AppendixA(appendix_a())),
        ("training", Record::Training(training())),
        ("solutions", Record::Solutions(solutions())),
        ("line-0", Record::Line(line())),
        ("shift", Record::Shift(shift())),
        ("interpolation", Record::Interpolation(interpolation())),
        ("table1", Record::Table1(table1())),
        ("comparison", Record::Comparison(comparison())),
    ];
    story.into_iter().chain(landscape::all()).chain(evidence::all()).collect()
}

/// Records that strain a layout: very long, very many, very few, very large or very small.
pub(crate) fn awkward() -> Vec<(&'static str, Record)> {
    let mut mirrored = line();
    mirrored.title =
        "VGG-16 with batch normalisation on CIFAR-100, SGD solution after SWA, epoch 225, seed 4".to_owned();
    mirrored.train = mirrored.train.mirrored();
    mirrored.test = None;
    mirrored.test_accuracy = None;
    mirrored.judgement = LineJudgement {
        mirrored: true,
        verdict: Verdict::Undecided,
        canonical: Some(Certificate { r_hi: 0.7, r_lo: 0.1, p: 1.3e-6, c: 4.0e5, c_is_lower_bound: true, gain: 0.1 }),
        ..mirrored.judgement
    };
    for (i, point) in mirrored.judgement.front.iter_mut().enumerate() {
        point.certificate.c = 10_f64.powi(6 - i as i32 / 2);
    }
    let mut symmetric = line();
    let offsets = symmetric.train.offsets().to_vec();
    symmetric.train = Profile::sample(offsets, |l| 1e-6 * l * l).expect("a profile");
    symmetric.test = None;
    symmetric.judgement = LineJudgement {
        verdict: Verdict::Symmetric,
        canonical: None,
        matched: None,
        front: Vec::new(),
        ..symmetric.judgement
    };
    let mut one_epoch = training();
    one_epoch.epochs.truncate(1);
    let mut long = training();
    let last = long.epochs[23].clone();
    long.epochs.truncate(23);
    long.epochs.extend((23..300).map(|epoch| Epoch { epoch, ..last.clone() }));
    let mut many_settings = exact_law();
    many_settings.rows = (0..24).map(|i| many_settings.rows[i % 5].clone()).collect();
    many_settings.rows[3].mean += 0.002;
    many_settings.rows[4].noise = "two-point, state-dependent".to_owned();
    let mut many_thresholds = thresholds();
    many_thresholds.long_run.extend(many_thresholds.round.clone());
    many_thresholds.momentum[1].points.iter_mut().for_each(|point| point.threshold = None);
    many_thresholds.sufficient.clear();
    let mut small_map = bias_map();
    (small_map.c, small_map.nu) = (vec![1.5, 3.0], vec![0.25, 1.0]);
    small_map.long_run = vec![vec![-1e-4, 2e-4], vec![3e-4, 4e-4]];
    small_map.round = small_map.long_run.clone();
    small_map.half_width = 1e-6;
    for threshold in &mut small_map.thresholds {
        threshold.name.push_str(" in expectation, whatever the noise");
    }
    let mut costly_map = phase_map();
    costly_map.half_width = 1e-6;
    costly_map.thresholds.clear();
    costly_map.rows[0].steps[0] = 1;
    costly_map.rows[1].steps[1] = 2_000_000_000_000;
    let mut one_seed = appendix_a();
    one_seed.seeds.truncate(1);
    let mut opposite = shift();
    opposite.best_delta = -1.0;
    let mut short_path = sgd_path();
    short_path.iterates.truncate(3);
    short_path.running_mean.truncate(3);
    let mut long_path = sgd_path();
    long_path.iterates = (0..100_000).map(|t| 3e5 * (scatter(t) - 0.2)).collect();
    long_path.running_mean = long_path.iterates.iter().map(|w| 1e5 + 0.1 * w).collect();
    let mut coarse = interpolation();
    coarse.train = Profile::sample(vec![-2.0, -1.0, 0.0, 1.0, 2.0, 3.0], |s| 0.1 + s * s).expect("a profile");
    coarse.test = coarse.train.clone();
    (coarse.train_accuracy, coarse.test_accuracy) = (vec![0.5; 6], vec![0.5; 6]);
    coarse.bump = 0.25;
    let mut named = interpolation();
    named.names = ["SGD, large batches", "SGD after SWA, other run"].map(str::to_owned);
    let story = vec![
        ("mirrored", Record::Line(mirrored)),
        ("symmetric", Record::Line(symmetric)),
        ("one-epoch", Record::Training(one_epoch)),
        ("long-training", Record::Training(long)),
        ("many-settings", Record::ExactLaw(many_settings)),
        ("small-map", Record::BiasMap(small_map)),
        ("costly-map", Record::PhaseMap(costly_map)),
        ("many-thresholds", Record::Thresholds(many_thresholds)),
        ("one-seed", Record::AppendixA(one_seed)),
        ("shift-to-the-edge", Record::Shift(opposite)),
        ("short-path", Record::SgdPath(short_path)),
        ("long-path", Record::SgdPath(long_path)),
        ("coarse", Record::Interpolation(coarse)),
        ("long-names-of-ends", Record::Interpolation(named)),
    ];
    story.into_iter().chain(landscape::awkward()).chain(evidence::awkward()).collect()
}
