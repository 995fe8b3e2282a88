//! One GPU: its kernels, and the algorithms that were chosen on it. Its lanes share them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cudarc::driver::{CudaContext, CudaFunction, DriverError, result, sys as driver};
use cudarc::nvrtc::Ptx;

use super::algorithms::Candidates;
use super::choices::{self, Choices};
use super::cudnn;
use super::device::failed;
use super::kernels::{CAPABILITIES, Kernel, PROGRAM};
use crate::exec::gpu::form::SHARED;
use crate::{Error, Result};

/// A GPU that is in use, with everything that does not depend on the order of work.
pub(super) struct Gpu {
    // Fields are dropped in order: what needs the context before it.
    kernels: Vec<CudaFunction>,
    context: Arc<CudaContext>,
    name: String,
    capability: (i32, i32),
    /// Whether the loaded kernels wait for the launch before, as those for capability 9.0 and later do.
    wait: bool,
    /// What these are chosen among.
    candidates: Candidates,
    /// Held by the lane that does something for the first time, or records it.
    alone: Mutex<()>,
    /// One algorithm a convolution, whichever lane carries it out: another one would give other bits.
    choices: Mutex<Choices>,
}

impl Gpu {
    /// The GPU of this number, from 0 as the driver counts.
    ///
    /// Fails, in one line, if there is no driver, no such GPU or no cuDNN, or if the GPU is too old for the kernels of this
    /// build.
    pub(super) fn start(ordinal: usize) -> Result<Self> {
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
        // SAFETY: cudarc's own events order the work of several streams on one buffer. A buffer is a lane's, and all work of a
        // lane is in one stream, but for what `OnDevice::run_beside` orders itself.
        unsafe { context.disable_event_tracking() };
        let about = |error| failed(format!("asking GPU {ordinal} what it is"), error);
        let name = context.name().map_err(about)?;
        let capability = context.compute_capability().map_err(about)?;
        keep_memory(&context).map_err(|error| failed(format!("keeping memory on {name}"), error))?;
        let kernels = load(&context, &name, capability)?;
        // Of the code that was loaded: a later GPU may have had to compile that for an earlier one.
        let versions = kernels.iter().map(CudaFunction::ptx_version).collect::<std::result::Result<Vec<_>, _>>();
        let wait = versions.map_err(about)?.into_iter().all(|version| version >= 90);
        let candidates = Candidates::wanted()?;
        // Other kernels of ours are measured anew.
        let mut hasher = DefaultHasher::new();
        PROGRAM.hash(&mut hasher);
        let kernels_are = hasher.finish();
        let on = format!("{name}, cuDNN {}, kernels {kernels_are:016x}, {candidates:?}", cudnn::version()?);
        let choices = Mutex::new(Choices::new(choices::file(), on));
        Ok(Self { kernels, context, name, capability, wait, candidates, alone: Mutex::new(()), choices })
    }

    pub(super) fn context(&self) -> &Arc<CudaContext> {
        &self.context
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn capability(&self) -> (i32, i32) {
        self.capability
    }

    pub(super) fn waits(&self) -> bool {
        self.wait
    }

    pub(super) fn function(&self, kernel: Kernel) -> driver::CUfunction {
        self.kernels[kernel as usize].cu_function()
    }

    /// Keeps other lanes from doing anything but what they have recorded.
    pub(super) fn alone(&self) -> MutexGuard<'_, ()> {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn candidates(&self) -> Candidates {
        self.candidates
    }

    /// The algorithms, for one lane at a time: what one is about to choose, the others wait for.
    pub(super) fn choices(&self) -> MutexGuard<'_, Choices> {
        self.choices.lock().unwrap_or_else(PoisonError::into_inner)
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
