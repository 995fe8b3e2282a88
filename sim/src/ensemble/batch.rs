//! A batch of chains that take their steps together.

use super::chacha::{Blocks, Streams, WORDS};
use super::lanes::InstructionSet;
use super::noise::{Draws, uniform_scale, words_a_step};
use super::step::{Drawn, Each, Noises, Smooth, Steps, TwoSlopes, UniformNoise};
use crate::sgd::{Gradient, NoiseLaw, Setting, SlopeShape};

/// Chains in a batch: a multiple of every vector's length, and few enough that a block stays in the first cache.
pub(super) const CHAINS: usize = 64;

/// Steps in a block.
pub(super) const STEPS: usize = 16;

/// What all chains of a batch obey.
#[derive(Debug)]
pub(super) struct Dynamics<'a, G> {
    pub(super) setting: Setting,
    pub(super) gradient: &'a G,
    pub(super) law: NoiseLaw,
    /// Heavy-ball momentum's coefficient, if there is any.
    pub(super) momentum: Option<f64>,
    pub(super) set: InstructionSet,
}

/// Chains, and the block of steps that they took last.
pub(super) struct Batch<'a, G> {
    dynamics: &'a Dynamics<'a, G>,
    streams: Streams,
    counter: u64,
    room: Box<Room>,
}

/// Rows begin where cache lines do.
#[repr(align(64))]
struct Room {
    words: [[u32; CHAINS]; 2 * STEPS],
    block: [[f64; CHAINS]; STEPS],
    points: [f64; CHAINS],
    velocities: [f64; CHAINS],
}

impl<'a, G: Gradient> Batch<'a, G> {
    /// Chains at rest at some points.
    pub(super) fn new(dynamics: &'a Dynamics<'a, G>, streams: Streams, points: [f64; CHAINS]) -> Self {
        let room =
            Room { words: [[0; CHAINS]; 2 * STEPS], block: [[0.0; CHAINS]; STEPS], points, velocities: [0.0; CHAINS] };
        Self { dynamics, streams, counter: 0, room: Box::new(room) }
    }

    /// Takes [`STEPS`] steps; returns the points that they were taken at, a row a step, and where the chains are now.
    pub(super) fn advance(&mut self) -> (&[[f64; CHAINS]; STEPS], &[f64; CHAINS]) {
        let Self { dynamics: Dynamics { setting, gradient, law, momentum, set }, streams, counter, room } = self;
        let Room { words, block, points, velocities } = &mut **room;
        let words = &mut words[..STEPS * words_a_step(*law)];
        for words in words.as_chunks_mut::<WORDS>().0 {
            set.run(Blocks { streams, counter: *counter, words });
            *counter += 1;
        }
        let rates = (setting.eta(), *momentum);
        let rows = (block, points, velocities);
        match (law, uniform_scale(setting.nu()), words.as_chunks().0) {
            (NoiseLaw::Uniform, Some(scale), [words]) => {
                step(*set, *gradient, UniformNoise { words, scale }, rates, rows);
            }
            _ => {
                set.run(Draws { law: *law, nu: setting.nu(), words, noise: rows.0 });
                step(*set, *gradient, Drawn, rates, rows);
            }
        }
        (&room.block, &room.points)
    }
}

/// The block, the points and the velocities.
type Rows<'a> = (&'a mut [[f64; CHAINS]; STEPS], &'a mut [f64; CHAINS], &'a mut [f64; CHAINS]);

/// Steps along the gradient's shape.
fn step<G: Gradient, W: Noises>(
    set: InstructionSet,
    gradient: &G,
    noises: W,
    (eta, momentum): (f64, Option<f64>),
    (block, points, velocities): Rows<'_>,
) {
    match gradient.shape() {
        SlopeShape::TwoSlopes { flat, sharp } => {
            let slopes = TwoSlopes { flat, sharp };
            set.run(Steps { slopes, noises, eta, momentum, block, points, velocities });
        }
        SlopeShape::Smooth { near, far, scale } => {
            let slopes = Smooth { near, far, scale };
            set.run(Steps { slopes, noises, eta, momentum, block, points, velocities });
        }
        SlopeShape::Other => {
            set.run(Steps { slopes: Each(gradient), noises, eta, momentum, block, points, velocities });
        }
    }
}
