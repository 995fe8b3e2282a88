//! The claims, one file a theorem and kind.

mod theorem1_corrected;
mod theorem1_printed;
mod theorem2_exact_law;
mod theorem2_long_run;
mod theorem2_printed;
mod theorem2_rounds;

use valleys_sim::progress::Observer;
use valleys_sim::record::Claims;
use valleys_sim::{Result, Seed};

use crate::{Claim, Effort};

/// Every claim, in the order of the paper: first as printed, then as corrected.
pub fn registry() -> Vec<Claim> {
    [
        theorem1_printed::claims(),
        theorem1_corrected::claims(),
        theorem2_printed::claims(),
        theorem2_rounds::claims(),
        theorem2_long_run::claims(),
        theorem2_exact_law::claims(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Examines every claim. Progress is counted in claims; the same effort and seed give the same record.
pub fn examine_all(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Claims> {
    let claims = registry();
    observer.begin("claims", claims.len() as u64);
    let mut rows = Vec::new();
    for claim in &claims {
        let evidence = claim.examine(effort, seed, &Part(observer))?;
        rows.push(claim.row(&evidence));
        observer.advance(1);
    }
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
