//! The noise of a block of steps, from its random words.

use super::batch::{CHAINS, STEPS};
use super::lanes::{Kernel, Lanes};
use crate::sgd::{NoiseLaw, TRUNCATED_GAUSSIAN_QUANTILE as QUANTILE, UNIT_SPACING};

/// Words that a law takes a step.
pub(super) fn words_a_step(law: NoiseLaw) -> usize {
    match law {
        NoiseLaw::None => 0,
        NoiseLaw::Uniform | NoiseLaw::TwoPoint | NoiseLaw::TruncatedGaussian => 1,
        NoiseLaw::FineUniform => 2,
    }
}

/// ν times the spacing of a word's numbers, if that is exact: to scale by both in turn is to scale by this one then, and
/// uniform noise needs no pass of its own.
pub(super) fn uniform_scale(nu: f64) -> Option<f64> {
    let scale = nu * UNIT_SPACING;
    (scale / UNIT_SPACING == nu).then_some(scale)
}

/// Turns the words of a block into what [`Noise::draw`](crate::sgd::Noise) makes of them, bit by bit.
pub(super) struct Draws<'a> {
    pub(super) law: NoiseLaw,
    pub(super) nu: f64,
    /// One row a step, two for a law that takes two words.
    pub(super) words: &'a [[u32; CHAINS]],
    pub(super) noise: &'a mut [[f64; CHAINS]; STEPS],
}

impl Kernel for Draws<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { law, nu, words, noise } = self;
        assert!(words.len() >= STEPS * words_a_step(law));
        // SAFETY: the caller vouches for the instructions; rows have CHAINS numbers, a multiple of every vector's length,
        // and there are as many rows of words as asserted.
        unsafe {
            let (nu, minus_nu) = (V::splat(nu), V::splat(-nu));
            let spacing = V::splat(UNIT_SPACING);
            let unit = |step: usize, lane: usize| V::mul(V::centred(words[step].as_ptr().add(lane)), spacing);
            match law {
                NoiseLaw::None => noise.iter_mut().for_each(|row| row.fill(0.0)),
                NoiseLaw::Uniform => each::<V>(noise, |step, lane| V::mul(nu, unit(step, lane))),
                NoiseLaw::FineUniform => each::<V>(noise, |step, lane| {
                    let [lower, upper] = [2 * step, 2 * step + 1].map(|row| words[row].as_ptr().add(lane));
                    V::mul(nu, V::mul(V::splat(2.0), V::centred_fine(lower, upper)))
                }),
                NoiseLaw::TwoPoint => each::<V>(noise, |step, lane| {
                    // The top bit is 1 from the middle of the words' range on.
                    let is_lower = V::is_negative(V::centred(words[step].as_ptr().add(lane)));
                    V::select(is_lower, minus_nu, nu)
                }),
                NoiseLaw::TruncatedGaussian => each::<V>(noise, |step, lane| {
                    let u = unit(step, lane);
                    let t = V::mul(u, u);
                    let polynomial = |coefficients: &[f64]| {
                        let start = V::splat(0.0);
                        coefficients.iter().fold(start, |sum, &next| V::add(V::mul(sum, t), V::splat(next)))
                    };
                    let (top, bottom) = (polynomial(&QUANTILE.0), polynomial(&QUANTILE.1));
                    V::mul(nu, V::div(V::mul(u, top), bottom))
                }),
            }
        }
    }
}

/// Writes every vector of a block.
#[inline(always)]
unsafe fn each<V: Lanes>(block: &mut [[f64; CHAINS]; STEPS], numbers: impl Fn(usize, usize) -> V::Numbers) {
    for (step, row) in block.iter_mut().enumerate() {
        for lane in (0..CHAINS).step_by(V::NUMBERS) {
            // SAFETY: as in the caller.
            unsafe { V::store(numbers(step, lane), row.as_mut_ptr().add(lane)) };
        }
    }
}
