//! One network, one number: how a loss is measured.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use valleys_sim::Seed;
use valleys_sim::estimate::Moments;
use valleys_sim::progress::Observer;

use super::flight::in_order;
use super::{Losses, Measured, PointsInFlight, Surface};
use crate::data::loader::{Batches, EpochBatches, PlainBatches};
use crate::data::{Augmentation, Dataset, ImageSet, Normalisation};
use crate::exec::{BackendKind, Dropout, Executor, Weighting};
use crate::model::Graph;
use crate::params::{Line, Weights};
use crate::train::evaluate_loaded;
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
/// | `backend` | who runs the network | `cpu`, `reference`, `cuda`, `cuda-tf32`, `cuda-bf16` |
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

impl Spec {
    /// The images that the train loss is measured on.
    pub(super) fn train(&self, data: &Dataset) -> Result<ImageSet> {
        self.select(data.train(), "train_images", self.train_images, 2)
    }

    fn select(&self, set: &ImageSet, name: &str, count: usize, least: usize) -> Result<ImageSet> {
        if count < least || count > set.len() {
            return Err(Error::domain(name, count, format!("{least} to {}", set.len())));
        }
        set.subset(count, self.seed, &name.replace('_', " "))
    }
}

/// Measures networks of one architecture on fixed images of one data set.
pub struct Probe {
    executor: Executor<f32>,
    /// For points in flight beside the first.
    others: Vec<Executor<f32>>,
    in_flight: PointsInFlight,
    images: Images,
}

/// What losses are measured on, and how.
struct Images {
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
        let executor = Executor::on(Arc::clone(graph), spec.backend)?;
        let images = Images {
            normalisation: data.normalisation(),
            statistics: spec.select(data.train(), "statistics_images", spec.statistics_images, 1)?,
            train: spec.train(data)?,
            test: spec.select(data.test(), "test_images", spec.test_images, 2)?,
            spec,
        };
        Ok(Self { executor, others: Vec::new(), in_flight: PointsInFlight::default(), images })
    }

    /// The same with so many points of a scan measured at a time: on a GPU each in streams of its own, and everywhere with
    /// a network and images of its own in memory.
    pub fn with_points_in_flight(self, in_flight: PointsInFlight) -> Self {
        Self { in_flight, ..self }
    }

    /// The training images that it looks at: for the train loss, and for statistics.
    pub(super) fn training_images(&self) -> [&ImageSet; 2] {
        [&self.images.train, &self.images.statistics]
    }

    /// The gradient of the train loss: batch norm as in training where statistics are recomputed, else with those of the
    /// point. Stops between batches if the observer asks.
    pub fn gradient(&mut self, at: &Weights<f32>, observer: &dyn Observer) -> Result<Vec<f64>> {
        let Images { spec, normalisation, train, .. } = &self.images;
        let batches = PlainBatches::new(train, *normalisation);
        let (mut sum, mut part) = (vec![0.0_f64; self.dimension()], vec![0.0_f32; self.dimension()]);
        for number in 0..batches.count() {
            if observer.interrupted() {
                return Err(Error::Interrupted);
            }
            let views = batches.views(number);
            match spec.batch_norm {
                BatchNorm::Recompute => {
                    // Training moves the running statistics of what it is given.
                    self.executor.gradient(&mut at.clone(), &views, Dropout::Off, &mut part)?
                }
                BatchNorm::Frozen => self.executor.evaluation_gradient(at, &views, &mut part)?,
            };
            let share = views.labels().len() as f64 / train.len() as f64;
            sum.iter_mut().zip(&part).for_each(|(sum, &part)| *sum += share * f64::from(part));
        }
        Ok(sum)
    }

    /// What every image's loss rises by when it is varied as in training: as many images as the train loss is measured
    /// on, in evaluation mode with the point's statistics.
    pub fn augmented_excess(
        &mut self,
        data: &Dataset,
        at: &Weights<f32>,
        seed: Seed,
        observer: &dyn Observer,
    ) -> Result<Moments> {
        let [varied, clean] = [data.augmentation(), Augmentation::NONE]
            .map(|augmentation| EpochBatches::new(data, augmentation, PlainBatches::SIZE, seed, 0));
        let mut excess = Moments::default();
        let mut loaded = self.executor.load(at)?;
        for number in 0..self.images.train.len().div_ceil(PlainBatches::SIZE) {
            if observer.interrupted() {
                return Err(Error::Interrupted);
            }
            let mut losses =
                |batches: &EpochBatches<'_>| loaded.evaluate(&batches.views(number)).map(|outcome| outcome.losses);
            let (varied, clean) = (losses(&varied)?, losses(&clean)?);
            varied.iter().zip(&clean).for_each(|(varied, clean)| excess.push(varied - clean));
        }
        Ok(excess)
    }
}

impl Images {
    /// Losses at a point of a line. With [`BatchNorm::Recompute`] the network gets statistics of its own first. Stops
    /// between batches if the observer asks.
    fn losses(
        &self,
        executor: &mut Executor<f32>,
        (line, offset): (&Line<'_, f32>, f64),
        observer: &dyn Observer,
    ) -> Result<Losses> {
        let mut network = executor.load_at(line, offset)?;
        if self.spec.batch_norm == BatchNorm::Recompute {
            let batches = PlainBatches::new(&self.statistics, self.normalisation);
            let pass = network.statistics(&batches, self.spec.weighting, observer)?;
            network.adopt(pass)?;
        }
        let mut side = |name: &str, set: &ImageSet| {
            evaluate_loaded(&mut network, set, self.normalisation, observer)
                .map(|outcome| Measured::new(outcome, self.spec.keep_examples))
                .map_err(|error| match error {
                    Error::Domain { name: what, value, allowed } => {
                        Error::domain(format!("{name} {what}"), value, allowed)
                    }
                    other => other,
                })
        };
        Ok(Losses { train: side("train", &self.train)?, test: side("test", &self.test)? })
    }
}

impl Surface for Probe {
    fn dimension(&self) -> usize {
        self.executor.graph().layout().trainable()
    }

    fn measure(&mut self, line: &Line<'_, f32>, offset: f64, observer: &dyn Observer) -> Result<Losses> {
        self.images.losses(&mut self.executor, (line, offset), observer)
    }

    fn measure_all(
        &mut self,
        mut points: &[(&Line<'_, f32>, f64)],
        observer: &dyn Observer,
        keep: &mut dyn FnMut(Losses) -> Result<()>,
    ) -> Result<()> {
        // A GPU chooses its algorithms, by their times, at a first point: it must have nothing else to do then.
        if let Some((&point, rest)) = points.split_first()
            && self.others.is_empty()
        {
            keep(self.images.losses(&mut self.executor, point, observer)?)?;
            points = rest;
        }
        let wanted = self.in_flight.get().min(points.len()).saturating_sub(1);
        while self.others.len() < wanted {
            let (graph, lane) = (Arc::clone(self.executor.graph()), self.others.len() + 1);
            self.others.push(Executor::in_lane(graph, self.images.spec.backend, lane)?);
        }
        let Self { executor, others, images, .. } = self;
        let losses = |executor: &mut _, number: usize, observer: &dyn Observer| {
            images.losses(executor, points[number], observer)
        };
        in_order((executor, &mut others[..wanted]), points.len(), observer, losses, keep)
    }

    fn setting(&self) -> String {
        let Images { spec, statistics, train, test, .. } = &self.images;
        let batch_norm = match spec.batch_norm {
            BatchNorm::Recompute => format!("batch-norm statistics from {} training images", statistics.len()),
            BatchNorm::Frozen => "batch-norm statistics of the centre".to_owned(),
        };
        let by = match spec.backend {
            BackendKind::Cpu => String::new(),
            other => format!("; backend {other}"),
        };
        format!("{batch_norm}; loss on {} training and {} test images{by}", train.len(), test.len())
    }
}
