//! STL-10's labelled part in the official binary version, reduced to 32×32.
//!
//! `train_X.bin` and `test_X.bin` hold 96×96 images of three planes, each by columns; `train_y.bin` and `test_y.bin` hold one
//! label byte an image, from 1 to 10 (Coates, Lee and Ng, *An Analysis of Single Layer Networks in Unsupervised Feature
//! Learning*, AISTATS 2011, and the data set's page).
//!
//! Every pixel of the reduced image is the mean of 3×3, rounded to the nearest byte; a mean of nine is never halfway.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rayon::prelude::*;

use super::kind::{STL10_CLASSES, owned};
use super::official::{read_file, whole};
use super::raster::reduce_plane;
use super::{CHANNELS, IMAGE, ImageSet, PLANE};
use crate::{Error, Result};

const WIDE: usize = 96;
const WIDE_PLANE: usize = WIDE * WIDE;
const RECORD: usize = CHANNELS * WIDE_PLANE;
/// Images read at a time.
const BLOCK: usize = 500;

/// Reads at most 5,000 training and 8,000 test images.
pub(super) fn read(folder: &Path) -> Result<(ImageSet, ImageSet)> {
    Ok((set(folder, "train", 5_000)?, set(folder, "test", 8_000)?))
}

fn set(folder: &Path, split: &str, most: usize) -> Result<ImageSet> {
    let path = folder.join(format!("{split}_y.bin"));
    let named = read_file(&path, most as u64)?;
    let count = whole(&path, named.len(), 1, most)?;
    if let Some((number, label)) = named.iter().enumerate().find(|(_, label)| !(1..=10).contains(*label)) {
        return Err(Error::file(&path, format!("image {number} has label {label}"), "labels 1 to 10"));
    }
    let labels = named.iter().map(|&label| u16::from(label - 1)).collect();
    ImageSet::new(images(&folder.join(format!("{split}_X.bin")), count)?, labels, owned(&STL10_CLASSES))
}

/// The images of a file that must hold exactly `count`.
fn images(path: &Path, count: usize) -> Result<Vec<u8>> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let size = file.metadata().map_err(Error::io(path))?.len();
    if size != (count * RECORD) as u64 {
        let allowed = format!("{count} images of {RECORD} bytes, as many as labels");
        return Err(Error::file(path, format!("{size} bytes"), allowed));
    }
    let mut pixels = vec![0; count * IMAGE];
    let mut wide = vec![0; BLOCK.min(count) * RECORD];
    for out in pixels.chunks_mut(BLOCK * IMAGE) {
        let wide = &mut wide[..out.len() / IMAGE * RECORD];
        file.read_exact(wide).map_err(Error::io(path))?;
        let planes = out.par_chunks_exact_mut(PLANE).zip(wide.par_chunks_exact(WIDE_PLANE));
        // By columns, the pixel of row y and column x lies at x·96 + y.
        planes.for_each(|(out, wide)| reduce_plane(out, 3, |y, x| wide[x * WIDE + y]));
    }
    Ok(pixels)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;
    use crate::data::SIDE;

    fn wide(n: usize, k: usize, r: usize, c: usize) -> u8 {
        (n * 31 + k * 77 + r * r * 5 + c * 13) as u8
    }

    fn write(folder: &Path, labels: &[u8], bytes: usize) {
        let mut x = Vec::new();
        for n in 0..labels.len() {
            for k in 0..3 {
                for c in 0..WIDE {
                    x.extend((0..WIDE).map(|r| wide(n, k, r, c)));
                }
            }
        }
        x.resize(bytes, 0);
        for split in ["train", "test"] {
            fs::write(folder.join(format!("{split}_X.bin")), &x).expect("file");
            fs::write(folder.join(format!("{split}_y.bin")), labels).expect("file");
        }
    }

    #[test]
    fn every_pixel_is_the_nearest_byte_to_the_mean_of_its_nine() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let labels: Vec<u8> = (0..505).map(|n| (n % 10 + 1) as u8).collect();
        write(folder.path(), &labels, labels.len() * RECORD);
        let (train, test) = read(folder.path()).expect("readable");
        assert_eq!(train, test);
        assert_eq!((train.labels()[504], train.classes()[7].as_str()), (4, "monkey"));
        for n in [0, 499, 500, 504] {
            for k in 0..3 {
                for r in 0..SIDE {
                    for c in 0..SIDE {
                        let nine = (0..9).map(|i| f64::from(wide(n, k, 3 * r + i / 3, 3 * c + i % 3)));
                        let mean = nine.sum::<f64>() / 9.0;
                        let seen = f64::from(train.image(n)[k * PLANE + r * SIDE + c]);
                        assert!((seen - mean).abs() < 0.5, "{n} {k} {r} {c}: {seen} for {mean}");
                    }
                }
            }
        }
    }

    #[test]
    fn labels_are_one_to_ten_and_as_many_as_images() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let message = |labels: &[u8], bytes: usize| {
            write(folder.path(), labels, bytes);
            read(folder.path()).expect_err("invalid").to_string()
        };
        assert!(message(&[1, 0], 2 * RECORD).contains("train_y.bin: image 1 has label 0; allowed: labels 1 to 10"));
        assert!(message(&[11], RECORD).contains("image 0 has label 11"));
        assert!(message(&[], 0).contains("train_y.bin: 0 bytes"));
        assert!(message(&[1; 5_001], 0).contains("train_y.bin: 5001 bytes"));
        let said = message(&[1, 2], RECORD);
        assert!(said.contains("train_X.bin: 27648 bytes") && said.contains("2 images"), "{said}");
        fs::remove_file(folder.path().join("train_X.bin")).expect("file");
        assert!(read(folder.path()).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_other_length_is_refused(bytes in 0_usize..3 * RECORD) {
            let folder = tempfile::tempdir().expect("temporary folder");
            write(folder.path(), &[1, 2], bytes);
            prop_assert_eq!(read(folder.path()).is_ok(), bytes == 2 * RECORD);
        }
    }
}
