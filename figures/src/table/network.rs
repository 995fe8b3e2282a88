//! The numbers of a trained network: its training, its solutions, and lines through them.

use valleys_sim::Profile;
use valleys_sim::record::{Interpolation, Line, Shift, Solutions, Training};

use super::{Cell, Table, of_judgement, of_profile, quantities};

pub(super) fn of_training(name: &str, training: &Training) -> Table {
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

pub(super) fn of_line(name: &str, line: &Line) -> Vec<Table> {
    let accuracies = (line.train_accuracy.as_deref(), line.test_accuracy.as_deref());
    let curve = curves("offset", &line.train, line.test.as_ref(), accuracies);
    [Table { name: name.to_owned(), ..curve }].into_iter().chain(of_judgement(name, &line.judgement)).collect()
}

pub(super) fn of_shift(name: &str, shift: &Shift) -> Vec<Table> {
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

pub(super) fn of_interpolation(name: &str, it: &Interpolation) -> Vec<Table> {
    let curve = curves("s", &it.train, Some(&it.test), (Some(&it.train_accuracy), Some(&it.test_accuracy)));
    let summary = [("distance", it.distance), ("bump", it.bump)];
    [Table { name: name.to_owned(), ..curve }, quantities(format!("{name}-summary"), &summary)]
        .into_iter()
        .chain(of_judgement(name, &it.judgement))
        .collect()
}

pub(super) fn of_solutions(name: &str, solutions: &Solutions) -> Table {
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
