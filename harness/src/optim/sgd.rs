//! Stochastic gradient descent with heavy-ball momentum and weight decay.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, Scalar};

/// Momentum and weight decay, unchecked.
///
/// | Name | Default | Purpose | Range |
/// |---|---|---|---|
/// | `momentum` | 0.9 | share of the last step kept | [0, 1) |
/// | `weight_decay` | 3e-4 | pull of every parameter towards 0 | finite, ≥ 0 |
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SgdParams {
    /// μ.
    pub momentum: f64,
    /// λ, on every parameter, batch norms included.
    pub weight_decay: f64,
}

impl Default for SgdParams {
    fn default() -> Self {
        Self { momentum: 0.9, weight_decay: 3e-4 }
    }
}

impl SgdParams {
    /// Returns itself if both numbers lie in their ranges.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the number that does not.
    pub fn check(self) -> Result<Self> {
        if !(0.0..1.0).contains(&self.momentum) {
            return Err(Error::domain("momentum", self.momentum, "a number in [0, 1)"));
        }
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return Err(Error::domain("weight_decay", self.weight_decay, "a finite number >= 0"));
        }
        Ok(self)
    }
}

/// The optimiser: v ← μv + g + λw; w ← w − ηv, from v = 0 (PyTorch's SGD without dampening).
#[derive(Debug, Clone, PartialEq)]
pub struct Sgd<T> {
    momentum: T,
    weight_decay: T,
    velocity: Vec<T>,
}

/// The constants of one step: η, μ and λ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step<T> {
    pub(crate) rate: T,
    pub(crate) momentum: T,
    pub(crate) weight_decay: T,
}

impl<T: Scalar> Sgd<T> {
    /// At rest, for `length` parameters.
    ///
    /// # Errors
    /// As [`SgdParams::check`].
    pub fn new(params: SgdParams, length: usize) -> Result<Self> {
        Self::with_velocity(params, vec![T::zero(); length])
    }

    /// In motion, as a checkpoint kept it.
    ///
    /// # Errors
    /// As [`SgdParams::check`].
    pub fn with_velocity(params: SgdParams, velocity: Vec<T>) -> Result<Self> {
        let SgdParams { momentum, weight_decay } = params.check()?;
        Ok(Self { momentum: T::from_f64(momentum), weight_decay: T::from_f64(weight_decay), velocity })
    }

    /// One step at learning rate η.
    ///
    /// # Errors
    /// [`Error::Domain`] if η is negative or not finite, or the lengths differ from the optimiser's.
    pub fn step(&mut self, learning_rate: f64, values: &mut [T], gradient: &[T]) -> Result<()> {
        let Step { rate, momentum, weight_decay } = self.at(learning_rate)?;
        self.check_length(values.len())?;
        if gradient.len() != self.velocity.len() {
            return Err(Error::domain("length of the gradient", gradient.len(), self.velocity.len()));
        }
        for ((w, v), g) in values.iter_mut().zip(&mut self.velocity).zip(gradient) {
            *v = momentum * *v + (*g + weight_decay * *w);
            *w -= rate * *v;
        }
        Ok(())
    }

    /// The constants of a step at learning rate η.
    pub(crate) fn at(&self, learning_rate: f64) -> Result<Step<T>> {
        if !(learning_rate.is_finite() && learning_rate >= 0.0) {
            return Err(Error::domain("learning rate", learning_rate, "a finite number >= 0"));
        }
        let rate = T::from_f64(learning_rate);
        Ok(Step { rate, momentum: self.momentum, weight_decay: self.weight_decay })
    }

    /// Refuses parameters of another length.
    pub(crate) fn check_length(&self, parameters: usize) -> Result<()> {
        match self.velocity.len() {
            length if length != parameters => Err(Error::domain("length of the parameters", parameters, length)),
            _ => Ok(()),
        }
    }

    /// v, as long as the parameters.
    pub fn velocity(&self) -> &[T] {
        &self.velocity
    }

    /// v, to be replaced by what it has become elsewhere.
    pub(crate) fn velocity_mut(&mut self) -> &mut [T] {
        &mut self.velocity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_quadratic_it_follows_the_linear_recurrence() {
        // Loss a·w²/2: v₁ = a·w₀ + λw₀, w₁ = w₀ − ηv₁, and so on, by hand in exact binary fractions.
        let params = SgdParams { momentum: 0.5, weight_decay: 0.25 };
        let mut sgd = Sgd::<f64>::new(params, 1).expect("valid");
        let mut w = [1.0];
        sgd.step(0.5, &mut w, &[2.0]).expect("finite");
        assert_eq!((sgd.velocity()[0], w[0]), (2.25, -0.125));
        sgd.step(0.5, &mut w, &[-0.25]).expect("finite");
        assert_eq!((sgd.velocity()[0], w[0]), (1.125 - 0.25 - 0.03125, -0.125 - 0.5 * 0.84375));
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        let message = |momentum, weight_decay| {
            Sgd::<f32>::new(SgdParams { momentum, weight_decay }, 1).expect_err("out of range").to_string()
        };
        assert!(message(1.0, 0.0).starts_with("momentum is 1"));
        assert!(message(f64::NAN, 0.0).starts_with("momentum"));
        assert!(message(0.9, -1.0).starts_with("weight_decay is -1"));
        let mut sgd = Sgd::<f32>::new(SgdParams::default(), 2).expect("valid");
        assert!(sgd.step(f64::NAN, &mut [0.0; 2], &[0.0; 2]).is_err());
        assert!(sgd.step(0.1, &mut [0.0; 3], &[0.0; 3]).is_err());
        assert!(sgd.step(0.1, &mut [0.0; 2], &[0.0; 3]).is_err());
    }
}
