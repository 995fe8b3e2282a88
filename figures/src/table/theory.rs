//! The numbers of the theory: known losses, both theorems, the claims, and one neuron.

use valleys_sim::record::{
    AppendixA, BiasMap, Claims, ExactLaw, Minima, PhaseMap, SgdPath, Threshold, Thresholds, Tightness,
};

use super::{CERTIFICATE, Cell, Table, certificate_cells, of_profile, quantities};
use crate::words;

pub(super) fn of_minima(name: &str, minima: &Minima) -> Vec<Table> {
    let curves = minima.curves.iter().map(|curve| {
        let rows = (0..minima.offsets.len()).map(|i| {
            vec![
                minima.offsets[i].into(),
                curve.training[i].into(),
                curve.population_plus[i].into(),
                curve.population_minus[i].into(),
            ]
        });
        let columns = ["w", "training_loss", "population_loss_shift_plus", "population_loss_shift_minus"];
        Table::new(format!("{name}-{}", curve.name), &columns, rows)
    });
    let expectation = [
        ("shift", minima.shift),
        ("biased_solution", minima.biased),
        ("expected_loss_at_minimiser", minima.expected_at_minimiser),
        ("expected_loss_at_biased", minima.expected_at_biased),
    ];
    curves.chain([quantities(format!("{name}-expectation"), &expectation)]).collect()
}

pub(super) fn of_path(name: &str, path: &SgdPath) -> Vec<Table> {
    let steps = path.iterates.iter().zip(&path.running_mean).enumerate();
    let rows = steps.map(|(t, (&iterate, &mean))| vec![Cell::Count(t as u64), iterate.into(), mean.into()]);
    vec![
        Table::new(name, &["step", "iterate", "running_mean"], rows),
        of_profile(format!("{name}-loss"), "w", &path.loss),
    ]
}

pub(super) fn of_tightness(name: &str, tightness: &Tightness) -> Vec<Table> {
    let rows = tightness.rows.iter().map(|row| {
        vec![row.x.into(), row.extremal.into(), row.random_minimum.into(), row.corrected.into(), row.printed.into()]
    });
    let columns = [tightness.variable.as_str(), "extremal", "random_minimum", "corrected_bound", "printed_bound"];
    let counterexamples =
        tightness.counterexamples.iter().map(|it| vec![Cell::text(&it.fault), it.left.into(), it.right.into()]);
    vec![
        Table::new(name, &columns, rows),
        Table::new(format!("{name}-counterexamples"), &["fault", "left_side", "right_side"], counterexamples),
    ]
}

pub(super) fn of_map(name: &str, map: &BiasMap) -> Vec<Table> {
    let cells = (0..map.nu.len()).flat_map(|row| (0..map.c.len()).map(move |column| (row, column)));
    let rows = cells.map(|(row, column)| {
        vec![map.c[column].into(), map.nu[row].into(), map.long_run[row][column].into(), map.round[row][column].into()]
    });
    let summary = [("b_plus_over_a_plus", map.b_plus), ("half_width_eta_a_plus", map.half_width)];
    let mut summary = quantities(format!("{name}-summary"), &summary);
    summary.rows.push(vec![Cell::text("steps"), Cell::Count(map.steps)]);
    vec![
        Table::new(name, &["c", "nu_over_a_plus", "long_run_mean_eta_a_plus", "round_mean_eta_a_plus"], rows),
        of_curves(format!("{name}-thresholds"), &map.thresholds),
        summary,
    ]
}

pub(super) fn of_phase_map(name: &str, map: &PhaseMap) -> Vec<Table> {
    let rows = map.rows.iter().zip(&map.nu).flat_map(|(row, &nu)| {
        map.c.iter().enumerate().map(move |(column, &c)| {
            vec![
                c.into(),
                nu.into(),
                row.long_run[column].into(),
                row.round[column].into(),
                row.negative[column].into(),
                Cell::Count(row.steps[column]),
            ]
        })
    });
    let columns =
        ["c", "nu_over_a_plus", "long_run_mean_eta_a_plus", "round_mean_eta_a_plus", "negative_share", "steps"];
    let summary = [
        ("b_plus_over_a_plus", map.b_plus),
        ("c_prime_over_c", map.c_prime),
        ("half_width_eta_a_plus", map.half_width),
    ];
    let mut summary = quantities(format!("{name}-summary"), &summary);
    let steps = map.rows.iter().flat_map(|row| &row.steps).sum();
    summary.rows.push(vec![Cell::text("steps"), Cell::Count(steps)]);
    vec![Table::new(name, &columns, rows), of_curves(format!("{name}-thresholds"), &map.thresholds), summary]
}

/// Curves c(ν) that suffice, one row a point.
fn of_curves(name: String, thresholds: &[Threshold]) -> Table {
    let rows = thresholds.iter().flat_map(|threshold| {
        let points = threshold.nu.iter().zip(&threshold.c);
        points.map(|(&nu, &c)| vec![Cell::text(&threshold.name), nu.into(), c.into()])
    });
    Table::new(name, &["threshold", "nu_over_a_plus", "c"], rows)
}

pub(super) fn of_thresholds(name: &str, thresholds: &Thresholds) -> Vec<Table> {
    let parts = [
        ("long run", "b_plus_over_a_plus", &thresholds.long_run),
        ("round", "b_plus_over_a_plus", &thresholds.round),
        ("momentum", "mu", &thresholds.momentum),
    ];
    let rows = parts.iter().flat_map(|&(mean, parameter, curves)| {
        curves.iter().flat_map(move |curve| {
            curve.points.iter().map(move |point| {
                vec![
                    Cell::text(mean),
                    Cell::text(parameter),
                    curve.value.into(),
                    point.nu.into(),
                    point.negative.into(),
                    point.threshold.into(),
                    point.certain.into(),
                    Cell::Count(u64::from(curve.cells)),
                ]
            })
        })
    });
    let columns = ["mean", "parameter", "value", "nu_over_a_plus", "c_negative", "c_threshold", "c_certain", "cells"];
    let momentum =
        [("momentum_b_plus_over_a_plus", thresholds.momentum_b_plus), ("momentum_most_c", thresholds.momentum_most)];
    vec![
        Table::new(name, &columns, rows),
        of_curves(format!("{name}-sufficient"), &thresholds.sufficient),
        quantities(format!("{name}-momentum"), &momentum),
    ]
}

pub(super) fn of_law(name: &str, law: &ExactLaw) -> Table {
    let columns =
        ["flat_slope", "sharp_slope", "nu", "eta", "noise", "law", "mean", "half_width", "applies", "joint_confidence"];
    let rows = law.rows.iter().map(|row| {
        vec![
            row.flat.into(),
            row.sharp.into(),
            row.nu.into(),
            row.eta.into(),
            Cell::text(&row.noise),
            row.expected.into(),
            row.mean.into(),
            row.half_width.into(),
            Cell::Flag(row.applies),
            law.confidence.into(),
        ]
    });
    Table::new(name, &columns, rows)
}

pub(super) fn of_claims(name: &str, claims: &Claims) -> Vec<Table> {
    let text = |text: &Option<String>| Cell::text(text.as_deref().unwrap_or_default());
    let slack = |slack: Option<f64>| slack.map_or(Cell::text(""), Cell::Number);
    let standings = claims.rows.iter().map(|row| {
        vec![
            Cell::text(&row.id),
            Cell::text(&row.source),
            Cell::text(&row.words),
            Cell::text(&row.formula),
            Cell::text(row.hypotheses.join("; ")),
            Cell::text(&row.standing),
            text(&row.fault),
            Cell::text(row.proofs.join(" ")),
            Cell::Count(row.cases()),
            slack(row.smallest_slack()),
            text(&row.counterexample),
            Cell::Flag(row.upheld),
        ]
    });
    let columns = [
        "id",
        "source",
        "words",
        "formula",
        "hypotheses",
        "standing",
        "fault",
        "proofs",
        "cases",
        "smallest_slack",
        "counterexample",
        "upheld",
    ];
    let standings = Table::new(name, &columns, standings);
    let weakenings = claims.rows.iter().flat_map(|row| row.weakenings.iter().map(move |it| (row, it)));
    let weakenings = weakenings.map(|(row, it)| {
        vec![
            Cell::text(&row.id),
            Cell::text(&it.hypothesis),
            Cell::text(&it.instead),
            Cell::text(&it.effect),
            text(&it.because),
            Cell::text(it.proofs.join(" ")),
            Cell::Count(it.trials.iter().map(|trial| trial.cases).sum()),
            text(&it.counterexample),
            Cell::Flag(it.upheld),
        ]
    });
    let columns = ["id", "hypothesis", "instead", "effect", "because", "proofs", "cases", "counterexample", "upheld"];
    let weakenings = Table::new(format!("{name}-hypotheses"), &columns, weakenings);
    let trials = claims.rows.iter().flat_map(|row| row.trials.iter().map(move |it| (row, it))).map(|(row, it)| {
        vec![
            Cell::text(&row.id),
            Cell::text(&it.search),
            Cell::text(&it.method),
            Cell::Count(it.cases),
            slack(it.smallest_slack),
            it.false_alarm.into(),
        ]
    });
    let columns = ["id", "search", "method", "cases", "smallest_slack", "false_alarm"];
    vec![standings, weakenings, Table::new(format!("{name}-trials"), &columns, trials)]
}

pub(super) fn of_appendix(name: &str, appendix: &AppendixA) -> Vec<Table> {
    let mut columns = vec!["offset".to_owned()];
    columns.extend(appendix.seeds.iter().map(|seed| format!("loss_seed_{}", seed.seed)));
    let losses = |i: usize| appendix.seeds.iter().map(move |seed| Cell::Number(seed.losses[i]));
    let curves = Table {
        name: name.to_owned(),
        columns,
        rows: (0..appendix.offsets.len())
            .map(|i| std::iter::once(appendix.offsets[i].into()).chain(losses(i)).collect())
            .collect(),
    };
    let columns = [
        "seed",
        "separable",
        "last_weight",
        "last_bias",
        "averaged_weight",
        "averaged_bias",
        "optimum_weight",
        "optimum_bias",
        "direction_weight",
        "direction_bias",
        "circle_share",
        "circle_valley_share",
        "mirrored",
        "verdict",
    ];
    let seeds = appendix.seeds.iter().map(|seed| {
        let mut row = vec![
            Cell::Count(seed.seed),
            Cell::Flag(seed.separable),
            seed.last[0].into(),
            seed.last[1].into(),
            seed.averaged[0].into(),
            seed.averaged[1].into(),
            seed.optimum.map(|it| it[0]).into(),
            seed.optimum.map(|it| it[1]).into(),
            seed.direction[0].into(),
            seed.direction[1].into(),
            seed.circle_share.into(),
            seed.circle_valley_share.into(),
            Cell::Flag(seed.mirrored),
            Cell::text(words::verdict(seed.verdict)),
        ];
        row.extend(certificate_cells(seed.certificate.as_ref()));
        row
    });
    let without_optimum = appendix.without_optimum.iter().map(|&seed| vec![Cell::Count(seed)]);
    vec![
        curves,
        Table::new(format!("{name}-seeds"), &[&columns[..], &CERTIFICATE].concat(), seeds),
        Table::new(format!("{name}-without-optimum"), &["seed"], without_optimum),
    ]
}
