//! Memory of a device: buffers, and views of parts of them.

use std::any::TypeId;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use cudarc::driver::{CudaSlice, CudaStream, DevicePtr, DeviceRepr, ValidAsZeroBits, result};

use super::device::{Device, failed};
use crate::{Error, Result};

/// A type of numbers on a device.
pub(crate) trait Element: DeviceRepr + ValidAsZeroBits + Copy + Default + 'static {}

/// A type of numbers with a point; 0 and −0 are two of them.
pub(super) trait Real: Element {
    /// Whether they are the same to the bit.
    fn is(self, other: Self) -> bool;
}

impl Real for f32 {
    fn is(self, other: Self) -> bool {
        self.to_bits() == other.to_bits()
    }
}

impl Real for f64 {
    fn is(self, other: Self) -> bool {
        self.to_bits() == other.to_bits()
    }
}

impl Element for f32 {}
impl Element for f64 {}
impl Element for i32 {}
impl Element for u8 {}
impl Element for u16 {}
impl Element for u32 {}

/// Memory of a device, given back when dropped; work that was asked for before in the device's own stream is done first,
/// and what was started beside it has been waited for there.
#[derive(Debug)]
pub(crate) struct Buffer<T> {
    slice: CudaSlice<T>,
    address: u64,
    length: usize,
}

/// Numbers on a device to be read.
///
/// The host never touches them and the device works in the order of calls (what is done beside that is waited for before
/// what it reads is written), so that a view to read and one to write may exist at once.
#[derive(Debug)]
pub(crate) struct View<'a, T> {
    address: u64,
    length: usize,
    stream: Option<&'a Arc<CudaStream>>,
    of: PhantomData<&'a T>,
}

/// Numbers on a device to be written, or changed.
#[derive(Debug)]
pub(crate) struct Out<'a, T>(View<'a, T>);

impl<T> Clone for View<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for View<'_, T> {}

impl<T> Clone for Out<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Out<'_, T> {}

impl<T: Element> Buffer<T> {
    /// This many zeros.
    ///
    /// # Errors
    /// [`Error::Device`] if the device lacks the memory.
    pub(crate) fn zeros(device: &Device, length: usize) -> Result<Self> {
        // The driver gives no memory of no bytes.
        let slice = device.stream().alloc_zeros::<T>(length.max(1)).map_err(|error| {
            let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
            let wanted = mib(length.saturating_mul(size_of::<T>()));
            let left =
                device.memory().map(|(free, all)| format!(", {:.0} of {:.0} MiB being free", mib(free), mib(all)));
            failed(format!("getting {wanted:.1} MiB on {}{}", device.name(), left.unwrap_or_default()), error)
        })?;
        let address = slice.device_ptr(device.stream()).0;
        Ok(Self { slice, address, length })
    }

    /// These numbers.
    ///
    /// # Errors
    /// As [`zeros`](Self::zeros).
    pub(crate) fn new(device: &Device, numbers: &[T]) -> Result<Self> {
        let buffer = Self::zeros(device, numbers.len())?;
        buffer.out().upload(numbers)?;
        Ok(buffer)
    }

    /// How many numbers it holds.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// All of it, to be read.
    pub(crate) fn view(&self) -> View<'_, T> {
        View { address: self.address, length: self.length, stream: Some(self.slice.stream()), of: PhantomData }
    }

    /// All of it, to be written.
    pub(crate) fn out(&self) -> Out<'_, T> {
        Out(self.view())
    }
}

impl<'a, T: Element> View<'a, T> {
    /// How many numbers it shows.
    pub(crate) fn len(self) -> usize {
        self.length
    }

    /// Some of them.
    ///
    /// # Errors
    /// [`Error::Domain`] if the range leaves the view.
    pub(crate) fn part(self, range: Range<usize>) -> Result<Self> {
        if range.start > range.end || range.end > self.length {
            let allowed = format!("numbers 0 to {}", self.length);
            return Err(Error::domain("a part of device memory", format!("{range:?}"), allowed));
        }
        let address = self.address + (range.start * size_of::<T>()) as u64;
        Ok(Self { address, length: range.len(), ..self })
    }

    /// Copies them to the host, once the device has got there.
    ///
    /// # Errors
    /// [`Error::Domain`] if the lengths differ, [`Error::Device`] if this or earlier work failed.
    pub(crate) fn download(self, numbers: &mut [T]) -> Result<()> {
        same_length(self.length, numbers.len())?;
        let Some(stream) = self.stream.filter(|_| !numbers.is_empty()) else { return Ok(()) };
        stream.context().bind_to_thread().map_err(|error| failed("reading from the GPU", error))?;
        // SAFETY: the view lies in a living buffer of as many numbers as the slice, which is not touched before the
        // stream has been waited for.
        unsafe { result::memcpy_dtoh_async(numbers, self.address, stream.cu_stream()) }
            .map_err(|error| failed("reading from the GPU", error))?;
        stream.synchronize().map_err(|error| failed("reading from the GPU", error))
    }

    /// [`download`](Self::download) to a new vector.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn to_vec(self) -> Result<Vec<T>> {
        let mut numbers = vec![T::default(); self.length];
        self.download(&mut numbers)?;
        Ok(numbers)
    }

    /// Where it starts in the device's memory.
    pub(super) fn address(self) -> u64 {
        self.address
    }

    /// The same, if these are numbers of that type.
    pub(super) fn of_type<U: Element>(self) -> Option<View<'a, U>> {
        let Self { address, length, stream, .. } = self;
        (TypeId::of::<T>() == TypeId::of::<U>()).then_some(View { address, length, stream, of: PhantomData })
    }

    /// Whether they share a number.
    pub(super) fn overlaps<U: Element>(self, other: View<'_, U>) -> bool {
        let end = |address: u64, bytes: usize| address + bytes as u64;
        self.address < end(other.address, other.length * size_of::<U>())
            && other.address < end(self.address, self.length * size_of::<T>())
    }

    /// Host memory in the place of a device's, for launches that the host carries out.
    #[cfg(test)]
    pub(super) fn of_host(numbers: &'a [std::cell::Cell<T>]) -> Self {
        Self { address: numbers.as_ptr() as u64, length: numbers.len(), stream: None, of: PhantomData }
    }
}

impl<'a, T: Element> Out<'a, T> {
    /// How many numbers it shows.
    pub(crate) fn len(self) -> usize {
        self.0.length
    }

    /// Some of them.
    ///
    /// # Errors
    /// [`Error::Domain`] if the range leaves the view.
    pub(crate) fn part(self, range: Range<usize>) -> Result<Self> {
        self.0.part(range).map(Self)
    }

    /// The same, to be read.
    pub(crate) fn view(self) -> View<'a, T> {
        self.0
    }

    /// The same, if these are numbers of that type.
    pub(super) fn of_type<U: Element>(self) -> Option<Out<'a, U>> {
        self.0.of_type().map(Out)
    }

    /// Makes them these; waits until the device has them.
    ///
    /// # Errors
    /// [`Error::Domain`] if the lengths differ, [`Error::Device`] if this or earlier work failed.
    pub(crate) fn upload(self, numbers: &[T]) -> Result<()> {
        same_length(self.0.length, numbers.len())?;
        let Some(stream) = self.0.stream.filter(|_| !numbers.is_empty()) else { return Ok(()) };
        stream.context().bind_to_thread().map_err(|error| failed("writing to the GPU", error))?;
        // SAFETY: the view lies in a living buffer of as many numbers as the slice, which is borrowed until the stream
        // has been waited for: the driver promises no earlier end of reading it.
        unsafe { result::memcpy_htod_async(self.0.address, numbers, stream.cu_stream()) }
            .map_err(|error| failed("writing to the GPU", error))?;
        stream.synchronize().map_err(|error| failed("writing to the GPU", error))
    }

    /// Makes them those of another place on the device, in the order of a stream.
    ///
    /// # Errors
    /// [`Error::Domain`] if the lengths differ or the places overlap, [`Error::Device`] if the device refuses.
    pub(crate) fn copy_from(self, x: View<'_, T>, stream: &CudaStream) -> Result<()> {
        same_length(self.0.length, x.length)?;
        if self.0.overlaps(x) {
            return Err(Error::domain("the source of a copy on the GPU", "its destination, in part", "another place"));
        }
        if x.length == 0 {
            return Ok(());
        }
        stream.context().bind_to_thread().map_err(|error| failed("copying on the GPU", error))?;
        // SAFETY: both views lie in living buffers and have the same length; they do not overlap.
        unsafe { result::memcpy_dtod_async(self.0.address, x.address, x.length * size_of::<T>(), stream.cu_stream()) }
            .map_err(|error| failed("copying on the GPU", error))
    }

    /// Makes them zeros, in the order of a stream.
    ///
    /// # Errors
    /// [`Error::Device`] if the device refuses.
    pub(crate) fn clear(self, stream: &CudaStream) -> Result<()> {
        if self.0.length == 0 {
            return Ok(());
        }
        stream.context().bind_to_thread().map_err(|error| failed("clearing memory on the GPU", error))?;
        // SAFETY: the view lies in a living buffer, and zero bits are a number of every `Element`.
        unsafe { result::memset_d8_async(self.0.address, 0, self.0.length * size_of::<T>(), stream.cu_stream()) }
            .map_err(|error| failed("clearing memory on the GPU", error))
    }

    /// Host memory in the place of a device's, for launches that the host carries out.
    #[cfg(test)]
    pub(super) fn of_host(numbers: &'a [std::cell::Cell<T>]) -> Self {
        Self(View::of_host(numbers))
    }
}

impl<'a> Out<'a, u8> {
    /// The place of so many numbers of another type, which begins where these bytes do.
    ///
    /// # Errors
    /// [`Error::Domain`] if the bytes are too few, or begin where such a number may not.
    pub(super) fn numbers<T: Element>(self, length: usize) -> Result<Out<'a, T>> {
        let View { address, length: bytes, stream, .. } = self.0;
        if bytes < length.saturating_mul(size_of::<T>()) || !address.is_multiple_of(align_of::<T>() as u64) {
            let allowed = format!("{length} numbers of {} bytes each, aligned", size_of::<T>());
            return Err(Error::domain("working memory on the GPU", format!("{bytes} bytes at {address}"), allowed));
        }
        Ok(Out(View { address, length, stream, of: PhantomData }))
    }
}

/// That as many numbers are copied as there is room for.
pub(super) fn same_length(here: usize, there: usize) -> Result<()> {
    if here == there { Ok(()) } else { Err(Error::domain("numbers to copy", there, here)) }
}
