//! The phases of a run, start to end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use valleys_sim::progress::Observer;
use valleys_sim::record::Epoch;

use super::recipe::{Phase, Recipe, Start};
use super::select::Reference;
use super::state::{Identity, State};
use super::store::Store;
use super::{epoch, evaluate};
use crate::average::{Average, recompute_statistics};
use crate::checkpoint::{self, About};
use crate::data::loader::EpochBatches;
use crate::data::{Augmentation, Dataset, ImageSet};
use crate::exec::{Executor, Outcome};
use crate::metrics::Metrics;
use crate::model::Graph;
use crate::params::Weights;
use crate::{Error, Result};

/// Trains one network on one data set.
///
/// With a run folder, the following is kept there, and a trainer over the same folder goes on where the last one
/// stopped, to the same bits as a run that never stopped.
///
/// ```text
/// checkpoints/PHASE/…             the states of a phase (`train::store`)
/// checkpoints/PHASE.safetensors   its solution, under PyTorch's names
/// metrics.jsonl, metrics.csv      one line an epoch
/// tensorboard/                    the same as event files
/// ```
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
    /// The phase's solution: its average, or the epoch that its rule selects.
    pub solution: Weights<f32>,
    /// What the solution is, such as `average of 100 epochs` or `last epoch`.
    pub chosen: String,
    /// The last iterate.
    pub last: Weights<f32>,
    /// Its velocity.
    pub velocity: Vec<f32>,
    /// One record an epoch.
    pub epochs: Vec<Epoch>,
}

impl<'a> Trainer<'a> {
    /// Builds the network.
    ///
    /// # Errors
    /// [`Error::Domain`] if a phase selects by held-out images and the data set has none.
    pub fn new(
        recipe: &'a Recipe,
        data: &'a Dataset,
        folder: Option<&Path>,
        observer: &'a dyn Observer,
    ) -> Result<Self> {
        if recipe.needs_held_out() && data.held_out().is_none() {
            return Err(Error::domain("number of held-out images", 0, "at least 1, for select = \"held-out\""));
        }
        let config = recipe.config();
        let executor = Executor::on(Arc::new(config.network.graph(data.classes())?), config.backend)?;
        Ok(Self { recipe, data, observer, executor, folder: folder.map(Path::to_owned) })
    }

    /// The network.
    pub fn graph(&self) -> &Arc<Graph> {
        self.executor.graph()
    }

    /// All phases, one after the other; one result a phase.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the observer asks, [`Error::Domain`] for a loss that is not finite, [`Error::File`] for
    /// states that are damaged, belong to another run, or cannot be written.
    pub fn run(&mut self) -> Result<Vec<Trained>> {
        let config = self.recipe.config();
        let mut metrics = self.folder.as_deref().map(Metrics::open).transpose()?;
        let mut done: Vec<Trained> = Vec::new();
        for phase in self.recipe.phases() {
            let (start, velocity) = match phase.start() {
                Start::Random => (Weights::initialise_with(self.graph(), config.seed, config.norm_weights), None),
                Start::Solution(place) => {
                    let before = &done[place];
                    (before.solution.clone(), phase.restores_momentum().then(|| before.velocity.clone()))
                }
            };
            let trained = self.phase(phase, start, velocity, metrics.as_mut())?;
            done.push(trained);
        }
        Ok(done)
    }

    /// [`evaluate()`] with this trainer's network.
    pub fn evaluate(&mut self, weights: &Weights<f32>, set: &ImageSet) -> Result<Outcome> {
        evaluate(&mut self.executor, weights, set, self.data.normalisation(), self.observer)
    }

    /// The network of an average, with batch-norm statistics of its own.
    ///
    /// They come from the whole training set as the next epoch, `number`, would see it, varied like the images that the
    /// iterates had their statistics from: padding changes the statistics, and a network that meets others is the worse
    /// for it.
    pub(super) fn averaged(
        &mut self,
        phase: &Phase,
        weights: &Weights<f32>,
        average: &Average,
        number: u32,
    ) -> Result<Weights<f32>> {
        let mut averaged = average.applied_to(weights);
        let weighting = self.recipe.config().statistics;
        let batches = self.batches(phase, number);
        recompute_statistics(&mut self.executor, &mut averaged, &batches, weighting, self.observer)?;
        Ok(averaged)
    }

    /// The training images as an epoch of a phase sees them.
    pub(super) fn batches(&self, phase: &Phase, epoch: u32) -> EpochBatches<'a> {
        let config = self.recipe.config();
        let augmentation = if config.augment { self.data.augmentation() } else { Augmentation::NONE };
        EpochBatches::new(self.data, augmentation, phase.batch_size(), config.seed, epoch)
    }

    fn phase(
        &mut self,
        phase: &Phase,
        start: Weights<f32>,
        velocity: Option<Vec<f32>>,
        mut metrics: Option<&mut Metrics>,
    ) -> Result<Trained> {
        let mut identity = Identity::new(self.recipe, phase, self.data, &start, velocity.as_deref());
        let store = match &self.folder {
            None => None,
            Some(folder) => Some(Store::open(&folder.join("checkpoints"), phase, self.recipe.config().checkpoints)?),
        };
        let layout = Arc::clone(start.layout());
        let kept = match &store {
            Some(store) => store.newest(&layout, &identity, self.recipe, self.observer)?,
            None => None,
        };
        let mut state = match kept {
            Some((state, kept)) => {
                identity = kept;
                state
            }
            None => State::new(self.recipe, start, velocity)?,
        };
        if let Some(metrics) = metrics.as_deref_mut() {
            metrics.resume(&state.epochs)?;
        }
        let left = (phase.epochs() as usize).saturating_sub(state.epochs.len());
        let backend = self.recipe.config().backend;
        if left > 0 && backend != identity.backend() {
            let (done, all, before) = (state.epochs.len(), phase.epochs(), identity.backend());
            let note =
                format!("{}: {backend} goes on where {before} stopped, after {done} of {all} epochs", phase.name());
            self.observer.note(&note);
            identity = identity.continued(backend, &state);
        }
        let images = self.data.train().len();
        let begun = state.begun.map_or(0, |begun| (begun.batches * phase.batch_size()).min(images));
        let title = format!("{} of {} on {}", phase.title(), self.recipe.config().network.title(), self.data.title());
        self.observer.begin(&title, (left * images - begun.min(left * images)) as u64);
        let outcome: Result<()> = (0..left).try_for_each(|_| {
            if state.reference.is_none() && phase.select().needs_reference() {
                state.reference = Some(self.reference(phase, &state.weights)?);
            }
            let keep = |state: &State| store.as_ref().map_or(Ok(()), |store| store.keep(state, &identity));
            self.epoch(phase, &mut state, &keep)?;
            keep(&state)?;
            if let Some(metrics) = metrics.as_deref_mut() {
                metrics.push(&state.epochs[state.epochs.len() - 1])?;
            }
            self.observer.note(&epoch::line(&state.epochs[state.epochs.len() - 1]));
            Ok(())
        });
        self.observer.finish();
        outcome?;
        self.conclude(phase, state, &identity)
    }

    /// What the official rule compares with: the start's losses, before the first step.
    fn reference(&mut self, phase: &Phase, start: &Weights<f32>) -> Result<Reference> {
        let batches = self.batches(phase, phase.number(0));
        let train = self.executor.load(start)?.evaluate_all(&batches, self.observer)?;
        if !train.is_finite() {
            return Err(Error::domain("training loss of the start", train.mean_loss(), "a finite number"));
        }
        let test = self.evaluate(start, self.data.test())?;
        Ok(Reference { train_loss: train.mean_loss(), test_loss: test.mean_loss() })
    }

    /// The solution of a phase that is over: from its file, or made and kept.
    fn conclude(&mut self, phase: &Phase, state: State, identity: &Identity) -> Result<Trained> {
        let config = self.recipe.config();
        let averaged = state.average.count();
        let chosen = match averaged {
            0 => phase.select().words(state.chosen.as_ref()),
            1 => "average of 1 epoch".to_owned(),
            count => format!("average of {count} epochs"),
        };
        let (network, classes) = (config.network, self.data.classes());
        let about = |identity: &Identity| About {
            network,
            classes,
            data: self.data.name().to_owned(),
            data_sha256: self.data.checksum().to_owned(),
            phase: phase.name().to_owned(),
            solution: chosen.clone(),
            run: identity.digest(),
        };
        // An average has its statistics from the backend of today, if it has none yet.
        let today = identity.continued(config.backend, &state);
        let [about, about_today] = [about(identity), about(&today)];
        let file = self.folder.as_ref().map(|folder| folder.join(format!("checkpoints/{}.safetensors", phase.name())));
        let known = match &file {
            Some(file) if file.exists() => checkpoint::load_solution(file, state.weights.layout()).ok(),
            _ => None,
        };
        let solution = match known {
            Some((solution, known)) if known == about || known == about_today => solution,
            _ => {
                let (solution, about) = match &state.chosen {
                    Some(chosen) => (chosen.weights.clone(), about),
                    None if averaged > 0 => {
                        let number = phase.number(phase.epochs());
                        (self.averaged(phase, &state.weights, &state.average, number)?, about_today)
                    }
                    None => (state.weights.clone(), about),
                };
                if let Some(file) = &file {
                    checkpoint::save_solution(file, &solution, &about)?;
                }
                solution
            }
        };
        let velocity = state.sgd.velocity().to_vec();
        Ok(Trained { solution, chosen, last: state.weights, velocity, epochs: state.epochs })
    }
}
