//! Definitions 1 and 2: certificates of asymmetry of a sampled line.
//!
//! A unit vector u is (r̄, r̲, p, c)-asymmetric at w (Definition 1 of the paper) if on the window (r̲, r̄) the loss rises
//! along +u with a slope below p and along −u with a slope above c·p, where p > 0 and c > 1. Every judgement here is
//! exact for a profile's piecewise-linear interpolant, whose slopes are read off by [`Slopes`].
//!
//! As printed, "the best (r̄, r̲, p, c)" has no answer: where the flat side does not rise, p → 0 gives c → ∞, and every
//! tilted line qualifies. Hence p is never taken below p_min = 1e-6·(max − min)/r̄ on [−r̄, r̄], and a window counts only
//! if it is a *valley* window: the profile's minimum over [−r̄, r̄] is attained in [−r̲, r̲].
//!
//! Comparisons allow for rounding, 1e-9 relative: strict ones must hold by that margin, the others may fail by it. Losses
//! are compared relative to the range of the profile on [−r̄, r̄], offsets relative to R.

mod band;
mod bounds;
mod slopes;
mod step_width;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use band::{ErrorSource, Evidence};
pub use bounds::SlopeBounds;
pub use slopes::Slopes;
pub use step_width::coarsened;

use crate::error::{finite, non_negative};
use crate::estimate::{Bootstrap, Confidence};
use crate::record::{FrontPoint, LineJudgement};
use crate::{Error, Profile, Result, Seed};

/// A direction's asymmetry in the paper's four numbers (Definition 1), and what it promises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// r̄, the outer end of the window.
    pub r_hi: f64,
    /// r̲, the inner end of the window.
    pub r_lo: f64,
    /// p, the slope that the flat side stays below.
    pub p: f64,
    /// c, the ratio: the sharp side's slope stays above c·p.
    pub c: f64,
    /// Whether the flat side does not rise, so that c is only a lower bound ("≥ c").
    pub c_is_lower_bound: bool,
    /// Theorem 1's gain for this window: (s − p)(r̄ − r̲)/4 for the canonical certificate,
    /// (s − p)·min{r̄ − δ̄, δ̄ − r̲}/2 − 2ξ for a matched one.
    pub gain: f64,
}

/// What a profile says of a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// An admissible window exists.
    Asymmetric,
    /// Valley windows exist, but none is admissible.
    Symmetric,
    /// No window holds the profile's minimum: the centre is not at the bottom of a valley.
    NotAValley,
    /// An admissible window exists, but not within the errors of measurement.
    Undecided,
}

/// Which windows are admissible, and how errors of measurement are weighed.
///
/// | Parameter | Default | Purpose | Range |
/// |---|---|---|---|
/// | width share | 0.2 | a window is at least this share of R wide | (0, 1] |
/// | ratio | 2 | a window's c is above it | ≥ 1 |
/// | confidence | 0.95 | of the simultaneous bound on s − ratio·p | (0, 1) |
/// | bootstrap | 1000 replicates, seed 0 | resampling of examples | at least 100 replicates |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Criteria {
    width_share: f64,
    ratio: f64,
    confidence: Confidence,
    bootstrap: Bootstrap,
}

impl Default for Criteria {
    fn default() -> Self {
        Self { width_share: 0.2, ratio: 2.0, confidence: Confidence::P95, bootstrap: Bootstrap::default() }
    }
}

impl Criteria {
    /// Thresholds on a window's width, as a share of R in (0, 1], and on c, at least 1.
    pub fn new(width_share: f64, ratio: f64) -> Result<Self> {
        if !(width_share > 0.0 && width_share <= 1.0) {
            return Err(Error::domain(
                "least width of a window, as a share of R",
                width_share,
                "more than 0, at most 1",
            ));
        }
        if finite("threshold on c", ratio)? < 1.0 {
            return Err(Error::domain("threshold on c", ratio, "at least 1"));
        }
        Ok(Self { width_share, ratio, ..Self::default() })
    }

    /// The same thresholds with another confidence of the simultaneous bound.
    pub fn with_confidence(self, confidence: Confidence) -> Self {
        Self { confidence, ..self }
    }

    /// The same thresholds with another resampling of examples.
    pub fn with_bootstrap(self, bootstrap: Bootstrap) -> Self {
        Self { bootstrap, ..self }
    }

    /// The same thresholds, resampling from another seed.
    pub fn with_seed(self, seed: Seed) -> Self {
        Self { bootstrap: self.bootstrap.with_seed(seed), ..self }
    }

    /// The least width of an admissible window, as a share of R.
    pub fn width_share(&self) -> f64 {
        self.width_share
    }

    /// The threshold that an admissible window's c exceeds.
    pub fn ratio(&self) -> f64 {
        self.ratio
    }

    /// The confidence of the simultaneous bound.
    pub fn confidence(&self) -> Confidence {
        self.confidence
    }
}

/// What a profile says of its direction u.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// R, the half-line measured on both sides. The canonical certificate grows with it.
    pub half_line: f64,
    /// The admissible window with the largest gain (s − p)(r̄ − r̲)/4; ties go to the smaller r̲, then the smaller r̄.
    pub canonical: Option<Certificate>,
    /// The valley windows with c > 1 that no other one beats in both width and c, by increasing width. The gain is
    /// the canonical certificate's.
    pub front: Vec<FrontPoint>,
    /// What the errors of measurement leave of it, if an admissible window exists and errors are known.
    pub evidence: Option<Evidence>,
}

/// The judgements of u and −u: two tries.
#[derive(Debug, Clone, PartialEq)]
pub struct BothWays {
    /// Whether −u is the better of the two: then `better` speaks of the mirrored profile.
    pub mirrored: bool,
    /// The judgement of the better direction: first by verdict (asymmetric, undecided, symmetric, not a valley), then
    /// by the canonical certificate's gain; u if they are equal.
    pub better: Judgement,
    /// The judgement of its opposite.
    pub other: Judgement,
}

/// Judges the direction u of a profile by Definition 1.
///
/// With per-example losses or standard errors, "asymmetric" also needs an admissible window whose lower simultaneous
/// bound of s − ratio·p is above 0; otherwise the verdict is "undecided". See [`Evidence`].
///
/// # Errors
/// If the profile does not reach both sides of its centre (R ≤ 0), or its slopes overflow.
pub fn judge(profile: &Profile, criteria: &Criteria) -> Result<Judgement> {
    let slopes = Slopes::of(profile)?;
    let band = band::measure(profile, &slopes, criteria)?;
    Ok(slopes.judge(criteria, band.as_ref()))
}

/// Judges u and −u. The bands of both are one, so the bounds hold simultaneously over both tries.
///
/// # Errors
/// Those of [`judge`].
pub fn judge_both(profile: &Profile, criteria: &Criteria) -> Result<BothWays> {
    let slopes = Slopes::of(profile)?;
    let band = band::measure(profile, &slopes, criteria)?;
    let along = slopes.judge(criteria, band.as_ref());
    let against = slopes.mirrored().judge(criteria, band.map(band::Band::mirrored).as_ref());
    Ok(if against.rank() > along.rank() {
        BothWays { mirrored: true, better: against, other: along }
    } else {
        BothWays { mirrored: false, better: along, other: against }
    })
}

/// The certificate matched to a shift δ̄ ≥ 0 and a gap ξ ≥ 0 along u: among the valley windows with c > 1 and
/// r̲ < δ̄ < r̄ the one with the largest (s − p)·min{r̄ − δ̄, δ̄ − r̲}/2 − 2ξ, which is what Theorem 1 promises at this shift
/// (it may be negative). It does not depend on R. `None` if there is no such window.
///
/// # Errors
/// Those of [`judge`], and a shift or gap that is negative or not finite. A measured δ* may be negative: δ̄ = |δ*|.
pub fn matched(profile: &Profile, shift: f64, gap: f64) -> Result<Option<Certificate>> {
    Slopes::of(profile)?.matched(shift, gap)
}

/// The front of c against window width along u, see [`Judgement::front`].
///
/// # Errors
/// Those of [`judge`].
pub fn front(profile: &Profile) -> Result<Vec<FrontPoint>> {
    Ok(Slopes::of(profile)?.front())
}

/// Judges the better of u and −u, with the certificate matched to a shift (δ̄, ξ) if one was measured, as a record.
///
/// # Errors
/// Those of [`judge`] and [`matched`].
pub fn judge_line(profile: &Profile, criteria: &Criteria, shift: Option<(f64, f64)>) -> Result<LineJudgement> {
    let both = judge_both(profile, criteria)?;
    let matched = match shift {
        Some((shift, gap)) if both.mirrored => matched(&profile.mirrored(), shift, gap)?,
        Some((shift, gap)) => matched(profile, shift, gap)?,
        None => None,
    };
    Ok(both.into_record(matched))
}

impl BothWays {
    /// The better judgement as a record, beside the certificate matched to a measured shift, if any.
    pub fn into_record(self, matched: Option<Certificate>) -> LineJudgement {
        let Judgement { verdict, half_line, canonical, front, .. } = self.better;
        LineJudgement { mirrored: self.mirrored, verdict, half_line, canonical, matched, front }
    }
}

impl Judgement {
    /// How good the direction is, for comparison with its opposite.
    fn rank(&self) -> (u8, f64) {
        let verdict = match self.verdict {
            Verdict::Asymmetric => 3,
            Verdict::Undecided => 2,
            Verdict::Symmetric => 1,
            Verdict::NotAValley => 0,
        };
        (verdict, self.canonical.map_or(0.0, |certificate| certificate.gain))
    }
}

impl Slopes {
    /// The judgement by these slopes, without errors of measurement.
    pub fn judge_exact(&self, criteria: &Criteria) -> Judgement {
        self.judge(criteria, None)
    }

    fn judge(&self, criteria: &Criteria, band: Option<&band::Band>) -> Judgement {
        let canonical =
            self.best(|window| window.is_admissible(self.half_line(), criteria).then(|| window.full_gain()));
        let evidence = canonical.and(band).map(|band| band.evidence(self, criteria));
        let verdict = match (&canonical, &evidence) {
            (Some(_), Some(evidence)) if evidence.lower_bound <= 0.0 => Verdict::Undecided,
            (Some(_), _) => Verdict::Asymmetric,
            (None, _) if self.windows().next().is_some() => Verdict::Symmetric,
            (None, _) => Verdict::NotAValley,
        };
        let canonical = canonical.map(|window| window.certificate(window.full_gain()));
        Judgement { verdict, half_line: self.half_line(), canonical, front: self.front(), evidence }
    }

    /// The certificate matched to a shift and a gap, see [`matched`].
    ///
    /// # Errors
    /// A shift or gap that is negative or not finite.
    pub fn matched(&self, shift: f64, gap: f64) -> Result<Option<Certificate>> {
        non_negative("shift δ̄", shift)?;
        non_negative("shift gap ξ", gap)?;
        let gain = |window: &slopes::Window| {
            let step = (window.r_hi - shift).min(shift - window.r_lo);
            (window.exceeds(1.0) && step > slopes::ROUNDING * self.half_line()).then(|| window.rise() * step / 2.0)
        };
        Ok(self.best(gain).and_then(|window| Some(window.certificate(gain(&window)? - 2.0 * gap))))
    }

    /// The front of c against window width, see [`Judgement::front`].
    pub fn front(&self) -> Vec<FrontPoint> {
        let mut windows: Vec<slopes::Window> = self.windows().filter(|window| window.exceeds(1.0)).collect();
        // Widest first; the sort is stable, so equal windows keep the order of ties.
        windows.sort_by(|a, b| b.width().total_cmp(&a.width()).then(b.ratio().total_cmp(&a.ratio())));
        let mut front: Vec<slopes::Window> = Vec::new();
        for window in windows {
            if let Some(last) = front.last() {
                if window.ratio() <= last.ratio() * (1.0 + slopes::ROUNDING) {
                    continue;
                }
                if last.width() - window.width() <= slopes::ROUNDING * self.half_line() {
                    front.pop();
                }
            }
            front.push(window);
        }
        let point = |window: &slopes::Window| FrontPoint {
            width: window.width(),
            certificate: window.certificate(window.full_gain()),
        };
        front.iter().rev().map(point).collect()
    }

    /// The first valley window whose value is the largest, up to rounding, of those that have one.
    fn best(&self, value: impl Fn(&slopes::Window) -> Option<f64>) -> Option<slopes::Window> {
        let largest = self.windows().filter_map(|window| value(&window)).max_by(f64::total_cmp)?;
        self.windows().find(|window| value(window).is_some_and(|gain| gain >= largest * (1.0 - slopes::ROUNDING)))
    }
}
