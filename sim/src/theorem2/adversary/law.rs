//! The best law of the noise about a given mean.
//!
//! Among all laws on the whole numbers of a window with a given mean, one with the smallest expected value of a function sits on
//! at most two points: the ends of the edge of the function's lower convex envelope that passes over the mean.

use std::ops::RangeInclusive;

/// A law on one or two whole numbers, `mean` − `down` and `mean` + `up`, with the mean kept: both are 0 or neither is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Law {
    pub(super) down: usize,
    pub(super) up: usize,
}

impl Law {
    pub(super) const CERTAIN: Self = Self { down: 0, up: 0 };

    /// The probability of the upper point.
    pub(super) fn upward(self) -> f64 {
        if self.down == 0 { 0.0 } else { self.down as f64 / (self.down + self.up) as f64 }
    }

    fn expectation(self, below: f64, above: f64) -> f64 {
        // One end at the mean: all of the law is there, and the other end may be infinite.
        if self.down == 0 {
            return below;
        }
        if self.up == 0 {
            return above;
        }
        (self.up as f64 * below + self.down as f64 * above) / (self.down + self.up) as f64
    }
}

/// The smallest expectation of `values` over laws in the `window`, which holds their `mean`, and a law that has it.
/// Infinite values are points that no law may use; if no law is left, the expectation is infinite.
///
/// `slope` says where to begin the search for the envelope's slope, and holds it afterwards: from that of a neighbouring
/// mean, two or three passes over the window find it. Each pass takes, on either side of the mean, the point that lies
/// deepest below a line through two points, and lays the line through it. The line's value at the mean never rises; when
/// no point lies below it, it is the envelope's edge.
pub(super) fn best_law(values: &[f64], window: RangeInclusive<usize>, mean: usize, slope: &mut f64) -> (f64, Law) {
    let (low, high) = (*window.start(), *window.end());
    let centre = values[mean];
    let (mut law, mut line) = (Law::CERTAIN, centre);
    loop {
        let mut next = law;
        let mut least = line;
        for (i, value) in values[low..mean].iter().rev().enumerate() {
            let height = value + *slope * (i + 1) as f64;
            if height < least {
                (least, next.down) = (height, i + 1);
            }
        }
        let mut least = line;
        for (i, value) in values[mean + 1..=high].iter().enumerate() {
            let height = value - *slope * (i + 1) as f64;
            if height < least {
                (least, next.up) = (height, i + 1);
            }
        }
        let (below, above) = (values[mean - next.down], values[mean + next.up]);
        let lower = next.expectation(below, above);
        let turned = (above - below) / (next.down + next.up) as f64;
        // A line through the mean's own point turns downwards instead of falling. Rounding must not turn it back.
        let better = match (next.down, next.up) {
            (0, 0) => false,
            (0, _) => law.up == 0 || turned < *slope,
            (_, 0) => law.down == 0 || turned > *slope,
            _ => lower < line,
        };
        if next == law || !better || !turned.is_finite() {
            let certain = law.down == 0 || law.up == 0;
            return if certain { (centre, Law::CERTAIN) } else { (line, law) };
        }
        *slope = turned;
        (law, line) = (next, lower);
    }
}

/// [`best_law`] by trying all pairs of points.
#[cfg(test)]
pub(super) fn best_law_by_trial(values: &[f64], window: RangeInclusive<usize>, mean: usize) -> (f64, Law) {
    let mut best = (values[mean], Law::CERTAIN);
    for down in 1..=mean - window.start() {
        for up in 1..=window.end() - mean {
            let law = Law { down, up };
            let value = law.expectation(values[mean - down], values[mean + up]);
            if value < best.0 {
                best = (value, law);
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_envelope_is_what_the_best_pair_gives(
            values in prop::collection::vec(prop_oneof![
                8 => -10.0..10.0_f64,
                3 => (-3..3_i8).prop_map(f64::from),
                1 => Just(f64::INFINITY),
            ], 1..40),
            places in prop::array::uniform3(any::<prop::sample::Index>()),
            slope in -5.0..5.0_f64,
        ) {
            let mut places = places.map(|place| place.index(values.len()));
            places.sort_unstable();
            let [low, mean, high] = places;
            let mut slope = slope;
            let (value, law) = best_law(&values, low..=high, mean, &mut slope);
            let (expected, _) = best_law_by_trial(&values, low..=high, mean);
            prop_assert!(value == expected || (value - expected).abs() < 1e-12, "{value} and {expected}");
            prop_assert!(slope.is_finite());
            prop_assert!(law.down <= mean - low && law.up <= high - mean);
            prop_assert_eq!(law.down == 0, law.up == 0);
            let attained = law.expectation(values[mean - law.down], values[mean + law.up]);
            prop_assert!(value == attained || (value - attained).abs() < 1e-12);
        }
    }

    #[test]
    fn a_convex_function_leaves_no_use_for_noise() {
        let values: Vec<f64> = (0..30).map(|i| f64::from(i * i)).collect();
        assert_eq!(best_law(&values, 3..=21, 12, &mut -3.0), (144.0, Law::CERTAIN));
        // A concave one wants all of it.
        let values: Vec<f64> = values.iter().map(|x| -x).collect();
        assert_eq!(best_law(&values, 3..=21, 12, &mut 0.0), (-225.0, Law { down: 9, up: 9 }));
    }
}
