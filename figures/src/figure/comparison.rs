//! What averaging gains against what is measured around SGD's solution, one point a run.

use valleys_sim::record::{Comparison, Predictor};

use super::headline;
use crate::canvas::{self, Canvas};
use crate::chart::{Frame, Panel};
use crate::scale::{Axis, number};
use crate::style::{BLUE, MARK, Marker, WIDTH};
use crate::{Picture, Result, comparison};

const COLUMNS: usize = 2;
const LEFT: [f64; COLUMNS] = [86.0, 486.0];
const PANEL: (f64, f64) = (294.0, 170.0);
const TOP: f64 = 92.0;
/// From the top of one row of panels to the next.
const PITCH: f64 = 252.0;

pub(super) fn picture(name: &str, it: &Comparison) -> Result<Picture> {
    let title = "What goes along with the gain of averaging?".to_owned();
    let height = TOP + PITCH * it.predictors.len().div_ceil(COLUMNS) as f64 - 10.0;
    let svg = canvas::draw(WIDTH, height, |canvas| {
        headline(canvas, &title, &format!("{} runs, one point each", it.rows.len()))?;
        (0..it.predictors.len()).try_for_each(|place| panel(canvas, it, place))
    })?;
    let caption = format!(
        "Test loss of SGD after SWA less that of SWA, against quantities measured at SGD after SWA; Spearman’s correlation \
         ρ above each panel. {}",
        comparison::finding(it)
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

fn panel(canvas: &mut Canvas<'_>, it: &Comparison, place: usize) -> Result<()> {
    let predictor = &it.predictors[place];
    let (left, top) = (LEFT[place % COLUMNS], TOP + PITCH * (place / COLUMNS) as f64);
    let frame = Frame::new(left, top, left + PANEL.0, top + PANEL.1);
    let points: Vec<(f64, f64)> = it.rows.iter().filter_map(|row| Some((row.values[place]?, row.gain))).collect();
    let gains = it.rows.iter().map(|row| row.gain).chain([0.0]);
    let mut values: Vec<f64> = points.iter().map(|point| point.0).collect();
    // A panel of no points, or of equal ones, has an axis all the same.
    if values.iter().all(|value| *value == values[0]) {
        let middle = values.first().copied().unwrap_or(0.0);
        values = vec![middle - 1.0, middle + 1.0];
    }
    let panel = Panel::new(frame, Axis::roomy(&predictor.name, values)?, Axis::roomy("SWA’s gain", gains)?);
    panel.title(canvas, top - 10.0, &heading(place, predictor))?;
    panel.axes(canvas)?;
    panel.horizontal(canvas, 0.0, MARK)?;
    if points.is_empty() {
        return panel.notice(canvas, "not measured");
    }
    points.iter().try_for_each(|&point| panel.marker(canvas, point, Marker::Disc, BLUE))
}

fn heading(place: usize, predictor: &Predictor) -> String {
    let letter = char::from(b'a' + place as u8);
    match &predictor.spearman {
        Some(found) => {
            let rho = found.correlation;
            format!("({letter}) ρ = {} ({} to {})", number(rho.estimate), number(rho.low), number(rho.high))
        }
        None => format!("({letter}) no correlation is told"),
    }
}
