//! What the objects of PyTorch's pickles mean: storages, tensors, state dicts.
//!
//! Names and arguments are those of `torch/_utils.py` and `torch/serialization.py`.

use std::collections::HashMap;
use std::ops::Range;

use super::element::Element;
use super::tensor::{StoredTensor, View};
use crate::data::cursor::Malformed;
use crate::pickle::{Object, Pickle, Reader, Ref};

/// What the reader of a checkpoint knows by name. Everything else is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    OrderedDict,
    Size,
    Device,
    /// `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`, or its predecessor with the first four.
    Tensor,
    /// `_rebuild_parameter(tensor, requires_grad, hooks)`.
    Parameter,
    Storage(Element),
}

/// Storages in a file. The largest of the networks here, with its optimiser's state, has 2,000.
const STORAGES: usize = 100_000;
/// Bytes of the key of a storage.
const KEY: usize = 100;
/// Entries of a dictionary among which one is looked for.
const FIRST: usize = 100;

const ALLOWED: &str = "a checkpoint of dictionaries, lists, numbers, texts and tensors, such as \
                       torch.save(model.state_dict(), …) writes";

pub(super) const READER: Reader<Name> = Reader {
    name: |module, name| {
        Some(match (module, name) {
            (b"collections", b"OrderedDict") => Name::OrderedDict,
            (b"torch", b"Size") => Name::Size,
            (b"torch", b"device") => Name::Device,
            (b"torch._utils", b"_rebuild_tensor_v2" | b"_rebuild_tensor") => Name::Tensor,
            (b"torch._utils", b"_rebuild_parameter") => Name::Parameter,
            (b"torch" | b"torch.cuda" | b"torch.storage", class) => Name::Storage(Element::of_storage(class)?),
            _ => return None,
        })
    },
    allowed: ALLOWED,
};

/// The numbers of some tensors, as they lie in the file.
#[derive(Debug, Clone)]
pub(super) struct Storage {
    pub(super) element: Element,
    pub(super) bytes: Range<usize>,
}

/// Storages by key.
pub(super) type Storages = HashMap<Vec<u8>, Storage>;

/// What a pickle says of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Announced {
    pub(super) element: Element,
    pub(super) numbers: usize,
}

fn refused(problem: impl Into<String>) -> Malformed {
    Malformed::new(problem, ALLOWED)
}

/// The storages that a pickle refers to, by key.
pub(super) fn announced<'a>(pickle: &Pickle<'a, Name>) -> Result<HashMap<&'a [u8], Announced>, Malformed> {
    let mut all = HashMap::new();
    for object in pickle.objects() {
        let Object::Persistent(description) = object else { continue };
        let (key, storage) = storage(pickle, *description)?;
        if *all.entry(key).or_insert(storage) != storage {
            return Err(refused(format!("storage {} has two types or sizes", key.escape_ascii())));
        }
        if all.len() > STORAGES {
            return Err(refused(format!("more than {STORAGES} storages")));
        }
    }
    Ok(all)
}

/// Key, type and size of a storage from its description: ('storage', class, key, location, count), and in the legacy
/// format the part of it that is meant, or `None` for all.
fn storage<'a>(pickle: &Pickle<'a, Name>, description: Ref) -> Result<(&'a [u8], Announced), Malformed> {
    let no_storage = || refused("refers to something outside its pickle that is no storage of numbers");
    let Object::Tuple(parts) = pickle.get(description) else { return Err(no_storage()) };
    let (&[tag, class, key, _, count], view) = parts.split_first_chunk().ok_or_else(no_storage)?;
    match view.first().map(|&view| pickle.get(view)) {
        None | Some(Object::None) => {}
        Some(_) => return Err(refused("a view of a storage, as PyTorch 0.3 and older wrote them")),
    }
    match (pickle.text(tag), pickle.get(class), pickle.text(key), pickle.get(count)) {
        (Some(b"storage"), &Object::Global(Name::Storage(element)), Some(key), &Object::Int(count))
            if key.len() <= KEY =>
        {
            let numbers = usize::try_from(count).map_err(|_| refused(format!("a storage of {count} numbers")))?;
            Ok((key, Announced { element, numbers }))
        }
        _ => Err(no_storage()),
    }
}

/// The tensor that an object is, `None` if it is something else.
pub(super) fn tensor(
    pickle: &Pickle<'_, Name>,
    storages: &Storages,
    name: &str,
    object: &Object<'_, Name>,
) -> Option<Result<StoredTensor, Malformed>> {
    let Object::Call(call) = object else { return None };
    match call.name {
        Name::Tensor => Some(rebuilt(pickle, storages, name, pickle.arguments(call))),
        Name::Parameter => Some(match pickle.arguments(call).first().map(|&inner| pickle.get(inner)) {
            Some(Object::Call(inner)) if inner.name == Name::Tensor => {
                rebuilt(pickle, storages, name, pickle.arguments(inner))
            }
            _ => Err(refused(format!("{name}: a parameter without a tensor"))),
        }),
        _ => None,
    }
}

fn rebuilt(
    pickle: &Pickle<'_, Name>,
    storages: &Storages,
    name: &str,
    arguments: &[Ref],
) -> Result<StoredTensor, Malformed> {
    let wrong = || refused(format!("{name}: a tensor made of something else than storage, offset, size and strides"));
    let &[description, offset, shape, strides, ..] = arguments else { return Err(wrong()) };
    let Object::Persistent(description) = pickle.get(description) else { return Err(wrong()) };
    let (key, _) = storage(pickle, *description)?;
    let missing = || refused(format!("{name}: storage {} is missing", key.escape_ascii()));
    let Storage { element, bytes } = storages.get(key).ok_or_else(missing)?.clone();
    let offset = match pickle.get(offset) {
        Object::Int(offset) => usize::try_from(*offset).ok(),
        _ => None,
    };
    let view = (|| Some(View { shape: sides(pickle, shape)?, strides: sides(pickle, strides)?, offset: offset? }))();
    StoredTensor::new(name.to_owned(), element, view.ok_or_else(wrong)?, bytes)
}

/// Whole numbers from 0, in a tuple or a `torch.Size`.
fn sides(pickle: &Pickle<'_, Name>, number: Ref) -> Option<Vec<usize>> {
    let parts = match pickle.get(number) {
        Object::Tuple(parts) => parts,
        Object::Call(call) if call.name == Name::Size => match pickle.get(*pickle.arguments(call).first()?) {
            Object::Tuple(parts) => parts,
            _ => return None,
        },
        _ => return None,
    };
    let side = |&part: &Ref| match pickle.get(part) {
        Object::Int(side) => usize::try_from(*side).ok(),
        _ => None,
    };
    // More dimensions than any tensor has are not even looked at, since the same tuple may be used again and again.
    (parts.len() <= 64).then(|| parts.iter().map(side).collect())?
}

/// The entries of a dictionary, which are not copied.
#[derive(Clone, Copy)]
pub(super) struct Entries<'p> {
    /// Pairs, which Python 2 hands over when it makes an ordered dictionary.
    given: &'p [Ref],
    /// Keys and values that were set afterwards.
    set: &'p [(Ref, Ref)],
}

impl<'p> Entries<'p> {
    pub(super) fn len(self) -> usize {
        self.given.len() + self.set.len()
    }

    /// Keys and values; an error for what should be a pair and is not.
    pub(super) fn iter(self, pickle: &'p Pickle<'_, Name>) -> impl Iterator<Item = Result<(Ref, Ref), Malformed>> + 'p {
        let pair = |&given: &Ref| match pickle.get(given) {
            Object::List(pair) | Object::Tuple(pair) if pair.len() == 2 => Ok((pair[0], pair[1])),
            _ => Err(refused("an ordered dictionary made of something else than pairs")),
        };
        self.given.iter().map(pair).chain(self.set.iter().copied().map(Ok))
    }
}

/// The entries of a dictionary, `None` for another object.
pub(super) fn entries<'p>(pickle: &'p Pickle<'_, Name>, object: &'p Object<'_, Name>) -> Option<Entries<'p>> {
    match object {
        Object::Dict(set) => Some(Entries { given: &[], set }),
        Object::Call(call) if call.name == Name::OrderedDict => {
            let given: &[Ref] = match pickle.arguments(call).first().map(|&given| pickle.get(given)) {
                None => &[],
                Some(Object::List(given)) => given,
                Some(_) => return None,
            };
            Some(Entries { given, set: &call.entries })
        }
        _ => None,
    }
}

/// The value of a key among the first entries of a dictionary.
pub(super) fn entry<'p, 'a>(
    pickle: &'p Pickle<'a, Name>,
    object: &'p Object<'_, Name>,
    key: &[u8],
) -> Option<&'p Object<'a, Name>> {
    let mut first = entries(pickle, object)?.iter(pickle).take(FIRST).flatten();
    first.find(|&(name, _)| pickle.text(name) == Some(key)).map(|(_, value)| pickle.get(value))
}
