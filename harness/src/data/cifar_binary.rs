//! CIFAR-10 and CIFAR-100 in their official binary versions.
//!
//! A record is one label byte (CIFAR-10: 0–9) or two (CIFAR-100: coarse 0–19, then fine 0–99), and [`IMAGE`] pixel
//! bytes, plane by plane (Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009, and the data set's
//! page). The fine label is used.

use std::path::Path;

use super::kind::{CIFAR10_CLASSES, CIFAR100_CLASSES, owned};
use super::official::{read_file, whole};
use super::{IMAGE, ImageSet};
use crate::{Error, Result};

const TRAIN_10: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];
const TEST_10: [&str; 1] = ["test_batch.bin"];
const TRAIN_100: [&str; 1] = ["train.bin"];
const TEST_100: [&str; 1] = ["test.bin"];

/// Reads CIFAR-10's five training files and its test file, each of at most 10,000 records.
pub(super) fn cifar10(folder: &Path) -> Result<(ImageSet, ImageSet)> {
    let layout = Layout { labels: &[10], classes: &CIFAR10_CLASSES };
    Ok((layout.read(folder, &TRAIN_10, 10_000)?, layout.read(folder, &TEST_10, 10_000)?))
}

/// Reads CIFAR-100's training file of at most 50,000 records and its test file of at most 10,000.
pub(super) fn cifar100(folder: &Path) -> Result<(ImageSet, ImageSet)> {
    let layout = Layout { labels: &[20, 100], classes: &CIFAR100_CLASSES };
    Ok((layout.read(folder, &TRAIN_100, 50_000)?, layout.read(folder, &TEST_100, 10_000)?))
}

struct Layout {
    /// For each label byte of a record, how many values it has; the last is the class.
    labels: &'static [u8],
    classes: &'static [&'static str],
}

impl Layout {
    fn read(&self, folder: &Path, files: &[&str], most: usize) -> Result<ImageSet> {
        let record = self.labels.len() + IMAGE;
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for file in files {
            let path = folder.join(file);
            let bytes = read_file(&path, (most * record) as u64)?;
            let count = whole(&path, bytes.len(), record, most)?;
            pixels.reserve_exact(count * IMAGE);
            for (number, bytes) in bytes.chunks_exact(record).enumerate() {
                let (named, image) = bytes.split_at(self.labels.len());
                if let Some((&label, &values)) = named.iter().zip(self.labels).find(|(label, values)| label >= values) {
                    let allowed = format!("labels 0 to {}", values - 1);
                    return Err(Error::file(&path, format!("record {number} has label {label}"), allowed));
                }
                labels.extend(named.last().map(|&label| u16::from(label)));
                pixels.extend_from_slice(image);
            }
        }
        ImageSet::new(pixels, labels, owned(self.classes))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn record(labels: &[u8], pixel: u8) -> Vec<u8> {
        [labels, &[pixel; IMAGE]].concat()
    }

    fn write_10(folder: &Path, records: usize) {
        for (f, file) in TRAIN_10.iter().chain(&TEST_10).enumerate() {
            let bytes: Vec<u8> =
                (0..records).flat_map(|i| record(&[((f + i) % 10) as u8], (f * 16 + i) as u8)).collect();
            fs::write(folder.join(file), bytes).expect("file");
        }
    }

    #[test]
    fn cifar10_is_five_training_files_in_order_and_a_test_file() {
        let folder = tempfile::tempdir().expect("temporary folder");
        write_10(folder.path(), 12);
        let (train, test) = cifar10(folder.path()).expect("readable");
        assert_eq!((train.len(), test.len(), train.classes().len()), (60, 12, 10));
        assert_eq!((train.labels()[2 * 12 + 9], train.image(2 * 12 + 9)[1024]), ((2 + 9) % 10, 2 * 16 + 9));
        assert_eq!((test.labels()[7], test.image(7)[0]), ((5 + 7) % 10, 5 * 16 + 7));
    }

    #[test]
    fn cifar100_takes_the_fine_label() {
        let folder = tempfile::tempdir().expect("temporary folder");
        fs::write(folder.path().join("train.bin"), [record(&[19, 99], 1), record(&[0, 7], 2)].concat()).expect("file");
        fs::write(folder.path().join("test.bin"), record(&[3, 42], 3)).expect("file");
        let (train, test) = cifar100(folder.path()).expect("readable");
        assert_eq!((train.labels(), test.labels()), (&[99, 7][..], &[42][..]));
        assert_eq!((train.image(1)[0], test.classes()[42].as_str()), (2, "leopard"));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_named() {
        let folder = tempfile::tempdir().expect("temporary folder");
        write_10(folder.path(), 3);
        let second = folder.path().join(TRAIN_10[1]);
        let message = |bytes: &[u8]| {
            fs::write(&second, bytes).expect("file");
            cifar10(folder.path()).expect_err("invalid").to_string()
        };
        let whole = [record(&[1], 0), record(&[10], 0)].concat();
        let said = message(&whole);
        assert!(said.contains("data_batch_2.bin: record 1 has label 10; allowed: labels 0 to 9"), "{said}");
        let said = message(&whole[..100]);
        assert!(said.contains("100 bytes") && said.contains("3073"), "{said}");
        assert!(message(&[]).contains("0 bytes"));
        let said = message(&vec![0; 10_001 * 3073]);
        assert!(said.contains("30733073 bytes") && said.contains("30730000"), "{said}");
        fs::remove_file(&second).expect("file");
        let said = cifar10(folder.path()).expect_err("invalid").to_string();
        assert!(said.contains("data_batch_2.bin: no such file"), "{said}");
        for labels in [[20, 0], [0, 100], [255, 255]] {
            fs::write(folder.path().join("train.bin"), record(&labels, 0)).expect("file");
            let said = cifar100(folder.path()).expect_err("invalid").to_string();
            assert!(said.contains("record 0 has label"), "{said}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn any_bytes_are_whole_records_or_refused(
            length in prop_oneof![0_usize..3 * 3074, Just(3074), Just(2 * 3074)],
            coarse in 0_u8..22,
            fine in 90_u8..105,
        ) {
            let folder = tempfile::tempdir().expect("temporary folder");
            let bytes: Vec<u8> = record(&[coarse, fine], 9).into_iter().cycle().take(length).collect();
            fs::write(folder.path().join("train.bin"), bytes).expect("file");
            fs::write(folder.path().join("test.bin"), record(&[0, 0], 0)).expect("file");
            let allowed = length > 0 && length % 3074 == 0 && coarse < 20 && fine < 100;
            prop_assert_eq!(cifar100(folder.path()).is_ok(), allowed);
        }
    }
}
