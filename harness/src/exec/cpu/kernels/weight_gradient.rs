//! The gradient of a convolution with respect to its kernels: sums over pixels of windows times output gradients.

use super::correlate::Windows;
use super::simd::{InstructionSet, Kernel, Lanes, Numbers};

/// Pixels gone through at a time: few enough that windows and gradients stay in the nearest cache.
const PIXELS: usize = 128;

/// dw ← dw + Σ over windows of (window of x) × (dy of its pixel); dw lies window number by window number.
///
/// # Panics
/// If the extents do not fit: an error of the caller, never of an input.
pub(in crate::exec::cpu) fn add_weight_gradient<T: Numbers>(
    set: InstructionSet,
    windows: Windows,
    x: &[T],
    dy: Gradients<'_, T>,
    dw: &mut [T],
) {
    assert!(windows.end() <= x.len(), "windows lie in the image");
    let last = (windows.images - 1) * dy.image_step + (windows.pixels() - 1) * dy.pitch;
    assert!(last + dy.channels <= dy.numbers.len(), "gradients lie in their image");
    assert_eq!(dw.len(), windows.depth() * dy.channels, "numbers in the kernels");
    set.run(WeightGradient { windows, x, dy, dw });
}

/// Gradients of images of results: pixels `pitch` numbers apart.
#[derive(Debug, Clone, Copy)]
pub(in crate::exec::cpu) struct Gradients<'a, T> {
    pub(in crate::exec::cpu) numbers: &'a [T],
    pub(in crate::exec::cpu) pitch: usize,
    /// From one image to the next.
    pub(in crate::exec::cpu) image_step: usize,
    pub(in crate::exec::cpu) channels: usize,
}

struct WeightGradient<'a, T> {
    windows: Windows,
    x: &'a [T],
    dy: Gradients<'a, T>,
    dw: &'a mut [T],
}

impl<T: Numbers> Kernel for WeightGradient<'_, T> {
    type Number = T;

    #[inline(always)]
    unsafe fn run<V: Lanes<Number = T>>(self) {
        let Self { windows, x, dy, dw } = self;
        let rows = (PIXELS / windows.columns).clamp(1, windows.rows);
        for top in (0..windows.rows).step_by(rows) {
            let mut output = 0;
            while output < dy.channels {
                let left = (dy.channels - output).div_ceil(V::COUNT);
                let vectors = left.min(if left == 4 { 2 } else { InstructionSet::WIDEST_TILE });
                let strip = Strip {
                    windows: &windows,
                    rows: rows.min(windows.rows - top),
                    pitch: dy.pitch,
                    image_step: dy.image_step,
                    outputs: dy.channels,
                    last: (dy.channels - output).min(vectors * V::COUNT) - (vectors - 1) * V::COUNT,
                };
                // SAFETY: `add_weight_gradient` has compared the extents.
                unsafe {
                    let x = x.as_ptr().add(top * windows.row_step);
                    let dy = dy.numbers.as_ptr().add(top * windows.columns * dy.pitch + output);
                    let dw = dw.as_mut_ptr().add(output);
                    match vectors {
                        1 => strip.window::<V, 1, 16>(x, dy, dw),
                        2 => strip.window::<V, 2, 8>(x, dy, dw),
                        _ => strip.window::<V, 3, 8>(x, dy, dw),
                    }
                }
                output += vectors * V::COUNT;
            }
        }
    }
}

/// Some rows of windows of all images and a block of outputs.
struct Strip<'a> {
    windows: &'a Windows,
    rows: usize,
    pitch: usize,
    image_step: usize,
    outputs: usize,
    /// Numbers in the last vector of outputs.
    last: usize,
}

impl Strip<'_> {
    /// All numbers of the window, MOST at a time where so many are left in a row of it.
    ///
    /// # Safety
    /// As [`add_weight_gradient`] checks.
    #[inline(always)]
    unsafe fn window<V: Lanes, const VECTORS: usize, const MOST: usize>(
        &self,
        x: *const V::Number,
        dy: *const V::Number,
        dw: *mut V::Number,
    ) {
        let windows = self.windows;
        for tap in 0..windows.taps {
            let mut index = 0;
            while index < windows.span {
                let left = windows.span - index;
                // SAFETY: numbers `index` to `index + left` of this row of a window exist.
                unsafe {
                    let x = x.add(tap * windows.tap_step + index);
                    let dw = dw.add((tap * windows.span + index) * self.outputs);
                    if left >= MOST {
                        self.sums::<V, VECTORS, MOST>(x, dy, dw);
                        index += MOST;
                    } else if left >= 4 {
                        self.sums::<V, VECTORS, 4>(x, dy, dw);
                        index += 4;
                    } else {
                        self.sums::<V, VECTORS, 1>(x, dy, dw);
                        index += 1;
                    }
                }
            }
        }
    }

    /// NUMBERS numbers of the window side by side.
    ///
    /// # Safety
    /// So many numbers of every window lie from x on, and their kernels' from dw on.
    #[inline(always)]
    unsafe fn sums<V: Lanes, const VECTORS: usize, const NUMBERS: usize>(
        &self,
        x: *const V::Number,
        dy: *const V::Number,
        dw: *mut V::Number,
    ) {
        let count = |vector| if vector + 1 == VECTORS { self.last } else { V::COUNT };
        // SAFETY: as the caller vouches; `last` numbers of the last vector are outputs.
        unsafe {
            let mut sums = [[V::splat(V::Number::default()); VECTORS]; NUMBERS];
            for (image, row) in (0..self.windows.images).flat_map(|image| (0..self.rows).map(move |row| (image, row))) {
                let mut x = x.add(image * self.windows.image_step + row * self.windows.row_step);
                let mut dy = dy.add(image * self.image_step + row * self.windows.columns * self.pitch);
                for _ in 0..self.windows.columns {
                    let slopes: [V; VECTORS] =
                        std::array::from_fn(|vector| V::load_first(dy.add(vector * V::COUNT), count(vector)));
                    for (number, sums) in sums.iter_mut().enumerate() {
                        let value = V::splat(*x.add(number));
                        for (sum, slope) in sums.iter_mut().zip(slopes) {
                            *sum = value.multiply_add(slope, *sum);
                        }
                    }
                    // Past the last pixel these point nowhere, and are not read.
                    x = x.wrapping_add(self.windows.step);
                    dy = dy.wrapping_add(self.pitch);
                }
            }
            for (number, sums) in sums.into_iter().enumerate() {
                for (vector, sum) in sums.into_iter().enumerate() {
                    let dw = dw.add(number * self.outputs + vector * V::COUNT);
                    sum.add(V::load_first(dw, count(vector))).store_first(dw, count(vector));
                }
            }
        }
    }
}
