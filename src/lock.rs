//! One process at a time works on a run.
//!
//! The lock is the operating system's, on a file in the run folder: it ends with the process, however that ends, so
//! there is nothing to clean up. It holds between machines where the file system carries it, as NFS 4 does.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::error::{Error, Result};

/// The file.
pub(crate) const NAME: &str = "lock";

/// Held until it is dropped.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a run folder.
    ///
    /// # Errors
    /// [`Error::Busy`] if another process has it.
    pub(crate) fn take(root: &Path) -> Result<Self> {
        let path = root.join(NAME);
        let open = File::options().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = open.map_err(|error| Error::file(&path, error))?;
        // Whoever only looks holds the lock for a moment.
        for attempt in 0.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt < 5 => sleep(Duration::from_millis(20)),
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Busy { folder: root.to_path_buf(), holder: said(&path) });
                }
                Err(TryLockError::Error(error)) => {
                    return Err(Error::file(&path, format!("cannot be locked: {error}")));
                }
            }
        }
        let line = format!("process {} on {}", std::process::id(), host());
        file.set_len(0).and_then(|()| writeln!(file, "{line}")).map_err(|error| Error::file(&path, error))?;
        Ok(Self { _file: file })
    }

    /// Which process works on the run in a folder, if one does.
    pub(crate) fn holder(root: &Path) -> Option<String> {
        let path = root.join(NAME);
        match File::open(&path).ok()?.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(said(&path)),
            _ => None,
        }
    }
}

fn said(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() { "a process that has not said which".to_string() } else { line.to_string() }
}

fn host() -> String {
    let name =
        std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    let name = name.ok().or_else(|| std::env::var("COMPUTERNAME").ok()).unwrap_or_default();
    if name.trim().is_empty() { "this machine".to_string() } else { name.trim().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_once_and_says_by_whom() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(Lock::holder(folder.path()), None);
        let held = Lock::take(folder.path()).expect("free");
        let holder = Lock::holder(folder.path()).expect("held");
        assert!(holder.starts_with(&format!("process {} on ", std::process::id())), "{holder}");
        let message = Lock::take(folder.path()).err().expect("held").to_string();
        assert!(message.contains("another process works on this run") && message.contains(&holder), "{message}");
        drop(held);
        assert_eq!(Lock::holder(folder.path()), None);
        drop(Lock::take(folder.path()).expect("free again"));
    }
}
