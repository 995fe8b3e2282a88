//! The landscape around a trained solution, one experiment a command.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Output;
use super::evidence::{Curvature, GradientNoise, Intervention, ShiftLaw, Theory};
use super::flight::Flight;
use super::runner::Runner;

#[derive(Debug, Subcommand)]
pub(crate) enum Landscape {
    /// All of the experiments below, one after the other, into one report.
    All(All),
    /// Train and test loss along one direction through a solution, and its certificate of asymmetry (Figure 2).
    Line(Line),
    /// How far the test loss is shifted against the training loss along one direction (Figure 3).
    Shift(Line),
    /// How many random directions are asymmetric, family by family (Section 3.2).
    Prevalence(Prevalence),
    /// One direction through neighbouring centres, and the certificate that holds for all (Figure 4).
    Neighbourhood(Neighbourhood),
    /// One direction through the epochs that a run has kept: when does the valley get its shape? (Figure 6)
    Trajectory(Trajectory),
    /// The line between two solutions, of one run or of two (Figure 7, Table 1, Appendix G).
    Interpolation(Interpolation),
    /// Directions between that line and random ones (Figure 8).
    InterRand(InterRand),
    /// Loss against distance along random rays from several solutions (Figures 9 and 10).
    Rays(Rays),
    /// Directions inside and outside the batch norms, with statistics recomputed and frozen, with and without them
    /// (Appendix H).
    BatchNorm(BatchNorms),
    /// Asymmetry against the share of a direction's signs that are the weights' own.
    SignConsistency(SignConsistency),
    /// The loss on the plane of three solutions, or along two directions.
    Plane(Plane),
    /// One line under controls: other images, wider steps, other statistics, rescaled layers, a stationary centre?
    Controls(Controls),
    /// How the shift is distributed over random splits of the images, and Theorem 1 on each (Assumption 1).
    ShiftLaw(ShiftLaw),
    /// Solutions moved to the flat side and elsewhere: which move lowers the test loss?
    Intervention(Intervention),
    /// Which hypotheses of the corrected theorems hold on one line, what follows, and what is seen.
    Theory(Theory),
    /// The largest and smallest eigenvalues of the Hessian, and its trace.
    Curvature(Curvature),
    /// The noise of minibatch gradients along one direction (Theorem 2).
    GradientNoise(GradientNoise),
}

/// How much of every experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Amount {
    /// Some 650 points on at most 500 images each.
    Quick,
    /// Some 2,800 points on at most 1,000 images each.
    Small,
    /// The paper's counts of draws or more, on at most 10,000 images each: some 23,000 points around a run that kept 200
    /// epochs.
    Paper,
}

#[derive(Debug, Args)]
pub(crate) struct All {
    #[command(flatten)]
    pub(crate) source: Source,
    /// How much of every experiment.
    #[arg(long, value_enum, default_value = "small")]
    pub(crate) counts: Amount,
}

/// A run, its images, and on how many of them losses are measured.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// Run folder of `train` or `reproduce`.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Images: name, folder or NAME=DIR, if the run did not use the embedded ones.
    #[arg(long, value_name = "DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Images for each of batch-norm statistics, train loss and test loss.
    #[arg(long, value_name = "N")]
    pub(crate) images: Option<usize>,
    /// Batch-norm statistics: recomputed at every point, or the centre's [default: as the run's settings say].
    #[arg(long, value_enum)]
    pub(crate) bn: Option<BatchNorm>,
    #[command(flatten)]
    pub(crate) runner: Runner,
    #[command(flatten)]
    pub(crate) flight: Flight,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// One solution.
#[derive(Debug, Args)]
pub(crate) struct Centre {
    /// The solution to centre on, by its phase: swa, sgd-after-swa, sgd, … [default: the last phase's].
    #[arg(long, value_name = "PHASE")]
    pub(crate) solution: Option<String>,
}

/// Several solutions.
#[derive(Debug, Args)]
pub(crate) struct Solutions {
    /// The solutions, by their phases, parted by commas [default: the run's first and last].
    #[arg(long = "solution", value_name = "PHASE", value_delimiter = ',')]
    pub(crate) phases: Vec<String>,
}

/// Lines through one solution.
#[derive(Debug, Args)]
pub(crate) struct Lines {
    #[command(flatten)]
    pub(crate) centre: Centre,
    #[command(flatten)]
    pub(crate) extent: Extent,
}

/// Neighbourhood of a solution.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Ball {
    /// Radius R′ of the ball that neighbouring centres are drawn from (the paper's 25).
    #[arg(id = "ball", long = "ball", value_name = "R", default_value_t = 25.0)]
    pub(crate) radius: f64,
}

/// How far lines reach, and how finely.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Extent {
    /// Half-length R of the line [default: as the run's settings say].
    #[arg(long, value_name = "R")]
    pub(crate) radius: Option<f64>,
    /// Number of points, odd, so that the centre is one [default: as the run's settings say].
    #[arg(long, value_name = "N")]
    pub(crate) points: Option<usize>,
}

/// Which parameters directions move.
#[derive(Debug, Clone, Args)]
pub(crate) struct Groups {
    /// Move these groups of parameters alone: conv-weight, conv-bias, bn-weight, bn-bias, linear-weight, linear-bias.
    #[arg(long, value_name = "GROUP", value_delimiter = ',', conflicts_with = "except")]
    pub(crate) only: Vec<String>,
    /// Move all groups of parameters but these.
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub(crate) except: Vec<String>,
}

/// One direction.
#[derive(Debug, Clone, Args)]
pub(crate) struct Direction {
    /// Direction family: uniform, gaussian, rademacher, ones, centred, uniform-minus-mean, sign-matched:FRACTION,
    /// filter-normalised.
    #[arg(long, value_name = "NAME", default_value = "uniform")]
    pub(crate) family: String,
    /// Number of the direction in its family's stream.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) index: u64,
    #[command(flatten)]
    pub(crate) groups: Groups,
}

#[derive(Debug, Args)]
pub(crate) struct Line {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) lines: Lines,
    #[command(flatten)]
    pub(crate) direction: Direction,
    /// Points to add, one after the other, where the slope changes most.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) refine: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Prevalence {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) lines: Lines,
    /// Direction families, as for `line`, parted by commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "uniform")]
    pub(crate) family: Vec<String>,
    /// Directions of each family, at most.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) draws: u64,
    /// Stop at each family's first asymmetric direction, as the paper does; no share is told then.
    #[arg(long)]
    pub(crate) until_asymmetric: bool,
    #[command(flatten)]
    pub(crate) groups: Groups,
}

#[derive(Debug, Args)]
pub(crate) struct Neighbourhood {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) lines: Lines,
    #[command(flatten)]
    pub(crate) direction: Direction,
    /// Neighbouring centres (the paper's 100).
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) centres: u64,
    #[command(flatten)]
    pub(crate) ball: Ball,
}

#[derive(Debug, Args)]
pub(crate) struct Trajectory {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The phase whose kept epochs are measured [default: the first].
    #[arg(long, value_name = "PHASE")]
    pub(crate) phase: Option<String>,
    #[command(flatten)]
    pub(crate) extent: Extent,
    #[command(flatten)]
    pub(crate) direction: Direction,
    /// At most so many of the kept epochs, evenly spread, the first and the last among them.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) epochs: usize,
}

/// Two solutions, of one run or of two.
#[derive(Debug, Args)]
pub(crate) struct Two {
    /// The first solution, by its phase [default: the run's first].
    #[arg(long, value_name = "PHASE")]
    pub(crate) from: Option<String>,
    /// The second solution, by its phase [default: the run's second, or the other run's last].
    #[arg(long, value_name = "PHASE")]
    pub(crate) to: Option<String>,
    /// Run folder of the second solution, of the same network on the same images [default: the same run].
    #[arg(long, value_name = "RUN")]
    pub(crate) other: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Interpolation {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) two: Two,
    /// Points from −2 to 3, a multiple of 5 and one more (the paper's 201).
    #[arg(long, value_name = "N")]
    pub(crate) points: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct InterRand {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) two: Two,
    #[command(flatten)]
    pub(crate) extent: Extent,
    /// Families of the random part, parted by commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "uniform,gaussian")]
    pub(crate) family: Vec<String>,
    /// Random parts of each family (the paper's 10).
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) draws: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Rays {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) two: Two,
    /// The farthest distance.
    #[arg(long, value_name = "R")]
    pub(crate) radius: Option<f64>,
    /// Distances, 0 among them.
    #[arg(long, value_name = "N", default_value_t = 9)]
    pub(crate) points: usize,
    /// The rays' family.
    #[arg(long, value_name = "NAME", default_value = "gaussian")]
    pub(crate) family: String,
    /// Rays from each solution.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) draws: u64,
}

#[derive(Debug, Args)]
pub(crate) struct BatchNorms {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) lines: Lines,
    /// The directions' family.
    #[arg(long, value_name = "NAME", default_value = "gaussian")]
    pub(crate) family: String,
    /// Directions of each group of parameters.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) draws: u64,
    /// Run folder of another network on the same images to compare with, such as the same without batch norm.
    #[arg(long, value_name = "RUN")]
    pub(crate) other: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SignConsistency {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) lines: Lines,
    /// Shares of signs that match, increasing, parted by commas.
    #[arg(long, value_name = "SHARE", value_delimiter = ',', default_value = "0.5,0.6,0.7,0.8,0.9,1")]
    pub(crate) fractions: Vec<f64>,
    /// Directions at each share.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) draws: u64,
    #[command(flatten)]
    pub(crate) groups: Groups,
}

#[derive(Debug, Args)]
pub(crate) struct Plane {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Three solutions of the run, by their phases, parted by commas; or one, with two --family.
    #[arg(long, value_name = "PHASE", value_delimiter = ',')]
    pub(crate) solution: Vec<String>,
    /// Families of two directions for the axes, instead of solutions.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) family: Vec<String>,
    /// Half-length of both axes, with --family.
    #[arg(long, value_name = "R")]
    pub(crate) radius: Option<f64>,
    /// Points along each axis.
    #[arg(long, value_name = "N", default_value_t = 15)]
    pub(crate) points: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Controls {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) lines: Lines,
    #[command(flatten)]
    pub(crate) direction: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BatchNorm {
    Recompute,
    Frozen,
}
