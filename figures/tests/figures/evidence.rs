//! Records that hold the theorems against a network, with made-up but plausible numbers.

use valleys_figures::{render, tables};
use valleys_sim::asymmetry::{Certificate, Verdict};
use valleys_sim::curvature::{Ritz, Spectrum};
use valleys_sim::estimate::{Interval, PairedTest};
use valleys_sim::record::{
    Autocorrelation, BoundRow, CoveredSplits, Curvature, CurvatureRow, GradientNoise, HillTail, HypothesisRow,
    Intervention, InterventionRow, MoveKind, Quantiles, Record, ShiftLaw, SplitPromise, Standing, StatementRow, Theory,
};

const TITLE: &str = "ResNet-8 on synthetic images, SWA solution, −uniform 0";

const SETTING: &str = "batch-norm statistics of the centre; loss on 500 training and 500 test images";

const MINIBATCHES: &str = "200 minibatches of 64 out of 500 training images; all at the solution";

fn around(estimate: f64, half: f64) -> Interval {
    Interval { low: estimate - half, estimate, high: estimate + half }
}

fn quantiles(scale: f64) -> Quantiles {
    Quantiles { q05: 0.1 * scale, q25: 0.3 * scale, q50: 0.4 * scale, q75: 0.5 * scale, q95: 0.9 * scale }
}

const CERTIFICATE: Certificate =
    Certificate { r_hi: 2.4, r_lo: 0.2, p: 0.08, c: 5.0, c_is_lower_bound: false, gain: 0.06 };

pub(crate) fn shift_law() -> ShiftLaw {
    let wave = |i: i32| f64::from(i * 37 % 101) / 101.0;
    ShiftLaw {
        title: TITLE.to_owned(),
        pooled: false,
        train_examples: 250,
        population_examples: 250,
        radius: 2.0,
        delta: (0..200).map(|i| 0.4 + 0.5 * (wave(i) - 0.5)).collect(),
        gap: (0..200).map(|i| 0.02 + 0.03 * wave(i + 7)).collect(),
        gap_at_zero: (0..200).map(|i| 0.2 + 0.1 * wave(i + 3)).collect(),
        q: Interval { low: 0.97, estimate: 0.99, high: 1.0 },
        zero: 0,
        at_end: 3,
        delta_quantiles: quantiles(1.0),
        size_quantiles: quantiles(1.0),
        gap_quantiles: quantiles(0.1),
        confidence: 0.95,
        promise: Some(SplitPromise {
            certificate: CERTIFICATE,
            step: 0.1,
            within_window: 180,
            within_radius: 200,
            asymmetric: 120,
            covered: 110,
            gain: around(0.05, 0.01),
            on_covered: Some(CoveredSplits {
                q: Interval { low: 0.9, estimate: 0.95, high: 1.0 },
                largest_gap: 0.05,
                mean_gap: 0.03,
                bound: -0.062,
                mean_bound: -0.022,
                gain: 0.055,
                broken: 0,
            }),
        }),
        setting: SETTING.to_owned(),
    }
}

pub(crate) fn intervention() -> Intervention {
    let row = |kind, gain: f64, better: Option<f64>| InterventionRow {
        kind,
        gain: around(gain, 0.01),
        test: PairedTest { student: Some(0.01), sign_flip: None },
        flat_is_better_by: better.map(|it| around(it, 0.012)),
    };
    Intervention {
        title: TITLE.to_owned(),
        examples: 250,
        step: 0.2,
        confidence: 0.95,
        rows: vec![
            row(MoveKind::Flat, 0.04, None),
            row(MoveKind::Mirrored, -0.07, Some(0.11)),
            row(MoveKind::Permuted, 0.035, Some(0.005)),
            row(MoveKind::Symmetric, -0.004, Some(0.044)),
        ],
        predicted: Some(0.02),
        prediction: Standing::Met,
        setting: SETTING.to_owned(),
    }
}

pub(crate) fn theory() -> Theory {
    let hypothesis = |name: &str, standing| HypothesisRow {
        name: name.to_owned(),
        wording: format!("{name} in the paper’s notation"),
        standing,
        because: "a number of 3, seen at 200 of 200 steps".to_owned(),
    };
    let bound = |observed| BoundRow { quantity: "L(ŵ) − L(ŵ + 0.2u)".to_owned(), bound: 0.02, observed };
    let statement = |name: &str, standing| StatementRow {
        statement: name.to_owned(),
        hypotheses: vec![hypothesis("OrthonormalDirections", Standing::Met), hypothesis("GapOnFullRadius", standing)],
        standing,
        bounds: vec![bound(None), bound(Some(0.04)), bound(Some(0.01))],
    };
    Theory {
        title: TITLE.to_owned(),
        verdict: Verdict::Asymmetric,
        canonical: Some(CERTIFICATE),
        matched: None,
        shift: 0.4,
        gap: 0.03,
        statements: vec![
            statement("Theorem 1, corrected", Standing::NotRejected),
            statement("Theorem 2, corrected (L)", Standing::NotMet),
        ],
        setting: SETTING.to_owned(),
    }
}

pub(crate) fn curvature() -> Curvature {
    let ritz = |value: f64, converged| Ritz { value, residual: 0.01 * value.abs(), converged };
    let row = |name: &str, scale: f64| CurvatureRow {
        name: name.to_owned(),
        spectrum: Spectrum {
            smallest: vec![ritz(-0.4 * scale, true), ritz(-0.2 * scale, false)],
            largest: vec![ritz(12.0 * scale, true), ritz(7.0 * scale, true)],
            steps: 30,
            dimension: 75_290,
            converged: false,
            asymmetry: 1e-3,
        },
        trace: around(150.0 * scale, 30.0),
        trace_error: 13.0,
        probes: 10,
        step: 0.2,
    };
    Curvature {
        title: "ResNet-8 on synthetic images".to_owned(),
        rows: vec![row("SWA", 1.0), row("SGD after SWA", 1.6)],
        confidence: 0.95,
        setting: "gradients over 1000 training images, batch-norm statistics of the solution".to_owned(),
    }
}

pub(crate) fn noise() -> GradientNoise {
    let row = |lag: u64| Autocorrelation { lag, value: 0.2 * (-0.3 * lag as f64).exp() - 0.05, band: 0.14 };
    GradientNoise {
        title: TITLE.to_owned(),
        count: 200,
        largest: 0.31,
        mean: around(0.002, 0.013),
        variance: 0.0081,
        skewness: Some(0.2),
        tail: Some(HillTail { index: 5.1, standard_error: 1.1, used: 20 }),
        autocorrelation: (1..=20).map(row).collect(),
        uncorrelated: Some(0.4),
        independent: Some(0.03),
        independent_sizes: None,
        nu: 0.31,
        momentum: 0.9,
        confidence: 0.95,
        hypotheses: theory().statements[1].hypotheses.clone(),
        setting: MINIBATCHES.to_owned(),
    }
}

/// One record of every kind.
pub(crate) fn all() -> Vec<(&'static str, Record)> {
    vec![
        ("shift-law", Record::ShiftLaw(shift_law())),
        ("intervention-swa", Record::Intervention(intervention())),
        ("curvature", Record::Curvature(curvature())),
        ("gradient-noise", Record::GradientNoise(noise())),
        ("theory", Record::Theory(theory())),
    ]
}

/// Records that strain a layout.
pub(crate) fn awkward() -> Vec<(&'static str, Record)> {
    let mut certain = shift_law();
    certain.delta.iter_mut().for_each(|delta| *delta = 0.5);
    certain.promise = None;
    (certain.pooled, certain.delta_quantiles) = (true, quantiles(1.25));
    let mut alone = intervention();
    alone.rows.truncate(3);
    alone.rows[0].gain = around(0.0, 0.0);
    (alone.predicted, alone.prediction) = (None, Standing::NotMeasured);
    let mut single = curvature();
    single.rows.truncate(1);
    single.rows[0].name = "SGD, large batches, without batch norm".to_owned();
    let mut constant = noise();
    (constant.autocorrelation, constant.tail, constant.momentum) = (Vec::new(), None, 0.0);
    vec![
        ("certain-shift", Record::ShiftLaw(certain)),
        ("no-promise", Record::Intervention(alone)),
        ("one-solution", Record::Curvature(single)),
        ("constant-noise", Record::GradientNoise(constant)),
    ]
}

#[test]
fn pictures_say_what_their_records_hold() {
    let caption = |record: Record| render("it", &record).expect("a picture").swap_remove(0).caption;
    let law = caption(Record::ShiftLaw(shift_law()));
    assert!(law.contains("hold in 110 of 200 splits") && law.contains("at least −0.022, and 0.055 is seen"), "{law}");
    assert!(law.ends_with(&format!(" Measured: {SETTING}.")), "{law}");
    let moved = caption(Record::Intervention(intervention()));
    assert!(moved.contains("Theorem 1 promises 0.02, and the whole interval is above it"), "{moved}");
    assert!(moved.ends_with(&format!(" Measured: {SETTING}.")), "{moved}");
    let unknown = caption(Record::Intervention(Intervention { setting: String::new(), ..intervention() }));
    assert!(!unknown.contains("Measured") && unknown.ends_with('.'), "{unknown}");
    let spectrum = caption(Record::Curvature(curvature()));
    assert!(spectrum.contains("At SGD after SWA the trace over 75,290 weights is 240"), "{spectrum}");
    let noise = caption(Record::GradientNoise(noise()));
    assert!(noise.contains("tail index is 5.1 ± 1.1") && noise.contains("With momentum 0.9"), "{noise}");
    assert!(noise.ends_with(&format!(" Measured: {MINIBATCHES}.")), "{noise}");
    assert!(render("it", &Record::Theory(theory())).expect("no picture").is_empty());
}

#[test]
fn tables_hold_every_number() {
    let all = |record: Record| -> Vec<String> {
        tables("it", &record)
            .expect("tables")
            .iter()
            .map(|table| format!("{}\n{}", table.name, table.to_csv()))
            .collect()
    };
    let law = all(Record::ShiftLaw(shift_law()));
    assert_eq!((law.len(), law[0].lines().count()), (4, 202));
    assert!(law[3].contains(",110,0.05,0.04,") && law[3].ends_with(",-0.022,0.055,0\n"), "{}", law[3]);
    let moved = all(Record::Intervention(intervention()));
    assert!(
        moved[0].contains("\nto the sharp side,-0.07,") && moved[1].contains("\ntheorem1_bound,0.02\n"),
        "{moved:?}"
    );
    let theory = all(Record::Theory(theory()));
    assert_eq!(theory[0].lines().count(), 2 + 4);
    assert!(theory[1].contains(",0.02,0.04,true\n") && theory[1].contains(",0.02,0.01,false\n"), "{}", theory[1]);
    let spectrum = all(Record::Curvature(curvature()));
    assert!(spectrum[0].contains("\nSWA,smallest,2,-0.2,0.002,false\n"), "{}", spectrum[0]);
    let noise = all(Record::GradientNoise(noise()));
    assert!(noise[1].contains("\np_independent,0.03\np_independent_sizes,\n"), "{}", noise[1]);
}

#[test]
fn a_record_that_does_not_add_up_is_refused_by_name() {
    let refusal = |record: Record| render("it", &record).expect_err("refused").to_string();
    let mut it = shift_law();
    it.gap.pop();
    assert_eq!(refusal(Record::ShiftLaw(it)), "number of values of gap is 199; allowed: 200");
    let mut it = intervention();
    it.rows[2].gain.high = f64::NAN;
    assert_eq!(refusal(Record::Intervention(it)), "gain is NaN; allowed: a finite number");
    let mut it = curvature();
    it.rows[1].spectrum.largest.clear();
    assert_eq!(refusal(Record::Curvature(it)), "number of eigenvalues at SGD after SWA is 0; allowed: at least 1");
}
