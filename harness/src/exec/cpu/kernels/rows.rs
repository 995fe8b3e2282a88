//! Work on every pixel of an image with a few numbers for every channel: batch norm and ReLU, and their like.

use super::simd::{InstructionSet, Kernel, Lanes, Numbers};

/// Pixels gone through before the next channels: several, so that the channels' numbers are read seldom, and few, so
/// that an image too large for the cache is read nearly from one end to the other.
pub(super) const PIXELS: usize = 4;

/// Some channels of every pixel, `pitch` numbers apart.
#[derive(Debug, Clone, Copy)]
pub(in crate::exec::cpu) struct Rows<'a, T> {
    pub(in crate::exec::cpu) numbers: &'a [T],
    pub(in crate::exec::cpu) pitch: usize,
}

/// Some channels of every pixel, to be written.
#[derive(Debug)]
pub(in crate::exec::cpu) struct RowsMut<'a, T> {
    pub(in crate::exec::cpu) numbers: &'a mut [T],
    pub(in crate::exec::cpu) pitch: usize,
}

/// How many there are.
#[derive(Debug, Clone, Copy)]
pub(in crate::exec::cpu) struct Extent {
    pub(in crate::exec::cpu) pixels: usize,
    pub(in crate::exec::cpu) channels: usize,
}

impl<'a, T> RowsMut<'a, T> {
    /// The same rows, lent out.
    pub(in crate::exec::cpu) fn lend(&mut self) -> RowsMut<'_, T> {
        RowsMut { numbers: self.numbers, pitch: self.pitch }
    }
}

impl Extent {
    pub(super) fn check(self, length: usize, pitch: usize) {
        assert!(self.pixels > 0 && self.channels <= pitch, "channels of a pixel");
        assert!((self.pixels - 1) * pitch + self.channels <= length, "pixels lie in their image");
    }
}

/// Calls `body(first pixel, pixels, first channel, channels)` for blocks of pixels × vectors of channels.
#[inline(always)]
fn for_blocks(extent: Extent, lanes: usize, mut body: impl FnMut(usize, usize, usize, usize)) {
    for pixel in (0..extent.pixels).step_by(PIXELS) {
        for channel in (0..extent.channels).step_by(lanes) {
            body(pixel, PIXELS.min(extent.pixels - pixel), channel, lanes.min(extent.channels - channel));
        }
    }
}

/// Every channel's y = scale·(x − mean) + shift, then max(y, 0) if `relu`. The mean is subtracted first, since little is
/// left of a channel far from 0 when two large numbers cancel.
#[derive(Debug, Clone, Copy)]
pub(in crate::exec::cpu) struct Affine<'a, T> {
    pub(in crate::exec::cpu) mean: &'a [T],
    pub(in crate::exec::cpu) scale: &'a [T],
    pub(in crate::exec::cpu) shift: &'a [T],
    pub(in crate::exec::cpu) relu: bool,
}

impl<T> Affine<'_, T> {
    pub(super) fn check(&self, extent: Extent) {
        assert!([self.mean, self.scale, self.shift].iter().all(|x| x.len() == extent.channels), "numbers a channel");
    }
}

/// y ← the affine function of x.
///
/// # Panics
/// Here and below: if the extents do not fit, an error of the caller, never of an input.
pub(in crate::exec::cpu) fn affine<T: Numbers>(
    set: InstructionSet,
    extent: Extent,
    f: Affine<'_, T>,
    x: Rows<'_, T>,
    y: RowsMut<'_, T>,
) {
    extent.check(x.numbers.len(), x.pitch);
    extent.check(y.numbers.len(), y.pitch);
    f.check(extent);
    set.run(Forward { extent, f, x, y });
}

struct Forward<'a, T> {
    extent: Extent,
    f: Affine<'a, T>,
    x: Rows<'a, T>,
    y: RowsMut<'a, T>,
}

impl<T: Numbers> Kernel for Forward<'_, T> {
    type Number = T;

    #[inline(always)]
    unsafe fn run<V: Lanes<Number = T>>(self) {
        let Self { extent, f, x, y } = self;
        let (from, to) = (x.numbers.as_ptr(), y.numbers.as_mut_ptr());
        for_blocks(extent, V::COUNT, |first, pixels, channel, channels| {
            // SAFETY: `affine` has compared the extents.
            unsafe {
                let scale = V::load_some(f.scale.as_ptr().add(channel), channels);
                let shift = V::load_some(f.shift.as_ptr().add(channel), channels);
                let mean = V::load_some(f.mean.as_ptr().add(channel), channels);
                for pixel in first..first + pixels {
                    let x = V::load_some(from.add(pixel * x.pitch + channel), channels);
                    let z = x.sub(mean).multiply_add(scale, shift);
                    let z = if f.relu { z.positive_part() } else { z };
                    z.store_some(to.add(pixel * y.pitch + channel), channels);
                }
            }
        });
    }
}

/// Every channel's slope·(x − mean) + offset: how a batch norm's moments pass gradient on to x.
#[derive(Debug, Clone, Copy)]
pub(in crate::exec::cpu) struct Trend<'a, T> {
    pub(in crate::exec::cpu) mean: &'a [T],
    pub(in crate::exec::cpu) slope: &'a [T],
    pub(in crate::exec::cpu) offset: &'a [T],
}

/// dx ← dx + the trend of x.
pub(in crate::exec::cpu) fn add_trend<T: Numbers>(
    set: InstructionSet,
    extent: Extent,
    trend: Trend<'_, T>,
    x: Rows<'_, T>,
    dx: RowsMut<'_, T>,
) {
    extent.check(x.numbers.len(), x.pitch);
    extent.check(dx.numbers.len(), dx.pitch);
    let Trend { mean, slope, offset } = trend;
    assert!([mean, slope, offset].iter().all(|numbers| numbers.len() == extent.channels), "numbers a channel");
    set.run(AddTrend { extent, trend, x, dx });
}

struct AddTrend<'a, T> {
    extent: Extent,
    trend: Trend<'a, T>,
    x: Rows<'a, T>,
    dx: RowsMut<'a, T>,
}

impl<T: Numbers> Kernel for AddTrend<'_, T> {
    type Number = T;

    #[inline(always)]
    unsafe fn run<V: Lanes<Number = T>>(self) {
        let Self { extent, trend, x, dx } = self;
        let to = dx.numbers.as_mut_ptr();
        for_blocks(extent, V::COUNT, |first, pixels, channel, channels| {
            // SAFETY: `add_trend` has compared the extents.
            unsafe {
                let mean = V::load_some(trend.mean.as_ptr().add(channel), channels);
                let slope = V::load_some(trend.slope.as_ptr().add(channel), channels);
                let offset = V::load_some(trend.offset.as_ptr().add(channel), channels);
                for pixel in first..first + pixels {
                    let x = V::load_some(x.numbers.as_ptr().add(pixel * x.pitch + channel), channels);
                    let to = to.add(pixel * dx.pitch + channel);
                    let before = V::load_some(to, channels);
                    x.sub(mean).multiply_add(slope, before.add(offset)).store_some(to, channels);
                }
            }
        });
    }
}

/// y ← y + x.
pub(in crate::exec::cpu) fn add<T: Numbers>(set: InstructionSet, extent: Extent, x: Rows<'_, T>, y: RowsMut<'_, T>) {
    extent.check(x.numbers.len(), x.pitch);
    extent.check(y.numbers.len(), y.pitch);
    set.run(Add { extent, x, y });
}

struct Add<'a, T> {
    extent: Extent,
    x: Rows<'a, T>,
    y: RowsMut<'a, T>,
}

impl<T: Numbers> Kernel for Add<'_, T> {
    type Number = T;

    #[inline(always)]
    unsafe fn run<V: Lanes<Number = T>>(self) {
        let Self { extent, x, y } = self;
        let to = y.numbers.as_mut_ptr();
        for_blocks(extent, V::COUNT, |first, pixels, channel, channels| {
            for pixel in first..first + pixels {
                // SAFETY: `add` has compared the extents.
                unsafe {
                    let x = V::load_some(x.numbers.as_ptr().add(pixel * x.pitch + channel), channels);
                    let to = to.add(pixel * y.pitch + channel);
                    V::load_some(to, channels).add(x).store_some(to, channels);
                }
            }
        });
    }
}

/// y ← x.
pub(in crate::exec::cpu) fn copy<T: Numbers>(extent: Extent, x: Rows<'_, T>, y: RowsMut<'_, T>) {
    extent.check(x.numbers.len(), x.pitch);
    extent.check(y.numbers.len(), y.pitch);
    let both_packed = x.pitch == extent.channels && y.pitch == extent.channels;
    let (runs, length) =
        if both_packed { (1, extent.pixels * extent.channels) } else { (extent.pixels, extent.channels) };
    for run in 0..runs {
        y.numbers[run * y.pitch..][..length].copy_from_slice(&x.numbers[run * x.pitch..][..length]);
    }
}
