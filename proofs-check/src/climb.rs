//! A search for the worst instance: hill climbing among those that a strategy draws.

use std::fmt::Debug;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use valleys_sim::progress::Observer;
use valleys_sim::{Error, Result, Seed};

use crate::evidence::{Evidence, Search, Trial};

/// Steps before the climb starts anew.
const STEPS: u32 = 64;

/// Looks for the smallest slack: again and again puts a part of a newly drawn instance into the best one so far and keeps
/// what does not raise the slack. `mixed` makes the mixture for a number of any size, or nothing if it would not be
/// admissible. The search depends on the seed alone.
pub fn climb<S: Strategy>(
    strategy: &S,
    cases: u32,
    seed: Seed,
    observer: &dyn Observer,
    method: &str,
    mixed: impl Fn(&S::Value, &S::Value, u32) -> Option<S::Value>,
    slack: impl Fn(&S::Value) -> Result<f64>,
) -> Result<Evidence>
where
    S::Value: Debug,
{
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed.key("climb"));
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut draw = || match strategy.new_tree(&mut runner) {
        Ok(tree) => Ok(tree.current()),
        Err(reason) => Err(Error::domain("number of rejected instances", reason, "few enough to go on")),
    };
    let mut trial = Trial {
        search: Search::Adversarial,
        method: method.into(),
        cases: 0,
        smallest_slack: f64::INFINITY,
        false_alarm: 0.0,
    };
    let mut best: Option<(f64, S::Value)> = None;
    for step in 0..cases {
        if observer.interrupted() {
            return Err(Error::Interrupted);
        }
        let drawn = draw()?;
        if step % STEPS == 0 {
            best = None;
        }
        let candidate = match &best {
            None => Some(drawn),
            Some((_, best)) => mixed(best, &drawn, step),
        };
        let Some(candidate) = candidate else { continue };
        let found = slack(&candidate)?;
        trial.cases += 1;
        trial.smallest_slack = trial.smallest_slack.min(found);
        if found.is_nan() || found < 0.0 {
            let shown = format!("{candidate:?} (slack {found:.3e})");
            return Ok(Evidence { counterexample: Some(shown), ..Evidence::of(trial) });
        }
        if best.as_ref().is_none_or(|(least, _)| found <= *least) {
            best = Some((found, candidate));
        }
    }
    Ok(Evidence::of(trial))
}

#[cfg(test)]
mod tests {
    use valleys_sim::progress::Silent;

    use super::*;

    type Numbers = [f64; 4];

    fn search(lowest: f64) -> Evidence {
        let numbers = proptest::array::uniform4(0.0..1.0f64);
        let mixed = |best: &Numbers, drawn: &Numbers, step: u32| {
            let mut mixed = *best;
            mixed[step as usize % 4] = drawn[step as usize % 4];
            Some(mixed)
        };
        let slack = |numbers: &Numbers| Ok(numbers.iter().sum::<f64>() - lowest);
        climb(&numbers, 640, Seed(0), &Silent, "numbers", mixed, slack).expect("runs")
    }

    #[test]
    fn climbing_comes_closer_than_drawing() {
        let evidence = search(0.0);
        assert_eq!((evidence.cases(), evidence.counterexample.clone()), (640, None));
        // The sum of four uniform numbers is below ½ with probability 1/384, the least of 4·16 such much oftener.
        assert!(evidence.smallest_slack() < 0.35, "{}", evidence.smallest_slack());
        assert_eq!(evidence.trials[0].search, Search::Adversarial);
    }

    #[test]
    fn what_breaks_ends_the_climb() {
        let evidence = search(0.5);
        assert!(evidence.smallest_slack() < 0.0 && evidence.cases() < 640);
        assert!(evidence.counterexample.is_some());
    }
}
