//! Whether a device starts as one what it does over and over.

use std::sync::Arc;

use valleys_sim::Seed;
use valleys_sim::progress::Silent;

use crate::Result;
use crate::data::loader::{Batches, EpochBatches, PlainBatches};
use crate::data::{Augmentation, synthetic};
use crate::exec::{BackendKind, Dropout, Executor, Recordings, Weighting};
use crate::model::Architecture;
use crate::optim::{Sgd, SgdParams};
use crate::params::Weights;

/// What became of the steps, statistics and losses of a ResNet-8, each done three times; nothing on a processor.
///
/// # Errors
/// Those of an [`Executor`], such as that there is no GPU.
pub fn recordings(backend: BackendKind) -> Result<Option<Recordings>> {
    let graph = Arc::new(Architecture::ResNet8.graph(10)?);
    let data = synthetic::draw(24, 1, Seed(1))?;
    let mut network = Weights::initialise(&graph, Seed(2));
    let mut sgd = Sgd::new(SgdParams::default(), network.values.len())?;
    let mut executor = Executor::<f32>::on(graph, backend)?;
    let batches = EpochBatches::new(&data, Augmentation::CROP_AND_FLIP, 8, Seed(3), 0);
    let mut descent = executor.descend(&mut network, &mut sgd)?;
    for number in 0..batches.count() {
        descent.step(0.05, &batches.views(number), Dropout::Off)?;
    }
    descent.finish()?;
    let plain = PlainBatches::of(8, data.train(), data.normalisation());
    let mut loaded = executor.load(&network)?;
    loaded.statistics(&plain, Weighting::BySize, &Silent)?;
    loaded.evaluate_all(&plain, &Silent)?;
    Ok(executor.recordings())
}
