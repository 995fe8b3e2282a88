//! Carries out a schedule: stage by stage, the groups of a batch in parallel.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::algorithm::{Algorithm, Planned};
use super::convolution::{Kernels, Space, at_least};
use super::frame::Frame;
use super::kernels::{InstructionSet, RowsMut, add_kernel_gradients};
use super::source::{Coefficients, Reader};
use super::step::{Finish, Place, Schedule, Step};
use super::wide::{Batch, Wide};
use super::worker::{Common, Sums, Trends, Worker, interleave};
use crate::Scalar;
use crate::exec::Mode;
use crate::exec::backend::{Convolution, EPSILON, Moments};
use crate::exec::groups::{GROUPS, ranges, split_mut, sum_tree};
use crate::exec::run::AllMoments;

/// A schedule with its memory, which never shrinks.
pub(super) struct Runner<T> {
    schedule: Schedule,
    /// Buffers that hold all images.
    batch: Vec<Vec<T>>,
    images: usize,
    coefficients: Coefficients<T>,
    trends: Trends<T>,
    /// Moments of every channel that a batch norm reads.
    mean: Vec<f64>,
    var: Vec<f64>,
    sums: [Vec<f64>; GROUPS],
    partials: [Vec<T>; GROUPS],
    wide: Wide<T>,
    /// Memory of threads that are not at work.
    idle: Mutex<Vec<Local<T>>>,
}

/// Outputs of a convolution whose gradients are put in order at a time.
const LANES: usize = 16;

/// One thread's memory.
#[derive(Default)]
struct Local<T> {
    buffers: Vec<Vec<T>>,
    spare: Vec<T>,
    space: Space<T>,
}

/// What a pass needs from outside.
#[derive(Clone, Copy)]
pub(super) struct Pass<'a, T> {
    pub(super) set: InstructionSet,
    pub(super) kernels: &'a [Kernels<T>],
    pub(super) parameters: &'a [T],
    pub(super) mode: Mode,
}

impl<T: Scalar> Runner<T> {
    pub(super) fn new(schedule: Schedule) -> Self {
        let channels = schedule.norms.iter().map(|norm| norm.op.statistics.end).max().unwrap_or_default();
        let most = schedule.stages.iter().flat_map(|stage| stage.steps.clone());
        let most = most.flat_map(|mut step| step.places().iter().map(|place| place.pitch).max()).max();
        Self {
            batch: vec![Vec::new(); schedule.batch.len()],
            images: 0,
            coefficients: Coefficients::new(channels, most.unwrap_or_default()),
            trends: Trends::default(),
            mean: vec![0.0; schedule.channels],
            var: vec![0.0; schedule.channels],
            sums: Default::default(),
            partials: Default::default(),
            wide: Wide::default(),
            idle: Mutex::default(),
            schedule,
        }
    }

    /// Runs the stages towards the logits.
    pub(super) fn forward(
        &mut self,
        pass: Pass<'_, T>,
        images: &[T],
        count: usize,
        factors: &[Vec<T>],
        moments: &mut AllMoments,
    ) -> Vec<T> {
        self.images = count;
        for (buffer, length) in self.batch.iter_mut().zip(&self.schedule.batch) {
            at_least(buffer, length * count);
        }
        let masks: Vec<Place> = self.schedule.masks.iter().map(|mask| mask.factors).collect();
        for (place, factors) in masks.into_iter().zip(factors) {
            let length = place.shape.len();
            let buffer = &mut self.batch[place.buffer];
            for (image, numbers) in factors.chunks_exact(length).zip(buffer.chunks_exact_mut(length)) {
                interleave(image, place.shape, RowsMut { numbers, pitch: place.pitch }, false);
            }
        }
        let channels = self.schedule.channels;
        for numbers in [&mut self.trends.mean, &mut self.trends.slope, &mut self.trends.offset] {
            numbers.clear();
            numbers.resize(channels, T::zero());
        }
        let turn = self.schedule.turn;
        for index in 0..turn {
            self.learn(pass, index, moments);
            self.stage(pass, index, images);
            self.finish(pass, index, moments, &mut []);
        }
        let logits = self.schedule.logits;
        self.batch[logits.buffer][..logits.shape.len() * count].to_vec()
    }

    /// Runs the stages back from the logits; overwrites the gradient with respect to the parameters.
    pub(super) fn backward(
        &mut self,
        pass: Pass<'_, T>,
        logits_gradient: &[T],
        moments: &AllMoments,
        gradient: &mut [T],
    ) {
        gradient.fill(T::zero());
        let Some(seed) = self.schedule.logits_gradient else { return };
        self.batch[seed.buffer][..logits_gradient.len()].copy_from_slice(logits_gradient);
        let mut moments = AllMoments { mean: moments.mean.clone(), var: moments.var.clone() };
        for index in self.schedule.turn..self.schedule.stages.len() {
            self.learn(pass, index, &mut moments);
            self.stage(pass, index, &[]);
            self.finish(pass, index, &mut moments, gradient);
        }
    }

    /// Takes over the moments that a stage is the first to know.
    fn learn(&mut self, pass: Pass<'_, T>, index: usize, moments: &mut AllMoments) {
        for &norm in &self.schedule.stages[index].norms {
            let norm = &self.schedule.norms[norm];
            let range = norm.op.statistics.clone();
            let own = norm.at..norm.at + norm.op.channels;
            if pass.mode == Mode::Training {
                moments.mean[range.clone()].copy_from_slice(&self.mean[own.clone()]);
                moments.var[range.clone()].copy_from_slice(&self.var[own.clone()]);
            }
            let of = Moments { mean: &moments.mean[range.clone()], var: &moments.var[range] };
            self.coefficients.set(norm, of, pass.parameters);
            self.trends.mean[own].copy_from_slice(self.coefficients.mean(norm));
        }
    }

    /// Takes every image through the steps of a stage.
    fn stage(&mut self, pass: Pass<'_, T>, index: usize, images: &[T]) {
        let stage = &self.schedule.stages[index];
        let is_wide = stage.is_wide == Some(true);
        for (group, (sums, partials)) in self.sums.iter_mut().zip(&mut self.partials).enumerate() {
            // Gradients of kernels from many images at a time are no group's.
            let count = if is_wide && group > 0 { 0 } else { stage.partials };
            sums.clear();
            sums.resize(stage.sums, 0.0);
            partials.clear();
            partials.resize(count, T::zero());
        }
        if is_wide {
            for step in 0..stage.steps.len() {
                self.wide_step(pass, index, step, images);
            }
        } else {
            self.steps(pass, index, 0..stage.steps.len(), images);
        }
    }

    /// Takes every image through some steps of a stage.
    fn steps(&mut self, pass: Pass<'_, T>, index: usize, steps: Range<usize>, images: &[T]) {
        let Self { schedule, batch, coefficients, trends, sums, partials, idle, .. } = self;
        let idle = &*idle;
        let steps = &schedule.stages[index].steps[steps];
        let common = Common { set: pass.set, schedule, kernels: pass.kernels, coefficients, trends, mode: pass.mode };
        let mut groups: [Vec<&mut [T]>; GROUPS] = Default::default();
        for (buffer, length) in batch.iter_mut().zip(&schedule.batch) {
            let parts = split_mut(&mut buffer[..length * self.images], self.images);
            groups.iter_mut().zip(parts).for_each(|(group, part)| group.push(part));
        }
        let image = images.len() / self.images;
        let work = groups.into_par_iter().zip(ranges(self.images)).zip(sums).zip(partials);
        work.for_each(|(((group, range), sums), partials)| {
            let mut local = idle.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
            local.buffers.resize_with(schedule.local.len(), Vec::new);
            let own = local.buffers.iter_mut().zip(&schedule.local).map(|(buffer, length)| at_least(buffer, *length));
            let buffers = group.into_iter().chain(own).collect();
            let mut worker = Worker {
                common,
                frame: Frame::new(buffers, &schedule.batch, &mut local.spare),
                space: &mut local.space,
                sums: Sums { double: sums, partial: partials },
            };
            for place in 0..range.len() {
                worker.frame.go_to(place);
                let at = (range.start + place) * image;
                steps.iter().for_each(|step| worker.step(step, &images[at..at + image]));
            }
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(local);
        });
    }

    /// Takes all images through one step of a wide stage.
    fn wide_step(&mut self, pass: Pass<'_, T>, index: usize, step: usize, images: &[T]) {
        let Self { schedule, batch, coefficients, sums, partials, wide, .. } = self;
        let reader = Reader { set: pass.set, norms: &schedule.norms, coefficients };
        let mut batch = Batch { buffers: batch, lengths: &schedule.batch, images: self.images };
        match schedule.stages[index].steps[step] {
            Step::Convolution { op, x, y, .. } => wide.forward(&pass.kernels[op], reader, x, y, &mut batch),
            Step::ConvolutionBackward { op, x, dy, dx, at, bias_at } => {
                let kernels = &pass.kernels[op];
                let sums_of_kernels = &mut partials[0][at..at + schedule.convolutions[op].sums()];
                wide.backward(kernels, reader, x, (dy, dx), &mut batch, sums_of_kernels);
                let bias = kernels.op.bias.as_ref().map_or(0, |bias| bias.len());
                for (range, sums) in ranges(self.images).into_iter().zip(sums) {
                    for image in range {
                        let dy = batch.rows(dy, image);
                        kernels.add_bias_gradient(dy.numbers, dy.pitch, &mut sums[bias_at..bias_at + bias]);
                    }
                }
            }
            _ => self.steps(pass, index, step..step + 1, images),
        }
    }

    /// Uses the sums of a stage.
    fn finish(&mut self, pass: Pass<'_, T>, index: usize, moments: &mut AllMoments, gradient: &mut [T]) {
        let stage = &self.schedule.stages[index];
        let sums = sum_tree(&mut self.sums);
        let partials = if stage.is_wide == Some(true) { &self.partials[0] } else { total(&mut self.partials) };
        for finish in &stage.finishes {
            match *finish {
                Finish::Moments { at, ref channels, plane } => {
                    let count = (self.images * plane) as f64;
                    let (first, second) = sums[at..at + 2 * channels.len()].split_at(channels.len());
                    for (channel, (sum, square)) in channels.clone().zip(first.iter().zip(second)) {
                        self.mean[channel] = sum / count;
                        self.var[channel] = (square / count - self.mean[channel] * self.mean[channel]).max(0.0);
                    }
                }
                Finish::Norm { norm, at } => {
                    let norm = &self.schedule.norms[norm];
                    let op = &norm.op;
                    let (first, second) = sums[at..at + 2 * op.channels].split_at(op.channels);
                    let count = (self.images * op.plane) as f64;
                    for channel in 0..op.channels {
                        let var = moments.var[op.statistics.start + channel] + EPSILON;
                        let weight = pass.parameters[op.weight.start + channel].to_f64();
                        gradient[op.weight.start + channel] += T::from_f64(second[channel] / var.sqrt());
                        gradient[op.bias.start + channel] += T::from_f64(first[channel]);
                        if pass.mode == Mode::Training {
                            let scale = weight / var.sqrt() / count;
                            self.trends.slope[norm.at + channel] += T::from_f64(-scale * second[channel] / var);
                            self.trends.offset[norm.at + channel] += T::from_f64(-scale * first[channel]);
                        }
                    }
                }
                Finish::Convolution { op, at, bias_at } => {
                    let planned = &self.schedule.convolutions[op];
                    let partial = &partials[at..at + planned.sums()];
                    let op = &planned.op;
                    add_kernels(pass.set, planned, partial, &mut gradient[op.weight.clone()]);
                    if let Some(bias) = &op.bias {
                        let sums = &sums[bias_at..bias_at + bias.len()];
                        gradient[bias.clone()]
                            .iter_mut()
                            .zip(sums)
                            .for_each(|(gradient, sum)| *gradient += T::from_f64(*sum));
                    }
                }
            }
        }
    }
}

/// Adds a gradient with respect to kernels, from its sums, some outputs at a time.
fn add_kernels<T: Scalar>(set: InstructionSet, planned: &Planned, sums: &[T], gradient: &mut [T]) {
    let Convolution { input, output, window, .. } = planned.op;
    let (inputs, outputs, taps) = (input.channels, output.channels, window.size * window.size);
    let depth = inputs * taps;
    let parts = gradient.par_chunks_mut(LANES * depth).enumerate();
    parts.with_min_len((1 << 14) / (LANES * depth) + 1).for_each(|(part, gradient)| match planned.algorithm {
        Algorithm::Direct => {
            for number in 0..depth {
                let (tap, input) = (number / inputs, number % inputs);
                let sums = &sums[number * outputs + part * LANES..];
                let to = gradient.iter_mut().skip(input * taps + tap).step_by(depth);
                to.zip(sums).for_each(|(gradient, sum)| *gradient += *sum);
            }
        }
        Algorithm::Winograd | Algorithm::Wide => {
            add_kernel_gradients(set, sums, [inputs, outputs], part * LANES, gradient);
        }
    });
}

/// The groups' sums in the tree of [`sum_tree`], in parallel where there is much to add up.
fn total<T: Scalar>(parts: &mut [Vec<T>; GROUPS]) -> &[T] {
    const CHUNK: usize = 1 << 14;
    let [a, b, c, d, e, f, g, h] = parts;
    let others = (b.par_chunks(CHUNK), c.par_chunks(CHUNK), d.par_chunks(CHUNK));
    let others = others.into_par_iter().zip((e.par_chunks(CHUNK), f.par_chunks(CHUNK)).into_par_iter());
    let others = others.zip((g.par_chunks(CHUNK), h.par_chunks(CHUNK)).into_par_iter());
    a.par_chunks_mut(CHUNK).zip(others).for_each(|(a, (((b, c, d), (e, f)), (g, h)))| {
        for (index, a) in a.iter_mut().enumerate() {
            let left = (*a + b[index]) + (c[index] + d[index]);
            *a = left + ((e[index] + f[index]) + (g[index] + h[index]));
        }
    });
    a
}
