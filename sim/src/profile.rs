//! A loss sampled along a line.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, error::finite};

/// A loss sampled at increasing offsets l along a line w + l·u, from a formula or from a network.
///
/// Between samples it is read as its piecewise-linear interpolant; every judgement of this crate is exact for that
/// interpolant. Offsets are in units of the direction's length (‖u‖ = 1 unless said), losses in the loss's own units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Profile {
    offsets: Vec<f64>,
    losses: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    standard_errors: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    examples: Option<Vec<Vec<f64>>>,
}

#[derive(Deserialize)]
struct Unchecked {
    offsets: Vec<f64>,
    losses: Vec<f64>,
    standard_errors: Option<Vec<f64>>,
    examples: Option<Vec<Vec<f64>>>,
}

impl TryFrom<Unchecked> for Profile {
    type Error = Error;

    fn try_from(raw: Unchecked) -> Result<Self> {
        let mut profile = Self::new(raw.offsets, raw.losses)?;
        if let Some(errors) = raw.standard_errors {
            profile = profile.with_standard_errors(errors)?;
        }
        if let Some(examples) = raw.examples {
            profile = profile.with_examples(examples)?;
        }
        Ok(profile)
    }
}

impl Profile {
    /// Checks and builds a profile: at least two finite, strictly increasing offsets and as many finite losses.
    pub fn new(offsets: Vec<f64>, losses: Vec<f64>) -> Result<Self> {
        if offsets.len() < 2 {
            return Err(Error::domain("number of offsets", offsets.len(), "at least 2"));
        }
        same_length("losses", losses.len(), offsets.len())?;
        for (i, &offset) in offsets.iter().enumerate() {
            finite(&format!("offset {i}"), offset)?;
            if i > 0 && offset <= offsets[i - 1] {
                return Err(Error::domain(
                    format!("offset {i}"),
                    offset,
                    format!("more than the offset before it, {}", offsets[i - 1]),
                ));
            }
        }
        for (offset, &loss) in offsets.iter().zip(&losses) {
            finite(&format!("loss at offset {offset}"), loss)?;
        }
        Ok(Self { offsets, losses, standard_errors: None, examples: None })
    }

    /// Adds the standard error of each mean loss (finite, ≥ 0, one an offset).
    pub fn with_standard_errors(mut self, errors: Vec<f64>) -> Result<Self> {
        same_length("standard errors", errors.len(), self.len())?;
        for (offset, &error) in self.offsets.iter().zip(&errors) {
            crate::error::non_negative(&format!("standard error at offset {offset}"), error)?;
        }
        self.standard_errors = Some(errors);
        Ok(self)
    }

    /// Adds the per-example losses: one row an offset, one column an example, at least two examples.
    ///
    /// The points of a line share their examples, so errors at different offsets are correlated; simultaneous bands
    /// need this matrix.
    pub fn with_examples(mut self, examples: Vec<Vec<f64>>) -> Result<Self> {
        same_length("rows of per-example losses", examples.len(), self.len())?;
        let columns = examples[0].len();
        if columns < 2 {
            return Err(Error::domain("number of examples", columns, "at least 2"));
        }
        for (row, &offset) in examples.iter().zip(&self.offsets) {
            same_length(&format!("per-example losses at offset {offset}"), row.len(), columns)?;
            for &loss in row {
                finite(&format!("per-example loss at offset {offset}"), loss)?;
            }
        }
        self.examples = Some(examples);
        Ok(self)
    }

    /// Samples a function at the offsets.
    pub fn sample(offsets: Vec<f64>, f: impl FnMut(f64) -> f64) -> Result<Self> {
        let losses = offsets.iter().copied().map(f).collect();
        Self::new(offsets, losses)
    }

    /// Number of samples, at least 2.
    #[expect(clippy::len_without_is_empty, reason = "a profile is never empty")]
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// The offsets, strictly increasing.
    pub fn offsets(&self) -> &[f64] {
        &self.offsets
    }

    /// The losses, one an offset.
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// The standard errors of the mean losses, if known.
    pub fn standard_errors(&self) -> Option<&[f64]> {
        self.standard_errors.as_deref()
    }

    /// The per-example losses, one row an offset, if kept.
    pub fn examples(&self) -> Option<&[Vec<f64>]> {
        self.examples.as_deref()
    }

    /// The same profile without its per-example losses.
    pub fn without_examples(mut self) -> Self {
        self.examples = None;
        self
    }

    /// R: the half-line measured on both sides of the centre, min(−first offset, last offset). Negative if 0 lies
    /// outside the offsets.
    pub fn half_line(&self) -> f64 {
        (-self.offsets[0]).min(self.offsets[self.len() - 1])
    }

    /// The interpolated loss at an offset, `None` outside the sampled range.
    pub fn at(&self, offset: f64) -> Option<f64> {
        let last = self.len() - 1;
        if !(self.offsets[0]..=self.offsets[last]).contains(&offset) {
            return None;
        }
        let right = self.offsets.partition_point(|&x| x < offset).clamp(1, last);
        let (x0, x1) = (self.offsets[right - 1], self.offsets[right]);
        let (y0, y1) = (self.losses[right - 1], self.losses[right]);
        let t = (offset - x0) / (x1 - x0);
        Some(if t <= 0.0 {
            y0
        } else if t >= 1.0 {
            y1
        } else {
            y0 + t * (y1 - y0)
        })
    }

    /// Offset and loss of the lowest sample, the leftmost of equals.
    pub fn minimum(&self) -> (f64, f64) {
        let mut best = 0;
        for i in 1..self.len() {
            if self.losses[i] < self.losses[best] {
                best = i;
            }
        }
        (self.offsets[best], self.losses[best])
    }

    /// The same line read in the direction −u.
    pub fn mirrored(&self) -> Self {
        fn reversed<T: Clone>(values: &[T]) -> Vec<T> {
            values.iter().rev().cloned().collect()
        }
        Self {
            offsets: self.offsets.iter().rev().map(|x| -x).collect(),
            losses: reversed(&self.losses),
            standard_errors: self.standard_errors.as_deref().map(reversed),
            examples: self.examples.as_deref().map(reversed),
        }
    }
}

/// `points` equally spaced offsets from `low` to `high`, the ends and, in a symmetric range, the centre exact.
pub fn grid(low: f64, high: f64, points: usize) -> Result<Vec<f64>> {
    finite("low end", low)?;
    finite("high end", high)?;
    if low >= high {
        return Err(Error::domain("high end", high, format!("more than the low end, {low}")));
    }
    if points < 2 {
        return Err(Error::domain("number of points", points, "at least 2"));
    }
    let steps = points - 1;
    Ok((0..points).map(|i| (low * (steps - i) as f64 + high * i as f64) / steps as f64).collect())
}

fn same_length(name: &str, seen: usize, wanted: usize) -> Result<()> {
    if seen == wanted {
        Ok(())
    } else {
        Err(Error::domain(format!("number of {name}"), seen, format!("{wanted}, one an offset")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolates_between_samples_and_knows_its_ends() {
        let profile = Profile::new(vec![-1.0, 0.0, 2.0], vec![3.0, 0.0, 1.0]).expect("valid");
        assert_eq!(profile.at(-1.0), Some(3.0));
        assert_eq!(profile.at(-0.5), Some(1.5));
        assert_eq!(profile.at(1.0), Some(0.5));
        assert_eq!(profile.at(2.0), Some(1.0));
        assert_eq!(profile.at(2.1), None);
        assert_eq!(profile.half_line(), 1.0);
        assert_eq!(profile.minimum(), (0.0, 0.0));
        assert_eq!(profile.mirrored().mirrored(), profile);
        assert_eq!(profile.mirrored().at(0.5), Some(1.5));
    }

    #[test]
    fn refuses_what_is_not_a_profile_and_names_it() {
        let message = |offsets: &[f64], losses: &[f64]| {
            Profile::new(offsets.to_vec(), losses.to_vec()).expect_err("invalid").to_string()
        };
        assert_eq!(message(&[0.0], &[1.0]), "number of offsets is 1; allowed: at least 2");
        assert_eq!(message(&[0.0, 1.0], &[1.0]), "number of losses is 1; allowed: 2, one an offset");
        assert_eq!(message(&[0.0, 0.0], &[1.0, 1.0]), "offset 1 is 0; allowed: more than the offset before it, 0");
        assert_eq!(message(&[0.0, 1.0], &[1.0, f64::NAN]), "loss at offset 1 is NaN; allowed: a finite number");
    }

    #[test]
    fn a_grid_hits_its_ends_and_its_centre() {
        let offsets = grid(-3.0, 3.0, 61).expect("valid");
        assert_eq!((offsets[0], offsets[30], offsets[60]), (-3.0, 0.0, 3.0));
        assert!(grid(1.0, 1.0, 5).is_err());
    }

    #[test]
    fn a_profile_read_from_json_is_checked() {
        let json = r#"{"offsets":[0.0,1.0],"losses":[1.0,2.0],"standard_errors":[0.1,-0.1]}"#;
        assert!(serde_json::from_str::<Profile>(json).is_err());
    }
}
