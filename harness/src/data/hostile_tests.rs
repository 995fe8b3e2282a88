//! Files of every format, changed at random places: each is refused by its name or read as a valid set, soon.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{TestError, TestRunner};
use valleys_sim::Seed;

use super::mat5::tests::{deflated, file, matrix};
use super::pickle::tests::{Layout, batch};
use super::raster::tests::{JPEG, SIGNATURE, chunk, png_file};
use super::{DataKind, IMAGE, ImageSet, open};

/// What happens to a file.
#[derive(Debug, Clone)]
enum Change {
    Set(Place, u8),
    Flip(Place, u32),
    /// So many bytes vanish.
    Cut(Place, usize),
    Insert(Place, Vec<u8>),
    /// So many bytes come twice.
    Repeat(Place, usize),
    /// The rest vanishes.
    End(Place),
}

/// Where it happens: formats keep what matters near their beginning and their end.
#[derive(Debug, Clone)]
enum Place {
    FromBegin(usize),
    FromEnd(usize),
    Anywhere(Index),
}

impl Place {
    fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            1 => Just(Self::FromBegin(0)),
            2 => (0_usize..300).prop_map(Self::FromBegin),
            1 => (0_usize..100).prop_map(Self::FromEnd),
            1 => any::<Index>().prop_map(Self::Anywhere),
        ]
    }

    /// An index of a slice of that length, which is not empty.
    fn of(&self, length: usize) -> usize {
        match self {
            Self::FromBegin(at) => at % length,
            Self::FromEnd(at) => length - 1 - at % length,
            Self::Anywhere(at) => at.index(length),
        }
    }
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        let byte = || prop_oneof![any::<u8>(), prop::sample::select(vec![0, 1, 0x7f, 0x80, 0xfe, 0xff])];
        prop_oneof![
            3 => (Place::any(), byte()).prop_map(|(at, byte)| Self::Set(at, byte)),
            2 => (Place::any(), 0_u32..8).prop_map(|(at, bit)| Self::Flip(at, bit)),
            1 => (Place::any(), 1_usize..40).prop_map(|(at, count)| Self::Cut(at, count)),
            1 => (Place::any(), prop::collection::vec(byte(), 1..40)).prop_map(|(at, bytes)| Self::Insert(at, bytes)),
            1 => (Place::any(), 1_usize..4000).prop_map(|(at, count)| Self::Repeat(at, count)),
            1 => Place::any().prop_map(Self::End),
        ]
    }

    fn make(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        if length == 0 {
            return;
        }
        match self {
            Self::Set(at, byte) => bytes[at.of(length)] = *byte,
            Self::Flip(at, bit) => bytes[at.of(length)] ^= 1 << bit,
            Self::Cut(at, count) => drop(bytes.drain(at.of(length)..(at.of(length) + count).min(length))),
            Self::Insert(at, new) => drop(bytes.splice(at.of(length)..at.of(length), new.iter().copied())),
            Self::Repeat(at, count) => {
                let from = at.of(length);
                let again = bytes[from..(from + count).min(length)].to_vec();
                drop(bytes.splice(from..from, again));
            }
            Self::End(at) => bytes.truncate(at.of(length)),
        }
    }
}

/// A folder with a data set of which one file is hostile.
struct Victim {
    kind: DataKind,
    folder: tempfile::TempDir,
    file: &'static str,
    /// What an error has to name.
    named: &'static str,
}

impl Victim {
    /// A data set of these files; the first becomes the hostile one.
    fn new(kind: DataKind, files: &[(&'static str, Vec<u8>)]) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
            fs::write(path, bytes).expect("file");
        }
        let victim = Self { kind, folder, file: files[0].0, named: files[0].0 };
        open(victim.folder.path(), Some(kind), Seed(0)).expect("a valid set before it is changed");
        victim
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(self.file)
    }

    /// Opens the set with these bytes in the file: a valid set, or an error of one line that names the file.
    fn takes(&self, bytes: &[u8]) -> Result<bool, TestCaseError> {
        fs::write(self.path(), bytes).expect("file");
        let began = Instant::now();
        let opened = open(self.folder.path(), Some(self.kind), Seed(0));
        // Milliseconds, in fact; on a busy machine more.
        prop_assert!(began.elapsed() < Duration::from_secs(20), "it took {:?}", began.elapsed());
        match opened {
            Ok(opened) => {
                for set in [opened.dataset.train(), opened.dataset.test()] {
                    let valid = ImageSet::new(set.pixels.to_vec(), set.labels.clone(), set.classes.clone());
                    prop_assert_eq!(valid.expect("a valid set").len(), set.len());
                }
                Ok(true)
            }
            Err(error) => {
                let said = error.to_string();
                prop_assert!(said.contains(self.named) && !said.contains(char::is_control), "{:?}", said);
                prop_assert!(said.len() < 600, "{}", said);
                Ok(false)
            }
        }
    }

    /// Changes what `valid` holds at random, 256 times, and lets `finish` make a file of it; some changes must be refused.
    fn suffers(&self, valid: &[u8], finish: impl Fn(&[u8]) -> Vec<u8>) {
        let refused = std::cell::Cell::new(0);
        let mut runner =
            TestRunner::new(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() });
        let outcome = runner.run(&prop::collection::vec(Change::any(), 1..5), |changes| {
            let mut bytes = valid.to_vec();
            changes.iter().for_each(|change| change.make(&mut bytes));
            refused.set(refused.get() + u32::from(!self.takes(&finish(&bytes))?));
            Ok(())
        });
        match outcome {
            Ok(()) => assert!(refused.get() > 0, "{}: nothing was refused", self.file),
            Err(TestError::Fail(reason, changes)) => panic!("{}: {reason}: {changes:?}", self.file),
            Err(TestError::Abort(reason)) => panic!("{reason}"),
        }
    }
}

fn pixels(images: usize) -> Vec<u8> {
    (0..images * IMAGE).map(|i| (i / IMAGE * 3 + i % IMAGE) as u8).collect()
}

const TEN: [&str; 6] = ["data_batch_3", "data_batch_1", "data_batch_2", "data_batch_4", "data_batch_5", "test_batch"];
const TEN_BINARY: [&str; 6] = [
    "data_batch_3.bin",
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];

#[test]
fn binary_cifar() {
    let records =
        |labels: &[&[u8]]| labels.iter().flat_map(|labels| [*labels, &pixels(1)].concat()).collect::<Vec<u8>>();
    let valid = records(&[&[3], &[9]]);
    Victim::new(DataKind::Cifar10, &TEN_BINARY.map(|name| (name, valid.clone()))).suffers(&valid, <[u8]>::to_vec);
    let valid = records(&[&[19, 99], &[0, 7]]);
    Victim::new(DataKind::Cifar100, &["train.bin", "test.bin"].map(|name| (name, valid.clone())))
        .suffers(&valid, <[u8]>::to_vec);
}

#[test]
fn pickled_cifar() {
    let valid = batch("labels", &[3, 9], &pixels(2), Layout::Rows);
    Victim::new(DataKind::Cifar10, &TEN.map(|name| (name, valid.clone()))).suffers(&valid, <[u8]>::to_vec);
    let valid = batch("fine_labels", &[99, 7], &pixels(2), Layout::Columns);
    Victim::new(DataKind::Cifar100, &["train", "test"].map(|name| (name, valid.clone())))
        .suffers(&valid, <[u8]>::to_vec);
}

#[test]
fn matlab_svhn() {
    let (x, y) = (matrix("X", &[32, 32, 3, 2], &pixels(2)), matrix("y", &[2, 1], &[10, 1]));
    let plain = file(&[x.clone(), y.clone()]);
    let victim = Victim::new(DataKind::Svhn, &["train_32x32.mat", "test_32x32.mat"].map(|name| (name, plain.clone())));
    victim.suffers(&plain, <[u8]>::to_vec);
    victim.suffers(&file(&[deflated(&x), deflated(&y)]), <[u8]>::to_vec);
    // Changed before compression, past zlib's own checks.
    victim.suffers(&x, |x| file(&[deflated(x), deflated(&y)]));
    victim.suffers(&y, |y| file(&[deflated(&x), deflated(y)]));
}

#[test]
fn binary_stl10() {
    let (images, labels) = (vec![7; 2 * 3 * 96 * 96], vec![1, 10]);
    let names = [("train_X.bin", &images), ("train_y.bin", &labels), ("test_X.bin", &images), ("test_y.bin", &labels)];
    let mut files = names.map(|(name, bytes)| (name, bytes.clone()));
    Victim::new(DataKind::Stl10, &files).suffers(&images, <[u8]>::to_vec);
    // With fewer labels, the images are said to be too many.
    files.swap(0, 1);
    Victim { named: "train_", ..Victim::new(DataKind::Stl10, &files) }.suffers(&labels, <[u8]>::to_vec);
}

/// Two classes of one picture each, for training and for testing; the first is the hostile one.
fn pictures(first: &'static str, bytes: &[u8]) -> Victim {
    let names = [first, "train/b/1.png", "test/a/1.png", "test/b/1.png"];
    Victim::new(DataKind::Folder, &names.map(|name| (name, bytes.to_vec())))
}

#[test]
fn png_pictures() {
    let noise: Vec<u8> = pixels(1).iter().map(|byte| byte.wrapping_mul(*byte)).collect();
    let whole = png_file(32, 32, png::ColorType::Rgb, &noise);
    let victim = pictures("train/a/1.png", &whole);
    victim.suffers(&whole, <[u8]>::to_vec);
    // Changed inside a chunk, past the checksum.
    let header = [32_u32.to_be_bytes(), 32_u32.to_be_bytes()].concat();
    let header = [header.as_slice(), &[8, 2, 0, 0, 0]].concat();
    let data = whole.windows(4).position(|name| name == b"IDAT").expect("pixels") + 4;
    let data = &whole[data..whole.len() - 16];
    let rebuilt = |header: &[u8], data: &[u8]| {
        [SIGNATURE, &chunk(b"IHDR", header), &chunk(b"IDAT", data), &chunk(b"IEND", &[])].concat()
    };
    assert!(rebuilt(&header, data) == whole);
    victim.suffers(&header, |header| rebuilt(header, data));
    victim.suffers(data, |data| rebuilt(&header, data));
}

#[test]
fn jpeg_pictures() {
    pictures("train/a/1.jpg", JPEG).suffers(JPEG, <[u8]>::to_vec);
}
