//! Stub
#![allow(dead_code, unused_variables)]
use super::{Launch, Norm, Reduced};
use crate::exec::Mode;
use crate::exec::backend;
use crate::exec::cuda::memory::{Out, View};
use crate::exec::cuda::number::Bf16;
use crate::{Error, Result};

/// A convolution that the tensor-core kernels carry out, for a batch of a size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    op: usize,
}

impl Form {
    /// None where no kernel of ours does it (then cuDNN does).
    pub(crate) fn of(op: &backend::Convolution, images: usize) -> Option<Self> {
        None
    }
    /// f64 working memory for sums over channels of the output (there) or of the input (back).
    pub(crate) fn partial_sums(self) -> usize {
        0
    }
    /// f32 working memory of the weight's gradient on its way.
    pub(crate) fn weight_parts(self) -> usize {
        0
    }
}

/// What a convolution reads: a map, or the batch norm (with its activation) of a map, made as it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Read<'a> {
    Plain(View<'a, Bf16>),
    Normed(View<'a, Bf16>, Norm<'a>),
}

/// Where sums over channels go, besides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moments<'a> {
    pub(crate) partial: Out<'a, f64>,
    pub(crate) counter: Out<'a, u32>,
    pub(crate) mean: Out<'a, f64>,
    pub(crate) var: Out<'a, f64>,
}

/// The first half of the way back of the batch norm that made the convolution's input x from `x`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sums<'a> {
    pub(crate) norm: Norm<'a>,
    pub(crate) x: View<'a, Bf16>,
    pub(crate) mode: Mode,
    pub(crate) reduced: Reduced<'a>,
    pub(crate) counter: Out<'a, u32>,
}

pub(crate) fn convolution<'a>(
    form: Form,
    weight: View<'a, Bf16>,
    x: Read<'a>,
    add: Option<View<'a, Bf16>>,
    y: Out<'a, Bf16>,
    moments: Option<Moments<'a>>,
) -> Result<Launch<'a>> {
    Err(Error::device("not built yet"))
}

pub(crate) fn convolution_backward_data<'a>(
    form: Form,
    weight: View<'a, Bf16>,
    dy: View<'a, Bf16>,
    dx: (Out<'a, Bf16>, bool),
    sums: Option<Sums<'a>>,
) -> Result<Launch<'a>> {
    Err(Error::device("not built yet"))
}

pub(crate) fn convolution_backward_weight<'a>(
    form: Form,
    x: Read<'a>,
    dy: View<'a, Bf16>,
    parts: Out<'a, f32>,
    gradient: Out<'a, f32>,
) -> Result<[Launch<'a>; 2]> {
    Err(Error::device("not built yet"))
}
