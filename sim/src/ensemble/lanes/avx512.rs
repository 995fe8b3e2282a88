//! 512-bit vectors.

use std::arch::x86_64::*;

use super::{Kernel, Lanes};

/// Vectors of AVX-512 (F and DQ).
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx512;

#[target_feature(enable = "avx512f,avx512dq")]
unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: this function is called where the processor has AVX-512.
    unsafe { kernel.run::<Avx512>() }
}

// SAFETY of every block: the trait's caller vouches for the instructions and for the pointers.
impl Lanes for Avx512 {
    type Numbers = __m512d;
    type Mask = __mmask8;
    type Singles = __m512;
    type SinglesMask = __mmask16;
    type Words = __m512i;

    const NUMBERS: usize = 8;
    const AT_ONCE: usize = 4;

    #[inline(always)]
    unsafe fn vectorize<K: Kernel>(kernel: K) -> K::Output {
        unsafe { run(kernel) }
    }

    #[inline(always)]
    unsafe fn splat_word(word: u32) -> __m512i {
        unsafe { _mm512_set1_epi32(word.cast_signed()) }
    }
    #[inline(always)]
    unsafe fn load_words(from: *const u32) -> __m512i {
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store_words(words: __m512i, to: *mut u32) {
        unsafe { _mm512_storeu_si512(to.cast(), words) }
    }
    #[inline(always)]
    unsafe fn add_words(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_add_epi32(a, b) }
    }
    #[inline(always)]
    unsafe fn xor_rotate<const LEFT: i32, const RIGHT: i32>(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_rol_epi32::<LEFT>(_mm512_xor_si512(a, b)) }
    }

    #[inline(always)]
    unsafe fn splat(number: f64) -> __m512d {
        unsafe { _mm512_set1_pd(number) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> __m512d {
        unsafe { _mm512_loadu_pd(from) }
    }
    #[inline(always)]
    unsafe fn store(numbers: __m512d, to: *mut f64) {
        unsafe { _mm512_storeu_pd(to, numbers) }
    }
    #[inline(always)]
    unsafe fn centred(from: *const u32) -> __m512d {
        unsafe { _mm512_sub_pd(_mm512_cvtepu32_pd(_mm256_loadu_si256(from.cast())), _mm512_set1_pd(2_147_483_647.5)) }
    }
    #[inline(always)]
    unsafe fn centred_fine(lower: *const u32, upper: *const u32) -> __m512d {
        unsafe {
            let wide = |from: *const u32| _mm512_cvtepu32_epi64(_mm256_loadu_si256(from.cast()));
            let bits = _mm512_or_si512(wide(lower), _mm512_slli_epi64::<32>(wide(upper)));
            // Behind the exponent of 1: a number in [1, 2).
            let above_one = _mm512_or_si512(_mm512_srli_epi64::<12>(bits), _mm512_set1_epi64(0x3ff0_0000_0000_0000));
            let centred = _mm512_sub_pd(_mm512_castsi512_pd(above_one), _mm512_set1_pd(1.5));
            _mm512_add_pd(centred, _mm512_set1_pd(f64::EPSILON / 2.0))
        }
    }
    #[inline(always)]
    unsafe fn add(a: __m512d, b: __m512d) -> __m512d {
        unsafe { _mm512_add_pd(a, b) }
    }
    #[inline(always)]
    unsafe fn sub(a: __m512d, b: __m512d) -> __m512d {
        unsafe { _mm512_sub_pd(a, b) }
    }
    #[inline(always)]
    unsafe fn mul(a: __m512d, b: __m512d) -> __m512d {
        unsafe { _mm512_mul_pd(a, b) }
    }
    #[inline(always)]
    unsafe fn div(a: __m512d, b: __m512d) -> __m512d {
        unsafe { _mm512_div_pd(a, b) }
    }
    #[inline(always)]
    unsafe fn min(a: __m512d, b: __m512d) -> __m512d {
        unsafe { _mm512_min_pd(a, b) }
    }
    #[inline(always)]
    unsafe fn max(a: __m512d, b: __m512d) -> __m512d {
        unsafe { _mm512_max_pd(a, b) }
    }
    #[inline(always)]
    unsafe fn abs(a: __m512d) -> __m512d {
        unsafe { _mm512_abs_pd(a) }
    }
    #[inline(always)]
    unsafe fn is_negative(a: __m512d) -> __mmask8 {
        unsafe { _mm512_movepi64_mask(_mm512_castpd_si512(a)) }
    }
    #[inline(always)]
    unsafe fn rises(a: __m512d, b: __m512d) -> __mmask8 {
        unsafe { _mm512_movepi64_mask(_mm512_andnot_si512(_mm512_castpd_si512(b), _mm512_castpd_si512(a))) }
    }
    #[inline(always)]
    unsafe fn select(mask: __mmask8, yes: __m512d, no: __m512d) -> __m512d {
        unsafe { _mm512_mask_blend_pd(mask, no, yes) }
    }
    #[inline(always)]
    unsafe fn add_where(mask: __mmask8, a: __m512d, b: __m512d) -> __m512d {
        unsafe { _mm512_mask_add_pd(a, mask, a, b) }
    }
    #[inline(always)]
    unsafe fn both(a: __mmask8, b: __mmask8) -> __mmask8 {
        a & b
    }
    #[inline(always)]
    unsafe fn but_not(a: __mmask8, b: __mmask8) -> __mmask8 {
        a & !b
    }
    #[inline(always)]
    unsafe fn any(mask: __mmask8) -> bool {
        mask != 0
    }

    #[inline(always)]
    unsafe fn splat_single(number: f32) -> __m512 {
        unsafe { _mm512_set1_ps(number) }
    }
    #[inline(always)]
    unsafe fn load_singles(from: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store_singles(numbers: __m512, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, numbers) }
    }
    #[inline(always)]
    unsafe fn centred_singles(words: __m512i) -> __m512 {
        unsafe { _mm512_cvtepi32_ps(_mm512_xor_si512(words, _mm512_set1_epi32(i32::MIN))) }
    }
    #[inline(always)]
    unsafe fn add_singles(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn sub_singles(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul_singles(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn singles_negative(a: __m512) -> __mmask16 {
        unsafe { _mm512_movepi32_mask(_mm512_castps_si512(a)) }
    }
    #[inline(always)]
    unsafe fn singles_rise(a: __m512, b: __m512) -> __mmask16 {
        unsafe { _mm512_movepi32_mask(_mm512_andnot_si512(_mm512_castps_si512(b), _mm512_castps_si512(a))) }
    }
    #[inline(always)]
    unsafe fn select_singles(mask: __mmask16, yes: __m512, no: __m512) -> __m512 {
        unsafe { _mm512_mask_blend_ps(mask, no, yes) }
    }
    #[inline(always)]
    unsafe fn add_singles_where(mask: __mmask16, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mask_add_ps(a, mask, a, b) }
    }
}
