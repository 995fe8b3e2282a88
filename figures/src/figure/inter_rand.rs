//! Lines between SWA − SGD and a random direction (Appendix F, Figure 8 of the paper).

use plotters::style::RGBColor;
use valleys_sim::Profile;
use valleys_sim::asymmetry::Verdict;
use valleys_sim::record::{InterRand, InterRandLine};

use super::{headline, points};
use crate::canvas::{self, Canvas};
use crate::chart::{self, Frame, Label, Panel, Sample};
use crate::scale::{Axis, number};
use crate::style::{BLUE, Dash, INK, PANEL_KEY, PANEL_TITLE, Stroke, VERMILION, WIDTH};
use crate::{Picture, Result};

const HEIGHT: f64 = 446.0;
const TOP: f64 = 122.0;
const BOTTOM: f64 = 394.0;

pub(super) fn picture(name: &str, it: &InterRand) -> Result<Picture> {
    let [biased, settled] = &it.names;
    let title = format!("Between {biased} − {settled} and random directions: {}", it.title);
    let said = summary(it);
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &format!("{}; ‖{biased} − {settled}‖ = {}", said, number(it.distance)))?;
        let offsets = it.lines.iter().map(|line| line.biased_offset).sum::<f64>() / it.lines.len() as f64;
        let at_settled: Curves = |line| (&line.settled_train, &line.settled_test);
        let at_biased: Curves = |line| (&line.biased_train, &line.biased_test);
        panel(canvas, it, (&format!("(a) centred at {settled}"), 66.0), at_settled, (offsets, biased))?;
        panel(canvas, it, (&format!("(b) centred at {biased}"), 466.0), at_biased, (-offsets, settled))
    })?;
    let caption = format!(
        "Training and test loss along û = unit(unit(w_{biased} − w_{settled}) + u_rand), {} directions, through both \
         solutions; the dashed mark is where the other solution projects to, on average. {said}. Measured: {}.",
        it.lines.len(),
        it.setting
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

type Curves = fn(&InterRandLine) -> (&Profile, &Profile);

/// How many lines are asymmetric with their flat side towards the biased solution.
pub(crate) fn summary(it: &InterRand) -> String {
    let asymmetric = it.lines.iter().filter(|line| line.judgement.verdict == Verdict::Asymmetric);
    let flat = asymmetric.clone().filter(|line| !line.judgement.mirrored).count();
    let (count, biased) = (asymmetric.count(), &it.names[0]);
    format!("{count} of {} lines asymmetric, {flat} with the flat side towards {biased}", it.lines.len())
}

fn panel(
    canvas: &mut Canvas<'_>,
    it: &InterRand,
    (title, left): (&str, f64),
    curves: Curves,
    (other, name): (f64, &str),
) -> Result<()> {
    let losses = it.lines.iter().flat_map(|line| [curves(line).0.losses(), curves(line).1.losses()]).flatten();
    let offsets = it.lines.iter().flat_map(|line| curves(line).0.offsets());
    let panel = Panel::new(
        Frame::new(left, TOP, left + 314.0, BOTTOM),
        Axis::tight("offset l along û", offsets.copied())?,
        Axis::roomy("mean loss", losses.copied())?,
    );
    panel.title(canvas, PANEL_TITLE, title)?;
    panel.axes(canvas)?;
    panel.marks(canvas, &[Label::new(other, name, INK)])?;
    let pen = |colour: RGBColor| Stroke::new(colour).width(1.2).opacity(0.6);
    let (train, test) = (pen(BLUE), pen(VERMILION).dash(Dash::Dashed));
    for line in &it.lines {
        let (training, testing) = curves(line);
        panel.curve(canvas, points(testing.offsets(), testing.losses()), test)?;
        panel.curve(canvas, points(training.offsets(), training.losses()), train)?;
    }
    chart::key(
        canvas,
        (left, left + 320.0),
        PANEL_KEY,
        &[(Sample::Line(train), "training"), (Sample::Line(test), "test")],
    )
}
