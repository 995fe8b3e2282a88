//! The way to a GPU, in builds that have one and in those that do not; and what is known of its steps in both.

pub(in crate::exec) mod form;
pub(in crate::exec) mod fusion;

use std::any::{Any, TypeId};
use std::sync::atomic::{AtomicUsize, Ordering};

use self::form::Form;
use super::backend::Convolution;
use super::engine::Engine;
use super::plan::Kinds;
use crate::model::Graph;
use crate::{Error, Result, Scalar};

/// In what a GPU multiplies where it convolves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Single precision; on tensor cores only where products are those of single precision nearly.
    Single,
    /// Single precision rounded to TF32, whose products tensor cores add up in single precision.
    Tf32,
    /// bfloat16, in which feature maps and their gradients are also kept; tensor cores add up in single precision.
    Bf16,
}

impl Precision {
    /// Which values of a network are kept alike.
    pub(super) fn kinds(self, graph: &Graph) -> Result<Kinds> {
        match self {
            Self::Single | Self::Tf32 => Ok(Kinds::alike(graph)),
            Self::Bf16 => Kinds::apart(graph),
        }
    }

    /// Whether kernels of ours carry out a convolution, if it has no bias; the others are cuDNN's.
    pub(super) fn fits(self, op: &Convolution) -> bool {
        // The kernels take any number of images.
        self == Self::Bf16 && Form::of(op, 1).is_some()
    }
}

/// The number of the GPU that this process uses. Which one it is, is no more part of a result than the number of threads
/// is; so it is the process's, too.
static GPU: AtomicUsize = AtomicUsize::new(0);

/// Makes GPU number `ordinal` the one that executors begun from now on use; the first is 0, which is also the usual.
pub fn choose_gpu(ordinal: usize) {
    GPU.store(ordinal, Ordering::Relaxed);
}

/// The engine of a network in a lane of the GPU, which computes in single precision.
pub(super) fn engine<T: Scalar>(graph: &Graph, precision: Precision, lane: usize) -> Result<Box<dyn Engine<T>>> {
    let double = || Error::device("the CUDA backends compute in single precision alone; allowed: cpu and reference");
    if TypeId::of::<T>() != TypeId::of::<f32>() {
        return Err(double());
    }
    // Known to be the same type, which the compiler cannot see.
    let engine: Box<dyn Any> = Box::new(single(graph, (precision, lane), &precision.kinds(graph)?)?);
    engine.downcast().map(|engine| *engine).map_err(|_| double())
}

#[cfg(feature = "cuda")]
fn single(graph: &Graph, (precision, lane): (Precision, usize), kinds: &Kinds) -> Result<Box<dyn Engine<f32>>> {
    Ok(Box::new(super::cuda::Cuda::new(graph, (GPU.load(Ordering::Relaxed), lane), precision, kinds)?))
}

/// The GPU's name and number.
#[cfg(feature = "cuda")]
pub(super) fn name() -> Result<String> {
    super::cuda::name(GPU.load(Ordering::Relaxed))
}

#[cfg(not(feature = "cuda"))]
fn single(_: &Graph, _: (Precision, usize), _: &Kinds) -> Result<Box<dyn Engine<f32>>> {
    Err(absent())
}

#[cfg(not(feature = "cuda"))]
pub(super) fn name() -> Result<String> {
    Err(absent())
}

#[cfg(not(feature = "cuda"))]
fn absent() -> Error {
    Error::device(
        "this build has no CUDA backend; scripts/build-cuda.sh makes one that has (docs/cuda.md), --backend cpu needs none",
    )
}
