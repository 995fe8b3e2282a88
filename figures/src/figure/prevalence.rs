//! The share of asymmetric directions, law by law (Section 3.2 of the paper; Appendix H).

use valleys_sim::asymmetry::Verdict;
use valleys_sim::record::{DirectionGroup, Prevalence};

use super::forest::{self, Row};
use super::headline;
use crate::canvas;
use crate::scale::{Axis, number};
use crate::style::{BLUE, GREY, Marker, WIDTH};
use crate::{Picture, Result, words};

pub(super) fn picture(name: &str, it: &Prevalence) -> Result<Picture> {
    let rows: Vec<Row> = it.groups.iter().map(row).collect();
    let svg = canvas::draw(WIDTH, forest::bottom(rows.len()) + 52.0, |canvas| {
        headline(canvas, &it.title, &it.question)?;
        forest::draw(canvas, &rows, Axis::tight("share of directions asymmetric along u or −u", [0.0, 1.0])?).map(drop)
    })?;
    let tried: usize = it.groups.iter().map(|group| group.directions.len()).sum();
    let caption = format!(
        "Share of directions with c > 2 along u or −u, with 95 % intervals of Clopper and Pearson. A direction that is \
         undecided within the errors of measurement counts as symmetric at the lower end and as asymmetric at the \
         upper. {tried} directions tried, each read both ways, {} points a line. The mean cosine tells how much the \
         directions of a row are one and the same: where it is near 1 the share is one direction counted often. \
         Measured: {}.",
        it.points, it.setting
    );
    Ok(Picture { name: name.to_owned(), title: format!("Asymmetric directions: {}", it.title), caption, svg })
}

fn row(group: &DirectionGroup) -> Row {
    let best = group.best().and_then(|row| row.certificate);
    Row {
        name: group.name.clone(),
        value: group.share.map(|share| (share.estimate, Marker::Disc)),
        interval: group.share.map(|share| (share.low, share.high)),
        colour: if best.is_some() { BLUE } else { GREY },
        words: summary(group),
    }
}

/// What a group of directions says, in a few words.
fn summary(group: &DirectionGroup) -> String {
    let (asymmetric, tried) = (group.count(Verdict::Asymmetric), group.directions.len());
    let mut said = match (group.until_asymmetric, group.draws_to_first()) {
        (true, Some(draws)) => format!("at draw {draws}"),
        _ => format!("{asymmetric} of {tried}"),
    };
    match group.count(Verdict::Undecided) {
        0 => {}
        undecided => said += &format!(", {undecided} undecided"),
    }
    if let Some(certificate) = group.best().and_then(|row| row.certificate) {
        said += &format!("; best {}", words::ratio_equation(&certificate));
    }
    if let Some(cosine) = group.mean_cosine {
        said += &format!("; cosine {}", number((100.0 * cosine).round() / 100.0));
    }
    said
}
