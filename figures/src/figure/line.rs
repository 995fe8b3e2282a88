//! A network's loss along one direction, with its certificate of asymmetry drawn in.

use plotters::style::RGBColor;
use valleys_sim::Profile;
use valleys_sim::asymmetry::{Certificate, Verdict};
use valleys_sim::record::{Line, LineJudgement};

use super::{headline, points};
use crate::canvas::{self, Canvas};
use crate::chart::{Frame, Label, Panel};
use crate::scale::{Axis, number};
use crate::style::{BLUE, Dash, GREY, INK, ORANGE, PURPLE, SKY, Stroke, VERMILION, WIDTH};
use crate::{Picture, Result, words};

const HEIGHT: f64 = 490.0;
const TRAIN: Stroke = Stroke::new(BLUE);
const TEST: Stroke = Stroke::new(VERMILION).dash(Dash::Dashed);
const GUIDE: Stroke = Stroke::new(INK).width(1.5).dash(Dash::Dotted);

pub(super) fn picture(name: &str, line: &Line) -> Result<Picture> {
    let judgement = &line.judgement;
    let title = format!("{}: {} direction {}", line.title, line.family, line.index);
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        let below = format!("{} direction {}: {}", line.family, line.index, summary(judgement));
        headline(canvas, &line.title, &below)?;
        chart(canvas, line)
    })?;
    let shaded = match &judgement.canonical {
        Some(certificate) => format!(
            " Shaded: the windows r̲ < |l| < r̄ of the canonical certificate; dotted: slope c·p on the sharp side and p \
             on the flat side, {}.",
            words::ratio_equation(certificate)
        ),
        None => String::new(),
    };
    let matched = match &judgement.matched {
        Some(certificate) => format!(
            " Purple: the windows matched to the measured shift, {}, gain {}.",
            words::four_numbers(certificate),
            number(certificate.gain)
        ),
        None => String::new(),
    };
    let caption = format!(
        "Loss at w + l·u against l; bands are ±2 standard errors. Judged by the training loss: {}.{shaded}{matched} \
         Measured: {}.",
        summary(judgement),
        line.setting,
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

/// The verdict in one line.
fn summary(judgement: &LineJudgement) -> String {
    let verdict = words::verdict(judgement.verdict);
    let half_line = number(judgement.half_line);
    match (&judgement.canonical, judgement.mirrored) {
        (Some(certificate), mirrored) => format!(
            "{verdict} along {}, (r̄, r̲, p, c) = {}, measured to R = {half_line}",
            if mirrored { "−u" } else { "u" },
            words::four_numbers(certificate)
        ),
        (None, _) => format!("{verdict} along u and −u, measured to R = {half_line}"),
    }
}

/// The windows of a certificate on the line as measured, and the slopes that bound it there.
struct Windows {
    sharp: (f64, f64),
    flat: (f64, f64),
}

impl Windows {
    fn new(certificate: &Certificate, mirrored: bool) -> Self {
        let sign = if mirrored { -1.0 } else { 1.0 };
        Self {
            sharp: (-sign * certificate.r_lo, -sign * certificate.r_hi),
            flat: (sign * certificate.r_lo, sign * certificate.r_hi),
        }
    }
}

/// The line from the inner end of a window with the slope that bounds the loss there.
fn guide(train: &Profile, (inner, outer): (f64, f64), slope: f64) -> Option<[(f64, f64); 2]> {
    let start = train.at(inner)?;
    Some([(inner, start), (outer, start + slope * (outer - inner).abs())])
}

fn chart(canvas: &mut Canvas<'_>, line: &Line) -> Result<()> {
    let judgement = &line.judgement;
    let canonical = judgement.canonical.as_ref().map(|it| (it, Windows::new(it, judgement.mirrored)));
    let guides: Vec<[(f64, f64); 2]> = canonical.as_ref().map_or(Vec::new(), |(it, windows)| {
        let sharp = guide(&line.train, windows.sharp, it.c * it.p);
        sharp.into_iter().chain(guide(&line.train, windows.flat, it.p)).collect()
    });
    let losses = [&line.train].into_iter().chain(&line.test).flat_map(edges);
    let ends = guides.iter().flatten().map(|point| point.1);
    let panel = Panel::new(
        Frame::new(72.0, 92.0, 650.0, 438.0),
        Axis::tight("offset l along the unit direction u", line.train.offsets().iter().copied())?,
        Axis::roomy("mean loss", losses.chain(ends))?,
    );
    if let Some((certificate, windows)) = &canonical {
        shade(canvas, &panel, certificate, windows, judgement.verdict)?;
    }
    panel.axes(canvas)?;
    let mut labels = Vec::new();
    if let Some(certificate) = &judgement.matched {
        let windows = Windows::new(certificate, judgement.mirrored);
        for (inner, outer) in [windows.sharp, windows.flat] {
            let (left, bottom) = panel.at(inner.min(outer), panel.floor());
            let (right, _) = panel.at(inner.max(outer), panel.floor());
            canvas.rectangle((left, bottom - 7.0), (right, bottom - 2.0), PURPLE, 1.0)?;
        }
        labels.push(Label::new(panel.floor(), "matched windows", INK));
    }
    let test = line.test.as_ref().map(|test| (test, TEST, "test loss"));
    for (profile, stroke, text) in test.into_iter().chain([(&line.train, TRAIN, "training loss")]) {
        band(canvas, &panel, profile, stroke.colour)?;
        panel.curve(canvas, points(profile.offsets(), profile.losses()), stroke)?;
        labels.push(Label::new(profile.losses()[profile.len() - 1], text, stroke.colour));
    }
    for ends in guides {
        panel.curve(canvas, ends, GUIDE)?;
    }
    panel.labels_at_right(canvas, &labels)
}

fn shade(
    canvas: &mut Canvas<'_>,
    panel: &Panel,
    certificate: &Certificate,
    windows: &Windows,
    verdict: Verdict,
) -> Result<()> {
    let decided = verdict == Verdict::Asymmetric;
    let (sharp, flat) = if decided { (ORANGE, SKY) } else { (GREY, GREY) };
    panel.span(canvas, windows.sharp, sharp, 0.2)?;
    panel.span(canvas, windows.flat, flat, 0.2)?;
    let middle = |(inner, outer): (f64, f64)| 0.5 * (inner + outer);
    let (steep, gentle) = (number(certificate.c * certificate.p), number(certificate.p));
    let labels = [
        Label::new(middle(windows.sharp), format!("sharp side: slope > c·p = {steep}"), INK),
        Label::new(middle(windows.flat), format!("flat side: slope < p = {gentle}"), INK),
    ];
    panel.labels_above(canvas, &labels)
}

/// The lowest and highest loss that is drawn at each offset, two standard errors included.
fn edges(profile: &Profile) -> impl Iterator<Item = f64> + '_ {
    let room = |i: usize| profile.standard_errors().map_or(0.0, |errors| 2.0 * errors[i]);
    profile.losses().iter().enumerate().flat_map(move |(i, &loss)| [loss - room(i), loss + room(i)])
}

/// Two standard errors on both sides of a curve, where they are known.
fn band(canvas: &mut Canvas<'_>, panel: &Panel, profile: &Profile, colour: RGBColor) -> Result<()> {
    let Some(errors) = profile.standard_errors() else { return Ok(()) };
    let samples = points(profile.offsets(), profile.losses()).zip(errors);
    let band: Vec<_> = samples.map(|((l, loss), error)| (l, loss - 2.0 * error, loss + 2.0 * error)).collect();
    panel.band(canvas, &band, colour, 0.15)
}
