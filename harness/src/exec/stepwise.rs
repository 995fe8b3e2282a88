//! Runs a plan step by step on a backend.

use super::Mode;
use super::backend::Backend;
use super::engine::Engine;
use super::examples::Images;
use super::plan::{Plan, TrainingPlan};
use super::run::{AllMoments, run_backward, run_forward};
use crate::model::Graph;
use crate::{Result, Scalar};

/// A plan for each purpose, and a backend for each plan.
pub(crate) struct Stepwise<T, B> {
    parameters: Vec<T>,
    /// The pixels of views.
    pixels: Vec<T>,
    image: usize,
    training: TrainingPlan,
    training_backend: B,
    inference: Plan,
    inference_backend: B,
    mode: Mode,
}

impl<T: Scalar, B: Backend<T> + Default> Stepwise<T, B> {
    pub(crate) fn new(graph: &Graph) -> Self {
        Self {
            parameters: Vec::new(),
            pixels: Vec::new(),
            image: graph.input().len(),
            training: TrainingPlan::new(graph),
            training_backend: B::default(),
            inference: Plan::inference(graph),
            inference_backend: B::default(),
            mode: Mode::Training,
        }
    }
}

impl<T: Scalar, B: Backend<T> + Default> Engine<T> for Stepwise<T, B> {
    fn load(&mut self, parameters: &[T]) -> Result<()> {
        self.parameters.clear();
        self.parameters.extend_from_slice(parameters);
        Ok(())
    }

    fn logits(&mut self, images: Images<'_, T>, mode: Mode, moments: &mut AllMoments) -> Result<Vec<T>> {
        let (plan, backend) = (&self.inference, &mut self.inference_backend);
        let images = images.pixels(&mut self.pixels);
        backend.begin(&plan.slots, images.len() / self.image, &self.parameters);
        backend.write(plan.images, images);
        run_forward(backend, &plan.forward, mode, moments);
        Ok(backend.read(plan.logits))
    }

    fn forward(
        &mut self,
        images: Images<'_, T>,
        factors: &[Vec<T>],
        mode: Mode,
        moments: &mut AllMoments,
    ) -> Result<Vec<T>> {
        let (plan, backend) = (&self.training.plan, &mut self.training_backend);
        let images = images.pixels(&mut self.pixels);
        backend.begin(&plan.slots, images.len() / self.image, &self.parameters);
        backend.write(plan.images, images);
        plan.masks.iter().zip(factors).for_each(|(slot, factors)| backend.write(*slot, factors));
        run_forward(backend, &plan.forward, mode, moments);
        self.mode = mode;
        Ok(backend.read(plan.logits))
    }

    fn backward(&mut self, logits_gradient: &[T], moments: &AllMoments, gradient: &mut [T]) -> Result<()> {
        let backend = &mut self.training_backend;
        backend.write(self.training.logits_gradient, logits_gradient);
        run_backward(backend, &self.training.backward, self.mode, moments);
        backend.read_gradient(gradient);
        Ok(())
    }
}
