//! Table 1 of the paper: many networks, data sets and seeds.

use valleys_sim::record::Table1;

use super::html::{Field, Page};
use super::{Entry, entries_of};
use crate::{Result, table1};

pub(super) fn write(page: &mut Page, entries: &[Entry]) -> Result<()> {
    for (entry, table) in entries_of!(Table1 in entries) {
        page.section("Table 1: the solutions of every network on every data set");
        page.paragraph(
            "The paper’s claim: the averaged solution (SWA) has the higher training loss and yet the better test accuracy than \
             SGD started from it. Below, means and standard deviations over seeds, each seed a run of its own.",
        );
        show(page, table1::solutions(table));
        page.paragraph(&format!("Measured: {}.", table.setting));
        if !table.differences.is_empty() {
            page.heading("Differences, seed by seed");
            page.paragraph(
                "Solutions of one seed share their data, and SGD after SWA also its start, so they are compared in pairs. The \
                 interval and the first p-value are Student’s; the second comes from flipping signs, and cannot lie \
                 below 2/2ⁿ of n runs. Nothing is corrected for the number of rows.",
            );
            show(page, table1::differences(table));
        }
        page.entry(entry)?;
    }
    Ok(())
}

pub(super) fn show(page: &mut Page, (columns, rows): table1::Columns) {
    let rows: Vec<Vec<Field>> = rows.into_iter().map(|row| row.into_iter().map(Field::from).collect()).collect();
    page.table(&columns, &rows);
}

/// In how many cells of the table SWA is better in test accuracy than SGD after it.
pub(super) fn finding(table: &Table1) -> String {
    let pairs: Vec<f64> = table
        .differences
        .iter()
        .filter(|it| it.quantity == "test accuracy" && it.first == "SWA" && it.second == "SGD after SWA")
        .map(|it| it.mean)
        .collect();
    if pairs.is_empty() {
        return String::new();
    }
    let better = pairs.iter().filter(|mean| **mean > 0.0).count();
    let what = if pairs.len() == 1 { "pair" } else { "pairs" };
    format!(
        "Table 1: SWA’s mean test accuracy lies above that of SGD after SWA in {better} of {} {what} of network and data set.",
        pairs.len()
    )
}
