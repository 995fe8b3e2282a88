//! Worlds that come as close to the bound as one likes.

use super::{Block, Dissent, World};
use crate::rational::{Rational, is_zero, ratio, whole};

impl World {
    /// The world with the same numbers that gains least: slopes −c_i p_i(1 + ε) and p_i(1 − ε), and a population loss that
    /// is lower by ξ at all solutions and higher by ξ at all biased places. It gains
    /// Σ ((c_i − 1) + ε(c_i + 1)) p_i l_i / 2 − 2ξ. Steps of length 0 become half as long as the window.
    pub fn extremal(mut self, epsilon: &Rational) -> Self {
        if is_zero(&self.r_lo) {
            // A solution must not be another outcome's biased place.
            self.r_lo = whole(1);
        }
        for axis in &mut self.axes {
            if is_zero(&axis.step) {
                axis.step = if self.printed { ratio(1, 4) } else { ratio(1, 2) };
            }
            let steep = &axis.c * &axis.p;
            axis.flat = vec![&axis.p * epsilon];
            axis.sharp = vec![&steep * epsilon];
            let slopes = (-&steep * (whole(1) + epsilon), &axis.p * (whole(1) - epsilon));
            axis.middle = vec![slopes.0.clone(), slopes.1.clone()];
            axis.outside = slopes;
        }
        for spare in &mut self.spares {
            *spare = (whole(-1), whole(1));
        }
        for Block { places, .. } in &mut self.blocks {
            *places = std::array::from_fn(|_| std::array::from_fn(|_| whole(0)));
        }
        Self { coupling: whole(0), pillars: (whole(0), whole(0)), dissent: Dissent::Against, ..self }
    }

    /// Σ (c_i + 1) p_i l_i.
    pub fn sum_of_slopes(&self) -> Rational {
        let term = |axis: &super::Axis| (&axis.c + whole(1)) * &axis.p * self.step(axis);
        self.axes.iter().map(term).sum()
    }

    /// This world with one part of another, chosen by a number of any size, if that is admissible.
    pub fn mixed(&self, other: &Self, part: u32) -> Option<Self> {
        let (mut mixed, other) = (self.clone(), other.clone());
        match part % 9 {
            0 => mixed.axes = other.axes,
            1 => {
                let i = part as usize % mixed.axes.len();
                mixed.axes[i] = other.axes[0].clone();
            }
            2 => {
                let (flat, sharp) = (&other.axes[0].flat, &other.axes[0].sharp);
                for axis in &mut mixed.axes {
                    (axis.flat, axis.sharp) = (flat.clone(), sharp.clone());
                }
            }
            3 => mixed.blocks = other.blocks,
            4 => (mixed.gap, mixed.dissent) = (other.gap, other.dissent),
            5 => (mixed.r_lo, mixed.width) = (other.r_lo, other.width),
            6 => (mixed.coupling, mixed.pillars) = (other.coupling, other.pillars),
            7 => (mixed.spares, mixed.turns) = (other.spares, other.turns),
            _ => (mixed.centre, mixed.vertical) = (other.centre, other.vertical),
        }
        let has_signs = !is_zero(&mixed.r_lo) || mixed.axes.iter().all(|axis| !is_zero(&axis.step));
        has_signs.then_some(mixed)
    }
}
