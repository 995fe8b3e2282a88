//! Train and test loss on the line through the SWA and the SGD solution (Figure 7 of the paper).

use valleys_sim::Profile;
use valleys_sim::asymmetry::{Certificate, Verdict};
use valleys_sim::record::Interpolation;

use super::{headline, points};
use crate::canvas::{self, Canvas};
use crate::chart::{self, Frame, Label, Panel, Sample};
use crate::scale::{Axis, number};
use crate::style::{BLUE, Dash, INK, Marker, ORANGE, PANEL_KEY, PANEL_TITLE, SKY, Stroke, VERMILION, WIDTH};
use crate::{Picture, Result, words};

/// Two rows of names fit between the keys and the frames.
const TOP: f64 = 138.0;
const BOTTOM: f64 = 410.0;
const HEIGHT: f64 = 462.0;
const TRAIN: Stroke = Stroke::new(BLUE);
const TEST: Stroke = Stroke::new(VERMILION).dash(Dash::Dashed);
/// The part of the line shown in detail.
const NEAR: (f64, f64) = (-0.5, 1.5);

pub(super) fn picture(name: &str, it: &Interpolation) -> Result<Picture> {
    let [first, second] = &it.names;
    let title = format!("From {first} to {second}: {}", it.title);
    let bump = if it.bump > 0.0 {
        format!("between them the training loss rises {} above both", number(it.bump))
    } else {
        "no bump of the training loss between them".to_owned()
    };
    let below =
        format!("{first} + s·({second} − {first}), distance ‖{second} − {first}‖ = {}; {bump}", number(it.distance));
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &below)?;
        whole(canvas, it)?;
        near(canvas, it)
    })?;
    let shaded = certificate(it).map_or_else(String::new, |certificate| {
        format!(
            " Shaded: the windows of the certificate (r̄, r̲, p, c) = {} seen from {second}, its flat side blue, its sharp side \
             orange.",
            words::four_numbers(certificate)
        )
    });
    let caption = format!(
        "(a) Training and test loss along the line, {first} at s = 0 and {second} at s = 1: {bump}.{shaded} (b) The same near the two \
         solutions, each loss less its value at {first}. {}",
        words::interpolation(it)
    );
    Ok(Picture { name: name.to_owned(), title, caption: caption.trim_end().to_owned(), svg })
}

/// The certificate of an asymmetric line.
fn certificate(it: &Interpolation) -> Option<&Certificate> {
    let decided = it.judgement.verdict == Verdict::Asymmetric && it.distance > 0.0;
    it.judgement.canonical.as_ref().filter(|_| decided)
}

fn whole(canvas: &mut Canvas<'_>, it: &Interpolation) -> Result<()> {
    let losses = it.train.losses().iter().chain(it.test.losses());
    let panel = Panel::new(
        Frame::new(66.0, TOP, 384.0, BOTTOM),
        Axis::tight("position s", it.train.offsets().iter().copied())?,
        Axis::roomy("mean loss", losses.copied())?,
    );
    panel.title(canvas, PANEL_TITLE, "(a) the whole line")?;
    if let Some(certificate) = certificate(it) {
        // Offsets l along the direction from SGD to SWA lie at s = 1 − l/‖SGD − SWA‖.
        let sign = if it.judgement.mirrored { -1.0 } else { 1.0 };
        let at = |l: f64| 1.0 - sign * l / it.distance;
        panel.span(canvas, (at(-certificate.r_lo), at(-certificate.r_hi)), ORANGE, 0.2)?;
        panel.span(canvas, (at(certificate.r_lo), at(certificate.r_hi)), SKY, 0.2)?;
    }
    panel.axes(canvas)?;
    solutions(canvas, &panel, it, |profile, s| profile.at(s))?;
    panel.curve(canvas, points(it.test.offsets(), it.test.losses()), TEST)?;
    panel.curve(canvas, points(it.train.offsets(), it.train.losses()), TRAIN)?;
    let signs = [(Sample::Line(TRAIN), "training loss"), (Sample::Line(TEST), "test loss")];
    chart::key(canvas, (66.0, 400.0), PANEL_KEY, &signs)
}

fn near(canvas: &mut Canvas<'_>, it: &Interpolation) -> Result<()> {
    let frame = Frame::new(466.0, TOP, WIDTH - 20.0, BOTTOM);
    let relative = |profile: &Profile| -> Option<Vec<(f64, f64)>> {
        let base = profile.at(0.0)?;
        let inside = points(profile.offsets(), profile.losses()).filter(|point| (NEAR.0..=NEAR.1).contains(&point.0));
        Some(inside.map(|(s, loss)| (s, loss - base)).collect())
    };
    let (train, test) = (relative(&it.train).unwrap_or_default(), relative(&it.test).unwrap_or_default());
    if train.len() < 2 {
        let panel = Panel::new(frame, Axis::tight("position s", [NEAR.0, NEAR.1])?, Axis::tight("", [0.0, 1.0])?);
        return panel.notice(canvas, "(b) too few points near the solutions");
    }
    let panel = Panel::new(
        frame,
        Axis::tight("position s", train.iter().map(|point| point.0))?,
        Axis::roomy(format!("loss − loss at {}", it.names[0]), train.iter().chain(&test).map(|point| point.1))?,
    );
    panel.title(canvas, PANEL_TITLE, "(b) near the solutions")?;
    panel.axes(canvas)?;
    solutions(canvas, &panel, it, |profile, s| Some(profile.at(s)? - profile.at(0.0)?))?;
    panel.curve(canvas, test, TEST)?;
    panel.curve(canvas, train, TRAIN)?;
    chart::key(canvas, (466.0, WIDTH), PANEL_KEY, &[(Sample::Line(TRAIN), "training"), (Sample::Line(TEST), "test")])
}

/// Marks the two solutions on both curves.
fn solutions(
    canvas: &mut Canvas<'_>,
    panel: &Panel,
    it: &Interpolation,
    height: impl Fn(&Profile, f64) -> Option<f64>,
) -> Result<()> {
    let inside = |s: f64| it.train.at(s).is_some();
    let [first, second] = it.names.each_ref().map(String::as_str);
    let ends = [(0.0, first, Marker::Diamond), (1.0, second, Marker::Disc)];
    let labels: Vec<Label> = ends.iter().filter(|end| inside(end.0)).map(|end| Label::new(end.0, end.1, INK)).collect();
    panel.marks(canvas, &labels)?;
    for (profile, colour) in [(&it.train, BLUE), (&it.test, VERMILION)] {
        for (s, _, marker) in ends {
            if let Some(height) = height(profile, s) {
                panel.marker(canvas, (s, height), marker, colour)?;
            }
        }
    }
    Ok(())
}
