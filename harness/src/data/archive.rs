//! Files out of a compressed archive.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use md5::{Digest, Md5};
use tar::{Archive, EntryType};
use valleys_sim::progress::Observer;

use super::official::Form;
use crate::checksum::hexadecimal;
use crate::{Error, Result};

/// Bytes of one file; the largest, STL-10's test images, has 221,184,000.
const FILE: u64 = 256 << 20;
/// Bytes an archive may unpack to, the files passed over included; STL-10's has 3.1 GB.
const TOTAL: u64 = 4 << 30;
/// Bytes unpacked at a time.
const CHUNK: usize = 1 << 16;

/// Unpacks the files of `form` from `archive` into `folder`; progress is counted in bytes of the archive.
///
/// Only those files are written, found by their exact names, so no path in an archive says where anything goes. Each
/// is checked against its sum, and each appears whole, after all have been verified.
pub(super) fn unpack(archive: &Path, form: &Form, folder: &Path, observer: &dyn Observer) -> Result<()> {
    fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let unpacked = unpack_into(archive, form, folder, observer);
    if unpacked.is_err() {
        // Removes it only if there is nothing in it.
        drop(fs::remove_dir(folder));
    }
    unpacked
}

fn unpack_into(archive: &Path, form: &Form, folder: &Path, observer: &dyn Observer) -> Result<()> {
    let failed = |error: io::Error| match observer.interrupted() {
        true => Error::Interrupted,
        false => Error::file(archive, error, "a complete archive, tar and gzip"),
    };
    let file = File::open(archive).map_err(Error::io(archive))?;
    let size = file.metadata().map_err(Error::io(archive))?.len();
    observer.begin(&format!("unpacking {}", form.kind.title()), size);
    let mut entries = Archive::new(MultiGzDecoder::new(Watched { file, observer }).take(TOTAL));
    // In the same folder, so that the files can be renamed into place.
    let work = tempfile::Builder::new().prefix(".unpacking-").tempdir_in(folder).map_err(Error::io(folder))?;
    let mut seen = Vec::new();
    // Raw: the names of these files need no extensions, which would be taken into memory whatever their size.
    for entry in entries.entries().map_err(failed)?.raw(true) {
        let mut entry = entry.map_err(failed)?;
        let path = entry.path().map_err(failed)?.into_owned();
        let path = path.strip_prefix(".").unwrap_or(&path);
        let Some((name, md5)) = form.files.iter().find(|(name, _)| path == Path::new(form.folder).join(name)) else {
            continue;
        };
        if entry.header().entry_type() != EntryType::Regular || entry.size() > FILE || seen.contains(name) {
            let allowed = format!("one file of at most {FILE} bytes");
            return Err(Error::file(archive, format!("{name} in it is something else, or is there twice"), allowed));
        }
        seen.push(*name);
        let target = work.path().join(name);
        let mut out = File::create_new(&target).map_err(Error::io(&target))?;
        let (mut hash, mut chunk) = (Md5::new(), vec![0; CHUNK]);
        loop {
            let bytes = match entry.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => &chunk[..count],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(error)),
            };
            hash.update(bytes);
            out.write_all(bytes).map_err(Error::io(&target))?;
        }
        out.sync_all().map_err(Error::io(&target))?;
        let sum = hexadecimal(&hash.finalize());
        if sum != *md5 {
            return Err(Error::file(archive, format!("{name} in it has the MD5 sum {sum}"), md5));
        }
    }
    if let Some((name, _)) = form.files.iter().find(|(name, _)| !seen.contains(name)) {
        return Err(Error::file(archive, format!("{name} is not in it"), form.title));
    }
    for (name, _) in form.files {
        fs::rename(work.path().join(name), folder.join(name)).map_err(Error::io(folder.join(name)))?;
    }
    observer.finish();
    Ok(())
}

/// A file whose reading is watched, and fails once the observer wants it stopped.
struct Watched<'a> {
    file: File,
    observer: &'a dyn Observer,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.observer.interrupted() {
            return Err(io::Error::other("interrupted"));
        }
        let count = self.file.read(buffer)?;
        self.observer.advance(count as u64);
        Ok(count)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use rand::RngExt;
    use tar::Header;
    use valleys_sim::Seed;
    use valleys_sim::progress::Silent;

    use super::super::download::tests::Stopping;
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

    /// A small archive behind a million bytes that are passed over and cannot be compressed: it is not read at once.
    pub(in crate::data) fn large() -> Vec<u8> {
        let file = EntryType::Regular;
        let mut noise = Seed(1).stream("noise", 0);
        let other: Vec<u8> = (0..1_000_000).map(|_| noise.random()).collect();
        archive(&[("small-folder/c", &other, file), ("small-folder/a", b"one", file), ("small-folder/b", b"two", file)])
    }

    fn tried(bytes: &[u8]) -> (tempfile::TempDir, Result<()>) {
        watched(bytes, &Silent)
    }

    fn watched(bytes: &[u8], observer: &dyn Observer) -> (tempfile::TempDir, Result<()>) {
        let root = tempfile::tempdir().expect("temporary folder");
        let inner = root.path().join("inner");
        fs::create_dir(&inner).expect("folder");
        let path = root.path().join("archive.tar.gz");
        File::create(&path).and_then(|mut file| file.write_all(bytes)).expect("file");
        let result = unpack(&path, &SMALL, &inner.join(SMALL.folder), observer);
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
    fn extended_names_are_not_read() {
        let (file, name) = (EntryType::Regular, b"small-folder/a\0".as_slice());
        let [b, other] = [("small-folder/b", b"two".as_slice(), file), ("other", b"one".as_slice(), file)];
        for extension in [EntryType::GNULongName, EntryType::XHeader, EntryType::XGlobalHeader] {
            let (_root, result) = tried(&archive(&[("././@LongLink", name, extension), other, b]));
            let said = result.expect_err("refused").to_string();
            assert!(said.contains("a is not in it"), "{said}");
        }
        let long = vec![b'x'; 1_000_000];
        let whole = archive(&[("@", &long, EntryType::GNULongName), ("small-folder/a", b"one", file), b]);
        tried(&whole).1.expect("an extension passed over");
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
    #[test]
    fn unpacking_counts_the_bytes_of_the_archive_and_stops_when_asked() {
        let whole = large();
        let observer = Stopping::after(u64::MAX);
        watched(&whole, &observer).1.expect("a good archive");
        assert_eq!((observer.units(), observer.tasks()), (whole.len() as u64, 0));
        let observer = Stopping::after(1);
        let (root, result) = watched(&whole, &observer);
        assert!(matches!(result, Err(Error::Interrupted)), "{result:?}");
        assert!(observer.units() < 100_000, "{} bytes after it was asked", observer.units());
        assert_eq!(fs::read_dir(root.path().join("inner")).expect("folder").count(), 0);
    }
}
