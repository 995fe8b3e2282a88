//! A claim with one hypothesis dropped or weakened: is the hypothesis needed?

use std::fmt;

use valleys_sim::progress::Observer;
use valleys_sim::record::WeakeningRow;
use valleys_sim::{Result, Seed};

use crate::claim::Examination;
use crate::{Assumption, Effort, Evidence};

/// What dropping or weakening a hypothesis does to a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The statement fails; the search finds a counterexample that meets everything else.
    Breaks {
        /// The machine-checked counterexamples, if any, named as in `coq/theorems.txt`.
        proofs: &'static [&'static str],
    },
    /// The statement still holds; the search finds no counterexample.
    Unneeded {
        /// Why, in words.
        because: &'static str,
        /// The machine-checked proofs that do without the hypothesis, if any.
        proofs: &'static [&'static str],
    },
    /// Unknown; the search reports what it finds.
    Unknown,
}

impl Effect {
    /// `needed`, `not needed` or `unknown`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Breaks { .. } => "needed",
            Self::Unneeded { .. } => "not needed",
            Self::Unknown => "unknown",
        }
    }

    /// The machine-checked proofs that it rests on.
    pub fn proofs(self) -> &'static [&'static str] {
        match self {
            Self::Breaks { proofs } | Self::Unneeded { proofs, .. } => proofs,
            Self::Unknown => &[],
        }
    }

    /// Whether evidence agrees with it.
    pub fn is_upheld_by(self, evidence: &Evidence) -> bool {
        match self {
            Self::Breaks { .. } => evidence.counterexample.is_some(),
            Self::Unneeded { .. } => evidence.counterexample.is_none() && evidence.cases() > 0,
            Self::Unknown => true,
        }
    }
}

/// A claim with one hypothesis dropped or weakened.
pub struct Weakening {
    /// The hypothesis, one of the claim's.
    pub hypothesis: Assumption,
    /// What is assumed in its place.
    pub instead: &'static str,
    /// What that does to the claim.
    pub effect: Effect,
    /// Searches for a counterexample that meets everything else, and shows the simplest.
    pub search: Examination,
}

impl Weakening {
    /// The weakening, resting on these machine-checked proofs too.
    pub(crate) fn with_proofs(mut self, theorems: &'static [&'static str]) -> Self {
        match &mut self.effect {
            Effect::Breaks { proofs } | Effect::Unneeded { proofs, .. } => *proofs = theorems,
            Effect::Unknown => {}
        }
        self
    }

    /// Runs the search and returns its record. The same effort and seed give the same record.
    pub fn check(&self, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<WeakeningRow> {
        let evidence = (self.search)(effort, seed, observer)?;
        Ok(WeakeningRow {
            hypothesis: self.hypothesis.to_string(),
            instead: self.instead.into(),
            effect: self.effect.name().into(),
            because: match self.effect {
                Effect::Unneeded { because, .. } => Some(because.into()),
                Effect::Breaks { .. } | Effect::Unknown => None,
            },
            proofs: self.effect.proofs().iter().map(|&name| name.into()).collect(),
            trials: evidence.trial_rows(),
            upheld: self.effect.is_upheld_by(&evidence),
            counterexample: evidence.counterexample,
        })
    }
}

impl fmt::Debug for Weakening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hypothesis, instead, effect, search: _ } = self;
        f.debug_struct("Weakening")
            .field("hypothesis", hypothesis)
            .field("instead", instead)
            .field("effect", effect)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_is_upheld_by_evidence_of_its_kind_only() {
        let holds = Evidence::instance("by hand", 0.5, "");
        let breaks = Evidence::instance("by hand", -0.5, "x = 1");
        let needed = Effect::Breaks { proofs: &[] };
        let unneeded = Effect::Unneeded { because: "a proof does without", proofs: &[] };
        assert!(needed.is_upheld_by(&breaks) && !needed.is_upheld_by(&holds));
        assert!(unneeded.is_upheld_by(&holds) && !unneeded.is_upheld_by(&breaks));
        assert!(Effect::Unknown.is_upheld_by(&holds) && Effect::Unknown.is_upheld_by(&breaks));
    }
}
