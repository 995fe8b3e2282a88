//! `valleys golden`: this build's values beside the committed ones.
//!
//! The mathematics must agree to the bit. Training must agree to [`TRAINING`], since its bits depend on the
//! instruction set.

use std::collections::BTreeMap;
use std::path::Path;

use valleys_harness::data::synthetic;
use valleys_harness::exec::BackendKind;
use valleys_harness::files::write_atomically;
use valleys_harness::model::Architecture;
use valleys_harness::preset::Preset;
use valleys_harness::train::{self, Method, Trainer};
use valleys_sim::appendix_a::Parameters;
use valleys_sim::asymmetry::{self, Certificate, Criteria};
use valleys_sim::ensemble::Plan;
use valleys_sim::profile::grid;
use valleys_sim::progress::Silent;
use valleys_sim::theorem1::{self, TightnessConfig};
use valleys_sim::theorem2::{self, BiasMapConfig, ExactLawConfig, PathConfig};
use valleys_sim::{Profile, Seed};

use crate::cli::Golden;
use crate::error::{Error, Result};
use crate::output::line;
use crate::run_folder::read_json;

/// The relative difference that training may show.
const TRAINING: f64 = 1e-5;

/// Named lists of numbers.
type Values = BTreeMap<String, Vec<f64>>;

/// A file of golden values: its name, the relative difference allowed, and how the values are computed.
type Set = (&'static str, f64, fn() -> Result<Values>);

/// A function of one variable with its formula.
type Named = (&'static str, fn(f64) -> f64);

pub(crate) fn run(options: &Golden) -> Result<()> {
    let sets: [Set; 5] = [
        ("appendix-a", 0.0, appendix_a),
        ("theorem1", 0.0, theorem1),
        ("theorem2", 0.0, theorem2),
        ("certificates", 0.0, certificates),
        ("resnet8", TRAINING, resnet8),
    ];
    let mut differences = 0;
    for (name, tolerance, values) in sets {
        let path = options.dir.join(format!("{name}.json"));
        let now = values()?;
        let before: Values = if path.exists() || !options.update { read_json(&path)? } else { Values::new() };
        let differs = compare(name, &before, &now, tolerance)?;
        if options.update && differs > 0 {
            write(&path, &now)?;
        }
        differences += differs;
    }
    match differences {
        0 => line("golden values: all agree"),
        _ if options.update => line(format!("golden values: {differences} rewritten")),
        _ => {
            Err(Error::Failed(format!("golden values: {differences} differ; --update rewrites them if that is meant")))
        }
    }
}

/// Prints every number that differs by more than the tolerance, and counts them.
fn compare(set: &str, before: &Values, now: &Values, tolerance: f64) -> Result<usize> {
    let mut differences = 0;
    let names: std::collections::BTreeSet<_> = before.keys().chain(now.keys()).collect();
    for name in names {
        let column = |values: &Values| values.get(name).cloned().unwrap_or_default();
        let (old, new) = (column(before), column(now));
        for i in 0..old.len().max(new.len()) {
            let (a, b) = (old.get(i), new.get(i));
            let same = match (a, b) {
                (Some(a), Some(b)) => a == b || (a - b).abs() <= tolerance * a.abs().max(b.abs()),
                _ => false,
            };
            if !same {
                differences += 1;
                let show = |value: Option<&f64>| value.map_or_else(|| "none".to_string(), |value| format!("{value:e}"));
                line(format!("{set}: {name}[{i}] was {}, is {}", show(a), show(b)))?;
            }
        }
    }
    Ok(differences)
}

fn write(path: &Path, values: &Values) -> Result<()> {
    let mut text = String::from("{\n");
    for (i, (name, numbers)) in values.iter().enumerate() {
        let numbers = serde_json::to_string(numbers).map_err(|error| Error::file(path, error))?;
        text += &format!("  \"{name}\": {numbers}{}\n", if i + 1 < values.len() { "," } else { "" });
    }
    text += "}\n";
    Ok(write_atomically(path, text.as_bytes())?)
}

fn numbers(certificate: Option<&Certificate>) -> Vec<f64> {
    certificate
        .map_or_else(Vec::new, |c| vec![c.r_hi, c.r_lo, c.p, c.c, f64::from(u8::from(c.c_is_lower_bound)), c.gain])
}

fn appendix_a() -> Result<Values> {
    let record = Parameters { seeds: 4, ..Parameters::default() }.check()?.run(Seed(1), &Silent)?;
    let mut values = Values::new();
    for seed in &record.seeds {
        let name = |what: &str| format!("seed {} {what}", seed.seed);
        values.insert(name("losses"), seed.losses.clone());
        values.insert(name("averaged"), seed.averaged.to_vec());
        values.insert(name("direction"), seed.direction.to_vec());
        values.insert(name("circle"), vec![seed.circle_share]);
        values.insert(name("certificate"), numbers(seed.certificate.as_ref()));
    }
    Ok(values)
}

fn theorem1() -> Result<Values> {
    let config = TightnessConfig::default().with_effort(3, 20)?;
    let record = theorem1::tightness(&config, Seed(1), &Silent)?;
    let mut values = Values::new();
    for row in &record.rows {
        let numbers = vec![row.extremal, row.random_minimum, row.corrected, row.printed];
        values.insert(format!("step {}", row.x), numbers);
    }
    for example in &record.counterexamples {
        values.insert(example.fault.clone(), vec![example.left, example.right]);
    }
    Ok(values)
}

fn theorem2() -> Result<Values> {
    let plan = Plan::new(4, 50, 500)?;
    let map = BiasMapConfig { c: vec![1.5, 3.0, 5.0], nu: vec![0.0, 0.5, 1.0], plan, ..BiasMapConfig::default() };
    let map = theorem2::bias_map(&map, Seed(1), &Silent)?;
    let law = theorem2::exact_law(&ExactLawConfig { plan, ..ExactLawConfig::default() }, Seed(1), &Silent)?;
    let path = theorem2::path(&PathConfig::default(), Seed(1))?;
    Ok(Values::from([
        ("map, long run".to_string(), map.long_run.concat()),
        ("map, rounds".to_string(), map.round.concat()),
        ("map, half-width".to_string(), vec![map.half_width]),
        ("exact law, means".to_string(), law.rows.iter().map(|row| row.mean).collect()),
        ("exact law, half-widths".to_string(), law.rows.iter().map(|row| row.half_width).collect()),
        ("path".to_string(), path.iterates),
    ]))
}

fn certificates() -> Result<Values> {
    let offsets = grid(-3.0, 3.0, 61)?;
    let functions: [Named; 4] = [
        ("w²", |w| w * w),
        ("−3w | w", |w| f64::max(-3.0 * w, w)),
        ("tilted line", |w| w),
        ("1/(4 + w) + w/16", |w| 1.0 / (4.0 + w) + w / 16.0),
    ];
    let mut values = Values::new();
    for (name, function) in functions {
        let profile = Profile::sample(offsets.clone(), function)?;
        let judgement = asymmetry::judge(&profile, &Criteria::default())?;
        let matched = asymmetry::matched(&profile, 0.4, 0.0)?;
        values.insert(format!("{name}, canonical"), numbers(judgement.canonical.as_ref()));
        values.insert(format!("{name}, matched at 0.4"), numbers(matched.as_ref()));
        let front = judgement.front.iter().flat_map(|point| [point.width, point.certificate.c]);
        values.insert(format!("{name}, front"), front.collect());
    }
    Ok(values)
}

/// Twenty steps: one batch an epoch.
fn resnet8() -> Result<Values> {
    let data = synthetic::draw(32, 32, Seed(1))?;
    let mut config = Preset::quick(Architecture::ResNet8, Method::Swa, Seed(1)).training.shortened(20, 16, 1, 0.005);
    config.phases.truncate(1);
    // The plain backend: the fast one is held to it by tests, and its rounding differs by instruction set.
    let recipe = train::Config { evaluate_every: 0, backend: BackendKind::Reference, ..config }.check()?;
    let trained = Trainer::new(&recipe, &data, None, &Silent)?.run()?.remove(0);
    let losses = trained.epochs.iter().map(|epoch| epoch.running_loss).collect();
    Ok(Values::from([("loss by step".to_string(), losses)]))
}
