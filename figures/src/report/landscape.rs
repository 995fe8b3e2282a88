//! The landscape of a network beyond single lines: one section an experiment.

use valleys_sim::asymmetry::Verdict;
use valleys_sim::record::{ControlCheck, DirectionGroup, Prevalence, Record, SignConsistency};

use super::html::{Field, Page};
use super::{Entry, entries_of};
use crate::figure::{inter_rand_summary, rays_summary};
use crate::scale::{number, percent};
use crate::{Result, words};

pub(super) fn write(page: &mut Page, entries: &[Entry]) -> Result<()> {
    let prevalence = entries_of!(Prevalence in entries);
    if !prevalence.is_empty() {
        page.section("How many directions are asymmetric");
        page.paragraph(
            "The family that directions are drawn from decides what is seen, so the share of asymmetric ones is told \
             for each family, group of parameters and way of measuring. Two directions of the paper’s family, \
             uniform, have cosine ¾ with each other: many of them are nearly one direction counted often.",
        );
        for (entry, record) in prevalence {
            page.heading(&record.title);
            groups(page, record);
            page.entry(entry)?;
        }
    }
    section(page, entries, "Signs of the weights", SIGNS, |record| matches!(record, Record::SignConsistency(_)))?;
    section(page, entries, "Neighbouring centres", NEIGHBOURS, |record| matches!(record, Record::Neighbourhood(_)))?;
    section(page, entries, "The valley during training", TRAJECTORY, |record| matches!(record, Record::Trajectory(_)))?;
    section(page, entries, "Towards SWA and at random", INTER_RAND, |record| matches!(record, Record::InterRand(_)))?;
    section(page, entries, "Random rays", RAYS, |record| matches!(record, Record::Rays(_)))?;
    section(page, entries, "Planes", PLANES, |record| matches!(record, Record::Plane(_)))?;
    let controls = entries_of!(Controls in entries);
    if !controls.is_empty() {
        page.section("Controls");
        page.paragraph(CONTROLS);
        for (entry, record) in controls {
            page.entry(entry)?;
            let row = |check: &ControlCheck| {
                let error = check.standard_error.map_or_else(|| "–".to_owned(), number);
                [check.name.clone(), number(check.value), error, check.reading.clone()].map(Field::from).into()
            };
            let rows: Vec<Vec<Field>> = record.checks.iter().map(row).collect();
            page.table(&["check", "value", "standard error", "reading"], &rows);
        }
    }
    Ok(())
}

const SIGNS: &str = "Is a valley flat towards directions whose signs agree with those of the weights? Directions are \
    drawn with a given share of matching signs; a direction read backwards has the rest.";
const NEIGHBOURS: &str = "Theorem 1 needs a direction to be asymmetric not at one point but in a neighbourhood \
    (Assumption 2). The same direction is measured through points drawn from a ball around the solution, and one \
    certificate is sought for all.";
const TRAJECTORY: &str = "Theorem 2 speaks of SGD in a valley whose shape is fixed. The same direction is measured \
    through the iterates of the run: from when on is its shape that of the end? The paper’s SGD has momentum, under \
    which the hypotheses of Theorem 2 are not met.";
const INTER_RAND: &str = "Is the valley flat towards SWA along the one line that joins the two solutions only? \
    Directions half way between that line and random ones say more.";
const RAYS: &str = "Flatness as it is usually looked at: the loss along random rays, on average. An averaged solution \
    that lies on the flat side of an asymmetric valley can look flatter than the other without being lower.";
const PLANES: &str = "The loss on planes through several solutions, or along two directions.";
const CONTROLS: &str = "What a certificate should not depend on is varied: the images, the width of the steps, the \
    batch-norm statistics, and the scale of layers whose scale the function does not depend on.";

/// A section of all records of one kind, if there is one.
pub(super) fn section(
    page: &mut Page,
    entries: &[Entry],
    title: &str,
    text: &str,
    is_kind: impl Fn(&Record) -> bool,
) -> Result<()> {
    let mut entries = entries.iter().filter(|entry| is_kind(&entry.record)).peekable();
    if entries.peek().is_none() {
        return Ok(());
    }
    page.section(title);
    page.paragraph(text);
    entries.try_for_each(|entry| page.entry(entry))
}

fn groups(page: &mut Page, record: &Prevalence) {
    let row = |group: &DirectionGroup| {
        let none = || "–".to_owned();
        let best = group.best();
        [
            group.name.clone(),
            format!("{} of {}", group.count(Verdict::Asymmetric), group.directions.len()),
            group.share.map_or_else(none, |it| {
                format!("{} ({} to {})", percent(it.estimate), percent(it.low), percent(it.high))
            }),
            group.draws_to_first().map_or_else(none, |draws| draws.to_string()),
            group.mean_cosine.map_or_else(none, number),
            best.and_then(|row| row.certificate).map_or_else(none, |found| words::four_numbers(&found)),
        ]
        .map(Field::from)
        .into()
    };
    let rows: Vec<Vec<Field>> = record.groups.iter().map(row).collect();
    let columns = ["directions", "asymmetric", "share (95 %)", "first at draw", "mean cosine", "best (r̄, r̲, p, c)"];
    page.table(&columns, &rows);
}

/// What a record of the landscape found, in a sentence; empty for other records.
pub(super) fn finding(record: &Record) -> String {
    match record {
        Record::Prevalence(it) => {
            let group = |group: &DirectionGroup| {
                format!("{} of {} ({})", group.count(Verdict::Asymmetric), group.directions.len(), group.name)
            };
            format!("Asymmetric directions: {}.", it.groups.iter().map(group).collect::<Vec<_>>().join(", "))
        }
        Record::SignConsistency(it) => signs(it),
        Record::Neighbourhood(it) => format!(
            "Of {} neighbouring centres {} are asymmetric along the same side; {}.",
            it.curves.len(),
            it.asymmetric,
            it.judgement.canonical.as_ref().map_or_else(
                || "no certificate holds for all".to_owned(),
                |found| format!("(r̄, r̲, p, c) = {} holds for all", words::four_numbers(found))
            )
        ),
        Record::Trajectory(it) => match it.stable_from {
            Some(epoch) => format!("The valley along one direction has its last shape from epoch {epoch} on."),
            None => "The valley along one direction changes its shape to the last epoch.".to_owned(),
        },
        Record::InterRand(it) => format!("Between the solutions’ line and random ones: {}.", inter_rand_summary(it)),
        Record::Rays(it) => rays_summary(it),
        Record::Controls(it) => {
            let verdict = it.variants[0].judgement.verdict;
            let same = it.variants.iter().filter(|variant| variant.judgement.verdict == verdict).count();
            let verdict = words::verdict(verdict);
            format!(
                "Controls of one line: {same} of {} variants are judged {verdict}, as the line is.",
                it.variants.len()
            )
        }
        _ => String::new(),
    }
}

fn signs(it: &SignConsistency) -> String {
    let mean = |group: &DirectionGroup| {
        let values: Vec<f64> = group.directions.iter().filter_map(|row| row.imbalance()).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let ends = it.groups.first().and_then(mean).zip(it.groups.last().and_then(mean));
    let fractions = it.fractions.first().zip(it.fractions.last());
    ends.zip(fractions).map_or_else(String::new, |((first, last), (low, high))| {
        format!(
            "The imbalance of the loss goes from {} to {} as the share of matching signs goes from {} to {}.",
            number(first),
            number(last),
            number(*low),
            number(*high)
        )
    })
}
