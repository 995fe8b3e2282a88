//! The numbers behind every picture, as CSV.

mod evidence;
mod landscape;

use std::fmt::Write as _;

use valleys_sim::Profile;
use valleys_sim::asymmetry::Certificate;
use valleys_sim::record::{
    AppendixA, BiasMap, Claims, ExactLaw, Interpolation, Line, LineJudgement, Minima, Record, SgdPath, Shift,
    Solutions, Thresholds, Tightness, Training,
};

use crate::{Result, check, comparison, table1, words};

/// One CSV file.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// A name fit for a file, without extension: the record's name, or that and a part's.
    pub name: String,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, one cell a column.
    pub rows: Vec<Vec<Cell>>,
}

/// One cell of a [`Table`].
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A finite number, written with the fewest digits that read back as the same number.
    Number(f64),
    /// A count.
    Count(u64),
    /// `true` or `false`.
    Flag(bool),
    /// Words.
    Text(String),
    /// Not measured: an empty cell.
    Missing,
}

impl Table {
    pub(crate) fn new(name: impl Into<String>, columns: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> Self {
        Self {
            name: name.into(),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            rows: rows.into_iter().collect(),
        }
    }

    /// The table as CSV (RFC 4180, lines ended by `\n`). The same data give the same bytes.
    pub fn to_csv(&self) -> String {
        let mut csv = String::new();
        push_line(&mut csv, self.columns.iter().map(|column| quoted(column)));
        for row in &self.rows {
            push_line(&mut csv, row.iter().map(Cell::to_field));
        }
        csv
    }
}

impl Cell {
    fn to_field(&self) -> String {
        match self {
            Self::Number(value) => shortest(*value),
            Self::Count(count) => count.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Text(text) => quoted(text),
            Self::Missing => String::new(),
        }
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::Number)
    }
}

/// The shortest text that reads back as the same number; powers of ten for the very small and very large.
fn shortest(value: f64) -> String {
    let plain = value == 0.0 || (1e-5..1e16).contains(&value.abs());
    if plain { format!("{value}") } else { format!("{value:e}") }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn push_line(csv: &mut String, fields: impl Iterator<Item = String>) {
    for (i, field) in fields.enumerate() {
        let comma = if i == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(csv, "{comma}{field}");
    }
    csv.push('\n');
}

/// The tables of a record kept under `name`.
///
/// # Errors
/// [`Error::Record`](crate::Error::Record) names a field whose columns do not match or that is not finite.
pub fn tables(name: &str, record: &Record) -> Result<Vec<Table>> {
    check::record(record)?;
    Ok(match record {
        Record::Minima(minima) => of_minima(name, minima),
        Record::SgdPath(path) => of_path(name, path),
        Record::Tightness(tightness) => of_tightness(name, tightness),
        Record::BiasMap(map) => of_map(name, map),
        Record::Thresholds(thresholds) => of_thresholds(name, thresholds),
        Record::ExactLaw(law) => vec![of_law(name, law)],
        Record::Claims(claims) => of_claims(name, claims),
        Record::AppendixA(appendix) => of_appendix(name, appendix),
        Record::Training(training) => vec![of_training(name, training)],
        Record::Line(line) => of_line(name, line),
        Record::Shift(shift) => of_shift(name, shift),
        Record::Interpolation(interpolation) => of_interpolation(name, interpolation),
        Record::Solutions(solutions) => vec![of_solutions(name, solutions)],
        Record::Table1(table) => table1::tables(name, table),
        Record::Comparison(comparison) => comparison::tables(name, comparison),
        Record::Prevalence(prevalence) => landscape::of_prevalence(name, prevalence),
        Record::SignConsistency(signs) => landscape::of_signs(name, signs),
        Record::Neighbourhood(neighbourhood) => landscape::of_neighbourhood(name, neighbourhood),
        Record::Trajectory(trajectory) => landscape::of_trajectory(name, trajectory),
        Record::InterRand(lines) => landscape::of_inter_rand(name, lines),
        Record::Rays(rays) => vec![landscape::of_rays(name, rays)],
        Record::Plane(plane) => landscape::of_plane(name, plane),
        Record::Controls(controls) => landscape::of_controls(name, controls),
        Record::ShiftLaw(law) => evidence::of_shift_law(name, law),
        Record::Intervention(intervention) => evidence::of_intervention(name, intervention),
        Record::Theory(theory) => evidence::of_theory(name, theory),
        Record::Curvature(curvature) => evidence::of_curvature(name, curvature),
        Record::GradientNoise(noise) => evidence::of_noise(name, noise),
    })
}

fn of_minima(name: &str, minima: &Minima) -> Vec<Table> {
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

fn of_path(name: &str, path: &SgdPath) -> Vec<Table> {
    let steps = path.iterates.iter().zip(&path.running_mean).enumerate();
    let rows = steps.map(|(t, (&iterate, &mean))| vec![Cell::Count(t as u64), iterate.into(), mean.into()]);
    vec![
        Table::new(name, &["step", "iterate", "running_mean"], rows),
        of_profile(format!("{name}-loss"), "w", &path.loss),
    ]
}

fn of_tightness(name: &str, tightness: &Tightness) -> Vec<Table> {
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

fn of_map(name: &str, map: &BiasMap) -> Vec<Table> {
    let cells = (0..map.nu.len()).flat_map(|row| (0..map.c.len()).map(move |column| (row, column)));
    let rows = cells.map(|(row, column)| {
        vec![map.c[column].into(), map.nu[row].into(), map.long_run[row][column].into(), map.round[row][column].into()]
    });
    let thresholds = map.thresholds.iter().flat_map(|threshold| {
        let points = threshold.nu.iter().zip(&threshold.c);
        points.map(|(&nu, &c)| vec![Cell::text(&threshold.name), nu.into(), c.into()])
    });
    let summary = [("b_plus_over_a_plus", map.b_plus), ("half_width_eta_a_plus", map.half_width)];
    let mut summary = quantities(format!("{name}-summary"), &summary);
    summary.rows.push(vec![Cell::text("steps"), Cell::Count(map.steps)]);
    vec![
        Table::new(name, &["c", "nu_over_a_plus", "long_run_mean_eta_a_plus", "round_mean_eta_a_plus"], rows),
        Table::new(format!("{name}-thresholds"), &["threshold", "nu_over_a_plus", "c"], thresholds),
        summary,
    ]
}

fn of_thresholds(name: &str, thresholds: &Thresholds) -> Vec<Table> {
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
    let sufficient = thresholds.sufficient.iter().flat_map(|threshold| {
        let points = threshold.nu.iter().zip(&threshold.c);
        points.map(|(&nu, &c)| vec![Cell::text(&threshold.name), nu.into(), c.into()])
    });
    let momentum =
        [("momentum_b_plus_over_a_plus", thresholds.momentum_b_plus), ("momentum_most_c", thresholds.momentum_most)];
    vec![
        Table::new(name, &columns, rows),
        Table::new(format!("{name}-sufficient"), &["threshold", "nu_over_a_plus", "c"], sufficient),
        quantities(format!("{name}-momentum"), &momentum),
    ]
}

fn of_law(name: &str, law: &ExactLaw) -> Table {
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

fn of_claims(name: &str, claims: &Claims) -> Vec<Table> {
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

fn of_appendix(name: &str, appendix: &AppendixA) -> Vec<Table> {
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

fn of_training(name: &str, training: &Training) -> Table {
    let columns = [
        "epoch",
        "phase",
        "learning_rate",
        "running_loss",
        "running_accuracy",
        "held_out_loss",
        "held_out_accuracy",
        "test_loss",
        "test_accuracy",
        "swa_test_loss",
        "swa_test_accuracy",
    ];
    let rows = training.epochs.iter().map(|epoch| {
        vec![
            Cell::Count(epoch.epoch.into()),
            Cell::text(&epoch.phase),
            epoch.learning_rate.into(),
            epoch.running_loss.into(),
            epoch.running_accuracy.into(),
            epoch.held_out_loss.into(),
            epoch.held_out_accuracy.into(),
            epoch.test_loss.into(),
            epoch.test_accuracy.into(),
            epoch.swa_test_loss.into(),
            epoch.swa_test_accuracy.into(),
        ]
    });
    Table::new(name, &columns, rows)
}

fn of_line(name: &str, line: &Line) -> Vec<Table> {
    let accuracies = (line.train_accuracy.as_deref(), line.test_accuracy.as_deref());
    let curve = curves("offset", &line.train, line.test.as_ref(), accuracies);
    [Table { name: name.to_owned(), ..curve }].into_iter().chain(of_judgement(name, &line.judgement)).collect()
}

fn of_shift(name: &str, shift: &Shift) -> Vec<Table> {
    let rows = shift.delta.iter().zip(&shift.gap).map(|(&delta, &gap)| vec![delta.into(), gap.into()]);
    let summary = [
        ("best_delta", shift.best_delta),
        ("gap_at_best_delta", shift.best_gap),
        ("gap_at_zero", shift.gap_at_zero),
        ("radius", shift.radius),
    ];
    vec![
        Table::new(name, &["delta", "gap"], rows),
        of_profile(format!("{name}-train"), "offset", &shift.train),
        of_profile(format!("{name}-test"), "offset", &shift.test),
        quantities(format!("{name}-summary"), &summary),
    ]
}

fn of_interpolation(name: &str, it: &Interpolation) -> Vec<Table> {
    let curve = curves("s", &it.train, Some(&it.test), (Some(&it.train_accuracy), Some(&it.test_accuracy)));
    let summary = [("distance", it.distance), ("bump", it.bump)];
    [Table { name: name.to_owned(), ..curve }, quantities(format!("{name}-summary"), &summary)]
        .into_iter()
        .chain(of_judgement(name, &it.judgement))
        .collect()
}

fn of_solutions(name: &str, solutions: &Solutions) -> Table {
    let rows = solutions.rows.iter().map(|row| {
        vec![
            Cell::text(&row.name),
            Cell::text(&row.chosen),
            row.train_loss.into(),
            row.train_accuracy.into(),
            row.test_loss.into(),
            row.test_accuracy.into(),
        ]
    });
    Table::new(name, &["solution", "chosen", "train_loss", "train_accuracy", "test_loss", "test_accuracy"], rows)
}

/// Train and test curves along one line; cells of what was not measured stay empty.
fn curves(
    along: &str,
    train: &Profile,
    test: Option<&Profile>,
    (train_accuracy, test_accuracy): (Option<&[f64]>, Option<&[f64]>),
) -> Table {
    let error = |profile: &Profile, i: usize| Cell::from(profile.standard_errors().map(|errors| errors[i]));
    let rows = (0..train.len()).map(|i| {
        vec![
            train.offsets()[i].into(),
            train.losses()[i].into(),
            error(train, i),
            train_accuracy.map(|accuracy| accuracy[i]).into(),
            test.map(|test| test.losses()[i]).into(),
            test.map_or(Cell::Missing, |test| error(test, i)),
            test_accuracy.map(|accuracy| accuracy[i]).into(),
        ]
    });
    let columns = [
        along,
        "train_loss",
        "train_standard_error",
        "train_accuracy",
        "test_loss",
        "test_standard_error",
        "test_accuracy",
    ];
    Table::new("", &columns, rows)
}

fn of_profile(name: String, along: &str, profile: &Profile) -> Table {
    let rows = (0..profile.len()).map(|i| {
        let error = profile.standard_errors().map(|errors| errors[i]);
        vec![profile.offsets()[i].into(), profile.losses()[i].into(), error.into()]
    });
    Table::new(name, &[along, "loss", "standard_error"], rows)
}

const CERTIFICATE: [&str; 6] = ["r_hi", "r_lo", "p", "c", "c_is_lower_bound", "gain"];

fn certificate_cells(certificate: Option<&Certificate>) -> [Cell; 6] {
    certificate.map_or([const { Cell::Missing }; 6], |it| {
        [it.r_hi.into(), it.r_lo.into(), it.p.into(), it.c.into(), Cell::Flag(it.c_is_lower_bound), it.gain.into()]
    })
}

fn of_judgement(name: &str, judgement: &LineJudgement) -> [Table; 2] {
    let certificates = [("canonical", &judgement.canonical), ("matched", &judgement.matched)].map(|(which, it)| {
        let mut row = vec![
            Cell::text(which),
            Cell::text(words::verdict(judgement.verdict)),
            Cell::Flag(judgement.mirrored),
            judgement.half_line.into(),
        ];
        row.extend(certificate_cells(it.as_ref()));
        row
    });
    let front = judgement.front.iter().map(|point| {
        let mut row = vec![point.width.into()];
        row.extend(certificate_cells(Some(&point.certificate)));
        row
    });
    let head = ["certificate", "verdict", "mirrored", "half_line"];
    [
        Table::new(format!("{name}-certificates"), &[&head[..], &CERTIFICATE].concat(), certificates),
        Table::new(format!("{name}-front"), &[&["width"][..], &CERTIFICATE].concat(), front),
    ]
}

fn quantities(name: String, values: &[(&str, f64)]) -> Table {
    let rows = values.iter().map(|&(quantity, value)| vec![Cell::text(quantity), value.into()]);
    Table::new(name, &["quantity", "value"], rows)
}
