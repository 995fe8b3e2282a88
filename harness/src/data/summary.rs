//! What a set of images looks like in numbers.

use super::{CHANNELS, ImageSet, PLANE};

/// Counts and colours of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Images of every class.
    pub counts: Vec<usize>,
    /// Mean of each colour plane, of pixel values in [0, 1].
    pub mean: [f64; CHANNELS],
    /// Standard deviation of each colour plane over all its pixels, of pixel values in [0, 1].
    pub std: [f64; CHANNELS],
}

/// Counts images and measures colours; exact up to the last division and root, whatever the order.
pub fn summarise(set: &ImageSet) -> Summary {
    let mut counts = vec![0; set.classes().len()];
    for &label in set.labels() {
        counts[usize::from(label)] += 1;
    }
    let (mut sums, mut squares) = ([0_u64; CHANNELS], [0_u64; CHANNELS]);
    for i in 0..set.len() {
        for (channel, plane) in set.image(i).chunks_exact(PLANE).enumerate() {
            // 1024 squares of bytes stay below 2²⁷.
            let (sum, square) = plane.iter().map(|&byte| u32::from(byte)).fold((0, 0), |(s, q), b| (s + b, q + b * b));
            sums[channel] += u64::from(sum);
            squares[channel] += u64::from(square);
        }
    }
    let pixels = (set.len() * PLANE) as f64;
    let mean = sums.map(|sum| sum as f64 / pixels / 255.0);
    let std = std::array::from_fn(|channel| {
        // n·Σb² − (Σb)², in whole numbers: no digits cancel.
        let (n, sum, square) = ((set.len() * PLANE) as u128, u128::from(sums[channel]), u128::from(squares[channel]));
        ((n * square - sum * sum) as f64).sqrt() / pixels / 255.0
    });
    Summary { counts, mean, std }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::IMAGE;

    #[test]
    fn counts_means_and_deviations_are_those_of_the_pixels() {
        let classes = || ["a", "b", "c"].map(str::to_owned).to_vec();
        let mut pixels = vec![0; 2 * IMAGE];
        pixels[IMAGE..IMAGE + PLANE].fill(255);
        pixels[PLANE..2 * PLANE].fill(51);
        pixels[IMAGE + PLANE..IMAGE + 2 * PLANE].fill(51);
        let summary = summarise(&ImageSet::new(pixels, vec![2, 0], classes()).expect("valid"));
        assert_eq!(summary.counts, [1, 0, 1]);
        for (seen, exact) in summary.mean.iter().chain(&summary.std).zip([0.5, 0.2, 0.0, 0.5, 0.0, 0.0]) {
            assert!((seen - exact).abs() < 1e-15, "{summary:?}");
        }
    }
}
