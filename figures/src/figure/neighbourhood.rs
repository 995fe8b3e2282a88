//! The loss along one direction through neighbouring centres (Assumption 2, Figure 4 of the paper).

use valleys_sim::record::Neighbourhood;

use super::{headline, points};
use crate::canvas::{self, Canvas};
use crate::chart::{self, Frame, Label, Panel, Sample};
use crate::scale::{Axis, number};
use crate::style::{BLUE, Dash, INK, ORANGE, SILVER, SKY, Stroke, WIDTH};
use crate::{Picture, Result, words};

const HEIGHT: f64 = 490.0;
const NEIGHBOUR: Stroke = Stroke::new(SILVER).width(1.0).opacity(0.6);
const MEAN: Stroke = Stroke::new(INK);
const OWN: Stroke = Stroke::new(BLUE).dash(Dash::Dashed);

pub(super) fn picture(name: &str, it: &Neighbourhood) -> Result<Picture> {
    let title = format!("Neighbouring centres: {}", it.title);
    let certificate = it.judgement.canonical.as_ref();
    let said = certificate.map_or_else(
        || "no certificate holds for all of them".to_owned(),
        |found| {
            let along = if it.judgement.mirrored { "−u" } else { "u" };
            format!("for all along {along}: (r̄, r̲, p, c) = {}", words::four_numbers(found))
        },
    );
    let below = format!(
        "{} direction {}, {} centres within {}; {said}",
        it.family,
        it.index,
        it.curves.len(),
        number(it.radius)
    );
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &below)?;
        chart(canvas, it)
    })?;
    let caption = format!(
        "Training loss at w + v − ⟨v, u⟩u + l·u against l, for {count} points v uniform in the ball of radius \
         {radius}: each (grey), their mean with one standard deviation either way (black), and through the solution \
         itself (blue). {asymmetric} of {count} are asymmetric on that side, each by itself; {said}. Measured: \
         {setting}.",
        count = it.curves.len(),
        radius = number(it.radius),
        asymmetric = it.asymmetric,
        setting = it.setting
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

fn chart(canvas: &mut Canvas<'_>, it: &Neighbourhood) -> Result<()> {
    let (offsets, mean) = (it.mean.offsets(), it.mean.losses());
    let spread: Vec<(f64, f64, f64)> =
        (0..offsets.len()).map(|i| (offsets[i], mean[i] - it.deviation[i], mean[i] + it.deviation[i])).collect();
    let losses = it.curves.iter().flatten().chain(it.own.losses()).copied();
    let panel = Panel::new(
        Frame::new(72.0, 108.0, 650.0, 438.0),
        Axis::tight("offset l along the unit direction u", offsets.iter().copied())?,
        Axis::roomy("mean training loss", losses.chain(spread.iter().flat_map(|it| [it.1, it.2])))?,
    );
    if let Some(certificate) = &it.judgement.canonical {
        let sign = if it.judgement.mirrored { -1.0 } else { 1.0 };
        panel.span(canvas, (-sign * certificate.r_lo, -sign * certificate.r_hi), ORANGE, 0.2)?;
        panel.span(canvas, (sign * certificate.r_lo, sign * certificate.r_hi), SKY, 0.2)?;
    }
    panel.axes(canvas)?;
    it.curves.iter().try_for_each(|curve| panel.curve(canvas, points(offsets, curve), NEIGHBOUR))?;
    panel.band(canvas, &spread, INK, 0.12)?;
    panel.curve(canvas, points(offsets, mean), MEAN)?;
    panel.curve(canvas, points(it.own.offsets(), it.own.losses()), OWN)?;
    let last = |losses: &[f64]| losses[losses.len() - 1];
    let labels = [Label::new(last(mean), "mean", INK), Label::new(last(it.own.losses()), "the solution", BLUE)];
    panel.labels_at_right(canvas, &labels)?;
    let mut signs =
        vec![(Sample::Line(NEIGHBOUR), "a neighbouring centre"), (Sample::Area(INK, 0.12), "± one deviation")];
    if it.judgement.canonical.is_some() {
        signs.extend([(Sample::Area(ORANGE, 0.2), "sharp side"), (Sample::Area(SKY, 0.2), "flat side")]);
    }
    chart::key(canvas, (72.0, WIDTH), 76.0, &signs)
}
