//! The images of a batch, on their way to where a network takes them.

use super::device::Device;
use super::launch::to_bf16;
use super::memory::Buffer;
use super::number::{Bf16, Storage};
use super::room::Room;
use super::sets::Sets;
use crate::Result;
use crate::exec::backend::Slot;
use crate::exec::examples::Images;
use crate::model::graph::Shape;

/// Writes images of a shape into a slot, in the numbers that it holds.
pub(super) fn write(
    device: &Device,
    sets: &mut Sets,
    images: Images<'_, f32>,
    shape: Shape,
    room: &Room,
    slot: Slot,
) -> Result<()> {
    match (images, room.storage(slot)) {
        (Images::Pixels(numbers), Storage::F32) => room.slot(slot)?.upload(numbers),
        (Images::Pixels(numbers), Storage::Bf16) => {
            let pixels = Buffer::new(device, numbers)?;
            device.run(&to_bf16(shape, pixels.view(), room.slot(slot)?, false)?)
        }
        (Images::Views(shown), Storage::F32) => sets.write(device, shown, room.slot::<f32>(slot)?),
        (Images::Views(shown), Storage::Bf16) => sets.write(device, shown, room.slot::<Bf16>(slot)?),
    }
}
