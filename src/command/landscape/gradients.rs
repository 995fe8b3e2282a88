//! What gradients at solutions tell: the Hessian's spectrum, and the noise of minibatches.

use valleys_figures::words::number;
use valleys_harness::landscape::FullGradient;
use valleys_harness::landscape::curvature::{self, Extent};
use valleys_harness::landscape::direction::Law;
use valleys_harness::landscape::gradient_noise::{self, Minibatches, Walk};
use valleys_harness::params::Weights;
use valleys_harness::train::Recipe;
use valleys_sim::estimate::Confidence;
use valleys_sim::progress::Observer;
use valleys_sim::record::{self, CurvatureRow, Record};

use super::direction;
use super::trained::{Solution, Trained, wrong};
use crate::cli::evidence::{Curvature, GradientNoise, Minibatches as Options};
use crate::cli::landscape::Extent as Reach;
use crate::config::{Experiment, usage};
use crate::error::Result;
use crate::output::line as say;
use crate::session::{Session, wrong_kind};

pub(super) const NO_EXTENT: Reach = Reach { radius: None, points: None };
/// The law of the noise reads 20 lags, and needs more than twice as many values.
const LEAST_STEPS: usize = 41;

/// Minibatches of a solution's phase.
pub(super) struct Steps {
    walk: Walk,
    batch_size: usize,
}

impl Steps {
    /// As the phase ended: its last rate, its batch size, the run's momentum. Minibatches are taken among so many images,
    /// more than one has; the number goes by the name of what sets it.
    pub(super) fn of(recipe: &Recipe, phase: &str, (name, images): (&str, usize), options: &Options) -> Result<Self> {
        if options.steps < LEAST_STEPS {
            return Err(wrong("--steps", options.steps, format!("at least {LEAST_STEPS}")));
        }
        let phase = recipe.phases().iter().find(|it| it.name() == phase);
        let phase = phase.ok_or_else(|| usage(format!("the run has no phase {phase:?}")))?;
        let rate = phase.rate(phase.epochs().saturating_sub(1));
        let walk = Walk { steps: options.steps, rate, sgd: recipe.sgd(), moving: options.moving };
        let batch_size = phase.batch_size();
        if batch_size >= images {
            return Err(wrong(name, images, format!("more than {batch_size}, the images of a minibatch")));
        }
        Ok(Self { walk, batch_size })
    }
}

/// The steps along a direction from a solution.
pub(super) fn walked(
    trained: &Trained,
    solution: &Weights<f32>,
    u: &[f64],
    steps: &Steps,
    observer: &dyn Observer,
) -> valleys_harness::Result<gradient_noise::Steps> {
    let spec = &trained.landscape.spec;
    let mut minibatches = Minibatches::new(&trained.graph, &trained.data, spec, steps.batch_size)?;
    gradient_noise::walk(&mut minibatches, solution, u, &steps.walk, observer)
}

pub(super) fn gradient_noise(options: &GradientNoise) -> Result<()> {
    let law = direction(&options.direction)?;
    let trained = Trained::open(&options.source, NO_EXTENT)?;
    let phase = trained.phase("--solution", options.centre.solution.as_deref(), -1)?;
    let images = ("--images", trained.landscape.spec.train_images);
    let steps = Steps::of(trained.recipe(), &phase, images, &options.minibatches)?;
    let solution = trained.solution(&phase)?;
    trained.probe()?;
    let index = options.direction.index;
    let experiment = Experiment {
        solutions: vec![solution.identity.clone()],
        laws: vec![law.to_string()],
        index: Some(index),
        steps: Some(options.minibatches.steps),
        moving: Some(options.minibatches.moving),
        ..Experiment::of("gradient-noise")
    };
    let mut session = trained.begin(&options.source, "gradient-noise", experiment)?;
    noise(&mut session, &trained, &solution, (&law, index), &steps)?;
    session.finish()
}

/// The step of [`gradient_noise()`].
pub(super) fn noise(
    session: &mut Session,
    trained: &Trained,
    solution: &Solution,
    (law, index): (&Law, u64),
    steps: &Steps,
) -> Result<()> {
    let place = if steps.walk.moving { "steps from the" } else { "at the" };
    let title = format!("{}, {place} {} solution, {law} {index}", trained.title(), solution.name);
    let command = session.folder.manifest().command.clone();
    let record = session.step("gradient-noise", &command, |_, observer| {
        let u = law.draw(&solution.weights, trained.seed, index)?;
        let seen = walked(trained, &solution.weights, &u, steps, observer)?;
        Ok(Record::GradientNoise(seen.noise(&title, 1.0)?))
    })?;
    let Record::GradientNoise(it) = record else { return Err(wrong_kind("gradient-noise")) };
    let (largest, deviation) = (number(it.largest), number(it.variance.sqrt()));
    say(format!("{} minibatches along {law} {index}: deviation {deviation}, largest {largest}", it.count))
}

pub(super) fn curvature(options: &Curvature) -> Result<()> {
    for (flag, value, least) in
        [("--ends", options.ends, 1), ("--steps", options.steps, 1), ("--probes", options.probes as usize, 2)]
    {
        if value < least {
            return Err(wrong(flag, value, format!("at least {least}")));
        }
    }
    let trained = Trained::open(&options.source, NO_EXTENT)?;
    let phases = trained.ends(&options.solutions.phases)?;
    let solutions = phases.iter().map(|phase| trained.solution(phase)).collect::<Result<Vec<Solution>>>()?;
    let extent = Extent {
        ends: options.ends,
        steps: options.steps,
        probes: options.probes,
        seed: trained.seed,
        ..Extent::default()
    };
    trained.probe()?;
    let experiment = Experiment {
        solutions: solutions.iter().map(|solution| solution.identity.clone()).collect(),
        ends: Some(extent.ends),
        steps: Some(extent.steps),
        probes: Some(extent.probes),
        ..Experiment::of("curvature")
    };
    let mut session = trained.begin(&options.source, "curvature", experiment)?;
    spectra(&mut session, &trained, &solutions.iter().collect::<Vec<_>>(), &extent)?;
    session.finish()
}

/// The step of [`curvature()`].
pub(super) fn spectra(
    session: &mut Session,
    trained: &Trained,
    solutions: &[&Solution],
    extent: &Extent,
) -> Result<()> {
    let command = session.folder.manifest().command.clone();
    let record = session.step("curvature", &command, |_, observer| {
        let spec = &trained.landscape.spec;
        let images = spec.train_images;
        let setting = format!("gradients over {images} training images, batch-norm statistics of the solution");
        let mut full = FullGradient::new(&trained.graph, &trained.data, spec)?;
        let row = |solution: &&Solution| {
            let gradient = |at: &Weights<f64>, observer: &dyn Observer| full.at(at, observer);
            curvature::curvature(&solution.name, &solution.weights, gradient, extent, observer)
        };
        let rows = solutions.iter().map(row).collect::<valleys_harness::Result<Vec<CurvatureRow>>>()?;
        let confidence = Confidence::P95.level();
        Ok(Record::Curvature(record::Curvature { title: trained.title(), rows, confidence, setting }))
    })?;
    let Record::Curvature(it) = record else { return Err(wrong_kind("curvature")) };
    for row in &it.rows {
        let largest: Vec<String> = row.spectrum.largest.iter().map(|ritz| number(ritz.value)).collect();
        let (trace, error) = (number(row.trace.estimate), number(row.trace_error));
        say(format!("{}: largest eigenvalues {}, trace {trace} ± {error}", row.name, largest.join(", ")))?;
    }
    Ok(())
}
