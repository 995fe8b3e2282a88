//! (C) and (L) against simulations with slopes that depend on the point.

use super::{Scales, long_run::LongRun, per_round::PerRound};
use crate::ensemble::{Plan, Start, run};
use crate::estimate::{Confidence, Moments};
use crate::progress::Silent;
use crate::sgd::{NoiseLaw, Process, Rounds, Setting, Slopes, Valley};
use crate::{Result, Seed};

/// Settings just above the thresholds of (L) and (C) at their ν, and one far above.
fn settings() -> Vec<Setting> {
    [(0.5, 2.1, 0.0), (0.9, 2.1, 0.5), (0.3, 3.1, 0.5), (0.5, 2.8, 0.75), (0.2, 5.1, 1.0), (0.5, 13.5, 1.0)]
        .into_iter()
        .map(|(b_plus, c, nu)| Setting::new(Valley::new(1.0, b_plus, c, -c - 1.0)?, 0.25, nu))
        .collect::<Result<_>>()
        .expect("valid")
}

fn gradients(setting: &Setting) -> Vec<Slopes> {
    [
        Slopes::constant(setting, 0.0, 0.0),
        Slopes::constant(setting, 1.0, 1.0),
        Slopes::smooth(setting, 0.1),
        Slopes::staircase(setting, 0.07, vec![1.0, 0.0, 0.3, 0.9], vec![0.0, 1.0, 0.5]),
        Slopes::landing(setting, 0.0),
        Slopes::landing(setting, setting.nu() * setting.eta()),
    ]
    .into_iter()
    .collect::<Result<_>>()
    .expect("valid")
}

const LAWS: [NoiseLaw; 2] = [NoiseLaw::Uniform, NoiseLaw::TwoPoint];

/// Calls `check` for every process of the families above, with its number.
fn for_each_process(mut check: impl FnMut(u64, &Process<Slopes, NoiseLaw>)) {
    let mut number = 0;
    for setting in settings() {
        for gradient in gradients(&setting) {
            for noise in LAWS {
                check(number, &Process { setting, gradient: gradient.clone(), noise });
                number += 1;
            }
        }
    }
}

/// One false alarm in a thousand runs of a whole test, over its 72 processes; the seeds are fixed.
fn confidence() -> Confidence {
    Confidence::P999.simultaneous(72).expect("valid")
}

#[test]
fn long_run_means_stay_above_the_rate() {
    let mut compared = 0;
    for_each_process(|number, process| {
        let Ok(bound) = LongRun::of(&process.setting) else { return };
        let plan = Plan::new(32, 0, 4_000).expect("valid");
        let start = Start::At(-Scales::of(&process.setting).reach);
        let ensemble = run(process, &plan, start, Seed(21).child("process", number), &Silent).expect("runs");
        let interval = ensemble.long_run(confidence()).expect("many chains");
        let least = bound.sum(4_000) / 4_000.0;
        assert!(interval.high >= least, "{process:?}: {interval:?} against {least}");
        // The offset C makes the finite bound lax; the rate itself holds in these processes with room to spare.
        assert!(interval.low > bound.rate(), "{process:?}: {interval:?} against ρ = {}", bound.rate());
        compared += 1;
    });
    assert_eq!(compared, 72);
}

#[test]
fn prepared_rounds_average_above_their_bound_and_are_no_longer_than_theirs() {
    let mut compared = 0;
    for_each_process(|number, process| {
        let Ok(bound) = PerRound::of(&process.setting) else { return };
        let reach = Scales::of(&process.setting).reach;
        let (mut averages, mut lengths) = (Moments::default(), Moments::default());
        for chain in 0..64 {
            // Rounds of one chain depend on each other: their mean is one value, nearly normal and independent.
            let (mut average, mut length) = (Moments::default(), Moments::default());
            let seed = Seed(22).child("process", number);
            let points = process.chain(0.0, seed.stream("chain", chain)).iterates(4_000);
            let mut rounds = Rounds::new();
            for round in points.into_iter().filter_map(|w| rounds.push(w)).filter(|r| r.is_prepared(reach)) {
                average.push(round.mean() - bound.average(round.start));
                length.push(round.iterates as f64 - bound.length(round.start));
                assert!(bound.average(round.start) >= bound.c0() - 1e-12);
            }
            averages.push(average.mean());
            lengths.push(length.mean());
        }
        let average = averages.student(confidence()).expect("64 chains");
        let length = lengths.student(confidence()).expect("64 chains");
        assert!(average.high >= 0.0, "{process:?}: average minus bound {average:?}");
        assert!(length.low <= 0.0, "{process:?}: length minus bound {length:?}");
        compared += 1;
    });
    assert_eq!(compared, 48);
}
