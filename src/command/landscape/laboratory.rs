//! All experiments on one run, one after the other, in the run's own folder.

use std::path::Path;

use valleys_harness::landscape::curvature::Extent;
use valleys_harness::landscape::direction::{Law, Restriction};
use valleys_harness::landscape::intervention::Plan;
use valleys_harness::landscape::neighbourhood::Ball;
use valleys_harness::landscape::plane::Plane;
use valleys_harness::landscape::shift_law::Pool;
use valleys_harness::train::Kept;
use valleys_sim::direction::Family;

use super::trained::{Solution, Trained};
use super::{between, directions, evidence, gradients, through};
use crate::cli::evidence::Minibatches;
use crate::error::Result;
use crate::session::Session;

/// Images for each of batch-norm statistics, train loss and test loss: some 2,500 points are to be measured.
const IMAGES: usize = 1_000;

/// Measures everything around the last solution of the session's run, and between its first and its last one.
pub(crate) fn all(session: &mut Session, data: Option<&Path>) -> Result<()> {
    let mut trained = Trained::of(&session.folder.path(""), data)?;
    let spec = &mut trained.landscape.spec;
    for images in [&mut spec.statistics_images, &mut spec.train_images, &mut spec.test_images] {
        *images = IMAGES.min(*images);
    }
    let first = trained.solution(&trained.phase("phase", None, 0)?)?;
    let last = trained.solution(&trained.phase("phase", None, -1)?)?;
    let title = format!("{}, {} solution", trained.title(), last.name);
    let (uniform, gaussian) = (Law::of(Family::Uniform), Law::of(Family::Gaussian));
    let both = [uniform.clone(), gaussian.clone()];
    let mut probe = trained.probe()?;

    trained.landscape.points = 31;
    directions::share(session, &trained, &mut probe, &last, (&both, 10, false))?;
    trained.landscape.points = 21;
    let ball = Ball { radius: 25.0, draws: 20 };
    through::neighbours(session, &trained, &mut probe, (&title, &last), (&uniform, 0, ball))?;
    let phase = trained.phase("phase", None, 0)?;
    let kept = Kept::open(&trained.folder.path("checkpoints"), &phase)?;
    let epochs = through::spread(kept.epochs(), 20);
    through::iterates(session, &trained, &mut probe, (&phase, &kept, &epochs), (&uniform, 0))?;
    between::near(session, &trained, &mut probe, [&first, &last], (&both, 3))?;

    trained.landscape.points = 13;
    let fractions = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
    directions::signs(session, &trained, &mut probe, &last, (&fractions, &Restriction::None, 2))?;
    let solutions = [(&trained, trained.solution(&trained.phase("phase", None, -1)?)?)];
    directions::norms(session, &trained, &mut directions::norm_cases(&solutions)?, (Family::Gaussian, 3))?;
    trained.landscape.points = 17;
    through::controlled(session, &trained, (&title, &last), (&uniform, 0))?;

    // What follows needs no image's own loss.
    trained.landscape.spec.keep_examples = false;
    trained.landscape.points = 9;
    let mut probe = trained.probe()?;
    between::around(session, &trained, &mut probe, [&first, &last], (&gaussian, 5))?;
    let axes = [0, 1].map(|index| gaussian.draw(&last.weights, trained.seed, index));
    let [u, v] = axes;
    let plane = Plane::along((&last.name, &last.weights), [("gaussian 0", u?), ("gaussian 1", v?)]);
    let map = format!("{}: two random directions", trained.title());
    between::map(session, &trained, &mut probe, (&map, &plane, 9))?;
    theorems(session, &mut trained, [&first, &last])
}

/// Holds the theorems against the same run.
fn theorems(session: &mut Session, trained: &mut Trained, [first, last]: [&Solution; 2]) -> Result<()> {
    trained.landscape.spec.keep_examples = true;
    trained.landscape.points = 17;
    let mut probe = trained.probe()?;
    let (uniform, splits) = (Law::of(Family::Uniform), evidence::splits(1_000, trained)?);
    let title = format!("{}, {} solution", trained.title(), last.name);
    evidence::shifts(session, trained, &mut probe, (&title, last), (&uniform, 0), (Pool::Apart, &splits))?;
    let minibatches = Minibatches { steps: 100, moving: false };
    let steps = gradients::Steps::of(trained, &trained.phase("phase", None, -1)?, &minibatches)?;
    let around = (&splits, Some(Ball { radius: 25.0, draws: 3 }), &steps);
    evidence::hold(session, trained, &mut probe, (&title, last), (&uniform, 0), around)?;
    trained.landscape.points = 13;
    let plan = Plan { step: None, permuted: 2, symmetric: 1 };
    for (phase, solution) in trained.ends(&[])?.iter().zip([first, last]) {
        evidence::moves(session, trained, &mut probe, (phase, solution), (&uniform, 0), &plan)?;
    }
    gradients::noise(session, trained, last, (&uniform, 0), &steps)?;
    let extent = Extent { ends: 1, steps: 12, probes: 4, seed: trained.seed, ..Extent::default() };
    gradients::spectra(session, trained, &[first, last], &extent)
}
