//! Winograd convolution of a whole batch: each of the sixteen products takes many images at a time, so that kernels too
//! large for the cache are read once for all of them. Results are the same for any number of threads, since every
//! number is the work of one.

use std::ops::Range;

use rayon::prelude::*;

use super::convolution::{Backward, Forward, Kernels, at_least};
use super::kernels::{
    Gradients, InstructionSet, POSITIONS, Results, Rows, RowsMut, Windows, add_weight_gradient, correlate,
    transform_gradients, transform_pixels, transform_sums,
};
use super::source::Reader;
use super::step::{Destination, Place, Source};
use super::winograd::{Positions, Tiling};
use crate::Scalar;

/// Tiles of all images taken at a time: so few that their transformed numbers stay in the farthest cache.
const TILES: usize = 1024;

/// Tiles whose products are added up before the sums are written.
const TILES_OF_SUMS: usize = 128;

/// Transformed numbers of some images: of pixels and of gradients, which lie image by image, and of sums, which lie
/// position by position.
#[derive(Debug, Default)]
pub(super) struct Wide<T> {
    pixels: Vec<T>,
    gradients: Vec<T>,
    sums: Vec<T>,
}

/// The buffers that hold all images.
pub(super) struct Batch<'a, T> {
    pub(super) buffers: &'a mut [Vec<T>],
    /// Numbers of an image in every buffer.
    pub(super) lengths: &'a [usize],
    pub(super) images: usize,
}

impl<T: Scalar> Batch<'_, T> {
    /// An image's numbers at a place.
    pub(super) fn rows(&self, place: Place, image: usize) -> Rows<'_, T> {
        let start = image * self.lengths[place.buffer] + place.offset;
        Rows { numbers: &self.buffers[place.buffer][start..], pitch: place.pitch }
    }

    /// Some images' numbers at a place, image by image.
    fn rows_mut(&mut self, place: Place, images: Range<usize>) -> impl IndexedParallelIterator<Item = RowsMut<'_, T>> {
        let length = self.lengths[place.buffer];
        let numbers = &mut self.buffers[place.buffer][images.start * length..images.end * length];
        numbers
            .par_chunks_exact_mut(length)
            .map(move |numbers| RowsMut { numbers: &mut numbers[place.offset..], pitch: place.pitch })
    }
}

/// The images of a batch in parts.
fn parts(images: usize, tiling: Tiling) -> impl Iterator<Item = Range<usize>> {
    let most = (TILES / tiling.count()).max(1);
    (0..images).step_by(most).map(move |first| first..images.min(first + most))
}

/// Windows of the transformed numbers of one position in several images.
fn windows(tiling: Tiling, channels: usize, images: usize) -> Windows {
    let image_step = POSITIONS * tiling.count() * channels;
    Windows { images, image_step, ..Windows::pixels_of(tiling.count(), channels) }
}

impl<T: Scalar> Wide<T> {
    /// y ← w ∗ x plus the bias.
    pub(super) fn forward(
        &mut self,
        kernels: &Kernels<T>,
        reader: Reader<'_, T>,
        x: Source,
        y: Place,
        batch: &mut Batch<'_, T>,
    ) {
        let Forward::Winograd(weights) = &kernels.forward else { unreachable!("wide convolutions are Winograd's") };
        let tiling = Tiling::of(kernels.op.output);
        for images in parts(batch.images, tiling) {
            self.take_pixels(kernels.set, tiling, x.place.shape.channels, images.clone(), |image, padded| {
                kernels.pad_for_tiles(reader, x, batch.rows(x.place, image), 0..tiling.padded_rows(), padded);
            });
            self.multiply(tiling, weights, images.len());
            let add = !kernels.bias.is_empty();
            self.give_sums(kernels.set, tiling, Destination { place: y, add }, images, batch, |y| {
                kernels.begin(None, 0..kernels.op.output.plane(), y.lend());
            });
        }
    }

    /// Adds to the sums of every position, and writes or adds the gradient with respect to x.
    pub(super) fn backward(
        &mut self,
        kernels: &Kernels<T>,
        reader: Reader<'_, T>,
        x: Source,
        (dy, dx): (Place, Option<Destination>),
        batch: &mut Batch<'_, T>,
        sums: &mut [T],
    ) {
        let Backward::Winograd(weights) = &kernels.backward else { unreachable!("wide convolutions are Winograd's") };
        let (tiling, set) = (Tiling::of(kernels.op.output), kernels.set);
        for images in parts(batch.images, tiling) {
            self.take_pixels(set, tiling, x.place.shape.channels, images.clone(), |image, padded| {
                kernels.pad_for_tiles(reader, x, batch.rows(x.place, image), 0..tiling.padded_rows(), padded);
            });
            self.take_gradients(set, tiling, dy, images.clone(), batch);
            self.add_products([x.place.shape.channels, dy.shape.channels], tiling, set, images.len(), sums);
            let Some(dx) = dx else { continue };
            self.take_pixels(set, tiling, dy.shape.channels, images.clone(), |image, padded| {
                kernels.pad_gradient_for_tiles(batch.rows(dy, image), 0..tiling.padded_rows(), padded);
            });
            self.multiply(tiling, weights, images.len());
            self.give_sums(set, tiling, dx, images, batch, |_| {});
        }
    }

    /// Transforms some images; `pad` writes one of them with the margins of its tiles.
    fn take_pixels(
        &mut self,
        set: InstructionSet,
        tiling: Tiling,
        channels: usize,
        images: Range<usize>,
        pad: impl Fn(usize, &mut [T]) + Sync,
    ) {
        let step = tiling.count() * channels;
        let all = at_least(&mut self.pixels, images.len() * POSITIONS * step);
        all.par_chunks_exact_mut(POSITIONS * step).zip(images).for_each_init(Vec::new, |padded, (pixels, image)| {
            let padded = at_least(padded, tiling.padded(channels));
            pad(image, padded);
            transform_pixels(set, tiling.tiles(channels, step), padded, pixels);
        });
    }

    /// Transforms the gradients of some images.
    fn take_gradients(
        &mut self,
        set: InstructionSet,
        tiling: Tiling,
        dy: Place,
        images: Range<usize>,
        batch: &Batch<'_, T>,
    ) {
        let step = tiling.count() * dy.shape.channels;
        let all = at_least(&mut self.gradients, images.len() * POSITIONS * step);
        all.par_chunks_exact_mut(POSITIONS * step).zip(images).for_each(|(gradients, image)| {
            let tiles = tiling.tiles(dy.shape.channels, step);
            transform_gradients(set, tiles, tiling.cut(), batch.rows(dy, image), gradients);
        });
    }

    /// The weights times the transformed pixels of so many images.
    fn multiply(&mut self, tiling: Tiling, weights: &Positions<T>, images: usize) {
        let (inputs, outputs) = (weights[0].depth(), weights[0].outputs());
        let (from, step) = (tiling.count() * inputs, tiling.count() * outputs);
        let Self { pixels, sums, .. } = self;
        let windows = windows(tiling, inputs, images);
        let sums = at_least(sums, POSITIONS * images * step);
        sums.par_chunks_exact_mut(images * step).zip(weights).enumerate().for_each(|(position, (numbers, weights))| {
            let results = Results { numbers, pitch: outputs, row_step: step, image_step: step, add: false };
            correlate(windows, &pixels[position * from..], weights, results);
        });
    }

    /// Writes or adds the sums, transformed back, of some images whose numbers `begin` may begin.
    fn give_sums(
        &self,
        set: InstructionSet,
        tiling: Tiling,
        y: Destination,
        images: Range<usize>,
        batch: &mut Batch<'_, T>,
        begin: impl Fn(&mut RowsMut<'_, T>) + Sync,
    ) {
        let step = tiling.count() * y.place.shape.channels;
        let tiles = tiling.tiles(y.place.shape.channels, images.len() * step);
        batch.rows_mut(y.place, images).enumerate().for_each(|(image, mut rows)| {
            begin(&mut rows);
            transform_sums(set, tiles, &self.sums[image * step..], tiling.cut(), rows, y.add);
        });
    }

    /// Adds the products of the pixels and gradients of so many images to the sums of every position.
    fn add_products(
        &self,
        [inputs, outputs]: [usize; 2],
        tiling: Tiling,
        set: InstructionSet,
        images: usize,
        sums: &mut [T],
    ) {
        let [x_step, dy_step] = [inputs, outputs].map(|channels| tiling.count() * channels);
        let most = (TILES_OF_SUMS / tiling.count()).max(1);
        sums.par_chunks_exact_mut(inputs * outputs).enumerate().for_each(|(position, sums)| {
            for first in (0..images).step_by(most) {
                let place = first * POSITIONS + position;
                let (pitch, channels) = (outputs, outputs);
                let numbers = &self.gradients[place * dy_step..];
                let gradients = Gradients { numbers, pitch, image_step: POSITIONS * dy_step, channels };
                let windows = windows(tiling, inputs, most.min(images - first));
                add_weight_gradient(set, windows, &self.pixels[place * x_step..], gradients, sums);
            }
        });
    }
}
