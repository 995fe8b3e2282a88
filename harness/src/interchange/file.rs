//! A file of tensors, whatever its form.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safetensors::SafeTensors;

use super::archive::Archive;
use super::contents::{Entry, Source, StateDict, contents};
use super::element::Element;
use super::legacy;
use super::tensor::{StoredTensor, View};
use super::torch::{self, Storage, Storages};
use crate::data::cursor::Malformed;
use crate::pickle;
use crate::{Error, Result};

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
}

impl StoredFile {
    /// Reads a safetensors file or what `torch.save` wrote, told apart by how they begin.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::File`] saying what is wrong with it.
    pub fn read(path: &Path) -> Result<Self> {
        Self::of(path, fs::read(path).map_err(Error::io(path))?)
    }

    /// The file of this name with these bytes.
    pub(super) fn of(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let source = Arc::new(Source { path: path.to_owned(), bytes });
        let Parsed { form, dicts, others } = parse(&source).map_err(Malformed::in_file(path))?;
        Ok(Self { path: path.to_owned(), form, dicts, others })
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
            all => all.iter().filter_map(StateDict::name).collect::<Vec<_>>().join(" or "),
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
}

fn parse(source: &Arc<Source>) -> std::result::Result<Parsed, Malformed> {
    match source.bytes.as_slice() {
        // The length of a header, which may begin like any file, and the header, which is JSON.
        [_, _, _, _, _, _, _, _, b'{', ..] => safetensors(source),
        [b'P', b'K', ..] => archive(source),
        bytes @ [0x80, ..] => {
            let (pickle, storages) = legacy::open(bytes)?;
            let (dicts, others) = contents(&pickle, &storages, source)?;
            Ok(Parsed { form: Form::Legacy, dicts, others })
        }
        bytes => {
            let begin = bytes[..bytes.len().min(9)].escape_ascii();
            Err(Malformed::new(format!("begins with `{begin}`"), "a safetensors file, or one that torch.save wrote"))
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
    Ok(Parsed { form: Form::Zip, dicts, others })
}

fn safetensors(source: &Arc<Source>) -> std::result::Result<Parsed, Malformed> {
    let bytes = source.bytes.as_slice();
    let whole = |error: &dyn fmt::Display| Malformed::new(error.to_string(), "a whole safetensors file");
    let (header, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| whole(&error))?;
    let mut tensors = Vec::new();
    for name in metadata.offset_keys() {
        let Some(info) = metadata.info(&name) else { continue };
        let element = Element::of_safetensors(info.dtype).ok_or_else(|| {
            let problem = format!("tensor {name} has type {:?}", info.dtype);
            Malformed::new(problem, Element::names())
        })?;
        // The data follow the header and the 8 bytes of its length; the crate has checked that they are there.
        let data = 8 + header;
        let storage = data + info.data_offsets.0..data + info.data_offsets.1;
        tensors.push(StoredTensor::new(name, element, View::contiguous(&info.shape), storage)?);
    }
    let texts = metadata.metadata().as_ref().into_iter().flatten();
    let mut others: Vec<_> = texts.flat_map(|(key, text)| entries(key, text)).collect();
    others.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let dict = StateDict::new(None, tensors, Vec::new(), source)?;
    Ok(Parsed { form: Form::Safetensors, dicts: vec![dict], others })
}

/// A text of a safetensors file: its entries if it is a JSON object, as in the state of a training.
fn entries(key: &str, text: &str) -> Vec<Entry> {
    let short = |value: &serde_json::Value| match value {
        serde_json::Value::Array(items) => format!("list of {}", items.len()),
        serde_json::Value::Object(fields) => format!("dictionary of {}", fields.len()),
        serde_json::Value::String(text) => text.chars().take(80).collect(),
        other => other.to_string(),
    };
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Object(fields)) => {
            fields.into_iter().map(|(name, value)| Entry { name, value: short(&value) }).collect()
        }
        _ => vec![Entry { name: key.to_owned(), value: text.chars().take(80).collect() }],
    }
}
