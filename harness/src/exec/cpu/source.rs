//! Reading numbers through a batch norm and a function.

use super::kernels::{Affine, Extent, InstructionSet, Numbers, Rows, RowsMut, affine, copy};
use super::step::{Norm, Source};
use crate::Scalar;
use crate::exec::activation::{Pointwise, Sigmoid, Softplus};
use crate::exec::backend::{EPSILON, Moments};
use crate::model::graph::Activation;

/// Every batch norm as y = scale·(x − mean) + shift, by its place among the channels of all.
#[derive(Debug, Default)]
pub(super) struct Coefficients<T> {
    scale: Vec<T>,
    shift: Vec<T>,
    mean: Vec<T>,
    /// Scale 1, mean and shift 0 for as many channels as a value may have.
    ones: Vec<T>,
    zeros: Vec<T>,
}

impl<T: Scalar> Coefficients<T> {
    /// Room for this many channels of all batch norms, and for values of this many channels.
    pub(super) fn new(channels: usize, most: usize) -> Self {
        let zeros = |count: usize| vec![T::zero(); count];
        let (scale, shift, mean) = (zeros(channels), zeros(channels), zeros(channels));
        Self { scale, shift, mean, ones: vec![T::one(); most], zeros: zeros(most) }
    }

    /// Takes over the moments of a batch norm.
    pub(super) fn set(&mut self, norm: &Norm, moments: Moments<'_>, parameters: &[T]) {
        let channels = norm.op.statistics.clone();
        let parameters = parameters[norm.op.weight.clone()].iter().zip(&parameters[norm.op.bias.clone()]);
        for (((channel, (weight, bias)), mean), var) in channels.zip(parameters).zip(moments.mean).zip(moments.var) {
            let scale = weight.to_f64() / (var + EPSILON).sqrt();
            self.scale[channel] = T::from_f64(scale);
            self.shift[channel] = *bias;
            self.mean[channel] = T::from_f64(*mean);
        }
    }

    /// A batch norm, with ReLU if that is the function after it, or else ReLU alone or nothing.
    pub(super) fn affine(&self, norm: Option<&Norm>, function: Option<Activation>, channels: usize) -> Affine<'_, T> {
        let relu = function == Some(Activation::Relu);
        match norm.map(|norm| norm.op.statistics.clone()) {
            Some(range) => {
                let [mean, scale, shift] =
                    [&self.mean, &self.scale, &self.shift].map(|numbers| &numbers[range.clone()]);
                Affine { mean, scale, shift, relu }
            }
            None => {
                let zeros = &self.zeros[..channels];
                Affine { mean: zeros, scale: &self.ones[..channels], shift: zeros, relu }
            }
        }
    }

    /// The means that a batch norm subtracts.
    pub(super) fn mean(&self, norm: &Norm) -> &[T] {
        &self.mean[norm.op.statistics.clone()]
    }
}

/// What reading a source takes.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a, T> {
    pub(super) set: InstructionSet,
    pub(super) norms: &'a [Norm],
    pub(super) coefficients: &'a Coefficients<T>,
}

impl<T: Scalar> Reader<'_, T> {
    /// y ← what the source makes of x.
    pub(super) fn read(&self, source: Source, extent: Extent, x: Rows<'_, T>, mut y: RowsMut<'_, T>) {
        let norm = source.norm.map(|norm| &self.norms[norm]);
        if norm.is_some() || source.function == Some(Activation::Relu) {
            let f = self.coefficients.affine(norm, source.function, extent.channels);
            affine(self.set, extent, f, x, y.lend());
        } else {
            copy(extent, x, y.lend());
        }
        match source.function {
            None | Some(Activation::Relu) => {}
            Some(Activation::Sigmoid) => map(extent, y, Sigmoid::value),
            Some(Activation::Softplus) => map(extent, y, Softplus::value),
        }
    }
}

/// y ← f(y), number by number.
fn map<T: Numbers>(extent: Extent, y: RowsMut<'_, T>, f: impl Fn(T) -> T) {
    for pixel in y.numbers.chunks_mut(y.pitch).take(extent.pixels) {
        pixel.iter_mut().take(extent.channels).for_each(|number| *number = f(*number));
    }
}
