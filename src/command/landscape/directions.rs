//! Many directions through a solution, and how many of them are asymmetric.

use valleys_figures::words::{self, number};
use valleys_harness::landscape::batch_norm::{self, Case};
use valleys_harness::landscape::direction::{Law, Restriction};
use valleys_harness::landscape::prevalence::{self, Draws};
use valleys_harness::landscape::sign_consistency;
use valleys_harness::landscape::{self, Probe, Surface};
use valleys_harness::params::Weights;
use valleys_sim::asymmetry::Verdict;
use valleys_sim::direction::Family;
use valleys_sim::record::{self, DirectionGroup, Record};

use super::trained::{Solution, Trained, wrong};
use super::{law, measured, restriction};
use crate::cli::landscape::{BatchNorms, Prevalence, SignConsistency};
use crate::config::{Experiment, usage};
use crate::error::Result;
use crate::output;
use crate::session::{Session, wrong_kind};

fn at_least_one(draws: u64) -> Result<u64> {
    if draws == 0 { Err(wrong("--draws", 0, "at least 1")) } else { Ok(draws) }
}

pub(super) fn prevalence(options: &Prevalence) -> Result<()> {
    let draws = at_least_one(options.draws)?;
    let laws = options.family.iter().map(|family| law(family, &options.groups)).collect::<Result<Vec<Law>>>()?;
    let trained = Trained::open(&options.source, options.lines.extent)?;
    let phase = trained.phase("--solution", options.lines.centre.solution.as_deref(), -1)?;
    let solution = trained.solution(&phase)?;
    let mut probe = trained.probe()?;
    let experiment = Experiment {
        solutions: vec![solution.identity.clone()],
        laws: laws.iter().map(Law::to_string).collect(),
        draws: Some(draws),
        until_asymmetric: Some(options.until_asymmetric),
        ..Experiment::of("prevalence")
    };
    let mut session = trained.begin(&options.source, "prevalence", experiment)?;
    share(&mut session, &trained, &mut probe, ("prevalence", &solution), (&laws, draws, options.until_asymmetric))?;
    session.finish()
}

/// The step of [`prevalence()`].
pub(super) fn share(
    session: &mut Session,
    trained: &Trained,
    probe: &mut Probe,
    (name, solution): (&str, &Solution),
    (laws, count, until_asymmetric): (&[Law], u64, bool),
) -> Result<()> {
    let title = format!("{}, {} solution", trained.title(), solution.name);
    let (offsets, criteria) = (trained.landscape.offsets()?, trained.criteria());
    let how = Draws { count, until_asymmetric, offsets: &offsets, criteria: &criteria, seed: trained.seed };
    let record = measured(session, name, |store, observer| {
        let mut groups = Vec::new();
        for law in laws {
            let which = (&law.to_string()[..], law);
            groups.push(prevalence::group(probe, &solution.weights, which, &how, store, observer)?);
        }
        let question = "how often a random direction is asymmetric".to_string();
        let setting = probe.setting();
        Ok(Record::Prevalence(record::Prevalence { title, question, groups, points: offsets.len(), setting }))
    })?;
    match &record {
        Record::Prevalence(it) => table(&it.groups),
        _ => Err(wrong_kind(name)),
    }
}

pub(super) fn sign_consistency(options: &SignConsistency) -> Result<()> {
    let (draws, restriction) = (at_least_one(options.draws)?, restriction(&options.groups)?);
    let within = |fraction: &f64| (0.0..=1.0).contains(fraction);
    if !options.fractions.iter().all(within) || options.fractions.windows(2).any(|pair| pair[0] >= pair[1]) {
        let seen: Vec<String> = options.fractions.iter().map(f64::to_string).collect();
        return Err(wrong("--fractions", seen.join(","), "increasing numbers from 0 to 1"));
    }
    let trained = Trained::open(&options.source, options.lines.extent)?;
    let phase = trained.phase("--solution", options.lines.centre.solution.as_deref(), -1)?;
    let solution = trained.solution(&phase)?;
    let mut probe = trained.probe()?;
    let experiment = Experiment {
        solutions: vec![solution.identity.clone()],
        laws: vec![format!("sign-matched, {restriction}")],
        fractions: options.fractions.clone(),
        draws: Some(draws),
        ..Experiment::of("sign-consistency")
    };
    let mut session = trained.begin(&options.source, "sign-consistency", experiment)?;
    signs(&mut session, &trained, &mut probe, &solution, (&options.fractions, &restriction, draws))?;
    session.finish()
}

/// The step of [`sign_consistency()`].
pub(super) fn signs(
    session: &mut Session,
    trained: &Trained,
    probe: &mut Probe,
    solution: &Solution,
    (fractions, restriction, count): (&[f64], &Restriction, u64),
) -> Result<()> {
    let title = format!("{}, {} solution", trained.title(), solution.name);
    let (offsets, criteria) = (trained.landscape.offsets()?, trained.criteria());
    let how = Draws { count, until_asymmetric: false, offsets: &offsets, criteria: &criteria, seed: trained.seed };
    let record = measured(session, "sign-consistency", |store, observer| {
        let which = (fractions, restriction);
        sign_consistency::sign_consistency(probe, &solution.weights, &title, which, &how, store, observer)
            .map(Record::SignConsistency)
    })?;
    match &record {
        Record::SignConsistency(it) => table(&it.groups),
        _ => Err(wrong_kind("sign-consistency")),
    }
}

pub(super) fn batch_norm(options: &BatchNorms) -> Result<()> {
    let draws = at_least_one(options.draws)?;
    let family = options.family.parse().map_err(usage)?;
    let trained = Trained::open(&options.source, options.lines.extent)?;
    let phase = trained.phase("--solution", options.lines.centre.solution.as_deref(), -1)?;
    let other = options.other.as_deref().map(|run| trained.beside(run, options.source.data.as_deref())).transpose()?;
    let mut solutions = vec![(&trained, trained.solution(&phase)?)];
    if let Some(other) = &other {
        let phase = other.phase("--solution", options.lines.centre.solution.as_deref(), -1)?;
        solutions.push((other, other.solution(&phase)?));
    }
    let experiment = Experiment {
        solutions: solutions.iter().map(|(_, solution)| solution.identity.clone()).collect(),
        laws: vec![Law::of(family).to_string()],
        draws: Some(draws),
        ..Experiment::of("batch-norm")
    };
    let mut cases = norm_cases(&solutions)?;
    let mut session = trained.begin(&options.source, "batch-norm", experiment)?;
    norms(&mut session, &trained, &mut cases, (family, draws))?;
    session.finish()
}

/// A network with one way of measuring it.
pub(super) struct NormCase<'a> {
    name: String,
    probe: Probe,
    centre: &'a Weights<f32>,
}

/// Every network with statistics recomputed and frozen; without batch norms one way is enough.
pub(super) fn norm_cases<'a>(solutions: &'a [(&Trained, Solution)]) -> Result<Vec<NormCase<'a>>> {
    let mut cases = Vec::new();
    // Names tell the points of one network from those of another.
    let alike = matches!(solutions, [(one, _), (other, _)] if one.network() == other.network());
    for (place, (run, solution)) in solutions.iter().enumerate() {
        let normed = batch_norm::parts(run.graph.layout()).len() > 1;
        let ways = [(landscape::BatchNorm::Recompute, "recomputed"), (landscape::BatchNorm::Frozen, "frozen")];
        for (batch_norm, way) in &ways[..if normed { 2 } else { 1 }] {
            let spec = landscape::Spec { batch_norm: *batch_norm, ..solutions[0].0.landscape.spec.clone() };
            let title = match (alike, place) {
                (false, _) => run.network(),
                (true, 0) => format!("{}, first run", run.network()),
                (true, _) => format!("{}, other run", run.network()),
            };
            let name = match (normed, solutions.len()) {
                (true, 1) => way.to_string(),
                (true, _) => format!("{title}, {way}"),
                (false, _) => title,
            };
            let probe = run.probe_by(spec, solutions[0].0.in_flight)?;
            cases.push(NormCase { name, probe, centre: &solution.weights });
        }
    }
    Ok(cases)
}

/// The step of [`batch_norm()`].
pub(super) fn norms(
    session: &mut Session,
    trained: &Trained,
    cases: &mut [NormCase<'_>],
    (family, count): (Family, u64),
) -> Result<()> {
    let (offsets, criteria) = (trained.landscape.offsets()?, trained.criteria());
    let how = Draws { count, until_asymmetric: false, offsets: &offsets, criteria: &criteria, seed: trained.seed };
    let record = measured(session, "batch-norm", |store, observer| {
        let images = &trained.landscape.spec;
        let setting = format!("loss on {} training and {} test images", images.train_images, images.test_images);
        let mut cases: Vec<Case<'_>> = cases
            .iter_mut()
            .map(|it| Case { name: it.name.clone(), surface: &mut it.probe, centre: it.centre })
            .collect();
        let groups = batch_norm::batch_norm(&mut cases, family, &how, store, observer)?;
        let title = format!("{}: batch norm", trained.title());
        let question = format!("{family} directions, with batch-norm statistics recomputed and frozen");
        Ok(Record::Prevalence(record::Prevalence { title, question, groups, points: offsets.len(), setting }))
    })?;
    match &record {
        Record::Prevalence(it) => table(&it.groups),
        _ => Err(wrong_kind("batch-norm")),
    }
}

/// One row a group.
fn table(groups: &[DirectionGroup]) -> Result<()> {
    let none = || "–".to_string();
    let row = |group: &DirectionGroup| {
        let best = group.best().and_then(|row| row.certificate);
        vec![
            group.name.clone(),
            group.directions.len().to_string(),
            group.count(Verdict::Asymmetric).to_string(),
            group.count(Verdict::Undecided).to_string(),
            group.share.map_or_else(none, |it| format!("{} to {}", number(it.low), number(it.high))),
            group.draws_to_first().map_or_else(none, |draws| draws.to_string()),
            group.mean_cosine.map_or_else(none, number),
            best.map_or_else(none, |found| words::four_numbers(&found)),
        ]
    };
    let header =
        ["directions", "tried", "asymmetric", "undecided", "share (95 %)", "first", "cosine", "best (r̄, r̲, p, c)"];
    output::table(&header, &groups.iter().map(row).collect::<Vec<_>>())
}
