//! One line under controls: with other images, wider steps, the other batch-norm statistics, at a rescaled place.

use std::sync::Arc;

use valleys_sim::asymmetry::{Criteria, coarsened, judge_line};
use valleys_sim::direction::Family;
use valleys_sim::estimate::Moments;
use valleys_sim::noise_floor::noise_floor;
use valleys_sim::progress::Observer;
use valleys_sim::record::{self, ControlCheck, ControlVariant};
use valleys_sim::{Profile, Seed};

use super::direction::Law;
use super::point::profile;
use super::rescale::rescaled;
use super::scan::{Cells, scan_one};
use super::vector::{dot, norm};
use super::{BatchNorm, PointsInFlight, Probe, Spec, Store, Surface};
use crate::Result;
use crate::data::{Dataset, ImageSet};
use crate::model::Graph;
use crate::params::{Group, Weights};

/// The scale of the layer rescaling.
const ALPHA: f64 = 3.0;

/// A solution of a network, and the line through it that is controlled.
pub struct Subject<'a> {
    /// Title of the record.
    pub title: &'a str,
    /// The network.
    pub graph: &'a Arc<Graph>,
    /// The images.
    pub data: &'a Dataset,
    /// How the line is usually measured.
    pub spec: &'a Spec,
    /// How many of its points are measured at a time.
    pub in_flight: PointsInFlight,
    /// The solution.
    pub solution: &'a Weights<f32>,
    /// The law of the direction.
    pub law: &'a Law,
    /// Its number.
    pub index: u64,
}

/// Measures the line in all variants, and what tells whether its centre is one.
///
/// # Errors
/// Those of [`Probe::new`] and [`Surface::measure`].
pub fn controls(
    subject: &Subject<'_>,
    (offsets, criteria, seed): (&[f64], &Criteria, Seed),
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<record::Controls> {
    let &Subject { graph, data, spec, in_flight, solution, law, index, .. } = subject;
    let probe_on =
        |data: &Dataset, spec| Probe::new(graph, data, spec).map(|probe| probe.with_points_in_flight(in_flight));
    let probe = |spec: Spec| probe_on(data, spec);
    let u = law.draw(solution, seed, index)?;
    let mut line = |name: &str, probe: &mut Probe, centre: &Weights<f32>, u: &[f64]| -> Result<Profile> {
        let line = Cells::new(name, offsets, centre, u)?;
        profile(&scan_one(probe, &format!("line, {name}"), line, store, observer)?, |point| &point.train)
    };
    let mut usual = probe(spec.clone())?;
    let own = line("usual", &mut usual, solution, &u)?;
    let (images, sets) = other_images(data, usual.training_images(), spec)?;
    let other_spec = Spec { seed: spec.seed.child("other images", 0), ..spec.clone() };
    let other = line("other images", &mut probe_on(&images, other_spec)?, solution, &u)?;

    let mut variants = vec![
        variant("as usual", "as usual", own.clone(), criteria)?,
        variant("images", "other images", other.clone(), criteria)?,
    ];
    for (step, name) in [(2, "every second point"), (4, "every fourth point")] {
        let coarse = coarsened(&own, step)?;
        // Fewer points are no line to judge.
        if coarse.len() >= 5 {
            variants.push(variant("step width", name, coarse, criteria)?);
        }
    }
    let check = |name: &str, value: f64, standard_error, reading: &str| ControlCheck {
        name: name.to_owned(),
        value,
        standard_error,
        reading: reading.to_owned(),
    };
    let mut checks: Vec<ControlCheck> = slope(&own, "at the centre, along u").into_iter().collect();
    let floor = noise_floor(&own, &other)?;
    for (name, value, usually) in
        [("largest", floor.largest_in_errors, "1 to 3"), ("root mean square", floor.rms_in_errors, "about 1")]
    {
        let name = format!("{name} difference between two sets of images, in standard errors");
        let reading = format!("{usually} if the standard errors tell the truth; {sets}");
        checks.extend(value.map(|value| check(&name, value, None, &reading)));
    }
    if graph.layout().parameters().iter().any(|entry| entry.group == Group::BnWeight) {
        let (batch_norm, name) = match spec.batch_norm {
            BatchNorm::Recompute => (BatchNorm::Frozen, "statistics of the centre"),
            BatchNorm::Frozen => (BatchNorm::Recompute, "statistics recomputed"),
        };
        let spec = Spec { batch_norm, ..spec.clone() };
        variants.push(variant("batch norm", name, line(name, &mut probe(spec)?, solution, &u)?, criteria)?);
    }
    if let Ok(scaled) = rescaled(graph, solution, ALPHA) {
        let name = format!("layers × {ALPHA}");
        let moved_line = line(&name, &mut usual, &scaled, &u)?;
        let at = |profile: &Profile| profile.at(0.0).unwrap_or(f64::NAN);
        checks.push(ControlCheck {
            name: format!("training loss at the centre with layers × {ALPHA}, less the usual"),
            value: at(&moved_line) - at(&own),
            standard_error: None,
            reading: "0 but for rounding: the same function at another place".to_owned(),
        });
        checks.extend(slope(&moved_line, &format!("at the centre, along u, with {name}")));
        variants.push(variant("layer scale", &name, moved_line, criteria)?);
        let filtered = Law { family: Family::FilterNormalised, restriction: law.restriction.clone() };
        for (name, centre) in [("filter-normalised", solution), ("filter-normalised, layers × α", &scaled)] {
            let Ok(u) = filtered.draw(centre, seed, index) else { continue };
            // Scaled to the length of the usual direction at the solution, so that offsets can be compared.
            let length = norm(&filtered.draw(solution, seed, index)?);
            let u: Vec<f64> = u.iter().map(|x| x / length).collect();
            variants.push(variant("layer scale", name, line(name, &mut usual, centre, &u)?, criteria)?);
        }
    }
    let gradient = usual.gradient(solution, observer)?;
    checks.push(check("norm of the gradient at the centre", norm(&gradient), None, "0 at a stationary point"));
    checks.push(check("the gradient's part along u", dot(&gradient, &u), None, "the slope of the line at its centre"));
    let excess = usual.augmented_excess(data, solution, seed, observer)?;
    checks.push(check(
        "training loss on augmented images, less clean",
        excess.mean(),
        excess.standard_error(),
        "what a line measured on augmented images would be lifted by",
    ));
    Ok(record::Controls {
        title: subject.title.to_owned(),
        family: law.to_string(),
        index,
        variants,
        checks,
        setting: usual.setting(),
    })
}

fn variant(control: &str, variant: &str, train: Profile, criteria: &Criteria) -> Result<ControlVariant> {
    let judgement = judge_line(&train, criteria, None)?;
    let (control, variant) = (control.to_owned(), variant.to_owned());
    Ok(ControlVariant { control, variant, train: train.without_examples(), judgement })
}

/// A data set whose training images the usual measurement did not look at, as far as there are enough, and in words how
/// the two sets lie.
fn other_images(data: &Dataset, [losses, statistics]: [&ImageSet; 2], spec: &Spec) -> Result<(Dataset, &'static str)> {
    let wanted = spec.train_images.max(spec.statistics_images);
    for (taken, sets) in [
        (&[losses, statistics][..], "no image is in both"),
        (&[losses], "no image’s loss is in both, images for statistics are"),
    ] {
        if let Some(rest) = data.train().without(taken).filter(|rest| rest.len() >= wanted) {
            return Ok((data.with_train(rest)?, sets));
        }
    }
    Ok((data.clone(), "the sets share images, and so errors: there are too few for sets apart"))
}

/// The slope at the centre, from the points next to it; with its standard error where per-example losses are known.
fn slope(line: &Profile, place: &str) -> Option<ControlCheck> {
    let centre = line.offsets().iter().position(|&l| l == 0.0).filter(|&i| i > 0 && i + 1 < line.len())?;
    let (before, after) = (centre - 1, centre + 1);
    let width = line.offsets()[after] - line.offsets()[before];
    let of_examples = line.examples().map(|examples| {
        let differences = examples[after].iter().zip(&examples[before]);
        Moments::of(&differences.map(|(after, before)| (after - before) / width).collect::<Vec<f64>>())
    });
    Some(ControlCheck {
        name: format!("slope of the training loss {place}"),
        value: (line.losses()[after] - line.losses()[before]) / width,
        standard_error: of_examples.and_then(|moments| moments.standard_error()),
        reading: "0 within its error at a stationary point of a smooth line".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use valleys_sim::profile::grid;
    use valleys_sim::progress::Silent;

    use super::*;
    use crate::data::synthetic;
    use crate::exec::{BackendKind, Weighting};
    use crate::model::Architecture;

    #[test]
    fn the_slope_has_the_error_of_paired_examples() {
        let examples = vec![vec![1.0, 2.0], vec![0.0, 0.0], vec![3.0, 6.0]];
        let profile = Profile::new(vec![-1.0, 0.0, 1.0], vec![1.5, 0.0, 4.5]).expect("valid");
        let check = slope(&profile.with_examples(examples).expect("two"), "").expect("a centre");
        // The examples' own slopes are 1 and 2.
        assert_eq!((check.value, check.standard_error), (1.5, Some(0.5)));
        assert!(slope(&Profile::new(vec![0.0, 1.0], vec![0.0, 1.0]).expect("valid"), "").is_none());
    }

    #[test]
    fn the_other_images_are_apart_where_there_are_enough() {
        let data = synthetic::draw(40, 20, Seed(1)).expect("valid");
        let set = |count: usize, purpose: &str| data.train().subset(count, Seed(2), purpose).expect("enough");
        for (losses, statistics, words, shared) in [
            (10, 15, "no image is in both", [false, false]),
            (15, 20, "no image’s loss is in both", [false, true]),
            (30, 10, "the sets share images", [true, true]),
        ] {
            let own = [set(losses, "losses"), set(statistics, "statistics")];
            let spec = Spec { train_images: losses, statistics_images: statistics, ..spec() };
            let (others, seen) = other_images(&data, [&own[0], &own[1]], &spec).expect("valid");
            assert!(seen.starts_with(words) && others.train().len() >= losses.max(statistics), "{seen}");
            let holds = |set: &ImageSet, image: &[u8]| (0..set.len()).any(|i| set.image(i) == image);
            let train = others.train();
            for (set, shared) in own.iter().zip(shared) {
                assert_eq!((0..train.len()).any(|i| holds(set, train.image(i))), shared, "{seen}");
            }
        }
    }

    fn spec() -> Spec {
        Spec {
            backend: BackendKind::default(),
            batch_norm: BatchNorm::Recompute,
            weighting: Weighting::BySize,
            statistics_images: 40,
            train_images: 30,
            test_images: 20,
            keep_examples: true,
            seed: Seed(2),
        }
    }

    #[test]
    fn a_network_is_controlled_in_every_way() {
        let (data, spec) = (synthetic::draw(80, 60, Seed(1)).expect("valid"), spec());
        let offsets = grid(-1.0, 1.0, 9).expect("grid");
        let how = (&offsets[..], &Criteria::default(), Seed(3));
        let run = |network: Architecture| {
            let graph = Arc::new(network.graph(10).expect("ten classes"));
            let solution = Weights::initialise(&graph, Seed(1));
            let law = Law::of(Family::Gaussian);
            let subject = Subject {
                title: "",
                graph: &graph,
                data: &data,
                spec: &spec,
                in_flight: PointsInFlight::default(),
                solution: &solution,
                law: &law,
                index: 0,
            };
            controls(&subject, how, &mut Vec::new(), &Silent).expect("measured")
        };
        let record = run(Architecture::ResNet8);
        let names: Vec<_> = record.variants.iter().map(|it| it.variant.as_str()).collect();
        assert_eq!(
            names,
            [
                "as usual",
                "other images",
                "every second point",
                "statistics of the centre",
                "layers × 3",
                "filter-normalised",
                "filter-normalised, layers × α"
            ]
        );
        let losses = |place: usize| record.variants[place].train.losses();
        let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        // Filter-normalised directions scale with their filters, so the line is the same; a fixed direction is not.
        assert!(apart(losses(5), losses(6)) < 0.02 * apart(losses(0), losses(4)), "{:?}", record.checks);
        assert!(apart(losses(0), losses(1)) > 0.0 && apart(losses(0), losses(3)) > 0.0);
        let value = |name: &str| record.checks.iter().find(|check| check.name.contains(name)).expect("a check").value;
        assert!(value("less the usual").abs() < 1e-3, "{}", value("less the usual"));
        let slopes: Vec<_> = record.checks.iter().filter(|check| check.name.starts_with("slope")).collect();
        assert_eq!(slopes.len(), 2, "{:?}", record.checks);
        assert!(slopes.iter().all(|slope| slope.standard_error.is_some_and(|error| error > 0.0)), "{slopes:?}");
        assert!(value("norm of the gradient") > value("part along u").abs());
        let plain = run(Architecture::Mlp);
        assert_eq!(plain.variants.len(), 3, "no batch norm, no layer rescaling");
    }
}
