//! `valleys checkpoint`: networks in files, from and to PyTorch.

mod evaluate;
mod info;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use valleys_harness::checkpoint;
use valleys_harness::interchange::{Element, Entry, Recognised, StateDict, StoredFile, save_pt};
use valleys_harness::model::Architecture;
use valleys_harness::params::Weights;

pub(crate) use evaluate::evaluate;
pub(crate) use info::info;

use crate::cli::checkpoint::{Export, Import, Stored};
use crate::config::{Config, usage};
use crate::error::{Error, Result};
use crate::output::{line, note};
use crate::run_folder::{RunFolder, read_toml};

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
    let problem = match (which, known.len()) {
        (_, 0) => "holds no solution yet; `valleys train --resume` goes on with the run".to_owned(),
        (None, 1) => return known.pop_first().map(|(_, path)| path).ok_or_else(|| Error::file(folder, "is empty")),
        (None, count) => format!("holds {count} solutions, which one is not said; allowed: --which {names}"),
        (Some(name), _) => match known.remove(name) {
            Some(path) => return Ok(path),
            None => format!("holds no solution {name}; allowed: --which {names}"),
        },
    };
    Err(Error::file(folder, problem))
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
        save_pt(out, &weights)?;
    } else {
        checkpoint::save(out, &weights)?;
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
            let file = &options.stored.file;
            // What follows a dot in a folder's name is no extension.
            let name = if file.is_dir() { file.file_name() } else { file.file_stem() };
            let name = name.unwrap_or_default().to_string_lossy();
            let which = options.stored.which.as_ref().map(|which| format!("-{which}")).unwrap_or_default();
            options.out.join(format!("{name}{which}.safetensors"))
        }
    };
    refuse_existing(&out, options.force)?;
    let opened = Opened::new(&options.stored)?;
    let Loaded { recognised, weights } = opened.load()?;
    checkpoint::save(&out, &weights)?;
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
