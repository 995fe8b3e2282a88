//! The slots of a plan, and what its passes need besides, in the memory of a device.

use std::sync::Arc;

use super::algorithms::Precision;
use super::convolution::Convolution;
use super::device::Device;
use super::launch::Planes;
use super::memory::{Buffer, Element, Out};
use super::number::{Bf16, Number, Numbers, Storage};
use super::places::WeightPlaces;
use crate::exec::backend::{self, Slot};
use crate::exec::plan::{Forward, Kind, Plan};
use crate::model::graph::{Shape, Window};
use crate::{Error, Result};

/// Slots for a batch of images; they never shrink, so that batches of changing size ask for memory once.
pub(super) struct Room {
    /// How feature maps are kept; vectors are in single precision.
    maps: Storage,
    slots: Vec<Numbers>,
    kinds: Vec<Kind>,
    lengths: Vec<usize>,
    images: usize,
    /// Sums over channels on their way.
    partial: Option<Buffer<f64>>,
    /// Slopes of a batch norm's way back.
    slopes: Option<Buffer<f32>>,
    /// The weights of convolutions as these multiply by them, where that is not as they are.
    weights: WeightPlaces,
    rounded: Option<Buffer<Bf16>>,
    /// The gradient with respect to a convolution's weight on its way.
    rounded_gradient: Option<Buffer<Bf16>>,
}

impl Room {
    /// No room yet, for feature maps kept like this.
    pub(super) fn new(maps: Storage) -> Self {
        let (slots, kinds, lengths) = (Vec::new(), Vec::new(), Vec::new());
        let (partial, slopes, rounded, rounded_gradient) = (None, None, None, None);
        let weights = WeightPlaces::default();
        Self { maps, slots, kinds, lengths, images: 0, partial, slopes, weights, rounded, rounded_gradient }
    }

    /// Makes room for a batch of so many images on its way through a plan.
    pub(super) fn prepare(&mut self, device: &Device, plan: &Plan, images: usize) -> Result<()> {
        self.images = images;
        self.lengths.clone_from(&plan.slots);
        self.kinds.clone_from(&plan.kinds);
        for (place, length) in plan.slots.iter().enumerate() {
            let storage = self.storage(Slot(place));
            match self.slots.get_mut(place) {
                Some(slot) if slot.len() >= length * images => {}
                Some(slot) => *slot = Numbers::zeros(device, storage, length * images)?,
                None => self.slots.push(Numbers::zeros(device, storage, length * images)?),
            }
        }
        let [partial, slopes] = working_memory(plan, images);
        optional_at_least(&mut self.partial, device, partial)?;
        optional_at_least(&mut self.slopes, device, slopes)?;
        if self.maps == Storage::Bf16 {
            self.weights = WeightPlaces::of(plan);
            optional_at_least(&mut self.rounded, device, self.weights.length)?;
            optional_at_least(&mut self.rounded_gradient, device, self.weights.longest)?;
        }
        Ok(())
    }

    /// Where everything is; a place changes when it becomes longer.
    pub(super) fn places(&self) -> impl Iterator<Item = u64> + '_ {
        let rounded = self.rounded.iter().chain(&self.rounded_gradient).map(|buffer| buffer.view().address());
        let partial = self.partial.iter().map(|buffer| buffer.view().address());
        let slopes = self.slopes.iter().map(|buffer| buffer.view().address());
        self.slots.iter().map(Numbers::address).chain(rounded).chain(partial).chain(slopes)
    }

    /// Images of the batch.
    pub(super) fn images(&self) -> usize {
        self.images
    }

    /// How a slot's numbers are kept.
    pub(super) fn storage(&self, slot: Slot) -> Storage {
        match self.kinds[slot.0] {
            Kind::Map => self.maps,
            Kind::Vector => Storage::F32,
        }
    }

    /// A slot, of such numbers as it holds.
    pub(super) fn slot<E: Number>(&self, slot: Slot) -> Result<Out<'_, E>> {
        self.slots[slot.0].out()?.part(0..self.lengths[slot.0] * self.images)
    }

    /// Sums over channels on their way.
    pub(super) fn partial(&self) -> Result<Out<'_, f64>> {
        self.partial.as_ref().map(Buffer::out).ok_or_else(unprepared)
    }

    /// Slopes of a batch norm's way back.
    pub(super) fn slopes(&self) -> Result<Out<'_, f32>> {
        self.slopes.as_ref().map(Buffer::out).ok_or_else(unprepared)
    }

    /// The rounded weight of a convolution.
    pub(super) fn rounded(&self, op: &backend::Convolution) -> Result<Out<'_, Bf16>> {
        let place = self.weights.get(op).ok_or_else(unprepared)?;
        self.rounded.as_ref().ok_or_else(unprepared)?.out().part(place)
    }

    /// Its rounded gradient.
    pub(super) fn rounded_gradient(&self, op: &backend::Convolution) -> Result<Out<'_, Bf16>> {
        self.rounded_gradient.as_ref().ok_or_else(unprepared)?.out().part(0..op.weight.len())
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
