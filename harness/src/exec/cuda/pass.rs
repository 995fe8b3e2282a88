//! Carries out the steps of a plan on a device, which keeps everything that one step leaves for another.

use super::device::Device;
use super::launch::{self, Norm, Reduced};
use super::memory::{Out, View};
use super::room::{Convolutions, Room, biased, normed, outputs};
use crate::Result;
use crate::exec::Mode;
use crate::exec::backend::{self, Target};
use crate::exec::plan::{Backward, Forward};

/// One batch on its way.
pub(super) struct Pass<'a> {
    pub(super) device: &'a Device,
    pub(super) room: &'a Room,
    pub(super) convolutions: &'a Convolutions,
    pub(super) parameters: View<'a, f32>,
    /// Means, then biased variances, of the channels of all batch norms.
    pub(super) moments: Out<'a, f64>,
    pub(super) mode: Mode,
}

impl<'a> Pass<'a> {
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

    /// Where a gradient goes, and whether it is added.
    fn target(&self, target: Target) -> Result<(Out<'a, f32>, bool)> {
        Ok((self.room.out(target.slot)?, target.accumulate))
    }

    /// A step towards the logits; in [`Mode::Training`] the moments become those of the batch.
    pub(super) fn forward(&self, step: &Forward) -> Result<()> {
        let Self { device, room, mode, .. } = self;
        let images = room.images();
        match step {
            Forward::Convolution { op, x, y } => {
                let y = room.out(*y)?;
                self.convolutions.get(op, images)?.forward(room.view(*x)?, self.parameters(&op.weight)?, y)?;
                match &op.bias {
                    Some(bias) => device.run(&launch::add_bias(biased(op.output, images), self.parameters(bias)?, y)?),
                    None => Ok(()),
                }
            }
            Forward::BatchNorm { op, x, y } => {
                let (planes, x) = (normed(op, images), room.view(*x)?);
                if *mode == Mode::Training {
                    let [mean, var] = self.moments(op)?;
                    device.run_all(&launch::moments(planes, x, room.partial()?, mean, var)?)?;
                }
                device.run(&launch::batch_norm(planes, self.norm(op)?, x, room.out(*y)?)?)
            }
            Forward::Activation { f, x, y } => device.run(&launch::activation(*f, room.view(*x)?, room.out(*y)?)?),
            Forward::Copy { x, y } => room.out(*y)?.copy_from(room.view(*x)?),
            Forward::Add { x, y } => device.run(&launch::add(room.view(*x)?, room.out(*y)?)?),
            Forward::Dropout { factors, x, y } => {
                device.run(&launch::multiply(room.view(*x)?, room.view(*factors)?, room.out(*y)?, false)?)
            }
            Forward::Insert { op, x, y } => device.run(&launch::insert(op, images, room.view(*x)?, room.out(*y)?)?),
            Forward::AveragePool { op, x, y } => {
                device.run(&launch::average_pool(op, images, room.view(*x)?, room.out(*y)?)?)
            }
            Forward::MaxPool { op, x, y } => device.run(&launch::max_pool(op, images, room.view(*x)?, room.out(*y)?)?),
            Forward::Linear { op, x, y } => {
                let [weight, bias] = [self.parameters(&op.weight)?, self.parameters(&op.bias)?];
                device.run_all(&launch::linear(op, images, weight, bias, room.view(*x)?, room.out(*y)?)?)
            }
        }
    }

    /// A step back from the logits, which adds to the gradient with respect to the parameters.
    pub(super) fn backward(&self, step: &Backward, gradient: Out<'a, f32>) -> Result<()> {
        let Self { device, room, mode, .. } = self;
        let images = room.images();
        match step {
            Backward::Convolution { op, x, dy, dx } => {
                let (convolution, dy) = (self.convolutions.get(op, images)?, room.view(*dy)?);
                convolution.backward_filter(room.view(*x)?, dy, gradient.part(op.weight.clone())?, true)?;
                if let Some(bias) = &op.bias {
                    let (planes, bias) = (biased(op.output, images), gradient.part(bias.clone())?);
                    device.run_all(&launch::bias_backward(planes, dy, room.partial()?, bias)?)?;
                }
                match dx {
                    Some(dx) => {
                        let (dx, accumulate) = self.target(*dx)?;
                        convolution.backward_data(self.parameters(&op.weight)?, dy, dx, accumulate)
                    }
                    None => Ok(()),
                }
            }
            Backward::BatchNorm { op, x, dy, dx } => {
                let reduced = Reduced {
                    partial: room.partial()?,
                    slopes: room.slopes()?,
                    weight_gradient: gradient.part(op.weight.clone())?,
                    bias_gradient: gradient.part(op.bias.clone())?,
                };
                let (x, dy, dx) = (room.view(*x)?, room.view(*dy)?, dx.map(|dx| self.target(dx)).transpose()?);
                let (planes, norm) = (normed(op, images), self.norm(op)?);
                device.run_all(&launch::batch_norm_backward(planes, norm, *mode, x, dy, reduced, dx)?)
            }
            Backward::Activation { f, y, dy, dx } => {
                let (dx, accumulate) = self.target(*dx)?;
                device.run(&launch::activation_backward(*f, room.view(*y)?, room.view(*dy)?, dx, accumulate)?)
            }
            Backward::Copy { x, y } => room.out(*y)?.copy_from(room.view(*x)?),
            Backward::Add { x, y } => device.run(&launch::add(room.view(*x)?, room.out(*y)?)?),
            Backward::Dropout { factors, dy, dx } => {
                let (dx, accumulate) = self.target(*dx)?;
                device.run(&launch::multiply(room.view(*dy)?, room.view(*factors)?, dx, accumulate)?)
            }
            Backward::Extract { op, dy, dx } => {
                let (dx, accumulate) = self.target(*dx)?;
                device.run(&launch::extract(op, images, room.view(*dy)?, dx, accumulate)?)
            }
            Backward::AveragePool { op, dy, dx } => {
                let (dx, accumulate) = self.target(*dx)?;
                device.run(&launch::average_pool_backward(op, images, room.view(*dy)?, dx, accumulate)?)
            }
            Backward::MaxPool { op, x, dy, dx } => {
                let (dx, accumulate) = self.target(*dx)?;
                device.run(&launch::max_pool_backward(op, images, room.view(*x)?, room.view(*dy)?, dx, accumulate)?)
            }
            Backward::Linear { op, x, dy, dx } => {
                let (dy, weight) = (room.view(*dy)?, gradient.part(op.weight.clone())?);
                device.run(&launch::linear_backward_weight(op, images, room.view(*x)?, dy, weight)?)?;
                let (planes, bias) = (outputs(op, images), gradient.part(op.bias.clone())?);
                device.run_all(&launch::bias_backward(planes, dy, room.partial()?, bias)?)?;
                match dx {
                    Some(dx) => {
                        let (dx, accumulate) = self.target(*dx)?;
                        let weight = self.parameters(&op.weight)?;
                        device.run(&launch::linear_backward_data(op, images, weight, dy, dx, accumulate)?)
                    }
                    None => Ok(()),
                }
            }
        }
    }
}
