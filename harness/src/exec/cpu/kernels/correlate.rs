//! Correlation of a padded image with a kernel: convolution forward, and backward to the image.
//!
//! A tile keeps the sums of a few pixels × a few vectors of outputs in registers while it goes through all taps and
//! input channels. Pixels lie channel by channel, so a row of taps is one contiguous stretch of the image.

use super::simd::{InstructionSet, Kernel, Lanes, Numbers};

/// Where the windows of a correlation lie in a padded image, in numbers from its beginning.
#[derive(Debug, Clone, Copy)]
pub(in crate::exec::cpu) struct Windows {
    /// Rows and columns of windows.
    pub(in crate::exec::cpu) rows: usize,
    pub(in crate::exec::cpu) columns: usize,
    /// From one row of windows to the next.
    pub(in crate::exec::cpu) row_step: usize,
    /// From one window to the next.
    pub(in crate::exec::cpu) step: usize,
    /// Rows of a window.
    pub(in crate::exec::cpu) taps: usize,
    /// From one row of a window to the next.
    pub(in crate::exec::cpu) tap_step: usize,
    /// Numbers in a row of a window.
    pub(in crate::exec::cpu) span: usize,
    /// Images, all with such windows, and from one image to the next.
    pub(in crate::exec::cpu) images: usize,
    pub(in crate::exec::cpu) image_step: usize,
}

impl Windows {
    /// Windows of single pixels that lie side by side.
    pub(in crate::exec::cpu) fn pixels_of(count: usize, channels: usize) -> Self {
        let (step, span) = (channels, channels);
        Self { rows: 1, columns: count, row_step: 0, step, taps: 1, tap_step: 0, span, images: 1, image_step: 0 }
    }

    /// One past the last number that a window covers.
    pub(super) fn end(&self) -> usize {
        let image = (self.images - 1) * self.image_step;
        let last = image + (self.rows - 1) * self.row_step + (self.columns - 1) * self.step;
        last + (self.taps - 1) * self.tap_step + self.span
    }

    /// Windows in an image.
    pub(in crate::exec::cpu) fn pixels(&self) -> usize {
        self.rows * self.columns
    }

    /// Numbers in a window.
    pub(in crate::exec::cpu) fn depth(&self) -> usize {
        self.taps * self.span
    }
}

/// Kernels in the order that [`correlate`] reads them: blocks of outputs, window by window number.
#[derive(Debug, Clone)]
pub(in crate::exec::cpu) struct Packed<T> {
    numbers: Vec<T>,
    depth: usize,
    outputs: usize,
    set: InstructionSet,
}

/// The vectors of every block of outputs: as wide as tiles may be, and as equal as can be.
pub(super) fn blocks(vectors: usize) -> impl Iterator<Item = usize> {
    let count = vectors.div_ceil(InstructionSet::WIDEST_TILE);
    (0..count).map(move |block| vectors / count + usize::from(block < vectors % count))
}

impl<T: Numbers> Packed<T> {
    /// Room for kernels of `depth` numbers for every one of `outputs` outputs.
    pub(in crate::exec::cpu) fn new(set: InstructionSet, depth: usize, outputs: usize) -> Self {
        let vectors = outputs.div_ceil(set.lanes::<T>());
        Self { numbers: vec![T::zero(); depth * vectors * set.lanes::<T>()], depth, outputs, set }
    }

    /// The instruction set whose vectors the kernels are packed for.
    pub(in crate::exec::cpu) fn set(&self) -> InstructionSet {
        self.set
    }

    /// Numbers in a kernel.
    pub(in crate::exec::cpu) fn depth(&self) -> usize {
        self.depth
    }

    /// How many kernels there are.
    pub(in crate::exec::cpu) fn outputs(&self) -> usize {
        self.outputs
    }

    pub(super) fn numbers_mut(&mut self) -> &mut [T] {
        &mut self.numbers
    }

    /// Fills in the kernels; `weight(i, o)` is number i of output o's.
    pub(in crate::exec::cpu) fn fill(&mut self, weight: impl Fn(usize, usize) -> T) {
        let lanes = self.set.lanes::<T>();
        let (mut at, mut output) = (0, 0);
        for vectors in blocks(self.outputs.div_ceil(lanes)) {
            let width = (vectors * lanes).min(self.outputs - output);
            for index in 0..self.depth {
                let row = &mut self.numbers[at..at + width];
                row.iter_mut().enumerate().for_each(|(lane, number)| *number = weight(index, output + lane));
                at += vectors * lanes;
            }
            output += width;
        }
    }
}

/// Images of results: pixels of a row `pitch` numbers apart.
#[derive(Debug)]
pub(in crate::exec::cpu) struct Results<'a, T> {
    pub(in crate::exec::cpu) numbers: &'a mut [T],
    pub(in crate::exec::cpu) pitch: usize,
    /// From one row to the next.
    pub(in crate::exec::cpu) row_step: usize,
    /// From one image to the next.
    pub(in crate::exec::cpu) image_step: usize,
    /// Whether results are added to what is there.
    pub(in crate::exec::cpu) add: bool,
}

/// y ← every window of x times every output's kernel.
///
/// # Panics
/// If the extents do not fit: an error of the caller, never of an input.
pub(in crate::exec::cpu) fn correlate<T: Numbers>(windows: Windows, x: &[T], weight: &Packed<T>, y: Results<'_, T>) {
    correlate_all(windows, [0, 0], x, std::slice::from_ref(weight), y);
}

/// The same with several sets of kernels of one size, each with an x and a y of its own, `steps` of them from the last.
///
/// # Panics
/// If the extents do not fit: an error of the caller, never of an input.
pub(in crate::exec::cpu) fn correlate_all<T: Numbers>(
    windows: Windows,
    steps: [usize; 2],
    x: &[T],
    weights: &[Packed<T>],
    y: Results<'_, T>,
) {
    let [first, others @ ..] = weights else { return };
    let windows = match (windows.columns * windows.step, windows.columns * y.pitch) {
        // Rows that follow one another at once are one row, which tiles fill better.
        (step, pitch) if windows.images == 1 && (step, pitch) == (windows.row_step, y.row_step) => {
            Windows { rows: 1, columns: windows.pixels(), ..windows }
        }
        _ => windows,
    };
    let alike = |other: &Packed<T>| (other.depth, other.outputs, other.set) == (first.depth, first.outputs, first.set);
    assert!(others.iter().all(alike), "kernels are of one size");
    assert!(others.len() * steps[0] + windows.end() <= x.len(), "windows lie in the image");
    let last = (windows.images - 1) * y.image_step + (windows.rows - 1) * y.row_step + (windows.columns - 1) * y.pitch;
    assert!(others.len() * steps[1] + last + first.outputs <= y.numbers.len(), "results lie in their image");
    assert_eq!(windows.depth(), first.depth, "numbers in a window");
    first.set.run(Correlate { windows, steps, x, weights, y });
}

struct Correlate<'a, T> {
    windows: Windows,
    steps: [usize; 2],
    x: &'a [T],
    weights: &'a [Packed<T>],
    y: Results<'a, T>,
}

impl<T: Numbers> Kernel for Correlate<'_, T> {
    type Number = T;

    #[inline(always)]
    unsafe fn run<V: Lanes<Number = T>>(self) {
        let Self { windows, steps, x, weights, y } = self;
        // With several images, a row of the kernels at a time meets all images while it is in the cache.
        let taps = if windows.images == 1 { windows.taps } else { 1 };
        let part = Windows { taps, ..windows };
        for (index, weight) in weights.iter().enumerate() {
            let mut w = weight.numbers.as_ptr();
            let mut output = 0;
            for vectors in blocks(weight.outputs.div_ceil(V::COUNT)) {
                let width = (vectors * V::COUNT).min(weight.outputs - output);
                for tap in (0..windows.taps).step_by(taps) {
                    let (pitch, last) = (y.pitch, width - (vectors - 1) * V::COUNT);
                    let (row_step, image_step, add) = (y.row_step, y.image_step, y.add || tap > 0);
                    let tile = Tile { windows: &part, w, pitch, row_step, image_step, last, add };
                    // SAFETY: `correlate_all` has compared the extents; every block of outputs has its weights.
                    unsafe {
                        let x = x.as_ptr().add(index * steps[0] + tap * windows.tap_step);
                        let y = y.numbers.as_mut_ptr().add(index * steps[1] + output);
                        match vectors {
                            1 => tile.images::<V, 1, 16>(x, y),
                            2 => tile.images::<V, 2, 8>(x, y),
                            _ => tile.images::<V, 3, 8>(x, y),
                        }
                    }
                    // SAFETY: the block has weights for every row of the window.
                    w = unsafe { w.add(part.depth() * vectors * V::COUNT) };
                }
                output += width;
            }
        }
    }
}

/// What tiles of one block of outputs have in common.
struct Tile<'a, T> {
    windows: &'a Windows,
    w: *const T,
    pitch: usize,
    row_step: usize,
    image_step: usize,
    /// Numbers in the last vector of outputs.
    last: usize,
    add: bool,
}

/// Pixels of a tile of narrow images.
const SCATTERED: usize = 8;

impl<T: Numbers> Tile<'_, T> {
    /// All pixels of all images.
    ///
    /// # Safety
    /// As [`correlate`] checks.
    #[inline(always)]
    unsafe fn images<V: Lanes<Number = T>, const VECTORS: usize, const MOST: usize>(&self, x: *const T, y: *mut T) {
        let windows = self.windows;
        // SAFETY: as the caller vouches.
        unsafe {
            if windows.columns < SCATTERED && windows.images > 1 {
                return self.scattered::<V, VECTORS>(x, y);
            }
            for image in 0..windows.images {
                self.image::<V, VECTORS, MOST>(x.add(image * windows.image_step), y.add(image * self.image_step));
            }
        }
    }

    /// All pixels of all images, wherever they lie: where rows are too short to fill a tile.
    ///
    /// # Safety
    /// As [`correlate`] checks.
    #[inline(always)]
    unsafe fn scattered<V: Lanes<Number = T>, const VECTORS: usize>(&self, x: *const T, y: *mut T) {
        let windows = self.windows;
        let pixels = windows.pixels() * windows.images;
        for first in (0..pixels).step_by(SCATTERED) {
            // The last tile repeats its last pixel.
            let count = SCATTERED.min(pixels - first);
            let place = |index: usize| {
                let pixel = first + index.min(count - 1);
                let (image, pixel) = (pixel / windows.pixels(), pixel % windows.pixels());
                let (row, column) = (pixel / windows.columns, pixel % windows.columns);
                (
                    image * windows.image_step + row * windows.row_step + column * windows.step,
                    image * self.image_step + row * self.row_step + column * self.pitch,
                )
            };
            let places: [(usize, usize); SCATTERED] = std::array::from_fn(place);
            // SAFETY: all these are places of windows and of their results.
            unsafe {
                let sums = self.products::<V, VECTORS, SCATTERED>(places.map(|(from, _)| x.add(from)));
                for (sums, (_, to)) in sums.into_iter().zip(places).take(count) {
                    self.store(sums, y.add(to));
                }
            }
        }
    }

    /// All pixels, MOST at a time where so many are left in a row.
    ///
    /// # Safety
    /// As [`correlate`] checks.
    #[inline(always)]
    unsafe fn image<V: Lanes<Number = T>, const VECTORS: usize, const MOST: usize>(&self, x: *const T, y: *mut T) {
        let windows = self.windows;
        for row in 0..windows.rows {
            let mut column = 0;
            while column < windows.columns {
                let left = windows.columns - column;
                // SAFETY: the row and the columns up to `column + left` are windows.
                unsafe {
                    let x = x.add(row * windows.row_step + column * windows.step);
                    let y = y.add(row * self.row_step + column * self.pitch);
                    if left >= MOST {
                        self.pixels::<V, VECTORS, MOST>(x, y);
                        column += MOST;
                    } else if MOST > 8 && left >= 8 {
                        self.pixels::<V, VECTORS, 8>(x, y);
                        column += 8;
                    } else if MOST > 4 && left >= 4 {
                        self.pixels::<V, VECTORS, 4>(x, y);
                        column += 4;
                    } else if left >= 2 {
                        self.pixels::<V, VECTORS, 2>(x, y);
                        column += 2;
                    } else {
                        self.pixels::<V, VECTORS, 1>(x, y);
                        column += 1;
                    }
                }
            }
        }
    }

    /// PIXELS pixels side by side.
    ///
    /// # Safety
    /// So many windows lie in the image from x on, and so many results from y on.
    #[inline(always)]
    unsafe fn pixels<V: Lanes<Number = T>, const VECTORS: usize, const PIXELS: usize>(&self, x: *const T, y: *mut T) {
        // SAFETY: as the caller vouches.
        unsafe {
            // Known steps become displacements in the instructions.
            match self.windows.step {
                16 => self.sums::<V, VECTORS, PIXELS>(x, 16, y),
                32 => self.sums::<V, VECTORS, PIXELS>(x, 32, y),
                64 => self.sums::<V, VECTORS, PIXELS>(x, 64, y),
                step => self.sums::<V, VECTORS, PIXELS>(x, step, y),
            }
        }
    }

    /// # Safety
    /// As [`pixels`](Self::pixels); `step` is the windows' step.
    #[inline(always)]
    unsafe fn sums<V: Lanes<Number = T>, const VECTORS: usize, const PIXELS: usize>(
        &self,
        x: *const T,
        step: usize,
        y: *mut T,
    ) {
        // SAFETY: as the caller vouches; `last` numbers of the last vector are results.
        unsafe {
            let sums = self.products::<V, VECTORS, PIXELS>(std::array::from_fn(|pixel| x.add(pixel * step)));
            for (pixel, sums) in sums.into_iter().enumerate() {
                self.store(sums, y.add(pixel * self.pitch));
            }
        }
    }

    /// The windows that begin here times the block's weights.
    ///
    /// # Safety
    /// Windows begin there.
    #[inline(always)]
    unsafe fn products<V: Lanes<Number = T>, const VECTORS: usize, const PIXELS: usize>(
        &self,
        x: [*const T; PIXELS],
    ) -> [[V; VECTORS]; PIXELS] {
        // SAFETY: as the caller vouches; there are weights for every number of a window.
        unsafe {
            let mut sums = [[V::splat(T::zero()); VECTORS]; PIXELS];
            let mut w = self.w;
            for tap in 0..self.windows.taps {
                let x = x.map(|x| x.add(tap * self.windows.tap_step));
                for index in 0..self.windows.span {
                    let weights: [V; VECTORS] = std::array::from_fn(|vector| V::load(w.add(vector * V::COUNT)));
                    for pixel in 0..PIXELS {
                        let number = V::splat(*x[pixel].add(index));
                        for vector in 0..VECTORS {
                            sums[pixel][vector] = number.multiply_add(weights[vector], sums[pixel][vector]);
                        }
                    }
                    w = w.add(VECTORS * V::COUNT);
                }
            }
            sums
        }
    }

    /// Writes or adds the sums of a pixel.
    ///
    /// # Safety
    /// Its results lie there, `last` of them in the last vector.
    #[inline(always)]
    unsafe fn store<V: Lanes<Number = T>, const VECTORS: usize>(&self, sums: [V; VECTORS], y: *mut T) {
        for (vector, sum) in sums.into_iter().enumerate() {
            let count = if vector + 1 == VECTORS { self.last } else { V::COUNT };
            // SAFETY: as the caller vouches.
            unsafe {
                let y = y.add(vector * V::COUNT);
                let before = if self.add { V::load_first(y, count) } else { V::splat(T::zero()) };
                sum.add(before).store_first(y, count);
            }
        }
    }
}
