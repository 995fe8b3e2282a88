//! One claim: statement, hypotheses, standing, and how to examine it.

use std::fmt;

use valleys_sim::progress::Observer;
use valleys_sim::record::ClaimRow;
use valleys_sim::{Error, Result, Seed, theorem1, theorem2};

/// How a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// False: its examination shows a counterexample that meets all hypotheses.
    Refuted {
        /// What is wrong with the statement.
        fault: &'static str,
    },
    /// True by a machine-checked proof; its examination finds no counterexample.
    Proved {
        /// Where the proof is.
        by: &'static str,
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

    /// Whether evidence agrees with the standing.
    pub fn is_upheld_by(self, evidence: &Evidence) -> bool {
        match self {
            Self::Refuted { .. } => evidence.counterexample.is_some(),
            Self::Proved { .. } | Self::Tested => evidence.counterexample.is_none() && evidence.cases > 0,
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
    /// A condition on the process that no setting shows, such as a mean of the noise.
    OfProcess(&'static str),
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Theorem1(hypothesis) => hypothesis.wording(),
            Self::Theorem2(hypothesis) => hypothesis.wording(),
            Self::OfProcess(condition) => condition,
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

/// What an examination found.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The number of instances tried.
    pub cases: u64,
    /// The smallest amount by which the statement held, relative to the scale of the instance; infinite if none was tried.
    pub smallest_slack: f64,
    /// The simplest instance that breaks the statement, with what it shows.
    pub counterexample: Option<String>,
    /// What was tried, in words.
    pub method: String,
}

impl Evidence {
    /// Evidence of a counterexample that meets every hypothesis.
    pub fn counterexample(shown: String, slack: f64) -> Self {
        Self { cases: 1, smallest_slack: slack, counterexample: Some(shown), method: "one instance".into() }
    }

    /// This and other evidence on the same statement together.
    pub fn and(self, other: Self) -> Self {
        Self {
            cases: self.cases + other.cases,
            smallest_slack: self.smallest_slack.min(other.smallest_slack),
            counterexample: self.counterexample.or(other.counterexample),
            method: format!("{}; {}", self.method, other.method),
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.counterexample {
            Some(counterexample) => write!(f, "counterexample: {counterexample}"),
            None => write!(f, "{}: no counterexample, smallest slack {:.3e}", self.method, self.smallest_slack),
        }
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
}

impl Claim {
    /// Runs the evidence again. The same effort and seed give the same evidence.
    pub fn examine(&self, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
        (self.examination)(effort, seed.child(self.id, 0), observer)
    }

    /// The record of the claim with its evidence.
    pub fn row(&self, evidence: &Evidence) -> ClaimRow {
        let hypotheses: Vec<String> = self.hypotheses.iter().map(Assumption::to_string).collect();
        let fault = match self.standing {
            Standing::Refuted { fault } => format!("{fault}; "),
            Standing::Proved { by } => format!("{by}; "),
            Standing::Tested | Standing::Open => String::new(),
        };
        ClaimRow {
            id: self.id.into(),
            source: self.source.into(),
            statement: format!("{}: {}, if {}", self.words, self.formula, hypotheses.join("; ")),
            standing: self.standing.name().into(),
            evidence: format!("{fault}{evidence}"),
            cases: evidence.cases,
            upheld: self.standing.is_upheld_by(evidence),
        }
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

    fn evidence(cases: u64, counterexample: Option<&str>) -> Evidence {
        Evidence {
            cases,
            smallest_slack: 0.5,
            counterexample: counterexample.map(Into::into),
            method: "by hand".into(),
        }
    }

    #[test]
    fn a_standing_is_upheld_by_evidence_of_its_kind_only() {
        let refuted = Standing::Refuted { fault: "too bold" };
        assert!(refuted.is_upheld_by(&evidence(1, Some("x = 1"))));
        assert!(!refuted.is_upheld_by(&evidence(100, None)));
        for standing in [Standing::Tested, Standing::Proved { by: "hand" }] {
            assert!(standing.is_upheld_by(&evidence(1, None)));
            assert!(!standing.is_upheld_by(&evidence(100, Some("x = 1"))));
            assert!(!standing.is_upheld_by(&evidence(0, None)), "nothing was tried");
        }
    }

    #[test]
    fn evidence_adds_up() {
        let both = evidence(3, None).and(Evidence { smallest_slack: 0.1, ..evidence(4, Some("x")) });
        assert_eq!((both.cases, both.smallest_slack, both.counterexample.as_deref()), (7, 0.1, Some("x")));
        assert_eq!(both.method, "by hand; by hand");
        assert!(Effort::new(0).is_err());
    }
}
