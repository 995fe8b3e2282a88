//! From a folder to a data set, whichever form lies there.

use std::path::{Path, PathBuf};

use valleys_sim::Seed;

use super::official::{FORMS, Form, folder_of};
use super::{DataKind, Dataset, folder};
use crate::{Error, Result};

/// A data set as it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// Which it is.
    pub kind: DataKind,
    /// The form of its files, such as `CIFAR-10, binary version`.
    pub form: String,
    /// The folder that holds the files.
    pub folder: PathBuf,
    /// The images.
    pub dataset: Dataset,
    /// What a reader should know, such as that images are missing.
    pub notes: Vec<String>,
}

/// Reads the data set at `path`: one of the official forms in that folder or in its subfolder of the official name (or
/// the folder of that file), or else a folder of class folders. `kind` says which to look for; without it, exactly one
/// must be there. `seed` splits a folder without `train` and `test`.
///
/// A subset of an official set, whole images at the beginning or end of its files missing, is read and noted.
///
/// # Errors
/// [`Error::File`] if none or several are there, or a file is malformed, naming what; [`Error::Domain`] for
/// [`DataKind::Synthetic`], which lies in no folder.
pub fn open(path: &Path, kind: Option<DataKind>, seed: Seed) -> Result<Opened> {
    if kind == Some(DataKind::Synthetic) {
        return Err(Error::domain("data set of a folder", DataKind::Synthetic, "one that is stored in files"));
    }
    let place = folder_of(path);
    if !place.is_dir() {
        return Err(Error::file(path, "no such folder", "a folder with a data set"));
    }
    let wanted = |form: &&Form| kind.is_none_or(|kind| kind == form.kind);
    let found: Vec<(&Form, PathBuf)> =
        FORMS.iter().filter(wanted).filter_map(|form| Some((form, form.find(place)?))).collect();
    if let Some(&(form, _)) = found.iter().find(|(form, _)| form.kind != found[0].0.kind) {
        let seen = format!("holds {} and {}", found[0].0.title, form.title);
        return Err(Error::file(path, seen, "one data set, or a name with the folder, such as cifar10=DIR"));
    }
    // Two forms of one set hold the same images; the table's first is the quicker to read.
    if let Some((form, folder)) = found.into_iter().next() {
        return official(form, folder);
    }
    match kind {
        None | Some(DataKind::Folder) => images(place, seed),
        Some(kind) => {
            let forms = FORMS.iter().filter(wanted).map(|form| format!("{}/{}", form.folder, form.files[0].0));
            let names: Vec<String> = forms.collect();
            Err(Error::file(path, format!("no files of {}", kind.title()), names.join(" or ")))
        }
    }
}

fn official(form: &Form, folder: PathBuf) -> Result<Opened> {
    let kind = form.kind;
    let (train, test) = (form.read)(&folder)?;
    let mut notes = Vec::new();
    if let Some((whole_train, whole_test)) = kind.official_counts() {
        for (split, seen, whole) in [("training", train.len(), whole_train), ("test", test.len(), whole_test)] {
            if seen != whole {
                notes.push(format!("a subset: {seen} of the official {whole} {split} images"));
            }
        }
    }
    let dataset = Dataset::new(kind.name(), kind.title(), train, test, kind.normalisation(), kind.augmentation())?;
    Ok(Opened { kind, form: form.title.to_owned(), folder, dataset, notes })
}

fn images(place: &Path, seed: Seed) -> Result<Opened> {
    let kind = DataKind::Folder;
    let read = folder::read(place, seed)?;
    let title = place.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let title = title.unwrap_or_else(|| kind.title().to_owned());
    let (normalisation, augmentation) = (kind.normalisation(), kind.augmentation());
    let dataset = Dataset::new(kind.name(), &title, read.train, read.test, normalisation, augmentation)?;
    let form = "class folders of PNG or JPEG images".to_owned();
    Ok(Opened { kind, form, folder: place.to_owned(), dataset, notes: read.notes })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::data::IMAGE;

    fn cifar100(folder: &Path) {
        fs::create_dir_all(folder).expect("folder");
        for file in ["train.bin", "test.bin"] {
            fs::write(folder.join(file), [&[0, 5][..], &[9; IMAGE]].concat()).expect("file");
        }
    }

    #[test]
    fn the_folder_the_one_around_it_and_a_file_in_it_all_lead_there() {
        let root = tempfile::tempdir().expect("temporary folder");
        let folder = root.path().join("cifar-100-binary");
        cifar100(&folder);
        let opened = open(root.path(), None, Seed(0)).expect("readable");
        assert_eq!((opened.kind, opened.form.as_str()), (DataKind::Cifar100, "CIFAR-100, binary version"));
        assert_eq!((opened.dataset.name(), opened.dataset.classes()), ("cifar100", 100));
        assert_eq!(opened.notes[0], "a subset: 1 of the official 50000 training images");
        assert_eq!(opened.notes.len(), 2);
        assert_eq!(opened, open(&folder, None, Seed(0)).expect("readable"));
        assert_eq!(opened, open(&folder.join("test.bin"), Some(DataKind::Cifar100), Seed(0)).expect("readable"));
    }

    #[test]
    fn several_sets_none_or_the_wrong_one_are_named() {
        let root = tempfile::tempdir().expect("temporary folder");
        cifar100(&root.path().join("cifar-100-binary"));
        let message = |kind| open(root.path(), kind, Seed(0)).expect_err("refused").to_string();
        let said = message(Some(DataKind::Cifar10));
        assert!(said.contains("no files of CIFAR-10") && said.contains("cifar-10-batches-py/data_batch_1"), "{said}");
        assert!(message(Some(DataKind::Synthetic)).contains("synthetic"));
        fs::create_dir(root.path().join("svhn")).expect("folder");
        fs::write(root.path().join("svhn/train_32x32.mat"), "").expect("file");
        let said = message(None);
        assert!(said.contains("holds CIFAR-100, binary version and SVHN, cropped digits"), "{said}");
        assert!(open(root.path(), Some(DataKind::Cifar100), Seed(0)).is_ok());
        let said = open(&root.path().join("absent"), None, Seed(0)).expect_err("refused").to_string();
        assert!(said.contains("absent: no such folder"), "{said}");
    }
}
