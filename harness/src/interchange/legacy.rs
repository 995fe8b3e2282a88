//! The files that `torch.save` wrote before PyTorch 1.6, and still writes if asked.
//!
//! One pickle after the other: a magic number, the version 1001, facts about the machine, the object, and the list of the
//! keys of its storages; then, in the order of the keys, every storage as a count of numbers and the numbers.

use super::torch::{self, Announced, Name, Storage, Storages};
use crate::data::cursor::{Cursor, Malformed};
use crate::pickle::{self, Object, Pickle};

/// 0x1950a86a20f9469cfc6c.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const VERSION: i64 = 1001;

fn refused(problem: impl Into<String>) -> Malformed {
    Malformed::new(problem, "a whole file as torch.save writes it")
}

/// The object's pickle, and where its storages lie.
pub(super) fn open(bytes: &[u8]) -> Result<(Pickle<'_, Name>, Storages), Malformed> {
    let mut at = 0;
    let mut next = || {
        let pickle = pickle::read(&bytes[at..], &torch::READER)?;
        at += pickle.length;
        Ok::<_, Malformed>(pickle)
    };
    if *next()?.root() != Object::Long(&MAGIC) {
        return Err(refused("a pickle, but not of PyTorch: its magic number is missing"));
    }
    match next()?.root() {
        Object::Int(VERSION) => {}
        Object::Int(version) => return Err(refused(format!("version {version} instead of {VERSION}"))),
        _ => return Err(refused("a version that is no number")),
    }
    let facts = next()?;
    let little = torch::entry(&facts, facts.root(), b"little_endian");
    if little.is_none_or(|little| *little != Object::Bool(true)) {
        return Err(refused("does not say that its byte order is little-endian"));
    }
    let object = next()?;
    let keys = next()?;
    let announced = torch::announced(&object)?;
    let Object::List(keys_list) = keys.root() else { return Err(refused("has no list of storages")) };
    let mut cursor = Cursor::new(bytes);
    cursor.take(at)?;
    let mut storages = Storages::new();
    for &key in keys_list {
        let known = keys.text(key).and_then(|key| Some((key, announced.get(key)?)));
        let (key, &Announced { element, numbers }) =
            known.ok_or_else(|| refused("lists a storage that no tensor refers to"))?;
        let count = cursor.take(8)?;
        if count != (numbers as u64).to_le_bytes() {
            let seen = count.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
            let key = key.escape_ascii();
            return Err(refused(format!("storage {key} has {seen} numbers instead of the {numbers} announced")));
        }
        let begin = cursor.at();
        let length = numbers.checked_mul(element.size()).ok_or_else(|| refused("a storage beyond all bounds"))?;
        cursor.take(length)?;
        if storages.insert(key.to_vec(), Storage { element, bytes: begin..cursor.at() }).is_some() {
            return Err(refused(format!("lists storage {} twice", key.escape_ascii())));
        }
    }
    Ok((object, storages))
}
