//! The whole story: run it, draw its report anew.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Output;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Embedded images and ResNet-8: two minutes on two cores.
    Quick,
    /// Real images (--data), ResNet-20 for eight epochs, and every experiment of `valleys landscape`: an hour or two on two
    /// cores; stop and go on at any time.
    Small,
    /// The paper's networks on the data sets of --data, trained as in the paper, with every experiment, into one suite;
    /// without --data, says how to do it in steps.
    Paper,
}

#[derive(Debug, Args)]
pub(crate) struct Reproduce {
    /// How much to run.
    #[arg(long, value_enum, default_value = "quick")]
    pub(crate) profile: Profile,
    /// Images for --profile small, or several sets for paper, parted by commas: the name of a fetched set, such as
    /// cifar10; a folder; or NAME=DIR.
    #[arg(long, value_name = "DATA", value_delimiter = ',')]
    pub(crate) data: Vec<String>,
    /// Networks for --profile paper, parted by commas [default: the paper's five].
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) networks: Vec<String>,
    /// Repetitions for --profile paper, with the root seeds 1 to N [default: 5].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) seeds: Option<u64>,
    /// One setting of training or landscape, such as phases.swa.epochs=30; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
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
