//! The two-parameter network of Appendix A: asymmetric valleys without depth, batch norm or noise.
//!
//! A neuron (weight, bias, sigmoid) tells 10 points of N(1, 1), class 0, from 10 of N(−1, 1), class 1. It is trained on
//! the mean cross-entropy, the running mean of its iterates is the averaged solution, and the loss is measured at
//! averaged + l·u for l = −7.5, −7, …, 7.5 along a direction u of unit length.
//!
//! The authors' public script names the averaged point "SGD solution", has no sampling noise (every step uses all
//! examples), and stops after 30 steps of 0.01, long before the minimum. [`Protocol::Official`] repeats it on its own
//! draws; [`Protocol::Own`] draws afresh for any number of seeds, and can train on minibatches or to the optimum, look
//! along other families of directions, and judge *every* direction of a fine circle.
//!
//! The script's 32-bit curves carry a rounding artefact. The larger a logit, the fewer 32-bit numbers are left for p below
//! 1, so the loss of a class-0 example goes up in steps; beyond a logit of about 17, p rounds to 1 and the loss is
//! clamped at 100 whatever the logit. Over the official 50 seeds an example is clamped at 85 of the 1,550 points (all at
//! l ≥ 4.5, on 25 seeds), which lifts the mean loss by 3.7 to 16.3; elsewhere rounding moves it by up to 0.05, and where
//! |l| < 3 by less than 4e-5. No verdict changes, but certificates do. [`Arithmetic::Double`] gives the same draws without
//! the artefact.

mod draw;
mod single;
mod training;

use std::f64::consts::PI;

pub use training::Training;

use crate::asymmetry::{Criteria, Verdict, judge_both};
use crate::direction::{Directions, Family, Solution, Support};
use crate::error::finite;
use crate::loss::Neuron;
use crate::parallel::in_order;
use crate::progress::Observer;
use crate::record::{AppendixA, AppendixASeed};
use crate::{Error, Profile, Result, Seed};
use draw::Draw;
use single::SingleNeuron;
use training::Trained;

/// Examples of each class.
const PER_CLASS: usize = 10;
/// Offsets are −REACH·SPACING … REACH·SPACING.
const REACH: i32 = 15;
const SPACING: f64 = 0.5;

/// Where the examples, the first iterate and the direction come from, and how the neuron is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Protocol {
    /// The official script, on the draws that PyTorch makes for its seeds 0 to 49.
    Official(Arithmetic),
    /// Our own streams, in 64-bit arithmetic, for any number of seeds.
    Own {
        /// How the neuron is trained.
        training: Training,
        /// The family of the direction; one a seed. For `filter-normalised` the filter is the neuron, bias included.
        family: Family,
    },
}

/// The numbers of [`Protocol::Official`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// 32 bits, as the script computes: its curves to 1e-6 of max(1, loss), artefacts included.
    Single,
    /// 64 bits, with a cross-entropy that does not saturate.
    Double,
}

/// The settings of the experiment, to be checked into an [`Experiment`].
///
/// | Name | Default | Purpose | Range |
/// |---|---|---|---|
/// | `protocol` | own draws, the paper's training and family | what each seed does | training: see [`Training`] |
/// | `seeds` | 50 | seeds 0, 1, …, one solution and one direction each | ≥ 1; official ≤ 50 |
/// | `circle` | 180 | lines through each solution, at equal angles over the half circle | ≥ 1 |
/// | `criteria` | [`Criteria::default`] | what counts as asymmetric | – |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// What each seed does.
    pub protocol: Protocol,
    /// Number of seeds.
    pub seeds: u64,
    /// Number of lines of the fine circle: n lines are 2n directions, u and −u being one line.
    pub circle: u32,
    /// What counts as asymmetric.
    pub criteria: Criteria,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            protocol: Protocol::Own { training: Training::default(), family: Family::Uniform },
            seeds: 50,
            circle: 180,
            criteria: Criteria::default(),
        }
    }
}

impl Parameters {
    /// Checks the settings.
    ///
    /// # Errors
    /// The first setting outside its range.
    pub fn check(self) -> Result<Experiment> {
        let most = match self.protocol {
            Protocol::Official(_) => draw::official()?.len() as u64,
            Protocol::Own { training, .. } => training.check().map(|()| u64::MAX)?,
        };
        if !(1..=most).contains(&self.seeds) {
            let allowed = if most == u64::MAX { "at least 1".to_owned() } else { format!("1 to {most}") };
            return Err(Error::domain("number of seeds", self.seeds, allowed));
        }
        if self.circle == 0 {
            return Err(Error::domain("number of lines of the circle", 0, "at least 1"));
        }
        Ok(Experiment(self))
    }
}

/// The experiment with settings that are sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Experiment(Parameters);

impl Experiment {
    /// Runs all seeds, in parallel; the same bits for any number of threads.
    ///
    /// The root seed is not looked at by the official protocol.
    ///
    /// # Errors
    /// [`Error::Interrupted`], or losses that overflow because a huge learning rate sent the iterates away.
    pub fn run(&self, seed: Seed, observer: &dyn Observer) -> Result<AppendixA> {
        observer.begin("Appendix A, seeds", self.0.seeds);
        let official = match self.0.protocol {
            Protocol::Official(_) => draw::official()?,
            Protocol::Own { .. } => Vec::new(),
        };
        let results = in_order(self.0.seeds, |index| {
            if observer.interrupted() {
                return Err(Error::Interrupted);
            }
            let subject = match self.0.protocol {
                Protocol::Official(arithmetic) => Some(Subject::official(&official[index as usize], arithmetic)),
                Protocol::Own { training, family } => Subject::own(seed, index, training, family)?,
            };
            let result = subject.map(|subject| self.judge(index, &subject)).transpose()?;
            observer.advance(1);
            Ok(result)
        });
        observer.finish();
        let results = results?;
        let missing = (0..).zip(&results).filter(|(_, result)| result.is_none()).map(|(index, _)| index);
        Ok(AppendixA {
            offsets: offsets(),
            without_optimum: missing.collect(),
            seeds: results.into_iter().flatten().collect(),
            protocol: self.to_string(),
        })
    }

    /// Measures and judges the line along the direction and those of the circle.
    fn judge(&self, seed: u64, subject: &Subject) -> Result<AppendixASeed> {
        let profile = subject.profile(subject.direction)?;
        let line = judge_both(&profile, &self.0.criteria)?;
        let (mut asymmetric, mut valleys) = (0u32, 0u32);
        for k in 0..self.0.circle {
            let angle = PI * f64::from(k) / f64::from(self.0.circle);
            let profile = subject.profile([libm::cos(angle), libm::sin(angle)])?;
            let verdict = judge_both(&profile, &self.0.criteria)?.better.verdict;
            asymmetric += u32::from(verdict == Verdict::Asymmetric);
            valleys += u32::from(verdict != Verdict::NotAValley);
        }
        let share = |count: u32| f64::from(count) / f64::from(self.0.circle);
        Ok(AppendixASeed {
            seed,
            losses: profile.losses().to_vec(),
            separable: subject.neuron.separable(),
            last: subject.trained.last,
            averaged: subject.trained.averaged,
            optimum: subject.neuron.optimum(),
            direction: subject.direction,
            mirrored: line.mirrored,
            verdict: line.better.verdict,
            certificate: line.better.canonical,
            circle_share: share(asymmetric),
            circle_valley_share: share(valleys),
        })
    }
}

impl std::fmt::Display for Experiment {
    /// The protocol in words, for captions.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.protocol {
            Protocol::Official(Arithmetic::Single) => f.write_str("official script, its draws, 32-bit arithmetic"),
            Protocol::Official(Arithmetic::Double) => f.write_str("official script, its draws, 64-bit arithmetic"),
            Protocol::Own { training, family } => {
                match training {
                    Training::Descent { steps, batch, learning_rate } => {
                        write!(f, "own draws, {steps} steps of SGD, batch {batch}, learning rate {learning_rate}")?;
                    }
                    Training::Converged => f.write_str("own draws, trained to the optimum")?,
                }
                write!(f, ", {family} directions")
            }
        }
    }
}

/// A trained neuron and the direction to look along from its averaged solution.
struct Subject {
    neuron: Neuron,
    arithmetic: Arithmetic,
    trained: Trained,
    direction: [f64; 2],
}

impl Subject {
    fn official((draw, direction): &(Draw, [f64; 2]), arithmetic: Arithmetic) -> Self {
        let trained = match arithmetic {
            Arithmetic::Single => SingleNeuron::new(&draw.neuron).train(draw.start),
            Arithmetic::Double => training::official(draw),
        };
        Self { neuron: draw.neuron.clone(), arithmetic, trained, direction: *direction }
    }

    /// `None` if the neuron should be trained to an optimum that does not exist.
    fn own(seed: Seed, index: u64, training: Training, family: Family) -> Result<Option<Self>> {
        let draw = draw::own(seed, index)?;
        let Some(trained) = training.run(&draw, &mut seed.stream("appendix-a shuffle", index)) else { return Ok(None) };
        for w in trained.averaged {
            finite("coordinate of the averaged solution", w)?;
        }
        let solution = Solution { weights: &trained.averaged, filters: std::slice::from_ref(&(0..2)) };
        let drawn = Directions::new(family, Support::all(2)?, Some(solution))?.draw(seed, index);
        let direction = [drawn[0], drawn[1]];
        Ok(Some(Self { neuron: draw.neuron, arithmetic: Arithmetic::Double, trained, direction }))
    }

    /// The loss at averaged + l·u for all offsets l.
    fn profile(&self, u: [f64; 2]) -> Result<Profile> {
        let [weight, bias] = self.trained.averaged;
        match self.arithmetic {
            Arithmetic::Single => Profile::new(offsets(), SingleNeuron::new(&self.neuron).line([weight, bias], u)),
            Arithmetic::Double => {
                Profile::sample(offsets(), |l| self.neuron.loss([weight + l * u[0], bias + l * u[1]]))
            }
        }
    }
}

/// −7.5, −7, …, 7.5.
fn offsets() -> Vec<f64> {
    (-REACH..=REACH).map(|point| f64::from(point) * SPACING).collect()
}

#[cfg(test)]
mod tests;
