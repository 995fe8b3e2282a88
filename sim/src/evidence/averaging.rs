//! Theorem 2, as corrected, on the steps of SGD projected on a direction (HD, Section 5.2).

use super::met;
use crate::Result;
use crate::asymmetry::SlopeBounds;
use crate::record::{BoundRow, GradientNoise, HypothesisRow, Standing, StatementRow};
use crate::sgd::{Rounds, Setting, Visit};
use crate::theorem2::long_run::LongRun;
use crate::theorem2::pathwise::smallest_sum;
use crate::theorem2::per_round::PerRound;
use crate::theorem2::visited::check;
use crate::theorem2::{ProcessHypothesis, Scales, Statement};

/// SGD along the direction to the flat side.
#[derive(Debug, Clone, Copy)]
pub struct Sgd<'a> {
    /// η, the learning rate.
    pub eta: f64,
    /// b±, a±: the slopes on the lines measured.
    pub slopes: SlopeBounds,
    /// The law of the gradient noise along the direction, with its ν.
    pub noise: &'a GradientNoise,
    /// The steps visited: ⟨w_t − w*, u⟩ with the full gradient and the noise along u, in order; empty if they were not
    /// measured.
    pub visits: &'a [Visit],
    /// ⟨w̄ − w*, u⟩ of the averaged solution; without it the mean of the visits is taken.
    pub averaged: Option<f64>,
}

/// What the visits show.
struct Path {
    /// The smallest sum and the mean average of the prepared rounds.
    prepared: Option<(f64, f64)>,
    rounds: usize,
    prepared_rounds: usize,
    mean: Option<f64>,
}

pub(super) fn statements(sgd: &Sgd) -> Result<Vec<StatementRow>> {
    const STATEMENTS: [(Statement, &str, &[ProcessHypothesis]); 3] = {
        use ProcessHypothesis::*;
        [
            (
                Statement::Pathwise,
                "Theorem 2, corrected (P)",
                &[BoundedNoise, SlopesWithinBounds, PreparedRound, SameHyperplane],
            ),
            (
                Statement::PerRound,
                "Theorem 2, corrected (C)",
                &[BoundedNoise, ZeroMeanNoise, SlopesWithinBounds, PreparedRound, SameHyperplane],
            ),
            (
                Statement::LongRun,
                "Theorem 2, corrected (L)",
                &[BoundedNoise, ZeroMeanNoise, SlopesWithinBounds, StartAboveMinusD, SameHyperplane],
            ),
        ]
    };
    crate::error::positive("learning rate η", sgd.eta)?;
    let setting = sgd.slopes.valley().and_then(|valley| Setting::new(valley, sgd.eta, sgd.noise.nu));
    let path = setting.as_ref().ok().map(|setting| Path::of(sgd, setting));
    let statement = |(statement, name, process): (Statement, &str, &[ProcessHypothesis])| {
        let valley = HypothesisRow::new(
            format_args!("Valley"),
            "0 < b₊ ≤ a₊, c > 1, b₋ ≤ −c·a₊",
            met(setting.is_ok()),
            setting.as_ref().map_or_else(ToString::to_string, |_| shown(&sgd.slopes)),
        );
        let (Ok(setting), Some(path)) = (&setting, &path) else {
            let open = process.iter().map(|&it| noise_row(sgd, it).unwrap_or_else(|| open(it)));
            return StatementRow::new(name, [valley].into_iter().chain(open).collect(), Vec::new());
        };
        let of_setting = statement.hypotheses().iter().map(|it| {
            let seen = it.check(setting);
            let because = seen.as_ref().map_or_else(ToString::to_string, |()| "by the numbers measured".into());
            HypothesisRow::new(it, it.wording(), met(seen.is_ok()), because)
        });
        let of_process = process.iter().map(|&it| process_row(sgd, setting, path, it));
        let rows = [valley].into_iter().chain(of_setting).chain(of_process).collect();
        StatementRow::new(name, rows, bounds(statement, setting, path, sgd.averaged))
    };
    Ok(STATEMENTS.map(statement).into())
}

impl Path {
    fn of(sgd: &Sgd, setting: &Setting) -> Self {
        let reach = Scales::of(setting).reach;
        let mut cutter = Rounds::new();
        let rounds: Vec<_> = sgd.visits.iter().filter_map(|visit| cutter.push(visit.point)).collect();
        let prepared: Vec<_> = rounds.iter().filter(|round| round.is_prepared(reach)).collect();
        let count = prepared.len();
        let smallest = prepared.iter().map(|round| round.sum).reduce(f64::min);
        let steps = sgd.visits.len();
        Self {
            prepared: smallest
                .map(|smallest| (smallest, prepared.iter().map(|round| round.mean()).sum::<f64>() / count as f64)),
            rounds: rounds.len(),
            prepared_rounds: count,
            mean: (steps > 0).then(|| sgd.visits.iter().map(|visit| visit.point).sum::<f64>() / steps as f64),
        }
    }
}

fn process_row(sgd: &Sgd, setting: &Setting, path: &Path, hypothesis: ProcessHypothesis) -> HypothesisRow {
    let row = |standing, because: String| HypothesisRow::new(hypothesis, hypothesis.wording(), standing, because);
    match (hypothesis, sgd.visits.first()) {
        (ProcessHypothesis::SlopesWithinBounds, Some(_)) => {
            // The noise has a row of its own.
            let slopes: Vec<Visit> = sgd.visits.iter().map(|visit| Visit { noise: 0.0, ..*visit }).collect();
            match check(setting, &slopes) {
                Ok(()) => row(Standing::Met, format!("at all {} steps visited", slopes.len())),
                Err(departure) => row(Standing::NotMet, departure.to_string()),
            }
        }
        (ProcessHypothesis::PreparedRound, Some(_)) if path.rounds > 0 => {
            let because = format!("{} of {} rounds are prepared", path.prepared_rounds, path.rounds);
            row(met(path.prepared_rounds > 0), because)
        }
        (ProcessHypothesis::StartAboveMinusD, Some(first)) => {
            let lowest = -Scales::of(setting).reach;
            row(met(first.point >= lowest), format!("the first iterate is {}, −D is {lowest}", first.point))
        }
        _ => noise_row(sgd, hypothesis).unwrap_or_else(|| open(hypothesis)),
    }
}

/// The row of a hypothesis on the noise, as its law has it.
fn noise_row(sgd: &Sgd, hypothesis: ProcessHypothesis) -> Option<HypothesisRow> {
    let name = format!("{hypothesis:?}");
    sgd.noise.hypotheses.iter().find(|row| row.name == name).cloned()
}

fn open(hypothesis: ProcessHypothesis) -> HypothesisRow {
    HypothesisRow::new(hypothesis, hypothesis.wording(), Standing::NotMeasured, "nothing measured decides it")
}

fn shown(slopes: &SlopeBounds) -> String {
    let SlopeBounds { b_plus, a_plus, a_minus, b_minus } = slopes;
    format!("b₊ = {b_plus}, a₊ = {a_plus}, a₋ = {a_minus}, b₋ = {b_minus}")
}

/// What the statement promises in the setting, if its hypotheses on the setting hold.
fn bounds(statement: Statement, setting: &Setting, path: &Path, averaged: Option<f64>) -> Vec<BoundRow> {
    let (quantity, bound, observed) = match statement {
        Statement::Pathwise => (
            "the sum of a prepared round",
            smallest_sum(setting, Scales::of(setting).lowest_start).ok(),
            path.prepared.map(|(smallest, _)| smallest),
        ),
        Statement::PerRound => {
            ("E[w̄ | start]", PerRound::of(setting).ok().map(|it| it.c0()), path.prepared.map(|(_, mean)| mean))
        }
        _ => {
            ("ρ, below the mean of all iterates", LongRun::of(setting).ok().map(|it| it.rate()), averaged.or(path.mean))
        }
    };
    bound.map(|bound| BoundRow { quantity: quantity.into(), bound, observed }).into_iter().collect()
}
