//! Means and maxima over disjoint windows of an image.

use super::kernels::{Rows, RowsMut};
use crate::Scalar;
use crate::model::graph::Shape;

/// The windows of a pooling: `input` is the shape of what is pooled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pool {
    pub(super) input: Shape,
    pub(super) size: usize,
}

impl Pool {
    /// Every window's number, and the pixels in it, row by row.
    fn windows(self) -> impl Iterator<Item = (usize, impl Iterator<Item = usize>)> {
        let Self { input: Shape { height, width, .. }, size } = self;
        let columns = width / size;
        (0..height / size * columns).map(move |window| {
            let corner = window / columns * size * width + window % columns * size;
            (window, (0..size).flat_map(move |row| corner + row * width..corner + row * width + size))
        })
    }

    /// What one pixel counts in a mean.
    fn share<T: Scalar>(self) -> T {
        T::from_f64(1.0 / (self.size * self.size) as f64)
    }

    /// y ← means of x.
    pub(super) fn average<T: Scalar>(self, x: Rows<'_, T>, y: RowsMut<'_, T>) {
        let (channels, share) = (self.input.channels, self.share::<T>());
        for (window, pixels) in self.windows() {
            let y = &mut y.numbers[window * y.pitch..][..channels];
            y.fill(T::zero());
            for pixel in pixels {
                y.iter_mut().zip(&x.numbers[pixel * x.pitch..]).for_each(|(y, x)| *y += *x);
            }
            y.iter_mut().for_each(|y| *y *= share);
        }
    }

    /// The gradient of [`average`](Self::average) with respect to x, added to dx.
    pub(super) fn average_backward<T: Scalar>(self, dy: Rows<'_, T>, dx: RowsMut<'_, T>) {
        let (channels, share) = (self.input.channels, self.share::<T>());
        for (window, pixels) in self.windows() {
            let dy = &dy.numbers[window * dy.pitch..][..channels];
            for pixel in pixels {
                dx.numbers[pixel * dx.pitch..].iter_mut().zip(dy).for_each(|(dx, dy)| *dx += share * *dy);
            }
        }
    }

    /// y ← maxima of x; NaN if there is one.
    pub(super) fn maximum<T: Scalar>(self, x: Rows<'_, T>, y: RowsMut<'_, T>) {
        let channels = self.input.channels;
        for (window, mut pixels) in self.windows() {
            let y = &mut y.numbers[window * y.pitch..][..channels];
            let first = pixels.next().unwrap_or_default();
            y.copy_from_slice(&x.numbers[first * x.pitch..][..channels]);
            for pixel in pixels {
                let numbers = y.iter_mut().zip(&x.numbers[pixel * x.pitch..]);
                numbers.for_each(|(y, x)| *y = if exceeds(*x, *y) { *x } else { *y });
            }
        }
    }

    /// The gradient of [`maximum`](Self::maximum) with respect to x, added to dx: to the first of a window's maxima.
    pub(super) fn maximum_backward<T: Scalar>(self, x: Rows<'_, T>, dy: Rows<'_, T>, dx: RowsMut<'_, T>) {
        let channels = self.input.channels;
        let mut best = vec![0; channels];
        for (window, pixels) in self.windows() {
            for (index, pixel) in pixels.enumerate() {
                for (channel, best) in best.iter_mut().enumerate() {
                    let at = |pixel: usize| x.numbers[pixel * x.pitch + channel];
                    if index == 0 || exceeds(at(pixel), at(*best)) {
                        *best = pixel;
                    }
                }
            }
            let dy = &dy.numbers[window * dy.pitch..][..channels];
            for (channel, (best, dy)) in best.iter().zip(dy).enumerate() {
                dx.numbers[best * dx.pitch + channel] += *dy;
            }
        }
    }
}

/// Whether a number takes the place of the largest so far; one that is no number always does.
#[expect(clippy::eq_op, reason = "the plain test for a number that is none")]
fn exceeds<T: Scalar>(x: T, most: T) -> bool {
    x > most || x != x
}
