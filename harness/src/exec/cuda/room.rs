//! The slots of a plan, and what its passes need besides, in the memory of a device.

use std::sync::Arc;

use super::algorithms::Precision;
use super::convolution::Convolution;
use super::device::Device;
use super::launch::Planes;
use super::memory::{Buffer, Element, Out};
use crate::exec::backend::{self, Slot};
use crate::exec::plan::{Forward, Plan};
use crate::model::graph::{Shape, Window};
use crate::{Error, Result};

/// Slots for a batch of images; they never shrink, so that batches of changing size ask for memory once.
#[derive(Default)]
pub(super) struct Room {
    slots: Vec<Buffer<f32>>,
    lengths: Vec<usize>,
    images: usize,
    /// Sums over channels on their way.
    partial: Option<Buffer<f64>>,
    /// Slopes of a batch norm's way back.
    slopes: Option<Buffer<f32>>,
}

impl Room {
    /// Makes room for a batch of so many images on its way through a plan.
    pub(super) fn prepare(&mut self, device: &Device, plan: &Plan, images: usize) -> Result<()> {
        self.images = images;
        self.lengths.clone_from(&plan.slots);
        for (place, length) in plan.slots.iter().enumerate() {
            match self.slots.get_mut(place) {
                Some(slot) => at_least(slot, device, length * images)?,
                None => self.slots.push(Buffer::zeros(device, length * images)?),
            }
        }
        let [partial, slopes] = working_memory(plan, images);
        optional_at_least(&mut self.partial, device, partial)?;
        optional_at_least(&mut self.slopes, device, slopes)
    }

    /// Where everything is; a place changes when it becomes longer.
    pub(super) fn places(&self) -> impl Iterator<Item = u64> + '_ {
        let slots = self.slots.iter().map(|slot| slot.view().address());
        let partial = self.partial.iter().map(|buffer| buffer.view().address());
        slots.chain(partial).chain(self.slopes.iter().map(|buffer| buffer.view().address()))
    }

    /// Images of the batch.
    pub(super) fn images(&self) -> usize {
        self.images
    }

    /// A slot.
    pub(super) fn slot(&self, slot: Slot) -> Result<Out<'_, f32>> {
        self.slots[slot.0].out().part(0..self.lengths[slot.0] * self.images)
    }

    /// Sums over channels on their way.
    pub(super) fn partial(&self) -> Result<Out<'_, f64>> {
        self.partial.as_ref().map(Buffer::out).ok_or_else(unprepared)
    }

    /// Slopes of a batch norm's way back.
    pub(super) fn slopes(&self) -> Result<Out<'_, f32>> {
        self.slopes.as_ref().map(Buffer::out).ok_or_else(unprepared)
    }
}

fn unprepared() -> Error {
    Error::device("a pass on the GPU has no working memory; it was not prepared")
}

/// Makes a buffer at least this long; what it held is lost if it was shorter.
pub(super) fn at_least<T: Element>(buffer: &mut Buffer<T>, device: &Device, length: usize) -> Result<()> {
    if buffer.len() < length {
        *buffer = Buffer::zeros(device, length)?;
    }
    Ok(())
}

fn optional_at_least<T: Element>(buffer: &mut Option<Buffer<T>>, device: &Device, length: usize) -> Result<()> {
    match buffer {
        Some(buffer) => at_least(buffer, device, length),
        None => Buffer::zeros(device, length).map(|made| *buffer = Some(made)),
    }
}

/// Partial sums and slopes that a plan's steps need, there and back, by turns.
pub(super) fn working_memory(plan: &Plan, images: usize) -> [usize; 2] {
    let needed = plan.forward.iter().map(|step| match step {
        Forward::Convolution { op, .. } => [biased(op.output, images).partial_sums(), 0],
        Forward::BatchNorm { op, .. } => [normed(op, images).partial_sums(), 3 * op.channels],
        Forward::Linear { op, .. } => [outputs(op, images).partial_sums(), 0],
        _ => [0; 2],
    });
    needed.fold([0; 2], |most, own| [most[0].max(own[0]), most[1].max(own[1])])
}

/// What a bias is added to.
pub(super) fn biased(output: Shape, images: usize) -> Planes {
    Planes { images, channels: output.channels, plane: output.plane() }
}

/// What a batch norm sees.
pub(super) fn normed(op: &backend::BatchNorm, images: usize) -> Planes {
    Planes { images, channels: op.channels, plane: op.plane }
}

/// What a linear layer makes.
pub(super) fn outputs(op: &backend::Linear, images: usize) -> Planes {
    Planes { images, channels: op.outputs, plane: 1 }
}

/// Convolutions by their shapes, each made when it is first needed.
pub(super) struct Convolutions {
    precision: Precision,
    made: Vec<(Form, Convolution)>,
}

/// What tells convolutions apart.
type Form = (usize, Shape, Shape, Window);

impl Convolutions {
    pub(super) fn new(precision: Precision) -> Self {
        Self { precision, made: Vec::new() }
    }

    /// Makes those that a plan needs for so many images.
    pub(super) fn prepare(&mut self, device: &Arc<Device>, plan: &Plan, images: usize) -> Result<()> {
        for step in &plan.forward {
            if let Forward::Convolution { op, .. } = step
                && self.find(op, images).is_none()
            {
                let made = Convolution::new(device, images, op.input, op.output, op.window, self.precision)?;
                self.made.push(((images, op.input, op.output, op.window), made));
            }
        }
        Ok(())
    }

    /// That of an operation.
    pub(super) fn get(&self, op: &backend::Convolution, images: usize) -> Result<&Convolution> {
        self.find(op, images).ok_or_else(|| Error::device("a convolution on the GPU was not prepared"))
    }

    fn find(&self, op: &backend::Convolution, images: usize) -> Option<&Convolution> {
        let form = (images, op.input, op.output, op.window);
        self.made.iter().find(|(made, _)| *made == form).map(|(_, convolution)| convolution)
    }
}
