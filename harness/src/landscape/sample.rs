//! Known losses of single examples in place of a network's.

use valleys_sim::progress::Observer;

use super::{Losses, Measured, Surface};
use crate::Result;
use crate::exec::Outcome;
use crate::params::Line;

/// The loss of an example at a point.
type Loss = Box<dyn Fn(&[f64], usize) -> f64>;

/// A training and a test loss of each of so many examples, in closed form, on ℝ¹.
pub(super) struct Sample {
    pub(super) count: usize,
    train: Loss,
    test: Loss,
    pub(super) keeps_examples: bool,
    pub(super) measured: usize,
}

impl Sample {
    pub(super) fn new(
        count: usize,
        train: impl Fn(&[f64], usize) -> f64 + 'static,
        test: impl Fn(&[f64], usize) -> f64 + 'static,
    ) -> Self {
        Self { count, train: Box::new(train), test: Box::new(test), keeps_examples: true, measured: 0 }
    }
}

impl Surface for Sample {
    fn dimension(&self) -> usize {
        1
    }

    fn measure(&mut self, line: &Line<'_, f32>, offset: f64, _observer: &dyn Observer) -> Result<Losses> {
        self.measured += 1;
        let w: Vec<f64> = line.values(offset).into_iter().map(f64::from).collect();
        let side = |loss: &Loss| {
            let losses = (0..self.count).map(|i| loss(&w, i)).collect();
            Measured::new(Outcome { losses, correct: vec![true; self.count] }, self.keeps_examples)
        };
        Ok(Losses { train: side(&self.train), test: side(&self.test) })
    }

    fn setting(&self) -> String {
        "known functions".to_owned()
    }
}
