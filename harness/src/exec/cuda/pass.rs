//! Carries out the steps of a plan; everything that one step leaves for another stays where the machine works.

use super::launch::{self, Norm, Reduced};
use super::machine::Machine;
use super::memory::{Out, View};
use super::room::{biased, normed, outputs};
use crate::Result;
use crate::exec::Mode;
use crate::exec::backend::{self, Slot, Target};
use crate::exec::plan::{Backward, Forward};

/// One batch on its way.
pub(super) struct Pass<'a, M> {
    pub(super) machine: &'a M,
    pub(super) parameters: View<'a, f32>,
    /// Means, then biased variances, of the channels of all batch norms.
    pub(super) moments: Out<'a, f64>,
    pub(super) mode: Mode,
}

impl<'a, M: Machine> Pass<'a, M> {
    fn view(&self, slot: Slot) -> Result<View<'a, f32>> {
        self.out(slot).map(Out::view)
    }

    fn out(&self, slot: Slot) -> Result<Out<'a, f32>> {
        self.machine.slot(slot)
    }

    /// Where a gradient goes, and whether it is added.
    fn target(&self, target: Target) -> Result<(Out<'a, f32>, bool)> {
        Ok((self.out(target.slot)?, target.accumulate))
    }

    fn parameters(&self, range: &std::ops::Range<usize>) -> Result<View<'a, f32>> {
        self.parameters.part(range.clone())
    }

    /// Mean and variance of one batch norm.
    fn moments(&self, op: &backend::BatchNorm) -> Result<[Out<'a, f64>; 2]> {
        let (channels, own) = (self.moments.len() / 2, &op.statistics);
        Ok([self.moments.part(own.clone())?, self.moments.part(channels + own.start..channels + own.end)?])
    }

    fn norm(&self, op: &backend::BatchNorm) -> Result<Norm<'a>> {
        let [mean, var] = self.moments(op)?.map(Out::view);
        let [weight, bias] = [self.parameters(&op.weight)?, self.parameters(&op.bias)?];
        Ok(Norm { mean, var, weight, bias, activation: op.activation })
    }

    /// A step towards the logits; in [`Mode::Training`] the moments become those of the batch.
    pub(super) fn forward(&self, step: &Forward) -> Result<()> {
        let (machine, images) = (self.machine, self.machine.images());
        match step {
            Forward::Convolution { op, x, y } => {
                let y = self.out(*y)?;
                machine.convolution(op, self.parameters(&op.weight)?, self.view(*x)?, y)?;
                let Some(bias) = &op.bias else { return Ok(()) };
                machine.run(&launch::add_bias(biased(op.output, images), self.parameters(bias)?, y)?)
            }
            Forward::BatchNorm { op, x, y } => {
                let (planes, x) = (normed(op, images), self.view(*x)?);
                if self.mode == Mode::Training {
                    let [mean, var] = self.moments(op)?;
                    machine.run_all(&launch::moments(planes, x, machine.partial()?, mean, var)?)?;
                }
                machine.run(&launch::batch_norm(planes, self.norm(op)?, x, self.out(*y)?)?)
            }
            Forward::Activation { f, x, y } => machine.run(&launch::activation(*f, self.view(*x)?, self.out(*y)?)?),
            Forward::Copy { x, y } => machine.copy(self.view(*x)?, self.out(*y)?),
            Forward::Add { x, y } => machine.run(&launch::add(self.view(*x)?, self.out(*y)?)?),
            Forward::Dropout { factors, x, y } => {
                machine.run(&launch::multiply(self.view(*x)?, self.view(*factors)?, self.out(*y)?, false)?)
            }
            Forward::Insert { op, x, y } => machine.run(&launch::insert(op, images, self.view(*x)?, self.out(*y)?)?),
            Forward::AveragePool { op, x, y } => {
                machine.run(&launch::average_pool(op, images, self.view(*x)?, self.out(*y)?)?)
            }
            Forward::MaxPool { op, x, y } => machine.run(&launch::max_pool(op, images, self.view(*x)?, self.out(*y)?)?),
            Forward::Linear { op, x, y } => {
                let [weight, bias] = [self.parameters(&op.weight)?, self.parameters(&op.bias)?];
                machine.run_all(&launch::linear(op, images, weight, bias, self.view(*x)?, self.out(*y)?)?)
            }
        }
    }

    /// A step back from the logits, which adds to the gradient with respect to the parameters.
    pub(super) fn backward(&self, step: &Backward, gradient: Out<'a, f32>) -> Result<()> {
        let (machine, images) = (self.machine, self.machine.images());
        match step {
            Backward::Convolution { op, x, dy, dx } => {
                let dy = self.view(*dy)?;
                machine.convolution_backward_weight(op, self.view(*x)?, dy, gradient.part(op.weight.clone())?)?;
                if let Some(bias) = &op.bias {
                    let (planes, bias) = (biased(op.output, images), gradient.part(bias.clone())?);
                    machine.run_all(&launch::bias_backward(planes, dy, machine.partial()?, bias)?)?;
                }
                let Some(dx) = dx else { return Ok(()) };
                machine.convolution_backward_data(op, self.parameters(&op.weight)?, dy, self.target(*dx)?)
            }
            Backward::BatchNorm { op, x, dy, dx } => {
                let reduced = Reduced {
                    partial: machine.partial()?,
                    slopes: machine.slopes()?,
                    weight_gradient: gradient.part(op.weight.clone())?,
                    bias_gradient: gradient.part(op.bias.clone())?,
                };
                let (x, dy, dx) = (self.view(*x)?, self.view(*dy)?, dx.map(|dx| self.target(dx)).transpose()?);
                let (planes, norm) = (normed(op, images), self.norm(op)?);
                machine.run_all(&launch::batch_norm_backward(planes, norm, self.mode, x, dy, reduced, dx)?)
            }
            Backward::Activation { f, y, dy, dx } => {
                let (dx, accumulate) = self.target(*dx)?;
                machine.run(&launch::activation_backward(*f, self.view(*y)?, self.view(*dy)?, dx, accumulate)?)
            }
            Backward::Copy { x, y } => machine.copy(self.view(*x)?, self.out(*y)?),
            Backward::Add { x, y } => machine.run(&launch::add(self.view(*x)?, self.out(*y)?)?),
            Backward::Dropout { factors, dy, dx } => {
                let (dx, accumulate) = self.target(*dx)?;
                machine.run(&launch::multiply(self.view(*dy)?, self.view(*factors)?, dx, accumulate)?)
            }
            Backward::Extract { op, dy, dx } => {
                let (dx, accumulate) = self.target(*dx)?;
                machine.run(&launch::extract(op, images, self.view(*dy)?, dx, accumulate)?)
            }
            Backward::AveragePool { op, dy, dx } => {
                let (dx, accumulate) = self.target(*dx)?;
                machine.run(&launch::average_pool_backward(op, images, self.view(*dy)?, dx, accumulate)?)
            }
            Backward::MaxPool { op, x, dy, dx } => {
                let (dx, accumulate) = self.target(*dx)?;
                machine.run(&launch::max_pool_backward(op, images, self.view(*x)?, self.view(*dy)?, dx, accumulate)?)
            }
            Backward::Linear { op, x, dy, dx } => {
                let (dy, weight) = (self.view(*dy)?, gradient.part(op.weight.clone())?);
                machine.run(&launch::linear_backward_weight(op, images, self.view(*x)?, dy, weight)?)?;
                let (planes, bias) = (outputs(op, images), gradient.part(op.bias.clone())?);
                machine.run_all(&launch::bias_backward(planes, dy, machine.partial()?, bias)?)?;
                let Some(dx) = dx else { return Ok(()) };
                let (dx, accumulate) = self.target(*dx)?;
                let weight = self.parameters(&op.weight)?;
                machine.run(&launch::linear_backward_data(op, images, weight, dy, dx, accumulate)?)
            }
        }
    }
}
