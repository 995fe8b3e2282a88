//! All experiments on one run, one after the other.

use std::path::Path;

use valleys_figures::words::number;
use valleys_harness::landscape::Probe;
use valleys_harness::landscape::curvature::Extent;
use valleys_harness::landscape::direction::{Law, Restriction};
use valleys_harness::landscape::intervention::Plan;
use valleys_harness::landscape::neighbourhood::Ball;
use valleys_harness::landscape::plane::Plane;
use valleys_harness::landscape::shift_law::Pool;
use valleys_harness::preset::Landscape;
use valleys_harness::train::{Kept, Recipe};
use valleys_sim::asymmetry::Verdict;
use valleys_sim::direction::{Family, mean_pairwise_cosine};

use super::counts::{Counts, Lines};
use super::gradients::Steps;
use super::trained::{Solution, Trained, first_and_settled};
use super::{between, directions, evidence, gradients, through};
use crate::cli::evidence::Minibatches;
use crate::cli::landscape::All;
use crate::command::network::{self, Ray};
use crate::config::Experiment;
use crate::error::Result;
use crate::output::{line, note};
use crate::session::Session;

/// The ball of neighbouring centres, the paper's.
const BALL: f64 = 25.0;

/// Lines through the last solution, as in the paper's Figure 3: of the paper's family, and of one whose law has no
/// preferred sign. Two of the paper's have cosine ¾ with each other, so a second one is worth its time only where time
/// is cheap.
pub(crate) const LINES: &[(Family, u64)] = &[(Family::Uniform, 0), (Family::Gaussian, 0)];

/// Families besides those two. Signs that match the weights have an experiment of their own, and directions normalised by
/// filters, whose lengths compare with no other's, are among the controls.
const OTHER_FAMILIES: [Family; 3] = [Family::Rademacher, Family::Centred, Family::UniformMinusMean];

/// `valleys landscape all`.
pub(super) fn run(options: &All) -> Result<()> {
    let mut trained = Trained::open(&options.source, super::gradients::NO_EXTENT)?;
    trained.landscape.spec.keep_examples = true;
    let counts = Counts::of(options.counts);
    let solutions = trained.phases().into_iter().map(|phase| trained.solution(phase)).collect::<Result<Vec<_>>>()?;
    let experiment = Experiment {
        solutions: solutions.iter().map(|it| it.identity.clone()).collect(),
        counts: Some(counts.clone()),
        ..Experiment::of("all")
    };
    trained.probe()?;
    let steps = minibatches(trained.recipe(), ("--images", trained.landscape.spec.train_images), &counts)?;
    let mut session = trained.begin(&options.source, "landscape", experiment)?;
    everything(&mut session, trained, &counts, &steps)?;
    session.finish()
}

/// Measures lines through the last solution of a session's own run, and the line between its first and its last.
pub(crate) fn lines_of_run(session: &mut Session, data: Option<&Path>, directions: &[(Family, u64)]) -> Result<()> {
    let trained = Trained::of(&session.folder.path(""), data)?;
    let [first, last] = trained.first_and_settled()?;
    lines(session, &trained, &mut trained.probe()?, [&first, &last], directions)
}

/// Measures everything around the solutions of a session's own run.
pub(crate) fn everything_of_run(session: &mut Session, data: Option<&Path>, counts: &Counts) -> Result<()> {
    let trained = Trained::of(&session.folder.path(""), data)?;
    let steps = minibatches_of_run(trained.recipe(), &trained.landscape, counts)?;
    everything(session, trained, counts, &steps)
}

/// Whether [`everything_of_run`] fits a run that is yet to be trained.
///
/// # Errors
/// Images that are too few for a minibatch.
pub(crate) fn check_everything_of_run(recipe: &Recipe, landscape: &Landscape, counts: &Counts) -> Result<()> {
    minibatches_of_run(recipe, landscape, counts).map(drop)
}

fn minibatches_of_run(recipe: &Recipe, landscape: &Landscape, counts: &Counts) -> Result<Steps> {
    minibatches(recipe, ("landscape.spec.train_images", landscape.spec.train_images), counts)
}

/// Minibatches at the settled solution, among no more images than the counts allow. They are checked before the first
/// experiment, though the last ones take them.
fn minibatches(recipe: &Recipe, (name, images): (&str, usize), counts: &Counts) -> Result<Steps> {
    let [_, settled] = first_and_settled(recipe)?;
    let images =
        if counts.images < images { ("number of images at these counts", counts.images) } else { (name, images) };
    Steps::of(recipe, settled.name(), images, &Minibatches { steps: counts.minibatches, moving: false })
}

fn lines(
    session: &mut Session,
    trained: &Trained,
    probe: &mut Probe,
    [first, last]: [&Solution; 2],
    directions: &[(Family, u64)],
) -> Result<()> {
    let command = session.folder.manifest().command.clone();
    let (mut asymmetric, mut drawn) = (0, Vec::new());
    for &(family, index) in directions {
        let law = Law::of(family);
        let ray = Ray {
            name: &format!("line-{family}-{index}"),
            title: format!("{}, {} solution", trained.title(), last.name),
            centre: &last.weights,
            law: &law,
            index,
            refine: 0,
        };
        drawn.push(law.draw(&last.weights, trained.seed, index)?);
        let judgement = network::ray(session, &command, &ray, &trained.landscape, probe, trained.seed)?;
        asymmetric += usize::from(judgement.verdict == Verdict::Asymmetric);
    }
    let tried = directions.len();
    line(format!("{asymmetric} of {tried} lines asymmetric (c > 2) along u or −u, {} directions tried", 2 * tried))?;
    let cosine = number(mean_pairwise_cosine(drawn)?);
    line(format!(
        "mean pairwise cosine of the directions u: {cosine} (several alike are one direction counted often)"
    ))?;
    if first.identity != last.identity {
        let ends = [first, last].map(|it| (it.name.as_str(), &it.weights));
        network::between(session, &command, &trained.title(), ends, &trained.landscape, probe, trained.seed)?;
    }
    Ok(())
}

fn everything(session: &mut Session, mut trained: Trained, counts: &Counts, steps: &Steps) -> Result<()> {
    let [first, last] = trained.first_and_settled()?;
    lines(session, &trained, &mut trained.probe()?, [&first, &last], LINES)?;
    let spec = &mut trained.landscape.spec;
    for images in [&mut spec.statistics_images, &mut spec.train_images, &mut spec.test_images] {
        *images = counts.images.min(*images);
    }
    around(session, &mut trained, [&first, &last], counts)?;
    theorems(session, &mut trained, [&first, &last], (counts, steps))
}

/// The landscape around the last solution, and between the two.
fn around(session: &mut Session, trained: &mut Trained, [first, last]: [&Solution; 2], counts: &Counts) -> Result<()> {
    let title = format!("{}, {} solution", trained.title(), last.name);
    let (uniform, gaussian) = (Law::of(Family::Uniform), Law::of(Family::Gaussian));
    let both = [uniform.clone(), gaussian.clone()];
    let two = first.identity != last.identity;
    let mut probe = trained.probe()?;
    let draws = |trained: &mut Trained, lines: Lines| {
        trained.landscape.points = lines.points;
        lines.draws
    };

    let count = draws(trained, counts.prevalence);
    directions::share(session, trained, &mut probe, ("prevalence", last), (&both, count, false))?;
    let count = draws(trained, counts.families);
    let others = OTHER_FAMILIES.map(Law::of);
    directions::share(session, trained, &mut probe, ("prevalence-families", last), (&others, count, false))?;
    let ball = Ball { radius: BALL, draws: draws(trained, counts.neighbourhood) };
    through::neighbours(session, trained, &mut probe, (&title, last), (&uniform, 0, ball))?;

    let most = draws(trained, counts.trajectory) as usize;
    let phase = &first.phase;
    let kept = Kept::open(&trained.folder.path("checkpoints"), phase)?;
    if kept.epochs().len() < 2 {
        note(format_args!("no trajectory: {} epochs of {phase} are kept; at least 2 are needed", kept.epochs().len()));
    } else {
        let epochs = through::spread(kept.epochs(), most);
        through::iterates(session, trained, &mut probe, (phase, &kept, &epochs), (&uniform, 0))?;
    }
    if two {
        let count = draws(trained, counts.inter_rand);
        between::near(session, trained, &mut probe, [first, last], (&both, count))?;
    }

    let count = draws(trained, counts.signs);
    let fractions = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
    directions::signs(session, trained, &mut probe, last, (&fractions, &Restriction::None, count))?;
    let count = draws(trained, counts.batch_norm);
    let solutions = [(&*trained, trained.solution(&last.phase)?)];
    directions::norms(session, trained, &mut directions::norm_cases(&solutions)?, (Family::Gaussian, count))?;
    trained.landscape.points = counts.controls;
    through::controlled(session, trained, (&title, last), (&uniform, 0))?;

    // What follows needs no image's own loss.
    trained.landscape.spec.keep_examples = false;
    let mut probe = trained.probe()?;
    if two {
        let count = draws(trained, counts.rays);
        between::around(session, trained, &mut probe, [first, last], (&gaussian, count))?;
    }
    let [u, v] = [0, 1].map(|index| gaussian.draw(&last.weights, trained.seed, index));
    let plane = Plane::along((&last.name, &last.weights), [("gaussian 0", u?), ("gaussian 1", v?)]);
    let map = format!("{}: two random directions", trained.title());
    between::map(session, trained, &mut probe, (&map, &plane, counts.plane))
}

/// Holds the theorems against the same run.
fn theorems(
    session: &mut Session,
    trained: &mut Trained,
    [first, last]: [&Solution; 2],
    (counts, steps): (&Counts, &Steps),
) -> Result<()> {
    trained.landscape.spec.keep_examples = true;
    trained.landscape.points = counts.shift_law;
    let mut probe = trained.probe()?;
    let (uniform, splits) = (Law::of(Family::Uniform), evidence::splits(1_000, trained)?);
    let mut solutions = vec![first, last];
    solutions.dedup_by(|a, b| a.identity == b.identity);
    let title = format!("{}, {} solution", trained.title(), last.name);
    evidence::shifts(session, trained, &mut probe, (&title, last), (&uniform, 0), (Pool::Apart, &splits))?;
    trained.landscape.points = counts.theory.points;
    let around = (&splits, Some(Ball { radius: BALL, draws: counts.theory.draws }), steps);
    evidence::hold(session, trained, &mut probe, (&title, last), (&uniform, 0), around)?;
    let Lines { draws: permuted, points } = counts.intervention;
    trained.landscape.points = points;
    let plan = Plan { step: None, permuted, symmetric: permuted / 2 };
    for solution in &solutions {
        evidence::moves(session, trained, &mut probe, (&solution.phase, solution), (&uniform, 0), &plan)?;
    }
    gradients::noise(session, trained, last, (&uniform, 0), steps)?;
    let Lines { draws: probes, points: steps } = counts.curvature;
    let extent = Extent { ends: 1, steps, probes, seed: trained.seed, ..Extent::default() };
    gradients::spectra(session, trained, &solutions, &extent)
}
