//! What a file holds: state dicts, and entries beside them.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::tensor::StoredTensor;
use super::torch::{self, Entries, Name, Storages};
use crate::data::cursor::Malformed;
use crate::model::Architecture;
use crate::pickle::{Call, Object, Pickle, Ref};

/// Tensors in all state dicts of a file; the largest of the networks here has 1,000.
const TENSORS: usize = 20_000;
/// Entries that are no tensors, in the state dicts and beside them.
const OTHERS: usize = 1_000;
/// Bytes of a name.
const NAME: usize = 200;
/// Bytes of a text that are shown.
const SHOWN: usize = 60;
/// What DataParallel and averaged models put in front of every name.
const WRAPPER: &str = "module.";

/// The bytes of a file, and its name for errors.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

/// The tensors of one network.
#[derive(Debug, Clone)]
pub struct StateDict {
    pub(super) source: Arc<Source>,
    name: Option<String>,
    tensors: Vec<StoredTensor>,
    wrapped: bool,
    aside: Vec<Entry>,
    /// The network that the file says it is.
    pub(super) said: Option<Architecture>,
}

/// An entry that is no tensor of a network, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is, such as `225` or `list of 3`.
    pub value: String,
}

impl StateDict {
    /// Fails on a name that comes twice, and if the tensors together are larger than the file: then they lie over each
    /// other or repeat their numbers, and would ask for more memory than the file may.
    pub(super) fn new(
        name: Option<String>,
        tensors: Vec<StoredTensor>,
        mut aside: Vec<Entry>,
        source: &Arc<Source>,
    ) -> Result<Self, Malformed> {
        let mut names = HashSet::new();
        if let Some(twice) = tensors.iter().find(|tensor| !names.insert(tensor.name())) {
            return Err(Malformed::new(format!("tensor {} comes twice", twice.name()), "every name once"));
        }
        let bytes = tensors.iter().fold(0_usize, |sum, tensor| sum.saturating_add(tensor.bytes()));
        if bytes > source.bytes.len() {
            let problem = format!("its tensors have {bytes} bytes, the file {}", source.bytes.len());
            return Err(Malformed::new(problem, "tensors that do not repeat their numbers"));
        }
        // A name without a dot belongs to no layer: the count of an averaged model, the vectors of a training state.
        let (mut tensors, apart): (Vec<_>, Vec<_>) =
            tensors.into_iter().partition(|tensor| tensor.name().contains('.'));
        aside.extend(apart.iter().map(|tensor| Entry { name: tensor.name().to_owned(), value: kind(tensor) }));
        let mut wrapped = false;
        while !tensors.is_empty() && tensors.iter().all(|tensor| tensor.name().starts_with(WRAPPER)) {
            wrapped = true;
            tensors.iter_mut().for_each(|tensor| tensor.strip(WRAPPER));
        }
        Ok(Self { source: Arc::clone(source), name, tensors, wrapped, aside, said: None })
    }

    /// The key it lies under, such as `swa_state_dict`; `None` for a file that is the state dict itself.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The tensors of the network, in the file's order, or in that of their names if the file has none.
    pub fn tensors(&self) -> &[StoredTensor] {
        &self.tensors
    }

    /// Whether the prefix `module.`, which DataParallel and averaged models use, was taken off every name.
    pub fn wrapped(&self) -> bool {
        self.wrapped
    }

    /// What lies among the tensors and belongs to no layer.
    pub fn aside(&self) -> &[Entry] {
        &self.aside
    }
}

/// The state dicts of a PyTorch file, and what lies beside them.
pub(super) fn contents(
    pickle: &Pickle<'_, Name>,
    storages: &Storages,
    source: &Arc<Source>,
) -> Result<(Vec<StateDict>, Vec<Entry>), Malformed> {
    let mut reading = Reading { pickle, storages, source, tensors: 0, others: 0 };
    let root = pickle.root();
    let entries = torch::entries(pickle, root).ok_or_else(|| refused(format!("holds {}", reading.describe(root))))?;
    if entries.iter(pickle).flatten().any(|(key, value)| reading.is_layer(key, value)) {
        return Ok((vec![reading.state_dict(None, entries)?], Vec::new()));
    }
    let (mut dicts, mut others) = (Vec::new(), Vec::new());
    for entry in entries.iter(pickle) {
        let (key, value) = entry?;
        let (name, value) = (reading.key(key)?, pickle.get(value));
        match reading.inner(value) {
            Some(inner) => dicts.push(reading.state_dict(Some(name), inner)?),
            None => others.push(reading.other(name, value)?),
        }
    }
    match dicts.is_empty() {
        true => Err(refused("holds no state dict: no tensor has the name of one of a layer, such as fc.weight")),
        false => Ok((dicts, others)),
    }
}

struct Reading<'p, 'a> {
    pickle: &'p Pickle<'a, Name>,
    storages: &'p Storages,
    source: &'p Arc<Source>,
    tensors: usize,
    others: usize,
}

fn refused(problem: impl Into<String>) -> Malformed {
    Malformed::new(problem, "a state dict, or a dictionary of state dicts and other entries")
}

impl<'p> Reading<'p, '_> {
    /// Whether an entry is a tensor with the name of a layer's.
    fn is_layer(&self, key: Ref, value: Ref) -> bool {
        let tensor = |call: &Call<Name>| matches!(call.name, Name::Tensor | Name::Parameter);
        matches!(self.pickle.get(value), Object::Call(call) if tensor(call))
            && self.pickle.text(key).is_some_and(|name| name.len() <= NAME && name.contains(&b'.'))
    }

    /// The entries of a state dict, which begins with a layer's tensor, perhaps after a count.
    fn inner(&self, object: &'p Object<'_, Name>) -> Option<Entries<'p>> {
        let entries = torch::entries(self.pickle, object)?;
        let mut first = entries.iter(self.pickle).take(2).flatten();
        first.any(|(key, value)| self.is_layer(key, value)).then_some(entries)
    }

    fn state_dict(&mut self, name: Option<String>, entries: Entries<'p>) -> Result<StateDict, Malformed> {
        let (mut tensors, mut aside) = (Vec::new(), Vec::new());
        for entry in entries.iter(self.pickle) {
            let (key, value) = entry?;
            let (key, value) = (self.key(key)?, self.pickle.get(value));
            match torch::tensor(self.pickle, self.storages, &key, value) {
                Some(tensor) => tensors.push(tensor?),
                None => aside.push(self.other(key, value)?),
            }
            self.tensors += 1;
            if self.tensors > TENSORS {
                return Err(refused(format!("more than {TENSORS} tensors")));
            }
        }
        StateDict::new(name, tensors, aside, self.source)
    }

    fn other(&mut self, name: String, value: &Object<'_, Name>) -> Result<Entry, Malformed> {
        self.others += 1;
        if self.others > OTHERS {
            return Err(refused(format!("more than {OTHERS} entries that are no tensors")));
        }
        Ok(Entry { name, value: self.describe(value) })
    }

    /// A key in words.
    fn key(&self, key: Ref) -> Result<String, Malformed> {
        match self.pickle.get(key) {
            Object::Text(text) if text.len() > NAME => Err(refused(format!("a name of {} bytes", text.len()))),
            Object::Text(text) => Ok(printable(text)),
            other => Ok(self.describe(other)),
        }
    }

    /// A value in words, without looking at more than the beginning of it.
    fn describe(&self, object: &Object<'_, Name>) -> String {
        match object {
            Object::None => "None".to_owned(),
            Object::Bool(true) => "True".to_owned(),
            Object::Bool(false) => "False".to_owned(),
            Object::Int(number) => number.to_string(),
            Object::Float(number) => number.to_string(),
            Object::Long(bytes) => format!("a number of {} bytes", bytes.len()),
            Object::Text(text) => printable(&text[..text.len().min(SHOWN)]),
            Object::Tuple(parts) => format!("tuple of {}", parts.len()),
            Object::List(parts) => format!("list of {}", parts.len()),
            Object::Persistent(_) => "a storage".to_owned(),
            Object::Global(_) => "a type".to_owned(),
            Object::Dict(_) | Object::Call(_) => match torch::tensor(self.pickle, self.storages, "it", object) {
                Some(Ok(tensor)) => format!("a tensor, {}", kind(&tensor)),
                Some(Err(_)) => "a tensor that is not in its storage".to_owned(),
                None => match torch::entries(self.pickle, object) {
                    Some(entries) => self.optimiser(object).unwrap_or(format!("dictionary of {}", entries.len())),
                    None => "an object".to_owned(),
                },
            },
        }
    }

    /// The state of an optimiser, if an object is one.
    fn optimiser(&self, object: &Object<'_, Name>) -> Option<String> {
        let Object::List(groups) = torch::entry(self.pickle, object, b"param_groups")? else { return None };
        let first = self.pickle.get(*groups.first()?);
        let setting = |key: &str| match torch::entry(self.pickle, first, key.as_bytes())? {
            Object::Int(number) => Some(format!("{key} {number}")),
            Object::Float(number) => Some(format!("{key} {number}")),
            _ => None,
        };
        let mut words: Vec<_> = ["lr", "momentum", "weight_decay"].into_iter().filter_map(setting).collect();
        if let Some(state) = torch::entry(self.pickle, object, b"state") {
            words.push(format!("state of {} parameters", torch::entries(self.pickle, state)?.len()));
        }
        Some(format!("an optimiser: {}", words.join(", ")))
    }
}

/// A text from a file that does nothing to a terminal.
pub(super) fn printable(text: &[u8]) -> String {
    let mut out = String::new();
    for character in String::from_utf8_lossy(text).chars() {
        match character {
            '"' | '\'' | '\\' => out.push(character),
            // Controls, those of the direction of writing included.
            _ => out.extend(character.escape_debug()),
        }
    }
    out
}

/// Type and shape.
fn kind(tensor: &StoredTensor) -> String {
    format!("{} {:?}", tensor.element(), tensor.shape())
}
