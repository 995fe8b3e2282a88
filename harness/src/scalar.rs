//! The two number types a network can be run in.

/// `f32`, the type of training, or `f64`, the type of gradient checks.
///
/// candle's [`WithDType`](candle_core::WithDType) supplies arithmetic, conversion and the tensor type.
pub trait Scalar: candle_core::WithDType + Default + sealed::Sealed {}

impl Scalar for f32 {}
impl Scalar for f64 {}

mod sealed {
    /// Closes [`Scalar`](super::Scalar): the matrix product and the vectors of the CPU backend know these two types alone.
    pub trait Sealed: crate::exec::Numbers {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}
