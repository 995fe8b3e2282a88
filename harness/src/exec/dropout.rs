//! Which numbers dropout sets to 0.

use rand::RngExt;
use rayon::prelude::*;
use valleys_sim::Seed;

use crate::model::graph::{Graph, Layer};
use crate::{Error, Result, Scalar};

/// What becomes of dropout in one pass of training.
///
/// The mask of an image depends on nothing but the seed, the step, the dropout's name and the image: not on the place of
/// the image in the batch, nor on the number of threads.
#[derive(Debug, Clone, Copy)]
pub enum Dropout<'a> {
    /// Nothing is dropped, as in evaluation.
    Off,
    /// Random numbers for every image.
    Pass {
        /// The run's seed.
        seed: Seed,
        /// Tells the passes of one image apart: the number of the step, or of the epoch if an image comes once in one.
        step: u64,
        /// Which image of the data set every image of the batch is.
        images: &'a [usize],
    },
}

impl Dropout<'_> {
    /// The factors of the dropout `name` for a batch of `images` images with `length` numbers each: 0 with probability
    /// `rate` and else 1/(1 − `rate`), image i's from the stream `dropout NAME`, number i, of the step's seed.
    ///
    /// # Errors
    /// [`Error::Domain`] if the images are not as many as those named.
    pub fn factors<T: Scalar>(self, name: &str, rate: f64, images: usize, length: usize) -> Result<Vec<T>> {
        let mut factors = vec![T::one(); images * length];
        let Self::Pass { seed, step, images: named } = self else { return Ok(factors) };
        if named.len() != images {
            return Err(Error::domain("images named for dropout", named.len(), images));
        }
        let (seed, purpose) = (seed.child("dropout step", step), format!("dropout {name}"));
        let scale = T::from_f64(1.0 / (1.0 - rate));
        factors.par_chunks_exact_mut(length).zip(named).for_each(|(factors, &image)| {
            let mut rng = seed.stream(&purpose, image as u64);
            factors.fill_with(|| if rng.random::<f64>() < rate { T::zero() } else { scale });
        });
        Ok(factors)
    }
}

/// A dropout of a network.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dropped {
    pub(super) name: String,
    pub(super) rate: f64,
    /// Numbers of an image that it sees.
    pub(super) length: usize,
}

/// The dropouts of a network, in the graph's order.
pub(super) fn dropped(graph: &Graph) -> Vec<Dropped> {
    let layers = graph.layers().iter().filter_map(|layer| match layer {
        Layer::Dropout { x, name, rate } => {
            Some(Dropped { name: name.clone(), rate: *rate, length: graph.shape(*x).len() })
        }
        _ => None,
    });
    layers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(step: u64, images: &[usize], name: &str) -> Vec<f32> {
        let pass = Dropout::Pass { seed: Seed(3), step, images };
        pass.factors(name, 0.25, images.len(), 1000).expect("as many images as named")
    }

    #[test]
    fn an_image_is_masked_alike_wherever_it_stands() {
        let batch = factors(7, &[4, 9, 2], "a");
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        for threads in [1, 5] {
            let turned = pool(threads).install(|| factors(7, &[2, 4, 9], "a"));
            assert_eq!([&turned[1000..], &turned[..1000]].concat(), batch);
        }
        assert_eq!(factors(7, &[9], "a"), batch[1000..2000]);
        for other in [factors(8, &[4], "a"), factors(7, &[5], "a"), factors(7, &[6], "a"), factors(7, &[4], "b")] {
            assert_ne!(other, batch[..1000], "another step, image or layer has a mask of its own");
        }
    }

    #[test]
    fn the_dropouts_of_a_network_are_known() {
        let graph = crate::model::Architecture::Vgg16.graph(10).expect("a network");
        let dropped: Vec<_> = dropped(&graph).into_iter().map(|d| (d.name, d.rate, d.length)).collect();
        assert_eq!(dropped, [("classifier.0".to_owned(), 0.5, 512), ("classifier.3".to_owned(), 0.5, 512)]);
    }

    #[test]
    fn the_rate_is_the_share_dropped_and_the_mean_is_kept() {
        // 10⁵ numbers: the share leaves ±6 standard deviations with probability 2e-9.
        let images: Vec<usize> = (0..100).collect();
        let factors = factors(0, &images, "a");
        assert!(factors.iter().all(|factor| *factor == 0.0 || *factor == (1.0 / 0.75) as f32));
        let dropped = factors.iter().filter(|factor| **factor == 0.0).count() as f64 / 1e5;
        assert!((dropped - 0.25).abs() < 6.0 * (0.25 * 0.75 / 1e5f64).sqrt(), "{dropped}");
    }

    #[test]
    fn without_a_rate_or_a_pass_nothing_is_dropped_and_wrong_numbers_of_images_are_refused() {
        let pass = Dropout::Pass { seed: Seed(3), step: 0, images: &[0, 1] };
        assert_eq!(pass.factors::<f64>("a", 0.0, 2, 5).expect("two images"), [1.0; 10]);
        assert_eq!(Dropout::Off.factors::<f64>("a", 0.5, 2, 5).expect("any number"), [1.0; 10]);
        let message = pass.factors::<f64>("a", 0.5, 3, 5).expect_err("two are not three").to_string();
        assert_eq!(message, "images named for dropout is 2; allowed: 3");
    }
}
