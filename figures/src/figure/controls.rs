//! One line under controls: its certificate in every variant.

use valleys_sim::record::{ControlVariant, Controls};

use super::forest::{self, Row};
use super::headline;
use crate::canvas;
use crate::scale::Axis;
use crate::style::{BLUE, GREY, MARK, Marker, WIDTH};
use crate::{Picture, Result, words};

/// The ratio that an admissible window must exceed.
const ADMISSIBLE: f64 = 2.0;

pub(super) fn picture(name: &str, it: &Controls) -> Result<Picture> {
    let rows: Vec<Row> = it.variants.iter().map(row).collect();
    let ratios = it.variants.iter().filter_map(|it| it.judgement.canonical.map(|found| found.c));
    // Room for a factor of ten keeps an axis without certificates drawable.
    let axis = Axis::logarithmic("c of the canonical certificate", ratios.chain([ADMISSIBLE, 10.0 * ADMISSIBLE]))?;
    let title = format!("One line under controls: {}", it.title);
    let svg = canvas::draw(WIDTH, forest::bottom(rows.len()) + 52.0, |canvas| {
        headline(canvas, &title, &format!("{} direction {}", it.family, it.index))?;
        forest::draw(canvas, &rows, axis)?.vertical(canvas, ADMISSIBLE, MARK)
    })?;
    let caption = format!(
        "The certificate of one line as it is usually measured, and in variants; the dashed line is c = 2, triangles \
         are lower bounds. A certificate that images, step width or batch-norm statistics change says little; one \
         that a rescaling of layers changes is no property of the function. As usual: {}.",
        it.setting
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

fn row(it: &ControlVariant) -> Row {
    let judgement = &it.judgement;
    let found = judgement.canonical.as_ref();
    let marker = |lower_bound: bool| if lower_bound { Marker::Triangle } else { Marker::Disc };
    let along = if judgement.mirrored { "−u" } else { "u" };
    let said = found.map_or_else(String::new, |found| format!(" along {along} {}", words::four_numbers(found)));
    let name = if it.control == it.variant { it.variant.clone() } else { format!("{}: {}", it.control, it.variant) };
    Row {
        name,
        value: found.map(|found| (found.c, marker(found.c_is_lower_bound))),
        interval: None,
        colour: if found.is_some() { BLUE } else { GREY },
        words: format!("{}{said}", words::verdict(judgement.verdict)),
    }
}
