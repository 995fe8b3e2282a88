//! Means and maxima over disjoint windows, for a group of images.

use crate::Scalar;
use crate::exec::backend::Pool;

/// y ← means of x over windows.
pub(super) fn average<T: Scalar>(op: &Pool, x: &[T], y: &mut [T]) {
    let share = op.share::<T>();
    for (x, y) in x.chunks_exact(op.input.plane()).zip(y.chunks_exact_mut(op.windows())) {
        for (window, y) in y.iter_mut().enumerate() {
            let mut sum = T::zero();
            op.pixels(window).for_each(|pixel| sum += x[pixel]);
            *y = sum * share;
        }
    }
}

/// The gradient of [`average`] with respect to x.
pub(super) fn average_backward<T: Scalar>(op: &Pool, dy: &[T], dx: &mut [T], accumulate: bool) {
    let share = op.share::<T>();
    if !accumulate {
        dx.fill(T::zero());
    }
    for (dy, dx) in dy.chunks_exact(op.windows()).zip(dx.chunks_exact_mut(op.input.plane())) {
        for (window, dy) in dy.iter().enumerate() {
            op.pixels(window).for_each(|pixel| dx[pixel] += share * *dy);
        }
    }
}

/// y ← maxima of x over windows.
pub(super) fn maximum<T: Scalar>(op: &Pool, x: &[T], y: &mut [T]) {
    for (x, y) in x.chunks_exact(op.input.plane()).zip(y.chunks_exact_mut(op.windows())) {
        for (window, y) in y.iter_mut().enumerate() {
            *y = x[op.first_maximum(window, x)];
        }
    }
}

/// The gradient of [`maximum`] with respect to x.
pub(super) fn maximum_backward<T: Scalar>(op: &Pool, x: &[T], dy: &[T], dx: &mut [T], accumulate: bool) {
    if !accumulate {
        dx.fill(T::zero());
    }
    let planes = x.chunks_exact(op.input.plane()).zip(dy.chunks_exact(op.windows()));
    for ((x, dy), dx) in planes.zip(dx.chunks_exact_mut(op.input.plane())) {
        for (window, dy) in dy.iter().enumerate() {
            dx[op.first_maximum(window, x)] += *dy;
        }
    }
}

impl Pool {
    /// Windows in a row.
    fn columns(&self) -> usize {
        self.input.width / self.size
    }

    /// Windows in a plane.
    fn windows(&self) -> usize {
        self.input.height / self.size * self.columns()
    }

    /// What one pixel counts in a mean.
    fn share<T: Scalar>(&self) -> T {
        T::from_f64(1.0 / (self.size * self.size) as f64)
    }

    /// The pixels of a window, row by row.
    fn pixels(&self, window: usize) -> impl Iterator<Item = usize> {
        let (width, size) = (self.input.width, self.size);
        let corner = window / self.columns() * size * width + window % self.columns() * size;
        (0..size).flat_map(move |row| corner + row * width..corner + row * width + size)
    }

    /// The first pixel of a window with the largest number, or the last that is no number.
    fn first_maximum<T: Scalar>(&self, window: usize, x: &[T]) -> usize {
        let pixels = self.pixels(window);
        let later =
            |best: usize, pixel: usize| if x[pixel] > x[best] || x[pixel].to_f64().is_nan() { pixel } else { best };
        pixels.reduce(later).unwrap_or_default()
    }
}
