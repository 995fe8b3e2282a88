//! Appendix A: the loss of one neuron along a direction, for many seeds.

use valleys_sim::asymmetry::Verdict;
use valleys_sim::record::{AppendixA, AppendixASeed};

use super::{headline, points};
use crate::canvas::{self, Canvas};
use crate::chart::{self, Frame, Label, Panel, Sample};
use crate::scale::{Axis, percent};
use crate::style::{BLUE, GREY, Marker, PANEL_KEY, PANEL_TITLE, SILVER, Stroke, VERMILION, WIDTH};
use crate::{Picture, Result};

const HEIGHT: f64 = 476.0;
const TOP: f64 = 134.0;
const BOTTOM: f64 = 424.0;
const ASYMMETRIC: Stroke = Stroke::new(BLUE).width(1.3).opacity(0.75);
const OTHER: Stroke = Stroke::new(SILVER).width(1.3);
const VALLEYS: Stroke = Stroke::new(GREY).width(1.5);
/// More curves than this cannot be told apart.
const MOST_CURVES: usize = 100;

pub(super) fn picture(name: &str, appendix: &AppendixA) -> Result<Picture> {
    let count = appendix.seeds.len();
    let with = |verdict: Verdict| appendix.seeds.iter().filter(|seed| seed.verdict == verdict).count();
    let asymmetric = with(Verdict::Asymmetric);
    let title = format!("One neuron, two parameters: {asymmetric} of {count} seeds asymmetric");
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &appendix.protocol)?;
        curves(canvas, appendix)?;
        circle(canvas, appendix)
    })?;
    let separable = appendix.seeds.iter().filter(|seed| seed.separable).count();
    let mut caption = format!(
        "(a) Loss at the averaged solution + l·u, one curve a seed; {asymmetric} of {count} are asymmetric along u or \
         −u, {} symmetric, {} not a valley, {} undecided. (b) Of all lines through the averaged solution, the share \
         that is asymmetric one way or the other (median {}) and, as a bar, the share that is a valley at all.",
        with(Verdict::Symmetric),
        with(Verdict::NotAValley),
        with(Verdict::Undecided),
        percent(median_share(&appendix.seeds)),
    );
    if separable > 0 {
        caption.push_str(&format!(
            " In {separable} seeds a line separates the classes, so that the loss has no minimum (rings)."
        ));
    }
    if !appendix.without_optimum.is_empty() {
        let left_out = appendix.without_optimum.len();
        caption.push_str(&format!(
            " {left_out} more seeds are left out: their classes are separable, the loss has no minimum."
        ));
    }
    caption.push_str(&format!(" Protocol: {}.", appendix.protocol));
    if count > MOST_CURVES {
        caption.push_str(&format!(" Only the first {MOST_CURVES} curves are drawn."));
    }
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

fn is_asymmetric(seed: &AppendixASeed) -> bool {
    seed.verdict == Verdict::Asymmetric
}

fn curves(canvas: &mut Canvas<'_>, appendix: &AppendixA) -> Result<()> {
    let drawn = &appendix.seeds[..appendix.seeds.len().min(MOST_CURVES)];
    let panel = Panel::new(
        Frame::new(66.0, TOP, 500.0, BOTTOM),
        Axis::tight("offset l along the unit direction u", appendix.offsets.iter().copied())?,
        Axis::roomy("mean cross-entropy", drawn.iter().flat_map(|seed| seed.losses.iter().copied()))?,
    );
    panel.title(canvas, PANEL_TITLE, "(a) one direction a seed")?;
    panel.axes(canvas)?;
    // The asymmetric ones last, so that they lie on top.
    for (stroke, wanted) in [(OTHER, false), (ASYMMETRIC, true)] {
        for seed in drawn.iter().filter(|seed| is_asymmetric(seed) == wanted) {
            panel.curve(canvas, points(&appendix.offsets, &seed.losses), stroke)?;
        }
    }
    let signs = [(Sample::Line(ASYMMETRIC), "asymmetric"), (Sample::Line(OTHER), "not asymmetric")];
    chart::key(canvas, (66.0, 500.0), PANEL_KEY, &signs)
}

/// The share over the circle, one marker a seed.
fn circle(canvas: &mut Canvas<'_>, appendix: &AppendixA) -> Result<()> {
    let mut seeds: Vec<&AppendixASeed> = appendix.seeds.iter().collect();
    seeds.sort_by(|a, b| a.circle_share.total_cmp(&b.circle_share));
    let last = seeds.len() as f64 - 1.0;
    let panel = Panel::new(
        Frame::new(570.0, TOP, WIDTH - 24.0, BOTTOM),
        Axis::roomy("share of all lines (%)", [0.0, 100.0])?,
        Axis::roomy("seeds, sorted", [0.0, last.max(1.0)])?,
    );
    panel.title(canvas, PANEL_TITLE, "(b) all directions")?;
    panel.rows(canvas, &[])?;
    panel.y_name(canvas, 14.0)?;
    panel.x_axis(canvas)?;
    let median = median_share(&appendix.seeds);
    panel.marks(canvas, &[Label::new(100.0 * median, format!("median {}", percent(median)), GREY)])?;
    for (i, seed) in seeds.iter().enumerate() {
        let (marker, colour) = if seed.separable { (Marker::Ring, VERMILION) } else { (Marker::Disc, BLUE) };
        let at = panel.at(100.0 * seed.circle_share, i as f64);
        let valleys = panel.at(100.0 * seed.circle_valley_share, i as f64);
        canvas.path(&[(valleys.0, valleys.1 - 3.0), (valleys.0, valleys.1 + 3.0)], VALLEYS)?;
        canvas.marker(at, marker, 3.0, colour)?;
    }
    let mut signs = vec![(Sample::Marker(Marker::Disc, BLUE), "asymmetric"), (Sample::Line(VALLEYS), "valley")];
    if seeds.iter().any(|seed| seed.separable) {
        signs.push((Sample::Marker(Marker::Ring, VERMILION), "separable"));
    }
    chart::key(canvas, (570.0, WIDTH), PANEL_KEY, &signs)
}

fn median_share(seeds: &[AppendixASeed]) -> f64 {
    let mut shares: Vec<f64> = seeds.iter().map(|seed| seed.circle_share).collect();
    shares.sort_by(f64::total_cmp);
    0.5 * (shares[(shares.len() - 1) / 2] + shares[shares.len() / 2])
}
