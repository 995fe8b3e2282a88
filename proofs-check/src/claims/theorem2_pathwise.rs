//! (P): the sum of a prepared round, on every path.

use proptest::prelude::*;
use valleys_sim::progress::Observer;
use valleys_sim::theorem2::ProcessHypothesis::{BoundedNoise, PreparedRound, SlopesWithinBounds};
use valleys_sim::theorem2::{Hypothesis, Statement, pathwise};
use valleys_sim::{Result, Seed};

use super::theorem2_common::hypotheses;
use super::theorem2_pathwise_needs::{pathwise_weakenings, positive_weakenings};
use crate::exact::{self, Lattice, round_law};
use crate::strategy::theorem2::{SettingCase, WalkCase, biased_walk_case, setting_case};
use crate::trial::{beyond_rounding, for_all, for_all_shown};
use crate::{Assumption, Claim, Effort, Evidence, Standing};

pub(super) fn claims() -> Vec<Claim> {
    let process = [BoundedNoise, SlopesWithinBounds, PreparedRound];
    let positive: Vec<Assumption> =
        [Assumption::Theorem2(Hypothesis::PathwiseGain)].into_iter().chain(process.map(Assumption::Process)).collect();
    vec![
        Claim {
            id: "theorem2-pathwise",
            source: "corrected",
            words: "(P) On every path, whatever the mean of the noise: a prepared round starts at w_min or above, has exactly \
                    one sharp iterate, and its sum is bounded",
            formula: "w₀ + … + w_T ≥ D((n + 1)(m − n/2) − 1) with m = w₀/D, n = ⌊m⌋",
            hypotheses: hypotheses(Statement::Pathwise, &process),
            standing: Standing::Proved { proofs: &["Pathwise.pathwise_sum", "Pathwise.one_sharp_iterate"] },
            weakenings: pathwise_weakenings(),
            examination: Box::new(|effort, seed, observer| {
                let paths = on_paths(effort, seed, observer, &|lattice, start| bound(lattice, start))?;
                Ok(paths.and(on_worst_paths(effort, seed, observer, &|lattice, start| bound(lattice, start))?))
            }),
        },
        Claim {
            id: "theorem2-pathwise-positive",
            source: "corrected",
            words: "(P) On every path, whatever the mean of the noise, every prepared round has a positive average",
            formula: "(c − 2)a₊ > 3ν ⇒ w₀ + … + w_T > 0",
            hypotheses: positive,
            standing: Standing::Proved { proofs: &["Pathwise.prepared_rounds_positive"] },
            weakenings: positive_weakenings(),
            examination: Box::new(|effort, seed, observer| positive_on_worst_paths(1, effort, seed, observer)),
        },
        Claim {
            id: "theorem2-pathwise-sharp",
            source: "corrected",
            words: "(P) is sharp: from every w₀ ≥ 0 some path of falls of at most D has just this sum, which is above 0 if and \
                    only if w₀ > D; and where (c − 2)a₊ ≤ 3ν and (c − 1)a₊ ≥ b₊ + ν some prepared round of SGD, (w_min, 0, −D), \
                    has a sum ≤ 0",
            formula: "inf (w₀ + … + w_T) = D((n + 1)(m − n/2) − 1)",
            hypotheses: hypotheses(Statement::Pathwise, &[BoundedNoise, SlopesWithinBounds, PreparedRound]),
            standing: Standing::Proved {
                proofs: &[
                    "Pathwise.pathwise_bound_attained",
                    "Pathwise.pathwise_positive_iff",
                    "PathwiseSharp.pathwise_threshold_sharp",
                ],
            },
            weakenings: Vec::new(),
            examination: Box::new(|effort, seed, observer| {
                Ok(attained(effort, seed, observer)?.and(below(effort, seed, observer)?))
            }),
        },
    ]
}

/// The bound of (P) from a start, in cells.
pub(super) fn bound(lattice: &Lattice, start: i64) -> Result<f64> {
    Ok(pathwise::smallest_sum(&lattice.setting()?, start as f64)?)
}

type Bound<'a> = &'a dyn Fn(&Lattice, i64) -> Result<f64>;

/// Every path of random processes, of which half have noise with a mean.
pub(super) fn on_paths(effort: Effort, seed: Seed, observer: &dyn Observer, bound: Bound<'_>) -> Result<Evidence> {
    let slack = |case: &WalkCase| path_slack(case, case.setting.lattice(Statement::Pathwise)?, bound);
    let show = |case: &WalkCase, slack: f64| {
        let walk = case.walk(Statement::Pathwise)?;
        let start = walk.lattice.lowest_start() + case.start;
        Ok(format!("{} The slack is {slack:.4}", walk.shown(start)))
    };
    let method = "every path of random processes that remember their past, noise with and without a mean, 16 steps";
    for_all_shown(&biased_walk_case(), effort.cases(), seed, observer, method, slack, show)
}

/// How far the paths of a process stay above a bound, in units of D; −1 if a round starts below w_min.
pub(super) fn path_slack(case: &WalkCase, lattice: Lattice, bound: Bound<'_>) -> Result<f64> {
    let walk = case.walk_in(lattice);
    let start = lattice.lowest_start() + case.start;
    let law = round_law::<_, f64>(&walk, walk.at(start), 16, 600);
    if law.lowest_next.is_some_and(|next| next < lattice.lowest_start()) {
        return Ok(-1.0);
    }
    let Some(sum) = law.smallest_sum else { return Ok(f64::INFINITY) };
    Ok(beyond_rounding(sum as f64, bound(&lattice, start)?, lattice.reach() as f64))
}

/// The worst of all paths from random starts, by dynamic programming.
pub(super) fn on_worst_paths(
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
    bound: Bound<'_>,
) -> Result<Evidence> {
    let slack = |&(case, start): &(SettingCase, i64)| {
        let lattice = case.lattice(Statement::Pathwise)?;
        let start = lattice.lowest_start() + start;
        let smallest = exact::smallest_sum(&lattice, start) as f64;
        Ok(beyond_rounding(smallest, bound(&lattice, start)?, lattice.reach() as f64))
    };
    let cases = (setting_case(), 0..=12_i64);
    let method = "settings and starts against the worst of all paths";
    Ok(for_all(&cases, effort.cases(), seed.child("worst", 0), observer, method, slack)?.adversarial())
}

/// The sign of the worst of all prepared rounds, where c·a₊ exceeds 2a₊ + 3ν by at least `above` cells.
pub(super) fn positive_on_worst_paths(
    above: i64,
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<Evidence> {
    let slack = |&(case, start): &(SettingCase, i64)| {
        let Lattice { a_plus, b_plus, nu, .. } = case.lattice(Statement::Pathwise)?;
        let lattice = Lattice::new(a_plus, b_plus, 2 * a_plus + 3 * nu + above + case.excess, nu);
        let smallest = exact::smallest_sum(&lattice, lattice.lowest_start() + start);
        Ok((smallest as f64 - 0.5) / lattice.reach() as f64)
    };
    let cases = (setting_case(), 0..=12_i64);
    let method = "settings and starts against the worst of all paths; whole sums count as positive from 1 on, less ½";
    Ok(for_all(&cases, effort.cases(), seed, observer, method, slack)?.adversarial())
}

/// For ν ≥ b₊ every height is left for every lower one within D: the worst path has exactly the bound for its sum.
fn attained(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let cases =
        (setting_case(), 0..=12_i64).prop_map(|(case, start)| (SettingCase { nu: case.nu.max(1), ..case }, start));
    let method = "settings and starts with ν ≥ b₊, the bound against the worst of all paths";
    for_all(&cases, effort.cases(), seed, observer, method, |&(case, start)| {
        let mut lattice = case.lattice(Statement::Pathwise)?;
        lattice.b_plus = lattice.b_plus.min(lattice.nu);
        let start = lattice.lowest_start() + start;
        let smallest = exact::smallest_sum(&lattice, start) as f64;
        if (smallest > 0.0) != (start > lattice.reach()) {
            return Ok(-1.0);
        }
        Ok(beyond_rounding(bound(&lattice, start)?, smallest, lattice.reach() as f64))
    })
}

/// One cell below (c − 2)a₊ > 3ν a round starts one cell below D, goes to 0 and to −D, if its first fall is possible.
fn below(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let method = "settings just below (c − 2)a₊ > 3ν: the worst of all paths is at most −½ cell";
    for_all(&setting_case(), effort.cases(), seed.child("below", 0), observer, method, |&case| {
        let Lattice { a_plus, b_plus, nu, .. } = case.lattice(Statement::Pathwise)?;
        // A fall of D less one cell has to be possible, and so has a start there: on finer cells it is.
        let fine = |cells: i64| 4 * cells;
        if b_plus == a_plus && nu == 0 {
            return Ok(f64::INFINITY);
        }
        let lattice = Lattice::new(fine(a_plus), fine(b_plus), fine(2 * a_plus + 3 * nu) - 1, fine(nu));
        Statement::Pathwise.check(&lattice.setting()?)?;
        let smallest = exact::smallest_sum(&lattice, lattice.lowest_start());
        Ok((-smallest as f64 - 0.5) / lattice.reach() as f64)
    })
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    use super::theorem2_common::mutant;
    /// The bound with other numbers: D·((n + `a`)(m − n/`b`) − `last`), D = a₊ + `k`ν.
    fn changed(lattice: &Lattice, start: i64, [a, b, last, k]: [f64; 4]) -> Result<f64> {
        let reach = lattice.a_plus as f64 + k * lattice.nu as f64;
        let m = start as f64 / reach;
        let n = m.floor();
        Ok(reach * ((n + a) * (m - n / b) - last))
    }
    let bounds: [(&'static str, [f64; 4]); 4] = [
        ("pathwise-one-more-term", [1.05, 2.0, 1.0, 1.0]),
        ("pathwise-half-of-n", [1.0, 2.1, 1.0, 1.0]),
        ("pathwise-shallower-end", [1.0, 2.0, 0.95, 1.0]),
        ("pathwise-reach-with-less-noise", [1.0, 2.0, 1.0, 0.9]),
    ];
    let of_bound = |(id, numbers): (&'static str, [f64; 4])| {
        mutant(id, "(P) with another bound", move |effort, seed, observer| {
            on_worst_paths(effort, seed, observer, &move |lattice, start| changed(lattice, start, numbers))
        })
    };
    let starts = |id, words, change: fn(&mut Lattice)| {
        // The lowest iterate after a sharp one, against a w_min or a hypothesis that is not the theorem's.
        mutant(id, words, move |effort, seed, observer| {
            for_all(&biased_walk_case(), effort.cases(), seed, observer, "processes", |case| {
                let mut lattice = case.setting.lattice(Statement::Pathwise)?;
                let start = lattice.lowest_start() + case.start;
                change(&mut lattice);
                let walk = case.walk_in(lattice);
                let law = round_law::<_, f64>(&walk, walk.at(start), 12, 300);
                Ok(if law.lowest_next.is_some_and(|next| next < lattice.lowest_start().max(0)) { -1.0 } else { 1.0 })
            })
        })
    };
    let mut mutants: Vec<Claim> = bounds.into_iter().map(of_bound).collect();
    mutants.push(starts("pathwise-one-cell-less-asymmetry", "(P) for (c − 1)a₊ < 2ν by one cell", |lattice| {
        lattice.sharp = lattice.a_plus + 2 * lattice.nu - 1;
        lattice.steepest = lattice.sharp;
    }));
    mutants.push(mutant("pathwise-higher-start", "(P) with w_min one cell higher", |effort, seed, observer| {
        for_all(&biased_walk_case(), effort.cases(), seed, observer, "processes", |case| {
            let walk = case.walk(Statement::Pathwise)?;
            let lowest = walk.lattice.lowest_start();
            let law = round_law::<_, f64>(&walk, walk.at(lowest + case.start), 12, 300);
            Ok(law.lowest_next.map_or(1.0, |next| (next - lowest) as f64 - 0.5))
        })
    }));
    mutants.push(mutant(
        "pathwise-positive-at-equality",
        "(P)'s sign for (c − 2)a₊ ≥ 3ν",
        |effort, seed, observer| positive_on_worst_paths(0, effort, seed, observer),
    ));
    mutants
}
