//! The losses of batches, on the device that made their logits.

use super::device::Device;
use super::launch::{Launch, cross_entropy};
use super::memory::{Buffer, Out, View};
use super::room::at_least;
use crate::Result;
use crate::exec::Outcome;

/// Labels, losses and hits of one batch, always in the same place; and behind it losses and hits of batches before, which wait
/// to be read.
pub(super) struct Loss {
    labels: Buffer<u16>,
    losses: Buffer<f64>,
    correct: Buffer<u8>,
    images: usize,
    waiting_losses: Buffer<f64>,
    waiting_correct: Buffer<u8>,
    /// Images of the batches that wait.
    waiting: Vec<usize>,
    room: Room,
}

/// How many may wait to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// If one batch has more, those.
    pub(super) images: usize,
    pub(super) batches: usize,
}

impl Loss {
    pub(super) fn new(device: &Device, room: Room) -> Result<Self> {
        Ok(Self {
            labels: Buffer::zeros(device, 0)?,
            losses: Buffer::zeros(device, 0)?,
            correct: Buffer::zeros(device, 0)?,
            images: 0,
            waiting_losses: Buffer::zeros(device, 0)?,
            waiting_correct: Buffer::zeros(device, 0)?,
            waiting: Vec::new(),
            room,
        })
    }

    /// Takes over the labels of a batch.
    pub(super) fn prepare(&mut self, device: &Device, labels: &[u16]) -> Result<()> {
        self.images = labels.len();
        at_least(&mut self.labels, device, self.images)?;
        at_least(&mut self.losses, device, self.images)?;
        at_least(&mut self.correct, device, self.images)?;
        device.send(labels, self.labels.out().part(0..self.images)?)
    }

    /// Where a batch is; a place changes when it becomes longer.
    pub(super) fn places(&self) -> [u64; 3] {
        [self.labels.view().address(), self.losses.view().address(), self.correct.view().address()]
    }

    /// Losses, hits and, if asked for, the gradient of the mean loss with respect to the logits.
    pub(super) fn launch<'a>(&'a self, logits: View<'a, f32>, gradient: Option<Out<'a, f32>>) -> Result<Launch<'a>> {
        let all = || 0..self.images;
        let (losses, correct) = (self.losses.out().part(all())?, self.correct.out().part(all())?);
        cross_entropy(logits, self.labels.view().part(all())?, losses, correct, gradient)
    }

    /// Puts what the launch found behind that of the batches before; if there is no room left, those are read.
    pub(super) fn keep(&mut self, device: &Device) -> Result<Vec<Outcome>> {
        let mut read = Vec::new();
        let mut end: usize = self.waiting.iter().sum();
        if end + self.images > self.waiting_losses.len() || self.waiting.len() >= self.room.batches {
            read = self.read()?;
            end = 0;
            let wanted = self.images.max(self.room.images);
            at_least(&mut self.waiting_losses, device, wanted)?;
            at_least(&mut self.waiting_correct, device, wanted)?;
        }
        let (all, place) = (0..self.images, end..end + self.images);
        self.waiting_losses
            .out()
            .part(place.clone())?
            .copy_from(self.losses.view().part(all.clone())?, device.stream())?;
        self.waiting_correct.out().part(place)?.copy_from(self.correct.view().part(all)?, device.stream())?;
        self.waiting.push(self.images);
        Ok(read)
    }

    /// Forgets what waits.
    pub(super) fn forget(&mut self) {
        self.waiting.clear();
    }

    /// Reads what waits, batch by batch.
    pub(super) fn read(&mut self) -> Result<Vec<Outcome>> {
        let waiting = std::mem::take(&mut self.waiting);
        let all = 0..waiting.iter().sum();
        let losses = self.waiting_losses.view().part(all.clone())?.to_vec()?;
        let correct = self.waiting_correct.view().part(all)?.to_vec()?;
        let (mut losses, mut correct) = (losses.into_iter(), correct.into_iter().map(|hit| hit == 1));
        let batch = |images| Outcome {
            losses: losses.by_ref().take(images).collect(),
            correct: correct.by_ref().take(images).collect(),
        };
        Ok(waiting.into_iter().map(batch).collect())
    }
}
