//! How much of every experiment is measured when all are.

use serde::{Deserialize, Serialize};

use crate::cli::landscape::Amount;

/// Lines: how many, and points on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lines {
    pub(crate) draws: u64,
    pub(crate) points: usize,
}

/// The number of draws and points of every experiment of `valleys landscape all`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Images for each of batch-norm statistics, train loss and test loss, at most. The first lines and the line between
    /// the solutions are measured on as many as the run's settings say.
    pub(crate) images: usize,
    /// Of the uniform and of the Gaussian family, each.
    pub(crate) prevalence: Lines,
    /// Of every other family.
    pub(crate) families: Lines,
    /// Draws are neighbouring centres.
    pub(crate) neighbourhood: Lines,
    /// Draws are epochs.
    pub(crate) trajectory: Lines,
    /// Of each of two families, from both solutions.
    pub(crate) inter_rand: Lines,
    /// At every share of matching signs.
    pub(crate) signs: Lines,
    /// Of every group of parameters, with statistics recomputed and frozen.
    pub(crate) batch_norm: Lines,
    /// Points of the line under controls.
    pub(crate) controls: usize,
    /// From each of two solutions.
    pub(crate) rays: Lines,
    /// Points along each axis.
    pub(crate) plane: usize,
    /// Points of the line for the law of the shift.
    pub(crate) shift_law: usize,
    /// Draws are neighbouring centres.
    pub(crate) theory: Lines,
    /// Draws are permuted controls; half as many symmetric ones are sought.
    pub(crate) intervention: Lines,
    /// Minibatches whose gradient noise is measured.
    pub(crate) minibatches: usize,
    /// Draws are random vectors for the trace; points are steps of Lanczos' method.
    pub(crate) curvature: Lines,
}

const fn lines(draws: u64, points: usize) -> Lines {
    Lines { draws, points }
}

impl Counts {
    pub(crate) fn of(amount: Amount) -> Self {
        match amount {
            Amount::Quick => Self {
                images: 500,
                prevalence: lines(3, 13),
                families: lines(2, 9),
                neighbourhood: lines(4, 9),
                trajectory: lines(5, 9),
                inter_rand: lines(1, 9),
                signs: lines(1, 9),
                batch_norm: lines(1, 9),
                controls: 9,
                rays: lines(3, 5),
                plane: 5,
                shift_law: 13,
                theory: lines(2, 9),
                intervention: lines(2, 9),
                minibatches: 50,
                curvature: lines(3, 10),
            },
            Amount::Small => Self {
                images: 1_000,
                prevalence: lines(10, 31),
                families: lines(5, 13),
                neighbourhood: lines(20, 21),
                trajectory: lines(20, 21),
                inter_rand: lines(3, 21),
                signs: lines(2, 13),
                batch_norm: lines(3, 13),
                controls: 17,
                rays: lines(5, 9),
                plane: 9,
                shift_law: 17,
                theory: lines(3, 17),
                intervention: lines(2, 13),
                minibatches: 100,
                curvature: lines(4, 12),
            },
            Amount::Paper => Self {
                images: 10_000,
                prevalence: lines(20, 61),
                families: lines(20, 31),
                neighbourhood: lines(100, 31),
                trajectory: lines(200, 31),
                inter_rand: lines(10, 61),
                signs: lines(10, 31),
                batch_norm: lines(10, 31),
                controls: 61,
                rays: lines(10, 31),
                plane: 31,
                shift_law: 61,
                theory: lines(10, 61),
                intervention: lines(4, 31),
                minibatches: 500,
                curvature: lines(10, 60),
            },
        }
    }
}
