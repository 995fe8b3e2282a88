//! The weights of convolutions, in the numbers in which feature maps are kept, and their gradients back in single
//! precision.

use super::launch::from_bf16;
use super::machine::Machine;
use super::memory::{Out, View};
use super::number::{Bf16, Number};
use crate::Result;
use crate::exec::backend::Convolution;
use crate::model::graph::Shape;

/// Numbers that convolutions multiply.
pub(super) trait Factor: Number {
    /// The weight, from that in single precision or what was made of it at the beginning of the way there.
    fn weight<'a, M: Machine>(machine: &'a M, op: &Convolution, weight: View<'a, f32>) -> Result<View<'a, Self>>;
    /// Adds the gradient with respect to the weight.
    fn add_gradient<M: Machine>(
        machine: &M,
        op: &Convolution,
        x: View<'_, Self>,
        dy: View<'_, Self>,
        gradient: Out<'_, f32>,
    ) -> Result<()>;
}

impl Factor for f32 {
    fn weight<'a, M: Machine>(_: &'a M, _: &Convolution, weight: View<'a, f32>) -> Result<View<'a, Self>> {
        Ok(weight)
    }

    fn add_gradient<M: Machine>(
        machine: &M,
        op: &Convolution,
        x: View<'_, Self>,
        dy: View<'_, Self>,
        gradient: Out<'_, f32>,
    ) -> Result<()> {
        machine.convolution_backward_weight(op, x, dy, (gradient, true))
    }
}

impl Factor for Bf16 {
    fn weight<'a, M: Machine>(machine: &'a M, op: &Convolution, _: View<'a, f32>) -> Result<View<'a, Self>> {
        machine.rounded(op).map(Out::view)
    }

    // cuDNN gives the gradient in the numbers of x and dy; what is added up is in single precision.
    fn add_gradient<M: Machine>(
        machine: &M,
        op: &Convolution,
        x: View<'_, Self>,
        dy: View<'_, Self>,
        gradient: Out<'_, f32>,
    ) -> Result<()> {
        let rounded = machine.rounded_gradient(op)?;
        machine.convolution_backward_weight(op, x, dy, (rounded, false))?;
        let filter = Shape { channels: op.input.channels, height: op.window.size, width: op.window.size };
        machine.run(&from_bf16(filter, rounded.view(), gradient, true)?)
    }
}
