//! The command line: what can be asked, in words a newcomer understands. One file a group of commands.

mod certify;
pub(crate) mod checkpoint;
mod data;
mod device_test;
pub(crate) mod evidence;
pub(crate) mod flight;
mod golden;
pub(crate) mod landscape;
mod network;
mod reproduce;
pub(crate) mod runner;
mod speed;
mod suite;
mod theory;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use certify::Certify;
pub(crate) use data::{DATA_FOLDER, Data, Fetch, Info, Verify};
pub(crate) use device_test::DeviceTest;
pub(crate) use golden::Golden;
pub(crate) use landscape::Landscape;
pub(crate) use network::{Preset, Select, Train};
pub(crate) use reproduce::{Profile, Report, Reproduce};
pub(crate) use speed::{Account, Measure, Speed};
pub(crate) use suite::{Folder, NETWORKS, Plan, Run, Suite};
pub(crate) use theory::{AppendixA, Check, Noise, PhaseMap, Protocol, Slopes, Theorem2};

/// The laboratory for asymmetric valleys: the NeurIPS 2019 theory, checked and corrected, and the deep-net evidence
/// for it.
///
/// Start with `valleys reproduce`: in about two minutes it checks both theorems, trains a small network on images it
/// makes itself, looks at the network's loss landscape, and writes one report that tells the story with pictures.
#[derive(Debug, Parser)]
#[command(name = "valleys", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 wrong command line, 130 stopped by Ctrl-C.")]
pub(crate) struct Cli {
    /// Number of threads [default: all cores]. Results have the same bits for any number.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the whole story, from the theorems to a trained network, into one report.
    Reproduce(Reproduce),
    /// Theorem 1: the bias towards the flat side generalises better. Its bound, its faults, how tight it is.
    Theorem1(Step),
    /// Theorem 2: averaging SGD creates that bias. The map of E[w̄], the thresholds, the exact law.
    Theorem2(Theorem2),
    /// The means of SGD with given slopes over asymmetry and noise, on as fine a grid as you like.
    PhaseMap(PhaseMap),
    /// Every statement of the paper, as printed and as corrected: refuted, proved or tested, and tried again live.
    Check(Check),
    /// Appendix A: a network with two parameters, over many seeds.
    AppendixA(AppendixA),
    /// Train a network: stochastic weight averaging, SGD from the average, plain SGD, large batches.
    Train(Train),
    /// The paper's suite: plan it, run it on as many machines as you have, and collect Table 1.
    #[command(subcommand)]
    Suite(Suite),
    /// Fetch, verify or look at a data set.
    #[command(subcommand)]
    Data(Data),
    /// Look at networks in files, exchange them with PyTorch, and measure them.
    #[command(subcommand)]
    Checkpoint(checkpoint::Checkpoint),
    /// Measure the loss landscape around a trained solution.
    #[command(subcommand)]
    Landscape(Landscape),
    /// Judge a loss curve of your own: is this direction asymmetric, and what do the theorems promise?
    Certify(Certify),
    /// Draw all pictures and the report of a run folder anew, from its records alone.
    Report(Report),
    /// Try every operation and every network on a device against the plain reference: errors, bits, images a second.
    DeviceTest(DeviceTest),
    /// How fast networks run here, for programs that compare.
    #[command(subcommand)]
    Speed(Speed),
    /// Compare this build with the committed golden values, for those who change the code.
    Golden(Golden),
}

/// Where results go.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Output {
    /// Folder for the results; it must not exist yet, unless --resume or --force says what to do.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Continue an interrupted run in that folder.
    #[arg(long, conflicts_with = "force")]
    pub(crate) resume: bool,
    /// Overwrite an earlier run in that folder.
    #[arg(long)]
    pub(crate) force: bool,
}

/// A step that needs only a seed and a place for its results.
#[derive(Debug, Args)]
pub(crate) struct Step {
    /// The root seed of every random stream.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) output: Output,
}
