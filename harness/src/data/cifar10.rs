//! CIFAR-10 in its official binary version.
//!
//! Six files of 10,000 records; a record is one label byte (0–9) and [`IMAGE`] pixel bytes, plane by plane
//! (Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009, and the data set's page).

use std::fs;
use std::path::{Path, PathBuf};

use super::{Augmentation, Dataset, IMAGE, ImageSet, Normalisation};
use crate::{Error, Result};

const CLASSES: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const TRAIN: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];
const TEST: [&str; 1] = ["test_batch.bin"];
const FOLDER: &str = "cifar-10-batches-bin";

const RECORD: usize = 1 + IMAGE;
const RECORDS: usize = 10_000;

/// Reads `data_batch_1.bin` … `data_batch_5.bin` and `test_batch.bin` from `directory`, or from its subfolder
/// `cifar-10-batches-bin`.
///
/// Fails, naming the file, on one that is missing, is not of 30,730,000 bytes, or holds a label above 9.
pub fn read(directory: &Path) -> Result<Dataset> {
    let folder = folder(directory)?;
    Dataset::new(
        "cifar10",
        "CIFAR-10",
        images(&folder, &TRAIN)?,
        images(&folder, &TEST)?,
        Normalisation::CIFAR,
        Augmentation::CROP_AND_FLIP,
    )
}

/// The folder that holds the files: `directory` itself, or its subfolder of the official name.
fn folder(directory: &Path) -> Result<PathBuf> {
    let nested = directory.join(FOLDER);
    if !directory.is_dir() {
        return Err(Error::file(directory, "no such folder", format!("a folder with {} or {FOLDER}/", TRAIN[0])));
    }
    if !directory.join(TRAIN[0]).exists() && nested.is_dir() { Ok(nested) } else { Ok(directory.to_owned()) }
}

fn images(folder: &Path, files: &[&str]) -> Result<ImageSet> {
    let mut pixels = Vec::with_capacity(files.len() * RECORDS * IMAGE);
    let mut labels = Vec::with_capacity(files.len() * RECORDS);
    for file in files {
        let path = folder.join(file);
        let bytes = sized(&path)?;
        for (record, bytes) in bytes.chunks_exact(RECORD).enumerate() {
            let label = u16::from(bytes[0]);
            if usize::from(label) >= CLASSES.len() {
                return Err(Error::file(&path, format!("record {record} has label {label}"), "labels 0 to 9"));
            }
            labels.push(label);
            pixels.extend_from_slice(&bytes[1..]);
        }
    }
    ImageSet::new(pixels, labels, CLASSES.map(str::to_owned).to_vec())
}

/// The bytes of a file of [`RECORDS`] records. The size is looked at before anything is read.
fn sized(path: &Path) -> Result<Vec<u8>> {
    let wanted = (RECORDS * RECORD) as u64;
    let allowed = || format!("{wanted} bytes, {RECORDS} records of {RECORD}");
    let seen = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::file(path, "no such file", "the six files of CIFAR-10's binary version"));
        }
        Err(error) => return Err(Error::io(path)(error)),
    };
    if seen != wanted {
        return Err(Error::file(path, format!("{seen} bytes"), allowed()));
    }
    let bytes = fs::read(path).map_err(Error::io(path))?;
    if bytes.len() as u64 != wanted {
        return Err(Error::file(path, format!("{} bytes could be read", bytes.len()), allowed()));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes six files whose record `i` of file `f` has label (f + i) mod 10 and pixels (f·16 + i + position) mod 256.
    fn write(folder: &Path) {
        fs::create_dir_all(folder).expect("folder");
        for (f, file) in TRAIN.iter().chain(&TEST).enumerate() {
            let mut bytes = Vec::with_capacity(RECORDS * RECORD);
            for i in 0..RECORDS {
                bytes.push(((f + i) % 10) as u8);
                bytes.extend((0..IMAGE).map(|position| (f * 16 + i + position) as u8));
            }
            fs::write(folder.join(file), bytes).expect("file");
        }
    }

    #[test]
    fn reads_the_official_layout_and_names_what_is_wrong_with_a_file() {
        let root = tempfile::tempdir().expect("temporary folder");
        let folder = root.path().join(FOLDER);
        write(&folder);
        let data = read(root.path()).expect("readable");
        assert_eq!((data.train().len(), data.test().len(), data.classes()), (50_000, 10_000, 10));
        assert_eq!(data.train().labels()[20_009], (2 + 9) % 10);
        assert_eq!(data.train().image(20_009)[1024], (2 * 16 + 9 + 1024) as u8);
        assert_eq!(data.test().labels()[17], (5 + 17) % 10);
        assert_eq!(data, read(&folder).expect("readable directly"));

        let message = || read(root.path()).expect_err("invalid").to_string();
        let second = folder.join(TRAIN[1]);
        let mut bytes = fs::read(&second).expect("file");
        bytes[RECORD * 12] = 10;
        fs::write(&second, &bytes).expect("file");
        assert!(
            message().contains("data_batch_2.bin") && message().contains("record 12 has label 10"),
            "{}",
            message()
        );
        fs::write(&second, &bytes[..100]).expect("file");
        assert!(message().contains("100 bytes") && message().contains("30730000"), "{}", message());
        fs::remove_file(&second).expect("file");
        assert!(message().contains("data_batch_2.bin") && message().contains("no such file"), "{}", message());
        let absent = read(&root.path().join("absent")).expect_err("invalid").to_string();
        assert!(absent.contains("no such folder"), "{absent}");
    }
}
