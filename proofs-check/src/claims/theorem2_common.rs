//! What the claims on Theorem 2 share: hypotheses, weakenings, and evidence from finite chains.

use std::collections::BTreeSet;

use valleys_sim::progress::Observer;
use valleys_sim::theorem2::{Hypothesis, ProcessHypothesis, Statement};
use valleys_sim::{Result, Seed};

use crate::exact::{Chain, Lattice, Number, Ratio};
use crate::{Assumption, Effect, Effort, Evidence, Weakening};

/// A statement's conditions on the setting, then those on the process.
pub(super) fn hypotheses(statement: Statement, process: &[ProcessHypothesis]) -> Vec<Assumption> {
    let setting = statement.hypotheses().iter().copied().map(Assumption::Theorem2);
    setting.chain(process.iter().copied().map(Assumption::Process)).collect()
}

/// A weakening that a counterexample shows to be too much.
pub(super) fn needed(
    hypothesis: Assumption,
    instead: &'static str,
    example: impl Fn() -> Result<Evidence> + Send + Sync + 'static,
) -> Weakening {
    let search = Box::new(move |_: Effort, _: Seed, _: &dyn Observer| example());
    Weakening { hypothesis, instead, effect: Effect::Breaks { proofs: &[] }, search }
}

/// A weakening that leaves the statement true.
pub(super) fn unneeded(
    hypothesis: Assumption,
    instead: &'static str,
    because: &'static str,
    search: impl Fn(Effort, Seed, &dyn Observer) -> Result<Evidence> + Send + Sync + 'static,
) -> Weakening {
    Weakening { hypothesis, instead, effect: Effect::Unneeded { because, proofs: &[] }, search: Box::new(search) }
}

/// What a counterexample is allowed to break.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Dropped<'a> {
    /// Conditions on the setting.
    pub(super) setting: &'a [Hypothesis],
    /// Conditions on the process.
    pub(super) process: &'a [ProcessHypothesis],
}

/// Evidence from a chain whose slack was found exactly. A chain that breaks a hypothesis not dropped, or keeps one that is,
/// shows nothing.
pub(super) fn chain_evidence(
    chain: &Chain,
    statement: Statement,
    dropped: Dropped<'_>,
    slack: Ratio,
    shown: &str,
) -> Result<Evidence> {
    let broken = statement.violations(&chain.lattice.setting()?);
    let broken_setting: BTreeSet<String> = broken.iter().map(|v| v.hypothesis.wording().into()).collect();
    let dropped_setting: BTreeSet<String> = dropped.setting.iter().map(|h| h.wording().into()).collect();
    let broken_process = chain.violations();
    let dropped_process: BTreeSet<ProcessHypothesis> = dropped.process.iter().copied().collect();
    if broken_setting != dropped_setting || broken_process != dropped_process {
        return Ok(Evidence::inadmissible(format!("it breaks {broken_setting:?} and {broken_process:?}: {chain}")));
    }
    if !slack.is_number() {
        return Ok(Evidence::inadmissible("its numbers are too long"));
    }
    Ok(Evidence::instance("one chain, exactly", slack.value(), format!("{chain}. {shown}")))
}

/// A cycle's visits, written (w₀, w₁, …) in units of a₊.
pub(super) fn listed(lattice: &Lattice, points: impl IntoIterator<Item = i64>) -> String {
    let points: Vec<String> = points.into_iter().map(|point| lattice.in_units(point).to_string()).collect();
    format!("({})", points.join(", "))
}

/// The mean of the points of a cycle, in units of a₊, exactly.
pub(super) fn mean(lattice: &Lattice, points: &[i64]) -> Ratio {
    lattice.in_units(points.iter().sum()) / Ratio::from(points.len() as i64)
}

/// A statement that is false by a little, examined as the true ones are.
#[cfg(test)]
pub(super) fn mutant(
    id: &'static str,
    words: &'static str,
    examination: impl Fn(Effort, Seed, &dyn Observer) -> Result<Evidence> + Send + Sync + 'static,
) -> crate::Claim {
    crate::Claim {
        id,
        source: "false on purpose",
        words,
        formula: "",
        hypotheses: Vec::new(),
        standing: crate::Standing::Tested,
        weakenings: Vec::new(),
        examination: Box::new(examination),
    }
}
