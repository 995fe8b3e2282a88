//! Points of real, if untrained, networks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use valleys_sim::Seed;
use valleys_sim::asymmetry::Criteria;
use valleys_sim::direction::Family;
use valleys_sim::profile::grid;
use valleys_sim::progress::{Observer, Silent, Stopped};

use super::direction::Law;
use super::{BatchNorm, Losses, Point, PointsInFlight, Probe, Spec, Store, Surface, interpolation, line};
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

    /// The losses of a line with so many points in flight.
    fn line_by(&self, in_flight: usize, offsets: &[f64], store: &mut dyn Store) -> Result<Vec<Point>> {
        let in_flight = PointsInFlight::new(in_flight).expect("in range");
        let mut probe = self.probe(BatchNorm::Recompute).with_points_in_flight(in_flight);
        line::points(&mut probe, &self.weights, &self.direction, offsets, store, &Silent)
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
fn any_number_in_flight_leaves_the_same_store_stopped_or_not() {
    let setting = setting();
    let offsets = grid(-2.0, 2.0, 7).expect("grid");
    let bytes = |points: &[Point]| serde_json::to_string(points).expect("JSON");
    let mut one = Vec::new();
    setting.line_by(1, &offsets, &mut one).expect("measured");
    for in_flight in [2, 3, 16] {
        let mut whole = Vec::new();
        setting.line_by(in_flight, &offsets, &mut whole).expect("measured");
        assert_eq!(bytes(&whole), bytes(&one), "{in_flight} in flight");

        let mut stopped = Failing::default();
        let failed = setting.line_by(in_flight, &offsets, &mut stopped);
        assert!(matches!(failed, Err(Error::Interrupted)));
        assert_eq!(bytes(&stopped.0), bytes(&one[..2]), "{in_flight} in flight");
        setting.line_by(in_flight, &offsets, &mut stopped.0).expect("measured");
        assert_eq!(bytes(&stopped.0), bytes(&one), "{in_flight} in flight");
    }
}

#[test]
fn several_in_flight_fail_as_one_does() {
    let setting = setting();
    // All but the first two overflow, the later ones as soon as the first.
    let offsets = [0.0, 0.5, 1e38, 2e38, 3e38, 4e38];
    let failed = [1, 3].map(|in_flight| {
        let mut store = Vec::new();
        let error = setting.line_by(in_flight, &offsets, &mut store).expect_err("overflows");
        (error.to_string(), store)
    });
    assert_eq!(failed[0], failed[1]);
    assert!(failed[0].0.contains("at offset 1000") && failed[0].1.len() == 2, "{}", failed[0].0);

    let mut probe = setting.probe(BatchNorm::Recompute).with_points_in_flight(PointsInFlight::new(3).expect("3"));
    let mut line = |observer: &dyn Observer, store: &mut Vec<Point>| {
        line::points(&mut probe, &setting.weights, &setting.direction, &[0.0, 0.1, 0.2, 0.3, 0.4], store, observer)
    };
    let mut store = Vec::new();
    assert!(matches!(line(&Stopped, &mut store), Err(Error::Interrupted)) && store.is_empty());
    // Stopped when it is told of the second point.
    let observer = StopsAfter { points: 2, seen: AtomicUsize::new(0) };
    assert!(matches!(line(&observer, &mut store), Err(Error::Interrupted)));
    assert!((2..5).contains(&store.len()), "{} kept", store.len());
    assert_eq!(line(&Silent, &mut store).expect("measured").len(), 5);
}

/// Asks to stop after so many points.
struct StopsAfter {
    points: usize,
    seen: AtomicUsize,
}

impl Observer for StopsAfter {
    fn begin(&self, _task: &str, units: u64) {
        assert_eq!(units, 5);
    }
    fn advance(&self, units: u64) {
        self.seen.fetch_add(units as usize, Ordering::SeqCst);
    }
    fn note(&self, _line: &str) {}
    fn finish(&self) {}
    fn interrupted(&self) -> bool {
        self.seen.load(Ordering::SeqCst) >= self.points
    }
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
