//! cuDNN's handle and descriptors, given back when dropped.

use std::ffi::c_int;
use std::sync::Arc;

use cudarc::cudnn::result::{self, CudnnError};
use cudarc::cudnn::sys;
use cudarc::driver::CudaStream;

use super::memory::Buffer;
use super::number::Storage;
use crate::{Error, Result};

/// cuDNN, in one stream at a time, with what convolutions share.
pub(super) struct Dnn {
    pub(super) handle: sys::cudnnHandle_t,
    /// Working memory, as much as any convolution so far needs; all use it by turns, in the order of the stream. What was
    /// recorded with it holds it, too.
    pub(super) workspace: Option<Arc<Buffer<u8>>>,
    stream: Arc<CudaStream>,
}

// SAFETY: cuDNN allows a handle on any thread, one at a time; `Device` keeps it behind a lock.
unsafe impl Send for Dnn {}

impl Dnn {
    /// cuDNN on a stream.
    pub(super) fn new(stream: &Arc<CudaStream>) -> Result<Self> {
        version()?;
        let handle = result::create_handle().map_err(|error| failed("starting it", error))?;
        let dnn = Self { handle, workspace: None, stream: Arc::clone(stream) };
        dnn.set_stream(stream)?;
        Ok(dnn)
    }

    /// Works in this stream from now on.
    pub(super) fn work_in(&mut self, stream: &Arc<CudaStream>) -> Result<()> {
        if !Arc::ptr_eq(&self.stream, stream) {
            self.set_stream(stream)?;
            self.stream = Arc::clone(stream);
        }
        Ok(())
    }

    fn set_stream(&self, stream: &CudaStream) -> Result<()> {
        // SAFETY: both are alive; the device that owns this value keeps its streams until it is gone.
        unsafe { result::set_stream(self.handle, stream.cu_stream().cast()) }
            .map_err(|error| failed("taking over a stream", error))
    }
}

impl Drop for Dnn {
    fn drop(&mut self) {
        // Where there is nobody to tell, a failure to give back is let be.
        if self.stream.context().bind_to_thread().is_ok() {
            // SAFETY: the handle is this value's own, and not used again.
            let _ = unsafe { result::destroy_handle(self.handle) };
        }
    }
}

/// The version of cuDNN, which is there and not too old.
pub(super) fn version() -> Result<usize> {
    // SAFETY: loads cuDNN, as every program that uses it does.
    if !unsafe { sys::is_culib_present() } {
        return Err(Error::device(
            "no cuDNN: libcudnn.so.9 was not found; docs/cuda.md says where to get it and how to name its folder",
        ));
    }
    match result::get_version() {
        version if version < 90_000 => {
            Err(Error::device(format!("cuDNN's version is {version}; allowed: 90000 or later, of cuDNN 9")))
        }
        version => Ok(version),
    }
}

/// Declares a descriptor that gives itself back.
macro_rules! descriptor {
    ($(#[doc = $doc:literal])* $name:ident, $raw:ty, $create:path, $destroy:path) => {
        $(#[doc = $doc])*
        pub(super) struct $name($raw);

        // SAFETY: a descriptor is plain memory of the host, which is written when it is made and then only read.
        unsafe impl Send for $name {}

        impl $name {
            fn create() -> Result<Self> {
                $create().map(Self).map_err(|error| failed("making a descriptor", error))
            }

            /// The descriptor, which lives as long as this value.
            pub(super) fn raw(&self) -> $raw {
                self.0
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: the descriptor is this value's own, and not used again.
                let _ = unsafe { $destroy(self.0) };
            }
        }
    };
}

descriptor!(
    /// The shape of images.
    Tensor,
    sys::cudnnTensorDescriptor_t,
    result::create_tensor_descriptor,
    result::destroy_tensor_descriptor
);
descriptor!(
    /// The shape of a convolution's weight.
    Filter,
    sys::cudnnFilterDescriptor_t,
    result::create_filter_descriptor,
    result::destroy_filter_descriptor
);
descriptor!(
    /// How a convolution moves and multiplies.
    Moves,
    sys::cudnnConvolutionDescriptor_t,
    result::create_convolution_descriptor,
    result::destroy_convolution_descriptor
);

const FLOAT: sys::cudnnDataType_t = sys::cudnnDataType_t::CUDNN_DATA_FLOAT;

impl Storage {
    /// Type and order of the numbers, as cuDNN calls them; the order of a weight goes by the same name as an image's.
    fn raw(self) -> (sys::cudnnDataType_t, sys::cudnnTensorFormat_t) {
        match self {
            Self::F32 => (FLOAT, sys::cudnnTensorFormat_t::CUDNN_TENSOR_NCHW),
            Self::Bf16 => (sys::cudnnDataType_t::CUDNN_DATA_BFLOAT16, sys::cudnnTensorFormat_t::CUDNN_TENSOR_NHWC),
        }
    }
}

impl Tensor {
    /// The shape of so many images, and of their channels, rows and columns, whatever their order.
    pub(super) fn new(storage: Storage, extents: [usize; 4]) -> Result<Self> {
        let (tensor, (number, order)) = (Self::create()?, storage.raw());
        // SAFETY: the descriptor was just made.
        unsafe { result::set_tensor4d_descriptor(tensor.0, order, number, extents_of(extents)?) }
            .map_err(|error| failed(format!("the shape {extents:?}"), error))?;
        Ok(tensor)
    }
}

impl Filter {
    /// The shape of so many outputs, and of their inputs, rows and columns, whatever their order.
    pub(super) fn new(storage: Storage, extents: [usize; 4]) -> Result<Self> {
        let (filter, (number, order)) = (Self::create()?, storage.raw());
        // SAFETY: the descriptor was just made.
        unsafe { result::set_filter4d_descriptor(filter.0, number, order, extents_of(extents)?) }
            .map_err(|error| failed(format!("the weight {extents:?}"), error))?;
        Ok(filter)
    }
}

impl Moves {
    /// Whatever is multiplied is added up in single precision.
    pub(super) fn new(stride: usize, padding: usize, math: sys::cudnnMathType_t) -> Result<Self> {
        let moves = Self::create()?;
        let [stride, padding] = [extent(stride)?, extent(padding)?];
        let mode = sys::cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION;
        // SAFETY: the descriptor was just made.
        unsafe {
            result::set_convolution2d_descriptor(moves.0, padding, padding, stride, stride, 1, 1, mode, FLOAT)
                .and_then(|()| result::set_convolution_math_type(moves.0, math))
        }
        .map_err(|error| failed(format!("stride {stride} and padding {padding}"), error))?;
        Ok(moves)
    }
}

fn extents_of(extents: [usize; 4]) -> Result<[c_int; 4]> {
    let [a, b, c, d] = extents.map(extent);
    Ok([a?, b?, c?, d?])
}

fn extent(extent: usize) -> Result<c_int> {
    c_int::try_from(extent).map_err(|_| Error::domain("an extent of a convolution", extent, "below 2^31"))
}

/// The error of something that cuDNN refused.
pub(super) fn failed(what: impl std::fmt::Display, error: CudnnError) -> Error {
    Error::device(format!("cuDNN: {what} failed: {:?}", error.0))
}
