//! Winograd's F(2×2, 3×3): four results of a 3×3 convolution from sixteen products of channels instead of 36.
//!
//! With d the 4×4 pixels that a tile of 2×2 results y is made of, and g a kernel, both of one channel,
//! y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, where
//!
//! ```text
//!      1  0 −1  0          1   0   0         1  0
//! Bᵀ = 0  1  1  0      G = ½   ½   ½     A = 1  1
//!      0 −1  1  0          ½  −½   ½         1 −1
//!      0  1  0 −1          0   0   1         0 −1
//! ```
//!
//! Sums over channels are taken between the transforms, so each of the sixteen *positions* is a matrix product of its
//! own. Turned round, the gradient with respect to g is Gᵀ[(A dy Aᵀ) ⊙ (Bᵀ d B)]G, and sums over tiles and images are
//! taken before Gᵀ and G. Bᵀ and A have no entry but 0 and ±1, so little is lost to rounding. (Lavin and Gray 2015,
//! arXiv:1509.09308.)

use super::correlate::{Packed, blocks};
use super::rows::{Rows, RowsMut};
use super::simd::{InstructionSet, Kernel, Lanes, Numbers};

/// Products that a tile takes a channel.
pub(in crate::exec::cpu) const POSITIONS: usize = 16;

/// Some rows of tiles of an image, and where their transformed numbers lie: position by position, tile by tile, channel
/// by channel.
#[derive(Debug, Clone, Copy)]
pub(in crate::exec::cpu) struct Tiles {
    /// Rows and columns of tiles.
    pub(in crate::exec::cpu) rows: usize,
    pub(in crate::exec::cpu) columns: usize,
    pub(in crate::exec::cpu) channels: usize,
    /// From the transformed numbers of one position to those of the next.
    pub(in crate::exec::cpu) position_step: usize,
}

impl Tiles {
    /// How many there are.
    pub(in crate::exec::cpu) fn count(&self) -> usize {
        self.rows * self.columns
    }

    fn check(&self, transformed: usize) {
        assert!(self.count() > 0 && self.channels > 0, "there are tiles");
        let last = (POSITIONS - 1) * self.position_step + self.count() * self.channels;
        assert!(last <= transformed, "transformed numbers lie in their place");
    }

    /// Calls `visit(row, first channel, channels)` for all rows of tiles and vectors of channels.
    #[inline(always)]
    fn for_rows(&self, lanes: usize, mut visit: impl FnMut(usize, usize, usize)) {
        for row in 0..self.rows {
            for channel in (0..self.channels).step_by(lanes) {
                visit(row, channel, lanes.min(self.channels - channel));
            }
        }
    }
}

/// Pixels of a part of an image, of which the tiles may cover more on the right and below.
#[derive(Debug, Clone, Copy)]
pub(in crate::exec::cpu) struct Cut {
    pub(in crate::exec::cpu) height: usize,
    pub(in crate::exec::cpu) width: usize,
}

impl Cut {
    fn check(self, tiles: &Tiles, length: usize, pitch: usize) {
        let covers = |pixels: usize, tiles: usize| pixels > 0 && pixels.div_ceil(2) <= tiles;
        assert!(covers(self.height, tiles.rows) && covers(self.width, tiles.columns), "tiles cover the pixels");
        assert!(tiles.channels <= pitch, "channels of a pixel");
        assert!((self.height * self.width - 1) * pitch + tiles.channels <= length, "pixels lie in their image");
    }

    /// The place of a tile's pixel, counted in pixels, if the image has it.
    #[inline(always)]
    fn place(self, [row, column]: [usize; 2], [down, right]: [usize; 2]) -> Option<usize> {
        let (y, x) = (2 * row + down, 2 * column + right);
        (y < self.height && x < self.width).then_some(y * self.width + x)
    }
}

/// Four vectors, `step` numbers apart.
///
/// Like the functions below, a function and no closure: what is inlined by force is compiled for V's instructions.
///
/// # Safety
/// The processor has V's instructions; `channels` numbers lie at each of the places.
#[inline(always)]
unsafe fn load_four<V: Lanes>(from: *const V::Number, step: usize, channels: usize) -> [V; 4] {
    // SAFETY: as the caller vouches.
    unsafe {
        [
            V::load_some(from, channels),
            V::load_some(from.add(step), channels),
            V::load_some(from.add(2 * step), channels),
            V::load_some(from.add(3 * step), channels),
        ]
    }
}

/// Bᵀ times a column.
///
/// # Safety
/// The processor has V's instructions; so below.
#[inline(always)]
unsafe fn by_b<V: Lanes>([a, b, c, d]: [V; 4]) -> [V; 4] {
    // SAFETY: as the caller vouches.
    unsafe { [a.sub(c), b.add(c), c.sub(b), b.sub(d)] }
}

/// Aᵀ times a column.
#[inline(always)]
unsafe fn by_a<V: Lanes>([a, b, c, d]: [V; 4]) -> [V; 2] {
    // SAFETY: as the caller vouches.
    unsafe { [a.add(b).add(c), b.sub(c).sub(d)] }
}

/// A times a column.
#[inline(always)]
unsafe fn along_a<V: Lanes>([a, b]: [V; 2]) -> [V; 4] {
    // SAFETY: as the caller vouches.
    unsafe { [a, a.add(b), a.sub(b), V::splat(V::Number::default()).sub(b)] }
}

/// G times a column.
#[inline(always)]
unsafe fn along_g<V: Lanes>([a, b, c]: [V; 3], half: V, zero: V) -> [V; 4] {
    // SAFETY: as the caller vouches.
    unsafe {
        let ends = a.add(c);
        [a, ends.add(b).multiply_add(half, zero), ends.sub(b).multiply_add(half, zero), c]
    }
}

/// Gᵀ times a column.
#[inline(always)]
unsafe fn by_g<V: Lanes>([a, b, c, d]: [V; 4], half: V, zero: V) -> [V; 3] {
    // SAFETY: as the caller vouches.
    unsafe {
        let sum = b.add(c);
        [sum.multiply_add(half, a), b.sub(c).multiply_add(half, zero), sum.multiply_add(half, d)]
    }
}

/// v ← Bᵀ d B of every tile's pixels d. The image has two rows more than tiles cover, of two packed pixels more.
///
/// # Panics
/// Here and below: if the extents do not fit, an error of the caller, never of an input.
pub(in crate::exec::cpu) fn transform_pixels<T: Numbers>(set: InstructionSet, tiles: Tiles, x: &[T], v: &mut [T]) {
    tiles.check(v.len());
    assert!((2 * tiles.rows + 2) * (2 * tiles.columns + 2) * tiles.channels <= x.len(), "pixels lie in their image");
    set.run(Pixels { tiles, x, v });
}

struct Pixels<'a, T> {
    tiles: Tiles,
    x: &'a [T],
    v: &'a mut [T],
}

impl<T: Numbers> Kernel for Pixels<'_, T> {
    type Number = T;

    #[inline(always)]
    unsafe fn run<V: Lanes<Number = T>>(self) {
        let Self { tiles, x, v } = self;
        let Tiles { columns, channels: pitch, position_step, .. } = tiles;
        let pixels = 2 * columns + 2;
        tiles.for_rows(V::COUNT, |row, channel, channels| {
            // SAFETY: `transform_pixels` has compared the extents.
            unsafe {
                let x = x.as_ptr().add(2 * row * pixels * pitch + channel);
                let v = v.as_mut_ptr().add(row * columns * pitch + channel);
                let below = pixels * pitch;
                let mut first = by_b::<V>(load_four(x, below, channels));
                let mut second = by_b::<V>(load_four(x.add(pitch), below, channels));
                for column in 0..columns {
                    let x = x.add((2 * column + 2) * pitch);
                    let third = by_b::<V>(load_four(x, below, channels));
                    let fourth = by_b::<V>(load_four(x.add(pitch), below, channels));
                    for row in 0..4 {
                        let numbers = by_b([first[row], second[row], third[row], fourth[row]]);
                        for (position, number) in numbers.into_iter().enumerate() {
                            let to = v.add((4 * row + position) * position_step + column * pitch);
                            number.store_some(to, channels);
                        }
                    }
                    (first, second) = (third, fourth);
                }
            }
        });
    }
}

/// y ← Aᵀ m A of every tile's sums m, or y ← y + it.
pub(in crate::exec::cpu) fn transform_sums<T: Numbers>(
    set: InstructionSet,
    tiles: Tiles,
    m: &[T],
    cut: Cut,
    y: RowsMut<'_, T>,
    add: bool,
) {
    tiles.check(m.len());
    cut.check(&tiles, y.numbers.len(), y.pitch);
    set.run(Sums { tiles, m, cut, y, add });
}

struct Sums<'a, T> {
    tiles: Tiles,
    m: &'a [T],
    cut: Cut,
    y: RowsMut<'a, T>,
    add: bool,
}

impl<T: Numbers> Kernel for Sums<'_, T> {
    type Number = T;

    #[inline(always)]
    unsafe fn run<V: Lanes<Number = T>>(self) {
        let Self { tiles, m, cut, y, add } = self;
        let to = y.numbers.as_mut_ptr();
        tiles.for_rows(V::COUNT, |row, channel, channels| {
            for column in 0..tiles.columns {
                // SAFETY: `transform_sums` has compared the extents.
                unsafe {
                    let m = m.as_ptr().add((row * tiles.columns + column) * tiles.channels + channel);
                    let below = 4 * tiles.position_step;
                    let first = by_a::<V>(load_four(m, below, channels));
                    let second = by_a::<V>(load_four(m.add(tiles.position_step), below, channels));
                    let third = by_a::<V>(load_four(m.add(2 * tiles.position_step), below, channels));
                    let fourth = by_a::<V>(load_four(m.add(3 * tiles.position_step), below, channels));
                    for down in 0..2 {
                        let sums = by_a([first[down], second[down], third[down], fourth[down]]);
                        for (right, mut sum) in sums.into_iter().enumerate() {
                            let Some(pixel) = cut.place([row, column], [down, right]) else { continue };
                            let to = to.add(pixel * y.pitch + channel);
                            if add {
                                sum = sum.add(V::load_some(to, channels));
                            }
                            sum.store_some(to, channels);
                        }
                    }
                }
            }
        });
    }
}

/// z ← A dy Aᵀ of every tile's gradients dy, which are 0 outside the image.
pub(in crate::exec::cpu) fn transform_gradients<T: Numbers>(
    set: InstructionSet,
    tiles: Tiles,
    cut: Cut,
    dy: Rows<'_, T>,
    z: &mut [T],
) {
    tiles.check(z.len());
    cut.check(&tiles, dy.numbers.len(), dy.pitch);
    set.run(Gradients { tiles, cut, dy, z });
}

struct Gradients<'a, T> {
    tiles: Tiles,
    cut: Cut,
    dy: Rows<'a, T>,
    z: &'a mut [T],
}

impl<T: Numbers> Kernel for Gradients<'_, T> {
    type Number = T;

    #[inline(always)]
    unsafe fn run<V: Lanes<Number = T>>(self) {
        let Self { tiles, cut, dy, z } = self;
        let from = dy.numbers.as_ptr();
        tiles.for_rows(V::COUNT, |row, channel, channels| {
            for column in 0..tiles.columns {
                // SAFETY: `transform_gradients` has compared the extents.
                unsafe {
                    let z = z.as_mut_ptr().add((row * tiles.columns + column) * tiles.channels + channel);
                    let mut slopes = [[V::splat(T::zero()); 2]; 2];
                    for (right, slopes) in slopes.iter_mut().enumerate() {
                        for (down, slope) in slopes.iter_mut().enumerate() {
                            if let Some(pixel) = cut.place([row, column], [down, right]) {
                                *slope = V::load_some(from.add(pixel * dy.pitch + channel), channels);
                            }
                        }
                    }
                    let (left, right) = (along_a(slopes[0]), along_a(slopes[1]));
                    for row in 0..4 {
                        let numbers = along_a([left[row], right[row]]);
                        for (position, number) in numbers.into_iter().enumerate() {
                            number.store_some(z.add((4 * row + position) * tiles.position_step), channels);
                        }
                    }
                }
            }
        });
    }
}

/// Where the 3×3 kernels of outputs and inputs lie among the weights, and whether they are turned round.
#[derive(Debug, Clone, Copy)]
pub(in crate::exec::cpu) struct KernelOrder {
    /// From the kernel of one output to that of the next.
    pub(in crate::exec::cpu) output_step: usize,
    /// From the kernel of one input to that of the next.
    pub(in crate::exec::cpu) input_step: usize,
    pub(in crate::exec::cpu) turned: bool,
}

/// Numbers in a 3×3 kernel.
const TAPS: usize = 9;

/// Outputs whose kernels are transformed side by side.
const MOST: usize = 16 * InstructionSet::WIDEST_TILE;

/// Fills in G g Gᵀ of all kernels g, position by position: the weights of [`POSITIONS`] products.
pub(in crate::exec::cpu) fn transform_kernels<T: Numbers>(
    weight: &[T],
    order: KernelOrder,
    packed: &mut [Packed<T>; POSITIONS],
) {
    let (depth, outputs) = (packed[0].depth(), packed[0].outputs());
    assert!(packed.iter().all(|packed| (packed.depth(), packed.outputs()) == (depth, outputs)), "sixteen alike");
    let last = (outputs - 1) * order.output_step + (depth - 1) * order.input_step + TAPS;
    assert!(last <= weight.len(), "kernels lie among the weights");
    packed[0].set().run(TransformKernels { weight, order, packed });
}

struct TransformKernels<'a, T> {
    weight: &'a [T],
    order: KernelOrder,
    packed: &'a mut [Packed<T>; POSITIONS],
}

impl<T: Numbers> Kernel for TransformKernels<'_, T> {
    type Number = T;

    #[inline(always)]
    unsafe fn run<V: Lanes<Number = T>>(self) {
        let Self { weight, order, packed } = self;
        let (depth, outputs) = (packed[0].depth(), packed[0].outputs());
        let (mut at, mut output) = (0, 0);
        let mut taps = [[T::zero(); MOST]; TAPS];
        for vectors in blocks(outputs.div_ceil(V::COUNT)) {
            let width = (vectors * V::COUNT).min(outputs - output);
            for input in 0..depth {
                for (tap, lanes) in taps.iter_mut().enumerate() {
                    let tap = if order.turned { TAPS - 1 - tap } else { tap };
                    for (lane, number) in lanes[..width].iter_mut().enumerate() {
                        *number = weight[(output + lane) * order.output_step + input * order.input_step + tap];
                    }
                }
                for lane in (0..width).step_by(V::COUNT) {
                    // SAFETY: the processor has V's instructions; a vector lies within the taps' lanes, and within the
                    // packed numbers, which are whole vectors.
                    unsafe {
                        let (half, zero) = (V::splat(T::from_f64(0.5)), V::splat(T::zero()));
                        let mut columns = [[zero; 4]; 3];
                        for (right, column) in columns.iter_mut().enumerate() {
                            let [a, b, c] = [&taps[right], &taps[3 + right], &taps[6 + right]];
                            let [a, b, c] = [a.as_ptr().add(lane), b.as_ptr().add(lane), c.as_ptr().add(lane)];
                            *column = along_g([V::load(a), V::load(b), V::load(c)], half, zero);
                        }
                        for row in 0..4 {
                            let numbers = along_g([columns[0][row], columns[1][row], columns[2][row]], half, zero);
                            for (position, number) in numbers.into_iter().enumerate() {
                                let to = &mut packed[4 * row + position].numbers_mut()[at + lane..][..V::COUNT];
                                number.store(to.as_mut_ptr());
                            }
                        }
                    }
                }
                at += vectors * V::COUNT;
            }
            output += width;
        }
    }
}

/// g ← g + Gᵀ m G for the kernels g of some outputs from `first` on: `gradient` holds all inputs' kernels of one output
/// after those of another, and `sums` position by position, input by input, the numbers of all `outputs`.
pub(in crate::exec::cpu) fn add_kernel_gradients<T: Numbers>(
    set: InstructionSet,
    sums: &[T],
    [inputs, outputs]: [usize; 2],
    first: usize,
    gradient: &mut [T],
) {
    assert_eq!(sums.len(), POSITIONS * inputs * outputs, "sums of every position");
    assert_eq!(gradient.len() % (inputs * TAPS), 0, "whole outputs");
    assert!(first + gradient.len() / (inputs * TAPS) <= outputs, "outputs");
    set.run(KernelGradients { sums, outputs, first, gradient, inputs });
}

struct KernelGradients<'a, T> {
    sums: &'a [T],
    outputs: usize,
    first: usize,
    gradient: &'a mut [T],
    inputs: usize,
}

impl<T: Numbers> Kernel for KernelGradients<'_, T> {
    type Number = T;

    #[inline(always)]
    unsafe fn run<V: Lanes<Number = T>>(self) {
        let Self { sums, outputs, first, gradient, inputs } = self;
        let length = inputs * TAPS;
        let mut kernels = [[T::zero(); 16]; TAPS];
        for (block, gradient) in gradient.chunks_mut(V::COUNT * length).enumerate() {
            let (output, lanes) = (first + block * V::COUNT, gradient.len() / length);
            for input in 0..inputs {
                // SAFETY: the processor has V's instructions, `add_kernel_gradients` has compared the extents, and a
                // vector has no more than 16 lanes.
                unsafe {
                    let (half, zero) = (V::splat(T::from_f64(0.5)), V::splat(T::zero()));
                    let step = inputs * outputs;
                    let mut columns = [[zero; 3]; 4];
                    for (right, column) in columns.iter_mut().enumerate() {
                        let from = sums.as_ptr().add(right * step + input * outputs + output);
                        *column = by_g(load_four(from, 4 * step, lanes), half, zero);
                    }
                    for row in 0..3 {
                        let taps = [columns[0][row], columns[1][row], columns[2][row], columns[3][row]];
                        let numbers = by_g(taps, half, zero);
                        for (tap, number) in numbers.into_iter().enumerate() {
                            number.store(kernels[3 * row + tap].as_mut_ptr());
                        }
                    }
                }
                for (lane, gradient) in gradient.chunks_exact_mut(length).enumerate() {
                    let to = gradient[input * TAPS..][..TAPS].iter_mut().zip(&kernels);
                    to.for_each(|(to, numbers)| *to += numbers[lane]);
                }
            }
        }
    }
}
