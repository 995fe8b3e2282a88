//! Every operation's gradient against central differences, on random shapes, in f64.

use valleys_sim::seed::Stream;

use super::*;
use crate::exec::loss::{cross_entropy, cross_entropy_gradient};

/// The step of a difference, PyTorch's `gradcheck` default.
const STEP: f64 = 1e-6;

/// The tolerances; PyTorch's `gradcheck` allows 1e-5 and 1e-3.
const ABSOLUTE: f64 = 1e-7;
const RELATIVE: f64 = 1e-6;

/// Random shapes an operation is tried on.
const SHAPES: u64 = 12;

/// One operation's comparison.
#[derive(Default)]
struct Row {
    shapes: usize,
    slopes: usize,
    absolute: f64,
    relative: f64,
}

/// The comparison of all operations.
#[derive(Default)]
struct Table {
    rows: Vec<(String, Row)>,
}

impl Table {
    fn row(&mut self, operation: &str) -> &mut Row {
        if self.rows.last().is_none_or(|(name, _)| name != operation) {
            self.rows.push((operation.to_owned(), Row::default()));
        }
        &mut self.rows.last_mut().expect("just added").1
    }

    /// Tries an operation on random shapes.
    fn add<F: Forth, B: Back>(&mut self, operation: &str, case: impl Fn(&mut Stream) -> Case<F, B>) {
        for index in 0..SHAPES {
            case(&mut Seed(17).stream(operation, index)).compare(Differences::Central, self.row(operation));
        }
    }

    #[expect(clippy::print_stdout, reason = "the table is what this test is run for")]
    fn print(&self) {
        println!("gradients by central differences, step {STEP:e}; allowed: {ABSOLUTE:e} + {RELATIVE:e}·|slope|");
        println!("(PyTorch's gradcheck: 1e-5 + 1e-3·|slope|)");
        println!("{:<42} {:>6} {:>7} {:>12} {:>12}", "operation", "shapes", "slopes", "worst", "of allowed");
        for (operation, Row { shapes, slopes, absolute, relative }) in &self.rows {
            println!("{operation:<42} {shapes:>6} {slopes:>7} {absolute:>12.1e} {relative:>12.1e}");
        }
    }
}

impl Row {
    fn compare(&mut self, name: &str, slope: f64, difference: f64) {
        let apart = (slope - difference).abs();
        let share = apart / (ABSOLUTE + RELATIVE * difference.abs());
        assert!(share <= 1.0, "{name}: {slope}, by difference {difference}");
        self.slopes += 1;
        self.absolute = self.absolute.max(apart);
        self.relative = self.relative.max(share);
    }
}

/// What a slope is compared with.
#[derive(Clone, Copy, PartialEq)]
enum Differences {
    Central,
    /// The nearer of the two one-sided ones, where the function has a kink.
    OneSided,
}

impl<F: Forth, B: Back> Case<F, B> {
    /// Compares dx and the parameter gradient with differences of ⟨y, dy⟩.
    fn compare(&self, differences: Differences, row: &mut Row) {
        let [x, parameters, dy] = self.inputs();
        self.compare_at(x, parameters, dy, differences, row);
    }

    fn compare_at(&self, x: Vec<f64>, parameters: Vec<f64>, dy: Vec<f64>, differences: Differences, row: &mut Row) {
        let run = self.run(&x, &parameters, &dy, false);
        let value = |x: &[f64], parameters: &[f64]| {
            self.run(x, parameters, &dy, false).y.iter().zip(&dy).map(|(y, dy)| y * dy).sum::<f64>()
        };
        row.shapes += 1;
        for (what, at, slopes) in [("x", &x, &run.dx), ("parameter", &parameters, &run.gradient)] {
            for (index, &slope) in slopes.iter().enumerate() {
                let moved = |step: f64| {
                    let mut moved = at.clone();
                    moved[index] += step;
                    if what == "x" { value(&moved, &parameters) } else { value(&x, &moved) }
                };
                let (up, down) = (moved(STEP), moved(-STEP));
                let difference = match differences {
                    Differences::Central => (up - down) / (2.0 * STEP),
                    Differences::OneSided => {
                        let sides = [(up - moved(0.0)) / STEP, (moved(0.0) - down) / STEP];
                        sides.into_iter().min_by(|a, b| (a - slope).abs().total_cmp(&(b - slope).abs())).expect("two")
                    }
                };
                row.compare(&format!("{}, {what} {index}", self.name), slope, difference);
            }
        }
        let added = self.run(&x, &parameters, &dy, true).dx;
        assert!(added.iter().zip(&run.dx).all(|(added, dx)| (added - dx - 3.0).abs() < 1e-12), "{}: adds", self.name);
    }
}

/// An image of 1 to 3 channels and `least` to 7 pixels a side.
fn shape(rng: &mut Stream, least: usize) -> Shape {
    let mut side = || rng.random_range(least..8);
    let (height, width) = (side(), side());
    Shape { channels: rng.random_range(1..4), height, width }
}

/// Batches smaller and larger than the number of groups.
fn images(rng: &mut Stream) -> usize {
    rng.random_range(1..11)
}

fn convolution(rng: &mut Stream, biased: bool) -> (usize, Convolution) {
    let input = shape(rng, 1);
    let window = loop {
        let window =
            Window { size: rng.random_range(1..6), stride: rng.random_range(1..4), padding: rng.random_range(0..3) };
        if window.size <= input.height.min(input.width) + 2 * window.padding {
            break window;
        }
    };
    let channels = rng.random_range(1..4);
    let extent = |length: usize| (length + 2 * window.padding - window.size) / window.stride + 1;
    let output = Shape { channels, height: extent(input.height), width: extent(input.width) };
    let end = 1 + channels * input.channels * window.size * window.size;
    let bias = biased.then_some(end..end + channels);
    (rng.random_range(1..4), Convolution { input, output, window, weight: 1..end, bias })
}

fn add_convolutions(table: &mut Table) {
    for (name, biased) in [("convolution", false), ("convolution with bias", true)] {
        for index in 0..2 * SHAPES {
            let (images, op) = convolution(&mut Seed(17).stream(name, index), biased);
            convolution_case(images, &op).compare(Differences::Central, table.row(name));
        }
    }
}

fn add_batch_norms(table: &mut Table) {
    for (mode, mode_name) in [(Mode::Training, "training"), (Mode::Evaluation, "evaluation")] {
        for (activation, name) in [
            (None, ""),
            (Some(Activation::Relu), " and relu"),
            (Some(Activation::Sigmoid), " and sigmoid"),
            (Some(Activation::Softplus), " and softplus"),
        ] {
            table.add(&format!("batch norm, {mode_name}{name}"), |rng| {
                let Shape { channels, height, width } = shape(rng, 2);
                let plane = height * width;
                let (weight, bias) = (0..channels, channels..2 * channels);
                let op = BatchNorm { channels, plane, activation, weight, bias, statistics: 0..channels };
                let moments = move |backend: &mut Reference<f64>, op: &BatchNorm| {
                    let (mut mean, mut var) = (vec![0.25; channels], vec![0.75; channels]);
                    if mode == Mode::Training {
                        backend.moments(op, X, &mut mean, &mut var);
                    }
                    (mean, var)
                };
                let back = op.clone();
                Case {
                    name: format!("{op:?}, {mode:?}"),
                    images: images(rng),
                    inputs: channels * plane,
                    outputs: channels * plane,
                    parameters: 2 * channels,
                    forward: move |backend: &mut Reference<f64>| {
                        let (mean, var) = moments(backend, &op);
                        backend.batch_norm(&op, Moments { mean: &mean, var: &var }, X, Y);
                    },
                    backward: move |backend: &mut Reference<f64>, dx| {
                        let (mean, var) = moments(backend, &back);
                        backend.batch_norm_backward(&back, Moments { mean: &mean, var: &var }, mode, X, DY, Some(dx));
                    },
                }
            });
        }
    }
}

fn add_pools(table: &mut Table) {
    let pool = |rng: &mut Stream| {
        let input = shape(rng, 1);
        Pool { input, size: rng.random_range(1..=input.height.min(input.width)) }
    };
    let outputs = |op: &Pool| op.input.channels * (op.input.height / op.size) * (op.input.width / op.size);
    table.add("average pooling", |rng| {
        let op = pool(rng);
        let back = op.clone();
        Case {
            name: format!("{op:?}"),
            images: images(rng),
            inputs: op.input.len(),
            outputs: outputs(&op),
            parameters: 0,
            forward: move |backend: &mut Reference<f64>| backend.average_pool(&op, X, Y),
            backward: move |backend: &mut Reference<f64>, dx| backend.average_pool_backward(&back, DY, dx),
        }
    });
    let max_pool = |rng: &mut Stream| {
        let op = pool(rng);
        let back = op.clone();
        Case {
            name: format!("maxima, {op:?}"),
            images: images(rng),
            inputs: op.input.len(),
            outputs: outputs(&op),
            parameters: 0,
            forward: move |backend: &mut Reference<f64>| backend.max_pool(&op, X, Y),
            backward: move |backend: &mut Reference<f64>, dx| backend.max_pool_backward(&back, X, DY, dx),
        }
    };
    table.add("max pooling", max_pool);
    let ties = "max pooling with ties (one-sided)";
    for index in 0..SHAPES {
        let case = max_pool(&mut Seed(17).stream(ties, index));
        let [x, parameters, dy] = case.inputs();
        let few = x.into_iter().map(|x| (1.5 * x).round()).collect();
        case.compare_at(few, parameters, dy, Differences::OneSided, table.row(ties));
    }
}

fn add_activations(table: &mut Table) {
    let case = |f: Activation, rng: &mut Stream| {
        let length = shape(rng, 1).len();
        Case {
            name: format!("{f:?}"),
            images: images(rng),
            inputs: length,
            outputs: length,
            parameters: 0,
            forward: move |backend: &mut Reference<f64>| backend.activation(f, X, Y),
            backward: move |backend: &mut Reference<f64>, dx| backend.activation_backward(f, Y, DY, dx),
        }
    };
    for (f, name) in [(Activation::Relu, "relu"), (Activation::Sigmoid, "sigmoid"), (Activation::Softplus, "softplus")]
    {
        table.add(name, |rng| case(f, rng));
    }
    let kinks = "relu with zeros (one-sided)";
    for index in 0..SHAPES {
        let case = case(Activation::Relu, &mut Seed(17).stream(kinks, index));
        let [x, parameters, dy] = case.inputs();
        let few = x.into_iter().map(|x| (1.5 * x).round()).collect();
        case.compare_at(few, parameters, dy, Differences::OneSided, table.row(kinks));
    }
}

fn add_others(table: &mut Table) {
    table.add("dropout with given factors", |rng| {
        let length = shape(rng, 1).len();
        Case {
            name: format!("{length} factors"),
            images: images(rng),
            inputs: length,
            outputs: length,
            parameters: 0,
            forward: |backend: &mut Reference<f64>| {
                backend.multiply(X, FACTORS, Target { slot: Y, accumulate: false });
            },
            backward: |backend: &mut Reference<f64>, dx| backend.multiply(DY, FACTORS, dx),
        }
    });
    table.add("concatenation", |rng| {
        let [length, before, behind] = [1, 0, 0].map(|least| rng.random_range(least..20));
        let op = Part { offset: before, length, total: before + length + behind, plane: 1 };
        let back = op.clone();
        Case {
            name: format!("{op:?}"),
            images: images(rng),
            inputs: length,
            outputs: op.total,
            parameters: 0,
            forward: move |backend: &mut Reference<f64>| backend.insert(&op, X, Y),
            backward: move |backend: &mut Reference<f64>, dx| backend.extract(&back, DY, dx),
        }
    });
    table.add("linear", |rng| {
        let [inputs, outputs] = [(); 2].map(|()| rng.random_range(1..12));
        let end = 1 + inputs * outputs;
        let op = Linear { inputs, outputs, weight: 1..end, bias: end..end + outputs };
        let back = op.clone();
        Case {
            name: format!("{op:?}"),
            images: images(rng),
            inputs,
            outputs,
            parameters: end + outputs,
            forward: move |backend: &mut Reference<f64>| backend.linear(&op, X, Y),
            backward: move |backend: &mut Reference<f64>, dx| backend.linear_backward(&back, X, DY, Some(dx)),
        }
    });
}

fn add_losses(table: &mut Table) {
    for index in 0..SHAPES {
        let mut rng = Seed(17).stream("cross-entropy", index);
        let (images, classes) = (images(&mut rng), rng.random_range(2..12));
        let labels: Vec<u16> = (0..images).map(|_| rng.random_range(0..classes)).collect();
        let logits = numbers(&format!("logits {index}"), images * usize::from(classes));
        let row = table.row("softmax and cross-entropy");
        row.shapes += 1;
        for (index, slope) in cross_entropy_gradient(&logits, &labels).into_iter().enumerate() {
            let mean = |step: f64| {
                let mut moved = logits.clone();
                moved[index] += step;
                cross_entropy(&moved, &labels).mean_loss()
            };
            row.compare("cross-entropy", slope, (mean(STEP) - mean(-STEP)) / (2.0 * STEP));
        }
    }
}

#[test]
fn gradient_check() {
    let mut table = Table::default();
    add_convolutions(&mut table);
    add_batch_norms(&mut table);
    add_activations(&mut table);
    add_pools(&mut table);
    add_others(&mut table);
    add_losses(&mut table);
    table.print();
}
