//! Numbers on a device of which the host may have a copy.

use super::device::Device;
use super::memory::{Buffer, Out, Real, View};
use crate::Result;

/// Numbers on a device, and the same ones on the host as long as nothing but the host has changed them: what is there
/// already need not go there again.
pub(super) struct Mirrored<T> {
    there: Buffer<T>,
    here: Option<Vec<T>>,
}

impl<T: Real> Mirrored<T> {
    /// This many zeros.
    pub(super) fn zeros(device: &Device, length: usize) -> Result<Self> {
        Ok(Self { there: Buffer::zeros(device, length)?, here: None })
    }

    /// Makes them these.
    pub(super) fn set(&mut self, device: &Device, numbers: &[T]) -> Result<()> {
        if let Some(here) = &self.here
            && here.len() == numbers.len()
            && here.iter().zip(numbers).all(|(here, number)| here.is(*number))
        {
            return Ok(());
        }
        self.here = None;
        device.send(numbers, self.there.out())?;
        self.here = Some(numbers.to_vec());
        Ok(())
    }

    /// Brings them to the host.
    pub(super) fn get(&mut self, numbers: &mut [T]) -> Result<()> {
        self.there.view().download(numbers)?;
        self.here = Some(numbers.to_vec());
        Ok(())
    }

    /// To be read on the device.
    pub(super) fn view(&self) -> View<'_, T> {
        self.there.view()
    }

    /// To be changed on the device.
    pub(super) fn change(&mut self) -> Out<'_, T> {
        self.here = None;
        self.there.out()
    }

    /// Their place, after [`change`](Self::change) has said that they change, or for who leaves them as they are.
    pub(super) fn place(&self) -> Out<'_, T> {
        self.there.out()
    }
}
