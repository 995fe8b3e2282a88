//! Theorem 2 as printed: what it lacks, and what is true of it.

use valleys_sim::progress::Observer;
use valleys_sim::sgd::Rounds;
use valleys_sim::theorem2::ProcessHypothesis::{self, BoundedNoise, PreparedRound, SlopesWithinBounds, ZeroMeanNoise};
use valleys_sim::theorem2::{Statement, per_round::PerRound, sharpness, visited};
use valleys_sim::{Error, Result, Seed};

use super::theorem2_common::hypotheses;
use super::theorem2_printed_needs::prepared_weakenings;
use super::theorem2_rounds::{examine, printed_normalisation};
use crate::{Assumption, Claim, Effort, Evidence, Standing};

const WORDS: &str = "SGD averaging generates a bias";
const FORMULA: &str = "E[w̄] > c₀ > 0";

pub(super) fn claims() -> Vec<Claim> {
    let printed = |process: &[ProcessHypothesis]| hypotheses(Statement::Printed, process);
    vec![
        Claim {
            id: "theorem2-printed-first-round",
            source: "Section 5.1, Theorem 2",
            words: WORDS,
            formula: FORMULA,
            hypotheses: printed(&[ZeroMeanNoise, BoundedNoise, SlopesWithinBounds]),
            standing: Standing::Refuted {
                fault: "the first round may start from anywhere: it has to be prepared",
                proofs: &["Theorem2Printed.printed_first_round_false", "Theorem2Printed.first_round_negative"],
            },
            weakenings: Vec::new(),
            examination: Box::new(|_, _, _| first_round()),
        },
        Claim {
            id: "theorem2-printed-noise-mean",
            source: "Section 5.1, Theorem 2",
            words: WORDS,
            formula: FORMULA,
            hypotheses: printed(&[BoundedNoise, SlopesWithinBounds, PreparedRound]),
            standing: Standing::Refuted {
                fault: "noise with a mean can hold a round at 0",
                proofs: &["Theorem2Printed.zero_mean_noise_needed"],
            },
            weakenings: Vec::new(),
            examination: Box::new(|_, _, _| noise_mean()),
        },
        Claim {
            id: "theorem2-every-asymmetry",
            source: "Section 5.1, after Theorem 2",
            words: "Averaging all rounds biases SGD to the flat side, however small the asymmetry",
            formula: "E[w̄] > 0 for every c > 1",
            hypotheses: [ZeroMeanNoise, BoundedNoise, SlopesWithinBounds].map(Assumption::Process).into(),
            standing: Standing::Refuted {
                fault: "for c < 2 the cycle (c − 1, 0, −1) has mean (c − 2)/3",
                proofs: &["LongRunSharp.long_run_sharp"],
            },
            weakenings: Vec::new(),
            examination: Box::new(|_, _, _| every_asymmetry()),
        },
        Claim {
            id: "theorem2-printed-prepared",
            source: "Section 5.1, Theorem 2",
            words: "SGD averaging generates a bias, with the two missing conditions, and whether the T + 1 terms are divided by T + 1 or T",
            formula: "E[w̄ | start] ≥ c₀ > 0 with the c₀ of (C)",
            hypotheses: printed(&[ZeroMeanNoise, BoundedNoise, SlopesWithinBounds, PreparedRound]),
            standing: Standing::Proved { proofs: &["Theorem2Printed.theorem2_printed_for_prepared_rounds"] },
            weakenings: prepared_weakenings(),
            examination: Box::new(|effort: Effort, seed: Seed, observer: &dyn Observer| {
                let rounds = examine(Statement::Printed, effort, seed, observer)?;
                Ok(rounds.and(printed_normalisation(Statement::Printed, effort, seed, observer)?))
            }),
        },
    ]
}

/// Evidence from a path whose steps have to stay within its setting's bounds.
fn path_evidence(example: &sharpness::Example, value: f64, shown: String) -> Evidence {
    match visited::check(&example.setting, &example.visits) {
        Ok(()) => Evidence::instance("one path", value, shown),
        Err(departure) => Evidence::inadmissible(departure),
    }
}

pub(super) fn first_round() -> Result<Evidence> {
    let c = 13.1;
    let example = sharpness::unprepared_first_round(c)?;
    Statement::Printed.check(&example.setting)?;
    let mut rounds = Rounds::new();
    let round = example.points().into_iter().find_map(|w| rounds.push(w));
    let round = round.ok_or_else(|| Error::domain("number of rounds", 0, "one finished round"))?;
    let shown = format!(
        "c = {c}, a₊ = b₊ = η = 1, ν = 0: from w = −{c} the first round is (0, −1), with mean {} ({} as printed)",
        round.mean(),
        round.mean_as_printed()
    );
    Ok(path_evidence(&example, round.mean(), shown))
}

pub(super) fn noise_mean() -> Result<Evidence> {
    let waits = [100, 10_000, 1_000_000];
    let mut least = f64::INFINITY;
    let mut c0 = f64::NAN;
    for wait in waits {
        let example = sharpness::freezing_noise(wait)?;
        Statement::Printed.check(&example.setting)?;
        if let Err(departure) = visited::check(&example.setting, &example.visits) {
            return Ok(Evidence::inadmissible(departure));
        }
        c0 = PerRound::of(&example.setting)?.c0();
        if example.mean() >= least {
            return Ok(Evidence::inadmissible("a longer wait does not lower the mean"));
        }
        least = example.mean();
    }
    let shown = format!(
        "c = 16, a₊ = ν = η = 1, b₊ = ½, b₋ = −16: the prepared round from 15 falls to 0 in steps of 1 and waits there for n steps, \
         with ω = −b₊: its mean is 119/(17 + n), {least:.5} for n = 10⁶, below every c₀ > 0 in the end; c₀ would be {c0:.3}"
    );
    Ok(Evidence::instance("paths with waits of 100 to 1,000,000 steps", least - c0, shown))
}

fn every_asymmetry() -> Result<Evidence> {
    let mut evidence = Vec::new();
    for c in [1.25, 1.5, 1.75] {
        let example = sharpness::noise_free_cycle(c)?;
        let mean = example.mean();
        let shown = format!("c = {c}: the noise-free cycle ({}, 0, −1) has mean {mean:.4}", c - 1.0);
        evidence.push(path_evidence(&example, mean, shown));
    }
    let all = evidence.into_iter().reduce(Evidence::and);
    all.ok_or_else(|| Error::domain("number of cycles", 0, "at least 1"))
}
