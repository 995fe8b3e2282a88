//! Batch normalisation with the activation after it, for a group of images; sums in f64.

use crate::Scalar;
use crate::exec::activation::{Identity, Pointwise, Relu, Sigmoid, Softplus};
use crate::exec::backend::{BatchNorm, EPSILON, Moments};
use crate::model::graph::Activation;

/// Partial sums a plane is added up in, so that the compiler can use SIMD without changing the order of additions.
const LANES: usize = 8;

/// For every channel Σx, then for every channel Σx².
pub(super) fn sums<T: Scalar>(op: &BatchNorm, x: &[T], sums: &mut [f64]) {
    let (first, second) = sums.split_at_mut(op.channels);
    for (index, plane) in x.chunks_exact(op.plane).enumerate() {
        let [sum, square] = sum_lanes(plane, plane, |x, _| [x.to_f64(), x.to_f64() * x.to_f64()]);
        first[index % op.channels] += sum;
        second[index % op.channels] += square;
    }
}

/// The batch norm of one channel as y = scale·x + shift.
#[derive(Clone, Copy)]
pub(super) struct Affine<T> {
    scale: T,
    shift: T,
}

/// Every channel's [`Affine`].
pub(super) fn affine<T: Scalar>(moments: Moments<'_>, weight: &[T], bias: &[T]) -> Vec<Affine<T>> {
    let channels = moments.mean.iter().zip(moments.var).zip(weight.iter().zip(bias));
    channels
        .map(|((mean, var), (weight, bias))| {
            let scale = weight.to_f64() / (var + EPSILON).sqrt();
            Affine { scale: T::from_f64(scale), shift: T::from_f64(bias.to_f64() - mean * scale) }
        })
        .collect()
}

/// y ← f(scale·x + shift).
pub(super) fn forward<T: Scalar>(op: &BatchNorm, affine: &[Affine<T>], x: &[T], y: &mut [T]) {
    match op.activation {
        None => forward_with::<Identity, T>(op, affine, x, y),
        Some(Activation::Relu) => forward_with::<Relu, T>(op, affine, x, y),
        Some(Activation::Sigmoid) => forward_with::<Sigmoid, T>(op, affine, x, y),
        Some(Activation::Softplus) => forward_with::<Softplus, T>(op, affine, x, y),
    }
}

fn forward_with<F: Pointwise, T: Scalar>(op: &BatchNorm, affine: &[Affine<T>], x: &[T], y: &mut [T]) {
    let planes = x.chunks_exact(op.plane).zip(y.chunks_exact_mut(op.plane));
    for ((x, y), &Affine { scale, shift }) in planes.zip(affine.iter().cycle()) {
        x.iter().zip(y).for_each(|(x, y)| *y = F::value(scale * *x + shift));
    }
}

/// A group of images on the way back: the batch norm's inputs and its output's gradient.
#[derive(Clone, Copy)]
pub(super) struct Group<'a, T> {
    pub(super) x: &'a [T],
    pub(super) dy: &'a [T],
}

/// For every channel Σdz, then for every channel Σdz·(x − mean), dz being the gradient before the activation.
pub(super) fn backward_sums<T: Scalar>(
    op: &BatchNorm,
    affine: &[Affine<T>],
    mean: &[f64],
    group: Group<'_, T>,
    sums: &mut [f64],
) {
    match op.activation {
        None => sums_with::<Identity, T>(op, affine, mean, group, sums),
        Some(Activation::Relu) => sums_with::<Relu, T>(op, affine, mean, group, sums),
        Some(Activation::Sigmoid) => sums_with::<Sigmoid, T>(op, affine, mean, group, sums),
        Some(Activation::Softplus) => sums_with::<Softplus, T>(op, affine, mean, group, sums),
    }
}

fn sums_with<F: Pointwise, T: Scalar>(
    op: &BatchNorm,
    affine: &[Affine<T>],
    mean: &[f64],
    group: Group<'_, T>,
    sums: &mut [f64],
) {
    let (first, second) = sums.split_at_mut(op.channels);
    let planes = group.x.chunks_exact(op.plane).zip(group.dy.chunks_exact(op.plane));
    for (index, (x, dy)) in planes.enumerate() {
        let channel = index % op.channels;
        let (Affine { scale, shift }, mean) = (affine[channel], mean[channel]);
        let [sum, product] = sum_lanes(x, dy, |x, dy| {
            let dz = F::back(scale * x + shift, dy).to_f64();
            [dz, dz * (x.to_f64() - mean)]
        });
        first[channel] += sum;
        second[channel] += product;
    }
}

/// The gradient with respect to x of one channel: dx = scale·dz + slope·(x − mean) + offset.
#[derive(Clone, Copy)]
pub(super) struct Slope<T> {
    mean: T,
    slope: T,
    offset: T,
}

/// Every channel's [`Slope`], from the sums of [`backward_sums`] over `count` values.
pub(super) fn slopes<T: Scalar>(moments: Moments<'_>, weight: &[T], sums: &[f64], count: usize) -> Vec<Slope<T>> {
    let (first, second) = sums.split_at(weight.len());
    let channels = moments.mean.iter().zip(moments.var).zip(weight).zip(first.iter().zip(second));
    channels
        .map(|(((mean, var), weight), (sum, product))| {
            let scale = weight.to_f64() / (var + EPSILON).sqrt();
            let slope = -scale * product / (var + EPSILON) / count as f64;
            let offset = -scale * sum / count as f64;
            Slope { mean: T::from_f64(*mean), slope: T::from_f64(slope), offset: T::from_f64(offset) }
        })
        .collect()
}

/// The [`Slope`]s of moments that do not depend on x.
pub(super) fn no_slopes<T: Scalar>(channels: usize) -> Vec<Slope<T>> {
    vec![Slope { mean: T::zero(), slope: T::zero(), offset: T::zero() }; channels]
}

/// dx ← the gradient with respect to x, or dx ← dx + it.
pub(super) fn backward<T: Scalar>(
    op: &BatchNorm,
    affine: &[Affine<T>],
    slopes: &[Slope<T>],
    group: Group<'_, T>,
    dx: &mut [T],
    accumulate: bool,
) {
    match op.activation {
        None => backward_with::<Identity, T>(op, affine, slopes, group, dx, accumulate),
        Some(Activation::Relu) => backward_with::<Relu, T>(op, affine, slopes, group, dx, accumulate),
        Some(Activation::Sigmoid) => backward_with::<Sigmoid, T>(op, affine, slopes, group, dx, accumulate),
        Some(Activation::Softplus) => backward_with::<Softplus, T>(op, affine, slopes, group, dx, accumulate),
    }
}

fn backward_with<F: Pointwise, T: Scalar>(
    op: &BatchNorm,
    affine: &[Affine<T>],
    slopes: &[Slope<T>],
    group: Group<'_, T>,
    dx: &mut [T],
    accumulate: bool,
) {
    let planes = group.x.chunks_exact(op.plane).zip(group.dy.chunks_exact(op.plane));
    for (((x, dy), dx), (affine, slope)) in
        planes.zip(dx.chunks_exact_mut(op.plane)).zip(affine.iter().zip(slopes).cycle())
    {
        let &Affine { scale, shift } = affine;
        let &Slope { mean, slope, offset } = slope;
        let numbers = x.iter().zip(dy).zip(dx);
        let gradient = |x: T, dy: T| scale * F::back(scale * x + shift, dy) + (slope * (x - mean) + offset);
        if accumulate {
            numbers.for_each(|((x, dy), dx)| *dx += gradient(*x, *dy));
        } else {
            numbers.for_each(|((x, dy), dx)| *dx = gradient(*x, *dy));
        }
    }
}

/// Σ f(a, b) over two planes, in f64 and in a fixed order.
#[inline]
fn sum_lanes<T: Scalar>(a: &[T], b: &[T], f: impl Fn(T, T) -> [f64; 2]) -> [f64; 2] {
    let mut lanes = [[0.0; LANES]; 2];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut add = |lane: usize, values: [f64; 2]| {
        lanes[0][lane] += values[0];
        lanes[1][lane] += values[1];
    };
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            add(lane, f(a[lane], b[lane]));
        }
    }
    for (lane, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
        add(lane, f(*a, *b));
    }
    lanes.map(|lanes| lanes.iter().sum())
}
