//! 128-bit vectors on any processor: numbers as arrays, of which the compiler makes what the target has; words as `wide` has
//! them, since it makes single words of their arrays.

use std::array::from_fn;

use wide::u32x4;

use super::{Kernel, Lanes};

/// 128 bits of numbers, whatever the processor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable;

const NUMBERS: usize = 2;
const WORDS: usize = 4;

/// All bits set, or none, as the sign bit is.
#[inline(always)]
fn sign(number: f64) -> u64 {
    (number.to_bits().cast_signed() >> 63).cast_unsigned()
}

#[inline(always)]
fn sign32(number: f32) -> u32 {
    (number.to_bits().cast_signed() >> 31).cast_unsigned()
}

// SAFETY of every block: the trait's caller vouches for the pointers.
impl Lanes for Portable {
    type Numbers = [f64; NUMBERS];
    type Mask = [u64; NUMBERS];
    type Singles = [f32; WORDS];
    type SinglesMask = [u32; WORDS];
    type Words = u32x4;

    const NUMBERS: usize = NUMBERS;
    const AT_ONCE: usize = 2;

    #[inline(always)]
    unsafe fn vectorize<K: Kernel>(kernel: K) -> K::Output {
        unsafe { run(kernel) }
    }

    #[inline(always)]
    unsafe fn splat_word(word: u32) -> u32x4 {
        u32x4::splat(word)
    }
    #[inline(always)]
    unsafe fn load_words(from: *const u32) -> u32x4 {
        unsafe { from.cast::<[u32; WORDS]>().read_unaligned() }.into()
    }
    #[inline(always)]
    unsafe fn store_words(words: u32x4, to: *mut u32) {
        unsafe { to.cast::<[u32; WORDS]>().write_unaligned(words.to_array()) }
    }
    #[inline(always)]
    unsafe fn add_words(a: u32x4, b: u32x4) -> u32x4 {
        a + b
    }
    #[inline(always)]
    unsafe fn xor_rotate<const LEFT: i32, const RIGHT: i32>(a: u32x4, b: u32x4) -> u32x4 {
        let bits = a ^ b;
        bits << LEFT.cast_unsigned() | bits >> RIGHT.cast_unsigned()
    }

    #[inline(always)]
    unsafe fn splat(number: f64) -> [f64; NUMBERS] {
        [number; NUMBERS]
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> [f64; NUMBERS] {
        unsafe { from.cast::<[f64; NUMBERS]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(numbers: [f64; NUMBERS], to: *mut f64) {
        unsafe { to.cast::<[f64; NUMBERS]>().write_unaligned(numbers) }
    }
    #[inline(always)]
    unsafe fn centred(from: *const u32) -> [f64; NUMBERS] {
        let words = unsafe { from.cast::<[u32; NUMBERS]>().read_unaligned() };
        from_fn(|i| f64::from((words[i] ^ (1 << 31)).cast_signed()) + 0.5)
    }
    #[inline(always)]
    unsafe fn centred_fine(lower: *const u32, upper: *const u32) -> [f64; NUMBERS] {
        let read = |from: *const u32| unsafe { from.cast::<[u32; NUMBERS]>().read_unaligned() };
        let (lower, upper) = (read(lower), read(upper));
        from_fn(|i| {
            let bits = u64::from(lower[i]) | u64::from(upper[i]) << 32;
            // Behind the exponent of 1: a number in [1, 2).
            f64::from_bits(bits >> 12 | 0x3ff0_0000_0000_0000) - 1.5 + f64::EPSILON / 2.0
        })
    }
    #[inline(always)]
    unsafe fn add(a: [f64; NUMBERS], b: [f64; NUMBERS]) -> [f64; NUMBERS] {
        from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn sub(a: [f64; NUMBERS], b: [f64; NUMBERS]) -> [f64; NUMBERS] {
        from_fn(|i| a[i] - b[i])
    }
    #[inline(always)]
    unsafe fn mul(a: [f64; NUMBERS], b: [f64; NUMBERS]) -> [f64; NUMBERS] {
        from_fn(|i| a[i] * b[i])
    }
    #[inline(always)]
    unsafe fn div(a: [f64; NUMBERS], b: [f64; NUMBERS]) -> [f64; NUMBERS] {
        from_fn(|i| a[i] / b[i])
    }
    #[inline(always)]
    unsafe fn min(a: [f64; NUMBERS], b: [f64; NUMBERS]) -> [f64; NUMBERS] {
        from_fn(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn max(a: [f64; NUMBERS], b: [f64; NUMBERS]) -> [f64; NUMBERS] {
        from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn abs(a: [f64; NUMBERS]) -> [f64; NUMBERS] {
        a.map(f64::abs)
    }
    #[inline(always)]
    unsafe fn is_negative(a: [f64; NUMBERS]) -> [u64; NUMBERS] {
        a.map(sign)
    }
    #[inline(always)]
    unsafe fn rises(a: [f64; NUMBERS], b: [f64; NUMBERS]) -> [u64; NUMBERS] {
        from_fn(|i| sign(a[i]) & !sign(b[i]))
    }
    #[inline(always)]
    unsafe fn select(mask: [u64; NUMBERS], yes: [f64; NUMBERS], no: [f64; NUMBERS]) -> [f64; NUMBERS] {
        from_fn(|i| f64::from_bits(yes[i].to_bits() & mask[i] | no[i].to_bits() & !mask[i]))
    }
    #[inline(always)]
    unsafe fn add_where(mask: [u64; NUMBERS], a: [f64; NUMBERS], b: [f64; NUMBERS]) -> [f64; NUMBERS] {
        // Not a + (b or 0): that would turn an a of −0 into 0.
        unsafe { Self::select(mask, Self::add(a, b), a) }
    }
    #[inline(always)]
    unsafe fn both(a: [u64; NUMBERS], b: [u64; NUMBERS]) -> [u64; NUMBERS] {
        from_fn(|i| a[i] & b[i])
    }
    #[inline(always)]
    unsafe fn but_not(a: [u64; NUMBERS], b: [u64; NUMBERS]) -> [u64; NUMBERS] {
        from_fn(|i| a[i] & !b[i])
    }
    #[inline(always)]
    unsafe fn any(mask: [u64; NUMBERS]) -> bool {
        mask.iter().fold(0, |any, bits| any | bits) != 0
    }

    #[inline(always)]
    unsafe fn splat_single(number: f32) -> [f32; WORDS] {
        [number; WORDS]
    }
    #[inline(always)]
    unsafe fn load_singles(from: *const f32) -> [f32; WORDS] {
        unsafe { from.cast::<[f32; WORDS]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store_singles(numbers: [f32; WORDS], to: *mut f32) {
        unsafe { to.cast::<[f32; WORDS]>().write_unaligned(numbers) }
    }
    #[inline(always)]
    unsafe fn centred_singles(words: u32x4) -> [f32; WORDS] {
        words.to_array().map(|word| (word ^ (1 << 31)).cast_signed() as f32)
    }
    #[inline(always)]
    unsafe fn add_singles(a: [f32; WORDS], b: [f32; WORDS]) -> [f32; WORDS] {
        from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn sub_singles(a: [f32; WORDS], b: [f32; WORDS]) -> [f32; WORDS] {
        from_fn(|i| a[i] - b[i])
    }
    #[inline(always)]
    unsafe fn mul_singles(a: [f32; WORDS], b: [f32; WORDS]) -> [f32; WORDS] {
        from_fn(|i| a[i] * b[i])
    }
    #[inline(always)]
    unsafe fn singles_negative(a: [f32; WORDS]) -> [u32; WORDS] {
        a.map(sign32)
    }
    #[inline(always)]
    unsafe fn singles_rise(a: [f32; WORDS], b: [f32; WORDS]) -> [u32; WORDS] {
        from_fn(|i| sign32(a[i]) & !sign32(b[i]))
    }
    #[inline(always)]
    unsafe fn select_singles(mask: [u32; WORDS], yes: [f32; WORDS], no: [f32; WORDS]) -> [f32; WORDS] {
        from_fn(|i| f32::from_bits(yes[i].to_bits() & mask[i] | no[i].to_bits() & !mask[i]))
    }
    #[inline(always)]
    unsafe fn add_singles_where(mask: [u32; WORDS], a: [f32; WORDS], b: [f32; WORDS]) -> [f32; WORDS] {
        unsafe { Self::select_singles(mask, Self::add_singles(a, b), a) }
    }
}

/// Not inlined, so that a kernel is compiled once.
#[inline(never)]
unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    unsafe { kernel.run::<Portable>() }
}
