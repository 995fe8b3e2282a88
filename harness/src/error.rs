//! The one error type of this crate.

use std::fmt::Display;
use std::path::{Path, PathBuf};

/// What can go wrong with networks, data and files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A named quantity lies outside its domain.
    #[error("{name} is {value}; allowed: {allowed}")]
    Domain {
        /// The quantity.
        name: String,
        /// The value seen.
        value: String,
        /// What would have been accepted.
        allowed: String,
    },
    /// A file was read, but does not hold what it should.
    #[error("{}: {problem}; allowed: {allowed}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was seen.
        problem: String,
        /// What would have been accepted.
        allowed: String,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The mathematics refused an input.
    #[error(transparent)]
    Sim(valleys_sim::Error),
    /// candle refused a tensor or a file of tensors.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
    /// A GPU or its libraries are missing, or failed.
    #[error("{0}")]
    Device(String),
    /// The observer asked for the work to stop.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// An [`Error::Domain`].
    pub fn domain(name: impl Display, value: impl Display, allowed: impl Display) -> Self {
        Self::Domain { name: name.to_string(), value: value.to_string(), allowed: allowed.to_string() }
    }

    /// An [`Error::File`].
    pub fn file(path: impl AsRef<Path>, problem: impl Display, allowed: impl Display) -> Self {
        Self::File { path: path.as_ref().to_path_buf(), problem: problem.to_string(), allowed: allowed.to_string() }
    }

    /// An [`Error::Device`].
    pub fn device(problem: impl Display) -> Self {
        Self::Device(problem.to_string())
    }

    /// An [`Error::Io`], for use in `map_err(Error::io(path))`.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { path, source }
    }
}

/// An interruption stays an interruption, whichever crate noticed it.
impl From<valleys_sim::Error> for Error {
    fn from(error: valleys_sim::Error) -> Self {
        match error {
            valleys_sim::Error::Interrupted => Self::Interrupted,
            other => Self::Sim(other),
        }
    }
}
