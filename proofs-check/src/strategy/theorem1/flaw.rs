//! Worlds that break one hypothesis of the corrected Theorem 1 and keep the others.

use std::fmt;

use proptest::prelude::*;
use valleys_sim::theorem1::Hypothesis;

use super::draw::one_of;
use super::{World, write_sides};
use crate::rational::{Along, Departure, Direction, Instance, Landscape, Least, Outcome, Pieces, Rational};
use crate::rational::{dot, is_zero, radius_too_small, ratio, whole};

/// The one hypothesis that a world breaks, and by how much.
#[derive(Debug, Clone, PartialEq)]
pub enum Flaw {
    /// s_i > 0 need not reach r̲ + l_i: the step ends in the window's middle. The share of r̲ + l_i that is left.
    SharpInner(Rational),
    /// s_i > 0 exceeds r̄ by this.
    SharpOuter(Rational),
    /// −s_i ≥ 0 is this share of r̲.
    FlatInner(Rational),
    /// −s_i exceeds r̄ − l_i by this.
    FlatOuter(Rational),
    /// The loss is less steep than c_i p_i by this on the sharp side.
    Sharp(Rational),
    /// The loss is steeper than p_i by this on the flat side.
    Flat(Rational),
    /// All c_i are this number, which need not be above 1.
    Ratio(Rational),
    /// All steps go to the sharp side.
    Backwards,
    /// The population loss is lower than allowed by this at the solutions.
    Start(Rational),
    /// The population loss is higher than allowed by this at the biased places.
    End(Rational),
    /// The population loss is higher by this at biased places beyond a radius.
    Beyond(Reach, Rational),
    /// The population loss is higher by this everywhere but at the solutions and the biased places.
    Elsewhere(Rational),
    /// The flat side has a wall off the line through ŵ.
    OffLine(Rational),
    /// The shift leaves the window by this on axes without a direction, if it has one magnitude on each.
    Aside(Rational),
    /// The flat side has a wall, but not on the lines that the steps follow.
    Unused(Rational),
}

/// A radius on which the gap is bounded, less than Δ + ‖l‖.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// ‖l‖, as printed.
    Step,
    /// Δ.
    Shift,
    /// At least Δ + ‖l‖ − 1/500.
    Almost,
}

impl Flaw {
    /// The hypothesis that a world with this flaw may break.
    pub fn hypothesis(&self) -> Hypothesis {
        match self {
            Self::SharpInner(_) | Self::SharpOuter(_) | Self::FlatInner(_) | Self::FlatOuter(_) => {
                Hypothesis::ProjectionsWithinWindow
            }
            Self::Sharp(_) | Self::Flat(_) | Self::Ratio(_) | Self::OffLine(_) | Self::Unused(_) => {
                Hypothesis::AsymmetricDirections
            }
            Self::Backwards => Hypothesis::NonNegativeSteps,
            Self::Aside(_) => Hypothesis::ShiftWithinWindow,
            Self::Start(_) | Self::End(_) | Self::Beyond(..) | Self::Elsewhere(_) => Hypothesis::GapOnFullRadius,
        }
    }

    /// The projection in place of the admissible one, if the flaw is about it.
    pub(super) fn projection(
        &self,
        world: &World,
        positive: bool,
        inner: &Rational,
        step: &Rational,
    ) -> Option<Rational> {
        match self {
            Self::SharpInner(share) if positive => Some((&world.r_lo + step) * share),
            Self::SharpOuter(excess) if positive => Some(world.r_hi() + excess),
            Self::FlatInner(share) if !positive => Some(-(&world.r_lo * share)),
            Self::FlatOuter(excess) if !positive => Some(-(world.r_hi() - step + excess)),
            Self::Backwards => Some(if positive { inner.clone() } else { -(inner + step) }),
            _ => None,
        }
    }

    /// Does to an instance what the functions along its axes and its projections do not show.
    pub(super) fn spoil(&self, world: &World, frame: &[Vec<Rational>], instance: &mut Instance) {
        match self {
            Self::Start(depth) => {
                instance.departure = Departure::Nearest { solution: -depth, biased: whole(0) };
            }
            Self::End(height) => {
                instance.departure = Departure::Nearest { solution: whole(0), biased: height.clone() };
            }
            Self::Elsewhere(height) => instance.departure = Departure::Elsewhere(height.clone()),
            Self::Beyond(reach, height) => {
                let radius_squared = match reach {
                    Reach::Step => instance.directions.iter().map(|u| &u.l * &u.l).sum(),
                    Reach::Shift => {
                        let squares = instance.outcomes.iter().map(|outcome| dot(&outcome.shift, &outcome.shift));
                        squares.max().unwrap_or_else(|| whole(0))
                    }
                    Reach::Almost => {
                        let radius = radius_too_small(instance);
                        &radius * &radius
                    }
                };
                instance.departure = Departure::Beyond { radius_squared, height: height.clone() };
            }
            Self::OffLine(height) => wall(world, frame, instance, height, Pieces::distance(whole(0))),
            Self::Unused(height) => {
                let away = Pieces { at_zero: whole(1), ..Pieces::distance(whole(-1)) };
                wall(world, frame, instance, height, away);
            }
            _ => {}
        }
    }
}

/// Adds h·min{(t₁ − r̲)₊, f(y)} for the coordinate y on the first spare axis.
fn wall(world: &World, frame: &[Vec<Rational>], instance: &mut Instance, height: &Rational, f: Pieces) {
    let Some(spare) = frame.get(world.axes.len()) else { return };
    let ramp = Pieces::new(vec![world.r_lo.clone()], vec![whole(0), whole(1)]);
    let along = |normal: &[Rational], function| Along { normal: normal.to_vec(), function };
    let parts = vec![along(&frame[0], ramp), along(spare, f)];
    instance.training.minima.push(Least { height: height.clone(), parts });
}

/// Worlds with a flaw, made of worlds without.
pub fn broken_world(
    worlds: impl Strategy<Value = World>,
    flaw: impl Strategy<Value = Flaw>,
) -> impl Strategy<Value = World> {
    (worlds, flaw).prop_map(|(mut world, flaw)| {
        if matches!(flaw, Flaw::OffLine(_) | Flaw::Unused(_)) && world.spares.is_empty() {
            world.spares.push((whole(0), whole(0)));
        }
        if flaw == Flaw::Backwards && is_zero(&world.r_lo) {
            // A positive projection starts at r̲.
            world.r_lo = whole(1);
        }
        World { flaw: Some(flaw), ..world }
    })
}

/// Two unit directions that are not orthogonal, and a pillar where both coordinates are less than r̲.
#[derive(Clone, PartialEq)]
pub struct TiltedWorld {
    sine: Rational,
    cosine: Rational,
    height: Rational,
    numbers: (Rational, Rational, Rational),
}

/// Worlds that break nothing but orthogonality.
pub fn tilted_world() -> impl Strategy<Value = TiltedWorld> {
    let half = one_of(&[(1, 3), (1, 2), (1, 5), (1, 10)]);
    let numbers = (one_of(&[(1, 1), (2, 1)]), one_of(&[(2, 1), (3, 1), (3, 2)]), one_of(&[(1, 1), (1, 2)]));
    (half, one_of(&[(0, 1), (10, 1), (100, 1), (1000, 1)]), numbers).prop_map(|(t, height, numbers)| {
        let square = &t * &t;
        let below = whole(1) + &square;
        TiltedWorld { sine: whole(2) * t / &below, cosine: (whole(1) - square) / below, height, numbers }
    })
}

impl TiltedWorld {
    /// The world: r̲ = 1, r̄ = 1 + l, and both projections are 1 + l or both are −1.
    pub fn exact(&self) -> Instance {
        let (p, c, l) = self.numbers.clone();
        let units = [vec![whole(1), whole(0)], vec![self.sine.clone(), self.cosine.clone()]];
        // One coordinate's slope enters along the other direction too, by the sine.
        let flat = &p / (whole(1) + &self.sine);
        let steep = &c * &p + &self.sine * &flat;
        let along = |u: &Vec<Rational>, function| Along { normal: u.clone(), function };
        let valley = |u| along(u, Pieces::valley(-&steep, flat.clone()));
        let pillar = units.iter().map(|u| along(u, Pieces::hat(&whole(1)))).collect();
        // ⟨δ, u¹⟩ = ⟨δ, u²⟩ = s.
        let shift = |s: Rational| {
            let second = (&s - &self.sine * &s) / &self.cosine;
            Outcome { probability: ratio(1, 2), shift: vec![s, second] }
        };
        Instance {
            window: (whole(1), whole(1) + &l),
            gap: whole(0),
            training: Landscape {
                sums: units.iter().map(valley).collect(),
                minima: vec![Least { height: self.height.clone(), parts: pillar }],
            },
            directions: units.map(|u| Direction { u, p: p.clone(), c: c.clone(), l: l.clone() }).to_vec(),
            solution: vec![whole(0); 2],
            departure: Departure::None,
            vertical: whole(0),
            outcomes: vec![shift(whole(1) + l), shift(whole(-1))],
        }
    }
}

impl fmt::Debug for TiltedWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_sides(&self.exact(), f)
    }
}
