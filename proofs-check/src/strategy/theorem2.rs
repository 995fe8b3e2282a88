//! SGD processes of which the corrected Theorem 2 speaks: slopes and noise may depend on the whole past.

use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::*;
use valleys_sim::sgd::NoiseLaw;
use valleys_sim::theorem2::{Node, Statement};
use valleys_sim::{Error, Result};

use super::share;
use crate::exact::{Lattice, Number, Process, Ratio};

/// Slopes and noise bound in whole cells; c is the smallest that a statement admits, plus some cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SettingCase {
    /// log₂ a₊, so that c is a number of binary digits.
    pub log_a_plus: u32,
    /// b₊ = a₊ minus this, at least 1.
    pub b_below: i64,
    /// ν.
    pub nu: i64,
    /// What c·a₊ exceeds the smallest admissible one by.
    pub excess: i64,
    /// What |b₋| exceeds c·a₊ by.
    pub steeper: i64,
}

/// A process: a setting, and slopes and noise chosen from a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct WalkCase {
    /// The setting.
    pub setting: SettingCase,
    /// What the choices depend on.
    pub memory: Memory,
    /// The choices, at least one: the iterate and what is remembered say which is next.
    pub plan: Vec<Choice>,
    /// Where a round starts above the smallest start, in cells.
    pub start: i64,
    /// Whether all outcomes of the noise are equally likely, whatever its mean.
    pub biased: bool,
}

/// What slopes and noise depend on besides the iterate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Nothing: the process is Markov in the iterate.
    Nothing,
    /// The number of steps taken.
    Clock,
    /// Every iterate before.
    Path,
}

/// A slope on either side and a law of the noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The flat slope.
    pub flat: FlatSlope,
    /// The sharp slope's place in its range, in quarters.
    pub sharp: i64,
    /// The noise.
    pub noise: Shape,
}

/// How a flat slope is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlatSlope {
    /// a₊ minus this many quarters of the range.
    Gentler(i64),
    /// The slope that leads to 0 (or to ν) in the mean, a₊ where there is none: what the worst adversaries do.
    LandingAtZero,
    /// See there.
    LandingAtNu,
}

/// Laws of mean zero within [−ν, ν], lengths in quarters of ν.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// ω = 0.
    Silent,
    /// ω = x or −y.
    TwoPoint(i64, i64),
    /// ω = x, 0 or −y.
    ThreePoint(i64, i64),
    /// Four equally likely outcomes, ±ν and ±x.
    Uniform(i64),
}

/// A process ready to be followed.
#[derive(Debug, Clone, PartialEq)]
pub struct Walk {
    /// The setting, in cells.
    pub lattice: Lattice,
    memory: Memory,
    plan: Vec<Choice>,
    biased: bool,
}

/// Settings, ν up to 2a₊.
pub fn setting_case() -> impl Strategy<Value = SettingCase> + Clone {
    (0..=3_u32, any::<prop::sample::Index>(), any::<prop::sample::Index>(), prop_oneof![Just(0), 0..=8_i64], 0..=6_i64)
        .prop_map(|(log_a_plus, b, nu, excess, steeper)| {
            let a_plus = 1 << log_a_plus;
            let (b_below, nu) = (b.index(a_plus) as i64, nu.index(2 * a_plus + 1) as i64);
            SettingCase { log_a_plus, b_below, nu, excess, steeper }
        })
}

/// Processes, ν up to 2a₊, with noise of mean zero.
pub fn walk_case() -> impl Strategy<Value = WalkCase> + Clone {
    let memory = prop_oneof![Just(Memory::Nothing), Just(Memory::Clock), Just(Memory::Path)];
    let quarters = || prop_oneof![2 => Just(4_i64), 1 => 1..=4_i64];
    let flat = prop_oneof![
        3 => (0..=4_i64).prop_map(FlatSlope::Gentler),
        1 => Just(FlatSlope::LandingAtZero),
        1 => Just(FlatSlope::LandingAtNu),
    ];
    let noise = prop_oneof![
        2 => Just(Shape::Silent),
        4 => (quarters(), quarters()).prop_map(|(x, y)| Shape::TwoPoint(x, y)),
        1 => (quarters(), quarters()).prop_map(|(x, y)| Shape::ThreePoint(x, y)),
        1 => (1..=4_i64).prop_map(Shape::Uniform),
    ];
    let choice = (flat, 0..=4_i64, noise).prop_map(|(flat, sharp, noise)| Choice { flat, sharp, noise });
    (setting_case(), memory, vec(choice, 1..6), prop_oneof![Just(0_i64), 0..=12_i64])
        .prop_map(|(setting, memory, plan, start)| WalkCase { setting, memory, plan, start, biased: false })
}

/// Processes, half of them with noise of any mean.
pub fn biased_walk_case() -> impl Strategy<Value = WalkCase> + Clone {
    (walk_case(), any::<bool>()).prop_map(|(case, biased)| WalkCase { biased, ..case })
}

impl SettingCase {
    /// The setting with ν ≤ a₊, as the printed theorem wants it.
    pub fn with_noise_within_flat_slope(self) -> Self {
        Self { nu: self.nu.min(1 << self.log_a_plus), ..self }
    }

    /// The setting of the smallest c that meets a statement's hypotheses, plus the excess.
    pub fn lattice(&self, statement: Statement) -> Result<Lattice> {
        let a_plus = 1 << self.log_a_plus;
        let at = |sharp: i64| Lattice {
            a_plus,
            b_plus: (a_plus - self.b_below).max(1),
            sharp,
            steepest: sharp + self.steeper,
            nu: self.nu,
        };
        // The printed theorem needs c > 13 and, where b₊ is small, more.
        for sharp in a_plus + 1..=100 * a_plus {
            let setting = at(sharp).setting()?;
            if statement.check(&setting).is_ok() {
                return Ok(at(sharp + self.excess));
            }
        }
        Err(Error::domain("c", "at most 100", format!("enough for {statement:?} with {self:?}")))
    }
}

impl WalkCase {
    /// The process in the setting that a statement admits.
    pub fn walk(&self, statement: Statement) -> Result<Walk> {
        Ok(self.walk_in(self.setting.lattice(statement)?))
    }

    /// The process in a given setting.
    pub fn walk_in(&self, lattice: Lattice) -> Walk {
        Walk { lattice, memory: self.memory, plan: self.plan.clone(), biased: self.biased }
    }
}

impl Walk {
    /// The node at which nothing has happened yet.
    pub fn at(&self, point: i64) -> (i64, u64) {
        (point, 0)
    }

    /// The slope and the noise (weight, ω) at a node.
    pub fn choice(&self, (point, past): (i64, u64)) -> (i64, Vec<(i64, i64)>) {
        let Lattice { a_plus, b_plus, sharp, steepest, nu } = self.lattice;
        let place = point.unsigned_abs().wrapping_add(past.wrapping_mul(3)) % self.plan.len() as u64;
        let chosen = self.plan[place as usize];
        let slope = match chosen.flat {
            _ if point < 0 => -(sharp + chosen.sharp * (steepest - sharp) / 4),
            FlatSlope::Gentler(quarters) => a_plus - quarters * (a_plus - b_plus) / 4,
            FlatSlope::LandingAtZero if (b_plus..=a_plus).contains(&point) => point,
            FlatSlope::LandingAtNu if (b_plus..=a_plus).contains(&(point - nu)) => point - nu,
            FlatSlope::LandingAtZero | FlatSlope::LandingAtNu => a_plus,
        };
        let part = |quarters: i64| (quarters * nu + 3) / 4;
        let noise = match chosen.noise {
            _ if nu == 0 => vec![(1, 0)],
            Shape::Silent => vec![(1, 0)],
            Shape::TwoPoint(x, y) => vec![(part(y), part(x)), (part(x), -part(y))],
            Shape::ThreePoint(x, y) => vec![(part(y), part(x)), (part(x), -part(y)), (part(x), 0)],
            Shape::Uniform(x) => vec![(1, nu), (1, part(x)), (1, -part(x)), (1, -nu)],
        };
        let weight = |(weight, noise)| (if self.biased { 1 } else { weight }, noise);
        (slope, noise.into_iter().map(weight).collect())
    }

    /// The node as [`ProcessHypothesis::holds_at`](valleys_sim::theorem2::ProcessHypothesis::holds_at) judges it.
    pub fn node(&self, node: (i64, u64)) -> Node {
        let (slope, noise) = self.choice(node);
        let noise = noise.into_iter().map(|(weight, noise)| (weight as f64, noise as f64)).collect();
        Node { point: node.0 as f64, slope: slope as f64, noise }
    }

    /// The setting and the first steps from a point, in the paper's notation.
    pub fn shown(&self, start: i64) -> String {
        const MOST: usize = 6;
        let unit = |cells: i64| self.lattice.in_units(cells);
        let mut text = format!("{}, from {}:", self.lattice, unit(start));
        let mut nodes = vec![self.at(start)];
        let mut shown = 0;
        while shown < nodes.len().min(MOST) {
            let node = nodes[shown];
            let (slope, noise) = self.choice(node);
            let total: i64 = noise.iter().map(|(weight, _)| weight).sum();
            let outcomes: Vec<String> = noise
                .iter()
                .map(|&(weight, noise)| format!("{} (p = {})", unit(noise), Ratio::fraction(weight, total)))
                .collect();
            // Writing to a string does not fail.
            let _ = write!(text, " at {} slope {}, ω = {};", unit(node.0), unit(slope), outcomes.join(" or "));
            for (_, child) in self.step::<f64>(&node) {
                if !nodes.contains(&child) {
                    nodes.push(child);
                }
            }
            shown += 1;
        }
        text + if nodes.len() > shown { " …" } else { "" }
    }
}

impl Process for Walk {
    /// The iterate, and what is remembered.
    type Node = (i64, u64);

    fn point(&self, node: &Self::Node) -> i64 {
        node.0
    }

    fn step<N: Number>(&self, node: &Self::Node) -> Vec<(N, Self::Node)> {
        let (slope, noise) = self.choice(*node);
        let total: i64 = noise.iter().map(|(weight, _)| weight).sum();
        let past = match self.memory {
            Memory::Nothing => 0,
            Memory::Clock => node.1 + 1,
            Memory::Path => node.1.wrapping_mul(5).wrapping_add_signed(node.0).wrapping_add(1),
        };
        noise.into_iter().map(|(weight, noise)| (N::fraction(weight, total), (node.0 - slope - noise, past))).collect()
    }
}

/// A two-slope setting in which (E) applies: (b, s, ν, η, law).
pub fn exact_law_case() -> impl Strategy<Value = (f64, f64, f64, f64, NoiseLaw)> {
    let law = prop_oneof![Just(NoiseLaw::Uniform), Just(NoiseLaw::TwoPoint), Just(NoiseLaw::TruncatedGaussian)];
    (0.1..2.0, 1.05..8.0, share(), 0.01..1.0, law)
        .prop_map(|(flat, c, share, eta, law): (f64, f64, f64, f64, NoiseLaw)| (flat, c * flat, share * flat, eta, law))
}
