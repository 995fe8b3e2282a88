//! Batches: which images of a set come together, and how each is varied.

use rayon::prelude::*;
use valleys_sim::Seed;

use super::normalisation::Tables;
use super::{Augmentation, Dataset, ImageSet, Normalisation, View, Views, permutation};

/// A pass through images, batch by batch.
pub trait Batches {
    /// Number of batches, the last of which may be smaller than the others.
    fn count(&self) -> usize;
    /// Batch `number`, 0 ≤ `number` < [`count`](Self::count), as it is drawn: no pixel is made. Nothing if there is no such
    /// batch.
    fn views(&self, number: usize) -> Views<'_>;
}

/// The training images of one epoch, shuffled and varied, batch by batch.
///
/// The order comes from the stream `"shuffle"`, number = epoch; image i is varied by the stream `"augment epoch E"`,
/// number = i. Neither depends on the batch size or on the number of threads.
pub struct EpochBatches<'a> {
    set: &'a ImageSet,
    augmentation: Augmentation,
    tables: Tables,
    order: Vec<usize>,
    batch_size: usize,
    purpose: String,
    seed: Seed,
}

impl<'a> EpochBatches<'a> {
    /// The batches of epoch `epoch` of a data set's training images; `batch_size` ≥ 1.
    pub fn new(data: &'a Dataset, augmentation: Augmentation, batch_size: usize, seed: Seed, epoch: u32) -> Self {
        Self {
            set: data.train(),
            augmentation,
            tables: data.normalisation().tables(),
            order: permutation(data.train().len(), &mut seed.stream("shuffle", u64::from(epoch))),
            batch_size: batch_size.max(1),
            purpose: format!("augment epoch {epoch}"),
            seed,
        }
    }

    /// Which images of the set batch `number` holds, in its order; none if there is no such batch.
    pub(crate) fn indices(&self, number: usize) -> &[usize] {
        self.order.chunks(self.batch_size).nth(number).unwrap_or_default()
    }
}

impl Batches for EpochBatches<'_> {
    fn count(&self) -> usize {
        self.order.len().div_ceil(self.batch_size)
    }

    fn views(&self, number: usize) -> Views<'_> {
        let draw = |&i: &usize| self.augmentation.draw(i, &mut self.seed.stream(&self.purpose, i as u64));
        Views::new(self.set, &self.tables, self.indices(number).par_iter().map(draw).collect())
    }
}

/// All images of a set in order, as they are.
pub struct PlainBatches<'a> {
    set: &'a ImageSet,
    tables: Tables,
    size: usize,
}

impl<'a> PlainBatches<'a> {
    /// Images in a batch, unless another number is asked for: large enough to keep every thread busy, small enough for a
    /// cache.
    pub const SIZE: usize = 250;

    /// The batches of a set.
    pub fn new(set: &'a ImageSet, normalisation: Normalisation) -> Self {
        Self::of(Self::SIZE, set, normalisation)
    }

    /// Batches of `size` ≥ 1 images.
    pub fn of(size: usize, set: &'a ImageSet, normalisation: Normalisation) -> Self {
        Self { set, tables: normalisation.tables(), size: size.max(1) }
    }
}

impl Batches for PlainBatches<'_> {
    fn count(&self) -> usize {
        self.set.len().div_ceil(self.size)
    }

    fn views(&self, number: usize) -> Views<'_> {
        let end = self.set.len();
        let start = |number: usize| number.saturating_mul(self.size).min(end);
        let images = start(number)..start(number.saturating_add(1));
        Views::new(self.set, &self.tables, images.map(View::whole).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::IMAGE;
    use crate::data::tests::numbered;

    fn data() -> Dataset {
        Dataset::new("n", "N", numbered(37), numbered(3), Normalisation::HALF, Augmentation::CROP_AND_FLIP)
            .expect("valid")
    }

    fn epoch(data: &Dataset, batch_size: usize, epoch: u32) -> (Vec<usize>, Vec<f32>, Vec<u16>) {
        let batches = EpochBatches::new(data, data.augmentation(), batch_size, Seed(7), epoch);
        let (mut sizes, mut images, mut labels) = (vec![], vec![], vec![]);
        for number in 0..batches.count() {
            let views = batches.views(number);
            sizes.push(views.labels().len());
            images.extend(views.pixels());
            labels.extend_from_slice(views.labels());
        }
        (sizes, images, labels)
    }

    #[test]
    fn an_epoch_keeps_its_last_partial_batch_and_depends_on_nothing_but_its_number() {
        let data = data();
        let (sizes, images, labels) = epoch(&data, 8, 3);
        assert_eq!(sizes, [8, 8, 8, 8, 5]);
        assert_eq!(labels.iter().filter(|&&label| label == 1).count(), 18);
        assert_eq!((vec![37], images.clone(), labels.clone()), epoch(&data, 100, 3));
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("pool");
        assert_eq!((sizes, images.clone(), labels.clone()), one.install(|| epoch(&data, 8, 3)));
        let (_, other_images, other_labels) = epoch(&data, 8, 4);
        assert_ne!(images, other_images);
        assert_ne!(labels, other_labels, "another order");
    }

    #[test]
    fn plain_batches_are_the_set_in_order() {
        let data = data();
        let batches = PlainBatches::new(data.train(), Normalisation::HALF);
        let views = batches.views(0);
        assert_eq!((batches.count(), views.labels()), (1, data.train().labels()));
        let byte = data.train().image(36)[2000];
        assert!((views.pixels()[36 * IMAGE + 2000] - (f32::from(byte) / 255.0 - 0.5) / 0.5).abs() < 1e-6);
        assert!(batches.views(1).labels().is_empty());
        let batches = PlainBatches::of(10, data.train(), Normalisation::HALF);
        assert_eq!((batches.count(), batches.views(3).labels()), (4, &data.train().labels()[30..]));
    }
}
