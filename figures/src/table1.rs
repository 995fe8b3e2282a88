//! Table 1 of the paper, in columns for people and for programs.

use valleys_sim::record::{Spread, Table1, Table1Difference};

use crate::scale::number;
use crate::table::{Cell, Table};

/// A table for people: names of columns, and rows of as many cells.
pub type Columns = (Vec<&'static str>, Vec<Vec<String>>);

/// The solutions: mean ± standard deviation over runs, accuracies in per cent.
pub fn solutions(table: &Table1) -> Columns {
    let columns =
        vec!["network", "data", "solution", "runs", "train accuracy, %", "test accuracy, %", "train loss", "test loss"];
    let rows = table.rows.iter().map(|row| {
        vec![
            row.network.clone(),
            row.data.clone(),
            row.solution.clone(),
            row.runs.to_string(),
            percent(row.train_accuracy),
            percent(row.test_accuracy),
            loss(row.train_loss),
            loss(row.test_loss),
        ]
    });
    (columns, rows.collect())
}

/// The differences: mean ± half of the 95 % interval, accuracies in points of per cent.
pub fn differences(table: &Table1) -> Columns {
    let columns = vec!["network", "data", "difference", "of", "runs", "mean ± 95 %", "p (Student)", "p (sign flips)"];
    let rows = table.differences.iter().map(|it| {
        let scale = if is_accuracy(it) { 100.0 } else { 1.0 };
        let half = it.half_width.map_or_else(|| "–".to_owned(), |half| fixed(scale * half, it));
        vec![
            it.network.clone(),
            it.data.clone(),
            format!("{} − {}", it.first, it.second),
            if is_accuracy(it) { format!("{}, points", it.quantity) } else { it.quantity.clone() },
            it.runs.to_string(),
            format!("{} ± {half}", fixed(scale * it.mean, it)),
            probability(it.test.student),
            probability(it.test.sign_flip),
        ]
    });
    (columns, rows.collect())
}

/// The same as CSV.
pub(crate) fn tables(name: &str, table: &Table1) -> Vec<Table> {
    let columns = [
        "network",
        "data",
        "solution",
        "runs",
        "train_loss",
        "train_loss_sd",
        "train_accuracy",
        "train_accuracy_sd",
        "test_loss",
        "test_loss_sd",
        "test_accuracy",
        "test_accuracy_sd",
    ];
    let rows = table.rows.iter().map(|row| {
        let spreads = [row.train_loss, row.train_accuracy, row.test_loss, row.test_accuracy];
        let mut cells =
            vec![Cell::text(&row.network), Cell::text(&row.data), Cell::text(&row.solution), Cell::Count(row.runs)];
        cells.extend(spreads.iter().flat_map(|spread| [spread.mean.into(), spread.deviation.into()]));
        cells
    });
    let solutions = Table::new(name, &columns, rows);
    let columns =
        ["network", "data", "first", "second", "quantity", "runs", "mean", "half_width_95", "p_student", "p_sign_flip"];
    let rows = table.differences.iter().map(|it| {
        vec![
            Cell::text(&it.network),
            Cell::text(&it.data),
            Cell::text(&it.first),
            Cell::text(&it.second),
            Cell::text(&it.quantity),
            Cell::Count(it.runs),
            it.mean.into(),
            it.half_width.into(),
            it.test.student.into(),
            it.test.sign_flip.into(),
        ]
    });
    vec![solutions, Table::new(format!("{name}-differences"), &columns, rows)]
}

fn is_accuracy(it: &Table1Difference) -> bool {
    it.quantity.ends_with("accuracy")
}

fn fixed(value: f64, it: &Table1Difference) -> String {
    if is_accuracy(it) { format!("{value:.2}") } else { format!("{value:.4}") }
}

fn spread(it: Spread, digits: usize) -> String {
    match it.deviation {
        Some(deviation) => format!("{:.digits$} ± {deviation:.digits$}", it.mean),
        None => format!("{:.digits$}", it.mean),
    }
}

fn percent(it: Spread) -> String {
    spread(Spread { mean: 100.0 * it.mean, deviation: it.deviation.map(|deviation| 100.0 * deviation) }, 2)
}

fn loss(it: Spread) -> String {
    spread(it, 4)
}

fn probability(p: Option<f64>) -> String {
    p.map_or_else(|| "–".to_owned(), number)
}
