//! (HD): the bias along a direction in many dimensions, Section 5.2.

use valleys_sim::progress::Observer;
use valleys_sim::theorem2::ProcessHypothesis::{
    BoundedNoise, PreparedRound, SameHyperplane, SlopesWithinBounds, ZeroMeanNoise,
};
use valleys_sim::theorem2::{Statement, long_run::LongRun};
use valleys_sim::{Result, Seed};

use super::theorem2_common::{hypotheses, needed};
use super::theorem2_long_run::PROCESS;
use super::theorem2_long_run_needs::{long_run_weakenings, process_weakenings};
use super::theorem2_rounds::{average, horizon};
use crate::exact::{Process, Ratio, round_law, sums};
use crate::strategy::plane::{PlaneCase, plane_case};
use crate::trial::{beyond_rounding, for_all};
use crate::{Assumption, Claim, Effort, Evidence, Standing, Weakening};

pub(super) fn claims() -> Vec<Claim> {
    vec![
        Claim {
            id: "theorem2-projected",
            source: "Section 5.2, corrected",
            words: "(HD) (L) holds for s_t = ⟨w_t − w*, u⟩ in ℝᵈ, with the slopes and the noise along u, whatever the other \
                    coordinates do; s_t need not be a Markov chain, so it is not enough that Theorem 2 holds on lines",
            formula: "E[s₀ + … + s_(n−1)] ≥ ρn − C",
            hypotheses: hypotheses(Statement::LongRun, &[&PROCESS[..], &[SameHyperplane]].concat()),
            standing: Standing::Proved { proofs: &["Projection.projected_sgd", "Projection.projected_long_run"] },
            weakenings: weakenings(),
            examination: Box::new(sums_of_projections),
        },
        Claim {
            id: "theorem2-projected-rounds",
            source: "Section 5.2, corrected",
            words: "(HD) (C) holds for s_t = ⟨w_t − w*, u⟩ in ℝᵈ, with the slopes and the noise along u, whatever the other \
                    coordinates do",
            formula: "E[s̄ | start] ≥ c₀ > 0",
            hypotheses: hypotheses(
                Statement::PerRound,
                &[ZeroMeanNoise, BoundedNoise, SlopesWithinBounds, PreparedRound, SameHyperplane],
            ),
            standing: Standing::Proved { proofs: &["Projection.projected_sgd", "Projection.projected_per_round"] },
            weakenings: Vec::new(),
            examination: Box::new(|effort, seed, observer| rounds_of_projections(0.0, effort, seed, observer)),
        },
        Claim {
            id: "theorem2-projected-on-lines",
            source: "Section 5.2",
            words: "Theorem 2 directly applies to the projection on u if the loss along u, on the line through each w_t, is an asymmetric \
                    valley",
            formula: "E[⟨w_t − w*, u⟩] > 0 on average",
            hypotheses: hypotheses(Statement::LongRun, &PROCESS),
            standing: Standing::Refuted {
                fault: "the valleys on the lines may have their floors elsewhere",
                proofs: &[],
            },
            weakenings: Vec::new(),
            examination: Box::new(|_, _, _| Ok(oblique_floor())),
        },
    ]
}

/// Random processes in the plane: the sums of their projections, exactly.
fn sums_of_projections(effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let method = "random processes in the plane projected on (3, 4)/5, exact for up to 40 steps";
    for_all(&plane_case(), effort.cases(), seed, observer, method, |case: &PlaneCase| {
        let plane = case.plane(Statement::LongRun)?;
        let lattice = plane.walk.lattice;
        let bound = LongRun::of(&lattice.setting()?)?;
        let start = plane.at(-lattice.reach(), case.across);
        let slack = |(n, sum): (usize, f64)| beyond_rounding(sum, bound.sum(n as u64), lattice.a_plus as f64);
        Ok(sums(&plane, start, 40, 400).into_iter().enumerate().map(slack).fold(f64::INFINITY, f64::min))
    })
}

/// Random processes in the plane: the rounds of their projections, exactly, measured from `off` cells along u.
fn rounds_of_projections(off: f64, effort: Effort, seed: Seed, observer: &dyn Observer) -> Result<Evidence> {
    let method = "random processes in the plane projected on (3, 4)/5, exact for up to 24 steps";
    for_all(&plane_case(), effort.cases(), seed, observer, method, |case: &PlaneCase| {
        let plane = case.plane(Statement::PerRound)?;
        let lattice = plane.walk.lattice;
        let start = lattice.lowest_start() + case.walk.start;
        let law = round_law::<_, f64>(&plane, plane.at(start, case.across), 24, 400);
        let bound = average(&lattice, start, horizon(&law))?;
        Ok(beyond_rounding(law.average - off, bound, lattice.a_plus as f64))
    })
}

fn weakenings() -> Vec<Weakening> {
    let mut weakenings: Vec<Weakening> = long_run_weakenings().into_iter().take(2).collect();
    weakenings.extend(process_weakenings(Statement::LongRun));
    weakenings.push(needed(
        Assumption::Process(SlopesWithinBounds),
        "slopes within bounds on the line w* + ℝu",
        || Ok(mirrored_off_the_line()),
    ));
    weakenings.push(needed(
        Assumption::Process(SameHyperplane),
        "slopes within bounds on the line through each w_t, on either side of its own floor",
        || Ok(oblique_floor()),
    ));
    weakenings
}

/// SGD without noise and with η = 1 in the plane, in whole numbers: the mean of the first coordinate over a cycle.
struct Gradient<F>(F);

impl<F: Fn([i64; 2]) -> [i64; 2]> Process for Gradient<F> {
    type Node = [i64; 2];

    fn point(&self, node: &[i64; 2]) -> i64 {
        node[0]
    }

    fn step<N: crate::exact::Number>(&self, node: &[i64; 2]) -> Vec<(N, [i64; 2])> {
        let [x, y] = (self.0)(*node);
        vec![(N::fraction(1, 1), [node[0] - x, node[1] - y])]
    }
}

/// The slope of the valley with slopes 1 and −4.
fn valley(z: i64) -> i64 {
    if z >= 0 { 1 } else { -4 }
}

/// L(w) = V(w₁) for |w₂| < 1, V(−w₁) elsewhere: on the line through w* = 0 the valley is asymmetric, where SGD is it is mirrored.
fn mirrored_off_the_line() -> Evidence {
    let process = Gradient(|[x, y]: [i64; 2]| [if y.abs() < 1 { valley(x) } else { -valley(-x) }, 0]);
    let mean = sums::<_, Ratio>(&process, [0, 1], 50, 10).last().copied().unwrap_or(Ratio::ZERO) / Ratio::from(50);
    let shown = format!(
        "η = 1, u = (1, 0), w* = (0, 0), V with slopes 1 and −4, no noise: L(w) = V(w₁) for |w₂| < 1 and V(−w₁) elsewhere is an \
         asymmetric valley with c = 4 on the line w* + ℝu; from (0, 1) SGD goes (0, 1), (−1, 1), … and ⟨w_t − w*, u⟩ has mean {mean} over \
         50 iterates, ten cycles"
    );
    Evidence::instance("one path, exactly", mean_slack(mean), shown)
}

/// L(w) = V(w₁ − 2w₂): on every line along u the valley has slopes 1 and −4, but its floor is where w₁ = 2w₂.
fn oblique_floor() -> Evidence {
    // The gradient is (V′, −2V′): w₁ − 2w₂ moves by 5V′, and 2w₁ + w₂ stays.
    let process = Gradient(|[x, y]: [i64; 2]| [valley(x - 2 * y), -2 * valley(x - 2 * y)]);
    let mean = sums::<_, Ratio>(&process, [-20, -10], 50, 10).last().copied().unwrap_or(Ratio::ZERO) / Ratio::from(50);
    let shown = format!(
        "η = 1, u = (1, 0), w* = (0, 0), L(w) = V(w₁ − 2w₂) with slopes 1 and −4 of V, no noise: on every line along u the loss is an \
         asymmetric valley with c = 4, but its floor is at w₁ = 2w₂, not at ⟨w − w*, u⟩ = 0. From (−20, −10), a minimiser, SGD stays near \
         it: ⟨w_t − w*, u⟩ has mean {mean} over 50 iterates, ten cycles"
    );
    Evidence::instance("one path, exactly", mean_slack(mean), shown)
}

/// The mean's distance from 0 from below, relative to a₊ = 1.
fn mean_slack(mean: Ratio) -> f64 {
    crate::exact::Number::value(mean)
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    use super::theorem2_common::mutant;
    vec![mutant(
        "projected-off-the-kink",
        "(HD) for ⟨w_t − w*, u⟩ with w* a tenth of a cell off the kink",
        |effort, seed, observer| rounds_of_projections(0.1, effort, seed, observer),
    )]
}
