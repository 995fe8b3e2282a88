//! What carries out a whole network: forward, and back.

use super::examples::Images;
use super::run::AllMoments;
use super::{Mode, Outcome, Recordings, StatisticsPass, loss};
use crate::optim::Step;
use crate::params::Line;
use crate::{Result, Scalar};

/// Runs one network; keeps its memory, and the values of a pass for the way back.
///
/// An engine with memory of its own may leave there what batches find until it is asked for: [`collect`](Self::collect)
/// lies between [`open_pass`](Self::open_pass) and [`close_pass`](Self::close_pass), and after
/// [`evaluate`](Self::evaluate) comes [`evaluated`](Self::evaluated).
pub(crate) trait Engine<T: Scalar>: Send {
    /// Takes over the parameters for the passes to come.
    fn load(&mut self, parameters: &[T]) -> Result<()>;
    /// The same with those of a point of a line.
    fn load_at(&mut self, line: &Line<'_, T>, offset: f64) -> Result<()> {
        self.load(&line.values(offset))
    }
    /// The logits of a batch without dropout; in [`Mode::Training`] the moments become those of the batch.
    fn logits(&mut self, images: Images<'_, T>, mode: Mode, moments: &mut AllMoments) -> Result<Vec<T>>;
    /// As [`logits`](Self::logits), but with the factors of every dropout in the graph's order, and prepared for the way
    /// back.
    fn forward(
        &mut self,
        images: Images<'_, T>,
        factors: &[Vec<T>],
        mode: Mode,
        moments: &mut AllMoments,
    ) -> Result<Vec<T>>;
    /// The gradient with respect to the parameters, from that with respect to the logits of the last
    /// [`forward`](Self::forward).
    fn backward(&mut self, logits_gradient: &[T], moments: &AllMoments, gradient: &mut [T]) -> Result<()>;
    /// Losses and hits of a batch with these moments and without dropout, which are added here or later.
    fn evaluate(
        &mut self,
        images: Images<'_, T>,
        labels: &[u16],
        moments: &mut AllMoments,
        into: &mut Outcome,
    ) -> Result<()> {
        let logits = self.logits(images, Mode::Evaluation, moments)?;
        into.extend(loss::cross_entropy(&logits, labels));
        Ok(())
    }
    /// Adds the losses and hits that are missing.
    fn evaluated(&mut self, _into: &mut Outcome) -> Result<()> {
        Ok(())
    }
    /// Goes on with a pass for batch-norm statistics.
    fn open_pass(&mut self, _pass: &StatisticsPass) -> Result<()> {
        Ok(())
    }
    /// Takes a batch without dropout into the pass with a share of the means, here or later; `counts` are the values a
    /// channel of each batch norm.
    fn collect(
        &mut self,
        images: Images<'_, T>,
        (share, counts): (f64, &[usize]),
        moments: &mut AllMoments,
        pass: &mut StatisticsPass,
    ) -> Result<()> {
        self.logits(images, Mode::Training, moments)?;
        pass.add(share, counts, moments);
        Ok(())
    }
    /// Takes in what is missing of the pass.
    fn close_pass(&mut self, _pass: &mut StatisticsPass) -> Result<()> {
        Ok(())
    }
    /// How many images are best evaluated at a time.
    fn evaluation_slice(&self) -> usize {
        EVALUATION_SLICE
    }
    /// The engine as one that trains in memory of its own; none where the parameters are in the caller's anyway.
    fn resident(&mut self) -> Option<&mut dyn Resident<T>> {
        None
    }
}

/// Images evaluated at a time on a processor: few enough that their values stay in the cache, enough to feed many threads.
const EVALUATION_SLICE: usize = 64;

/// Steps of SGD, and averages, without a way from and to the caller's memory: parameters, gradient and velocity stay with the
/// engine.
pub(crate) trait Resident<T> {
    /// Takes over the velocity, and the running means and variances, for the steps to come; the parameters are those of
    /// the last [`load`](Engine::load).
    fn set_out(&mut self, velocity: &[T], running: [&[T]; 2]) -> Result<()>;
    /// A batch there, as by [`forward`](Engine::forward) in [`Mode::Training`], and back, then a step down the gradient of
    /// its mean loss: the passes to come have the new parameters. The running means and variances move towards those of
    /// the batch, of which `counts` are the values a channel of each batch norm.
    ///
    /// What the network said before its steps, batch by batch: of none or some of those that were not told yet.
    fn step(
        &mut self,
        images: Images<'_, T>,
        labels: &[u16],
        factors: &[Vec<T>],
        counts: &[usize],
        step: Step<T>,
    ) -> Result<Vec<Outcome>>;
    /// Waits for the steps, and tells of all that were not told yet.
    fn settle(&mut self) -> Result<Vec<Outcome>>;
    /// Which of the work that is the same for every batch of a size is started as one.
    fn recordings(&self) -> Recordings;
    /// Where the steps have led.
    fn arrive(&mut self, parameters: &mut [T], velocity: &mut [T], running: [&mut [T]; 2]) -> Result<()>;
    /// Takes the parameters into a mean, as point number `count`.
    fn average(&mut self, mean: &mut [f64], count: u64) -> Result<()>;
}
