//! Images that stay on a device: whole sets, uploaded once, from which batches are cut there.

use std::sync::{Arc, Weak};

use super::device::Device;
use super::launch::{ResidentImages, Variation, augment};
use super::memory::{Buffer, Out};
use super::room::at_least;
use crate::data::{CHANNELS, ImageSet, SIDE, Shown, Tables, View};
use crate::{Error, Result};

/// The sets that a device holds, the tables by which their bytes become numbers, and the views of a batch.
pub(super) struct Sets {
    held: Vec<(Weak<Vec<u8>>, Buffer<u8>)>,
    tables: Option<Tables>,
    on_device: Buffer<f32>,
    views: Buffer<i32>,
}

impl Sets {
    pub(super) fn new(device: &Device) -> Result<Self> {
        let on_device = Buffer::zeros(device, CHANNELS * 256)?;
        Ok(Self { held: Vec::new(), tables: None, on_device, views: Buffer::zeros(device, 0)? })
    }

    /// Writes the pixels of a batch of views.
    pub(super) fn write(&mut self, device: &Device, shown: Shown<'_>, pixels: Out<'_, f32>) -> Result<()> {
        if self.tables.as_ref() != Some(shown.tables) {
            device.send(shown.tables.as_flattened(), self.on_device.out())?;
            self.tables = Some(*shown.tables);
        }
        let numbers = numbers(shown.views)?;
        at_least(&mut self.views, device, numbers.len())?;
        device.send(&numbers, self.views.out().part(0..numbers.len())?)?;
        let place = self.hold(device, shown.set)?;
        let resident = ResidentImages {
            images: self.held[place].1.view(),
            tables: self.on_device.view(),
            channels: CHANNELS,
            side: SIDE,
        };
        device.run(&augment(resident, self.views.view().part(0..numbers.len())?, pixels)?)
    }

    /// The place of a set, which is uploaded if it is new; sets that nobody else holds any more make room.
    fn hold(&mut self, device: &Device, set: &ImageSet) -> Result<usize> {
        // A set never changes, and its place in memory is no other's as long as this points there.
        let is_it = |held: &Weak<Vec<u8>>| std::ptr::eq(held.as_ptr(), Arc::as_ptr(set.pixels()));
        if let Some(place) = self.held.iter().position(|(held, _)| is_it(held)) {
            return Ok(place);
        }
        self.held.retain(|(held, _)| held.strong_count() > 0);
        self.held.push((Arc::downgrade(set.pixels()), Buffer::new(device, set.pixels())?));
        Ok(self.held.len() - 1)
    }
}

/// The views as the kernel reads them.
fn numbers(views: &[View]) -> Result<Vec<i32>> {
    let mut numbers = Vec::with_capacity(4 * views.len());
    for view in views {
        let image =
            u32::try_from(view.image).map_err(|_| Error::domain("number of an image", view.image, "below 2^32"))?;
        let [down, right] = [view.down, view.right].map(i32::from);
        numbers.extend(Variation { image, down, right, flip: view.flip }.numbers());
    }
    Ok(numbers)
}
