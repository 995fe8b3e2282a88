//! In which numbers, and in which order, a device keeps feature maps.

use cudarc::driver::{DeviceRepr, ValidAsZeroBits};

use super::device::Device;
use super::kernels::GROUP;
use super::memory::{Buffer, Element, Out};
use crate::{Error, Result};

/// A number in bfloat16: the upper half of the bits of one in single precision. The device alone computes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(transparent)]
pub(crate) struct Bf16(pub(crate) u16);

// SAFETY: a number of two bytes, which the kernels take as such.
unsafe impl DeviceRepr for Bf16 {}
// SAFETY: zero bits are 0.
unsafe impl ValidAsZeroBits for Bf16 {}
impl Element for Bf16 {}

/// A way of keeping feature maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    /// Single precision in the order (image, channel, row, column).
    F32,
    /// bfloat16 in the order (image, row, column, channel).
    Bf16,
}

impl Storage {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::F32, Self::Bf16];

    /// Bytes of a number.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::F32 => size_of::<f32>(),
            Self::Bf16 => size_of::<Bf16>(),
        }
    }

    /// Channels of a block of the kernels that work channel by channel.
    pub(super) fn group(self) -> usize {
        match self {
            Self::F32 => 1,
            Self::Bf16 => GROUP,
        }
    }
}

/// A number of a feature map.
pub(crate) trait Number: Element {
    /// How feature maps of such numbers are kept.
    const STORAGE: Storage;

    /// The buffer, if it is of such numbers.
    fn of(buffer: &Numbers) -> Option<&Buffer<Self>>;
}

impl Number for f32 {
    const STORAGE: Storage = Storage::F32;

    fn of(buffer: &Numbers) -> Option<&Buffer<Self>> {
        match buffer {
            Numbers::F32(buffer) => Some(buffer),
            Numbers::Bf16(_) => None,
        }
    }
}

impl Number for Bf16 {
    const STORAGE: Storage = Storage::Bf16;

    fn of(buffer: &Numbers) -> Option<&Buffer<Self>> {
        match buffer {
            Numbers::F32(_) => None,
            Numbers::Bf16(buffer) => Some(buffer),
        }
    }
}

/// A buffer of either.
#[derive(Debug)]
pub(crate) enum Numbers {
    F32(Buffer<f32>),
    Bf16(Buffer<Bf16>),
}

impl Numbers {
    /// This many zeros.
    pub(super) fn zeros(device: &Device, storage: Storage, length: usize) -> Result<Self> {
        Ok(match storage {
            Storage::F32 => Self::F32(Buffer::zeros(device, length)?),
            Storage::Bf16 => Self::Bf16(Buffer::zeros(device, length)?),
        })
    }

    /// How many numbers it holds.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::F32(buffer) => buffer.len(),
            Self::Bf16(buffer) => buffer.len(),
        }
    }

    /// Where it starts in the device's memory.
    pub(super) fn address(&self) -> u64 {
        match self {
            Self::F32(buffer) => buffer.view().address(),
            Self::Bf16(buffer) => buffer.view().address(),
        }
    }

    /// All of it, to be written.
    pub(super) fn out<E: Number>(&self) -> Result<Out<'_, E>> {
        let wrong = || Error::device(format!("a value on the GPU is not kept as {:?}", E::STORAGE));
        E::of(self).map(Buffer::out).ok_or_else(wrong)
    }
}
