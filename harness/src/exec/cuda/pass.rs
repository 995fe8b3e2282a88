//! Carries out the steps of a plan; everything that one step leaves for another stays where the machine works.

use super::launch::{self, Norm, Read, Reduced, Sums};
use super::machine::Machine;
use super::memory::{Out, View};
use super::number::{Bf16, Number, Storage};
use super::weights::Factor;
use super::working::{biased, form, normed, outputs};
use crate::Result;
use crate::exec::Mode;
use crate::exec::backend::{self, Slot, Target};
use crate::exec::gpu::fusion::{Back, Joined, There};
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

    /// Where the way back of a batch norm leaves what it sums up.
    fn reduced(&self, op: &backend::BatchNorm, gradient: Out<'a, f32>) -> Result<Reduced<'a>> {
        Ok(Reduced {
            partial: self.machine.partial()?,
            slopes: self.machine.slopes()?,
            weight_gradient: gradient.part(op.weight.clone())?,
            bias_gradient: gradient.part(op.bias.clone())?,
        })
    }

    /// The steps to the logits; in [`Mode::Training`] the moments become those of the batch.
    pub(super) fn forward(&self, steps: &[There]) -> Result<()> {
        if let Some((table, rounded)) = self.machine.all_rounded()? {
            self.machine.run(&launch::round_weights(self.parameters, table, rounded)?)?;
        }
        steps.iter().try_for_each(|step| self.there(step))
    }

    fn there(&self, step: &There) -> Result<()> {
        match step {
            There::Step(step) => match self.machine.storage(written(step)) {
                Storage::F32 => self.forward_in::<f32>(step),
                Storage::Bf16 => self.forward_in::<Bf16>(step),
            },
            There::Convolution(joined) => self.convolution(joined),
            There::Moments { op, x } => self.make_moments(op, self.view::<Bf16>(*x)?),
            There::BatchNorm { op, x, y } => self.batch_norm(op, self.view::<Bf16>(*x)?, *y),
        }
    }

    fn make_moments<E: Number>(&self, op: &backend::BatchNorm, x: View<'a, E>) -> Result<()> {
        if self.mode == Mode::Evaluation {
            return Ok(());
        }
        let ([mean, var], partial) = (self.moments(op)?, self.machine.partial()?);
        self.machine.run_all(&launch::moments(normed(op, self.machine.images()), x, partial, mean, var)?)
    }

    fn batch_norm<E: Number>(&self, op: &backend::BatchNorm, x: View<'a, E>, y: Slot) -> Result<()> {
        let planes = normed(op, self.machine.images());
        self.machine.run(&launch::batch_norm(planes, self.norm(op)?, x, self.out(y)?)?)
    }

    /// What a convolution reads.
    fn read(&self, x: Slot, norm: Option<&backend::BatchNorm>) -> Result<Read<'a>> {
        let x = self.view(x)?;
        Ok(match norm {
            None => Read::Plain(x),
            Some(norm) => Read::Normed(x, self.norm(norm)?),
        })
    }

    fn convolution(&self, Joined { op, x, norm, add, y, moments }: &Joined) -> Result<()> {
        let machine = self.machine;
        let form = form(op, machine.images())?;
        let (weight, x) = (machine.rounded(op)?.view(), self.read(*x, norm.as_ref())?);
        let (add, y) = (add.map(|add| self.view(add)).transpose()?, self.out(*y)?);
        let moments = match moments {
            Some(norm) if self.mode == Mode::Training => {
                let [mean, var] = self.moments(norm)?;
                Some(launch::Moments { partial: machine.partial()?, counter: machine.counter()?, mean, var })
            }
            _ => None,
        };
        machine.run(&launch::convolution(form, weight, x, add, y, moments)?)
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
                let x = self.view::<E>(*x)?;
                self.make_moments(op, x)?;
                self.batch_norm(op, x, *y)
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

    /// The steps back from the logits, which add to the gradient with respect to the parameters; after
    /// [`forward`](Self::forward).
    ///
    /// Nothing waits for the gradients of weights: our kernels make them beside the steps that follow, until one writes what
    /// they read.
    pub(super) fn backward(&self, steps: &[Back], gradient: Out<'a, f32>) -> Result<()> {
        let mut beside = Vec::new();
        let done = steps.iter().try_for_each(|step| self.back_beside(step, gradient, &mut beside));
        // Whatever became of the steps, nothing that follows finds their slots in use.
        done.and(beside.last().map_or(Ok(()), |(_, mark)| self.machine.after(mark)))
    }

    /// A step back, beside what earlier ones have started and still read.
    fn back_beside(&self, step: &Back, gradient: Out<'a, f32>, beside: &mut Vec<([Slot; 2], M::Mark)>) -> Result<()> {
        if let Back::Convolution { op, x, norm, dy, .. } = step {
            let launches = self.weight_gradient(op, self.read(*x, norm.as_ref())?, *dy, gradient)?;
            beside.push(([*x, *dy], self.machine.run_beside(&launches)?));
        }
        let last = step.writes().and_then(|slot| beside.iter().rposition(|(read, _)| read.contains(&slot)));
        if let Some(last) = last {
            self.machine.after(&beside[last].1)?;
            beside.drain(..=last);
        }
        self.back(step, gradient)
    }

    fn weight_gradient(
        &self,
        op: &backend::Convolution,
        x: Read<'a>,
        dy: Slot,
        gradient: Out<'a, f32>,
    ) -> Result<[launch::Launch<'a>; 2]> {
        let (form, parts) = (form(op, self.machine.images())?, self.machine.weight_parts()?);
        launch::convolution_backward_weight(form, x, self.view(dy)?, parts, gradient.part(op.weight.clone())?)
    }

    fn back(&self, step: &Back, gradient: Out<'a, f32>) -> Result<()> {
        match step {
            Back::Step(step) => match self.machine.storage(read(step)) {
                Storage::F32 => self.backward_in::<f32>(step, gradient),
                Storage::Bf16 => self.backward_in::<Bf16>(step, gradient),
            },
            Back::Convolution { dx: None, .. } => Ok(()),
            Back::Convolution { op, dy, dx: Some(dx), sums, .. } => {
                let (form, weight) = (form(op, self.machine.images())?, self.machine.rounded(op)?.view());
                let (dy, dx) = (self.view(*dy)?, self.target(*dx)?);
                let sums = sums.as_ref().map(|(norm, x)| self.sums(norm, *x, gradient)).transpose()?;
                self.machine.run(&launch::convolution_backward_data(form, weight, dy, dx, sums)?)
            }
            Back::BatchNorm { op, x, dy, dx } => {
                let (planes, slopes) = (normed(op, self.machine.images()), self.machine.slopes()?.view());
                let (x, dy, dx) = (self.view::<Bf16>(*x)?, self.view(*dy)?, self.target(*dx)?);
                self.machine.run(&launch::batch_norm_backward_apply(planes, self.norm(op)?, x, dy, slopes, dx)?)
            }
        }
    }

    /// What the first half of a batch norm's way back takes and leaves.
    fn sums(&self, op: &backend::BatchNorm, x: Slot, gradient: Out<'a, f32>) -> Result<Sums<'a>> {
        let (norm, x, reduced) = (self.norm(op)?, self.view(x)?, self.reduced(op, gradient)?);
        Ok(Sums { norm, x, mode: self.mode, reduced, counter: self.machine.counter()? })
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
                let weight = E::weight(machine, op, self.parameters(&op.weight)?)?;
                machine.convolution_backward_data(op, weight, dy, self.target(*dx)?)
            }
            Backward::BatchNorm { op, x, dy, dx } => {
                let (x, dy, dx) = (self.view::<E>(*x)?, self.view(*dy)?, dx.map(|dx| self.target(dx)).transpose()?);
                let (planes, norm, reduced) = (normed(op, images), self.norm(op)?, self.reduced(op, gradient)?);
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
