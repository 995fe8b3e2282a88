//! The curvature of the training loss at solutions: the ends of the Hessian's spectrum, and its trace.
//!
//! Products of the Hessian with vectors are differences of gradients over fixed training images, with the solution's batch-norm
//! statistics in evaluation mode: the loss as a function of the weights alone. Where ReLU has kinks within the step of the
//! differences, products are those of a smoothed loss that depends on the vector, so that they are no longer symmetric: the
//! asymmetry in the record says how closely eigenvalues are known.

use valleys_sim::Seed;
use valleys_sim::curvature::{HessianProduct, Lanczos, lanczos, trace};
use valleys_sim::estimate::Confidence;
use valleys_sim::progress::Observer;
use valleys_sim::record::CurvatureRow;

use crate::params::Weights;
use crate::{Error, Result};

/// How much is measured.
///
/// | name | purpose | range |
/// |---|---|---|
/// | `ends` | eigenvalues at each end | ≥ 1 |
/// | `steps` | Lanczos steps at most, each a product and a vector kept | ≥ 1 |
/// | `tolerance` | of a residual, relative to the largest eigenvalue in size | ≥ 0 |
/// | `probes` | random vectors for the trace | ≥ 2 |
/// | `seed` | of all random vectors | |
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the table above says it once")]
pub struct Extent {
    pub ends: usize,
    pub steps: usize,
    pub tolerance: f64,
    pub probes: u64,
    pub seed: Seed,
}

impl Default for Extent {
    fn default() -> Self {
        Self { ends: 2, steps: 30, tolerance: 0.01, probes: 10, seed: Seed(0) }
    }
}

/// Measures the curvature at a solution from gradients of single precision.
///
/// # Errors
/// Numbers out of the ranges above, those of the gradient; [`Error::Interrupted`].
pub fn curvature(
    name: &str,
    solution: &Weights<f32>,
    mut gradient: impl FnMut(&Weights<f32>, &dyn Observer) -> Result<Vec<f64>>,
    extent: &Extent,
    observer: &dyn Observer,
) -> Result<CurvatureRow> {
    let config = Lanczos::new(extent.ends, extent.steps, extent.tolerance, extent.seed)?;
    let point: Vec<f64> = solution.values.iter().map(|&w| f64::from(w)).collect();
    let (dimension, mut at) = (point.len(), solution.clone());
    let gradient = |w: &[f64]| -> Result<Vec<f64>> {
        at.values.iter_mut().zip(w).for_each(|(value, &w)| *value = w as f32);
        gradient(&at, observer)
    };
    let mut product = HessianProduct::new(gradient, point, f64::from(f32::EPSILON))?;
    let step = product.step();
    observer.begin(&format!("curvature at {name}"), extent.steps.min(dimension) as u64 + extent.probes);
    let mut apply = |v: &[f64]| {
        if observer.interrupted() {
            return Err(Error::Interrupted);
        }
        let image = product.apply(v)?;
        observer.advance(1);
        Ok(image)
    };
    let spectrum = lanczos(dimension, &mut apply, &config)?;
    let moments = trace(dimension, &mut apply, extent.probes, extent.seed)?;
    observer.finish();
    Ok(CurvatureRow {
        name: name.to_owned(),
        spectrum,
        trace: moments.student(Confidence::P95)?,
        trace_error: moments.standard_error().unwrap_or(0.0),
        probes: extent.probes,
        step,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use valleys_sim::progress::Silent;

    use super::*;
    use crate::data::synthetic;
    use crate::exec::{BackendKind, Weighting};
    use crate::landscape::known::point;
    use crate::landscape::vector::{dot, moved, norm};
    use crate::landscape::{BatchNorm, Probe, Spec, Surface};
    use crate::model::Architecture;

    #[test]
    fn a_quadratic_has_its_own_eigenvalues_and_trace() {
        let scales = [4.0, 1.0, 0.5, -0.25];
        let gradient = |w: &Weights<f32>, _: &dyn Observer| {
            Ok(w.values.iter().zip(scales).map(|(&w, scale)| scale * f64::from(w)).collect())
        };
        let extent = Extent { tolerance: 1e-6, ..Extent::default() };
        let row = curvature("it", &point(&[1.0, -2.0, 0.5, 3.0]), gradient, &extent, &Silent).expect("measured");
        let values = |ritz: &[valleys_sim::curvature::Ritz]| ritz.iter().map(|it| it.value).collect::<Vec<f64>>();
        for (seen, wanted) in [(&row.spectrum.largest, [4.0, 1.0]), (&row.spectrum.smallest, [-0.25, 0.5])] {
            let seen = values(seen);
            assert!(seen.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-3), "{seen:?}");
        }
        // Hutchinson's estimate is exact for a diagonal.
        assert!((row.trace.estimate - 5.25).abs() < 1e-3 && row.trace_error < 1e-3, "{:?}", row.trace);
        assert_eq!((row.spectrum.dimension, row.probes), (4, 10));
    }

    #[test]
    fn a_networks_products_are_differences_of_the_slopes_of_its_loss() {
        let graph = Arc::new(Architecture::Mlp.graph(10).expect("ten classes"));
        let data = synthetic::draw(60, 40, Seed(1)).expect("valid");
        let spec = Spec {
            backend: BackendKind::default(),
            batch_norm: BatchNorm::Frozen,
            weighting: Weighting::BySize,
            statistics_images: 20,
            train_images: 40,
            test_images: 20,
            keep_examples: false,
            seed: Seed(2),
        };
        let (mut probe, weights) =
            (Probe::new(&graph, &data, spec).expect("valid"), Weights::initialise(&graph, Seed(1)));
        let mut v = probe.gradient(&weights, &Silent).expect("measured");
        let length = norm(&v);
        v.iter_mut().for_each(|x| *x /= length);
        let extent = Extent { ends: 1, steps: 12, probes: 2, ..Extent::default() };
        let gradient = |w: &Weights<f32>, observer: &dyn Observer| probe.gradient(w, observer);
        let row = curvature("it", &weights, gradient, &extent, &Silent).expect("measured");
        let mut loss = |l: f64| probe.measure(&moved(&weights, &v, l), &Silent).expect("measured").train.loss;
        // The gradient's part along v, from the loss alone.
        let h = row.step;
        let mut slope = |l: f64| (loss(l + 0.05 * h) - loss(l - 0.05 * h)) / (0.1 * h);
        let along_gradient = (slope(h) - slope(-h)) / (2.0 * h);
        // The largest eigenvalue is at least the curvature along any direction.
        let largest = row.spectrum.largest[0];
        assert!(largest.value > 0.9 * along_gradient && along_gradient > 0.0, "{along_gradient}, {row:?}");
        let at = weights.values.iter().map(|&w| f64::from(w)).collect();
        let mut moving = weights.clone();
        let mut product = HessianProduct::with_step(
            |w: &[f64]| {
                moving.values.iter_mut().zip(w).for_each(|(value, &w)| *value = w as f32);
                probe.gradient(&moving, &Silent)
            },
            at,
            h,
        )
        .expect("valid");
        let product: Vec<f64> = product.apply(&v).expect("measured");
        let seen = dot(&product, &v);
        // Losses of single precision give their slopes' difference to a few hundredths.
        assert!((seen - along_gradient).abs() < 0.1 * along_gradient, "{seen} and {along_gradient}");
    }
}
