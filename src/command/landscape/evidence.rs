//! The theorems held against lines of a network: the law of the shift, solutions moved, hypotheses and bounds.

use valleys_figures::words::{self, number};
use valleys_harness::landscape::Probe;
use valleys_harness::landscape::direction::Law;
use valleys_harness::landscape::intervention::{self, Plan};
use valleys_harness::landscape::neighbourhood::Ball;
use valleys_harness::landscape::shift_law::{self, Pool};
use valleys_harness::landscape::theory::{self, Beside};
use valleys_sim::assumption1::Splits;
use valleys_sim::estimate::Confidence;
use valleys_sim::record::Record;

use super::gradients::{Steps, walked};
use super::through::{ball, centre};
use super::trained::{Solution, Trained, wrong};
use super::{direction, measured};
use crate::cli::evidence::{Intervention, ShiftLaw, Theory};
use crate::config::Experiment;
use crate::error::Result;
use crate::output::line as say;
use crate::session::{Session, wrong_kind};

pub(super) fn shift_law(options: &ShiftLaw) -> Result<()> {
    let law = direction(&options.direction)?;
    let (mut trained, solution, title) = centre(&options.source, &options.lines)?;
    trained.landscape.spec.keep_examples = true;
    let (index, splits) = (options.direction.index, splits(options.splits.count, &trained)?);
    let pool = if options.pooled { Pool::Together } else { Pool::Apart };
    let mut probe = trained.probe()?;
    let experiment = Experiment {
        solutions: vec![solution.identity.clone()],
        laws: vec![law.to_string()],
        index: Some(index),
        splits: Some(options.splits.count),
        pooled: Some(options.pooled),
        ..Experiment::of("shift-law")
    };
    let mut session = trained.begin(&options.source, "shift-law", experiment)?;
    shifts(&mut session, &trained, &mut probe, (&title, &solution), (&law, index), (pool, &splits))?;
    session.finish()
}

pub(super) fn splits(count: u32, trained: &Trained) -> Result<Splits> {
    Splits::new(count, Confidence::P95, trained.seed).map_err(|_| wrong("--splits", count, "at least 2"))
}

/// The step of [`shift_law()`].
pub(super) fn shifts(
    session: &mut Session,
    trained: &Trained,
    probe: &mut Probe,
    (title, solution): (&str, &Solution),
    (law, index): (&Law, u64),
    how: (Pool, &Splits),
) -> Result<()> {
    let (offsets, criteria) = (trained.landscape.offsets()?, trained.criteria());
    let record = measured(session, "shift-law", |store, observer| {
        let measure = (&offsets[..], &criteria, trained.seed);
        shift_law::shift_law(probe, &solution.weights, (title, law, index), measure, how, store, observer)
            .map(Record::ShiftLaw)
    })?;
    let Record::ShiftLaw(it) = record else { return Err(wrong_kind("shift-law")) };
    let (median, gap) = (number(it.delta_quantiles.q50), number(it.gap_quantiles.q50));
    let (q, low, high) = (number(it.q.estimate), number(it.q.low), number(it.q.high));
    say(format!("{} splits: median δ* {median}, median ξ {gap}, q = {q} ({low} to {high})", it.delta.len()))
}

pub(super) fn intervention(options: &Intervention) -> Result<()> {
    let law = direction(&options.direction)?;
    let mut trained = Trained::open(&options.source, options.extent)?;
    trained.landscape.spec.keep_examples = true;
    if options.step.is_some_and(|step| !(step > 0.0 && step <= trained.landscape.reach)) {
        let allowed = format!("> 0 and at most {}, the line's half-length", trained.landscape.reach);
        return Err(wrong("--step", options.step.unwrap_or(0.0), allowed));
    }
    let phases = trained.ends(&options.solutions.phases)?;
    let solutions = phases.iter().map(|phase| trained.solution(phase)).collect::<Result<Vec<Solution>>>()?;
    let plan = Plan { step: options.step, permuted: options.permuted, symmetric: options.symmetric };
    let index = options.direction.index;
    let mut probe = trained.probe()?;
    let experiment = Experiment {
        solutions: solutions.iter().map(|solution| solution.identity.clone()).collect(),
        laws: vec![law.to_string()],
        index: Some(index),
        step: plan.step,
        controls: vec![plan.permuted, plan.symmetric],
        ..Experiment::of("intervention")
    };
    let mut session = trained.begin(&options.source, "intervention", experiment)?;
    for (phase, solution) in phases.iter().zip(&solutions) {
        moves(&mut session, &trained, &mut probe, (phase, solution), (&law, index), &plan)?;
    }
    session.finish()
}

/// The step of [`intervention()`] for one solution.
pub(super) fn moves(
    session: &mut Session,
    trained: &Trained,
    probe: &mut Probe,
    (phase, solution): (&str, &Solution),
    (law, index): (&Law, u64),
    plan: &Plan,
) -> Result<()> {
    let (name, title) = (format!("intervention-{phase}"), format!("{}, {} solution", trained.title(), solution.name));
    let (offsets, criteria) = (trained.landscape.offsets()?, trained.criteria());
    let record = measured(session, &name, |store, observer| {
        let how = (&offsets[..], &criteria, trained.seed);
        intervention::intervention(probe, &solution.weights, (&title, law, index), how, plan, store, observer)
            .map(Record::Intervention)
    })?;
    let Record::Intervention(it) = record else { return Err(wrong_kind(&name)) };
    for row in &it.rows {
        let (gain, low, high) = (number(row.gain.estimate), number(row.gain.low), number(row.gain.high));
        let (step, moved) = (number(it.step), words::moved(row.kind));
        say(format!("{} moved by {step} {moved}: test loss falls by {gain} ({low} to {high})", solution.name))?;
    }
    Ok(())
}

pub(super) fn theory(options: &Theory) -> Result<()> {
    let law = direction(&options.direction)?;
    if options.centres == 1 {
        return Err(wrong("--centres", 1, "0, or at least 2"));
    }
    let ball = ball(options.ball, options.centres)?;
    let (mut trained, solution, title) = centre(&options.source, &options.lines)?;
    trained.landscape.spec.keep_examples = true;
    let phase = trained.phase("--solution", options.lines.centre.solution.as_deref(), -1)?;
    let (index, splits) = (options.direction.index, splits(options.splits.count, &trained)?);
    let images = ("--images", trained.landscape.spec.train_images);
    let steps = Steps::of(trained.recipe(), &phase, images, &options.minibatches)?;
    let mut probe = trained.probe()?;
    let experiment = Experiment {
        solutions: vec![solution.identity.clone()],
        laws: vec![law.to_string()],
        index: Some(index),
        draws: Some(options.centres),
        ball: Some(ball.radius),
        splits: Some(options.splits.count),
        steps: Some(options.minibatches.steps),
        moving: Some(options.minibatches.moving),
        ..Experiment::of("theory")
    };
    let mut session = trained.begin(&options.source, "theory", experiment)?;
    hold(
        &mut session,
        &trained,
        &mut probe,
        (&title, &solution),
        (&law, index),
        (&splits, (ball.draws > 0).then_some(ball), &steps),
    )?;
    session.finish()
}

/// The step of [`theory()`].
pub(super) fn hold(
    session: &mut Session,
    trained: &Trained,
    probe: &mut Probe,
    (title, solution): (&str, &Solution),
    (law, index): (&Law, u64),
    (splits, ball, steps): (&Splits, Option<Ball>, &Steps),
) -> Result<()> {
    let (offsets, criteria) = (trained.landscape.offsets()?, trained.criteria());
    let record = measured(session, "theory", |store, observer| {
        let how = (&offsets[..], &criteria, trained.seed);
        let u = law.draw(&solution.weights, trained.seed, index)?;
        let steps = walked(trained, &solution.weights, &u, steps, observer)?;
        let beside = Beside { splits, ball, steps: Some(&steps) };
        theory::theory(probe, &solution.weights, (title, law, index), how, beside, store, observer).map(Record::Theory)
    })?;
    let Record::Theory(it) = record else { return Err(wrong_kind("theory")) };
    for statement in &it.statements {
        say(format!("{}: {}", statement.statement, words::standing(statement.standing)))?;
        for bound in &statement.bounds {
            let seen = bound.observed.map_or_else(|| "not observed".to_string(), number);
            say(format!("  {} at least {}, seen {seen}", bound.quantity, number(bound.bound)))?;
        }
    }
    Ok(())
}
