//! The means of SGD with given slopes over asymmetry c and noise ν, and what lies behind them: negative rounds and steps.

use valleys_sim::record::PhaseMap;

use super::headline;
use super::map::{HEIGHT, Map, Means, Sequential, colour_key, curve_key};
use crate::canvas;
use crate::scale::{grouped, number};
use crate::style::{INK, Stroke, WIDTH};
use crate::{Picture, Result};

pub(super) fn pictures(name: &str, map: &PhaseMap) -> Result<Vec<Picture>> {
    Ok(vec![means(name, map)?, rounds(name, map)?])
}

fn shared(map: &PhaseMap) -> Map<'_> {
    Map { c: &map.c, nu: &map.nu, thresholds: &map.thresholds }
}

fn means(name: &str, map: &PhaseMap) -> Result<Picture> {
    let title = "The phase map: where the average of SGD lies".to_owned();
    let means = Means {
        map: shared(map),
        long_run: map.rows.iter().map(|row| row.long_run.as_slice()).collect(),
        round: map.rows.iter().map(|row| row.round.as_slice()).collect(),
        half_width: map.half_width,
    };
    let svg = means.draw(&title, &map.setting)?;
    let caption = format!(
        "Mean of SGD in units of ηa₊ for asymmetry c and noise bound ν: blue is the flat side, orange the sharp side, \
         white lies within ±{half_width} of zero, and no mean has a wider 95 % half-width. Above (to the right of) a \
         theorem’s curve its mean is promised to be positive, whatever the slopes. {cells} cells, {steps} steps in \
         all. Setting: {setting}.",
        half_width = number(map.half_width),
        cells = grouped((map.c.len() * map.nu.len()) as u64),
        steps = grouped(map.rows.iter().flat_map(|row| &row.steps).sum()),
        setting = map.setting,
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

fn rounds(name: &str, map: &PhaseMap) -> Result<Picture> {
    let title = "The phase map: rounds on the sharp side, and the steps spent".to_owned();
    let negative: Vec<&[f64]> = map.rows.iter().map(|row| row.negative.as_slice()).collect();
    let steps: Vec<Vec<f64>> =
        map.rows.iter().map(|row| row.steps.iter().map(|&steps| steps as f64).collect()).collect();
    let steps: Vec<&[f64]> = steps.iter().map(Vec::as_slice).collect();
    let (shares, counts) = (Sequential::of_shares(), Sequential::of_counts(steps.iter().copied().flatten()));
    let none = (&[][..], Stroke::new(INK));
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &map.setting)?;
        let shared = shared(map);
        curve_key(canvas, &shared.signs())?;
        let numbers =
            shared.panel(canvas, "(a) share of rounds with w̄ < 0", (66.0, 316.0), (&negative, &shares), none)?;
        numbers.y_name(canvas, 44.0)?;
        colour_key(canvas, 328.0, "share", &shares)?;
        shared.panel(canvas, "(b) steps of each cell", (440.0, 690.0), (&steps, &counts), none)?;
        colour_key(canvas, 704.0, "10⁶ steps", &counts)
    })?;
    let caption = format!(
        "(a) The share of finished rounds whose average w̄ lies on the sharp side; white is none at all. (b) SGD steps of \
         each cell: as many chains as a pilot’s spread says it takes to know both means to ±{half_width} (95 %), the \
         pilot’s at least, which is the palest shade. {steps} steps in all. Setting: {setting}.",
        half_width = number(map.half_width),
        steps = grouped(map.rows.iter().flat_map(|row| &row.steps).sum()),
        setting = map.setting,
    );
    Ok(Picture { name: format!("{name}-rounds"), title, caption, svg })
}
