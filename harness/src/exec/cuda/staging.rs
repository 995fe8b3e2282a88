//! The way of small numbers to a device, which nobody waits for.

use std::sync::Arc;

use cudarc::driver::{CudaStream, result};

use super::device::failed;
use super::memory::{Element, Out, same_length};
use crate::{Error, Result};

/// Bytes of the ring.
const RING: usize = 4 << 20;

/// Bytes that are sent at a time at most; what is longer goes the slow way.
pub(super) const LONGEST: usize = RING / 2;

/// Starts of what is sent are multiples of this.
const ALIGNMENT: usize = 64;

/// A ring of the host's memory that the device reads by itself. Numbers are copied there, and their sender goes on at once;
/// once round the ring, it waits for the device to have read all.
pub(super) struct Staging {
    stream: Arc<CudaStream>,
    ring: *mut u8,
    at: usize,
}

// SAFETY: the ring is this value's own memory; the driver takes it from any thread.
unsafe impl Send for Staging {}

impl Staging {
    pub(super) fn new(stream: &Arc<CudaStream>) -> Result<Self> {
        let getting = |error| failed(format!("getting {RING} bytes of page-locked memory"), error);
        stream.context().bind_to_thread().map_err(getting)?;
        // SAFETY: given back when dropped; never read before it is written.
        let ring = unsafe { result::malloc_host(RING, 0) }.map_err(getting)?;
        Ok(Self { stream: Arc::clone(stream), ring: ring.cast(), at: 0 })
    }

    /// Makes a place on the device hold these numbers, for all work that is asked for from now on.
    ///
    /// Fails on more than [`LONGEST`] bytes, and if the device refuses.
    pub(super) fn send<T: Element>(&mut self, numbers: &[T], to: Out<'_, T>) -> Result<()> {
        let bytes = size_of_val(numbers);
        if bytes > LONGEST {
            return Err(Error::domain("bytes sent to the GPU at a time", bytes, format!("at most {LONGEST}")));
        }
        same_length(to.len(), numbers.len())?;
        if bytes == 0 {
            return Ok(());
        }
        let sending = |error| failed("writing to the GPU", error);
        self.stream.context().bind_to_thread().map_err(sending)?;
        if self.at + bytes > RING {
            self.stream.synchronize().map_err(sending)?;
            self.at = 0;
        }
        // SAFETY: the part of the ring is inside it, and nothing that is under way reads it: since it was last sent from, the
        // stream has been waited for. The view lies in a living buffer of this many numbers.
        unsafe {
            let part = self.ring.add(self.at);
            std::ptr::copy_nonoverlapping(numbers.as_ptr().cast::<u8>(), part, bytes);
            let part = std::slice::from_raw_parts(part, bytes);
            result::memcpy_htod_async(to.view().address(), part, self.stream.cu_stream())
        }
        .map_err(sending)?;
        self.at = (self.at + bytes).next_multiple_of(ALIGNMENT);
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Where there is nobody to tell, a failure to give back is let be.
        if self.stream.context().bind_to_thread().is_ok() && self.stream.synchronize().is_ok() {
            // SAFETY: the ring came from the driver, and the device reads it no more.
            let _ = unsafe { result::free_host(self.ring.cast()) };
        }
    }
}
