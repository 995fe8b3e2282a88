//! Carries out the steps of a plan; everything that one step leaves for another stays where the machine works.

use super::launch::{self, Norm, Reduced};
use super::machine::Machine;
use super::memory::{Out, View};
use super::number::{Bf16, Number, Storage};
use super::room::{biased, normed, outputs};
use super::weights::Factor;
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
    fn view<E: Number>(&self, slot: Slot) -> Result<View<'a, E>> {
        self.out(slot).map(Out::view)
    }

    fn out<E: Number>(&self, slot: Slot) -> Result<Out<'a, E>> {
        self.machine.slot(slot)
    }

    /// Where a gradient goes, and whether it is added.
    fn target<E: Number>(&self, target: Target) -> Result<(Out<'a, E>, bool)> {
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
        match self.machine.storage(written(step)) {
            Storage::F32 => self.forward_in::<f32>(step),
            Storage::Bf16 => self.forward_in::<Bf16>(step),
        }
    }

    fn forward_in<E: Factor>(&self, step: &Forward) -> Result<()> {
        let (machine, images) = (self.machine, self.machine.images());
        match step {
            Forward::Convolution { op, x, y } => {
                let y = self.out::<E>(*y)?;
                let weight = E::weight(machine, op, self.parameters(&op.weight)?)?;
                machine.convolution(op, weight, self.view(*x)?, y)?;
                let Some(bias) = &op.bias else { return Ok(()) };
                machine.run(&launch::add_bias(biased(op.output, images), self.parameters(bias)?, y)?)
            }
            Forward::BatchNorm { op, x, y } => {
                let (planes, x) = (normed(op, images), self.view::<E>(*x)?);
                if self.mode == Mode::Training {
                    let [mean, var] = self.moments(op)?;
                    machine.run_all(&launch::moments(planes, x, machine.partial()?, mean, var)?)?;
                }
                machine.run(&launch::batch_norm(planes, self.norm(op)?, x, self.out(*y)?)?)
            }
            Forward::Activation { f, x, y } => {
                machine.run(&launch::activation(*f, self.view::<E>(*x)?, self.out(*y)?)?)
            }
            Forward::Copy { x, y } => machine.copy(self.view::<E>(*x)?, self.out(*y)?),
            Forward::Add { x, y } => machine.run(&launch::add(self.view::<E>(*x)?, self.out(*y)?)?),
            Forward::Dropout { shape, factors, x, y } => {
                let (x, factors) = (self.view::<E>(*x)?, self.view(*factors)?);
                machine.run(&launch::multiply(*shape, x, factors, self.out(*y)?, false)?)
            }
            Forward::Insert { op, x, y } => {
                machine.run(&launch::insert(op, images, self.view::<E>(*x)?, self.out(*y)?)?)
            }
            Forward::AveragePool { op, x, y } => {
                machine.run(&launch::average_pool(op, images, self.view::<E>(*x)?, self.out(*y)?)?)
            }
            Forward::MaxPool { op, x, y } => {
                machine.run(&launch::max_pool(op, images, self.view::<E>(*x)?, self.out(*y)?)?)
            }
            Forward::Flatten { shape, x, y } => {
                machine.run(&launch::from_bf16(*shape, self.view(*x)?, self.out(*y)?, false)?)
            }
            Forward::Linear { op, x, y } => {
                let [weight, bias] = [self.parameters(&op.weight)?, self.parameters(&op.bias)?];
                machine.run_all(&launch::linear(op, images, weight, bias, self.view(*x)?, self.out(*y)?)?)
            }
        }
    }

    /// A step back from the logits, which adds to the gradient with respect to the parameters.
    pub(super) fn backward(&self, step: &Backward, gradient: Out<'a, f32>) -> Result<()> {
        match self.machine.storage(read(step)) {
            Storage::F32 => self.backward_in::<f32>(step, gradient),
            Storage::Bf16 => self.backward_in::<Bf16>(step, gradient),
        }
    }

    fn backward_in<E: Factor>(&self, step: &Backward, gradient: Out<'a, f32>) -> Result<()> {
        let (machine, images) = (self.machine, self.machine.images());
        match step {
            Backward::Convolution { op, x, dy, dx } => {
                let dy = self.view::<E>(*dy)?;
                E::add_gradient(machine, op, self.view(*x)?, dy, gradient.part(op.weight.clone())?)?;
                if let Some(bias) = &op.bias {
                    let (planes, bias) = (biased(op.output, images), gradient.part(bias.clone())?);
                    machine.run_all(&launch::bias_backward(planes, dy, machine.partial()?, bias)?)?;
                }
                let Some(dx) = dx else { return Ok(()) };
                let weight = E::weight_again(machine, op, self.parameters(&op.weight)?)?;
                machine.convolution_backward_data(op, weight, dy, self.target(*dx)?)
            }
            Backward::BatchNorm { op, x, dy, dx } => {
                let reduced = Reduced {
                    partial: machine.partial()?,
                    slopes: machine.slopes()?,
                    weight_gradient: gradient.part(op.weight.clone())?,
                    bias_gradient: gradient.part(op.bias.clone())?,
                };
                let (x, dy, dx) = (self.view::<E>(*x)?, self.view(*dy)?, dx.map(|dx| self.target(dx)).transpose()?);
                let (planes, norm) = (normed(op, images), self.norm(op)?);
                machine.run_all(&launch::batch_norm_backward(planes, norm, self.mode, x, dy, reduced, dx)?)
            }
            Backward::Activation { f, y, dy, dx } => {
                let (dx, accumulate) = self.target::<E>(*dx)?;
                machine.run(&launch::activation_backward(*f, self.view(*y)?, self.view(*dy)?, dx, accumulate)?)
            }
            Backward::Copy { x, y } => machine.copy(self.view::<E>(*x)?, self.out(*y)?),
            Backward::Add { x, y } => machine.run(&launch::add(self.view::<E>(*x)?, self.out(*y)?)?),
            Backward::Dropout { shape, factors, dy, dx } => {
                let (dx, accumulate) = self.target::<E>(*dx)?;
                machine.run(&launch::multiply(*shape, self.view(*dy)?, self.view(*factors)?, dx, accumulate)?)
            }
            Backward::Extract { op, dy, dx } => {
                let (dx, accumulate) = self.target::<E>(*dx)?;
                machine.run(&launch::extract(op, images, self.view(*dy)?, dx, accumulate)?)
            }
            Backward::AveragePool { op, dy, dx } => {
                let (dx, accumulate) = self.target::<E>(*dx)?;
                machine.run(&launch::average_pool_backward(op, images, self.view(*dy)?, dx, accumulate)?)
            }
            Backward::MaxPool { op, x, dy, dx } => {
                let (dx, accumulate) = self.target::<E>(*dx)?;
                machine.run(&launch::max_pool_backward(op, images, self.view(*x)?, self.view(*dy)?, dx, accumulate)?)
            }
            Backward::Flatten { shape, dy, dx } => {
                let (dx, accumulate) = self.target(*dx)?;
                machine.run(&launch::to_bf16(*shape, self.view(*dy)?, dx, accumulate)?)
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

/// Where a step writes. All its slots are kept like this one, but a dropout's factors and what is flattened.
fn written(step: &Forward) -> Slot {
    match step {
        Forward::Convolution { y, .. }
        | Forward::BatchNorm { y, .. }
        | Forward::Activation { y, .. }
        | Forward::Copy { y, .. }
        | Forward::Add { y, .. }
        | Forward::Dropout { y, .. }
        | Forward::Insert { y, .. }
        | Forward::AveragePool { y, .. }
        | Forward::MaxPool { y, .. }
        | Forward::Flatten { y, .. }
        | Forward::Linear { y, .. } => *y,
    }
}

/// The gradient that a step back reads. All its slots are kept like this one, but a dropout's factors and what was
/// flattened.
fn read(step: &Backward) -> Slot {
    match step {
        Backward::Copy { x, .. } | Backward::Add { x, .. } => *x,
        Backward::Convolution { dy, .. }
        | Backward::BatchNorm { dy, .. }
        | Backward::Activation { dy, .. }
        | Backward::Dropout { dy, .. }
        | Backward::Extract { dy, .. }
        | Backward::AveragePool { dy, .. }
        | Backward::MaxPool { dy, .. }
        | Backward::Flatten { dy, .. }
        | Backward::Linear { dy, .. } => *dy,
    }
}
