//! What became of an attempt to start much work with one call.

/// Kinds of work that a GPU does for every batch of a size, each recorded as one CUDA graph or, if that failed, started
/// kernel by kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recordings {
    /// How many were recorded.
    pub recorded: usize,
    /// Why others were not.
    pub refused: Vec<String>,
}
