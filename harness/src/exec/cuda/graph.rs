//! Work that is done over and over in the same places: recorded once, and then started as one.

use std::sync::Arc;

use cudarc::driver::{CudaStream, result, sys};

use super::device::{Device, failed};
use super::memory::Buffer;
use crate::exec::Recordings;
use crate::{Error, Result};

/// Recorded work, ready to be started.
pub(super) struct Graph {
    stream: Arc<CudaStream>,
    ready: sys::CUgraphExec,
}

// SAFETY: the driver takes a graph from any thread, one at a time, and this value is not shared.
unsafe impl Send for Graph {}

impl Graph {
    /// Records what `work` asks for in the stream that it is given, where nothing is done meanwhile.
    pub(super) fn record(device: &Device, work: impl FnOnce(&Arc<CudaStream>) -> Result<()>) -> Result<Self> {
        let recorder = device.recorder();
        let stream = &*recorder;
        let recording = |error| failed("recording a graph", error);
        stream.context().bind_to_thread().map_err(recording)?;
        // Relaxed: cuDNN may do what it likes besides, such as loading a kernel.
        let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED;
        // SAFETY: the stream is alive, and its lock is held until the recording is over.
        unsafe { result::stream::begin_capture(stream.cu_stream(), mode) }.map_err(recording)?;
        let done = work(stream);
        // SAFETY: as above; the recording has to end, whatever became of the work.
        let graph = unsafe { result::stream::end_capture(stream.cu_stream()) };
        let ready = graph.map(|graph| {
            // SAFETY: the graph was just recorded; what is made of it does not need it.
            unsafe {
                let ready = result::graph::instantiate(graph, sys::CUgraphInstantiate_flags(0));
                result::graph::destroy(graph).and(ready)
            }
        });
        // From here on it is given back, whatever became of the work.
        let ready = ready.map_err(recording)?.map_err(|error| failed("making a graph ready", error));
        let graph = ready.map(|ready| Self { stream: Arc::clone(device.stream()), ready });
        done.and(graph)
    }

    /// Starts it after all that was asked for before, and returns at once.
    ///
    /// # Safety
    /// Whatever was recorded reads and writes where it did then: that memory must still be there, for the same use.
    pub(super) unsafe fn start(&self) -> Result<()> {
        let starting = |error| failed("starting a graph", error);
        self.stream.context().bind_to_thread().map_err(starting)?;
        // SAFETY: the graph is ready; the rest is the caller's promise.
        unsafe { result::graph::launch(self.ready, self.stream.cu_stream()) }.map_err(starting)
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // Where there is nobody to tell, a failure to give back is let be. If it still runs, it is given back after that.
        if self.stream.context().bind_to_thread().is_ok() {
            // SAFETY: the graph is this value's own, and not used again.
            let _ = unsafe { result::graph::exec_destroy(self.ready) };
        }
    }
}

/// Where work reads and writes, as far as that may change from one time to the next.
pub(super) struct Places {
    /// Starts of buffers that are replaced when they have to be longer, and never by shorter ones.
    pub(super) addresses: Vec<u64>,
    /// Of cuDNN, which shares it with others: held, so that it stays what it is.
    pub(super) workspace: Option<Arc<Buffer<u8>>>,
}

impl Places {
    fn are(&self, others: &Self) -> bool {
        let workspaces = [self, others].map(|places| places.workspace.as_ref().map(Arc::as_ptr));
        self.addresses == others.addresses && workspaces[0] == workspaces[1]
    }
}

/// Work by its kind, as it comes the first time, and recorded from then on as long as its places stay the same.
pub(super) struct Replays<K> {
    records: bool,
    known: Vec<Known<K>>,
}

struct Known<K> {
    kind: K,
    places: Places,
    state: State,
}

enum State {
    /// It was done once, which loads kernels and gets working memory; a recording must do neither.
    Done,
    Recorded(Graph),
    /// It cannot be recorded or its recording not be started, for this reason.
    Refused(Error),
}

impl<K: PartialEq> Replays<K> {
    /// None is recorded if `records` is false.
    pub(super) fn new(records: bool) -> Self {
        Self { records, known: Vec::new() }
    }

    /// Does work of a kind. Work that cannot be recorded is done as it comes, each time.
    ///
    /// # Safety
    /// Until this value is gone, memory that the work of a kind reads or writes is there for this use as long as `places`
    /// gives the same for it.
    pub(super) unsafe fn run(
        &mut self,
        device: &Device,
        kind: K,
        places: impl Fn() -> Places,
        work: impl Fn(&Arc<CudaStream>) -> Result<()>,
    ) -> Result<()> {
        let before = places();
        let known = self.known.iter_mut().find(|known| known.kind == kind);
        let known = known.filter(|known| self.records && known.places.are(&before));
        // Whatever a library does when it is first asked for something, no other lane is recording meanwhile.
        let is_recorded = known.as_ref().is_some_and(|known| matches!(known.state, State::Recorded(_)));
        let _alone = (!is_recorded).then(|| device.alone());
        let Some(known) = known else {
            work(device.stream())?;
            if self.records {
                self.known.retain(|known| known.kind != kind);
                self.known.push(Known { kind, places: places(), state: State::Done });
            }
            return Ok(());
        };
        if matches!(known.state, State::Done) {
            known.state = Graph::record(device, &work).map_or_else(State::Refused, State::Recorded);
        }
        if let State::Recorded(graph) = &known.state {
            // SAFETY: its places are those of the time when it was recorded; the rest is the caller's promise.
            match unsafe { graph.start() } {
                Ok(()) => return Ok(()),
                Err(error) => known.state = State::Refused(error),
            }
        }
        work(device.stream())
    }

    /// What became of the work that was done more than once.
    pub(super) fn recordings(&self) -> Recordings {
        let mut recordings = Recordings::default();
        for known in &self.known {
            match &known.state {
                State::Done => {}
                State::Recorded(_) => recordings.recorded += 1,
                State::Refused(error) => recordings.refused.push(error.to_string()),
            }
        }
        recordings
    }
}
