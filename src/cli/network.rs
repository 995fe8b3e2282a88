//! Deep nets: training.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use valleys_harness::preset::Size;

use super::Output;
use super::runner::Runner;

#[derive(Debug, Default, Args)]
#[command(
    after_help = "Settings come from the preset, then from --config, then from --set, then from the other options. \
--show prints them as a file that --config takes; config.toml of a run is one, too.\n\nExamples:\n  \
valleys train --network vgg16-bn --data cifar100 --preset paper --show\n  \
valleys train --data cifar10 --held-out 5000 --select held-out\n  \
valleys train --config run/config.toml --seed 2 --set phases.swa.epochs=10"
)]
pub(crate) struct Train {
    /// Network: resnet8, resnet20, …, resnet164, also as resnet110-sigmoid, -softplus or -nobn; vgg16, vgg16-bn,
    /// densenet40, densenet100, mlp [default: resnet8 on the embedded images, else resnet20].
    #[arg(long, value_name = "NAME")]
    pub(crate) network: Option<String>,
    /// Images: the name of a fetched set, such as cifar10; a folder; or NAME=DIR [default: the embedded images].
    #[arg(long, value_name = "DATA")]
    pub(crate) data: Option<PathBuf>,
    /// How long, with the rates and the weight decay that belong to the network [default: quick on the embedded images,
    /// else small].
    #[arg(long, value_enum)]
    pub(crate) preset: Option<Preset>,
    /// What: swa (averaging, then SGD from the average), sgd (the plain baseline), table1 (all three), large-batch
    /// (2048 images a batch, then small batches from there) [default: swa].
    #[arg(long, value_name = "METHOD")]
    pub(crate) method: Option<String>,
    /// Settings that go over the preset's: TOML, any part of what --show prints.
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) config: Option<PathBuf>,
    /// One setting by its path in that file, such as momentum=0.8 or phases.swa.epochs=10; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    #[command(flatten)]
    pub(crate) runner: Runner,
    /// Epochs of SGD from a random start, averaging included.
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<u32>,
    /// Averaging follows each epoch from this one on, counted from 1; the rate falls by then.
    #[arg(long, value_name = "N")]
    pub(crate) swa_start: Option<u32>,
    /// Epochs of SGD from a solution.
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
    /// Training images to keep aside, neither trained on nor tested on.
    #[arg(long, value_name = "N")]
    pub(crate) held_out: Option<usize>,
    /// Which epoch of SGD from a solution counts: the last, as the paper reports; the best on held-out images; or by
    /// the rule of the paper's code, which looks at the test set.
    #[arg(long, value_enum)]
    pub(crate) select: Option<Select>,
    /// The root seed of every random stream [default: 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=i64::MAX as u64))]
    pub(crate) seed: Option<u64>,
    /// Print the settings and do nothing.
    #[arg(long)]
    pub(crate) show: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Preset {
    /// Thirty epochs on 1,500 images.
    Quick,
    /// Eight epochs on all images.
    Small,
    /// The paper's 225 or 300 epochs, and 50 from the average.
    Paper,
}

impl From<Preset> for Size {
    fn from(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::Quick,
            Preset::Small => Self::Small,
            Preset::Paper => Self::Paper,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Select {
    Last,
    HeldOut,
    Official,
}
