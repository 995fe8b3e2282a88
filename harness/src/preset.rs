//! The deep-net experiment at two sizes: what `valleys reproduce` trains and measures.

use serde::{Deserialize, Serialize};
use valleys_sim::Seed;
use valleys_sim::profile::grid;

use crate::exec::Weighting;
use crate::landscape::{BatchNorm, Spec};
use crate::model::Architecture;
use crate::train::Config;
use crate::{Error, Result};

/// Data sizes, training and measurements of one experiment: SWA, SGD after SWA, lines through a solution, and the line
/// between the two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Training images, a seeded subset if the data set has more.
    pub train_images: usize,
    /// Test images, likewise.
    pub test_images: usize,
    /// Both phases of training.
    pub training: Config,
    /// On what losses along lines are measured.
    pub landscape: Spec,
    /// Lines reach from −`reach` to `reach`, in lengths of weight space.
    pub reach: f64,
    /// Points of every line; odd, so that the centre is one.
    pub points: usize,
    /// Points of the line between the solutions, a multiple of 5 and one more.
    pub shares: usize,
}

impl Preset {
    /// ResNet-8 on the [synthetic](crate::data::synthetic) images, un-augmented so that it overfits.
    ///
    /// Ten epochs at 0.005 after SWA move as far as the paper's fifty at 0.001. Seeds 0, 1 and 2 gave
    ///
    /// | | train loss | test loss | test accuracy, % |
    /// |---|---|---|---|
    /// | SWA | 0.229, 0.190, 0.220 | 0.619, 0.561, 0.641 | 76.1, 78.0, 74.6 |
    /// | SGD after SWA | 0.122, 0.105, 0.114 | 0.648, 0.586, 0.703 | 74.6, 77.5, 74.2 |
    ///
    /// and, on the line between them, c = 8.9 for seed 1.
    pub fn quick(seed: Seed) -> Self {
        Self {
            train_images: 1_500,
            test_images: 1_000,
            training: Config {
                epochs: 20,
                swa_start: 14,
                batch_size: 32,
                augment: false,
                evaluate_every: 2,
                sgd_epochs: 10,
                sgd_learning_rate: 0.005,
                ..Config::paper(Architecture::ResNet8, seed)
            },
            landscape: measured_on(500, 500, 1_000, seed),
            reach: 6.0,
            points: 25,
            shares: 26,
        }
    }

    /// ResNet-20 on all of CIFAR-10, as much as half an hour on two cores allows: eight epochs are far from converged.
    pub fn small(seed: Seed) -> Self {
        Self {
            train_images: 50_000,
            test_images: 10_000,
            training: Config {
                epochs: 6,
                swa_start: 4,
                evaluate_every: 2,
                evaluate_average: false,
                sgd_epochs: 2,
                sgd_learning_rate: 0.005,
                ..Config::paper(Architecture::ResNet20, seed)
            },
            landscape: measured_on(5_000, 5_000, 5_000, seed),
            reach: 6.0,
            points: 25,
            shares: 26,
        }
    }

    /// Offsets of a line through a solution.
    pub fn offsets(&self) -> Result<Vec<f64>> {
        Ok(grid(-self.reach, self.reach, self.points)?)
    }

    /// Shares of the way from SWA to SGD, from −2 to 3 as in the paper's Figure 7.
    ///
    /// Both solutions, at 0 and 1, are among them: the number of points is a multiple of 5 and one more, else an error.
    pub fn shares(&self) -> Result<Vec<f64>> {
        if self.shares < 6 || self.shares % 5 != 1 {
            return Err(Error::domain("shares", self.shares, "a multiple of 5 and one more, such as 26"));
        }
        Ok(grid(-2.0, 3.0, self.shares)?)
    }
}

fn measured_on(statistics: usize, train: usize, test: usize, seed: Seed) -> Spec {
    Spec {
        batch_norm: BatchNorm::Recompute,
        weighting: Weighting::BySize,
        statistics_images: statistics,
        train_images: train,
        test_images: test,
        keep_examples: true,
        seed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_solutions_lie_on_the_line_between_them() {
        for preset in [Preset::quick(Seed(0)), Preset::small(Seed(0))] {
            let shares = preset.shares().expect("valid");
            assert!(shares.contains(&0.0) && shares.contains(&1.0), "{shares:?}");
            assert!(preset.offsets().expect("valid").contains(&0.0));
            assert!(Preset { shares: 25, ..preset }.shares().is_err());
        }
    }
}
