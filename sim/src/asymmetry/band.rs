//! What the errors of measurement leave of a judgement: a simultaneous band around all slopes of a profile.

use super::{Criteria, Slopes};
use crate::estimate::simultaneous_band;
use crate::{Profile, Result};

/// The lower simultaneous bound behind a verdict.
///
/// Every slope between neighbouring knots, on both sides, lies within its band with the criteria's confidence, all at
/// once. A window's s is at least the least lower end, and its f at most the largest upper end, of its slopes; so the
/// bound holds simultaneously over all windows searched, along u and −u. p_min is taken from the measured losses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Where the band comes from.
    pub source: ErrorSource,
    /// The largest lower simultaneous bound of s − ratio·p over the admissible windows.
    pub lower_bound: f64,
}

/// What is known of the errors of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorSource {
    /// Per-example losses, which are resampled: the points of a line share their examples, so the errors of neighbouring
    /// losses largely cancel in a slope. See [`simultaneous_band`].
    Examples,
    /// Standard errors alone. Nothing is known of how errors at different offsets go together, so the worst is assumed:
    /// normal errors, Bonferroni over all offsets, and the two errors of a slope add up.
    StandardErrors,
}

/// Half-widths of a simultaneous band, one a slope.
#[derive(Debug, Clone)]
pub(super) struct Band {
    flat: Vec<f64>,
    sharp: Vec<f64>,
    source: ErrorSource,
}

/// The band of a profile's slopes; `None` if its errors are not known.
pub(super) fn measure(profile: &Profile, slopes: &Slopes, criteria: &Criteria) -> Result<Option<Band>> {
    let (half_widths, source) = if let Some(examples) = profile.examples() {
        let rows = example_slopes(profile, examples, slopes);
        (simultaneous_band(&rows, criteria.confidence, &criteria.bootstrap)?, ErrorSource::Examples)
    } else if let Some(errors) = profile.standard_errors() {
        let z = criteria.confidence.simultaneous(errors.len())?.normal_quantile();
        let half_widths = both_sides(slopes, |inner, outer| {
            let error = |offset| Place::of(profile, offset).read(|i| errors[i]);
            z * (error(inner) + error(outer)) / (outer - inner).abs()
        });
        (half_widths, ErrorSource::StandardErrors)
    } else {
        return Ok(None);
    };
    let (flat, sharp) = half_widths.split_at(slopes.flat().len());
    Ok(Some(Band { flat: flat.to_vec(), sharp: sharp.to_vec(), source }))
}

impl Band {
    /// The band of the mirrored slopes.
    pub(super) fn mirrored(self) -> Self {
        Self { flat: self.sharp, sharp: self.flat, ..self }
    }

    /// The evidence for the admissible windows.
    pub(super) fn evidence(&self, slopes: &Slopes, criteria: &Criteria) -> Evidence {
        let (mut f, mut s) = (f64::NEG_INFINITY, f64::INFINITY);
        let mut lower_bound = f64::NEG_INFINITY;
        for window in slopes.windows() {
            let segment = window.outer - 1;
            if segment == window.inner {
                (f, s) = (f64::NEG_INFINITY, f64::INFINITY);
            }
            f = f.max(slopes.flat()[segment] + self.flat[segment]);
            s = s.min(slopes.sharp()[segment] - self.sharp[segment]);
            if window.is_admissible(slopes.half_line(), criteria) {
                lower_bound = lower_bound.max(s - criteria.ratio * f.max(window.p_min));
            }
        }
        Evidence { source: self.source, lower_bound }
    }
}

/// One row a slope, along +u and then along −u, one column an example.
fn example_slopes(profile: &Profile, examples: &[Vec<f64>], slopes: &Slopes) -> Vec<Vec<f64>> {
    both_sides(slopes, |inner, outer| {
        let (inside, outside) = (Place::of(profile, inner), Place::of(profile, outer));
        let slope = |example: usize| {
            (outside.read(|i| examples[i][example]) - inside.read(|i| examples[i][example])) / (outer - inner).abs()
        };
        (0..examples[0].len()).map(slope).collect()
    })
}

/// Calls `f` with the inner and outer end of every segment, along +u and then along −u.
fn both_sides<T>(slopes: &Slopes, f: impl Fn(f64, f64) -> T) -> Vec<T> {
    let segments = || slopes.knots().windows(2);
    segments().map(|ends| f(ends[0], ends[1])).chain(segments().map(|ends| f(-ends[0], -ends[1]))).collect()
}

/// Where an offset lies between two samples of a profile.
struct Place {
    left: usize,
    right: usize,
    /// The weight of the right sample.
    share: f64,
}

impl Place {
    fn of(profile: &Profile, offset: f64) -> Self {
        let offsets = profile.offsets();
        let right = offsets.partition_point(|&x| x < offset).clamp(1, offsets.len() - 1);
        let left = right - 1;
        let share = ((offset - offsets[left]) / (offsets[right] - offsets[left])).clamp(0.0, 1.0);
        Self { left, right, share }
    }

    fn read(&self, value: impl Fn(usize) -> f64) -> f64 {
        (1.0 - self.share) * value(self.left) + self.share * value(self.right)
    }
}
