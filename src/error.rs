//! What can go wrong in the command, and the exit code it means.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The one error type of the command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The command line asks for something that does not exist or lies outside its domain.
    #[error("{0}")]
    Usage(String),
    /// A file or folder is missing, unreadable, unwritable or malformed.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it and what would be right.
        problem: String,
    },
    /// Another process works on the run.
    #[error("{}: another process works on this run ({holder})", folder.display())]
    Busy {
        /// The run folder.
        folder: PathBuf,
        /// Which process.
        holder: String,
    },
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    #[error(transparent)]
    Sim(valleys_sim::Error),
    #[error(transparent)]
    Harness(valleys_harness::Error),
    #[error(transparent)]
    Figures(#[from] valleys_figures::Error),
    /// A check that the command was asked to make did not hold.
    #[error("{0}")]
    Failed(String),
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn file(path: impl AsRef<Path>, problem: impl ToString) -> Self {
        Self::File { path: path.as_ref().to_path_buf(), problem: problem.to_string() }
    }

    /// 2 for a wrong command line, 130 for Ctrl-C (128 + SIGINT), 1 for any other failure.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Interrupted => ExitCode::from(130),
            _ => ExitCode::FAILURE,
        }
    }
}

impl From<valleys_sim::Error> for Error {
    fn from(error: valleys_sim::Error) -> Self {
        match error {
            valleys_sim::Error::Interrupted => Self::Interrupted,
            other => Self::Sim(other),
        }
    }
}

impl From<valleys_harness::Error> for Error {
    fn from(error: valleys_harness::Error) -> Self {
        match error {
            valleys_harness::Error::Interrupted => Self::Interrupted,
            other => Self::Harness(other),
        }
    }
}
