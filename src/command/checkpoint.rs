//! `valleys checkpoint`: networks in files, from and to PyTorch.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use valleys_figures::words::number;
use valleys_harness::Error as HarnessError;
use valleys_harness::data::{Dataset, synthetic};
use valleys_harness::exec::Executor;
use valleys_harness::interchange::{self, Element, Entry, Recognised, StateDict, StoredFile, StoredTensor};
use valleys_harness::model::Architecture;
use valleys_harness::params::Weights;
use valleys_harness::train;
use valleys_sim::Seed;

use super::network;
use crate::cli::checkpoint::{Evaluate, Export, Import, Info, Stored};
use crate::config::{Config, usage};
use crate::error::{Error, Result};
use crate::output::{self, line, note, table};
use crate::progress::{Terminal, catch_interrupts};
use crate::run_folder::{RunFolder, read_toml};
use crate::settings::Images;

/// The file that the command line means, and what else it says.
struct Opened {
    path: PathBuf,
    file: StoredFile,
    /// The state dict that was asked for by name.
    which: Option<String>,
    network: Option<Architecture>,
    /// The configuration of the run that the file belongs to, if that was named.
    run: Option<Config>,
}

/// A network out of a file.
struct Loaded<'a> {
    recognised: Recognised<'a>,
    weights: Weights<f32>,
}

impl Opened {
    fn new(stored: &Stored) -> Result<Self> {
        let network = stored.network.as_deref().map(Architecture::parse).transpose().map_err(usage)?;
        if !stored.file.is_dir() {
            let (path, which) = (stored.file.clone(), stored.which.clone());
            return Ok(Self { file: StoredFile::read(&path)?, path, which, network, run: None });
        }
        let run: Config = read_toml(&RunFolder::existing(&stored.file)?.path("config.toml"))?;
        let path = solution(&stored.file.join("checkpoints"), stored.which.as_deref())?;
        Ok(Self { file: StoredFile::read(&path)?, path, which: None, network, run: Some(run) })
    }

    /// The network that was asked for. Says what a reader should know about it.
    fn load(&self) -> Result<Loaded<'_>> {
        let dict = self.file.choose(self.which.as_deref())?;
        let recognised = dict.recognise(self.network)?;
        let weights = recognised.weights()?;
        for (_, text) in remarks(dict, &recognised) {
            note(format_args!("{}: {text}", self.path.display()));
        }
        Ok(Loaded { recognised, weights })
    }
}

/// The file of one of the solutions of a run.
fn solution(folder: &Path, which: Option<&str>) -> Result<PathBuf> {
    let entries = std::fs::read_dir(folder).map_err(|error| Error::file(folder, error))?;
    let mut known = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(|error| Error::file(folder, error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".safetensors")).map(str::to_owned);
        if let Some(name) = name {
            known.insert(name, path);
        }
    }
    let names = known.keys().cloned().collect::<Vec<_>>().join(" or ");
    let found = match which {
        Some(name) => known.remove(name),
        None if known.len() == 1 => known.pop_first().map(|(_, path)| path),
        None => None,
    };
    found.ok_or_else(|| {
        let seen = which.map_or("several solutions or none".to_owned(), |name| format!("no solution {name}"));
        Error::file(folder, format!("holds {seen}; allowed: --which {names}"))
    })
}

/// What a reader should know about how a state dict became a network, each under a heading.
fn remarks(dict: &StateDict, recognised: &Recognised<'_>) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    if !recognised.alike.is_empty() {
        let others = recognised.alike.iter().map(|other| other.name()).collect::<Vec<_>>().join(" and ");
        let text = format!("taken for {}; {others} have the same tensors, --network decides", recognised.architecture);
        all.push(("assumed", text));
    }
    if dict.wrapped() {
        all.push(("names", "the prefix `module.` was taken off every name".to_owned()));
    }
    if !recognised.tracked {
        all.push(("batches", "num_batches_tracked is missing, as before PyTorch 0.4.1, and taken as 0".to_owned()));
    }
    if dict.tensors().iter().any(|tensor| tensor.element() == Element::F64) {
        all.push(("rounded", "numbers of type float64 become the nearest float32".to_owned()));
    }
    all.extend(dict.aside().iter().map(|Entry { name, value }| ("apart", format!("{name}, {value}, is of no layer"))));
    all
}

pub(crate) fn info(options: &Info) -> Result<()> {
    let opened = Opened::new(&options.stored)?;
    line(format!("{}: {}", opened.path.display(), opened.file.form()))?;
    facts(opened.file.others().iter().map(|entry| (entry.name.as_str(), entry.value.clone())).collect())?;
    let dicts = match &opened.which {
        Some(which) => std::slice::from_ref(opened.file.choose(Some(which))?),
        None => opened.file.dicts(),
    };
    for dict in dicts {
        line("")?;
        if let Some(name) = dict.name() {
            line(name)?;
        }
        describe(&opened, dict, options.tensors)?;
    }
    Ok(())
}

/// Names and values in two columns.
fn facts(rows: Vec<(&str, String)>) -> Result<()> {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.into_iter().try_for_each(|(name, value)| line(format!("{name:<width$}  {value}")))
}

/// What is known of a state dict, and its tensors: all of them, or how many there are in every module.
fn describe(opened: &Opened, dict: &StateDict, all: bool) -> Result<()> {
    let mut tensors: Vec<_> = dict.tensors().iter().collect();
    match dict.recognise(opened.network) {
        Err(HarnessError::File { problem, allowed, .. }) => {
            facts(vec![("network", format!("{problem}; allowed: {allowed}"))])?;
        }
        Err(error) => return Err(error.into()),
        Ok(recognised) => {
            network_facts(dict, &recognised)?;
            // safetensors keeps no order.
            let order = interchange::state_dict(recognised.graph.layout());
            let places: HashMap<_, _> = order.iter().enumerate().map(|(i, tensor)| (tensor.name.as_str(), i)).collect();
            tensors.sort_by_key(|tensor| places.get(tensor.name()));
        }
    }
    line("")?;
    if all { list(&tensors) } else { count(&tensors) }
}

fn network_facts(dict: &StateDict, recognised: &Recognised<'_>) -> Result<()> {
    let weights = recognised.weights()?;
    let (architecture, layout) = (recognised.architecture, weights.layout());
    let mut rows = vec![
        ("network", format!("{architecture}: {} for {} classes", architecture.title(), recognised.graph.classes())),
        ("parameters", layout.trainable().to_string()),
    ];
    if !layout.norms().is_empty() {
        let (norms, channels) = (layout.norms().len(), layout.channels());
        let tracked = weights.batches_tracked;
        rows.push(("batch norm", format!("{norms} layers, {channels} channels; batches tracked: {tracked}")));
    }
    let numbers = weights.values.iter().chain(&weights.running_mean).chain(&weights.running_var);
    match numbers.filter(|number| !number.is_finite()).count() {
        0 => {}
        count => rows.push(("not finite", format!("{count} numbers"))),
    }
    rows.push(("SHA-256", format!("{} of the parameters", interchange::checksum(&weights))));
    rows.extend(remarks(dict, recognised));
    facts(rows)
}

fn list(tensors: &[&StoredTensor]) -> Result<()> {
    let row = |tensor: &&StoredTensor| {
        vec![tensor.name().to_owned(), format!("{:?}", tensor.shape()), tensor.element().to_string()]
    };
    table(&["tensor", "shape", "type"], &tensors.iter().map(row).collect::<Vec<_>>())
}

fn count(tensors: &[&StoredTensor]) -> Result<()> {
    let mut modules: Vec<(&str, usize, usize, Vec<&str>)> = Vec::new();
    for tensor in tensors {
        let name = tensor.name().split('.').next().unwrap_or_default();
        let place = modules.iter().position(|module| module.0 == name).unwrap_or_else(|| {
            modules.push((name, 0, 0, Vec::new()));
            modules.len() - 1
        });
        let (_, tensors, numbers, types) = &mut modules[place];
        *tensors += 1;
        *numbers += tensor.len();
        if !types.contains(&tensor.element().name()) {
            types.push(tensor.element().name());
        }
    }
    let rows: Vec<_> = modules
        .iter()
        .map(|(name, tensors, numbers, types)| {
            vec![(*name).to_owned(), tensors.to_string(), numbers.to_string(), types.join(", ")]
        })
        .collect();
    table(&["module", "tensors", "numbers", "types"], &rows)
}

pub(crate) fn export(options: &Export) -> Result<()> {
    let out = &options.out;
    let extension = out.extension().and_then(|extension| extension.to_str());
    let torch = match extension {
        Some("pt" | "pth") => true,
        Some("safetensors") => false,
        _ => return Err(Error::Usage(format!("--out is {}; allowed: .pt, .pth or .safetensors", out.display()))),
    };
    refuse_existing(out, options.force)?;
    let opened = Opened::new(&options.stored)?;
    let Loaded { recognised, weights } = opened.load()?;
    if torch {
        interchange::save_pt(out, &weights)?;
    } else {
        valleys_harness::checkpoint::save(out, &weights)?;
    }
    written(out, &recognised)
}

pub(crate) fn import(options: &Import) -> Result<()> {
    let out = match options.out.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => options.out.clone(),
        Some("pt" | "pth") => {
            let problem = format!("--out is {}; allowed: .safetensors, or a folder", options.out.display());
            return Err(Error::Usage(problem));
        }
        _ => {
            let stem = options.stored.file.file_stem().unwrap_or_default().to_string_lossy();
            let which = options.stored.which.as_ref().map(|which| format!("-{which}")).unwrap_or_default();
            options.out.join(format!("{stem}{which}.safetensors"))
        }
    };
    refuse_existing(&out, options.force)?;
    let opened = Opened::new(&options.stored)?;
    let Loaded { recognised, weights } = opened.load()?;
    valleys_harness::checkpoint::save(&out, &weights)?;
    written(&out, &recognised)
}

fn refuse_existing(out: &Path, force: bool) -> Result<()> {
    match out.exists() && !force {
        true => Err(Error::file(out, "exists already; --force overwrites it")),
        false => Ok(()),
    }
}

fn written(out: &Path, Recognised { architecture, graph, .. }: &Recognised<'_>) -> Result<()> {
    line(format!("{}: {architecture} for {} classes", out.display(), graph.classes()))
}

/// What `evaluate` found.
#[derive(Serialize)]
struct Evaluation {
    network: String,
    classes: usize,
    parameters_sha256: String,
    data: String,
    images_sha256: String,
    train: Measured,
    test: Measured,
}

#[derive(Serialize)]
struct Measured {
    images: usize,
    loss: f64,
    accuracy: f64,
}

pub(crate) fn evaluate(options: &Evaluate) -> Result<()> {
    let opened = Opened::new(&options.stored)?;
    let Loaded { recognised, weights } = opened.load()?;
    let data = images(options, &opened, recognised.architecture)?;
    let classes = recognised.graph.classes();
    if data.classes() != classes {
        let problem = format!("tells {classes} classes apart, {} has {}", data.title(), data.classes());
        return Err(Error::file(&opened.path, problem));
    }
    catch_interrupts()?;
    let observer = Terminal::new();
    let mut executor = Executor::new(Arc::clone(&recognised.graph))?;
    let mut measure = |set| -> Result<Measured> {
        let outcome = train::evaluate(&mut executor, &weights, set, data.normalisation(), &observer)?;
        Ok(Measured { images: outcome.losses.len(), loss: outcome.mean_loss(), accuracy: outcome.accuracy() })
    };
    let found = Evaluation {
        network: recognised.architecture.to_string(),
        classes,
        parameters_sha256: interchange::checksum(&weights),
        data: data.name().to_owned(),
        images_sha256: data.checksum().to_owned(),
        train: measure(data.train())?,
        test: measure(data.test())?,
    };
    if options.json {
        return output::json(&found);
    }
    line(format!("{} on {}", recognised.architecture.title(), data.title()))?;
    let row = |name: &str, seen: &Measured| {
        let accuracy = format!("{:.2} %", 100.0 * seen.accuracy);
        vec![name.to_owned(), seen.images.to_string(), number(seen.loss), accuracy]
    };
    table(&["", "images", "loss", "accuracy"], &[row("train", &found.train), row("test", &found.test)])
}

/// The images to measure on: all that `--data` names, those of the run, or the embedded ones.
fn images(options: &Evaluate, opened: &Opened, architecture: Architecture) -> Result<Dataset> {
    let run = opened.run.as_ref().and_then(|run| Some((run.seed, run.data.as_ref()?)));
    match (&options.data, run) {
        (None, Some((_, trained))) if trained.name != synthetic::NAME => {
            let problem = format!("was trained on {}; --data says where the images are", trained.name);
            Err(Error::file(&options.stored.file, problem))
        }
        (None, Some((seed, trained))) => network::dataset(None, &network::images(trained), architecture, seed),
        (place, _) => network::dataset(place.as_deref(), &Images::default(), architecture, Seed(options.seed)),
    }
}
