//! Theorem 2: the mean of SGD over asymmetry c and noise ν, with the thresholds that the theorems name.

use plotters::style::RGBColor;
use valleys_sim::record::BiasMap;

use super::{headline, points};
use crate::canvas::{self, Anchor, Canvas, Text};
use crate::chart::{self, Frame, Panel, Sample};
use crate::scale::{Axis, grouped, number};
use crate::style::{BLUE, Dash, INK, MARGIN, SMALL, Stroke, VERMILION, WHITE, WIDTH};
use crate::{Picture, Result};

const HEIGHT: f64 = 480.0;
const TOP: f64 = 122.0;
const BOTTOM: f64 = 424.0;
/// Shades on each side of zero.
const SHADES: usize = 6;
/// How far a cell reaches under its neighbours.
const OVERLAP: f64 = 0.5;
/// Where the mean changes sign.
const ZERO: Stroke = Stroke::new(INK).width(1.0);
const HALO: Stroke = Stroke::new(WHITE).width(4.5).opacity(0.75);

pub(super) fn picture(name: &str, map: &BiasMap) -> Result<Picture> {
    let title = "Theorem 2: where SGD’s average lies on the flat side".to_owned();
    let levels = levels(map);
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &map.setting)?;
        let mut signs: Vec<_> = map
            .thresholds
            .iter()
            .enumerate()
            .map(|(i, threshold)| (Sample::Line(threshold_stroke(i)), threshold.name.as_str()))
            .collect();
        signs.push((Sample::Line(ZERO), "measured change of sign"));
        chart::key(canvas, (66.0, WIDTH - MARGIN), 66.0, &signs)?;
        let numbers = panel(canvas, map, &map.long_run, "(a) mean of all iterates", (66.0, 352.0), &levels)?;
        numbers.y_name(canvas, 44.0)?;
        panel(canvas, map, &map.round, "(b) mean of the round averages w̄", (396.0, 682.0), &levels)?;
        colour_key(canvas, &levels, map.half_width)
    })?;
    let caption = format!(
        "Mean of SGD in units of ηa₊ for asymmetry c and noise bound ν, b₊ = {b_plus} a₊: blue is the flat side, \
         orange the sharp side, white lies within ±{half_width} of zero, the widest 95 % half-width on the map. Above \
         (to the right of) a theorem’s curve its mean is promised to be positive. {steps} steps in all. Setting: \
         {setting}.",
        b_plus = number(map.b_plus),
        half_width = number(map.half_width),
        steps = grouped(map.steps),
        setting = map.setting,
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

fn threshold_stroke(index: usize) -> Stroke {
    let stroke = Stroke::new(INK).width(2.2);
    match index % 3 {
        0 => stroke.dash(Dash::Dashed),
        1 => stroke.dash(Dash::Dotted),
        _ => stroke,
    }
}

/// The upper ends of the shades: 1, 2, 5, 10, … up to the largest mean on the map.
fn levels(map: &BiasMap) -> [f64; SHADES] {
    let largest = map.long_run.iter().chain(&map.round).flatten().fold(0.0_f64, |most, mean| most.max(mean.abs()));
    let largest = if largest > 0.0 { largest } else { 1.0 };
    let exponent = largest.log10().floor() as i32;
    let round = |index: i32| [1.0, 2.0, 5.0][index.rem_euclid(3) as usize] * 10_f64.powi(index.div_euclid(3));
    let top = (3 * exponent..3 * exponent + 4).find(|&i| round(i) >= largest).unwrap_or(3 * exponent + 3);
    std::array::from_fn(|i| round(top - (SHADES - 1 - i) as i32))
}

/// The shade of a mean: 0 for white, ±1 for the palest, up to ±[`SHADES`].
fn shade(mean: f64, levels: &[f64; SHADES], half_width: f64) -> i32 {
    if mean == 0.0 || mean.abs() <= half_width {
        return 0;
    }
    let steps = levels.iter().take(SHADES - 1).filter(|&&level| mean.abs() > level).count() as i32 + 1;
    if mean > 0.0 { steps } else { -steps }
}

fn colour(shade: i32) -> RGBColor {
    let full = if shade > 0 { BLUE } else { VERMILION };
    let t = if shade == 0 { 0.0 } else { 0.12 + 0.88 * (shade.unsigned_abs() - 1) as f64 / (SHADES - 1) as f64 };
    let mix = |part: u8| (255.0 + t * (f64::from(part) - 255.0)).round() as u8;
    RGBColor(mix(full.0), mix(full.1), mix(full.2))
}

/// One map with its thresholds, a column of numbers at its left.
fn panel(
    canvas: &mut Canvas<'_>,
    map: &BiasMap,
    means: &[Vec<f64>],
    title: &str,
    (left, right): (f64, f64),
    levels: &[f64; SHADES],
) -> Result<Panel> {
    let (columns, rows) = (edges(&map.c), edges(&map.nu));
    let panel = Panel::new(
        Frame::new(left, TOP, right, BOTTOM),
        Axis::tight("asymmetry c", columns.iter().copied())?,
        Axis::tight("noise bound ν / a₊", rows.iter().copied())?,
    );
    panel.y_axis(canvas)?;
    for (i, row) in means.iter().enumerate() {
        let mut from = 0;
        for run in row.chunk_by(|&a, &b| shade(a, levels, map.half_width) == shade(b, levels, map.half_width)) {
            let to = from + run.len();
            let (corner, opposite) = (panel.at(columns[from], rows[i + 1]), panel.at(columns[to], rows[i]));
            // The next cells to the right and above cover the overlap, which keeps the paper from showing through.
            let corner = (corner.0, (corner.1 - OVERLAP).max(TOP));
            let opposite = ((opposite.0 + OVERLAP).min(right), opposite.1);
            canvas.rectangle(corner, opposite, colour(shade(run[0], levels, map.half_width)), 1.0)?;
            from = to;
        }
    }
    for piece in sign_changes(map, means) {
        panel.curve(canvas, piece.iter().copied(), HALO)?;
        panel.curve(canvas, piece.iter().copied(), ZERO)?;
    }
    for (i, threshold) in map.thresholds.iter().enumerate() {
        panel.curve(canvas, points(&threshold.c, &threshold.nu), HALO)?;
        panel.curve(canvas, points(&threshold.c, &threshold.nu), threshold_stroke(i))?;
    }
    panel.x_axis(canvas)?;
    panel.title(canvas, TOP - 10.0, title)?;
    Ok(panel)
}

/// The edges of the cells around grid values: half way between neighbours.
fn edges(values: &[f64]) -> Vec<f64> {
    let last = values.len() - 1;
    if last == 0 {
        return vec![values[0] - 0.5, values[0] + 0.5];
    }
    let inner = values.windows(2).map(|pair| 0.5 * (pair[0] + pair[1]));
    let first_edge = values[0] - 0.5 * (values[1] - values[0]);
    let last_edge = values[last] + 0.5 * (values[last] - values[last - 1]);
    std::iter::once(first_edge).chain(inner).chain([last_edge]).collect()
}

/// The curve on which the mean changes sign, by interpolation in c; rows without a change part it.
fn sign_changes(map: &BiasMap, means: &[Vec<f64>]) -> Vec<Vec<(f64, f64)>> {
    let crossing = |row: &[f64]| {
        let column = row.windows(2).rposition(|pair| pair[0] <= 0.0 && pair[1] > 0.0)?;
        let t = row[column] / (row[column] - row[column + 1]);
        Some(map.c[column] + t * (map.c[column + 1] - map.c[column]))
    };
    let crossings: Vec<_> = means.iter().zip(&map.nu).map(|(row, &nu)| crossing(row).map(|c| (c, nu))).collect();
    crossings.split(Option::is_none).map(|piece| piece.iter().flatten().copied().collect()).collect()
}

/// The shades with the means they stand for.
fn colour_key(canvas: &mut Canvas<'_>, levels: &[f64; SHADES], half_width: f64) -> Result<()> {
    let (left, right) = (704.0, 720.0);
    let boxes = 2 * SHADES + 1;
    let height = (BOTTOM - TOP) / boxes as f64;
    let look = Text::new(Anchor::Start).size(SMALL);
    let sides = SHADES as i32;
    for (i, shade) in (-sides..=sides).rev().enumerate() {
        let top = TOP + i as f64 * height;
        canvas.rectangle((left, top), (right, top + height), colour(shade), 1.0)?;
        let middle = (right + 6.0, top + 0.5 * height);
        let label = match shade {
            0 if half_width == 0.0 => "0".to_owned(),
            0 => format!("0 ± {}", crate::scale::rounded(half_width, 1)),
            1.. => format!("≤ {}", number(levels[shade as usize - 1])),
            _ => format!("≥ {}", number(-levels[(-shade) as usize - 1])),
        };
        canvas.text_centred(middle, look, &label)?;
    }
    let frame = [(left, TOP), (right, TOP), (right, BOTTOM), (left, BOTTOM), (left, TOP)];
    canvas.path(&frame, Stroke::new(INK).width(0.5))?;
    canvas.text((left, TOP - 10.0), look, "mean / ηa₊")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(long_run: Vec<Vec<f64>>) -> BiasMap {
        BiasMap {
            c: vec![1.0, 2.0, 4.0],
            nu: vec![0.0, 1.0],
            b_plus: 0.5,
            round: long_run.clone(),
            long_run,
            half_width: 0.01,
            thresholds: Vec::new(),
            steps: 1,
            setting: String::new(),
        }
    }

    #[test]
    fn shades_are_symmetric_about_zero_and_end_above_the_largest_mean() {
        let levels = levels(&map(vec![vec![-0.3, 0.1, 3.7], vec![0.0; 3]]));
        for (level, expected) in levels.iter().zip([0.1, 0.2, 0.5, 1.0, 2.0, 5.0]) {
            assert!((level - expected).abs() < 1e-12, "{levels:?}");
        }
        for (mean, expected) in [(0.0, 0), (0.01, 0), (0.011, 1), (0.15, 2), (1.5, 5), (3.7, 6), (90.0, 6)] {
            assert_eq!(shade(mean, &levels, 0.01), expected, "{mean}");
            assert_eq!(shade(-mean, &levels, 0.01), -expected, "{mean}");
        }
        assert_eq!((colour(0), colour(6), colour(-6)), (WHITE, BLUE, VERMILION));
    }

    #[test]
    fn cells_end_half_way_and_the_sign_changes_by_interpolation() {
        assert_eq!(edges(&[1.0, 2.0, 4.0]), [0.5, 1.5, 3.0, 5.0]);
        assert_eq!(edges(&[2.0]), [1.5, 2.5]);
        let map = map(vec![vec![-1.0, -0.5, 0.5], vec![1.0, 2.0, 3.0]]);
        let changes = sign_changes(&map, &map.long_run);
        assert_eq!(changes.concat(), [(3.0, 0.0)], "the second row never changes its sign");
    }
}
