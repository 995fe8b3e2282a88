//! Tries a statement on generated instances, and shrinks the first that breaks it.

use std::cell::{Cell, RefCell};
use std::fmt::Debug;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use valleys_sim::progress::Observer;
use valleys_sim::{Error, Result, Seed};

use crate::evidence::{Evidence, Search, Trial};

/// Tries `cases` instances of a strategy, one series of [`Evidence`]; `method` says in words what they are.
///
/// `slack` is how far an instance is from breaking the statement, negative if it does, relative to the instance's scale; see
/// [`beyond_rounding`]. The instances depend on the seed alone. The counterexample is the simplest that shrinking finds.
pub fn for_all<S: Strategy>(
    strategy: &S,
    cases: u32,
    seed: Seed,
    observer: &dyn Observer,
    method: &str,
    slack: impl Fn(&S::Value) -> Result<f64>,
) -> Result<Evidence>
where
    S::Value: Debug,
{
    for_all_shown(strategy, cases, seed, observer, method, slack, |instance, slack| {
        // A strict statement that is met with equality has the smallest negative slack.
        let slack = if slack.abs() <= f64::MIN_POSITIVE { "equality".into() } else { format!("slack {slack:.3e}") };
        Ok(format!("{instance:?} ({slack})"))
    })
}

/// [`for_all`] with a counterexample shown in words, given its slack.
pub fn for_all_shown<S: Strategy>(
    strategy: &S,
    cases: u32,
    seed: Seed,
    observer: &dyn Observer,
    method: &str,
    slack: impl Fn(&S::Value) -> Result<f64>,
    show: impl Fn(&S::Value, f64) -> Result<String>,
) -> Result<Evidence>
where
    S::Value: Debug,
{
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed.key("instances"));
    let tried = Cell::new(0);
    let smallest = Cell::new(f64::INFINITY);
    let failure = RefCell::new(None);
    let outcome = TestRunner::new_with_rng(config, rng).run(strategy, |instance| {
        let result = if observer.interrupted() { Err(Error::Interrupted) } else { slack(&instance) };
        match result {
            Ok(slack) if slack >= 0.0 => {
                tried.set(tried.get() + 1);
                smallest.set(smallest.get().min(slack));
                Ok(())
            }
            Ok(slack) => Err(TestCaseError::fail(format!("slack {slack}"))),
            Err(error) => {
                failure.replace(Some(error));
                Err(TestCaseError::fail("the instance could not be evaluated"))
            }
        }
    });
    if let Some(error) = failure.into_inner() {
        return Err(error);
    }
    let counterexample = match outcome {
        Ok(()) => None,
        Err(TestError::Fail(_, instance)) => {
            tried.set(tried.get() + 1);
            let slack = slack(&instance)?;
            smallest.set(smallest.get().min(slack));
            Some(show(&instance, slack)?)
        }
        Err(TestError::Abort(reason)) => {
            return Err(Error::domain("number of rejected instances", reason, "few enough to go on"));
        }
    };
    let trial = Trial {
        search: Search::Random,
        method: method.into(),
        cases: tried.get(),
        smallest_slack: smallest.get(),
        false_alarm: 0.0,
    };
    Ok(Evidence { counterexample, ..Evidence::of(trial) })
}

/// The relative slack of `left ≥ right` at a scale > 0, where a violation within 1e-9 of the scale is rounding.
pub fn beyond_rounding(left: f64, right: f64, scale: f64) -> f64 {
    const ROUNDING: f64 = 1e-9;
    let slack = (left - right) / scale;
    if (-ROUNDING..0.0).contains(&slack) { 0.0 } else { slack }
}

#[cfg(test)]
mod tests {
    use super::*;
    use valleys_sim::progress::Silent;

    #[test]
    fn a_true_statement_keeps_its_smallest_slack() {
        let evidence = for_all(&(1.0..2.0_f64), 500, Seed(0), &Silent, "numbers", |x| Ok(x - 1.0)).expect("runs");
        assert_eq!((evidence.cases(), evidence.counterexample.clone()), (500, None));
        assert!(evidence.smallest_slack() < 0.02);
    }

    #[test]
    fn a_false_statement_is_broken_by_its_simplest_instance() {
        let evidence = for_all(&(0..1000_u32), 200, Seed(0), &Silent, "numbers", |&x| Ok(f64::from(99) - f64::from(x)));
        let evidence = evidence.expect("runs");
        assert_eq!(evidence.counterexample.as_deref(), Some("100 (slack -1.000e0)"));
        assert_eq!(evidence.smallest_slack(), -1.0);
    }

    #[test]
    fn the_instances_depend_on_the_seed_alone() {
        let run = |seed| for_all(&(0.0..1.0_f64), 50, Seed(seed), &Silent, "numbers", |&x| Ok(x)).expect("runs");
        assert_eq!(run(1), run(1));
        assert_ne!(run(1).smallest_slack(), run(2).smallest_slack());
    }

    #[test]
    fn errors_come_through_and_nan_is_no_success() {
        let error = for_all(&(0..9_u32), 5, Seed(0), &Silent, "numbers", |_| Err(Error::Interrupted));
        assert_eq!(error, Err(Error::Interrupted));
        let nan = for_all(&(0..9_u32), 5, Seed(0), &Silent, "numbers", |_| Ok(f64::NAN)).expect("runs");
        assert!(nan.counterexample.is_some());
    }

    #[test]
    fn rounding_is_forgiven_and_nothing_more() {
        assert_eq!(beyond_rounding(1.0, 1.0 + 1e-12, 1.0), 0.0);
        assert!(beyond_rounding(1.0, 1.0 + 1e-8, 1.0) < 0.0);
        assert_eq!(beyond_rounding(2.0, 1.0, 4.0), 0.25);
    }
}
