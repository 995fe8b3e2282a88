//! How fast a backend runs a network: images a second in training and in evaluation, points of a line a second.

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use valleys_sim::Seed;
use valleys_sim::direction::Family;
use valleys_sim::progress::Silent;

use crate::Result;
use crate::data::loader::{Batches, EpochBatches};
use crate::data::{Augmentation, Views, synthetic};
use crate::exec::{BackendKind, Dropout, Executor, Weighting};
use crate::landscape::direction::Law;
use crate::landscape::{BatchNorm, PointsInFlight, Probe, Spec, Surface};
use crate::model::Architecture;
use crate::optim::{Sgd, SgdParams};
use crate::params::{Line, Weights};

/// Classes of the networks that are measured; the last layer costs next to nothing.
const CLASSES: usize = 10;

/// Different batches that steps and evaluations go through, over and over.
const BATCHES: usize = 4;

/// Passes in a repetition at most, whatever they take.
const MOST_PASSES: usize = 1_000_000;

/// How thoroughly a speed is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// Passes that are not counted: in the first ones a backend asks for memory and chooses its algorithms.
    pub warm_up: usize,
    /// Repetitions at least.
    pub repetitions: usize,
    /// Seconds at least that the repetitions take together, each about its share of them; 0 makes each of them one pass.
    pub seconds: f64,
}

impl Effort {
    /// What a plan or a table needs to know: two single passes.
    pub const QUICK: Self = Self { warm_up: 1, repetitions: 2, seconds: 0.0 };

    /// What a comparison needs: five repetitions of many passes, in about so many seconds.
    pub fn of_seconds(seconds: f64) -> Self {
        Self { warm_up: 4, repetitions: 5, seconds }
    }
}

/// How many of something are done in a second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Speed {
    /// Median over the repetitions.
    pub median: f64,
    /// The slowest repetition.
    pub least: f64,
    /// The fastest.
    pub most: f64,
    /// How many of them.
    pub repetitions: usize,
    /// Steps, batches or points in each.
    pub passes: usize,
}

impl Speed {
    /// Measures work of which every pass does so many units. The work is told how many passes to make; when it returns,
    /// they must be over on the device, too.
    fn measure(effort: Effort, units: usize, mut work: impl FnMut(usize) -> Result<()>) -> Result<Self> {
        work(effort.warm_up)?;
        Self::timed(effort, units, |passes| {
            let start = Instant::now();
            work(passes).map(|()| start.elapsed().as_secs_f64())
        })
    }

    /// The same of work that is warm and tells its seconds. A repetition has as many passes as it took to fill its share of
    /// the seconds, since a first pass alone, with what a stretch of them has to do once, says too little of the others.
    fn timed(effort: Effort, units: usize, mut work: impl FnMut(usize) -> Result<f64>) -> Result<Self> {
        let (share, mut passes) = (effort.seconds / effort.repetitions as f64, 1);
        while effort.seconds > 0.0 && passes < MOST_PASSES {
            let taken = work(passes)?;
            if taken >= share {
                break;
            }
            // A tenth more than it seems to need, so that it seldom falls short again.
            let needed = (1.1 * passes as f64 * share / taken).ceil().min(MOST_PASSES as f64) as usize;
            passes = needed.clamp(passes + 1, 8 * passes).min(MOST_PASSES);
        }
        let (mut rates, mut spent) = (Vec::new(), 0.0);
        while rates.len() < effort.repetitions || spent < effort.seconds {
            let seconds = work(passes)?;
            spent += seconds;
            rates.push((passes * units) as f64 / seconds);
        }
        rates.sort_by(f64::total_cmp);
        let (least, most) = (rates[0], rates[rates.len() - 1]);
        let median = (rates[(rates.len() - 1) / 2] + rates[rates.len() / 2]) / 2.0;
        Ok(Self { median, least, most, repetitions: rates.len(), passes })
    }
}

/// Images a second in training and in evaluation, in batches of one size.
///
/// Training is whole steps of SGD with momentum, weight decay and dropout on images that are varied as in training, made
/// where the backend makes them. A repetition is a stretch of steps within an epoch, to the last one's loss; that the device
/// takes the weights over before an epoch's first step, and gives them back after its last, does not count. Evaluation gives
/// every image's loss; there, too, the weights are on the device. The learning rate is 0, so that the network stays what it is.
///
/// # Errors
/// Those of an [`Executor`], such as that there is no GPU.
pub fn images(network: Architecture, backend: BackendKind, batch: usize, effort: Effort) -> Result<[Speed; 2]> {
    let graph = Arc::new(network.graph(CLASSES)?);
    let mut weights = Weights::initialise(&graph, Seed(0));
    let mut sgd = Sgd::new(SgdParams::default(), weights.values.len())?;
    let mut executor = Executor::<f32>::on(graph, backend)?;
    let data = synthetic::draw(BATCHES * batch, 1, Seed(0))?;
    let varied = EpochBatches::new(&data, Augmentation::CROP_AND_FLIP, batch, Seed(0), 0);
    let mut descent = executor.descend(&mut weights, &mut sgd)?;
    let training = Speed::measure(effort, batch, |steps| {
        for step in 0..steps {
            let number = step % varied.count();
            let dropout = Dropout::Pass { seed: Seed(1), step: step as u64, images: varied.indices(number) };
            descent.step(0.0, &varied.views(number), dropout)?;
        }
        descent.settle().map(drop)
    })?;
    descent.finish()?;
    let plain = EpochBatches::new(&data, Augmentation::NONE, batch, Seed(0), 0);
    let mut loaded = executor.load(&weights)?;
    let evaluation = Speed::measure(effort, batch, |count| {
        loaded.evaluate_all(&Cycle { batches: &plain, count }, &Silent).map(drop)
    })?;
    Ok([training, evaluation])
}

/// Batches over and over, so many in all.
struct Cycle<'a> {
    batches: &'a dyn Batches,
    count: usize,
}

impl Batches for Cycle<'_> {
    fn count(&self) -> usize {
        self.count
    }

    fn views(&self, number: usize) -> Views<'_> {
        self.batches.views(number % self.batches.count())
    }
}

/// On how many images a point of a line is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PointImages {
    /// Training images for the batch-norm statistics, which every point has anew.
    pub statistics: usize,
    /// Training images for the train loss.
    pub train: usize,
    /// Test images for the test loss.
    pub test: usize,
}

/// Points w + l·u of a line a second, as a landscape measures them: the weights, batch-norm statistics, two losses. With
/// several in flight there are as many times the passes to warm up, and a repetition has a multiple of their number.
///
/// # Errors
/// Those of [`images`], and [`Error::Domain`](crate::Error::Domain) if there are too few images for a standard error.
pub fn points(
    network: Architecture,
    backend: BackendKind,
    images: PointImages,
    in_flight: PointsInFlight,
    effort: Effort,
) -> Result<Speed> {
    let graph = Arc::new(network.graph(CLASSES)?);
    let centre = Weights::initialise(&graph, Seed(0));
    let direction = Law::of(Family::Uniform).draw(&centre, Seed(0), 0)?;
    let line = Line::new(&centre, &direction)?;
    let data = synthetic::draw(images.statistics.max(images.train), images.test, Seed(0))?;
    let spec = Spec {
        backend,
        batch_norm: BatchNorm::Recompute,
        weighting: Weighting::BySize,
        statistics_images: images.statistics,
        train_images: images.train,
        test_images: images.test,
        keep_examples: false,
        seed: Seed(0),
    };
    let mut probe = Probe::new(&graph, &data, spec)?.with_points_in_flight(in_flight);
    // So near to the centre that every loss is finite.
    let mut offsets = (-2..=2).map(|offset| 1e-3 * f64::from(offset)).cycle();
    let mut measure = |points: usize| {
        let points: Vec<_> = offsets.by_ref().take(points).map(|offset| (&line, offset)).collect();
        probe.measure_all(&points, &Silent, &mut |_| Ok(()))
    };
    // The first point of all is measured alone.
    measure(1)?;
    let together = in_flight.get();
    let speed = Speed::measure(effort, together, |passes| measure(passes * together))?;
    Ok(Speed { passes: speed.passes * together, ..speed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn repetitions_are_as_long_and_as_many_as_asked_for() {
        let mut passes = Vec::new();
        let effort = Effort { warm_up: 3, repetitions: 4, seconds: 0.0 };
        let speed = Speed::measure(effort, 10, |count| {
            passes.push(count);
            Ok(())
        });
        let speed = speed.expect("does nothing");
        assert_eq!((passes, speed.repetitions, speed.passes), (vec![3, 1, 1, 1, 1], 4, 1));

        let pause = std::time::Duration::from_millis(2);
        let mut calls = 0;
        let speed = Speed::measure(Effort { warm_up: 1, repetitions: 2, seconds: 0.02 }, 10, |count| {
            calls += 1;
            std::thread::sleep(pause * count as u32);
            Ok(())
        });
        let speed = speed.expect("sleeps");
        // One call to warm up, and some that grow from 1 pass to at most 6, for 6 pauses fill a share of 10 ms.
        let grown = calls - 1 - speed.repetitions;
        assert!((1..=6).contains(&speed.passes) && (1..=speed.passes).contains(&grown), "{speed:?}, {calls} calls");
        // A pause is never shorter than asked for, but may be longer.
        assert!(speed.least > 0.0 && speed.median <= speed.most && speed.most <= 10.0 / 0.002, "{speed:?}");
        assert!(Speed::measure(Effort::QUICK, 1, |_| Err(Error::Interrupted)).is_err());
    }

    #[test]
    fn a_repetition_takes_its_share_even_if_its_first_pass_is_dear() {
        // A second to begin with, a hundredth for every pass.
        let speed = |seconds, start: f64| {
            let mut stretches = Vec::new();
            let speed = Speed::timed(Effort { warm_up: 0, repetitions: 5, seconds }, 100, |passes| {
                stretches.push(passes);
                Ok(start + 0.01 * passes as f64)
            });
            (speed.expect("takes what it says"), stretches)
        };
        let (fixed, stretches) = speed(10.0, 1.0);
        assert!((100..=150).contains(&fixed.passes) && fixed.repetitions == 5, "{fixed:?}, {stretches:?}");
        assert!(stretches.is_sorted() && stretches.len() < 15, "{stretches:?}");
        let (free, stretches) = speed(10.0, 0.0);
        assert!((200..=220).contains(&free.passes) && free.repetitions == 5, "{free:?}, {stretches:?}");
        assert!((free.median - 10_000.0).abs() < 1.0, "{free:?}");
        // Work that seems to take no time is not repeated for ever.
        let mut once = 0;
        let nothing = Speed::timed(Effort { warm_up: 0, repetitions: 1, seconds: 1.0 }, 1, |passes| {
            once = once.max(passes);
            Ok(if passes == MOST_PASSES { 1.0 } else { 0.0 })
        });
        assert_eq!((nothing.expect("ends").passes, once), (MOST_PASSES, MOST_PASSES));
    }

    #[test]
    fn the_speeds_of_a_small_network_are_measured() {
        let speeds = images(Architecture::Mlp, BackendKind::Cpu, 4, Effort::QUICK).expect("runs");
        let few = PointImages { statistics: 3, train: 2, test: 4 };
        let point = points(Architecture::ResNet8, BackendKind::Cpu, few, PointsInFlight::default(), Effort::QUICK)
            .expect("runs");
        for speed in [speeds[0], speeds[1], point] {
            assert!(speed.least > 0.0 && speed.most.is_finite() && speed.repetitions == 2, "{speed:?}");
        }
        let three = PointsInFlight::new(3).expect("in range");
        let point = points(Architecture::ResNet8, BackendKind::Cpu, few, three, Effort::QUICK).expect("runs");
        assert!(point.least > 0.0 && point.repetitions == 2 && point.passes == 3, "{point:?}");
        let one = PointImages { test: 1, ..few };
        let message = points(Architecture::ResNet8, BackendKind::Cpu, one, PointsInFlight::default(), Effort::QUICK)
            .expect_err("no error bar");
        assert_eq!(message.to_string(), "test_images is 1; allowed: 2 to 1");
    }
}
