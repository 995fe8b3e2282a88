//! No drift between the proofs and the program: every constant that Coq computed, computed again here.

use std::collections::BTreeMap;

use valleys_sim::loss::{Frame, PiecewiseLinear};
use valleys_sim::progress::Silent;
use valleys_sim::sgd::{Setting, Valley};
use valleys_sim::theorem1::{Direction, Fault, Instance, Reading, Shifts, Statement, Terms, extremal};
use valleys_sim::theorem2::long_run::{self, LongRun};
use valleys_sim::theorem2::per_round::{self, PerRound};
use valleys_sim::theorem2::{Scales, exact_law, pathwise, sharpness};
use valleys_sim::{Error, Result};

use super::theorem2_long_run_sharp::{cycle, noisy_cycle, rare_leap};
use crate::exact::{Chain, Lattice, Number, Place, Ratio, round_law};
use crate::proofs;

/// The parameters in a constant's name, by theirs: `c=3,5/2` is c with the values 3 and 2.5.
type Parameters<'a> = BTreeMap<&'a str, Vec<f64>>;

/// A constant's name without its parameters, and these.
fn parsed(name: &str) -> (String, Parameters<'_>) {
    let mut parameters = Parameters::new();
    let mut words = Vec::new();
    for part in name.split('.') {
        match part.split_once('=') {
            Some((key, values)) => drop(parameters.insert(key, values.split(',').map(fraction).collect())),
            None => words.push(part),
        }
    }
    (words.join("."), parameters)
}

fn fraction(text: &str) -> f64 {
    let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
    let number = |text: &str| text.parse::<f64>().expect("a whole number");
    number(numerator) / number(denominator)
}

/// η = a₊ = 1, and |b₋| = c.
fn setting(b_plus: f64, c: f64, nu: f64) -> Result<Setting> {
    Setting::new(Valley::with_sharp_slope_fixed(1.0, b_plus, c)?, 1.0, nu)
}

/// What the program says that a constant is.
fn computed(name: &str) -> Result<f64> {
    let (constant, parameters) = parsed(name);
    let one = |key: &str| parameters.get(key).map_or(f64::NAN, |values| values[0]);
    let (nu, c, b, m) = (one("nu"), one("c"), one("b"), one("m"));
    if let Some(rest) = constant.strip_prefix("theorem1.") {
        return theorem1(rest, &parameters);
    }
    Ok(match constant.as_str() {
        // D = 1.
        "pathwise.bound" => pathwise::smallest_sum(&setting(1.0, 2.0, 0.0)?, m)?,
        "pathwise.threshold" => pathwise::threshold(nu),
        "overshoot" => Scales::of(&setting(1.0, 2.0, nu)?).overshoot,
        "per-round.threshold" => per_round::threshold(nu),
        "per-round.c0" => PerRound::of(&setting(b, c, nu)?)?.c0(),
        "per-round.length" => {
            let setting = setting(b, c, nu)?;
            PerRound::of(&setting)?.length(Scales::of(&setting).lowest_start)
        }
        "per-round.height" => sharpness::short_round(c, nu, 0.1)?.points()[0],
        "per-round.mean" => sharpness::short_round(c, nu, 0.1)?.mean(),
        "per-round.stairs.mean" => stairs(one("k") as i64),
        "long-run.threshold" => long_run::threshold(nu),
        "long-run.rate" => LongRun::of(&setting(b, c, nu)?)?.rate(),
        "long-run.headline-rate" => LongRun::headline(&setting(b, c, 0.0)?)?.rate(),
        "long-run.constant" => LongRun::of(&setting(b, c, nu)?)?.offset(),
        "long-run.cycle.mean" => cycle(&lattice(1.0 / 20.0, c, 0.0))?.long_run_mean().value(),
        "long-run.noisy-cycle.mean" => noisy_cycle(&lattice(1.0 / 20.0, c, nu))?.long_run_mean().value(),
        "zero-mean-needed.mean" => sharpness::freezing_noise(one("k") as usize)?.mean(),
        "first-round.mean" => {
            let points = sharpness::unprepared_first_round(16.0)?.points();
            (points[1] + points[2]) / 2.0
        }
        "variance.mean" => leap(b, c)?.long_run_mean().value(),
        "variance.variance" => variance(&leap(b, c)?),
        "exact-law.mean" => exact_law::mean(b, one("s"), one("eta")),
        _ => return Err(Error::domain("constant", name, "one that the program computes")),
    })
}

/// A lattice of 20 cells, or as many as b₊ needs.
fn lattice(b_plus: f64, c: f64, nu: f64) -> Lattice {
    let cells = |size: f64| (size / b_plus).round() as i64;
    Lattice::new(cells(1.0), 1, cells(c), cells(nu))
}

/// The rare leap to −c, for the smallest ν that allows it.
fn leap(b: f64, c: f64) -> Result<Chain> {
    let cells = (1.0 / b).round();
    rare_leap(c as i64, cells as i64, ((b * (c - b)).sqrt() * cells).ceil() as i64)
}

/// E[ω²] at the start, in units of a₊.
fn variance(chain: &Chain) -> f64 {
    let place = &chain.places[0];
    let noise = |next: usize| (place.point - place.slope - chain.places[next].point) as f64;
    let squares = place.next.iter().map(|&(probability, next)| probability.value() * noise(next).powi(2));
    squares.sum::<f64>() / (chain.lattice.a_plus as f64).powi(2)
}

/// E[w̄] of the round of `PerRoundSharpNoisy.v` for ν = 1, c = 9/2, K = `k` and two stairs: from 3/2 with probability ⅓ up to
/// 3/2, down the stairs to 1/K and from there by 1/K² to 0; else to 0, and half of the time down from there at once.
fn stairs(k: i64) -> f64 {
    let cells = k * k;
    let half = Ratio::new(1, 2);
    let (start, height) = (3 * cells / 2, k);
    let stair = (start - height) / 2;
    let mut places = vec![
        Place { point: start, slope: cells, next: vec![(Ratio::new(2, 3), 1), (Ratio::new(1, 3), 3)] },
        Place { point: 0, slope: cells - height, next: vec![(half, 2), (half, 5)] },
        Place { point: height - 2 * cells, slope: -9 * cells / 2, next: vec![(Ratio::ONE, 0)] },
        Place { point: height + 2 * stair, slope: stair, next: vec![(Ratio::ONE, 4)] },
        Place { point: height + stair, slope: stair, next: vec![(Ratio::ONE, 5)] },
    ];
    for left in (0..=k).rev() {
        let slope = if left > 0 { 1 } else { cells };
        places.push(Place { point: left, slope, next: vec![(Ratio::ONE, places.len() + 1)] });
    }
    places.push(Place { point: -cells, slope: -9 * cells / 2, next: vec![(Ratio::ONE, 0)] });
    let chain = Chain { lattice: Lattice::new(cells, 1, 9 * cells / 2, cells), places };
    let law = round_law::<_, f64>(&chain, 0, chain.places.len(), 1_000);
    assert!(law.is_over);
    law.average / cells as f64
}

fn theorem1(constant: &str, parameters: &Parameters<'_>) -> Result<f64> {
    let fault = |name: &str| match name {
        "maximum" => Some(Fault::StepMaximum),
        "radius" => Some(Fault::GapRadius),
        "oblique" => Some(Fault::ObliqueDirections),
        _ => None,
    };
    let words: Vec<&str> = constant.split('.').collect();
    if let Some(fault) = fault(words[0]) {
        return of_instance(&fault.instance(Reading::RandomPopulation)?, &words[1..]);
    }
    match words[0] {
        // The counterexample to the radius, with the population loss that it should have.
        "instance" => of_instance(&on_a_line(vec![0.0], vec![-3.0, 0.5], 1.0)?, &words[1..]),
        "step-limit" => {
            // Slopes −cp(1 + e), 0 and p(1 − e), e = (l − δ̄ + r̲)/(2(l + δ̄ − r̲)).
            let excess = 0.5 / (2.0 * 2.5);
            let slopes = vec![-2.0 * (1.0 + excess), 0.0, 1.0 - excess];
            of_instance(&on_a_line(vec![-1.0, 1.0], slopes, 1.5)?, &words[1..])
        }
        _ => {
            let of = |key: &str| &parameters[key];
            let directions = (0..of("p").len()).map(|i| Direction { p: of("p")[i], c: of("c")[i], l: of("l")[i] });
            let terms = Terms::new(0.5, 3.5, directions.collect(), of("xi")[0])?;
            match words[0] {
                "corrected" => Ok(terms.corrected_bound()),
                "unbalanced" => terms.unbalanced_bound(of("q")),
                "extremal" => {
                    let instance = extremal(&terms, &[2.0, 2.0], of("eps")[0], Reading::RandomTraining)?;
                    Ok(instance.gain(&Silent)?.difference)
                }
                _ => Err(Error::domain("constant", constant, "one that the program computes")),
            }
        }
    }
}

/// r̲ = 1, r̄ = 3, δ = ±2, p = 1, c = 2, ξ = 0 in one dimension.
fn on_a_line(kinks: Vec<f64>, slopes: Vec<f64>, l: f64) -> Result<Instance> {
    let terms = Terms::new(1.0, 3.0, vec![Direction { p: 1.0, c: 2.0, l }], 0.0)?;
    let frame = Frame::new(nalgebra::DMatrix::identity(1, 1))?;
    let loss = PiecewiseLinear::new(kinks, slopes, (0.0, 0.0))?;
    Instance::piecewise_linear(terms, frame, vec![loss], Shifts::fair(vec![2.0])?, Reading::RandomPopulation)
}

fn of_instance(instance: &Instance, words: &[&str]) -> Result<f64> {
    let (terms, first) = (instance.terms(), instance.terms().directions()[0]);
    let coordinate = || words.get(1).map_or(0, |number| number.parse::<usize>().expect("a number") - 1);
    Ok(match words[0] {
        "left" => instance.gain(&Silent)?.difference,
        "right" => instance.bound(Statement::Printed),
        "inner" => terms.r_lo(),
        "outer" => terms.r_hi(),
        "step" => first.l,
        "slope" => first.p,
        "ratio" => first.c,
        "shift" => instance.shifts().magnitudes()[coordinate()],
        "direction" => instance.directions()[0][coordinate()],
        other => return Err(Error::domain("constant", other, "one that the program computes")),
    })
}

#[test]
fn every_constant_that_coq_computed_is_the_programs() {
    let mut compared = 0;
    for (name, numerator, denominator) in proofs::constants() {
        let (seen, proved) = (computed(name).expect(name), numerator as f64 / denominator as f64);
        assert!((seen - proved).abs() <= 1e-12 * proved.abs().max(1.0), "{name}: {seen}, but Coq has {proved}");
        compared += 1;
    }
    assert!(compared >= 135, "only {compared} constants were compared");
}
