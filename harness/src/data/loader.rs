//! Batches: bytes in, normalised floats out.

use rayon::prelude::*;
use valleys_sim::Seed;

use super::{Augmentation, CHANNELS, Dataset, IMAGE, ImageSet, Normalisation, permutation};
use crate::exec::Batch;

/// The floats of one batch, kept between batches so that memory is asked for once.
#[derive(Debug, Default)]
pub struct Buffer {
    images: Vec<f32>,
    labels: Vec<u16>,
}

impl Buffer {
    /// Fills the buffer with the images of these indices, each written by `write(index, bytes, floats)`, in parallel.
    fn fill(&mut self, set: &ImageSet, indices: &[usize], write: impl Fn(usize, &[u8], &mut [f32]) + Sync) {
        self.images.resize(indices.len() * IMAGE, 0.0);
        self.images.par_chunks_exact_mut(IMAGE).zip(indices).for_each(|(out, &i)| write(i, set.image(i), out));
        self.labels.clear();
        self.labels.extend(indices.iter().map(|&i| set.labels()[i]));
    }

    /// The batch as an executor reads it.
    pub fn batch(&self) -> Batch<'_, f32> {
        Batch { images: &self.images, labels: &self.labels }
    }
}

/// A pass through images, batch by batch.
pub trait Batches {
    /// Number of batches, the last of which may be smaller than the others.
    fn count(&self) -> usize;
    /// Fills `buffer` with batch `number`, 0 ≤ `number` < [`count`](Self::count), else with nothing.
    fn load(&self, number: usize, buffer: &mut Buffer);
}

/// The training images of one epoch, shuffled and varied, batch by batch.
///
/// The order comes from the stream `"shuffle"`, number = epoch; image i is varied by the stream `"augment epoch E"`,
/// number = i. Neither depends on the batch size or on the number of threads.
pub struct EpochBatches<'a> {
    set: &'a ImageSet,
    augmentation: Augmentation,
    tables: [[f32; 256]; CHANNELS],
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

    fn load(&self, number: usize, buffer: &mut Buffer) {
        buffer.fill(self.set, self.indices(number), |i, image, out| {
            let mut rng = self.seed.stream(&self.purpose, i as u64);
            self.augmentation.apply(image, &self.tables, &mut rng, out);
        });
    }
}

/// All images of a set in order, as they are, in batches of a size that suits evaluation.
pub struct PlainBatches<'a> {
    set: &'a ImageSet,
    tables: [[f32; 256]; CHANNELS],
}

impl<'a> PlainBatches<'a> {
    /// Images in a batch: large enough to keep every thread busy, small enough for a cache.
    pub const SIZE: usize = 250;

    /// The batches of a set.
    pub fn new(set: &'a ImageSet, normalisation: Normalisation) -> Self {
        Self { set, tables: normalisation.tables() }
    }
}

impl Batches for PlainBatches<'_> {
    fn count(&self) -> usize {
        self.set.len().div_ceil(Self::SIZE)
    }

    fn load(&self, number: usize, buffer: &mut Buffer) {
        let end = self.set.len();
        let indices: Vec<usize> = ((number * Self::SIZE).min(end)..((number + 1) * Self::SIZE).min(end)).collect();
        buffer.fill(self.set, &indices, |_, image, out| {
            for ((out, image), table) in
                out.chunks_exact_mut(super::PLANE).zip(image.chunks_exact(super::PLANE)).zip(&self.tables)
            {
                for (value, &byte) in out.iter_mut().zip(image) {
                    *value = table[usize::from(byte)];
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::tests::numbered;

    fn data() -> Dataset {
        Dataset::new("n", "N", numbered(37), numbered(3), Normalisation::HALF, Augmentation::CROP_AND_FLIP)
            .expect("valid")
    }

    fn epoch(data: &Dataset, batch_size: usize, epoch: u32) -> (Vec<usize>, Vec<f32>, Vec<u16>) {
        let batches = EpochBatches::new(data, data.augmentation(), batch_size, Seed(7), epoch);
        let (mut sizes, mut images, mut labels, mut buffer) = (vec![], vec![], vec![], Buffer::default());
        for number in 0..batches.count() {
            batches.load(number, &mut buffer);
            sizes.push(buffer.labels.len());
            images.extend_from_slice(buffer.batch().images);
            labels.extend_from_slice(buffer.batch().labels);
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
        let mut buffer = Buffer::default();
        batches.load(0, &mut buffer);
        assert_eq!((batches.count(), &buffer.labels[..]), (1, data.train().labels()));
        let byte = data.train().image(36)[2000];
        assert!((buffer.images[36 * IMAGE + 2000] - (f32::from(byte) / 255.0 - 0.5) / 0.5).abs() < 1e-6);
        batches.load(1, &mut buffer);
        assert!(buffer.labels.is_empty());
    }
}
