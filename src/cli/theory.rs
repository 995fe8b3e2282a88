//! The theorems, the claims, the network of two parameters.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Step;

#[derive(Debug, Args)]
pub(crate) struct Theorem2 {
    /// Flat slope b₊ in units of a₊, in (0, 1].
    #[arg(long, value_name = "B", default_value_t = 0.5)]
    pub(crate) b_plus: f64,
    /// Chains of SGD for each point of the map.
    #[arg(long, value_name = "N")]
    pub(crate) chains: Option<u64>,
    /// Steps of each chain.
    #[arg(long, value_name = "N")]
    pub(crate) steps: Option<u64>,
    /// Cells to ηa₊ of the lattice on which the thresholds are computed, a multiple of 20; 200 takes minutes [default: 100].
    #[arg(long, value_name = "N")]
    pub(crate) cells: Option<u16>,
    #[command(flatten)]
    pub(crate) step: Step,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Several values of --b-plus, --c-prime and --slopes make one map for every choice. Means are in units \
of η·a₊, slopes and noise in units of a₊."
)]
pub(crate) struct PhaseMap {
    /// Values of c: the middles of as many equal cells of [1, 6].
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) columns: u16,
    /// Values of ν: the middles of as many equal cells of [0, 1].
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) rows: u16,
    /// Flat slopes b₊, parted by commas, each in (0, 1].
    #[arg(long, value_name = "B", value_delimiter = ',', num_args = 1.., default_value = "0.5", allow_negative_numbers = true)]
    pub(crate) b_plus: Vec<f64>,
    /// Ratios c′/c of the largest to the smallest sharp slope, parted by commas, each at least 1.
    #[arg(long, value_name = "C", value_delimiter = ',', num_args = 1.., default_value = "1", allow_negative_numbers = true)]
    pub(crate) c_prime: Vec<f64>,
    /// Slopes between those bounds, parted by commas.
    #[arg(long, value_enum, value_delimiter = ',', num_args = 1.., default_value = "smooth")]
    pub(crate) slopes: Vec<Slopes>,
    /// Law of the noise.
    #[arg(long, value_enum, default_value = "uniform")]
    pub(crate) noise: Noise,
    /// Half-width of the 95 % interval that each mean reaches.
    #[arg(long, value_name = "H", default_value_t = 0.005, allow_negative_numbers = true)]
    pub(crate) half_width: f64,
    #[command(flatten)]
    pub(crate) step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Slopes {
    /// From b₊ and −c at the kink to 1 and −c′ far from it.
    Smooth,
    /// b₊ and −c everywhere: the exact law holds for ν ≤ b₊.
    Flattest,
    /// 1 and −c everywhere.
    Steepest,
    /// The adversary behind the thresholds: lands ην above the kink where it can, and leaves with slope 1.
    Landing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Noise {
    /// Uniform on (−ν, ν).
    Uniform,
    /// −ν or ν, each half of the time.
    TwoPoint,
    /// Normal with standard deviation ν/2, cut at ±ν.
    TruncatedGaussian,
    /// Uniform, in finer steps.
    FineUniform,
    /// None at all, whatever ν.
    None,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Ids of claims, or the beginning of several, such as theorem1; each is then shown in full [default: all, in a table].
    #[arg(value_name = "CLAIM")]
    pub(crate) claims: Vec<String>,
    /// Random instances for each part of an examination [default: 256].
    #[arg(long, value_name = "N")]
    pub(crate) cases: Option<u32>,
    /// The root seed of every random stream.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Take a seed that was never tried, from the operating system, and say which.
    #[arg(long, conflicts_with = "seed")]
    pub(crate) fresh_seed: bool,
    /// List the claims without checking them.
    #[arg(long, conflicts_with_all = ["cases", "seed", "fresh_seed", "json", "out", "resume", "force"])]
    pub(crate) list: bool,
    /// Print JSON instead of words.
    #[arg(long)]
    pub(crate) json: bool,
    /// Keep the record and a report in this folder; it must not exist yet, unless --resume or --force says what to do.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Continue an interrupted run in that folder.
    #[arg(long, conflicts_with = "force", requires = "out")]
    pub(crate) resume: bool,
    /// Overwrite an earlier run in that folder.
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AppendixA {
    /// How many seeds.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) seeds: u64,
    /// Where the data come from and how they are computed with.
    #[arg(long, value_enum, default_value = "own")]
    pub(crate) protocol: Protocol,
    /// Minibatch size of SGD, 1 to 20 [default: 20, the full batch, as the paper's script].
    #[arg(long, value_name = "N")]
    pub(crate) batch_size: Option<usize>,
    /// Train to convergence, to the logistic-regression optimum where the classes overlap.
    #[arg(long, conflicts_with = "batch_size")]
    pub(crate) converge: bool,
    /// Direction family, such as uniform or gaussian.
    #[arg(long, value_name = "NAME", default_value = "uniform")]
    pub(crate) family: String,
    #[command(flatten)]
    pub(crate) step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    /// Our own random streams, in 64-bit arithmetic.
    Own,
    /// The draws of the paper's script for its 50 seeds, in its 32-bit arithmetic.
    Official,
    /// The same draws without the artefacts of 32 bits.
    OfficialDouble,
}
