//! Files that are there whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::{Error, Result};

/// How names of files begin that are not whole yet.
const UNFINISHED: &str = ".writing-";

/// Writes a file through a temporary one beside it, then moves it there: a reader finds the old file or the new one, also
/// after a loss of power if the folder was there before. Folders on the way are made.
///
/// # Errors
/// [`Error::File`] if the disk is full or the folder is not to be written to; what was there before is untouched.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let failed = |error: std::io::Error| {
        let problem = format!("cannot be written ({error}); what was there before is untouched");
        Error::file(path, problem, "room on the disk and the right to write")
    };
    fs::create_dir_all(folder).map_err(failed)?;
    let mut builder = tempfile::Builder::new();
    // Results are meant to be read: temporary files are private by default.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.prefix(UNFINISHED).tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    // The new name is durable once the folder is; only Unix can sync one.
    #[cfg(unix)]
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(())
}

/// Whether a file of this name is one that is not whole yet, or never became so.
pub fn is_unfinished(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with(UNFINISHED)
}

/// Removes what processes that were killed left unfinished in a folder. No other process may be writing there.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be read or a file not be removed.
pub fn sweep(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        if path.file_name().is_some_and(is_unfinished) {
            fs::remove_file(&path).map_err(Error::io(&path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a/b/file");
        for text in ["old", "new"] {
            write_atomically(&path, text.as_bytes()).expect("writable");
            assert_eq!(fs::read_to_string(&path).expect("a file"), text);
        }
        assert_eq!(fs::read_dir(folder.path().join("a/b")).expect("a folder").count(), 1);
        let below_a_file = write_atomically(&path.join("c"), b"").expect_err("no folder").to_string();
        assert!(below_a_file.contains("cannot be written") && below_a_file.contains("untouched"), "{below_a_file}");
    }

    #[test]
    fn only_what_is_unfinished_is_swept() {
        let folder = tempfile::tempdir().expect("temporary folder");
        for name in [".writing-x1", "kept", ".hidden"] {
            fs::write(folder.path().join(name), b"").expect("writable");
        }
        sweep(folder.path()).expect("readable");
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
        left.sort();
        assert_eq!(left, [".hidden", "kept"]);
    }
}
