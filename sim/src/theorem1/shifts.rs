//! The random shift δ of Assumption 1, with finitely many outcomes.

use nalgebra::DVector;
use rand::RngExt;

use crate::error::{finite, non_negative};
use crate::loss::check_point;
use crate::seed::Stream;
use crate::{Error, Result};

/// The largest dimension in which sign patterns are counted out: 2²⁰ of them.
pub const EXACT_DIMENSION: usize = 20;

/// log₂ of the number of outcomes that are summed as one block.
const BLOCK_BITS: u32 = 12;

/// By how much probabilities may miss their sum of 1.
const PROBABILITY: f64 = 1e-9;

/// The law of the shift δ.
#[derive(Debug, Clone, PartialEq)]
pub struct Shifts(Law);

#[derive(Debug, Clone, PartialEq)]
enum Law {
    /// δ_i = ±δ̄_i.
    Signs { magnitudes: Vec<f64>, signs: Signs },
    /// Any outcomes, with their probabilities.
    Listed(Vec<(f64, DVector<f64>)>),
}

#[derive(Debug, Clone, PartialEq)]
enum Signs {
    /// P(δ_i = +δ̄_i), independent.
    Independent(Vec<f64>),
    /// The probability of every pattern; bit i of its index says whether δ_i is positive.
    Dependent(Vec<f64>),
}

impl Shifts {
    /// δ_i = ±δ̄_i with independent fair signs, in any dimension ≥ 1; magnitudes are finite and ≥ 0.
    pub fn fair(magnitudes: Vec<f64>) -> Result<Self> {
        let plus = vec![0.5; magnitudes.len()];
        Self::independent(magnitudes, plus)
    }

    /// δ_i = ±δ̄_i with independent signs, P(δ_i = +δ̄_i) = q_i within [0, 1].
    pub fn independent(magnitudes: Vec<f64>, plus: Vec<f64>) -> Result<Self> {
        check_magnitudes(&magnitudes)?;
        if plus.len() != magnitudes.len() {
            return Err(Error::domain("number of sign probabilities", plus.len(), magnitudes.len()));
        }
        for (i, &q) in plus.iter().enumerate() {
            if !(0.0..=1.0).contains(&q) {
                return Err(Error::domain(format!("probability of sign {i}"), q, "within [0, 1]"));
            }
        }
        Ok(Self(Law::Signs { magnitudes, signs: Signs::Independent(plus) }))
    }

    /// δ_i = ±δ̄_i with any joint law of the signs: 2ᵈ probabilities, bit i of the index says whether δ_i is positive;
    /// d ≤ [`EXACT_DIMENSION`].
    pub fn dependent(magnitudes: Vec<f64>, probabilities: Vec<f64>) -> Result<Self> {
        check_magnitudes(&magnitudes)?;
        let dimension = magnitudes.len();
        if dimension > EXACT_DIMENSION {
            return Err(Error::domain(
                "dimension d",
                dimension,
                format!("at most {EXACT_DIMENSION} for dependent signs"),
            ));
        }
        if probabilities.len() != 1 << dimension {
            return Err(Error::domain("number of pattern probabilities", probabilities.len(), 1u64 << dimension));
        }
        check_probabilities(probabilities.iter().copied())?;
        Ok(Self(Law::Signs { magnitudes, signs: Signs::Dependent(probabilities) }))
    }

    /// Any outcomes (probability, δ): at least one, of one dimension, at most 2²⁰.
    pub fn listed(outcomes: Vec<(f64, DVector<f64>)>) -> Result<Self> {
        let Some(dimension) = outcomes.first().map(|(_, shift)| shift.len()) else {
            return Err(Error::domain("number of outcomes", 0, "at least 1"));
        };
        if outcomes.len() > 1 << EXACT_DIMENSION {
            return Err(Error::domain("number of outcomes", outcomes.len(), format!("at most 2^{EXACT_DIMENSION}")));
        }
        for (i, (_, shift)) in outcomes.iter().enumerate() {
            check_point(&format!("shift of outcome {i}"), shift, dimension)?;
        }
        check_probabilities(outcomes.iter().map(|(probability, _)| *probability))?;
        Ok(Self(Law::Listed(outcomes)))
    }

    /// d.
    pub fn dimension(&self) -> usize {
        match &self.0 {
            Law::Signs { magnitudes, .. } => magnitudes.len(),
            Law::Listed(outcomes) => outcomes[0].1.len(),
        }
    }

    /// δ̄: the largest |δ_i| of each coordinate.
    pub fn magnitudes(&self) -> Vec<f64> {
        match &self.0 {
            Law::Signs { magnitudes, .. } => magnitudes.clone(),
            Law::Listed(outcomes) => {
                let largest = |i: usize| outcomes.iter().map(|(_, shift)| shift[i].abs()).fold(0.0, f64::max);
                (0..self.dimension()).map(largest).collect()
            }
        }
    }

    /// The number of outcomes, or an error if there are too many to count out.
    pub fn count(&self) -> Result<u64> {
        match &self.0 {
            Law::Listed(outcomes) => Ok(outcomes.len() as u64),
            Law::Signs { magnitudes, .. } if magnitudes.len() <= EXACT_DIMENSION => Ok(1 << magnitudes.len()),
            Law::Signs { magnitudes, .. } => Err(Error::domain(
                "dimension d",
                magnitudes.len(),
                format!("at most {EXACT_DIMENSION} to count out all sign patterns"),
            )),
        }
    }

    /// The number of blocks the outcomes are summed in. It does not depend on the number of threads.
    pub(super) fn blocks(&self) -> Result<u64> {
        Ok(self.count()?.div_ceil(1 << BLOCK_BITS))
    }

    /// Calls `f` with probability and shift of every outcome of a block, in a fixed order.
    ///
    /// Signs run through a Gray code, so that one coordinate changes at a time; it is set, not added to, so no rounding
    /// error builds up.
    pub(super) fn visit(&self, block: u64, mut f: impl FnMut(f64, &DVector<f64>)) {
        match &self.0 {
            Law::Listed(outcomes) => {
                for (probability, shift) in outcomes.iter().skip((block << BLOCK_BITS) as usize).take(1 << BLOCK_BITS) {
                    f(*probability, shift);
                }
            }
            Law::Signs { magnitudes, signs } => {
                let bits = BLOCK_BITS.min(magnitudes.len() as u32);
                let signed =
                    |pattern: u64, i: usize| if pattern >> i & 1 == 1 { magnitudes[i] } else { -magnitudes[i] };
                let mut pattern = block << bits;
                let mut shift = DVector::from_fn(magnitudes.len(), |i, _| signed(pattern, i));
                f(signs.probability(pattern), &shift);
                for step in 1..1u64 << bits {
                    let changed = step.trailing_zeros() as usize;
                    pattern ^= 1 << changed;
                    shift[changed] = signed(pattern, changed);
                    f(signs.probability(pattern), &shift);
                }
            }
        }
    }

    /// Every outcome that has positive probability, in the order of [`visit`](Self::visit).
    pub(super) fn outcomes(&self) -> Result<Vec<(f64, DVector<f64>)>> {
        let mut outcomes = Vec::new();
        for block in 0..self.blocks()? {
            self.visit(block, |probability, shift| {
                if probability > 0.0 {
                    outcomes.push((probability, shift.clone()));
                }
            });
        }
        Ok(outcomes)
    }

    /// One random shift with independent signs, or an error if the outcomes are a finite list.
    pub(super) fn draw(&self, rng: &mut Stream) -> Result<DVector<f64>> {
        let (magnitudes, plus) = self.independent_signs()?;
        Ok(signed(magnitudes, |i| rng.random::<f64>() < plus[i]))
    }

    /// δ̄_i and P(δ_i = +δ̄_i), or an error if the signs are not independent.
    pub(super) fn independent_signs(&self) -> Result<(&[f64], &[f64])> {
        match &self.0 {
            Law::Signs { magnitudes, signs: Signs::Independent(plus) } => Ok((magnitudes, plus)),
            _ => {
                Err(Error::domain("law of the shift", "a finite list", "independent signs; a list has its exact gain"))
            }
        }
    }
}

impl Signs {
    fn probability(&self, pattern: u64) -> f64 {
        match self {
            Self::Independent(plus) => {
                let factor = |(i, q): (usize, &f64)| if pattern >> i & 1 == 1 { *q } else { 1.0 - q };
                plus.iter().enumerate().map(factor).product()
            }
            Self::Dependent(probabilities) => probabilities[pattern as usize],
        }
    }
}

/// The shift of one sign pattern.
pub(super) fn signed(magnitudes: &[f64], mut positive: impl FnMut(usize) -> bool) -> DVector<f64> {
    DVector::from_fn(magnitudes.len(), |i, _| if positive(i) { magnitudes[i] } else { -magnitudes[i] })
}

fn check_magnitudes(magnitudes: &[f64]) -> Result<()> {
    if magnitudes.is_empty() {
        return Err(Error::domain("dimension d", 0, "at least 1"));
    }
    for (i, &magnitude) in magnitudes.iter().enumerate() {
        non_negative(&format!("magnitude δ̄ of coordinate {i}"), magnitude)?;
    }
    Ok(())
}

fn check_probabilities(probabilities: impl Iterator<Item = f64>) -> Result<()> {
    let mut sum = 0.0;
    for (i, probability) in probabilities.enumerate() {
        sum += non_negative(&format!("probability of outcome {i}"), probability)?;
    }
    if (finite("sum of the probabilities", sum)? - 1.0).abs() > PROBABILITY {
        return Err(Error::domain("sum of the probabilities", sum, "1"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Seed;

    #[test]
    fn a_gray_code_visits_every_pattern_once() {
        for dimension in [1, 5, 12, 14] {
            let shifts = Shifts::fair((1..=dimension).map(f64::from).collect()).expect("valid");
            let mut seen = BTreeSet::new();
            let mut total = 0.0;
            for block in 0..shifts.blocks().expect("few") {
                shifts.visit(block, |probability, shift| {
                    total += probability;
                    assert!(shift.iter().zip(1..).all(|(x, i)| x.abs() == f64::from(i)));
                    seen.insert(shift.iter().enumerate().fold(0u64, |bits, (i, &x)| bits | u64::from(x > 0.0) << i));
                });
            }
            assert_eq!((seen.len(), total), (1 << dimension, 1.0));
        }
    }

    #[test]
    fn probabilities_belong_to_their_patterns() {
        let independent = Shifts::independent(vec![1.0, 1.0], vec![0.25, 1.0]).expect("valid");
        let dependent = Shifts::dependent(vec![1.0, 1.0], vec![0.0, 0.0, 0.75, 0.25]).expect("valid");
        assert_eq!(independent.outcomes().expect("few"), dependent.outcomes().expect("few"));
        let expected = [(0.25, [1.0, 1.0]), (0.75, [-1.0, 1.0])].map(|(p, x)| (p, DVector::from_row_slice(&x)));
        assert_eq!(dependent.outcomes().expect("few"), expected);
        assert_eq!(Shifts::listed(expected.to_vec()).expect("valid").magnitudes(), [1.0, 1.0]);
    }

    #[test]
    fn draws_follow_the_probabilities() {
        // 10⁴ draws of a sign with q = 0.2: the count leaves 2000 ± 240 (six standard deviations) with probability 2e-9.
        let shifts = Shifts::independent(vec![3.0; 30], vec![0.2; 30]).expect("valid");
        let mut rng = Seed(0).stream("signs", 0);
        let positive = (0..10_000).filter(|_| shifts.draw(&mut rng).expect("independent")[17] > 0.0).count();
        assert!((1_760..=2_240).contains(&positive), "{positive}");
    }

    #[test]
    fn refuses_what_is_no_law() {
        let message = |result: Result<Shifts>| result.expect_err("invalid").to_string();
        assert_eq!(message(Shifts::fair(vec![])), "dimension d is 0; allowed: at least 1");
        assert_eq!(
            message(Shifts::independent(vec![1.0], vec![1.5])),
            "probability of sign 0 is 1.5; allowed: within [0, 1]"
        );
        assert_eq!(
            message(Shifts::dependent(vec![1.0], vec![0.5])),
            "number of pattern probabilities is 1; allowed: 2"
        );
        assert_eq!(
            message(Shifts::dependent(vec![1.0], vec![0.5, 0.25])),
            "sum of the probabilities is 0.75; allowed: 1"
        );
        assert_eq!(
            message(Shifts::listed(vec![(1.0, DVector::zeros(2)), (0.0, DVector::zeros(1))])),
            "number of coordinates of the shift of outcome 1 is 1; allowed: 2"
        );
        let many = Shifts::fair(vec![1.0; 21]).expect("any dimension");
        let message = many.count().expect_err("too many").to_string();
        assert_eq!(message, "dimension d is 21; allowed: at most 20 to count out all sign patterns");
    }
}
