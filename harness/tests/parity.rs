//! Every network on every backend against PyTorch: names, shapes, logits, losses, gradients, statistics and three steps of SGD.
//!
//! `cargo test --release -p valleys-harness --test parity -- --nocapture` prints the table. The right values come from
//! `pytorch/networks.py`.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use rayon::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use valleys_harness::Scalar;
use valleys_harness::checksum::hexadecimal;
use valleys_harness::exec::{BackendKind, Batch, Dropout, Executor, Mode, StatisticsPass, Weighting};
use valleys_harness::model::{Architecture, Graph, GraphBuilder, Shape};
use valleys_harness::optim::{Sgd, SgdParams};
use valleys_harness::params::{Group, Weights};
use valleys_sim::Seed;

const LABELS: [u16; 4] = [3, 0, 9, 3];

/// The script's learning rate for steady weights.
const STEADY_RATE: f64 = 0.002;

/// What `pytorch/networks.py` wrote.
static FIXTURE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("fixtures/parity.json")).expect("the fixture"));

fn list(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().filter_map(Value::as_f64).collect()
}

/// The script's numbers in [−1/2, 1/2).
fn sequence(start: u32, count: usize) -> impl Iterator<Item = f64> {
    let states = std::iter::successors(Some(start), |s| Some(s.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
    states.skip(1).take(count).map(|state| f64::from(state) / 4_294_967_296.0 - 0.5)
}

/// The script's weights, which single precision holds exactly; steady ones keep what goes into every ReLU after a batch
/// norm far from 0, so that rounding turns none on or off.
fn weights<T: Scalar>(graph: &Graph, steady: bool) -> Weights<T> {
    let mut weights = Weights::zeros(graph.layout());
    for (index, entry) in graph.layout().parameters().iter().enumerate() {
        let number = |(place, number): (usize, f64)| match entry.group {
            Group::ConvWeight | Group::LinearWeight => number * (24.0 / (entry.len() / entry.shape[0]) as f64).sqrt(),
            Group::BnWeight => (number + 1.0) * if steady { 0.4 } else { 1.0 },
            Group::BnBias if steady => 1.5 - 3.0 * (place % 2) as f64,
            Group::BnBias | Group::ConvBias | Group::LinearBias => number,
        };
        let numbers = sequence(index as u32 + 1, entry.len()).enumerate().map(number);
        let numbers = numbers.map(|number| f64::from(number as f32));
        weights.values[entry.range()].iter_mut().zip(numbers).for_each(|(value, number)| *value = T::from_f64(number));
    }
    weights
}

fn images<T: Scalar>() -> Vec<T> {
    sequence(1000, LABELS.len() * 3072).map(|x| T::from_f64(f64::from((4.0 * x) as f32))).collect()
}

fn norm<T: Scalar>(values: &[T]) -> f64 {
    values.iter().map(|x| x.to_f64() * x.to_f64()).sum::<f64>().sqrt()
}

/// How far two lists are apart, relative to the norm of the right one.
fn apart<T: Scalar>(ours: &[T], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let differences: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| a.to_f64() - b).collect();
    norm(&differences) / norm(theirs)
}

/// The difference of two tensors, relative to `scale`, as far as `theirs`, the right one's products with random
/// vectors, shows: its root mean square over these is the norm of the difference on average.
fn apart_by_projections<T: Scalar>(ours: &[T], theirs: &[f64], scale: f64) -> f64 {
    let product = |index: usize| {
        let vector = sequence(70_000 + 1_000 * index as u32, ours.len());
        ours.iter().zip(vector).map(|(x, r)| x.to_f64() * r * 12f64.sqrt()).sum::<f64>()
    };
    let differences: Vec<f64> = theirs.iter().enumerate().map(|(index, theirs)| product(index) - theirs).collect();
    norm(&differences) / (theirs.len() as f64).sqrt() / scale
}

/// What is compared: columns of the table.
const COLUMNS: [&str; 6] = ["logits", "losses", "gradient", "weights", "BN stats", "evaluation"];

fn raise(worst: &mut f64, difference: f64) {
    // Unlike `max`, this lets a difference that is no number through.
    if difference.is_nan() || difference > *worst {
        *worst = difference;
    }
}

/// Every tensor's gradient. That of a bias before a batch norm cancels but for rounding, so biases are measured by a
/// typical entry of their layer's weight's gradient if that is larger.
fn compare_gradient<T: Scalar>(graph: &Graph, gradient: &[T], theirs: &Value, worst: &mut f64) {
    let projections = list(&theirs["gradient"]);
    let mut weight = 0.0;
    for (index, entry) in graph.layout().parameters().iter().enumerate() {
        let ours = &gradient[entry.range()];
        let (size, root) = (norm(ours), (entry.len() as f64).sqrt());
        let scale = if entry.name.ends_with("bias") { size.max(weight * root) } else { size };
        weight = size / root;
        raise(worst, apart_by_projections(ours, &projections[2 * index..2 * index + 2], scale));
    }
}

/// One network's largest relative differences in one precision, as [`COLUMNS`] names them.
fn compare<T: Scalar>(
    backend: BackendKind,
    architecture: Architecture,
    theirs: &Value,
    rate: f64,
    steady: bool,
) -> [f64; 6] {
    let graph = Arc::new(architecture.graph(10).expect("a network"));
    let (mut weights, images) = (weights::<T>(&graph, steady), images::<T>());
    let batch = Batch { images: &images, labels: &LABELS };
    let mut executor = Executor::on(Arc::clone(&graph), backend).expect("an executor");
    let mut gradient = vec![T::zero(); weights.values.len()];
    let params = SgdParams { momentum: 0.9, weight_decay: 0.01 };
    let mut sgd = Sgd::new(params, weights.values.len()).expect("valid");
    let [mut losses, mut slopes, mut moved, mut statistics] = [0.0; 4];

    let logits = apart(&executor.logits(&weights, batch, Mode::Training).expect("logits"), &list(&theirs["logits"]));
    for step in 0..3 {
        let outcome = executor.gradient(&mut weights, batch, Dropout::Off, &mut gradient).expect("a gradient");
        raise(&mut losses, apart(&outcome.losses, &list(&theirs["losses"][step])));
        if step == 0 {
            compare_gradient(&graph, &gradient, theirs, &mut slopes);
        }
        sgd.step(rate, &mut weights.values, &gradient).expect("a step");
    }
    for (entry, theirs) in graph.layout().parameters().iter().zip(list(&theirs["weights"])) {
        let ours = &weights.values[entry.range()];
        raise(&mut moved, apart_by_projections(ours, &[theirs], norm(ours)));
    }
    for (ours, kind) in [(&weights.running_mean, "running_mean"), (&weights.running_var, "running_var")] {
        for (norm_layer, theirs) in graph.layout().norms().iter().zip(list(&theirs[kind])) {
            let ours = &ours[norm_layer.range()];
            raise(&mut statistics, apart_by_projections(ours, &[theirs], norm(ours)));
        }
    }
    let mut pass = StatisticsPass::new(graph.layout(), Weighting::Equal);
    for chosen in [0..3, 1..4] {
        let images = &images[3072 * chosen.start..3072 * chosen.end];
        executor.collect_statistics(&weights, Batch { images, labels: &LABELS[chosen] }, &mut pass).expect("a batch");
    }
    pass.finish(&mut weights).expect("two batches");
    for (ours, kind) in [(&weights.running_mean, "running_mean"), (&weights.running_var, "running_var")] {
        let theirs = list(&theirs[format!("cumulative_{kind}")]);
        if !theirs.is_empty() {
            raise(&mut statistics, apart_by_projections(ours, &theirs, norm(ours)));
        }
    }
    let evaluated = executor.logits(&weights, batch, Mode::Evaluation).expect("logits");
    let mut evaluation = apart(&evaluated, &list(&theirs["evaluated"]));
    executor.evaluation_gradient(&weights, batch, &mut gradient).expect("a gradient");
    let scale = norm(&gradient);
    raise(&mut evaluation, apart_by_projections(&gradient, &list(&theirs["evaluated_gradient"]), scale));
    [logits, losses, slopes, moved, statistics, evaluation]
}

#[test]
fn the_cpu_backend_agrees_with_pytorch() {
    parity(BackendKind::Cpu);
}

#[test]
fn the_reference_backend_agrees_with_pytorch() {
    parity(BackendKind::Reference);
}

#[expect(clippy::print_stdout, reason = "the table is what this test is run for")]
fn parity(backend: BackendKind) {
    println!("largest relative differences of {backend:?} from PyTorch {}", FIXTURE["torch"]);
    println!("(f32*: not required, as rounding turns ReLUs on and off; PyTorch's own f32 from its f64 below)");
    println!("{:<20} {:<8} {}", "network", "", COLUMNS.map(|column| format!("{column:>10}")).join(" "));
    let mut failures = String::new();
    let steady = FIXTURE["steady"].as_object().expect("runs by name");
    let runs: Vec<_> = FIXTURE["runs"].as_object().expect("runs by name").iter().collect();
    let compared = runs.par_iter().map(|(name, theirs)| {
        let architecture = Architecture::parse(name).expect("a known name");
        let rate = theirs["rate"].as_f64().expect("a rate");
        let double = compare::<f64>(backend, architecture, theirs, rate, false);
        let single = compare::<f32>(backend, architecture, theirs, rate, false);
        let Some(theirs_steady) = steady.get(*name) else {
            return vec![(name.to_string(), "f64", double, 1e-10), (name.to_string(), "f32", single, 1e-4)];
        };
        let pytorch = std::array::from_fn(|column| list(&theirs["single"])[column]);
        let calm = format!("{name}, steady");
        vec![
            (name.to_string(), "f64", double, 1e-10),
            (name.to_string(), "f32*", single, f64::INFINITY),
            (name.to_string(), "PyTorch*", pytorch, f64::INFINITY),
            (calm.clone(), "f64", compare::<f64>(backend, architecture, theirs_steady, STEADY_RATE, true), 1e-10),
            (calm, "f32", compare::<f32>(backend, architecture, theirs_steady, STEADY_RATE, true), 1e-4),
        ]
    });
    for (name, precision, row, allowed) in compared.collect::<Vec<_>>().into_iter().flatten() {
        println!("{name:<20} {precision:<8} {}", row.map(|x| format!("{x:>10.1e}")).join(" "));
        for (column, difference) in COLUMNS.iter().zip(row).filter(|(_, x)| x.is_nan() || *x > allowed) {
            writeln!(failures, "{name}, {precision}, {column}: {difference:e} > {allowed:e}").expect("a string");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn networks_have_pytorchs_names_shapes_and_numbers_of_parameters() {
    for architecture in Architecture::ALL {
        for classes in [10, 100] {
            let theirs = &FIXTURE["described"][classes.to_string()][architecture.name()];
            let graph = architecture.graph(classes).expect("a network");
            assert_eq!(graph.layout().trainable(), theirs[0], "{architecture}");
            let tensors = Weights::<f32>::zeros(graph.layout()).named().expect("tensors");
            let mut lines: Vec<_> =
                tensors.iter().map(|(name, tensor)| format!("{name} {:?}", tensor.dims())).collect();
            lines.sort();
            let digest = hexadecimal(&Sha256::digest(lines.join("\n")));
            assert_eq!(digest, theirs[1], "{architecture}: {lines:#?}");
        }
    }
}

#[test]
fn dropout_is_pytorchs_with_the_same_mask() {
    let build = || {
        let mut builder = GraphBuilder::new(Shape { channels: 3, height: 32, width: 32 })?;
        let x = builder.flatten(builder.input());
        let x = builder.linear("first", x, 16)?;
        let x = builder.relu(x);
        let x = builder.dropout("drop", x, 0.25)?;
        let logits = builder.linear("last", x, 10)?;
        builder.finish(logits)
    };
    let graph = Arc::new(build().expect("a network"));
    let dropout = Dropout::Pass { seed: Seed(3), step: 5, images: &[40, 2, 7, 9] };
    let factors = dropout.factors::<f64>("drop", 0.25, 4, 16).expect("four images");
    let bits = |row: &[f64]| row.iter().map(|factor| if *factor == 0.0 { '0' } else { '1' }).collect::<String>();
    let mask: Vec<_> = factors.chunks(16).map(bits).collect();
    let theirs = &FIXTURE["dropout"];
    assert_eq!(serde_json::json!(mask), theirs["mask"], "the script's MASK");

    let (mut weights, images) = (weights::<f64>(&graph, false), images::<f64>());
    let mut gradient = vec![0.0; weights.values.len()];
    let mut executor = Executor::new(Arc::clone(&graph)).expect("an executor");
    let batch = Batch { images: &images, labels: &LABELS };
    let outcome = executor.gradient(&mut weights, batch, dropout, &mut gradient).expect("a gradient");
    assert!(apart(&outcome.losses, &list(&theirs["losses"])) < 1e-12);
    let mut worst = 0.0;
    compare_gradient(&graph, &gradient, theirs, &mut worst);
    assert!(worst < 1e-12, "{worst}");
}
