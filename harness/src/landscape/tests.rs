//! Points of real, if untrained, networks.

use std::sync::Arc;

use valleys_sim::Seed;
use valleys_sim::asymmetry::Criteria;
use valleys_sim::direction::Family;
use valleys_sim::profile::grid;
use valleys_sim::progress::{Silent, Stopped};

use super::direction::Law;
use super::{BatchNorm, Losses, Point, Probe, Spec, Store, Surface, interpolation, line};
use crate::average::recompute_statistics;
use crate::data::loader::PlainBatches;
use crate::data::{Dataset, synthetic};
use crate::exec::{BackendKind, Executor, Weighting};
use crate::model::{Architecture, Graph};
use crate::params::{Line, Weights};
use crate::train::evaluate;
use crate::{Error, Result};

fn spec(batch_norm: BatchNorm) -> Spec {
    Spec {
        backend: BackendKind::default(),
        batch_norm,
        weighting: Weighting::BySize,
        statistics_images: 40,
        train_images: 30,
        test_images: 20,
        keep_examples: true,
        seed: Seed(2),
    }
}

struct Setting {
    graph: Arc<Graph>,
    data: Dataset,
    weights: Weights<f32>,
    direction: Vec<f64>,
}

fn setting() -> Setting {
    let graph = Arc::new(Architecture::ResNet8.graph(10).expect("ten classes"));
    let data = synthetic::draw(60, 40, Seed(1)).expect("valid");
    let weights = Weights::initialise(&graph, Seed(1));
    let direction = Law::of(Family::Uniform).draw(&weights, Seed(1), 0).expect("valid");
    Setting { graph, data, weights, direction }
}

impl Setting {
    fn probe(&self, batch_norm: BatchNorm) -> Probe {
        Probe::new(&self.graph, &self.data, spec(batch_norm)).expect("valid")
    }

    fn line(&self, batch_norm: BatchNorm, offsets: &[f64], store: &mut dyn Store) -> Result<Vec<Point>> {
        line::points(&mut self.probe(batch_norm), &self.weights, &self.direction, offsets, store, &Silent)
    }
}

#[test]
fn a_point_is_the_networks_loss_with_statistics_of_its_own() {
    let setting = setting();
    let point = &setting.line(BatchNorm::Recompute, &[2.5], &mut vec![]).expect("measured")[0];
    // The same by hand.
    let (data, seed) = (&setting.data, Seed(2));
    let mut moved = setting.weights.clone();
    for (w, u) in moved.values.iter_mut().zip(&setting.direction) {
        *w = (f64::from(*w) + 2.5 * u) as f32;
    }
    let mut executor = Executor::new(Arc::clone(&setting.graph)).expect("executor");
    let statistics = data.train().subset(40, seed, "statistics images").expect("valid");
    let normalisation = data.normalisation();
    recompute_statistics(
        &mut executor,
        &mut moved,
        &PlainBatches::new(&statistics, normalisation),
        Weighting::BySize,
        &Silent,
    )
    .expect("pass");
    let train = data.train().subset(30, seed, "train images").expect("valid");
    let outcome = evaluate(&mut executor, &moved, &train, normalisation, &Silent).expect("measured");
    assert_eq!((point.train.loss, point.train.accuracy), (outcome.mean_loss(), outcome.accuracy()));
    assert_eq!(point.train.examples.as_ref(), Some(&outcome.losses));
    let test = data.test().subset(20, seed, "test images").expect("valid");
    let outcome = evaluate(&mut executor, &moved, &test, normalisation, &Silent).expect("measured");
    assert_eq!((point.test.loss, point.test.accuracy), (outcome.mean_loss(), outcome.accuracy()));
}

#[test]
fn frozen_statistics_are_the_centres_and_make_a_difference() {
    let mut setting = setting();
    let train = setting.data.train().subset(40, Seed(2), "statistics images").expect("valid");
    let mut executor = Executor::new(Arc::clone(&setting.graph)).expect("executor");
    let normalisation = setting.data.normalisation();
    recompute_statistics(
        &mut executor,
        &mut setting.weights,
        &PlainBatches::new(&train, normalisation),
        Weighting::BySize,
        &Silent,
    )
    .expect("pass");
    let offsets = [0.0, 3.0];
    let frozen = setting.line(BatchNorm::Frozen, &offsets, &mut vec![]).expect("measured");
    let recomputed = setting.line(BatchNorm::Recompute, &offsets, &mut vec![]).expect("measured");
    assert_eq!(frozen[0], recomputed[0], "at the centre both are the centre's");
    assert_ne!(frozen[1], recomputed[1]);
}

/// A store that fails on its third point, as a full disk would.
#[derive(Default)]
struct Failing(Vec<Point>);

impl Store for Failing {
    fn points(&self) -> &[Point] {
        &self.0
    }

    fn keep(&mut self, point: Point) -> Result<()> {
        if self.0.len() == 2 {
            return Err(Error::Interrupted);
        }
        self.0.push(point);
        Ok(())
    }
}

#[test]
fn a_stopped_line_goes_on_from_its_points_with_any_number_of_threads() {
    let setting = setting();
    let offsets = grid(-2.0, 2.0, 5).expect("grid");
    let whole = setting.line(BatchNorm::Recompute, &offsets, &mut vec![]).expect("measured");
    let mut store = Failing::default();
    assert!(setting.line(BatchNorm::Recompute, &offsets, &mut store).is_err());
    assert_eq!(store.0, whole[..2]);

    // A marked point shows that kept points are not measured again, in whatever order they lie.
    let mut kept = store.0;
    kept.reverse();
    kept[0].train.loss = 77.0;
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("pool");
    let continued = one.install(|| setting.line(BatchNorm::Recompute, &offsets, &mut kept)).expect("measured");
    assert_eq!(continued[1].train.loss, 77.0);
    assert_eq!((&continued[0], &continued[2..]), (&whole[0], &whole[2..]));
    assert_eq!(kept.len(), 5);
}

#[test]
fn records_carry_profiles_judgement_and_shift() {
    let setting = setting();
    let offsets = grid(-3.0, 3.0, 7).expect("grid");
    let points = setting.line(BatchNorm::Recompute, &offsets, &mut vec![]).expect("measured");
    let shift = line::shift("a line", &points, 2.0, 11).expect("room for shifts up to 1");
    assert_eq!((shift.delta[0], shift.delta[5], shift.delta[10]), (-1.0, 0.0, 1.0));
    let caption = line::Caption {
        title: "a line".into(),
        family: Family::Uniform.to_string(),
        index: 0,
        setting: setting.probe(BatchNorm::Recompute).setting(),
    };
    let record = line::line(caption, &points, &Criteria::default(), Some(&shift)).expect("judged");
    assert_eq!(record.train.offsets(), offsets);
    assert_eq!(record.train.losses()[3], points[3].train.loss);
    assert_eq!(record.test.expect("measured").standard_errors().expect("known")[6], points[6].test.standard_error);
    assert_eq!(record.judgement.half_line, 3.0);
    assert!(record.train.examples().is_none(), "the points keep them");
    assert_eq!(record.setting, "batch-norm statistics from 40 training images; loss on 30 training and 20 test images");
}

#[test]
fn the_ends_of_an_interpolation_are_the_solutions() {
    let setting = setting();
    let other = Weights::initialise(&setting.graph, Seed(9));
    let mut probe = setting.probe(BatchNorm::Recompute);
    let shares = grid(-1.0, 2.0, 4).expect("grid");
    let points =
        interpolation::points(&mut probe, &setting.weights, &other, &shares, &mut vec![], &Silent).expect("measured");
    let losses = |point: &Point| Losses { train: point.train.clone(), test: point.test.clone() };
    for (point, solution) in points[1..].iter().zip([&setting.weights, &other]) {
        let line = Line::new(solution, &setting.direction).expect("one dimension");
        assert_eq!(losses(point), probe.measure(&line, 0.0, &Silent).expect("measured"));
    }
    let distance = interpolation::distance(&setting.weights, &other);
    let record =
        interpolation::interpolation(("two", ["a", "b"]), &points, distance, &Criteria::default()).expect("judged");
    assert_eq!((record.distance, record.judgement.half_line), (distance, distance));
}

#[test]
fn bad_specifications_directions_and_losses_are_named() {
    let setting = setting();
    let message = |spec: Spec| match Probe::new(&setting.graph, &setting.data, spec) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    let base = || spec(BatchNorm::Recompute);
    assert_eq!(message(Spec { train_images: 1, ..base() }), "train_images is 1; allowed: 2 to 60");
    assert_eq!(message(Spec { test_images: 41, ..base() }), "test_images is 41; allowed: 2 to 40");
    assert_eq!(message(Spec { statistics_images: 0, ..base() }), "statistics_images is 0; allowed: 1 to 60");

    let mut probe = setting.probe(BatchNorm::Recompute);
    let short = line::points(&mut probe, &setting.weights, &[1.0], &[0.0, 1.0], &mut vec![], &Silent);
    assert!(short.expect_err("short").to_string().starts_with("dimension of the direction is 1"));
    let far = line::points(&mut probe, &setting.weights, &setting.direction, &[1e38], &mut vec![], &Silent);
    let far = far.expect_err("overflows").to_string();
    assert!(far.contains("train loss of image") && far.contains("at offset 1000"), "{far}");
    let stopped = line::points(&mut probe, &setting.weights, &setting.direction, &[0.0], &mut vec![], &Stopped);
    assert!(matches!(stopped, Err(Error::Interrupted)));
}
