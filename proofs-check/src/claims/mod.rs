//! The claims, one file a theorem and kind.

mod assumption1;
mod definition1;
#[cfg(test)]
mod drift;
mod theorem1_axes;
mod theorem1_constants;
mod theorem1_corrected;
mod theorem1_hypotheses;
mod theorem1_printed;
mod theorem2_common;
mod theorem2_exact_law;
mod theorem2_exact_law_needs;
mod theorem2_long_run;
mod theorem2_long_run_needs;
mod theorem2_long_run_sharp;
mod theorem2_momentum;
mod theorem2_pathwise;
mod theorem2_pathwise_needs;
mod theorem2_printed;
mod theorem2_printed_needs;
mod theorem2_projected;
mod theorem2_rounds;
mod theorem2_rounds_needs;
mod theorem2_rounds_sharp;

use rayon::prelude::*;
use valleys_sim::progress::Observer;
use valleys_sim::record::Claims;
use valleys_sim::{Error, Result, Seed};

use crate::{Claim, Effort};

/// Every claim, in the order of the paper: first as printed, then as corrected.
pub fn registry() -> Vec<Claim> {
    [
        definition1::claims(),
        assumption1::claims(),
        theorem1_printed::claims(),
        theorem1_axes::claims(),
        theorem1_corrected::claims(),
        theorem1_constants::claims(),
        theorem2_printed::claims(),
        theorem2_pathwise::claims(),
        theorem2_rounds::claims(),
        theorem2_rounds_sharp::claims(),
        theorem2_long_run::claims(),
        theorem2_long_run_sharp::claims(),
        theorem2_exact_law::claims(),
        theorem2_projected::claims(),
        theorem2_momentum::claims(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The claims that names ask for, in the registry's order: a name is a claim's id, or the beginning of several, such as
/// `theorem1`. No name asks for all.
///
/// # Errors
/// A name that begins no id; the nearest ids are named.
pub fn named(names: &[String]) -> Result<Vec<Claim>> {
    let mut registry = registry();
    for name in names {
        if !registry.iter().any(|claim| claim.id.starts_with(name.as_str())) {
            let ids: Vec<&str> = registry.iter().map(|claim| claim.id).collect();
            return Err(Error::unknown_of_many("claim", name, &ids, "valleys check --list"));
        }
    }
    registry.retain(|claim| names.is_empty() || names.iter().any(|name| claim.id.starts_with(name.as_str())));
    Ok(registry)
}

/// Checks claims: runs their evidence again, and that on their weakenings.
///
/// Progress is counted in claims. The same effort and seed give the same row for a claim, for any number of threads and
/// whatever else is checked.
///
/// # Errors
/// An interruption.
pub fn check(claims: &[Claim], effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Claims> {
    observer.begin("claims", claims.len() as u64);
    let rows = claims
        .par_iter()
        .map(|claim| {
            let row = claim.check(effort, seed, &Part(observer))?;
            observer.advance(1);
            Ok(row)
        })
        .collect::<Result<Vec<_>>>()?;
    observer.finish();
    Ok(Claims { rows })
}

/// An observer of a part of a task: passes interruptions on, and keeps the part's own progress to itself.
struct Part<'a>(&'a dyn Observer);

impl Observer for Part<'_> {
    fn begin(&self, _task: &str, _units: u64) {}
    fn advance(&self, _units: u64) {}
    fn note(&self, _line: &str) {}
    fn finish(&self) {}
    fn interrupted(&self) -> bool {
        self.0.interrupted()
    }
}

#[cfg(test)]
mod tests {
    use valleys_sim::progress::Silent;

    use super::*;

    /// Statements that are false by a little, one file each, examined as the true ones are.
    fn mutants() -> Vec<Claim> {
        let files = [
            definition1::mutants(),
            assumption1::mutants(),
            theorem1_printed::mutants(),
            theorem1_axes::mutants(),
            theorem1_corrected::mutants(),
            theorem1_constants::mutants(),
            theorem2_pathwise::mutants(),
            theorem2_rounds::mutants(),
            theorem2_rounds_sharp::mutants(),
            theorem2_long_run::mutants(),
            theorem2_long_run_sharp::mutants(),
            theorem2_exact_law::mutants(),
            theorem2_projected::mutants(),
        ];
        files.into_iter().flatten().collect()
    }

    #[test]
    fn every_mutant_is_caught() {
        let effort = Effort::new(2_000).expect("valid");
        let is_caught = |mutant: &Claim| {
            let row = mutant.check(effort, Seed(0), &Silent).expect("runs");
            let is_broken = row.smallest_slack().is_some_and(|slack| slack < 0.0);
            !row.upheld && row.counterexample.is_some() && is_broken
        };
        let mutants = mutants();
        let uncaught: Vec<&str> = mutants.iter().filter(|mutant| !is_caught(mutant)).map(|mutant| mutant.id).collect();
        assert!(uncaught.is_empty(), "{uncaught:?}");
        assert_eq!(mutants.len(), 53, "the number that the documentation gives");
    }
}
