//! Directions to look along: which family, which coordinates, which number.
//!
//! The family decides what one sees (Li et al., *Exploring and Exploiting the Asymmetric Valley of Deep Neural
//! Networks*, 2024): two directions of the paper's family have cosine 3/4 with each other and √3/2 with the vector of
//! ones, so that "the share of asymmetric directions" is nearly one direction counted many times. A table of such shares
//! is honest only beside the [`mean_pairwise_cosine`].

mod family;
mod support;

use std::ops::Range;

use rand::RngExt;

pub use family::{Family, MatchFraction};
pub use support::Support;

use crate::error::finite;
use crate::seed::{Stream, standard_normal};
use crate::{Error, Result, Seed};

/// The point that directions start from, for the families that look at it.
#[derive(Debug, Clone, Copy)]
pub struct Solution<'a> {
    /// The weights w, one a coordinate of the space.
    pub weights: &'a [f64],
    /// The filters of a network, as ranges of coordinates. Only [`Family::FilterNormalised`] looks at them.
    pub filters: &'a [Range<usize>],
}

/// The directions of one family on one support: an endless, numbered supply.
///
/// A direction is 0 outside its support and has length 1, except that a filter-normalised one has, filter by filter, the
/// length of the solution. Direction `index` comes from stream `index` of the purpose `direction FAMILY`, one coordinate
/// of the support after the other, and depends on nothing else that was drawn.
#[derive(Debug, Clone)]
pub struct Directions<'a> {
    family: Family,
    support: Support,
    recipe: Recipe<'a>,
}

/// How the coordinates on the support come about.
#[derive(Debug, Clone)]
enum Recipe<'a> {
    Independent(fn(&mut Stream) -> f64),
    UniformMinusMean,
    SignMatched { weights: &'a [f64], fraction: MatchFraction },
    FilterNormalised { weights: &'a [f64], filters: Vec<Range<usize>> },
}

impl<'a> Directions<'a> {
    /// Checks that the family can be drawn on this support, at this solution.
    ///
    /// * [`Family::UniformMinusMean`] needs a support of at least 2 coordinates.
    /// * [`Family::SignMatched`] and [`Family::FilterNormalised`] need a solution with a finite weight for every
    ///   coordinate of the space; the others do not look at it.
    /// * [`Family::FilterNormalised`] needs filters that are not empty, increase and do not overlap, each wholly inside
    ///   or wholly outside the support, and a weight other than 0 in at least one inside.
    pub fn new(family: Family, support: Support, solution: Option<Solution<'a>>) -> Result<Self> {
        let solution = || match solution {
            Some(solution) => check_weights(solution, &support).map(|()| solution),
            None => Err(Error::domain(format!("solution for {family} directions"), "missing", "its weights")),
        };
        let recipe = match family {
            Family::Uniform => Recipe::Independent(|rng| rng.random()),
            Family::Gaussian => Recipe::Independent(standard_normal),
            Family::Rademacher => Recipe::Independent(|rng| if rng.random() { 1.0 } else { -1.0 }),
            Family::Ones => Recipe::Independent(|_| 1.0),
            Family::Centred => Recipe::Independent(|rng| 2.0 * rng.random::<f64>() - 1.0),
            Family::UniformMinusMean if support.len() < 2 => {
                let name = format!("number of coordinates in the support of {family} directions");
                return Err(Error::domain(name, support.len(), "at least 2"));
            }
            Family::UniformMinusMean => Recipe::UniformMinusMean,
            Family::SignMatched(fraction) => Recipe::SignMatched { weights: solution()?.weights, fraction },
            Family::FilterNormalised => {
                let solution = solution()?;
                let filters = filters_inside(solution, &support)?;
                Recipe::FilterNormalised { weights: solution.weights, filters }
            }
        };
        Ok(Self { family, support, recipe })
    }

    /// The family.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Direction number `index`, one coordinate for each of the space's.
    pub fn draw(&self, seed: Seed, index: u64) -> Vec<f64> {
        let mut rng = seed.stream(&format!("direction {}", self.family), index);
        let mut direction = vec![0.0; self.support.dimension()];
        if let Recipe::FilterNormalised { weights, filters } = &self.recipe {
            for filter in filters {
                let numbers = &mut direction[filter.clone()];
                numbers.fill_with(|| standard_normal(&mut rng));
                set_length(numbers, norm(&weights[filter.clone()]));
            }
            return direction;
        }
        // A draw of length 0 is next to impossible, and has no direction.
        loop {
            self.fill(&mut direction, &mut rng);
            if norm(&direction) > 0.0 {
                set_length(&mut direction, 1.0);
                return direction;
            }
        }
    }

    /// Draws the coordinates on the support, of any length.
    fn fill(&self, direction: &mut [f64], rng: &mut Stream) {
        let draw: fn(&mut Stream) -> f64 = match self.recipe {
            Recipe::Independent(draw) => draw,
            _ => |rng| rng.random(),
        };
        for i in self.support.coordinates() {
            direction[i] = draw(rng);
        }
        match self.recipe {
            Recipe::UniformMinusMean => {
                let mean = direction.iter().sum::<f64>() / self.support.len() as f64;
                self.support.coordinates().for_each(|i| direction[i] -= mean);
            }
            Recipe::SignMatched { weights, fraction } => match_signs(direction, weights, fraction, &self.support, rng),
            Recipe::Independent(_) | Recipe::FilterNormalised { .. } => {}
        }
    }
}

/// Gives the share of coordinates whose weight is not 0 the sign of the weight, the rest of them the opposite sign, and
/// the coordinates of zero weight a random one.
///
/// Which coordinates match is uniform over all choices: each in turn with the probability (matches left) / (coordinates
/// left), Knuth's algorithm S (*The Art of Computer Programming*, volume 2, 3.4.2).
fn match_signs(direction: &mut [f64], weights: &[f64], fraction: MatchFraction, support: &Support, rng: &mut Stream) {
    let mut left = support.coordinates().filter(|&i| weights[i] != 0.0).count();
    let mut matches = fraction.of(left);
    for i in support.coordinates() {
        let positive = if weights[i] == 0.0 {
            rng.random()
        } else {
            let matched = rng.random::<f64>() * (left as f64) < matches as f64;
            left -= 1;
            matches -= usize::from(matched);
            matched == (weights[i] > 0.0)
        };
        if !positive {
            direction[i] = -direction[i];
        }
    }
}

/// The mean of ⟨uⁱ, uʲ⟩/(‖uⁱ‖·‖uʲ‖) over all pairs i ≠ j of at least two vectors of one length, none of them 0.
///
/// Vectors are taken one at a time, so a long lazy sequence of long vectors needs the memory of two.
pub fn mean_pairwise_cosine<V: AsRef<[f64]>>(vectors: impl IntoIterator<Item = V>) -> Result<f64> {
    let mut sum: Vec<f64> = Vec::new();
    let mut count = 0usize;
    for vector in vectors {
        let vector = vector.as_ref();
        let name = || format!("vector {count}");
        if count == 0 {
            sum.resize(vector.len(), 0.0);
        } else if vector.len() != sum.len() {
            return Err(Error::domain(format!("number of coordinates of {}", name()), vector.len(), sum.len()));
        }
        let length = norm(vector);
        if !(length > 0.0 && length.is_finite()) {
            return Err(Error::domain(format!("length of {}", name()), length, "a finite number > 0"));
        }
        sum.iter_mut().zip(vector).for_each(|(s, x)| *s += x / length);
        count += 1;
    }
    if count < 2 {
        return Err(Error::domain("number of vectors", count, "at least 2"));
    }
    // ‖Σ uⁱ‖² counts every ordered pair once and every vector with itself once.
    let n = count as f64;
    let total: f64 = sum.iter().map(|s| s * s).sum();
    Ok((total - n) / (n * (n - 1.0)))
}

/// ‖x‖.
fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Scales numbers, not all 0, to a length.
fn set_length(numbers: &mut [f64], length: f64) {
    let scale = length / norm(numbers);
    numbers.iter_mut().for_each(|x| *x *= scale);
}

fn check_weights(solution: Solution<'_>, support: &Support) -> Result<()> {
    if solution.weights.len() != support.dimension() {
        return Err(Error::domain("number of weights of the solution", solution.weights.len(), support.dimension()));
    }
    for (i, &w) in solution.weights.iter().enumerate() {
        finite(&format!("weight {i} of the solution"), w)?;
    }
    Ok(())
}

/// The filters inside the support, after checking all of them.
fn filters_inside(solution: Solution<'_>, support: &Support) -> Result<Vec<Range<usize>>> {
    let mut inside = Vec::new();
    let mut end = 0;
    for filter in solution.filters {
        if filter.start < end || filter.is_empty() || filter.end > support.dimension() {
            return Err(Error::domain(
                "filter",
                format!("{filter:?}"),
                format!("increasing ranges, not empty, within {end}..{}", support.dimension()),
            ));
        }
        end = filter.end;
        match support.count_in(filter) {
            0 => {}
            n if n == filter.len() => inside.push(filter.clone()),
            n => {
                let seen = format!("{filter:?}, with {n} of {} coordinates in the support", filter.len());
                return Err(Error::domain("filter", seen, "filters wholly inside or wholly outside it"));
            }
        }
    }
    if inside.iter().all(|filter| norm(&solution.weights[filter.clone()]) == 0.0) {
        return Err(Error::domain("weights in the filters of the support", "0", "at least one other than 0"));
    }
    Ok(inside)
}

#[cfg(test)]
mod tests;
