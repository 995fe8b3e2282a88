//! A machine whose slots are in the host's memory, with the reference's convolutions in the place of cuDNN's.

use std::cell::{Cell, RefCell};

use super::kept::{Kept, ONE, arranged, arranged_back, keep};
use super::{Host, double, reference, run, single};
use crate::Result;
use crate::exec::backend::{Backend, Convolution, Slot, Target};
use crate::exec::cuda::launch::Launch;
use crate::exec::cuda::machine::Machine;
use crate::exec::cuda::memory::{Out, View};
use crate::exec::cuda::number::{Bf16, Number, Storage};
use crate::exec::cuda::places::WeightPlaces;
use crate::exec::cuda::working::Working;
use crate::exec::gpu::fusion::Ways;
use crate::exec::plan::{Kind, Plan};
use crate::model::graph::Shape;

/// Slots for a plan.
pub(super) struct OnHost {
    images: usize,
    slots: Vec<Kepts>,
    partial: Host<f64>,
    slopes: Host<f32>,
    weight_parts: Host<f32>,
    counter: Host<u32>,
    weights: WeightPlaces,
    table: Host<u32>,
    rounded: Host<Bf16>,
    rounded_gradient: Host<Bf16>,
    /// What was started beside the order of calls: it is done as late as that allows, when something comes after it.
    beside: RefCell<Vec<Launch<'static>>>,
    done: Cell<usize>,
}

enum Kepts {
    F32(Host<f32>),
    Bf16(Host<Bf16>),
}

impl OnHost {
    /// Room for a plan, full of numbers that spoil what reads them before they are written.
    pub(super) fn new(plan: &Plan, ways: &Ways, images: usize, maps: Storage) -> Self {
        let Working { partial, slopes, weight_parts } = Working::of(plan, ways, images).expect("known convolutions");
        let weights = match maps {
            Storage::F32 => WeightPlaces::default(),
            Storage::Bf16 => WeightPlaces::of(plan),
        };
        let table = Host::new(&weights.table().expect("few parameters"), u32::MAX);
        let [rounded, gradient] = [weights.length, weights.longest].map(|length| keep(ONE, &vec![f32::NAN; length]));
        let slots = plan.slots.iter().zip(&plan.kinds).map(|(length, kind)| {
            let nan = vec![f32::NAN; length * images];
            match (kind, maps) {
                (Kind::Map, Storage::Bf16) => Kepts::Bf16(keep(ONE, &nan)),
                _ => Kepts::F32(single(&nan)),
            }
        });
        Self {
            images,
            slots: slots.collect(),
            partial: double(&vec![f64::NAN; partial]),
            slopes: single(&vec![f32::NAN; slopes]),
            weight_parts: single(&vec![f32::NAN; weight_parts]),
            counter: Host::new(&[0], u32::MAX),
            weights,
            table,
            rounded,
            rounded_gradient: gradient,
            beside: RefCell::default(),
            done: Cell::new(0),
        }
    }

    pub(super) fn write_images(&self, slot: Slot, shape: Shape, pixels: &[f32]) {
        match self.storage(slot) {
            Storage::F32 => write::<f32>(shape, self.slot(slot).expect("a slot"), pixels),
            Storage::Bf16 => write::<Bf16>(shape, self.slot(slot).expect("a slot"), pixels),
        }
    }

    /// That no kernel wrote outside a slot or working memory, and that none left the counter as it may not be.
    pub(super) fn check_surroundings(&self) {
        assert_eq!(self.counter.read(), [0]);
        drop((self.partial.read(), self.slopes.read(), self.weight_parts.read(), self.rounded.read()));
        for slot in &self.slots {
            match slot {
                Kepts::F32(numbers) => drop(numbers.read()),
                Kepts::Bf16(numbers) => drop(numbers.read()),
            }
        }
    }
}

/// A convolution alone with its weight.
fn alone(op: &Convolution) -> Convolution {
    Convolution { weight: 0..op.weight.len(), bias: None, ..op.clone() }
}

/// The weight of one output.
fn filter(op: &Convolution) -> Shape {
    Shape { channels: op.input.channels, height: op.window.size, width: op.window.size }
}

/// Numbers of images of a shape, in the reference's order.
pub(super) fn read<E: Number>(shape: Shape, view: View<'_, E>) -> Vec<f32> {
    fn all<E: Kept>(shape: Shape, address: u64, length: usize) -> Vec<f32> {
        // SAFETY: views of these tests are of living host memory of this length, which nobody writes meanwhile.
        arranged_back::<E>(shape, unsafe { std::slice::from_raw_parts(address as *const E, length) })
    }
    match E::STORAGE {
        Storage::F32 => all::<f32>(shape, view.address(), view.len()),
        Storage::Bf16 => all::<Bf16>(shape, view.address(), view.len()),
    }
}

/// Writes them.
pub(super) fn write<E: Number>(shape: Shape, out: Out<'_, E>, numbers: &[f32]) {
    fn all<E: Kept>(shape: Shape, address: u64, numbers: &[f32]) {
        // SAFETY: as in `read`; the memory is of cells, which may be written through a shared reference.
        unsafe { std::ptr::copy_nonoverlapping(arranged(shape, numbers).as_ptr(), address as *mut E, numbers.len()) }
    }
    assert_eq!(out.len(), numbers.len());
    match E::STORAGE {
        Storage::F32 => all::<f32>(shape, out.view().address(), numbers),
        Storage::Bf16 => all::<Bf16>(shape, out.view().address(), numbers),
    }
}

/// The same memory, of numbers of another name.
fn cells<T, E>(cells: &[Cell<T>]) -> &[Cell<E>] {
    assert_eq!(size_of::<T>(), size_of::<E>());
    // SAFETY: there is one type of numbers of each size here.
    unsafe { std::slice::from_raw_parts(cells.as_ptr().cast(), cells.len()) }
}

impl Machine for OnHost {
    fn images(&self) -> usize {
        self.images
    }

    fn storage(&self, slot: Slot) -> Storage {
        match self.slots[slot.0] {
            Kepts::F32(_) => Storage::F32,
            Kepts::Bf16(_) => Storage::Bf16,
        }
    }

    fn slot<E: Number>(&self, slot: Slot) -> Result<Out<'_, E>> {
        assert_eq!(self.storage(slot), E::STORAGE);
        Ok(Out::of_host(match &self.slots[slot.0] {
            Kepts::F32(numbers) => cells(numbers.inside()),
            Kepts::Bf16(numbers) => cells(numbers.inside()),
        }))
    }

    fn partial(&self) -> Result<Out<'_, f64>> {
        Ok(self.partial.out())
    }

    fn slopes(&self) -> Result<Out<'_, f32>> {
        Ok(self.slopes.out())
    }

    fn counter(&self) -> Result<Out<'_, u32>> {
        Ok(self.counter.out())
    }

    fn all_rounded(&self) -> Result<Option<(View<'_, u32>, Out<'_, Bf16>)>> {
        Ok((self.weights.length > 0).then(|| (self.table.view(), self.rounded.out())))
    }

    fn rounded(&self, op: &Convolution) -> Result<Out<'_, Bf16>> {
        self.rounded.out().part(self.weights.get(op).expect("of the plan"))
    }

    fn rounded_gradient(&self, op: &Convolution) -> Result<Out<'_, Bf16>> {
        self.rounded_gradient.out().part(0..op.weight.len())
    }

    fn weight_parts(&self) -> Result<Out<'_, f32>> {
        Ok(self.weight_parts.out())
    }

    type Mark = usize;

    fn run_beside(&self, launches: &[Launch<'_>]) -> Result<usize> {
        // SAFETY: the tests keep all memory that launches name until the machine has been waited for.
        let kept =
            launches.iter().map(|launch| unsafe { std::mem::transmute::<Launch<'_>, Launch<'static>>(launch.clone()) });
        let mut beside = self.beside.borrow_mut();
        beside.extend(kept);
        Ok(beside.len())
    }

    fn after(&self, mark: &usize) -> Result<()> {
        let beside = self.beside.borrow();
        beside[self.done.get().min(*mark)..*mark].iter().for_each(run);
        self.done.set(self.done.get().max(*mark));
        Ok(())
    }

    fn run(&self, launch: &Launch<'_>) -> Result<()> {
        run(launch);
        Ok(())
    }

    fn copy<E: Number>(&self, x: View<'_, E>, y: Out<'_, E>) -> Result<()> {
        write(ONE, y, &read(ONE, x));
        Ok(())
    }

    fn convolution<E: Number>(
        &self,
        op: &Convolution,
        weight: View<'_, E>,
        x: View<'_, E>,
        y: Out<'_, E>,
    ) -> Result<()> {
        let (weight, x, length) = (read(filter(op), weight), read(op.input, x), y.len());
        let mut backend = reference(self.images, &weight, &[&x, &vec![0.0; length]]);
        backend.convolution(&alone(op), Slot(0), Slot(1));
        write(op.output, y, &backend.read(Slot(1)));
        Ok(())
    }

    fn convolution_backward_weight<E: Number>(
        &self,
        op: &Convolution,
        x: View<'_, E>,
        dy: View<'_, E>,
        (dw, accumulate): (Out<'_, E>, bool),
    ) -> Result<()> {
        let mut backend = reference(self.images, &vec![0.0; dw.len()], &[&read(op.input, x), &read(op.output, dy)]);
        backend.convolution_backward(&alone(op), Slot(0), Slot(1), None);
        let mut gradient = vec![0.0; dw.len()];
        backend.read_gradient(&mut gradient);
        if accumulate {
            gradient.iter_mut().zip(read(filter(op), dw.view())).for_each(|(number, before)| *number += before);
        }
        write(filter(op), dw, &gradient);
        Ok(())
    }

    fn convolution_backward_data<E: Number>(
        &self,
        op: &Convolution,
        weight: View<'_, E>,
        dy: View<'_, E>,
        (dx, accumulate): (Out<'_, E>, bool),
    ) -> Result<()> {
        let (weight, dy, before) = (read(filter(op), weight), read(op.output, dy), read(op.input, dx.view()));
        let mut backend = reference(self.images, &weight, &[&vec![0.0; before.len()], &dy, &before]);
        let target = Target { slot: Slot(2), accumulate };
        backend.convolution_backward(&alone(op), Slot(0), Slot(1), Some(target));
        write(op.input, dx, &backend.read(Slot(2)));
        Ok(())
    }
}
