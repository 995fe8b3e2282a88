//! Sums over the pixels of an image, channel by channel: the moments for batch norm, and its way back.
//!
//! Sums are in single precision over some pixels, and in double precision over those.

use super::rows::{Affine, Extent, PIXELS, Rows, RowsMut};
use super::simd::{InstructionSet, Kernel, Lanes, Numbers, add_to, doubles};

/// Pixels whose sums are in single precision: few enough to lose no digits that matter.
const BLOCK: usize = 64;

/// Vectors of channels whose sums are kept side by side.
const WIDTH: usize = 16;

/// Adds every channel's Σx to the first half of `sums`, and its Σx² to the second.
///
/// # Panics
/// Here and below: if the extents do not fit, an error of the caller, never of an input.
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

/// Calls `body(first pixel, pixels, first channel, channels)` for blocks of pixels × several vectors of channels.
#[inline(always)]
fn for_blocks(extent: Extent, lanes: usize, mut body: impl FnMut(usize, usize, usize, usize)) {
    let width = WIDTH * lanes;
    for pixel in (0..extent.pixels).step_by(BLOCK) {
        for channel in (0..extent.channels).step_by(width) {
            body(pixel, BLOCK.min(extent.pixels - pixel), channel, width.min(extent.channels - channel));
        }
    }
}

impl<T: Numbers> Kernel for Moments<'_, T> {
    type Number = T;

    #[inline(always)]
    unsafe fn run<V: Lanes<Number = T>>(self) {
        let Self { extent, x, sums } = self;
        let (first_sums, second_sums) = sums.split_at_mut(extent.channels);
        for_blocks(extent, V::COUNT, |first, pixels, channel, channels| {
            // SAFETY: `add_moments` has compared the extents.
            unsafe {
                let from = x.numbers.as_ptr().add(first * x.pitch + channel);
                let zero = V::splat(T::zero());
                let mut totals = [[zero; 2]; WIDTH];
                for pixel in (0..pixels).step_by(PIXELS) {
                    for (vector, totals) in totals.iter_mut().enumerate().take(channels.div_ceil(V::COUNT)) {
                        let lane = vector * V::COUNT;
                        let lanes = V::COUNT.min(channels - lane);
                        // Sums of x − shift and its square, so that a mean large against the deviation costs no digits.
                        let shift = V::load_some(from.add(lane), lanes);
                        let mut sums = [zero; 2];
                        for pixel in pixel..pixels.min(pixel + PIXELS) {
                            let x = V::load_some(from.add(pixel * x.pitch + lane), lanes).sub(shift);
                            sums = [sums[0].add(x), x.multiply_add(x, sums[1])];
                        }
                        *totals = [totals[0].add(sums[0]), totals[1].add(sums[1])];
                    }
                }
                for (vector, totals) in totals.into_iter().enumerate().take(channels.div_ceil(V::COUNT)) {
                    let lane = vector * V::COUNT;
                    let lanes = V::COUNT.min(channels - lane);
                    let shift = doubles(V::load_some(from.add(lane), lanes));
                    let (first, second) = (doubles(totals[0]), doubles(totals[1]));
                    let channel = channel + lane;
                    let sums = first_sums[channel..].iter_mut().zip(&mut second_sums[channel..]).take(lanes);
                    for (lane, (first_sum, second_sum)) in sums.enumerate() {
                        let all = pixels as f64 * shift[lane];
                        *first_sum += first[lane] + all;
                        *second_sum += second[lane] + shift[lane] * (2.0 * first[lane] + all);
                    }
                }
            }
        });
    }
}

/// Back through batch norm and perhaps ReLU: with z = scale·(x − mean) + shift, and dz = dy where z > 0 or everywhere, adds
/// every channel's Σdz and Σdz·(x − mean) to the halves of `sums`, and writes or adds scale·dz to dx.
pub(in crate::exec::cpu) fn affine_backward<T: Numbers>(
    set: InstructionSet,
    extent: Extent,
    f: Affine<'_, T>,
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
    f.check(extent);
    set.run(Backward { extent, f, x, dy, dx, sums });
}

struct Backward<'a, T> {
    extent: Extent,
    f: Affine<'a, T>,
    x: Rows<'a, T>,
    dy: Rows<'a, T>,
    dx: Option<(RowsMut<'a, T>, bool)>,
    sums: &'a mut [f64],
}

impl<T: Numbers> Kernel for Backward<'_, T> {
    type Number = T;

    #[inline(always)]
    unsafe fn run<V: Lanes<Number = T>>(self) {
        let Self { extent, f, x, dy, mut dx, sums } = self;
        let (first_sums, second_sums) = sums.split_at_mut(extent.channels);
        for_blocks(extent, V::COUNT, |first, pixels, channel, channels| {
            // SAFETY: `affine_backward` has compared the extents.
            unsafe {
                let zero = V::splat(T::zero());
                let mut totals = [[zero; 2]; WIDTH];
                for pixel in (0..pixels).step_by(PIXELS) {
                    for (vector, totals) in totals.iter_mut().enumerate().take(channels.div_ceil(V::COUNT)) {
                        let lanes = V::COUNT.min(channels - vector * V::COUNT);
                        let channel = channel + vector * V::COUNT;
                        let scale = V::load_some(f.scale.as_ptr().add(channel), lanes);
                        let shift = V::load_some(f.shift.as_ptr().add(channel), lanes);
                        let mean = V::load_some(f.mean.as_ptr().add(channel), lanes);
                        let mut sums = [zero; 2];
                        for place in first + pixel..first + pixels.min(pixel + PIXELS) {
                            let x = V::load_some(x.numbers.as_ptr().add(place * x.pitch + channel), lanes).sub(mean);
                            let dy = V::load_some(dy.numbers.as_ptr().add(place * dy.pitch + channel), lanes);
                            let dz = if f.relu { dy.where_positive(x.multiply_add(scale, shift)) } else { dy };
                            sums = [sums[0].add(dz), dz.multiply_add(x, sums[1])];
                            if let Some((dx, accumulate)) = &mut dx {
                                let to = dx.numbers.as_mut_ptr().add(place * dx.pitch + channel);
                                let before = if *accumulate { V::load_some(to, lanes) } else { zero };
                                scale.multiply_add(dz, before).store_some(to, lanes);
                            }
                        }
                        *totals = [totals[0].add(sums[0]), totals[1].add(sums[1])];
                    }
                }
                for (vector, totals) in totals.into_iter().enumerate().take(channels.div_ceil(V::COUNT)) {
                    let lanes = V::COUNT.min(channels - vector * V::COUNT);
                    let channel = channel + vector * V::COUNT;
                    add_to(totals[0], &mut first_sums[channel..channel + lanes]);
                    add_to(totals[1], &mut second_sums[channel..channel + lanes]);
                }
            }
        });
    }
}
