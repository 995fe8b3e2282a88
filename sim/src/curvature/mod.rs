//! The curvature of a loss at a point: the ends of the Hessian's spectrum and its trace, from products with vectors alone.
//!
//! A network's Hessian is too large to write down, but H·v costs two gradients ([`HessianProduct`]). From such products
//! [`lanczos`] finds the largest and smallest eigenvalues with error estimates, and [`trace`] estimates the trace with its
//! standard error. Both take any symmetric operator `FnMut(&[f64]) -> Result<Vec<f64>, E>` on ℝᵈ, with the caller's own error E.

mod lanczos;
mod product;
#[cfg(test)]
mod tests;
mod trace;

pub use lanczos::{Lanczos, Ritz, Spectrum, lanczos};
pub use product::HessianProduct;
pub use trace::trace;

use crate::Error;
use crate::error::finite;

/// Calls an operator and checks that it returns a point of ℝᵈ.
fn apply<E: From<Error>>(operator: &mut impl FnMut(&[f64]) -> Result<Vec<f64>, E>, v: &[f64]) -> Result<Vec<f64>, E> {
    let image = operator(v)?;
    check("product with a vector", &image, v.len())?;
    Ok(image)
}

/// Checks length and coordinates of a vector.
fn check(name: &str, vector: &[f64], dimension: usize) -> crate::Result<()> {
    if vector.len() != dimension {
        return Err(Error::domain(format!("number of coordinates of the {name}"), vector.len(), dimension));
    }
    let coordinate = |(i, &x): (usize, &f64)| finite(&format!("coordinate {i} of the {name}"), x).map(drop);
    vector.iter().enumerate().try_for_each(coordinate)
}

/// Checks a dimension, at least 1.
fn check_dimension(dimension: usize) -> crate::Result<()> {
    if dimension == 0 { Err(Error::domain("dimension", dimension, "at least 1")) } else { Ok(()) }
}
