//! Images with labels: sets, data sets, and the ways they come into being.
//!
//! Every set holds 32×32 RGB images as bytes, plane by plane (all red, all green, all blue; rows from the top), the
//! layout of the CIFAR binary files and, byte for float, of the NCHW batches the networks read.

mod archive;
pub mod augment;
mod cifar_binary;
mod cifar_python;
pub(crate) mod cursor;
mod download;
mod fetch;
mod folder;
mod hold_out;
#[cfg(test)]
mod hostile_tests;
mod kind;
pub mod loader;
mod mat5;
mod normalisation;
mod official;
mod open;
mod pickle;
mod raster;
mod stl10;
pub mod summary;
mod svhn;
pub mod synthetic;
mod verify;
mod view;

use std::collections::HashSet;
use std::sync::Arc;

use rand::RngExt;
use sha2::{Digest, Sha256};
use valleys_sim::Seed;
use valleys_sim::seed::Stream;

pub use augment::Augmentation;
pub use download::Downloader;
pub use fetch::{Fetched, fetch};
pub use kind::DataKind;
pub use normalisation::Normalisation;
#[cfg(feature = "cuda")]
pub(crate) use normalisation::Tables;
pub use open::{Opened, open};
pub use verify::{Finding, Verified, verify};
pub(crate) use view::Shown;
pub use view::{View, Views};

use crate::checksum::hexadecimal;
use crate::model::Architecture;
use crate::{Error, Result};

/// Colour planes of an image: red, green, blue.
pub const CHANNELS: usize = 3;
/// Rows, and columns, of an image.
pub const SIDE: usize = 32;
/// Bytes of one colour plane.
pub const PLANE: usize = SIDE * SIDE;
/// Bytes of an image.
pub const IMAGE: usize = CHANNELS * PLANE;

/// Images with one label each; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSet {
    /// Shared, so that who holds a clone, such as a GPU's memory of the set, knows the set again by its place.
    pixels: Arc<Vec<u8>>,
    labels: Vec<u16>,
    classes: Vec<String>,
}

impl ImageSet {
    /// Checks and builds a set: at least one image, [`IMAGE`] bytes and one label below the number of classes each.
    pub fn new(pixels: Vec<u8>, labels: Vec<u16>, classes: Vec<String>) -> Result<Self> {
        if labels.is_empty() {
            return Err(Error::domain("number of images", 0, "at least 1"));
        }
        if pixels.len() != labels.len() * IMAGE {
            return Err(Error::domain(
                "number of image bytes",
                pixels.len(),
                format!("{}, for {} images of {IMAGE} bytes", labels.len() * IMAGE, labels.len()),
            ));
        }
        if let Some((i, label)) = labels.iter().enumerate().find(|&(_, &label)| usize::from(label) >= classes.len()) {
            return Err(Error::domain(
                format!("label of image {i}"),
                label,
                format!("less than the number of classes, {}", classes.len()),
            ));
        }
        Ok(Self { pixels: Arc::new(pixels), labels, classes })
    }

    /// Number of images, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// The bytes of image `i`, [`IMAGE`] of them. Panics beyond the end, as a slice does.
    pub fn image(&self, i: usize) -> &[u8] {
        &self.pixels[i * IMAGE..(i + 1) * IMAGE]
    }

    /// The bytes of all images.
    #[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "a GPU alone holds a set as a whole"))]
    pub(crate) fn pixels(&self) -> &Arc<Vec<u8>> {
        &self.pixels
    }

    /// The labels, one an image.
    pub fn labels(&self) -> &[u16] {
        &self.labels
    }

    /// The names of the classes; a label is an index into them.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The first `count` images of a seeded permutation, in the set's own order; 1 ≤ `count` ≤ [`len`](Self::len).
    ///
    /// A larger subset of the same seed and purpose holds every smaller one.
    pub fn subset(&self, count: usize, seed: Seed, purpose: &str) -> Result<Self> {
        if count == 0 || count > self.len() {
            return Err(Error::domain("number of images", count, format!("1 to {}", self.len())));
        }
        let mut chosen = permutation(self.len(), &mut seed.stream(purpose, 0));
        chosen.truncate(count);
        chosen.sort_unstable();
        Ok(Self {
            pixels: Arc::new(chosen.iter().flat_map(|&i| self.image(i)).copied().collect()),
            labels: chosen.iter().map(|&i| self.labels[i]).collect(),
            classes: self.classes.clone(),
        })
    }

    /// The images that none of the other sets holds, pixel by pixel; none if each is in one.
    pub fn without(&self, others: &[&Self]) -> Option<Self> {
        let taken: HashSet<&[u8]> = others.iter().flat_map(|set| (0..set.len()).map(|i| set.image(i))).collect();
        let left = || (0..self.len()).filter(|&i| !taken.contains(self.image(i)));
        let labels: Vec<u16> = left().map(|i| self.labels[i]).collect();
        let pixels = Arc::new(left().flat_map(|i| self.image(i)).copied().collect());
        (!labels.is_empty()).then(|| Self { pixels, labels, classes: self.classes.clone() })
    }
}

/// A training set and a test set over the same classes, and how a network is to read them.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    name: String,
    title: String,
    train: ImageSet,
    held_out: Option<ImageSet>,
    test: ImageSet,
    normalisation: Normalisation,
    augmentation: Augmentation,
    checksum: String,
}

impl Dataset {
    /// Checks and builds a data set; both sets must name the same classes.
    ///
    /// `name` is for file names and configurations (`cifar10`), `title` for sentences (`CIFAR-10`).
    pub fn new(
        name: &str,
        title: &str,
        train: ImageSet,
        test: ImageSet,
        normalisation: Normalisation,
        augmentation: Augmentation,
    ) -> Result<Self> {
        if train.classes != test.classes {
            return Err(Error::domain(
                "classes of the test set",
                test.classes.join(", "),
                format!("those of the training set: {}", train.classes.join(", ")),
            ));
        }
        let checksum = checksum(&train, &test);
        Ok(Self {
            name: name.to_owned(),
            title: title.to_owned(),
            train,
            held_out: None,
            test,
            normalisation,
            augmentation,
            checksum,
        })
    }

    /// The same data set with `train` and `test` images, chosen by the streams `"train subset"` and `"test subset"`.
    pub fn reduced(&self, train: usize, test: usize, seed: Seed) -> Result<Self> {
        Self::new(
            &self.name,
            &self.title,
            self.train.subset(train, seed, "train subset")?,
            self.test.subset(test, seed, "test subset")?,
            self.normalisation,
            self.augmentation,
        )
    }

    /// The same test images with other training images.
    ///
    /// # Errors
    /// [`Error::Domain`] if the training images are of other classes.
    pub fn with_train(&self, train: ImageSet) -> Result<Self> {
        Self::new(&self.name, &self.title, train, self.test.clone(), self.normalisation, self.augmentation)
    }

    /// The same images, as this network reads them: by the data set's own constants, or by the network's
    /// ([`Normalisation::for_network`]).
    pub fn for_network(self, network: Architecture) -> Self {
        Self { normalisation: self.normalisation.for_network(network), ..self }
    }

    /// Short name, such as `cifar10`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name for sentences, such as `CIFAR-10`.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The training images.
    pub fn train(&self) -> &ImageSet {
        &self.train
    }

    /// Training images kept aside to choose by, if there are any ([`hold_out`](Self::hold_out)).
    pub fn held_out(&self) -> Option<&ImageSet> {
        self.held_out.as_ref()
    }

    /// The test images.
    pub fn test(&self) -> &ImageSet {
        &self.test
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.train.classes.len()
    }

    /// How bytes become floats.
    pub fn normalisation(&self) -> Normalisation {
        self.normalisation
    }

    /// How training images are varied.
    pub fn augmentation(&self) -> Augmentation {
        self.augmentation
    }

    /// SHA-256, in hexadecimal, of the training (without those held out) then the test set, each as all pixels then all
    /// labels (little-endian).
    pub fn checksum(&self) -> &str {
        &self.checksum
    }
}

fn checksum(train: &ImageSet, test: &ImageSet) -> String {
    let mut hash = Sha256::new();
    for set in [train, test] {
        hash.update(set.pixels.as_slice());
        for label in &set.labels {
            hash.update(label.to_le_bytes());
        }
    }
    hexadecimal(&hash.finalize())
}

/// A uniformly random order of `0..len`, by Fisher–Yates.
pub(crate) fn permutation(len: usize, rng: &mut Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    for i in (1..len).rev() {
        // A u64 range, so that the draws do not depend on the platform's word size.
        order.swap(i, rng.random_range(0..=i as u64) as usize);
    }
    order
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// `len` images of two classes, of bytes that tell them apart.
    pub(crate) fn numbered(len: usize) -> ImageSet {
        let pixels = (0..len * IMAGE).map(|i| (i / IMAGE * 31 + i % IMAGE * 7 % 251) as u8).collect();
        let labels = (0..len).map(|i| (i % 2) as u16).collect();
        ImageSet::new(pixels, labels, vec!["even".into(), "odd".into()]).expect("valid")
    }

    #[test]
    fn a_set_refuses_what_does_not_fit_together() {
        let classes = || vec!["a".to_owned(), "b".to_owned()];
        let message = |bytes: usize, labels: &[u16]| {
            ImageSet::new(vec![0; bytes], labels.to_vec(), classes()).expect_err("invalid").to_string()
        };
        assert_eq!(message(0, &[]), "number of images is 0; allowed: at least 1");
        assert_eq!(message(IMAGE, &[0, 1]), "number of image bytes is 3072; allowed: 6144, for 2 images of 3072 bytes");
        assert_eq!(message(2 * IMAGE, &[0, 2]), "label of image 1 is 2; allowed: less than the number of classes, 2");
    }

    #[test]
    fn subsets_are_nested_seeded_and_keep_images_with_their_labels() {
        let set = numbered(40);
        let (small, large) =
            (set.subset(5, Seed(1), "p").expect("valid"), set.subset(20, Seed(1), "p").expect("valid"));
        let holds = |set: &ImageSet, image: &[u8]| (0..set.len()).any(|i| set.image(i) == image);
        assert!((0..5).all(|i| holds(&large, small.image(i))));
        assert_eq!(small, set.subset(5, Seed(1), "p").expect("valid"));
        assert_ne!(large, set.subset(20, Seed(2), "p").expect("valid"));
        for i in 0..large.len() {
            let origin = (0..set.len()).find(|&j| set.image(j) == large.image(i)).expect("an image of the set");
            assert_eq!(large.labels()[i], set.labels()[origin]);
        }
        assert!(set.subset(41, Seed(1), "p").is_err() && set.subset(0, Seed(1), "p").is_err());
    }

    #[test]
    fn what_is_left_holds_no_image_that_was_taken() {
        let set = numbered(40);
        let (first, second) =
            (set.subset(5, Seed(1), "p").expect("valid"), set.subset(30, Seed(2), "p").expect("valid"));
        let rest = set.without(&[&first, &second]).expect("five or more");
        let holds = |set: &ImageSet, image: &[u8]| (0..set.len()).any(|i| set.image(i) == image);
        for i in 0..set.len() {
            let (image, taken) = (set.image(i), holds(&first, set.image(i)) || holds(&second, set.image(i)));
            assert_eq!(holds(&rest, image), !taken, "image {i}");
        }
        assert_eq!(set.without(&[&set]), None);
        assert_eq!(set.without(&[]).as_ref(), Some(&set));
    }

    #[test]
    fn a_permutation_holds_every_index_once() {
        let mut order = permutation(1000, &mut Seed(3).stream("shuffle", 0));
        assert_ne!(order, (0..1000).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn the_checksum_sees_pixels_labels_and_the_split() {
        let of = |train: ImageSet, test: ImageSet| {
            Dataset::new("n", "N", train, test, Normalisation::HALF, Augmentation::NONE).expect("valid").checksum
        };
        let base = of(numbered(4), numbered(3));
        assert_eq!(base.len(), 64);
        assert_ne!(base, of(numbered(3), numbered(4)));
        let mut changed = numbered(4);
        Arc::make_mut(&mut changed.pixels)[17] ^= 1;
        assert_ne!(base, of(changed, numbered(3)));
        let mut changed = numbered(4);
        changed.labels[3] ^= 1;
        assert_ne!(base, of(changed, numbered(3)));
    }
}
