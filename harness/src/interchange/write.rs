//! Writing networks so that `torch.load(…, weights_only=True)` reads an `OrderedDict` of them.

use std::collections::HashMap;
use std::io::{Cursor, Write};
use std::path::Path;

use candle_core::{DType, Tensor};
use sha2::{Digest, Sha256};
use zip::result::{ZipError, ZipResult};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, System, ZipWriter};

use super::order;
use crate::files::write_atomically;
use crate::params::Weights;
use crate::{Error, Result};

/// The folder of the records; `torch.save` takes the file's name for it, which would make equal networks unequal files.
const FOLDER: &str = "archive";
/// Where records begin, as in `torch.save`, so that they can be mapped into memory.
const ALIGNMENT: u16 = 64;

/// Writes a network as `torch.save(model.state_dict(), path)` does: a zip archive, the tensors in PyTorch's order, batch-norm
/// statistics included. The bytes depend on the network alone. The file appears whole or not at all.
///
/// # Errors
/// [`Error::File`] if it cannot be written.
pub fn save_pt(path: &Path, weights: &Weights<f32>) -> Result<()> {
    let items = items(weights)?;
    let bytes = archive(&items).map_err(|error| Error::file(path, error, "tensors that a zip archive can hold"))?;
    write_atomically(path, &bytes)
}

/// A tensor with a storage of its own.
pub(super) struct Item {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    /// PyTorch's class of its storage.
    pub(super) class: &'static str,
    pub(super) bytes: Vec<u8>,
}

/// The tensors of a network in PyTorch's order.
fn items(weights: &Weights<f32>) -> Result<Vec<Item>> {
    let mut named: HashMap<String, Tensor> = weights.named()?.into_iter().collect();
    let mut items = Vec::new();
    for order::Expected { name, shape } in order::state_dict(weights.layout()) {
        let missing = || Error::domain(&name, "missing", "a tensor of the network");
        let tensor = named.remove(&name).ok_or_else(missing)?.flatten_all()?;
        let (class, bytes) = match tensor.dtype() {
            DType::I64 => ("LongStorage", tensor.to_vec1::<i64>()?.into_iter().flat_map(i64::to_le_bytes).collect()),
            _ => ("FloatStorage", tensor.to_vec1::<f32>()?.into_iter().flat_map(f32::to_le_bytes).collect()),
        };
        items.push(Item { name, shape, class, bytes });
    }
    Ok(items)
}

pub(super) fn archive(items: &[Item]) -> ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut record = |name: &str, bytes: &[u8]| {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .system(System::Unix)
            .large_file(bytes.len() > u32::MAX as usize)
            .with_alignment(ALIGNMENT);
        zip.start_file(format!("{FOLDER}/{name}"), options)?;
        Ok::<_, ZipError>(zip.write_all(bytes)?)
    };
    let pickle = pickle(items);
    record("data.pkl", &pickle)?;
    record("byteorder", b"little")?;
    for (number, item) in items.iter().enumerate() {
        record(&format!("data/{number}"), &item.bytes)?;
    }
    record("version", b"3\n")?;
    record(".data/serialization_id", identification(&pickle, items).as_bytes())?;
    Ok(zip.finish()?.into_inner())
}

/// 40 decimal digits that depend on the contents, as PyTorch's do.
fn identification(pickle: &[u8], items: &[Item]) -> String {
    let hash = items.iter().fold(Sha256::new_with_prefix(pickle), |hash, item| hash.chain_update(&item.bytes));
    let digits: String = hash.finalize().iter().map(|byte| format!("{byte:03}")).collect();
    digits[..40].to_owned()
}

/// `collections.OrderedDict` of every item made anew by `torch._utils._rebuild_tensor_v2`, in protocol 2.
fn pickle(items: &[Item]) -> Vec<u8> {
    let ordered_dict = &b"ccollections\nOrderedDict\n)R"[..];
    let mut out = [b"\x80\x02", ordered_dict, b"("].concat();
    for (number, Item { name, shape, class, .. }) in items.iter().enumerate() {
        let count: usize = shape.iter().product();
        text(&mut out, name);
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut out, "storage");
        out.extend(format!("ctorch\n{class}\n").into_bytes());
        text(&mut out, &number.to_string());
        text(&mut out, "cpu");
        int(&mut out, count);
        // The storage, the offset in it, shape and strides, no gradient, no hooks.
        out.extend(b"tQK\x00(");
        shape.iter().for_each(|&side| int(&mut out, side));
        out.extend(b"t(");
        for dimension in 0..shape.len() {
            int(&mut out, shape[dimension + 1..].iter().product());
        }
        out.extend([b"t\x89", ordered_dict, b"tR"].concat());
    }
    out.extend(b"u.");
    out
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    // No name of a network's tensor has 4 GB.
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

fn int(out: &mut Vec<u8>, number: usize) {
    match (u8::try_from(number), i32::try_from(number)) {
        (Ok(byte), _) => out.extend([b'K', byte]),
        (_, Ok(number)) => {
            out.push(b'J');
            out.extend(number.to_le_bytes());
        }
        _ => {
            // Nothing in memory has 2^63 bytes.
            out.extend(b"\x8a\x08");
            out.extend((number as u64).to_le_bytes());
        }
    }
}
