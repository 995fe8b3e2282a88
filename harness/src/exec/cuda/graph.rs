//! Work that is done over and over in the same places: recorded once, and then started as one.

use std::sync::Arc;

use cudarc::driver::{CudaStream, result, sys};

use super::device::{Device, failed};
use crate::Result;

/// Recorded work, ready to be started.
pub(super) struct Graph {
    stream: Arc<CudaStream>,
    graph: sys::CUgraph,
    ready: sys::CUgraphExec,
}

// SAFETY: the driver takes a graph from any thread, one at a time, and this value is not shared.
unsafe impl Send for Graph {}

impl Graph {
    /// Records what `work` asks for in the stream that it is given, where nothing is done meanwhile.
    pub(super) fn record(device: &Device, work: impl FnOnce(&Arc<CudaStream>) -> Result<()>) -> Result<Self> {
        let recorder = device.recorder();
        let (stream, main) = (&*recorder, Arc::clone(device.stream()));
        let recording = |error| failed("recording a graph", error);
        stream.context().bind_to_thread().map_err(recording)?;
        // Relaxed: cuDNN may do what it likes besides, such as loading a kernel.
        let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED;
        // SAFETY: the stream is alive, and its lock is held until the recording is over.
        unsafe { result::stream::begin_capture(stream.cu_stream(), mode) }.map_err(recording)?;
        let done = work(stream);
        // SAFETY: as above; the recording has to end, whatever became of the work.
        let graph = unsafe { result::stream::end_capture(stream.cu_stream()) };
        // From here on the graph is given back, whatever happens.
        let mut made = Self { stream: main, graph: graph.map_err(recording)?, ready: std::ptr::null_mut() };
        done?;
        // SAFETY: the graph was just recorded.
        made.ready = unsafe { result::graph::instantiate(made.graph, sys::CUgraphInstantiate_flags(0)) }
            .map_err(|error| failed("making a graph ready", error))?;
        Ok(made)
    }

    /// Starts it after all that was asked for before, and returns at once.
    pub(super) fn start(&self) -> Result<()> {
        let starting = |error| failed("starting a graph", error);
        self.stream.context().bind_to_thread().map_err(starting)?;
        // SAFETY: the graph is ready; who recorded it knows that its places still hold what they held.
        unsafe { result::graph::launch(self.ready, self.stream.cu_stream()) }.map_err(starting)
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // Where there is nobody to tell, a failure to give back is let be. A graph that still runs is given back after it.
        if self.stream.context().bind_to_thread().is_err() {
            return;
        }
        // SAFETY: both are this value's own, and not used again.
        unsafe {
            if !self.ready.is_null() {
                let _ = result::graph::exec_destroy(self.ready);
            }
            if !self.graph.is_null() {
                let _ = result::graph::destroy(self.graph);
            }
        }
    }
}

/// Work by its kind, as it comes the first time, and recorded from then on as long as its places stay the same.
pub(super) struct Replays<K> {
    records: bool,
    known: Vec<Known<K>>,
}

struct Known<K> {
    kind: K,
    /// Where it reads and writes; its recording is worth nothing anywhere else.
    places: Vec<u64>,
    /// None if it was done once, or cannot be recorded.
    graph: Option<Graph>,
    refused: bool,
}

impl<K: PartialEq> Replays<K> {
    /// None is recorded if `records` is false.
    pub(super) fn new(records: bool) -> Self {
        Self { records, known: Vec::new() }
    }

    /// Does work of a kind, of which `places` are all addresses that may change from time to time.
    ///
    /// Work that cannot be recorded is done as it comes, each time.
    pub(super) fn run(
        &mut self,
        device: &Device,
        (kind, places): (K, Vec<u64>),
        work: impl Fn(&Arc<CudaStream>) -> Result<()>,
    ) -> Result<()> {
        let known = self.known.iter_mut().find(|known| known.kind == kind);
        let Some(known) = known.filter(|_| self.records) else {
            // The first time it loads kernels and gets working memory, which a recording must not.
            work(device.stream())?;
            if self.records {
                self.known.push(Known { kind, places, graph: None, refused: false });
            }
            return Ok(());
        };
        if known.places != places {
            *known = Known { kind, places, graph: None, refused: false };
            return work(device.stream());
        }
        if known.graph.is_none() && !known.refused {
            known.graph = Graph::record(device, &work).ok();
            known.refused = known.graph.is_none();
        }
        match &known.graph {
            Some(graph) => graph.start(),
            None => work(device.stream()),
        }
    }

    /// How many kinds of work are recorded.
    #[cfg(test)]
    pub(super) fn recorded(&self) -> usize {
        self.known.iter().filter(|known| known.graph.is_some()).count()
    }
}
