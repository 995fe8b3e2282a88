//! Where the rounded weights of convolutions lie.

use std::ops::Range;

use super::launch::{WEIGHT, index};
use crate::Result;
use crate::exec::backend::Convolution;
use crate::exec::plan::{Forward, Plan};

/// Numbers in bfloat16 of which a place is a multiple: the 256 bytes to which a GPU's memory is given out. cuDNN chooses
/// its algorithms for places like these; among the parameters as they are, weights may begin anywhere.
const ALIGNMENT: usize = 128;

/// A place for the weight of every convolution of a plan, one behind the other.
#[derive(Debug, Default)]
pub(super) struct WeightPlaces {
    /// The weights, and where their places begin, both ascending.
    weights: Vec<(Convolution, usize)>,
    /// Of all places.
    pub(super) length: usize,
    /// Of the longest weight.
    pub(super) longest: usize,
}

impl WeightPlaces {
    pub(super) fn of(plan: &Plan) -> Self {
        let convolution = |step: &Forward| match step {
            Forward::Convolution { op, .. } => Some(op.clone()),
            _ => None,
        };
        let mut convolutions: Vec<Convolution> = plan.forward.iter().filter_map(convolution).collect();
        convolutions.sort_unstable_by_key(|op| op.weight.start);
        let mut places = Self::default();
        for op in convolutions {
            let length = op.weight.len();
            places.weights.push((op, places.length));
            places.length += length.next_multiple_of(ALIGNMENT);
            places.longest = places.longest.max(length);
        }
        places
    }

    /// What [`round_weights`](super::launch::round_weights) takes.
    ///
    /// # Errors
    /// [`Error::Domain`](crate::Error::Domain) for as many parameters as kernels do not count.
    pub(super) fn table(&self) -> Result<Vec<u32>> {
        let row = |(op, start): &(Convolution, usize)| -> [usize; WEIGHT] {
            [*start, op.weight.start, op.input.channels, op.window.size * op.window.size, op.weight.len()]
        };
        self.weights.iter().flat_map(row).map(index).collect()
    }

    /// That of a convolution of the plan.
    pub(super) fn get(&self, op: &Convolution) -> Option<Range<usize>> {
        let found = self.weights.binary_search_by_key(&op.weight.start, |(known, _)| known.weight.start).ok()?;
        let start = self.weights[found].1;
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
            let table = places.table().expect("few parameters");
            let ascending = table.windows(WEIGHT + 2).step_by(WEIGHT).all(|it| it[0] < it[5] && it[1] < it[6]);
            assert!(ascending && end <= places.length && places.length < end + ALIGNMENT, "{network}");
        }
    }
}
