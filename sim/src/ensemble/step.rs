//! A block of steps of SGD: noise in, the points visited out.

use super::batch::{CHAINS, STEPS};
use super::lanes::{Kernel, Lanes};
use crate::sgd::Gradient;

/// A block of steps of every chain of a batch: `block` gets the point that each step was taken at.
pub(super) struct Steps<'a, S, W> {
    pub(super) slopes: S,
    pub(super) noises: W,
    pub(super) eta: f64,
    /// Heavy-ball momentum's coefficient, if there is any.
    pub(super) momentum: Option<f64>,
    pub(super) block: &'a mut [[f64; CHAINS]; STEPS],
    pub(super) points: &'a mut [f64; CHAINS],
    pub(super) velocities: &'a mut [f64; CHAINS],
}

/// Where a vector of noise comes from.
pub(super) trait Noises {
    /// ω of the chains from `lane` on, at step number `step` of the block; `block` points to their place in it.
    ///
    /// # Safety
    /// The processor must have the instructions of V; a vector from `lane` on lies within a row, and one from `block`
    /// on within the block.
    unsafe fn at<V: Lanes>(&self, step: usize, lane: usize, block: *const f64) -> V::Numbers;
}

/// The block holds the noise, which the points then take the place of.
pub(super) struct Drawn;

/// Uniform noise, made of words on the way: the commonest law, and one pass over the block less.
pub(super) struct UniformNoise<'a> {
    pub(super) words: &'a [[u32; CHAINS]; STEPS],
    /// ν times the spacing of the words' numbers, exactly.
    pub(super) scale: f64,
}

impl Noises for Drawn {
    #[inline(always)]
    unsafe fn at<V: Lanes>(&self, _step: usize, _lane: usize, block: *const f64) -> V::Numbers {
        // SAFETY: as the caller vouches.
        unsafe { V::load(block) }
    }
}

impl Noises for UniformNoise<'_> {
    #[inline(always)]
    unsafe fn at<V: Lanes>(&self, step: usize, lane: usize, _block: *const f64) -> V::Numbers {
        // SAFETY: as the caller vouches.
        unsafe { V::mul(V::centred(self.words[step].as_ptr().add(lane)), V::splat(self.scale)) }
    }
}

/// The slopes at a vector of points.
pub(super) trait Slopes {
    /// g at each point; `is_sharp` says where it is below 0.
    ///
    /// # Safety
    /// The processor must have the instructions of V.
    unsafe fn at<V: Lanes>(&self, points: V::Numbers, is_sharp: V::Mask) -> V::Numbers;
}

/// One slope a side.
pub(super) struct TwoSlopes {
    pub(super) flat: f64,
    pub(super) sharp: f64,
}

/// Slopes whose size goes from `near` to `far`, each for w ≥ 0 and w < 0, by the share |w|/(|w| + scale).
pub(super) struct Smooth {
    pub(super) near: [f64; 2],
    pub(super) far: [f64; 2],
    pub(super) scale: f64,
}

/// Any gradient, one point after the other.
pub(super) struct Each<'a, G>(pub(super) &'a G);

impl Slopes for TwoSlopes {
    #[inline(always)]
    unsafe fn at<V: Lanes>(&self, _points: V::Numbers, is_sharp: V::Mask) -> V::Numbers {
        // SAFETY: the caller vouches for the instructions.
        unsafe { V::select(is_sharp, V::splat(self.sharp), V::splat(self.flat)) }
    }
}

impl Slopes for Smooth {
    #[inline(always)]
    unsafe fn at<V: Lanes>(&self, points: V::Numbers, is_sharp: V::Mask) -> V::Numbers {
        // SAFETY: the caller vouches for the instructions.
        unsafe {
            let side = |[flat, sharp]: [f64; 2]| V::select(is_sharp, V::splat(sharp), V::splat(flat));
            let distance = V::abs(points);
            let share = V::div(distance, V::add(distance, V::splat(self.scale)));
            let (near, far) = (side(self.near), side(self.far));
            let size = V::min(V::add(near, V::mul(share, V::sub(far, near))), far);
            V::select(is_sharp, V::sub(V::splat(-0.0), size), size)
        }
    }
}

impl<G: Gradient> Slopes for Each<'_, G> {
    #[inline(always)]
    unsafe fn at<V: Lanes>(&self, points: V::Numbers, _is_sharp: V::Mask) -> V::Numbers {
        // No vector has more numbers.
        let mut numbers = [0.0; 8];
        const { assert!(V::NUMBERS <= 8) };
        // SAFETY: the caller vouches for the instructions; the array has room for a vector.
        unsafe {
            V::store(points, numbers.as_mut_ptr());
            numbers[..V::NUMBERS].iter_mut().for_each(|number| *number = self.0.at(*number));
            V::load(numbers.as_ptr())
        }
    }
}

impl<S: Slopes, W: Noises> Kernel for Steps<'_, S, W> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        // SAFETY: the caller vouches for the instructions.
        unsafe {
            match self.momentum {
                None => self.take::<V, false>(0.0),
                Some(momentum) => self.take::<V, true>(momentum),
            }
        }
    }
}

impl<S: Slopes, W: Noises> Steps<'_, S, W> {
    /// Each step is fl(w − fl(η·fl(g + ω))), or with momentum v′ = fl(fl(μv) − fl(η·fl(g + ω))), w′ = fl(w + v′).
    #[inline(always)]
    unsafe fn take<V: Lanes, const MOMENTUM: bool>(self, momentum: f64) {
        let Self { slopes, noises, eta, block, points, velocities, .. } = self;
        // SAFETY: the caller vouches for the instructions; rows have CHAINS numbers, a multiple of every vector's length
        // times eight, and each vector lies within its row.
        unsafe {
            let (eta, momentum) = (V::splat(eta), V::splat(momentum));
            // Eight vectors in turn, so that one is worked on while another waits for its last step.
            const GROUP: usize = 8;
            for first in (0..CHAINS).step_by(GROUP * V::NUMBERS) {
                let lanes: [usize; GROUP] = std::array::from_fn(|i| first + i * V::NUMBERS);
                let mut w = lanes.map(|lane| V::load(points.as_ptr().add(lane)));
                let mut v = lanes.map(|lane| V::load(velocities.as_ptr().add(lane)));
                for (step, row) in block.iter_mut().enumerate() {
                    for i in 0..GROUP {
                        let at = row.as_mut_ptr().add(lanes[i]);
                        let noise = noises.at::<V>(step, lanes[i], at);
                        V::store(w[i], at);
                        let slope = slopes.at::<V>(w[i], V::is_negative(w[i]));
                        let pull = V::mul(eta, V::add(slope, noise));
                        if MOMENTUM {
                            v[i] = V::sub(V::mul(momentum, v[i]), pull);
                            w[i] = V::add(w[i], v[i]);
                        } else {
                            w[i] = V::sub(w[i], pull);
                        }
                    }
                }
                for i in 0..GROUP {
                    V::store(w[i], points.as_mut_ptr().add(lanes[i]));
                    if MOMENTUM {
                        V::store(v[i], velocities.as_mut_ptr().add(lanes[i]));
                    }
                }
            }
        }
    }
}
