// Whole networks: gradients, number types, threads, dropout and batch-norm statistics. `BACKEND` is the backend under test.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use rand::RngExt;
use valleys_harness::exec::{Batch, Dropout, Executor, Mode, StatisticsPass, Weighting};
use valleys_harness::model::{Activation, Architecture, Graph, GraphBuilder, Shape, Window};
use valleys_harness::params::Weights;
use valleys_harness::{Result, Scalar};
use valleys_sim::Seed;

/// Random images and labels for a network.
struct Examples {
    images: Vec<f64>,
    labels: Vec<u16>,
}

impl Examples {
    fn new(graph: &Graph, count: usize) -> Self {
        let mut rng = Seed(11).stream("examples", 0);
        let images = (0..count * graph.input().len()).map(|_| 4.0 * rng.random::<f64>() - 2.0).collect();
        let labels = (0..count).map(|_| rng.random_range(0..graph.classes() as u16)).collect();
        Self { images, labels }
    }

    fn batch(&self) -> Batch<'_, f64> {
        Batch { images: &self.images, labels: &self.labels }
    }
}

fn resnet8() -> Arc<Graph> {
    Arc::new(Architecture::ResNet8.graph(10).expect("a network"))
}

/// A fresh network whose batch norms are not all 1 and 0.
fn weights(graph: &Graph) -> Weights<f64> {
    let mut weights = Weights::initialise(graph, Seed(5)).cast::<f64>();
    let mut rng = Seed(5).stream("perturb", 0);
    weights.values.iter_mut().for_each(|value| *value += 0.1 * (2.0 * rng.random::<f64>() - 1.0));
    weights
}

fn executor<T: Scalar>(graph: &Arc<Graph>) -> Executor<T> {
    Executor::on(Arc::clone(graph), BACKEND).expect("an executor")
}

/// One pass of dropout over images with these numbers.
fn dropout<T>(batch: Batch<'_, T>) -> Dropout<'static> {
    static NUMBERS: LazyLock<Vec<usize>> = LazyLock::new(|| (0..64).map(|index| 7 * index).collect());
    Dropout::Pass { seed: Seed(9), step: 4, images: &NUMBERS[..batch.labels.len()] }
}

fn gradient<T: Scalar>(graph: &Arc<Graph>, weights: &Weights<T>, batch: Batch<'_, T>) -> (f64, Vec<T>) {
    let mut gradient = vec![T::from_f64(7.0); weights.values.len()];
    let outcome =
        executor(graph).gradient(&mut weights.clone(), batch, dropout(batch), &mut gradient).expect("a gradient");
    (outcome.mean_loss(), gradient)
}

/// Compares some coordinates of every tensor's gradient with central differences of the training loss.
fn check_gradient(graph: &Arc<Graph>, images: usize, coordinates: usize) {
    let (weights, examples) = (weights(graph), Examples::new(graph, images));
    let (_, slopes) = gradient(graph, &weights, examples.batch());
    let mut executor = executor::<f64>(graph);
    let mut unused = vec![0.0; slopes.len()];
    let mut loss = |index: usize, step: f64| {
        let mut moved = weights.clone();
        moved.values[index] += step;
        executor
            .gradient(&mut moved, examples.batch(), dropout(examples.batch()), &mut unused)
            .expect("a loss")
            .mean_loss()
    };
    for entry in graph.layout().parameters() {
        let scale = slopes[entry.range()].iter().map(|slope| slope.abs()).fold(0.0, f64::max);
        assert!(scale > 1e-6, "{} has a gradient", entry.name);
        let coordinates = coordinates.min(entry.len());
        for index in (0..coordinates).map(|k| entry.offset + (2 * k + 1) * entry.len() / (2 * coordinates)) {
            let difference = (loss(index, 1e-7) - loss(index, -1e-7)) / 2e-7;
            let apart = (slopes[index] - difference).abs();
            let name = &entry.name;
            assert!(apart < 1e-5 * scale, "{name}, {index}: {}, by difference {difference}", slopes[index]);
        }
    }
}

#[test]
fn the_gradient_of_a_resnet_is_the_central_difference_in_every_tensor() {
    check_gradient(&resnet8(), 3, 3);
}

#[test]
fn the_gradient_of_a_bottleneck_resnet_is_the_central_difference_along_random_parts_of_it() {
    let graph = Arc::new(Architecture::ResNet56.graph(3).expect("a network"));
    let (weights, examples) = (weights(&graph), Examples::new(&graph, 2));
    let (_, slopes) = gradient(&graph, &weights, examples.batch());
    for part in 0..6 {
        let mut rng = Seed(5).stream("part", part);
        let chosen: Vec<f64> = slopes.iter().map(|slope| if rng.random() { *slope } else { 0.0 }).collect();
        let norm = chosen.iter().map(|x| x * x).sum::<f64>().sqrt();
        let loss = |step: f64| {
            let mut moved = weights.clone();
            moved.values.iter_mut().zip(&chosen).for_each(|(value, slope)| *value += step / norm * slope);
            gradient(&graph, &moved, examples.batch()).0
        };
        let difference = (loss(1e-7) - loss(-1e-7)) / 2e-7;
        assert!((norm - difference).abs() < 1e-4 * norm, "part {part}: {norm}, by difference {difference}");
    }
}

#[test]
fn gradients_of_networks_with_shared_values_are_central_differences() {
    // Values read twice, sums of a value with itself and with the image, ReLU and batch norm apart from each other.
    let build = || -> Result<Graph> {
        let mut builder = GraphBuilder::new(Shape { channels: 2, height: 6, width: 4 })?;
        let window = |size, stride| Window { size, stride, padding: size / 2 };
        let image = builder.input();
        let first = builder.convolution("first", image, 2, window(3, 1))?;
        let with_image = builder.add(first, image)?;
        let second = builder.convolution("second", with_image, 2, window(3, 1))?;
        let residual = builder.add(second, with_image)?;
        let doubled = builder.add(residual, residual)?;
        let normalised = builder.batch_norm("bn1", doubled)?;
        let rectified = builder.relu(normalised);
        let both = builder.add(normalised, rectified)?;
        let third = builder.convolution("third", both, 3, window(1, 2))?;
        let rectified = builder.relu(third);
        let linear_norm = builder.batch_norm("bn2", rectified)?;
        let fourth = builder.convolution("fourth", linear_norm, 3, window(3, 1))?;
        let sum = builder.add(linear_norm, fourth)?;
        let flat = builder.flatten(sum);
        let wide = builder.linear("wide", flat, 5)?;
        let rectified = builder.relu(wide);
        let logits = builder.linear("fc", rectified, 3)?;
        builder.finish(logits)
    };
    let graph = Arc::new(build().expect("a network"));
    check_gradient(&graph, 5, 100);
    // The plan that keeps nothing for the way back gives the same losses.
    let (examples, mut weights) = (Examples::new(&graph, 5), weights(&graph));
    let (training_loss, _) = gradient(&graph, &weights, examples.batch());
    let mut pass = StatisticsPass::new(graph.layout(), Weighting::BySize);
    let mut executor = executor::<f64>(&graph);
    executor.collect_statistics(&weights, examples.batch(), &mut pass).expect("statistics");
    pass.finish(&mut weights).expect("one batch");
    for norm in graph.layout().norms() {
        // Back from the unbiased variance to the one that normalised the batch.
        let count = if norm.name == "bn1" { 5.0 * 24.0 } else { 5.0 * 6.0 };
        weights.running_var[norm.range()].iter_mut().for_each(|var| *var *= (count - 1.0) / count);
    }
    let evaluated = executor.evaluate(&weights, examples.batch()).expect("losses").mean_loss();
    assert!((evaluated - training_loss).abs() < 1e-12, "{evaluated} {training_loss}");
}

/// Every kind of layer, in orders that no known network has.
fn medley() -> Arc<Graph> {
    let build = || -> Result<Graph> {
        let mut builder = GraphBuilder::new(Shape { channels: 2, height: 7, width: 9 })?;
        let image = builder.input();
        let varied = builder.dropout("pixels", image, 0.2)?;
        let first = builder.convolution_with_bias("first", varied, 3, Window::same(3, 1))?;
        let smooth = builder.activation(first, Activation::Softplus);
        let wide = builder.concatenate(&[smooth, image, first, smooth])?;
        let largest = builder.max_pool(wide, 2)?;
        let mean = builder.average_pool(wide, 2)?;
        let both = builder.concatenate(&[largest, mean])?;
        let normalised = builder.batch_norm("bn1", both)?;
        let squashed = builder.activation(normalised, Activation::Sigmoid);
        let kept = builder.dropout("features", squashed, 0.3)?;
        let second = builder.convolution("second", kept, 3, Window { size: 2, stride: 1, padding: 0 })?;
        let normalised = builder.batch_norm("bn2", second)?;
        let smooth = builder.activation(normalised, Activation::Softplus);
        let squashed = builder.activation(smooth, Activation::Sigmoid);
        let sum = builder.add(squashed, normalised)?;
        let flat = builder.flatten(sum);
        let kept = builder.dropout("vector", flat, 0.5)?;
        let logits = builder.linear("fc", kept, 3)?;
        builder.finish(logits)
    };
    Arc::new(build().expect("a network"))
}

#[test]
fn the_gradient_through_every_kind_of_layer_is_the_central_difference() {
    check_gradient(&medley(), 10, 100);
}

#[test]
fn the_gradient_in_evaluation_mode_is_the_central_difference_and_leaves_statistics_alone() {
    for graph in [medley(), resnet8()] {
        let (mut weights, examples) = (weights(&graph), Examples::new(&graph, 3));
        weights.running_mean.fill(0.125);
        weights.running_var.fill(0.75);
        let mut executor = executor::<f64>(&graph);
        let mut slopes = vec![0.0; weights.values.len()];
        let outcome = executor.evaluation_gradient(&weights, examples.batch(), &mut slopes).expect("a gradient");
        assert_eq!(outcome, executor.evaluate(&weights, examples.batch()).expect("losses"));
        for entry in graph.layout().parameters() {
            for index in [entry.range().start, entry.range().end - 1] {
                let mut loss = |step: f64| {
                    let mut moved = weights.clone();
                    moved.values[index] += step;
                    executor.evaluate(&moved, examples.batch()).expect("losses").mean_loss()
                };
                let difference = (loss(1e-6) - loss(-1e-6)) / 2e-6;
                let apart = (slopes[index] - difference).abs();
                assert!(apart < 1e-7 + 1e-6 * difference.abs(), "{}: {} {difference}", entry.name, slopes[index]);
            }
        }
        assert!(executor.evaluation_gradient(&weights, examples.batch(), &mut [0.0]).is_err(), "the wrong length");
    }
}

#[test]
fn dropout_follows_the_images_wherever_they_stand() {
    let graph = medley();
    let (weights, examples) = (weights(&graph), Examples::new(&graph, 4));
    let image = graph.input().len();
    let order = [2, 0, 3, 1];
    let images: Vec<f64> = order.iter().flat_map(|i| examples.images[i * image..(i + 1) * image].to_vec()).collect();
    let labels = order.map(|i| examples.labels[i]);
    let losses = |batch: Batch<'_, f64>, numbers: &[usize], step: u64| {
        let mut gradient = vec![0.0; weights.values.len()];
        let pass = Dropout::Pass { seed: Seed(1), step, images: numbers };
        executor(&graph).gradient(&mut weights.clone(), batch, pass, &mut gradient).expect("a gradient").losses
    };
    let straight = losses(examples.batch(), &[10, 11, 12, 13], 0);
    let turned = losses(Batch { images: &images, labels: &labels }, &[12, 10, 13, 11], 0);
    for (turned, i) in turned.iter().zip(order) {
        assert!((turned - straight[i]).abs() < 1e-12, "{turned} {}", straight[i]);
    }
    assert_ne!(straight, losses(examples.batch(), &[10, 11, 12, 13], 1), "another step, another mask");
    let mut gradient = vec![0.0; weights.values.len()];
    let wrong = Dropout::Pass { seed: Seed(1), step: 0, images: &[1] };
    let message = executor(&graph).gradient(&mut weights.clone(), examples.batch(), wrong, &mut gradient);
    assert!(message.expect_err("one is not four").to_string().contains("images named for dropout is 1"));
}

#[test]
fn logits_are_those_that_the_losses_come_from() {
    let graph = resnet8();
    let (weights, examples) = (weights(&graph), Examples::new(&graph, 3));
    let mut executor = executor::<f64>(&graph);
    let trained = gradient(&graph, &weights, examples.batch()).0;
    let evaluated = executor.evaluate(&weights, examples.batch()).expect("losses").mean_loss();
    for (mode, loss) in [(Mode::Training, trained), (Mode::Evaluation, evaluated)] {
        let logits = executor.logits(&weights, examples.batch(), mode).expect("logits");
        let rows = logits.chunks(10).zip(&examples.labels);
        let losses = rows.map(|(row, label)| row.iter().map(|z| z.exp()).sum::<f64>().ln() - row[usize::from(*label)]);
        assert!((losses.sum::<f64>() / 3.0 - loss).abs() < 1e-12, "{mode:?}");
    }
}

#[test]
fn a_network_without_batch_norm_has_no_statistics_to_keep() {
    let graph = Arc::new(Architecture::ResNet8NoBn.graph(10).expect("a network"));
    let (mut weights, examples) = (weights(&graph), Examples::new(&graph, 1));
    let mut gradient = vec![0.0; weights.values.len()];
    let mut executor = executor::<f64>(&graph);
    executor.gradient(&mut weights, examples.batch(), Dropout::Off, &mut gradient).expect("one image is enough");
    let before = weights.clone();
    let mut pass = StatisticsPass::new(graph.layout(), Weighting::BySize);
    executor.collect_statistics(&weights, examples.batch(), &mut pass).expect("nothing to collect");
    pass.finish(&mut weights).expect("a batch");
    assert_eq!(before, weights);
    let named = weights.named().expect("tensors").into_iter().collect();
    assert_eq!(Weights::from_named(graph.layout(), named).expect("the same network"), weights);
}

#[test]
fn single_and_double_precision_agree() {
    let graph = resnet8();
    let (weights, examples) = (weights(&graph), Examples::new(&graph, 16));
    let (loss, slopes) = gradient(&graph, &weights, examples.batch());
    let images: Vec<f32> = examples.images.iter().map(|x| *x as f32).collect();
    let (single_loss, single) = gradient(&graph, &weights.cast(), Batch { images: &images, labels: &examples.labels });
    assert!((loss - single_loss).abs() < 1e-5 * loss, "{loss} {single_loss}");
    for entry in graph.layout().parameters() {
        let square = |difference: bool| {
            let terms = entry.range().map(|i| slopes[i] - if difference { f64::from(single[i]) } else { 0.0 });
            terms.map(|x| x * x).sum::<f64>().sqrt()
        };
        assert!(square(true) < 1e-4 * square(false), "{}: {} of {}", entry.name, square(true), square(false));
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for (graph, count) in [(resnet8(), 1), (resnet8(), 13), (resnet8(), 32), (medley(), 13)] {
        let examples = Examples::new(&graph, count);
        let images: Vec<f32> = examples.images.iter().map(|x| *x as f32).collect();
        let batch = Batch { images: &images, labels: &examples.labels };
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| {
                let mut weights = weights(&graph).cast::<f32>();
                let mut gradient = vec![0.0; weights.values.len()];
                let mut executor = executor(&graph);
                let outcome =
                    executor.gradient(&mut weights, batch, dropout(batch), &mut gradient).expect("a gradient");
                let evaluated = executor.evaluate(&weights, batch).expect("losses");
                let bits: Vec<u32> = gradient.iter().chain(&weights.running_var).map(|x| x.to_bits()).collect();
                (bits, outcome.losses, evaluated.losses)
            })
        };
        let one = run(1);
        for threads in [2, 3, 8] {
            assert!(one == run(threads), "{count} images, {threads} threads");
        }
    }
}

#[test]
fn an_executor_remembers_nothing_from_one_batch_to_the_next() {
    let graph = resnet8();
    let (weights, large, small) = (weights(&graph), Examples::new(&graph, 9), Examples::new(&graph, 2));
    let fresh = gradient(&graph, &weights, small.batch()).1;
    let mut executor = executor::<f64>(&graph);
    let mut used = vec![0.0; fresh.len()];
    executor.gradient(&mut weights.clone(), large.batch(), Dropout::Off, &mut used).expect("a gradient");
    executor.gradient(&mut weights.clone(), small.batch(), Dropout::Off, &mut used).expect("a gradient");
    assert_eq!(fresh, used);
}

#[test]
fn an_image_is_evaluated_alone_as_in_company() {
    let graph = resnet8();
    let (weights, examples) = (weights(&graph), Examples::new(&graph, 70));
    let mut executor = executor::<f64>(&graph);
    let together = executor.evaluate(&weights, examples.batch()).expect("losses");
    let image = graph.input().len();
    for index in [0, 63, 64, 69] {
        let images = &examples.images[index * image..(index + 1) * image];
        let alone = executor.evaluate(&weights, Batch { images, labels: &examples.labels[index..=index] });
        let alone = alone.expect("a loss");
        assert!((alone.losses[0] - together.losses[index]).abs() < 1e-12, "{index}");
        assert_eq!(alone.correct[0], together.correct[index]);
    }
}

#[test]
fn a_statistics_pass_averages_batches_as_asked() {
    let graph = resnet8();
    let (weights, examples) = (weights(&graph), Examples::new(&graph, 6));
    let cut = 2 * graph.input().len();
    let batches = [
        Batch { images: &examples.images[..cut], labels: &examples.labels[..2] },
        Batch { images: &examples.images[cut..], labels: &examples.labels[2..] },
    ];
    let mut executor = executor::<f64>(&graph);
    let mut statistics = |weighting, batches: &[Batch<'_, f64>]| {
        let mut pass = StatisticsPass::new(graph.layout(), weighting);
        for batch in batches {
            executor.collect_statistics(&weights, *batch, &mut pass).expect("statistics");
        }
        let mut result = weights.clone();
        pass.finish(&mut result).expect("a batch");
        assert_eq!(result.batches_tracked, batches.len() as u64);
        (result.running_mean, result.running_var)
    };
    let [first, second] = [0, 1].map(|index| statistics(Weighting::BySize, &batches[index..=index]));
    for (weighting, share) in [(Weighting::BySize, 1.0 / 3.0), (Weighting::Equal, 0.5)] {
        let both = statistics(weighting, &batches);
        for (both, first, second) in [(&both.0, &first.0, &second.0), (&both.1, &first.1, &second.1)] {
            for ((both, first), second) in both.iter().zip(first).zip(second) {
                assert!((both - (share * first + (1.0 - share) * second)).abs() < 1e-12);
            }
        }
    }
    assert!(StatisticsPass::new(graph.layout(), Weighting::BySize).finish(&mut weights.clone()).is_err());
}

#[test]
fn wrong_batches_are_refused_by_name() {
    let graph = resnet8();
    let (mut weights, mut examples) = (weights(&graph), Examples::new(&graph, 2));
    let mut executor = executor::<f64>(&graph);
    let mut message = |images: &[f64], labels: &[u16]| {
        executor.evaluate(&weights, Batch { images, labels }).expect_err("a wrong batch").to_string()
    };
    assert!(message(&[], &[]).contains("images in the batch is 0"));
    assert!(message(&examples.images[1..], &examples.labels).contains("numbers in the batch's images is 6143"));
    examples.labels[1] = 10;
    let text = message(&examples.images, &examples.labels);
    assert_eq!(text, "label of image 1 of the batch is 10; allowed: 0 to 9");
    examples.labels[1] = 9;
    assert!(
        executor.gradient(&mut weights, examples.batch(), Dropout::Off, &mut [0.0]).is_err(),
        "gradient of the wrong length"
    );
    let other = Weights::zeros(Architecture::ResNet20.graph(10).expect("a network").layout());
    assert!(executor.evaluate(&other, examples.batch()).is_err(), "another network's weights");
}

#[test]
fn a_diverged_network_says_so() {
    let graph = resnet8();
    let (mut weights, examples) = (weights(&graph), Examples::new(&graph, 2));
    weights.values[0] = f64::NAN;
    let mut gradient = vec![0.0; weights.values.len()];
    let outcome =
        executor(&graph).gradient(&mut weights, examples.batch(), Dropout::Off, &mut gradient).expect("an outcome");
    assert!(!outcome.is_finite() && outcome.mean_loss().is_nan());
}

#[test]
fn tensors_survive_a_round_trip_by_name_and_wrong_ones_are_named() {
    let graph = resnet8();
    let mut weights = weights(&graph);
    weights.running_mean.iter_mut().enumerate().for_each(|(index, mean)| *mean = index as f64);
    weights.batches_tracked = 17;
    let named = || -> HashMap<_, _> { weights.named().expect("tensors").into_iter().collect() };
    assert_eq!(Weights::from_named(graph.layout(), named()).expect("the same network"), weights);
    let message = |change: &dyn Fn(&mut HashMap<String, candle_core::Tensor>)| {
        let mut tensors = named();
        change(&mut tensors);
        Weights::<f64>::from_named(graph.layout(), tensors).expect_err("wrong").to_string()
    };
    assert!(message(&|tensors| drop(tensors.remove("bn.bias"))).starts_with("bn.bias is missing"));
    let misshapen = message(&|tensors| {
        let weight = tensors["fc.weight"].t().expect("a matrix");
        tensors.insert("fc.weight".into(), weight);
    });
    assert_eq!(misshapen, "fc.weight is of shape [64, 10]; allowed: shape [10, 64]");
    assert!(
        message(&|tensors| drop(tensors.insert("fc.scale".into(), tensors["fc.bias"].clone()))).contains("fc.scale")
    );
}

#[test]
fn a_fresh_network_is_drawn_from_the_stated_laws() {
    // Standard deviations of at least 2304 draws: off by a tenth is more than 6 standard errors (normal: 1/√(2n)),
    // a false alarm below 1e-10 on this fixed seed.
    let graph = Architecture::ResNet20.graph(100).expect("a network");
    let weights = Weights::initialise(&graph, Seed(3));
    assert_eq!(weights, Weights::initialise(&graph, Seed(3)));
    let values = |name: &str| {
        let entry = graph.layout().parameters().iter().find(|entry| entry.name == name).expect("a tensor");
        &weights.values[entry.range()]
    };
    let deviation =
        |values: &[f32]| (values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
    for (name, law) in [
        ("layer1.0.conv1.weight", (2.0f64 / (9.0 * 16.0)).sqrt()),
        ("layer2.0.conv1.weight", (2.0f64 / (9.0 * 32.0)).sqrt()),
        ("fc.weight", 1.0 / 8.0 / 3f64.sqrt()),
    ] {
        let seen = deviation(values(name));
        assert!((seen / law - 1.0).abs() < 0.1, "{name}: {seen} {law}");
    }
    assert!(values("fc.weight").iter().chain(values("fc.bias")).all(|x| x.abs() <= 0.125));
    assert!(values("bn.weight").iter().all(|x| *x == 1.0) && values("bn.bias").iter().all(|x| *x == 0.0));
    assert!(weights.running_mean.iter().all(|x| *x == 0.0) && weights.running_var.iter().all(|x| *x == 1.0));
}

#[test]
fn biases_that_begin_at_zero_do_so() {
    let fresh = |architecture: Architecture| {
        let graph = architecture.graph(10).expect("a network");
        let weights = Weights::initialise(&graph, Seed(3));
        move |name: &str| {
            let entry = weights.layout().parameters().iter().find(|entry| entry.name == name).expect("a tensor");
            weights.values[entry.range()].to_vec()
        }
    };
    let vgg = fresh(Architecture::Vgg16Bn);
    assert!(vgg("features.0.bias").iter().all(|x| *x == 0.0));
    assert!(vgg("classifier.6.bias").iter().all(|x| *x != 0.0 && x.abs() <= 1.0 / 512f32.sqrt()));
    let densenet = fresh(Architecture::DenseNet40);
    assert!(densenet("classifier.bias").iter().all(|x| *x == 0.0));
    assert!(densenet("classifier.weight").iter().all(|x| *x != 0.0));
    assert!(densenet("features.norm_final.weight").iter().all(|x| *x == 1.0));
}
