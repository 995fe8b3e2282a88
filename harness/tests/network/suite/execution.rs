//! Batches through an executor.

use valleys_harness::exec::{Batch, Dropout, Mode, StatisticsPass, Weighting};
use valleys_harness::model::Architecture;
use valleys_harness::params::Weights;
use valleys_sim::Seed;

use super::{Examples, dropout, executor, gradient, medley, resnet8, weights};

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
