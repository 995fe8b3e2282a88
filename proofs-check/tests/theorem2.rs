//! Properties of the corrected Theorem 2 on random processes, all exact.

use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed};
use valleys_proofs::exact::{TwoPointNoise, round_average, sum};
use valleys_proofs::strategy::theorem2::process_case;
use valleys_sim::Seed;
use valleys_sim::theorem2::{Scales, long_run, per_round, visited};

/// Fixed instances; those that once failed are kept beside this file and run first.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(0),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("proptest-regressions"))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn generated_processes_keep_their_bounds_and_their_noise_has_mean_zero(case in process_case()) {
        let process = case.process(long_run::threshold).expect("valid");
        let mut chain = process.chain(0.0, Seed(0).stream("chain", 0));
        let visits: Vec<_> = (0..500).map(|_| chain.step()).collect();
        prop_assert_eq!(visited::check(&process.setting, &visits), Ok(()));
        for visit in visits {
            let outcomes = process.noise.outcomes(visit.point, process.setting.nu());
            let mean: f64 = outcomes.iter().map(|(probability, noise)| probability * noise).sum();
            let total: f64 = outcomes.iter().map(|(probability, _)| probability).sum();
            prop_assert!(mean.abs() < 1e-12 && (total - 1.0).abs() < 1e-12);
            prop_assert!(outcomes.iter().any(|(_, noise)| *noise == visit.noise));
        }
    }

    #[test]
    fn prepared_rounds_average_above_their_bound(case in process_case()) {
        let process = case.process(per_round::threshold).expect("valid");
        let bound = per_round::PerRound::of(&process.setting).expect("above the threshold");
        let start = Scales::of(&process.setting).lowest_start + case.start * process.setting.eta();
        for steps in [2, 5, 11] {
            let average = round_average(&process, start, steps);
            prop_assert!(average >= bound.average_within(start, steps) - 1e-9 * process.setting.eta());
        }
    }

    #[test]
    fn sums_stay_above_the_line(case in process_case()) {
        let process = case.process(long_run::threshold).expect("valid");
        let bound = long_run::LongRun::of(&process.setting).expect("above the threshold");
        let reach = Scales::of(&process.setting).reach;
        for start in [-reach, -0.5 * reach, 0.0, reach] {
            for n in [1, 4, 9] {
                prop_assert!(sum(&process, start, n) >= bound.sum(u64::from(n)) - 1e-9 * process.setting.eta());
            }
        }
    }
}
