//! One neuron on a line: the two-parameter network of Appendix A.

use nalgebra::{DVector, Matrix2, Vector2};

use super::Loss;
use super::smooth::{sigmoid, softplus};
use crate::error::finite;
use crate::{Error, Result};

/// Mean binary cross-entropy of sigmoid(weight·x + bias) over inputs x of two classes, as a loss of (weight, bias).
///
/// Each term is ln(1 + e^z) for class 0 and ln(1 + e^(−z)) for class 1, z = weight·x + bias, which neither overflows nor
/// saturates. Examples are numbered class 0 first.
#[derive(Debug, Clone, PartialEq)]
pub struct Neuron {
    inputs: Vec<f64>,
    /// The first this many inputs belong to class 0, the others to class 1.
    class0: usize,
}

impl Neuron {
    /// The inputs of class 0 and of class 1: finite, at least one each.
    pub fn new(class0: &[f64], class1: &[f64]) -> Result<Self> {
        for (class, inputs) in [class0, class1].into_iter().enumerate() {
            if inputs.is_empty() {
                return Err(Error::domain(format!("number of inputs of class {class}"), 0, "at least 1"));
            }
            for (i, &x) in inputs.iter().enumerate() {
                finite(&format!("input {i} of class {class}"), x)?;
            }
        }
        Ok(Self { inputs: [class0, class1].concat(), class0: class0.len() })
    }

    /// Number of examples, at least 2.
    pub fn examples(&self) -> usize {
        self.inputs.len()
    }

    /// The inputs of class 0.
    pub fn class0(&self) -> &[f64] {
        &self.inputs[..self.class0]
    }

    /// The inputs of class 1.
    pub fn class1(&self) -> &[f64] {
        &self.inputs[self.class0..]
    }

    /// The mean loss at (weight, bias).
    pub fn loss(&self, w: [f64; 2]) -> f64 {
        let sum: f64 = (0..self.examples()).map(|i| softplus(self.sign(i) * self.logit(w, i))).sum();
        sum / self.examples() as f64
    }

    /// The gradient (by weight, by bias) of the mean loss over a batch of examples, by number; at least one.
    pub fn batch_gradient(&self, w: [f64; 2], batch: impl IntoIterator<Item = usize>) -> [f64; 2] {
        let (mut by_weight, mut by_bias, mut count) = (0.0, 0.0, 0usize);
        for i in batch {
            let sign = self.sign(i);
            let slope = sign * sigmoid(sign * self.logit(w, i));
            by_weight += slope * self.inputs[i];
            by_bias += slope;
            count += 1;
        }
        [by_weight / count as f64, by_bias / count as f64]
    }

    /// Whether a threshold on the line separates the classes: no input of one class lies strictly beyond an input of
    /// the other on the wrong side. Inputs that meet in one point count as separable.
    ///
    /// Exact: it compares the inputs. Logistic regression has a unique minimiser if and only if this is false (Albert
    /// and Anderson, *Biometrika* 71 (1984), 1–10): otherwise the loss falls for ever, or is constant, along a ray.
    pub fn separable(&self) -> bool {
        let range = |inputs: &[f64]| {
            inputs.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)))
        };
        let (low0, high0) = range(self.class0());
        let (low1, high1) = range(self.class1());
        high0 <= low1 || high1 <= low0
    }

    /// The minimiser (weight, bias), `None` if the classes are [separable](Self::separable).
    ///
    /// Newton's method from 0: first steps that lower the loss, halved where needed, then whole steps while they
    /// shrink the gradient, which leaves it at rounding error.
    pub fn optimum(&self) -> Option<[f64; 2]> {
        if self.separable() {
            return None;
        }
        let mut w = Vector2::zeros();
        while let Some(next) = self.step_downhill(w) {
            w = next;
        }
        while let Some(step) = self.newton_step(w) {
            let next = w + step;
            if self.slope(next).norm() >= self.slope(w).norm() {
                break;
            }
            w = next;
        }
        Some(w.into())
    }

    /// The longest of the Newton step, its half, its quarter, … that lowers the loss by a quarter of what its slope
    /// promises; `None` if rounding lets none.
    fn step_downhill(&self, w: Vector2<f64>) -> Option<Vector2<f64>> {
        let here = self.loss(w.into());
        let step = self.newton_step(w)?;
        let promise = -self.slope(w).dot(&step);
        std::iter::successors(Some(1.0), |fraction| Some(fraction / 2.0))
            .take(60)
            .map(|fraction| (fraction, w + step * fraction))
            .find(|&(fraction, next)| {
                let there = self.loss(next.into());
                there < here && there <= here - fraction * promise / 4.0
            })
            .map(|(_, next)| next)
    }

    /// The step to the minimum of the local parabola, `None` where all curvature underflows.
    ///
    /// A ridge of 1e-14 of the trace keeps the matrix invertible when one example holds all the curvature.
    fn newton_step(&self, w: Vector2<f64>) -> Option<Vector2<f64>> {
        let hessian = self.hessian(w.into());
        let ridge = Matrix2::identity() * (1e-14 * hessian.trace());
        Some(-(hessian + ridge).cholesky()?.solve(&self.slope(w)))
    }

    /// The gradient of the mean loss.
    fn slope(&self, w: Vector2<f64>) -> Vector2<f64> {
        self.batch_gradient(w.into(), 0..self.examples()).into()
    }

    /// The matrix of second derivatives of the mean loss.
    fn hessian(&self, w: [f64; 2]) -> Matrix2<f64> {
        let mut sum = Matrix2::zeros();
        for (i, &x) in self.inputs.iter().enumerate() {
            let z = self.logit(w, i);
            let curvature = sigmoid(z) * sigmoid(-z);
            sum += Matrix2::new(x * x, x, x, 1.0) * curvature;
        }
        sum / self.examples() as f64
    }

    fn logit(&self, w: [f64; 2], i: usize) -> f64 {
        w[0] * self.inputs[i] + w[1]
    }

    /// +1 for class 0, whose loss grows with the logit, −1 for class 1.
    fn sign(&self, i: usize) -> f64 {
        if i < self.class0 { 1.0 } else { -1.0 }
    }
}

impl Loss for Neuron {
    fn dimension(&self) -> usize {
        2
    }

    fn value(&self, w: &DVector<f64>) -> f64 {
        self.loss([w[0], w[1]])
    }

    fn gradient(&self, w: &DVector<f64>) -> DVector<f64> {
        DVector::from_column_slice(&self.batch_gradient([w[0], w[1]], 0..self.examples()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::assert_gradient;
    use super::*;

    fn neuron(class0: &[f64], class1: &[f64]) -> Neuron {
        Neuron::new(class0, class1).expect("valid")
    }

    #[test]
    fn is_the_mean_cross_entropy_and_survives_far_points() {
        let loss = neuron(&[1.0, 0.5], &[-1.0]);
        let w = [2.0, -0.3];
        let p = |x: f64| 1.0 / (1.0 + (-(w[0] * x + w[1])).exp());
        let plain = -((1.0 - p(1.0)).ln() + (1.0 - p(0.5)).ln() + p(-1.0).ln()) / 3.0;
        assert!((loss.loss(w) - plain).abs() < 1e-15);
        assert_eq!(loss.loss([3000.0, 0.0]), (3000.0 + 1500.0 + 3000.0) / 3.0);
    }

    #[test]
    fn separability_is_exact_and_counts_touching_classes() {
        for (class0, class1, separable) in [
            (&[1.0, 2.0][..], &[-1.0, 0.0][..], true),
            (&[-1.0, 0.0], &[1.0, 2.0], true),
            (&[0.0, 1.0], &[-1.0, 0.0], true),
            (&[-1.0, 0.0], &[0.0, 1.0], true),
            (&[0.0, 1.0], &[-1.0, f64::MIN_POSITIVE], false),
            (&[0.0, 3.0], &[1.0, 2.0], false),
            (&[1.0], &[1.0], true),
        ] {
            assert_eq!(neuron(class0, class1).separable(), separable, "{class0:?} {class1:?}");
            assert_eq!(neuron(class0, class1).optimum().is_none(), separable);
        }
    }

    #[test]
    fn the_optimum_of_a_saturated_model_is_known_exactly() {
        // Two places, each with both classes: the fitted probabilities are the class shares, 1/3 and 3/4.
        let loss = neuron(&[0.0, 0.0, 1.0], &[0.0, 1.0, 1.0, 1.0]);
        let [weight, bias] = loss.optimum().expect("the classes overlap");
        assert!((bias - 0.5f64.ln()).abs() < 1e-12, "{bias}");
        assert!((weight + bias - 3f64.ln()).abs() < 1e-12, "{weight}");
    }

    #[test]
    fn refuses_empty_and_non_finite_classes() {
        let message = |class0: &[f64], class1: &[f64]| Neuron::new(class0, class1).expect_err("invalid").to_string();
        assert_eq!(message(&[1.0], &[]), "number of inputs of class 1 is 0; allowed: at least 1");
        assert_eq!(message(&[1.0, f64::INFINITY], &[0.0]), "input 1 of class 0 is inf; allowed: a finite number");
    }

    fn inputs() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(-4.0..4.0f64, 1..12)
    }

    proptest! {
        #[test]
        fn has_the_gradient_of_its_value(a in inputs(), b in inputs(), w in prop::collection::vec(-5.0..5.0f64, 2)) {
            assert_gradient(&neuron(&a, &b), &DVector::from_vec(w), 30.0);
        }

        #[test]
        fn batch_gradients_average_to_the_gradient(a in inputs(), b in inputs(), w in prop::array::uniform2(-5.0..5.0f64)) {
            let loss = neuron(&a, &b);
            let n = loss.examples();
            let full = loss.batch_gradient(w, 0..n);
            for (k, full) in full.iter().enumerate() {
                let mean = (0..n).map(|i| loss.batch_gradient(w, [i])[k]).sum::<f64>() / n as f64;
                prop_assert!((mean - full).abs() < 1e-13);
            }
        }

        #[test]
        fn the_optimum_is_stationary_and_lowest(a in inputs(), b in inputs(), w in prop::array::uniform2(-5.0..5.0f64)) {
            let loss = neuron(&a, &b);
            if let Some(optimum) = loss.optimum() {
                let gradient = loss.batch_gradient(optimum, 0..loss.examples());
                prop_assert!(gradient[0].hypot(gradient[1]) < 1e-12, "{gradient:?} at {optimum:?}");
                prop_assert!(loss.loss(optimum) <= loss.loss(w) + 1e-12);
            } else {
                prop_assert!(loss.separable());
            }
        }
    }
}
