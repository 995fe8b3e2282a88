//! The loss of a batch, on the device that made its logits.

use super::device::Device;
use super::launch::{Launch, cross_entropy};
use super::memory::{Buffer, Out, View};
use super::room::at_least;
use crate::Result;
use crate::exec::Outcome;

/// Labels, losses and hits of a batch.
pub(super) struct Loss {
    labels: Buffer<u16>,
    losses: Buffer<f64>,
    correct: Buffer<u8>,
    images: usize,
}

impl Loss {
    pub(super) fn new(device: &Device) -> Result<Self> {
        let (labels, losses, correct) =
            (Buffer::zeros(device, 0)?, Buffer::zeros(device, 0)?, Buffer::zeros(device, 0)?);
        Ok(Self { labels, losses, correct, images: 0 })
    }

    /// Takes over the labels of a batch.
    pub(super) fn prepare(&mut self, device: &Device, labels: &[u16]) -> Result<()> {
        self.images = labels.len();
        at_least(&mut self.labels, device, self.images)?;
        at_least(&mut self.losses, device, self.images)?;
        at_least(&mut self.correct, device, self.images)?;
        self.labels.out().part(0..self.images)?.upload(labels)
    }

    /// Losses, hits and the gradient of the mean loss with respect to the logits.
    pub(super) fn launch<'a>(&'a self, logits: View<'a, f32>, gradient: Out<'a, f32>) -> Result<Launch<'a>> {
        let all = 0..self.images;
        let (losses, correct) = (self.losses.out().part(all.clone())?, self.correct.out().part(all.clone())?);
        cross_entropy(logits, self.labels.view().part(all)?, losses, correct, Some(gradient))
    }

    /// What the launch found.
    pub(super) fn read(&self) -> Result<Outcome> {
        let losses = self.losses.view().part(0..self.images)?.to_vec()?;
        let correct = self.correct.view().part(0..self.images)?.to_vec()?;
        Ok(Outcome { losses, correct: correct.into_iter().map(|hit| hit == 1).collect() })
    }
}
