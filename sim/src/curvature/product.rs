//! Hessian–vector products by central differences of gradients.

use super::check;
use crate::Error;
use crate::error::positive;

/// H(w)·v from two gradients: (∇L(w + h·v/‖v‖) − ∇L(w − h·v/‖v‖))·‖v‖/(2h).
///
/// *The step h* is a length in parameter space. The difference errs by (h²/6)·∂³∇L along v where the gradient is smooth,
/// and by up to ε·‖∇L‖/h where gradients carry a relative error ε. The sum is smallest at a multiple of ε^(1/3), hence
/// [`HessianProduct::new`]'s h = ε^(1/3)·(1 + ‖w‖): about 0.005·(1 + ‖w‖) for gradients in single precision and
/// 6e-6·(1 + ‖w‖) in double. Where the loss has kinks (ReLU) the product is that of the loss smoothed over h. How far the
/// products are from a symmetric operator is seen in [`Spectrum::asymmetry`](super::Spectrum::asymmetry).
#[derive(Debug)]
pub struct HessianProduct<G> {
    gradient: G,
    point: Vec<f64>,
    step: f64,
}

impl<G> HessianProduct<G> {
    /// At a point w, from gradients of relative precision ε in (0, 1), such as `f32::EPSILON`.
    ///
    /// # Errors
    /// A point without coordinates or with one that is not finite, and a precision that is not above 0.
    pub fn new(gradient: G, point: Vec<f64>, precision: f64) -> crate::Result<Self> {
        positive("precision ε of the gradient", precision)?;
        let norm = norm(&point);
        Self::with_step(gradient, point, libm::cbrt(precision) * (1.0 + norm))
    }

    /// The same with a given step h > 0.
    ///
    /// # Errors
    /// A point without coordinates or with one that is not finite, and a step that is not above 0.
    pub fn with_step(gradient: G, point: Vec<f64>, step: f64) -> crate::Result<Self> {
        super::check_dimension(point.len())?;
        check("point w", &point, point.len())?;
        Ok(Self { gradient, point, step: positive("step h", step)? })
    }

    /// h.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// H(w)·v; two calls of the gradient, none for v = 0.
    ///
    /// # Errors
    /// Those of the gradient; a vector or a gradient that is not a finite point of the dimension of w.
    pub fn apply<E: From<Error>>(&mut self, v: &[f64]) -> Result<Vec<f64>, E>
    where
        G: FnMut(&[f64]) -> Result<Vec<f64>, E>,
    {
        check("vector v", v, self.point.len())?;
        let length = norm(v);
        if length == 0.0 {
            return Ok(vec![0.0; v.len()]);
        }
        let mut at = |step: f64| -> Result<Vec<f64>, E> {
            let moved: Vec<f64> = self.point.iter().zip(v).map(|(w, v)| w + step * (v / length)).collect();
            let gradient = (self.gradient)(&moved)?;
            check("gradient", &gradient, moved.len())?;
            Ok(gradient)
        };
        let (ahead, behind) = (at(self.step)?, at(-self.step)?);
        let scale = length / (2.0 * self.step);
        Ok(ahead.iter().zip(&behind).map(|(a, b)| (a - b) * scale).collect())
    }
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}
