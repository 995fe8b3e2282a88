//! Sums of functions of one variable, one an axis.

use nalgebra::DVector;

use super::{Loss, Univariate};
use crate::{Error, Result};

/// Σᵢ fᵢ(wᵢ).
///
/// The sum is taken in a fixed binary tree, so that a [`Walk`] that changes one coordinate at a time gives the very bits
/// of a fresh evaluation.
#[derive(Debug, Clone)]
pub struct Separable<U = Box<dyn Univariate>> {
    axes: Vec<U>,
}

impl<U: Univariate> Separable<U> {
    /// One function an axis; at least one.
    pub fn new(axes: Vec<U>) -> Result<Self> {
        if axes.is_empty() {
            return Err(Error::domain("number of axes", 0, "at least 1"));
        }
        Ok(Self { axes })
    }

    /// The functions fᵢ.
    pub fn axes(&self) -> &[U] {
        &self.axes
    }

    /// Begins a walk at w, a point of [`dimension`](Loss::dimension) coordinates.
    pub fn walk(&self, w: &DVector<f64>) -> Walk<'_, U> {
        let n = self.axes.len();
        let mut sums = vec![0.0; 2 * n];
        for (i, axis) in self.axes.iter().enumerate() {
            sums[n + i] = axis.value(w[i]);
        }
        for node in (1..n).rev() {
            sums[node] = sums[2 * node] + sums[2 * node + 1];
        }
        Walk { axes: &self.axes, sums }
    }
}

impl<U: Univariate> Loss for Separable<U> {
    fn dimension(&self) -> usize {
        self.axes.len()
    }

    fn value(&self, w: &DVector<f64>) -> f64 {
        self.walk(w).value()
    }

    fn gradient(&self, w: &DVector<f64>) -> DVector<f64> {
        DVector::from_fn(self.axes.len(), |i, _| self.axes[i].slope(w[i]))
    }
}

/// The value of a [`Separable`] loss at a point whose coordinates change one at a time, as in a Gray code over signs.
///
/// A step costs one function and ⌈log₂ d⌉ additions, and rounding errors do not build up.
#[derive(Debug, Clone)]
pub struct Walk<'a, U> {
    axes: &'a [U],
    /// A binary tree in an array: node i is the sum of nodes 2i and 2i + 1; the leaves d … 2d − 1 are the axes.
    sums: Vec<f64>,
}

impl<U: Univariate> Walk<'_, U> {
    /// The value at the present point.
    pub fn value(&self) -> f64 {
        self.sums[1]
    }

    /// Moves coordinate `axis` (below the dimension) to x.
    pub fn set(&mut self, axis: usize, x: f64) {
        let mut node = self.axes.len() + axis;
        self.sums[node] = self.axes[axis].value(x);
        while node > 1 {
            node /= 2;
            self.sums[node] = self.sums[2 * node] + self.sums[2 * node + 1];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::assert_gradient;
    use super::super::{Exponential, PiecewiseLinear, Softened};
    use super::*;

    fn mixed(dimension: usize) -> Separable {
        let axes = (0..dimension).map(|i| -> Box<dyn Univariate> {
            match i % 3 {
                0 => Box::new(PiecewiseLinear::valley(1.0 / 3.0, 3.0).expect("valid")),
                1 => Box::new(Softened::new(0.7, 2.0, 0.5).expect("valid")),
                _ => Box::new(Exponential::new(0.1, 2.0).expect("valid")),
            }
        });
        Separable::new(axes.collect()).expect("not empty")
    }

    #[test]
    fn needs_an_axis() {
        let message = Separable::<PiecewiseLinear>::new(vec![]).expect_err("empty").to_string();
        assert_eq!(message, "number of axes is 0; allowed: at least 1");
    }

    proptest! {
        #[test]
        fn is_the_sum_and_has_its_gradient(w in prop::collection::vec(-3.0..3.0f64, 1..12)) {
            prop_assume!(w.iter().all(|x| x.abs() > 1e-4));
            let loss = mixed(w.len());
            let plain: f64 = loss.axes().iter().zip(&w).map(|(f, &x)| f.value(x)).sum();
            let w = DVector::from_vec(w);
            prop_assert!((loss.value(&w) - plain).abs() < 1e-13 * (1.0 + plain.abs()));
            assert_gradient(&loss, &w, 10.0);
        }

        #[test]
        fn a_walk_gives_the_bits_of_a_fresh_evaluation(
            start in prop::collection::vec(-3.0..3.0f64, 1..21),
            steps in prop::collection::vec((any::<prop::sample::Index>(), -3.0..3.0f64), 0..200),
        ) {
            let loss = mixed(start.len());
            let mut w = DVector::from_vec(start);
            let mut walk = loss.walk(&w);
            for (axis, x) in steps {
                let axis = axis.index(w.len());
                walk.set(axis, x);
                w[axis] = x;
                prop_assert_eq!(walk.value().to_bits(), loss.value(&w).to_bits());
            }
        }
    }
}
