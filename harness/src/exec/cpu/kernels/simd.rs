//! Vectors of numbers, and which kind of them this processor has.

use candle_core::WithDType;

/// An instruction set that kernels are compiled for and that this processor has: there is no other way to one than to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exec::cpu) struct InstructionSet(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// 512-bit vectors with fused multiply-add (x86-64 v4).
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 256-bit vectors with fused multiply-add (x86-64 v3).
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What the compiler makes of arrays, on any processor.
    Portable,
}

impl InstructionSet {
    /// What every processor has.
    pub(in crate::exec::cpu) const PORTABLE: Self = Self(Kind::Portable);

    /// Those that this processor has, the fastest first.
    pub(in crate::exec::cpu) fn available() -> Vec<Self> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                sets.push(Self(Kind::Avx512));
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                sets.push(Self(Kind::Avx2));
            }
        }
        sets.push(Self::PORTABLE);
        sets
    }

    /// The fastest that this processor has.
    pub(in crate::exec::cpu) fn best() -> Self {
        Self::available()[0]
    }

    /// Numbers of type T in a vector.
    pub(in crate::exec::cpu) fn lanes<T: Numbers>(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => <T::Avx512 as Lanes>::COUNT,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => <T::Avx2 as Lanes>::COUNT,
            Kind::Portable => Portable::<T>::COUNT,
        }
    }

    /// Vectors of outputs that one convolution tile spans at most; there are registers for that many and their sums.
    pub(super) const WIDEST_TILE: usize = 3;

    /// Runs a kernel compiled for this instruction set.
    pub(super) fn run<K: Kernel>(self, kernel: K) {
        match self.0 {
            // SAFETY: these two are made by `available` alone, which asks the processor first.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { run_avx512(kernel) },
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { run_avx2(kernel) },
            // SAFETY: portable code needs no instruction that a processor may lack.
            Kind::Portable => unsafe { kernel.run::<Portable<K::Number>>() },
        }
    }
}

/// Work written once for vectors of any width. Built only by the functions of [`super`], which compare extents first.
pub(super) trait Kernel {
    /// f32 or f64.
    type Number: Numbers;

    /// Does the work; must be inlined into its caller, which is compiled for an instruction set.
    ///
    /// # Safety
    /// The processor must have the instructions of V.
    unsafe fn run<V: Lanes<Number = Self::Number>>(self);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn run_avx512<K: Kernel>(kernel: K) {
    // SAFETY: this function is called where the processor has AVX-512.
    unsafe { kernel.run::<<K::Number as Numbers>::Avx512>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2<K: Kernel>(kernel: K) {
    // SAFETY: this function is called where the processor has AVX2 and FMA.
    unsafe { kernel.run::<<K::Number as Numbers>::Avx2>() }
}

/// A number type with its vectors.
pub trait Numbers: Copy + Send + Sync + WithDType + Default {
    /// 512 bits of them.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Lanes<Number = Self>;
    /// 256 bits of them.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Lanes<Number = Self>;
}

/// A vector of numbers.
///
/// # Safety
/// Of every method: the processor has the type's instructions; pointers are valid for the numbers read or written,
/// of which `first` methods touch the first `count` ≤ COUNT alone. No alignment is asked for.
pub trait Lanes: Copy {
    /// f32 or f64.
    type Number: Numbers;
    /// Numbers in a vector.
    const COUNT: usize;

    /// The number in every place.
    unsafe fn splat(number: Self::Number) -> Self;
    /// The numbers from here on.
    unsafe fn load(from: *const Self::Number) -> Self;
    /// The first numbers from here on, then zeros.
    unsafe fn load_first(from: *const Self::Number, count: usize) -> Self;
    /// Writes the numbers from here on.
    unsafe fn store(self, to: *mut Self::Number);
    /// Writes the first numbers from here on.
    unsafe fn store_first(self, to: *mut Self::Number, count: usize);

    /// [`load`](Self::load), or [`load_first`](Self::load_first) where a vector is not full, which costs more.
    #[inline(always)]
    unsafe fn load_some(from: *const Self::Number, count: usize) -> Self {
        // SAFETY: as the caller vouches.
        unsafe { if count == Self::COUNT { Self::load(from) } else { Self::load_first(from, count) } }
    }

    /// [`store`](Self::store), or [`store_first`](Self::store_first) where a vector is not full.
    #[inline(always)]
    unsafe fn store_some(self, to: *mut Self::Number, count: usize) {
        // SAFETY: as the caller vouches.
        unsafe { if count == Self::COUNT { self.store(to) } else { self.store_first(to, count) } }
    }
    /// self + other
    unsafe fn add(self, other: Self) -> Self;
    /// self − other
    unsafe fn sub(self, other: Self) -> Self;
    /// self·factor + term, rounded once where the processor can.
    unsafe fn multiply_add(self, factor: Self, term: Self) -> Self;
    /// max(self, 0); NaN stays NaN.
    unsafe fn positive_part(self) -> Self;
    /// self where `sign` is positive, else 0.
    unsafe fn where_positive(self, sign: Self) -> Self;
}

/// An array as a vector.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable<T>([T; 8]);

impl<T: Numbers> Portable<T> {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(T, T) -> T) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], other.0[lane])))
    }
}

impl<T: Numbers> Lanes for Portable<T> {
    type Number = T;
    const COUNT: usize = 8;

    #[inline(always)]
    unsafe fn splat(number: T) -> Self {
        Self([number; 8])
    }

    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller vouches for eight numbers.
        Self(unsafe { from.cast::<[T; 8]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const T, count: usize) -> Self {
        let mut vector = [T::zero(); 8];
        // SAFETY: the caller vouches for `count` ≤ 8 numbers.
        vector.iter_mut().take(count).enumerate().for_each(|(lane, x)| *x = unsafe { *from.add(lane) });
        Self(vector)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller vouches for eight numbers.
        unsafe { to.cast::<[T; 8]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut T, count: usize) {
        // SAFETY: the caller vouches for `count` ≤ 8 numbers.
        self.0.iter().take(count).enumerate().for_each(|(lane, x)| unsafe { *to.add(lane) = *x });
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    unsafe fn multiply_add(self, factor: Self, term: Self) -> Self {
        self.zip(factor, |a, b| a * b).zip(term, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn positive_part(self) -> Self {
        Self(self.0.map(|x| if x <= T::zero() { T::zero() } else { x }))
    }

    #[inline(always)]
    unsafe fn where_positive(self, sign: Self) -> Self {
        self.zip(sign, |x, sign| if sign > T::zero() { x } else { T::zero() })
    }
}

impl Numbers for f32 {
    #[cfg(target_arch = "x86_64")]
    type Avx512 = super::x86::F32x16;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = super::x86::F32x8;
}

impl Numbers for f64 {
    #[cfg(target_arch = "x86_64")]
    type Avx512 = super::x86::F64x8;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = super::x86::F64x4;
}

/// Adds the lanes of a vector to as many sums, or fewer.
///
/// # Safety
/// The processor must have the instructions of V.
#[inline(always)]
pub(super) unsafe fn add_to<V: Lanes>(vector: V, sums: &mut [f64]) {
    // SAFETY: as the caller vouches.
    let lanes = unsafe { doubles(vector) };
    sums.iter_mut().zip(lanes).for_each(|(sum, lane)| *sum += lane);
}

/// The lanes of a vector in double precision, then zeros.
///
/// # Safety
/// The processor must have the instructions of V.
#[inline(always)]
pub(super) unsafe fn doubles<V: Lanes>(vector: V) -> [f64; 16] {
    const { assert!(V::COUNT <= 16) };
    let mut lanes = [V::Number::default(); 16];
    // SAFETY: no vector has more than 16 lanes.
    unsafe { vector.store(lanes.as_mut_ptr()) };
    lanes.map(WithDType::to_f64)
}
