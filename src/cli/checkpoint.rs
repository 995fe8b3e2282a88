//! `valleys checkpoint`: networks in files.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::runner::Runner;

#[derive(Debug, Subcommand)]
pub(crate) enum Checkpoint {
    /// Say what a file holds: its form, the network, the tensors, and what training left beside them.
    Info(Info),
    /// Write a network for PyTorch: torch.load reads it, load_state_dict(strict=True) takes it.
    Export(Export),
    /// Read a network from PyTorch: what torch.save wrote, of a model's state_dict() or of a dictionary around it.
    Import(Import),
    /// Measure a network's loss and accuracy on the training and the test images of a data set.
    Evaluate(Evaluate),
}

/// A network in a file.
#[derive(Debug, Args)]
#[command(after_help = "Nothing in a file is executed: docs/checkpoints.md says what is read and what is refused.")]
pub(crate) struct Stored {
    /// A .safetensors file; a .pt or .pth file of torch.save; or the run folder of `train` or `reproduce`.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Which of several: state_dict or swa_state_dict in a file of the paper's code, swa or sgd-after-swa in a run
    /// folder [default: the only one].
    #[arg(long, value_name = "NAME")]
    pub(crate) which: Option<String>,
    /// The network, where names and shapes cannot tell, as for resnet20-sigmoid [default: the plain one that fits].
    #[arg(long, value_name = "NAME")]
    pub(crate) network: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Info {
    #[command(flatten)]
    pub(crate) stored: Stored,
    /// List every tensor, instead of counting them by module.
    #[arg(long)]
    pub(crate) tensors: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) stored: Stored,
    /// File to write, .pt, .pth or .safetensors.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Overwrite it if it exists.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) stored: Stored,
    /// File to write, .safetensors, or a folder for a file of the same name.
    #[arg(long, value_name = "FILE or DIR")]
    pub(crate) out: PathBuf,
    /// Overwrite it if it exists.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    #[command(flatten)]
    pub(crate) stored: Stored,
    /// Images, all of them: the name of a fetched set, such as cifar10; a folder; or NAME=DIR [default: those of the run,
    /// or else the embedded images].
    #[arg(long, value_name = "DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Seed that parts a folder without train and test, or draws the embedded images [default: the run's, or 1].
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) runner: Runner,
    /// Print JSON, with all digits, instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}
