//! Losses: values and gradients on ℝᵈ, and functions of one variable to build them from.
//!
//! One-dimensional valleys are [`Univariate`]: [`PiecewiseLinear`], [`Exponential`] and [`Softened`]. A [`Separable`]
//! loss adds one such function an axis; [`Rotated`] puts any loss into an orthonormal [`Frame`]; [`Shifted`] moves it as
//! the paper moves the training loss to the population loss. [`Neuron`] is the two-parameter network of Appendix A.

mod neuron;
mod piecewise;
mod rotated;
mod separable;
mod shifted;
mod smooth;

pub use neuron::Neuron;
pub use piecewise::PiecewiseLinear;
pub use rotated::{Frame, Rotated};
pub use separable::{Separable, Walk};
pub use shifted::Shifted;
pub use smooth::{Exponential, Softened};

use nalgebra::DVector;

use crate::error::finite;
use crate::{Error, Profile, Result};

/// A loss on ℝᵈ.
///
/// A point has [`dimension`](Loss::dimension) coordinates; a point of another length is a programming error, as an
/// index out of bounds is. Functions that take points from a user check them with [`check_point`] first.
pub trait Loss: Send + Sync {
    /// d, the number of coordinates; at least 1.
    fn dimension(&self) -> usize;
    /// L(w).
    fn value(&self, w: &DVector<f64>) -> f64;
    /// ∇L(w); at a kink the derivative from the right along each axis of the loss's own frame.
    fn gradient(&self, w: &DVector<f64>) -> DVector<f64>;
}

/// A function of one real variable with one-sided derivatives.
pub trait Univariate: Send + Sync {
    /// f(x).
    fn value(&self, x: f64) -> f64;
    /// f′(x), from the right at a kink.
    fn slope(&self, x: f64) -> f64;
}

impl<L: Loss + ?Sized> Loss for &L {
    fn dimension(&self) -> usize {
        (**self).dimension()
    }

    fn value(&self, w: &DVector<f64>) -> f64 {
        (**self).value(w)
    }

    fn gradient(&self, w: &DVector<f64>) -> DVector<f64> {
        (**self).gradient(w)
    }
}

impl<L: Loss + ?Sized> Loss for Box<L> {
    fn dimension(&self) -> usize {
        (**self).dimension()
    }

    fn value(&self, w: &DVector<f64>) -> f64 {
        (**self).value(w)
    }

    fn gradient(&self, w: &DVector<f64>) -> DVector<f64> {
        (**self).gradient(w)
    }
}

impl<U: Univariate + ?Sized> Univariate for &U {
    fn value(&self, x: f64) -> f64 {
        (**self).value(x)
    }

    fn slope(&self, x: f64) -> f64 {
        (**self).slope(x)
    }
}

impl<U: Univariate + ?Sized> Univariate for Box<U> {
    fn value(&self, x: f64) -> f64 {
        (**self).value(x)
    }

    fn slope(&self, x: f64) -> f64 {
        (**self).slope(x)
    }
}

/// Accepts a finite vector of `dimension` coordinates, and names it otherwise.
pub fn check_point(name: &str, w: &DVector<f64>, dimension: usize) -> Result<()> {
    if w.len() != dimension {
        return Err(Error::domain(format!("number of coordinates of the {name}"), w.len(), dimension));
    }
    for (i, &x) in w.iter().enumerate() {
        finite(&format!("coordinate {i} of the {name}"), x)?;
    }
    Ok(())
}

/// Samples a loss at centre + l·direction for every offset l.
///
/// The direction is used as given; pass a unit vector to have offsets in units of length.
pub fn profile(loss: &dyn Loss, centre: &DVector<f64>, direction: &DVector<f64>, offsets: Vec<f64>) -> Result<Profile> {
    check_point("centre", centre, loss.dimension())?;
    check_point("direction", direction, loss.dimension())?;
    Profile::sample(offsets, |l| loss.value(&(centre + direction * l)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Asserts that the gradient at w is the central difference of the value, to the accuracy of the latter.
    ///
    /// With step h = 1e-5 the truncation error is h²·|f‴|/6 and the rounding error about ε·|f|/h; `scale` bounds |f|
    /// and its derivatives near w.
    pub(crate) fn assert_gradient(loss: &dyn Loss, w: &DVector<f64>, scale: f64) {
        const H: f64 = 1e-5;
        let gradient = loss.gradient(w);
        assert_eq!(gradient.len(), loss.dimension());
        for i in 0..w.len() {
            let at = |h: f64| {
                let mut moved = w.clone();
                moved[i] += h;
                loss.value(&moved)
            };
            let difference = (at(H) - at(-H)) / (2.0 * H);
            let error = (gradient[i] - difference).abs();
            assert!(error <= 1e-9 * (1.0 + scale), "coordinate {i}: gradient {}, difference {difference}", gradient[i]);
        }
    }

    /// The same for a function of one variable.
    pub(crate) fn assert_slope(f: &dyn Univariate, x: f64, scale: f64) {
        let along_an_axis = Separable::new(vec![f]).expect("one axis");
        assert_gradient(&along_an_axis, &DVector::from_vec(vec![x]), scale);
    }

    #[test]
    fn a_profile_samples_the_line_and_checks_its_points() {
        let valley = PiecewiseLinear::valley(1.0, 3.0).expect("valid");
        let loss = Separable::new(vec![valley.clone(), valley]).expect("two axes");
        let centre = DVector::from_vec(vec![1.0, 0.0]);
        let direction = DVector::from_vec(vec![0.6, 0.8]);
        let sampled = profile(&loss, &centre, &direction, vec![-5.0, 0.0, 5.0]).expect("valid");
        assert_eq!(sampled.losses(), [6.0 + 12.0, 1.0, 4.0 + 4.0]);

        let short = DVector::from_vec(vec![1.0]);
        let message = profile(&loss, &centre, &short, vec![0.0, 1.0]).expect_err("too short").to_string();
        assert_eq!(message, "number of coordinates of the direction is 1; allowed: 2");
        let broken = DVector::from_vec(vec![1.0, f64::NAN]);
        let message = profile(&loss, &broken, &direction, vec![0.0, 1.0]).expect_err("not finite").to_string();
        assert_eq!(message, "coordinate 1 of the centre is NaN; allowed: a finite number");
    }
}
