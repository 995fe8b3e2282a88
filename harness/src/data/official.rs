//! The official files: names, addresses, sizes, checksums.
//!
//! MD5 sums of archives and of the files of the Python versions, of SVHN and of STL-10 are those in torchvision's
//! sources (`torchvision/datasets/{cifar,svhn,stl10}.py`); of the binary archives, those on CIFAR's page. MD5 guards against
//! damage, not against an attacker, which is why every reader takes its file for hostile.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

use super::{DataKind, ImageSet, cifar_binary, cifar_python, stl10, svhn};
use crate::checksum::hexadecimal;
use crate::{Error, Result};

/// A file of a data set: its name, and the MD5 sum of the official one.
pub(super) type Member = (&'static str, &'static str);

/// One way a data set is published.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) kind: DataKind,
    /// What it is, for sentences.
    pub(super) title: &'static str,
    /// The folder its files lie in.
    pub(super) folder: &'static str,
    /// Its files, by names that no other form has.
    pub(super) files: &'static [Member],
    /// Where it comes from.
    pub(super) downloads: &'static [Download],
    pub(super) read: fn(&Path) -> Result<(ImageSet, ImageSet)>,
}

/// A file to download: an archive of all the form's files, or one of them.
#[derive(Debug)]
pub(super) struct Download {
    pub(super) address: &'static str,
    pub(super) md5: &'static str,
    pub(super) bytes: u64,
}

impl Download {
    /// The last part of the address.
    pub(super) fn file(&self) -> &'static str {
        self.address.rsplit('/').next().unwrap_or(self.address)
    }

    pub(super) fn is_archive(&self) -> bool {
        self.address.ends_with(".tar.gz")
    }
}

/// Every form; of the forms of one data set, the one to fetch comes first.
pub(super) const FORMS: &[Form] = &[
    Form {
        kind: DataKind::Cifar10,
        title: "CIFAR-10, binary version",
        folder: "cifar-10-batches-bin",
        files: &[
            ("data_batch_1.bin", "5dd7e06a14cb22eb9f671a540d1b7c25"),
            ("data_batch_2.bin", "5ea93a67294ea407fff1d09f752e9692"),
            ("data_batch_3.bin", "942cd6a4bcdd0dd3c604fbe906cb4421"),
            ("data_batch_4.bin", "ae636b3ba5c66a11e91e8cb52e771fcb"),
            ("data_batch_5.bin", "53f37980c15c3d472c316c40844f3f0d"),
            ("test_batch.bin", "803d5f7f4d78ea53de84dbe85f74fb6d"),
        ],
        downloads: &[Download {
            address: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            md5: "c32a1d4ab5d03f1284b67883e8d87530",
            bytes: 170_052_171,
        }],
        read: cifar_binary::cifar10,
    },
    Form {
        kind: DataKind::Cifar10,
        title: "CIFAR-10, Python version",
        folder: "cifar-10-batches-py",
        files: &[
            ("data_batch_1", "c99cafc152244af753f735de768cd75f"),
            ("data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"),
            ("data_batch_3", "54ebc095f3ab1f0389bbae665268c751"),
            ("data_batch_4", "634d18415352ddfa80567beed471001a"),
            ("data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"),
            ("test_batch", "40351d587109b95175f43aff81a1287e"),
        ],
        downloads: &[Download {
            address: "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            md5: "c58f30108f718f92721af3b95e74349a",
            bytes: 170_498_071,
        }],
        read: cifar_python::cifar10,
    },
    Form {
        kind: DataKind::Cifar100,
        title: "CIFAR-100, binary version",
        folder: "cifar-100-binary",
        files: &[("train.bin", "6172c7755cfe09b2fe270c85cebc1b15"), ("test.bin", "4499cfba6c016c1be1438163640a0898")],
        downloads: &[Download {
            address: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
            md5: "03b5dce01913d631647c71ecec9e9cb8",
            bytes: 168_513_733,
        }],
        read: cifar_binary::cifar100,
    },
    Form {
        kind: DataKind::Cifar100,
        title: "CIFAR-100, Python version",
        folder: "cifar-100-python",
        files: &[("train", "16019d7e3df5f24257cddd939b257f8d"), ("test", "f0ef6b0ae62326f3e7ffdfab6717acfc")],
        downloads: &[Download {
            address: "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
            md5: "eb9058c3a382ffc7106e4002c42a8d85",
            bytes: 169_001_437,
        }],
        read: cifar_python::cifar100,
    },
    Form {
        kind: DataKind::Svhn,
        title: "SVHN, cropped digits",
        folder: "svhn",
        files: &[
            ("train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"),
            ("test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"),
        ],
        downloads: &[
            Download {
                address: "http://ufldl.stanford.edu/housenumbers/train_32x32.mat",
                md5: "e26dedcc434d2e4c54c9b2d4a06d8373",
                bytes: 182_040_794,
            },
            Download {
                address: "http://ufldl.stanford.edu/housenumbers/test_32x32.mat",
                md5: "eb5a983be6a315427106f1b164d9cef3",
                bytes: 64_275_384,
            },
        ],
        read: svhn::read,
    },
    Form {
        kind: DataKind::Stl10,
        title: "STL-10, labelled part of the binary version",
        folder: "stl10_binary",
        // The archive's unlabelled images, 2.8 GB, are not unpacked.
        files: &[
            ("train_X.bin", "918c2871b30a85fa023e0c44e0bee87f"),
            ("train_y.bin", "5a34089d4802c674881badbb80307741"),
            ("test_X.bin", "7f263ba9f9e0b06b93213547f721ac82"),
            ("test_y.bin", "36f9794fa4beb8a2c72628de14fa638e"),
        ],
        downloads: &[Download {
            address: "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
            md5: "91f7769df0f17e558f3565bffb0c7dfb",
            bytes: 2_640_397_119,
        }],
        read: stl10::read,
    },
];

impl Form {
    /// The folder that holds files of this form: `path` itself (the folder of that file), or its subfolder of the official
    /// name, whichever has more of them.
    pub(super) fn find(&self, path: &Path) -> Option<PathBuf> {
        let place = folder_of(path);
        let count = |folder: &Path| self.files.iter().filter(|(name, _)| folder.join(name).is_file()).count();
        let (around, inside) = (place.to_owned(), place.join(self.folder));
        let found = if count(&around) >= count(&inside) { around } else { inside };
        (count(&found) > 0).then_some(found)
    }

    /// Where this form lies, or is to lie if there is nothing of it at `path`.
    pub(super) fn home(&self, path: &Path) -> PathBuf {
        self.find(path).unwrap_or_else(|| path.join(self.folder))
    }
}

/// A folder, or the folder of a file.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        // The path is a mere name.
        Some(parent) if path.is_file() && parent == Path::new("") => Path::new("."),
        Some(parent) if path.is_file() => parent,
        _ => path,
    }
}

/// The MD5 sum of a file, in hexadecimal.
pub(super) fn md5_of(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let mut hash = Md5::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io(path)(error)),
        }
    }
    Ok(hexadecimal(&hash.finalize()))
}

/// The bytes of a file of at most `limit`. The size is looked at before anything is read.
pub(super) fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let allowed = || format!("at most {limit} bytes");
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::file(path, "no such file", "every file of the data set"));
        }
        Err(error) => return Err(Error::io(path)(error)),
    };
    let size = file.metadata().map_err(Error::io(path))?.len();
    if size > limit {
        return Err(Error::file(path, format!("{size} bytes"), allowed()));
    }
    let mut bytes = Vec::with_capacity(size as usize);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(Error::io(path))?;
    if bytes.len() as u64 > limit {
        return Err(Error::file(path, "it grew while it was read", allowed()));
    }
    Ok(bytes)
}

/// How many records of a size make up a file: a whole number from 1 to `most`.
pub(super) fn whole(path: &Path, bytes: usize, record: usize, most: usize) -> Result<usize> {
    let count = bytes / record;
    if !bytes.is_multiple_of(record) || count == 0 || count > most {
        let allowed = format!("1 to {most} records of {record} bytes, {} when complete", most * record);
        return Err(Error::file(path, format!("{bytes} bytes"), allowed));
    }
    Ok(count)
}

#[cfg(test)]
#[path = "official_tests.rs"]
mod tests;
