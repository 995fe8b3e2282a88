//! The command line: what can be asked, in words a newcomer understands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli_checkpoint::Checkpoint;

/// The laboratory for asymmetric valleys: the NeurIPS 2019 theory, checked and corrected, and the deep-net evidence
/// for it.
///
/// Start with `valleys reproduce`: in about three minutes it checks both theorems, trains a small network on images it
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
    /// Every statement of the paper, as printed and as corrected: refuted, proved or tested, and tried again live.
    Check(Check),
    /// Appendix A: a network with two parameters, over many seeds.
    AppendixA(AppendixA),
    /// Train a network with stochastic weight averaging, then SGD from the averaged solution.
    Train(Train),
    /// Fetch, verify or look at a data set.
    #[command(subcommand)]
    Data(Data),
    /// Look at networks in files, exchange them with PyTorch, and measure them.
    #[command(subcommand)]
    Checkpoint(Checkpoint),
    /// Measure the loss landscape around a trained solution.
    #[command(subcommand)]
    Landscape(Landscape),
    /// Judge a loss curve of your own: is this direction asymmetric, and what do the theorems promise?
    Certify(Certify),
    /// Draw all pictures and the report of a run folder anew, from its records alone.
    Report(Report),
    /// Compare this build with the committed golden values, for those who change the code.
    Golden(Golden),
}

/// Where results go.
#[derive(Debug, Clone, Args)]
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Embedded images and ResNet-8: three minutes on two cores.
    Quick,
    /// Real CIFAR-10 (--data) and ResNet-20: about half an hour on two cores.
    Small,
    /// The paper's networks: for now says what it would run and what that costs.
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

/// A step that needs only a seed and a place for its results.
#[derive(Debug, Args)]
pub(crate) struct Step {
    /// The root seed of every random stream.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) output: Output,
}

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

#[derive(Debug, Args)]
pub(crate) struct Train {
    /// Network: resnet8, resnet20, …, resnet164, also as resnet110-sigmoid, -softplus or -nobn; vgg16, vgg16-bn,
    /// densenet40, densenet100, mlp.
    #[arg(long, value_name = "NAME")]
    pub(crate) network: Option<String>,
    /// Images: the name of a fetched set, such as cifar10; a folder; or NAME=DIR [default: the embedded images].
    #[arg(long, value_name = "DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Epochs of SGD, averaging included.
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<u32>,
    /// Averaging follows each epoch from this one on, counted from 1.
    #[arg(long, value_name = "N")]
    pub(crate) swa_start: Option<u32>,
    /// Epochs of SGD from the averaged solution.
    #[arg(long, value_name = "N")]
    pub(crate) after_swa: Option<u32>,
    /// Initial learning rate.
    #[arg(long, value_name = "RATE")]
    pub(crate) learning_rate: Option<f64>,
    /// Learning rate during averaging.
    #[arg(long, value_name = "RATE")]
    pub(crate) swa_rate: Option<f64>,
    /// Images a batch.
    #[arg(long, value_name = "N")]
    pub(crate) batch_size: Option<usize>,
    #[command(flatten)]
    pub(crate) step: Step,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Data {
    /// Download the official files, unless they are there, and check them.
    Fetch(Fetch),
    /// Compare the files that are there with the published checksums.
    Verify(Verify),
    /// Count a data set's images by class, measure its colours, and draw a contact sheet.
    Info(Info),
}

/// Where data sets lie unless said otherwise.
pub(crate) const DATA_FOLDER: &str = "valleys-data";

#[derive(Debug, Args)]
#[command(
    after_help = "An interrupted download goes on where it stopped. Proxies: https_proxy and http_proxy. Without a \
network, put the archive (its address: docs/data.md) into DIR by hand and run the same command: it is checked and unpacked."
)]
pub(crate) struct Fetch {
    /// Data set: cifar10, cifar100, svhn or stl10.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Folder to put it into.
    #[arg(long, value_name = "DIR", default_value = DATA_FOLDER)]
    pub(crate) dir: PathBuf,
    /// Address of a folder with the same files, instead of the official one.
    #[arg(long, value_name = "URL")]
    pub(crate) mirror: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Data set: cifar10, cifar100, svhn or stl10.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Folder it lies in.
    #[arg(long, value_name = "DIR", default_value = DATA_FOLDER)]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Info {
    /// A data set fetched before, by name; a folder; or NAME=DIR where a folder holds several.
    #[arg(value_name = "DATA")]
    pub(crate) data: PathBuf,
    /// Folder that data sets named without one lie in.
    #[arg(long, value_name = "DIR", default_value = DATA_FOLDER)]
    pub(crate) dir: PathBuf,
    /// Seed that parts a folder without train and test, or draws the embedded images.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Draw some training images of every class.
    #[arg(long, value_name = "FILE.png")]
    pub(crate) sheet: Option<PathBuf>,
    /// Images of a class on the sheet.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) images: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Landscape {
    /// Train and test loss along one direction through a solution, and its certificate of asymmetry.
    Line(Line),
}

#[derive(Debug, Args)]
pub(crate) struct Line {
    /// Run folder of `train` or `reproduce`.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Images: name, folder or NAME=DIR, if the run did not use the embedded ones.
    #[arg(long, value_name = "DATA")]
    pub(crate) data: Option<PathBuf>,
    /// The solution to centre on.
    #[arg(long, value_enum, default_value = "sgd")]
    pub(crate) solution: Solution,
    /// Direction family: uniform, gaussian, rademacher, ones, centred, uniform-minus-mean, sign-matched, filter-normalised.
    #[arg(long, value_name = "NAME", default_value = "uniform")]
    pub(crate) family: String,
    /// Number of the direction in its family's stream.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) index: u64,
    /// Half-length R of the line.
    #[arg(long, value_name = "R")]
    pub(crate) radius: Option<f64>,
    /// Number of points, odd, so that the centre is one.
    #[arg(long, value_name = "N")]
    pub(crate) points: Option<usize>,
    /// Images for each of batch-norm statistics, train loss and test loss.
    #[arg(long, value_name = "N")]
    pub(crate) images: Option<usize>,
    /// Batch-norm statistics: recomputed at every point, or the centre's.
    #[arg(long, value_enum, default_value = "recompute")]
    pub(crate) bn: BatchNorm,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Solution {
    /// The averaged solution.
    Swa,
    /// The solution of SGD started there.
    Sgd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BatchNorm {
    Recompute,
    Frozen,
}

#[derive(Debug, Args)]
#[command(after_help = "The file is CSV with a header. Columns: offset, train; optionally test, and \
standard_error (of train). Other columns are ignored.\n\nExample:\n  offset,train,test\n  -1.0,2.00,2.10\n  \
0.0,0.10,0.30\n  1.0,0.20,0.35")]
pub(crate) struct Certify {
    /// The curve.
    #[arg(value_name = "FILE.csv")]
    pub(crate) file: PathBuf,
    /// The shift δ̄ > 0 between train and test loss [default: measured, if the file has a test column].
    #[arg(long, value_name = "D", allow_negative_numbers = true)]
    pub(crate) shift: Option<f64>,
    /// The shift gap ξ ≥ 0 [default: measured, or 0].
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) xi: Option<f64>,
    /// Smallest ratio c that counts as asymmetric.
    #[arg(long, value_name = "C", default_value_t = 2.0, allow_negative_numbers = true)]
    pub(crate) min_c: f64,
    /// Smallest window width that counts, as a share of R.
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, allow_negative_numbers = true)]
    pub(crate) min_width: f64,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also draw the curve with its certificate, as FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub(crate) picture: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The run folder.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Golden {
    /// Folder of the golden files.
    #[arg(long, value_name = "DIR", default_value = "tests/golden")]
    pub(crate) dir: PathBuf,
    /// Rewrite them with this build's values and print the differences.
    #[arg(long)]
    pub(crate) update: bool,
}
