//! How fast networks run.

use clap::{Args, Subcommand};

use super::flight::Flight;
use super::runner::Runner;

/// The paper's networks, VGG-16 with batch norm.
const NETWORKS: [&str; 5] = ["resnet56", "resnet110", "resnet164", "vgg16-bn", "densenet100"];

#[derive(Debug, Subcommand)]
pub(crate) enum Speed {
    /// Measure networks on a device: a line of JSON each, with images a second in training and in evaluation and points
    /// of a landscape's line a second.
    Measure(Measure),
    /// Say which backends this program has, and which of them work here: a line of JSON each.
    Backends,
    /// Count what a batch asks of a CUDA backend, from the plan alone: launches, bytes, arithmetic, and the time that an
    /// H100 needs for them at least. Needs no GPU.
    Account(Account),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Bytes are of the values that a launch reads and writes, each once, all from and to the GPU's memory: what \
lies in its cache is quicker, what a convolution rearranges comes on top, and so do the launches themselves. Parts of the \
weights' gradients, which cuda-bf16 writes and reads again at once, stand apart, and no time is reckoned for them. The floor is \
the larger of memory and arithmetic of the whole, of every launch, or their sum.\n\nExamples:\n  \
valleys speed account --networks resnet110 --batch 128\n  \
valleys speed account --backend cuda-bf16 --networks resnet56,resnet110"
)]
pub(crate) struct Account {
    /// Whose launches and rate of arithmetic: those of cuda; of cuda-tf32, whose launches are the same; or of cuda-bf16,
    /// which joins convolutions with what surrounds them.
    #[arg(long, value_name = "NAME", default_value = "cuda", value_parser = ["cuda", "cuda-tf32", "cuda-bf16"])]
    pub(crate) backend: String,
    /// Networks.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_values = NETWORKS)]
    pub(crate) networks: Vec<String>,
    /// Images in a batch.
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) batch: u16,
}

#[derive(Debug, Args)]
#[command(
    after_help = "A line has, for training, evaluation and points, the median over the repetitions of what is done in a \
second, the least and the most, how many repetitions there were, and how many steps, batches or points each had. Before \
them come some that are not counted.\n\nExamples:\n  valleys speed measure --device cuda:0\n  \
valleys speed measure --device cpu --networks resnet8 --batch 32 --seconds 0.5 --images 200"
)]
pub(crate) struct Measure {
    #[command(flatten)]
    pub(crate) runner: Runner,
    #[command(flatten)]
    pub(crate) flight: Flight,
    /// Networks.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_values = NETWORKS)]
    pub(crate) networks: Vec<String>,
    /// Images in a batch of training and of evaluation.
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u16).range(2..=4096))]
    pub(crate) batch: u16,
    /// Images for each of batch-norm statistics, train loss and test loss of a point; 0 measures no points.
    #[arg(long, value_name = "N", default_value = "2048", value_parser = images)]
    pub(crate) images: usize,
    /// How long each of the three is measured, at least.
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) seconds: f64,
}

fn seconds(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number <= 3600.0);
    number.ok_or_else(|| "allowed: a number above 0 and up to 3600".to_owned())
}

/// A single image's loss has no standard error.
fn images(text: &str) -> Result<usize, String> {
    let number = text.parse::<usize>().ok().filter(|number| *number != 1 && *number <= 100_000);
    number.ok_or_else(|| "allowed: 0, or 2 to 100000".to_owned())
}
