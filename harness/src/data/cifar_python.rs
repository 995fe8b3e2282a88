//! CIFAR-10 and CIFAR-100 in their official Python versions, the files torchvision keeps.
//!
//! Every file is a pickled dictionary with a byte array `data`, one row of [`IMAGE`] bytes an image, and a list of
//! labels, `labels` or `fine_labels` (the data set's page). [`pickle`] reads no more than that and runs nothing.

use std::path::Path;

use super::cursor::Malformed;
use super::kind::{CIFAR10_CLASSES, CIFAR100_CLASSES, owned};
use super::official::read_file;
use super::pickle::{self, Array, Value};
use super::{IMAGE, ImageSet};
use crate::Result;

const TRAIN_10: [&str; 5] = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"];
/// Bytes of a file beside its pixels, for each image: its name, its labels, and what surrounds them.
const OVERHEAD: usize = 1_000;

/// Reads CIFAR-10's five training files and its test file, each of at most 10,000 images.
pub(super) fn cifar10(folder: &Path) -> Result<(ImageSet, ImageSet)> {
    let read = |files: &[&str]| set(folder, files, 10_000, "labels", &CIFAR10_CLASSES);
    Ok((read(&TRAIN_10)?, read(&["test_batch"])?))
}

/// Reads CIFAR-100's training file of at most 50,000 images and its test file of at most 10,000.
pub(super) fn cifar100(folder: &Path) -> Result<(ImageSet, ImageSet)> {
    let read = |file, most| set(folder, &[file], most, "fine_labels", &CIFAR100_CLASSES);
    Ok((read("train", 50_000)?, read("test", 10_000)?))
}

fn set(folder: &Path, files: &[&str], most: usize, key: &str, classes: &[&str]) -> Result<ImageSet> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for file in files {
        let path = folder.join(file);
        let bytes = read_file(&path, (most * (IMAGE + OVERHEAD)) as u64)?;
        images(&bytes, most, key, classes.len(), &mut pixels, &mut labels).map_err(Malformed::in_file(&path))?;
    }
    ImageSet::new(pixels, labels, owned(classes))
}

/// Appends a file's images and labels.
fn images(
    bytes: &[u8],
    most: usize,
    key: &str,
    classes: usize,
    pixels: &mut Vec<u8>,
    labels: &mut Vec<u16>,
) -> std::result::Result<(), Malformed> {
    let wanted = || format!("a dictionary with an array `data` of 1 to {most} rows of {IMAGE} and a list `{key}`");
    let root = pickle::read(bytes)?;
    let (Some(Value::Array(Array { shape, fortran, bytes })), Some(Value::List(named))) =
        (root.get("data"), root.get(key))
    else {
        return Err(Malformed::new("holds something else", wanted()));
    };
    let &[rows, IMAGE] = shape.as_slice() else {
        return Err(Malformed::new(format!("`data` has the shape {shape:?}"), wanted()));
    };
    if rows == 0 || rows > most || named.len() != rows {
        return Err(Malformed::new(format!("{rows} images and {} labels", named.len()), wanted()));
    }
    for (number, label) in named.iter().enumerate() {
        let known = match label {
            Value::Int(label) => u16::try_from(*label).ok().filter(|&label| usize::from(label) < classes),
            _ => None,
        };
        labels.push(known.ok_or_else(|| {
            let seen = match label {
                Value::Int(label) => label.to_string(),
                _ => "that is no number".to_owned(),
            };
            Malformed::new(format!("image {number} has label {seen}"), format!("labels 0 to {}", classes - 1))
        })?);
    }
    if *fortran {
        pixels.extend((0..rows).flat_map(|row| bytes[row..].iter().step_by(rows)));
    } else {
        pixels.extend_from_slice(bytes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::pickle::tests::{Layout, batch};
    use super::*;

    fn pixels(count: usize) -> Vec<u8> {
        (0..count * IMAGE).map(|i| (i / IMAGE * 3 + i % IMAGE) as u8).collect()
    }

    #[test]
    fn pickled_files_and_binary_records_give_the_same_images() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (bytes, labels) = (pixels(4), [3_u8, 0, 9, 5]);
        let records: Vec<u8> = labels
            .iter()
            .zip(bytes.chunks_exact(IMAGE))
            .flat_map(|(&label, image)| [&[label], image].concat())
            .collect();
        for file in TRAIN_10.iter().chain(&["test_batch"]) {
            fs::write(folder.path().join(file), batch("labels", &labels, &bytes, Layout::Rows)).expect("file");
            fs::write(folder.path().join(format!("{file}.bin")), &records).expect("file");
        }
        let read = cifar10(folder.path()).expect("readable");
        assert_eq!((read.0.len(), read.1.len()), (20, 4));
        assert_eq!(read, super::super::cifar_binary::cifar10(folder.path()).expect("readable"));
    }

    #[test]
    fn cifar100_takes_the_fine_labels_and_an_array_by_columns_is_turned() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let bytes = pixels(3);
        let columns: Vec<u8> =
            (0..IMAGE).flat_map(|column| (0..3).map(move |row| row * IMAGE + column)).map(|i| bytes[i]).collect();
        let train = batch("fine_labels", &[99, 0, 50], &columns, Layout::Columns);
        fs::write(folder.path().join("train"), train).expect("file");
        fs::write(folder.path().join("test"), batch("fine_labels", &[1, 2, 3], &bytes, Layout::Rows)).expect("file");
        let (train, test) = cifar100(folder.path()).expect("readable");
        assert_eq!((train.labels(), test.labels()), (&[99, 0, 50][..], &[1, 2, 3][..]));
        assert!((0..3).all(|i| train.image(i) == test.image(i)));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_named() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let bytes = pixels(2);
        let message = |contents: Vec<u8>| {
            fs::write(folder.path().join("train"), contents).expect("file");
            cifar100(folder.path()).expect_err("invalid").to_string()
        };
        let said = message(batch("fine_labels", &[0, 100], &bytes, Layout::Rows));
        assert!(said.contains("train: image 1 has label 100; allowed: labels 0 to 99"), "{said}");
        assert!(message(batch("fine_labels", &[0], &bytes, Layout::Rows)).contains("2 images and 1 labels"));
        assert!(message(batch("labels", &[0, 1], &bytes, Layout::Rows)).contains("`fine_labels`"));
        assert!(message(batch("fine_labels", &[], &[], Layout::Rows)).contains("0 images"));
        assert!(message(Vec::new()).contains("ends at byte 0"));
    }
}
