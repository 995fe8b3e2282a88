//! What carries out the steps of a pass: a device, and in tests the host.

use std::sync::Arc;

use cudarc::driver::CudaStream;

use super::device::Device;
use super::launch::Launch;
use super::memory::{Out, View};
use super::room::{Convolutions, Room};
use crate::Result;
use crate::exec::backend::{Convolution, Slot};

/// Slots for a batch of images, and what works on them, in the order of calls.
pub(super) trait Machine {
    /// Images of the batch.
    fn images(&self) -> usize;
    /// A slot.
    fn slot(&self, slot: Slot) -> Result<Out<'_, f32>>;
    /// Working memory for sums over channels.
    fn partial(&self) -> Result<Out<'_, f64>>;
    /// Working memory for the way back of a batch norm.
    fn slopes(&self) -> Result<Out<'_, f32>>;
    /// Starts a kernel.
    fn run(&self, launch: &Launch<'_>) -> Result<()>;
    /// y ← x
    fn copy(&self, x: View<'_, f32>, y: Out<'_, f32>) -> Result<()>;
    /// y ← w ∗ x
    fn convolution(&self, op: &Convolution, weight: View<'_, f32>, x: View<'_, f32>, y: Out<'_, f32>) -> Result<()>;
    /// dw ← dw + the gradient with respect to w
    fn convolution_backward_weight(
        &self,
        op: &Convolution,
        x: View<'_, f32>,
        dy: View<'_, f32>,
        dw: Out<'_, f32>,
    ) -> Result<()>;
    /// dx ← the gradient with respect to x, or dx ← dx + that
    fn convolution_backward_data(
        &self,
        op: &Convolution,
        weight: View<'_, f32>,
        dy: View<'_, f32>,
        dx: (Out<'_, f32>, bool),
    ) -> Result<()>;

    /// Starts kernels in order.
    fn run_all(&self, launches: &[Launch<'_>]) -> Result<()> {
        launches.iter().try_for_each(|launch| self.run(launch))
    }
}

/// A room on a device.
#[derive(Clone, Copy)]
pub(super) struct OnDevice<'a> {
    pub(super) device: &'a Device,
    /// In whose order everything is done, or recorded.
    pub(super) stream: &'a Arc<CudaStream>,
    pub(super) room: &'a Room,
    pub(super) convolutions: &'a Convolutions,
}

impl Machine for OnDevice<'_> {
    fn images(&self) -> usize {
        self.room.images()
    }

    fn slot(&self, slot: Slot) -> Result<Out<'_, f32>> {
        self.room.slot(slot)
    }

    fn partial(&self) -> Result<Out<'_, f64>> {
        self.room.partial()
    }

    fn slopes(&self) -> Result<Out<'_, f32>> {
        self.room.slopes()
    }

    fn run(&self, launch: &Launch<'_>) -> Result<()> {
        self.device.run_in(self.stream, launch)
    }

    fn copy(&self, x: View<'_, f32>, y: Out<'_, f32>) -> Result<()> {
        y.copy_from(x, self.stream)
    }

    fn convolution(&self, op: &Convolution, weight: View<'_, f32>, x: View<'_, f32>, y: Out<'_, f32>) -> Result<()> {
        self.convolutions.get(op, self.images())?.forward(self.stream, x, weight, y)
    }

    fn convolution_backward_weight(
        &self,
        op: &Convolution,
        x: View<'_, f32>,
        dy: View<'_, f32>,
        dw: Out<'_, f32>,
    ) -> Result<()> {
        self.convolutions.get(op, self.images())?.backward_filter(self.stream, x, dy, dw, true)
    }

    fn convolution_backward_data(
        &self,
        op: &Convolution,
        weight: View<'_, f32>,
        dy: View<'_, f32>,
        (dx, accumulate): (Out<'_, f32>, bool),
    ) -> Result<()> {
        self.convolutions.get(op, self.images())?.backward_data(self.stream, weight, dy, dx, accumulate)
    }
}
