//! Between and around several solutions: the line that joins two, lines near it, rays, planes.

use valleys_figures::words::number;
use valleys_harness::landscape::direction::Law;
use valleys_harness::landscape::inter_rand::{self, Pair};
use valleys_harness::landscape::plane::{self, Plane as Through};
use valleys_harness::landscape::{Probe, Surface, difference, rays};
use valleys_sim::asymmetry::Verdict;
use valleys_sim::profile::grid;
use valleys_sim::record::{self, PlaneMark, Record, Solutions};

use super::measured;
use super::trained::{Solution, Trained, wrong};
use crate::cli::landscape::{Extent, InterRand, Interpolation, Plane, Rays, Source, Two};
use crate::command::network;
use crate::config::{Experiment, usage};
use crate::error::{Error, Result};
use crate::output::line as say;
use crate::session::{Session, wrong_kind};

/// A run and two different solutions of one network, the second perhaps of another run.
fn two(source: &Source, two: &Two, extent: Extent) -> Result<(Trained, [Solution; 2])> {
    let trained = Trained::open(source, extent)?;
    let first = trained.solution(&trained.phase("--from", two.from.as_deref(), 0)?)?;
    let second = match &two.other {
        None => trained.solution(&trained.phase("--to", two.to.as_deref(), 1)?)?,
        Some(run) => {
            let other = trained.beside(run, source.data.as_deref())?;
            if other.architecture != trained.architecture {
                return Err(wrong("--other", run.display(), format!("a run of {}", trained.architecture)));
            }
            let mut solution = other.solution(&other.phase("--to", two.to.as_deref(), -1)?)?;
            solution.name = format!("{}, other run", solution.name);
            solution
        }
    };
    if difference(&first.weights, &second.weights).iter().all(|&x| x == 0.0) {
        return Err(wrong("--to", &second.name, format!("another solution than {}", first.name)));
    }
    Ok((trained, [first, second]))
}

fn identities(solutions: &[Solution]) -> Vec<String> {
    solutions.iter().map(|solution| solution.identity.clone()).collect()
}

const NO_EXTENT: Extent = Extent { radius: None, points: None };

pub(super) fn interpolation(options: &Interpolation) -> Result<()> {
    let (mut trained, solutions) = two(&options.source, &options.two, NO_EXTENT)?;
    trained.landscape.shares = options.points.unwrap_or(trained.landscape.shares);
    trained.landscape.shares().map_err(|_| {
        wrong("--points", trained.landscape.shares, "a multiple of 5 and one more, such as 26 or the paper's 201")
    })?;
    let mut probe = trained.probe()?;
    let experiment = Experiment { solutions: identities(&solutions), ..Experiment::of("interpolation") };
    let mut session = trained.begin(&options.source, "interpolation", experiment)?;
    let command = session.folder.manifest().command.clone();
    let ends = solutions.each_ref().map(|it| (it.name.as_str(), &it.weights));
    let title = trained.title();
    let it = network::between(&mut session, &command, &title, ends, &trained.landscape, &mut probe, trained.seed)?;
    session.step("solutions", &command, |_, _| {
        let setting = format!("{}: {}, un-augmented", trained.data.title(), probe.setting());
        Ok(Record::Solutions(Solutions { rows: rows(&it, &trained.architecture.title()), setting }))
    })?;
    session.finish()
}

/// Both ends of an interpolation as rows of Table 1.
fn rows(it: &record::Interpolation, network: &str) -> Vec<record::Solution> {
    let place = |share: f64| it.train.offsets().iter().position(|&at| at == share);
    let ends = [0.0, 1.0].into_iter().zip(&it.names).filter_map(|(share, name)| Some((place(share)?, name)));
    ends.map(|(i, name)| record::Solution {
        name: format!("{network} {name}"),
        chosen: String::new(),
        train_loss: it.train.losses()[i],
        train_accuracy: it.train_accuracy[i],
        test_loss: it.test.losses()[i],
        test_accuracy: it.test_accuracy[i],
    })
    .collect()
}

pub(super) fn inter_rand(options: &InterRand) -> Result<()> {
    if options.draws == 0 {
        return Err(wrong("--draws", 0, "at least 1"));
    }
    let parse = |family: &String| Ok(Law::of(family.parse().map_err(usage)?));
    let laws = options.family.iter().map(parse).collect::<Result<Vec<Law>>>()?;
    let (trained, solutions) = two(&options.source, &options.two, options.extent)?;
    let mut probe = trained.probe()?;
    let experiment = Experiment {
        solutions: identities(&solutions),
        laws: laws.iter().map(Law::to_string).collect(),
        draws: Some(options.draws),
        ..Experiment::of("inter-rand")
    };
    let mut session = trained.begin(&options.source, "inter-rand", experiment)?;
    near(&mut session, &trained, &mut probe, solutions.each_ref(), (&laws, options.draws))?;
    session.finish()
}

/// The step of [`inter_rand()`].
pub(super) fn near(
    session: &mut Session,
    trained: &Trained,
    probe: &mut Probe,
    [biased, settled]: [&Solution; 2],
    (laws, draws): (&[Law], u64),
) -> Result<()> {
    let (title, offsets, criteria) = (trained.title(), trained.landscape.offsets()?, trained.criteria());
    let record = measured(session, "inter-rand", |store, observer| {
        let names = [biased.name.as_str(), settled.name.as_str()];
        let pair = Pair { names, biased: &biased.weights, settled: &settled.weights };
        let how = (&offsets[..], &criteria, trained.seed);
        inter_rand::inter_rand(probe, &pair, (&title, laws, draws), how, store, observer).map(Record::InterRand)
    })?;
    let Record::InterRand(it) = record else { return Err(wrong_kind("inter-rand")) };
    let asymmetric = it.lines.iter().filter(|line| line.judgement.verdict == Verdict::Asymmetric);
    let flat = asymmetric.clone().filter(|line| !line.judgement.mirrored).count();
    let (count, biased) = (asymmetric.count(), &it.names[0]);
    say(format!("{count} of {} lines asymmetric, {flat} with the flat side towards {biased}", it.lines.len()))
}

pub(super) fn rays(options: &Rays) -> Result<()> {
    let law = Law::of(options.family.parse().map_err(usage)?);
    if options.draws == 0 {
        return Err(wrong("--draws", 0, "at least 1"));
    }
    if options.points < 2 {
        return Err(wrong("--points", options.points, "at least 2"));
    }
    let (mut trained, solutions) = two(&options.source, &options.two, Extent { radius: options.radius, points: None })?;
    trained.landscape.points = options.points;
    // Means over rays need no image's own loss.
    trained.landscape.spec.keep_examples = false;
    let mut probe = trained.probe()?;
    let experiment = Experiment {
        solutions: identities(&solutions),
        laws: vec![law.to_string()],
        draws: Some(options.draws),
        ..Experiment::of("rays")
    };
    let mut session = trained.begin(&options.source, "rays", experiment)?;
    around(&mut session, &trained, &mut probe, solutions.each_ref(), (&law, options.draws))?;
    session.finish()
}

/// The step of [`rays()`]: from 0 to the reach of the settings, at as many distances as they have points.
pub(super) fn around(
    session: &mut Session,
    trained: &Trained,
    probe: &mut Probe,
    solutions: [&Solution; 2],
    (law, draws): (&Law, u64),
) -> Result<()> {
    let (title, reach) = (trained.title(), trained.landscape.reach);
    let distances = grid(0.0, reach, trained.landscape.points)?;
    let record = measured(session, "rays", |store, observer| {
        let named = solutions.map(|it| (it.name.as_str(), &it.weights));
        rays::rays(probe, &named, (&title, law, draws), (&distances, trained.seed), store, observer).map(Record::Rays)
    })?;
    let Record::Rays(it) = record else { return Err(wrong_kind("rays")) };
    it.solutions.iter().try_for_each(|solution| {
        let last = |losses: &[f64]| number(losses.last().copied().unwrap_or(f64::NAN));
        let (train, test) = (last(&solution.train), last(&solution.test));
        say(format!("{}: mean train loss {train}, test loss {test} at distance {}", solution.name, number(reach)))
    })
}

pub(super) fn plane(options: &Plane) -> Result<()> {
    if options.points < 2 {
        return Err(wrong("--points", options.points, "at least 2"));
    }
    let mut trained = Trained::open(&options.source, Extent { radius: options.radius, points: None })?;
    trained.landscape.spec.keep_examples = false;
    let phases: Vec<String> = match (options.solution.as_slice(), options.family.as_slice()) {
        ([], []) => trained.phases().iter().take(3).map(|name| name.to_string()).collect(),
        ([], _) => vec![trained.phase("--solution", None, -1)?],
        (named, _) => {
            named.iter().map(|name| trained.phase("--solution", Some(name), 0)).collect::<Result<Vec<String>>>()?
        }
    };
    let laws =
        options.family.iter().map(|name| Ok(Law::of(name.parse().map_err(usage)?))).collect::<Result<Vec<Law>>>()?;
    let solutions = phases.iter().map(|phase| trained.solution(phase)).collect::<Result<Vec<Solution>>>()?;
    let through = match (solutions.as_slice(), laws.as_slice()) {
        ([a, b, c], []) => Through::through([a, b, c].map(|it| (it.name.as_str(), &it.weights))).map_err(usage)?,
        ([centre], [first, second]) => {
            // Two directions of one family are its first two draws.
            let index = u64::from(first == second);
            let u = first.draw(&centre.weights, trained.seed, 0).map_err(usage)?;
            let v = second.draw(&centre.weights, trained.seed, index).map_err(usage)?;
            let names = [format!("{first} 0"), format!("{second} {index}")];
            Through::along((&centre.name, &centre.weights), [(&names[0], u), (&names[1], v)])
        }
        (solutions, laws) => {
            let count = |count: usize, thing: &str| format!("{count} {thing}{}", if count == 1 { "" } else { "s" });
            let families = match laws.len() {
                0 => String::new(),
                given => format!(" and --family {}", count(given, "direction")),
            };
            let (solutions, known) = (count(solutions.len(), "solution"), trained.phases().join(", "));
            return Err(Error::Usage(format!(
                "--solution names {solutions}{families}; allowed: three solutions, or one with two --family ({known})"
            )));
        }
    };
    let mut probe = trained.probe()?;
    let experiment = Experiment {
        solutions: identities(&solutions),
        laws: laws.iter().map(Law::to_string).collect(),
        points: Some(options.points),
        ..Experiment::of("plane")
    };
    let mut session = trained.begin(&options.source, "plane", experiment)?;
    let names: Vec<&str> = solutions.iter().map(|it| it.name.as_str()).collect();
    let title = format!("{}: plane of {}", trained.title(), names.join(", "));
    map(&mut session, &trained, &mut probe, (&title, &through, options.points))?;
    session.finish()
}

/// The step of [`plane()`].
pub(super) fn map(
    session: &mut Session,
    trained: &Trained,
    probe: &mut Probe,
    (title, through, points): (&str, &Through<'_>, usize),
) -> Result<()> {
    let around = |coordinate: fn(&PlaneMark) -> f64| -> Result<Vec<f64>> {
        let places: Vec<f64> = through.marks().iter().map(coordinate).collect();
        let (low, high) = places.iter().fold((0.0_f64, 0.0_f64), |(low, high), &at| (low.min(at), high.max(at)));
        // Half of the solutions' extent on every side, or as far as a line reaches from a single one.
        let room = if high > low { 0.5 * (high - low) } else { trained.landscape.reach };
        Ok(grid(low - room, high + room, points)?)
    };
    let (x, y) = (around(|mark| mark.x)?, around(|mark| mark.y)?);
    let record = measured(session, "plane", |store, observer| {
        plane::plane(probe, through, (title, &x, &y), store, observer).map(Record::Plane)
    })?;
    let Record::Plane(it) = record else { return Err(wrong_kind("plane")) };
    let lowest = |losses: &[Vec<f64>]| number(losses.iter().flatten().copied().fold(f64::INFINITY, f64::min));
    say(format!("lowest train loss {}, lowest test loss {}", lowest(&it.train), lowest(&it.test)))
}
