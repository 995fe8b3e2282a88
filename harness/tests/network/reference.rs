//! Whole networks on the reference backend.

mod suite;

/// The backend under test.
const BACKEND: valleys_harness::exec::BackendKind = valleys_harness::exec::BackendKind::Reference;
