//! Wide convolutions: all images of a group, some at a time, for kernels that are too large for the cache.

use std::ops::Range;

use super::convolution::{Kernels, Space, at_least};
use super::frame::Frame;
use super::kernels::{Gradients, Results, Windows, add_weight_gradient, correlate};
use super::source::Reader;
use super::step::{Destination, Place, Source};
use crate::Scalar;

/// Pixels of results that a wide convolution makes at a time: many, to make the most of kernels once in the cache.
const PIXELS: usize = 256;

impl<T: Scalar> Kernels<T> {
    /// The images of a group in parts.
    fn parts(&self, images: usize) -> impl Iterator<Item = Range<usize>> {
        let most = (PIXELS / self.op.output.plane()).max(1);
        (0..images).step_by(most).map(move |first| first..images.min(first + most))
    }

    /// Windows of all images of a part, `length` numbers from one to the next.
    fn together(windows: Windows, images: usize, length: usize) -> Windows {
        Windows { images, image_step: length, ..windows }
    }

    /// y ← w ∗ x plus the bias.
    pub(super) fn forward_wide(
        &self,
        reader: Reader<'_, T>,
        source: Source,
        y: Place,
        frame: &mut Frame<'_, T>,
        images: usize,
        space: &mut Space<T>,
    ) {
        for part in self.parts(images) {
            let windows = Self::together(self.padded_windows(), part.len(), self.padded());
            let padded = self.pad_wide(reader, source, frame, part.clone(), space);
            frame.go_to(part.start);
            let (image_step, add) = (frame.image_step(y), !self.bias.is_empty());
            frame.write(y, |_, rows| {
                for image in 0..part.len() {
                    self.write_bias(&mut rows.numbers[image * image_step..], rows.pitch);
                }
                correlate(
                    windows,
                    padded,
                    &self.forward,
                    Results { numbers: rows.numbers, pitch: rows.pitch, image_step, add },
                );
            });
        }
    }

    fn pad_wide<'a>(
        &self,
        reader: Reader<'_, T>,
        source: Source,
        frame: &mut Frame<'_, T>,
        part: Range<usize>,
        space: &'a mut Space<T>,
    ) -> &'a [T] {
        let length = self.padded();
        let padded = at_least(&mut space.padded, part.len() * length);
        for (image, padded) in part.zip(padded.chunks_exact_mut(length)) {
            frame.go_to(image);
            self.pad(reader, source, frame.rows(source.place), padded);
        }
        padded
    }

    /// Adds the gradients with respect to the weights and the bias, and writes or adds that with respect to x.
    #[expect(clippy::too_many_arguments, reason = "a step has so many parts")]
    pub(super) fn backward_wide(
        &self,
        reader: Reader<'_, T>,
        source: Source,
        dy: Place,
        dx: Option<Destination>,
        frame: &mut Frame<'_, T>,
        images: usize,
        dw: &mut [T],
        bias: &mut [f64],
        space: &mut Space<T>,
    ) {
        for part in self.parts(images) {
            let windows = Self::together(self.padded_windows(), part.len(), self.padded());
            let padded = self.pad_wide(reader, source, frame, part.clone(), space);
            frame.go_to(part.start);
            let (rows, image_step, channels) = (frame.rows(dy), frame.image_step(dy), self.op.output.channels);
            let gradients = Gradients { numbers: rows.numbers, pitch: rows.pitch, image_step, channels };
            add_weight_gradient(self.set, windows, padded, gradients, dw);
            for image in 0..part.len() {
                self.add_bias_gradient(&rows.numbers[image * image_step..], rows.pitch, bias);
            }
            let Some(Destination { place, add }) = dx else { continue };
            let length = self.spread_length();
            let spread = at_least(&mut space.spread, part.len() * length);
            for (image, spread) in part.clone().zip(spread.chunks_exact_mut(length)) {
                frame.go_to(image);
                self.spread(frame.rows(dy), spread);
            }
            let windows = Self::together(self.spread_windows(), part.len(), length);
            frame.go_to(part.start);
            let image_step = frame.image_step(place);
            frame.write(place, |_, rows| {
                correlate(
                    windows,
                    spread,
                    &self.backward,
                    Results { numbers: rows.numbers, pitch: rows.pitch, image_step, add },
                );
            });
        }
    }
}
