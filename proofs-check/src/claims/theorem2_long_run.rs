//! (L): the long-run average.

use proptest::prelude::*;
use valleys_sim::ensemble::{Plan, Start, run};
use valleys_sim::estimate::Confidence;
use valleys_sim::progress::{Observer, Silent};
use valleys_sim::sgd::{Setting, Valley};
use valleys_sim::theorem2::long_run::{self, LongRun};
use valleys_sim::theorem2::worst_case::worst_case;
use valleys_sim::theorem2::{Scales, Statement};
use valleys_sim::{Result, Seed};

use crate::exact;
use crate::strategy::theorem2::process_case;
use crate::trial::{beyond_rounding, for_all};
use crate::{Assumption, Claim, Effort, Evidence, Standing};

pub(super) fn claims() -> Vec<Claim> {
    let assume = |statement: Statement| -> Vec<Assumption> {
        let hypotheses = statement.hypotheses().iter().copied().map(Assumption::Theorem2);
        hypotheses.chain([Assumption::OfProcess("noise of mean zero"), Assumption::OfProcess("w₀ ≥ −D")]).collect()
    };
    vec![
        Claim {
            id: "theorem2-long-run",
            source: "corrected",
            words: "(L) The average over all iterates is positive in the long run",
            formula: "E[w₀ + … + w_(n−1)] ≥ ρn − C, ρ = min(β, (P(ηca₊ − θ) − θ)β/(ηca₊ + 2β))",
            hypotheses: assume(Statement::LongRun),
            standing: Standing::Tested,
            weakenings: Vec::new(),
            examination: Box::new(|effort, seed, observer| {
                let rate = |setting: &Setting| Ok(LongRun::of(setting)?);
                Ok(against_adversaries(long_run::threshold, 16, rate, effort, seed, observer)?.and(on_processes(
                    long_run::threshold,
                    effort,
                    seed,
                    observer,
                )?))
            }),
        },
        Claim {
            id: "theorem2-long-run-headline",
            source: "corrected",
            words: "(L) in short: little noise and c > 2 give a positive long-run average",
            formula: "E[w₀ + … + w_(n−1)] ≥ ρn − C, ρ = β·min(1, 2a₊(c − 2)/(ca₊ + 2b₊)) > 0",
            hypotheses: assume(Statement::LongRunHeadline),
            standing: Standing::Tested,
            weakenings: Vec::new(),
            examination: Box::new(|effort, seed, observer| {
                against_adversaries(|_| 2.0, 4, |setting| Ok(LongRun::headline(setting)?), effort, seed, observer)
            }),
        },
        Claim {
            id: "theorem2-long-run-exact",
            source: "corrected",
            words: "(L)'s threshold in c is exact for ν ≤ a₊/2, and for ν ≤ a₊ if b₊ ≤ ν",
            formula: "below it some adversary has a long-run mean ≤ 0",
            hypotheses: vec![Assumption::OfProcess("ν ≤ a₊/2, or b₊ ≤ ν ≤ a₊"), Assumption::OfProcess("b₊ ≤ a₊/2")],
            standing: Standing::Tested,
            weakenings: Vec::new(),
            examination: Box::new(examine_exact),
        },
    ]
}

/// Cells of the lattice to a₊.
const CELLS: u16 = 8;

/// Width of the enclosure of the smallest mean, in units of ηa₊.
const TOLERANCE: f64 = 1e-3;

/// A setting on the lattice: b₊ and ν in eighths of a₊, c the smallest whole number of eighths above a threshold, plus some.
fn lattice_setting(threshold: impl Fn(f64) -> f64, (b, excess, nu): (u16, u16, u16)) -> Result<Setting> {
    let [b_plus, excess, nu] = [b, excess, nu].map(|x| f64::from(x) / f64::from(CELLS));
    let c = (threshold(nu) * f64::from(CELLS)).floor() / f64::from(CELLS) + excess;
    Setting::new(Valley::with_sharp_slope_fixed(1.0, b_plus, c)?, 1.0, nu)
}

/// The smallest long-run mean of all adversaries on a lattice against the rate: one instance stands for all of them.
fn against_adversaries(
    threshold: impl Fn(f64) -> f64,
    most_noise: u16,
    rate: impl Fn(&Setting) -> Result<LongRun>,
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<Evidence> {
    let cases = (1..=CELLS, prop_oneof![1..=2_u16, 1..=24_u16], 0..=most_noise);
    let method = "settings against every adversary on a lattice";
    for_all(&cases, effort.cases().div_ceil(4), seed, observer, method, |&case| {
        let setting = lattice_setting(&threshold, case)?;
        let smallest = worst_case(&setting, CELLS, TOLERANCE, observer)?;
        Ok(beyond_rounding(smallest.high, rate(&setting)?.rate(), 1.0))
    })
}

/// Random processes: E[w₀ + … + w_(n−1)] exactly on trees, and the long-run mean by simulation.
fn on_processes(
    threshold: impl Fn(f64) -> f64 + Copy,
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<Evidence> {
    const DEPTH: u32 = 10;
    let confidence = Confidence::P999.simultaneous(effort.cases() as usize)?;
    let plan = Plan::new(16, 0, 2_000)?;
    let method = "random processes, exact on trees of 10 steps and simulated, jointly at 99.9 %";
    for_all(&process_case(), effort.cases(), seed.child("processes", 0), observer, method, |case| {
        let process = case.process(threshold)?;
        let bound = LongRun::of(&process.setting)?;
        let scale = process.setting.eta() * process.setting.valley().a_plus();
        let start = -Scales::of(&process.setting).reach;
        let on_tree = beyond_rounding(exact::sum(&process, start, DEPTH), bound.sum(u64::from(DEPTH)), scale);
        let simulated = run(&process, &plan, Start::At(start), seed, &Silent)?.long_run(confidence)?.high;
        Ok(on_tree.min(beyond_rounding(simulated, bound.sum(2_000) / 2_000.0, scale)))
    })
}

/// One cell below the threshold, or on it, the smallest mean on the lattice is not positive.
fn examine_exact(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let cases =
        (1..=CELLS / 2, 0..=CELLS).prop_map(|(b, nu)| if 2 * nu > CELLS { (b.min(nu), 0, nu) } else { (b, 0, nu) });
    for_all(&cases, effort.cases().div_ceil(4), seed, observer, "settings against the worst adversary", |&case| {
        let setting = lattice_setting(|nu| long_run::threshold(nu) - 1.0 / f64::from(CELLS), case)?;
        let smallest = worst_case(&setting, CELLS, TOLERANCE, observer)?;
        Ok(beyond_rounding(TOLERANCE, smallest.high, 1.0))
    })
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    vec![Claim {
        id: "threshold-lower-by-a-quarter",
        source: "false on purpose",
        words: "(L) without a rate, from ¼ below its threshold on",
        formula: "c > 1¾ for ν ≤ ½",
        hypotheses: Vec::new(),
        standing: Standing::Tested,
        weakenings: Vec::new(),
        examination: Box::new(|effort, seed, observer| {
            let cases = (1..=CELLS, 1..=24_u16, 0..=4_u16);
            for_all(&cases, effort.cases(), seed, observer, "settings", |&case| {
                let setting = lattice_setting(|_| 1.75, case)?;
                Ok(beyond_rounding(worst_case(&setting, CELLS, TOLERANCE, observer)?.high, 0.0, 1.0))
            })
        }),
    }]
}
