//! What (L) cannot do without, and what it can.

use valleys_sim::progress::Observer;
use valleys_sim::theorem2::ProcessHypothesis::{BoundedNoise, SlopesWithinBounds, StartAboveMinusD, ZeroMeanNoise};
use valleys_sim::theorem2::{Hypothesis, Statement, adversary::worst_case, long_run::LongRun};
use valleys_sim::{Result, Seed};

use super::theorem2_common::{Dropped, chain_evidence, listed, mean, needed};
use super::theorem2_long_run_sharp::{cycle, noisy_cycle, rare_leap};
use super::theorem2_pathwise_needs::{gentle_sharp_slope, steep_flat_slope};
use crate::exact::{Chain, Lattice, Place, Ratio, worst_sum};
use crate::trial::{beyond_rounding, for_all};
use crate::{Assumption, Effect, Effort, Evidence, Weakening};

pub(super) fn long_run_weakenings() -> Vec<Weakening> {
    let mut weakenings = vec![
        Weakening {
            hypothesis: Assumption::Theorem2(Hypothesis::OneSharpIterate),
            instead: "nothing: c > 2 + 3ν/2 for ν > 2 (a₊ = 1)",
            effect: Effect::Unknown,
            search: Box::new(|effort, seed, observer| several_sharp_iterates(effort, seed, observer)),
        },
        needed(Assumption::Theorem2(Hypothesis::LongRunGain), "(c − 1)a₊ ≥ 2ν alone", || {
            noisy(Statement::LongRun, Hypothesis::LongRunGain)
        })
        .with_proofs(&["LongRunSharp.long_run_threshold_exact"]),
    ];
    weakenings.extend(process_weakenings(Statement::LongRun));
    weakenings
}

pub(super) fn headline_weakenings() -> Vec<Weakening> {
    let mut weakenings = vec![
        needed(Assumption::Theorem2(Hypothesis::NoiseWithinHalfFlatSlope), "ν ≤ a₊", || {
            noisy(Statement::LongRunHeadline, Hypothesis::NoiseWithinHalfFlatSlope)
        })
        .with_proofs(&["LongRunSharp.long_run_threshold_exact"]),
        needed(Assumption::Theorem2(Hypothesis::AsymmetryAboveTwo), "c > 1", || {
            let chain = cycle(&Lattice::new(2, 1, 3, 0))?;
            let shown = format!("The cycle {} has mean −1/6", listed(&chain.lattice, [1, 0, -2]));
            let dropped = Dropped { setting: &[Hypothesis::AsymmetryAboveTwo], process: &[] };
            chain_evidence(&chain, Statement::LongRunHeadline, dropped, chain.long_run_mean(), &shown)
        })
        .with_proofs(&["LongRunSharp.long_run_sharp"]),
    ];
    weakenings.extend(process_weakenings(Statement::LongRunHeadline));
    weakenings
}

/// What (L) makes of its process, whichever its conditions on the setting.
pub(super) fn process_weakenings(statement: Statement) -> Vec<Weakening> {
    let process = Assumption::Process;
    vec![
        needed(process(ZeroMeanNoise), "noise of any mean", move || pushed(statement)),
        needed(process(ZeroMeanNoise), "E[ω_t] = 0", move || one_coin(statement)),
        needed(process(ZeroMeanNoise), "E[ω_t | w₀, …, w_t] = 0, whatever the slope at w_t", move || {
            hidden_slope(statement)
        }),
        needed(process(BoundedNoise), "E[ω_t² | past] ≤ ν²", move || {
            let chain = rare_leap(3, 16, 8)?;
            let mean = chain.long_run_mean();
            let dropped = Dropped { setting: &[], process: &[BoundedNoise] };
            chain_evidence(&chain, statement, dropped, mean, &format!("No iterate is above 0, and the mean is {mean}"))
        })
        .with_proofs(&["Variance.long_run_needs_bounded_noise"]),
        needed(process(SlopesWithinBounds), "flat slopes ≥ 0: b₊ = 0", move || {
            let chain = Chain::cycle(Lattice::new(1, 1, 4, 0), &[(0, 0)]);
            let shown = "It stays at 0: the mean is 0, not ρ = ⅔ > 0 as for b₊ = 1";
            let dropped = Dropped { setting: &[], process: &[SlopesWithinBounds] };
            chain_evidence(&chain, statement, dropped, chain.long_run_mean() - Ratio::new(2, 3), shown)
        }),
        needed(process(SlopesWithinBounds), "flat slopes ≥ b₊ of any size", move || steep_flat_slope(statement)),
        needed(process(SlopesWithinBounds), "sharp slopes < 0 of any size", move || gentle_sharp_slope(statement)),
        Weakening {
            hypothesis: process(SlopesWithinBounds),
            instead: "sharp slopes ≤ −ca₊ of any size, with |b₋| = ca₊ in C",
            effect: Effect::Unknown,
            search: Box::new(steep_sharp_slopes),
        },
        needed(process(StartAboveMinusD), "any w₀, with the same C", move || {
            let visits =
                [(-20, -4), (-16, -4), (-12, -4), (-8, -4), (-4, -4), (0, 1), (-1, -4), (3, 1), (2, 1), (1, 1)];
            let mut chain = Chain::cycle(Lattice::new(1, 1, 4, 0), &visits);
            if let Some(last) = chain.places.last_mut() {
                last.next = vec![(Ratio::ONE, 5)];
            }
            // D = 1, ρ = 2/3, C = 9 + 2/3 + 8.
            let slack = Ratio::from(-20) - (Ratio::new(2, 3) - Ratio::new(53, 3));
            let shown = "Already for n = 1 the sum is −20, below ρ − C = −17; the start costs more the lower it is";
            chain_evidence(&chain, statement, Dropped::default(), slack, shown)
        }),
    ]
}

/// ν = ¾, c = 5/2: mean −⅛.
fn noisy(statement: Statement, dropped: Hypothesis) -> Result<Evidence> {
    let chain = noisy_cycle(&Lattice::new(4, 1, 10, 3))?;
    let mean = chain.long_run_mean();
    let dropped = Dropped { setting: &[dropped], process: &[] };
    chain_evidence(&chain, statement, dropped, mean, &format!("The mean is {mean}"))
}

/// ω = ½ on the way down to −3/2 and from there: (1, 0, −3/2) for c = 3.
fn pushed(statement: Statement) -> Result<Evidence> {
    let lattice = Lattice::new(2, 1, 6, 1);
    let chain = Chain::cycle(lattice, &[(2, 2), (0, 2), (-3, -6)]);
    let average = mean(&lattice, &[2, 0, -3]);
    let shown =
        format!("With ω = ½ at 0 and at −3/2 it is the cycle {}, of mean {average}", listed(&lattice, [2, 0, -3]));
    chain_evidence(&chain, statement, Dropped { setting: &[], process: &[ZeroMeanNoise] }, average, &shown)
}

/// One coin decides between ω = ½ and ω = −½ for ever.
fn one_coin(statement: Statement) -> Result<Evidence> {
    let lattice = Lattice::new(2, 1, 6, 1);
    let tails = Chain::cycle(lattice, &[(0, 1)]);
    let cycle = Chain::cycle(lattice, &[(2, 1), (0, 2), (-3, -6)]);
    let (one, half) = (Ratio::ONE, Ratio::new(1, 2));
    let place = |point, slope, next| Place { point, slope, next: vec![(one, next)] };
    // Heads: 0, −3/2, 1, 0, … with ω = ½; tails: 0, −½, 3, …, 0, 0, 0 with ω = −½.
    let mut places = vec![Place { point: 0, slope: 2, next: vec![(half, 1), (half, 4)] }];
    places.extend([place(-3, -6, 2), place(2, 1, 3), place(0, 2, 1)]);
    places.push(place(-1, -6, 5));
    places.extend((0..6).map(|k| place(6 - k, 2, 6 + k as usize)));
    places.push(place(0, 1, 11));
    let chain = Chain { lattice, places };
    let average = (cycle.long_run_mean() + tails.long_run_mean()) * half;
    let shown = format!(
        "One coin, tossed at the start, decides whether ω = ½ for ever, which leads to the cycle (1, 0, −3/2), or ω = −½, which stays \
         at 0 in the end: E[ω_t] = 0 for every t, and the mean is {average}"
    );
    let evidence =
        chain_evidence(&chain, statement, Dropped { setting: &[], process: &[ZeroMeanNoise] }, average, &shown)?;
    Ok(Evidence { counterexample: evidence.counterexample.map(|_| format!("{lattice}. {shown}")), ..evidence })
}

/// A coin at 0 decides at once on the slope and the noise there: gentle and up, or steep and down.
fn hidden_slope(statement: Statement) -> Result<Evidence> {
    let lattice = Lattice::new(100, 1, 210, 50);
    let half = Ratio::new(1, 2);
    let coin = || vec![(half, 0), (half, 1)];
    let place = |point, slope, next: Vec<(Ratio, usize)>| Place { point, slope, next };
    let to = |next| vec![(Ratio::ONE, next)];
    let places = vec![
        place(0, 1, to(2)),
        place(0, 100, to(3)),
        place(49, 49, coin()),
        place(-150, -210, to(4)),
        place(60, 60, coin()),
    ];
    let chain = Chain { lattice, places };
    let mean = chain.long_run_mean();
    let shown = format!(
        "At 0 a coin decides between slope 1/100 with ω = −½ and slope 1 with ω = ½, so that the noise has mean zero given the iterates \
         alone; the mean is {mean}"
    );
    chain_evidence(&chain, statement, Dropped { setting: &[], process: &[ZeroMeanNoise] }, mean, &shown)
}

/// For ν > 2a₊ and c between 2 + 3ν/2 and 1 + 2ν a sharp step may end on the sharp side.
fn several_sharp_iterates(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let cases = (1..=2_i64, 7..=10_i64, 0..=1_i64);
    let method = "settings with ν > 2a₊ against every adversary on a lattice of 2 cells to a₊, forever";
    let evidence = for_all(&cases, effort.cases().div_ceil(16), seed, observer, method, |&(b_plus, nu, above)| {
        // In cells 2 + 3ν/2 is (8 + 3ν)/2, and 1 + 2ν is 2 + 2ν.
        let sharp = ((8 + 3 * nu) / 2 + 1 + above).min(1 + 2 * nu);
        let lattice = Lattice::new(2, b_plus, sharp, nu);
        let (beta, jump, theta) = (b_plus as f64, lattice.sharp as f64, lattice.overshoot() as f64);
        let y = jump - theta;
        let rate = ((y.max(2.0 * y - 2.0) - theta) * beta / (jump + 2.0 * beta)).min(beta);
        let smallest = worst_case(&lattice.setting()?, 2, 0.01, observer)?;
        Ok(beyond_rounding(smallest.high, rate, 2.0))
    })?;
    Ok(evidence.adversarial())
}

/// |b₋| far above c·a₊, with a C that does not know it.
fn steep_sharp_slopes(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let cases = (1..=2_i64, 0..=1_i64, 1..=4_i64, 0..=40_i64);
    let method =
        "settings with |b₋| up to 40 cells above ca₊ against every adversary, from −D, for 1, 2, 4, …, 32 iterates";
    let evidence =
        for_all(&cases, effort.cases().div_ceil(4), seed, observer, method, |&(b_plus, nu, above, steeper)| {
            let lattice = Lattice::new(2, b_plus, 4 + above, nu);
            let bound = LongRun::of(&lattice.setting()?)?;
            let steep = Lattice { steepest: lattice.sharp + steeper, ..lattice };
            let slack = |n: u32| beyond_rounding(worst_sum(&steep, -lattice.reach(), n), bound.sum(n.into()), 2.0);
            Ok((0..=5).map(|k| slack(1 << k)).fold(f64::INFINITY, f64::min))
        })?;
    Ok(evidence.adversarial())
}
