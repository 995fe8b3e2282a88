//! Lanczos' method with full re-orthogonalisation.

use nalgebra::{DMatrix, DVector, SymmetricEigen};
use serde::{Deserialize, Serialize};

use super::{apply, check_dimension};
use crate::error::non_negative;
use crate::seed::standard_normal;
use crate::{Error, Seed};

/// A direction that is left is taken for rounding below this share of the largest product seen.
const ROUNDING: f64 = 1e-13;

/// How far to go.
///
/// | Parameter | Default | Purpose | Range |
/// |---|---|---|---|
/// | wanted | 1 | eigenvalues at each end | ≥ 1 |
/// | steps | 100 | products at most, each kept as a vector of ℝᵈ | ≥ 1 |
/// | tolerance | 1e-3 | of a residual, relative to the largest Ritz value in size | ≥ 0 |
/// | seed | 0 | of the start vector, stream `lanczos` | any |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lanczos {
    wanted: usize,
    steps: usize,
    tolerance: f64,
    seed: Seed,
}

impl Default for Lanczos {
    fn default() -> Self {
        Self { wanted: 1, steps: 100, tolerance: 1e-3, seed: Seed(0) }
    }
}

impl Lanczos {
    /// Checks the ranges of the table above.
    pub fn new(wanted: usize, steps: usize, tolerance: f64, seed: Seed) -> crate::Result<Self> {
        for (name, value) in [("number of eigenvalues at each end", wanted), ("number of Lanczos steps", steps)] {
            if value == 0 {
                return Err(Error::domain(name, value, "at least 1"));
            }
        }
        Ok(Self { wanted, steps, tolerance: non_negative("tolerance of a residual", tolerance)?, seed })
    }
}

/// A Ritz value: an estimate of an eigenvalue.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ritz {
    /// θ.
    pub value: f64,
    /// ‖Ay − θy‖ of its unit Ritz vector y: a symmetric A has an eigenvalue within this distance of θ.
    pub residual: f64,
    /// Whether the residual is within the tolerance.
    pub converged: bool,
}

/// What Lanczos' method found.
///
/// Each value is near *an* eigenvalue, to within its residual; that it is the largest or the smallest one is likely but
/// not certain, since the start vector may be nearly orthogonal to an eigenvector. Extreme Ritz values approach the
/// extreme eigenvalues from inside, up to rounding. A multiple eigenvalue may be found once only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spectrum {
    /// The smallest Ritz values, increasing, as many as wanted or as steps were made.
    pub smallest: Vec<Ritz>,
    /// The largest Ritz values, decreasing.
    pub largest: Vec<Ritz>,
    /// The number of products made.
    pub steps: usize,
    /// The dimension d of the operator.
    pub dimension: usize,
    /// Whether all values of both ends are within the tolerance.
    pub converged: bool,
    /// The largest |⟨q_i, Aq_j⟩ − ⟨Aq_i, q_j⟩| seen among basis vectors: rounding only, if the operator is symmetric.
    /// Eigenvalues are not known more closely than this.
    pub asymmetry: f64,
}

/// The ends of the spectrum of a symmetric operator on ℝᵈ, d ≥ 1.
///
/// C. Lanczos, "An iteration method for the solution of the eigenvalue problem of linear differential and integral
/// operators" (1950); every new vector is made orthogonal to all before it, twice, which suffices (B. N. Parlett, *The
/// Symmetric Eigenvalue Problem*, 1998). Where the vectors so far span an invariant subspace, the method goes on from a
/// new random vector orthogonal to it, so that d steps give the whole spectrum with multiplicities. Ritz values are the
/// eigenvalues of the tridiagonal matrix, by `nalgebra`.
///
/// # Errors
/// Dimension 0, those of the operator, a product that is not a finite point of ℝᵈ, and a tridiagonal matrix whose
/// eigenvalues are not found.
pub fn lanczos<E: From<Error>>(
    dimension: usize,
    mut operator: impl FnMut(&[f64]) -> Result<Vec<f64>, E>,
    config: &Lanczos,
) -> Result<Spectrum, E> {
    check_dimension(dimension)?;
    let steps = config.steps.min(dimension);
    let mut basis: Vec<DVector<f64>> = Vec::new();
    let (mut diagonal, mut off) = (Vec::new(), Vec::new());
    let (mut scale, mut asymmetry) = (0.0f64, 0.0f64);
    let mut rng = config.seed.stream("lanczos", 0);
    let mut fresh = |basis: &[DVector<f64>]| loop {
        let mut v = DVector::from_fn(dimension, |_, _| standard_normal(&mut rng));
        let before = v.norm();
        orthogonalise(&mut v, basis);
        // A normal vector lies within rounding of a proper subspace with probability 0.
        if v.norm() > 1e-8 * before {
            return v.normalize();
        }
    };
    let mut next = fresh(&basis);
    loop {
        let image = DVector::from_vec(apply(&mut operator, next.as_slice())?);
        scale = scale.max(image.norm());
        // ⟨q_i, Aq_j⟩ of a symmetric operator is β for i = j − 1 and 0 for the ones before.
        for (i, q) in basis.iter().enumerate() {
            let wanted = if i + 1 == basis.len() { off[i] } else { 0.0 };
            asymmetry = asymmetry.max((q.dot(&image) - wanted).abs());
        }
        diagonal.push(next.dot(&image));
        basis.push(next);
        let mut rest = image;
        orthogonalise(&mut rest, &basis);
        let length = rest.norm();
        let is_invariant = basis.len() == dimension || length <= ROUNDING * scale;
        let beta = if is_invariant { 0.0 } else { length };
        let spectrum = ends(&diagonal, &off, beta, dimension, asymmetry, config)?;
        let enough = diagonal.len() >= (2 * config.wanted).min(dimension);
        if diagonal.len() == steps || (enough && spectrum.converged) {
            return Ok(spectrum);
        }
        next = if is_invariant { fresh(&basis) } else { rest / length };
        off.push(beta);
    }
}

/// Takes the parts along orthonormal vectors out of a vector, twice.
fn orthogonalise(v: &mut DVector<f64>, basis: &[DVector<f64>]) {
    for _ in 0..2 {
        for q in basis {
            let along = q.dot(v);
            v.axpy(-along, q, 1.0);
        }
    }
}

/// Both ends of the tridiagonal matrix's spectrum; `beta` is the length of what is left beyond it.
fn ends(
    diagonal: &[f64],
    off: &[f64],
    beta: f64,
    dimension: usize,
    asymmetry: f64,
    config: &Lanczos,
) -> crate::Result<Spectrum> {
    let n = diagonal.len();
    let matrix = DMatrix::from_fn(n, n, |i, j| match i.abs_diff(j) {
        0 => diagonal[i],
        1 => off[i.min(j)],
        _ => 0.0,
    });
    let eigen = SymmetricEigen::try_new(matrix, f64::EPSILON, 1000 * n).ok_or_else(|| {
        Error::domain("eigenvalues of the tridiagonal matrix", "not found", "found within 1000 sweeps a row")
    })?;
    let size = eigen.eigenvalues.amax();
    let mut ritz: Vec<Ritz> = (0..n)
        .map(|i| {
            let residual = beta * eigen.eigenvectors[(n - 1, i)].abs();
            Ritz { value: eigen.eigenvalues[i], residual, converged: residual <= config.tolerance * size }
        })
        .collect();
    ritz.sort_by(|a, b| a.value.total_cmp(&b.value));
    let smallest: Vec<Ritz> = ritz.iter().take(config.wanted).copied().collect();
    let largest: Vec<Ritz> = ritz.iter().rev().take(config.wanted).copied().collect();
    let converged = smallest.iter().chain(&largest).all(|ritz| ritz.converged);
    Ok(Spectrum { smallest, largest, steps: n, dimension, converged, asymmetry })
}
