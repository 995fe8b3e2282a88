//! Deep nets: training, and the landscape around what it found.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Output, Step};

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
