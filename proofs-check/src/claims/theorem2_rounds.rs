//! (C): the expected average of a prepared round, and how long a round is.

use proptest::prelude::*;
use valleys_sim::progress::Observer;
use valleys_sim::theorem2::ProcessHypothesis::{
    BoundedNoise, FlatStart, PreparedRound, SlopesWithinBounds, ZeroMeanNoise,
};
use valleys_sim::theorem2::{Statement, per_round::PerRound};
use valleys_sim::{Error, Result, Seed};

use super::theorem2_common::hypotheses;
use super::theorem2_rounds_needs::{length_weakenings, round_weakenings};
use crate::exact::{Lattice, Normalisation, RoundLaw, round_law, worst_round};
use crate::strategy::theorem2::{SettingCase, WalkCase, walk_case};
use crate::trial::{beyond_rounding, for_all, for_all_shown};
use crate::{Assumption, Claim, Effort, Evidence, Standing};

pub(super) fn claims() -> Vec<Claim> {
    let process = [ZeroMeanNoise, BoundedNoise, SlopesWithinBounds, PreparedRound];
    let any_round: Vec<Assumption> =
        [ZeroMeanNoise, BoundedNoise, SlopesWithinBounds, FlatStart].map(Assumption::Process).into();
    vec![
        Claim {
            id: "theorem2-per-round",
            source: "corrected",
            words: "(C) Every prepared round has a positive expected average, at least c₀, which does not depend on b₋",
            formula: "E[w̄ | start] ≥ c₀ = (Q(w_min) − θ)/(1 + (w_min + θ)/β) > 0, Q(w) = max(w, w(w + D)/(2D))",
            hypotheses: hypotheses(Statement::PerRound, &process),
            standing: Standing::Proved { proofs: &["PerRound.per_round", "PerRound.per_round_limit"] },
            weakenings: round_weakenings(),
            examination: Box::new(|effort, seed, observer| examine(Statement::PerRound, effort, seed, observer)),
        },
        Claim {
            id: "theorem2-per-round-as-printed",
            source: "corrected, with the printed normalisation",
            words: "(C) for the printed average, which divides the T + 1 terms of a round by T",
            formula: "E[(w₀ + … + w_T)/T | start] ≥ (Q(w_min) − θ)β/(w_min + θ) > 0",
            hypotheses: hypotheses(Statement::PerRound, &process),
            standing: Standing::Tested,
            weakenings: Vec::new(),
            examination: Box::new(|effort, seed, observer| {
                let cases = effort.cases().div_ceil(2);
                let worst = against_worst_rounds(Normalisation::AsPrinted, &as_printed, cases, seed, observer)?;
                Ok(printed_normalisation(Statement::PerRound, effort, seed, observer)?.and(worst))
            }),
        },
        Claim {
            id: "theorem2-round-length",
            source: "corrected",
            words: "A round is short in the mean, N being the number of iterates from any w₀ ≥ 0 up to and with the first sharp one",
            formula: "E[N | start] ≤ 1 + (w₀ + θ)/β",
            hypotheses: any_round.clone(),
            standing: Standing::Proved { proofs: &["RoundLength.expected_round_length"] },
            weakenings: length_weakenings(),
            examination: Box::new(|effort, seed, observer| {
                on_rounds(Statement::Pathwise, effort, seed, observer, &|lattice, start, law| {
                    Ok(length_bound(lattice, start) - law.length)
                })
                .and_then(|evidence| Ok(evidence.and(slowest(effort, seed, observer, 1.0)?)))
            }),
        },
        Claim {
            id: "theorem2-rounds-end",
            source: "corrected",
            words: "Every round ends with probability 1",
            formula: "P(T > n | start) ≤ (w₀ + θ)/(β(n + 1)) → 0",
            hypotheses: any_round,
            standing: Standing::Proved { proofs: &["RoundLength.unfinished_round", "RoundLength.round_ends"] },
            weakenings: Vec::new(),
            examination: Box::new(|effort, seed, observer| {
                on_rounds(Statement::Pathwise, effort, seed, observer, &|lattice, start, law| {
                    Ok(smallest_tail_slack(lattice, start, law, 1.0))
                })
            }),
        },
    ]
}

/// What holds of the law of a round from a start: the slack, in units of a₊.
type RoundSlack<'a> = &'a dyn Fn(&Lattice, i64, &RoundLaw<f64>) -> Result<f64>;

/// Steps followed, and nodes kept.
const STEPS: usize = 40;
const NODES: usize = 1_000;

/// The exact law of rounds of random processes.
pub(super) fn on_rounds(
    statement: Statement,
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
    slack: RoundSlack<'_>,
) -> Result<Evidence> {
    let cases = walk_case().prop_map(move |mut case| {
        if statement == Statement::Printed {
            case.setting = case.setting.with_noise_within_flat_slope();
        }
        case
    });
    let slack = |case: &WalkCase| {
        let walk = case.walk(statement)?;
        let start = walk.lattice.lowest_start() + case.start;
        let law = round_law(&walk, walk.at(start), STEPS, NODES);
        Ok(beyond_rounding(slack(&walk.lattice, start, &law)?, 0.0, 1.0))
    };
    let show = |case: &WalkCase, slack: f64| {
        let walk = case.walk(statement)?;
        Ok(format!("{} The slack is {slack:.4}", walk.shown(walk.lattice.lowest_start() + case.start)))
    };
    let method = "random processes that remember their past, exact for up to 40 steps";
    for_all_shown(&cases, effort.cases(), seed, observer, method, slack, show)
}

/// (C) on random processes and against the worst of all adversaries.
pub(super) fn examine(statement: Statement, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let random = on_rounds(statement, effort, seed, observer, &|lattice, start, law| {
        Ok((law.average - average(lattice, start, horizon(law))?) / lattice.a_plus as f64)
    })?;
    let cases = effort.cases().div_ceil(2);
    Ok(random.and(against_worst_rounds(Normalisation::Iterates, &average, cases, seed.child("worst", 0), observer)?))
}

/// The printed normalisation on random processes: at least the bound of (C) for it.
pub(super) fn printed_normalisation(
    statement: Statement,
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<Evidence> {
    on_rounds(statement, effort, seed.child("as printed", 0), observer, &|lattice, start, law| {
        Ok((law.average_as_printed - as_printed(lattice, start, horizon(law))?) / lattice.a_plus as f64)
    })
}

/// A bound below the expected average of a round from a start, in cells: of every round, or with 0 for those that are not over
/// within some steps.
pub(super) type AverageBound<'a> = &'a dyn Fn(&Lattice, i64, Option<u32>) -> Result<f64>;

/// The bound of (C).
pub(super) fn average(lattice: &Lattice, start: i64, steps: Option<u32>) -> Result<f64> {
    let bound = PerRound::of(&lattice.setting()?)?;
    Ok(steps.map_or(bound.average(start as f64), |steps| bound.average_within(start as f64, steps)))
}

/// The steps within which rounds were followed, if they are not all over.
pub(super) fn horizon<N>(law: &RoundLaw<N>) -> Option<u32> {
    (!law.is_over).then_some(law.steps as u32)
}

/// Random settings and starts on coarse lattices against every adversary, for 12 steps.
pub(super) fn against_worst_rounds(
    normalisation: Normalisation,
    bound: AverageBound<'_>,
    cases: u32,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<Evidence> {
    const STEPS: u32 = 12;
    let settings = (0..=1_u32, 0..=1_i64, 0..=3_i64, prop_oneof![2 => Just(0), 1 => 1..=2_i64], 0..=1_i64);
    let settings = settings.prop_map(|(log_a_plus, b_below, nu, excess, start)| {
        // ν ≤ 3 cells, and ≤ 2 where a₊ is one cell: the search grows with its square.
        let nu = if log_a_plus == 0 { nu.min(2) } else { nu };
        (SettingCase { log_a_plus, b_below, nu, excess, steeper: 0 }, start)
    });
    let method = "settings and starts against every adversary on a coarse lattice, 12 steps";
    let evidence = for_all(&settings, cases, seed, observer, method, |&(case, start)| {
        let lattice = case.lattice(Statement::PerRound)?;
        let start = lattice.lowest_start() + start;
        let worst = worst_round(&lattice, start, STEPS, normalisation);
        // Without noise every round ends after as many steps as b₊ goes into the start, and two.
        let is_over = lattice.nu == 0 && start / lattice.b_plus + 2 <= i64::from(STEPS);
        let steps = (!is_over).then_some(STEPS);
        Ok(beyond_rounding(worst, bound(&lattice, start, steps)?, lattice.a_plus as f64))
    })?;
    Ok(evidence.adversarial())
}

/// (Q − θ)(1/X − 1/(n + 1)) with X = (w + θ)/β, the bound with the printed normalisation for rounds over within n steps.
fn as_printed(lattice: &Lattice, start: i64, steps: Option<u32>) -> Result<f64> {
    let gain = flat_sum(lattice, start as f64) - lattice.overshoot() as f64;
    Ok(gain * (1.0 / (length_bound(lattice, start) - 1.0) - lost(steps)))
}

/// 1/(n + 1), what is lost of a bound if rounds longer than n steps count 0.
fn lost(steps: Option<u32>) -> f64 {
    steps.map_or(0.0, |steps| 1.0 / (f64::from(steps) + 1.0))
}

/// Q(w).
pub(super) fn flat_sum(lattice: &Lattice, w: f64) -> f64 {
    let reach = lattice.reach() as f64;
    w.max(w * (w + reach) / (2.0 * reach))
}

/// 1 + (w₀ + θ)/β.
pub(super) fn length_bound(lattice: &Lattice, start: i64) -> f64 {
    1.0 + (start + lattice.overshoot()) as f64 / lattice.b_plus as f64
}

/// The smallest slack of P(T > n) ≤ `factor`·(w₀ + θ)/(β(n + 1)).
pub(super) fn smallest_tail_slack(lattice: &Lattice, start: i64, law: &RoundLaw<f64>, factor: f64) -> f64 {
    let mean = factor * (length_bound(lattice, start) - 1.0);
    let slack = |(n, &tail): (usize, &f64)| mean / (n as f64 + 1.0) - tail;
    law.unfinished.iter().enumerate().map(slack).fold(f64::INFINITY, f64::min)
}

/// Processes that come close to the bound on the length, `factor` times as large: for ν ≤ a₊/2 fall by b₊ = a₊ at every step,
/// for more noise let b₊ = ν and the noise stay at 0 or leap from there to −2ν.
pub(super) fn slowest(effort: Effort, seed: Seed, observer: &dyn Observer, factor: f64) -> Result<Evidence> {
    use crate::exact::{Chain, Place, Ratio};
    let cases = (0..=6_i64, any::<bool>());
    let method = "the slowest processes known, up to 200 steps";
    let evidence =
        for_all(&cases, effort.cases().div_ceil(4), seed.child("slowest", 0), observer, method, |&(height, noisy)| {
            let (one, half) = (Ratio::ONE, Ratio::new(1, 2));
            let mut places = vec![Place { point: 0, slope: 2, next: vec![(half, 0), (half, 1)] }];
            if !noisy {
                places[0].next = vec![(one, 1)];
            }
            let (low, after) = if noisy { (-4, 0) } else { (-2, 2) };
            places.push(Place { point: low, slope: -4, next: vec![(one, after)] });
            // Down from 2·height by 2 cells a step; the place before number 2 is 0.
            let down =
                |k: i64| Place { point: 2 * k, slope: 2, next: vec![(one, if k == 1 { 0 } else { k as usize })] };
            places.extend((1..=height.max(1)).map(down));
            let chain = Chain { lattice: Lattice::new(2, 2, 4, if noisy { 2 } else { 0 }), places };
            if !chain.violations().is_empty() {
                return Err(Error::domain("slowest process", chain, "within its bounds"));
            }
            let start = if height == 0 { 0 } else { height as usize + 1 };
            let law = round_law::<_, f64>(&chain, start, 200, 1_000);
            let bound = 1.0 + factor * (length_bound(&chain.lattice, 2 * height) - 1.0);
            Ok(beyond_rounding(bound, law.length, 1.0))
        })?;
    Ok(evidence.adversarial())
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    use super::theorem2_common::mutant;
    /// (`q`·Q − `t`·θ)(1/X − 1/(n + 1)) with X = `one` + (`w`·w + θ)/(`beta`·β).
    fn changed(lattice: &Lattice, start: i64, steps: Option<u32>, [q, t, one, w, beta]: [f64; 5]) -> f64 {
        let theta = lattice.overshoot() as f64;
        let gain = q * flat_sum(lattice, start as f64) - t * theta;
        let length = one + (w * start as f64 + theta) / (beta * lattice.b_plus as f64);
        gain * (1.0 / length - lost(steps))
    }
    let averages: [(&'static str, [f64; 5]); 5] = [
        ("per-round-larger-flat-sum", [1.05, 1.0, 1.0, 1.0, 1.0]),
        ("per-round-smaller-overshoot", [1.0, 0.95, 1.0, 1.0, 1.0]),
        ("per-round-one-iterate-less", [1.0, 1.0, 0.9, 1.0, 1.0]),
        ("per-round-shorter-by-start", [1.0, 1.0, 1.0, 0.95, 1.0]),
        ("per-round-faster-descent", [1.0, 1.0, 1.0, 1.0, 1.05]),
    ];
    let of_average = |(id, numbers): (&'static str, [f64; 5])| {
        mutant(id, "(C) with another number", move |effort, seed, observer| {
            let bound =
                move |lattice: &Lattice, start: i64, steps: Option<u32>| Ok(changed(lattice, start, steps, numbers));
            against_worst_rounds(Normalisation::Iterates, &bound, effort.cases().div_ceil(2), seed, observer)
        })
    };
    let mut mutants: Vec<Claim> = averages.into_iter().map(of_average).collect();
    mutants.push(mutant(
        "per-round-larger-as-printed",
        "(C) for the printed average, larger by a twentieth",
        |effort, seed, observer| {
            let bound =
                |lattice: &Lattice, start: i64, steps: Option<u32>| Ok(1.05 * as_printed(lattice, start, steps)?);
            against_worst_rounds(Normalisation::AsPrinted, &bound, effort.cases().div_ceil(2), seed, observer)
        },
    ));
    mutants.push(mutant("round-length-shorter", "E[N] ≤ 1 + 0.95(w₀ + θ)/β", |effort, seed, observer| {
        slowest(effort, seed, observer, 0.95)
    }));
    mutants.push(mutant("rounds-end-faster", "P(T > n) ≤ 0.95(w₀ + θ)/(β(n + 1))", |effort, seed, observer| {
        on_rounds(Statement::Pathwise, effort, seed, observer, &|lattice, start, law| {
            Ok(smallest_tail_slack(lattice, start, law, 0.95))
        })
    }));
    mutants
}
