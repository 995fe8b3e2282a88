//! Whole networks on the CPU backend.

mod suite;

/// The backend under test.
const BACKEND: valleys_harness::exec::BackendKind = valleys_harness::exec::BackendKind::Cpu;
