//! A solution moved to the flat side and elsewhere: what each move does to the test loss.

use valleys_sim::record::{Intervention, InterventionRow, MoveKind, Standing};

use super::forest::{self, Row};
use super::headline;
use crate::canvas;
use crate::chart::Label;
use crate::scale::{Axis, number, percent};
use crate::style::{BLUE, GREY, INK, MARK, Marker, VERMILION, WIDTH};
use crate::{Picture, Result, words};

pub(super) fn picture(name: &str, it: &Intervention) -> Result<Picture> {
    let rows: Vec<Row> = it.rows.iter().map(row).collect();
    let ends = it.rows.iter().flat_map(|row| [row.gain.low, row.gain.high]);
    let axis = Axis::roomy("fall of the test loss", ends.chain([0.0]).chain(it.predicted))?;
    let title = format!("A solution moved by {}: {}", number(it.step), it.title);
    let svg = canvas::draw(WIDTH, forest::bottom(rows.len()) + 52.0, |canvas| {
        let below = format!("{} test images, {} intervals, pair by pair", it.examples, percent(it.confidence));
        headline(canvas, &title, &below)?;
        let panel = forest::draw(canvas, &rows, axis)?;
        panel.vertical(canvas, 0.0, MARK)?;
        let bound = it.predicted.map(|bound| Label::new(bound, "Theorem 1", INK));
        panel.marks(canvas, &bound.into_iter().collect::<Vec<_>>())
    })?;
    let caption = format!(
        "L(ŵ) − L(moved), the mean over test images: above 0 where a move helps. The flat side was chosen by training \
         images, the step and Theorem 1’s promise by other test images than these. {} {}",
        prediction(it),
        words::measured(&it.setting)
    );
    Ok(Picture { name: name.to_owned(), title, caption: caption.trim_end().to_owned(), svg })
}

fn row(it: &InterventionRow) -> Row {
    let colour = match it.kind {
        MoveKind::Flat => BLUE,
        MoveKind::Mirrored => VERMILION,
        MoveKind::Permuted | MoveKind::Symmetric => GREY,
    };
    Row {
        name: words::moved(it.kind).to_owned(),
        value: Some((it.gain.estimate, Marker::Disc)),
        interval: Some((it.gain.low, it.gain.high)),
        colour,
        words: format!("{} ({} to {})", number(it.gain.estimate), number(it.gain.low), number(it.gain.high)),
    }
}

/// How Theorem 1's promise stands with what was seen, in a sentence.
pub(crate) fn prediction(it: &Intervention) -> String {
    let Some(bound) = it.predicted else {
        return "Theorem 1 makes no promise for this step.".to_owned();
    };
    let seen = match it.prediction {
        Standing::Met => "the whole interval is above it",
        Standing::NotMet => "the whole interval is below it",
        Standing::NotRejected | Standing::NotMeasured => "it lies within the interval",
    };
    format!("Theorem 1 promises {}, and {seen}.", number(bound))
}
