//! Worlds of the corrected Theorem 1: they are what they say, and exact and rounded evaluation agree.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;
use valleys_proofs::rational::{Instance, Rational, ratio, to_f64, whole};
use valleys_proofs::strategy::theorem1::{
    Flaw, Reach, World, aligned_world, balanced_world, broken_world, smooth_world, strict_world, tilted_world,
    unbalanced_world,
};
use valleys_sim::Seed;
use valleys_sim::progress::Silent;
use valleys_sim::theorem1::{Checks, Hypothesis, Reading, Statement};

const READINGS: [Reading; 2] = [Reading::RandomPopulation, Reading::RandomTraining];

/// The hypotheses of a statement that an instance breaks, in either reading.
fn broken(instance: &Instance, statement: Statement) -> Vec<Hypothesis> {
    let checks = Checks::new(8, 16, Seed(0)).expect("valid");
    let audit = |reading| instance.rounded(reading).expect("valid").audit(statement, &checks).expect("few outcomes");
    let mut broken: Vec<Hypothesis> = READINGS
        .iter()
        .flat_map(|&reading| audit(reading).violations().map(|v| v.hypothesis).collect::<Vec<_>>())
        .collect();
    broken.dedup();
    broken
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(0), failure_persistence: None, ..ProptestConfig::default() }
}

/// Every kind of flaw.
fn flaws() -> impl Strategy<Value = Flaw> {
    let kinds: Vec<fn(Rational) -> Flaw> = vec![
        Flaw::SharpInner,
        Flaw::FlatInner,
        Flaw::SharpOuter,
        Flaw::FlatOuter,
        Flaw::Sharp,
        Flaw::Flat,
        |_| Flaw::Backwards,
        Flaw::Start,
        Flaw::End,
        |height| Flaw::Beyond(Reach::Step, height),
        |height| Flaw::Beyond(Reach::Shift, height),
        |height| Flaw::Beyond(Reach::Almost, height),
        Flaw::Elsewhere,
        Flaw::OffLine,
        Flaw::Unused,
        Flaw::Aside,
    ];
    (select(kinds), select(vec![ratio(1, 2), ratio(1, 4)])).prop_map(|(kind, number)| kind(number))
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn balanced_worlds_are_admissible(world in prop_oneof![balanced_world(), strict_world(), aligned_world()]) {
        prop_assert_eq!(broken(&world.exact(), Statement::Corrected), vec![]);
    }

    #[test]
    fn extremal_worlds_are_admissible(world in prop_oneof![balanced_world(), aligned_world()]) {
        prop_assert_eq!(broken(&world.extremal(&ratio(1, 8)).exact(), Statement::Corrected), vec![]);
    }

    #[test]
    fn smooth_worlds_are_admissible(world in smooth_world()) {
        let checks = Checks::new(8, 16, Seed(0)).expect("valid");
        for reading in READINGS {
            let audit = world.instance(reading).expect("valid").audit(Statement::Corrected, &checks);
            let audit = audit.expect("few outcomes");
            prop_assert!(audit.holds(), "{}", audit.violations().map(ToString::to_string).collect::<String>());
        }
    }

    #[test]
    fn unbalanced_worlds_break_nothing_but_the_balance(world in unbalanced_world()) {
        for hypothesis in broken(&world.exact(), Statement::Corrected) {
            prop_assert_eq!(hypothesis, Hypothesis::BalancedProjections);
        }
    }

    #[test]
    fn aligned_worlds_break_nothing_printed_but_what_is_not_needed(world in aligned_world()) {
        for hypothesis in broken(&world.exact(), Statement::Printed) {
            prop_assert!(matches!(hypothesis, Hypothesis::Minimiser | Hypothesis::StepAboveGap), "{hypothesis:?}");
        }
    }

    #[test]
    fn tilted_worlds_break_nothing_but_orthogonality(world in tilted_world()) {
        prop_assert_eq!(broken(&world.exact(), Statement::Corrected), vec![Hypothesis::OrthonormalDirections]);
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn flawed_worlds_break_nothing_but_their_hypothesis(world in broken_world(balanced_world(), flaws())) {
        let flaw = world.flaw.clone().expect("given");
        for hypothesis in broken(&world.exact(), Statement::Corrected) {
            prop_assert_eq!(hypothesis, flaw.hypothesis(), "{:?}", flaw);
        }
    }

    #[test]
    fn exact_and_rounded_evaluation_agree(world in prop_oneof![balanced_world(), unbalanced_world(), aligned_world()]) {
        let exact = world.exact();
        for reading in READINGS {
            let rounded = exact.rounded(reading).expect("valid");
            let gain = rounded.gain(&Silent).expect("few outcomes").difference;
            let size = 1.0 + to_f64(&exact.scale()) + gain.abs();
            prop_assert!((gain - to_f64(&exact.gain(reading))).abs() < 1e-10 * size);
            prop_assert!((rounded.terms().corrected_bound() - to_f64(&exact.corrected_bound())).abs() < 1e-12 * size);
            let shares = rounded.positive_shares().expect("few outcomes");
            for (share, exact) in shares.iter().zip(exact.positive_shares()) {
                prop_assert!((share - to_f64(&exact)).abs() < 1e-12);
            }
            let unbalanced = rounded.terms().unbalanced_bound(&shares).expect("shares");
            prop_assert!((unbalanced - to_f64(&exact.unbalanced_bound())).abs() < 1e-10 * size);
        }
    }

    #[test]
    fn directions_are_exactly_orthonormal_and_signs_exactly_balanced(world in balanced_world()) {
        let exact = world.exact();
        for (i, u) in exact.directions.iter().enumerate() {
            for (j, v) in exact.directions.iter().enumerate() {
                prop_assert_eq!(valleys_proofs::rational::dot(&u.u, &v.u), whole(i64::from(i == j)));
            }
        }
        prop_assert_eq!(exact.positive_shares(), vec![ratio(1, 2); exact.directions.len()]);
        prop_assert_eq!(exact.outcomes.iter().map(|outcome| &outcome.probability).sum::<Rational>(), whole(1));
    }

    #[test]
    fn both_readings_have_the_same_gain(world in unbalanced_world()) {
        let exact = world.exact();
        let [a, b] = READINGS.map(|reading| exact.gain(reading));
        prop_assert_eq!(a, b);
    }

    #[test]
    fn extremal_worlds_gain_what_the_formula_says(world in balanced_world()) {
        for epsilon in [whole(0), ratio(1, 3)] {
            let world: World = world.clone().extremal(&epsilon);
            let exact = world.exact();
            let excess = &epsilon * world.sum_of_slopes() / whole(2);
            prop_assert_eq!(exact.least_gain(), exact.corrected_bound() + excess);
        }
    }
}

#[test]
fn worlds_reach_six_dimensions_and_dependent_signs() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    let worlds: Vec<Instance> =
        (0..200).map(|_| balanced_world().new_tree(&mut runner).expect("drawn").current().exact()).collect();
    let dimensions: std::collections::BTreeSet<usize> = worlds.iter().map(|world| world.solution.len()).collect();
    assert_eq!(dimensions, (1..=6).collect());
    let together = |world: &&Instance| {
        let signs = |i| world.projections(i).map(|(_, s)| s > whole(0)).collect::<Vec<_>>();
        world.directions.len() > 1 && signs(0) == signs(1)
    };
    assert!(worlds.iter().filter(together).count() > 5);
}
