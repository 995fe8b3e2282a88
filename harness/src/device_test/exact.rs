//! What a backend makes where it is needed, and the data set's or the host's own code makes just so.

use std::sync::Arc;

use valleys_sim::Seed;
use valleys_sim::direction::Family;
use valleys_sim::progress::Silent;

use crate::Result;
use crate::average::{Average, recompute_statistics};
use crate::data::loader::{Batches, EpochBatches, PlainBatches};
use crate::data::{Augmentation, Dataset, synthetic};
use crate::exec::{BackendKind, Batch, Executor, Weighting};
use crate::landscape::direction::Law;
use crate::model::{Architecture, Graph};
use crate::params::{Line, Weights};

/// What is made on the device, and whether it has, to the bit, the effect of what the host makes: images, points of lines,
/// averages.
///
/// # Errors
/// Those of an [`Executor`], such as that there is no GPU.
pub fn exact(backend: BackendKind) -> Result<[(&'static str, bool); 3]> {
    Ok([
        ("varied images", varied_images(backend, &synthetic::draw(96, 1, Seed(1))?)?),
        ("points of lines", points(backend, &synthetic::draw(20, 1, Seed(1))?)?),
        ("averages of weights", averages(backend)?),
    ])
}

fn varied_images(backend: BackendKind, data: &Dataset) -> Result<bool> {
    let graph = Arc::new(Architecture::Mlp.graph(10)?);
    let network = Weights::initialise(&graph, Seed(2));
    let mut executor = Executor::<f32>::on(graph, backend)?;
    let mut loaded = executor.load(&network)?;
    for augmentation in [Augmentation::CROP_AND_FLIP, Augmentation::CROP, Augmentation::NONE] {
        let batches = EpochBatches::new(data, augmentation, 64, Seed(3), 0);
        for number in 0..batches.count() {
            let views = batches.views(number);
            let (pixels, labels) = (views.pixels(), views.labels());
            // Every pixel has its own weight in every unit, so that logits tell images apart.
            let outcomes = [loaded.evaluate(&views)?, loaded.evaluate(Batch { images: &pixels, labels })?];
            if outcomes[0] != outcomes[1] {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn points(backend: BackendKind, data: &Dataset) -> Result<bool> {
    let graph = Arc::new(Architecture::ResNet8.graph(10)?);
    let centres = [2, 3].map(|seed| Weights::initialise(&graph, Seed(seed)));
    let mut executor = Executor::<f32>::on(Arc::clone(&graph), backend)?;
    let batches = PlainBatches::new(data.train(), data.normalisation());
    let direction = Law::of(Family::Uniform).draw(&centres[0], Seed(4), 0)?;
    let lines = [Line::new(&centres[0], &direction)?, Line::new(&centres[1], &direction)?];
    for (line, offset) in [(0, 0.5), (0, -2.0), (1, -2.0), (0, 0.5)] {
        let there = {
            let mut point = executor.load_at(&lines[line], offset)?;
            let pass = point.statistics(&batches, Weighting::BySize, &Silent)?;
            point.adopt(pass)?;
            point.evaluate_all(&batches, &Silent)?
        };
        let mut here = lines[line].at(offset);
        recompute_statistics(&mut executor, &mut here, &batches, Weighting::BySize, &Silent)?;
        if there != executor.load(&here)?.evaluate_all(&batches, &Silent)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn averages(backend: BackendKind) -> Result<bool> {
    let graph: Arc<Graph> = Arc::new(Architecture::ResNet8.graph(10)?);
    let mut executor = Executor::<f32>::on(Arc::clone(&graph), backend)?;
    let dimension = graph.layout().trainable();
    let (mut there, mut here) = (Average::new(dimension), Average::new(dimension));
    for seed in 0..4 {
        let network = Weights::initialise(&graph, Seed(seed));
        executor.average(&network, &mut there)?;
        here.push(&network.values)?;
    }
    Ok(there == here)
}
