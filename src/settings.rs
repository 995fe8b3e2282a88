//! The settings of a training run: a preset, a file over it, then the command line.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};
use valleys_harness::data::synthetic;
use valleys_harness::model::Architecture;
use valleys_harness::preset::{Landscape, Preset, Size};
use valleys_harness::train::{self, Method, Selection};
use valleys_sim::Seed;

use crate::backend::choose;
use crate::cli;
use crate::config::usage;
use crate::error::{Error, Result};
use crate::run_folder::read_toml;

/// What is trained, on how much, and how its landscape is measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) data: Images,
    pub(crate) training: train::Config,
    pub(crate) landscape: Landscape,
}

/// Which images of a data set.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Images {
    /// The data set, such as `cifar10`, and its checksum, if a file names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
    /// Training images, those held out included; all if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) train_images: Option<usize>,
    /// Test images; all if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) test_images: Option<usize>,
    /// Training images kept aside to choose by.
    #[serde(default)]
    pub(crate) held_out: usize,
}

impl From<Preset> for Settings {
    fn from(preset: Preset) -> Self {
        let Preset { train_images, test_images, training, landscape } = preset;
        Self { data: Images { train_images, test_images, ..Images::default() }, training, landscape }
    }
}

/// What `valleys train` is asked for.
pub(crate) struct Resolved {
    pub(crate) settings: Settings,
    /// The preset below them.
    pub(crate) preset: cli::Preset,
    /// Where the images are, if they are not the embedded ones.
    pub(crate) place: Option<PathBuf>,
    /// The root seed.
    pub(crate) seed: Seed,
}

/// The settings of `valleys train`.
pub(crate) fn resolve(options: &cli::Train) -> Result<Resolved> {
    let file = options.config.as_deref().map(read_toml::<Table>).transpose()?.unwrap_or_default();
    let wrong = |problem: String| Error::file(options.config.as_deref().unwrap_or(Path::new("")), problem);
    for key in file.keys() {
        if !["command", "preset", "seed", "data", "training", "landscape", "lines", "experiment"]
            .contains(&key.as_str())
        {
            let problem = format!("has the table or key `{key}`; allowed: preset, seed, data, training, landscape");
            return Err(wrong(problem));
        }
    }
    let preset = match file.get("preset") {
        None => options.preset,
        Some(value) => {
            let named = value.as_str().and_then(|name| cli::Preset::from_str(name, false).ok());
            let named = named.ok_or_else(|| wrong(format!("preset is {value}; allowed: quick, small, paper")))?;
            Some(options.preset.unwrap_or(named))
        }
    };
    let named = |table: &str, key: &str| Some(file.get(table)?.as_table()?.get(key)?.as_str()?.to_string());
    let place = options.data.clone().or_else(|| named("data", "name").map(PathBuf::from));
    let embedded = place.as_deref().is_none_or(|place| place == Path::new(synthetic::NAME));
    let preset = preset.unwrap_or(if embedded { cli::Preset::Quick } else { cli::Preset::Small });
    let size = Size::from(preset);
    let network = match options.network.clone().or_else(|| named("training", "network")) {
        Some(name) => Architecture::parse(&name).map_err(usage)?,
        None if size == Size::Quick => Architecture::ResNet8,
        None => Architecture::ResNet20,
    };
    let method = options.method.as_deref().map_or(Ok(Method::Swa), Method::parse).map_err(usage)?;
    let seed = match (options.seed, file.get("seed")) {
        (Some(seed), _) => seed,
        (None, None) => 1,
        (None, Some(value)) => {
            let whole = value.as_integer().and_then(|seed| u64::try_from(seed).ok());
            whole.ok_or_else(|| wrong(format!("seed is {value}; allowed: 0 to {}", i64::MAX)))?
        }
    };
    let mut settings = to_table(&Settings::from(Preset::new(size, network, method, Seed(seed))))?;
    for table in ["data", "training", "landscape"] {
        if let (Some(over), Some(under)) = (file.get(table), settings.get_mut(table)) {
            lay_over(under, over);
        }
    }
    options.set.iter().try_for_each(|text| set(&mut settings, text))?;
    let mut settings: Settings = from_table(settings)?;
    settings.training.network = network;
    if let Some(seed) = options.seed {
        (settings.training.seed, settings.landscape.spec.seed) = (Seed(seed), Seed(seed));
    }
    if let Some(place) = &options.data {
        settings.data.name = Some(place.display().to_string());
    }
    // A file's checksum is that of its own images: which they are depends on all of these.
    let others = options.set.iter().any(|text| text.trim_start().starts_with("data."));
    if others || options.seed.is_some() || options.data.is_some() || options.held_out.is_some() {
        settings.data.sha256 = None;
    }
    change(&mut settings, options)?;
    Ok(Resolved { settings, preset, place: place.filter(|_| !embedded), seed: Seed(seed) })
}

/// The settings of a preset, changed by `KEY=VALUE`s.
pub(crate) fn preset(preset: Preset, changes: &[String]) -> Result<Settings> {
    let mut settings = to_table(&Settings::from(preset))?;
    changes.iter().try_for_each(|text| set(&mut settings, text))?;
    from_table(settings)
}

/// Settings as a file that `--config` takes. The preset tells what they do not say, such as that all images are meant.
pub(crate) fn to_file(settings: &Settings, preset: cli::Preset, seed: Seed) -> Result<String> {
    let text = toml::to_string(settings).map_err(|error| Error::Failed(format!("settings: {error}")))?;
    let preset = preset.to_possible_value().map_or_else(String::new, |value| value.get_name().to_string());
    Ok(format!("preset = \"{preset}\"\nseed = {}\n\n{text}", seed.0))
}

/// What the flags for the usual changes do.
fn change(settings: &mut Settings, options: &cli::Train) -> Result<()> {
    let training = &mut settings.training;
    if options.runner.is_given() {
        let backend = choose(&options.runner, training.backend)?;
        (training.backend, settings.landscape.spec.backend) = (backend, backend);
    }
    settings.data.held_out = options.held_out.unwrap_or(settings.data.held_out);
    // Of a run with large batches first, only those are meant.
    let usual = training.phases.first().map(|phase| phase.batch_size);
    for phase in &mut training.phases {
        let first = phase.start == "random";
        if let (Some(epochs), true) = (options.epochs, first) {
            // Averaging starts, and the rate has fallen, at the same share of the run unless said otherwise.
            let shorter =
                |at: u32| ((f64::from(epochs) * f64::from(at) / f64::from(phase.epochs)).round() as u32).max(1);
            (phase.average_from, phase.decay_epochs) =
                (phase.average_from.map(shorter), phase.decay_epochs.map(shorter));
            phase.epochs = epochs;
        }
        if let (Some(start), Some(_)) = (options.swa_start, phase.average_from) {
            (phase.average_from, phase.decay_epochs) = (Some(start), Some(start));
        }
        if let (Some(rate), Some(_)) = (options.swa_rate, phase.average_from) {
            phase.last_learning_rate = Some(rate);
        }
        if let (Some(rate), true) = (options.learning_rate, first) {
            // Without an average the rate falls to a share of what it began with.
            let share = phase.last_learning_rate.map(|last| last / phase.learning_rate);
            if phase.average_from.is_none() {
                phase.last_learning_rate = share.map(|share| share * rate);
            }
            phase.learning_rate = rate;
        }
        if let (Some(epochs), false) = (options.after_swa, first) {
            phase.epochs = epochs;
        }
        if let (Some(images), true) = (options.batch_size, usual == Some(phase.batch_size)) {
            phase.batch_size = images;
        }
        if let (Some(rule), false) = (options.select, first) {
            phase.select = match rule {
                cli::Select::Last => Selection::Last,
                cli::Select::HeldOut => Selection::HeldOut,
                cli::Select::Official => Selection::Official,
            };
        }
    }
    let without = |flag: &str, what: &str| Err(Error::Usage(format!("{flag} needs {what}, and this run has none")));
    let after = training.phases.iter().any(|phase| phase.start != "random");
    let averages = training.phases.iter().any(|phase| phase.average_from.is_some());
    match () {
        () if options.after_swa.is_some() && !after => without("--after-swa", "a phase that starts from a solution"),
        () if options.select.is_some() && !after => without("--select", "a phase that starts from a solution"),
        () if options.swa_start.is_some() && !averages => without("--swa-start", "a phase with an average"),
        () if options.swa_rate.is_some() && !averages => without("--swa-rate", "a phase with an average"),
        () => Ok(()),
    }
}

fn to_table(settings: &Settings) -> Result<Table> {
    Table::try_from(settings).map_err(|error| Error::Failed(format!("settings: {error}")))
}

fn from_table<T: DeserializeOwned>(table: Table) -> Result<T> {
    // Parsed from text, an error names the table it is in.
    let text = toml::to_string(&table).map_err(|error| Error::Failed(format!("settings: {error}")))?;
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = text.lines().nth(before.matches('\n').count()).unwrap_or_default();
        Error::Usage(format!("settings, `{line}`: {}", error.message().replace('\n', " ")))
    })
}

/// Puts the entries of a table in place of another's, tables within by the same rule; a list replaces the whole list.
fn lay_over(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Table(under), Value::Table(over)) => {
            for (key, value) in over {
                match under.get_mut(key) {
                    Some(old) => lay_over(old, value),
                    None => drop(under.insert(key.clone(), value.clone())),
                }
            }
        }
        (under, over) => *under = over.clone(),
    }
}

/// Carries out `KEY=VALUE`: a path of keys, phases by their names; `training.` may be left out.
fn set(settings: &mut Table, text: &str) -> Result<()> {
    let wrong = |problem: String| Error::Usage(format!("--set is {text}; {problem}"));
    let (path, value) = text.split_once('=').ok_or_else(|| wrong("allowed: KEY=VALUE".to_string()))?;
    let value = match toml::from_str::<Table>(&format!("value = {value}")) {
        Ok(mut table) => table.remove("value").unwrap_or_else(|| Value::String(value.to_string())),
        Err(_) => Value::String(value.to_string()),
    };
    let mut keys: Vec<&str> = path.trim().split('.').collect();
    if !settings.contains_key(keys[0]) {
        keys.insert(0, "training");
    }
    if ["training.network", "training.seed", "data.name", "data.sha256"].contains(&keys.join(".").as_str()) {
        return Err(wrong("allowed: --network, --seed and --data for these".to_string()));
    }
    let last = keys.pop().unwrap_or_default();
    let Some((first, inner)) = keys.split_first() else {
        return Err(wrong("allowed: a key within data, training or landscape".to_string()));
    };
    let mut place = settings.get_mut(*first);
    for key in inner {
        place = match place {
            Some(Value::Table(table)) => table.get_mut(*key),
            Some(Value::Array(phases)) => {
                phases.iter_mut().find(|phase| phase.get("name").and_then(Value::as_str) == Some(*key))
            }
            _ => None,
        };
    }
    match place {
        Some(Value::Table(table)) => {
            table.insert(last.to_string(), value);
            Ok(())
        }
        _ => Err(wrong("allowed: a key of config.toml, such as training.momentum or phases.swa.epochs".to_string())),
    }
}

#[cfg(test)]
mod tests {
    use valleys_harness::model::NormWeights;

    use super::*;

    fn settings() -> Table {
        let preset = Preset::small(Architecture::ResNet20, Method::Swa, Seed(1));
        to_table(&preset.into()).expect("a table")
    }

    #[test]
    fn a_key_is_set_by_its_path() {
        let mut table = settings();
        for text in [
            "momentum=0.8",
            "training.phases.swa.epochs = 9",
            "data.held_out=50",
            "phases.sgd-after-swa.select=held-out",
            "norm_weights=uniform",
        ] {
            set(&mut table, text).expect("a key");
        }
        let changed: Settings = from_table(table).expect("valid");
        assert_eq!((changed.training.momentum, changed.training.phases[0].epochs), (0.8, 9));
        assert_eq!((changed.data.held_out, changed.training.phases[1].select), (50, Selection::HeldOut));
        assert_eq!(changed.training.norm_weights, NormWeights::Uniform);
    }

    #[test]
    fn a_key_that_is_none_is_named() {
        for text in [
            "momentum",
            "phases.adam.epochs=3",
            "training.momentum.x=1",
            "data=5",
            "training=1",
            "seed=3",
            "network=mlp",
        ] {
            let message = set(&mut settings(), text).expect_err("no key").to_string();
            assert!(message.contains(text), "{message}");
        }
        let mut table = settings();
        set(&mut table, "momentun=0.8").expect("a table takes any key");
        let message = from_table::<Settings>(table).expect_err("unknown").to_string();
        assert!(message.contains("momentun") && message.contains("momentum"), "{message}");
        let mut table = settings();
        set(&mut table, "phases.swa.epochs=-3").expect("a table takes any value");
        let message = from_table::<Settings>(table).expect_err("negative").to_string();
        assert!(message.contains("-3"), "{message}");
    }

    #[test]
    fn a_file_replaces_what_it_names_and_whole_lists() {
        let mut under = Value::Table(settings());
        let over =
            "[training]\nweight_decay = 0.0\n[[training.phases]]\nname = \"sgd\"\nepochs = 2\nlearning_rate = 0.1";
        lay_over(&mut under, &Value::Table(toml::from_str(over).expect("TOML")));
        let Value::Table(table) = under else { panic!("a table") };
        let changed: Settings = from_table(table).expect("valid");
        assert_eq!((changed.training.weight_decay, changed.training.momentum), (0.0, 0.9));
        assert_eq!(changed.training.phases.len(), 1);
        assert_eq!(changed.training.phases[0].batch_size, 128, "what a phase leaves out is usual, not the preset's");
    }
}
