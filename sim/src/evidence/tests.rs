use proptest::prelude::*;

use super::*;
use crate::asymmetry::{Criteria, SlopeBounds, judge_line};
use crate::gradient_noise::{self, NoiseCriteria};
use crate::profile::grid;
use crate::record::{BoundRow, GradientNoise};
use crate::sgd::{NoiseLaw, Process, Setting, Slopes, Valley, Visit};
use crate::theorem1::{Hypothesis, Statement};
use crate::theorem2::{Scales, long_run::LongRun};
use crate::{Profile, Seed, shift};

fn sample(f: impl FnMut(f64) -> f64) -> Profile {
    Profile::sample(grid(-3.0, 3.0, 61).expect("grid"), f).expect("profile")
}

fn valley(x: f64) -> f64 {
    if x < 0.0 { -3.0 * x } else { x }
}

/// Judges a training line with the shift to a test line on radius 2.
fn judged(train: &Profile, test: &Profile) -> (LineJudgement, Shift) {
    let shifts = shift::shifts(test, 2.0, 3).expect("room");
    let shift = shift::measure("", train, test, 2.0, &shifts).expect("valid");
    let measured = Some((shift.best_delta.abs(), shift.best_gap));
    (judge_line(train, &Criteria::default(), measured).expect("valid"), shift)
}

fn of<'a>(judgement: &'a LineJudgement, shift: &'a Shift) -> Evidence<'a> {
    Evidence { judgement, shift, law: None, neighbours: None, sgd: None }
}

fn standing(row: &StatementRow, hypothesis: impl std::fmt::Debug) -> Standing {
    let name = format!("{hypothesis:?}");
    row.hypotheses.iter().find(|row| row.name == name).expect("listed").standing
}

#[track_caller]
fn assert_bound(row: &BoundRow, bound: f64, observed: Option<f64>) {
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let same =
        row.observed.is_some() == observed.is_some() && close(row.observed.unwrap_or(0.0), observed.unwrap_or(0.0));
    assert!(close(row.bound, bound) && same, "{row:?}, wanted {bound}, {observed:?}");
}

#[test]
fn a_two_slope_valley_gains_what_the_theorem_promises() {
    // δ = 0.4, window (0.8, 0), l = 0.4: E gain ≥ (c − 1)pl/2 = 0.4; at this shift l·c·p = 1.2, and so it is.
    let (judgement, shift) = judged(&sample(valley), &sample(|x| valley(x - 0.4)));
    let theory = theory(("valley", "known"), &of(&judgement, &shift)).expect("valid");
    let row = &theory.statements[0];
    assert_bound(&row.bounds[0], 0.4, None);
    assert_bound(&row.bounds[1], 1.2, Some(1.2));
    assert_eq!(row.bounds[1].is_kept(), Some(true));
    let names: Vec<String> = Statement::Corrected.hypotheses().iter().map(|it| format!("{it:?}")).collect();
    assert_eq!(row.hypotheses.iter().map(|row| row.name.clone()).collect::<Vec<_>>(), names);
    use Hypothesis::*;
    for hypothesis in [OrthonormalDirections, NonNegativeSteps, ProjectionsWithinWindow, GapOnFullRadius] {
        assert_eq!(standing(row, hypothesis), Standing::Met, "{hypothesis:?}");
    }
    // A line shows neither the law of the shift nor the neighbours.
    assert_eq!(standing(row, BalancedProjections), Standing::NotMeasured);
    assert_eq!(standing(row, AsymmetricDirections), Standing::NotMeasured);
    assert_eq!(row.standing, Standing::NotMeasured);
    assert!((theory.shift - 0.4).abs() < 1e-9 && theory.statements.len() == 1);
    assert_eq!((theory.title.as_str(), theory.setting.as_str()), ("valley", "known"));
}

#[test]
fn a_mirrored_line_says_the_same() {
    let (plain, plain_shift) = judged(&sample(valley), &sample(|x| valley(x + 0.4)));
    let (turned, turned_shift) = judged(&sample(|x| valley(-x)), &sample(|x| valley(0.4 - x)));
    let plain = theory(("", "known"), &of(&plain, &plain_shift)).expect("valid");
    let mirrored = theory(("", "known"), &of(&turned, &turned_shift)).expect("valid");
    assert!(turned.mirrored && (plain.shift + 0.4).abs() < 1e-9 && (mirrored.shift + 0.4).abs() < 1e-9);
    for (a, b) in plain.statements[0].bounds.iter().zip(&mirrored.statements[0].bounds) {
        assert_bound(a, b.bound, b.observed);
    }
    // Shifted to the sharp side, a step to the flat side costs l·p.
    assert_bound(&plain.statements[0].bounds[1], -0.4, Some(-0.4));
}

#[test]
fn neighbours_and_the_law_of_the_shift_decide_what_a_line_cannot() {
    let (judgement, shift) = judged(&sample(valley), &sample(|x| valley(x - 0.4)));
    let same = Neighbourhood::new(&[sample(valley), sample(|x| 2.0 + valley(x))]).expect("two");
    let other = Neighbourhood::new(&[sample(valley), sample(|x| 0.9 * valley(x))]).expect("two");
    let law = |delta: Vec<f64>, positive: u64| {
        let count = delta.len() as u64;
        let quantiles = crate::record::Quantiles { q05: 0.0, q25: 0.0, q50: 0.0, q75: 0.0, q95: 0.0 };
        ShiftLaw {
            title: String::new(),
            pooled: false,
            train_examples: 2,
            population_examples: 2,
            radius: 2.0,
            gap: vec![0.0; delta.len()],
            gap_at_zero: vec![0.0; delta.len()],
            delta,
            q: crate::estimate::clopper_pearson(positive, count, crate::estimate::Confidence::P95).expect("valid"),
            zero: 0,
            at_end: 0,
            delta_quantiles: quantiles,
            size_quantiles: quantiles,
            gap_quantiles: quantiles,
            confidence: 0.95,
            promise: None,
            setting: String::new(),
        }
    };
    let row = |neighbours, law: &ShiftLaw| {
        let evidence = Evidence { neighbours: Some(neighbours), law: Some(law), ..of(&judgement, &shift) };
        theory(("", "known"), &evidence).expect("valid").statements.remove(0)
    };
    use Hypothesis::*;
    let good = row(&same, &law(vec![0.4, -0.4, 0.5, -0.3], 2));
    assert_eq!(good.standing, Standing::NotRejected);
    assert_bound(&good.bounds[1], 0.4, None);
    let bad = row(&other, &law(vec![0.4; 40], 40));
    assert_eq!(standing(&bad, AsymmetricDirections), Standing::NotMet);
    assert_eq!(standing(&bad, BalancedProjections), Standing::NotMet);
    assert_eq!(standing(&bad, ProjectionsWithinWindow), Standing::NotRejected);
    // All shifts positive: l·p·c.
    assert_bound(&bad.bounds[1], 1.2, None);
    // r̲ + l = 0.4 > 0.3.
    let short = row(&same, &law(vec![0.4, -0.4, 0.3, -0.3], 2));
    assert_eq!(standing(&short, ProjectionsWithinWindow), Standing::NotMet);
}

#[test]
fn without_a_matched_certificate_nothing_follows() {
    let (judgement, shift) = judged(&sample(|x| x * x), &sample(|x| (x - 0.4) * (x - 0.4)));
    assert_eq!(judgement.matched, None);
    let theory = theory(("", "known"), &of(&judgement, &shift)).expect("valid");
    let row = &theory.statements[0];
    assert_eq!(standing(row, Hypothesis::AsymmetricDirections), Standing::NotMet);
    assert!(row.bounds.is_empty() && row.standing == Standing::NotMet);
}

#[test]
fn a_certificate_of_another_line_or_shift_is_found_out() {
    let (judgement, shift) = judged(&sample(valley), &sample(|x| valley(x - 0.4)));
    let mut steeper = judgement.clone();
    steeper.matched = steeper.matched.map(|it| crate::asymmetry::Certificate { c: 3.5, ..it });
    let row = theory(("", "known"), &of(&steeper, &shift)).expect("valid").statements.remove(0);
    assert_eq!(standing(&row, Hypothesis::AsymmetricDirections), Standing::NotMet);
    let moved = Shift { best_delta: 0.9, ..shift.clone() };
    let message = theory(("", "known"), &of(&judgement, &moved)).expect_err("outside").to_string();
    assert_eq!(
        message,
        "window of the matched certificate is (0, 0.8); allowed: one with r̲ < |δ*| < r̄, where δ* = 0.9"
    );
    let narrow = Shift { radius: 0.5, ..shift };
    let row = theory(("", "known"), &of(&judgement, &narrow)).expect("valid").statements.remove(0);
    assert_eq!(standing(&row, Hypothesis::GapOnFullRadius), Standing::NotMeasured);
}

/// SGD in a valley of slopes 1 and −4 with uniform noise of size ½, and its noise law.
fn path(momentum: f64) -> (Setting, Vec<Visit>, GradientNoise) {
    let valley = Valley::two_slope(1.0, 4.0).expect("valid");
    let setting = Setting::new(valley, 0.1, 0.5).expect("valid");
    let gradient = Slopes::constant(&setting, 0.0, 0.0).expect("valid");
    let process = Process { setting, gradient, noise: NoiseLaw::Uniform };
    let mut chain = process.chain(0.0, Seed(5).stream("chain", 0));
    let visits: Vec<Visit> = (0..5_000).map(|_| chain.step()).collect();
    let series: Vec<f64> = visits.iter().map(|visit| visit.noise).collect();
    let noise =
        gradient_noise::measure(("", "known"), &series, 0.5, momentum, &NoiseCriteria::default()).expect("valid");
    (setting, visits, noise)
}

const SLOPES: SlopeBounds = SlopeBounds { b_plus: 1.0, a_plus: 1.0, a_minus: -4.0, b_minus: -4.0 };

fn averaging(sgd: Sgd) -> Vec<StatementRow> {
    let (judgement, shift) = judged(&sample(valley), &sample(|x| valley(x - 0.4)));
    let mut statements =
        theory(("", "known"), &Evidence { sgd: Some(sgd), ..of(&judgement, &shift) }).expect("valid").statements;
    statements.split_off(1)
}

#[test]
fn plain_sgd_in_a_valley_meets_what_can_be_seen_of_theorem_2() {
    use crate::theorem2::ProcessHypothesis::*;
    let (setting, visits, noise) = path(0.0);
    let sgd = Sgd { eta: 0.1, slopes: SLOPES, noise: &noise, visits: &visits, averaged: None };
    let rows = averaging(sgd);
    assert_eq!(rows.len(), 3);
    for row in &rows {
        for seen in &row.hypotheses {
            let wanted = match seen.name.as_str() {
                "ZeroMeanNoise" => Standing::NotRejected,
                "SameHyperplane" => Standing::NotMeasured,
                _ => Standing::Met,
            };
            assert_eq!(seen.standing, wanted, "{}: {seen:?}", row.statement);
        }
        assert_eq!(row.bounds.len(), 1);
        assert_eq!(row.bounds[0].is_kept(), Some(true), "{row:?}");
    }
    assert_eq!(rows[2].bounds[0].bound, LongRun::of(&setting).expect("applies").rate());
    assert_eq!(standing(&rows[0], PreparedRound), Standing::Met);
    let low = Visit { point: -2.0 * Scales::of(&setting).reach, slope: -4.0, noise: 0.0 };
    let rows = averaging(Sgd { visits: &[low], averaged: Some(0.25), ..sgd });
    assert_eq!(standing(&rows[2], StartAboveMinusD), Standing::NotMet);
    assert_eq!((rows[2].bounds[0].observed, rows[0].bounds[0].observed), (Some(0.25), None));
    let steep = Visit { point: 0.1, slope: 1.5, noise: 0.0 };
    assert_eq!(standing(&averaging(Sgd { visits: &[steep], ..sgd })[2], SlopesWithinBounds), Standing::NotMet);
    let blind = averaging(Sgd { visits: &[], ..sgd });
    for hypothesis in [SlopesWithinBounds, StartAboveMinusD] {
        assert_eq!(standing(&blind[2], hypothesis), Standing::NotMeasured);
    }
}

#[test]
fn with_momentum_or_without_a_valley_theorem_2_is_not_met() {
    use crate::theorem2::ProcessHypothesis::*;
    let (_, visits, noise) = path(0.9);
    let sgd = Sgd { eta: 0.1, slopes: SLOPES, noise: &noise, visits: &visits, averaged: None };
    for row in averaging(sgd) {
        assert_eq!((standing(&row, BoundedNoise), row.standing), (Standing::NotMet, Standing::NotMet));
    }
    let (_, visits, noise) = path(0.0);
    let tilted = SlopeBounds { b_plus: -0.5, ..SLOPES };
    for row in averaging(Sgd { slopes: tilted, noise: &noise, visits: &visits, ..sgd }) {
        assert_eq!((standing(&row, format_args!("Valley")), row.bounds.len()), (Standing::NotMet, 0));
        assert_eq!(standing(&row, BoundedNoise), Standing::Met);
    }
    // Little asymmetry for much noise: the hypothesis that fails is named with its numbers.
    let weak = SlopeBounds { a_minus: -1.5, b_minus: -1.5, ..SLOPES };
    let row = averaging(Sgd { slopes: weak, noise: &noise, visits: &[], ..sgd }).remove(0);
    let one = row.hypotheses.iter().find(|row| row.name == "OneSharpIterate").expect("listed");
    assert_eq!((one.standing, one.because.as_str()), (Standing::NotMet, "(c − 1)a₊ is 0.5; allowed: at least 2ν = 1"));
    assert!(row.bounds.is_empty());
    let (judgement, shift) = judged(&sample(valley), &sample(valley));
    let still = Evidence { sgd: Some(Sgd { eta: 0.0, ..sgd }), ..of(&judgement, &shift) };
    assert!(theory(("", "known"), &still).is_err());
}

proptest! {
    #[test]
    fn the_gain_at_the_measured_shift_keeps_the_promise_on_every_line(
        sharp in prop::collection::vec(0.5..6.0f64, 30),
        flat in prop::collection::vec(-0.5..2.0f64, 30),
        noise in prop::collection::vec(-0.2..0.2f64, 61),
        moved in -0.9..0.9f64,
    ) {
        let rise = |slopes: &[f64], x: f64| {
            (0..30).map(|i| slopes[i] * (x - 0.1 * i as f64).clamp(0.0, 0.1)).sum::<f64>()
        };
        let loss = |x: f64| if x < 0.0 { rise(&sharp, -x) } else { rise(&flat, x) };
        let mut errors = noise.iter();
        let train = sample(loss);
        let test = sample(|x| loss(x - moved) + errors.next().copied().unwrap_or(0.0));
        let (judgement, shift) = judged(&train, &test);
        let theory = theory(("", "known"), &of(&judgement, &shift)).expect("valid");
        let row = &theory.statements[0];
        if let Some(last) = row.bounds.last() {
            let is_measured = standing(row, Hypothesis::GapOnFullRadius) == Standing::Met;
            prop_assert_ne!(standing(row, Hypothesis::AsymmetricDirections), Standing::NotMet);
            prop_assert!(!is_measured || last.is_kept() == Some(true), "{:?}", row);
        }
    }
}
