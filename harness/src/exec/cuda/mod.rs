//! Networks on an NVIDIA GPU: cuDNN's convolutions and own kernels.
//!
//! The kernels are in `kernels/`: arithmetic one number at a time in `scalar.h`, indices in `threads.h` and what it
//! includes, waiting in `kernels.cu`. A [`Launch`](launch::Launch) is one kernel with checked arguments, made by a function a kernel in
//! `launch/`; a [`Device`](device::Device) carries it out. The tests carry the same launches out on the host, by the same
//! C++ functions in plain loops, and hold them to the reference backend.
//!
//! Everything runs in order on one stream of the device; on a second one, work is recorded that is done over and over. A
//! device is a lane of a [`Gpu`](gpu::Gpu): several engines at a time have one each, with streams, cuDNN and memory of its
//! own. Sums are taken in a fixed order, which shapes alone determine.

mod algorithms;
mod choices;
mod convolution;
mod cudnn;
mod device;
mod engine;
mod gpu;
mod graph;
mod images;
mod kernels;
mod launch;
mod lines;
mod loss;
mod machine;
mod memory;
mod mirrored;
mod number;
mod pass;
mod places;
mod room;
mod sets;
mod staging;
mod weights;
mod working;
pub(super) use self::engine::{Cuda, name};

#[cfg(test)]
mod tests;
