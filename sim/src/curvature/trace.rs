//! Hutchinson's estimate of a trace.

use rand::RngExt;

use super::{apply, check_dimension};
use crate::estimate::Moments;
use crate::{Error, Seed};

/// The values zᵀAz of random sign vectors z, taken together: their mean estimates the trace of a symmetric operator A
/// without bias, [`Moments::standard_error`] is its standard error and [`Moments::student`] its interval.
///
/// M. F. Hutchinson, "A stochastic estimator of the trace of the influence matrix for Laplacian smoothing splines" (1990).
/// A value's variance is 2·Σ_{i≠j} a_ij², so it is exact for a diagonal operator. Signs come from stream `trace probe`,
/// one number a probe.
///
/// # Errors
/// Dimension 0, fewer than two probes, those of the operator, and a product that is not a finite point of ℝᵈ.
pub fn trace<E: From<Error>>(
    dimension: usize,
    mut operator: impl FnMut(&[f64]) -> Result<Vec<f64>, E>,
    probes: u64,
    seed: Seed,
) -> Result<Moments, E> {
    check_dimension(dimension)?;
    if probes < 2 {
        return Err(Error::domain("number of probes", probes, "at least 2").into());
    }
    let mut moments = Moments::default();
    for probe in 0..probes {
        let mut rng = seed.stream("trace probe", probe);
        let signs: Vec<f64> = (0..dimension).map(|_| if rng.random::<bool>() { 1.0 } else { -1.0 }).collect();
        let image = apply(&mut operator, &signs)?;
        moments.push(signs.iter().zip(&image).map(|(z, az)| z * az).sum());
    }
    Ok(moments)
}
