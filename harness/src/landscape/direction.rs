//! Directions in the space of a network's trainable weights.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use valleys_sim::Seed;
use valleys_sim::direction::{Directions, Family, Solution, Support};

use crate::Result;
use crate::params::{Entry, Group, Layout, Weights};

/// Which groups of parameters a direction may move.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restriction {
    /// All of them.
    #[default]
    None,
    /// These alone.
    Only(Vec<Group>),
    /// All but these.
    Except(Vec<Group>),
}

impl Restriction {
    /// The coordinates of a layout's flat weights that may be moved.
    ///
    /// Fails if there are none.
    pub fn support(&self, layout: &Layout) -> Result<Support> {
        let ranges = |groups: &[Group]| -> Vec<Range<usize>> {
            layout.parameters().iter().filter(|entry| groups.contains(&entry.group)).map(Entry::range).collect()
        };
        let dimension = layout.trainable();
        Ok(match self {
            Self::None => Support::all(dimension)?,
            Self::Only(groups) => Support::only(dimension, &ranges(groups))?,
            Self::Except(groups) => Support::except(dimension, &ranges(groups))?,
        })
    }
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, groups) = match self {
            Self::None => return f.write_str("all parameters"),
            Self::Only(groups) => ("only", groups),
            Self::Except(groups) => ("except", groups),
        };
        f.write_str(word)?;
        groups.iter().try_for_each(|group| write!(f, " {group}"))
    }
}

/// What directions are drawn from: a family, and the parameters that they move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Law {
    /// The family.
    pub family: Family,
    /// The groups of parameters.
    #[serde(default)]
    pub restriction: Restriction,
}

impl Law {
    /// Directions of a family that move all parameters.
    pub fn of(family: Family) -> Self {
        Self { family, restriction: Restriction::None }
    }

    /// Direction number `index` at a network, one entry a flat weight.
    ///
    /// A filter is what makes one output channel of a convolution or one output of a linear layer; batch norms and
    /// biases are in none, so a filter-normalised direction leaves them alone (Li et al. 2018).
    pub fn draw(&self, weights: &Weights<f32>, seed: Seed, index: u64) -> Result<Vec<f64>> {
        let values: Vec<f64> = weights.values.iter().map(|&value| f64::from(value)).collect();
        let filters: Vec<_> = weights.layout().parameters().iter().flat_map(filters).collect();
        let solution = Solution { weights: &values, filters: &filters };
        let support = self.restriction.support(weights.layout())?;
        Ok(Directions::new(self.family, support, Some(solution))?.draw(seed, index))
    }
}

/// Such as `uniform`, or `gaussian, only bn-weight bn-bias`.
impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.restriction {
            Restriction::None => write!(f, "{}", self.family),
            _ => write!(f, "{}, {}", self.family, self.restriction),
        }
    }
}

/// The filters of one tensor.
fn filters(entry: &Entry) -> Vec<Range<usize>> {
    match entry.group {
        Group::ConvWeight | Group::LinearWeight => {
            let size = entry.len() / entry.shape[0];
            entry.range().step_by(size).map(|start| start..start + size).collect()
        }
        Group::ConvBias | Group::BnWeight | Group::BnBias | Group::LinearBias => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Architecture;

    fn network() -> Weights<f32> {
        Weights::initialise(&Architecture::ResNet8.graph(10).expect("ten classes"), Seed(1))
    }

    fn norm(values: impl IntoIterator<Item = f64>) -> f64 {
        values.into_iter().map(|x| x * x).sum::<f64>().sqrt()
    }

    #[test]
    fn a_restricted_direction_has_unit_length_and_moves_its_groups_alone() {
        let weights = network();
        let norms = [Group::BnWeight, Group::BnBias];
        for (restriction, inside) in
            [(Restriction::Only(norms.to_vec()), true), (Restriction::Except(norms.to_vec()), false)]
        {
            let u = Law { family: Family::Uniform, restriction: restriction.clone() }
                .draw(&weights, Seed(2), 0)
                .expect("valid");
            assert!((norm(u.iter().copied()) - 1.0).abs() < 1e-12);
            for entry in weights.layout().parameters() {
                let moved = u[entry.range()].iter().any(|&x| x != 0.0);
                assert_eq!(moved, norms.contains(&entry.group) == inside, "{}", entry.name);
            }
        }
        let nothing = Law { family: Family::Uniform, restriction: Restriction::Only(vec![]) };
        assert!(nothing.draw(&weights, Seed(2), 0).is_err());
    }

    #[test]
    fn a_filter_normalised_direction_has_the_length_of_every_filter() {
        let weights = network();
        let u = Law::of(Family::FilterNormalised).draw(&weights, Seed(2), 0).expect("valid");
        let filters: Vec<_> = weights.layout().parameters().iter().flat_map(filters).collect();
        // Three stages of 16, 32 and 64 channels with two convolutions each, the stem, two projections, ten classes.
        assert_eq!(filters.len(), 2 * (16 + 32 + 64) + 16 + (32 + 64) + 10);
        for filter in &filters {
            let length = norm(weights.values[filter.clone()].iter().map(|&x| f64::from(x)));
            assert!((norm(u[filter.clone()].iter().copied()) - length).abs() < 1e-9 * length);
        }
        assert!((norm(u) - norm(filters.into_iter().flatten().map(|i| f64::from(weights.values[i])))).abs() < 1e-9);
    }

    #[test]
    fn a_law_says_what_it_moves() {
        let groups: Vec<Group> = ["bn-weight", "bn-bias"].map(|name| name.parse().expect("known")).to_vec();
        let law = Law { family: Family::Gaussian, restriction: Restriction::Only(groups) };
        assert_eq!(law.to_string(), "gaussian, only bn-weight bn-bias");
        assert_eq!(Law::of(Family::Gaussian).to_string(), "gaussian");
        let message = "bn-wait".parse::<Group>().expect_err("unknown").to_string();
        assert!(message.starts_with("parameter group is `bn-wait`; allowed: conv-weight, "), "{message}");
        assert!(message.ends_with("(nearest: bn-weight)"), "{message}");
    }
}
