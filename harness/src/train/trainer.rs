//! The two phases of a run, start to end.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use valleys_sim::progress::Observer;
use valleys_sim::record::Epoch;

use super::config::Recipe;
use super::epoch::Phase;
use super::evaluate;
use super::state::{Identity, State};
use crate::average::{Average, recompute_statistics};
use crate::data::loader::EpochBatches;
use crate::data::{Augmentation, Dataset, ImageSet};
use crate::exec::{Executor, Outcome};
use crate::model::Graph;
use crate::optim::Sgd;
use crate::params::Weights;
use crate::{Error, Result, checkpoint};

/// Trains one network on one data set, and measures its solutions.
///
/// With a folder, every completed epoch is kept in `PHASE.state.safetensors` there, and a trainer over the same folder
/// continues after it, to the same bits as a run that never stopped. Solutions are written beside it under their
/// PyTorch names: `swa.safetensors`, `sgd-after-swa.safetensors`.
pub struct Trainer<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) data: &'a Dataset,
    pub(super) observer: &'a dyn Observer,
    pub(super) executor: Executor<f32>,
    folder: Option<PathBuf>,
}

/// What a phase of training ends with.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The phase's solution: the average for SGD with averaging, else the last iterate.
    pub solution: Weights<f32>,
    /// The last iterate.
    pub last: Weights<f32>,
    /// One record an epoch.
    pub epochs: Vec<Epoch>,
}

impl<'a> Trainer<'a> {
    /// Builds the network, and the folder if one is given.
    pub fn new(
        recipe: &'a Recipe,
        data: &'a Dataset,
        folder: Option<&Path>,
        observer: &'a dyn Observer,
    ) -> Result<Self> {
        if let Some(folder) = folder {
            fs::create_dir_all(folder).map_err(Error::io(folder))?;
        }
        let executor = Executor::new(Arc::new(recipe.config().architecture.graph(data.classes())?))?;
        Ok(Self { recipe, data, observer, executor, folder: folder.map(Path::to_owned) })
    }

    /// The network.
    pub fn graph(&self) -> &Arc<Graph> {
        self.executor.graph()
    }

    /// SGD from a random start, then its average (Section 6.1): the averaged network with its own batch-norm statistics.
    pub fn swa(&mut self) -> Result<Trained> {
        let start = Weights::initialise(self.graph(), self.recipe.config().seed);
        let state = self.run(Phase::Swa, start)?;
        let solution = self.averaged(&state)?;
        self.keep("swa", &solution)?;
        Ok(Trained { solution, last: state.weights, epochs: state.epochs })
    }

    /// SGD from the averaged solution on, at a small constant rate with fresh momentum: "the SGD solution" of Section
    /// 6.1. The last epoch is the solution; nothing is selected.
    pub fn sgd_after_swa(&mut self, swa: &Weights<f32>) -> Result<Trained> {
        let state = self.run(Phase::SgdAfterSwa, swa.clone())?;
        self.keep("sgd-after-swa", &state.weights)?;
        Ok(Trained { solution: state.weights.clone(), last: state.weights, epochs: state.epochs })
    }

    /// [`evaluate()`] with this trainer's network.
    pub fn evaluate(&mut self, weights: &Weights<f32>, set: &ImageSet) -> Result<Outcome> {
        evaluate(&mut self.executor, weights, set, self.data.normalisation(), self.observer)
    }

    /// The averaged network of a state, with batch-norm statistics of its own.
    ///
    /// They come from the whole training set as the next epoch would see it, varied like the images that the iterates
    /// had their statistics from: padding changes the statistics, and a network that meets others is the worse for it.
    pub(super) fn averaged(&mut self, state: &State) -> Result<Weights<f32>> {
        let mut averaged = state.average.applied_to(&state.weights);
        let weighting = self.recipe.config().statistics;
        let batches = self.batches(state.epochs.len() as u32);
        recompute_statistics(&mut self.executor, &mut averaged, &batches, weighting, self.observer)?;
        Ok(averaged)
    }

    /// The training images as an epoch sees them.
    pub(super) fn batches(&self, epoch: u32) -> EpochBatches<'a> {
        let config = self.recipe.config();
        let augmentation = if config.augment { self.data.augmentation() } else { Augmentation::NONE };
        EpochBatches::new(self.data, augmentation, config.batch_size, config.seed, epoch)
    }

    fn run(&mut self, phase: Phase, start: Weights<f32>) -> Result<State> {
        let identity = Identity::new(phase.name(), self.recipe, self.data, &start);
        let file = self.folder.as_ref().map(|folder| folder.join(format!("{}.state.safetensors", phase.name())));
        let mut state = match &file {
            Some(file) if file.exists() => State::load(file, start.layout(), &identity, self.recipe)?,
            _ => {
                let dimension = start.values.len();
                let sgd = Sgd::new(self.recipe.sgd(), dimension)?;
                State { weights: start, sgd, average: Average::new(dimension), epochs: Vec::new() }
            }
        };
        let total = phase.epochs(self.recipe) as usize;
        let left = total - state.epochs.len().min(total);
        let title =
            format!("{} of {} on {}", phase.title(), self.recipe.config().architecture.title(), self.data.title());
        self.observer.begin(&title, (left * self.data.train().len()) as u64);
        let outcome = (0..left).try_for_each(|_| {
            self.epoch(phase, &mut state)?;
            file.as_ref().map_or(Ok(()), |file| state.save(file, &identity))
        });
        self.observer.finish();
        outcome.map(|()| state)
    }

    fn keep(&self, name: &str, weights: &Weights<f32>) -> Result<()> {
        match &self.folder {
            Some(folder) => checkpoint::save(&folder.join(format!("{name}.safetensors")), weights),
            None => Ok(()),
        }
    }
}
