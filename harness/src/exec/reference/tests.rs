//! Every operation against central differences of itself, and against candle where candle is right.

use candle_core::{Device, Tensor, Var};
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
    fn run(&self, x: &[f64], parameters: &[f64], dy: &[f64], accumulate: bool) -> Run {
        let mut backend = Reference::default();
        backend.begin(&[self.inputs, self.outputs, self.outputs, self.inputs], self.images, parameters);
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

    /// Compares dx and the parameter gradient with central differences of ⟨y, dy⟩.
    fn check(&self) {
        let [x, parameters, dy] = self.inputs();
        let run = self.run(&x, &parameters, &dy, false);
        let value = |x: &[f64], parameters: &[f64]| {
            self.run(x, parameters, &dy, false).y.iter().zip(&dy).map(|(y, dy)| y * dy).sum::<f64>()
        };
        for (what, at, slopes) in [("x", &x, &run.dx), ("parameter", &parameters, &run.gradient)] {
            for (index, slope) in slopes.iter().enumerate() {
                let moved = |step: f64| {
                    let mut moved = at.clone();
                    moved[index] += step;
                    if what == "x" { value(&moved, &parameters) } else { value(&x, &moved) }
                };
                let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                let name = &self.name;
                assert!(
                    (slope - difference).abs() < 1e-7,
                    "{name}, {what} {index}: {slope}, by difference {difference}"
                );
            }
        }
        let added = self.run(&x, &parameters, &dy, true).dx;
        assert!(added.iter().zip(&run.dx).all(|(added, dx)| (added - dx - 3.0).abs() < 1e-12), "{}: adds", self.name);
    }
}

/// Kernels, strides, paddings, odd and even extents, batches smaller and larger than the number of groups.
fn convolutions() -> Vec<(usize, Convolution)> {
    let mut cases = Vec::new();
    for (images, channels, outputs, [height, width], [size, stride, padding]) in [
        (1, 1, 1, [1, 1], [1, 1, 0]),
        (1, 2, 3, [5, 7], [3, 1, 1]),
        (3, 3, 2, [4, 4], [3, 1, 1]),
        (9, 2, 2, [3, 3], [3, 1, 1]),
        (2, 2, 3, [5, 7], [3, 2, 1]),
        (2, 2, 3, [8, 6], [3, 2, 1]),
        (2, 3, 4, [5, 6], [1, 1, 0]),
        (2, 3, 4, [5, 6], [1, 2, 0]),
        (2, 2, 2, [5, 6], [3, 1, 0]),
        (2, 2, 2, [4, 5], [5, 1, 2]),
        (2, 1, 2, [2, 2], [5, 1, 2]),
        (1, 2, 1, [7, 7], [3, 3, 2]),
        (1, 2, 1, [3, 2], [1, 1, 1]),
        (1, 1, 2, [6, 6], [2, 2, 0]),
    ] {
        let extent = |length: usize| (length + 2 * padding - size) / stride + 1;
        let op = Convolution {
            input: Shape { channels, height, width },
            output: Shape { channels: outputs, height: extent(height), width: extent(width) },
            window: Window { size, stride, padding },
            weight: 1..1 + outputs * channels * size * size,
        };
        cases.push((images, op));
    }
    cases
}

fn convolution_case(images: usize, op: &Convolution) -> Case<impl Forth, impl Back> {
    Case {
        name: format!("{images} images, {op:?}"),
        images,
        inputs: op.input.len(),
        outputs: op.output.len(),
        parameters: op.weight.end + 1,
        forward: |backend: &mut Reference<f64>| backend.convolution(op, X, Y),
        backward: |backend: &mut Reference<f64>, dx| backend.convolution_backward(op, X, DY, Some(dx)),
    }
}

fn assert_near(ours: &[f64], theirs: &Tensor, what: &str) {
    let theirs = theirs.flatten_all().expect("flat").to_vec1::<f64>().expect("numbers");
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let apart = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart < 1e-12, "{what}: {apart}");
}

#[test]
fn convolution_gradients_are_central_differences() {
    for (images, op) in convolutions() {
        convolution_case(images, &op).check();
    }
}

#[test]
fn convolutions_agree_with_candle() {
    for (images, op) in convolutions() {
        let case = convolution_case(images, &op);
        let [x, parameters, dy] = case.inputs();
        let run = case.run(&x, &parameters, &dy, false);
        let tensor = |values: &[f64], shape: Shape, count: usize| {
            Tensor::from_slice(values, (count, shape.channels, shape.height, shape.width), &Device::Cpu).expect("shape")
        };
        let kernel = Shape { channels: op.input.channels, height: op.window.size, width: op.window.size };
        let x = Var::from_tensor(&tensor(&x, op.input, images)).expect("a variable");
        let w =
            Var::from_tensor(&tensor(&parameters[op.weight.clone()], kernel, op.output.channels)).expect("a variable");
        let y = x.conv2d(&w, op.window.padding, op.window.stride, 1, 1).expect("a convolution");
        let near =
            |ours: &[f64], theirs: &Tensor, what: &str| assert_near(ours, theirs, &format!("{}, {what}", case.name));
        near(&run.y, &y, "y");
        // candle's backward refuses a padding beyond the kernel, and pixels left over in one direction alone.
        let left_over = |length: usize| (length + 2 * op.window.padding - op.window.size) % op.window.stride;
        if op.window.padding < op.window.size && left_over(op.input.height) == left_over(op.input.width) {
            let total = (&y * tensor(&dy, op.output, images)).expect("product").sum_all().expect("sum");
            let gradients = total.backward().expect("gradients");
            near(&run.gradient[op.weight.clone()], gradients.get(&w).expect("dw"), "dw");
            near(&run.dx, gradients.get(&x).expect("dx"), "dx");
        }
    }
}

#[test]
fn batch_norm_gradients_are_central_differences() {
    for (images, channels, plane, relu) in [(1, 2, 5, true), (3, 3, 9, false), (11, 2, 4, true), (2, 1, 1, false)] {
        let op = BatchNorm {
            channels,
            plane,
            relu,
            weight: 0..channels,
            bias: channels..2 * channels,
            statistics: 0..channels,
        };
        let moments = |backend: &mut Reference<f64>| {
            let (mut mean, mut var) = (vec![0.0; channels], vec![0.0; channels]);
            backend.moments(&op, X, &mut mean, &mut var);
            (mean, var)
        };
        Case {
            name: format!("{images} images, {op:?}"),
            images,
            inputs: channels * plane,
            outputs: channels * plane,
            parameters: 2 * channels,
            forward: |backend: &mut Reference<f64>| {
                let (mean, var) = moments(backend);
                backend.batch_norm(&op, Moments { mean: &mean, var: &var }, X, Y);
            },
            backward: |backend: &mut Reference<f64>, dx| {
                let (mean, var) = moments(backend);
                backend.batch_norm_backward(&op, Moments { mean: &mean, var: &var }, X, DY, Some(dx));
            },
        }
        .check();
    }
}

#[test]
fn moments_are_exact_on_known_numbers_and_steady_far_from_zero() {
    let op = BatchNorm { channels: 2, plane: 3, relu: false, weight: 0..2, bias: 2..4, statistics: 0..2 };
    let of = |x: &[f32]| {
        let (mut mean, mut var) = ([0.0; 2], [0.0; 2]);
        let mut backend = Reference::default();
        backend.begin(&[6], 2, &[]);
        backend.write(X, x);
        backend.moments(&op, X, &mut mean, &mut var);
        (mean, var)
    };
    let x = [1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 5.0, 6.0, 7.0, 0.0, 0.0, 12.0];
    let (mean, var) = of(&x);
    assert_eq!(mean, [4.0, 2.0]);
    assert!((var[0] - 14.0 / 3.0).abs() < 1e-14 && (var[1] - 20.0).abs() < 1e-14, "{var:?}");
    // Shifted by 1000, the variance of f32 numbers must not drown in cancellation.
    let (_, var) = of(&x.map(|x| x + 1000.0));
    assert!((var[0] - 14.0 / 3.0).abs() < 1e-9 && (var[1] - 20.0).abs() < 1e-9, "{var:?}");
}

#[test]
fn other_gradients_are_central_differences() {
    let pool = AveragePool { input: Shape { channels: 2, height: 4, width: 6 }, size: 2 };
    let linear = Linear { inputs: 5, outputs: 3, weight: 1..16, bias: 16..19 };
    for images in [1, 10] {
        Case {
            name: format!("{images} images, relu"),
            images,
            inputs: 7,
            outputs: 7,
            parameters: 0,
            forward: |backend: &mut Reference<f64>| backend.relu(X, Y),
            backward: |backend: &mut Reference<f64>, dx| backend.relu_backward(Y, DY, dx),
        }
        .check();
        Case {
            name: format!("{images} images, pool"),
            images,
            inputs: 48,
            outputs: 12,
            parameters: 0,
            forward: |backend: &mut Reference<f64>| backend.average_pool(&pool, X, Y),
            backward: |backend: &mut Reference<f64>, dx| backend.average_pool_backward(&pool, DY, dx),
        }
        .check();
        Case {
            name: format!("{images} images, linear"),
            images,
            inputs: 5,
            outputs: 3,
            parameters: 19,
            forward: |backend: &mut Reference<f64>| backend.linear(&linear, X, Y),
            backward: |backend: &mut Reference<f64>, dx| backend.linear_backward(&linear, X, DY, Some(dx)),
        }
        .check();
    }
}

#[test]
fn pooling_a_linear_layer_and_the_loss_agree_with_candle() -> candle_core::Result<()> {
    const IMAGES: usize = 5;
    let pool = AveragePool { input: Shape { channels: 2, height: 4, width: 6 }, size: 2 };
    let linear = Linear { inputs: 12, outputs: 3, weight: 0..36, bias: 36..39 };
    let (x, parameters, labels) = (numbers("x", 48 * IMAGES), numbers("parameters", 39), [0u16, 2, 1, 1, 0]);

    let mut backend = Reference::default();
    let (pooled, logits, dlogits, dpooled, dx) = (Slot(1), Slot(2), Slot(3), Slot(4), Slot(5));
    backend.begin(&[48, 12, 3, 3, 12, 48], IMAGES, &parameters);
    backend.write(X, &x);
    backend.average_pool(&pool, X, pooled);
    backend.linear(&linear, pooled, logits);
    let z = backend.read(logits);
    let losses = crate::exec::loss::cross_entropy(&z, &labels).losses;
    backend.write(dlogits, &crate::exec::loss::cross_entropy_gradient(&z, &labels));
    backend.linear_backward(&linear, pooled, dlogits, Some(Target { slot: dpooled, accumulate: false }));
    backend.average_pool_backward(&pool, dpooled, Target { slot: dx, accumulate: false });
    let mut gradient = vec![0.0; 39];
    backend.read_gradient(&mut gradient);

    let image = Var::from_slice(&x, (IMAGES, 2, 4, 6), &Device::Cpu)?;
    let weight = Var::from_slice(&parameters[..36], (3, 12), &Device::Cpu)?;
    let bias = Var::from_slice(&parameters[36..], 3, &Device::Cpu)?;
    let rows = image.avg_pool2d(2)?.flatten_from(1)?;
    let z = rows.matmul(&weight.t()?)?.broadcast_add(&bias)?;
    let log_softmax = z.broadcast_sub(&z.exp()?.sum_keepdim(1)?.log()?)?;
    let classes = Tensor::from_iter(labels.map(u32::from), &Device::Cpu)?.unsqueeze(1)?;
    let theirs = log_softmax.gather(&classes, 1)?.neg()?;
    let gradients = theirs.mean_all()?.backward()?;
    assert_near(&losses, &theirs, "losses");
    for (ours, variable, what) in
        [(&gradient[..36], &weight, "dW"), (&gradient[36..], &bias, "db"), (&backend.read(dx), &image, "dx")]
    {
        assert_near(ours, gradients.get(variable).expect("a gradient"), what);
    }
    Ok(())
}

#[test]
fn the_gradient_of_relu_at_zero_is_zero() {
    let mut backend = Reference::<f64>::default();
    backend.begin(&[3, 3, 3, 3], 1, &[]);
    backend.write(X, &[-1.0, 0.0, 2.0]);
    backend.relu(X, Y);
    backend.write(DY, &[5.0; 3]);
    backend.relu_backward(Y, DY, Target { slot: DX, accumulate: false });
    assert_eq!((backend.read(Y), backend.read(DX)), (vec![0.0, 0.0, 2.0], vec![0.0, 0.0, 5.0]));
    // Within a batch norm too: γ = 0 and β = 0 put every value at 0.
    let op = BatchNorm { channels: 1, plane: 3, relu: true, weight: 0..1, bias: 1..2, statistics: 0..1 };
    backend.begin(&[3, 3, 3, 3], 1, &[0.0, 0.0]);
    backend.batch_norm_backward(&op, Moments { mean: &[0.0], var: &[1.0] }, X, DY, None);
    let mut gradient = [1.0; 2];
    backend.read_gradient(&mut gradient);
    assert_eq!(gradient, [0.0, 0.0]);
}

#[test]
fn sums_and_copies() {
    let mut backend = Reference::<f32>::default();
    backend.begin(&[2, 2], 3, &[]);
    backend.write(X, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    backend.copy(X, Y);
    backend.add(X, Y);
    assert_eq!(backend.read(Y), [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
}
