//! How long work reports on itself, and is asked to stop, without printing anything.

/// Receives the progress of long work. Called from any thread.
pub trait Observer: Sync {
    /// A task of `units` equal pieces begins.
    fn begin(&self, task: &str, units: u64);
    /// `units` more pieces are done.
    fn advance(&self, units: u64);
    /// One line worth saying about the running task, such as the loss of the last epoch.
    fn note(&self, line: &str);
    /// The running task ends.
    fn finish(&self);
    /// Whether the work should stop at the next safe point with `Error::Interrupted`.
    fn interrupted(&self) -> bool {
        false
    }
}

/// Hears nothing and never interrupts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn begin(&self, _task: &str, _units: u64) {}
    fn advance(&self, _units: u64) {}
    fn note(&self, _line: &str) {}
    fn finish(&self) {}
}

/// Hears nothing and asks to stop from the start: how work is tried that must heed it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stopped;

impl Observer for Stopped {
    fn begin(&self, _task: &str, _units: u64) {}
    fn advance(&self, _units: u64) {}
    fn note(&self, _line: &str) {}
    fn finish(&self) {}
    fn interrupted(&self) -> bool {
        true
    }
}

/// Passes interruptions on, but no progress: for work whose parts are counted elsewhere.
#[derive(Clone, Copy)]
pub(crate) struct Quiet<'a>(pub(crate) &'a dyn Observer);

impl Observer for Quiet<'_> {
    fn begin(&self, _task: &str, _units: u64) {}
    fn advance(&self, _units: u64) {}
    fn note(&self, _line: &str) {}
    fn finish(&self) {}
    fn interrupted(&self) -> bool {
        self.0.interrupted()
    }
}
