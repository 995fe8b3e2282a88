//! The theorems held against a network: the law of the shift, solutions moved, curvature, noise, and what follows.

use valleys_sim::record::{HypothesisRow, MoveKind, Record, Standing, StatementRow, Theory};

use super::html::{Field, Page};
use super::landscape::section;
use super::{Entry, entries_of};
use crate::figure::{intervention_prediction, noise_size, shift_balance, shift_promise};
use crate::scale::number;
use crate::{Result, words};

pub(super) fn write(page: &mut Page, entries: &[Entry]) -> Result<()> {
    section(page, entries, "The law of the shift", SHIFT_LAW, |record| matches!(record, Record::ShiftLaw(_)))?;
    section(page, entries, "Solutions moved", INTERVENTION, |record| matches!(record, Record::Intervention(_)))?;
    section(page, entries, "Curvature", CURVATURE, |record| matches!(record, Record::Curvature(_)))?;
    section(page, entries, "Gradient noise", NOISE, |record| matches!(record, Record::GradientNoise(_)))?;
    let theories = entries_of!(Theory in entries);
    if !theories.is_empty() {
        page.section("From evidence to theory");
        page.paragraph(THEORY);
        for (entry, record) in theories {
            page.heading(&record.title);
            if !record.setting.is_empty() {
                page.paragraph(&words::measured(&record.setting));
            }
            hypotheses(page, record);
            bounds(page, record);
            page.entry(entry)?;
        }
    }
    Ok(())
}

const SHIFT_LAW: &str = "Assumption 1 takes the shift between training and population loss as random, positive or negative \
    with probability ½. The images on which one line was measured are split at random many times; each split has its \
    shift and its gap, and Theorem 1 is held against each with the probability seen in place of ½.";
const INTERVENTION: &str = "If the valley is asymmetric and the shift what Theorem 1 assumes, then moving a solution to \
    the flat side lowers the test loss, and moving it as far elsewhere does not. All moves are compared image by image.";
const CURVATURE: &str = "The usual measures of flatness: the largest and the smallest eigenvalues of the Hessian, from \
    products with vectors alone, and its trace.";
const NOISE: &str = "Theorem 2 wants the noise of the gradient along a direction bounded, and of mean zero whatever came \
    before. What is seen of it in a run of minibatches:";
const THEORY: &str = "Which hypotheses of the corrected theorems hold on one measured line. “Met”: all that the statement \
    uses was measured and holds; “not rejected”: a sample does not speak against it; only where all are met does a bound \
    follow. Bounds are told with the measured numbers even so, as what would follow.";

fn field(standing: Standing) -> Field {
    let words = words::standing(standing);
    if standing == Standing::NotMet { Field::Warning(words.to_owned()) } else { words.into() }
}

fn hypotheses(page: &mut Page, it: &Theory) {
    let row = |statement: &StatementRow, row: &HypothesisRow| {
        vec![
            statement.statement.as_str().into(),
            row.wording.as_str().into(),
            field(row.standing),
            row.because.as_str().into(),
        ]
    };
    let rows = it.statements.iter().flat_map(|statement| statement.hypotheses.iter().map(move |it| row(statement, it)));
    page.table(&["statement", "hypothesis", "standing", "because"], &rows.collect::<Vec<_>>());
}

fn bounds(page: &mut Page, it: &Theory) {
    let rows: Vec<Vec<Field>> = it
        .statements
        .iter()
        .flat_map(|statement| statement.bounds.iter().map(move |bound| (statement, bound)))
        .map(|(statement, bound)| {
            vec![
                statement.statement.as_str().into(),
                bound.quantity.as_str().into(),
                number(bound.bound).as_str().into(),
                bound.observed.map_or_else(|| "–".to_owned(), number).as_str().into(),
                match bound.is_kept() {
                    Some(false) => Field::Warning("below the bound".to_owned()),
                    Some(true) => "kept".into(),
                    None => "not observed".into(),
                },
            ]
        })
        .collect();
    if !rows.is_empty() {
        page.table(&["statement", "quantity", "at least", "observed", "bound"], &rows);
    }
}

/// What a record found, in a sentence; empty for other records.
pub(super) fn finding(record: &Record) -> String {
    match record {
        Record::ShiftLaw(it) => format!("The shift over random splits: {}. {}", shift_balance(it), shift_promise(it)),
        Record::Intervention(it) => {
            let gain = it.rows.iter().find(|row| row.kind == MoveKind::Flat).map(|row| row.gain);
            gain.map_or_else(String::new, |gain| {
                format!(
                    "Moved by {} to the flat side the test loss falls by {} ({} to {}). {}",
                    number(it.step),
                    number(gain.estimate),
                    number(gain.low),
                    number(gain.high),
                    intervention_prediction(it)
                )
            })
        }
        Record::Curvature(it) => {
            let largest = it.rows.iter().filter_map(|row| Some((row, row.spectrum.largest.first()?)));
            let said = largest.map(|(row, ritz)| format!("{} at {}", number(ritz.value), row.name));
            format!("The largest eigenvalue of the Hessian is {}.", said.collect::<Vec<_>>().join(", "))
        }
        Record::GradientNoise(it) => format!("Gradient noise along one direction: {}.", noise_size(it)),
        Record::Theory(it) => {
            let stands = it.statements.iter().map(|row| format!("{} {}", row.statement, words::standing(row.standing)));
            format!("Hypotheses on one line: {}.", stands.collect::<Vec<_>>().join("; "))
        }
        _ => String::new(),
    }
}
