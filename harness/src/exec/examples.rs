//! What a network is shown: pixels as they are, or views of a set from which an engine makes them where it needs them.

use super::Batch;
use crate::data::{IMAGE, Shown, Views};
use crate::{Error, Result, Scalar};

/// Images with their labels, in one of the forms that an [`Executor`](super::Executor) takes: a [`Batch`] of pixels, or
/// [`Views`] of a set.
#[derive(Debug, Clone, Copy)]
pub struct Examples<'a, T> {
    images: Images<'a, T>,
    labels: &'a [u16],
}

/// Images, in one of these forms.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Images<'a, T> {
    Pixels(&'a [T]),
    Views(Shown<'a>),
}

impl<'a, T> From<Batch<'a, T>> for Examples<'a, T> {
    fn from(Batch { images, labels }: Batch<'a, T>) -> Self {
        Self { images: Images::Pixels(images), labels }
    }
}

impl<'a, T> From<&'a Views<'_>> for Examples<'a, T> {
    fn from(views: &'a Views<'_>) -> Self {
        Self { images: Images::Views(views.shown()), labels: views.labels() }
    }
}

impl<'a, T: Scalar> Examples<'a, T> {
    pub(super) fn images(&self) -> Images<'a, T> {
        self.images
    }

    pub(super) fn labels(&self) -> &'a [u16] {
        self.labels
    }

    /// Refuses what a network with inputs of so many numbers and so many classes cannot be shown.
    pub(super) fn check(&self, input: usize, classes: usize) -> Result<()> {
        let numbers = match self.images {
            Images::Pixels(pixels) => pixels.len(),
            Images::Views(shown) => shown.views.len() * IMAGE,
        };
        let wanted = self.labels.len() * input;
        if numbers != wanted {
            return Err(Error::domain("numbers in the batch's images", numbers, wanted));
        }
        if self.labels.is_empty() {
            return Err(Error::domain("images in the batch", 0, "at least 1"));
        }
        match self.labels.iter().position(|label| usize::from(*label) >= classes) {
            Some(index) => {
                let name = format!("label of image {index} of the batch");
                Err(Error::domain(name, self.labels[index], format!("0 to {}", classes - 1)))
            }
            None => Ok(()),
        }
    }

    /// So many at a time, each image with inputs of so many numbers; both at least 1.
    pub(super) fn chunks(self, size: usize, input: usize) -> impl Iterator<Item = Self> {
        self.labels.chunks(size).enumerate().map(move |(chunk, labels)| {
            let range = chunk * size..chunk * size + labels.len();
            let images = match self.images {
                Images::Pixels(pixels) => Images::Pixels(&pixels[range.start * input..range.end * input]),
                Images::Views(shown) => Images::Views(Shown { views: &shown.views[range], ..shown }),
            };
            Self { images, labels }
        })
    }
}

impl<'a, T: Scalar> Images<'a, T> {
    /// The pixels: those given, or made in a place that is kept for it.
    pub(super) fn pixels<'s>(self, made: &'s mut Vec<T>) -> &'s [T]
    where
        'a: 's,
    {
        match self {
            Self::Pixels(pixels) => pixels,
            Self::Views(shown) => {
                shown.write(made, |value| T::from_f64(f64::from(value)));
                made
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use valleys_sim::Seed;

    use super::*;
    use crate::data::loader::{Batches, EpochBatches};
    use crate::data::{Augmentation, synthetic};

    #[test]
    fn views_and_their_pixels_are_the_same_examples() {
        let data = synthetic::draw(30, 10, Seed(1)).expect("valid");
        let batches = EpochBatches::new(&data, Augmentation::CROP_AND_FLIP, 21, Seed(2), 0);
        let views = batches.views(0);
        let pixels = views.pixels();
        let both = [Examples::<f32>::from(&views), Batch { images: &pixels, labels: views.labels() }.into()];
        let [seen, wanted] = both.map(|examples| {
            examples.check(IMAGE, 10).expect("21 images");
            let part = |part: Examples<'_, f32>| (part.images.pixels(&mut Vec::new()).to_vec(), part.labels.to_vec());
            examples.chunks(8, IMAGE).map(part).collect::<Vec<_>>()
        });
        assert_eq!(wanted.iter().map(|(_, labels)| labels.len()).collect::<Vec<_>>(), [8, 8, 5]);
        assert_eq!(seen, wanted);
        let wide: Vec<f64> = pixels.iter().map(|&pixel| f64::from(pixel)).collect();
        assert_eq!(Images::<f64>::Views(views.shown()).pixels(&mut Vec::new()), wide);
        let examples = Examples::<f64>::from(&views);
        let message = examples.check(28 * 28, 10).expect_err("another size").to_string();
        assert_eq!(message, "numbers in the batch's images is 64512; allowed: 16464");
    }
}
