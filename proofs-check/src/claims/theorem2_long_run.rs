//! (L): the long-run average.

use proptest::prelude::*;
use valleys_sim::progress::Observer;
use valleys_sim::sgd::Setting;
use valleys_sim::theorem2::ProcessHypothesis::{BoundedNoise, SlopesWithinBounds, StartAboveMinusD, ZeroMeanNoise};
use valleys_sim::theorem2::adversary::worst_case;
use valleys_sim::theorem2::long_run::{self, LongRun};
use valleys_sim::theorem2::{ProcessHypothesis, Statement};
use valleys_sim::{Result, Seed};

use super::theorem2_common::hypotheses;
use super::theorem2_long_run_needs::{headline_weakenings, long_run_weakenings};
use crate::exact::{Lattice, sums, worst_sum};
use crate::strategy::theorem2::{SettingCase, WalkCase, walk_case};
use crate::trial::{beyond_rounding, for_all, for_all_shown};
use crate::{Claim, Effort, Evidence, Standing};

/// What (L) assumes of the process.
pub(super) const PROCESS: [ProcessHypothesis; 4] = [ZeroMeanNoise, BoundedNoise, SlopesWithinBounds, StartAboveMinusD];

pub(super) fn claims() -> Vec<Claim> {
    vec![
        Claim {
            id: "theorem2-long-run",
            source: "corrected",
            words: "(L) The average over all iterates is at least ρ in the long run, from every start w₀ ≥ −D",
            formula: "E[w₀ + … + w_(n−1)] ≥ ρn − C, ρ = min(β, (P(ηca₊ − θ) − θ)β/(ηca₊ + 2β)), P(y) = max(y, 2y − ηa₊), \
                      C = 9D + ρ + 2η(|b₋| + ν)",
            hypotheses: hypotheses(Statement::LongRun, &PROCESS),
            standing: Standing::Proved { proofs: &["LongRun.long_run"] },
            weakenings: long_run_weakenings(),
            examination: Box::new(|effort, seed, observer| {
                let bound = |setting: &Setting| -> Result<LongRun> { Ok(LongRun::of(setting)?) };
                let walks =
                    on_walks(Statement::LongRun, effort, seed, observer, &|setting, n| Ok(bound(setting)?.sum(n)))?;
                let finite = over_a_finite_time(effort, seed, observer, &|setting, n| Ok(bound(setting)?.sum(n)))?;
                let forever = against_adversaries(long_run::threshold, 16, effort, seed, observer, &|setting| {
                    Ok(bound(setting)?.rate())
                })?;
                Ok(walks.and(finite).and(forever))
            }),
        },
        Claim {
            id: "theorem2-long-run-headline",
            source: "corrected",
            words: "(L) in short: ν ≤ a₊/2 and c > 2 give a positive long-run average",
            formula: "E[w₀ + … + w_(n−1)] ≥ ρn − C, ρ = β·min(1, 2a₊(c − 2)/(ca₊ + 2b₊)) > 0",
            hypotheses: hypotheses(Statement::LongRunHeadline, &PROCESS),
            standing: Standing::Proved { proofs: &["LongRun.long_run_headline"] },
            weakenings: headline_weakenings(),
            examination: Box::new(|effort, seed, observer| {
                let bound = |setting: &Setting| -> Result<LongRun> { Ok(LongRun::headline(setting)?) };
                let walks = on_walks(Statement::LongRunHeadline, effort, seed, observer, &|setting, n| {
                    Ok(bound(setting)?.sum(n))
                })?;
                let forever =
                    against_adversaries(|_| 2.0, 4, effort, seed, observer, &|setting| Ok(bound(setting)?.rate()))?;
                Ok(walks.and(forever))
            }),
        },
    ]
}

/// A bound below E[w₀ + … + w_(n−1)].
pub(super) type SumBound<'a> = &'a dyn Fn(&Setting, u64) -> Result<f64>;

/// Random processes from −D and from a random start: E[w₀ + … + w_(n−1)] exactly, for every n up to 60.
pub(super) fn on_walks(
    statement: Statement,
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
    bound: SumBound<'_>,
) -> Result<Evidence> {
    let cases = walk_case().prop_map(move |mut case| {
        if statement == Statement::LongRunHeadline {
            case.setting.nu = case.setting.nu.min(1 << case.setting.log_a_plus >> 1);
        }
        case
    });
    let slack = |case: &WalkCase| {
        let walk = case.walk(statement)?;
        let setting = walk.lattice.setting()?;
        let mut least = f64::INFINITY;
        for start in [-walk.lattice.reach(), case.start] {
            for (n, sum) in sums::<_, f64>(&walk, walk.at(start), 60, 400).into_iter().enumerate() {
                least = least.min(beyond_rounding(sum, bound(&setting, n as u64)?, walk.lattice.a_plus as f64));
            }
        }
        Ok(least)
    };
    let show = |case: &WalkCase, slack: f64| {
        let walk = case.walk(statement)?;
        Ok(format!("{} The slack is {slack:.4}", walk.shown(-walk.lattice.reach())))
    };
    let method = "random processes that remember their past, exact for up to 60 steps";
    for_all_shown(&cases, effort.cases(), seed.child("walks", 0), observer, method, slack, show)
}

/// Every adversary on a coarse lattice, from −D, for n = 1, 4 and 16.
pub(super) fn over_a_finite_time(
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
    bound: SumBound<'_>,
) -> Result<Evidence> {
    let cases = (0..=1_u32, 0..=1_i64, 0..=3_i64, 0..=4_i64, 0..=4_i64).prop_map(
        |(log_a_plus, b_below, nu, excess, steeper)| SettingCase { log_a_plus, b_below, nu, excess, steeper },
    );
    let method = "settings against every adversary on a coarse lattice, from −D, for 1, 4 and 16 iterates";
    let evidence = for_all(&cases, effort.cases().div_ceil(2), seed.child("finite", 0), observer, method, |case| {
        let lattice = case.lattice(Statement::LongRun)?;
        let setting = lattice.setting()?;
        let mut least = f64::INFINITY;
        for n in [1, 4, 16] {
            let worst = worst_sum(&lattice, -lattice.reach(), n);
            least = least.min(beyond_rounding(worst, bound(&setting, n.into())?, lattice.a_plus as f64));
        }
        Ok(least)
    })?;
    Ok(evidence.adversarial())
}

/// Cells of the lattice to a₊.
pub(super) const CELLS: u16 = 8;

/// Width of the enclosure of the smallest mean, in units of ηa₊.
pub(super) const TOLERANCE: f64 = 1e-3;

/// A setting on the lattice: b₊ and ν in eighths of a₊, c the smallest whole number of eighths above a threshold, plus some.
pub(super) fn lattice_setting(threshold: impl Fn(f64) -> f64, (b, excess, nu): (u16, u16, u16)) -> Result<Lattice> {
    let cells = i64::from(CELLS);
    let least = (threshold(f64::from(nu) / f64::from(CELLS)) * f64::from(CELLS)).floor() as i64;
    Ok(Lattice::new(cells, b.into(), least + i64::from(excess), nu.into()))
}

/// The smallest long-run mean of all adversaries on a lattice against a rate: one instance stands for all of them.
pub(super) fn against_adversaries(
    threshold: impl Fn(f64) -> f64,
    most_noise: u16,
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
    rate: &dyn Fn(&Setting) -> Result<f64>,
) -> Result<Evidence> {
    let cases = (1..=CELLS, prop_oneof![1..=2_u16, 1..=24_u16], 0..=most_noise);
    let method = "settings against every adversary on a lattice of 8 cells to a₊, forever";
    let evidence = for_all(&cases, effort.cases().div_ceil(2), seed.child("forever", 0), observer, method, |&case| {
        let setting = lattice_setting(&threshold, case)?.setting()?;
        let smallest = worst_case(&setting, CELLS, TOLERANCE * f64::from(CELLS), observer)?;
        Ok(beyond_rounding(smallest.high, rate(&setting)?, f64::from(CELLS)))
    })?;
    Ok(evidence.adversarial())
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    use super::theorem2_common::mutant;
    let rate = |id, words, most_noise, factor: fn(&Setting) -> Result<f64>| {
        mutant(id, words, move |effort, seed, observer| {
            against_adversaries(long_run::threshold, most_noise, effort, seed, observer, &factor)
        })
    };
    let threshold = |id, words, range: (u16, u16), lower: f64| {
        mutant(id, words, move |effort, seed, observer| {
            let cases = (1..=2_u16, 1..=1_u16, range.0..=range.1);
            for_all(&cases, effort.cases().div_ceil(16), seed, observer, "settings", |&case| {
                let setting = lattice_setting(|nu| long_run::threshold(nu) - lower, case)?.setting()?;
                let smallest = worst_case(&setting, CELLS, TOLERANCE * f64::from(CELLS), observer)?;
                Ok(beyond_rounding(smallest.low, 0.0, f64::from(CELLS)))
            })
        })
    };
    vec![
        rate("long-run-rate-larger", "(L) with 3ρ/2", 4, |setting| Ok(1.5 * LongRun::of(setting)?.rate())),
        rate("long-run-rate-larger-gain", "(L) with θ smaller by a tenth in ρ", 16, |setting| {
            let (valley, nu) = (setting.valley(), setting.nu());
            let (a, beta, jump) = (valley.a_plus(), valley.b_plus(), -valley.a_minus());
            let theta = 0.9 * a.max((2.0 * nu).min(a + nu));
            let y = jump - theta;
            Ok(beta.min((y.max(2.0 * y - a) - theta) * beta / (jump + 2.0 * beta)))
        }),
        rate("long-run-rate-shorter-cycle", "(L) with ρ = (P − θ)β/(0.7ηca₊ + 2β)", 8, |setting| {
            let jump = -setting.valley().a_minus();
            let beta = setting.valley().b_plus();
            let rate = LongRun::of(setting)?.rate();
            Ok(if rate < beta { rate * (jump + 2.0 * beta) / (0.7 * jump + 2.0 * beta) } else { rate })
        }),
        mutant("long-run-smaller-offset", "(L) with C = D/2", |effort, seed, observer| {
            over_a_finite_time(effort, seed, observer, &|setting, n| {
                let reach = setting.eta() * (setting.valley().a_plus() + setting.nu());
                Ok(LongRun::of(setting)?.rate() * n as f64 - reach / 2.0)
            })
        }),
        threshold("long-run-threshold-little-noise", "c > 1¾ for ν ≤ ½", (0, 4), 0.375),
        threshold("long-run-threshold-some-noise", "c > 3ν + ¼ for ½ < ν ≤ 1", (5, 8), 0.375),
        threshold("long-run-threshold-much-noise", "c > 3ν/2 + 7/4 for 1 < ν ≤ 3/2", (9, 12), 0.375),
    ]
}
