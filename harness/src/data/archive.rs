//! Files out of a compressed archive.

use std::fs::{self, File};
use std::io::{Read, copy};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use super::official::{Form, md5_of};
use crate::{Error, Result};

/// Bytes of one file; the largest, STL-10's test images, has 221,184,000.
const FILE: u64 = 256 << 20;
/// Bytes an archive may unpack to, the files passed over included; STL-10's has 3.1 GB.
const TOTAL: u64 = 4 << 30;

/// Unpacks the files of `form` from `archive` into the folder of the form's name in `directory`.
///
/// Only those files are written, found by their exact names, so no path in an archive says where anything goes. Each
/// is checked against its sum, and all appear at once, in the end.
pub(super) fn unpack(archive: &Path, form: &Form, directory: &Path) -> Result<()> {
    let malformed = |error: std::io::Error| Error::file(archive, error, "a complete archive, tar and gzip");
    let file = File::open(archive).map_err(Error::io(archive))?;
    let mut entries = Archive::new(MultiGzDecoder::new(file).take(TOTAL));
    // In the same folder, so that the files can be renamed into place.
    let work = tempfile::Builder::new().prefix(".unpacking-").tempdir_in(directory).map_err(Error::io(directory))?;
    for entry in entries.entries().map_err(malformed)? {
        let entry = entry.map_err(malformed)?;
        let path = entry.path().map_err(malformed)?.into_owned();
        let path = path.strip_prefix(".").unwrap_or(&path);
        let Some((name, _)) = form.files.iter().find(|(name, _)| path == Path::new(form.folder).join(name)) else {
            continue;
        };
        if entry.header().entry_type() != EntryType::Regular || entry.size() > FILE {
            return Err(Error::file(
                archive,
                format!("{name} is no file of an acceptable size"),
                format!("{FILE} bytes"),
            ));
        }
        let target = work.path().join(name);
        let mut out = File::create_new(&target).map_err(Error::io(&target))?;
        copy(&mut entry.take(FILE), &mut out).map_err(malformed)?;
        out.sync_all().map_err(Error::io(&target))?;
    }
    for (name, md5) in form.files {
        let seen = match work.path().join(name) {
            path if path.exists() => md5_of(&path)?,
            _ => "missing".to_owned(),
        };
        if seen != *md5 {
            return Err(Error::file(archive, format!("{name} in it: {seen}"), format!("MD5 sum {md5}")));
        }
    }
    let folder = directory.join(form.folder);
    fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
    for (name, _) in form.files {
        fs::rename(work.path().join(name), folder.join(name)).map_err(Error::io(folder.join(name)))?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::Header;

    use super::super::{DataKind, cifar_binary};
    use super::*;

    /// A form of two small files, `one` and `two`.
    pub(in crate::data) const SMALL: Form = Form {
        kind: DataKind::Cifar10,
        title: "small",
        folder: "small-folder",
        files: &[("a", "f97c5d29941bfb1b2fdab0874906ab82"), ("b", "b8a9f715dbb64fd5c56e7783c6820a61")],
        downloads: &[],
        read: cifar_binary::cifar10,
    };

    /// An archive with these paths and contents; paths are written as they are, whatever they say.
    pub(in crate::data) fn archive(entries: &[(&str, &[u8], EntryType)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        for (path, contents, kind) in entries {
            let mut header = Header::new_gnu();
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(contents.len() as u64);
            if *kind == EntryType::Symlink {
                header.set_link_name("/etc/passwd").expect("a name");
            }
            header.set_cksum();
            builder.append(&header, *contents).expect("memory");
        }
        builder.into_inner().and_then(GzEncoder::finish).expect("memory")
    }

    pub(in crate::data) fn good() -> Vec<u8> {
        let file = EntryType::Regular;
        archive(&[("small-folder/a", b"one", file), ("./small-folder/b", b"two", file), ("small-folder/c", b"x", file)])
    }

    fn tried(bytes: &[u8]) -> (tempfile::TempDir, Result<()>) {
        let root = tempfile::tempdir().expect("temporary folder");
        let inner = root.path().join("inner");
        fs::create_dir(&inner).expect("folder");
        let path = root.path().join("archive.tar.gz");
        File::create(&path).and_then(|mut file| file.write_all(bytes)).expect("file");
        let result = unpack(&path, &SMALL, &inner);
        (root, result)
    }

    #[test]
    fn the_named_files_are_unpacked_and_nothing_else() {
        let (root, result) = tried(&good());
        result.expect("a good archive");
        let folder = root.path().join("inner/small-folder");
        assert_eq!(fs::read(folder.join("a")).expect("file"), b"one");
        assert_eq!(fs::read_dir(&folder).expect("folder").count(), 2);
        assert_eq!(fs::read_dir(root.path().join("inner")).expect("folder").count(), 1);
    }

    #[test]
    fn no_archive_writes_outside_its_folder() {
        let (file, link) = (EntryType::Regular, EntryType::Symlink);
        let evil: [&[(&str, &[u8], EntryType)]; 5] = [
            &[("../a", b"one", file), ("small-folder/../../b", b"two", file)],
            &[("/small-folder/a", b"one", file), ("small-folder/b", b"two", file)],
            &[("small-folder/a", b"", link), ("small-folder/b", b"two", file)],
            &[("small-folder/a", b"one", file), ("small-folder/a", b"one", file), ("small-folder/b", b"two", file)],
            &[("small-folder/a", b"one", file), ("small-folder/b", b"tow", file)],
        ];
        for entries in evil {
            let (root, result) = tried(&archive(entries));
            assert!(result.is_err(), "{entries:?}");
            assert_eq!(fs::read_dir(root.path()).expect("folder").count(), 2, "{entries:?}");
            assert_eq!(fs::read_dir(root.path().join("inner")).expect("folder").count(), 0, "{entries:?}");
        }
    }

    #[test]
    fn a_cut_archive_is_refused_and_leaves_nothing() {
        let whole = good();
        for length in [0, 1, 10, 30, whole.len() / 2, whole.len() - 30] {
            let (root, result) = tried(&whole[..length]);
            assert!(result.is_err(), "{length} of {}", whole.len());
            assert_eq!(fs::read_dir(root.path().join("inner")).expect("folder").count(), 0);
        }
    }
}
