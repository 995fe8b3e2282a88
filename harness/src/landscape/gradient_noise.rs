//! The noise of minibatch gradients along a direction: ⟨ω_t, u⟩, minibatch gradient less full gradient (Section 5.2).
//!
//! The loss is that of fixed training images, un-augmented, with the solution's batch-norm statistics in evaluation mode: then
//! the full gradient is exactly what the minibatches of an epoch average to. Training's own noise also has that of
//! augmentation and of the batches' statistics.

use std::sync::Arc;

use valleys_sim::Seed;
use valleys_sim::gradient_noise::{NoiseCriteria, measure};
use valleys_sim::progress::Observer;
use valleys_sim::record;
use valleys_sim::sgd::Visit;

use super::Spec;
use super::vector::{difference, dot};
use crate::data::loader::{Batches, EpochBatches, PlainBatches};
use crate::data::{Augmentation, Dataset};
use crate::exec::Executor;
use crate::model::Graph;
use crate::optim::{Sgd, SgdParams};
use crate::params::Weights;
use crate::{Error, Result};

/// Gradients of a loss that is a mean over examples.
pub trait Gradients {
    /// The gradient over all examples.
    fn full(&mut self, at: &Weights<f32>, observer: &dyn Observer) -> Result<Vec<f64>>;
    /// The gradient over minibatch number `step` of SGD.
    fn minibatch(&mut self, at: &Weights<f32>, step: usize) -> Result<Vec<f64>>;
    /// What the minibatches are, in words that a number goes before.
    fn setting(&self) -> String;
}

/// A network's gradients on fixed training images, minibatches in the shuffled order of epochs, the last of which is smaller
/// if they do not fit.
pub struct Minibatches {
    executor: Executor<f32>,
    images: Dataset,
    batch_size: usize,
    seed: Seed,
}

impl Minibatches {
    /// On as many training images as the specification says, the same ones that [`Probe`](super::Probe) measures on.
    ///
    /// # Errors
    /// More images than there are, and a batch size that is not from 1 to their number.
    pub fn new(graph: &Arc<Graph>, data: &Dataset, spec: &Spec, batch_size: usize) -> Result<Self> {
        let train = data.train().subset(spec.train_images, spec.seed, "train images")?;
        if batch_size == 0 || batch_size > train.len() {
            return Err(Error::domain("batch size", batch_size, format!("1 to {}, the training images", train.len())));
        }
        let (name, title) = (data.name(), data.title());
        let images = Dataset::new(name, title, train, data.test().clone(), data.normalisation(), Augmentation::NONE)?;
        let executor = Executor::on(Arc::clone(graph), spec.backend)?;
        Ok(Self { executor, images, batch_size, seed: spec.seed })
    }
}

impl Gradients for Minibatches {
    fn full(&mut self, at: &Weights<f32>, observer: &dyn Observer) -> Result<Vec<f64>> {
        let batches = PlainBatches::new(self.images.train(), self.images.normalisation());
        let (mut sum, mut part) = (vec![0.0; at.values.len()], vec![0.0; at.values.len()]);
        let mut loaded = self.executor.load(at)?;
        for number in 0..batches.count() {
            if observer.interrupted() {
                return Err(Error::Interrupted);
            }
            let views = batches.views(number);
            loaded.gradient(&views, &mut part)?;
            let share = views.labels().len() as f64 / self.images.train().len() as f64;
            sum.iter_mut().zip(&part).for_each(|(sum, &part)| *sum += share * f64::from(part));
        }
        Ok(sum)
    }

    fn minibatch(&mut self, at: &Weights<f32>, step: usize) -> Result<Vec<f64>> {
        let count = self.images.train().len().div_ceil(self.batch_size);
        let epoch = (step / count) as u32;
        let batches = EpochBatches::new(&self.images, Augmentation::NONE, self.batch_size, self.seed, epoch);
        let mut gradient = vec![0.0; at.values.len()];
        self.executor.evaluation_gradient(at, &batches.views(step % count), &mut gradient)?;
        Ok(gradient.into_iter().map(f64::from).collect())
    }

    fn setting(&self) -> String {
        format!(
            "minibatches of {} out of {} training images, un-augmented, in epochs shuffled by seed {}; batch-norm \
             statistics of the solution",
            self.batch_size,
            self.images.train().len(),
            self.seed.0
        )
    }
}

/// How SGD steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Walk {
    /// Number of steps.
    pub steps: usize,
    /// η.
    pub rate: f64,
    /// Momentum and weight decay; weight decay is not part of the noise.
    pub sgd: SgdParams,
    /// Whether the steps are taken; else all gradients are at the solution, where the full one is measured but once.
    pub moving: bool,
}

/// The steps of a [`Walk`], projected on u.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    /// η.
    pub rate: f64,
    /// μ.
    pub momentum: f64,
    /// ⟨w_t − w_0, u⟩.
    pub points: Vec<f64>,
    /// ⟨∇L̂(w_t), u⟩.
    pub slopes: Vec<f64>,
    /// ⟨ω_t, u⟩.
    pub noise: Vec<f64>,
    /// Whether the steps were taken.
    pub moving: bool,
    /// How they were measured.
    pub setting: String,
}

/// Walks from a solution and projects every step on a direction of unit length.
///
/// # Errors
/// A direction of another dimension, settings out of range, those of the gradients; [`Error::Interrupted`].
pub fn walk(
    gradients: &mut dyn Gradients,
    solution: &Weights<f32>,
    u: &[f64],
    walk: &Walk,
    observer: &dyn Observer,
) -> Result<Steps> {
    if u.len() != solution.values.len() {
        let allowed = format!("{}, that of the network", solution.values.len());
        return Err(Error::domain("dimension of the direction", u.len(), allowed));
    }
    let place = match walk.moving {
        true => format!("at the steps of SGD with rate {}", walk.rate),
        false => "all at the solution".to_owned(),
    };
    let (mut optimiser, mut at) = (Sgd::<f32>::new(walk.sgd, u.len())?, solution.clone());
    let mut steps = Steps {
        rate: walk.rate,
        momentum: walk.sgd.momentum,
        points: Vec::new(),
        slopes: Vec::new(),
        noise: Vec::new(),
        moving: walk.moving,
        setting: format!("{} {}; {place}", walk.steps, gradients.setting()),
    };
    observer.begin("minibatch gradients", walk.steps as u64);
    let mut slope = dot(&gradients.full(&at, observer)?, u);
    for step in 0..walk.steps {
        if observer.interrupted() {
            return Err(Error::Interrupted);
        }
        if walk.moving && step > 0 {
            slope = dot(&gradients.full(&at, observer)?, u);
        }
        let minibatch = gradients.minibatch(&at, step)?;
        steps.points.push(dot(&difference(solution, &at), u));
        steps.slopes.push(slope);
        steps.noise.push(dot(&minibatch, u) - slope);
        if walk.moving {
            let minibatch: Vec<f32> = minibatch.iter().map(|&g| g as f32).collect();
            optimiser.step(walk.rate, &mut at.values, &minibatch)?;
        }
        observer.advance(1);
    }
    observer.finish();
    Ok(steps)
}

impl Steps {
    /// The law of the noise along `sign`·u, held against the smallest bound that all of it meets, ν = max |⟨ω_t, u⟩|: a
    /// bound for what was seen, not for what may come.
    ///
    /// # Errors
    /// Fewer than 41 steps, and noise that is not finite.
    pub fn noise(&self, title: &str, sign: f64) -> Result<record::GradientNoise> {
        let series: Vec<f64> = self.noise.iter().map(|noise| sign * noise).collect();
        let nu = series.iter().fold(0.0, |largest: f64, noise| largest.max(noise.abs()));
        Ok(measure((title, &self.setting), &series, nu, self.momentum, &NoiseCriteria::default())?)
    }

    /// The steps along `sign`·u, if they were taken.
    pub(super) fn visits(&self, sign: f64) -> Vec<Visit> {
        if !self.moving {
            return Vec::new();
        }
        let steps = self.points.iter().zip(&self.slopes).zip(&self.noise);
        steps
            .map(|((point, slope), noise)| Visit { point: sign * point, slope: sign * slope, noise: sign * noise })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use valleys_sim::progress::Silent;
    use valleys_sim::record::Standing;

    use super::*;
    use crate::data::synthetic;
    use crate::exec::{BackendKind, Weighting};
    use crate::landscape::known::point;
    use crate::landscape::{BatchNorm, Probe};
    use crate::model::Architecture;

    /// ∇L̂ = w, and noise that is 1, −1, 1, … along the first axis and 5 along the second.
    struct Bowl;

    impl Gradients for Bowl {
        fn full(&mut self, at: &Weights<f32>, _observer: &dyn Observer) -> Result<Vec<f64>> {
            Ok(at.values.iter().map(|&w| f64::from(w)).collect())
        }
        fn minibatch(&mut self, at: &Weights<f32>, step: usize) -> Result<Vec<f64>> {
            let noise = [if step.is_multiple_of(2) { 1.0 } else { -1.0 }, 5.0];
            Ok(at.values.iter().zip(noise).map(|(&w, noise)| f64::from(w) + noise).collect())
        }
        fn setting(&self) -> String {
            "minibatches of a bowl".to_owned()
        }
    }

    fn plain(momentum: f64) -> SgdParams {
        SgdParams { momentum, weight_decay: 0.0 }
    }

    #[test]
    fn steps_in_a_bowl_by_hand() {
        let how = Walk { steps: 3, rate: 0.5, sgd: plain(0.0), moving: true };
        let seen = walk(&mut Bowl, &point(&[2.0, 0.0]), &[1.0, 0.0], &how, &Silent).expect("walked");
        // 2, then 2 − ½·3 = ½, then ½ − ½·(½ − 1) = ¾.
        assert_eq!(seen.points, [0.0, -1.5, -1.25]);
        assert_eq!((&seen.slopes[..], &seen.noise[..]), (&[2.0, 0.5, 0.75][..], &[1.0, -1.0, 1.0][..]));
        let mirrored = seen.visits(-1.0);
        assert_eq!(mirrored[1], Visit { point: 1.5, slope: -0.5, noise: 1.0 });
        assert_eq!(seen.setting, "3 minibatches of a bowl; at the steps of SGD with rate 0.5");
        let still = Walk { moving: false, ..how };
        let seen = walk(&mut Bowl, &point(&[2.0, 0.0]), &[1.0, 0.0], &still, &Silent).expect("walked");
        assert_eq!((&seen.slopes[..], seen.visits(1.0).len()), (&[2.0; 3][..], 0));
        let short = walk(&mut Bowl, &point(&[2.0, 0.0]), &[1.0], &still, &Silent).expect_err("refused");
        assert!(short.to_string().starts_with("dimension of the direction is 1"), "{short}");
    }

    #[test]
    fn an_alternating_noise_is_bounded_and_no_noise_of_sgd() {
        let how = Walk { steps: 60, rate: 0.1, sgd: plain(0.0), moving: false };
        let steps = walk(&mut Bowl, &point(&[2.0, 0.0]), &[1.0, 0.0], &how, &Silent).expect("walked");
        let law = steps.noise("it", 1.0).expect("measured");
        assert_eq!((law.nu, law.largest), (1.0, 1.0));
        assert_eq!(law.setting, "60 minibatches of a bowl; all at the solution");
        assert!(law.mean.estimate.abs() < 1e-12);
        assert!(law.autocorrelation[0].value < -0.9, "{:?}", law.autocorrelation[0]);
        let standing = |name: &str| law.hypotheses.iter().find(|row| row.name == name).expect("a row").standing;
        assert_eq!(standing("BoundedNoise"), Standing::Met);
        assert_eq!(standing("ZeroMeanNoise"), Standing::NotMet, "the next sign is known");
    }

    #[test]
    fn a_networks_minibatches_average_to_its_full_gradient() {
        let graph = Arc::new(Architecture::ResNet8.graph(10).expect("ten classes"));
        let data = synthetic::draw(60, 40, Seed(1)).expect("valid");
        let weights = Weights::initialise(&graph, Seed(1));
        let spec = Spec {
            backend: BackendKind::default(),
            batch_norm: BatchNorm::Frozen,
            weighting: Weighting::BySize,
            statistics_images: 20,
            train_images: 30,
            test_images: 20,
            keep_examples: true,
            seed: Seed(2),
        };
        let mut minibatches = Minibatches::new(&graph, &data, &spec, 8).expect("valid");
        let setting = minibatches.setting();
        assert!(
            setting.starts_with("minibatches of 8 out of 30 training images") && setting.contains("seed 2"),
            "{setting}"
        );
        let full = minibatches.full(&weights, &Silent).expect("measured");
        for epoch in 0..2 {
            let mut mean = vec![0.0; full.len()];
            for (number, share) in [8.0, 8.0, 8.0, 6.0].into_iter().enumerate() {
                let gradient = minibatches.minibatch(&weights, 4 * epoch + number).expect("measured");
                mean.iter_mut().zip(&gradient).for_each(|(mean, g)| *mean += share / 30.0 * g);
            }
            let apart = mean.iter().zip(&full).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            let size = full.iter().fold(0.0, |size: f64, g| size.max(g.abs()));
            assert!(apart < 1e-4 * size, "{apart} of {size}");
        }
        // The same images and the same loss as the probe's.
        let probe = Probe::new(&graph, &data, spec.clone()).expect("valid").gradient(&weights, &Silent);
        assert_eq!(probe.expect("measured"), full);
        let message = |size| Minibatches::new(&graph, &data, &spec, size).err().map(|it| it.to_string());
        assert_eq!(message(31).as_deref(), Some("batch size is 31; allowed: 1 to 30, the training images"));
    }
}
