//! The losses of batches, on the device that made their logits.

use super::device::Device;
use super::launch::{Launch, cross_entropy};
use super::memory::{Buffer, Out, View};
use super::room::at_least;
use crate::Result;
use crate::exec::Outcome;

/// Labels, losses and hits of batches, the last of which lies at `batch`.
pub(super) struct Loss {
    /// Images whose losses may wait to be read.
    room: usize,
    labels: Buffer<u16>,
    losses: Buffer<f64>,
    correct: Buffer<u8>,
    batch: std::ops::Range<usize>,
}

impl Loss {
    /// Reads losses when there is no room for those of so many images, or of one batch.
    pub(super) fn new(device: &Device, room: usize) -> Result<Self> {
        let (labels, losses, correct) =
            (Buffer::zeros(device, 0)?, Buffer::zeros(device, 0)?, Buffer::zeros(device, 0)?);
        Ok(Self { room, labels, losses, correct, batch: 0..0 })
    }

    /// Takes over the labels of a batch, behind those that wait; if they leave no room, they are read first.
    pub(super) fn prepare(&mut self, device: &Device, labels: &[u16], into: &mut Outcome) -> Result<()> {
        if self.batch.end + labels.len() > self.labels.len() {
            self.read(into)?;
            let wanted = labels.len().max(self.room);
            at_least(&mut self.labels, device, wanted)?;
            at_least(&mut self.losses, device, wanted)?;
            at_least(&mut self.correct, device, wanted)?;
        }
        self.batch = self.batch.end..self.batch.end + labels.len();
        self.labels.out().part(self.batch.clone())?.upload(labels)
    }

    /// Losses, hits and, if asked for, the gradient of the mean loss with respect to the logits.
    pub(super) fn launch<'a>(&'a self, logits: View<'a, f32>, gradient: Option<Out<'a, f32>>) -> Result<Launch<'a>> {
        let batch = || self.batch.clone();
        let (losses, correct) = (self.losses.out().part(batch())?, self.correct.out().part(batch())?);
        cross_entropy(logits, self.labels.view().part(batch())?, losses, correct, gradient)
    }

    /// Adds what the launches found since the last time.
    pub(super) fn read(&mut self, into: &mut Outcome) -> Result<()> {
        let waiting = 0..self.batch.end;
        self.batch = 0..0;
        let losses = self.losses.view().part(waiting.clone())?.to_vec()?;
        let correct = self.correct.view().part(waiting)?.to_vec()?;
        into.extend(Outcome { losses, correct: correct.into_iter().map(|hit| hit == 1).collect() });
        Ok(())
    }
}
