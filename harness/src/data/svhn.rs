//! SVHN's cropped digits: a MATLAB file for each split, with images `X` (32 × 32 × 3 × N bytes, the first index, the
//! row, fastest) and labels `y` (N numbers from 1 to 10, where 10 means the digit 0).
//!
//! Netzer et al., *Reading Digits in Natural Images with Unsupervised Feature Learning*, 2011, and the data set's page.

use std::path::Path;

use super::cursor::Malformed;
use super::kind::{DIGITS, owned};
use super::mat5::{self, Array, Numbers};
use super::official::read_file;
use super::{CHANNELS, IMAGE, ImageSet, PLANE, SIDE};
use crate::Result;

/// Reads `train_32x32.mat` of at most 73,257 images and `test_32x32.mat` of at most 26,032.
pub(super) fn read(folder: &Path) -> Result<(ImageSet, ImageSet)> {
    Ok((set(&folder.join("train_32x32.mat"), 73_257)?, set(&folder.join("test_32x32.mat"), 26_032)?))
}

fn set(path: &Path, most: usize) -> Result<ImageSet> {
    // X of bytes and y of doubles.
    let limit = most * (IMAGE + 8);
    // Nothing that cannot be compressed grows by more than a thousandth.
    let bytes = read_file(path, (limit + limit / 1000 + 4096) as u64)?;
    let (pixels, labels) =
        mat5::read(&bytes, limit).and_then(|arrays| images(arrays, most)).map_err(Malformed::in_file(path))?;
    ImageSet::new(pixels, labels, owned(&DIGITS))
}

fn images(arrays: Vec<Array>, most: usize) -> std::result::Result<(Vec<u8>, Vec<u16>), Malformed> {
    let allowed = format!("X of [32, 32, 3, N] bytes and y of N labels from 1 to 10, N from 1 to {most}");
    let seen = || {
        let sides = arrays.iter().map(|array| format!("{} of {:?}", array.name, array.sides));
        Malformed::new(format!("holds {}", sides.collect::<Vec<_>>().join(", ")), allowed.clone())
    };
    let find = |name: &str| arrays.iter().position(|array| array.name == name).ok_or_else(seen);
    let (x, y) = (find("X")?, find("y")?);
    let count = match arrays[x].sides.as_slice() {
        &[SIDE, SIDE, CHANNELS, count] => count,
        // MATLAB drops a last side of 1.
        [SIDE, SIDE, CHANNELS] => 1,
        _ => return Err(seen()),
    };
    let column = matches!(arrays[y].sides.as_slice(), &[a, b] if a.min(b) == 1 && a.max(b) == count);
    if count == 0 || count > most || !column {
        return Err(seen());
    }
    let mut labels = Vec::with_capacity(count);
    for index in 0..count {
        let label = arrays[y].numbers.get(index);
        if !(1.0..=10.0).contains(&label) || label.fract() != 0.0 {
            return Err(Malformed::new(format!("image {index} has label {label}"), "whole labels 1 to 10"));
        }
        labels.push(label as u16 % 10);
    }
    let numbers = arrays.into_iter().nth(x).map(|array| array.numbers);
    let Some(Numbers::Bytes(mut pixels)) = numbers else {
        return Err(Malformed::new("X is not of bytes", allowed));
    };
    pixels.chunks_exact_mut(PLANE).for_each(transpose);
    Ok((pixels, labels))
}

/// Turns a plane from columns into rows.
fn transpose(plane: &mut [u8]) {
    for row in 0..SIDE {
        for column in 0..row {
            plane.swap(row * SIDE + column, column * SIDE + row);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::mat5::tests::{deflated, file, matrix};
    use super::*;

    /// Image n, row r, column c, channel k.
    fn pixel(n: usize, r: usize, c: usize, k: usize) -> u8 {
        (n * 101 + r * 7 + c * 3 + k * 50) as u8
    }

    fn mat(labels: &[u8], sides: &[i32]) -> Vec<u8> {
        let mut x = Vec::new();
        for n in 0..labels.len() {
            for k in 0..3 {
                for c in 0..32 {
                    x.extend((0..32).map(|r| pixel(n, r, c, k)));
                }
            }
        }
        file(&[deflated(&matrix("X", sides, &x)), deflated(&matrix("y", &[labels.len() as i32, 1], labels))])
    }

    fn write(folder: &Path, train: &[u8]) {
        fs::write(folder.join("train_32x32.mat"), train).expect("file");
        fs::write(folder.join("test_32x32.mat"), mat(&[4], &[32, 32, 3])).expect("file");
    }

    #[test]
    fn columns_become_rows_and_ten_becomes_zero() {
        let folder = tempfile::tempdir().expect("temporary folder");
        write(folder.path(), &mat(&[1, 10, 9], &[32, 32, 3, 3]));
        let (train, test) = read(folder.path()).expect("readable");
        assert_eq!((train.labels(), test.labels()), (&[1, 0, 9][..], &[4][..]));
        assert_eq!(train.classes()[0], "0");
        for (n, r, c, k) in [(0, 0, 0, 0), (2, 31, 1, 2), (1, 3, 30, 1), (2, 0, 31, 0)] {
            assert_eq!(train.image(n)[k * PLANE + r * SIDE + c], pixel(n, r, c, k));
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_named() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let message = |train: &[u8]| {
            write(folder.path(), train);
            read(folder.path()).expect_err("invalid").to_string()
        };
        for (bytes, words) in [
            (mat(&[1, 0], &[32, 32, 3, 2]), "train_32x32.mat: image 1 has label 0; allowed: whole labels 1 to 10"),
            (mat(&[11, 1], &[32, 32, 3, 2]), "image 0 has label 11"),
            (mat(&[1, 1], &[32, 3, 32, 2]), "X of [32, 3, 32, 2]"),
            (file(&[matrix("X", &[32, 32, 3, 0], &[]), matrix("y", &[0, 1], &[])]), "X of [32, 32, 3, 0]"),
            (file(&[matrix("X", &[32, 32, 3, 1], &[0; IMAGE])]), "holds X of [32, 32, 3, 1]"),
            (file(&[matrix("X", &[32, 32, 3, 1], &[0; IMAGE]), matrix("y", &[2, 1], &[1, 1])]), "y of [2, 1]"),
            (file(&[matrix("X", &[32, 32, 3, 80_000], &[0; 8])]), "at most 225631560 bytes"),
        ] {
            let said = message(&bytes);
            assert!(said.contains(words), "{said}");
        }
    }
}
