//! The data sets by name.

use std::fmt;
use std::str::FromStr;

use super::{Augmentation, Normalisation};
use crate::{Error, Result};

pub(super) const CIFAR10_CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
pub(super) const STL10_CLASSES: [&str; 10] =
    ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"];
pub(super) const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
/// CIFAR-100's fine labels, in the order of `fine_label_names.txt`.
pub(super) const CIFAR100_CLASSES: [&str; 100] = [
    "apple",
    "aquarium_fish",
    "baby",
    "bear",
    "beaver",
    "bed",
    "bee",
    "beetle",
    "bicycle",
    "bottle",
    "bowl",
    "boy",
    "bridge",
    "bus",
    "butterfly",
    "camel",
    "can",
    "castle",
    "caterpillar",
    "cattle",
    "chair",
    "chimpanzee",
    "clock",
    "cloud",
    "cockroach",
    "couch",
    "crab",
    "crocodile",
    "cup",
    "dinosaur",
    "dolphin",
    "elephant",
    "flatfish",
    "forest",
    "fox",
    "girl",
    "hamster",
    "house",
    "kangaroo",
    "keyboard",
    "lamp",
    "lawn_mower",
    "leopard",
    "lion",
    "lizard",
    "lobster",
    "man",
    "maple_tree",
    "motorcycle",
    "mountain",
    "mouse",
    "mushroom",
    "oak_tree",
    "orange",
    "orchid",
    "otter",
    "palm_tree",
    "pear",
    "pickup_truck",
    "pine_tree",
    "plain",
    "plate",
    "poppy",
    "porcupine",
    "possum",
    "rabbit",
    "raccoon",
    "ray",
    "road",
    "rocket",
    "rose",
    "sea",
    "seal",
    "shark",
    "shrew",
    "skunk",
    "skyscraper",
    "snail",
    "snake",
    "spider",
    "squirrel",
    "streetcar",
    "sunflower",
    "sweet_pepper",
    "table",
    "tank",
    "telephone",
    "television",
    "tiger",
    "tractor",
    "train",
    "trout",
    "tulip",
    "turtle",
    "wardrobe",
    "whale",
    "willow_tree",
    "wolf",
    "woman",
    "worm",
];

/// Class names as a set keeps them.
pub(super) fn owned(classes: &[&str]) -> Vec<String> {
    classes.iter().map(|&class| class.to_owned()).collect()
}

/// A data set this crate can read or make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataKind {
    /// CIFAR-10: 50,000 + 10,000 images of 10 classes.
    Cifar10,
    /// CIFAR-100, fine labels: 50,000 + 10,000 images of 100 classes.
    Cifar100,
    /// Street View House Numbers, cropped digits: 73,257 + 26,032 images of 10 classes.
    Svhn,
    /// STL-10, labelled part, reduced to 32×32: 5,000 + 8,000 images of 10 classes.
    Stl10,
    /// A folder with a folder of PNG or JPEG images for every class.
    Folder,
    /// The embedded images, drawn by [`synthetic`](super::synthetic).
    Synthetic,
}

impl DataKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Cifar10, Self::Cifar100, Self::Svhn, Self::Stl10, Self::Folder, Self::Synthetic];

    /// The name to [`parse`](Self::parse), such as `cifar10`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cifar10 => "cifar10",
            Self::Cifar100 => "cifar100",
            Self::Svhn => "svhn",
            Self::Stl10 => "stl10",
            Self::Folder => "folder",
            Self::Synthetic => "synthetic",
        }
    }

    /// The name for sentences, such as `CIFAR-10`.
    pub fn title(self) -> &'static str {
        match self {
            Self::Cifar10 => "CIFAR-10",
            Self::Cifar100 => "CIFAR-100",
            Self::Svhn => "SVHN",
            Self::Stl10 => "STL-10",
            Self::Folder => "a folder of images",
            Self::Synthetic => "synthetic images",
        }
    }

    /// The kind of a name such as `cifar10`.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the nearest kind and all of them, if the name is none of theirs.
    pub fn parse(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == name);
        known.ok_or_else(|| valleys_sim::Error::unknown("data set", name, &Self::ALL.map(Self::name)).into())
    }

    /// Training and test images of the official, complete set, if there is one.
    pub fn official_counts(self) -> Option<(usize, usize)> {
        match self {
            Self::Cifar10 | Self::Cifar100 => Some((50_000, 10_000)),
            Self::Svhn => Some((73_257, 26_032)),
            Self::Stl10 => Some((5_000, 8_000)),
            Self::Folder | Self::Synthetic => None,
        }
    }

    /// How bytes become floats, for networks without constants of their own ([`Normalisation::for_network`]).
    pub(super) fn normalisation(self) -> Normalisation {
        match self {
            Self::Svhn | Self::Synthetic => Normalisation::HALF,
            Self::Cifar10 | Self::Cifar100 | Self::Stl10 | Self::Folder => Normalisation::CIFAR,
        }
    }

    /// How training images are varied.
    pub(super) fn augmentation(self) -> Augmentation {
        if self == Self::Svhn { Augmentation::CROP } else { Augmentation::CROP_AND_FLIP }
    }
}

impl fmt::Display for DataKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DataKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::parse(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_a_wrong_one_suggests_the_nearest() {
        for kind in DataKind::ALL {
            assert_eq!(kind.to_string().parse::<DataKind>().expect("known"), kind);
        }
        let said = DataKind::parse("cifar-100").expect_err("unknown").to_string();
        assert!(said.contains("cifar-100") && said.contains("cifar100"), "{said}");
    }

    #[test]
    fn digits_are_not_mirrored() {
        assert!(!DataKind::Svhn.augmentation().flip && DataKind::Svhn.augmentation().padding == 4);
        assert!(DataKind::ALL.iter().filter(|kind| !kind.augmentation().flip).eq([&DataKind::Svhn]));
        assert_eq!(DataKind::Svhn.normalisation(), Normalisation::HALF);
    }

    #[test]
    fn class_names_are_sorted_as_published() {
        for classes in [&CIFAR10_CLASSES[..], &CIFAR100_CLASSES, &STL10_CLASSES, &DIGITS] {
            assert!(classes.is_sorted());
        }
    }
}
