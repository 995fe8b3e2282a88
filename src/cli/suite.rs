//! The suite: every network on every data set with every seed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Preset;
use super::flight::Flight;
use super::landscape::Amount;
use super::runner::Runner;

/// The paper's networks.
pub(crate) const NETWORKS: [&str; 5] = ["resnet56", "resnet110", "resnet164", "vgg16", "densenet100"];

#[derive(Debug, Subcommand)]
pub(crate) enum Suite {
    /// Write the suite's folder, a settings file for each cell, and say what it costs on this machine.
    Plan(Plan),
    /// Train what is left, cell by cell, and look at the landscapes if asked. Several processes and machines may share
    /// the folder.
    Run(Run),
    /// Say how far every cell is, and who works on it.
    Status(Folder),
    /// Make Table 1 of what is finished, with standard deviations and paired tests, and compare the landscapes.
    Collect(Folder),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Planning again with more networks, data sets or seeds widens a suite; a cell that has begun keeps \
its settings. DIR/commands.txt has one command a cell, which can be given to any machine that sees DIR and the images."
)]
pub(crate) struct Plan {
    /// Folder of the suite.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Networks.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_values = NETWORKS)]
    pub(crate) networks: Vec<String>,
    /// Data sets: names of fetched ones, folders, or NAME=DIR.
    #[arg(long, value_name = "DATA", value_delimiter = ',', default_value = "cifar10,cifar100,svhn,stl10")]
    pub(crate) data: Vec<String>,
    /// Repetitions, with the root seeds 1 to N.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(..=10_000))]
    pub(crate) seeds: u64,
    /// How long each cell trains.
    #[arg(long, value_enum, default_value = "paper")]
    pub(crate) preset: Preset,
    /// What each cell trains: table1 (SWA, SGD after SWA, SGD), swa, sgd or large-batch.
    #[arg(long, value_name = "METHOD", default_value = "table1")]
    pub(crate) method: String,
    /// One setting for all cells, as in `valleys train`; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Images in the steps that are measured for the costs; 0 measures nothing.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(0..=4096))]
    pub(crate) measure: u16,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Folder of the suite.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Only these cells, by name [default: all].
    #[arg(value_name = "CELL")]
    pub(crate) cells: Vec<String>,
    /// Also measure everything around every cell's solutions (`valleys landscape all`), into DIR/landscape.
    #[arg(long, value_enum, value_name = "COUNTS")]
    pub(crate) landscape: Option<Amount>,
    #[command(flatten)]
    pub(crate) runner: Runner,
    #[command(flatten)]
    pub(crate) flight: Flight,
}

#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// Folder of the suite.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}
