//! Asymmetry inside and outside the parameters of batch norm, with statistics recomputed and frozen (Appendix H).

use valleys_sim::direction::Family;
use valleys_sim::progress::Observer;
use valleys_sim::record::DirectionGroup;

use super::direction::{Law, Restriction};
use super::prevalence::{Draws, group};
use super::{Store, Surface};
use crate::Result;
use crate::params::{Group, Layout, Weights};

/// A network, and one way of measuring it.
pub struct Case<'a> {
    /// What tells it from the others, such as `ResNet-20, statistics recomputed`.
    pub name: String,
    /// Measures it.
    pub surface: &'a mut dyn Surface,
    /// The solution.
    pub centre: &'a Weights<f32>,
}

/// Directions of a family through every case: along all parameters and, where there are batch norms, along theirs alone
/// and along all but theirs.
///
/// # Errors
/// Those of [`group`].
pub fn batch_norm(
    cases: &mut [Case<'_>],
    family: Family,
    draws: &Draws<'_>,
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<Vec<DirectionGroup>> {
    let mut groups = Vec::new();
    for case in cases {
        for (part, restriction) in parts(case.centre.layout()) {
            let law = Law { family, restriction };
            let name = format!("{}: {part}", case.name);
            groups.push(group(case.surface, case.centre, (&name, &law), draws, store, observer)?);
        }
    }
    Ok(groups)
}

/// All parameters, those of batch norms, and the others, with their names; the first alone without batch norms.
pub fn parts(layout: &Layout) -> Vec<(&'static str, Restriction)> {
    let norms = vec![Group::BnWeight, Group::BnBias];
    let is_norm = |group: &Group| norms.contains(group);
    match layout.parameters().iter().any(|entry| is_norm(&entry.group)) {
        true => vec![
            ("all parameters", Restriction::None),
            ("batch norms alone", Restriction::Only(norms.clone())),
            ("all but batch norms", Restriction::Except(norms)),
        ],
        false => vec![("all parameters", Restriction::None)],
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use valleys_sim::Seed;
    use valleys_sim::asymmetry::{Criteria, Verdict};
    use valleys_sim::profile::grid;
    use valleys_sim::progress::Silent;

    use super::*;
    use crate::landscape::known::{Known, point, valley};

    #[test]
    fn the_asymmetry_is_found_where_it_lies() {
        let mut layout = Layout::default();
        for (name, group) in [("w", Group::ConvWeight), ("bn.weight", Group::BnWeight), ("bn.bias", Group::BnBias)] {
            layout.add_parameter(name.to_owned(), vec![1], group).expect("a new name");
        }
        let mut centre = Weights::zeros(&Arc::new(layout));
        centre.values = vec![0.0; 3];
        let offsets = grid(-1.0, 1.0, 11).expect("grid");
        let criteria = Criteria::default();
        let draws = Draws { count: 2, until_asymmetric: false, offsets: &offsets, criteria: &criteria, seed: Seed(1) };
        // A valley in the scale of the batch norm, bowls elsewhere; and a network without batch norms.
        let mut with = Known::new(3, |w| valley(w[1]) + w[0] * w[0] + w[2] * w[2], |_| 0.0);
        let mut without = Known::new(1, |w| w[0] * w[0], |_| 0.0);
        let plain = point(&[0.0]);
        let mut cases = [
            Case { name: "with".to_owned(), surface: &mut with, centre: &centre },
            Case { name: "without".to_owned(), surface: &mut without, centre: &plain },
        ];
        let groups = batch_norm(&mut cases, Family::Rademacher, &draws, &mut Vec::new(), &Silent).expect("measured");
        let found: Vec<_> =
            groups.iter().map(|group| (group.name.as_str(), group.count(Verdict::Asymmetric))).collect();
        assert_eq!(
            found,
            [
                ("with: all parameters", 2),
                ("with: batch norms alone", 2),
                ("with: all but batch norms", 0),
                ("without: all parameters", 0),
            ]
        );
    }
}
