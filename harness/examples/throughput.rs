//! Images a second of training and of evaluation, on random images.
//!
//! `cargo run --release -p valleys-harness --example throughput -- [network] [batch] [threads] [repetitions] [backend]`
#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use rand::RngExt;
use valleys_harness::Result;
use valleys_harness::exec::{BackendKind, Batch, Dropout, Executor};
use valleys_harness::model::Architecture;
use valleys_harness::params::Weights;
use valleys_sim::Seed;

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let architecture = Architecture::parse(&arguments.next().unwrap_or_else(|| "resnet20".into()))?;
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (images, threads, repetitions) = (number(128)?, number(2)?, number(7)?);
    let backend = arguments.next().map_or(Ok(BackendKind::Cpu), |name| name.parse())?;

    let graph = Arc::new(architecture.graph(10)?);
    let mut weights = Weights::initialise(&graph, Seed(0));
    let mut executor = Executor::<f32>::on(Arc::clone(&graph), backend)?;
    let mut gradient = vec![0.0; weights.values.len()];
    let mut rng = Seed(0).stream("pixels", 0);
    let pixels: Vec<f32> = (0..images * graph.input().len()).map(|_| rng.random::<f32>() - 0.5).collect();
    let labels: Vec<u16> = (0..images).map(|_| rng.random_range(0..10)).collect();
    let batch = Batch { images: &pixels, labels: &labels };
    let numbers: Vec<usize> = (0..images).collect();
    let dropout = Dropout::Pass { seed: Seed(0), step: 0, images: &numbers };

    println!("{architecture}, batch {images}, {threads} threads, {repetitions} repetitions after one to warm up");
    rayon::ThreadPoolBuilder::new().num_threads(threads).build()?.install(|| {
        report("training", images, repetitions, || {
            executor.gradient(&mut weights, batch, dropout, &mut gradient).map(drop)
        })?;
        report("evaluation", images, repetitions, || executor.evaluate(&weights, batch).map(drop))
    })?;
    Ok(())
}

fn report(what: &str, images: usize, repetitions: usize, mut work: impl FnMut() -> Result<()>) -> Result<()> {
    work()?;
    let mut rates = Vec::new();
    for _ in 0..repetitions {
        let start = Instant::now();
        work()?;
        rates.push(images as f64 / start.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    println!("{what}: median {:.0} images/s, best {:.0}", rates[repetitions / 2], rates[repetitions - 1]);
    Ok(())
}
