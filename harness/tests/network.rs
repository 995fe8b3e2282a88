//! Whole networks on every backend: gradients, number types, threads, dropout and batch-norm statistics.

use valleys_harness::exec::BackendKind;

mod cpu {
    const BACKEND: super::BackendKind = super::BackendKind::Cpu;
    include!("network/suite.rs");
}

mod reference {
    const BACKEND: super::BackendKind = super::BackendKind::Reference;
    include!("network/suite.rs");
}
