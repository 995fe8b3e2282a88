//! Files as PyTorch writes them, and as an attacker does.
//!
//! The fixtures are written by `harness/tests/pytorch/interchange.py --fixtures`.

mod forms;
mod hostile;
mod networks;

use candle_core::DType;

use super::*;

pub(super) const ZIP: &[u8] = include_bytes!("../../../tests/fixtures/checkpoints/tensors.pt");
pub(super) const LEGACY: &[u8] = include_bytes!("../../../tests/fixtures/checkpoints/tensors-legacy.pt");
pub(super) const OFFICIAL: &[u8] = include_bytes!("../../../tests/fixtures/checkpoints/official.pt");
pub(super) const OFFICIAL_LEGACY: &[u8] = include_bytes!("../../../tests/fixtures/checkpoints/official-legacy.pt");

/// What is read of these bytes in a file.
pub(super) fn read(bytes: &[u8]) -> crate::Result<StoredFile> {
    StoredFile::of("file".as_ref(), bytes.to_vec())
}

/// Why these bytes are refused.
pub(super) fn problem(bytes: &[u8]) -> String {
    let message = read(bytes).map(|file| format!("{file:?}")).expect_err("refused").to_string();
    assert!(message.starts_with("file: ") && message.contains("; allowed: ") && !message.contains('\n'), "{message}");
    message
}

/// Reads all numbers of a file, if it is one.
pub(super) fn exhaust(bytes: &[u8]) -> Option<StoredFile> {
    let file = read(bytes).ok()?;
    for dict in file.dicts() {
        dict.tensors().iter().for_each(|tensor| drop(tensor.tensor(&dict.source.bytes)));
    }
    Some(file)
}

/// Shape and numbers of a tensor.
pub(super) fn numbers(dict: &StateDict, name: &str) -> (Vec<usize>, Vec<f64>) {
    let tensor = dict.tensors().iter().find(|tensor| tensor.name() == name).expect("present");
    let numbers = tensor.tensor(&dict.source.bytes).and_then(|read| {
        assert_eq!(read.dims(), tensor.shape());
        Ok(read.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
    });
    (tensor.shape().to_vec(), numbers.expect("numbers"))
}

/// An uncompressed archive of these records.
pub(super) fn zip(records: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write;
    let mut zip = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in records {
        zip.start_file(*name, ::zip::write::SimpleFileOptions::default()).expect("memory");
        zip.write_all(bytes).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

/// A `data.pkl` of one tensor, its numbers written as they are.
pub(super) fn pickled(class: &str, count: i32, offset: i32, shape: &[i32], strides: &[i32]) -> Vec<u8> {
    let int = |number: &i32| [&b"J"[..], &number.to_le_bytes()].concat();
    let ints = |numbers: &[i32]| [b"(".to_vec(), numbers.iter().flat_map(int).collect(), b"t".to_vec()].concat();
    [
        b"\x80\x02}U\x09fc.weightctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\n".to_vec(),
        class.as_bytes().to_vec(),
        b"\nU\x010U\x03cpu".to_vec(),
        int(&count),
        b"tQ".to_vec(),
        int(&offset),
        ints(shape),
        ints(strides),
        b"\x89NtRs.".to_vec(),
    ]
    .concat()
}
