//! (E): the exact law of the two-slope valley.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use valleys_sim::progress::Observer;
use valleys_sim::sgd::{Noise, NoiseLaw, Process, Setting, Slopes, Valley};
use valleys_sim::theorem2::ProcessHypothesis::{IndependentNoise, StationaryStart, ZeroMeanNoise};
use valleys_sim::theorem2::{Hypothesis, Statement};
use valleys_sim::{Error, Result, Seed};

use super::theorem2_common::hypotheses;
use super::theorem2_exact_law_needs::{any_noise, weakenings};
use crate::strategy::theorem2::exact_law_case;
use crate::trial::for_all;
use crate::{Assumption, Claim, Effort, Evidence, Standing};

pub(super) fn claims() -> Vec<Claim> {
    let process = [ZeroMeanNoise, IndependentNoise, StationaryStart];
    let any: Vec<Assumption> =
        [Assumption::Theorem2(Hypothesis::TwoSlopes)].into_iter().chain(process.map(Assumption::Process)).collect();
    vec![
        Claim {
            id: "theorem2-exact-law",
            source: "corrected",
            words: "(E) In a valley of two slopes, b and −s, the law of V − η(b + ω), V uniform on [0, η(b + s)) and independent of \
                    ω, is stationary, and its mean is the same for every law of the noise with finitely many values",
            formula: "E[w_t] = η(s − b)/2",
            hypotheses: hypotheses(Statement::ExactLaw, &process),
            standing: Standing::Proved {
                proofs: &[
                    "ExactLaw.exact_law_stationary",
                    "ExactLaw.exact_law_after_n_steps",
                    "ExactLaw.exact_law_mean",
                    "ExactLaw.exact_law_average",
                ],
            },
            weakenings: weakenings(),
            examination: Box::new(|effort, seed, observer| finite_noise(effort, seed, observer, &|law| law.defect(0))),
        },
        Claim {
            id: "theorem2-exact-law-continuous",
            source: "corrected",
            words: "(E) for noise with a continuous law: the same law is stationary, with the same mean",
            formula: "E[w_t] = η(s − b)/2",
            hypotheses: hypotheses(Statement::ExactLaw, &process),
            standing: Standing::Tested,
            weakenings: Vec::new(),
            examination: Box::new(continuous_noise),
        },
        Claim {
            id: "theorem2-exact-law-any-noise",
            source: "corrected, without one hypothesis",
            words: "(E) for noise larger than the flat slope",
            formula: "the long-run mean is η(s − b)/2",
            hypotheses: any,
            standing: Standing::Refuted { fault: "for ν > b noise may lead upwards on the flat side", proofs: &[] },
            weakenings: Vec::new(),
            examination: Box::new(|_, seed, _| any_noise(seed)),
        },
    ]
}

/// Two slopes and a law of the noise in whole cells, η = 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FiniteLaw {
    /// b.
    pub(super) flat: i64,
    /// s.
    pub(super) sharp: i64,
    /// ω with its weight, not normalised.
    pub(super) noise: BTreeMap<i64, i64>,
}

impl FiniteLaw {
    /// V − (b + ω) for V uniform on 0, 1, …, b + s − 1, with weights that are not normalised: the law on the lattice of whole
    /// cells; the lattices shifted by a part of a cell have the same law, shifted.
    pub(super) fn claimed(&self) -> BTreeMap<i64, i64> {
        let mut law = BTreeMap::new();
        for v in 0..self.flat + self.sharp {
            for (noise, weight) in &self.noise {
                *law.entry(v - self.flat - noise).or_insert(0) += weight;
            }
        }
        law
    }

    /// The law one step after a law, its weights times those of the noise.
    pub(super) fn after(&self, law: &BTreeMap<i64, i64>) -> BTreeMap<i64, i64> {
        let mut next = BTreeMap::new();
        for (&w, &mass) in law {
            let slope = if w >= 0 { self.flat } else { -self.sharp };
            for (noise, weight) in &self.noise {
                *next.entry(w - slope - noise).or_insert(0) += mass * weight;
            }
        }
        next
    }

    /// How far the claimed law is from being stationary (the share of mass that moves), plus how far twice its mean is from
    /// s − b − 1 + `off` cells: 0 if (E) holds. The average over all shifts of the lattice adds ½ cell to the mean.
    pub(super) fn defect(&self, off: i64) -> f64 {
        let law = self.claimed();
        let next = self.after(&law);
        let noise: i64 = self.noise.values().sum();
        let total: i64 = law.values().sum();
        let at = |law: &BTreeMap<i64, i64>, w: i64| law.get(&w).copied().unwrap_or(0);
        let points = law.keys().chain(next.keys()).copied().collect::<std::collections::BTreeSet<i64>>();
        let moved: i64 = points.iter().map(|&w| (at(&law, w) * noise - at(&next, w)).abs()).sum();
        let twice_mean: i64 = law.iter().map(|(w, mass)| 2 * w * mass).sum();
        let mean_off = (twice_mean - (self.sharp - self.flat - 1 + off) * total).abs();
        moved as f64 / (noise * total) as f64 + mean_off as f64 / total as f64
    }
}

/// Laws of mean zero within [−b, b], of up to eight outcomes.
pub(super) fn finite_law() -> impl Strategy<Value = FiniteLaw> + Clone {
    (1..=8_i64, 1..=20_i64, vec((1..=8_i64, 1..=8_i64, 1..=3_i64), 0..=3)).prop_map(|(flat, more, pairs)| {
        let mut noise = BTreeMap::from([(0, 1)]);
        for (x, y, weight) in pairs {
            // Weights y at x and x at −y leave the mean zero.
            let (x, y) = (x.min(flat), y.min(flat));
            *noise.entry(x).or_insert(0) += weight * y;
            *noise.entry(-y).or_insert(0) += weight * x;
        }
        FiniteLaw { flat, sharp: flat + more, noise }
    })
}

/// Exactly, for noise of finitely many outcomes.
pub(super) fn finite_noise(
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
    defect: &dyn Fn(&FiniteLaw) -> f64,
) -> Result<Evidence> {
    let method = "random finite noise on a lattice: the claimed law against the law one step later, exactly";
    for_all(&finite_law(), effort.cases(), seed, observer, method, |law| {
        let defect = defect(law);
        Ok(if defect == 0.0 { 0.0 } else { -defect })
    })
}

/// A two-slope setting: (b, s, ν, η, law).
type Case = (f64, f64, f64, f64, NoiseLaw);

/// Independent chains started from the law, after some steps: their number, and the steps.
const CHAINS: u32 = 30_000;
const STEPS: usize = 50;
/// For all cases together.
const FALSE_ALARM: f64 = 1e-7;

fn continuous_noise(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    after_steps(&exact_law_case(), effort, seed, observer)
}

/// Kolmogorov and Smirnov's distance of the folded law from the uniform one, and the mean's from η(s − b)/2, relative to the
/// range: each within what chance allows but for 1e-7 in all (Dvoretzky, Kiefer and Wolfowitz's inequality with Massart's
/// constant, and Hoeffding's).
fn after_steps(
    cases: &impl Strategy<Value = Case>,
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<Evidence> {
    let count = effort.cases().div_ceil(16);
    let method = "random continuous and two-point noise: 30,000 chains started from the law, after 50 steps";
    // Two comparisons a case, each two-sided: 2·exp(−2nx²).
    let allowed = ((4.0 * f64::from(count) / FALSE_ALARM).ln() / (2.0 * f64::from(CHAINS))).sqrt();
    let evidence = for_all(cases, count, seed.child("continuous", 0), observer, method, |&case| {
        let (flat, sharp, nu, eta, _) = case;
        let bits = [flat, sharp, nu, eta].into_iter().fold(0, |bits: u64, x| bits.rotate_left(17) ^ x.to_bits());
        Ok(allowed - distance(case, seed.child("case", bits))?)
    })?;
    Ok(evidence.with_false_alarm(FALSE_ALARM))
}

fn distance((flat, sharp, nu, eta, noise): Case, seed: Seed) -> Result<f64> {
    let setting = Setting::new(Valley::two_slope(flat, sharp)?, eta, nu)?;
    let process = Process { setting, gradient: Slopes::constant(&setting, 0.0, 0.0)?, noise };
    let period = eta * (flat + sharp);
    let ends: Vec<f64> = (0..u64::from(CHAINS))
        .map(|k| {
            let mut stream = seed.stream("start", k);
            let share = f64::from(rand::Rng::next_u32(&mut stream)) / 2_f64.powi(32);
            let start = share * period - eta * (flat + noise.draw(0.0, nu, &mut stream));
            let mut chain = process.chain(start, seed.stream("chain", k));
            (0..STEPS).for_each(|_| {
                chain.step();
            });
            chain.point()
        })
        .collect();
    let n = f64::from(CHAINS);
    let mut folded: Vec<f64> = ends.iter().map(|w| if *w < 0.0 { w + period } else { *w } / period).collect();
    folded.sort_by(f64::total_cmp);
    let gap = |(i, u): (usize, &f64)| (u - i as f64 / n).abs().max((u - (i as f64 + 1.0) / n).abs());
    let furthest = folded.iter().enumerate().map(gap).fold(0.0, f64::max);
    let mean = ends.iter().sum::<f64>() / n;
    // All values lie in a range of η(b + s + 2ν).
    let off = (mean - eta * (sharp - flat) / 2.0).abs() / (period + 2.0 * eta * nu);
    Ok(furthest.max(off))
}

/// The mean iterate of some chains with uniform noise and η = 1, over 400 steps after 200, from evenly spread starts.
pub(super) fn uniform_noise_mean((flat, sharp, nu): (f64, f64, f64), chains: u64, seed: Seed) -> Result<f64> {
    let setting = Setting::new(Valley::two_slope(flat, sharp)?, 1.0, nu)?;
    let process = Process { setting, gradient: Slopes::constant(&setting, 0.0, 0.0)?, noise: NoiseLaw::Uniform };
    let mut sum = 0.0;
    for k in 0..chains {
        let start = (k as f64 + 0.5) / chains as f64 * (flat + sharp);
        let mut chain = process.chain(start, seed.stream("chain", k));
        (0..200).for_each(|_| {
            chain.step();
        });
        sum += (0..400).map(|_| chain.step().point).sum::<f64>() / 400.0;
    }
    if chains == 0 { Err(Error::domain("number of chains", chains, "at least 1")) } else { Ok(sum / chains as f64) }
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    use super::theorem2_common::mutant;
    let with = |id, words, defect: fn(&FiniteLaw) -> f64| {
        mutant(id, words, move |effort, seed, observer| finite_noise(effort, seed, observer, &defect))
    };
    vec![
        with("exact-law-other-mean", "(E) with a mean half a cell higher", |law| law.defect(1)),
        with("exact-law-without-noise", "The law of V − ηb is stationary", |law| {
            let silent = FiniteLaw { noise: BTreeMap::from([(0, 1)]), ..law.clone() };
            let start = silent.claimed();
            let noise: i64 = law.noise.values().sum();
            let same = law.after(&start).into_iter().filter(|(_, mass)| *mass > 0).collect::<BTreeMap<_, _>>()
                == start.iter().map(|(w, mass)| (*w, mass * noise)).collect();
            if same { 0.0 } else { 1.0 }
        }),
        with("exact-law-longer-period", "(E) for V uniform on [0, η(b + s + 1))", |law| {
            let longer = FiniteLaw { sharp: law.sharp + 1, ..law.clone() };
            let start = longer.claimed();
            let noise: i64 = law.noise.values().sum();
            let same = law.after(&start) == start.iter().map(|(w, mass)| (*w, mass * noise)).collect();
            if same { 0.0 } else { 1.0 }
        }),
        mutant(
            "exact-law-much-noise",
            "(E) for b = .3, s = 1.3 and uniform noise with ν = .6",
            |effort, seed, observer| {
                after_steps(&Just((0.3, 1.3, 0.6, 1.0, NoiseLaw::Uniform)), effort, seed, observer)
            },
        ),
    ]
}
