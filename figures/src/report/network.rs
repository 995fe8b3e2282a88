//! The second half of the story: a trained network.

use valleys_sim::asymmetry::Verdict;
use valleys_sim::record::{Line, Solution, Solutions};

use super::html::{Field, Page};
use super::{Entry, entries_of};
use crate::scale::{number, percent};
use crate::{Result, words};

pub(super) fn write(page: &mut Page, entries: &[Entry]) -> Result<()> {
    training(page, entries)?;
    directions(page, entries)?;
    shift(page, entries)?;
    interpolation(page, entries)
}

fn training(page: &mut Page, entries: &[Entry]) -> Result<()> {
    let (training, solutions) = (entries_of!(Training in entries), entries_of!(Solutions in entries));
    if training.is_empty() && solutions.is_empty() {
        return Ok(());
    }
    page.section("A deep network: training and two solutions");
    page.paragraph(
        "Now a real network. SGD trains it; from some epoch on its weights are averaged, which is stochastic weight \
         averaging (SWA). From the SWA solution SGD goes on with a small step for some more epochs: the SGD solution, in \
         the same valley. The paper’s claim is that SWA has the higher training loss and yet the better test accuracy.",
    );
    training.iter().try_for_each(|(entry, _)| page.entry(entry))?;
    for (entry, record) in solutions {
        page.heading("The solutions");
        solutions_table(page, record);
        page.entry(entry)?;
    }
    Ok(())
}

fn solutions_table(page: &mut Page, solutions: &Solutions) {
    let row = |it: &Solution| {
        vec![
            it.name.as_str().into(),
            it.chosen.as_str().into(),
            number(it.train_loss).into(),
            percent(it.train_accuracy).into(),
            number(it.test_loss).into(),
            percent(it.test_accuracy).into(),
        ]
    };
    let rows: Vec<Vec<Field>> = solutions.rows.iter().map(row).collect();
    page.table(&["solution", "what it is", "train loss", "train accuracy", "test loss", "test accuracy"], &rows);
    page.paragraph(&format!("Measured: {}.", solutions.setting));
    for sentence in pairs(solutions) {
        page.paragraph(&sentence);
    }
}

/// For every network with an SWA solution and one of SGD after it, whether the two differ as the paper says.
pub(super) fn pairs(solutions: &Solutions) -> Vec<String> {
    let partner = |swa: &Solution| {
        let network = swa.name.strip_suffix(" SWA")?;
        solutions.rows.iter().find(|it| it.name.strip_prefix(network) == Some(" SGD after SWA"))
    };
    let sentence = |swa: &Solution, sgd: &Solution| {
        let better_test = swa.test_accuracy > sgd.test_accuracy;
        let worse_train = swa.train_accuracy < sgd.train_accuracy;
        let judged = match (better_test, worse_train) {
            (true, true) => "as the paper reports: lower training accuracy, higher test accuracy",
            (true, false) => "with higher test accuracy as the paper reports, but without lower training accuracy",
            (false, true) => "with lower training accuracy as the paper reports, but without higher test accuracy",
            (false, false) => "unlike the paper’s: neither lower training accuracy nor higher test accuracy",
        };
        format!(
            "{} reaches {} in training and {} in test, {} {} and {}: a difference {judged}.",
            swa.name,
            percent(swa.train_accuracy),
            percent(swa.test_accuracy),
            sgd.name,
            percent(sgd.train_accuracy),
            percent(sgd.test_accuracy)
        )
    };
    solutions.rows.iter().filter_map(|swa| Some(sentence(swa, partner(swa)?))).collect()
}

fn directions(page: &mut Page, entries: &[Entry]) -> Result<()> {
    let lines = entries_of!(Line in entries);
    if lines.is_empty() {
        return Ok(());
    }
    page.section("Asymmetric directions of the network");
    page.paragraph(
        "Is the valley of the trained network asymmetric? Directions are drawn at random, the loss is measured along \
         each, and every window is searched for a certificate. A window counts, with the usual thresholds, if it is at \
         least a fifth of the half-line R wide, has the lowest point between its sides, and c > 2; the certificate \
         shown is the one with the largest gain in Theorem 1. Each direction is read both ways.",
    );
    page.paragraph(&tally(lines.iter().map(|(_, line)| *line)));
    let rows: Vec<Vec<Field>> = lines.iter().map(|(entry, line)| line_row(&entry.name, line)).collect();
    page.table(
        &["record", "line", "verdict", "flat side", "(r̄, r̲, p, c)", "c > 2", "R", "matched to the shift"],
        &rows,
    );
    lines.iter().try_for_each(|(entry, _)| page.entry(entry))
}

/// How many directions were tried and how many are asymmetric, in one sentence.
pub(super) fn tally<'a>(lines: impl Iterator<Item = &'a Line>) -> String {
    let verdicts: Vec<Verdict> = lines.map(|line| line.judgement.verdict).collect();
    let count = |wanted: Verdict| verdicts.iter().filter(|&&verdict| verdict == wanted).count();
    format!(
        "{tried} {directions} tried along u and −u, so {tries} tries: {} asymmetric (c > 2), {} symmetric, {} not a \
         valley, {} undecided within the errors of measurement.",
        count(Verdict::Asymmetric),
        count(Verdict::Symmetric),
        count(Verdict::NotAValley),
        count(Verdict::Undecided),
        tried = verdicts.len(),
        directions = if verdicts.len() == 1 { "direction was" } else { "directions were" },
        tries = 2 * verdicts.len(),
    )
}

fn line_row(name: &str, line: &Line) -> Vec<Field> {
    let judgement = &line.judgement;
    let canonical = judgement.canonical.as_ref();
    let none = || "–".to_owned();
    let fields = [
        format!("`{name}`"),
        format!("{}, {} direction {}", line.title, line.family, line.index),
        words::verdict(judgement.verdict).to_owned(),
        canonical.map_or_else(none, |_| if judgement.mirrored { "−u" } else { "u" }.to_owned()),
        canonical.map_or_else(none, words::four_numbers),
        canonical.map_or_else(|| "no".to_owned(), |it| if it.c > 2.0 { "yes" } else { "no" }.to_owned()),
        number(judgement.half_line),
        judgement
            .matched
            .as_ref()
            .map_or_else(none, |it| format!("{}, gain {}", words::four_numbers(it), number(it.gain))),
    ];
    fields.map(Field::from).into()
}

fn shift(page: &mut Page, entries: &[Entry]) -> Result<()> {
    let shifts = entries_of!(Shift in entries);
    if shifts.is_empty() {
        return Ok(());
    }
    page.section("Is the test loss a shifted training loss?");
    page.paragraph(
        "Theorem 1 assumes that the population loss is the training loss moved sideways, up to a small gap. With the \
         test loss standing in for the population loss this can be looked at: which shift δ brings the two curves \
         closest, and how close?",
    );
    shifts.iter().try_for_each(|(entry, _)| page.entry(entry))
}

fn interpolation(page: &mut Page, entries: &[Entry]) -> Result<()> {
    let interpolations = entries_of!(Interpolation in entries);
    if interpolations.is_empty() {
        return Ok(());
    }
    page.section("Where SWA and SGD lie in the valley");
    page.paragraph(
        "The theory predicts that the averaged solution lies on the flat side of the settled one, in the same valley, \
         with a higher training loss and a lower test loss. The straight line between the two shows whether it does.",
    );
    for (entry, record) in interpolations {
        page.paragraph(&words::interpolation(record));
        page.entry(entry)?;
    }
    Ok(())
}
