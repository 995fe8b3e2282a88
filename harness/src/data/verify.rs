//! Whether files are the official ones.

use std::path::{Path, PathBuf};

use super::DataKind;
use super::official::{FORMS, Form, md5_of};
use crate::{Error, Result};

/// What was found of one official file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is the official one.
    Official,
    /// It is another one, with this MD5 sum: a subset perhaps, or damaged.
    Different(String),
    /// It is not there.
    Missing,
}

/// The files of one form of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The form, such as `CIFAR-10, binary version`.
    pub form: &'static str,
    /// The files and what they are.
    pub files: Vec<(PathBuf, Finding)>,
}

impl Verified {
    /// Whether every file is the official one.
    pub fn is_official(&self) -> bool {
        self.files.iter().all(|(_, finding)| *finding == Finding::Official)
    }
}

/// Compares the files of a data set below `directory`, in every form that is there, with the published MD5 sums.
///
/// # Errors
/// [`Error::Domain`] for a kind without official files, [`Error::File`] if none of its forms is there.
pub fn verify(kind: DataKind, directory: &Path) -> Result<Vec<Verified>> {
    let forms = forms(kind)?;
    let mut all = Vec::new();
    for form in &forms {
        if let Some(folder) = form.find(directory) {
            all.push(Verified { form: form.title, files: compare(form, &folder)? });
        }
    }
    if all.is_empty() {
        let places: Vec<String> = forms.iter().map(|form| format!("{}/{}", form.folder, form.files[0].0)).collect();
        return Err(Error::file(directory, format!("no files of {}", kind.title()), places.join(" or ")));
    }
    Ok(all)
}

/// The forms of a data set that has official ones, the one to fetch first.
pub(super) fn forms(kind: DataKind) -> Result<Vec<&'static Form>> {
    let forms: Vec<&Form> = FORMS.iter().filter(|form| form.kind == kind).collect();
    if forms.is_empty() {
        let known = DataKind::ALL.into_iter().filter(|kind| kind.official_counts().is_some());
        let names: Vec<&str> = known.map(DataKind::name).collect();
        return Err(Error::domain("data set with official files", kind, names.join(", ")));
    }
    Ok(forms)
}

/// Compares the files of one form.
pub(super) fn compare(form: &Form, folder: &Path) -> Result<Vec<(PathBuf, Finding)>> {
    let finding = |&(name, official): &(&str, &str)| {
        let path = folder.join(name);
        let finding = match () {
            () if !path.is_file() => Finding::Missing,
            () => match md5_of(&path)? {
                sum if sum == official => Finding::Official,
                sum => Finding::Different(sum),
            },
        };
        Ok((path, finding))
    };
    form.files.iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::archive::tests::SMALL;
    use super::*;

    #[test]
    fn official_different_and_missing_files_are_told_apart() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let findings = || compare(&SMALL, folder.path()).expect("readable").into_iter().map(|(_, finding)| finding);
        assert!(findings().eq([Finding::Missing, Finding::Missing]));
        fs::write(folder.path().join("a"), "one").expect("file");
        fs::write(folder.path().join("b"), "tow").expect("file");
        let seen: Vec<Finding> = findings().collect();
        assert_eq!(seen[0], Finding::Official);
        assert!(matches!(&seen[1], Finding::Different(sum) if sum.len() == 32));
    }

    #[test]
    fn what_has_no_official_files_or_is_not_there_is_named() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let message = |kind| verify(kind, folder.path()).expect_err("refused").to_string();
        assert!(message(DataKind::Synthetic).contains("cifar10, cifar100, svhn, stl10"));
        assert!(message(DataKind::Svhn).contains("no files of SVHN; allowed: svhn/train_32x32.mat"));
        fs::write(folder.path().join("train_32x32.mat"), "not this").expect("file");
        let verified = verify(DataKind::Svhn, folder.path()).expect("found");
        assert!(verified.len() == 1 && !verified[0].is_official());
    }
}
