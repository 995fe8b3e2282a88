//! (P) and (C): the sum and the expected average of a prepared round.

use proptest::prelude::*;
use valleys_sim::estimate::{Confidence, Moments};
use valleys_sim::progress::Observer;
use valleys_sim::sgd::{Gradient, Noise, Process, Rounds, Setting};
use valleys_sim::theorem2::{Scales, Statement, pathwise, per_round};
use valleys_sim::{Result, Seed};

use crate::exact;
use crate::strategy::theorem2::{BiasedNoise, ProcessCase, process_case};
use crate::trial::{beyond_rounding, for_all};
use crate::{Assumption, Claim, Effort, Evidence, Standing};

pub(super) fn claims() -> Vec<Claim> {
    let assume = |statement: Statement, conditions: &[&'static str]| -> Vec<Assumption> {
        let hypotheses = statement.hypotheses().iter().copied().map(Assumption::Theorem2);
        hypotheses.chain(conditions.iter().copied().map(Assumption::OfProcess)).collect()
    };
    vec![
        Claim {
            id: "theorem2-pathwise",
            source: "corrected",
            words: "(P) Every prepared round has one sharp iterate, starts at w₀ ≥ w_min, and sums up to at least",
            formula: "D((n + 1)(m − n/2) − 1) with m = w₀/D, n = ⌊m⌋",
            hypotheses: assume(Statement::Pathwise, &["noise of any mean, |ω| ≤ ν", "a prepared round"]),
            standing: Standing::Tested,
            weakenings: Vec::new(),
            examination: Box::new(examine_pathwise),
        },
        Claim {
            id: "theorem2-per-round",
            source: "corrected",
            words: "(C) Every prepared round has a positive expected average",
            formula: "E[w̄ | start] ≥ c₀ = (Q(w_min) − θ)/(1 + (w_min + θ)/β) > 0",
            hypotheses: assume(Statement::PerRound, &["noise of mean zero", "a prepared round"]),
            standing: Standing::Tested,
            weakenings: Vec::new(),
            examination: Box::new(|effort, seed, observer| {
                examine_rounds(per_round::threshold, 2.0, |_| Ok(()), effort, seed, observer)
            }),
        },
    ]
}

/// Steps in the chains of an examination.
const STEPS: usize = 2_000;

fn examine_pathwise(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let method = "random processes with noise of mean zero and with biased noise, every round of 2,000 steps";
    for_all(&process_case(), effort.cases(), seed, observer, method, |case| {
        let Process { setting, gradient, noise } = case.process(|nu| 1.0 + 2.0 * nu)?;
        let biased = Process { setting, gradient: gradient.clone(), noise: BiasedNoise(noise.clone()) };
        let unbiased = Process { setting, gradient, noise };
        Ok(smallest_excess(&biased, seed)?.min(smallest_excess(&unbiased, seed)?))
    })
}

/// The smallest excess of a prepared round's sum over its bound, in units of D an iterate; negative if a round starts below
/// w_min or has more than one sharp iterate, infinite if there is no round.
fn smallest_excess<G: Gradient, N: Noise>(process: &Process<G, N>, seed: Seed) -> Result<f64> {
    let scales = Scales::of(&process.setting);
    let mut rounds = Rounds::new();
    let mut least = f64::INFINITY;
    let points = process.chain(-scales.reach, seed.stream("chain", 0)).iterates(STEPS);
    for round in points.into_iter().filter_map(|w| rounds.push(w)).filter(|r| r.is_prepared(scales.reach)) {
        if round.sharp != 1 || beyond_rounding(round.start, scales.lowest_start, scales.reach) < 0.0 {
            return Ok(-1.0);
        }
        let bound = pathwise::smallest_sum(&process.setting, round.start)?;
        least = least.min(beyond_rounding(round.sum, bound, scales.reach * round.iterates as f64));
    }
    Ok(least)
}

/// (C) on random processes with c above `threshold`(ν) and ν ≤ `most_noise`: exactly, on trees of noise, and by simulation.
pub(super) fn examine_rounds(
    threshold: impl Fn(f64) -> f64 + Copy,
    most_noise: f64,
    admissible: impl Fn(&Setting) -> Result<()>,
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<Evidence> {
    let cases = process_case().prop_map(move |mut case| {
        case.setting.nu = case.setting.nu.min(most_noise);
        case
    });
    let exact =
        for_all(&cases, effort.cases(), seed, observer, "random processes, exact on trees of 12 steps", |case| {
            let process = case.process(threshold)?;
            admissible(&process.setting)?;
            let bound = per_round::PerRound::of(&process.setting)?;
            average_on_tree(case, &process, |start, steps| bound.average_within(start, steps))
        })?;
    let confidence = Confidence::P999.simultaneous(effort.cases() as usize)?;
    let method = "random processes, simulated, jointly at 99.9 %";
    let simulated = for_all(&cases, effort.cases(), seed.child("simulated", 0), observer, method, |case| {
        let process = case.process(threshold)?;
        let bound = per_round::PerRound::of(&process.setting)?;
        average_by_simulation(&process, |start| bound.average(start), confidence, seed)
    })?;
    Ok(exact.and(simulated))
}

/// The exact expectation of the average of a round that ends within 12 steps, over a bound, in units of ηa₊.
fn average_on_tree<G, N>(case: &ProcessCase, process: &Process<G, N>, bound: impl Fn(f64, u32) -> f64) -> Result<f64>
where
    G: Gradient,
    N: exact::TwoPointNoise,
{
    const DEPTH: u32 = 12;
    let scale = process.setting.eta() * process.setting.valley().a_plus();
    let start = Scales::of(&process.setting).lowest_start.max(0.0) + case.start * scale;
    Ok(beyond_rounding(exact::round_average(process, start, DEPTH), bound(start, DEPTH), scale))
}

/// The mean excess of simulated round averages over a bound, in units of ηa₊: the upper end of its interval.
fn average_by_simulation<G, N>(
    process: &Process<G, N>,
    bound: impl Fn(f64) -> f64,
    confidence: Confidence,
    seed: Seed,
) -> Result<f64>
where
    G: Gradient,
    N: Noise,
{
    let reach = Scales::of(&process.setting).reach;
    let mut chains = Moments::default();
    for k in 0..16 {
        let mut rounds = Rounds::new();
        let mut excess = Moments::default();
        for point in process.chain(-reach * (k as f64 + 0.5) / 16.0, seed.stream("chain", k)).iterates(STEPS) {
            if let Some(round) = rounds.push(point).filter(|round| round.is_prepared(reach)) {
                excess.push(round.mean() - bound(round.start));
            }
        }
        chains.push(excess.mean());
    }
    let scale = process.setting.eta() * process.setting.valley().a_plus();
    Ok(beyond_rounding(chains.student(confidence)?.high, 0.0, scale))
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    vec![Claim {
        id: "threshold-lower-by-half",
        source: "false on purpose",
        words: "(C) without a rate, for ν ≤ ½, from ½ below its threshold on",
        formula: "E[w̄ | start] ≥ 0 for c > 1½ + 2ν + θ",
        hypotheses: Vec::new(),
        standing: Standing::Tested,
        weakenings: Vec::new(),
        examination: Box::new(|effort, seed, observer| {
            for_all(&process_case(), effort.cases(), seed, observer, "processes", |case| {
                let mut case = case.clone();
                case.setting.nu = case.setting.nu.min(0.5);
                let process = case.process(|nu| per_round::threshold(nu) - 0.5)?;
                average_on_tree(&case, &process, |_, _| 0.0)
            })
        }),
    }]
}
