//! Asymmetry against the share of a direction's signs that are the weights' own.

use valleys_sim::asymmetry::Verdict;
use valleys_sim::record::{DirectionGroup, SignConsistency};

use super::{headline, points};
use crate::canvas::{self, Canvas};
use crate::chart::{self, Frame, Panel, Sample};
use crate::scale::Axis;
use crate::style::{BLUE, Dash, GREEN, INK, MARK, Marker, PANEL_KEY, PANEL_TITLE, Stroke, VERMILION, WIDTH};
use crate::{Picture, Result};

const HEIGHT: f64 = 446.0;
const TOP: f64 = 122.0;
const BOTTOM: f64 = 394.0;
const ALONG: Stroke = Stroke::new(GREEN);
const AGAINST: Stroke = Stroke::new(VERMILION).dash(Dash::Dashed);

pub(super) fn picture(name: &str, it: &SignConsistency) -> Result<Picture> {
    let title = format!("Asymmetry and the signs of the weights: {}", it.title);
    let each = it.groups.first().map_or(0, |group| group.directions.len());
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &format!("{each} directions at every match fraction"))?;
        shares(canvas, it)?;
        imbalance(canvas, it)
    })?;
    let caption = format!(
        "(a) Share of directions that are asymmetric (c > 2), by the side that is flat: along u, whose signs match \
         the weights’ in the share on the x axis, or along −u, whose signs match in the rest. (b) Each direction's \
         imbalance, (rise along −u − rise along u)/(sum of their sizes) at the ends of the line: above 0 the loss \
         is lower along u; no threshold enters. {each} directions at each fraction. Measured: {}.",
        it.setting
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

fn axis(it: &SignConsistency) -> Result<Axis> {
    let (low, high) = (it.fractions[0], it.fractions[it.fractions.len() - 1]);
    Axis::tight("share of signs that match the weights’", [low - 0.03, high + 0.03])
}

fn shares(canvas: &mut Canvas<'_>, it: &SignConsistency) -> Result<()> {
    let panel =
        Panel::new(Frame::new(66.0, TOP, 384.0, BOTTOM), axis(it)?, Axis::roomy("share of directions", [0.0, 1.0])?);
    panel.title(canvas, PANEL_TITLE, "(a) asymmetric directions")?;
    panel.axes(canvas)?;
    let share = |group: &DirectionGroup, mirrored: bool| {
        let rows = group.directions.iter();
        let flat = rows.filter(|row| row.verdict == Verdict::Asymmetric && row.mirrored == mirrored).count();
        flat as f64 / group.directions.len().max(1) as f64
    };
    for (mirrored, stroke, marker) in [(true, AGAINST, Marker::Triangle), (false, ALONG, Marker::Disc)] {
        let shares: Vec<f64> = it.groups.iter().map(|group| share(group, mirrored)).collect();
        panel.curve(canvas, points(&it.fractions, &shares), stroke)?;
        points(&it.fractions, &shares).try_for_each(|at| panel.marker(canvas, at, marker, stroke.colour))?;
    }
    let signs = [(Sample::Line(ALONG), "flat along u"), (Sample::Line(AGAINST), "flat along −u")];
    chart::key(canvas, (66.0, 400.0), PANEL_KEY, &signs)
}

fn imbalance(canvas: &mut Canvas<'_>, it: &SignConsistency) -> Result<()> {
    let of = |group: &DirectionGroup| group.directions.iter().filter_map(|row| row.imbalance()).collect::<Vec<f64>>();
    let each: Vec<Vec<f64>> = it.groups.iter().map(of).collect();
    let values = each.iter().flatten().copied().chain([-0.1, 0.1]);
    let panel = Panel::new(Frame::new(466.0, TOP, WIDTH - 20.0, BOTTOM), axis(it)?, Axis::roomy("imbalance", values)?);
    panel.title(canvas, PANEL_TITLE, "(b) rise along −u against rise along u")?;
    panel.axes(canvas)?;
    panel.horizontal(canvas, 0.0, MARK)?;
    for (&fraction, values) in it.fractions.iter().zip(&each) {
        values.iter().try_for_each(|&value| panel.marker(canvas, (fraction, value), Marker::Ring, BLUE))?;
    }
    let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let means = it.fractions.iter().zip(&each).filter(|(_, values)| !values.is_empty());
    panel.curve(canvas, means.map(|(&fraction, values)| (fraction, mean(values))), Stroke::new(INK))?;
    let signs = [(Sample::Marker(Marker::Ring, BLUE), "a direction"), (Sample::Line(Stroke::new(INK)), "mean")];
    chart::key(canvas, (466.0, WIDTH), PANEL_KEY, &signs)
}
