//! How the neuron is trained, in 64-bit arithmetic.

use rand::RngExt;

use super::PER_CLASS;
use super::draw::Draw;
use crate::error::positive;
use crate::seed::Stream;
use crate::{Error, Result};

/// The paper's training: 30 steps of 0.01.
pub(super) const STEPS: u32 = 30;
pub(super) const LEARNING_RATE: f64 = 0.01;

/// How the neuron comes to its solution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Training {
    /// Stochastic gradient descent; the averaged solution is the mean of the iterates after every step.
    ///
    /// A pass goes through all 20 examples in a random order, in batches of which the last may be smaller. A batch of
    /// 20 is gradient descent.
    Descent {
        /// Number of steps, at least 1.
        steps: u32,
        /// Examples in a batch, 1 to 20.
        batch: usize,
        /// The learning rate η > 0.
        learning_rate: f64,
    },
    /// To the minimum of the loss, which is then both last iterate and averaged solution. It exists only where the
    /// classes overlap.
    Converged,
}

impl Default for Training {
    /// The paper's: 30 steps of gradient descent with η = 0.01.
    fn default() -> Self {
        Self::Descent { steps: STEPS, batch: 2 * PER_CLASS, learning_rate: LEARNING_RATE }
    }
}

impl Training {
    pub(super) fn check(&self) -> Result<()> {
        let Self::Descent { steps, batch, learning_rate } = *self else { return Ok(()) };
        if steps == 0 {
            return Err(Error::domain("number of steps", steps, "at least 1"));
        }
        if !(1..=2 * PER_CLASS).contains(&batch) {
            return Err(Error::domain("batch size", batch, format!("1 to {}", 2 * PER_CLASS)));
        }
        positive("learning rate", learning_rate).map(|_| ())
    }

    /// Trains from a draw; the stream shuffles. `None` if there is no optimum to converge to.
    pub(super) fn run(&self, draw: &Draw, shuffle: &mut Stream) -> Option<Trained> {
        match *self {
            // A full batch needs no order, and keeps its sums' rounding.
            Self::Descent { steps, batch, learning_rate } if batch == draw.neuron.examples() => {
                Some(descend(draw, steps, batch, learning_rate, |_| {}))
            }
            Self::Descent { steps, batch, learning_rate } => {
                Some(descend(draw, steps, batch, learning_rate, |order| permute(order, shuffle)))
            }
            Self::Converged => draw.neuron.optimum().map(|optimum| Trained { last: optimum, averaged: optimum }),
        }
    }
}

/// The official script's training.
pub(super) fn official(draw: &Draw) -> Trained {
    descend(draw, STEPS, 2 * PER_CLASS, LEARNING_RATE, |_| {})
}

/// Where training ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Trained {
    pub(super) last: [f64; 2],
    pub(super) averaged: [f64; 2],
}

/// Gradient descent in batches; `reorder` sees the examples before every pass.
fn descend(
    draw: &Draw,
    steps: u32,
    batch: usize,
    learning_rate: f64,
    mut reorder: impl FnMut(&mut [usize]),
) -> Trained {
    let mut order: Vec<usize> = (0..draw.neuron.examples()).collect();
    let mut next = order.len();
    let mut last = draw.start;
    let mut averaged = [0.0; 2];
    for step in 1..=steps {
        if next >= order.len() {
            next = 0;
            reorder(&mut order);
        }
        let end = (next + batch).min(order.len());
        let gradient = draw.neuron.batch_gradient(last, order[next..end].iter().copied());
        next = end;
        for k in 0..2 {
            last[k] -= learning_rate * gradient[k];
            averaged[k] += (last[k] - averaged[k]) / f64::from(step);
        }
    }
    Trained { last, averaged }
}

/// Puts numbers into a uniformly random order (Fisher and Yates).
fn permute(order: &mut [usize], rng: &mut Stream) {
    for i in (1..order.len()).rev() {
        order.swap(i, rng.random_range(0..=i));
    }
}

#[cfg(test)]
mod tests {
    use super::super::draw;
    use super::*;
    use crate::Seed;

    fn descent(steps: u32, batch: usize) -> Training {
        Training::Descent { steps, batch, learning_rate: 0.1 }
    }

    fn train(training: Training, index: u64) -> Trained {
        let draw = draw::own(Seed(1), index).expect("valid");
        training.run(&draw, &mut Seed(1).stream("shuffle", index)).expect("a solution")
    }

    #[test]
    fn one_step_is_one_gradient() {
        let draw = draw::own(Seed(1), 0).expect("valid");
        let gradient = draw.neuron.batch_gradient(draw.start, 0..20);
        let expected = [draw.start[0] - 0.1 * gradient[0], draw.start[1] - 0.1 * gradient[1]];
        let trained = train(descent(1, 20), 0);
        assert_eq!((trained.last, trained.averaged), (expected, expected));
    }

    #[test]
    fn the_average_is_the_mean_of_the_iterates() {
        let mut sum = [0.0; 2];
        for steps in 1..=25 {
            let last = train(descent(steps, 7), 3).last;
            sum = [sum[0] + last[0], sum[1] + last[1]];
        }
        let averaged = train(descent(25, 7), 3).averaged;
        assert!((averaged[0] - sum[0] / 25.0).abs() < 1e-14 && (averaged[1] - sum[1] / 25.0).abs() < 1e-14);
    }

    #[test]
    fn a_pass_uses_every_example_once() {
        // With a tiny step the iterate hardly moves, so that a pass of any batch size sums the same twenty gradients;
        // batches weigh examples equally only if they divide the pass.
        let draw = draw::own(Seed(1), 5).expect("valid");
        let gradient = draw.neuron.batch_gradient(draw.start, 0..20);
        for batch in [1, 2, 5, 10] {
            let steps = 20 / batch as u32;
            let training = Training::Descent { steps, batch, learning_rate: 1e-7 };
            let last = training.run(&draw, &mut Seed(0).stream("shuffle", 0)).expect("a solution").last;
            for k in 0..2 {
                let moved = (draw.start[k] - last[k]) / (1e-7 * f64::from(steps));
                assert!((moved - gradient[k]).abs() < 1e-5, "batch {batch}: {moved} against {}", gradient[k]);
            }
        }
    }

    #[test]
    fn all_orders_are_equally_likely() {
        // Each of the 6 orders of 3 examples comes 1,000 times in 6,000, and leaves 1,000 ± 6·28.9 with a chance of
        // 2e-9.
        let mut rng = Seed(0).stream("shuffle", 0);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..6000 {
            let mut order = [0, 1, 2];
            permute(&mut order, &mut rng);
            *counts.entry(order).or_insert(0i32) += 1;
        }
        assert!(counts.len() == 6 && counts.values().all(|count| (count - 1000).abs() < 173), "{counts:?}");
    }

    #[test]
    fn long_descent_meets_the_optimum() {
        let index = (0..).find(|&i| !draw::own(Seed(1), i).expect("valid").neuron.separable()).expect("one overlaps");
        let converged = train(Training::Converged, index);
        let descended = train(Training::Descent { steps: 200_000, batch: 20, learning_rate: 0.5 }, index);
        assert_eq!(converged.last, converged.averaged);
        for k in 0..2 {
            assert!((descended.last[k] - converged.last[k]).abs() < 1e-9, "{descended:?} {converged:?}");
        }
    }
}
