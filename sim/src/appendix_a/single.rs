//! The neuron in the 32-bit arithmetic of the official script.

use super::training::{LEARNING_RATE, STEPS, Trained};
use super::{REACH, SPACING};
use crate::loss::Neuron;

/// A neuron whose every operation rounds to 32 bits, as PyTorch's does: logit, sigmoid, cross-entropy with logarithms
/// clamped at −100, and gradients by the chain rule through all three.
///
/// Only the order of sums is our own: over examples they are taken in 64 bits and rounded once. Exponential and
/// logarithm are correctly rounded, but for the rare tie.
pub(super) struct SingleNeuron {
    inputs: Vec<f32>,
    class0: usize,
}

impl SingleNeuron {
    /// The same examples, rounded to 32 bits.
    pub(super) fn new(neuron: &Neuron) -> Self {
        let inputs = neuron.class0().iter().chain(neuron.class1()).map(|&x| x as f32).collect();
        Self { inputs, class0: neuron.class0().len() }
    }

    /// Thirty steps of gradient descent, with the running mean of the iterates.
    pub(super) fn train(&self, start: [f64; 2]) -> Trained {
        let mut last = start.map(|x| x as f32);
        let mut averaged = [0f32; 2];
        for step in 1..=STEPS {
            let gradient = self.gradient(last);
            let newest = 1.0 / f64::from(step);
            for k in 0..2 {
                last[k] -= LEARNING_RATE as f32 * gradient[k];
                averaged[k] = averaged[k] * (1.0 - newest) as f32 + last[k] * newest as f32;
            }
        }
        Trained { last: last.map(f64::from), averaged: averaged.map(f64::from) }
    }

    /// The losses at centre + l·u for all offsets l.
    pub(super) fn line(&self, centre: [f64; 2], u: [f64; 2]) -> Vec<f64> {
        let at = |point: i32, k: usize| centre[k] as f32 + point as f32 * u[k] as f32 * SPACING as f32;
        (-REACH..=REACH).map(|point| f64::from(self.loss([at(point, 0), at(point, 1)]))).collect()
    }

    fn loss(&self, w: [f32; 2]) -> f32 {
        let term = |i: usize| {
            let p = f64::from(self.probability(w, i));
            let log = if i < self.class0 { libm::log1p(-p) } else { libm::log(p) };
            f64::from(-(log as f32).max(-100.0))
        };
        self.mean((0..self.inputs.len()).map(term).sum())
    }

    fn gradient(&self, w: [f32; 2]) -> [f32; 2] {
        let (mut by_weight, mut by_bias) = (0.0, 0.0);
        for (i, &x) in self.inputs.iter().enumerate() {
            let p = self.probability(w, i);
            let label = if i < self.class0 { 0.0 } else { 1.0 };
            let by_probability = self.mean(f64::from((p - label) / ((1.0 - p) * p).max(1e-12)));
            let by_logit = by_probability * (1.0 - p) * p;
            by_weight += f64::from(by_logit) * f64::from(x);
            by_bias += f64::from(by_logit);
        }
        [by_weight as f32, by_bias as f32]
    }

    fn probability(&self, w: [f32; 2], i: usize) -> f32 {
        let logit = w[0] * self.inputs[i] + w[1];
        1.0 / (1.0 + libm::exp(-f64::from(logit)) as f32)
    }

    fn mean(&self, sum: f64) -> f32 {
        sum as f32 / self.inputs.len() as f32
    }
}
