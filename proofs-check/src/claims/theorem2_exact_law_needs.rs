//! What (E) cannot do without, and what it can.

use std::collections::BTreeMap;

use valleys_sim::progress::Observer;
use valleys_sim::theorem2::Hypothesis;
use valleys_sim::theorem2::ProcessHypothesis::{IndependentNoise, StationaryStart, ZeroMeanNoise};
use valleys_sim::{Result, Seed};

use super::theorem2_common::{needed, unneeded};
use super::theorem2_exact_law::{FiniteLaw, finite_law, uniform_noise_mean};
use crate::exact::{Chain, Lattice, Number, Place, Ratio};
use crate::trial::for_all;
use crate::{Assumption, Effort, Evidence, Weakening};

pub(super) fn weakenings() -> Vec<Weakening> {
    let process = Assumption::Process;
    vec![
        needed(Assumption::Theorem2(Hypothesis::TwoSlopes), "b₊ < a₊ or b₋ < −ca₊", more_slopes),
        needed(Assumption::Theorem2(Hypothesis::NoiseWithinBothSlopes), "ν > b", || Ok(upward_noise())),
        unneeded(
            Assumption::Theorem2(Hypothesis::NoiseWithinBothSlopes),
            "−b ≤ ω ≤ s",
            "the proof needs no more: no step leads up on the flat side, and none down on the sharp side",
            |effort: Effort, seed: Seed, observer: &dyn Observer| {
                let method =
                    "random finite noise within [−b, s]: the claimed law against the law one step later, exactly";
                let cases = (finite_law(), 1..=28_i64, 1..=8_i64, 1..=3_i64);
                for_all(&cases, effort.cases(), seed, observer, method, |(law, x, y, weight)| {
                    let mut law = law.clone();
                    let (x, y) = ((*x).min(law.sharp), (*y).min(law.flat));
                    *law.noise.entry(x).or_insert(0) += weight * y;
                    *law.noise.entry(-y).or_insert(0) += weight * x;
                    Ok(-law.defect(0))
                })
            },
        ),
        needed(process(ZeroMeanNoise), "noise of mean μ", || {
            // ω = ½ always: slopes ½ and −5/2 in truth.
            let law = FiniteLaw { flat: 2, sharp: 4, noise: BTreeMap::from([(1, 1)]) };
            let shown = "η = 1, b = 1, s = 2, ω = ½: the law is stationary, with mean (s − b)/2 − ½ = 0, not ½; in general η((s − b)/2 − μ)";
            Ok(Evidence::instance("one law, exactly", -law.defect(0), shown))
        }),
        needed(process(IndependentNoise), "E[ω_t | past] = 0", dependent_noise),
        unneeded(
            process(IndependentNoise),
            "laws of the noise that differ from step to step",
            "V stays uniform and independent of the next noise, whatever the law of each",
            |effort: Effort, seed: Seed, observer: &dyn Observer| {
                let method = "two random finite laws of the noise in turn: the law after each step, exactly";
                for_all(&(finite_law(), finite_law()), effort.cases(), seed, observer, method, |(first, second)| {
                    // From V − (b + ω) with the first noise, one step with the second gives V − (b + ω′).
                    let noise = second.noise.iter().map(|(x, weight)| (*x.min(&first.flat).max(&-first.flat), *weight));
                    let mut clipped = FiniteLaw { noise: BTreeMap::new(), ..first.clone() };
                    noise.for_each(|(x, weight)| *clipped.noise.entry(x).or_insert(0) += weight);
                    let total: i64 = first.noise.values().sum();
                    let wanted: BTreeMap<i64, i64> =
                        clipped.claimed().into_iter().map(|(w, mass)| (w, mass * total)).collect();
                    Ok(if clipped.after(&first.claimed()) == wanted { 0.0 } else { -1.0 })
                })
            },
        ),
        needed(process(StationaryStart), "any w₀", || {
            let lattice = Lattice::new(1, 1, 4, 0);
            let chain = Chain::cycle(lattice, &[(0, 1), (-1, -4), (3, 1), (2, 1), (1, 1)]);
            let mean = chain.long_run_mean();
            let shown = format!(
                "η = b = 1, s = 4, no noise: from w₀ = 0 the cycle (3, 2, 1, 0, −1) has mean {mean}, not 3/2; from 0 ≤ w₀ < 1 it is \
                 {mean} + w₀, 3/2 on average"
            );
            Ok(Evidence::instance("one cycle, exactly", (mean - Ratio::new(3, 2)).value(), shown))
        }),
    ]
}

/// Flat slopes 1 and ½: from 0 ≤ w₀ < ½ one more iterate a cycle.
fn more_slopes() -> Result<Evidence> {
    // In halves, from 0: sharp slope 2, flat slope 1 at 1 or more and ½ below: −½, 3/2, ½, 0. From ½ on it is 3/2, ½, −½ and so on.
    let lattice = Lattice::new(2, 1, 4, 0);
    let chain = Chain::cycle(lattice, &[(0, 1), (-1, -4), (3, 2), (1, 1)]);
    let mean = chain.long_run_mean();
    let admissible = chain.violations().is_empty();
    let shown = format!(
        "η = 1, flat slopes ½ on [0, 1) and 1 beyond, s = 2, no noise: every cycle is (x, x − ½, x + 3/2, x + ½) with 0 ≤ x < ½, of mean \
         {mean} + x, ⅝ on average over x; for b = 1 (E) says ½, and for b = ½ it says ¾"
    );
    let off = mean + Ratio::new(1, 4) - Ratio::new(1, 2);
    Ok(Evidence::instance(
        "one family of cycles, exactly",
        if admissible { -off.value() } else { f64::INFINITY },
        shown,
    ))
}

/// b = ½, s = 3/2 and ω = −3/2 or ½ with probabilities ¼ and ¾: the flat side is a random walk by 1 up or down. With
/// h(w) = (w + 1)² − 2m(w + 1) for w > −1 − δ and h(−1 + δ) at the sharp place, h(w) + m = w + E h(w′) for m = ½ + δ on the lattice of
/// whole numbers shifted by δ: the mean is ½ + δ, 1 on average over δ, and not ½.
fn upward_noise() -> Evidence {
    let (quarter, three) = (Ratio::new(1, 4), Ratio::new(3, 4));
    let whole = Ratio::from;
    // Time and sum to reach −1 from w ≥ −1, for δ = 0: 2(w + 1) and (w + 1)².
    let sum = |w: i64| whole((w + 1) * (w + 1));
    let time = |w: i64| whole(2 * (w + 1));
    // Both are quadratic in w, so that three places on the flat side prove their equations everywhere.
    let solves = (0..=2).all(|w| {
        let mean = |f: &dyn Fn(i64) -> Ratio| quarter * f(w + 1) + three * f(w - 1);
        sum(w) == whole(w) + mean(&sum) && time(w) == whole(1) + mean(&time)
    });
    // A cycle: −1, then 0 or 2, then down to −1 again.
    let mean = (whole(-1) + three * sum(0) + quarter * sum(2)) / (whole(1) + three * time(0) + quarter * time(2));
    let shown = format!(
        "η = 1, b = ½, s = 3/2, ω = −3/2 (p = ¼) or ½ (p = ¾), ν = 3/2 > b: on the whole numbers the flat side is a random walk, up by 1 \
         (p = ¼) or down by 1, and from −1 it leads to 2 (p = ¼) or 0; the sum of a cycle is 2 and its length 4 in the mean, so the \
         long-run mean is {mean}, and {mean} + δ from 0 ≤ δ < 1 on; on average over δ it is 1, not (s − b)/2 = ½"
    );
    let slack = Ratio::new(1, 2) - (mean + Ratio::new(1, 2));
    Evidence::instance("one chain, exactly", if solves { slack.value() } else { f64::INFINITY }, shown)
}

/// b = 1, s = 3 and ω = ±2: the claimed law moves up by (ν − b)/2 in the mean in one step.
fn moving_law() -> Evidence {
    let law = FiniteLaw { flat: 1, sharp: 3, noise: BTreeMap::from([(-2, 1), (2, 1)]) };
    let mean = |law: &BTreeMap<i64, i64>| {
        let total: i64 = law.values().sum();
        Ratio::fraction(law.iter().map(|(w, mass)| w * mass).sum(), total)
    };
    let claimed = law.claimed();
    let moved = mean(&law.after(&claimed)) - mean(&claimed);
    let shown = format!(
        "η = b = 1, s = 3, ω = 2 or −2 (p = ½), ν > b: one step from the law of (E) moves the mean by {moved} = (ν − b)/2, so the law is \
         not stationary"
    );
    Evidence::instance("one step from the claimed law, exactly", -moved.value(), shown)
}

/// The chain of [`upward_noise`], the step of [`moving_law`], and uniform noise as simulated: b = .3, s = 1.3, ν = .6 gives .561.
pub(super) fn any_noise(seed: Seed) -> Result<Evidence> {
    const CHAINS: u64 = 4_000;
    let mean = uniform_noise_mean((0.3, 1.3, 0.6), CHAINS, seed)?;
    // A chain's average of 400 iterates has a standard deviation below 0.1: 0.05 is over thirty standard errors.
    let shown = format!("η = 1, b = 0.3, s = 1.3, ν = 0.6, uniform noise: the mean is {mean:.3}, not 0.5");
    let simulated =
        Evidence::instance("one setting with uniform noise, 4,000 chains simulated", 0.05 - (mean - 0.5).abs(), shown);
    Ok(upward_noise().and(moving_law()).and(simulated.with_false_alarm(1e-9)))
}

/// Noise on one side of the valley only has mean zero given the past, but is not independent of it.
fn dependent_noise() -> Result<Evidence> {
    // b = 1, s = 2; at 0 the noise leads to 0 or −2, elsewhere there is none.
    let lattice = Lattice::new(1, 1, 2, 1);
    let half = Ratio::new(1, 2);
    let place = |point, slope, next| Place { point, slope, next };
    let places = vec![place(0, 1, vec![(half, 0), (half, 1)]), place(-2, -2, vec![(Ratio::ONE, 0)])];
    let chain = Chain { lattice, places };
    let mean = chain.long_run_mean();
    let admissible = chain.violations().is_empty();
    let shown = format!(
        "η = b = 1, s = 2, ν = 1: noise ±1 on [0, 1), none elsewhere. From 0 ≤ x < 1 the chain comes to be at x, or x − 2 with probability ½, and \
         has mean {mean} + x, −1/6 on average over x, not ½"
    );
    let off = mean + half - half;
    Ok(Evidence::instance("one chain, exactly", if admissible { off.value() } else { f64::INFINITY }, shown))
}
