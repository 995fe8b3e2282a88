//! The numbers that hold the theorems against a network.

use valleys_sim::estimate::Interval;
use valleys_sim::record::{
    Curvature, CurvatureRow, GradientNoise, HypothesisRow, Intervention, InterventionRow, ShiftLaw, SplitPromise,
    Theory,
};

use super::{CERTIFICATE, Cell, Table, certificate_cells, quantities};
use crate::words;

pub(super) fn of_shift_law(name: &str, it: &ShiftLaw) -> Vec<Table> {
    let splits = (0..it.delta.len())
        .map(|i| vec![Cell::Count(i as u64), it.delta[i].into(), it.gap[i].into(), it.gap_at_zero[i].into()]);
    let quantiles = [("delta", it.delta_quantiles), ("size", it.size_quantiles), ("gap", it.gap_quantiles)];
    let quantiles = quantiles.into_iter().map(|(of, it)| {
        let mut row = vec![Cell::text(of)];
        row.extend([it.q05, it.q25, it.q50, it.q75, it.q95].map(Cell::from));
        row
    });
    let mut summary = quantities(
        format!("{name}-summary"),
        &[
            ("radius", it.radius),
            ("q", it.q.estimate),
            ("q_low", it.q.low),
            ("q_high", it.q.high),
            ("confidence", it.confidence),
        ],
    );
    let counts = [
        ("train_examples", it.train_examples),
        ("population_examples", it.population_examples),
        ("splits_with_no_shift", it.zero),
        ("splits_at_an_end", it.at_end),
    ];
    summary.rows.extend(counts.map(|(what, count)| vec![Cell::text(what), Cell::Count(count)]));
    summary.rows.push(vec![Cell::text("pooled"), Cell::Flag(it.pooled)]);
    let mut tables = vec![
        Table::new(name, &["split", "delta", "gap", "gap_at_zero"], splits),
        Table::new(format!("{name}-quantiles"), &["of", "q05", "q25", "q50", "q75", "q95"], quantiles),
        summary,
    ];
    tables.extend(it.promise.as_ref().map(|promise| of_promise(format!("{name}-theorem1"), promise)));
    tables
}

/// Theorem 1 on random splits, one row.
fn of_promise(name: String, it: &SplitPromise) -> Table {
    let covered = it.on_covered.as_ref();
    let mut row: Vec<Cell> = certificate_cells(Some(&it.certificate)).into();
    row.push(it.step.into());
    row.extend([it.within_window, it.within_radius, it.asymmetric, it.covered].map(Cell::Count));
    row.extend(interval(Some(&it.gain)));
    row.extend(interval(covered.map(|it| &it.q)));
    row.extend([
        covered.map(|it| it.largest_gap).into(),
        covered.map(|it| it.mean_gap).into(),
        covered.map(|it| it.bound).into(),
        covered.map(|it| it.mean_bound).into(),
        covered.map(|it| it.gain).into(),
        covered.map_or(Cell::Missing, |it| Cell::Count(it.broken)),
    ]);
    let columns = [
        "step",
        "within_window",
        "within_radius",
        "asymmetric",
        "covered",
        "mean_gain",
        "mean_gain_low",
        "mean_gain_high",
        "q_covered",
        "q_covered_low",
        "q_covered_high",
        "largest_gap",
        "mean_gap",
        "bound",
        "bound_with_mean_gap",
        "mean_gain_covered",
        "broken",
    ];
    Table::new(name, &[&CERTIFICATE[..], &columns].concat(), [row])
}

pub(super) fn of_intervention(name: &str, it: &Intervention) -> Vec<Table> {
    let row = |row: &InterventionRow| {
        let mut cells = vec![Cell::text(words::moved(row.kind))];
        cells.extend(interval(Some(&row.gain)));
        cells.extend([row.test.student.into(), row.test.sign_flip.into()]);
        cells.extend(interval(row.flat_is_better_by.as_ref()));
        cells
    };
    let columns = [
        "move",
        "gain",
        "gain_low",
        "gain_high",
        "p_student",
        "p_sign_flip",
        "flat_is_better_by",
        "flat_is_better_by_low",
        "flat_is_better_by_high",
    ];
    let mut summary = quantities(format!("{name}-summary"), &[("step", it.step), ("confidence", it.confidence)]);
    summary.rows.push(vec![Cell::text("examples"), Cell::Count(it.examples)]);
    summary.rows.push(vec![Cell::text("theorem1_bound"), it.predicted.into()]);
    summary.rows.push(vec![Cell::text("bound_is"), Cell::text(words::standing(it.prediction))]);
    vec![Table::new(name, &columns, it.rows.iter().map(row)), summary]
}

pub(super) fn of_theory(name: &str, it: &Theory) -> Vec<Table> {
    let rows = it.statements.iter().flat_map(|statement| {
        statement.hypotheses.iter().map(move |row| [vec![Cell::text(&statement.statement)], hypothesis(row)].concat())
    });
    let bounds = it.statements.iter().flat_map(|statement| {
        statement.bounds.iter().map(move |row| {
            vec![
                Cell::text(&statement.statement),
                Cell::text(words::standing(statement.standing)),
                Cell::text(&row.quantity),
                row.bound.into(),
                row.observed.into(),
                row.is_kept().map_or(Cell::Missing, Cell::Flag),
            ]
        })
    });
    let certificates = [("canonical", &it.canonical), ("matched", &it.matched)].map(|(which, found)| {
        let mut cells = vec![Cell::text(which), Cell::text(words::verdict(it.verdict)), it.shift.into(), it.gap.into()];
        cells.extend(certificate_cells(found.as_ref()));
        cells
    });
    let columns = ["statement", "hypothesis", "wording", "standing", "because"];
    let heads = ["certificate", "verdict", "shift", "gap"];
    vec![
        Table::new(name, &columns, rows),
        Table::new(
            format!("{name}-bounds"),
            &["statement", "standing", "quantity", "bound", "observed", "kept"],
            bounds,
        ),
        Table::new(format!("{name}-certificates"), &[&heads[..], &CERTIFICATE].concat(), certificates),
    ]
}

/// Name, wording, standing and reason.
fn hypothesis(it: &HypothesisRow) -> Vec<Cell> {
    [it.name.as_str(), &it.wording, words::standing(it.standing), &it.because].map(Cell::text).into()
}

pub(super) fn of_curvature(name: &str, it: &Curvature) -> Vec<Table> {
    let rows = it.rows.iter().flat_map(|row| {
        let ends = [("largest", &row.spectrum.largest), ("smallest", &row.spectrum.smallest)];
        ends.into_iter().flat_map(move |(end, values)| {
            values.iter().enumerate().map(move |(rank, ritz)| {
                vec![
                    Cell::text(&row.name),
                    Cell::text(end),
                    Cell::Count(rank as u64 + 1),
                    ritz.value.into(),
                    ritz.residual.into(),
                    Cell::Flag(ritz.converged),
                ]
            })
        })
    });
    let trace = |row: &CurvatureRow| {
        let mut cells = vec![Cell::text(&row.name)];
        cells.extend(interval(Some(&row.trace)));
        cells.extend([
            row.trace_error.into(),
            Cell::Count(row.probes),
            Cell::Count(row.spectrum.steps as u64),
            Cell::Count(row.spectrum.dimension as u64),
            row.spectrum.asymmetry.into(),
            row.step.into(),
        ]);
        cells
    };
    let columns = [
        "solution",
        "trace",
        "trace_low",
        "trace_high",
        "standard_error",
        "probes",
        "lanczos_steps",
        "dimension",
        "asymmetry",
        "difference_step",
    ];
    vec![
        Table::new(name, &["solution", "end", "rank", "eigenvalue", "residual", "converged"], rows),
        Table::new(format!("{name}-traces"), &columns, it.rows.iter().map(trace)),
    ]
}

pub(super) fn of_noise(name: &str, it: &GradientNoise) -> Vec<Table> {
    let lags = it.autocorrelation.iter().map(|row| vec![Cell::Count(row.lag), row.value.into(), row.band.into()]);
    let mut summary = quantities(
        format!("{name}-summary"),
        &[
            ("largest", it.largest),
            ("nu", it.nu),
            ("momentum", it.momentum),
            ("mean", it.mean.estimate),
            ("mean_low", it.mean.low),
            ("mean_high", it.mean.high),
            ("variance", it.variance),
            ("confidence", it.confidence),
        ],
    );
    let known = [
        ("steps", Cell::Count(it.count)),
        ("skewness", it.skewness.into()),
        ("tail_index", it.tail.map(|tail| tail.index).into()),
        ("tail_index_error", it.tail.map(|tail| tail.standard_error).into()),
        ("tail_used", it.tail.map_or(Cell::Missing, |tail| Cell::Count(tail.used))),
        ("p_uncorrelated", it.uncorrelated.into()),
        ("p_independent", it.independent.into()),
        ("p_independent_sizes", it.independent_sizes.into()),
    ];
    summary.rows.extend(known.map(|(what, cell)| vec![Cell::text(what), cell]));
    vec![
        Table::new(name, &["lag", "autocorrelation", "band"], lags),
        summary,
        Table::new(
            format!("{name}-hypotheses"),
            &["hypothesis", "wording", "standing", "because"],
            it.hypotheses.iter().map(hypothesis),
        ),
    ]
}

/// Estimate and both ends.
fn interval(it: Option<&Interval>) -> [Cell; 3] {
    [it.map(|it| it.estimate).into(), it.map(|it| it.low).into(), it.map(|it| it.high).into()]
}
