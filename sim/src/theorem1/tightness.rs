//! How close the gain comes to the corrected bound: the extremal instance and random ones against the step.

use nalgebra::DVector;
use rand::RngExt;

use super::{Direction, Fault, Instance, Reading, Shifts, Terms, extremal};
use crate::error::{finite, non_negative, positive};
use crate::loss::{Frame, PiecewiseLinear};
use crate::progress::{Observer, Silent};
use crate::record::{Tightness, TightnessRow};
use crate::seed::Stream;
use crate::{Error, Result, Seed};

/// Pairs of opposite shifts in a random instance.
const PAIRS: usize = 6;

/// Kinks of a random valley strictly inside the window, on each side.
const KINKS: usize = 2;

/// The family of instances.
///
/// | Parameter | Default | Purpose | Range |
/// |---|---|---|---|
/// | directions | 3 | k, which is also d | 1 to 12 |
/// | window | (0.5, 3.5) | (r̲, r̄) | 0 ≤ r̲ < r̄ |
/// | shift | 2 | δ̄ of every coordinate | inside the window |
/// | slope, ratio | 1, 3 | p and c of every direction | p > 0, c > 1 |
/// | gap | 0.1 | ξ | ≥ 0 |
/// | points | 15 | steps l, evenly from 0 (exclusive) to min{r̄ − δ̄, δ̄ − r̲} | ≥ 1 |
/// | instances | 200 | random instances a step | ≥ 1 |
#[derive(Debug, Clone, PartialEq)]
pub struct TightnessConfig {
    directions: usize,
    window: (f64, f64),
    shift: f64,
    slope: f64,
    ratio: f64,
    gap: f64,
    points: usize,
    instances: u64,
}

impl Default for TightnessConfig {
    fn default() -> Self {
        Self {
            directions: 3,
            window: (0.5, 3.5),
            shift: 2.0,
            slope: 1.0,
            ratio: 3.0,
            gap: 0.1,
            points: 15,
            instances: 200,
        }
    }
}

impl TightnessConfig {
    /// Another valley: k directions, window (r̲, r̄), shift δ̄, slope p, ratio c and gap ξ.
    pub fn new(directions: usize, window: (f64, f64), shift: f64, slope: f64, ratio: f64, gap: f64) -> Result<Self> {
        if !(1..=12).contains(&directions) {
            return Err(Error::domain("number of directions k", directions, "1 to 12"));
        }
        non_negative("r̲", window.0)?;
        finite("r̄", window.1)?;
        if !(shift > window.0 && shift < window.1) {
            return Err(Error::domain("shift δ̄", shift, format!("inside the window ({}, {})", window.0, window.1)));
        }
        positive("slope p", slope)?;
        if finite("ratio c", ratio)? <= 1.0 {
            return Err(Error::domain("ratio c", ratio, "more than 1"));
        }
        non_negative("gap ξ", gap)?;
        Ok(Self { directions, window, shift, slope, ratio, gap, ..Self::default() })
    }

    /// Other numbers of steps and of random instances a step, both at least 1.
    pub fn with_effort(self, points: usize, instances: u64) -> Result<Self> {
        if points == 0 {
            return Err(Error::domain("number of steps", points, "at least 1"));
        }
        if instances == 0 {
            return Err(Error::domain("number of random instances", instances, "at least 1"));
        }
        Ok(Self { points, instances, ..self })
    }

    fn terms(&self, step: f64) -> Result<Terms> {
        let direction = Direction { p: self.slope, c: self.ratio, l: step };
        Terms::new(self.window.0, self.window.1, vec![direction; self.directions], self.gap)
    }
}

/// Evaluates the gain of the extremal instance and the smallest gain of random admissible ones, exactly over all outcomes,
/// beside both bounds, for steps up to the largest that the corrected theorem allows; and the three counterexamples.
///
/// # Errors
/// [`Error::Interrupted`], and numbers that overflow.
pub fn tightness(config: &TightnessConfig, seed: Seed, observer: &dyn Observer) -> Result<Tightness> {
    let largest = (config.window.1 - config.shift).min(config.shift - config.window.0);
    observer.begin("theorem 1, steps", config.points as u64);
    let mut rows = Vec::with_capacity(config.points);
    for point in 1..=config.points {
        let step = largest * point as f64 / config.points as f64;
        let terms = config.terms(step)?;
        let shifts = vec![config.shift; config.directions];
        let extremal = extremal(&terms, &shifts, 0.0, Reading::RandomPopulation)?.gain(&Silent)?.difference;
        let mut random_minimum = f64::INFINITY;
        for index in 0..config.instances {
            if observer.interrupted() {
                return Err(Error::Interrupted);
            }
            let instance = random(&terms, seed.child("theorem 1 step", point as u64), index)?;
            random_minimum = random_minimum.min(instance.gain(&Silent)?.difference);
        }
        let (corrected, printed) = (terms.corrected_bound(), terms.printed_bound());
        rows.push(TightnessRow { x: step, extremal, random_minimum, corrected, printed });
        observer.advance(1);
    }
    observer.finish();
    let counterexamples =
        Fault::ALL.iter().map(|fault| fault.evaluate(Reading::RandomPopulation)).collect::<Result<_>>()?;
    let TightnessConfig { directions, window, shift, slope, ratio, gap, instances, .. } = config;
    Ok(Tightness {
        variable: "step l along every direction".to_owned(),
        rows,
        counterexamples,
        setting: format!(
            "k = d = {directions}, r̲ = {}, r̄ = {}, δ̄ = {shift}, p = {slope}, c = {ratio}, ξ = {gap}; \
             {instances} random admissible instances a step",
            window.0, window.1
        ),
    })
}

/// A random instance that meets the corrected hypotheses, as near their limits as often as not.
///
/// Piecewise-linear valleys along a random frame, with kinks, walls in the middle and any slopes outside the window;
/// pairs of opposite shifts, so that signs are balanced but far from independent, with projections anywhere in the
/// window; a perturbation of the population loss within ±ξ in one reading, none in the other.
fn random(terms: &Terms, seed: Seed, index: u64) -> Result<Instance> {
    let mut rng = seed.stream("theorem 1 instance", index);
    let k = terms.count();
    let frame = Frame::random(k, k, seed, index)?;
    let valleys = terms.directions().iter().map(|u| valley(terms, u, &mut rng)).collect::<Result<Vec<_>>>()?;

    let weights: Vec<f64> = (0..PAIRS).map(|_| rng.random::<f64>() + 0.01).collect();
    let total: f64 = weights.iter().sum();
    let mut outcomes = Vec::with_capacity(2 * PAIRS);
    for weight in weights {
        let signs: Vec<bool> = (0..k).map(|_| rng.random()).collect();
        for flipped in [false, true] {
            let projections = DVector::from_fn(k, |i, _| {
                let (low, high, l) = (terms.r_lo(), terms.r_hi(), terms.directions()[i].l);
                if signs[i] != flipped { between(low + l, high, &mut rng) } else { -between(low, high - l, &mut rng) }
            });
            outcomes.push((weight / total / 2.0, frame.combination(&projections)));
        }
    }
    let shifts = Shifts::listed(outcomes)?;

    let reading = if rng.random() { Reading::RandomPopulation } else { Reading::RandomTraining };
    let (dent, bump) = (between(-terms.gap(), terms.gap(), &mut rng), between(-terms.gap(), terms.gap(), &mut rng));
    let instance = Instance::piecewise_linear(terms.clone(), frame, valleys, shifts, reading)?;
    if reading == Reading::RandomTraining {
        return Ok(instance);
    }
    let biased = instance.step().clone();
    let radius = biased.norm() / 4.0;
    let tent = move |distance: f64| (1.0 - distance / radius).max(0.0);
    Ok(instance.with_perturbation(Box::new(move |w, _| dent * tent(w.norm()) + bump * tent((w - &biased).norm()))))
}

/// A random valley: slopes at most p on [r̲, r̄] and at most −c·p on [−r̄, −r̲], each the limit itself half of the time, any
/// slopes elsewhere.
fn valley(terms: &Terms, u: &Direction, rng: &mut Stream) -> Result<PiecewiseLinear> {
    let (low, high) = (terms.r_lo(), terms.r_hi());
    let at_limit: bool = rng.random();
    let mut inside = || {
        let mut kinks: Vec<f64> = (0..KINKS).map(|_| low + (high - low) * rng.random::<f64>()).collect();
        kinks.extend([low, high]);
        kinks.sort_by(f64::total_cmp);
        kinks.dedup();
        kinks
    };
    let (sharp, flat) = (inside(), inside());
    let mut wild = || u.c * u.p * (6.0 * rng.random::<f64>() - 3.0);
    // From left to right: beyond −r̄, the sharp side, the middle in two pieces, the flat side, beyond r̄.
    let (before, left, right, after) = (wild(), wild(), wild(), wild());
    let mut kinks: Vec<f64> = sharp.iter().rev().map(|x| -x).collect();
    let mut slopes = vec![before];
    let excess = |rng: &mut Stream| if at_limit { 0.0 } else { 2.0 * rng.random::<f64>() };
    for _ in 1..sharp.len() {
        slopes.push(-u.c * u.p * (1.0 + excess(rng)));
    }
    if low > 0.0 {
        kinks.push(0.0);
        slopes.extend([left, right]);
        kinks.extend(&flat);
    } else {
        kinks.extend(&flat[1..]);
    }
    for _ in 1..flat.len() {
        slopes.push(u.p * (1.0 - excess(rng)));
    }
    slopes.push(after);
    PiecewiseLinear::new(kinks, slopes, (0.0, 0.0))
}

/// A number in [low, high], an end half of the time.
fn between(low: f64, high: f64, rng: &mut Stream) -> f64 {
    let share = if rng.random() { f64::from(rng.random::<bool>()) } else { rng.random() };
    low + (high - low) * share
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Checks, Hypothesis, Statement};
    use super::*;

    #[test]
    fn the_corrected_bound_holds_and_is_attained() {
        let config = TightnessConfig::default().with_effort(5, 100).expect("valid");
        let tightness = tightness(&config, Seed(1), &Silent).expect("valid");
        assert_eq!(tightness.rows.len(), 5);
        assert_eq!(tightness.rows[4].x, 1.5);
        for row in &tightness.rows {
            assert!((row.extremal - row.corrected).abs() < 1e-12, "{row:?}");
            assert!(row.random_minimum >= row.corrected - 1e-12, "{row:?}");
            assert!((row.corrected - row.printed - 0.4).abs() < 1e-12, "2(k − 1)ξ: {row:?}");
        }
        let sides: Vec<(f64, f64)> = tightness.counterexamples.iter().map(|c| (c.left, c.right)).collect();
        assert_eq!(sides[..2], [(-0.25, 0.5), (-0.25, 0.5)]);
        assert!((sides[2].0 + 49.375).abs() < 1e-12 && sides[2].1 == 0.5);
    }

    #[test]
    fn without_a_gap_the_random_minimum_is_the_bound() {
        // A random instance at all limits attains the bound: in one dimension about half of the instances are.
        let config = TightnessConfig::new(1, (0.0, 2.0), 1.0, 0.5, 4.0, 0.0).expect("valid");
        let tightness = tightness(&config.with_effort(2, 50).expect("valid"), Seed(2), &Silent).expect("valid");
        for row in &tightness.rows {
            assert!((row.random_minimum - row.corrected).abs() < 1e-12, "{row:?}");
        }
    }

    #[test]
    fn the_seed_fixes_the_record() {
        let config = TightnessConfig::default().with_effort(1, 20).expect("valid");
        let with = |seed| tightness(&config, Seed(seed), &Silent).expect("valid");
        assert_eq!(with(1), with(1));
        assert_ne!(with(1), with(2));
    }

    #[test]
    fn refuses_a_shift_outside_the_window() {
        let message = TightnessConfig::new(1, (1.0, 2.0), 2.5, 1.0, 2.0, 0.0).expect_err("outside").to_string();
        assert_eq!(message, "shift δ̄ is 2.5; allowed: inside the window (1, 2)");
        assert!(TightnessConfig::new(13, (1.0, 2.0), 1.5, 1.0, 2.0, 0.0).is_err());
        assert!(TightnessConfig::default().with_effort(0, 1).is_err());
    }

    proptest! {
        #[test]
        fn random_instances_are_admissible_and_keep_the_bound(
            k in 1usize..5, l in 0.05..1.0f64, gap in prop_oneof![Just(0.0), 0.01..1.0f64], low in prop_oneof![Just(0.0), 0.1..1.0f64],
            index in 0u64..1000,
        ) {
            let terms = Terms::new(low, low + 2.0, vec![Direction { p: 0.7, c: 1.5, l }; k], gap).expect("valid");
            let instance = random(&terms, Seed(3), index).expect("valid");
            let audit = instance.audit(Statement::Corrected, &Checks::default()).expect("few");
            prop_assert!(audit.holds(), "{:?}", audit.violations().map(ToString::to_string).collect::<Vec<_>>());
            let gain = instance.gain(&Silent).expect("few").difference;
            prop_assert!(gain >= terms.corrected_bound() - 1e-10, "{gain} {}", terms.corrected_bound());
        }

        #[test]
        fn a_step_beyond_the_window_is_noticed(index in 0u64..1000) {
            // The shifts are made for steps of 0.5; with steps of 1.5 some projection leaves the window.
            let terms = |l| Terms::new(1.0, 3.0, vec![Direction { p: 1.0, c: 2.0, l }; 2], 0.0).expect("valid");
            let fitting = random(&terms(0.5), Seed(4), index).expect("valid");
            let too_far = Instance::new(
                terms(1.99),
                fitting.directions().to_vec(),
                fitting.shifts().clone(),
                Reading::RandomPopulation,
                Box::new(crate::loss::Separable::new(vec![PiecewiseLinear::valley(1.0, 2.0).expect("valid"); 2]).expect("axes")),
                DVector::zeros(2),
            )
            .expect("fits");
            let audit = too_far.audit(Statement::Corrected, &Checks::default()).expect("few");
            let broken: Vec<Hypothesis> = audit.violations().map(|v| v.hypothesis).collect();
            prop_assert!(broken.contains(&Hypothesis::ProjectionsWithinWindow), "{broken:?}");
        }
    }
}
