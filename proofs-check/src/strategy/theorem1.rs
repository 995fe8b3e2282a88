//! Worlds in which the corrected Theorem 1 speaks.

use nalgebra::{DMatrix, DVector};
use proptest::collection::vec;
use proptest::prelude::*;
use valleys_sim::Result;
use valleys_sim::loss::{Frame, Loss, PiecewiseLinear, Rotated, Separable};
use valleys_sim::theorem1::{Direction, Instance, Reading, Shifts, Terms};

use super::share;

/// A world: random piecewise-linear losses in a rotated frame, shifts with dependent signs, steps up to the window's width,
/// and a population loss that departs from the training loss by up to ξ.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// r̲ ≥ 0.
    pub r_lo: f64,
    /// r̄ − r̲ > 0.
    pub width: f64,
    /// ξ.
    pub gap: f64,
    /// The directions u¹ … uᵏ.
    pub axes: Vec<Axis>,
    /// One more axis of the loss without a direction of its own: slopes left and right of 0.
    pub spare: Option<(f64, f64)>,
    /// Half-angle tangents of plane rotations that turn the axes of ℝᵈ into the frame; 0 leaves them.
    pub turns: [f64; 3],
    /// The law of the shift.
    pub outcomes: Vec<Outcome>,
    /// Whether every outcome is followed by its mirror image with the same weight, so that P(s_i > 0) = ½.
    pub balanced: bool,
    /// Where the population loss departs from the training loss.
    pub departure: Departure,
}

/// One direction: the function of the coordinate along it.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// p.
    pub p: f64,
    /// c.
    pub c: f64,
    /// The step l as a share of the window's width, above 0.
    pub step: f64,
    /// Slopes on equal pieces of the flat window are p(1 − 2x).
    pub flat: Vec<f64>,
    /// Slopes on equal pieces of the sharp window are −cp(1 + x).
    pub sharp: Vec<f64>,
    /// Slopes in the window's middle, left and right of 0, where anything goes.
    pub middle: (f64, f64),
    /// Slopes beyond the window, left and right.
    pub outside: (f64, f64),
}

/// One outcome of the shift.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Relative weight.
    pub weight: u32,
    /// For each of three axes: whether the projection is positive, and where in its part of the window it lies.
    pub projections: [(bool, f64); 3],
    /// The projection on the spare axis.
    pub spare: f64,
}

/// How the population loss departs from the training loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Departure {
    /// Not at all.
    None,
    /// By −ξ near the minimisers and by ξ near the biased solutions.
    Against,
    /// By −ξ and ξ in turn, on stripes of this width across (1, …, 1).
    Stripes(f64),
}

/// Worlds in which P(s_i > 0) = ½.
pub fn balanced_world() -> impl Strategy<Value = World> {
    world(true)
}

/// Worlds in which the projections' signs have any law.
pub fn unbalanced_world() -> impl Strategy<Value = World> {
    world(false)
}

fn world(balanced: bool) -> impl Strategy<Value = World> {
    let window = (prop_oneof![Just(0.0), 0.0..2.0], 0.1..3.0, prop_oneof![Just(0.0), 0.0..0.5]);
    let slopes = || (-3.0..3.0, -3.0..3.0);
    let frame = (proptest::option::of(slopes()), [-1.5..1.5, -1.5..1.5, -1.5..1.5]);
    let departure =
        prop_oneof![Just(Departure::None), Just(Departure::Against), (0.05..2.0).prop_map(Departure::Stripes)];
    (window, vec(axis(), 1..=3), frame, vec(outcome(), 1..=4), departure).prop_map(
        move |((r_lo, width, gap), axes, (spare, turns), outcomes, departure)| World {
            r_lo,
            width,
            gap,
            axes,
            spare,
            turns,
            outcomes,
            balanced,
            departure,
        },
    )
}

fn axis() -> impl Strategy<Value = Axis> {
    let slopes = || (-3.0..3.0, -3.0..3.0);
    (
        0.1..2.0,
        1.01..6.0,
        prop_oneof![Just(1.0), 0.01..=1.0],
        vec(share(), 1..=3),
        vec(share(), 1..=3),
        slopes(),
        slopes(),
    )
        .prop_map(|(p, c, step, flat, sharp, middle, outside)| Axis { p, c, step, flat, sharp, middle, outside })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    // A projection of 0 would have no sign to be balanced, so shares stay off 0.
    let projection = || (any::<bool>(), prop_oneof![Just(1.0), 0.001..=1.0]);
    (1..10_u32, [projection(), projection(), projection()], -3.0..3.0)
        .prop_map(|(weight, projections, spare)| Outcome { weight, projections, spare })
}

impl World {
    /// The numbers of the theorem.
    pub fn terms(&self) -> Result<Terms> {
        let direction = |axis: &Axis| Direction { p: axis.p, c: axis.c, l: axis.step * self.width };
        Terms::new(self.r_lo, self.r_lo + self.width, self.axes.iter().map(direction).collect(), self.gap)
    }

    /// The instance in one of the theorem's readings.
    pub fn instance(&self, reading: Reading) -> Result<Instance> {
        let frame = self.frame()?;
        let axes = self.functions()?;
        let shifts = self.shifts(&frame);
        let terms = self.terms()?;
        let step = (0..terms.count()).map(|i| frame.matrix().column(i) * terms.directions()[i].l);
        let step = step.fold(DVector::zeros(frame.dimension()), |sum, part| sum + part);
        let population = Departed {
            loss: Rotated::new(Separable::new(axes.clone())?, frame.clone())?,
            departure: self.departure,
            gap: self.gap,
            biased: shifts.iter().map(|(_, shift)| &step - shift).collect(),
            minimisers: shifts.iter().map(|(_, shift)| -shift).collect(),
        };
        Instance::piecewise_linear(terms, frame, axes, Shifts::listed(shifts)?, reading)?
            .with_population(Box::new(population))
    }

    /// A length of the instance's losses, to which slacks are relative.
    pub fn scale(&self) -> f64 {
        self.gap + self.axes.iter().map(|axis| (1.0 + axis.c) * axis.p * axis.step * self.width).sum::<f64>()
    }

    fn frame(&self) -> Result<Frame> {
        let dimension = self.axes.len() + usize::from(self.spare.is_some());
        let mut matrix = DMatrix::<f64>::identity(dimension, dimension);
        for (i, t) in self.turns.iter().enumerate().take(dimension - 1) {
            let (sin, cos) = (2.0 * t / (1.0 + t * t), (1.0 - t * t) / (1.0 + t * t));
            let (u, v) = (matrix.column(i).clone_owned(), matrix.column(i + 1).clone_owned());
            matrix.set_column(i, &(&u * cos + &v * sin));
            matrix.set_column(i + 1, &(v * cos - u * sin));
        }
        Frame::new(matrix)
    }

    fn functions(&self) -> Result<Vec<PiecewiseLinear>> {
        let spare =
            self.spare.iter().map(|&(left, right)| PiecewiseLinear::new(vec![0.0], vec![left, right], (0.0, 0.0)));
        self.axes.iter().map(|axis| axis.function(self.r_lo, self.width)).chain(spare).collect()
    }

    /// The outcomes (probability, δ).
    fn shifts(&self, frame: &Frame) -> Vec<(f64, DVector<f64>)> {
        let mirror = |outcome: &Outcome| Outcome {
            projections: outcome.projections.map(|(positive, place)| (!positive, place)),
            ..outcome.clone()
        };
        let mut outcomes = self.outcomes.clone();
        if self.balanced {
            outcomes.extend(self.outcomes.iter().map(mirror));
        }
        let total: u32 = outcomes.iter().map(|outcome| outcome.weight).sum();
        let projections = |outcome: &Outcome| {
            let place = |(axis, (positive, place)): (&Axis, (bool, f64))| {
                let step = axis.step * self.width;
                let inner = self.r_lo + place * (self.width - step);
                if positive { inner + step } else { -inner }
            };
            let along = self.axes.iter().zip(outcome.projections).map(place);
            DVector::from_iterator(frame.len(), along.chain(self.spare.map(|_| outcome.spare)))
        };
        let probability = |outcome: &Outcome| f64::from(outcome.weight) / f64::from(total);
        outcomes.iter().map(|outcome| (probability(outcome), frame.combination(&projections(outcome)))).collect()
    }
}

impl Axis {
    /// The function along the axis, 0 at 0.
    fn function(&self, r_lo: f64, width: f64) -> Result<PiecewiseLinear> {
        let inner = |pieces: usize| (1..pieces).map(move |i| r_lo + width * i as f64 / pieces as f64);
        let mut kinks = vec![-r_lo - width];
        let mut slopes = vec![self.outside.0];
        kinks.extend(inner(self.sharp.len()).collect::<Vec<_>>().into_iter().rev().map(|x| -x));
        slopes.extend(self.sharp.iter().rev().map(|x| -self.c * self.p * (1.0 + x)));
        if r_lo > 0.0 {
            kinks.extend([-r_lo, 0.0, r_lo]);
            slopes.extend([self.middle.0, self.middle.1]);
        } else {
            kinks.push(0.0);
        }
        kinks.extend(inner(self.flat.len()));
        slopes.extend(self.flat.iter().map(|x| self.p * (1.0 - 2.0 * x)));
        kinks.push(r_lo + width);
        slopes.push(self.outside.1);
        PiecewiseLinear::new(kinks, slopes, (0.0, 0.0))
    }
}

/// The training loss and a departure from it of at most ξ, constant almost everywhere.
struct Departed {
    loss: Rotated<Separable<PiecewiseLinear>>,
    departure: Departure,
    gap: f64,
    minimisers: Vec<DVector<f64>>,
    biased: Vec<DVector<f64>>,
}

impl Departed {
    fn sign(&self, w: &DVector<f64>) -> f64 {
        let nearest = |points: &[DVector<f64>]| points.iter().map(|p| (w - p).norm()).fold(f64::INFINITY, f64::min);
        let is_against = match self.departure {
            Departure::None => return 0.0,
            Departure::Against => nearest(&self.minimisers) <= nearest(&self.biased),
            Departure::Stripes(width) => (w.sum() / width).floor().rem_euclid(2.0) == 0.0,
        };
        if is_against { -1.0 } else { 1.0 }
    }
}

impl Loss for Departed {
    fn dimension(&self) -> usize {
        self.loss.dimension()
    }

    fn value(&self, w: &DVector<f64>) -> f64 {
        self.loss.value(w) + self.gap * self.sign(w)
    }

    fn gradient(&self, w: &DVector<f64>) -> DVector<f64> {
        self.loss.gradient(w)
    }
}
