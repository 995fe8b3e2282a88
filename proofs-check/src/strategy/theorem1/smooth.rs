//! Worlds with smooth losses, in floating point.

use std::fmt;

use nalgebra::{DMatrix, DVector};
use proptest::collection::vec;
use proptest::prelude::*;
use valleys_sim::Result;
use valleys_sim::loss::{Exponential, Frame, Rotated, Separable, Shifted, Softened, Univariate};
use valleys_sim::theorem1::{self, Reading, Terms};

use super::{DIRECTIONS, World, balanced_world};
use crate::rational::{is_zero, to_f64, vector, whole};

/// A [`World`] whose functions along the directions are smooth; the numbers p and c are the best on the window.
#[derive(Clone, PartialEq)]
pub struct SmoothWorld {
    world: World,
    shapes: Vec<Shape>,
}

/// A smooth convex function that is steep on the left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// a(s·e^(−x/s) + x) for s = share·r̲.
    Exponential {
        /// a.
        slope: f64,
        /// s / r̲.
        share: f64,
    },
    /// p·x + (c + 1)·p·τ·ln(1 + e^(−x/τ)) for τ = share·r̲.
    Softened {
        /// p.
        p: f64,
        /// c.
        c: f64,
        /// τ / r̲.
        share: f64,
    },
}

/// Worlds with a smooth function of each kind along any direction.
pub fn smooth_world() -> impl Strategy<Value = SmoothWorld> {
    let shape = prop_oneof![
        (0.1..3.0, 0.2..1.2).prop_map(|(slope, share)| Shape::Exponential { slope, share }),
        (0.1..3.0, 2.0..8.0, 0.01..1.0).prop_map(|(p, c, share)| Shape::Softened { p, c, share }),
    ];
    (balanced_world(), vec(shape, DIRECTIONS)).prop_map(|(mut world, shapes)| {
        if is_zero(&world.r_lo) {
            world.r_lo = whole(1);
        }
        SmoothWorld { world, shapes }
    })
}

impl SmoothWorld {
    /// The instance in one of the theorem's readings.
    ///
    /// # Errors
    /// None in practice: all numbers are drawn from their domains.
    pub fn instance(&self, reading: Reading) -> Result<theorem1::Instance> {
        let exact = self.world.exact();
        let (r_lo, r_hi) = (to_f64(&exact.window.0), to_f64(&exact.window.1));
        let shapes = &self.shapes[..exact.directions.len()];
        let curves = shapes.iter().map(|shape| shape.curve(r_lo)).collect::<Result<Vec<_>>>()?;
        let direction = |(curve, u): (&Curve, &crate::rational::Direction)| {
            let steep = -curve.slope(-r_lo);
            // Where the flat side falls, any p > 0 does.
            let p = curve.slope(r_hi).max(steep / 100.0);
            theorem1::Direction { p, c: steep / p, l: to_f64(&u.l) }
        };
        let directions = curves.iter().zip(&exact.directions).map(direction).collect();
        let terms = Terms::new(r_lo, r_hi, directions, to_f64(&exact.gap))?;
        let columns: Vec<DVector<f64>> = exact.directions.iter().map(|direction| vector(&direction.u)).collect();
        let rotated = Rotated::new(Separable::new(curves)?, Frame::new(DMatrix::from_columns(&columns))?)?;
        exact.rounded_with(terms, reading, Shifted::new(rotated, vector(&exact.solution), 0.0)?)
    }
}

/// A function of either kind.
#[derive(Debug, Clone)]
enum Curve {
    Exponential(Exponential),
    Softened(Softened),
}

impl Shape {
    fn curve(&self, r_lo: f64) -> Result<Curve> {
        Ok(match *self {
            Self::Exponential { slope, share } => Curve::Exponential(Exponential::new(slope, share * r_lo)?),
            Self::Softened { p, c, share } => Curve::Softened(Softened::new(p, c, share * r_lo)?),
        })
    }
}

impl Univariate for Curve {
    fn value(&self, x: f64) -> f64 {
        match self {
            Self::Exponential(curve) => curve.value(x),
            Self::Softened(curve) => curve.value(x),
        }
    }

    fn slope(&self, x: f64) -> f64 {
        match self {
            Self::Exponential(curve) => curve.slope(x),
            Self::Softened(curve) => curve.slope(x),
        }
    }
}

impl fmt::Debug for SmoothWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shapes = &self.shapes[..self.world.axes.len()];
        write!(f, "{}, but with {shapes:?} along the directions", self.world.exact())
    }
}
