//! What (C) and the length of a round cannot do without, and what they can.

use valleys_sim::progress::Observer;
use valleys_sim::theorem2::ProcessHypothesis::{
    BoundedNoise, FlatStart, PreparedRound, SlopesWithinBounds, ZeroMeanNoise,
};
use valleys_sim::theorem2::{Hypothesis, Statement};
use valleys_sim::{Result, Seed};

use super::theorem2_common::{Dropped, chain_evidence, listed, mean, needed, unneeded};
use super::theorem2_pathwise_needs::{asymmetry, gentle_sharp_slope, steep_flat_slope, unprepared};
use super::theorem2_rounds::{average, horizon, length_bound};
use crate::exact::{Chain, Lattice, Place, Ratio, round_law};
use crate::strategy::theorem2::{setting_case, walk_case};
use crate::trial::{beyond_rounding, for_all};
use crate::{Assumption, Effort, Evidence, Weakening};

pub(super) fn round_weakenings() -> Vec<Weakening> {
    let process = Assumption::Process;
    vec![
        unneeded(
            Assumption::Theorem2(Hypothesis::OneSharpIterate),
            "nothing",
            "Q(w_min) > θ is enough: for w_min < 0 it is impossible",
            |effort: Effort, seed: Seed, observer: &dyn Observer| {
                let method = "settings with noise up to 64a₊ and c up to 200 that meet Q(w_min) > θ";
                let cases = (setting_case(), 1..=200_i64, 0..=5_u32);
                for_all(&cases, effort.cases(), seed, observer, method, |&(case, above, log_scale)| {
                    let a_plus = 1 << case.log_a_plus;
                    let setting = Lattice::new(a_plus, 1, a_plus + above, case.nu << log_scale).setting()?;
                    let implied = Hypothesis::RoundGain.check(&setting).is_err()
                        || Hypothesis::OneSharpIterate.check(&setting).is_ok();
                    Ok(if implied { 1.0 } else { -1.0 })
                })
            },
        ),
        needed(Assumption::Theorem2(Hypothesis::RoundGain), "(c − 1)a₊ ≥ 2ν alone", short_round)
            .with_proofs(&["PerRoundSharp.per_round_threshold_exact"]),
        needed(process(ZeroMeanNoise), "noise whose mean only pushes to the flat side, E[ω_t | past] ≤ 0", waiting),
        needed(process(BoundedNoise), "E[ω_t² | past] ≤ ν²", rare_leap),
        needed(process(SlopesWithinBounds), "flat slopes ≥ 0: b₊ = 0", || flat_without_slope(Statement::PerRound)),
        needed(process(SlopesWithinBounds), "flat slopes ≥ b₊ of any size", || {
            steep_flat_slope(Statement::PerRound)
        }),
        needed(process(SlopesWithinBounds), "sharp slopes < 0 of any size", || gentle_sharp_slope(Statement::PerRound)),
        unneeded(
            process(SlopesWithinBounds),
            "the same for any b₋",
            "c₀ does not depend on b₋",
            |effort: Effort, seed: Seed, observer: &dyn Observer| {
                // What b₋ changes is the start alone, so rounds from high starts are followed.
                let method = "random processes from starts up to 100 cells above w_min, exact for up to 24 steps";
                for_all(&walk_case(), effort.cases(), seed, observer, method, |case| {
                    let walk = case.walk(Statement::PerRound)?;
                    let start = walk.lattice.lowest_start() + 8 * case.start;
                    let law = round_law::<_, f64>(&walk, walk.at(start), 24, 300);
                    let bound = average(&walk.lattice, start, horizon(&law))?;
                    Ok(beyond_rounding(law.average, bound, walk.lattice.a_plus as f64))
                })
            },
        )
        .with_proofs(&["PerRound.per_round"]),
        needed(process(PreparedRound), "any round", || unprepared(Statement::PerRound))
            .with_proofs(&["Theorem2Printed.first_round_negative"]),
    ]
}

pub(super) fn length_weakenings() -> Vec<Weakening> {
    let process = Assumption::Process;
    vec![
        needed(process(ZeroMeanNoise), "noise of any mean", || too_long(-1, 1)),
        needed(process(BoundedNoise), "E[ω_t² | past] ≤ ν²", long_before_a_leap),
        needed(process(SlopesWithinBounds), "flat slopes ≥ 0: b₊ = 0", || too_long(0, 0)),
        unneeded(
            process(FlatStart),
            "any start, N counted up to the first sharp iterate",
            "from w₀ < 0 that is w₀ itself, and N = 1",
            |effort: Effort, seed: Seed, observer: &dyn Observer| {
                for_all(&setting_case(), effort.cases(), seed, observer, "settings and sharp starts", |&case| {
                    let lattice = case.lattice(Statement::Pathwise)?;
                    Ok(beyond_rounding(length_bound(&lattice, -lattice.overshoot()), 1.0, 1.0))
                })
            },
        ),
    ]
}

/// c₀ in units of a₊, exactly.
fn c0(lattice: &Lattice) -> Ratio {
    let whole = Ratio::from;
    let (w, reach) = (whole(lattice.lowest_start()), whole(lattice.reach()));
    let quadratic = w * (w + reach) / (whole(2) * reach);
    let sum = if quadratic > w { quadratic } else { w };
    let length = Ratio::ONE + (w + whole(lattice.overshoot())) / whole(lattice.b_plus);
    (sum - whole(lattice.overshoot())) / length / whole(lattice.a_plus)
}

/// ν = ½, c = 2.9: (.9, 0, −1).
fn short_round() -> Result<Evidence> {
    let lattice = Lattice::new(10, 5, 29, 5);
    let (half, one) = (Ratio::new(1, 2), Ratio::ONE);
    let place = |point, slope, next| Place { point, slope, next };
    // From −1.5 noise leads to w_min = .9 or to 1.9, and back to 0 by way of .9.
    let places = vec![
        place(-15, -29, vec![(half, 1), (half, 4)]),
        place(9, 9, vec![(one, 2)]),
        place(0, 10, vec![(one, 3)]),
        place(-10, -29, vec![(one, 4)]),
        place(19, 10, vec![(one, 1)]),
    ];
    let chain = Chain { lattice, places };
    let shown = "The prepared round (9/10, 0, −1) has mean −1/30";
    let dropped = Dropped { setting: &[Hypothesis::RoundGain], process: &[] };
    chain_evidence(&chain, Statement::PerRound, dropped, Ratio::new(-1, 30), shown)
}

/// ω = −b₊ at 0 holds the round there.
fn waiting() -> Result<Evidence> {
    const WAITS: usize = 7;
    let lattice = Lattice { steepest: 9, ..Lattice::new(2, 1, 8, 1) };
    let (half, one) = (Ratio::new(1, 2), Ratio::ONE);
    let place = |point, slope, next| Place { point, slope, next };
    let mut places = vec![
        place(4, 2, vec![(one, 1)]),
        place(2, 2, vec![(one, 6)]),
        place(-3, -8, vec![(half, 0), (half, 3)]),
        place(6, 2, vec![(one, 0)]),
        place(-1, -9, vec![(one, 5)]),
        place(8, 2, vec![(one, 3)]),
    ];
    places.extend((0..WAITS).map(|k| place(0, 1, vec![(one, 7 + k)])));
    places.push(place(0, 2, vec![(half, 2), (half, 4)]));
    let chain = Chain { lattice, places };
    let average = round_law::<_, Ratio>(&chain, 0, 20, 100).average / Ratio::from(2);
    let c0 = c0(&lattice);
    let shown = format!(
        "With ω = −½ at 0 for seven steps the round from w_min = 2 is (2, 1, 0, …, 0, −3/2 or −½) with mean {average}, below \
         c₀ = {c0}; the longer it waits, the smaller the mean"
    );
    let dropped = Dropped { setting: &[], process: &[ZeroMeanNoise] };
    let evidence = chain_evidence(&chain, Statement::PerRound, dropped, average - c0, &shown)?;
    // The words alone say it: the chain is long.
    Ok(Evidence { counterexample: evidence.counterexample.map(|_| format!("{lattice}. {shown}")), ..evidence })
}

/// At 0 the noise has mean zero and variance ν², and leads to −17/4 with probability 1/17: every round from w_min has a sum < 0.
fn rare_leap() -> Result<Evidence> {
    let lattice = Lattice::new(4, 1, 21, 4);
    let (half, one) = (Ratio::new(1, 2), Ratio::ONE);
    let place = |point, slope, next| Place { point, slope, next };
    let places = vec![
        place(9, 4, vec![(one, 1)]),
        place(5, 4, vec![(one, 2)]),
        place(1, 1, vec![(one, 3)]),
        place(0, 1, vec![(Ratio::new(16, 17), 3), (Ratio::new(1, 17), 4)]),
        place(-17, -21, vec![(one, 5)]),
        place(4, 4, vec![(one, 6)]),
        place(0, 4, vec![(half, 7), (half, 8)]),
        place(-8, -21, vec![(half, 0), (half, 9)]),
        place(0, 4, vec![(one, 10)]),
        place(17, 4, vec![(one, 11)]),
        place(-4, -21, vec![(one, 9)]),
        place(13, 4, vec![(one, 0)]),
    ];
    let chain = Chain { lattice, places };
    let law = round_law::<_, Ratio>(&chain, 0, 8, 100);
    let average = law.average / Ratio::from(4);
    let shown = format!(
        "From w_min = 9/4, which −2 leads to, every round is (9/4, 5/4, ¼, 0, …, 0, −17/4), with sum −½: E[w̄ | start] < 0; those of \
         at most 9 iterates contribute {average}"
    );
    chain_evidence(&chain, Statement::PerRound, Dropped { setting: &[], process: &[BoundedNoise] }, average, &shown)
}

/// A slope of 0 at 0, once, brings a round below its c₀; more often, below every ε > 0.
pub(super) fn flat_without_slope(statement: Statement) -> Result<Evidence> {
    let c = asymmetry(statement);
    let lattice = Lattice::new(1, 1, c, 0);
    let mut visits: Vec<(i64, i64)> = (1..c).rev().map(|point| (point, 1)).collect();
    visits.extend([(0, 0), (0, 1), (-1, -c)]);
    let chain = Chain::cycle(lattice, &visits);
    let points: Vec<i64> = visits.iter().map(|visit| visit.0).collect();
    let (average, c0) = (mean(&lattice, &points), c0(&lattice));
    let shown = format!(
        "The prepared round {} has mean {average}, below c₀ = {c0} for b₊ = 1; the longer it waits at 0, with slope 0, the smaller the \
         mean",
        listed(&lattice, points)
    );
    chain_evidence(&chain, statement, Dropped { setting: &[], process: &[SlopesWithinBounds] }, average - c0, &shown)
}

/// Waits at 0 for four steps, where the noise or a missing slope allows it.
fn too_long(noise: i64, slope: i64) -> Result<Evidence> {
    let lattice = Lattice::new(1, 1, 4, noise.abs());
    let chain = Chain::cycle(
        lattice,
        &[(0, slope), (0, slope), (0, slope), (0, slope), (0, 1), (-1, -4), (3, 1), (2, 1), (1, 1)],
    );
    let bound = Ratio::ONE + Ratio::new((lattice.overshoot()).into(), 1);
    let slack = bound - Ratio::from(6);
    let broken = if noise == 0 { SlopesWithinBounds } else { ZeroMeanNoise };
    let shown = format!(
        "From 0 the round (0, 0, 0, 0, 0, −1) has N = 6, more than 1 + θ/β = {bound}; it can wait as long as it likes"
    );
    chain_evidence(&chain, Statement::Pathwise, Dropped { setting: &[], process: &[broken] }, slack, &shown)
}

/// At 0 the noise has mean zero and variance ν², and leads to −5/2 with probability ⅕: E[T] = 5 > θ/β = 4.
fn long_before_a_leap() -> Result<Evidence> {
    let lattice = Lattice::new(2, 1, 6, 2);
    let place = |point, slope, next| Place { point, slope, next };
    let leap = vec![(Ratio::new(4, 5), 0), (Ratio::new(1, 5), 1)];
    let places = vec![place(0, 1, leap), place(-5, -6, vec![(Ratio::ONE, 2)]), place(1, 1, vec![(Ratio::ONE, 0)])];
    let chain = Chain { lattice, places };
    let within = round_law::<_, Ratio>(&chain, 0, 20, 100).length;
    let shown = format!(
        "From 0, N − 1 is geometric with mean 5: E[N] = 6, more than 1 + θ/β = 5; its first 21 iterates alone give {within}"
    );
    let slack = Ratio::from(5) - within;
    chain_evidence(&chain, Statement::Pathwise, Dropped { setting: &[], process: &[BoundedNoise] }, slack, &shown)
}
