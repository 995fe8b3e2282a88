//! Every operation against central differences of itself, against candle where candle is right, and on known numbers.

mod candle;
mod gradients;
mod known;

use rand::RngExt;
use valleys_sim::Seed;

use super::*;
use crate::model::graph::{Shape, Window};

/// Numbers in (−1, 1), fixed by name.
fn numbers(name: &str, length: usize) -> Vec<f64> {
    let mut rng = Seed(7).stream(name, 0);
    (0..length).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect()
}

const X: Slot = Slot(0);
const Y: Slot = Slot(1);
const DY: Slot = Slot(2);
const DX: Slot = Slot(3);
/// As long as X and filled with random numbers.
const FACTORS: Slot = Slot(4);

/// An operation under test: extents, and its two directions between the slots above.
struct Case<F, B> {
    name: String,
    images: usize,
    inputs: usize,
    outputs: usize,
    parameters: usize,
    forward: F,
    backward: B,
}

/// The result of one run with given input, parameters and output gradient.
struct Run {
    y: Vec<f64>,
    dx: Vec<f64>,
    gradient: Vec<f64>,
}

/// The way from X to Y.
trait Forth: Fn(&mut Reference<f64>) {}
impl<F: Fn(&mut Reference<f64>)> Forth for F {}

/// The way back from DY to the target.
trait Back: Fn(&mut Reference<f64>, Target) {}
impl<F: Fn(&mut Reference<f64>, Target)> Back for F {}

impl<F: Forth, B: Back> Case<F, B> {
    /// One run from X to Y and back, with Y and DX holding other numbers before.
    fn run(&self, x: &[f64], parameters: &[f64], dy: &[f64], accumulate: bool) -> Run {
        let mut backend = Reference::default();
        backend.begin(&[self.inputs, self.outputs, self.outputs, self.inputs, self.inputs], self.images, parameters);
        backend.write(FACTORS, &numbers("factors", x.len()));
        backend.write(X, x);
        backend.write(Y, &vec![9.0; dy.len()]);
        backend.write(DX, &vec![3.0; x.len()]);
        (self.forward)(&mut backend);
        backend.write(DY, dy);
        (self.backward)(&mut backend, Target { slot: DX, accumulate });
        let mut gradient = vec![0.0; parameters.len()];
        backend.read_gradient(&mut gradient);
        Run { y: backend.read(Y), dx: backend.read(DX), gradient }
    }

    fn inputs(&self) -> [Vec<f64>; 3] {
        [("x", self.images * self.inputs), ("parameters", self.parameters), ("dy", self.images * self.outputs)]
            .map(|(what, length)| numbers(&format!("{} {what}", self.name), length))
    }
}

fn convolution_case(images: usize, op: &Convolution) -> Case<impl Forth, impl Back> {
    let bias = op.bias.as_ref().map_or(0, |bias| bias.end);
    Case {
        name: format!("{images} images, {op:?}"),
        images,
        inputs: op.input.len(),
        outputs: op.output.len(),
        parameters: op.weight.end.max(bias) + 1,
        forward: |backend: &mut Reference<f64>| backend.convolution(op, X, Y),
        backward: |backend: &mut Reference<f64>, dx| backend.convolution_backward(op, X, DY, Some(dx)),
    }
}
