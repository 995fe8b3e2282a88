//! What (P) cannot do without, and what it can.

use valleys_sim::progress::Observer;
use valleys_sim::theorem2::ProcessHypothesis::{self, BoundedNoise, PreparedRound, SlopesWithinBounds};
use valleys_sim::theorem2::{Hypothesis, Statement};
use valleys_sim::{Result, Seed};

use super::theorem2_common::{Dropped, chain_evidence, listed, needed, unneeded};
use super::theorem2_pathwise::{bound, path_slack};
use crate::exact::{Chain, Lattice, Place, Ratio};
use crate::strategy::theorem2::biased_walk_case;
use crate::trial::for_all;
use crate::{Assumption, Effort, Evidence, Weakening};

pub(super) fn pathwise_weakenings() -> Vec<Weakening> {
    let process = Assumption::Process;
    vec![
        needed(Assumption::Theorem2(Hypothesis::OneSharpIterate), "any c > 1", || {
            // D = 2: from −1, noise 1 leads to 0, to −2, and back to −1 instead of the flat side.
            let chain = Chain::cycle(Lattice::new(1, 1, 2, 1), &[(0, 1), (-2, -2), (-1, -2)]);
            let shown = "The round (0, −2, −1) is prepared, but has two sharp iterates and sum −3, below the bound −2";
            let dropped =
                Dropped { setting: &[Hypothesis::OneSharpIterate], process: &[ProcessHypothesis::ZeroMeanNoise] };
            chain_evidence(&chain, Statement::Pathwise, dropped, Ratio::new(-1, 2), shown)
        }),
        needed(process(BoundedNoise), "E[ω_t | past] = 0 and E[ω_t² | past] ≤ ν²", rare_leap),
        needed(process(SlopesWithinBounds), "flat slopes ≥ b₊ of any size", || {
            steep_flat_slope(Statement::Pathwise)
        }),
        needed(process(SlopesWithinBounds), "sharp slopes < 0 of any size", || gentle_sharp_slope(Statement::Pathwise)),
        unneeded(
            process(SlopesWithinBounds),
            "flat slopes ≥ 0: b₊ = 0",
            "only the largest fall D of a flat step enters the proof",
            |effort: Effort, seed: Seed, observer: &dyn Observer| {
                let method = "every path of random processes with b₊ = 0";
                for_all(&biased_walk_case(), effort.cases(), seed, observer, method, |case| {
                    let lattice = case.setting.lattice(Statement::Pathwise)?;
                    // The bound does not depend on b₊, which a setting wants above 0.
                    path_slack(case, Lattice { b_plus: 0, ..lattice }, &|_, start| bound(&lattice, start))
                })
            },
        ),
        unneeded(
            process(SlopesWithinBounds),
            "sharp slopes ≤ −ca₊ of any size: no b₋",
            "a steeper sharp slope only starts the next round higher",
            |effort: Effort, seed: Seed, observer: &dyn Observer| {
                let method = "every path of random processes with |b₋| up to 1,000 cells above ca₊";
                for_all(&biased_walk_case(), effort.cases(), seed, observer, method, |case| {
                    let lattice = case.setting.lattice(Statement::Pathwise)?;
                    let steep = Lattice { steepest: lattice.sharp + 1_000, ..lattice };
                    path_slack(case, steep, &|_, start| bound(&lattice, start))
                })
            },
        ),
        needed(process(PreparedRound), "any round", || unprepared(Statement::Pathwise))
            .with_proofs(&["Theorem2Printed.first_round_negative"]),
    ]
}

pub(super) fn positive_weakenings() -> Vec<Weakening> {
    let process = Assumption::Process;
    let statement = Statement::Pathwise;
    vec![
        needed(Assumption::Theorem2(Hypothesis::PathwiseGain), "(c − 2)a₊ ≥ 3ν", move || {
            let lattice = Lattice::new(1, 1, 2, 0);
            let chain = Chain::cycle(lattice, &[(1, 1), (0, 1), (-1, -2)]);
            chain_evidence(&chain, statement, Dropped::default(), least(), "The round (1, 0, −1) has sum 0")
        }),
        needed(process(BoundedNoise), "E[ω_t | past] = 0 and E[ω_t² | past] ≤ ν²", rare_leap),
        needed(process(SlopesWithinBounds), "flat slopes ≥ b₊ of any size", move || steep_flat_slope(statement)),
        needed(process(SlopesWithinBounds), "sharp slopes < 0 of any size", move || gentle_sharp_slope(statement)),
        needed(process(PreparedRound), "any round", move || unprepared(statement))
            .with_proofs(&["Theorem2Printed.first_round_negative"]),
    ]
}

/// What stands for a sum of 0, which is not positive.
fn least() -> Ratio {
    Ratio::new(-1, 1 << 40)
}

/// Mean zero and variance ν², but a leap of more than ν: from 0 to −17/4 with probability 1/17.
fn rare_leap() -> Result<Evidence> {
    let (one, half) = (Ratio::ONE, Ratio::new(1, 2));
    let place = |point, slope, next| Place { point, slope, next };
    let places = vec![
        place(-8, -21, vec![(half, 1), (half, 2)]),
        place(17, 4, vec![(half, 1), (half, 2)]),
        place(9, 4, vec![(half, 2), (half, 3)]),
        place(1, 1, vec![(one, 4)]),
        place(0, 1, vec![(Ratio::new(16, 17), 4), (Ratio::new(1, 17), 5)]),
        place(-17, -21, vec![(one, 6)]),
        place(4, 4, vec![(one, 4)]),
    ];
    // a₊ = ν = 4 cells and D = 8; c = 21/4 meets (c − 2)a₊ > 3ν, too.
    let chain = Chain { lattice: Lattice::new(4, 1, 21, 4), places };
    let shown =
        "The prepared round (9/4, ¼, 0, −17/4) ends below −D = −2 and has sum −7/4, below the bound ½ of w₀ = 9/4";
    let dropped = Dropped { setting: &[], process: &[BoundedNoise] };
    chain_evidence(&chain, Statement::Pathwise, dropped, Ratio::new(-9, 8), shown)
}

/// A c that the statement admits for b₊ = a₊ and ν = 0, with |b₋| up to 2c.
pub(super) fn asymmetry(statement: Statement) -> i64 {
    if statement == Statement::Printed { 16 } else { 4 }
}

/// One flat slope larger than a₊ leads from w_min = c − 1 to −c − 1.
pub(super) fn steep_flat_slope(statement: Statement) -> Result<Evidence> {
    let c = asymmetry(statement);
    let lattice = Lattice { steepest: 2 * c, ..Lattice::new(1, 1, c, 0) };
    let chain = Chain::cycle(lattice, &[(c - 1, 2 * c), (-c - 1, -2 * c)]);
    let shown = format!("The round {} has mean {}", listed(&lattice, [c - 1, -c - 1]), chain.long_run_mean());
    let dropped = Dropped { setting: &[], process: &[SlopesWithinBounds] };
    chain_evidence(&chain, statement, dropped, chain.long_run_mean(), &shown)
}

/// One sharp slope smaller than c·a₊ starts a round at 0.
pub(super) fn gentle_sharp_slope(statement: Statement) -> Result<Evidence> {
    let c = asymmetry(statement);
    let lattice = Lattice::new(1, 1, c, 0);
    let chain = Chain::cycle(lattice, &[(0, 1), (-1, -1)]);
    let mean = chain.long_run_mean();
    let shown = format!("Its rounds {} start below w_min = {} and have mean {mean}", listed(&lattice, [0, -1]), c - 1);
    chain_evidence(&chain, statement, Dropped { setting: &[], process: &[SlopesWithinBounds] }, mean, &shown)
}

/// The first round from −c is (0, −1), whatever c.
pub(super) fn unprepared(statement: Statement) -> Result<Evidence> {
    let lattice = Lattice::new(1, 1, 4, 0);
    let visits = [(-4, -4), (0, 1), (-1, -4), (3, 1), (2, 1), (1, 1)];
    let mut chain = Chain::cycle(lattice, &visits);
    if let Some(last) = chain.places.last_mut() {
        last.next = vec![(Ratio::ONE, 1)];
    }
    let shown = "From −4, below −D = −1, the first round (0, −1) starts below w_min = 3 and has mean −½; so for every c from −c";
    chain_evidence(&chain, statement, Dropped::default(), Ratio::new(-1, 2), shown)
}
