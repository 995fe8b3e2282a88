//! What the printed Theorem 2 cannot do without once its gaps are closed, and what it can.

use valleys_sim::progress::Observer;
use valleys_sim::theorem2::ProcessHypothesis::{BoundedNoise, PreparedRound, SlopesWithinBounds, ZeroMeanNoise};
use valleys_sim::theorem2::{Hypothesis, Statement};
use valleys_sim::{Result, Seed};

use super::theorem2_common::{Dropped, chain_evidence, needed, unneeded};
use super::theorem2_pathwise::positive_on_worst_paths;
use super::theorem2_pathwise_needs::{gentle_sharp_slope, steep_flat_slope};
use super::theorem2_printed::{first_round, noise_mean};
use super::theorem2_rounds_needs::flat_without_slope;
use crate::exact::{Chain, Lattice, Place, Ratio};
use crate::{Assumption, Effort, Evidence, Weakening};

pub(super) fn prepared_weakenings() -> Vec<Weakening> {
    const BECAUSE: &str =
        "then the sum of every prepared round is positive, by (P), and its expected average is at least c₀, by (C)";
    let (setting, process, statement) = (Assumption::Theorem2, Assumption::Process, Statement::Printed);
    vec![
        unneeded(
            setting(Hypothesis::PrintedRatio),
            "(c − 2)a₊ > 3ν, which follows from it",
            BECAUSE,
            |effort: Effort, seed: Seed, observer: &dyn Observer| positive_on_worst_paths(1, effort, seed, observer),
        ),
        unneeded(
            setting(Hypothesis::NoiseWithinFlatSlope),
            "(c − 2)a₊ > 3ν, for any ν",
            BECAUSE,
            |effort: Effort, seed: Seed, observer: &dyn Observer| positive_on_worst_paths(2, effort, seed, observer),
        ),
        needed(process(ZeroMeanNoise), "noise of any mean", noise_mean)
            .with_proofs(&["Theorem2Printed.zero_mean_noise_needed"]),
        needed(process(BoundedNoise), "E[ω_t² | past] ≤ ν²", rare_leap),
        needed(process(SlopesWithinBounds), "flat slopes ≥ 0: b₊ = 0", move || flat_without_slope(statement)),
        needed(process(SlopesWithinBounds), "flat slopes ≥ b₊ of any size", move || steep_flat_slope(statement)),
        needed(process(SlopesWithinBounds), "sharp slopes < 0 of any size", move || gentle_sharp_slope(statement)),
        needed(process(PreparedRound), "any round", first_round).with_proofs(&["Theorem2Printed.first_round_negative"]),
    ]
}

/// c = 40, ν = 1, b₊ = 1/1000: at 0 the noise has mean zero and variance at most ν², and leads to −1000 with probability 10⁻⁶.
fn rare_leap() -> Result<Evidence> {
    const CELLS: i64 = 1_000;
    const HEIGHT: i64 = 37;
    let (one, half) = (Ratio::ONE, Ratio::new(1, 2));
    let lattice = Lattice::new(CELLS, 1, 40 * CELLS, CELLS);
    let (low, chance) = (CELLS * CELLS, Ratio::new(1, 1_000_000));
    let down = |k: i64| Place { point: (HEIGHT - k) * CELLS, slope: CELLS, next: vec![(one, k as usize + 1)] };
    let mut places: Vec<Place> = (0..HEIGHT).map(down).collect();
    let zero = places.len();
    places.push(Place { point: 0, slope: 1, next: vec![(one - chance, zero), (chance, zero + 1)] });
    // Back up by c a step, 25 times.
    let up = |k: i64| Place {
        point: -low + 40 * CELLS * k,
        slope: -40 * CELLS,
        next: vec![(one, if k == 24 { zero } else { zero + k as usize + 2 })],
    };
    places.extend((0..25).map(up));
    // The round is prepared: −D = −2 leads to w_min = 37, or to 39.
    let before = places.len();
    places.push(Place { point: -2 * CELLS, slope: -40 * CELLS, next: vec![(half, 0), (half, before + 1)] });
    places.push(Place { point: 39 * CELLS, slope: CELLS, next: vec![(one, before + 2)] });
    places.push(Place { point: 38 * CELLS, slope: CELLS, next: vec![(one, 0)] });
    let sum = Ratio::from(HEIGHT * (HEIGHT + 1) / 2) - Ratio::from(low / CELLS);
    let shown = format!(
        "From w_min = 37 every round is (37, 36, …, 1, 0, …, 0, −1000), with sum {sum}: E[w̄ | start] < 0; at 0 the slope is 1/1000, and \
         the noise leads to −1000 with probability 10⁻⁶"
    );
    let chain = Chain { lattice, places };
    let evidence =
        chain_evidence(&chain, Statement::Printed, Dropped { setting: &[], process: &[BoundedNoise] }, sum, &shown)?;
    Ok(Evidence { counterexample: evidence.counterexample.map(|_| format!("{lattice}. {shown}")), ..evidence })
}
