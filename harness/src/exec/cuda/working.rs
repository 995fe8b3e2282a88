//! Working memory that steps need by turns.

use super::launch::Planes;
use crate::exec::backend;
use crate::exec::gpu::form::Form;
use crate::exec::gpu::fusion::{Back, Joined, There, Ways};
use crate::exec::plan::{Forward, Plan};
use crate::model::graph::Shape;
use crate::{Error, Result};

/// Numbers of working memory of every kind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Working {
    /// Sums over channels on their way.
    pub(super) partial: usize,
    /// Slopes of a batch norm's way back.
    pub(super) slopes: usize,
    /// The gradient with respect to a convolution's weight on its way through a kernel of ours.
    pub(super) weight_parts: usize,
}

impl Working {
    /// As much as any step of a plan needs, there or back, for so many images.
    pub(super) fn of(plan: &Plan, ways: &Ways, images: usize) -> Result<Self> {
        let mut most = Self::default();
        for step in &plan.forward {
            most = match step {
                Forward::Convolution { op, .. } => most.sums(biased(op.output, images)),
                Forward::BatchNorm { op, .. } => {
                    Self { slopes: most.slopes.max(3 * op.channels), ..most.sums(normed(op, images)) }
                }
                Forward::Linear { op, .. } => most.sums(outputs(op, images)),
                _ => most,
            };
        }
        for step in &ways.there {
            if let There::Convolution(Joined { op, .. }) = step {
                most.partial = most.partial.max(form(op, images)?.partial_sums());
            }
        }
        for step in &ways.back {
            if let Back::Convolution { op, .. } = step {
                most.partial = most.partial.max(form(op, images)?.partial_sums());
                most.weight_parts = most.weight_parts.max(form(op, images)?.weight_parts());
            }
        }
        Ok(most)
    }

    fn sums(self, planes: Planes) -> Self {
        Self { partial: self.partial.max(planes.partial_sums()), ..self }
    }
}

/// What a bias is added to.
pub(super) fn biased(output: Shape, images: usize) -> Planes {
    Planes { images, channels: output.channels, plane: output.plane() }
}

/// What a batch norm sees.
pub(super) fn normed(op: &backend::BatchNorm, images: usize) -> Planes {
    Planes { images, channels: op.channels, plane: op.plane }
}

/// What a linear layer makes.
pub(super) fn outputs(op: &backend::Linear, images: usize) -> Planes {
    Planes { images, channels: op.outputs, plane: 1 }
}

/// How a kernel of ours carries out a convolution.
pub(super) fn form(op: &backend::Convolution, images: usize) -> Result<Form> {
    Form::of(op, images).ok_or_else(|| Error::device("a convolution on the GPU is none that its kernels carry out"))
}
