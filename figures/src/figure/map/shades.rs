//! The shades of a map: signed ones about zero, and those of shares and counts.

use plotters::style::RGBColor;

use crate::scale::{number, rounded};
use crate::style::{BLUE, GREEN, VERMILION};

/// Shades on each side of zero.
const SIDE: usize = 6;
/// A pale shade that is not white, as a share of the full colour.
const PALEST: f64 = 0.12;
/// Shades of counts beside the palest, at most.
const MOST_COUNTS: f64 = 12.0;
/// The unit of counts.
const MILLION: f64 = 1e6;

/// How values become colours.
pub(in crate::figure) trait Shading {
    /// The shade of a value.
    fn shade(&self, value: f64) -> i32;
    /// The colour of a shade.
    fn colour(&self, shade: i32) -> RGBColor;
    /// What a shade stands for.
    fn label(&self, shade: i32) -> String;
    /// All shades, that of the largest values first.
    fn downwards(&self) -> Vec<i32>;
}

/// Blue above zero, vermilion below, white where a value does not differ from zero: shade 0 for white, ±1 for the
/// palest, up to ±[`SIDE`].
pub(in crate::figure) struct Signed {
    /// The upper ends of the shades: 1, 2, 5, 10, … up to the largest size on the map.
    levels: [f64; SIDE],
    half_width: f64,
}

impl Signed {
    /// Shades for values that are known to `half_width`.
    pub(in crate::figure) fn of<'a>(values: impl IntoIterator<Item = &'a f64>, half_width: f64) -> Self {
        let largest = values.into_iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        let largest = if largest > 0.0 { largest } else { 1.0 };
        let exponent = largest.log10().floor() as i32;
        let top = (3 * exponent..3 * exponent + 4).find(|&i| round(i) >= largest).unwrap_or(3 * exponent + 3);
        Self { levels: std::array::from_fn(|i| round(top - (SIDE - 1 - i) as i32)), half_width }
    }
}

impl Shading for Signed {
    fn shade(&self, value: f64) -> i32 {
        if value == 0.0 || value.abs() <= self.half_width {
            return 0;
        }
        let steps = self.levels.iter().take(SIDE - 1).filter(|&&level| value.abs() > level).count() as i32 + 1;
        if value > 0.0 { steps } else { -steps }
    }

    fn colour(&self, shade: i32) -> RGBColor {
        let full = if shade > 0 { BLUE } else { VERMILION };
        if shade == 0 {
            return mixed(full, 0.0);
        }
        let t = f64::from(shade.abs() - 1) / (SIDE - 1) as f64;
        mixed(full, PALEST + (1.0 - PALEST) * t)
    }

    fn label(&self, shade: i32) -> String {
        match shade {
            0 if self.half_width == 0.0 => "0".to_owned(),
            0 => format!("0 ± {}", rounded(self.half_width, 1)),
            1.. => format!("≤ {}", number(self.levels[shade as usize - 1])),
            _ => format!("≥ {}", number(-self.levels[(-shade) as usize - 1])),
        }
    }

    fn downwards(&self) -> Vec<i32> {
        let side = SIDE as i32;
        (-side..=side).rev().collect()
    }
}

/// Shades that darken with the value: shade i for values above the end of shade i − 1, up to its own.
pub(in crate::figure) struct Sequential {
    ends: Vec<f64>,
    /// The share of the full colour in the first shade.
    palest: f64,
    full: RGBColor,
    /// What labels count in.
    unit: f64,
}

impl Sequential {
    /// Shades of shares; white is none at all.
    pub(in crate::figure) fn of_shares() -> Self {
        let ends = vec![0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0];
        Self { ends, palest: 0.0, full: VERMILION, unit: 1.0 }
    }

    /// Shades of counts on a logarithmic scale: the smallest count has one of its own, the next ends at twice as many,
    /// and so on.
    pub(in crate::figure) fn of_counts<'a>(values: impl IntoIterator<Item = &'a f64>) -> Self {
        let (least, most) = values
            .into_iter()
            .fold((f64::INFINITY, 1.0_f64), |(least, most), &value| (least.min(value), most.max(value)));
        let least = least.clamp(1.0, most);
        let doublings = (most / least).log2();
        // Whole doublings a shade.
        let factor = 2_f64.powf((doublings / MOST_COUNTS).ceil().max(1.0));
        let shades = (doublings / factor.log2()).ceil() as i32;
        let ends = (0..=shades).map(|i| least * factor.powi(i)).collect();
        Self { ends, palest: PALEST, full: GREEN, unit: MILLION }
    }
}

impl Shading for Sequential {
    fn shade(&self, value: f64) -> i32 {
        self.ends.iter().take(self.ends.len() - 1).filter(|&&end| value > end).count() as i32
    }

    fn colour(&self, shade: i32) -> RGBColor {
        let t = f64::from(shade) / (self.ends.len() - 1).max(1) as f64;
        mixed(self.full, self.palest + (1.0 - self.palest) * t)
    }

    fn label(&self, shade: i32) -> String {
        match self.ends[shade as usize] {
            0.0 => "0".to_owned(),
            end => format!("≤ {}", number(end / self.unit)),
        }
    }

    fn downwards(&self) -> Vec<i32> {
        (0..self.ends.len() as i32).rev().collect()
    }
}

/// The numbers 1, 2, 5, 10, …, with 1 at index 0.
fn round(index: i32) -> f64 {
    [1.0, 2.0, 5.0][index.rem_euclid(3) as usize] * 10_f64.powi(index.div_euclid(3))
}

/// The colour a share `t` of the way from white.
fn mixed(full: RGBColor, t: f64) -> RGBColor {
    let mix = |part: u8| (255.0 + t * (f64::from(part) - 255.0)).round() as u8;
    RGBColor(mix(full.0), mix(full.1), mix(full.2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::WHITE;

    #[test]
    fn signed_shades_are_symmetric_about_zero_and_end_above_the_largest_value() {
        let signed = Signed::of(&[-0.3, 0.1, 3.7, 0.0], 0.01);
        for (level, expected) in signed.levels.iter().zip([0.1, 0.2, 0.5, 1.0, 2.0, 5.0]) {
            assert!((level - expected).abs() < 1e-12, "{:?}", signed.levels);
        }
        for (mean, expected) in [(0.0, 0), (0.01, 0), (0.011, 1), (0.15, 2), (1.5, 5), (3.7, 6), (90.0, 6)] {
            assert_eq!(signed.shade(mean), expected, "{mean}");
            assert_eq!(signed.shade(-mean), -expected, "{mean}");
        }
        assert_eq!([0, 6, -6].map(|shade| signed.colour(shade)), [WHITE, BLUE, VERMILION]);
        assert_eq!([0, 6, -6].map(|shade| signed.label(shade)), ["0 ± 0.01", "≤ 5", "≥ −5"]);
    }

    #[test]
    fn shares_of_zero_are_white_and_those_of_one_the_darkest() {
        let shares = Sequential::of_shares();
        assert_eq!([0.0, 0.004, 0.05, 0.051, 1.0].map(|share| shares.shade(share)), [0, 1, 2, 3, 10]);
        assert_eq!((shares.colour(0), shares.colour(10)), (WHITE, VERMILION));
        assert_eq!([0, 2, 10].map(|shade| shares.label(shade)), ["0", "≤ 0.05", "≤ 1"]);
        assert_eq!(shares.downwards().len(), 11);
    }

    #[test]
    fn counts_are_shaded_by_doublings_and_coarser_if_there_are_many() {
        let counts = Sequential::of_counts(&[131_072.0, 4e5]);
        assert_eq!(counts.ends, [131_072.0, 262_144.0, 524_288.0]);
        assert_eq!([131_072.0, 131_073.0, 262_144.0, 4e5].map(|count| counts.shade(count)), [0, 1, 1, 2]);
        assert_eq!([0, 2].map(|shade| counts.label(shade)), ["≤ 0.131", "≤ 0.524"]);
        assert!(counts.colour(0) != WHITE && counts.colour(2) == GREEN);
        assert_eq!(Sequential::of_counts(&[7.0]).ends, [7.0], "one count, one shade");
        let many = Sequential::of_counts(&[1.0, 2e12]);
        assert!(many.ends.len() <= 13 && many.ends.last().is_some_and(|&end| end >= 2e12), "{:?}", many.ends);
        assert_eq!(many.ends[1], 16.0);
    }
}
