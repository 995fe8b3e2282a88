//! A folder with a folder of pictures for every class.
//!
//! Either `train/CLASS/*` and `test/CLASS/*`, with the same classes, or `CLASS/*` alone; then one image in five of every class,
//! chosen by the stream `"folder test"`, is the test set. Classes are numbered in the order of their names, images
//! within a class taken in the order of theirs, both byte by byte. Files whose names begin with a dot are passed over.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use valleys_sim::Seed;

use super::{ImageSet, raster};
use crate::{Error, Result};

/// Of how many images one is for testing, where a folder has no `test`.
const ONE_IN: usize = 5;

/// What a folder holds.
pub(super) struct Images {
    pub(super) train: ImageSet,
    pub(super) test: ImageSet,
    pub(super) notes: Vec<String>,
}

/// Reads a folder; `seed` parts it where it has no `train` and `test`.
pub(super) fn read(folder: &Path, seed: Seed) -> Result<Images> {
    let (train, test) = (folder.join("train"), folder.join("test"));
    if train.is_dir() && test.is_dir() {
        return Ok(Images { train: set(&train)?, test: set(&test)?, notes: Vec::new() });
    }
    let whole = set(folder)?;
    let count = whole.len() / ONE_IN;
    if count == 0 {
        let problem = format!("{} images", whole.len());
        return Err(Error::file(folder, problem, format!("at least {ONE_IN}, so that some can be for testing")));
    }
    let (train, test) = whole.hold_out(count, seed, "folder test")?;
    let notes = vec![format!("no folders train and test: {count} images were chosen for testing by seed {}", seed.0)];
    Ok(Images { train, test, notes })
}

/// The class folders in a folder.
fn set(folder: &Path) -> Result<ImageSet> {
    let wanted = "folders named after classes, each with PNG or JPEG pictures";
    let mut classes = Vec::new();
    let mut pictures = Vec::new();
    for class in entries(folder)? {
        if !class.is_dir() {
            return Err(Error::file(&class, "a file among class folders", wanted));
        }
        let name = class.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(Error::file(&class, "a class name that is not plain text", wanted));
        }
        let label =
            u16::try_from(classes.len()).map_err(|_| Error::file(folder, "too many folders", "65536 classes"))?;
        classes.push(name.to_owned());
        let before = pictures.len();
        for picture in entries(&class)? {
            if !(picture.is_file() && raster::is_picture(&picture)) {
                return Err(Error::file(&picture, "no picture by its name", "files ending in .png, .jpg or .jpeg"));
            }
            pictures.push((picture, label));
        }
        if pictures.len() == before {
            return Err(Error::file(&class, "no pictures", wanted));
        }
    }
    if classes.len() < 2 {
        return Err(Error::file(folder, format!("{} class folders", classes.len()), format!("at least 2 {wanted}")));
    }
    // All are decoded before the first error is looked for, so that it is the first by name on any number of threads.
    let decoded: Vec<_> = pictures.par_iter().map(|(picture, _)| raster::read(picture)).collect();
    let mut pixels = Vec::with_capacity(pictures.len() * super::IMAGE);
    for image in decoded {
        pixels.extend_from_slice(&image?);
    }
    ImageSet::new(pixels, pictures.into_iter().map(|(_, label)| label).collect(), classes)
}

/// What lies in a folder and is not hidden, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let entry = entry.map_err(Error::io(folder))?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::super::raster::tests::png_file;
    use super::*;

    fn picture(path: &Path, grey: u8) {
        fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        fs::write(path, png_file(32, 32, png::ColorType::Grayscale, &[grey; 1024])).expect("file");
    }

    fn message(folder: &Path) -> String {
        read(folder, Seed(1)).map(|images| images.notes).expect_err("refused").to_string()
    }

    #[test]
    fn classes_and_images_come_in_the_order_of_their_names() {
        let root = tempfile::tempdir().expect("temporary folder");
        for (at, grey) in [("train/b/2", 22), ("train/b/10", 10), ("train/a/z", 1), ("test/a/x", 5), ("test/b/x", 6)] {
            picture(&root.path().join(format!("{at}.png")), grey);
        }
        fs::write(root.path().join("train/.hidden"), "").expect("file");
        let images = read(root.path(), Seed(1)).expect("readable");
        assert_eq!(images.train.classes(), ["a", "b"]);
        assert_eq!(images.train.labels(), [0, 1, 1]);
        assert_eq!([0, 1, 2].map(|i| images.train.image(i)[0]), [1, 10, 22]);
        assert_eq!((images.test.labels(), images.notes.len()), (&[0, 1][..], 0));
    }

    #[test]
    fn without_a_test_folder_one_in_five_of_each_class_is_chosen_by_seed() {
        let root = tempfile::tempdir().expect("temporary folder");
        for i in 0..20 {
            picture(&root.path().join(format!("class {}/{i:02}.png", i % 2)), i);
        }
        let images = read(root.path(), Seed(3)).expect("readable");
        assert_eq!((images.train.len(), images.test.labels()), (16, &[0, 0, 1, 1][..]));
        assert!(images.notes[0].contains("4 images") && images.notes[0].contains("seed 3"), "{}", images.notes[0]);
        assert_eq!(read(root.path(), Seed(3)).expect("readable").test, images.test);
        assert!((0..9).any(|seed| read(root.path(), Seed(seed)).expect("readable").test != images.test));
    }

    #[test]
    fn what_does_not_belong_is_named() {
        let root = tempfile::tempdir().expect("temporary folder");
        assert!(message(root.path()).contains("0 class folders"));
        for at in ["a/1", "b/1", "b/2"] {
            picture(&root.path().join(format!("{at}.png")), 0);
        }
        assert!(message(root.path()).contains("3 images; allowed: at least 5"));
        fs::write(root.path().join("b/notes.txt"), "").expect("file");
        assert!(message(root.path()).contains("notes.txt: no picture by its name"));
        fs::remove_file(root.path().join("b/notes.txt")).expect("file");
        fs::write(root.path().join("b/0.png"), "text").expect("file");
        assert!(message(root.path()).contains("0.png: neither PNG nor JPEG"));
        fs::remove_file(root.path().join("b/0.png")).expect("file");
        fs::create_dir(root.path().join("empty")).expect("folder");
        assert!(message(root.path()).contains("empty: no pictures"));
        // Before the others by name, so that it is met first.
        fs::write(root.path().join("LIST.csv"), "").expect("file");
        assert!(message(root.path()).contains("LIST.csv: a file among class folders"));
    }
}
