//! How a training image is varied before a network sees it.

use rand::RngExt;
use serde::{Deserialize, Serialize};
use valleys_sim::seed::Stream;

use super::View;

/// Random crop after padding, and random horizontal flip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Augmentation {
    /// Black pixels added on every side before a random 32×32 crop; 0 for no crop.
    pub padding: u8,
    /// Whether to mirror left to right with probability ½.
    pub flip: bool,
}

impl Augmentation {
    /// The paper's: pad 4, random crop, flip.
    pub const CROP_AND_FLIP: Self = Self { padding: 4, flip: true };
    /// Pad 4 and random crop, for digits: a mirrored digit is none.
    pub const CROP: Self = Self { padding: 4, flip: false };
    /// Images as they are.
    pub const NONE: Self = Self { padding: 0, flip: false };

    /// One variation of an image of a set.
    pub(crate) fn draw(self, image: usize, rng: &mut Stream) -> View {
        let padding = i16::from(self.padding);
        // Both numbers of the crop come before the flip, whether used or not: the stream's layout is fixed.
        let down = rng.random_range(0..=2 * i64::from(padding)) as i16 - padding;
        let right = rng.random_range(0..=2 * i64::from(padding)) as i16 - padding;
        View { image, down, right, flip: rng.random::<bool>() && self.flip }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use valleys_sim::Seed;

    use super::*;
    use crate::data::tests::numbered;
    use crate::data::{CHANNELS, IMAGE, Normalisation, PLANE, SIDE};

    fn bytes() -> [[f32; 256]; CHANNELS] {
        [std::array::from_fn(|byte| byte as f32); CHANNELS]
    }

    #[test]
    fn without_variation_the_image_is_only_normalised() {
        let set = numbered(2);
        let mut out = vec![0.0; IMAGE];
        let tables = Normalisation::CIFAR.tables();
        let view = Augmentation::NONE.draw(1, &mut Seed(0).stream("augment", 0));
        assert_eq!(view, View::whole(1));
        view.write(set.image(1), &tables, &mut out);
        for (i, (&value, &byte)) in out.iter().zip(set.image(1)).enumerate() {
            let (mean, std) = ([0.4914, 0.4822, 0.4465][i / PLANE], [0.2023, 0.1994, 0.2010][i / PLANE]);
            assert!((f64::from(value) - (f64::from(byte) / 255.0 - mean) / std).abs() < 1e-5);
        }
    }

    #[test]
    fn every_variation_is_a_shift_by_up_to_four_and_perhaps_a_mirror_image() {
        // Row and column of every pixel can be read off its byte pair: channel 0 holds the row, channel 1 the column.
        let mut image = vec![0u8; IMAGE];
        for y in 0..SIDE {
            for x in 0..SIDE {
                image[y * SIDE + x] = y as u8 + 1;
                image[PLANE + y * SIDE + x] = x as u8 + 1;
            }
        }
        let mut seen = BTreeSet::new();
        for index in 0..2000 {
            let mut out = vec![0.0; IMAGE];
            let mut rng = Seed(5).stream("augment", index);
            Augmentation::CROP_AND_FLIP.draw(0, &mut rng).write(&image, &bytes(), &mut out);
            let (row, left, right) = (out[16 * SIDE + 16], out[PLANE + 16 * SIDE + 15], out[PLANE + 16 * SIDE + 16]);
            let flip = right < left;
            let down = row as i64 - 17;
            let across = if flip { right as i64 - 16 } else { right as i64 - 17 };
            seen.insert((down, across, flip));
            for y in 0..SIDE as i64 {
                for x in 0..SIDE as i64 {
                    let (from_y, from_x) = (y + down, if flip { SIDE as i64 - 1 - x } else { x } + across);
                    let inside = (0..SIDE as i64).contains(&from_y) && (0..SIDE as i64).contains(&from_x);
                    let wanted = if inside { (from_y + 1, from_x + 1) } else { (0, 0) };
                    let at = (y * SIDE as i64 + x) as usize;
                    assert_eq!((out[at] as i64, out[PLANE + at] as i64), wanted);
                }
            }
        }
        // 162 equally likely variations; one of them is missed by all 2000 draws with probability below 162·e⁻¹² < 1e-3,
        // on this fixed seed once and for all.
        assert_eq!(seen.len(), 9 * 9 * 2);
        assert!(seen.iter().all(|&(down, across, _)| down.abs() <= 4 && across.abs() <= 4));
    }
}
