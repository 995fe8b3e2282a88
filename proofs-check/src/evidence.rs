//! What an examination found: how it was tried, how close it came, and what broke.

use std::fmt;

use valleys_sim::record::TrialRow;

/// How the instances of a trial were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// Drawn at random from the admissible ones.
    Random,
    /// Made to come close to the bound, or found by a search for the worst.
    Adversarial,
    /// Given once and for all.
    Named,
}

impl Search {
    /// `random`, `adversarial` or `named`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Adversarial => "adversarial",
            Self::Named => "named",
        }
    }
}

/// One series of instances on which a statement was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// How the instances were found.
    pub search: Search,
    /// What was tried, in words, without the number of instances.
    pub method: String,
    /// The number of instances.
    pub cases: u64,
    /// The smallest amount by which the statement held, relative to the scale of the instance; negative where it broke,
    /// infinite if nothing was tried.
    pub smallest_slack: f64,
    /// The probability that a true statement looks broken in this series; 0 where expectations are exact.
    pub false_alarm: f64,
}

/// What an examination found.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The series tried.
    pub trials: Vec<Trial>,
    /// The simplest instance that breaks the statement, with what it shows.
    pub counterexample: Option<String>,
}

impl Evidence {
    /// Evidence of one series that broke nothing.
    pub fn of(trial: Trial) -> Self {
        Self { trials: vec![trial], counterexample: None }
    }

    /// Evidence of one given instance, with its slack; a negative one makes it a counterexample, shown in words.
    pub fn instance(method: impl Into<String>, slack: f64, shown: impl Into<String>) -> Self {
        let trial =
            Trial { search: Search::Named, method: method.into(), cases: 1, smallest_slack: slack, false_alarm: 0.0 };
        Self { trials: vec![trial], counterexample: (slack < 0.0).then(|| shown.into()) }
    }

    /// Evidence of an instance that shows nothing, since it breaks a hypothesis.
    pub fn inadmissible(violation: impl fmt::Display) -> Self {
        Self::instance(format!("one instance, which is not admissible: {violation}"), f64::INFINITY, "")
    }

    /// This evidence, found by an adversary.
    pub fn adversarial(mut self) -> Self {
        self.trials.iter_mut().for_each(|trial| trial.search = Search::Adversarial);
        self
    }

    /// This evidence, each of whose series has this probability of a false alarm.
    pub fn with_false_alarm(mut self, probability: f64) -> Self {
        self.trials.iter_mut().for_each(|trial| trial.false_alarm = probability);
        self
    }

    /// This and other evidence on the same statement together.
    pub fn and(mut self, other: Self) -> Self {
        self.trials.extend(other.trials);
        self.counterexample = self.counterexample.or(other.counterexample);
        self
    }

    /// The number of instances in all series.
    pub fn cases(&self) -> u64 {
        self.trials.iter().map(|trial| trial.cases).sum()
    }

    /// The smallest slack of all series, infinite if nothing was tried.
    pub fn smallest_slack(&self) -> f64 {
        self.trials.iter().map(|trial| trial.smallest_slack).fold(f64::INFINITY, f64::min)
    }

    /// The probability that a true statement looks broken in any of the series, at most.
    pub fn false_alarm(&self) -> f64 {
        self.trials.iter().map(|trial| trial.false_alarm).sum()
    }

    /// The record of the series.
    pub(crate) fn trial_rows(&self) -> Vec<TrialRow> {
        let row = |trial: &Trial| TrialRow {
            search: trial.search.name().into(),
            method: trial.method.clone(),
            cases: trial.cases,
            smallest_slack: trial.smallest_slack.is_finite().then_some(trial.smallest_slack),
            false_alarm: trial.false_alarm,
        };
        self.trials.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_adds_up() {
        let first = Evidence::instance("by hand", 0.5, "x").with_false_alarm(1e-7);
        let second = Evidence::instance("by hand", -0.1, "y").adversarial().with_false_alarm(2e-7);
        let both = first.and(second);
        assert_eq!((both.cases(), both.smallest_slack(), both.counterexample.as_deref()), (2, -0.1, Some("y")));
        assert!((both.false_alarm() - 3e-7).abs() < 1e-20);
        let searches: Vec<&str> = both.trials.iter().map(|trial| trial.search.name()).collect();
        assert_eq!(searches, ["named", "adversarial"]);
    }

    #[test]
    fn an_inadmissible_instance_shows_nothing() {
        let evidence = Evidence::inadmissible("a violation");
        assert_eq!((evidence.counterexample.as_deref(), evidence.smallest_slack()), (None, f64::INFINITY));
        assert_eq!(evidence.trial_rows()[0].smallest_slack, None);
    }
}
