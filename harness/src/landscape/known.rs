//! Small known functions in place of a network.

use std::sync::Arc;

use valleys_sim::progress::Observer;

use super::{Losses, Measured, Surface};
use crate::Result;
use crate::params::{Group, Layout, Line, Weights};

/// A training and a test loss in closed form; counts how often it is measured.
pub(super) struct Known {
    dimension: usize,
    train: fn(&[f64]) -> f64,
    test: fn(&[f64]) -> f64,
    pub(super) measured: usize,
}

impl Known {
    pub(super) fn new(dimension: usize, train: fn(&[f64]) -> f64, test: fn(&[f64]) -> f64) -> Self {
        Self { dimension, train, test, measured: 0 }
    }
}

impl Surface for Known {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn measure(&mut self, line: &Line<'_, f32>, offset: f64, _observer: &dyn Observer) -> Result<Losses> {
        self.measured += 1;
        let w: Vec<f64> = line.values(offset).into_iter().map(f64::from).collect();
        let side = |loss: f64| Measured { loss, standard_error: 0.0, accuracy: 0.5, examples: None };
        Ok(Losses { train: side((self.train)(&w)), test: side((self.test)(&w)) })
    }

    fn setting(&self) -> String {
        "a known function".to_owned()
    }
}

/// A point of ℝᵈ as a network of one linear weight.
pub(crate) fn point(values: &[f32]) -> Weights<f32> {
    let mut layout = Layout::default();
    layout.add_parameter("w".to_owned(), vec![1, values.len()], Group::LinearWeight).expect("the first name");
    let mut weights = Weights::zeros(&Arc::new(layout));
    weights.values = values.to_vec();
    weights
}

/// A two-slope valley along the first axis: −4w below 0, w above.
pub(super) fn valley(w: f64) -> f64 {
    if w < 0.0 { -4.0 * w } else { w }
}
