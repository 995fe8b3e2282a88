//! A part of a set, kept aside.

use std::sync::Arc;

use valleys_sim::Seed;

use super::{Dataset, ImageSet, permutation};
use crate::{Error, Result};

impl ImageSet {
    /// Parts the set into the rest and `count` held-out images, of every class the same share as in the whole, to the
    /// nearest image; both in the set's own order. 1 ≤ `count` < [`len`](Self::len).
    ///
    /// The images of class c are chosen by the stream `purpose`, number c: which of them are held out depends on the
    /// seed, on how many, and on nothing else. More of them hold the fewer.
    pub fn hold_out(&self, count: usize, seed: Seed, purpose: &str) -> Result<(Self, Self)> {
        if count == 0 || count >= self.len() {
            let allowed = format!("1 to {}, fewer than there are images", self.len() - 1);
            return Err(Error::domain("number of held-out images", count, allowed));
        }
        let mut members = vec![Vec::new(); self.classes.len()];
        for (i, &label) in self.labels.iter().enumerate() {
            members[usize::from(label)].push(i);
        }
        let mut held = vec![false; self.len()];
        for (class, (members, quota)) in members.iter().zip(quotas(&members, count)).enumerate() {
            let order = permutation(members.len(), &mut seed.stream(purpose, class as u64));
            order.iter().take(quota).for_each(|&at| held[members[at]] = true);
        }
        Ok((self.where_held(&held, false), self.where_held(&held, true)))
    }

    fn where_held(&self, held: &[bool], wanted: bool) -> Self {
        let chosen = || (0..self.len()).filter(|&i| held[i] == wanted);
        Self {
            pixels: Arc::new(chosen().flat_map(|i| self.image(i)).copied().collect()),
            labels: chosen().map(|i| self.labels[i]).collect(),
            classes: self.classes.clone(),
        }
    }
}

/// How many of each class, by largest remainder: `count` in all, each within one of its exact share.
fn quotas(members: &[Vec<usize>], count: usize) -> Vec<usize> {
    let total: u128 = members.iter().map(|members| members.len() as u128).sum();
    let shares: Vec<u128> = members.iter().map(|members| members.len() as u128 * count as u128).collect();
    let mut quotas: Vec<usize> = shares.iter().map(|share| (share / total) as usize).collect();
    let mut order: Vec<usize> = (0..members.len()).collect();
    // The sort is stable, so that of equal remainders the lower class comes first.
    order.sort_by_key(|&class| std::cmp::Reverse(shares[class] % total));
    let missing = count - quotas.iter().sum::<usize>();
    order.iter().take(missing).for_each(|&class| quotas[class] += 1);
    quotas
}

impl Dataset {
    /// The same data set with `count` training images fewer, and those, stratified, by the streams `"held out"`, as
    /// [`held_out`](Self::held_out): a set to choose by that is neither trained on nor tested on.
    ///
    /// # Errors
    /// As [`ImageSet::hold_out`].
    pub fn hold_out(&self, count: usize, seed: Seed) -> Result<Self> {
        let (rest, held) = self.train.hold_out(count, seed, "held out")?;
        let test = self.test.clone();
        let parted = Self::new(&self.name, &self.title, rest, test, self.normalisation, self.augmentation)?;
        Ok(Self { held_out: Some(held), ..parted })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::IMAGE;

    /// A set of these labels, image i of the bytes of i.
    fn set(labels: &[u16]) -> ImageSet {
        let pixels = (0..labels.len()).flat_map(|i| [(i / 256) as u8, i as u8].repeat(IMAGE / 2)).collect();
        ImageSet::new(pixels, labels.to_vec(), (0..5).map(|class| class.to_string()).collect()).expect("valid")
    }

    fn numbers(set: &ImageSet) -> Vec<usize> {
        (0..set.len()).map(|i| usize::from(set.image(i)[0]) * 256 + usize::from(set.image(i)[1])).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn both_parts_are_the_whole_and_every_class_keeps_its_share(
            labels in prop::collection::vec(0_u16..5, 2..300),
            share in 0.0..1.0_f64,
            seed in any::<u64>(),
        ) {
            let whole = set(&labels);
            let count = 1 + (share * (labels.len() - 2) as f64) as usize;
            let (rest, held) = whole.hold_out(count, Seed(seed), "p").expect("valid");
            prop_assert_eq!((rest.len(), held.len()), (labels.len() - count, count));
            for part in [&rest, &held] {
                prop_assert!(numbers(part).is_sorted());
                for (i, number) in numbers(part).into_iter().enumerate() {
                    prop_assert_eq!(part.labels()[i], labels[number]);
                }
            }
            let mut all = [numbers(&rest), numbers(&held)].concat();
            all.sort_unstable();
            prop_assert!(all.into_iter().eq(0..labels.len()));
            for class in 0..5 {
                let of = |labels: &[u16]| labels.iter().filter(|&&label| label == class).count() as f64;
                let exact = of(&labels) * count as f64 / labels.len() as f64;
                prop_assert!((of(held.labels()) - exact).abs() < 1.0);
            }
        }
    }

    #[test]
    fn the_choice_is_seeded_and_more_hold_the_fewer() {
        let labels: Vec<u16> = (0..100).map(|i| i % 5).collect();
        let held = |count, seed| numbers(&set(&labels).hold_out(count, Seed(seed), "p").expect("valid").1);
        assert_eq!(held(20, 1), held(20, 1));
        assert_ne!(held(20, 1), held(20, 2));
        assert!(held(10, 1).iter().all(|image| held(20, 1).contains(image)));
        for count in [0, 100, 101] {
            assert!(set(&labels).hold_out(count, Seed(1), "p").is_err());
        }
    }
}
