//! 256-bit vectors.

use std::arch::x86_64::*;

use super::{Kernel, Lanes};

/// Vectors of AVX2.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2;

#[target_feature(enable = "avx2")]
unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: this function is called where the processor has AVX2.
    unsafe { kernel.run::<Avx2>() }
}

// SAFETY of every block: the trait's caller vouches for the instructions and for the pointers.
impl Lanes for Avx2 {
    type Numbers = __m256d;
    type Mask = __m256d;
    type Singles = __m256;
    type SinglesMask = __m256;
    type Words = __m256i;

    const NUMBERS: usize = 4;
    const AT_ONCE: usize = 2;

    #[inline(always)]
    unsafe fn vectorize<K: Kernel>(kernel: K) -> K::Output {
        unsafe { run(kernel) }
    }

    #[inline(always)]
    unsafe fn splat_word(word: u32) -> __m256i {
        unsafe { _mm256_set1_epi32(word.cast_signed()) }
    }
    #[inline(always)]
    unsafe fn load_words(from: *const u32) -> __m256i {
        unsafe { _mm256_loadu_si256(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store_words(words: __m256i, to: *mut u32) {
        unsafe { _mm256_storeu_si256(to.cast(), words) }
    }
    #[inline(always)]
    unsafe fn add_words(a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_add_epi32(a, b) }
    }
    #[inline(always)]
    unsafe fn xor_rotate<const LEFT: i32, const RIGHT: i32>(a: __m256i, b: __m256i) -> __m256i {
        unsafe {
            let bits = _mm256_xor_si256(a, b);
            // Whole bytes move in one shuffle.
            match LEFT {
                16 => {
                    let order = _mm256_set_epi8(
                        13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2, 13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6,
                        1, 0, 3, 2,
                    );
                    _mm256_shuffle_epi8(bits, order)
                }
                8 => {
                    let order = _mm256_set_epi8(
                        14, 13, 12, 15, 10, 9, 8, 11, 6, 5, 4, 7, 2, 1, 0, 3, 14, 13, 12, 15, 10, 9, 8, 11, 6, 5, 4, 7,
                        2, 1, 0, 3,
                    );
                    _mm256_shuffle_epi8(bits, order)
                }
                _ => _mm256_or_si256(_mm256_slli_epi32::<LEFT>(bits), _mm256_srli_epi32::<RIGHT>(bits)),
            }
        }
    }

    #[inline(always)]
    unsafe fn splat(number: f64) -> __m256d {
        unsafe { _mm256_set1_pd(number) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> __m256d {
        unsafe { _mm256_loadu_pd(from) }
    }
    #[inline(always)]
    unsafe fn store(numbers: __m256d, to: *mut f64) {
        unsafe { _mm256_storeu_pd(to, numbers) }
    }
    #[inline(always)]
    unsafe fn centred(from: *const u32) -> __m256d {
        unsafe {
            // Flipping the top bit subtracts 2³¹ from the word, read as a signed number.
            let signed = _mm_xor_si128(_mm_loadu_si128(from.cast()), _mm_set1_epi32(i32::MIN));
            _mm256_add_pd(_mm256_cvtepi32_pd(signed), _mm256_set1_pd(0.5))
        }
    }
    #[inline(always)]
    unsafe fn centred_fine(lower: *const u32, upper: *const u32) -> __m256d {
        unsafe {
            let wide = |from: *const u32| _mm256_cvtepu32_epi64(_mm_loadu_si128(from.cast()));
            let bits = _mm256_or_si256(wide(lower), _mm256_slli_epi64::<32>(wide(upper)));
            // Behind the exponent of 1: a number in [1, 2).
            let above_one = _mm256_or_si256(_mm256_srli_epi64::<12>(bits), _mm256_set1_epi64x(0x3ff0_0000_0000_0000));
            let centred = _mm256_sub_pd(_mm256_castsi256_pd(above_one), _mm256_set1_pd(1.5));
            _mm256_add_pd(centred, _mm256_set1_pd(f64::EPSILON / 2.0))
        }
    }
    #[inline(always)]
    unsafe fn add(a: __m256d, b: __m256d) -> __m256d {
        unsafe { _mm256_add_pd(a, b) }
    }
    #[inline(always)]
    unsafe fn sub(a: __m256d, b: __m256d) -> __m256d {
        unsafe { _mm256_sub_pd(a, b) }
    }
    #[inline(always)]
    unsafe fn mul(a: __m256d, b: __m256d) -> __m256d {
        unsafe { _mm256_mul_pd(a, b) }
    }
    #[inline(always)]
    unsafe fn div(a: __m256d, b: __m256d) -> __m256d {
        unsafe { _mm256_div_pd(a, b) }
    }
    #[inline(always)]
    unsafe fn min(a: __m256d, b: __m256d) -> __m256d {
        unsafe { _mm256_min_pd(a, b) }
    }
    #[inline(always)]
    unsafe fn max(a: __m256d, b: __m256d) -> __m256d {
        unsafe { _mm256_max_pd(a, b) }
    }
    #[inline(always)]
    unsafe fn abs(a: __m256d) -> __m256d {
        unsafe { _mm256_andnot_pd(_mm256_set1_pd(-0.0), a) }
    }
    #[inline(always)]
    unsafe fn is_negative(a: __m256d) -> __m256d {
        a
    }
    #[inline(always)]
    unsafe fn rises(a: __m256d, b: __m256d) -> __m256d {
        unsafe { _mm256_andnot_pd(b, a) }
    }
    #[inline(always)]
    unsafe fn select(mask: __m256d, yes: __m256d, no: __m256d) -> __m256d {
        unsafe { _mm256_blendv_pd(no, yes, mask) }
    }
    #[inline(always)]
    unsafe fn add_where(mask: __m256d, a: __m256d, b: __m256d) -> __m256d {
        // Not a + (b or 0): that would turn an a of −0 into 0.
        unsafe { _mm256_blendv_pd(a, _mm256_add_pd(a, b), mask) }
    }
    #[inline(always)]
    unsafe fn both(a: __m256d, b: __m256d) -> __m256d {
        unsafe { _mm256_and_pd(a, b) }
    }
    #[inline(always)]
    unsafe fn but_not(a: __m256d, b: __m256d) -> __m256d {
        unsafe { _mm256_andnot_pd(b, a) }
    }
    #[inline(always)]
    unsafe fn any(mask: __m256d) -> bool {
        unsafe { _mm256_movemask_pd(mask) != 0 }
    }

    #[inline(always)]
    unsafe fn splat_single(number: f32) -> __m256 {
        unsafe { _mm256_set1_ps(number) }
    }
    #[inline(always)]
    unsafe fn load_singles(from: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store_singles(numbers: __m256, to: *mut f32) {
        unsafe { _mm256_storeu_ps(to, numbers) }
    }
    #[inline(always)]
    unsafe fn centred_singles(words: __m256i) -> __m256 {
        unsafe { _mm256_cvtepi32_ps(_mm256_xor_si256(words, _mm256_set1_epi32(i32::MIN))) }
    }
    #[inline(always)]
    unsafe fn add_singles(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn sub_singles(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul_singles(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn singles_negative(a: __m256) -> __m256 {
        a
    }
    #[inline(always)]
    unsafe fn singles_rise(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_andnot_ps(b, a) }
    }
    #[inline(always)]
    unsafe fn select_singles(mask: __m256, yes: __m256, no: __m256) -> __m256 {
        unsafe { _mm256_blendv_ps(no, yes, mask) }
    }
    #[inline(always)]
    unsafe fn add_singles_where(mask: __m256, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_blendv_ps(a, _mm256_add_ps(a, b), mask) }
    }
}
