//! The whole story: run it, draw its report anew.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Output;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Embedded images and ResNet-8: two minutes on two cores.
    Quick,
    /// Real images (--data), ResNet-20, and every experiment of `valleys landscape`: some hours on two cores; stop and go on
    /// at any time.
    Small,
    /// The paper's networks: says how to plan, train and collect them (`valleys suite`).
    Paper,
}

#[derive(Debug, Args)]
pub(crate) struct Reproduce {
    /// How much to run.
    #[arg(long, value_enum, default_value = "quick")]
    pub(crate) profile: Profile,
    /// Images for --profile small: the name of a fetched set, such as cifar10; a folder; or NAME=DIR.
    #[arg(long, value_name = "DATA")]
    pub(crate) data: Option<PathBuf>,
    /// The root seed of every random stream.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The run folder.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
}
