//! What carries out the steps of a pass: a device, and in tests the host.

use std::cell::Cell;
use std::sync::Arc;

use cudarc::driver::{CudaEvent, CudaStream};

use super::device::{Device, failed};
use super::launch::Launch;
use super::memory::{Out, View};
use super::number::{Bf16, Number, Storage};
use super::room::{Convolutions, Room};
use crate::Result;
use crate::exec::backend::{Convolution, Slot};

/// Slots for a batch of images, and what works on them, in the order of calls.
pub(super) trait Machine {
    /// Images of the batch.
    fn images(&self) -> usize;
    /// How a slot's numbers are kept.
    fn storage(&self, slot: Slot) -> Storage;
    /// A slot, of such numbers as it holds.
    fn slot<E: Number>(&self, slot: Slot) -> Result<Out<'_, E>>;
    /// Working memory for sums over channels.
    fn partial(&self) -> Result<Out<'_, f64>>;
    /// Working memory for the way back of a batch norm.
    fn slopes(&self) -> Result<Out<'_, f32>>;
    /// A number that is 0 before and after each launch, by which its blocks find out which is the last.
    fn counter(&self) -> Result<Out<'_, u32>>;
    /// The place of all weights of convolutions in bfloat16, and the table of these weights; none where there are none.
    fn all_rounded(&self) -> Result<Option<(View<'_, u32>, Out<'_, Bf16>)>>;
    /// The place of a convolution's weight in bfloat16; it stays from the way there to the way back.
    fn rounded(&self, op: &Convolution) -> Result<Out<'_, Bf16>>;
    /// Working memory for the gradient with respect to it, from cuDNN.
    fn rounded_gradient(&self, op: &Convolution) -> Result<Out<'_, Bf16>>;
    /// Working memory for the same from kernels of ours.
    fn weight_parts(&self) -> Result<Out<'_, f32>>;
    /// Where what was started beside the order of calls is done.
    type Mark;
    /// Starts kernels, in order, after all that was asked for before, but beside what is asked for next, which does not come
    /// after them before [`after`](Self::after) says so.
    fn run_beside(&self, launches: &[Launch<'_>]) -> Result<Self::Mark>;
    /// What is asked for next comes after this, and all that was started beside before it.
    fn after(&self, mark: &Self::Mark) -> Result<()>;
    /// Starts a kernel.
    fn run(&self, launch: &Launch<'_>) -> Result<()>;
    /// y ← x
    fn copy<E: Number>(&self, x: View<'_, E>, y: Out<'_, E>) -> Result<()>;
    /// y ← w ∗ x
    fn convolution<E: Number>(
        &self,
        op: &Convolution,
        weight: View<'_, E>,
        x: View<'_, E>,
        y: Out<'_, E>,
    ) -> Result<()>;
    /// dw ← the gradient with respect to w, or dw ← dw + that
    fn convolution_backward_weight<E: Number>(
        &self,
        op: &Convolution,
        x: View<'_, E>,
        dy: View<'_, E>,
        dw: (Out<'_, E>, bool),
    ) -> Result<()>;
    /// dx ← the gradient with respect to x, or dx ← dx + that
    fn convolution_backward_data<E: Number>(
        &self,
        op: &Convolution,
        weight: View<'_, E>,
        dy: View<'_, E>,
        dx: (Out<'_, E>, bool),
    ) -> Result<()>;

    /// Starts kernels in order.
    fn run_all(&self, launches: &[Launch<'_>]) -> Result<()> {
        launches.iter().try_for_each(|launch| self.run(launch))
    }
}

/// A room on a device.
pub(super) struct OnDevice<'a> {
    pub(super) device: &'a Device,
    /// In whose order everything is done, or recorded.
    pub(super) stream: &'a Arc<CudaStream>,
    pub(super) room: &'a Room,
    pub(super) convolutions: &'a Convolutions,
    /// Whether the last work asked for lets the next one begin before it is done.
    pub(super) open: Cell<bool>,
}

impl Machine for OnDevice<'_> {
    fn images(&self) -> usize {
        self.room.images()
    }

    fn storage(&self, slot: Slot) -> Storage {
        self.room.storage(slot)
    }

    fn slot<E: Number>(&self, slot: Slot) -> Result<Out<'_, E>> {
        self.room.slot(slot)
    }

    fn partial(&self) -> Result<Out<'_, f64>> {
        self.room.partial()
    }

    fn slopes(&self) -> Result<Out<'_, f32>> {
        self.room.slopes()
    }

    fn counter(&self) -> Result<Out<'_, u32>> {
        self.room.counter()
    }

    fn all_rounded(&self) -> Result<Option<(View<'_, u32>, Out<'_, Bf16>)>> {
        self.room.all_rounded()
    }

    fn rounded(&self, op: &Convolution) -> Result<Out<'_, Bf16>> {
        self.room.rounded(op)
    }

    fn rounded_gradient(&self, op: &Convolution) -> Result<Out<'_, Bf16>> {
        self.room.rounded_gradient(op)
    }

    fn weight_parts(&self) -> Result<Out<'_, f32>> {
        self.room.weight_parts()
    }

    type Mark = CudaEvent;

    fn run_beside(&self, launches: &[Launch<'_>]) -> Result<CudaEvent> {
        let ordering = |error| failed("ordering two streams", error);
        let side = self.device.beside(self.stream);
        let before = self.stream.record_event(None).map_err(ordering)?;
        side.wait(&before).map_err(ordering)?;
        let started = launches.iter().try_for_each(|launch| self.device.run_in(side, launch));
        let mark = side.record_event(None).map_err(ordering)?;
        // What was started of it is waited for, for nobody else will.
        if started.is_err() {
            self.after(&mark)?;
        }
        started.map(|()| mark)
    }

    fn after(&self, mark: &CudaEvent) -> Result<()> {
        self.open.set(false);
        self.stream.wait(mark).map_err(|error| failed("ordering two streams", error))
    }

    fn run(&self, launch: &Launch<'_>) -> Result<()> {
        let overlaps = launch.kernel().overlaps();
        match self.open.replace(overlaps) && overlaps {
            true => self.device.run_early(self.stream, launch),
            false => self.device.run_in(self.stream, launch),
        }
    }

    fn copy<E: Number>(&self, x: View<'_, E>, y: Out<'_, E>) -> Result<()> {
        self.open.set(false);
        y.copy_from(x, self.stream)
    }

    fn convolution<E: Number>(
        &self,
        op: &Convolution,
        weight: View<'_, E>,
        x: View<'_, E>,
        y: Out<'_, E>,
    ) -> Result<()> {
        self.open.set(false);
        self.convolutions.get(op, self.images())?.forward(self.stream, x, weight, y)
    }

    fn convolution_backward_weight<E: Number>(
        &self,
        op: &Convolution,
        x: View<'_, E>,
        dy: View<'_, E>,
        (dw, accumulate): (Out<'_, E>, bool),
    ) -> Result<()> {
        self.open.set(false);
        self.convolutions.get(op, self.images())?.backward_filter(self.stream, x, dy, dw, accumulate)
    }

    fn convolution_backward_data<E: Number>(
        &self,
        op: &Convolution,
        weight: View<'_, E>,
        dy: View<'_, E>,
        (dx, accumulate): (Out<'_, E>, bool),
    ) -> Result<()> {
        self.open.set(false);
        self.convolutions.get(op, self.images())?.backward_data(self.stream, weight, dy, dx, accumulate)
    }
}
