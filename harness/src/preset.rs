//! The deep-net experiment at three sizes: what is trained, on how much, and how its landscape is measured.

use serde::{Deserialize, Serialize};
use valleys_sim::Seed;
use valleys_sim::profile::grid;

use crate::exec::{BackendKind, Weighting};
use crate::landscape::{BatchNorm, Spec};
use crate::model::Architecture;
use crate::train::{Config, Method};
use crate::{Error, Result};

/// How much of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Minutes on two cores, for the embedded images.
    Quick,
    /// Half an hour or less on two cores with ResNet-20: few epochs, far from converged.
    Small,
    /// The paper's epochs.
    Paper,
}

/// Data sizes, training and measurements of one experiment: SWA, SGD after SWA, lines through a solution, and the line
/// between the two.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Training images, a seeded subset if the data set has more; all of them if not said.
    pub train_images: Option<usize>,
    /// Test images, likewise.
    pub test_images: Option<usize>,
    /// All phases of training.
    pub training: Config,
    /// How the landscape is measured.
    pub landscape: Landscape,
}

/// How losses along lines are measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Landscape {
    /// Lines reach from −`reach` to `reach`, in lengths of weight space.
    pub reach: f64,
    /// Points of every line; odd, so that the centre is one.
    pub points: usize,
    /// Points of the line between the solutions, a multiple of 5 and one more.
    pub shares: usize,
    /// On what losses are measured.
    pub spec: Spec,
}

impl Preset {
    /// The settings of a network at a size.
    pub fn new(size: Size, network: Architecture, method: Method, seed: Seed) -> Self {
        match size {
            Size::Quick => Self::quick(network, method, seed),
            Size::Small => Self::small(network, method, seed),
            Size::Paper => Self::paper(network, method, seed),
        }
    }

    /// For the [synthetic](crate::data::synthetic) images, un-augmented so that a network overfits them.
    ///
    /// Ten epochs at 0.005 after SWA move as far as the paper's fifty at 0.001. Seeds 0, 1 and 2 gave ResNet-8, on the
    /// reference backend,
    ///
    /// | | train loss | test loss | test accuracy, % |
    /// |---|---|---|---|
    /// | SWA | 0.229, 0.190, 0.220 | 0.619, 0.561, 0.641 | 76.1, 78.0, 74.6 |
    /// | SGD after SWA | 0.122, 0.105, 0.114 | 0.648, 0.586, 0.703 | 74.6, 77.5, 74.2 |
    ///
    /// and, on the line between them, c = 8.9 for seed 1.
    pub fn quick(network: Architecture, method: Method, seed: Seed) -> Self {
        let mut training = Config::paper(network, method, seed).shortened(20, 14, 10, 0.005);
        training.augment = false;
        training.evaluate_every = 2;
        training.phases.iter_mut().for_each(|phase| phase.batch_size = (phase.batch_size / 4).min(256));
        Self {
            train_images: Some(1_500),
            test_images: Some(1_000),
            training,
            landscape: Landscape::new(500, 500, 1_000, seed),
        }
    }

    /// As much of CIFAR-10 and ResNet-20 as half an hour on two cores allows: eight epochs are far from converged.
    pub fn small(network: Architecture, method: Method, seed: Seed) -> Self {
        let mut training = Config::paper(network, method, seed).shortened(6, 4, 2, 0.005);
        training.evaluate_every = 2;
        training.evaluate_average = false;
        Self { train_images: None, test_images: None, training, landscape: Landscape::new(5_000, 5_000, 5_000, seed) }
    }

    /// The paper's training, on all images.
    pub fn paper(network: Architecture, method: Method, seed: Seed) -> Self {
        Self {
            train_images: None,
            test_images: None,
            training: Config::paper(network, method, seed),
            landscape: Landscape::new(10_000, 10_000, 10_000, seed),
        }
    }
}

impl Landscape {
    fn new(statistics: usize, train: usize, test: usize, seed: Seed) -> Self {
        let spec = Spec {
            backend: BackendKind::default(),
            batch_norm: BatchNorm::Recompute,
            weighting: Weighting::BySize,
            statistics_images: statistics,
            train_images: train,
            test_images: test,
            keep_examples: true,
            seed,
        };
        Self { reach: 6.0, points: 25, shares: 26, spec }
    }

    /// The same on no more images than there are.
    pub fn within(mut self, train: usize, test: usize) -> Self {
        self.spec.statistics_images = self.spec.statistics_images.min(train);
        self.spec.train_images = self.spec.train_images.min(train);
        self.spec.test_images = self.spec.test_images.min(test);
        self
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_solutions_lie_on_the_line_between_them() {
        for size in [Size::Quick, Size::Small, Size::Paper] {
            let landscape = Preset::new(size, Architecture::ResNet8, Method::Swa, Seed(0)).landscape;
            let shares = landscape.shares().expect("valid");
            assert!(shares.contains(&0.0) && shares.contains(&1.0), "{shares:?}");
            assert!(landscape.offsets().expect("valid").contains(&0.0));
            assert!(Landscape { shares: 25, ..landscape }.shares().is_err());
        }
    }
}
