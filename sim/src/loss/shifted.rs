//! Losses moved sideways and up.

use nalgebra::DVector;

use super::{Loss, check_point};
use crate::Result;
use crate::error::finite;

/// w ↦ L̂(w − δ) + κ: the population loss that a shift δ makes of the training loss L̂ (Definition 3 with gap 0).
#[derive(Debug, Clone)]
pub struct Shifted<L> {
    inner: L,
    shift: DVector<f64>,
    constant: f64,
}

impl<L: Loss> Shifted<L> {
    /// Moves a loss by δ (finite, of the loss's dimension) and adds the finite constant κ.
    pub fn new(inner: L, shift: DVector<f64>, constant: f64) -> Result<Self> {
        check_point("shift", &shift, inner.dimension())?;
        Ok(Self { inner, shift, constant: finite("vertical constant", constant)? })
    }
}

impl<L: Loss> Loss for Shifted<L> {
    fn dimension(&self) -> usize {
        self.inner.dimension()
    }

    fn value(&self, w: &DVector<f64>) -> f64 {
        self.inner.value(&(w - &self.shift)) + self.constant
    }

    fn gradient(&self, w: &DVector<f64>) -> DVector<f64> {
        self.inner.gradient(&(w - &self.shift))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::assert_gradient;
    use super::super::{Exponential, PiecewiseLinear, Separable};
    use super::*;

    #[test]
    fn moves_the_kink_and_the_height() {
        let valley = Separable::new(vec![PiecewiseLinear::valley(1.0, 3.0).expect("valid")]).expect("one axis");
        let moved = Shifted::new(valley, DVector::from_vec(vec![2.0]), 5.0).expect("valid");
        let at = |x: f64| moved.value(&DVector::from_vec(vec![x]));
        assert_eq!((at(1.0), at(2.0), at(3.0)), (8.0, 5.0, 6.0));
    }

    #[test]
    fn refuses_a_shift_that_does_not_fit() {
        let valley = Separable::new(vec![PiecewiseLinear::valley(1.0, 3.0).expect("valid")]).expect("one axis");
        let message = Shifted::new(&valley, DVector::zeros(2), 0.0).expect_err("too long").to_string();
        assert_eq!(message, "number of coordinates of the shift is 2; allowed: 1");
        assert!(Shifted::new(&valley, DVector::zeros(1), f64::NAN).is_err());
    }

    proptest! {
        #[test]
        fn has_the_gradient_of_its_value(w in prop::collection::vec(-2.0..2.0f64, 3), shift in prop::collection::vec(-2.0..2.0f64, 3)) {
            let axes = vec![Exponential::new(1.0, 2.0).expect("valid"); 3];
            let loss = Shifted::new(Separable::new(axes).expect("axes"), DVector::from_vec(shift), 1.5).expect("valid");
            assert_gradient(&loss, &DVector::from_vec(w), 30.0);
        }
    }
}
