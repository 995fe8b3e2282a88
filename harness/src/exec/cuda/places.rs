//! Where the rounded weights of convolutions lie.

use std::ops::Range;

use crate::exec::backend::Convolution;
use crate::exec::plan::{Forward, Plan};

/// Numbers in bfloat16 of which a place is a multiple: the 256 bytes to which a GPU's memory is given out. cuDNN chooses
/// its algorithms for places like these; among the parameters as they are, weights may begin anywhere.
const ALIGNMENT: usize = 128;

/// A place for the weight of every convolution of a plan, one behind the other.
#[derive(Debug, Default)]
pub(super) struct WeightPlaces {
    /// Where a weight begins among the parameters, and where its place does; ascending.
    starts: Vec<(usize, usize)>,
    /// Of all places.
    pub(super) length: usize,
    /// Of the longest weight.
    pub(super) longest: usize,
}

impl WeightPlaces {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut weights: Vec<&Range<usize>> = Vec::new();
        for step in &plan.forward {
            if let Forward::Convolution { op, .. } = step {
                weights.push(&op.weight);
            }
        }
        weights.sort_unstable_by_key(|weight| weight.start);
        let mut places = Self::default();
        for weight in weights {
            places.starts.push((weight.start, places.length));
            places.length += weight.len().next_multiple_of(ALIGNMENT);
            places.longest = places.longest.max(weight.len());
        }
        places
    }

    /// That of a convolution of the plan.
    pub(super) fn get(&self, op: &Convolution) -> Option<Range<usize>> {
        let found = self.starts.binary_search_by_key(&op.weight.start, |(weight, _)| *weight).ok()?;
        let start = self.starts[found].1;
        Some(start..start + op.weight.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Architecture;

    #[test]
    fn every_weight_has_an_aligned_place_of_its_own() {
        for network in Architecture::ALL {
            let plan = Plan::inference(&network.graph(10).expect("a network"));
            let places = WeightPlaces::of(&plan);
            let mut end = 0;
            for step in &plan.forward {
                if let Forward::Convolution { op, .. } = step {
                    let place = places.get(op).expect("of the plan");
                    assert!(place.start.is_multiple_of(ALIGNMENT) && place.end <= places.length, "{network}");
                    assert_eq!(place.len(), op.weight.len());
                    assert!(place.len() <= places.longest);
                    end = end.max(place.end);
                }
            }
            // Aligned and in the order of the parameters, none reaches into the next.
            let ascending = places.starts.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1);
            assert!(ascending && end <= places.length && places.length < end + ALIGNMENT, "{network}");
        }
    }
}
