//! The gain of Theorem 1 over sign patterns of the shift, as a distribution and not only as a mean.
//!
//! A pattern is one choice of signs δ_i = ±δ̄_i; its gain is L(ŵ) − L(ŵ + Σ l_i uⁱ) in that outcome. Patterns are kept as
//! bits of words, 64 patterns a word and one word a sign, so that a world evaluates 64 of them at once.

mod axis_aligned;
mod distribution;
mod signs;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

pub use axis_aligned::{AxisAligned, ExactGain};
pub use distribution::Ensemble;

use super::shifts::signed;
use super::{EXACT_DIMENSION, Instance};
use crate::error::finite;
use crate::progress::Observer;
use crate::{Error, Result, Seed};

/// Patterns that share their words.
const LANES: usize = u64::BITS as usize;

/// The largest number of patterns drawn: their gains take 2 GiB.
const MOST_PATTERNS: u64 = 1 << 28;

/// Which sign patterns to evaluate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patterns {
    /// All 2ᵏ patterns of k ≤ [`EXACT_DIMENSION`] signs, with their probabilities. Bit i of a pattern's number says whether
    /// sign i is positive.
    All,
    /// This many random patterns, 2 to 2²⁸, of any number of signs. Pattern n is lane n mod 64 of the words of
    /// `seed.stream("theorem 1 signs", n / 64)`.
    Random(u64),
}

/// A world whose shift has independent signs.
pub trait IndependentSigns: Sync {
    /// q_i = P(δ_i = +δ̄_i) within [0, 1], one a sign, at least one.
    ///
    /// # Errors
    /// A shift of another law.
    fn positive_probabilities(&self) -> Result<&[f64]>;

    /// The gains of as many patterns as `gains` is long, at most 64. Bit n of word i says whether sign i of pattern n is
    /// positive.
    fn gains(&self, signs: &[u64], gains: &mut [f64]);
}

/// Evaluates the gain over sign patterns, on rayon's current pool.
///
/// The world is [`AxisAligned`] for a separable loss with directions along the axes, in up to tens of thousands of
/// dimensions and as many directions, or an [`Instance`] for any loss. Every pattern is evaluated for itself, so the bits
/// do not depend on the number of threads; the random patterns are fixed by the seed and the q_i, so two worlds that differ
/// in the shift's magnitudes, the steps or the loss are compared on the same patterns.
///
/// ```
/// use nalgebra::DVector;
/// use valleys_sim::estimate::Confidence;
/// use valleys_sim::loss::{PiecewiseLinear, Separable};
/// use valleys_sim::progress::Silent;
/// use valleys_sim::theorem1::{AxisAligned, Direction, Patterns, Shifts, Terms, ensemble};
/// use valleys_sim::{Result, Seed};
///
/// # fn main() -> Result<()> {
/// let d = 10_000;
/// let terms = Terms::new(1.0, 3.0, vec![Direction { p: 1.0, c: 3.0, l: 0.5 }; d], 0.0)?;
/// let loss = Separable::new(vec![PiecewiseLinear::valley(1.0, 3.0)?; d])?;
/// let world = AxisAligned::new(terms, loss, Shifts::fair(vec![2.0; d])?, DVector::zeros(d))?;
/// assert_eq!(world.exact().mean, world.terms().corrected_bound());
///
/// let ensemble = ensemble(&world, Patterns::Random(1_000), Seed(1), &Silent)?;
/// assert!(ensemble.mean(Confidence::P999)?.contains(world.exact().mean));
/// assert_eq!(ensemble.share_above(0.0, Confidence::P95)?.estimate, 1.0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Too many signs for [`Patterns::All`], a number of random patterns outside 2 to 2²⁸, an instance whose shift has no
/// independent signs, a gain that is not finite; [`Error::Interrupted`].
pub fn ensemble<W: IndependentSigns + ?Sized>(
    world: &W,
    patterns: Patterns,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<Ensemble> {
    let plus = world.positive_probabilities()?;
    let count = match patterns {
        Patterns::Random(count @ 2..=MOST_PATTERNS) => count,
        Patterns::Random(count) => return Err(Error::domain("number of sign patterns", count, "2 to 2²⁸")),
        Patterns::All if plus.len() <= EXACT_DIMENSION => 1 << plus.len(),
        Patterns::All => {
            let allowed = format!("at most {EXACT_DIMENSION} to count out all sign patterns");
            return Err(Error::domain("number of signs", plus.len(), allowed));
        }
    };
    observer.begin("theorem 1, sign patterns", count);
    let mut gains = vec![0.0; count as usize];
    gains.par_chunks_mut(LANES).enumerate().try_for_each_init(
        || vec![0; plus.len()],
        |words, (block, gains)| {
            if observer.interrupted() {
                return Err(Error::Interrupted);
            }
            match patterns {
                Patterns::All => signs::count(block as u64, words),
                Patterns::Random(_) => signs::draw(&mut seed.stream(signs::PURPOSE, block as u64), plus, words),
            }
            world.gains(words, gains);
            observer.advance(gains.len() as u64);
            Ok(())
        },
    )?;
    for (pattern, &gain) in gains.iter().enumerate() {
        finite(&format!("gain of sign pattern {pattern}"), gain)?;
    }
    observer.finish();
    Ok(match patterns {
        Patterns::All => Ensemble::counted(gains, signs::probabilities(plus)),
        Patterns::Random(_) => Ensemble::sampled(gains),
    })
}

/// One sign a coordinate. Losses are evaluated one pattern at a time, in parallel.
impl IndependentSigns for Instance {
    fn positive_probabilities(&self) -> Result<&[f64]> {
        Ok(self.shifts().independent_signs()?.1)
    }

    fn gains(&self, signs: &[u64], gains: &mut [f64]) {
        let magnitudes = self.shifts().magnitudes();
        gains.par_iter_mut().enumerate().for_each(|(lane, gain)| {
            let (here, there) = self.losses(&signed(&magnitudes, |i| signs[i] >> lane & 1 == 1));
            *gain = here - there;
        });
    }
}
