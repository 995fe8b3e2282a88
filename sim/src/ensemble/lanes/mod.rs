//! Vectors of numbers and of 32-bit words, and which kind of them this processor has.
//!
//! Every operation on a number is one correctly rounded operation of IEEE 754, none is fused, and a word is a word: so
//! that kernels written over [`Lanes`] have the same bits on every instruction set.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use portable::Portable;

/// An instruction set that kernels are compiled for and that this processor has: there is no other way to one than to
/// ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstructionSet(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// 512-bit vectors (x86-64 v4).
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 256-bit vectors (x86-64 v3).
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What the compiler makes of arrays, on any processor.
    Portable,
}

impl InstructionSet {
    /// Those that this processor has, the fastest first; the portable one is always the last.
    pub fn available() -> Vec<Self> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                sets.push(Self(Kind::Avx512));
            }
            if is_x86_feature_detected!("avx2") {
                sets.push(Self(Kind::Avx2));
            }
        }
        sets.push(Self(Kind::Portable));
        sets
    }

    /// The fastest that this processor has.
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// The set's name: `avx512`, `avx2` or `portable`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            Kind::Portable => "portable",
        }
    }

    /// Runs a kernel compiled for this instruction set.
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            // SAFETY: these two are made by `available` alone, which asks the processor first.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { avx512::Avx512::vectorize(kernel) },
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { avx2::Avx2::vectorize(kernel) },
            // SAFETY: portable code needs no instruction that a processor may lack.
            Kind::Portable => unsafe { Portable::vectorize(kernel) },
        }
    }
}

/// Work written once for vectors of any width.
pub trait Kernel {
    /// What it returns.
    type Output;

    /// Does the work; must be inlined into its caller, which is compiled for an instruction set.
    ///
    /// # Safety
    /// The processor must have the instructions of V.
    unsafe fn run<V: Lanes>(self) -> Self::Output;
}

/// The vectors of an instruction set: of [`NUMBERS`](Self::NUMBERS) f64, of twice as many f32 and 32-bit words.
///
/// # Safety
/// Of every method: the processor has the instructions; pointers are valid for a whole vector (for
/// [`NUMBERS`](Self::NUMBERS) words, where numbers are made of words). No alignment is asked for.
pub trait Lanes: Copy + 'static {
    /// A vector of f64.
    type Numbers: Copy;
    /// A yes or no for each number of a vector; where it is as wide as a number, its sign bit says it.
    type Mask: Copy;
    /// A vector of f32.
    type Singles: Copy;
    /// A yes or no for each f32 of a vector.
    type SinglesMask: Copy;
    /// A vector of 32-bit words.
    type Words: Copy;

    /// Numbers in a vector.
    const NUMBERS: usize;
    /// Words in a vector, and f32.
    const WORDS: usize = 2 * Self::NUMBERS;
    /// Vectors whose state fits into the registers at once.
    const AT_ONCE: usize;

    /// Runs a kernel in a function compiled for these instructions.
    unsafe fn vectorize<K: Kernel>(kernel: K) -> K::Output;

    /// The word in every place.
    unsafe fn splat_word(word: u32) -> Self::Words;
    /// The words from here on.
    unsafe fn load_words(from: *const u32) -> Self::Words;
    /// Writes the words from here on.
    unsafe fn store_words(words: Self::Words, to: *mut u32);
    /// a + b modulo 2³².
    unsafe fn add_words(a: Self::Words, b: Self::Words) -> Self::Words;
    /// (a ^ b) rotated left by LEFT bits, RIGHT = 32 − LEFT.
    unsafe fn xor_rotate<const LEFT: i32, const RIGHT: i32>(a: Self::Words, b: Self::Words) -> Self::Words;

    /// The number in every place.
    unsafe fn splat(number: f64) -> Self::Numbers;
    /// The numbers from here on.
    unsafe fn load(from: *const f64) -> Self::Numbers;
    /// Writes the numbers from here on.
    unsafe fn store(numbers: Self::Numbers, to: *mut f64);
    /// k − (2³² − 1)/2, exactly, of each word k from here on.
    unsafe fn centred(from: *const u32) -> Self::Numbers;
    /// (k − (2⁵² − 1)/2)/2⁵², exactly, k the upper 52 bits of the 64 whose lower and upper words are from here on.
    unsafe fn centred_fine(lower: *const u32, upper: *const u32) -> Self::Numbers;
    /// a + b
    unsafe fn add(a: Self::Numbers, b: Self::Numbers) -> Self::Numbers;
    /// a − b
    unsafe fn sub(a: Self::Numbers, b: Self::Numbers) -> Self::Numbers;
    /// a·b
    unsafe fn mul(a: Self::Numbers, b: Self::Numbers) -> Self::Numbers;
    /// a/b
    unsafe fn div(a: Self::Numbers, b: Self::Numbers) -> Self::Numbers;
    /// The smaller one; b where they are equal.
    unsafe fn min(a: Self::Numbers, b: Self::Numbers) -> Self::Numbers;
    /// The larger one; b where they are equal.
    unsafe fn max(a: Self::Numbers, b: Self::Numbers) -> Self::Numbers;
    /// |a|
    unsafe fn abs(a: Self::Numbers) -> Self::Numbers;
    /// Whether the sign bit is set: a < 0, of numbers that are not −0.
    unsafe fn is_negative(a: Self::Numbers) -> Self::Mask;
    /// Whether the sign bit is set in a and not in b.
    unsafe fn rises(a: Self::Numbers, b: Self::Numbers) -> Self::Mask;
    /// yes, or no, by the mask.
    unsafe fn select(mask: Self::Mask, yes: Self::Numbers, no: Self::Numbers) -> Self::Numbers;
    /// a + b where the mask says yes, a elsewhere.
    unsafe fn add_where(mask: Self::Mask, a: Self::Numbers, b: Self::Numbers) -> Self::Numbers;
    /// a and b
    unsafe fn both(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// a and not b
    unsafe fn but_not(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Whether any says yes.
    unsafe fn any(mask: Self::Mask) -> bool;

    /// The f32 in every place.
    unsafe fn splat_single(number: f32) -> Self::Singles;
    /// The f32 from here on.
    unsafe fn load_singles(from: *const f32) -> Self::Singles;
    /// Writes the f32 from here on.
    unsafe fn store_singles(numbers: Self::Singles, to: *mut f32);
    /// k − 2³¹ as an f32, rounded once, of each word k.
    unsafe fn centred_singles(words: Self::Words) -> Self::Singles;
    /// a + b
    unsafe fn add_singles(a: Self::Singles, b: Self::Singles) -> Self::Singles;
    /// a − b
    unsafe fn sub_singles(a: Self::Singles, b: Self::Singles) -> Self::Singles;
    /// a·b
    unsafe fn mul_singles(a: Self::Singles, b: Self::Singles) -> Self::Singles;
    /// Whether the sign bit is set: a < 0, of numbers that are not −0.
    unsafe fn singles_negative(a: Self::Singles) -> Self::SinglesMask;
    /// Whether the sign bit is set in a and not in b.
    unsafe fn singles_rise(a: Self::Singles, b: Self::Singles) -> Self::SinglesMask;
    /// yes, or no, by the mask.
    unsafe fn select_singles(mask: Self::SinglesMask, yes: Self::Singles, no: Self::Singles) -> Self::Singles;
    /// a + b where the mask says yes, a elsewhere.
    unsafe fn add_singles_where(mask: Self::SinglesMask, a: Self::Singles, b: Self::Singles) -> Self::Singles;
}
