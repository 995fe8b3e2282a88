//! The slots of a plan, and what its passes need besides, in the memory of a device.

use std::sync::Arc;

use super::algorithms::Precision;
use super::convolution::Convolution;
use super::device::Device;
use super::memory::{Buffer, Element, Out, View};
use super::number::{Bf16, Number, Numbers, Storage};
use super::places::WeightPlaces;
use super::working::Working;
use crate::exec::backend::{self, Slot};
use crate::exec::gpu::fusion::{There, Ways};
use crate::exec::plan::{Forward, Kind, Plan};
use crate::model::graph::{Shape, Window};
use crate::{Error, Result};

/// Slots for batches of images on their way through one plan; they never shrink, so that batches of changing size ask for
/// memory once.
pub(super) struct Room {
    /// How feature maps are kept; vectors are in single precision.
    maps: Storage,
    slots: Vec<Numbers>,
    kinds: Vec<Kind>,
    lengths: Vec<usize>,
    images: usize,
    /// Images of the batch that working memory was last made for.
    prepared: Option<usize>,
    working: Option<Buffers>,
    rounded: Option<Rounded>,
}

/// Working memory.
struct Buffers {
    /// Sums over channels on their way.
    partial: Buffer<f64>,
    /// Slopes of a batch norm's way back.
    slopes: Buffer<f32>,
    /// The gradient with respect to a convolution's weight on its way.
    weight_parts: Buffer<f32>,
    /// 0 but while a kernel counts its blocks.
    counter: Buffer<u32>,
}

/// The weights of convolutions as these multiply by them, where that is not as they are.
struct Rounded {
    places: WeightPlaces,
    table: Buffer<u32>,
    weights: Buffer<Bf16>,
    /// The gradient with respect to a convolution's weight on its way.
    gradient: Buffer<Bf16>,
}

impl Room {
    /// No room yet, for feature maps kept like this.
    pub(super) fn new(maps: Storage) -> Self {
        let (slots, kinds, lengths) = (Vec::new(), Vec::new(), Vec::new());
        Self { maps, slots, kinds, lengths, images: 0, prepared: None, working: None, rounded: None }
    }

    /// Makes room for a batch of so many images on its way through a plan, always the same one.
    pub(super) fn prepare(&mut self, device: &Device, plan: &Plan, ways: &Ways, images: usize) -> Result<()> {
        self.images = images;
        if self.prepared == Some(images) {
            return Ok(());
        }
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
        let needed = Working::of(plan, ways, images)?;
        match &mut self.working {
            Some(there) => {
                at_least(&mut there.partial, device, needed.partial)?;
                at_least(&mut there.slopes, device, needed.slopes)?;
                at_least(&mut there.weight_parts, device, needed.weight_parts)?;
            }
            None => {
                self.working = Some(Buffers {
                    partial: Buffer::zeros(device, needed.partial)?,
                    slopes: Buffer::zeros(device, needed.slopes)?,
                    weight_parts: Buffer::zeros(device, needed.weight_parts)?,
                    counter: Buffer::zeros(device, 1)?,
                });
            }
        }
        if self.maps == Storage::Bf16 && self.rounded.is_none() {
            let places = WeightPlaces::of(plan);
            self.rounded = Some(Rounded {
                table: Buffer::new(device, &places.table()?)?,
                weights: Buffer::zeros(device, places.length)?,
                gradient: Buffer::zeros(device, places.longest)?,
                places,
            });
        }
        self.prepared = Some(images);
        Ok(())
    }

    /// Where everything is that may be elsewhere another time: a place changes when it becomes longer.
    pub(super) fn places(&self) -> impl Iterator<Item = u64> + '_ {
        let working = self
            .working
            .iter()
            .flat_map(|it| [it.partial.view().address(), it.slopes.view().address(), it.weight_parts.view().address()]);
        self.slots.iter().map(Numbers::address).chain(working)
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

    fn working(&self) -> Result<&Buffers> {
        self.working.as_ref().ok_or_else(unprepared)
    }

    /// Sums over channels on their way.
    pub(super) fn partial(&self) -> Result<Out<'_, f64>> {
        Ok(self.working()?.partial.out())
    }

    /// Slopes of a batch norm's way back.
    pub(super) fn slopes(&self) -> Result<Out<'_, f32>> {
        Ok(self.working()?.slopes.out())
    }

    /// The gradient with respect to a convolution's weight on its way through a kernel of ours.
    pub(super) fn weight_parts(&self) -> Result<Out<'_, f32>> {
        Ok(self.working()?.weight_parts.out())
    }

    /// 0 but while a kernel counts its blocks.
    pub(super) fn counter(&self) -> Result<Out<'_, u32>> {
        Ok(self.working()?.counter.out())
    }

    /// The rounded weights of all convolutions and the table of them, if there are convolutions that take them.
    pub(super) fn all_rounded(&self) -> Result<Option<(View<'_, u32>, Out<'_, Bf16>)>> {
        let known = self.rounded.as_ref().filter(|it| it.places.length > 0);
        Ok(known.map(|it| (it.table.view(), it.weights.out())))
    }

    /// The rounded weight of a convolution.
    pub(super) fn rounded(&self, op: &backend::Convolution) -> Result<Out<'_, Bf16>> {
        let known = self.rounded.as_ref().ok_or_else(unprepared)?;
        known.weights.out().part(known.places.get(op).ok_or_else(unprepared)?)
    }

    /// Its rounded gradient.
    pub(super) fn rounded_gradient(&self, op: &backend::Convolution) -> Result<Out<'_, Bf16>> {
        self.rounded.as_ref().ok_or_else(unprepared)?.gradient.out().part(0..op.weight.len())
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

/// cuDNN's convolutions by their shapes, each made when it is first needed.
pub(super) struct Convolutions {
    precision: Precision,
    made: Vec<(Shapes, Convolution)>,
}

/// What tells convolutions apart.
type Shapes = (usize, Shape, Shape, Window);

impl Convolutions {
    pub(super) fn new(precision: Precision) -> Self {
        Self { precision, made: Vec::new() }
    }

    /// Makes those that are left for cuDNN, for so many images.
    pub(super) fn prepare(&mut self, device: &Arc<Device>, ways: &Ways, images: usize) -> Result<()> {
        for step in &ways.there {
            if let There::Step(Forward::Convolution { op, .. }) = step
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
        let shapes = (images, op.input, op.output, op.window);
        self.made.iter().find(|(made, _)| *made == shapes).map(|(_, convolution)| convolution)
    }
}
