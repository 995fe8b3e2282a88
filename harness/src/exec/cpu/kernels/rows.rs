//! Work on every pixel of an image with a few numbers for every channel: batch norm and ReLU, both ways.
//!
//! Every kernel goes down the pixels a vector of channels at a time, so that the channels' numbers stay in registers.

use super::simd::{InstructionSet, Kernel, Lanes, Numbers, add_to};

/// Pixels gone through before the next channels: few enough to stay in the nearest cache, and few enough for sums in
/// single precision, which then go into sums in double precision.
const BLOCK: usize = 64;

/// Sums kept side by side, so that one addition need not wait for the last.
const CHAINS: usize = 4;

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
    fn check(self, length: usize, pitch: usize) {
        assert!(self.pixels > 0 && self.channels <= pitch, "channels of a pixel");
        assert!((self.pixels - 1) * pitch + self.channels <= length, "pixels lie in their image");
    }
}

/// Calls `body(first pixel, pixels, first channel, channels)` for blocks of pixels × vectors of channels.
#[inline(always)]
fn for_blocks(extent: Extent, lanes: usize, mut body: impl FnMut(usize, usize, usize, usize)) {
    for pixel in (0..extent.pixels).step_by(BLOCK) {
        for channel in (0..extent.channels).step_by(lanes) {
            body(pixel, BLOCK.min(extent.pixels - pixel), channel, lanes.min(extent.channels - channel));
        }
    }
}

/// Every channel's y = scale·x + shift, then max(y, 0) if `relu`.
#[derive(Debug, Clone, Copy)]
pub(in crate::exec::cpu) struct Affine<'a, T> {
    pub(in crate::exec::cpu) scale: &'a [T],
    pub(in crate::exec::cpu) shift: &'a [T],
    pub(in crate::exec::cpu) relu: bool,
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
    assert!(f.scale.len() == extent.channels && f.shift.len() == extent.channels, "numbers a channel");
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
                let scale = V::load_first(f.scale.as_ptr().add(channel), channels);
                let shift = V::load_first(f.shift.as_ptr().add(channel), channels);
                for pixel in first..first + pixels {
                    let x = V::load_first(from.add(pixel * x.pitch + channel), channels);
                    let z = x.multiply_add(scale, shift);
                    let z = if f.relu { z.positive_part() } else { z };
                    z.store_first(to.add(pixel * y.pitch + channel), channels);
                }
            }
        });
    }
}

/// Adds every channel's Σx to the first half of `sums`, and its Σx² to the second.
pub(in crate::exec::cpu) fn add_moments<T: Numbers>(
    set: InstructionSet,
    extent: Extent,
    x: Rows<'_, T>,
    sums: &mut [f64],
) {
    extent.check(x.numbers.len(), x.pitch);
    assert_eq!(sums.len(), 2 * extent.channels, "two sums a channel");
    set.run(Moments { extent, x, sums });
}

struct Moments<'a, T> {
    extent: Extent,
    x: Rows<'a, T>,
    sums: &'a mut [f64],
}

impl<T: Numbers> Kernel for Moments<'_, T> {
    type Number = T;

    #[inline(always)]
    unsafe fn run<V: Lanes<Number = T>>(self) {
        let Self { extent, x, sums } = self;
        let (first_sums, second_sums) = sums.split_at_mut(extent.channels);
        let from = x.numbers.as_ptr();
        for_blocks(extent, V::COUNT, |first, pixels, channel, channels| {
            // SAFETY: `add_moments` has compared the extents.
            unsafe {
                let mut total = Chains::<V>::new();
                for pixel in 0..pixels {
                    let x = V::load_first(from.add((first + pixel) * x.pitch + channel), channels);
                    total.add(pixel, x, x);
                }
                total.finish(
                    &mut first_sums[channel..channel + channels],
                    &mut second_sums[channel..channel + channels],
                );
            }
        });
    }
}

/// Sums Σa and Σab, in several chains.
struct Chains<V> {
    first: [V; CHAINS],
    second: [V; CHAINS],
}

/// # Safety
/// Of every method: the processor has the instructions of V.
impl<V: Lanes> Chains<V> {
    #[inline(always)]
    unsafe fn new() -> Self {
        // SAFETY: as the caller vouches.
        let zeros = [unsafe { V::splat(V::Number::default()) }; CHAINS];
        Self { first: zeros, second: zeros }
    }

    #[inline(always)]
    unsafe fn add(&mut self, index: usize, a: V, b: V) {
        let chain = index % CHAINS;
        // SAFETY: as the caller vouches.
        unsafe {
            self.first[chain] = self.first[chain].add(a);
            self.second[chain] = a.multiply_add(b, self.second[chain]);
        }
    }

    #[inline(always)]
    unsafe fn finish(self, first: &mut [f64], second: &mut [f64]) {
        let ([a, b, c, d], [e, f, g, h]) = (self.first, self.second);
        // SAFETY: as the caller vouches.
        unsafe {
            add_to(a.add(b).add(c.add(d)), first);
            add_to(e.add(f).add(g.add(h)), second);
        }
    }
}

/// Back through batch norm and perhaps ReLU: with z = scale·x + shift, and dz = dy where z > 0 or everywhere, adds
/// every channel's Σdz and Σdz·(x − mean) to the halves of `sums`, and writes or adds scale·dz to dx.
pub(in crate::exec::cpu) fn affine_backward<T: Numbers>(
    set: InstructionSet,
    extent: Extent,
    f: Affine<'_, T>,
    mean: &[T],
    [x, dy]: [Rows<'_, T>; 2],
    dx: Option<(RowsMut<'_, T>, bool)>,
    sums: &mut [f64],
) {
    for rows in [x, dy] {
        extent.check(rows.numbers.len(), rows.pitch);
    }
    if let Some((dx, _)) = &dx {
        extent.check(dx.numbers.len(), dx.pitch);
    }
    assert_eq!(sums.len(), 2 * extent.channels, "two sums a channel");
    assert!([f.scale, f.shift, mean].iter().all(|numbers| numbers.len() == extent.channels), "numbers a channel");
    set.run(Backward { extent, f, mean, x, dy, dx, sums });
}

struct Backward<'a, T> {
    extent: Extent,
    f: Affine<'a, T>,
    mean: &'a [T],
    x: Rows<'a, T>,
    dy: Rows<'a, T>,
    dx: Option<(RowsMut<'a, T>, bool)>,
    sums: &'a mut [f64],
}

impl<T: Numbers> Kernel for Backward<'_, T> {
    type Number = T;

    #[inline(always)]
    unsafe fn run<V: Lanes<Number = T>>(self) {
        let Self { extent, f, mean, x, dy, mut dx, sums } = self;
        let (first_sums, second_sums) = sums.split_at_mut(extent.channels);
        for_blocks(extent, V::COUNT, |first, pixels, channel, channels| {
            // SAFETY: `affine_backward` has compared the extents.
            unsafe {
                let scale = V::load_first(f.scale.as_ptr().add(channel), channels);
                let shift = V::load_first(f.shift.as_ptr().add(channel), channels);
                let mean = V::load_first(mean.as_ptr().add(channel), channels);
                let zero = V::splat(T::zero());
                let mut total = Chains::<V>::new();
                for pixel in 0..pixels {
                    let place = first + pixel;
                    let x = V::load_first(x.numbers.as_ptr().add(place * x.pitch + channel), channels);
                    let dy = V::load_first(dy.numbers.as_ptr().add(place * dy.pitch + channel), channels);
                    let dz = if f.relu { dy.where_positive(x.multiply_add(scale, shift)) } else { dy };
                    total.add(pixel, dz, x.sub(mean));
                    if let Some((dx, accumulate)) = &mut dx {
                        let to = dx.numbers.as_mut_ptr().add(place * dx.pitch + channel);
                        let before = if *accumulate { V::load_first(to, channels) } else { zero };
                        scale.multiply_add(dz, before).store_first(to, channels);
                    }
                }
                total.finish(
                    &mut first_sums[channel..channel + channels],
                    &mut second_sums[channel..channel + channels],
                );
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
                let mean = V::load_first(trend.mean.as_ptr().add(channel), channels);
                let slope = V::load_first(trend.slope.as_ptr().add(channel), channels);
                let offset = V::load_first(trend.offset.as_ptr().add(channel), channels);
                for pixel in first..first + pixels {
                    let x = V::load_first(x.numbers.as_ptr().add(pixel * x.pitch + channel), channels);
                    let to = to.add(pixel * dx.pitch + channel);
                    let before = V::load_first(to, channels);
                    x.sub(mean).multiply_add(slope, before.add(offset)).store_first(to, channels);
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
                    let x = V::load_first(x.numbers.as_ptr().add(pixel * x.pitch + channel), channels);
                    let to = to.add(pixel * y.pitch + channel);
                    V::load_first(to, channels).add(x).store_first(to, channels);
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
