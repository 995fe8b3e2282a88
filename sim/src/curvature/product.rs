//! Hessian–vector products by central differences of gradients.

use super::check;
use crate::Error;
use crate::error::positive;

/// H(w)·v from two gradients: (∇L(w + h·v/‖v‖) − ∇L(w − h·v/‖v‖))·‖v‖/(2h).
///
/// *The step h* is a length in parameter space. The difference errs by (h²/6)·∂³∇L along v where the gradient is smooth,
/// and by up to ε·‖∇L‖/h where gradients carry a relative error ε. Of smooth losses the sum is smallest at a multiple of
/// ε^(1/3), about 6e-6·(1 + ‖w‖) for gradients in double precision.
///
/// *Kinks.* Where the loss has kinks (ReLU), a product across one is that of the loss smoothed over h, and no longer
/// symmetric. [`HessianProduct::between_kinks`] takes a much shorter step and looks for kinks: one between w and a gradient
/// makes the two one-sided differences unlike, and then the step is shortened. How far the products are from a symmetric
/// operator is seen in [`Spectrum::asymmetry`](super::Spectrum::asymmetry).
#[derive(Debug)]
pub struct HessianProduct<G> {
    gradient: G,
    point: Vec<f64>,
    step: f64,
    /// Whether the two sides must agree.
    watched: bool,
    /// The gradient at w, once it is needed.
    centre: Option<Vec<f64>>,
}

/// How unlike the two one-sided differences may be, relative to their sum, with no kink between them.
const UNLIKE: f64 = 0.01;

/// How often a step is made ten times shorter in search of one without a kink.
const ATTEMPTS: i32 = 4;

impl<G> HessianProduct<G> {
    /// At a point w, with a step h > 0.
    ///
    /// # Errors
    /// A point without coordinates or with one that is not finite, and a step that is not above 0.
    pub fn with_step(gradient: G, point: Vec<f64>, step: f64) -> crate::Result<Self> {
        super::check_dimension(point.len())?;
        check("point w", &point, point.len())?;
        Ok(Self { gradient, point, step: positive("step h", step)?, watched: false, centre: None })
    }

    /// Products with the Hessian between kinks, as automatic differentiation gives them, from gradients in double precision:
    /// h = 1e-10·(1 + ‖w‖), shorter by powers of ten where a kink is seen. Rounding leaves some five digits of a product.
    ///
    /// # Errors
    /// A point without coordinates or with one that is not finite.
    pub fn between_kinks(gradient: G, point: Vec<f64>) -> crate::Result<Self> {
        let step = 1e-10 * (1.0 + norm(&point));
        Ok(Self { watched: true, ..Self::with_step(gradient, point, step)? })
    }

    /// h, before any kink is seen.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// H(w)·v; two calls of the gradient, none for v = 0. Between kinks one more for the first product, and two for every
    /// shorter step.
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
        if self.watched && self.centre.is_none() {
            self.centre = Some(self.at(v, 0.0)?);
        }
        let mut best: Option<(f64, Vec<f64>)> = None;
        for attempt in 0..ATTEMPTS {
            let step = self.step * 0.1_f64.powi(attempt);
            let (ahead, behind) = (self.at(v, step / length)?, self.at(v, -step / length)?);
            let scale = length / (2.0 * step);
            let product: Vec<f64> = ahead.iter().zip(&behind).map(|(a, b)| (a - b) * scale).collect();
            let Some(centre) = &self.centre else { return Ok(product) };
            // Half the difference of the two one-sided differences, whose mean the product is.
            let bend = |i: usize| (ahead[i] - 2.0 * centre[i] + behind[i]) * scale;
            let unlike = (0..v.len()).map(|i| bend(i).powi(2)).sum::<f64>().sqrt();
            let smooth = unlike <= UNLIKE * norm(&product);
            if best.as_ref().is_none_or(|(least, _)| unlike < *least) {
                best = Some((unlike, product));
            }
            if smooth {
                break;
            }
        }
        Ok(best.map_or_else(|| vec![0.0; v.len()], |(_, product)| product))
    }

    /// The gradient at w + step·v.
    fn at<E: From<Error>>(&mut self, v: &[f64], step: f64) -> Result<Vec<f64>, E>
    where
        G: FnMut(&[f64]) -> Result<Vec<f64>, E>,
    {
        let moved: Vec<f64> = self.point.iter().zip(v).map(|(w, v)| w + step * v).collect();
        let gradient = (self.gradient)(&moved)?;
        check("gradient", &gradient, moved.len())?;
        Ok(gradient)
    }
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}
