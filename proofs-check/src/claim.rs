//! One claim: statement, hypotheses, standing, and how to examine it.

use std::fmt;

use valleys_sim::progress::Observer;
use valleys_sim::record::ClaimRow;
use valleys_sim::{Error, Result, Seed, theorem1, theorem2};

use crate::{Evidence, Weakening};

/// How a claim stands. Proofs are named as in `coq/theorems.txt`: `File.theorem`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// False: its examination shows a counterexample that meets all hypotheses.
    Refuted {
        /// What is wrong with the statement.
        fault: &'static str,
        /// The machine-checked refutations, if any.
        proofs: &'static [&'static str],
    },
    /// True by a machine-checked proof; its examination finds no counterexample.
    Proved {
        /// The theorems that together say it, at least one.
        proofs: &'static [&'static str],
    },
    /// Believed true: its examination finds no counterexample.
    Tested,
    /// Unknown: its examination reports what it finds.
    Open,
}

impl Standing {
    /// `refuted`, `proved`, `tested` or `open`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refuted { .. } => "refuted",
            Self::Proved { .. } => "proved",
            Self::Tested => "tested",
            Self::Open => "open",
        }
    }

    /// The machine-checked proofs that it rests on.
    pub fn proofs(self) -> &'static [&'static str] {
        match self {
            Self::Refuted { proofs, .. } | Self::Proved { proofs } => proofs,
            Self::Tested | Self::Open => &[],
        }
    }

    /// Whether evidence agrees with the standing.
    pub fn is_upheld_by(self, evidence: &Evidence) -> bool {
        match self {
            Self::Refuted { .. } => evidence.counterexample.is_some(),
            Self::Proved { .. } | Self::Tested => evidence.counterexample.is_none() && evidence.cases() > 0,
            Self::Open => true,
        }
    }
}

/// A hypothesis of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assumption {
    /// A predicate on an instance of Theorem 1, see [`theorem1::Instance::audit`].
    Theorem1(theorem1::Hypothesis),
    /// A predicate on a setting of Theorem 2, see [`theorem2::Hypothesis::check`].
    Theorem2(theorem2::Hypothesis),
    /// A predicate on a process of Theorem 2, see [`theorem2::ProcessHypothesis::holds_at`].
    Process(theorem2::ProcessHypothesis),
    /// A condition that no predicate of the library decides, in words.
    InWords(&'static str),
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Theorem1(hypothesis) => hypothesis.wording(),
            Self::Theorem2(hypothesis) => hypothesis.wording(),
            Self::Process(hypothesis) => hypothesis.wording(),
            Self::InWords(condition) => condition,
        })
    }
}

/// How much to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    cases: u32,
}

impl Effort {
    /// At least 1 instance for each part of an examination.
    pub fn new(cases: u32) -> Result<Self> {
        if cases == 0 { Err(Error::domain("number of instances", cases, "at least 1")) } else { Ok(Self { cases }) }
    }

    /// The number of instances for each part of an examination.
    pub fn cases(self) -> u32 {
        self.cases
    }
}

impl Default for Effort {
    /// 256 instances for each part: all claims in some seconds.
    fn default() -> Self {
        Self { cases: 256 }
    }
}

/// An examination: runs a claim's evidence again.
pub type Examination = Box<dyn Fn(Effort, Seed, &dyn Observer) -> Result<Evidence> + Send + Sync>;

/// One statement and how it stands.
pub struct Claim {
    /// Short stable name, such as `theorem1-printed-maximum`.
    pub id: &'static str,
    /// Where it stands in the paper, or `corrected`.
    pub source: &'static str,
    /// The statement in words.
    pub words: &'static str,
    /// The statement as a formula.
    pub formula: &'static str,
    /// What it assumes.
    pub hypotheses: Vec<Assumption>,
    /// How it stands.
    pub standing: Standing,
    /// How to examine it.
    pub examination: Examination,
    /// What becomes of it when its hypotheses are dropped or weakened, one at a time.
    pub weakenings: Vec<Weakening>,
}

impl Claim {
    /// Runs the evidence on the statement again. The same effort and seed give the same evidence.
    pub fn examine(&self, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
        (self.examination)(effort, seed.child(self.id, 0), observer)
    }

    /// Runs the evidence on the statement and on its weakenings, and returns the record of both.
    pub fn check(&self, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<ClaimRow> {
        let evidence = self.examine(effort, seed, observer)?;
        let weakenings = self.weakenings.iter().enumerate().map(|(i, weakening)| {
            weakening.check(effort, seed.child(self.id, 0).child("weakening", i as u64), observer)
        });
        let weakenings = weakenings.collect::<Result<Vec<_>>>()?;
        let upheld = self.standing.is_upheld_by(&evidence) && weakenings.iter().all(|row| row.upheld);
        Ok(ClaimRow {
            id: self.id.into(),
            source: self.source.into(),
            words: self.words.into(),
            formula: self.formula.into(),
            hypotheses: self.hypotheses.iter().map(Assumption::to_string).collect(),
            standing: self.standing.name().into(),
            fault: match self.standing {
                Standing::Refuted { fault, .. } => Some(fault.into()),
                Standing::Proved { .. } | Standing::Tested | Standing::Open => None,
            },
            proofs: self.standing.proofs().iter().map(|&name| name.into()).collect(),
            trials: evidence.trial_rows(),
            counterexample: evidence.counterexample,
            weakenings,
            upheld,
        })
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, source, standing, .. } = self;
        f.debug_struct("Claim")
            .field("id", id)
            .field("source", source)
            .field("standing", standing)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_is_upheld_by_evidence_of_its_kind_only() {
        let holds = Evidence::instance("by hand", 0.5, "");
        let breaks = Evidence::instance("by hand", -0.5, "x = 1");
        let nothing = Evidence { trials: Vec::new(), counterexample: None };
        let refuted = Standing::Refuted { fault: "too bold", proofs: &[] };
        assert!(refuted.is_upheld_by(&breaks));
        assert!(!refuted.is_upheld_by(&holds));
        for standing in [Standing::Tested, Standing::Proved { proofs: &["Hand.proof"] }] {
            assert!(standing.is_upheld_by(&holds));
            assert!(!standing.is_upheld_by(&breaks));
            assert!(!standing.is_upheld_by(&nothing), "nothing was tried");
        }
    }

    #[test]
    fn some_effort_is_needed() {
        assert!(Effort::new(0).is_err());
    }
}
