//! What the run found, one line a record, at the head of the page.

use valleys_sim::asymmetry::Verdict;
use valleys_sim::record::{AppendixA, BiasMap, Claims, ExactLaw, Record, Shift, ThresholdCurve, Thresholds, Tightness};

use super::html::Page;
use super::{Entry, entries_of, evidence, landscape, network, table1};
use crate::scale::{grouped, number, percent};
use crate::{comparison, words};

pub(super) fn write(page: &mut Page, entries: &[Entry]) {
    let mut told: Vec<&Entry> = entries.iter().collect();
    told.sort_by_key(|entry| place(&entry.record));
    let mut items: Vec<String> = told.into_iter().filter_map(finding).collect();
    let lines: Vec<_> = entries_of!(Line in entries).into_iter().map(|(_, line)| line).collect();
    if !lines.is_empty() {
        items.push(format!("Directions of the network: {}", network::tally(lines.into_iter())));
    }
    if !items.is_empty() {
        page.section("What this run found");
        page.list(&items);
    }
}

/// Where a record comes in the story.
fn place(record: &Record) -> usize {
    match record {
        Record::Minima(_) => 0,
        Record::Tightness(_) => 1,
        Record::SgdPath(_) => 2,
        Record::BiasMap(_) => 3,
        Record::PhaseMap(_) => 4,
        Record::Thresholds(_) => 5,
        Record::ExactLaw(_) => 6,
        Record::Claims(_) => 7,
        Record::AppendixA(_) => 8,
        Record::Training(_) | Record::Solutions(_) => 9,
        Record::Line(_) => 10,
        Record::Shift(_) => 11,
        Record::Interpolation(_) => 12,
        Record::Prevalence(_) | Record::SignConsistency(_) => 13,
        Record::Neighbourhood(_) | Record::Trajectory(_) => 14,
        Record::InterRand(_) | Record::Rays(_) | Record::Plane(_) => 15,
        Record::Controls(_) => 16,
        Record::ShiftLaw(_) | Record::Intervention(_) | Record::Curvature(_) | Record::GradientNoise(_) => 17,
        Record::Theory(_) => 18,
        Record::Table1(_) | Record::Comparison(_) => 19,
    }
}

/// The finding of one record with the record's name; lines are counted together instead.
fn finding(entry: &Entry) -> Option<String> {
    let text = match &entry.record {
        Record::Minima(it) => format!(
            "Figure 1’s asymmetric valley: expected population loss {} at the training minimum, {} at the biased solution.",
            number(it.expected_at_minimiser),
            number(it.expected_at_biased)
        ),
        Record::Tightness(it) => theorem1(it),
        Record::SgdPath(it) => format!(
            "SGD on an asymmetric function: the minimiser is {}, the average of {} iterates is {}.",
            number(it.loss.minimum().0),
            grouped(it.iterates.len() as u64),
            number(it.running_mean[it.running_mean.len() - 1])
        ),
        Record::BiasMap(it) => theorem2(it),
        Record::PhaseMap(it) => format!("The phase map with {}: {}", it.setting, words::phase_map(it)),
        Record::Thresholds(it) => thresholds(it),
        Record::ExactLaw(it) => exact_law(it),
        Record::Claims(it) => claims(it),
        Record::AppendixA(it) => neuron(it),
        Record::Solutions(it) => network::pairs(it).join(" "),
        Record::Table1(it) => table1::finding(it),
        Record::Comparison(it) => comparison::finding(it),
        Record::Shift(it) => shift(it),
        Record::Interpolation(it) => words::interpolation(it),
        Record::Training(_) | Record::Line(_) => String::new(),
        Record::ShiftLaw(_)
        | Record::Intervention(_)
        | Record::Curvature(_)
        | Record::GradientNoise(_)
        | Record::Theory(_) => evidence::finding(&entry.record),
        other => landscape::finding(other),
    };
    (!text.is_empty()).then(|| format!("{text} (`{}`)", entry.name))
}

fn theorem1(it: &Tightness) -> String {
    let broken = it.counterexamples.iter().filter(|it| it.left < it.right).count();
    let slack =
        it.rows.iter().map(|row| row.extremal.min(row.random_minimum) - row.corrected).fold(f64::INFINITY, f64::min);
    format!(
        "Theorem 1 as printed is broken by {broken} of {} counterexamples; the smallest slack of the corrected bound \
         over {} values is {}.",
        it.counterexamples.len(),
        it.rows.len(),
        // Sums of the extremal instance meet the bound up to rounding.
        if slack.abs() < 1e-12 { "0".to_owned() } else { number(slack) }
    )
}

fn theorem2(it: &BiasMap) -> String {
    let cells = || it.long_run.iter().flatten();
    let positive = cells().filter(|&&mean| mean > it.half_width).count();
    let negative = cells().filter(|&&mean| mean < -it.half_width).count();
    format!(
        "Theorem 2: against the slopes and the noise that make it smallest, SGD’s long-run mean lies on the flat side in \
         {positive} of {} settings of asymmetry and noise, on the sharp side in {negative}, and within ±{} of zero (95 % \
         for each setting alone) in the rest, from {} steps.",
        cells().count(),
        number(it.half_width),
        grouped(it.steps)
    )
}

fn thresholds(it: &Thresholds) -> String {
    let met = |curves: &[ThresholdCurve], start: &str| {
        let line = it.sufficient.iter().find(|line| line.name.starts_with(start));
        let at = |nu: f64| line.and_then(|line| Some(line.c[line.nu.iter().position(|&it| it == nu)?]));
        let points = || curves.iter().flat_map(|curve| curve.points.iter().map(move |point| (curve, point)));
        let exact = points().filter(|(curve, point)| match (point.threshold, at(point.nu)) {
            (Some(threshold), Some(c)) => (threshold - c).abs() < 1.0 / f64::from(curve.cells),
            _ => false,
        });
        format!("{} of {}", exact.count(), points().count())
    };
    let momentum = it.momentum.iter().map(|curve| {
        let found: Vec<f64> = curve.points.iter().filter_map(|point| point.threshold).collect();
        let ends = [found.iter().copied().reduce(f64::min), found.iter().copied().reduce(f64::max)];
        match ends {
            [Some(least), Some(most)] => format!("c = {} to {} ({})", number(least), number(most), curve.name),
            _ => format!("none up to c = {} ({})", number(it.momentum_most), curve.name),
        }
    });
    format!(
        "The computed thresholds meet (L)’s within a cell in {} settings and (C)’s in {}, and lie below in the rest; \
         with momentum the long-run bias begins at {}.",
        met(&it.long_run, "(L)"),
        met(&it.round, "(C)"),
        momentum.collect::<Vec<_>>().join(", ")
    )
}

fn exact_law(it: &ExactLaw) -> String {
    let rows = || it.rows.iter().filter(|row| row.applies);
    let met = rows().filter(|row| row.is_met()).count();
    format!(
        "The exact law η(s − b)/2 lies within the interval of {met} of {} settings, at joint confidence {}.",
        rows().count(),
        percent(it.confidence)
    )
}

fn claims(it: &Claims) -> String {
    let count = |name: &str| it.rows.iter().filter(|row| row.standing == name).count();
    let standings: Vec<String> = ["proved", "tested", "refuted", "open"]
        .into_iter()
        .filter(|name| count(name) > 0)
        .map(|name| format!("{} {name}", count(name)))
        .collect();
    let missed: Vec<&str> = it.rows.iter().filter(|row| !row.upheld).map(|row| row.id.as_str()).collect();
    format!(
        "{} claims: {}; {}.",
        it.rows.len(),
        standings.join(", "),
        if missed.is_empty() {
            "this run agrees with every one".to_owned()
        } else {
            format!("this run does not agree with {}", missed.join(", "))
        }
    )
}

fn neuron(it: &AppendixA) -> String {
    let asymmetric = it.seeds.iter().filter(|seed| seed.verdict == Verdict::Asymmetric).count();
    format!("One neuron: {asymmetric} of {} seeds are asymmetric along their direction.", it.seeds.len())
}

fn shift(it: &Shift) -> String {
    let ratio = if it.gap_at_zero > 0.0 {
        format!(", {} % of the gap without a shift", number(100.0 * it.best_gap / it.gap_at_zero))
    } else {
        String::new()
    };
    let farthest = it.delta.iter().fold(0.0_f64, |far, delta| far.max(delta.abs()));
    let end = if it.best_delta.abs() >= farthest * (1.0 - 1e-9) { ", the farthest tried" } else { "" };
    let (delta, gap) = (number(it.best_delta), number(it.best_gap));
    format!("Shift between training and test loss: δ* = {delta}{end}, gap {gap}{ratio}.")
}
