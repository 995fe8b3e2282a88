//! What a machine's backends are worth: every operation, every network and the way of training, against the reference.
//!
//! The right numbers are the reference backend's in double precision. What rounding may do is measured, too: by the
//! reference backend in single precision, whose own distance from them says how much a network blows rounding up.

mod exact;
mod operations;
mod recordings;
mod seen;

use std::sync::Arc;

use valleys_sim::Seed;

use self::seen::{Seen, examples, see, weights};
use crate::Result;
use crate::data::loader::{Batches, EpochBatches};
use crate::data::{Augmentation, synthetic};
use crate::exec::{BackendKind, Batch, Dropout, Executor};
use crate::model::{Architecture, Graph};
use crate::optim::{Sgd, SgdParams};
use crate::params::Weights;

pub use exact::exact;
pub use operations::{convolutions, operations};
pub use recordings::recordings;

/// How far a backend is from the right numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The operation or network.
    pub name: String,
    /// The largest differences of [`QUANTITIES`], each relative to the largest of the right numbers.
    pub errors: [f64; 3],
    /// How large they may be.
    pub allowed: [f64; 3],
    /// Whether all came again to the bit.
    pub same_bits: bool,
}

/// What is compared: logits in training and in evaluation, gradients in both, and batch-norm statistics.
pub const QUANTITIES: [&str; 3] = ["logits", "gradient", "statistics"];

impl Compared {
    /// The largest share of what is allowed; NaN if an error is.
    pub fn share(&self) -> f64 {
        let shares = self.errors.iter().zip(self.allowed).map(|(error, allowed)| error / allowed);
        shares.fold(0.0, |most, share| if share > most || share.is_nan() { share } else { most })
    }

    /// Whether every error is allowed, and every bit came again.
    pub fn holds(&self) -> bool {
        self.same_bits && self.share() <= 1.0
    }
}

/// Images that operations are tried on.
pub const OPERATION_IMAGES: usize = 9;
/// Images that convolutions are tried on besides: so many that every part of a GPU has several of them.
pub const MANY_IMAGES: usize = 600;
/// Images that networks are tried on.
pub const NETWORK_IMAGES: usize = 4;

/// Compares a backend on a network of any kind.
///
/// # Errors
/// Those of an [`Executor`], such as that there is no GPU.
pub fn compare(name: &str, graph: &Arc<Graph>, backend: BackendKind, images: usize) -> Result<Compared> {
    let single = weights(graph);
    let (pixels, labels) = examples(graph, images);
    let batch = Batch { images: &pixels, labels: &labels };
    let wide: Vec<f64> = pixels.iter().map(|&pixel| f64::from(pixel)).collect();
    let right = see(graph, BackendKind::Reference, &single.cast(), Batch { images: &wide, labels: &labels })?;
    let rounding = see(graph, BackendKind::Reference, &single, batch)?.errors(&right);
    let seen = see(graph, backend, &single, batch)?;
    let again = see(graph, backend, &single, batch)?;
    let (errors, same_bits) = (seen.errors(&right), seen.same_bits(&again));
    Ok(Compared { name: name.to_owned(), errors, allowed: allowed(backend, rounding), same_bits })
}

/// Compares a backend on a known network.
///
/// # Errors
/// As [`compare`].
pub fn compare_network(network: Architecture, backend: BackendKind) -> Result<Compared> {
    compare(&network.title(), &Arc::new(network.graph(10)?), backend, NETWORK_IMAGES)
}

/// Some multiples of the reference's own error; where products are rounded to ten bits, or all of a feature map to eight,
/// what that may come to: a guess until it has been seen on GPUs. Eight bits round 2^16 times as coarsely as single
/// precision; but a gradient of nothing but zeros is never allowed.
fn allowed(backend: BackendKind, rounding: [f64; 3]) -> [f64; 3] {
    match backend {
        BackendKind::CudaTf32 => [0.05, 0.3, 0.05],
        BackendKind::CudaBf16 => rounding.map(|error| (0.1 + 65_536.0 * error).min(0.9)),
        _ => rounding.map(|error| 1e-4 + 16.0 * error),
    }
}

/// Compares three steps of SGD where the backend takes them with the reference's in double precision: losses, weights
/// and statistics.
///
/// # Errors
/// As [`compare`].
pub fn compare_steps(backend: BackendKind) -> Result<Compared> {
    let graph = Arc::new(Architecture::ResNet8.graph(10)?);
    let data = synthetic::draw(96, 1, Seed(1))?;
    let (wide, right) = (BackendKind::Reference, Weights::initialise(&graph, Seed(2)));
    let right_steps = steps::<f64>(&graph, wide, right.cast(), &data)?;
    let rounding = steps(&graph, wide, right.clone(), &data)?.errors(&right_steps);
    let seen = steps(&graph, backend, right.clone(), &data)?;
    let again = steps(&graph, backend, right, &data)?;
    let (errors, same_bits) = (seen.errors(&right_steps), seen.same_bits(&again));
    Ok(Compared { name: "three steps of SGD".to_owned(), errors, allowed: allowed(backend, rounding), same_bits })
}

/// Losses, weights and statistics after three steps.
fn steps<T: crate::Scalar>(
    graph: &Arc<Graph>,
    backend: BackendKind,
    mut network: Weights<T>,
    data: &crate::data::Dataset,
) -> Result<Seen> {
    let mut sgd = Sgd::new(SgdParams::default(), network.values.len())?;
    let mut executor = Executor::on(Arc::clone(graph), backend)?;
    let batches = EpochBatches::new(data, Augmentation::CROP_AND_FLIP, 32, Seed(3), 0);
    let mut descent = executor.descend(&mut network, &mut sgd)?;
    let mut told = Vec::new();
    for number in 0..batches.count() {
        told.extend(descent.step(0.05, &batches.views(number), Dropout::Off)?);
    }
    told.extend(descent.finish()?);
    let losses = told.into_iter().flat_map(|outcome| outcome.losses).collect();
    Ok(Seen::new(losses, &network.values, [&network.running_mean, &network.running_var]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_holds_on_the_processor_and_on_the_reference_itself() {
        for backend in [BackendKind::Cpu, BackendKind::Reference] {
            for (name, graph) in operations().expect("networks") {
                let compared = compare(name, &Arc::new(graph), backend, OPERATION_IMAGES).expect("measured");
                assert!(compared.holds(), "{backend}: {compared:?}");
                assert!(compared.errors[1] > 0.0, "{backend}: single is not double precision: {compared:?}");
            }
            let compared = compare_network(Architecture::ResNet8, backend).expect("measured");
            assert!(compared.holds(), "{backend}: {compared:?}");
            let compared = compare_steps(backend).expect("measured");
            assert!(compared.holds() && compared.errors[1] > 0.0, "{backend}: {compared:?}");
            assert_eq!(recordings(backend).expect("measured"), None, "{backend}");
            assert_eq!(exact(backend).expect("measured").map(|(_, same)| same), [true; 3], "{backend}");
        }
    }

    #[test]
    fn coarser_rounding_is_allowed_more_but_not_everything() {
        let rounding = [1e-7, 1e-2, 0.0];
        assert_eq!(allowed(BackendKind::CudaTf32, rounding), [0.05, 0.3, 0.05]);
        let bf16 = allowed(BackendKind::CudaBf16, rounding);
        assert!(bf16[0] > 0.1 && bf16[0] < 0.11 && bf16[1..] == [0.9, 0.1], "{bf16:?}");
        assert!(allowed(BackendKind::Cuda, rounding)[0] < 2e-4);
    }

    #[test]
    fn what_is_wrong_does_not_hold() {
        let right = Compared { name: "it".into(), errors: [1e-5, 2e-5, 0.0], allowed: [1e-4; 3], same_bits: true };
        assert!(right.holds() && (right.share() - 0.2).abs() < 1e-12);
        assert!(!Compared { same_bits: false, ..right.clone() }.holds());
        for wrong in [2e-4, f64::INFINITY, f64::NAN] {
            assert!(!Compared { errors: [0.0, wrong, 1e-5], ..right.clone() }.holds(), "{wrong}");
        }
    }
}
