//! Ensembles in single precision: half the width a number, for two slopes and uniform noise.
//!
//! A step is the plain chain's with every number and every rounding in f32; the noise of a word k is
//! fl(fl(ν/2³¹)·fl(k − 2³¹)). Sums are taken over a block in f32 and over blocks in f64, so that their error does not grow
//! with the number of steps.

use super::batch::{CHAINS, STEPS};
use super::chacha::{Blocks, Streams};
use super::lanes::{InstructionSet, Kernel, Lanes};
use super::plan::Plan;
use super::take::Tallied;
use super::tally::Totals;
use crate::progress::Observer;
use crate::{Error, Result};

/// How often a running batch asks whether to stop, in blocks.
const BLOCKS_BETWEEN_CHECKS: u64 = 1 << 8;

/// Steps of a block: more than in double precision, since each block is added to the sums of every chain, and no more than
/// f32 adds up well.
const ROWS: usize = 4 * STEPS;

/// What all chains of a batch obey, in f32.
#[derive(Debug, Clone, Copy)]
pub(super) struct SingleDynamics {
    pub(super) eta: f32,
    /// ν/2³¹.
    pub(super) scale: f32,
    pub(super) flat: f32,
    pub(super) sharp: f32,
}

/// What a block of steps says of every chain.
#[derive(Clone)]
#[repr(align(64))]
struct Block {
    /// Where the chains are.
    points: [f32; CHAINS],
    /// The last iterates taken.
    previous: [f32; CHAINS],
    /// The sum of the block's iterates.
    sums: [f32; CHAINS],
    /// How often a chain crossed from the sharp to the flat side in the block.
    crossings: [f32; CHAINS],
    /// The sum before the last crossing.
    sums_before: [f32; CHAINS],
    /// The step of the last crossing.
    steps: [f32; CHAINS],
}

/// Sums over blocks of one chain, up to where they are told.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Sums {
    crossings: u64,
    /// Of all iterates.
    all: f64,
    /// Of the iterates before the first crossing, and their number.
    first: (f64, u64),
    /// Of the iterates before the last crossing, and their number.
    last: (f64, u64),
}

impl Sums {
    fn totals(&self) -> Totals {
        if self.crossings == 0 {
            return Totals { before: self.all, ..Totals::default() };
        }
        Totals {
            rounds: self.crossings - 1,
            round_iterates: self.last.1 - self.first.1,
            round_sum: self.last.0 - self.first.0,
            before: self.first.0,
            after: self.all - self.last.0,
        }
    }

    /// Takes a block whose first iterate is number `index`, of whose crossings only the last is told.
    fn add(&mut self, block: &Block, lane: usize, index: u64) {
        if block.crossings[lane] > 0.0 {
            self.crossings += block.crossings[lane] as u64;
            self.last = (self.all + f64::from(block.sums_before[lane]), index + block.steps[lane] as u64);
        }
        self.all += f64::from(block.sums[lane]);
    }
}

/// Runs a batch of chains from some points.
pub(super) fn run(
    dynamics: SingleDynamics,
    streams: &Streams,
    start: [f32; CHAINS],
    plan: &Plan,
    set: InstructionSet,
    observer: &dyn Observer,
) -> Result<Vec<Tallied<Totals>>> {
    let none = [0.0; CHAINS];
    let mut block =
        Box::new(Block { points: start, previous: none, sums: none, crossings: none, sums_before: none, steps: none });
    let mut words = Box::new([[0; CHAINS]; ROWS]);
    let mut sums = [Sums::default(); CHAINS];
    let (burn_in, total) = (plan.burn_in, plan.burn_in + plan.steps);
    let mut is_settled = false;
    let mut taken = 0;
    while taken < total {
        let block_number = taken / ROWS as u64;
        if block_number.is_multiple_of(BLOCKS_BETWEEN_CHECKS) && observer.interrupted() {
            return Err(Error::Interrupted);
        }
        for (counter, words) in (block_number * (ROWS / STEPS) as u64..).zip(words.as_chunks_mut().0) {
            set.run(Blocks { streams, counter, words });
        }
        // The burn-in and the plan may end within a block of words: each part is a block of its own.
        let rows = (total - taken).min(ROWS as u64) as usize;
        let free = burn_in.saturating_sub(taken).min(rows as u64) as usize;
        set.run(Part { dynamics, words: &words[..free], block: &mut block });
        if free > 0 {
            // What comes before the steps that count is forgotten, the side of the last iterate too.
            block.previous = none;
        }
        let index = (taken + free as u64) - burn_in.min(taken + free as u64);
        if is_settled {
            set.run(Part { dynamics, words: &words[free..rows], block: &mut block });
            set.run(Gather { block: &block, sums: &mut sums, index });
        } else {
            // One row at a time, so that no crossing is missed.
            for (row, index) in words[free..rows].iter().zip(index..) {
                set.run(Part { dynamics, words: std::slice::from_ref(row), block: &mut block });
                for (lane, sums) in sums.iter_mut().enumerate() {
                    let before = sums.crossings;
                    sums.add(&block, lane, index);
                    if before == 0 && sums.crossings > 0 {
                        sums.first = sums.last;
                    }
                }
            }
            is_settled = sums.iter().all(|sums| sums.crossings > 0);
        }
        taken += rows as u64;
    }
    let last = block.points.map(f64::from);
    Ok(sums.iter().zip(last).map(|(sums, last)| Tallied { tally: sums.totals(), last }).collect())
}

/// A step for each row of words.
struct Part<'a> {
    dynamics: SingleDynamics,
    words: &'a [[u32; CHAINS]],
    block: &'a mut Block,
}

impl Kernel for Part<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        // SAFETY: the caller vouches for the instructions.
        unsafe { if V::AT_ONCE == 4 { self.take::<V, 4>() } else { self.take::<V, 2>() } }
    }
}

impl Part<'_> {
    /// GROUP vectors in turn, so that one is worked on while another waits for its last step.
    #[inline(always)]
    unsafe fn take<V: Lanes, const GROUP: usize>(self) {
        let Self { dynamics: SingleDynamics { eta, scale, flat, sharp }, words, block } = self;
        // SAFETY: the caller vouches for the instructions; rows have CHAINS numbers, a multiple of every vector's length
        // times GROUP.
        unsafe {
            let [eta, scale, flat, sharp, zero, one] =
                [eta, scale, flat, sharp, 0.0, 1.0].map(|number| V::splat_single(number));
            for first in (0..CHAINS).step_by(GROUP * V::WORDS) {
                let lanes: [usize; GROUP] = std::array::from_fn(|i| first + i * V::WORDS);
                let mut w = lanes.map(|lane| V::load_singles(block.points.as_ptr().add(lane)));
                let mut previous = lanes.map(|lane| V::load_singles(block.previous.as_ptr().add(lane)));
                let [mut sum, mut crossings, mut before, mut at] = [[zero; GROUP]; 4];
                let mut step = 0.0;
                for row in words {
                    let here = V::splat_single(step);
                    for i in 0..GROUP {
                        let crosses = V::singles_rise(previous[i], w[i]);
                        previous[i] = w[i];
                        crossings[i] = V::add_singles_where(crosses, crossings[i], one);
                        before[i] = V::select_singles(crosses, sum[i], before[i]);
                        at[i] = V::select_singles(crosses, here, at[i]);
                        sum[i] = V::add_singles(sum[i], w[i]);
                        let words = V::load_words(row.as_ptr().add(lanes[i]));
                        let noise = V::mul_singles(scale, V::centred_singles(words));
                        let slope = V::select_singles(V::singles_negative(w[i]), sharp, flat);
                        w[i] = V::sub_singles(w[i], V::mul_singles(eta, V::add_singles(slope, noise)));
                    }
                    step += 1.0;
                }
                for i in 0..GROUP {
                    let lane = lanes[i];
                    V::store_singles(w[i], block.points.as_mut_ptr().add(lane));
                    V::store_singles(previous[i], block.previous.as_mut_ptr().add(lane));
                    V::store_singles(sum[i], block.sums.as_mut_ptr().add(lane));
                    V::store_singles(crossings[i], block.crossings.as_mut_ptr().add(lane));
                    V::store_singles(before[i], block.sums_before.as_mut_ptr().add(lane));
                    V::store_singles(at[i], block.steps.as_mut_ptr().add(lane));
                }
            }
        }
    }
}

/// Adds a block to the sums of every chain.
struct Gather<'a> {
    block: &'a Block,
    sums: &'a mut [Sums; CHAINS],
    index: u64,
}

impl Kernel for Gather<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        for (lane, sums) in self.sums.iter_mut().enumerate() {
            sums.add(self.block, lane, self.index);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::Rng;

    use super::*;
    use crate::Seed;
    use crate::progress::Silent;

    /// A chain, a number at a time.
    fn plain(dynamics: SingleDynamics, chain: u64, mut w: f32, steps: usize, seed: Seed) -> Vec<f32> {
        let mut stream = seed.stream("chain", chain);
        let mut visited = Vec::new();
        for _ in 0..=steps {
            visited.push(w);
            let word = stream.next_u32();
            let noise = dynamics.scale * ((word ^ (1 << 31)).cast_signed() as f32);
            let slope = if w < 0.0 { dynamics.sharp } else { dynamics.flat };
            w -= dynamics.eta * (slope + noise);
        }
        visited
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn every_instruction_set_takes_the_plain_steps(
            (flat, sharp, nu) in (0.05_f32..1.0, 1.0_f32..6.0, 0.0_f32..1.5),
            (burn_in, steps) in (0_u64..40, 1_u64..2_000),
            seed in any::<u64>(),
        ) {
            let dynamics = SingleDynamics { eta: 0.1, scale: nu / 2_147_483_648.0, flat, sharp: -sharp };
            let seed = Seed(seed);
            let plan = Plan::new(64, burn_in, steps).expect("valid");
            let streams = Streams::new(seed.key("chain"), 5);
            let runs: Vec<_> = InstructionSet::available()
                .into_iter()
                .map(|set| run(dynamics, &streams, [0.3; CHAINS], &plan, set, &Silent).expect("runs"))
                .collect();
            for run in &runs[1..] {
                prop_assert_eq!(run, &runs[0]);
            }
            for (lane, chain) in runs[0].iter().enumerate() {
                let visited = plain(dynamics, 5 + lane as u64, 0.3, (burn_in + steps) as usize, seed);
                let counted = &visited[burn_in as usize..(burn_in + steps) as usize];
                prop_assert_eq!(chain.last, f64::from(visited[(burn_in + steps) as usize]));
                let mut rounds = crate::sgd::Rounds::new();
                let finished: Vec<_> = counted.iter().filter_map(|&w| rounds.push(f64::from(w))).collect();
                prop_assert_eq!(chain.tally.rounds, finished.len() as u64);
                prop_assert_eq!(chain.tally.round_iterates, finished.iter().map(|round| round.iterates).sum::<u64>());
                // Sixty-four numbers at a time are added in f32: as many roundings at most, relative to their sizes.
                let size: f64 = counted.iter().map(|&w| f64::from(w.abs())).sum();
                let allowed = 64.0 * f64::from(f32::EPSILON) * size;
                let sum: f64 = counted.iter().map(|&w| f64::from(w)).sum();
                prop_assert!((chain.tally.sum() - sum).abs() <= allowed, "{} is not {sum}", chain.tally.sum());
                let sum: f64 = finished.iter().map(|round| round.sum).sum();
                prop_assert!((chain.tally.round_sum - sum).abs() <= allowed);
            }
        }
    }
}
