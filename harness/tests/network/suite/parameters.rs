//! Parameters: how they begin, and by which names they travel.

use std::collections::HashMap;
use std::sync::Arc;

use valleys_harness::exec::{Dropout, StatisticsPass, Weighting};
use valleys_harness::model::{Architecture, NormWeights};
use valleys_harness::params::{Group, Weights};
use valleys_sim::Seed;

use super::{Examples, executor, resnet8, weights};

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
fn norm_weights_are_drawn_from_the_law_that_is_asked_for() {
    // Means and second moments of 688 draws within 5 standard errors: a false alarm below 1e-6 each, on a fixed seed.
    let graph = Architecture::ResNet20.graph(10).expect("a network");
    let split = |norm_weights: NormWeights| -> (Vec<f64>, Vec<f32>) {
        let weights = Weights::initialise_with(&graph, Seed(3), norm_weights);
        let (mut norms, mut others) = (Vec::new(), Vec::new());
        for entry in graph.layout().parameters() {
            let values = &weights.values[entry.range()];
            match entry.group {
                Group::BnWeight => norms.extend(values.iter().map(|x| f64::from(*x))),
                _ => others.extend(values),
            }
        }
        (norms, others)
    };
    let (ones, usual) = split(NormWeights::One);
    assert!(ones.iter().all(|x| *x == 1.0));
    assert_eq!(Weights::initialise(&graph, Seed(3)), Weights::initialise_with(&graph, Seed(3), NormWeights::One));
    for (law, mean, square, errors) in [
        (NormWeights::Uniform, 0.5, 1.0 / 3.0, (12f64.recip().sqrt(), (4.0 / 45.0f64).sqrt())),
        (NormWeights::Normal, 0.0, 0.01, (0.1, 0.01 * 2f64.sqrt())),
    ] {
        let (norms, others) = split(law);
        assert_eq!(others, usual, "{law:?}: nothing else is drawn anew");
        let n = norms.len() as f64;
        let (seen, squared) = (norms.iter().sum::<f64>() / n, norms.iter().map(|x| x * x).sum::<f64>() / n);
        assert!((seen - mean).abs() < 5.0 * errors.0 / n.sqrt(), "{law:?}: mean {seen}");
        assert!((squared - square).abs() < 5.0 * errors.1 / n.sqrt(), "{law:?}: mean square {squared}");
        // Each tensor has a stream of its own.
        let firsts: Vec<f64> = graph.layout().norms().iter().map(|norm| norms[norm.offset]).collect();
        assert!((1..firsts.len()).all(|i| !firsts[..i].contains(&firsts[i])), "{law:?}");
        assert!(law == NormWeights::Normal || norms.iter().all(|x| (0.0..1.0).contains(x)));
    }
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
