//! Launches: a kernel, its grid and its checked arguments, by concept.
//!
//! A function a kernel checks that the views are as long as the shapes say and do not overlap where that matters, and
//! that no index leaves 31 bits. What holds the right numbers, such as labels that are classes, is the caller's matter;
//! no kernel leaves its memory for wrong ones.

mod augment;
mod batch_norm;
mod convert;
mod convolution;
mod elementwise;
mod landscape;
mod linear;
mod loss;
mod optimiser;
mod planar_convolution;
mod planar_gradient;
mod planar_strips;
mod pooling;
mod statistics;

use std::marker::PhantomData;

pub(crate) use self::augment::{ResidentImages, Variation, augment};
pub(crate) use self::batch_norm::{
    Norm, Planes, Reduced, batch_norm, batch_norm_backward, batch_norm_backward_apply, moments,
};
pub(crate) use self::convert::{WEIGHT, from_bf16, round_weights, to_bf16, turn};
pub(crate) use self::convolution::{
    Moments, Read, Sums, convolution, convolution_backward_data, convolution_backward_weight,
};
pub(crate) use self::elementwise::{activation, activation_backward, add, extract, insert, multiply};
pub(crate) use self::landscape::along;
pub(crate) use self::linear::{add_bias, bias_backward, linear, linear_backward_data, linear_backward_weight};
pub(crate) use self::loss::cross_entropy;
pub(crate) use self::optimiser::{average, sgd};
pub(crate) use self::planar_convolution::PlanarConvolution;
pub(crate) use self::planar_gradient::PlanarGradient;
pub(crate) use self::pooling::{average_pool, average_pool_backward, max_pool, max_pool_backward};
pub(crate) use self::statistics::{Batch, collect, track};
use super::kernels::{Kernel, THREADS};
use super::memory::{Element, Out, View};
use crate::exec::gpu::form::SHARED;
use crate::model::graph::Shape;
use crate::{Error, Result};

/// A kernel ready to run on buffers that live at least as long as it.
#[derive(Debug, Clone)]
pub(crate) struct Launch<'a> {
    kernel: Kernel,
    grid: [u32; 2],
    /// Bytes that the threads of a block share, as far as the kernel leaves that to the launch.
    shared: u32,
    arguments: Vec<Argument>,
    /// For a test that counts them, the numbers that its arguments point to.
    #[cfg(test)]
    touched: Vec<Touched>,
    of: PhantomData<&'a ()>,
}

/// Numbers that an argument points to.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Touched {
    pub(super) address: u64,
    pub(super) bytes: u64,
    /// Whether they are an output.
    pub(super) out: bool,
}

/// An argument of a kernel.
#[derive(Debug, Clone, Copy)]
pub(super) enum Argument {
    Address(u64),
    U32(u32),
    F64(f64),
}

impl<'a> Launch<'a> {
    /// A thread a number, of `n`.
    fn each(kernel: Kernel, n: usize) -> Result<Self> {
        Self::grid(kernel, [index(n)?.div_ceil(THREADS as u32), 1])
    }

    /// This many blocks in both directions.
    fn grid(kernel: Kernel, grid: [u32; 2]) -> Result<Self> {
        // The driver's bounds; a grid of nothing it refuses.
        if grid[0] == 0 || grid[1] == 0 || grid[1] > 65_535 {
            let name = format!("blocks of the kernel {}", kernel.name());
            return Err(Error::domain(name, format!("{grid:?}"), "at least 1, the second at most 65535"));
        }
        Ok(Self {
            kernel,
            grid,
            shared: 0,
            arguments: Vec::with_capacity(16),
            #[cfg(test)]
            touched: Vec::new(),
            of: PhantomData,
        })
    }

    /// With so many bytes that the threads of a block share.
    fn sharing(self, bytes: usize) -> Result<Self> {
        if bytes > SHARED {
            let name = format!("bytes that the threads of the kernel {} share", self.kernel.name());
            return Err(Error::domain(name, bytes, format!("at most {SHARED}")));
        }
        Ok(Self { shared: index(bytes)?, ..self })
    }

    fn view<T: Element>(mut self, view: View<'a, T>) -> Self {
        self.arguments.push(Argument::Address(view.address()));
        #[cfg(test)]
        self.touched.push(Touched { address: view.address(), bytes: (view.len() * size_of::<T>()) as u64, out: false });
        self
    }

    fn out<T: Element>(self, out: Out<'a, T>) -> Self {
        let launch = self.view(out.view());
        #[cfg(test)]
        let launch = launch.written();
        launch
    }

    /// The same, its last argument being an output.
    #[cfg(test)]
    fn written(mut self) -> Self {
        self.touched.last_mut().expect("an argument").out = true;
        self
    }

    /// No place at all, where a kernel takes that.
    fn nowhere(mut self) -> Self {
        self.arguments.push(Argument::Address(0));
        self
    }

    fn index(mut self, number: usize) -> Result<Self> {
        self.arguments.push(Argument::U32(index(number)?));
        Ok(self)
    }

    fn indices<const N: usize>(self, numbers: [usize; N]) -> Result<Self> {
        numbers.into_iter().try_fold(self, Self::index)
    }

    fn flag(mut self, flag: bool) -> Self {
        self.arguments.push(Argument::U32(u32::from(flag)));
        self
    }

    fn f64(mut self, number: f64) -> Self {
        self.arguments.push(Argument::F64(number));
        self
    }

    pub(super) fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Blocks in both directions.
    pub(super) fn blocks(&self) -> [u32; 2] {
        self.grid
    }

    /// Bytes that the threads of a block share.
    pub(super) fn shared(&self) -> u32 {
        self.shared
    }

    pub(super) fn arguments(&self) -> &[Argument] {
        &self.arguments
    }

    #[cfg(test)]
    pub(super) fn touched(&self) -> &[Touched] {
        &self.touched
    }
}

impl Argument {
    /// Where it is, as launches take it.
    pub(super) fn place(&self) -> *mut std::ffi::c_void {
        match self {
            Self::Address(value) => std::ptr::from_ref(value).cast_mut().cast(),
            Self::U32(value) => std::ptr::from_ref(value).cast_mut().cast(),
            Self::F64(value) => std::ptr::from_ref(value).cast_mut().cast(),
        }
    }
}

/// A number that kernels can count with: below 2³¹, so that adding a block's threads stays below 2³².
pub(super) fn index(number: usize) -> Result<u32> {
    let small = u32::try_from(number).ok().filter(|small| *small < 1 << 31);
    small.ok_or_else(|| Error::domain("numbers in one value on the GPU", number, "fewer than 2^31"))
}

/// That a view has the length its shape says.
fn check_length(name: &str, length: usize, right: usize) -> Result<()> {
    if length == right { Ok(()) } else { Err(Error::domain(format!("length of {name} on the GPU"), length, right)) }
}

/// That so many numbers are images of a shape.
fn check_images(shape: Shape, length: usize) -> Result<()> {
    if shape.is_empty() || !length.is_multiple_of(shape.len()) {
        let allowed = format!("a multiple of {}, not 0", shape.len());
        return Err(Error::domain(format!("length of images of {shape:?} on the GPU"), length, allowed));
    }
    Ok(())
}

/// That a kernel, which reads and writes each number in one thread, writes where it reads or elsewhere, not in between.
fn check_in_place<T: Element>(kernel: Kernel, out: Out<'_, T>, view: View<'_, T>) -> Result<()> {
    if out.view().address() == view.address() { Ok(()) } else { check_apart(kernel, out, view) }
}

/// That a kernel, which reads numbers after others are written, does not write where it reads.
fn check_apart<T: Element, U: Element>(kernel: Kernel, out: Out<'_, T>, view: View<'_, U>) -> Result<()> {
    if out.view().overlaps(view) {
        let name = format!("the output of the kernel {}", kernel.name());
        return Err(Error::domain(name, "its input, in part", "a place of its own"));
    }
    Ok(())
}
