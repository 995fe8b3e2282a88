//! Lines along one direction: through a solution, its neighbours, and the iterates of the run.

use valleys_figures::words::{self, number};
use valleys_harness::landscape::Probe;
use valleys_harness::landscape::controls::{self, Subject};
use valleys_harness::landscape::direction::Law;
use valleys_harness::landscape::neighbourhood::{self, Ball};
use valleys_harness::landscape::trajectory::{self, Iterates};
use valleys_harness::train::Kept;
use valleys_sim::record::Record;

use super::trained::{Solution, Trained, wrong};
use super::{direction, in_a_name, measured};
use crate::cli::landscape::{self as cli, Controls, Line, Lines, Neighbourhood, Source, Trajectory};
use crate::command::network::{self, Ray};
use crate::config::Experiment;
use crate::error::Result;
use crate::output::line as say;
use crate::session::{Session, wrong_kind};

/// A run and the solution that lines go through.
pub(super) fn centre(source: &Source, lines: &Lines) -> Result<(Trained, Solution, String)> {
    let trained = Trained::open(source, lines.extent)?;
    let phase = trained.phase("--solution", lines.centre.solution.as_deref(), -1)?;
    let solution = trained.solution(&phase)?;
    let title = format!("{}, {} solution", trained.title(), solution.name);
    Ok((trained, solution, title))
}

/// One line through a solution, and its shift.
pub(super) fn line(options: &Line) -> Result<()> {
    along(options, "line")
}

/// The same line for its shift.
pub(super) fn shift(options: &Line) -> Result<()> {
    along(options, "shift")
}

fn along(options: &Line, what: &str) -> Result<()> {
    let law = direction(&options.direction)?;
    let (trained, solution, title) = centre(&options.source, &options.lines)?;
    let mut probe = trained.probe()?;
    let name = format!("{what}-{}-{}", in_a_name(&law), options.direction.index);
    let experiment = Experiment {
        solutions: vec![solution.identity.clone()],
        laws: vec![law.to_string()],
        index: Some(options.direction.index),
        refine: Some(options.refine).filter(|&extra| extra > 0),
        ..Experiment::of(what)
    };
    let mut session = trained.begin(&options.source, &name, experiment)?;
    let ray = Ray {
        name: &name,
        title,
        centre: &solution.weights,
        law: &law,
        index: options.direction.index,
        refine: options.refine,
    };
    let command = session.folder.manifest().command.clone();
    network::ray(&mut session, &command, &ray, &trained.landscape, &mut probe, trained.seed)?;
    session.finish()
}

/// Where neighbouring centres come from.
pub(super) fn ball(options: cli::Ball, draws: u64) -> Result<Ball> {
    let radius = options.radius;
    if radius.is_finite() && radius > 0.0 {
        return Ok(Ball { radius, draws });
    }
    Err(wrong("--ball", radius, "> 0"))
}

pub(super) fn neighbourhood(options: &Neighbourhood) -> Result<()> {
    let law = direction(&options.direction)?;
    if options.centres < 2 {
        return Err(wrong("--centres", options.centres, "at least 2"));
    }
    let ball = ball(options.ball, options.centres)?;
    let (trained, solution, title) = centre(&options.source, &options.lines)?;
    let mut probe = trained.probe()?;
    let index = options.direction.index;
    let experiment = Experiment {
        solutions: vec![solution.identity.clone()],
        laws: vec![law.to_string()],
        index: Some(index),
        draws: Some(ball.draws),
        ball: Some(ball.radius),
        ..Experiment::of("neighbourhood")
    };
    let mut session = trained.begin(&options.source, "neighbourhood", experiment)?;
    neighbours(&mut session, &trained, &mut probe, (&title, &solution), (&law, index, ball))?;
    session.finish()
}

/// The step of [`neighbourhood()`].
pub(super) fn neighbours(
    session: &mut Session,
    trained: &Trained,
    probe: &mut Probe,
    (title, solution): (&str, &Solution),
    (law, index, ball): (&Law, u64, Ball),
) -> Result<()> {
    let (offsets, criteria) = (trained.landscape.offsets()?, trained.criteria());
    let record = measured(session, "neighbourhood", |store, observer| {
        let how = (&offsets[..], &criteria, trained.seed);
        let which = (title, law, index);
        neighbourhood::neighbourhood(probe, &solution.weights, which, ball, how, store, observer)
            .map(Record::Neighbourhood)
    })?;
    let Record::Neighbourhood(it) = record else { return Err(wrong_kind("neighbourhood")) };
    let own = it.own_judgement.canonical.as_ref().map_or_else(|| "none".to_string(), words::four_numbers);
    let all = it.judgement.canonical.as_ref().map_or_else(|| "none".to_string(), words::four_numbers);
    let centres = it.curves.len();
    say(format!("{} of {centres} neighbouring centres asymmetric along the same side", it.asymmetric))?;
    say(format!("certificate of the solution {own}, of all its neighbours {all}"))
}

pub(super) fn trajectory(options: &Trajectory) -> Result<()> {
    let law = direction(&options.direction)?;
    if options.epochs < 2 {
        return Err(wrong("--epochs", options.epochs, "at least 2"));
    }
    let trained = Trained::open(&options.source, options.extent)?;
    let phase = trained.phase("--phase", options.phase.as_deref(), 0)?;
    let kept = Kept::open(&trained.folder.path("checkpoints"), &phase)?;
    if kept.epochs().len() < 2 {
        let allowed = "at least 2; `valleys train … --set checkpoints.every=1` keeps every epoch's";
        return Err(wrong("number of kept epochs", kept.epochs().len(), allowed));
    }
    let epochs = spread(kept.epochs(), options.epochs);
    let mut probe = trained.probe()?;
    let experiment = Experiment {
        solutions: vec![phase.clone()],
        laws: vec![law.to_string()],
        index: Some(options.direction.index),
        epochs: epochs.clone(),
        ..Experiment::of("trajectory")
    };
    let mut session = trained.begin(&options.source, "trajectory", experiment)?;
    iterates(&mut session, &trained, &mut probe, (&phase, &kept, &epochs), (&law, options.direction.index))?;
    session.finish()
}

/// The step of [`trajectory()`].
pub(super) fn iterates(
    session: &mut Session,
    trained: &Trained,
    probe: &mut Probe,
    (phase, kept, epochs): (&str, &Kept, &[u32]),
    (law, index): (&Law, u64),
) -> Result<()> {
    let title = format!("{}, phase {phase}", trained.title());
    let (offsets, criteria) = (trained.landscape.offsets()?, trained.criteria());
    let record = measured(session, "trajectory", |store, observer| {
        let load = |epoch: u32| kept.iterate(epoch, trained.graph.layout());
        let iterates = Iterates { epochs, load: &load };
        let how = (&offsets[..], &criteria, trained.seed);
        trajectory::trajectory(probe, &iterates, (&title, law, index), how, store, observer).map(Record::Trajectory)
    })?;
    let Record::Trajectory(it) = record else { return Err(wrong_kind("trajectory")) };
    let stable = it.stable_from.map_or_else(|| "at the end only".to_string(), |epoch| format!("from epoch {epoch} on"));
    say(format!("profiles through {} epochs; the last one's shape {stable}", it.rows.len()))
}

/// At most `most` of increasing epochs, evenly spread, the first and the last among them.
pub(super) fn spread(epochs: &[u32], most: usize) -> Vec<u32> {
    let (last, count) = (epochs.len() - 1, most.min(epochs.len()));
    (0..count).map(|i| epochs[i * last / (count - 1)]).collect()
}

pub(super) fn controls(options: &Controls) -> Result<()> {
    let law = direction(&options.direction)?;
    let (mut trained, solution, title) = centre(&options.source, &options.lines)?;
    // The slope's error needs every image's loss.
    trained.landscape.spec.keep_examples = true;
    let index = options.direction.index;
    let experiment = Experiment {
        solutions: vec![solution.identity.clone()],
        laws: vec![law.to_string()],
        index: Some(index),
        ..Experiment::of("controls")
    };
    trained.probe()?;
    let mut session = trained.begin(&options.source, "controls", experiment)?;
    controlled(&mut session, &trained, (&title, &solution), (&law, index))?;
    session.finish()
}

/// The step of [`controls()`].
pub(super) fn controlled(
    session: &mut Session,
    trained: &Trained,
    (title, solution): (&str, &Solution),
    (law, index): (&Law, u64),
) -> Result<()> {
    let (offsets, criteria) = (trained.landscape.offsets()?, trained.criteria());
    let record = measured(session, "controls", |store, observer| {
        let subject = Subject {
            title,
            graph: &trained.graph,
            data: &trained.data,
            spec: &trained.landscape.spec,
            in_flight: trained.in_flight,
            solution: &solution.weights,
            law,
            index,
        };
        let how = (&offsets[..], &criteria, trained.seed);
        controls::controls(&subject, how, store, observer).map(Record::Controls)
    })?;
    let Record::Controls(it) = record else { return Err(wrong_kind("controls")) };
    for variant in &it.variants {
        let judgement = &variant.judgement;
        let found =
            judgement.canonical.as_ref().map_or_else(String::new, |it| format!(", {}", words::four_numbers(it)));
        say(format!("{}: {}{found}", variant.variant, words::verdict(judgement.verdict)))?;
    }
    it.checks.iter().try_for_each(|check| {
        let error = check.standard_error.map_or_else(String::new, |error| format!(" ± {}", number(error)));
        say(format!("{}: {}{error} ({})", check.name, number(check.value), check.reading))
    })
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn epochs_are_spread_with_both_ends() {
        assert_eq!(spread(&[1, 2, 3, 4, 5, 6, 7], 3), [1, 4, 7]);
        assert_eq!(spread(&[5, 10], 20), [5, 10]);
        assert_eq!(spread(&[1, 2, 3, 4], 2), [1, 4]);
    }
}
