//! Convolution by unfolding: every kernel tap of every channel becomes a row of shifted pixels, and the convolution one
//! matrix product an image.

use super::matrix::{Matrix, Write, multiply};
use crate::Scalar;
use crate::exec::backend::Convolution;

impl Convolution {
    /// Rows of an unfolded image: input channels × kernel taps.
    pub(super) fn taps(&self) -> usize {
        self.input.channels * self.window.size * self.window.size
    }

    /// Numbers in an unfolded image, 0 if the image itself will do.
    pub(super) fn unfolded(&self) -> usize {
        if self.is_pointwise() { 0 } else { self.taps() * self.output.plane() }
    }

    /// Whether a 1×1 kernel visits every pixel, so that an image is its own unfolding.
    fn is_pointwise(&self) -> bool {
        self.window.size == 1 && self.window.stride == 1 && self.window.padding == 0
    }

    /// Whether output pixels lie on the input pixels one to one.
    fn keeps_extent(&self) -> bool {
        self.window.stride == 1 && self.input.height == self.output.height && self.input.width == self.output.width
    }
}

/// y ← w ∗ x plus the bias for a group of images; `parameters` are those of the whole network.
pub(super) fn forward<T: Scalar>(op: &Convolution, parameters: &[T], x: &[T], y: &mut [T], unfolded: &mut [T]) {
    let weight = Matrix::new(&parameters[op.weight.clone()], op.taps());
    for (x, y) in x.chunks_exact(op.input.len()).zip(y.chunks_exact_mut(op.output.len())) {
        multiply(y, weight, Matrix::new(unfold(op, x, unfolded), op.output.plane()), Write::Replace);
        if let Some(bias) = &op.bias {
            for (plane, bias) in y.chunks_exact_mut(op.output.plane()).zip(&parameters[bias.clone()]) {
                plane.iter_mut().for_each(|number| *number += *bias);
            }
        }
    }
}

/// Adds the gradient with respect to the weight, *transposed* (taps × outputs), for a group of images.
///
/// Transposed, because then the small dY, not the large unfolded image, is what the product has to rearrange.
pub(super) fn backward_weight<T: Scalar>(op: &Convolution, x: &[T], dy: &[T], dw: &mut [T], unfolded: &mut [T]) {
    for (x, dy) in x.chunks_exact(op.input.len()).zip(dy.chunks_exact(op.output.len())) {
        let x = Matrix::new(unfold(op, x, unfolded), op.output.plane());
        multiply(dw, x, Matrix::new(dy, op.output.plane()).transposed(), Write::Add);
    }
}

/// Adds the gradient with respect to the bias, Σdy of every channel, for a group of images.
pub(super) fn backward_bias<T: Scalar>(op: &Convolution, dy: &[T], sums: &mut [f64]) {
    for (index, plane) in dy.chunks_exact(op.output.plane()).enumerate() {
        sums[index % op.output.channels] += plane.iter().map(|dy| dy.to_f64()).sum::<f64>();
    }
}

/// The gradient with respect to the images of a group.
pub(super) fn backward_data<T: Scalar>(
    op: &Convolution,
    weight: &[T],
    dy: &[T],
    dx: &mut [T],
    write: Write,
    unfolded: &mut [T],
) {
    let weight = Matrix::new(weight, op.taps()).transposed();
    for (dy, dx) in dy.chunks_exact(op.output.len()).zip(dx.chunks_exact_mut(op.input.len())) {
        let dy = Matrix::new(dy, op.output.plane());
        if op.is_pointwise() {
            multiply(dx, weight, dy, write);
        } else {
            multiply(unfolded, weight, dy, Write::Replace);
            if write == Write::Replace {
                dx.fill(T::zero());
            }
            fold(op, unfolded, dx);
        }
    }
}

/// The image as taps × output pixels: row (channel, i, j) holds what tap (i, j) of the kernel sees of the channel at
/// every output pixel, 0 in the padding.
fn unfold<'a, T: Scalar>(op: &Convolution, image: &'a [T], unfolded: &'a mut [T]) -> &'a [T] {
    if op.is_pointwise() {
        return image;
    }
    for (row, tap) in unfolded.chunks_exact_mut(op.output.plane()).zip(taps(op)) {
        let plane = &image[tap.channel * op.input.plane()..][..op.input.plane()];
        if op.keeps_extent() {
            let (from, to) = tap.shifted(op);
            row[..to.start].fill(T::zero());
            row[to.end..].fill(T::zero());
            row[to].copy_from_slice(&plane[from]);
            tap.clear_outside(op, row);
        } else {
            row.fill(T::zero());
            tap.visit(op, |output, input| row[output] = plane[input]);
        }
    }
    unfolded
}

/// The adjoint of [`unfold`]: adds every number of the unfolded image to the pixel it stands for.
fn fold<T: Scalar>(op: &Convolution, unfolded: &mut [T], image: &mut [T]) {
    for (row, tap) in unfolded.chunks_exact_mut(op.output.plane()).zip(taps(op)) {
        let plane = &mut image[tap.channel * op.input.plane()..][..op.input.plane()];
        if op.keeps_extent() {
            tap.clear_outside(op, row);
            let (from, to) = tap.shifted(op);
            plane[from].iter_mut().zip(&row[to]).for_each(|(pixel, number)| *pixel += *number);
        } else {
            tap.visit(op, |output, input| plane[input] += row[output]);
        }
    }
}

/// One tap of the kernel on one channel.
struct Tap {
    channel: usize,
    i: usize,
    j: usize,
}

/// All taps in the order of the kernel's numbers.
fn taps(op: &Convolution) -> impl Iterator<Item = Tap> {
    let size = op.window.size;
    (0..op.taps()).map(move |tap| Tap { channel: tap / (size * size), i: tap / size % size, j: tap % size })
}

impl Tap {
    /// Calls `visit(output, input)` for every output pixel whose tap falls on an input pixel.
    fn visit(&self, op: &Convolution, mut visit: impl FnMut(usize, usize)) {
        let columns = inside(op, self.j, op.input.width, op.output.width);
        for y in inside(op, self.i, op.input.height, op.output.height) {
            let row = (y * op.window.stride + self.i - op.window.padding) * op.input.width;
            for x in columns.clone() {
                visit(y * op.output.width + x, row + x * op.window.stride + self.j - op.window.padding);
            }
        }
    }

    /// Where output lies on input, a tap is a shift of the whole plane: the pixels read, and where they go. Rows run
    /// on into their neighbours; see [`clear_outside`](Self::clear_outside).
    fn shifted(&self, op: &Convolution) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let (plane, width) = (op.input.plane(), op.input.width);
        let ahead = self.i * width + self.j;
        let behind = op.window.padding * width + op.window.padding;
        let (from, to) = (ahead.saturating_sub(behind).min(plane), behind.saturating_sub(ahead).min(plane));
        let length = plane - from.max(to);
        (from..from + length, to..to + length)
    }

    /// Clears the columns whose tap falls beside the image.
    fn clear_outside<T: Scalar>(&self, op: &Convolution, row: &mut [T]) {
        let width = op.output.width;
        let columns = inside(op, self.j, op.input.width, width);
        for column in (0..columns.start).chain(columns.end..width) {
            row.iter_mut().skip(column).step_by(width).for_each(|number| *number = T::zero());
        }
    }
}

/// The output positions along one axis whose tap number `tap` falls on an input pixel.
fn inside(op: &Convolution, tap: usize, inputs: usize, outputs: usize) -> std::ops::Range<usize> {
    let (stride, padding) = (op.window.stride, op.window.padding);
    let end = (inputs + padding).saturating_sub(tap).div_ceil(stride).min(outputs);
    padding.saturating_sub(tap).div_ceil(stride).min(end)..end
}
