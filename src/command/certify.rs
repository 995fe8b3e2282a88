//! `valleys certify`: anyone's curve in; verdict, certificates, shift, bound and the theorems that apply out.

use std::ffi::OsStr;
use std::path::Path;

use serde::Serialize;
use valleys_figures::words::{self, number};
use valleys_harness::files::write_atomically;
use valleys_sim::asymmetry::{self, Certificate, Criteria, Slopes, Verdict};
use valleys_sim::record::{Line, LineJudgement, Record, Shift};
use valleys_sim::{Profile, shift, theorem2};

use crate::cli::Certify;
use crate::curve::Curve;
use crate::error::{Error, Result};
use crate::output::{self, line};

/// Share of R that serves as the neighbourhood of the shift gap; the rest is room for shifts, as in the paper's
/// Figure 3: l ∈ [−3, 3] and shifts up to 1.
pub(super) const SHIFT_RADIUS: f64 = 2.0 / 3.0;

/// Shifts listed either way of 0.
pub(super) const SHIFTS: usize = 40;

/// Everything that is said of a curve.
#[derive(Serialize)]
struct Answer<'a> {
    file: &'a Path,
    points: usize,
    judgement: LineJudgement,
    #[serde(skip_serializing_if = "Option::is_none")]
    shift: Option<ShiftUsed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    theorem1: Option<Bound>,
    #[serde(skip_serializing_if = "Option::is_none")]
    theorem2: Option<NoiseLimits>,
}

/// δ̄ and ξ, and where they come from.
#[derive(Serialize)]
struct ShiftUsed {
    delta: f64,
    delta_is: Origin,
    xi: f64,
    xi_is: Origin,
    #[serde(skip_serializing_if = "Option::is_none")]
    measured: Option<Measured>,
}

#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Origin {
    Given,
    Measured,
    Assumed,
}

/// What the test column says besides δ* and ξ(δ*).
#[derive(Serialize)]
struct Measured {
    xi_at_zero: f64,
    /// ξ is the gap for |l| up to here.
    radius: f64,
    /// Whether δ* is the farthest shift that the curve leaves room for: the best one may lie beyond.
    at_the_end: bool,
}

/// Theorem 1 (corrected) for one direction at this shift.
#[derive(Serialize)]
struct Bound {
    step: f64,
    bound: f64,
    positive: bool,
}

/// Theorem 2 for the canonical certificate's slopes, a₊ = p: the largest noise, in units of p, up to which each
/// statement applies.
#[derive(Serialize)]
struct NoiseLimits {
    /// b₊, the smallest flat slope in the window; the theorem needs it above 0.
    b_plus: f64,
    r_lo: f64,
    r_hi: f64,
    pathwise: Option<f64>,
    per_round: Option<f64>,
    long_run: Option<f64>,
}

pub(crate) fn run(options: &Certify) -> Result<()> {
    let criteria = Criteria::new(options.min_width, options.min_c).map_err(|error| Error::Usage(error.to_string()))?;
    check_shift(options)?;
    let picture = options.picture.as_deref().map(picture_format).transpose()?;
    let curve = Curve::read(&options.file)?;
    let name = |error: valleys_sim::Error| Error::file(&options.file, error);

    let shift = shift_used(options, &curve).map_err(name)?;
    if shift.is_none() && options.xi.is_some() {
        return Err(Error::Usage("--xi needs a shift: give --shift, or a test column".to_string()));
    }
    let matching = shift.as_ref().map(|shift| (shift.delta.abs(), shift.xi));
    let judgement = asymmetry::judge_line(&curve.train, &criteria, matching).map_err(name)?;

    let theorem1 = judgement.matched.zip(matching).map(|(certificate, (delta, _))| bound(&certificate, delta));
    let theorem2 = match &judgement.canonical {
        Some(certificate) => Some(noise_limits(certificate, &curve.train, judgement.mirrored).map_err(name)?),
        None => None,
    };
    let points = curve.train.len();
    if let (Some(path), Some(format)) = (&options.picture, picture) {
        draw(path, format, &options.file, &curve, &judgement)?;
    }
    let answer = Answer { file: &options.file, points, judgement, shift, theorem1, theorem2 };
    if options.json { output::json(&answer) } else { print(&answer, &criteria) }
}

fn check_shift(options: &Certify) -> Result<()> {
    for (name, value, allowed) in
        [("--shift", options.shift, "a finite number > 0"), ("--xi", options.xi, "a finite number >= 0")]
    {
        let Some(value) = value else { continue };
        if !value.is_finite() || value < 0.0 || (name == "--shift" && value == 0.0) {
            return Err(Error::Usage(format!("{name} is {value}; allowed: {allowed}")));
        }
    }
    Ok(())
}

fn shift_used(options: &Certify, curve: &Curve) -> valleys_sim::Result<Option<ShiftUsed>> {
    let xi = |otherwise: (f64, Origin)| options.xi.map_or(otherwise, |xi| (xi, Origin::Given));
    if let Some(delta) = options.shift {
        let (xi, xi_is) = xi((0.0, Origin::Assumed));
        return Ok(Some(ShiftUsed { delta, delta_is: Origin::Given, xi, xi_is, measured: None }));
    }
    let Some(test) = &curve.test else { return Ok(None) };
    let gaps = measure_shift("", &curve.train, test)?;
    let (xi, xi_is) = xi((gaps.best_gap, Origin::Measured));
    let farthest = gaps.delta.last().copied().unwrap_or_default();
    let at_the_end = gaps.best_delta.abs() >= farthest * (1.0 - 1e-9);
    let measured = Measured { xi_at_zero: gaps.gap_at_zero, radius: gaps.radius, at_the_end };
    let delta = gaps.best_delta;
    Ok(Some(ShiftUsed { delta, delta_is: Origin::Measured, xi, xi_is, measured: Some(measured) }))
}

/// The shift gap over as wide a range of shifts as the curves allow.
pub(super) fn measure_shift(title: &str, train: &Profile, test: &Profile) -> valleys_sim::Result<Shift> {
    let radius = SHIFT_RADIUS * train.half_line();
    let shifts = shift::shifts(test, radius, 2 * SHIFTS + 1)?;
    shift::measure(title, train, test, radius, &shifts)
}

fn bound(certificate: &Certificate, delta: f64) -> Bound {
    let step = (certificate.r_hi - delta).min(delta - certificate.r_lo);
    Bound { step, bound: certificate.gain, positive: certificate.gain > 0.0 }
}

fn noise_limits(certificate: &Certificate, train: &Profile, mirrored: bool) -> valleys_sim::Result<NoiseLimits> {
    let slopes = if mirrored { Slopes::of(&train.mirrored())? } else { Slopes::of(train)? };
    let Certificate { r_lo, r_hi, c, .. } = *certificate;
    let inside = slopes.knots().windows(2).zip(slopes.flat()).filter(|(ends, _)| ends[0] >= r_lo && ends[1] <= r_hi);
    let b_plus = inside.map(|(_, slope)| *slope).fold(f64::INFINITY, f64::min);
    let limit = |threshold: fn(f64) -> f64| if b_plus > 0.0 { largest_noise(threshold, c) } else { None };
    Ok(NoiseLimits {
        b_plus,
        r_lo,
        r_hi,
        pathwise: limit(theorem2::pathwise::threshold),
        per_round: limit(theorem2::per_round::threshold),
        long_run: limit(theorem2::long_run::threshold),
    })
}

/// The largest ν with `threshold(ν) < c`, for a threshold that grows with ν without bound; `None` if it fails at ν = 0.
fn largest_noise(threshold: fn(f64) -> f64, c: f64) -> Option<f64> {
    if threshold(0.0) >= c {
        return None;
    }
    let (mut low, mut high) = (0.0, c);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if threshold(middle) < c { low = middle } else { high = middle }
    }
    Some(low)
}

fn print(answer: &Answer<'_>, criteria: &Criteria) -> Result<()> {
    let judgement = &answer.judgement;
    let along = if judgement.mirrored { "−u" } else { "u" };
    line(format!("{}: {} points, R = {}", answer.file.display(), answer.points, number(judgement.half_line)))?;
    line(format!("verdict      {} (along {along}, the better of u and −u)", words::verdict(judgement.verdict)))?;
    match &judgement.canonical {
        Some(certificate) => {
            line(format!("canonical    (r̄, r̲, p, c) = {}", words::four_numbers(certificate)))?;
            line(format!("             gain of Theorem 1 at ξ = 0: {}", number(certificate.gain)))?;
        }
        None => line(format!(
            "canonical    none: no valley window at least {} R wide has c > {}",
            criteria.width_share(),
            criteria.ratio()
        ))?,
    }
    if let Some(shift) = &answer.shift {
        print_shift(shift)?;
        match &judgement.matched {
            Some(certificate) => line(format!("matched      (r̄, r̲, p, c) = {}", words::four_numbers(certificate)))?,
            None => line("matched      none: no asymmetric valley window holds this shift")?,
        }
    }
    line("")?;
    print_theorems(answer)?;
    if judgement.front.is_empty() || judgement.verdict == Verdict::NotAValley {
        return Ok(());
    }
    line("")?;
    let rows = judgement.front.iter().map(|point| {
        let Certificate { r_lo, r_hi, p, .. } = point.certificate;
        vec![number(point.width), number(r_lo), number(r_hi), number(p), words::ratio(&point.certificate)]
    });
    output::table(&["window width", "r̲", "r̄", "p", "best c"], &rows.collect::<Vec<_>>())
}

fn print_shift(shift: &ShiftUsed) -> Result<()> {
    let origin = |origin: Origin| match origin {
        Origin::Given => "given",
        Origin::Measured => "measured",
        Origin::Assumed => "assumed; --xi gives another",
    };
    let (delta, xi) = (number(shift.delta), number(shift.xi));
    line(format!("shift        δ = {delta} ({}), ξ = {xi} ({})", origin(shift.delta_is), origin(shift.xi_is)))?;
    let Some(measured) = &shift.measured else { return Ok(()) };
    line(format!("             ξ(0) = {}, all for |l| ≤ {}", number(measured.xi_at_zero), number(measured.radius)))?;
    if measured.at_the_end {
        line("             the farthest shift that the curve leaves room for: the best one may lie beyond")?;
    }
    Ok(())
}

fn print_theorems(answer: &Answer<'_>) -> Result<()> {
    match (&answer.theorem1, &answer.shift) {
        (Some(bound), Some(shift)) => print_bound(bound, shift)?,
        (_, Some(_)) => line("Theorem 1    does not apply: no window holds the shift")?,
        (_, None) => line("Theorem 1    needs a shift: give --shift, or a test column")?,
    }
    let Some(limits) = &answer.theorem2 else {
        return line("Theorem 2    does not apply: no canonical certificate");
    };
    if limits.b_plus <= 0.0 {
        return line(format!(
            "Theorem 2    does not apply: it needs a flat side that rises, here its smallest slope is {}",
            number(limits.b_plus)
        ));
    }
    let say = |limit: Option<f64>| limit.map_or_else(|| "no noise".to_string(), |nu| format!("ν < {} p", number(nu)));
    line("Theorem 2    averaged SGD is biased to the flat side,")?;
    line(format!("             in every round (P) for {}", say(limits.pathwise)))?;
    line(format!("             in every round's expectation (C) for {}", say(limits.per_round)))?;
    line(format!("             in the long run (L) for {}", say(limits.long_run)))?;
    line(format!(
        "             if the noise has mean zero ((C), (L)) and the iterates stay within r̄ = {} of the kink",
        number(limits.r_hi)
    ))?;
    if limits.r_lo > 0.0 {
        line(format!("             and it asks for r̲ = 0; here r̲ = {}", number(limits.r_lo)))?;
    }
    Ok(())
}

fn print_bound(bound: &Bound, shift: &ShiftUsed) -> Result<()> {
    line(format!(
        "Theorem 1    a step l = {} to the flat side lowers the expected population loss by at least {}: {}",
        number(bound.step),
        number(bound.bound),
        if bound.positive { "it helps" } else { "no promise, the gap is too large" }
    ))?;
    line("             if the shift is as likely to be −δ as δ, and neighbouring lines look alike")?;
    let reach = shift.delta.abs() + bound.step;
    match &shift.measured {
        Some(measured) if reach > measured.radius => line(format!(
            "             and if the gap holds up to |l| = δ + l = {}, farther than it was measured",
            number(reach)
        )),
        _ => Ok(()),
    }
}

#[derive(Clone, Copy)]
enum Format {
    Svg,
    Png,
}

fn picture_format(path: &Path) -> Result<Format> {
    match path.extension().and_then(OsStr::to_str) {
        Some("svg") => Ok(Format::Svg),
        Some("png") => Ok(Format::Png),
        _ => Err(Error::Usage(format!("--picture is {}; allowed: a name ending in .svg or .png", path.display()))),
    }
}

fn draw(path: &Path, format: Format, file: &Path, curve: &Curve, judgement: &LineJudgement) -> Result<()> {
    let record = Record::Line(Line {
        title: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        family: "given".to_string(),
        index: 0,
        train: curve.train.clone(),
        test: curve.test.clone(),
        train_accuracy: None,
        test_accuracy: None,
        judgement: judgement.clone(),
        setting: "a curve from a file".to_string(),
    });
    let pictures = valleys_figures::render("certificate", &record)?;
    let picture = pictures.first().ok_or_else(|| Error::Failed("a line has one picture".to_string()))?;
    match format {
        Format::Svg => Ok(write_atomically(path, picture.svg.as_bytes())?),
        Format::Png => Ok(write_atomically(path, &picture.png()?)?),
    }
}
