//! The kernels that most of the time goes to, compiled for several instruction sets and chosen at run time.
//!
//! The one place of this backend with unsafe code: every function here takes slices, compares extents, and only then
//! goes on with pointers. Images lie pixel by pixel, channel by channel (NHWC).

mod correlate;
mod rows;
mod simd;
mod sums;
mod weight_gradient;
mod winograd;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(super) use self::correlate::{Packed, Results, Windows, correlate, correlate_all};
pub(super) use self::rows::{Affine, Extent, Rows, RowsMut, Trend, add, add_trend, affine, copy};
pub(super) use self::simd::InstructionSet;
pub(crate) use self::simd::Numbers;
pub(super) use self::sums::{add_moments, affine_backward};
pub(super) use self::weight_gradient::{Gradients, add_weight_gradient};
pub(super) use self::winograd::{
    Cut, KernelOrder, POSITIONS, Tiles, add_kernel_gradients, transform_gradients, transform_kernels, transform_pixels,
    transform_sums,
};

#[cfg(test)]
mod tests;
