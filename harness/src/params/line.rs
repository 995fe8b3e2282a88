//! A line through weight space.

use std::sync::Arc;

use super::Weights;
use crate::{Error, Result, Scalar};

/// The networks w + l·u: a centre w and a direction u, with one entry for every trainable weight.
///
/// Batch-norm statistics are the centre's all along. Nothing on a line can change, so a device that holds it once holds all
/// its points.
#[derive(Debug, Clone)]
pub struct Line<'a, T> {
    centre: &'a Weights<T>,
    direction: &'a [f64],
    #[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "only a device keeps lines"))]
    identity: Arc<()>,
}

impl<'a, T: Scalar> Line<'a, T> {
    /// The line through a network along a direction of any length.
    ///
    /// # Errors
    /// [`Error::Domain`] if the direction is not of the network's dimension.
    pub fn new(centre: &'a Weights<T>, direction: &'a [f64]) -> Result<Self> {
        let (seen, right) = (direction.len(), centre.values.len());
        if seen != right {
            return Err(Error::domain("dimension of the direction", seen, format!("{right}, that of the network")));
        }
        Ok(Self { centre, direction, identity: Arc::default() })
    }

    /// w.
    pub fn centre(&self) -> &'a Weights<T> {
        self.centre
    }

    /// u.
    pub fn direction(&self) -> &'a [f64] {
        self.direction
    }

    /// The trainable weights of w + l·u, each rounded once.
    pub fn values(&self, offset: f64) -> Vec<T> {
        let weights = self.centre.values.iter().zip(self.direction);
        weights.map(|(w, u)| T::from_f64(w.to_f64() + offset * u)).collect()
    }

    /// The network w + l·u.
    pub fn at(&self, offset: f64) -> Weights<T> {
        Weights {
            layout: Arc::clone(&self.centre.layout),
            values: self.values(offset),
            running_mean: self.centre.running_mean.clone(),
            running_var: self.centre.running_var.clone(),
            batches_tracked: self.centre.batches_tracked,
        }
    }

    /// What no other line has at any time, as long as somebody points there.
    #[cfg(feature = "cuda")]
    pub(crate) fn identity(&self) -> &Arc<()> {
        &self.identity
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::known::point;

    #[test]
    fn a_point_is_rounded_once_and_keeps_the_statistics() {
        let (mut centre, u) = (point(&[1.0, -2.0]), [1e-9, 0.5]);
        centre.running_mean = vec![7.0];
        let line = Line::new(&centre, &u).expect("two weights");
        let there = line.at(3.0);
        assert_eq!((there.values, there.running_mean), (vec![1.0, -0.5], vec![7.0]));
        // In two steps of single precision the small part would be lost.
        assert_eq!(line.values(1e9)[0], 2.0);
        let message = Line::new(&centre, &[1.0]).map(|_| ()).expect_err("too short").to_string();
        assert_eq!(message, "dimension of the direction is 1; allowed: 2, that of the network");
    }
}
