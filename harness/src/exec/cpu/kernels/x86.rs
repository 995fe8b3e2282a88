//! Vectors of x86-64: AVX-512, and AVX2 with fused multiply-add.

use std::arch::x86_64::*;

use super::simd::Lanes;

/// The first `count` of up to 16 lanes.
#[inline(always)]
fn first(count: usize) -> u16 {
    if count >= 16 { u16::MAX } else { (1 << count) - 1 }
}

macro_rules! vector {
    (
        $name:ident, $title:literal, $number:ty, $count:literal, $inner:ty, $splat:ident, $load:ident, $store:ident,
        $add:ident, $sub:ident, $fma:ident, $max:ident, $zero:ident,
        load_first: |$from:ident, $kept:ident| $load_first:expr,
        store_first: |$vector:ident, $to:ident, $count_:ident| $store_first:expr,
        where_positive: |$x:ident, $sign:ident| $where_positive:expr,
    ) => {
        #[doc = $title]
        #[derive(Debug, Clone, Copy)]
        pub struct $name($inner);

        // SAFETY of every block below: the caller of a `Lanes` method vouches for the instructions and the pointers.
        impl Lanes for $name {
            type Number = $number;
            const COUNT: usize = $count;

            #[inline(always)]
            unsafe fn splat(number: $number) -> Self {
                unsafe { Self($splat(number)) }
            }

            #[inline(always)]
            unsafe fn load(from: *const $number) -> Self {
                unsafe { Self($load(from)) }
            }

            #[inline(always)]
            unsafe fn load_first($from: *const $number, $kept: usize) -> Self {
                unsafe { Self($load_first) }
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut $number) {
                unsafe { $store(to, self.0) }
            }

            #[inline(always)]
            unsafe fn store_first(self, $to: *mut $number, $count_: usize) {
                let $vector = self.0;
                unsafe { $store_first }
            }

            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                unsafe { Self($add(self.0, other.0)) }
            }

            #[inline(always)]
            unsafe fn sub(self, other: Self) -> Self {
                unsafe { Self($sub(self.0, other.0)) }
            }

            #[inline(always)]
            unsafe fn multiply_add(self, factor: Self, term: Self) -> Self {
                unsafe { Self($fma(self.0, factor.0, term.0)) }
            }

            #[inline(always)]
            unsafe fn positive_part(self) -> Self {
                // The second operand is what comes out where one is no number.
                unsafe { Self($max($zero(), self.0)) }
            }

            #[inline(always)]
            unsafe fn where_positive(self, sign: Self) -> Self {
                let ($x, $sign) = (self.0, sign.0);
                unsafe { Self($where_positive) }
            }
        }
    };
}

vector! {
    F32x16, "Sixteen f32.", f32, 16, __m512, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps,
    _mm512_add_ps, _mm512_sub_ps, _mm512_fmadd_ps, _mm512_max_ps, _mm512_setzero_ps,
    load_first: |from, count| _mm512_maskz_loadu_ps(first(count), from),
    store_first: |vector, to, count| _mm512_mask_storeu_ps(to, first(count), vector),
    where_positive: |x, sign| _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(sign, _mm512_setzero_ps()), x),
}

vector! {
    F64x8, "Eight f64.", f64, 8, __m512d, _mm512_set1_pd, _mm512_loadu_pd, _mm512_storeu_pd,
    _mm512_add_pd, _mm512_sub_pd, _mm512_fmadd_pd, _mm512_max_pd, _mm512_setzero_pd,
    load_first: |from, count| _mm512_maskz_loadu_pd(first(count) as u8, from),
    store_first: |vector, to, count| _mm512_mask_storeu_pd(to, first(count) as u8, vector),
    where_positive: |x, sign| _mm512_maskz_mov_pd(_mm512_cmp_pd_mask::<_CMP_GT_OQ>(sign, _mm512_setzero_pd()), x),
}

vector! {
    F32x8, "Eight f32.", f32, 8, __m256, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps,
    _mm256_add_ps, _mm256_sub_ps, _mm256_fmadd_ps, _mm256_max_ps, _mm256_setzero_ps,
    load_first: |from, count| _mm256_maskload_ps(from, first_of_8(count)),
    store_first: |vector, to, count| _mm256_maskstore_ps(to, first_of_8(count), vector),
    where_positive: |x, sign| _mm256_and_ps(x, _mm256_cmp_ps::<_CMP_GT_OQ>(sign, _mm256_setzero_ps())),
}

vector! {
    F64x4, "Four f64.", f64, 4, __m256d, _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd,
    _mm256_add_pd, _mm256_sub_pd, _mm256_fmadd_pd, _mm256_max_pd, _mm256_setzero_pd,
    load_first: |from, count| _mm256_maskload_pd(from, first_of_4(count)),
    store_first: |vector, to, count| _mm256_maskstore_pd(to, first_of_4(count), vector),
    where_positive: |x, sign| _mm256_and_pd(x, _mm256_cmp_pd::<_CMP_GT_OQ>(sign, _mm256_setzero_pd())),
}

/// The mask of the first `count` of 8 lanes.
///
/// # Safety
/// The processor must have AVX2.
#[inline(always)]
unsafe fn first_of_8(count: usize) -> __m256i {
    // SAFETY: as the caller vouches.
    unsafe { _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)) }
}

/// The mask of the first `count` of 4 lanes.
///
/// # Safety
/// The processor must have AVX2.
#[inline(always)]
unsafe fn first_of_4(count: usize) -> __m256i {
    // SAFETY: as the caller vouches.
    unsafe { _mm256_cmpgt_epi64(_mm256_set1_epi64x(count as i64), _mm256_setr_epi64x(0, 1, 2, 3)) }
}
