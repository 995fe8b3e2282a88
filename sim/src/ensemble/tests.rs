//! Vectors of chains against the plain chain, bit by bit.

use proptest::prelude::*;

use super::*;
use crate::estimate::{Confidence, Histogram};
use crate::progress::{Silent, Stopped};
use crate::sgd::{Gradient, Momentum, NoiseLaw, Process, Rounds, Setting, Slopes, Valley};
use crate::{Error, Seed};

fn process() -> Process<Slopes, NoiseLaw> {
    let valley = Valley::new(1.0, 0.5, 3.0, -4.0).expect("valid");
    let setting = Setting::new(valley, 0.1, 0.8).expect("valid");
    let gradient = Slopes::smooth(&setting, 1.0).expect("valid");
    Process { setting, gradient, noise: NoiseLaw::Uniform }
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let process = process();
    let plan = Plan::new(37, 10, 5_000).expect("valid");
    let start = Start::Uniform { low: -0.1, high: 0.4 };
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| run(&process, &plan, start, Seed(5), &Silent)).expect("runs")
    };
    let one = on(1);
    assert_eq!(one, on(2));
    let interval = |e: &Ensemble| e.round_mean(Confidence::P95).expect("rounds");
    assert_eq!(interval(&one), interval(&on(2)));
}

#[test]
fn sums_are_those_of_the_plain_chain() {
    let process = process();
    let plan = Plan::new(2, 3, 1_000).expect("valid");
    let ensemble = run(&process, &plan, Start::At(0.2), Seed(9), &Silent).expect("runs");
    let points = process.chain(0.2, Seed(9).stream("chain", 1)).iterates(1_004);
    let mut rounds = Rounds::new();
    let finished: Vec<_> = points[3..1_003].iter().filter_map(|&w| rounds.push(w)).collect();
    let sums = ensemble.chains()[1];
    // The same numbers, added in another order.
    let sum = points[3..1_003].iter().fold(0.0, |sum, w| sum + w);
    assert!((sums.sum - sum).abs() < 1e-11, "{} is not {sum}", sums.sum);
    assert_eq!(sums.rounds, finished.len() as u64);
    assert_eq!(sums.round_means, finished.iter().fold(0.0, |sum, r| sum + r.mean()));
    assert_eq!(sums.round_means_as_printed, finished.iter().fold(0.0, |sum, r| sum + r.mean_as_printed()));
    assert_eq!(sums.last, points[1_003]);
    assert!(sums.rounds > 100);
}

#[test]
fn a_plan_and_a_start_are_checked() {
    assert!(Plan::new(1, 0, 10).is_err());
    assert!(Plan::new(2, 0, 0).is_err());
    assert!(Plan::new(u64::MAX, 0, 2).is_err());
    let plan = Plan::new(2, 0, 10).expect("valid");
    assert!(run(&process(), &plan, Start::At(f64::NAN), Seed(0), &Silent).is_err());
    let short = run(&process(), &Plan::new(2, 0, 1).expect("valid"), Start::At(0.0), Seed(0), &Silent);
    assert!(short.expect("runs").round_mean(Confidence::P95).is_err());
}

#[test]
fn an_interruption_stops_the_work() {
    let plan = Plan::new(2, 0, 1 << 52).expect("valid");
    assert_eq!(run(&process(), &plan, Start::At(0.0), Seed(0), &Stopped), Err(Error::Interrupted));
}

/// Everything at once.
type All = ((Totals, (RoundMeans, RoundMeansAsPrinted)), (RoundMoments, Extremes));

fn bits(chains: &[Tallied<All>]) -> Vec<[u64; 15]> {
    let of = |chain: &Tallied<All>| {
        let ((totals, (means, means_as_printed)), (moments, extremes)) = chain.tally;
        let numbers = [
            chain.last,
            totals.round_sum,
            totals.before,
            totals.after,
            means.sum,
            means_as_printed.sum,
            moments.sum_squared,
            moments.sum_by_iterates,
            moments.iterates_squared,
            extremes.lowest,
            extremes.highest,
        ];
        let counts = [totals.rounds, totals.round_iterates, means.negative, extremes.longest_round];
        let mut all = [0; 15];
        numbers.iter().map(|number| number.to_bits()).chain(counts).zip(&mut all).for_each(|(bits, to)| *to = bits);
        all
    };
    chains.iter().map(of).collect()
}

/// Every gradient family.
fn slopes(setting: &Setting) -> Vec<Slopes> {
    let all = [
        Slopes::constant(setting, 0.3, 0.9),
        Slopes::smooth(setting, 0.7),
        Slopes::staircase(setting, 0.13, vec![0.0, 1.0, 0.4], vec![1.0, 0.1]),
        Slopes::landing(setting, 0.0),
    ];
    all.into_iter().map(|slopes| slopes.expect("valid")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_instruction_set_has_the_bits_of_the_plain_chain(
        (b, c, extra) in (0.05..1.0, 1.05..6.0, 0.0..2.0),
        (eta, nu) in (0.01..2.0, prop_oneof![Just(0.0), Just(1e-300), 0.01..1.5]),
        momentum in proptest::option::of(0.0..0.99),
        (chains, burn_in, steps) in (2_u64..140, 0_u64..40, 1_u64..300),
        seed in any::<u64>(),
    ) {
        let setting = Setting::new(Valley::new(1.0, b, c, -c - extra).expect("valid"), eta, nu).expect("valid");
        let plan = Plan::new(chains, burn_in, steps).expect("valid");
        let start = Start::Uniform { low: -1.0, high: 2.0 };
        for gradient in slopes(&setting) {
            for noise in NoiseLaw::ALL {
                let process = Process { setting, gradient: gradient.clone(), noise };
                let mut simulation = Simulation::of(&process);
                if let Some(coefficient) = momentum {
                    simulation = simulation.with_momentum(Momentum::new(coefficient).expect("valid"));
                }
                let plain = simulation.one_by_one(&plan, start, Seed(seed), &Silent).expect("runs");
                for set in InstructionSet::available() {
                    let fast = simulation.on(set).tally(&plan, start, Seed(seed), &Silent).expect("runs");
                    prop_assert_eq!(bits(&fast), bits(&plain), "{} {:?} {:?}", set.name(), gradient, noise);
                }
            }
        }
    }
}

#[test]
fn a_gradient_of_ones_own_runs_with_the_same_bits() {
    struct Wavy;
    impl Gradient for Wavy {
        fn at(&self, point: f64) -> f64 {
            if point >= 0.0 { 0.75 + 0.25 * (40.0 * point).sin() } else { -3.0 }
        }
    }
    let process = Process { setting: process().setting, gradient: Wavy, noise: NoiseLaw::TwoPoint };
    let plan = Plan::new(70, 5, 1_000).expect("valid");
    let simulation = Simulation::of(&process);
    let plain = simulation.one_by_one(&plan, Start::At(0.3), Seed(8), &Silent).expect("runs");
    for set in InstructionSet::available() {
        let fast = simulation.on(set).tally(&plan, Start::At(0.3), Seed(8), &Silent).expect("runs");
        assert_eq!(bits(&fast), bits(&plain));
    }
    assert!(plain[0].tally.0.0.rounds > 50);
}

#[test]
fn long_runs_have_the_bits_of_the_plain_chain() {
    // Many times around the block, and past the moment when every chain is in a round.
    let process = process();
    let plan = Plan::new(65, 1_003, 100_001).expect("valid");
    let simulation = Simulation::of(&process);
    let plain = simulation.one_by_one(&plan, Start::At(0.0), Seed(3), &Silent).expect("runs");
    for set in InstructionSet::available() {
        let fast = simulation.on(set).tally(&plan, Start::At(0.0), Seed(3), &Silent).expect("runs");
        assert_eq!(bits(&fast), bits(&plain));
    }
}

#[test]
fn distributions_count_what_the_plain_chain_meets() {
    let process = process();
    let plan = Plan::new(67, 5, 1_000).expect("valid");
    let empty = || Distributions {
        points: Histogram::new(-1.0, 1.0, 50).expect("valid"),
        round_sums: Histogram::new(-2.0, 2.0, 40).expect("valid"),
        round_means: Histogram::new(-0.5, 0.5, 20).expect("valid"),
        round_iterates: Distributions::iterates_to(9).expect("valid"),
    };
    let counted =
        Simulation::of(&process).distributions(&plan, Start::At(0.2), Seed(4), &empty(), &Silent).expect("runs");
    let mut wanted = empty();
    for chain in 0..67 {
        let points = process.chain(0.2, Seed(4).stream("chain", chain)).iterates(1_005);
        let mut rounds = Rounds::new();
        for &point in &points[5..] {
            wanted.points.push(point);
            if let Some(round) = rounds.push(point) {
                wanted.round_sums.push(round.sum);
                wanted.round_means.push(round.mean());
                wanted.round_iterates.push(round.iterates as f64);
            }
        }
    }
    assert_eq!(counted, wanted);
    assert_eq!(counted.points.total(), 67_000);
    assert!(counted.round_iterates.total() > 1_000 && counted.round_iterates.counts().iter().all(|&count| count > 0));
}
