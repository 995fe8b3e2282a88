//! What is measured around the solutions of many runs beside what averaging gains, in columns for people and for programs.

use valleys_sim::record::{Comparison, Predictor};

use crate::scale::number;
use crate::table::{Cell, Table};
use crate::table1::Columns;

/// Spearman's correlation of every quantity with the gain.
pub fn predictors(it: &Comparison) -> Columns {
    let columns = vec!["quantity", "runs", "Spearman’s ρ with SWA’s gain", "95 % interval", "p (permutations)"];
    let row = |predictor: &Predictor| {
        let told = |tell: &dyn Fn(&valleys_sim::estimate::Spearman) -> String| {
            predictor.spearman.as_ref().map_or_else(|| "–".to_owned(), tell)
        };
        vec![
            predictor.name.clone(),
            told(&|it| it.pairs.to_string()),
            told(&|it| number(it.correlation.estimate)),
            told(&|it| format!("{} to {}", number(it.correlation.low), number(it.correlation.high))),
            told(&|it| number(it.p_value)),
        ]
    };
    (columns, it.predictors.iter().map(row).collect())
}

/// The same as CSV, and the runs one by one.
pub(crate) fn tables(name: &str, it: &Comparison) -> Vec<Table> {
    let mut columns = vec!["run", "gain_test_loss", "gain_test_accuracy"];
    columns.extend(it.predictors.iter().map(|predictor| predictor.name.as_str()));
    let rows = it.rows.iter().map(|row| {
        let mut cells = vec![Cell::text(&row.name), row.gain.into(), row.accuracy_gain.into()];
        cells.extend(row.values.iter().map(|&value| Cell::from(value)));
        cells
    });
    let runs = Table::new(name, &columns, rows);
    let columns = ["quantity", "runs", "rho", "rho_low", "rho_high", "p", "is_exact"];
    let rows = it.predictors.iter().map(|predictor| {
        let found = predictor.spearman.as_ref();
        let mut cells = vec![Cell::text(&predictor.name)];
        cells.push(found.map_or(Cell::Missing, |it| Cell::Count(it.pairs)));
        let correlation = found.map(|it| it.correlation);
        cells.extend(
            [correlation.map(|it| it.estimate), correlation.map(|it| it.low), correlation.map(|it| it.high)]
                .map(Cell::from),
        );
        cells.push(found.map(|it| it.p_value).into());
        cells.push(found.map_or(Cell::Missing, |it| Cell::Flag(it.is_exact)));
        cells
    });
    vec![runs, Table::new(format!("{name}-spearman"), &columns, rows)]
}

/// What goes along with the gain, in a sentence.
pub(crate) fn finding(it: &Comparison) -> String {
    let better = it.rows.iter().filter(|row| row.gain > 0.0).count();
    let told = |predictor: &Predictor| {
        let found = predictor.spearman.as_ref()?;
        Some(format!("{} {} (p = {})", predictor.name, number(found.correlation.estimate), number(found.p_value)))
    };
    let told: Vec<String> = it.predictors.iter().filter_map(told).collect();
    let runs = it.rows.len();
    let gains = format!("SWA has the lower test loss in {better} of {runs} runs.");
    if told.is_empty() {
        return format!("{gains} Three runs at least are needed to tell what goes along with its gain.");
    }
    format!("{gains} Spearman’s correlation of its gain with the {}.", told.join(", with the "))
}
