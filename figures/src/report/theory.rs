//! The first half of the story: the valley, both theorems, the claims, and one neuron.

use valleys_sim::record::{AppendixA, Counterexample, Tightness};

use super::html::{Field, Page};
use super::{Entry, entries_of};
use crate::Result;
use crate::scale::{percent, rounded};

/// Digits of numbers that are exact.
const EXACT: usize = 9;

pub(super) fn write(page: &mut Page, entries: &[Entry]) -> Result<()> {
    valley(page, entries)?;
    theorem1(page, entries)?;
    averaging(page, entries)?;
    theorem2(page, entries)?;
    super::claims::write(page, entries)?;
    neuron(page, entries)
}

fn valley(page: &mut Page, entries: &[Entry]) -> Result<()> {
    let minima = entries_of!(Minima in entries);
    if minima.is_empty() {
        return Ok(());
    }
    page.section("What an asymmetric valley is");
    page.paragraph(
        "Training lowers the loss on the training set, L̂. What matters is the population loss L, on data never seen. \
         The paper assumes that near a minimum the two have much the same shape, but that L is shifted against L̂ by some \
         unknown δ. A minimum is \
         an asymmetric valley if, along some direction u, the loss rises slowly one way and fast the other. Four \
         numbers (r̄, r̲, p, c) certify it: at distances between r̲ and r̄ the slope stays below p on the flat side and \
         above c·p on the sharp side (Definition 1).",
    );
    page.paragraph(
        "If the shift is as likely to go one way as the other, the training minimum is a poor place to be: half of \
         the time the shift puts it on the steep wall. A point some way up the flat side pays little and risks less.",
    );
    minima.iter().try_for_each(|(entry, _)| page.entry(entry))
}

fn theorem1(page: &mut Page, entries: &[Entry]) -> Result<()> {
    let tightness = entries_of!(Tightness in entries);
    if tightness.is_empty() {
        return Ok(());
    }
    page.section("Theorem 1: bias towards the flat side helps");
    page.paragraph(
        "The theorem makes this exact. Let the shift have sizes δ̄ᵢ and random signs along k asymmetric directions uⁱ, \
         and let L and L̂ agree up to ξ after the shift. Moving the solution by lᵢ to the flat side of each direction \
         lowers the expected population loss by at least a bound that grows with (cᵢ − 1)pᵢlᵢ.",
    );
    page.paragraph(
        "As printed the theorem is false in three ways: it allows steps lᵢ up to max{r̄ − δ̄ᵢ, δ̄ᵢ − r̲} where only the \
         min keeps the moved point inside the window; it bounds the gap ξ on a ball too small to hold the points that \
         are compared; and it measures the window along the coordinate axes while the directions may be oblique. With \
         lᵢ ≤ min{r̄ − δ̄ᵢ, δ̄ᵢ − r̲}, a ball of radius ‖δ‖ + ‖l‖ and the shift measured along uⁱ, it holds, and with a \
         better constant: E L(ŵ) − E L(ŵ + Σ lᵢuⁱ) ≥ Σ (cᵢ − 1)pᵢlᵢ/2 − 2ξ, where the paper subtracts 2kξ.",
    );
    for (entry, record) in tightness {
        counterexamples(page, record);
        page.entry(entry)?;
    }
    Ok(())
}

fn counterexamples(page: &mut Page, record: &Tightness) {
    if record.counterexamples.is_empty() {
        return;
    }
    page.paragraph(
        "Each fault has a counterexample that meets every printed hypothesis, evaluated exactly in this run:",
    );
    let row = |it: &Counterexample| {
        let outcome = if it.left < it.right {
            Field::from("the printed bound is broken")
        } else {
            Field::Warning("the printed bound holds here".to_owned())
        };
        vec![it.fault.as_str().into(), rounded(it.left, EXACT).into(), rounded(it.right, EXACT).into(), outcome]
    };
    let rows: Vec<Vec<Field>> = record.counterexamples.iter().map(row).collect();
    page.table(&["what is printed", "left side", "claimed to be at least", "so"], &rows);
}

fn averaging(page: &mut Page, entries: &[Entry]) -> Result<()> {
    let paths = entries_of!(SgdPath in entries);
    if paths.is_empty() {
        return Ok(());
    }
    page.section("How to get there: average SGD");
    page.paragraph(
        "A biased solution needs no knowledge of the valley. Stochastic gradient descent with a constant step never \
         settles: on the sharp side a steep slope throws it back over the minimum in one step, on the flat side it \
         walks back slowly. So it spends more of its time on the flat side, and the average of its iterates lies there.",
    );
    paths.iter().try_for_each(|(entry, _)| page.entry(entry))
}

fn theorem2(page: &mut Page, entries: &[Entry]) -> Result<()> {
    let (maps, laws) = (entries_of!(BiasMap in entries), entries_of!(ExactLaw in entries));
    let (phase_maps, thresholds) = (entries_of!(PhaseMap in entries), entries_of!(Thresholds in entries));
    if maps.is_empty() && phase_maps.is_empty() && thresholds.is_empty() && laws.is_empty() {
        return Ok(());
    }
    page.section("Theorem 2: when the average is biased");
    page.paragraph(
        "How asymmetric must the valley be? Let the slope be between b₊ and a₊ on the flat side, at least c·a₊ on the \
         sharp side, and the gradient noise at most ν. A round runs from one crossing to the flat side to the next. \
         The printed theorem needs noise of mean zero given the past, and rounds that start near the kink, to be true.",
    );
    if !maps.is_empty() {
        page.paragraph(
            "With both, two corrected statements hold, and the map shows how much room they leave. Per round (C): the \
             expected average of every prepared round is positive for c above 2 + 2ν/a₊ while ν ≤ a₊/2, and for a larger \
             c with larger noise. In the long run (L): c > 2 suffices while ν ≤ a₊/2. That the average is biased for \
             every c > 1 is false in general.",
        );
    }
    maps.iter().try_for_each(|(entry, _)| page.entry(entry))?;
    if !thresholds.is_empty() {
        page.heading("The thresholds, computed");
        page.paragraph(
            "Are these thresholds as low as they can be? Dynamic programming finds the slopes and the noise that are \
             worst for the average, among all that the theorem admits, and with them the asymmetry from which even \
             the worst average is positive. Where the marks lie on the dashed line the theorem is exact; where they \
             lie below it, less asymmetry suffices than the theorem asks for. With heavy-ball momentum the average \
             keeps its bias, from a larger asymmetry on.",
        );
    }
    thresholds.iter().try_for_each(|(entry, _)| page.entry(entry))?;
    if !phase_maps.is_empty() {
        page.heading("The phase map");
        page.paragraph(
            "The thresholds must hold against every slope. What does SGD do with given ones? Every cell of this map is \
             simulated until both of its means are known to a given half-width: a pilot of 64 chains tells from their spread \
             how many chains that takes (Stein’s two stages). The room between the measured change of sign and a theorem’s \
             curve is what these slopes leave of its promise; a map without a change lies on the flat side as a whole.",
        );
    }
    phase_maps.iter().try_for_each(|(entry, _)| page.entry(entry))?;
    if !laws.is_empty() {
        page.heading("An exact law");
        page.paragraph(
            "In a valley with just two slopes, b on the flat side and −s on the sharp side, and noise of mean zero that \
             exceeds neither, the long-run mean is η(s − b)/2 exactly, whatever the law of the noise. This checks the \
             simulation against a number known beforehand.",
        );
    }
    laws.iter().try_for_each(|(entry, _)| page.entry(entry))
}

fn neuron(page: &mut Page, entries: &[Entry]) -> Result<()> {
    let appendices = entries_of!(AppendixA in entries);
    if appendices.is_empty() {
        return Ok(());
    }
    page.section("The smallest network: one neuron");
    page.paragraph(
        "Appendix A of the paper finds asymmetry in a network of two parameters, a weight and a bias, trained on \
         twenty points. Being so small it can be searched through: not one direction, but all of them.",
    );
    for (entry, record) in appendices {
        page.paragraph(&shares(record));
        page.entry(entry)?;
    }
    Ok(())
}

/// The shares over the circle, averaged over seeds.
fn shares(record: &AppendixA) -> String {
    let count = record.seeds.len() as f64;
    let asymmetric = record.seeds.iter().map(|seed| seed.circle_share).sum::<f64>() / count;
    let valleys = record.seeds.iter().map(|seed| seed.circle_valley_share).sum::<f64>() / count;
    format!(
        "On average over the {} seeds, {} of all lines through the averaged solution are asymmetric and {} are valleys \
         at all; along the others the averaged solution does not lie at the bottom.",
        record.seeds.len(),
        percent(asymmetric),
        percent(valleys)
    )
}
