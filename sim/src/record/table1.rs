//! The solutions of many runs.

use serde::{Deserialize, Serialize};

use crate::estimate::PairedTest;

/// Table 1 of the paper: solutions of several networks on several data sets, over several seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table1 {
    /// One entry a network, data set and solution.
    pub rows: Vec<Table1Row>,
    /// What the solutions of one network and data set differ by, seed by seed.
    pub differences: Vec<Table1Difference>,
    /// How they were measured.
    pub setting: String,
}

/// One row of [`Table1`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table1Row {
    /// Such as `ResNet-110`.
    pub network: String,
    /// Such as `CIFAR-100`.
    pub data: String,
    /// Such as `SWA`.
    pub solution: String,
    /// Number of runs, one a seed.
    pub runs: u64,
    /// Mean training loss of a run, over runs.
    pub train_loss: Spread,
    /// Training accuracy in [0, 1].
    pub train_accuracy: Spread,
    /// Mean test loss of a run.
    pub test_loss: Spread,
    /// Test accuracy in [0, 1].
    pub test_accuracy: Spread,
}

/// Mean and standard deviation over runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation of a run (unbiased variance); none of a single run.
    pub deviation: Option<f64>,
}

/// One difference of [`Table1`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table1Difference {
    /// The network.
    pub network: String,
    /// The data set.
    pub data: String,
    /// The solution whose value comes first, such as `SWA`.
    pub first: String,
    /// The one that is subtracted, such as `SGD after SWA`.
    pub second: String,
    /// `train loss`, `train accuracy`, `test loss` or `test accuracy`.
    pub quantity: String,
    /// Number of seeds with both.
    pub runs: u64,
    /// The mean difference.
    pub mean: f64,
    /// Half the width of its 95 % interval (Student); none of a single run.
    pub half_width: Option<f64>,
    /// Tests of no difference.
    pub test: PairedTest,
}
