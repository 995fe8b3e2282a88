//! Which coordinates a direction may move.

use std::ops::Range;

use crate::{Error, Result};

/// A non-empty set of coordinates of a space, such as those of one group of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Support {
    dimension: usize,
    /// Increasing, not empty, neither overlapping nor touching.
    ranges: Vec<Range<usize>>,
}

impl Support {
    /// All coordinates of a space of at least one.
    pub fn all(dimension: usize) -> Result<Self> {
        Self::except(dimension, &[])
    }

    /// The coordinates of these ranges alone, in any order; ranges may overlap.
    pub fn only(dimension: usize, ranges: &[Range<usize>]) -> Result<Self> {
        Self { dimension, ranges: union(dimension, ranges)? }.not_empty()
    }

    /// All coordinates but those of these ranges, in any order; ranges may overlap.
    pub fn except(dimension: usize, ranges: &[Range<usize>]) -> Result<Self> {
        let excluded = union(dimension, ranges)?;
        let starts = std::iter::once(0).chain(excluded.iter().map(|range| range.end));
        let ends = excluded.iter().map(|range| range.start).chain([dimension]);
        let ranges = starts.zip(ends).map(|(start, end)| start..end).filter(|range| !range.is_empty()).collect();
        Self { dimension, ranges }.not_empty()
    }

    /// Number of coordinates of the space.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Number of coordinates in the set, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a support is never empty")]
    pub fn len(&self) -> usize {
        self.ranges.iter().map(Range::len).sum()
    }

    /// The coordinates, increasing.
    pub fn coordinates(&self) -> impl Iterator<Item = usize> {
        self.ranges.iter().cloned().flatten()
    }

    /// How many coordinates of a range are in the set.
    pub(super) fn count_in(&self, range: &Range<usize>) -> usize {
        self.ranges.iter().map(|own| own.end.min(range.end).saturating_sub(own.start.max(range.start))).sum()
    }

    fn not_empty(self) -> Result<Self> {
        if self.ranges.is_empty() {
            return Err(Error::domain("number of coordinates in the support", 0, "at least 1"));
        }
        Ok(self)
    }
}

/// Sorts and joins ranges, after checking that each is not empty and lies in the space.
fn union(dimension: usize, ranges: &[Range<usize>]) -> Result<Vec<Range<usize>>> {
    if let Some(bad) = ranges.iter().find(|range| range.is_empty() || range.end > dimension) {
        return Err(Error::domain(
            "range of coordinates",
            format!("{bad:?}"),
            format!("ranges within 0..{dimension}, not empty"),
        ));
    }
    let mut sorted = ranges.to_vec();
    sorted.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in sorted {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    Ok(joined)
}
