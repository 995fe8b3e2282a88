//! One lane of a GPU: its stream, its cuDNN, its way for small numbers.

use std::fmt;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cudarc::driver::{CudaStream, DriverError, sys as driver};

use super::algorithms::Candidates;
use super::choices::Choices;
use super::cudnn::Dnn;
use super::gpu::Gpu;
use super::kernels::THREADS;
use super::launch::{Argument, Launch};
use super::memory::{Buffer, Element, Out};
use super::staging::{self, Staging};
use crate::{Error, Result};

/// A lane of a GPU that is in use, with everything that is kept there for its users.
///
/// Its work is done in the order of calls, whoever calls, but for what is asked for beside that. Lanes do not wait for one
/// another, so that what one of them has in memory is no other's to read or write.
pub(crate) struct Device {
    // Fields are dropped in order: what needs the context before it.
    staging: Mutex<Staging>,
    dnn: Mutex<Dnn>,
    stream: Arc<CudaStream>,
    /// Where work is recorded, by one at a time.
    recorder: Mutex<Arc<CudaStream>>,
    /// For what may be done beside the stream, and beside what is recorded.
    sides: [Arc<CudaStream>; 2],
    lane: usize,
    gpu: Arc<Gpu>,
}

/// The lanes that this process uses. They stay open, so that what was measured on a GPU is measured once.
static OPEN: Mutex<Vec<Arc<Device>>> = Mutex::new(Vec::new());

impl Device {
    /// A lane, from 0, of the GPU of this number, from 0 as the driver counts; the same one at every call.
    ///
    /// # Errors
    /// [`Error::Device`], in one line, if there is no driver, no such GPU or no cuDNN, or if the GPU is too old for the
    /// kernels of this build.
    pub(crate) fn open(ordinal: usize, lane: usize) -> Result<Arc<Self>> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let lanes = || open.iter().filter(|device| device.ordinal() == ordinal);
        if let Some(device) = lanes().find(|device| device.lane == lane) {
            return Ok(Arc::clone(device));
        }
        let gpu = match lanes().next() {
            Some(device) => Arc::clone(&device.gpu),
            None => Arc::new(Gpu::start(ordinal)?),
        };
        let device = Arc::new(Self::start(gpu, lane)?);
        open.push(Arc::clone(&device));
        Ok(device)
    }

    fn start(gpu: Arc<Gpu>, lane: usize) -> Result<Self> {
        let name = gpu.name();
        let making = |error| failed(format!("making a stream on {name}"), error);
        gpu.context().bind_to_thread().map_err(making)?;
        let stream = || gpu.context().new_stream().map_err(making);
        let [stream, recorder, beside, beside_recorder] = [stream()?, stream()?, stream()?, stream()?];
        let dnn = Mutex::new(Dnn::new(&stream)?);
        let staging = Mutex::new(Staging::new(&stream)?);
        let (recorder, sides) = (Mutex::new(recorder), [beside, beside_recorder]);
        Ok(Self { staging, dnn, stream, recorder, sides, lane, gpu })
    }

    /// Its name, such as `NVIDIA H100 80GB HBM3`.
    pub(crate) fn name(&self) -> &str {
        self.gpu.name()
    }

    /// Its number.
    pub(crate) fn ordinal(&self) -> usize {
        self.gpu.context().ordinal()
    }

    /// Its compute capability, such as 9.0.
    pub(crate) fn capability(&self) -> String {
        let (major, minor) = self.gpu.capability();
        format!("{major}.{minor}")
    }

    /// Free and all bytes of its memory, as far as the driver says; what this process keeps for later buffers is not free.
    pub(super) fn memory(&self) -> Option<(usize, usize)> {
        self.gpu.context().mem_get_info().ok()
    }

    /// Starts a kernel and returns at once.
    ///
    /// # Errors
    /// [`Error::Device`] if the driver refuses, or if earlier work failed.
    pub(crate) fn run(&self, launch: &Launch<'_>) -> Result<()> {
        self.run_in(&self.stream, launch)
    }

    /// The same in another stream of the device.
    pub(super) fn run_in(&self, stream: &CudaStream, launch: &Launch<'_>) -> Result<()> {
        self.launch(stream, launch, false)
    }

    /// The same; the kernel, which waits itself for the launch before, may begin before that is done.
    pub(super) fn run_early(&self, stream: &CudaStream, launch: &Launch<'_>) -> Result<()> {
        self.launch(stream, launch, self.gpu.waits())
    }

    /// How long kernels take in a row, in milliseconds: the mean of so many times, after one that loads them.
    pub(super) fn time(&self, launches: &[Launch<'_>], times: usize) -> Result<f32> {
        let timing = |error| failed("timing kernels", error);
        let now = || self.stream.record_event(Some(driver::CUevent_flags::CU_EVENT_DEFAULT)).map_err(timing);
        let once = || launches.iter().try_for_each(|launch| self.run(launch));
        once()?;
        let before = now()?;
        (0..times).try_for_each(|_| once())?;
        before.elapsed_ms(&now()?).map(|all| all / times as f32).map_err(timing)
    }

    fn launch(&self, stream: &CudaStream, launch: &Launch<'_>, early: bool) -> Result<()> {
        let kernel = launch.kernel();
        let refused = |error| failed(format!("the kernel {}", kernel.name()), error);
        self.gpu.context().bind_to_thread().map_err(refused)?;
        let [x, y] = launch.blocks();
        let mut arguments: Vec<_> = launch.arguments().iter().map(Argument::place).collect();
        let mut attribute = driver::CUlaunchAttribute {
            id: driver::CUlaunchAttributeID::CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION,
            pad: [0; 4],
            value: driver::CUlaunchAttributeValue { programmaticStreamSerializationAllowed: i32::from(early) },
        };
        let config = driver::CUlaunchConfig {
            gridDimX: x,
            gridDimY: y,
            gridDimZ: 1,
            blockDimX: THREADS as u32,
            blockDimY: 1,
            blockDimZ: 1,
            sharedMemBytes: launch.shared(),
            hStream: stream.cu_stream(),
            attrs: &raw mut attribute,
            numAttrs: u32::from(early),
        };
        let function = self.gpu.function(kernel);
        // SAFETY: `Launch` has the kernel's own arguments, which a test compares with the compiled program; its views
        // are as long as the kernel's indices reach, and their buffers outlive it. Buffers that are dropped before the
        // kernel has run are given back after it, in the order of the stream; a recorded kernel is run again only while
        // its buffers are there, see `Replays`. The driver has taken arguments and attribute over when it returns.
        let done =
            unsafe { driver::cuLaunchKernelEx(&raw const config, function, arguments.as_mut_ptr(), ptr::null_mut()) };
        done.result().map_err(refused)
    }

    /// Makes a place hold these numbers, for all work that is asked for from now on, and returns at once if they are few.
    ///
    /// # Errors
    /// As [`Out::upload`].
    pub(super) fn send<T: Element>(&self, numbers: &[T], to: Out<'_, T>) -> Result<()> {
        if size_of_val(numbers) > staging::LONGEST {
            return to.upload(numbers);
        }
        self.staging.lock().unwrap_or_else(PoisonError::into_inner).send(numbers, to)
    }

    /// Waits until everything that was asked for is done.
    ///
    /// # Errors
    /// [`Error::Device`] if some of it failed.
    pub(super) fn wait(&self) -> Result<()> {
        self.stream.synchronize().map_err(|error| failed(format!("waiting for {}", self.name()), error))
    }

    /// The stream of all that is done, but for what is done beside it.
    pub(super) fn stream(&self) -> &Arc<CudaStream> {
        &self.stream
    }

    /// The stream of what is recorded, for one caller at a time.
    pub(super) fn recorder(&self) -> MutexGuard<'_, Arc<CudaStream>> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For what may be done beside one of these streams.
    pub(super) fn beside(&self, stream: &Arc<CudaStream>) -> &Arc<CudaStream> {
        &self.sides[usize::from(!Arc::ptr_eq(stream, &self.stream))]
    }

    /// cuDNN in one of these streams, for one caller at a time, with the context current on this thread.
    pub(super) fn dnn(&self, stream: &Arc<CudaStream>) -> Result<MutexGuard<'_, Dnn>> {
        self.gpu.context().bind_to_thread().map_err(|error| failed(format!("using {}", self.name()), error))?;
        let mut dnn = self.dnn.lock().unwrap_or_else(PoisonError::into_inner);
        dnn.work_in(stream)?;
        Ok(dnn)
    }

    /// Keeps other lanes of the GPU from doing anything but what they have recorded. Before its recorder and its cuDNN.
    pub(super) fn alone(&self) -> MutexGuard<'_, ()> {
        self.gpu.alone()
    }

    /// What algorithms are chosen among.
    pub(super) fn candidates(&self) -> Candidates {
        self.gpu.candidates()
    }

    /// The algorithms of convolutions that were chosen on its GPU, for one lane at a time.
    pub(super) fn choices(&self) -> MutexGuard<'_, Choices> {
        self.gpu.choices()
    }

    /// cuDNN's working memory; there is another one when some convolution has needed more.
    pub(super) fn workspace(&self) -> Option<Arc<Buffer<u8>>> {
        self.dnn.lock().unwrap_or_else(PoisonError::into_inner).workspace.clone()
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Device").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// The error of something that the driver refused.
pub(super) fn failed(what: impl fmt::Display, error: DriverError) -> Error {
    let reason = error.error_string().map(|reason| reason.to_string_lossy().into_owned());
    Error::device(format!("CUDA: {what} failed: {}", reason.unwrap_or_else(|_| format!("{:?}", error.0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_gpu_the_reason_is_one_line() {
        // On a machine with GPUs, this one does not exist either.
        let message = Device::open(1 << 20, 0).expect_err("no such GPU").to_string();
        assert!(message.contains("CUDA") && !message.contains('\n'), "{message}");
    }
}
