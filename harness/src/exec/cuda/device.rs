//! One GPU: its stream, its kernels, its cuDNN.

use std::fmt;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cudarc::driver::{CudaContext, CudaFunction, CudaStream, DriverError, result, sys as driver};
use cudarc::nvrtc::Ptx;

use super::cudnn::Dnn;
use super::kernels::{CAPABILITIES, Kernel, PROGRAM, THREADS};
use super::launch::{Argument, Launch};
use super::memory::{Buffer, Element, Out};
use super::staging::{self, Staging};
use crate::exec::gpu::form::SHARED;
use crate::{Error, Result};

/// A GPU that is in use, with everything that is kept there for its users.
///
/// Its work is done in the order of calls, whoever calls, but for what is asked for beside that.
pub(crate) struct Device {
    // Fields are dropped in order: what needs the context before it.
    staging: Mutex<Staging>,
    dnn: Mutex<Dnn>,
    kernels: Vec<CudaFunction>,
    stream: Arc<CudaStream>,
    /// Where work is recorded, by one at a time.
    recorder: Mutex<Arc<CudaStream>>,
    /// For what may be done beside the stream, and beside what is recorded.
    sides: [Arc<CudaStream>; 2],
    context: Arc<CudaContext>,
    name: String,
    capability: (i32, i32),
    /// Whether the loaded kernels wait for the launch before, as those for capability 9.0 and later do.
    wait: bool,
}

/// The devices that this process uses. They stay open, so that what was measured on one is measured once.
static OPEN: Mutex<Vec<Arc<Device>>> = Mutex::new(Vec::new());

impl Device {
    /// The GPU of this number, from 0 as the driver counts; the same one at every call.
    ///
    /// # Errors
    /// [`Error::Device`], in one line, if there is no driver, no such GPU or no cuDNN, or if the GPU is too old for the
    /// kernels of this build.
    pub(crate) fn open(ordinal: usize) -> Result<Arc<Self>> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(device) = open.iter().find(|device| device.context.ordinal() == ordinal) {
            return Ok(Arc::clone(device));
        }
        let device = Arc::new(Self::start(ordinal)?);
        open.push(Arc::clone(&device));
        Ok(device)
    }

    fn start(ordinal: usize) -> Result<Self> {
        // SAFETY: loads the driver's own library, as every program with CUDA does.
        if !unsafe { driver::is_culib_present() } {
            return Err(Error::device("no CUDA: this machine has no NVIDIA driver (libcuda.so.1 was not found)"));
        }
        let count = CudaContext::device_count().map_err(|error| failed("starting", error))?;
        if usize::try_from(count).is_ok_and(|count| ordinal >= count) {
            let problem = format!("no CUDA device {ordinal}: this machine has {count}, and numbers start from 0");
            return Err(Error::device(problem));
        }
        let context = CudaContext::new(ordinal).map_err(|error| failed(format!("opening GPU {ordinal}"), error))?;
        // SAFETY: cudarc's own events order the work of several streams on one buffer. All work of this device is in one
        // stream, but for what `OnDevice::run_beside` orders itself.
        unsafe { context.disable_event_tracking() };
        let about = |error| failed(format!("asking GPU {ordinal} what it is"), error);
        let name = context.name().map_err(about)?;
        let capability = context.compute_capability().map_err(about)?;
        keep_memory(&context).map_err(|error| failed(format!("keeping memory on {name}"), error))?;
        let stream = || context.new_stream().map_err(|error| failed(format!("making a stream on {name}"), error));
        let [own, recorder, beside, beside_recorder] = [stream()?, stream()?, stream()?, stream()?];
        let kernels = load(&context, &name, capability)?;
        // Of the code that was loaded: a later GPU may have had to compile that for an earlier one.
        let versions = kernels.iter().map(CudaFunction::ptx_version).collect::<std::result::Result<Vec<_>, _>>();
        let wait = versions.map_err(about)?.into_iter().all(|version| version >= 90);
        let dnn = Mutex::new(Dnn::new(&own, &name)?);
        let staging = Mutex::new(Staging::new(&own)?);
        let (recorder, sides) = (Mutex::new(recorder), [beside, beside_recorder]);
        Ok(Self { staging, dnn, kernels, stream: own, recorder, sides, context, name, capability, wait })
    }

    /// Its name, such as `NVIDIA H100 80GB HBM3`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its number.
    pub(crate) fn ordinal(&self) -> usize {
        self.context.ordinal()
    }

    /// Its compute capability, such as 9.0.
    pub(crate) fn capability(&self) -> String {
        format!("{}.{}", self.capability.0, self.capability.1)
    }

    /// Free and all bytes of its memory, as far as the driver says; what this process keeps for later buffers is not free.
    pub(super) fn memory(&self) -> Option<(usize, usize)> {
        self.context.mem_get_info().ok()
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
        self.launch(stream, launch, self.wait)
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
        self.context.bind_to_thread().map_err(refused)?;
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
        let function = self.kernels[kernel as usize].cu_function();
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
        self.stream.synchronize().map_err(|error| failed(format!("waiting for {}", self.name), error))
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
        self.context.bind_to_thread().map_err(|error| failed(format!("using {}", self.name), error))?;
        let mut dnn = self.dnn.lock().unwrap_or_else(PoisonError::into_inner);
        dnn.work_in(stream)?;
        Ok(dnn)
    }

    /// cuDNN's working memory; there is another one when some convolution has needed more.
    pub(super) fn workspace(&self) -> Option<Arc<Buffer<u8>>> {
        self.dnn.lock().unwrap_or_else(PoisonError::into_inner).workspace.clone()
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Device").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Lets the driver keep freed memory for later buffers; by default it gives it back whenever the host waits.
fn keep_memory(context: &CudaContext) -> std::result::Result<(), DriverError> {
    if !context.has_async_alloc() {
        return Ok(());
    }
    let mut threshold = u64::MAX;
    // SAFETY: the device is open, so its default pool exists; the attribute is a 64-bit number, which the call reads.
    unsafe {
        let pool = result::device::get_default_mem_pool(context.cu_device())?;
        let attribute = driver::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
        result::mem_pool::set_attribute(pool, attribute, std::ptr::from_mut(&mut threshold).cast())
    }
}

fn load(context: &Arc<CudaContext>, name: &str, capability: (i32, i32)) -> Result<Vec<CudaFunction>> {
    let module = context.load_module(Ptx::from_binary(PROGRAM.to_vec())).map_err(|error| {
        let (major, minor) = capability;
        failed(
            format!(
                "loading kernels for capabilities {CAPABILITIES} on {name}, whose capability is {major}.{minor} \
                 (scripts/build-cuda.sh --arch {major}{minor} builds for it)"
            ),
            error,
        )
    })?;
    let functions = Kernel::ALL.iter().map(|kernel| {
        let function = module.load_function(kernel.name()).and_then(|function| {
            if kernel.shares() {
                let most = driver::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
                function.set_attribute(most, SHARED as i32)?;
            }
            Ok(function)
        });
        function.map_err(|error| failed(format!("loading the kernel {}", kernel.name()), error))
    });
    functions.collect()
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
        let message = Device::open(1 << 20).expect_err("no such GPU").to_string();
        assert!(message.contains("CUDA") && !message.contains('\n'), "{message}");
    }
}
