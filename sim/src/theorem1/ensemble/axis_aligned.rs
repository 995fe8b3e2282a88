//! Theorem 1 for a separable loss and directions along the axes, where the expectation over signs is a sum over axes.

use nalgebra::DVector;

use super::super::gain::Sum;
use super::super::{Shifts, Terms};
use super::{IndependentSigns, LANES};
use crate::error::finite;
use crate::loss::{Loss, Separable, Univariate, check_point};
use crate::{Error, Result};

/// Patterns whose sums a processor keeps in its registers.
const TOGETHER: usize = 8;

/// A world with the loss Σ fᵢ(wᵢ), whose k ≤ d directions are the first k axes, and with independent signs.
///
/// An axis without a step has no part in the gain, so only k signs are kept, and memory is of the order of k.
#[derive(Debug, Clone)]
pub struct AxisAligned {
    terms: Terms,
    plus: Vec<f64>,
    gains: Vec<AxisGain>,
}

/// fᵢ(ŵᵢ − δᵢ) − fᵢ(ŵᵢ + lᵢ − δᵢ) for either sign of δᵢ.
#[derive(Debug, Clone, Copy)]
struct AxisGain {
    /// With δᵢ = +δ̄ᵢ, the sharp side.
    positive: f64,
    /// With δᵢ = −δ̄ᵢ, the flat side.
    negative: f64,
}

/// What is known of the gain without looking at any pattern.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExactGain {
    /// E L(ŵ) − E L(ŵ + Σ l_i uⁱ), the left side of Theorem 1.
    pub mean: f64,
    /// The standard deviation of the gain over sign patterns.
    pub standard_deviation: f64,
    /// The gain of the worst pattern of positive probability.
    pub least: f64,
    /// The gain of the best pattern of positive probability.
    pub greatest: f64,
}

impl AxisAligned {
    /// A world in which the population loss is Σ fᵢ(wᵢ − δᵢ) and the directions are the first k axes.
    ///
    /// It holds for both [readings](super::super::Reading), which have the same gain. The training loss does not enter into
    /// the gain; the shift, the steps and ŵ do. The functions are evaluated here, four times an axis, and not kept.
    ///
    /// # Errors
    /// More directions than axes, a shift or a point of another dimension than the loss, signs that are not independent,
    /// and losses that are not finite.
    pub fn new<U: Univariate>(
        terms: Terms,
        population: Separable<U>,
        shifts: Shifts,
        minimiser: DVector<f64>,
    ) -> Result<Self> {
        let dimension = population.dimension();
        if terms.count() > dimension {
            return Err(Error::domain("number of directions k", terms.count(), format!("at most {dimension} axes")));
        }
        check_point("point ŵ", &minimiser, dimension)?;
        if shifts.dimension() != dimension {
            return Err(Error::domain("number of coordinates of the shift", shifts.dimension(), dimension));
        }
        let (magnitudes, plus) = shifts.independent_signs()?;
        let axis = |i: usize| {
            let (f, step) = (&population.axes()[i], terms.directions()[i].l);
            let gain = |shift: f64| {
                let gain = f.value(minimiser[i] - shift) - f.value(minimiser[i] + step - shift);
                finite(&format!("gain along axis {i} at shift {shift}"), gain)
            };
            Ok(AxisGain { positive: gain(magnitudes[i])?, negative: gain(-magnitudes[i])? })
        };
        let gains = (0..terms.count()).map(axis).collect::<Result<_>>()?;
        Ok(Self { plus: plus[..terms.count()].to_vec(), gains, terms })
    }

    /// The numbers of the theorem, with its bounds.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Mean, standard deviation and extremes of the gain, by one sum over the axes each (signs are independent).
    pub fn exact(&self) -> ExactGain {
        let sum = |term: &dyn Fn(f64, &AxisGain) -> f64| {
            let mut sum = Sum::default();
            for (&q, gain) in self.plus.iter().zip(&self.gains) {
                sum.add(term(q, gain));
            }
            sum.value()
        };
        let extreme = |q: f64, gain: &AxisGain, better: fn(f64, f64) -> f64| match q {
            0.0 => gain.negative,
            1.0 => gain.positive,
            _ => better(gain.positive, gain.negative),
        };
        ExactGain {
            mean: sum(&|q, gain| q * gain.positive + (1.0 - q) * gain.negative),
            standard_deviation: sum(&|q, gain| q * (1.0 - q) * (gain.positive - gain.negative).powi(2)).sqrt(),
            least: sum(&|q, gain| extreme(q, gain, f64::min)),
            greatest: sum(&|q, gain| extreme(q, gain, f64::max)),
        }
    }
}

/// One sign a direction. The gain of a pattern is summed over the axes in their order.
impl IndependentSigns for AxisAligned {
    fn positive_probabilities(&self) -> Result<&[f64]> {
        Ok(&self.plus)
    }

    fn gains(&self, signs: &[u64], gains: &mut [f64]) {
        for first in (0..LANES).step_by(TOGETHER) {
            let mut sums = [0.0; TOGETHER];
            for (word, gain) in signs.iter().zip(&self.gains) {
                for (lane, sum) in sums.iter_mut().enumerate() {
                    *sum += if word >> (first + lane) & 1 == 1 { gain.positive } else { gain.negative };
                }
            }
            for (gain, sum) in gains.iter_mut().skip(first).zip(sums) {
                *gain = sum;
            }
        }
    }
}
