//! Feature maps as a device keeps them, in the host's memory: the numbers and orders of every storage, by their definition.

use super::*;
use crate::exec::cuda::launch::{from_bf16, to_bf16};
use crate::exec::cuda::number::{Bf16, Number, Storage};
use crate::model::graph::Shape;

/// Numbers of feature maps.
pub(super) trait Kept: Number + PartialEq + std::fmt::Debug {
    /// A huge one.
    const HUGE: Self;
    /// The nearest one.
    fn nearest(x: f32) -> Self;
    fn value(self) -> f32;
}

impl Kept for f32 {
    const HUGE: Self = 1e30;

    fn nearest(x: f32) -> Self {
        x
    }

    fn value(self) -> f32 {
        self
    }
}

impl Kept for Bf16 {
    const HUGE: Self = Self(0x7149);

    fn nearest(x: f32) -> Self {
        let towards_0 = (x.to_bits() >> 16) as u16;
        if x.is_nan() || x.is_infinite() {
            return Self(if x.is_nan() { 0x7fc0 } else { towards_0 });
        }
        // Infinity is where the next number would be, 2^128.
        let place = |bits: u16| match f64::from(Self(bits).value()) {
            infinity if infinity.is_infinite() => 2.0_f64.powi(128).copysign(infinity),
            finite => finite,
        };
        let [here, there] = [towards_0, towards_0 + 1].map(|bits| (place(bits) - f64::from(x)).abs());
        Self(if here < there || here == there && towards_0.is_multiple_of(2) { towards_0 } else { towards_0 + 1 })
    }

    fn value(self) -> f32 {
        f32::from_bits(u32::from(self.0) << 16)
    }
}

/// Where number i of images of a shape stands.
fn place<E: Kept>(shape: Shape, i: usize) -> usize {
    let (plane, channels) = (shape.plane(), shape.channels);
    let (image, channel, pixel) = (i / plane / channels, i / plane % channels, i % plane);
    match E::STORAGE {
        Storage::F32 => i,
        Storage::Bf16 => (image * plane + pixel) * channels + channel,
    }
}

/// The nearest numbers to those in the reference's order, in that of the device.
pub(super) fn arranged<E: Kept>(shape: Shape, numbers: &[f32]) -> Vec<E> {
    let mut kept = vec![E::HUGE; numbers.len()];
    numbers.iter().enumerate().for_each(|(i, x)| kept[place::<E>(shape, i)] = E::nearest(*x));
    kept
}

/// The numbers in the reference's order, from that of the device.
pub(super) fn arranged_back<E: Kept>(shape: Shape, kept: &[E]) -> Vec<f32> {
    (0..kept.len()).map(|i| kept[place::<E>(shape, i)].value()).collect()
}

/// Memory with the nearest numbers to those in the reference's order.
pub(super) fn keep<E: Kept>(shape: Shape, numbers: &[f32]) -> Host<E> {
    Host::new(&arranged(shape, numbers), E::HUGE)
}

/// The numbers in the reference's order.
pub(super) fn values<E: Kept>(shape: Shape, kept: &Host<E>) -> Vec<f32> {
    arranged_back(shape, &kept.read())
}

/// What is left of numbers when they are kept.
pub(super) fn rounded<E: Kept>(numbers: &[f32]) -> Vec<f32> {
    numbers.iter().map(|x| E::nearest(*x).value()).collect()
}

/// A value's pixels do not matter where its numbers go one by one.
pub(super) const ONE: Shape = Shape { channels: 1, height: 1, width: 1 };

#[test]
fn numbers_go_to_the_nearest_in_bfloat16_and_of_two_to_the_even_one() {
    let mut numbers: Vec<f32> = Vec::new();
    for half in (0..=u16::MAX).step_by(7) {
        // The number itself, the middle between it and the next, and the neighbours of both.
        let bits = u32::from(half) << 16;
        let nearby = [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff];
        numbers.extend(nearby.map(|more| f32::from_bits(bits + more)));
    }
    numbers.extend([f32::MAX, f32::MIN, f32::INFINITY, f32::NEG_INFINITY, f32::from_bits(0x7f80_0001), 1.0, -0.0]);
    let n = numbers.len();
    let (x, y, back) = (single(&numbers), keep::<Bf16>(ONE, &vec![0.0; n]), single(&vec![0.0; n]));
    run(&to_bf16(ONE, x.view(), y.out(), false).expect("equal lengths"));
    run(&from_bf16(ONE, y.view(), back.out(), false).expect("equal lengths"));
    for ((x, seen), back) in numbers.iter().zip(y.read()).zip(back.read()) {
        let right = Bf16::nearest(*x);
        let is_right = if x.is_nan() { seen.value().is_nan() } else { seen == right };
        assert!(is_right, "{x:e} ({:x}) became {seen:?}, not {right:?}", x.to_bits());
        assert!(back.to_bits() == seen.value().to_bits() || x.is_nan());
    }
}

#[test]
fn conversions_change_the_order_and_may_add() {
    let shape = Shape { channels: 3, height: 2, width: 5 };
    let n = 4 * shape.len();
    let (x, y) = (numbers("x", n), numbers("y", n));
    let (narrow, wide) = (keep::<Bf16>(shape, &y), single(&y));
    let mut right = rounded::<Bf16>(&y);
    for accumulate in [true, false] {
        run(&to_bf16(shape, single(&x).view(), narrow.out(), accumulate).expect("lengths fit"));
        let sums = right.iter().zip(&x).map(|(y, x)| if accumulate { y + x } else { *x });
        right = rounded::<Bf16>(&sums.collect::<Vec<_>>());
        assert_same(&values(shape, &narrow), &right);
    }
    let mut right = y;
    for accumulate in [true, false] {
        run(&from_bf16(shape, narrow.view(), wide.out(), accumulate).expect("lengths fit"));
        let kept = values(shape, &narrow);
        right = right.iter().zip(kept).map(|(y, x)| if accumulate { y + x } else { x }).collect();
        assert_same(&wide.read(), &right);
    }
    assert!(to_bf16(shape, single(&[0.0; 4]).view(), keep::<Bf16>(ONE, &[0.0; 4]).out(), false).is_err());
    assert!(from_bf16(shape, narrow.view(), single(&vec![0.0; n - 1]).out(), false).is_err());
    let empty = from_bf16(Shape { channels: 0, ..shape }, narrow.view(), wide.out(), false);
    assert!(empty.expect_err("an empty shape").to_string().contains("a multiple of 0, not 0"));
}
