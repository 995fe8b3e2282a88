//! Verdicts, certificates and numbers in words, the same on the command line, in captions and in the report.

use valleys_sim::Profile;
use valleys_sim::asymmetry::{Certificate, Verdict};
use valleys_sim::record::{Interpolation, MoveKind, PhaseMap, Standing};

use crate::scale::grouped;
pub use crate::scale::number;

/// A verdict as the theory words it.
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Asymmetric => "asymmetric",
        Verdict::Symmetric => "symmetric",
        Verdict::NotAValley => "not a valley",
        Verdict::Undecided => "undecided",
    }
}

/// How a hypothesis or a bound stands.
pub fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Met => "met",
        Standing::NotRejected => "not rejected",
        Standing::NotMeasured => "not measured",
        Standing::NotMet => "not met",
    }
}

/// How losses were measured, as a sentence; empty if that is not known.
pub(crate) fn measured(setting: &str) -> String {
    if setting.is_empty() { String::new() } else { format!("Measured: {setting}.") }
}

/// Where a solution was moved.
pub fn moved(kind: MoveKind) -> &'static str {
    match kind {
        MoveKind::Flat => "to the flat side",
        MoveKind::Mirrored => "to the sharp side",
        MoveKind::Permuted => "along u permuted",
        MoveKind::Symmetric => "in a symmetric direction",
    }
}

/// c, or "≥ c" where the flat side does not rise.
pub fn ratio(certificate: &Certificate) -> String {
    let bound = if certificate.c_is_lower_bound { "≥ " } else { "" };
    format!("{bound}{}", number(certificate.c))
}

/// c with its sign of equality: "c = 15", or "c ≥ 15".
pub(crate) fn ratio_equation(certificate: &Certificate) -> String {
    let sign = if certificate.c_is_lower_bound { '≥' } else { '=' };
    format!("c {sign} {}", number(certificate.c))
}

/// The four numbers of Definition 1, in the paper's order: (r̄, r̲, p, c).
pub fn four_numbers(certificate: &Certificate) -> String {
    let Certificate { r_hi, r_lo, p, .. } = *certificate;
    format!("({}, {}, {}, {})", number(r_hi), number(r_lo), number(p), ratio(certificate))
}

/// A relative slack with its order of magnitude, `0` where a bound is met with equality (kept as a tiny negative number where
/// a strict one is broken by it); a dash if nothing was tried.
pub fn slack(slack: Option<f64>) -> String {
    match slack {
        None => "–".to_owned(),
        Some(slack) if slack.abs() <= f64::MIN_POSITIVE => "0".to_owned(),
        Some(slack) => format!("{slack:.1e}"),
    }
}

/// Where the long-run means of a phase map lie, as a sentence.
pub fn phase_map(it: &PhaseMap) -> String {
    let cells = || it.rows.iter().flat_map(|row| &row.long_run);
    let count = |of: &dyn Fn(f64) -> bool| grouped(cells().filter(|&&mean| of(mean)).count() as u64);
    let doubtful = it.rows.iter().filter_map(|row| row.long_run.iter().rposition(|&mean| mean <= it.half_width)).max();
    let from = match doubtful {
        None => "for every c and ν of the map".to_owned(),
        Some(column) => match it.c.get(column + 1) {
            Some(&c) => format!("for every ν of the map from c = {} on", number(c)),
            None => "for no c at every ν of the map".to_owned(),
        },
    };
    format!(
        "SGD’s long-run mean lies on the flat side in {} of {} cells of (c, ν), on the sharp side in {}, and within ±{} of \
         zero (95 % for each cell alone) in the rest; it is positive {from}.",
        count(&|mean| mean > it.half_width),
        grouped(cells().count() as u64),
        count(&|mean| mean < -it.half_width),
        number(it.half_width)
    )
}

/// What the two ends of an interpolation and its judgement say, in two sentences; empty if an end was not measured.
pub(crate) fn interpolation(it: &Interpolation) -> String {
    let rise = |profile: &Profile| Some(profile.at(1.0)? - profile.at(0.0)?);
    let (Some(train), Some(test)) = (rise(&it.train), rise(&it.test)) else { return String::new() };
    let [first, second] = &it.names;
    let compared = |rise: f64| match rise {
        0.0 => format!("equal to that of {second}"),
        _ => format!("{} than at {second} by {}", if rise < 0.0 { "higher" } else { "lower" }, number(rise.abs())),
    };
    let side = match (it.judgement.verdict, it.judgement.mirrored) {
        (Verdict::Asymmetric, mirrored) => {
            let side = if mirrored { "sharp" } else { "flat" };
            format!("Seen from {second} the valley is asymmetric, and {first} lies on its {side} side.")
        }
        (Verdict::Symmetric, _) => format!(
            "Seen from {second} no window of the valley has c > 2: it is not asymmetric by the usual thresholds."
        ),
        (Verdict::NotAValley, _) => format!("{second} does not sit at the bottom of a valley along this line."),
        (Verdict::Undecided, _) => {
            "Whether the valley is asymmetric is undecided within the errors of measurement.".to_owned()
        }
    };
    format!("At {first} the training loss is {}, the test loss {}. {side}", compared(train), compared(test))
}
