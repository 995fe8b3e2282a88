//! Every launch, carried out on the host by the functions that the GPU compiles, against the reference backend; and
//! every launch's arguments against the program for the GPU.

mod account;
mod augment;
mod batch_norm;
mod convolution;
mod double;
mod elementwise;
mod kept;
mod landscape;
mod linear;
mod loss;
mod on_host;
mod optimiser;
mod pass;
mod planar;
mod pooling;
mod program;
mod replay;
mod statistics;
mod training;
mod weights;

use std::cell::Cell;
use std::ffi::{CString, c_char, c_int, c_void};

use rand::RngExt;
use valleys_sim::Seed;

use super::kernels::{ADDED, GROUP, THREADS, TILE};
use super::launch::{Argument, Launch};
use super::memory::{Element, Out, View};
use crate::exec::backend::{self, Backend, Slot};
use crate::exec::gpu::form::EXTENTS;
use crate::exec::reference::Reference;
use crate::model::graph::{Activation, Shape, Window};

unsafe extern "C" {
    fn valleys_cuda_host_launch(
        name: *const c_char,
        x: u32,
        y: u32,
        shared: u32,
        arguments: *const *mut c_void,
    ) -> c_int;
    fn valleys_cuda_host_waited() -> bool;
    fn valleys_cuda_extents(extents: *mut u32);
    fn valleys_cuda_added() -> u32;
    fn valleys_cuda_threads() -> u32;
    fn valleys_cuda_tile() -> u32;
    fn valleys_cuda_group() -> u32;
}

/// Carries out a launch on the host.
fn run(launch: &Launch<'_>) {
    let name = CString::new(launch.kernel().name()).expect("a name");
    let places: Vec<*mut c_void> = launch.arguments().iter().map(Argument::place).collect();
    let [x, y] = launch.blocks();
    // SAFETY: as `Device::run`, the views being of host memory.
    let unknown = unsafe { valleys_cuda_host_launch(name.as_ptr(), x, y, launch.shared(), places.as_ptr()) };
    assert_eq!(unknown, 0, "no kernel {name:?}");
    // SAFETY: a function without arguments.
    let waited = unsafe { valleys_cuda_host_waited() };
    assert_eq!(waited, launch.kernel().overlaps(), "{name:?} waits for the launch before, or says so");
}

fn run_all(launches: &[Launch<'_>]) {
    launches.iter().for_each(run);
}

/// Host memory for launches, between other numbers, which they are not to touch.
struct Host<T>(Vec<Cell<T>>, T);

/// A multiple of what kernels move at a time, so that memory starts where these can.
const GUARD: usize = 64;

impl<T: Element + PartialEq + std::fmt::Debug> Host<T> {
    fn new(numbers: &[T], guard: T) -> Self {
        let guards = [guard; GUARD];
        Self(guards.iter().chain(numbers).chain(&guards).copied().map(Cell::new).collect(), guard)
    }

    fn inside(&self) -> &[Cell<T>] {
        &self.0[GUARD..self.0.len() - GUARD]
    }

    fn view(&self) -> View<'_, T> {
        View::of_host(self.inside())
    }

    fn out(&self) -> Out<'_, T> {
        Out::of_host(self.inside())
    }

    /// The numbers, after a look at those around.
    fn read(&self) -> Vec<T> {
        let around = self.0[..GUARD].iter().chain(&self.0[self.0.len() - GUARD..]);
        assert!(around.map(Cell::get).all(|number| number == self.1), "a kernel wrote outside its output");
        self.inside().iter().map(Cell::get).collect()
    }
}

/// Numbers among huge ones, which spoil every result that they come into.
fn single(numbers: &[f32]) -> Host<f32> {
    Host::new(numbers, 1e30)
}

fn double(numbers: &[f64]) -> Host<f64> {
    Host::new(numbers, 1e300)
}

/// Numbers in (−1, 1), fixed by name.
fn numbers(name: &str, length: usize) -> Vec<f32> {
    let mut rng = Seed(11).stream(name, 0);
    (0..length).map(|_| 2.0 * rng.random::<f32>() - 1.0).collect()
}

/// The reference backend with these numbers in slots of its own, for this many images.
fn reference(images: usize, parameters: &[f32], slots: &[&[f32]]) -> Reference<f32> {
    let mut backend = Reference::default();
    let lengths: Vec<usize> = slots.iter().map(|numbers| numbers.len() / images).collect();
    backend.begin(&lengths, images, parameters);
    slots.iter().enumerate().for_each(|(slot, numbers)| backend.write(Slot(slot), numbers));
    backend
}

/// A convolution without bias, alone with its weight.
fn op(channels: usize, [height, width]: [usize; 2], outputs: usize, window: Window) -> backend::Convolution {
    let extent = |length: usize| (length + 2 * window.padding - window.size) / window.stride + 1;
    let input = Shape { channels, height, width };
    let output = Shape { channels: outputs, height: extent(height), width: extent(width) };
    backend::Convolution {
        input,
        output,
        window,
        weight: 0..outputs * channels * window.size * window.size,
        bias: None,
    }
}

fn gradient(backend: &Reference<f32>, length: usize) -> Vec<f32> {
    let mut gradient = vec![0.0; length];
    backend.read_gradient(&mut gradient);
    gradient
}

/// That numbers are the same, but for the sign of 0, which a sum with 0 loses; and if not, where.
#[track_caller]
fn assert_same(seen: &[f32], right: &[f32]) {
    assert_eq!(seen.len(), right.len());
    let is_other = |(seen, right): (&f32, &f32)| seen != right && !(seen.is_nan() && right.is_nan());
    let other = seen.iter().zip(right).position(is_other);
    if let Some(index) = other {
        panic!("number {index}: {}, not {}", seen[index], right[index]);
    }
}

#[track_caller]
fn assert_close(seen: &[f32], right: &[f32], tolerance: f32) {
    assert_eq!(seen.len(), right.len());
    for (index, (seen, right)) in seen.iter().zip(right).enumerate() {
        assert!((seen - right).abs() <= tolerance * (1.0 + right.abs()), "number {index}: {seen}, not {right}");
    }
}

const FUNCTIONS: [Option<Activation>; 4] =
    [None, Some(Activation::Relu), Some(Activation::Sigmoid), Some(Activation::Softplus)];

#[test]
fn both_sides_know_the_same_extents() {
    // SAFETY: functions without arguments or state.
    let extents = unsafe { [valleys_cuda_threads(), valleys_cuda_tile(), valleys_cuda_group(), valleys_cuda_added()] };
    assert_eq!(extents.map(|extent| extent as usize), [THREADS, TILE, GROUP, ADDED]);
    let mut extents = [0; EXTENTS.len()];
    // SAFETY: there is room for as many numbers as the function writes.
    unsafe { valleys_cuda_extents(extents.as_mut_ptr()) };
    assert_eq!(extents.map(|extent| extent as usize), EXTENTS);
}
