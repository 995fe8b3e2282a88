//! How the statements stand.

use serde::{Deserialize, Serialize};

/// The claims and how they stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// One entry a statement.
    pub rows: Vec<ClaimRow>,
}

/// One row of [`Claims`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimRow {
    /// Short stable name, such as `theorem1-printed-maximum`.
    pub id: String,
    /// Where it stands in the paper, or `corrected`.
    pub source: String,
    /// The statement in words.
    pub words: String,
    /// The statement as a formula.
    pub formula: String,
    /// What it assumes, one entry a hypothesis.
    pub hypotheses: Vec<String>,
    /// `refuted`, `tested`, `proved` or `open`.
    pub standing: String,
    /// What is wrong with a refuted statement.
    pub fault: Option<String>,
    /// The machine-checked theorems behind the standing, `File.theorem`.
    pub proofs: Vec<String>,
    /// What was run.
    pub trials: Vec<TrialRow>,
    /// The simplest instance that breaks the statement, with what it shows.
    pub counterexample: Option<String>,
    /// The statement with its hypotheses dropped or weakened, one at a time.
    pub weakenings: Vec<WeakeningRow>,
    /// Whether the evidence agrees with the standing, and that of every weakening with its effect.
    pub upheld: bool,
}

impl ClaimRow {
    /// The number of instances tried on the statement itself.
    pub fn cases(&self) -> u64 {
        self.trials.iter().map(|trial| trial.cases).sum()
    }

    /// The smallest relative slack of all series on the statement itself, if any was tried.
    pub fn smallest_slack(&self) -> Option<f64> {
        self.trials.iter().filter_map(|trial| trial.smallest_slack).reduce(f64::min)
    }

    /// The probability that a true statement looks broken in any series, on the statement or a weakening, at most.
    pub fn false_alarm(&self) -> f64 {
        let weakened = self.weakenings.iter().flat_map(|weakening| &weakening.trials);
        self.trials.iter().chain(weakened).map(|trial| trial.false_alarm).sum()
    }
}

/// One series of instances on which a statement was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialRow {
    /// How the instances were found: `random`, `adversarial` or `named`.
    pub search: String,
    /// What was tried, in words.
    pub method: String,
    /// The number of instances.
    pub cases: u64,
    /// The smallest slack relative to the scale of the instance, negative where the statement broke; none if nothing was
    /// tried.
    pub smallest_slack: Option<f64>,
    /// The probability that a true statement looks broken in this series; 0 where expectations are exact.
    pub false_alarm: f64,
}

/// A statement with one hypothesis dropped or weakened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeakeningRow {
    /// The hypothesis.
    pub hypothesis: String,
    /// What is assumed in its place.
    pub instead: String,
    /// `needed`, `not needed` or `unknown`.
    pub effect: String,
    /// Why the statement holds without, if it does.
    pub because: Option<String>,
    /// The machine-checked theorems behind the effect, `File.theorem`.
    pub proofs: Vec<String>,
    /// What was run.
    pub trials: Vec<TrialRow>,
    /// The simplest instance that breaks the statement, with what it shows.
    pub counterexample: Option<String>,
    /// Whether the evidence agrees with the effect.
    pub upheld: bool,
}
