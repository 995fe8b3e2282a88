//! One network, one number: how a loss is measured.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use valleys_sim::Seed;
use valleys_sim::progress::Observer;

use super::point::{Measured, Point};
use crate::average::recompute_statistics;
use crate::data::loader::PlainBatches;
use crate::data::{Dataset, ImageSet, Normalisation};
use crate::exec::{BackendKind, Executor, Weighting};
use crate::model::Graph;
use crate::params::Weights;
use crate::train::evaluate;
use crate::{Error, Result};

/// Where a moved network's batch-norm statistics come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BatchNorm {
    /// From training images, at every point anew (Section 3.2 of the paper; Izmailov et al. 2018).
    #[default]
    Recompute,
    /// From the line's centre, the same at every point.
    Frozen,
}

/// What a loss is measured on; checked by [`Probe::new`].
///
/// | name | purpose | range |
/// |---|---|---|
/// | `backend` | who runs the network | `cpu`, `reference` |
/// | `batch_norm` | where batch-norm statistics come from | `recompute`, `frozen` |
/// | `weighting` | how batches count in recomputed statistics | `by-size`, `equal` |
/// | `statistics_images` | training images for recomputed statistics | 1 to all |
/// | `train_images` | training images for the train loss | 2 to all |
/// | `test_images` | test images for the test loss | 2 to all |
/// | `keep_examples` | keep every image's loss, which confidence bands over a line need | |
/// | `seed` | selects the images | |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the table above says it once")]
pub struct Spec {
    #[serde(default)]
    pub backend: BackendKind,
    pub batch_norm: BatchNorm,
    pub weighting: Weighting,
    pub statistics_images: usize,
    pub train_images: usize,
    pub test_images: usize,
    pub keep_examples: bool,
    pub seed: Seed,
}

/// Measures networks of one architecture on fixed images of one data set.
pub struct Probe {
    executor: Executor<f32>,
    spec: Spec,
    normalisation: Normalisation,
    statistics: ImageSet,
    train: ImageSet,
    test: ImageSet,
}

impl Probe {
    /// Checks the specification and selects the images: the first so many of seeded permutations, from the streams
    /// `"statistics images"`, `"train images"` and `"test images"`.
    pub fn new(graph: &Arc<Graph>, data: &Dataset, spec: Spec) -> Result<Self> {
        let select = |set: &ImageSet, name: &str, count: usize, least: usize| {
            if count < least || count > set.len() {
                return Err(Error::domain(name, count, format!("{least} to {}", set.len())));
            }
            set.subset(count, spec.seed, &name.replace('_', " "))
        };
        Ok(Self {
            executor: Executor::on(Arc::clone(graph), spec.backend)?,
            normalisation: data.normalisation(),
            statistics: select(data.train(), "statistics_images", spec.statistics_images, 1)?,
            train: select(data.train(), "train_images", spec.train_images, 2)?,
            test: select(data.test(), "test_images", spec.test_images, 2)?,
            spec,
        })
    }

    /// Train and test loss of one network, noted under an offset.
    ///
    /// Fails on a loss that is not finite, naming the offset; stops between batches if the observer asks.
    pub fn measure(&mut self, offset: f64, mut weights: Weights<f32>, observer: &dyn Observer) -> Result<Point> {
        if self.spec.batch_norm == BatchNorm::Recompute {
            let batches = PlainBatches::new(&self.statistics, self.normalisation);
            recompute_statistics(&mut self.executor, &mut weights, &batches, self.spec.weighting, observer)?;
        }
        let mut side = |name: &str, set: &ImageSet| {
            evaluate(&mut self.executor, &weights, set, self.normalisation, observer)
                .map(|outcome| Measured::new(outcome, self.spec.keep_examples))
                .map_err(|error| match error {
                    Error::Domain { name: what, value, allowed } => {
                        Error::domain(format!("{name} {what} at offset {offset}"), value, allowed)
                    }
                    other => other,
                })
        };
        Ok(Point { offset, train: side("train", &self.train)?, test: side("test", &self.test)? })
    }

    /// How losses are measured, in words, for captions.
    pub fn setting(&self) -> String {
        let batch_norm = match self.spec.batch_norm {
            BatchNorm::Recompute => format!("batch-norm statistics from {} training images", self.statistics.len()),
            BatchNorm::Frozen => "batch-norm statistics of the centre".to_owned(),
        };
        format!("{batch_norm}; loss on {} training and {} test images", self.train.len(), self.test.len())
    }
}
