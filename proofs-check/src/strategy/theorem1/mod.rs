//! Worlds in which the corrected Theorem 1 speaks, in exact numbers.

mod adversary;
mod draw;
mod flaw;
mod simplest;
mod smooth;

use std::fmt;

pub use draw::{aligned_world, balanced_world, strict_world, unbalanced_world};
pub use flaw::{Flaw, Reach, broken_world, tilted_world};
pub use smooth::{Shape, SmoothWorld, smooth_world};

use crate::rational::{Along, Departure, Direction, Instance, Landscape, Least, Outcome, Pieces, Rational};
use crate::rational::{add, is_zero, merged, ratio, show, whole};

/// The most directions of a world.
pub(crate) const DIRECTIONS: usize = 4;

/// The number of outcomes of a block.
pub(crate) const OUTCOMES: usize = 4;

/// A world: losses of any shape that the definition allows, in any frame, with walls and bends of their own where nothing
/// is asked; shifts with any joint law; steps up to the window's width; a population loss that departs from the training
/// loss by up to ξ; and a point ŵ that need not minimise anything.
#[derive(Clone, PartialEq)]
pub struct World {
    /// r̲ ≥ 0.
    pub r_lo: Rational,
    /// r̄ − r̲ > 0.
    pub width: Rational,
    /// ξ.
    pub gap: Rational,
    /// The directions u¹ … uᵏ, at most 4.
    pub axes: Vec<Axis>,
    /// Up to two more axes of the loss without a direction of their own: slopes left and right of 0.
    pub spares: Vec<(Rational, Rational)>,
    /// Half-angle tangents of plane rotations that turn the axes of ℝᵈ into the frame; 0 leaves them.
    pub turns: [Rational; DIRECTIONS + 1],
    /// a in a·|t_i − t_(i+1)|, which couples neighbouring coordinates.
    pub coupling: Rational,
    /// How steep the pillar is where all |t_i| < r̲, and the wall where all |t_i| > r̄.
    pub pillars: (Rational, Rational),
    /// Each coordinate of ŵ.
    pub centre: Rational,
    /// κ in the vertical constant κ·δ₁ of the random loss.
    pub vertical: Rational,
    /// The law of the shift.
    pub blocks: Vec<Block>,
    /// Where the population loss departs from the training loss.
    pub dissent: Dissent,
    /// Whether each coordinate of the shift has one magnitude within the window, as the paper has it.
    pub printed: bool,
    /// The hypothesis that the world breaks, if any.
    pub flaw: Option<Flaw>,
}

/// One direction: the function of the coordinate along it.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// p.
    pub p: Rational,
    /// c.
    pub c: Rational,
    /// The step l as a share of the window's width.
    pub step: Rational,
    /// By how much slopes are below p, on equal pieces of the flat window.
    pub flat: Vec<Rational>,
    /// By how much the loss is steeper than cp, on equal pieces of the sharp window.
    pub sharp: Vec<Rational>,
    /// Slopes on equal pieces of the window's middle, where anything goes.
    pub middle: Vec<Rational>,
    /// Slopes beyond the window, left and right.
    pub outside: (Rational, Rational),
}

/// Four outcomes of the shift of one weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The weight, relative to other blocks.
    pub weight: u32,
    /// For each axis, in which of the four outcomes the projection is positive.
    pub positive: [[bool; OUTCOMES]; DIRECTIONS],
    /// For each axis and outcome, where in its part of the window the projection lies.
    pub places: [[Rational; OUTCOMES]; DIRECTIONS],
    /// The projections on the spare axes.
    pub spares: [[Rational; OUTCOMES]; 2],
}

/// How the population loss departs from the training loss, by up to ξ.
#[derive(Debug, Clone, PartialEq)]
pub enum Dissent {
    /// Not at all.
    None,
    /// By −ξ near the solutions and by ξ near the biased places: the worst.
    Against,
    /// By −ξ and ξ in turn on stripes of this width.
    Stripes(Rational),
}

impl World {
    /// r̄.
    pub fn r_hi(&self) -> Rational {
        &self.r_lo + &self.width
    }

    /// The world with all its losses and expectations.
    pub fn exact(&self) -> Instance {
        let frame = self.frame();
        let direction = |(axis, u): (&Axis, &Vec<Rational>)| Direction {
            u: u.clone(),
            p: axis.p.clone(),
            c: self.ratio(axis),
            l: self.step(axis),
        };
        let mut instance = Instance {
            window: (self.r_lo.clone(), self.r_hi()),
            gap: self.gap.clone(),
            directions: self.axes.iter().zip(&frame).map(direction).collect(),
            solution: vec![self.centre.clone(); frame.len()],
            training: self.landscape(&frame),
            departure: match &self.dissent {
                Dissent::None => Departure::None,
                Dissent::Against => Departure::Nearest { solution: -&self.gap, biased: self.gap.clone() },
                Dissent::Stripes(width) => Departure::Stripes { width: width.clone(), height: self.gap.clone() },
            },
            vertical: self.vertical.clone(),
            outcomes: self.outcomes(&frame),
        };
        if let Some(flaw) = &self.flaw {
            flaw.spoil(self, &frame, &mut instance);
        }
        instance
    }

    /// c_i, which a flaw may change.
    fn ratio(&self, axis: &Axis) -> Rational {
        match &self.flaw {
            Some(Flaw::Ratio(c)) => c.clone(),
            _ => axis.c.clone(),
        }
    }

    /// l_i, which a flaw may turn round.
    fn step(&self, axis: &Axis) -> Rational {
        let step = &axis.step * &self.width;
        if self.flaw == Some(Flaw::Backwards) { -step } else { step }
    }

    /// The columns of the frame: the axes of ℝᵈ after rotations of neighbouring columns.
    fn frame(&self) -> Vec<Vec<Rational>> {
        let d = self.axes.len() + self.spares.len();
        let unit = |i: usize| (0..d).map(|j| whole(i64::from(i == j))).collect();
        let mut columns: Vec<Vec<Rational>> = (0..d).map(unit).collect();
        for (i, t) in self.turns.iter().enumerate().take(d - 1).filter(|(_, t)| !is_zero(t)) {
            let square = t * t;
            let below = whole(1) + &square;
            let (sin, cos) = (whole(2) * t / &below, (whole(1) - square) / below);
            let scaled = |column: &[Rational], by: &Rational| column.iter().map(|x| x * by).collect::<Vec<_>>();
            let (u, v) = (columns[i].clone(), columns[i + 1].clone());
            columns[i] = add(&scaled(&u, &cos), &sin, &v);
            columns[i + 1] = add(&scaled(&v, &cos), &-sin, &u);
        }
        columns
    }

    fn landscape(&self, frame: &[Vec<Rational>]) -> Landscape {
        let k = self.axes.len();
        let along = |i: usize, function| Along { normal: frame[i].clone(), function };
        let mut sums: Vec<Along> = (0..k).map(|i| along(i, self.function(i))).collect();
        let spare = |(i, (left, right)): (usize, &(Rational, Rational))| {
            along(k + i, Pieces::valley(left.clone(), right.clone()))
        };
        sums.extend(self.spares.iter().enumerate().map(spare));
        if !is_zero(&self.coupling) {
            sums.extend((1..k).map(|i| {
                let normal = add(&frame[i - 1], &whole(-1), &frame[i]);
                let slopes = vec![-&self.coupling, self.coupling.clone()];
                Along { normal, function: Pieces::new(vec![ratio(1, 4)], slopes) }
            }));
        }
        let everywhere = |f: Pieces| (0..k).map(|i| along(i, f.clone())).collect::<Vec<_>>();
        let mut minima = Vec::new();
        if !is_zero(&self.pillars.0) && !is_zero(&self.r_lo) {
            minima.push(Least { height: self.pillars.0.clone(), parts: everywhere(Pieces::hat(&self.r_lo)) });
        }
        if !is_zero(&self.pillars.1) {
            minima.push(Least { height: self.pillars.1.clone(), parts: everywhere(Pieces::rim(&self.r_hi())) });
        }
        Landscape { sums, minima }
    }

    /// The function along axis i, 0 at 0.
    fn function(&self, i: usize) -> Pieces {
        let axis = &self.axes[i];
        // Couplings bend the loss by their slope each; the function makes up for them.
        let neighbours = i64::from(i > 0) + i64::from(i + 1 < self.axes.len());
        let margin = whole(neighbours) * &self.coupling;
        let (lift, ease) = match &self.flaw {
            Some(Flaw::Flat(rise)) => (rise.clone(), whole(0)),
            Some(Flaw::Sharp(ease)) => (whole(0), ease.clone()),
            _ => (whole(0), whole(0)),
        };
        let steep = self.ratio(axis) * &axis.p;
        let (mut kinks, mut slopes) = (vec![-self.r_hi()], vec![axis.outside.0.clone()]);
        let mut window = |low: Rational, width: &Rational, pieces: Vec<Rational>| {
            let count = whole(pieces.len() as i64);
            for (n, slope) in (1..).zip(pieces) {
                kinks.push(&low + width * whole(n) / &count);
                slopes.push(slope);
            }
        };
        window(-self.r_hi(), &self.width, axis.sharp.iter().map(|x| &ease - &steep - x - &margin).collect());
        if !is_zero(&self.r_lo) {
            let middle = if axis.middle.is_empty() { vec![whole(0)] } else { axis.middle.clone() };
            window(-&self.r_lo, &(whole(2) * &self.r_lo), middle);
        }
        window(self.r_lo.clone(), &self.width, axis.flat.iter().map(|x| &axis.p + &lift - x - &margin).collect());
        slopes.push(axis.outside.1.clone());
        Pieces::new(kinks, slopes)
    }

    fn outcomes(&self, frame: &[Vec<Rational>]) -> Vec<Outcome> {
        let total: u32 = self.blocks.iter().map(|block| block.weight).sum();
        let outcome = |block: &Block, j: usize| {
            let mut shift = vec![whole(0); frame.len()];
            for (i, column) in frame.iter().enumerate() {
                let s = if self.printed {
                    let magnitude = self.magnitude(i);
                    if block.positive[i % DIRECTIONS][j] { magnitude } else { -magnitude }
                } else if let Some(axis) = self.axes.get(i) {
                    self.projection(axis, block.positive[i][j], &block.places[i][j])
                } else {
                    self.spare_projection(&block.spares[i - self.axes.len()][j])
                };
                shift = add(&shift, &s, column);
            }
            Outcome { probability: ratio(i64::from(block.weight), i64::from(total) * OUTCOMES as i64), shift }
        };
        merged(self.blocks.iter().flat_map(|block| (0..OUTCOMES).map(move |j| outcome(block, j))).collect())
    }

    /// δ̄_i, from which the step reaches neither end of the window.
    fn magnitude(&self, i: usize) -> Rational {
        if let (Some(Flaw::Aside(excess)), None) = (&self.flaw, self.axes.get(i)) {
            return self.r_hi() + excess;
        }
        let step = self.axes.get(i).map_or_else(|| whole(0), |axis| &axis.step * &self.width);
        let place = &self.blocks[0].places[i % DIRECTIONS][0];
        &self.r_lo + &step + place * (&self.width - whole(2) * step)
    }

    /// s for a sign and a place in [0, 1] in the part of the window that the step leaves free.
    fn projection(&self, axis: &Axis, positive: bool, place: &Rational) -> Rational {
        let step = &axis.step * &self.width;
        let inner = &self.r_lo + place * (&self.width - &step);
        if let Some(s) = self.flaw.as_ref().and_then(|flaw| flaw.projection(self, positive, &inner, &step)) {
            return s;
        }
        if positive { inner + step } else { -inner }
    }

    fn spare_projection(&self, drawn: &Rational) -> Rational {
        match &self.flaw {
            Some(Flaw::Unused(_)) => whole(1),
            Some(Flaw::OffLine(_)) if is_zero(drawn) => whole(1),
            _ => drawn.clone(),
        }
    }
}

impl fmt::Debug for World {
    /// In the notation of the paper, with both sides of the corrected bound.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_sides(&self.exact(), f)
    }
}

/// An instance with both sides of the corrected bound.
pub(crate) fn write_sides(instance: &Instance, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (gain, bound) = (show(&instance.least_gain()), show(&instance.corrected_bound()));
    write!(f, "{instance}; E L(ŵ) − E L(ŵ + Σ l_i uⁱ) = {gain}, Σ (c_i − 1) p_i l_i / 2 − 2ξ = {bound}")
}
