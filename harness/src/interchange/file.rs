//! A file of tensors, whatever its form.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safetensors::SafeTensors;

use super::archive::Archive;
use super::contents::{Entry, Source, StateDict, contents, printable};
use super::element::Element;
use super::legacy;
use super::tensor::{StoredTensor, View};
use super::torch::{self, Storage, Storages};
use crate::data::cursor::Malformed;
use crate::model::Architecture;
use crate::{Error, Result, checkpoint, pickle};

/// Characters of a text that are shown.
const SHOWN: usize = 80;
/// Names of state dicts that are listed.
const LISTED: usize = 10;
/// What can be read.
const ALLOWED: &str = "a safetensors file, or one that torch.save wrote";
/// What the names of a second network in a state of training begin with.
const CHOSEN: &str = "chosen.";

/// How tensors are stored in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// safetensors.
    Safetensors,
    /// The zip archive of `torch.save`, since PyTorch 1.6.
    Zip,
    /// The sequence of pickles of `torch.save`, until PyTorch 1.5.
    Legacy,
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Safetensors => "safetensors",
            Self::Zip => "PyTorch, zip archive (torch.save since 1.6)",
            Self::Legacy => "PyTorch, legacy format (torch.save until 1.5)",
        })
    }
}

/// A file of tensors, read and checked.
#[derive(Debug)]
pub struct StoredFile {
    path: PathBuf,
    form: Form,
    dicts: Vec<StateDict>,
    others: Vec<Entry>,
    /// Whether a training run wrote it, with a checksum.
    signed: bool,
}

impl StoredFile {
    /// Reads a safetensors file or what `torch.save` wrote, told apart by how they begin.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::File`] saying what is wrong with it, a wrong checksum of a training run's file included.
    pub fn read(path: &Path) -> Result<Self> {
        // A device or a pipe may have no end.
        if !fs::metadata(path).map_err(Error::io(path))?.is_file() {
            return Err(Error::file(path, "is not a file", ALLOWED));
        }
        let file = Self::of(path, fs::read(path).map_err(Error::io(path))?)?;
        if file.signed {
            checkpoint::verify(path)?;
        }
        Ok(file)
    }

    /// The file of this name with these bytes.
    pub(super) fn of(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let source = Arc::new(Source { path: path.to_owned(), bytes });
        let Parsed { form, dicts, others, signed } = parse(&source).map_err(Malformed::in_file(path))?;
        Ok(Self { path: path.to_owned(), form, dicts, others, signed })
    }

    /// How its tensors are stored.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Its state dicts, at least one.
    pub fn dicts(&self) -> &[StateDict] {
        &self.dicts
    }

    /// What lies beside the state dicts.
    pub fn others(&self) -> &[Entry] {
        &self.others
    }

    /// The state dict of a name, or the only one.
    ///
    /// # Errors
    /// [`Error::File`] that lists them, if there are several to choose from, or none of that name.
    pub fn choose(&self, which: Option<&str>) -> Result<&StateDict> {
        let allowed = || match self.dicts.as_slice() {
            [only] if only.name().is_none() => "no name, the file is one state dict".to_owned(),
            all => {
                let names: Vec<_> = all.iter().filter_map(StateDict::name).collect();
                let listed = names[..names.len().min(LISTED)].join(" or ");
                match names.len().saturating_sub(LISTED) {
                    0 => listed,
                    more => format!("{listed}, and {more} more"),
                }
            }
        };
        let problem = match (which, self.dicts.as_slice()) {
            (None, [only]) => return Ok(only),
            (None, all) => format!("holds {} state dicts, which one is not said", all.len()),
            (Some(name), all) => match all.iter().find(|dict| dict.name() == Some(name)) {
                Some(found) => return Ok(found),
                None => format!("holds no state dict {name}"),
            },
        };
        Err(Error::file(&self.path, problem, allowed()))
    }
}

struct Parsed {
    form: Form,
    dicts: Vec<StateDict>,
    others: Vec<Entry>,
    signed: bool,
}

fn parse(source: &Arc<Source>) -> std::result::Result<Parsed, Malformed> {
    match source.bytes.as_slice() {
        // The length of a header, which may begin like any file, and the header, which is JSON.
        [_, _, _, _, _, _, _, _, b'{', ..] => safetensors(source),
        [b'P', b'K', ..] => archive(source),
        bytes @ [0x80, ..] => {
            let (pickle, storages) = legacy::open(bytes)?;
            let (dicts, others) = contents(&pickle, &storages, source)?;
            Ok(Parsed { form: Form::Legacy, dicts, others, signed: false })
        }
        bytes => {
            let begin = bytes[..bytes.len().min(9)].escape_ascii();
            Err(Malformed::new(format!("begins with `{begin}`"), ALLOWED))
        }
    }
}

fn archive(source: &Arc<Source>) -> std::result::Result<Parsed, Malformed> {
    let bytes = source.bytes.as_slice();
    let mut archive = Archive::open(bytes)?;
    let pickle = pickle::read(&bytes[archive.record("data.pkl")?], &torch::READER)?;
    let mut storages = Storages::new();
    let mut announced: Vec<_> = torch::announced(&pickle)?.into_iter().collect();
    // A hash map has no order, and the first error should be the same every time.
    announced.sort_unstable_by_key(|&(key, _)| key);
    for (key, storage) in announced {
        let name = format!("data/{}", String::from_utf8_lossy(key).escape_debug());
        let range = archive.record(&name)?;
        if storage.numbers.checked_mul(storage.element.size()) != Some(range.len()) {
            let problem = format!("record {name} has {} bytes", range.len());
            return Err(Malformed::new(problem, format!("{} numbers of type {}", storage.numbers, storage.element)));
        }
        storages.insert(key.to_vec(), Storage { element: storage.element, bytes: range });
    }
    let (dicts, others) = contents(&pickle, &storages, source)?;
    Ok(Parsed { form: Form::Zip, dicts, others, signed: false })
}

fn safetensors(source: &Arc<Source>) -> std::result::Result<Parsed, Malformed> {
    let bytes = source.bytes.as_slice();
    let whole = |error: &dyn fmt::Display| Malformed::new(error.to_string(), "a whole safetensors file");
    let (header, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| whole(&error))?;
    let mut tensors = Vec::new();
    for name in metadata.offset_keys() {
        let Some(info) = metadata.info(&name) else { continue };
        let element = Element::of_safetensors(info.dtype).ok_or_else(|| {
            let problem = format!("tensor {} has type {:?}", printable(name.as_bytes()), info.dtype);
            Malformed::new(problem, Element::names())
        })?;
        // The data follow the header and the 8 bytes of its length; the crate has checked that they are there.
        let data = 8 + header;
        let storage = data + info.data_offsets.0..data + info.data_offsets.1;
        tensors.push(StoredTensor::new(printable(name.as_bytes()), element, View::contiguous(&info.shape), storage)?);
    }
    let texts = metadata.metadata().as_ref();
    match texts.and_then(|texts| texts.get(checkpoint::KEY)) {
        Some(text) => own(tensors, text, source),
        None => {
            let texts = texts.into_iter().flatten();
            let mut others: Vec<_> =
                texts.map(|(name, text)| Entry { name: printable(name.as_bytes()), value: shown(text) }).collect();
            others.sort_unstable_by(|a, b| a.name.cmp(&b.name));
            let dicts = vec![StateDict::new(None, tensors, Vec::new(), source)?];
            Ok(Parsed { form: Form::Safetensors, dicts, others, signed: false })
        }
    }
}

/// A solution of a training run, or a state that it continues from: that may hold a second network, the one chosen so far.
fn own(tensors: Vec<StoredTensor>, text: &str, source: &Arc<Source>) -> std::result::Result<Parsed, Malformed> {
    // The text is a checksum, a space, and JSON.
    let fields = text.split_once(' ').and_then(|(_, json)| serde_json::from_str(json).ok());
    let fields: serde_json::Map<String, serde_json::Value> =
        fields.ok_or_else(|| Malformed::new("does not say what it is", "a file of a training run"))?;
    let network = fields.get("network").or_else(|| fields.get("settings")?.get("network"));
    let said = network.and_then(|name| Architecture::parse(name.as_str()?).ok());
    let (mut chosen, last): (Vec<_>, Vec<_>) =
        tensors.into_iter().partition(|tensor| tensor.name().starts_with(CHOSEN));
    let mut dicts = Vec::new();
    if chosen.is_empty() {
        dicts.push(StateDict::new(None, last, Vec::new(), source)?);
    } else {
        chosen.iter_mut().for_each(|tensor| tensor.strip(CHOSEN));
        dicts.push(StateDict::new(Some("last".to_owned()), last, Vec::new(), source)?);
        dicts.push(StateDict::new(Some("chosen".to_owned()), chosen, Vec::new(), source)?);
    }
    dicts.iter_mut().for_each(|dict| dict.said = said);
    let short = |value: serde_json::Value| match value {
        serde_json::Value::Array(items) => format!("list of {}", items.len()),
        serde_json::Value::Object(fields) => format!("dictionary of {}", fields.len()),
        serde_json::Value::String(text) => shown(&text),
        other => other.to_string(),
    };
    let others = fields.into_iter();
    let others = others.map(|(name, value)| Entry { name: printable(name.as_bytes()), value: short(value) }).collect();
    Ok(Parsed { form: Form::Safetensors, dicts, others, signed: true })
}

/// The beginning of a text.
fn shown(text: &str) -> String {
    printable(text.chars().take(SHOWN).collect::<String>().as_bytes())
}
