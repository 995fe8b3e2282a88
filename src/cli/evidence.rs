//! The theorems held against a trained network, one experiment a command.

use clap::Args;

use super::landscape::{Ball, Centre, Direction, Extent, Lines, Solutions, Source};

/// Splits of the images on which a line was measured.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Splits {
    /// Random splits of the images.
    #[arg(long = "splits", value_name = "N", default_value_t = 1000)]
    pub(crate) count: u32,
}

#[derive(Debug, Args)]
pub(crate) struct ShiftLaw {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) lines: Lines,
    #[command(flatten)]
    pub(crate) direction: Direction,
    #[command(flatten)]
    pub(crate) splits: Splits,
    /// Split training and test images together, as a check: then a shift is positive as often as not.
    #[arg(long)]
    pub(crate) pooled: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Intervention {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) solutions: Solutions,
    #[command(flatten)]
    pub(crate) extent: Extent,
    #[command(flatten)]
    pub(crate) direction: Direction,
    /// How far to move [default: as far as Theorem 1 allows, else half the certificate's width, else R/4].
    #[arg(long, value_name = "L")]
    pub(crate) step: Option<f64>,
    /// Controls: moves along the direction with its coordinates permuted.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) permuted: u64,
    /// Controls: moves along centred directions judged symmetric, at most; three are tried for each.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) symmetric: u64,
}

/// Minibatch gradients at a solution.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Minibatches {
    /// Minibatch gradients, at least 41.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) steps: usize,
    /// Take the steps, with the rate and the momentum that the solution's training ended with; the full gradient is then
    /// measured at every one. Without, all gradients are at the solution.
    #[arg(long)]
    pub(crate) moving: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GradientNoise {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) centre: Centre,
    #[command(flatten)]
    pub(crate) direction: Direction,
    #[command(flatten)]
    pub(crate) minibatches: Minibatches,
}

#[derive(Debug, Args)]
pub(crate) struct Theory {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) lines: Lines,
    #[command(flatten)]
    pub(crate) direction: Direction,
    #[command(flatten)]
    pub(crate) splits: Splits,
    /// Neighbouring centres, 0 to leave them unmeasured.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) centres: u64,
    #[command(flatten)]
    pub(crate) ball: Ball,
    #[command(flatten)]
    pub(crate) minibatches: Minibatches,
}

#[derive(Debug, Args)]
pub(crate) struct Curvature {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) solutions: Solutions,
    /// Eigenvalues at each end of the spectrum.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) ends: usize,
    /// Steps of Lanczos' method at most: two gradients and a vector of all weights each.
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(crate) steps: usize,
    /// Random vectors for the trace: two gradients each.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) probes: u64,
}
